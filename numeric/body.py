"""The two passes of a program, line by line, as NumPy."""

from __future__ import annotations

from sympy.matrices.expressions import MatMul, MatrixExpr, Transpose

from derive.cell import Quantity
from derive.expressions import (
    Adjoint,
    LossGradient,
    Timed,
    is_column,
    is_scalar,
    is_timed,
    leaves,
    operands,
    split_coefficient,
    terms,
)
from derive.notation import Notation, split_name
from numeric.arrays import PRODUCT, UNARY, ArrayPrinter, Piece, trailing
from numeric.names import Names
from numeric.program import Program, StackSum, StackTerm, Statement
from numeric.stacks import Stack


class Body:
    """What both passes share: how leaves, stacks and shapes are written.

    Args:
        program: the program.
        names: the identifiers.
    """

    def __init__(self, program: Program, names: Names) -> None:
        self.program, self.names = program, names
        self.cell = program.derivation.cell
        self.memory = {q.name: q for q in (*self.cell.states, *self.cell.inputs) if q.depth}
        self.lines: list[str] = []

    def dim(self, size: object) -> str:
        """A dimension as code."""
        return str(size).replace("**", " ** ")

    def write(self, line: str = "", *, indent: int = 1, number: int = 0) -> None:
        """One line; the number of the derivation's equation stands behind it."""
        note = f"  # ({number})" if number else ""
        self.lines.append("    " * indent + line + note if line else "")

    def at_step(self, leaf: MatrixExpr) -> str:
        """A leaf inside the loop over time."""
        if not Notation.has_time(leaf):
            return self.names.of(leaf)
        sequence = self.is_sequence(leaf)
        return f"{self.whole(leaf)}[t]" if sequence else self.names.of(leaf)

    def whole(self, leaf: MatrixExpr) -> str:
        """A leaf as a whole sequence."""
        if not Notation.has_time(leaf):
            return self.names.of(leaf)
        return self.names.lagged(leaf, leaf.lag)

    def is_sequence(self, leaf: MatrixExpr) -> bool:
        """Whether a leaf is kept for all steps."""
        stack = self.program.stack_of(leaf.name)
        if isinstance(leaf, Adjoint):
            return leaf.name in self.memory or leaf.at(0) in self.program.stored or self.has_stacked(stack)
        if isinstance(leaf, LossGradient):
            return True
        return leaf.name in self.memory or leaf.at(0) in self.program.stored or stack is not None

    def has_stacked(self, stack: Stack | None) -> bool:
        """Whether the members' adjoints lie in one array."""
        return stack is not None and len(stack.members) > 1 and self.is_whole(stack)

    def is_whole(self, stack: Stack) -> bool:
        """Whether the adjoints of all members are computed."""
        kept = {e.lhs for e in self.program.derivation.backward.local}
        return all(Adjoint(m.target) in kept for m in stack.members)

    # ── stacks ──────────────────────────────────────────────────────────────────────────────────────

    def stack_rows(self, stack: Stack) -> str:
        """The number of rows of a stack."""
        return self.dim(sum(m.target.shape[0] for m in stack.members))

    def split(self, stack: Stack, array: str, axis: str) -> str:
        """The parts of a stack's array, as views."""
        rows = [m.target.shape[0] for m in stack.members]
        if len(set(rows)) == 1:
            return f"np.split({array}, {len(rows)}{axis})"
        cuts = ", ".join(self.dim(sum(rows[:i])) for i in range(1, len(rows)))
        return f"np.split({array}, [{cuts}]{axis})"

    def weight(self, stack: Stack, vector: Timed | None) -> str:
        """The stacked matrix in front of a vector, or the stacked bias."""
        bases = {split_name(m.name)[0] for m in self.parts(stack, vector) if hasattr(m, "name")}
        base = bases.pop() if len(bases) == 1 else "b" if vector is None else "K"
        return self.names.named((stack.name, vector), f"{base}_{stack.suffix}")

    def parts(self, stack: Stack, vector: Timed | None) -> tuple[MatrixExpr, ...]:
        """The parameters that are stacked."""
        return tuple(m.bias for m in stack.members) if vector is None else stack.matrices(vector)

    def stack_weights(self, uses: list[tuple[Stack, Timed | None]]) -> None:
        """The stacked parameters, each once."""
        static = ArrayPrinter(self.names.of, self.dim)
        for stack, vector in {(s.name, v): (s, v) for s, v in uses}.values():
            if len(stack.members) > 1:
                parts = ", ".join(static.full(p) for p in self.parts(stack, vector))
                self.write(f"{self.weight(stack, vector)} = np.concatenate(({parts}))")

    def stack_terms(self, value: object) -> list[StackTerm]:
        """The stacked products in a statement's value."""
        return [v for v in value if isinstance(v, StackTerm)] if isinstance(value, tuple) else []

    def empty(self, leaf: MatrixExpr) -> str:
        """A new array for a whole sequence."""
        return f"np.empty(({', '.join(['T', 'B', *trailing(leaf, self.dim)])}), dtype)"

    def history(self, q: Quantity) -> str:
        """The shape of the values before a sequence."""
        front = ["B"] if q.depth == 1 else [str(q.depth), "B"]
        return f"({', '.join([*front, *trailing(q.symbol, self.dim)])})"

    def views(self, leaf: MatrixExpr, q: Quantity, lags: set[int]) -> None:
        """The views of an array with history that hold, at step t, the value at t − d."""
        storage = self.names.storage(leaf)
        for d in sorted(lags | {0}):
            stop = f":{-d}" if d else ":"
            start = str(q.depth - d) if q.depth > d else ""
            self.write(f"{self.names.lagged(leaf, d)} = {storage}[{start}{stop}]")

    def used_lags(self, statements: dict[str, list[Statement]], name: str) -> set[int]:
        """The lags at which a quantity is read."""
        found = set()
        for s in (s for part in statements.values() for s in part):
            for v in all_leaves(s.value):
                if isinstance(v, Timed) and v.name == name:
                    found.add(v.lag)
        return found


