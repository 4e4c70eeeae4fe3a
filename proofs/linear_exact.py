"""Recurrences that are linear in their state, modulo a prime: what the derivation says of them is an identity.

u_t = Σ factor ∘ v_{t−d} + rest         at two runs whose initial values differ, with the same factors and rests
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from derive.derivation import Derivation
from derive.linear import LinearRow
from derive.nodes import MatrixExpr, Timed
from proofs.bound import degrees_at
from proofs.degrees import ErrorBound, bound_for
from proofs.evaluation import Evaluator
from proofs.field import PrimeField, regular
from proofs.point import Extent, draw_sizes, steps_for
from proofs.unrolled import Tape, given, run_forward
from proofs.untyped import MatrixSymbol


@dataclass(frozen=True, slots=True)
class LinearIdentity:
    """What was found.

    Args:
        extent: the sizes.
        compared: number of values compared.
        wrong: the states whose recurrence is not as the derivation says.
        bound: the probability that another one is not, all the same.
    """

    extent: Extent
    compared: int
    wrong: tuple[str, ...]
    bound: ErrorBound


def prove_linear(derivation: Derivation, *, seed: int = 0) -> LinearIdentity:
    """Decides the recurrence of every state at a random point.

    Args:
        derivation: of the cell.
        seed: of sizes and point.
    """
    rng = Random(seed)  # noqa: S311 - no secret
    cell = derivation.cell
    extent = Extent(draw_sizes(cell, rng, 2, 4), steps_for(cell, 4), 2)
    rows = derivation.linearity.rows
    bound = bound_for([degrees_at(derivation, extent, [e for row in rows for e in _compared(row)])])
    compared, wrong = regular(lambda seed: _judge(derivation, extent, bound.prime, seed), rng)
    return LinearIdentity(extent, compared, wrong, bound)


def _compared(row: LinearRow) -> list[MatrixExpr]:
    return [*row.factors.values(), row.rest, row.value]


def _judge(
    derivation: Derivation, extent: Extent, prime: int, seed: int
) -> tuple[int, tuple[str, ...]]:
    """How many values were compared, and the states whose recurrence is not as the derivation says."""
    field = PrimeField(prime, seed)
    evaluate = Evaluator(field, extent.sizes)
    cell = derivation.cell
    start: dict[Any, Any] = {}
    for symbol, (name, t) in given(cell, extent.steps):
        shape = evaluate.shape(symbol)
        kind = MatrixSymbol if t is None else Timed
        start[kind, name, t] = field.random(shape if t is None else (extent.samples, *shape))
    states = {q.name for q in cell.states}
    tapes: list[Tape[Any]] = []
    for _ in range(2):
        moved = {k: field.random(np.shape(v)) if k[1] in states else v for k, v in start.items()}
        tape: Tape[Any] = Tape(extent.steps, moved, _absent)
        run_forward(evaluate, derivation.assignments, tape)
        tapes.append(tape)
    wrong: list[str] = []
    compared = 0
    for row in derivation.linearity.rows:
        for t in range(1, extent.steps + 1):
            looks = [tape.at(t) for tape in tapes]
            same = [
                np.array_equal(evaluate(e, looks[0]), evaluate(e, looks[1]))
                for e in (*row.factors.values(), row.rest)
            ]
            right = [np.array_equal(*_both(evaluate(row.value, x), x(row.state))) for x in looks]
            compared += len(same) + len(right)
            if not all((*same, *right)):
                wrong.append(row.state.name)
    return compared, tuple(dict.fromkeys(wrong))


def _both(a: Any, b: Any) -> tuple[Any, Any]:
    shape = np.broadcast_shapes(np.shape(a), np.shape(b))
    return np.broadcast_to(a, shape), np.broadcast_to(b, shape)


def _absent(leaf: Any, t: int | None) -> Any:
    raise KeyError(f"{leaf} at step {t} is not given")
