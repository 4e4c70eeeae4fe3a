"""Backpropagation through time, as equations.

One reverse sweep over the named intermediates of a single step gives every adjoint at step t; a use at lag d
becomes a term from step t + d. Nothing is unrolled: the equations hold for every length T.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import replace as replaced

from sympy import S
from sympy.matrices.expressions import MatrixExpr, MatrixSymbol

from derive.adjoints import Contribution, pull_back
from derive.cell import Cell, Quantity
from derive.expressions import (
    Adjoint,
    Broadcast,
    LossGradient,
    Timed,
    add,
    factors,
    hadamard,
    leaves,
    ones_like,
    operands,
    replace,
    scale,
    shifted,
    split_coefficient,
    terms,
    with_operands,
    zeros_like,
)
from derive.normal import FUNCTIONS_OF_NAMES, Assignment


@dataclass(frozen=True, slots=True)
class AdjointEquation:
    """``lhs = rhs`` for an adjoint.

    Args:
        lhs: the adjoint of a quantity at step t (or of a parameter).
        rhs: its value; for a parameter, the addend of step t of the sum over time.
        rules: the adjoint rules that made it.
        owner: the cell's quantity to which it belongs.
        present: the part of ``rhs`` that comes from the equations of step t itself: without the loss, and
            without later steps.
    """

    lhs: Adjoint
    rhs: MatrixExpr
    rules: tuple[str, ...]
    owner: str
    present: MatrixExpr


@dataclass(frozen=True, slots=True)
class Backward:
    """The backward equations of a cell.

    Args:
        local: the adjoints at step t in order of evaluation, for t = T, …, 1; terms at t + d vanish for t + d > T.
        inputs: the inputs' adjoints at step t.
        parameters: the parameters' adjoints: the addends of step t.
        carried: for every quantity with memory, what the step at t adds to its adjoint at t − d, by d.
        inlined: adjoints that are used once, and the value written in their place.
        unasked: adjoints on which no gradient depends.
    """

    local: tuple[AdjointEquation, ...]
    inputs: tuple[AdjointEquation, ...]
    parameters: tuple[AdjointEquation, ...]
    carried: dict[str, dict[int, AdjointEquation]]
    inlined: dict[Adjoint, AdjointEquation]
    unasked: frozenset[Adjoint] = frozenset()

    @property
    def asked(self) -> tuple[AdjointEquation, ...]:
        """The adjoints at step t without those of what is a number, or made of constants."""
        return tuple(e for e in self.local if e.lhs not in self.unasked)


def by_name(expr: MatrixExpr, named: dict[MatrixExpr, Timed]) -> MatrixExpr:
    """The expression with every function value that has a name called by it: σ(a) is p where p = σ(a)."""
    if expr in named:
        return named[expr]
    return with_operands(expr, [by_name(child, named) for child in operands(expr)])


def collect(parts: Iterable[MatrixExpr], like: MatrixExpr) -> MatrixExpr:
    """The sum of the parts, equal terms counted: a + b + a = 2a + b."""
    counted: dict[MatrixExpr, object] = {}
    for term in (term for part in parts for term in terms(part)):
        c, core = split_coefficient(term)
        counted[core] = counted.get(core, S.Zero) + c
    return add(zeros_like(like), *(scale(c, core) for core, c in counted.items()))


def positive_first(parts: list[MatrixExpr]) -> list[MatrixExpr]:
    """The same terms, those with a minus sign last: g − h rather than −h + g."""
    return sorted(parts, key=lambda term: split_coefficient(term)[0].could_extract_minus_sign())


def backward(cell: Cell, assignments: tuple[Assignment, ...]) -> Backward:
    """The backward equations of the cell's step in normal form."""
    received: dict[MatrixExpr, list[Contribution]] = defaultdict(list)
    fixed = {q.symbol for q in cell.constants}
    named = {a.expr: a.target for a in assignments if isinstance(a.expr, FUNCTIONS_OF_NAMES)}
    for a in reversed(assignments):
        for c in pull_back(a.expr, a.target, Adjoint(a.target)):
            if isinstance(c.leaf, Timed | MatrixSymbol) and c.leaf not in fixed:
                received[c.leaf].append(replaced(c, value=by_name(c.value, named)))
    for contributions in received.values():
        contributions.reverse()
    inlined = _inlined(cell, assignments, received)
    collected = _Collector(received, inlined)
    outputs = {q.name for q in cell.outputs}
    kept = [a for a in reversed(assignments) if Adjoint(a.target) not in inlined]
    memory = [q for q in (*cell.states, *cell.inputs) if q.depth]
    return Backward(
        local=tuple(collected.at_t(a.target, a.owner, a.name in outputs) for a in kept),
        inputs=tuple(collected.at_t(q.symbol, q.name, False) for q in cell.inputs),
        parameters=tuple(collected.of_parameter(q) for q in cell.parameters),
        carried={q.name: collected.by_lag(q) for q in memory},
        inlined=inlined,
        unasked=frozenset(Adjoint(a.target) for a in assignments if a.kind == "number"),
    )