class Forward(Body):
    """Writes the forward pass."""

    def statements(self) -> list[str]:
        """The lines behind the checks of the arguments."""
        f = self.program.forward
        every = [s for part in f.values() for s in part]
        self.stack_weights(
            [u for s in every for t in self.stack_terms(s.value) for u in _uses(t) if len(t.stack.members) > 1]
        )
        self.storage()
        for s in f["before"]:
            self.bulk(s)
        if f["loop"]:
            self.write("for t in range(T):")
            for s in f["loop"]:
                self.in_loop(s)
        for s in f["after"]:
            self.bulk(s)
        return self.lines

    def storage(self) -> None:
        """The arrays that the loop fills."""
        for q in self.memory.values():
            given = self.names.of(q.symbol)
            store = self.names.storage(q.symbol)
            first = self.names.named((q.name, "initial"), f"{given}_0")
            self.write(f"{store} = np.empty(({', '.join([f'T + {q.depth}', 'B', *trailing(q.symbol, self.dim)])}), dtype)")
            self.write(f"{store}[:{q.depth}] = {first}")
            if q.role == "input":
                self.write(f"{store}[{q.depth}:] = {given}")
            backward = self.used_lags(self.program.backward, q.name)
            self.views(q.symbol, q, self.used_lags(self.program.forward, q.name) | backward)
        begun = {s.target.name for s in self.program.forward["before"] if isinstance(s.target, Stack)}
        for s in self.program.forward["loop"]:
            if isinstance(s.target, Stack) and s.target.name not in begun:
                begun.add(s.target.name)
                whole = f"np.empty((T, B, {self.stack_rows(s.target)}), dtype)"
                self.write(f"{self.stack_name(s.target)} = {whole}")
                self.name_members(s.target)
            elif isinstance(s.target, Timed) and not s.add and self.kept(s.target):
                self.write(f"{self.names.of(s.target)} = {self.empty(s.target)}")

    def kept(self, target: Timed) -> bool:
        in_memory = target.name in self.memory
        return self.is_sequence(target) and not in_memory and self.program.stack_of(target.name) is None

    def stack_name(self, stack: Stack) -> str:
        """The array of a stack."""
        if len(stack.members) == 1:
            return self.names.of(stack.members[0].target)
        return self.names.named(stack.name, stack.name)

    def name_members(self, stack: Stack) -> None:
        if len(stack.members) > 1:
            members = ", ".join(self.names.of(m.target) for m in stack.members)
            self.write(f"{members} = {self.split(stack, self.stack_name(stack), ', axis=-1')}")

    def bulk(self, s: Statement) -> None:
        """A statement for all steps at once."""
        if isinstance(s.target, Stack):
            self.write(f"{self.stack_name(s.target)} = {self.stack_value(s, whole=True)}", number=s.number)
            self.name_members(s.target)
            return
        show = ArrayPrinter(self.whole, self.dim, whole=True)
        if s.add:
            self.write(f"{self.names.of(s.target)} += {show(s.value)}", number=s.number)
        else:
            text = show(s.value) if is_timed(s.value) else f"np.broadcast_to({show(s.value)}, {show.shape_of(s.target)})"
            self.write(f"{self.names.of(s.target)} = {show.full(s.value) if is_timed(s.value) else text}", number=s.number)

    def in_loop(self, s: Statement) -> None:
        """A statement of one step."""
        show = ArrayPrinter(self.at_step, self.dim)
        if isinstance(s.target, Stack):
            sign = "+=" if s.add else "="
            self.write(f"{self.stack_name(s.target)}[t] {sign} {self.stack_value(s, whole=False)}", indent=2)
            return
        stored = self.is_sequence(s.target)
        text = show(s.value) if stored else show.full(s.value)
        self.write(f"{self.at_step(s.target)} {'+=' if s.add else '='} {text}", indent=2, number=s.number)

    def stack_value(self, s: Statement, *, whole: bool) -> str:
        """Σ W v + b of a stack."""
        parts = []
        for term in s.value:
            stack, vector = term.stack, term.vector
            show = ArrayPrinter(self.whole if whole else self.at_step, self.dim, whole=whole)
            if len(stack.members) == 1:
                parts.append(show(MatMul(stack.matrices(vector)[0], vector)))
                bias = self.names.of(stack.members[0].bias) if term.bias else ""
            else:
                weight = self.weight(stack, vector)
                v = show(vector)
                parts.append(f"product({v}, {weight})" if whole else f"{v} @ {weight}.T")
                bias = self.weight(stack, None) if term.bias else ""
            if bias:
                parts.append(bias)
        return " + ".join(parts)


