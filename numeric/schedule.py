"""The schedule of a cell's two passes: what stands before the loop over time, in it and after it, and what is fused.

Law: a program computes what the derivation's equations say; only the order and the grouping differ.
"""

from __future__ import annotations

from collections.abc import Callable

from sympy.matrices.expressions import MatMul, MatrixExpr, MatrixSymbol, Transpose

from derive.backward import AdjointEquation
from derive.derivation import Derivation
from derive.expressions import Adjoint, LossGradient, Timed, add, leaves, terms
from numeric.program import Program, StackSum, StackTerm, Statement, leaves_of
from numeric.stacks import Affine, Stack, stack_of, stacks
from numeric.still import Settled, still_symbols


def program(
    derivation: Derivation,
    *,
    arrange: Callable[[Stack], Stack] | None = None,
    least: int = 2,
) -> Program:
    """The scheduled program of a derivation.

    Args:
        derivation: what is computed.
        arrange: gives every stack its members in another order.
        least: from how many members on a stack's adjoints lie in one array, and its sums over time are one product.
    """
    return _Scheduler(derivation, arrange, least).program()


def _as_is(stack: Stack) -> Stack:
    return stack


class _Scheduler:
    def __init__(
        self,
        derivation: Derivation,
        arrange: Callable[[Stack], Stack] | None,
        least: int,
    ) -> None:
        self.d, self.least = derivation, least
        self.settled = Settled(still_symbols(derivation))
        self.assignments = self.settled.assignments(derivation.assignments)
        self.backward = self.settled.backward(derivation.backward)
        self.states = frozenset(q.name for q in derivation.cell.states)
        self.inputs = frozenset(q.name for q in derivation.cell.inputs)
        self.number = self.settled.numbers(derivation)
        self.early = self._early()
        self.late = self._late()
        whole = stacks(self.assignments, self.states, derivation.around)
        self.stacks = tuple(map(arrange or _as_is, [p for s in whole for p in self._parted(s)]))

    def program(self) -> Program:
        forward = self.forward_statements()
        backward = self.backward_statements()
        stored = self.stored(forward, backward)
        return Program(self.d, self.stacks, forward, backward, stored, still=self.still())

    def still(self) -> tuple[Statement, ...]:
        """What no step changes."""
        return tuple(
            Statement(symbol, self.settled(a.expr), number=self.number.get(symbol, 0))
            for a in self.d.assignments
            if (symbol := self.settled.symbols.get(a.name)) is not None
        )

    # ── forward ─────────────────────────────────────────────────────────────────────────────────────

    def _early(self) -> frozenset[str]:
        """Intermediates that depend on inputs and parameters only."""
        early: set[str] = set()
        for a in self.assignments:
            known = all(
                v.name in self.inputs or (v.name in early and v.lag == 0)
                for v in leaves(a.expr)
                if isinstance(v, Timed)
            )
            if known and a.name not in self.states:
                early.add(a.name)
        return frozenset(early)

    def _late(self) -> frozenset[str]:
        """Intermediates on which no state depends."""
        needed = set(self.states)
        for a in reversed(self.assignments):
            if a.name in needed:
                needed |= {v.name for v in leaves(a.expr) if isinstance(v, Timed)}
        return frozenset(a.name for a in self.assignments if a.name not in needed | self.early)

    def _parted(self, stack: Stack) -> list[Stack]:
        """The members that are complete before the loop, in it and after it, each apart from the others.

        What is complete early may be read for all steps at once, when the loop's own products are not there yet; what
        is complete late is no work for the loop.
        """
        parts: dict[str, list[Affine]] = {}
        for m in stack.members:
            parts.setdefault(self.place(m.target.name), []).append(m)
        return [stack] if len(parts) == 1 else [stack_of(members) for members in parts.values()]

    def place(self, name: str) -> str:
        return "before" if name in self.early else "after" if name in self.late else "loop"

    def is_early(self, vector: Timed) -> bool:
        return vector.name in self.inputs or (vector.name in self.early and vector.lag == 0)

    def forward_statements(self) -> dict[str, list[Statement]]:
        out: dict[str, list[Statement]] = {"before": [], "loop": [], "after": []}
        begun: set[str] = set()
        for a in self.assignments:
            stack = next((s for s in self.stacks for m in s.members if m.target == a.target), None)
            number = self.number.get(a.target, 0)
            if stack is None:
                out[self.place(a.name)].append(Statement(a.target, a.expr, number=number))
                continue
            if stack.name not in begun:
                begun.add(stack.name)
                self.begin(stack, out)
            rest = next(m.rest for m in stack.members if m.target == a.target)
            if rest:
                out[self.place(a.name)].append(
                    Statement(a.target, add(*rest), add=True, number=number)
                )
        return out

    def begin(self, stack: Stack, out: dict[str, list[Statement]]) -> None:
        """The products of a stack: those with inputs before the loop, the others in it."""
        place = self.stack_place(stack)
        early = [v for v in stack.vectors if place == "loop" and self.is_early(v)]
        others = [v for v in stack.vectors if v not in early]
        bias = stack.has_bias
        for where, vectors in (("before", early), (place, others)):
            if vectors:
                value = tuple(
                    StackTerm(stack, v, bias=bias and i == len(vectors) - 1)
                    for i, v in enumerate(vectors)
                )
                last = vectors is others or not others
                out[where].append(
                    Statement(
                        stack,
                        value,
                        add=where == place and bool(early),
                        number=self.number_of(stack) if last else 0,
                    )
                )
                bias = False

    def number_of(self, stack: Stack) -> int:
        """The number of the line that a stack computes; 0 if it is only a part of one, or several lines."""
        alone = len(stack.members) == 1 and not stack.members[0].rest
        return self.number.get(stack.members[0].target, 0) if alone else 0

    def stack_place(self, stack: Stack) -> str:
        """Where all members of a stack can be computed together."""
        places = {self.place(m.target.name) for m in stack.members}
        return places.pop() if len(places) == 1 else "loop"

    # ── backward ────────────────────────────────────────────────────────────────────────────────────

    def backward_statements(self) -> dict[str, list[Statement]]:
        out: dict[str, list[Statement]] = {"before": [], "loop": [], "after": []}
        bulk: set[MatrixExpr] = set()
        memory = set(self.backward.carried)
        for e in self.backward.asked:
            if self.settled.is_still(e.lhs):
                continue
            if e.lhs.name in memory:
                self.add_present(e, bulk, out)
            elif self.is_bulk(e.rhs, bulk):
                bulk.add(e.lhs)
                out["before"].append(self.equation(e))
            else:
                out["loop"].append(self.equation(e))
        for e in self.backward.inputs:
            if self.d.cell.quantity(e.owner).kind != "real":
                continue
            if e.lhs.name in memory:
                self.add_present(e, bulk, out)
            else:
                out["after"].append(
                    Statement(e.lhs, self.fused(e.rhs), number=self.number.get(e.lhs, 0))
                )
        for name, by_lag in self.backward.carried.items():
            number = self.number.get(Adjoint(self.d.cell.quantity(name).symbol), 0)
            for lag, e in by_lag.items():
                out["loop"].append(
                    Statement(e.lhs, self.fused(e.rhs), add=True, number=number, lag=lag)
                )
        out["after"] += [
            Statement(e.lhs, e.rhs, number=self.number.get(e.lhs, 0))
            for e in self.backward.asked
            if self.settled.is_still(e.lhs)
        ]
        out["after"] += self.parameter_sums()
        return out

    def equation(self, e: AdjointEquation) -> Statement:
        return Statement(e.lhs, self.fused(e.rhs), number=self.number.get(e.lhs, 0))

    def is_bulk(self, rhs: MatrixExpr, bulk: set[MatrixExpr]) -> bool:
        """Whether an adjoint depends on the loss and on other such adjoints only."""
        return all(
            v in bulk if isinstance(v, Adjoint) else v.name not in self.states
            for v in leaves(rhs)
            if isinstance(v, Adjoint | LossGradient)
        )

    def add_present(self, e: AdjointEquation, bulk: set[MatrixExpr], out) -> None:
        """What the lines of this very step add to the adjoint of a quantity with memory."""
        number = self.number.get(e.lhs, 0)
        for where, early in (("before", True), ("loop", False)):
            chosen = [term for term in terms(e.present) if self.is_bulk(term, bulk) is early]
            if chosen:
                out[where].append(
                    Statement(e.lhs, self.fused(add(*chosen)), add=True, number=number)
                )

    def fused(self, expr: MatrixExpr) -> object:
        """The sum with W_fᵀ δ_f + W_iᵀ δ_i + … written as one product, where a whole stack is there."""
        left = list(terms(expr))
        found: list[StackTerm] = []
        for stack in self.stacks:
            for vector in stack.vectors if len(stack.members) >= self.least else ():
                wanted = [
                    MatMul(*_transposed(matrix), Adjoint(m.target))
                    for m, matrix in zip(stack.members, stack.matrices(vector), strict=True)
                ]
                if self.stacked_adjoint(stack) and all(w in left for w in wanted):
                    left = [term for term in left if term not in wanted]
                    found.append(StackTerm(stack, vector, transposed=True))
        if not found:
            return expr
        return (*found, *((add(*left),) if left else ()))

    def stacked_adjoint(self, stack: Stack) -> bool:
        """Whether the adjoints of all members are computed, so that they lie in one array."""
        kept = {e.lhs for e in self.backward.asked}
        return all(Adjoint(m.target) in kept for m in stack.members)

    def parameter_sums(self) -> list[Statement]:
        """The gradients of the parameters; those of a stack's as one product."""
        equations = {e.lhs: e for e in self.backward.parameters}
        done: set[MatrixExpr] = set()
        out: list[Statement] = []
        for stack in self.stacks:
            if len(stack.members) < self.least or not self.stacked_adjoint(stack):
                continue
            for vector in (*stack.vectors, *((None,) if stack.has_bias else ())):
                wanted = self.wanted_sums(stack, vector)
                if wanted and all(
                    p in equations and equations[p].rhs == rhs for p, rhs in wanted.items()
                ):
                    out.append(Statement(tuple(wanted), StackSum(stack, vector)))
                    done |= wanted.keys()
        rest = [e for e in self.backward.parameters if e.lhs not in done]
        return out + [Statement(e.lhs, e.rhs, number=self.number.get(e.lhs, 0)) for e in rest]

    @staticmethod
    def wanted_sums(stack: Stack, vector: Timed | None) -> dict[Adjoint, MatrixExpr] | None:
        """The gradient equations that a stack's one product would compute, by parameter."""
        if vector is None:
            return {Adjoint(m.bias): Adjoint(m.target) for m in stack.members}
        if not all(isinstance(m, MatrixSymbol) for m in stack.matrices(vector)):
            return None
        wanted = {
            Adjoint(matrix): MatMul(Adjoint(m.target), Transpose(vector))
            for m, matrix in zip(stack.members, stack.matrices(vector), strict=True)
        }
        return wanted if len(wanted) == len(stack.members) else None

    # ── storage ─────────────────────────────────────────────────────────────────────────────────────

    def stored(self, forward, backward) -> frozenset[MatrixExpr]:
        """What has to be kept for all steps, as leaves at lag 0."""
        keep: set[MatrixExpr] = {q.symbol for q in (*self.d.cell.outputs, *self.d.cell.inputs)}
        for where, statements in backward.items():
            for s in statements:
                seen = list(leaves_of(s.value))
                keep |= {v.at(0) for v in seen if isinstance(v, Timed)}
                keep |= {v for v in seen if where == "after" and isinstance(v, Adjoint)}
                if where == "before" and isinstance(s.target, Adjoint):
                    keep.add(s.target)
        for s in (*forward["before"], *forward["after"]):
            keep |= {v.at(0) for v in leaves_of(s.value) if isinstance(v, Timed)}
            if isinstance(s.target, Timed):
                keep.add(s.target)
        return frozenset(keep)


def _transposed(matrix: MatrixExpr) -> tuple[MatrixExpr, ...]:
    if isinstance(matrix, Transpose):
        return (matrix.arg,)
    return (Transpose(matrix),)