def _inlined(cell, assignments, received) -> dict[Adjoint, AdjointEquation]:
    """Adjoints that need no name: used once, or no more than another name."""
    contributions = [c for cs in received.values() for c in cs]
    uses = Counter(v for c in contributions for v in leaves(c.value) if isinstance(v, Adjoint))
    states = {q.name for q in cell.states}
    outputs = {q.name for q in cell.outputs}
    inlined: dict[Adjoint, AdjointEquation] = {}
    for a in reversed(assignments):
        if a.name in states:
            continue
        equation = _Collector(received, inlined).at_t(a.target, a.owner, a.name in outputs)
        another_name = isinstance(equation.rhs, Adjoint | LossGradient)
        if another_name or (uses[Adjoint(a.target)] == 1 and a.kind != "preactivation"):
            inlined[Adjoint(a.target)] = equation
    return inlined


def factored(expr: MatrixExpr) -> MatrixExpr:
    """ā ∘ b + ā ∘ c written as ā ∘ (b + c): terms with one adjoint in common are taken together."""
    groups: dict[object, list[MatrixExpr]] = {}
    for i, term in enumerate(terms(expr)):
        shared = [f for f in factors(split_coefficient(term)[1]) if _is_cotangent(f)]
        groups.setdefault(shared[0] if shared else i, []).append(term)
    return add(zeros_like(expr), *(common_factors(group, expr) for group in groups.values()))


def _is_cotangent(factor: MatrixExpr) -> bool:
    inner = operands(factor)[0] if isinstance(factor, Broadcast) else factor
    return isinstance(inner, Adjoint | LossGradient)


def common_factors(group: list[MatrixExpr], like: MatrixExpr) -> MatrixExpr:
    """The sum of a group, with the factors that all its terms share in front."""
    if len(group) < 2:
        return group[0]
    split = [(c, list(factors(core))) for c, core in map(split_coefficient, group)]
    common: list[MatrixExpr] = []
    for f in factors(split_coefficient(group[0])[1]):
        if all(f in fs for _, fs in split):
            common.append(f)
            for _, fs in split:
                fs.remove(f)
    rest = [scale(c, hadamard(*fs) if fs else ones_like(like)) for c, fs in split]
    return hadamard(*common, add(*positive_first(rest)))


@dataclass(frozen=True, slots=True)
class _Collector:
    """Sums up what a leaf receives, with the inlined adjoints written out."""

    received: dict[MatrixExpr, list[Contribution]]
    inlined: dict[Adjoint, AdjointEquation]

    def of(self, leaf: MatrixExpr, owner: str) -> AdjointEquation:
        """What the step at t gives to this very leaf."""
        parts, rules = [], []
        for c in self.received.get(leaf, ()):
            parts.append(replace(c.value, self._written_out))
            written = [self.inlined[v].rules for v in leaves(c.value) if v in self.inlined]
            rules += [*(r for rs in written for r in rs), *c.rules]
        value = collect(parts, leaf)
        return AdjointEquation(
            Adjoint(_at_t(leaf)), value, tuple(dict.fromkeys(rules)), owner, value
        )

    def of_parameter(self, q: Quantity) -> AdjointEquation:
        """What the step at t gives to a parameter, terms with a minus sign last."""
        e = self.of(q.symbol, q.name)
        value = add(zeros_like(q.symbol), *positive_first(terms(e.rhs)))
        return replaced(e, rhs=value, present=value)

    def _written_out(self, leaf: MatrixExpr) -> MatrixExpr:
        return self.inlined[leaf].rhs if leaf in self.inlined else leaf

    def by_lag(self, q: Quantity) -> dict[int, AdjointEquation]:
        """What the step at t gives to q at t − d, for d = 1 … depth."""
        every = {d: self.of(q.symbol.at(d), q.name) for d in range(1, q.depth + 1)}
        return {d: e for d, e in every.items() if terms(e.rhs)}

    def at_t(self, target: Timed, owner: str, is_output: bool) -> AdjointEquation:
        """The whole adjoint at step t: the loss, later lines of this step, and later steps."""
        lags = sorted(
            v.lag for v in self.received if isinstance(v, Timed) and v.name == target.name
        )
        given = [LossGradient(target)] if is_output else []
        parts = [(d, self.of(target.at(d), owner)) for d in lags]
        value = factored(collect([*given, *(shifted(e.rhs, -d) for d, e in parts)], target))
        rules = dict.fromkeys(r for _, e in parts for r in e.rules)
        present = factored(self.of(target, owner).rhs)
        return AdjointEquation(Adjoint(target), value, tuple(rules), owner, present)


def _at_t(leaf: MatrixExpr) -> MatrixExpr:
    return leaf if isinstance(leaf, MatrixSymbol) else leaf.at(0)
