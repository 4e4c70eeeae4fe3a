"""A program without a loop over time, for recurrences that are linear in their state and act entry by entry.

    forward    before   what inputs and parameters determine, for all steps
               scan     the states: u_t = Σ factor ∘ v_{t−d} + rest
               after    all else, for all steps
    backward   before   adjoints that the loss determines, and what they give to states
               scan     the states' adjoints: v̄_t = Σ factor_{t+d} ∘ ū_{t+d} + what is there
               bulk     all other adjoints, for all steps
               after    inputs, and the sums over time

Law: the values are those of the ordinary program, to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sympy.matrices.expressions import MatrixExpr, ZeroMatrix

from derive.derivation import Derivation
from derive.errors import ArgumentError
from derive.expressions import (
    Adjoint,
    LossGradient,
    Timed,
    leaves,
    ones_like,
    terms,
    zeros_like,
)
from derive.expressions import replace as replaced
from numeric.program import Program, Statement
from numeric.schedule import program
from numeric.still import Settled

SCAN, BULK = "scan", "bulk"


@dataclass(frozen=True, slots=True)
class Edge:
    """One factor of a recurrence; its value stands in the statement.

    Args:
        to: the state that is computed.
        of: the state that it is computed from.
        lag: d, how many steps lie between.
    """

    to: Timed
    of: Timed
    lag: int


@dataclass(frozen=True, slots=True)
class Group:
    """States that read each other, computed together; a statement with this target holds a value for every edge first.

    Args:
        states: the states.
        edges: which reads which.
        numbers: the number of the derivation's line of each state.
    """

    states: tuple[Timed, ...]
    edges: tuple[Edge, ...]
    numbers: tuple[int, ...]


def refuse_unless_scannable(derivation: Derivation) -> None:
    """Refuse a recurrence for which a scan over all steps makes no sense.

    Raises:
        ArgumentError: it is not linear in its state, mixes a state's entries, or a state reads another of its own step.
    """
    found, name = derivation.linearity, derivation.cell.name
    if not found.linear:
        raise ArgumentError(
            f"A scan of {name}: its recurrence is not linear in its state; {found.reason}.",
            "Ask for a scan where the derivation says that the recurrence is linear in its state.",
        )
    if not found.elementwise:
        raise ArgumentError(
            f"A scan of {name}: its recurrence is linear in its state, but {found.reason}; taking two of its steps "
            "together would cost a product of matrices, more than the steps themselves.",
            "Use the ordinary file.",
        )
    states = {q.name for q in derivation.cell.states}
    for a in derivation.assignments:
        if a.name in states:
            _refuse_present(derivation, a.name, states)


def _refuse_present(derivation: Derivation, name: str, states: set[str]) -> None:
    """Refuse a state that reads another state of the same step, through however many intermediates."""
    by_name = {a.name: a.expr for a in derivation.assignments}
    waiting, seen = [name], set[str]()
    while waiting:
        for v in leaves(by_name[waiting.pop()]):
            if not isinstance(v, Timed) or v.lag or v.name not in by_name or v.name in seen:
                continue
            if v.name in states:
                raise ArgumentError(
                    f"A scan of {derivation.cell.name}: {name}[t] reads {v.name}[t], a state of the same step.",
                    f"Write {name}[t] with the equation of {v.name}[t] put in, or use the ordinary file.",
                )
            seen.add(v.name)
            waiting.append(v.name)


def scan_program(derivation: Derivation) -> Program:
    """The program of a derivation whose states are computed for all steps at once.

    Raises:
        ArgumentError: a scan makes no sense for this recurrence.
    """
    refuse_unless_scannable(derivation)
    ordinary = program(derivation)
    return replace(
        ordinary,
        forward=_settled(_forward(derivation, ordinary), ordinary.settled),
        backward=_settled(_backward(derivation, ordinary), ordinary.settled),
    )


def _settled(places: dict[str, list[Statement]], settled: Settled) -> dict[str, list[Statement]]:
    """The statements of a pass, what no step changes without a time."""
    return {place: [_still(s, settled) for s in every] for place, every in places.items()}


def _still(s: Statement, settled: Settled) -> Statement:
    if isinstance(s.value, MatrixExpr):
        return replace(s, value=settled(s.value))
    if isinstance(s.target, Group):
        return replace(s, value=tuple(map(settled, s.value)))
    return s


def _forward(derivation: Derivation, ordinary: Program) -> dict[str, list[Statement]]:
    states = {q.name for q in derivation.cell.states}
    scans = []
    for group in derivation.linearity.groups:
        factors = {Edge(r.state, v.at(0), v.lag): a for r in group for v, a in r.factors.items()}
        numbers = tuple(ordinary.numbers.get(r.state, 0) for r in group)
        target = Group(tuple(r.state for r in group), tuple(factors), numbers)
        scans.append(Statement(target, (*factors.values(), *(r.rest for r in group))))
    f = ordinary.forward
    rest = [s for s in f["loop"] if getattr(s.target, "name", "") not in states]
    return {"before": f["before"], SCAN: scans, "loop": [], "after": [*rest, *f["after"]]}


def _backward(derivation: Derivation, ordinary: Program) -> dict[str, list[Statement]]:
    b = ordinary.backward
    carried = _Carried(ordinary, {s.target for s in b["before"]})
    scans = []
    for group in derivation.linearity.groups:
        names = {r.state.name for r in group}
        factors = {e: a for e, a in carried.factors.items() if e.to.name in names}
        bars = tuple(Adjoint(r.state) for r in group)
        numbers = tuple(ordinary.numbers.get(bar, 0) for bar in bars)
        target = Group(tuple(r.state for r in group), tuple(factors), numbers)
        scans.append(Statement(target, (*factors.values(), *bars)))
    states = {q.name for q in derivation.cell.states}
    rest = [s for s in b["loop"] if getattr(s.target, "name", "") not in states]
    return {
        "before": [*b["before"], *carried.additions],
        SCAN: scans,
        "loop": [],
        BULK: rest,
        "after": b["after"],
    }


class _Carried:
    """What a step gives to the states' adjoints of earlier steps: factors of adjoints of states, and additions.

    Args:
        ordinary: the program of the cell.
        bulk: the adjoints that the loss determines.
    """

    def __init__(self, ordinary: Program, bulk: set[object]) -> None:
        derivation, self.numbers = ordinary.derivation, ordinary.numbers
        self.states = [q.symbol for q in derivation.cell.states]
        self.bars = {Adjoint(s) for s in self.states}
        self.inner = {
            e.lhs: e.rhs
            for e in derivation.backward.asked
            if e.lhs not in bulk and e.lhs not in self.bars
        }
        self.factors: dict[Edge, MatrixExpr] = {}
        self.additions: list[Statement] = []
        for state in self.states:
            for lag, e in derivation.backward.carried[state.name].items():
                self.split(state, lag, self.written_out(e.rhs))

    def split(self, target: Timed, lag: int, value: MatrixExpr) -> None:
        """One line of what is carried."""
        for source in self.states:
            factor = replaced(value, _one_for(Adjoint(source)))
            if not isinstance(factor, ZeroMatrix):
                self.factors[Edge(target, source, lag)] = factor
        rest = replaced(value, lambda v: zeros_like(v) if v in self.bars else v)
        if terms(rest):
            bar = Adjoint(target)
            number = self.numbers.get(bar, 0)
            self.additions.append(Statement(bar, rest, add=True, number=number, lag=lag))

    def written_out(self, expr: MatrixExpr) -> MatrixExpr:
        """The expression over adjoints of states and those that the loss determines."""
        return replaced(expr, lambda v: self.written_out(self.inner[v]) if v in self.inner else v)


def _one_for(bar: Adjoint) -> Callable[[MatrixExpr], MatrixExpr]:
    """Ones for one adjoint, zeros for all others."""

    def look(leaf: MatrixExpr) -> MatrixExpr:
        if not isinstance(leaf, Adjoint | LossGradient):
            return leaf
        return ones_like(leaf) if leaf == bar else zeros_like(leaf)

    return look
