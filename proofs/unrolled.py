"""A cell run for T steps in any arithmetic: forward, tangents, and the backward equations as derived.

Everything lives on a tape: the value of every quantity, adjoint and tangent at every step. Steps are
numbered 1 … T; initial values have steps 0, −1, ….
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Generic, TypeVar, cast

from derive.backward import AdjointEquation, Backward
from derive.cell import Cell, Equation
from derive.expressions import add, shifted
from derive.nodes import Adjoint, Block, LossGradient, Tangent, Timed, has_time
from derive.normal import Assignment
from proofs.evaluation import Evaluator
from proofs.untyped import MatrixSymbol

V = TypeVar("V")
Key = tuple[type, str, int | None]
Place = tuple[str, int | None]
"""A quantity's name and step; no step for a parameter."""


@dataclass(slots=True)
class Tape(Generic[V]):
    """The values of a run.

    Args:
        steps: T.
        values: by kind of leaf, name and step.
        absent: the value of a leaf at a step that the run does not reach.
    """

    steps: int
    values: dict[Key, V]
    absent: Callable[[Any, int | None], V]
    _beyond: dict[Key, Any] = field(default_factory=dict[Key, Any])

    def at(self, t: int) -> Callable[[Any], V]:
        """The values of leaves, for an equation read at step t."""

        def look(leaf: Any) -> V:
            key = key_of(leaf, t)
            if key in self.values:
                return self.values[key]
            if key not in self._beyond:
                self._beyond[key] = self.absent(leaf, key[2])
            return self._beyond[key]

        return look

    def get(self, kind: type, place: Place) -> V:
        """One value."""
        return self.values[kind, *place]

    def put(self, kind: type, place: Place, value: V) -> None:
        """One value."""
        self.values[kind, *place] = value


def key_of(leaf: Any, t: int) -> Key:
    """Where the value of a leaf is kept, for an equation read at step t."""
    kind = cast("type[Any]", type(leaf))
    if kind is MatrixSymbol:
        return (MatrixSymbol, str(leaf.name), None)
    if isinstance(leaf, Block):
        return (
            Block,
            f"{leaf.of.name}/{leaf.by.name}/{leaf.by.lag - leaf.of.lag}",
            t - leaf.of.lag,
        )
    timed = has_time(leaf)
    return (kind, str(leaf.name), t - leaf.lag if timed else None)


def given(cell: Cell, steps: int) -> list[tuple[Any, Place]]:
    """What a run starts from: parameters and constants, inputs at every step, and initial values."""
    places: list[tuple[Any, Place]] = [
        (q.symbol, (q.name, None)) for q in (*cell.parameters, *cell.constants)
    ]
    for q in cell.inputs:
        places += [(q.symbol, (q.name, t)) for t in range(1 - q.depth, steps + 1)]
    for q in cell.states:
        places += [(q.symbol, (q.name, t)) for t in range(1 - q.depth, 1)]
    return places


def trained(cell: Cell, steps: int) -> list[tuple[Any, Place]]:
    """What a gradient is taken with respect to: all that is given but the constants."""
    constants = {q.name for q in cell.constants}
    return [(symbol, place) for symbol, place in given(cell, steps) if place[0] not in constants]


def run_forward(
    evaluate: Evaluator[V],
    equations: Iterable[Equation] | Iterable[Assignment],
    tape: Tape[V],
    change: Callable[[Place, V], V] = lambda _, value: value,
) -> None:
    """Every equation at every step; ``change`` may add a tangent to a value before it is used."""
    lines = tuple(equations)
    for t in range(1, tape.steps + 1):
        look = tape.at(t)
        for line in lines:
            place = (line.target.name, t)
            tape.put(Timed, place, change(place, evaluate(line.expr, look)))


def run_tangents(evaluate: Evaluator[V], tangents: Iterable[Assignment], tape: Tape[V]) -> None:
    """The tangent equations at every step."""
    lines = tuple(tangents)
    for t in range(1, tape.steps + 1):
        look = tape.at(t)
        for line in lines:
            tape.put(Tangent, (line.target.name, t), evaluate(line.expr, look))


def run_backward(evaluate: Evaluator[V], backward: Backward, cell: Cell, tape: Tape[V]) -> None:
    """The backward equations for t = T, …, 1, the parameters' sums and the initial values."""
    for t in range(tape.steps, 0, -1):
        look = tape.at(t)
        for e in (*backward.local, *backward.inputs):
            tape.put(Adjoint, (e.lhs.name, t), evaluate(e.rhs, look))
    for e in backward.parameters:
        tape.put(Adjoint, (e.lhs.name, None), sum_over_time(evaluate, e.rhs, tape))
    for (name, back), rhs in initial_lines(backward, cell).items():
        tape.put(Adjoint, (name, -back), evaluate(rhs, tape.at(-back)))


def sum_over_time(evaluate: Evaluator[V], addend: Any, tape: Tape[V]) -> V:
    """Σ over t of an addend, one sum per sample."""
    return reduce(
        evaluate.arithmetic.add, (evaluate(addend, tape.at(t)) for t in range(1, tape.steps + 1))
    )


def initial_lines(backward: Backward, cell: Cell) -> dict[tuple[str, int], Any]:
    """The adjoint of every initial value: what the steps after it give, read at its own step −back."""
    lines: dict[tuple[str, int], Any] = {}
    for name, by_lag in backward.carried.items():
        for back in range(cell.quantity(name).depth):
            parts = _carried(by_lag, back)
            if parts:
                lines[name, back] = add(*parts)
    return lines


def _carried(by_lag: Mapping[int, AdjointEquation], back: int) -> list[Any]:
    return [shifted(e.rhs, -d) for d, e in by_lag.items() if d > back]


ZERO_BEYOND = (Adjoint, LossGradient, Tangent)
"""What vanishes at a step that the run does not reach; anything else there must not matter."""
