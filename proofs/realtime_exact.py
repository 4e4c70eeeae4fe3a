"""Real-time recurrent learning against backpropagation, modulo a prime: two derivations, one gradient.

The tangent equations are run forward with one basis direction for every entry of every parameter, the adjoint
equations backward; every entry of every gradient must be the same residue.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from derive.derivation import Derivation
from derive.influence import influence_equations
from derive.nodes import Adjoint, LossGradient, Tangent, Timed
from proofs.arithmetic import Array
from proofs.bound import degrees_at
from proofs.degrees import ErrorBound, bound_for
from proofs.field import regular
from proofs.point import Extent, Point, draw_sizes, steps_for
from proofs.unrolled import Tape, run_backward, run_tangents
from proofs.untyped import MatrixSymbol


@dataclass(frozen=True, slots=True)
class RealTimeIdentity:
    """What was found.

    Args:
        extent: the sizes.
        compared: number of entries compared.
        wrong: the parameters whose two gradients differ.
        bound: the probability that they differ all the same where none is wrong.
    """

    extent: Extent
    compared: int
    wrong: tuple[str, ...]
    bound: ErrorBound


def prove_real_time(derivation: Derivation, *, seed: int = 0) -> RealTimeIdentity:
    """Decides whether both derivations give the same gradient at a random point.

    Args:
        derivation: of the cell.
        seed: of sizes and point.
    """
    rng = Random(seed)  # noqa: S311 - no secret
    cell = derivation.cell
    extent = Extent(draw_sizes(cell, rng, 2, 3), steps_for(cell, 4), 2)
    bound = bound_for([degrees_at(derivation, extent)])
    return _judge(regular(lambda seed: Point(derivation, extent, bound.prime, seed), rng), bound)


def _judge(point: Point, bound: ErrorBound) -> RealTimeIdentity:
    given = (Timed, MatrixSymbol, LossGradient)
    start = {k: v for k, v in point.tape.values.items() if k[0] in given}
    back: Tape[Array] = Tape(point.extent.steps, start, point.tape.absent)
    run_backward(point.evaluate, point.derivation.backward, point.derivation.cell, back)
    wrong: list[str] = []
    compared = 0
    for q in point.derivation.cell.parameters:
        forward = _forward(point, q.name, dict(start))
        theirs = np.moveaxis(back.get(Adjoint, (q.name, None)), 0, -1).reshape(len(forward), -1)
        compared += theirs.size
        if not np.array_equal(*np.broadcast_arrays(forward, theirs)):
            wrong.append(q.name)
    return RealTimeIdentity(point.extent, compared, tuple(wrong), bound)


def _forward(point: Point, name: str, start: dict[Any, Any]) -> Array:
    """Σ_t ⟨∂ℓ_t/∂y_t, ẏ_t⟩ for every entry of one parameter: (entries, samples)."""
    cell, run = point.derivation.cell, Tape(point.extent.steps, start, point.tape.absent)
    for q in cell.parameters:
        rows, cols = point.evaluate.shape(q.symbol)
        dot = point.field.full((rows, cols), 0)
        if q.name == name:
            dot = np.eye(rows * cols, dtype=int).astype(object).reshape(-1, 1, rows, cols)
        run.put(Tangent, (q.name, None), dot)
    for q in cell.states:
        still = point.field.full(point.evaluate.shape(q.symbol), 0)
        for t in range(1 - q.depth, 1):
            run.put(Tangent, (q.name, t), still)
    lines = influence_equations(cell, point.derivation.assignments)
    run_tangents(point.evaluate, lines, run)
    steps = range(1, run.steps + 1)
    dots = {(q.name, t): run.get(Tangent, (q.name, t)) for q in cell.outputs for t in steps}
    found = point.loss_tangent(dots)
    q = cell.quantity(name)
    rows, cols = point.evaluate.shape(q.symbol)
    return np.broadcast_to(found, (rows * cols, point.extent.samples))