class Backward(Body):
    """Writes the backward pass."""

    def statements(self) -> list[str]:
        """The lines behind the checks of the arguments."""
        b = self.program.backward
        every = [s for part in b.values() for s in part]
        self.stack_weights(
            [(t.stack, t.vector) for s in every for t in self.stack_terms(s.value) if len(t.stack.members) > 1]
        )
        self.storage()
        for s in b["before"]:
            self.bulk(s)
        if b["loop"]:
            self.write("for t in reversed(range(T)):")
            for s in b["loop"]:
                self.in_loop(s)
        for s in b["after"]:
            self.after(s)
        return self.lines

    def storage(self) -> None:
        """The arrays that the loop fills; those of quantities with memory begin with the loss's gradients."""
        outputs = {q.name for q in self.cell.outputs}
        for q in self.memory.values():
            bar = Adjoint(q.symbol)
            store = self.names.storage(bar)
            self.write(f"{store} = np.zeros(({', '.join([f'T + {q.depth}', 'B', *trailing(bar, self.dim)])}), dtype)")
            lags = {s.lag for part in self.program.backward.values() for s in part if s.target == bar}
            if q.name in outputs:
                given = self.names.of(LossGradient(q.symbol))
                self.write(f"{store}[{q.depth}:] = {given}")
            last = "-1" if q.depth == 1 else f"-{q.depth}:"
            self.write(f'{store}[{last}] += {self.names.named((q.name, "final"), f"{q.name}_final_bar")}')
            self.views(bar, q, lags)
        for stack in self.program.stacks:
            if self.has_stacked(stack):
                self.write(f"{self.bar_name(stack)} = np.empty((T, B, {self.stack_rows(stack)}), dtype)")
                members = ", ".join(self.names.of(Adjoint(m.target)) for m in stack.members)
                self.write(f"{members} = {self.split(stack, self.bar_name(stack), ', axis=-1')}")
        for s in self.program.backward["loop"]:
            if not s.add and self.is_sequence(s.target) and not self.has_stacked(self.program.stack_of(s.target.name)):
                self.write(f"{self.names.of(s.target)} = {self.empty(s.target)}")

    def bar_name(self, stack: Stack) -> str:
        """The array of the adjoints of a stack."""
        return self.names.named((stack.name, "bar"), f"delta_{stack.suffix}")

    def value(self, value: object, *, whole: bool) -> str:
        """The text of a value, with whole stacks as one product each."""
        show = ArrayPrinter(self.whole if whole else self.at_step, self.dim, whole=whole)
        if isinstance(value, MatrixExpr):
            return show.full(value) if whole else show(value)
        parts = []
        for part in value:
            if not isinstance(part, StackTerm):
                parts.append(show(part))
                continue
            weight, bar = self.weight(part.stack, part.vector), self.bar_name(part.stack)
            parts.append(f"product({bar}, {weight}.T)" if whole else f"{bar}[t] @ {weight}")
        return " + ".join(parts)

    def bulk(self, s: Statement) -> None:
        """A statement for all steps at once."""
        stacked = isinstance(s.target, Adjoint) and self.has_stacked(self.program.stack_of(s.target.name))
        sign, where = ("+=", "") if s.add else ("=", "[...]" if stacked else "")
        self.write(f"{self.names.of(s.target)}{where} {sign} {self.value(s.value, whole=True)}", number=s.number)

    def in_loop(self, s: Statement) -> None:
        """A statement of one step; a contribution to an earlier step goes to its view."""
        target = f"{self.names.lagged(s.target, s.lag)}[t]" if s.lag else self.at_step(s.target)
        stored = s.lag or self.is_sequence(s.target)
        show = ArrayPrinter(self.at_step, self.dim)
        text = self.value(s.value, whole=False) if stored or isinstance(s.value, tuple) else show.full(s.value)
        self.write(f"{target} {'+=' if s.add else '='} {text}", indent=2, number=s.number)

    def after(self, s: Statement) -> None:
        """Gradients of inputs for all steps, and of parameters as sums over time."""
        if isinstance(s.value, StackSum):
            self.stack_sum(s)
        elif isinstance(s.target, Adjoint) and Notation.has_time(s.target):
            self.write(f"{self.names.of(s.target)} = {self.value(s.value, whole=True)}", number=s.number)
        else:
            self.write(f"{self.names.of(s.target)} = {self.over_time(s.value)}", number=s.number)

    def stack_sum(self, s: Statement) -> None:
        """The gradients of stacked parameters, as one sum."""
        stack, vector, bar = s.value.stack, s.value.vector, self.bar_name(s.value.stack)
        total = f"np.sum({bar}, axis=(0, 1))" if vector is None else f"outer_sum({bar}, {self.whole(vector)})"
        whole = self.names.named((stack.name, vector, "bar"), f"{self.weight(stack, vector)}_bar")
        numbers = [self.number_of(lhs) for lhs in s.target]
        span = f"({numbers[0]})" if len(numbers) == 1 else ", ".join(f"({n})" for n in numbers)
        self.write(f"{whole} = {total}  # {span}")
        parts = ", ".join(self.names.of(lhs) for lhs in s.target)
        self.write(f"{parts} = {self.split(stack, whole, '')}")

    def number_of(self, lhs: MatrixExpr) -> int:
        step = self.program.derivation.step_of(lhs)
        return step.number if step else 0

    def over_time(self, expr: MatrixExpr) -> str:
        """Σ over steps and samples."""
        if not terms(expr):
            shape = trailing(expr, self.dim)
            return f"np.zeros(({', '.join(shape)}{',' if len(shape) == 1 else ''}), dtype)"
        parts = [self.summed(term) for term in terms(expr)]
        return " + ".join(parts)

    def summed(self, term: MatrixExpr) -> str:
        """Σ of one term: a column times a row is one product over all steps and samples."""
        c, core = split_coefficient(term)
        show = ArrayPrinter(self.whole, self.dim, whole=True)
        static = ArrayPrinter(self.names.of, self.dim)
        factors = list(operands(core)) if isinstance(core, MatMul) else []
        for i in range(len(factors) - 1):
            a, b = factors[i], factors[i + 1]
            outer = is_column(a) and isinstance(b, Transpose) and is_column(b.arg) and is_timed(a) and is_timed(b)
            others = [*factors[:i], *factors[i + 2 :]]
            if outer and not any(is_timed(o) for o in others):
                text = f"outer_sum({show.full(a)}, {show.full(b.arg)})"
                before = [f"{static.tight(f)} @ " for f in factors[:i]]
                behind = [f" @ {static.tight(f)}" for f in factors[i + 2 :]]
                product = Piece("".join([*before, text, *behind]), PRODUCT, core)
                return product.text if c == 1 else f"{static.number(c)} * {product.at(UNARY)}"
        axis = "" if is_scalar(core) else ", axis=(0, 1)"
        return f"np.sum({show.full(term)}{axis})"


def _uses(term: StackTerm):
    yield (term.stack, term.vector)
    if term.bias:
        yield (term.stack, None)


def all_leaves(value: object):
    """The leaves of a statement's value."""
    if isinstance(value, MatrixExpr):
        yield from leaves(value)
    elif isinstance(value, tuple):
        for part in value:
            yield from all_leaves(part)
    elif isinstance(value, StackTerm | StackSum) and isinstance(value.vector, Timed):
        yield value.vector


