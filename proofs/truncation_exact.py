"""Truncated gradients modulo a prime: what a window computes is true, and what truncation keeps is a sum over lags.

In every window the backward equations, run from its end to its beginning, are held against dual numbers: the joint
state before the window stands still, one direction at a time moves within it, and

        Σ_t ⟨∂ℓ_t/∂v_t, v̇_t⟩ over the losses that the window sees  =  ⟨θ̄ of the window, θ̇⟩.

Then every loss is pulled back on its own, and the gradient at k₁, k₂ must be Σ_{ρ < k₂} G_ρ.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np

from derive.derivation import Derivation
from derive.nodes import Adjoint, LossGradient, Timed
from derive.truncation import Window, windows
from proofs.arithmetic import Array
from proofs.bound import degrees_at
from proofs.degrees import ErrorBound, bound_for
from proofs.dual import Pair
from proofs.field import regular
from proofs.point import Extent, Point, draw_sizes, steps_for
from proofs.unrolled import Tape
from proofs.untyped import MatrixSymbol

CASES = ((1, 1), (1, 2), (2, 3), (3, 3))
"""(k₁, k₂): every step, windows that overlap, a last window that is shorter, windows end to end."""

Sums = dict[str, Array]


@dataclass(frozen=True, slots=True)
class TruncationIdentity:
    """What was found.

    Args:
        extent: the sizes.
        compared: number of gradients compared.
        wrong: what does not agree.
        bound: the probability that something else does not, all the same.
    """

    extent: Extent
    compared: int
    wrong: tuple[str, ...]
    bound: ErrorBound


def prove_truncation(derivation: Derivation, *, seed: int = 0) -> TruncationIdentity:
    """Decides both identities at a random point, for each of ``CASES``.

    Args:
        derivation: of the cell.
        seed: of sizes and point.
    """
    rng = Random(seed)  # noqa: S311 - no secret
    cell = derivation.cell
    extent = Extent(draw_sizes(cell, rng, 2, 3), steps_for(cell, 5), 2)
    bound = bound_for([degrees_at(derivation, extent)])
    point = regular(lambda seed: Point(derivation, extent, bound.prime, seed), rng)
    runs = {t: _addends(point, Window(1, t, t - 1)) for t in range(1, extent.steps + 1)}
    wrong: list[str] = []
    compared = 0
    for k1, k2 in CASES:
        found = windows(extent.steps, k1, k2)
        total: Sums = {}
        for window in found:
            by_step = _addends(point, window)
            sums = {n: _sum(point, list(parts.values())) for n, parts in by_step.items()}
            compared += len(sums)
            wrong += [f"{n} in window {window}" for n in sums if not _true(point, window, n, sums)]
            total = {n: point.field.add(total[n], v) if n in total else v for n, v in sums.items()}
        kept = _kept(point, runs, found, k2)
        wrong += [f"{n} by lags" for n, v in total.items() if not np.array_equal(v, kept[n])]
    return TruncationIdentity(extent, compared, tuple(wrong), bound)


def _sum(point: Point, parts: list[Array]) -> Array:
    total = parts[0]
    for part in parts[1:]:
        total = point.field.add(total, part)
    return total


def _addends(point: Point, window: Window) -> dict[str, dict[int, Array]]:
    """The parameters' addends by name and step: the backward equations, run from the window's end to its beginning."""
    backward, tape = point.derivation.backward, point.tape
    kept = {k: v for k, v in tape.values.items() if k[0] in (Timed, MatrixSymbol)}
    run: Tape[Array] = Tape(window.last, kept, tape.absent)
    for q in point.derivation.cell.outputs:
        nothing = point.field.full(point.evaluate.shape(q.symbol), 0)
        for t in range(1, window.last + 1):
            seen = tape.get(LossGradient, (q.name, t)) if t > window.seen else nothing
            run.put(LossGradient, (q.name, t), seen)
        for t in range(window.last + 1, point.extent.steps + 2):
            run.put(LossGradient, (q.name, t), nothing)
    for t in range(window.last + 1, window.last + 1 + _reach(point)):
        for e in backward.local:
            run.put(Adjoint, (e.lhs.name, t), point.field.full(point.evaluate.shape(e.lhs), 0))
    found: dict[str, dict[int, Array]] = {e.lhs.name: {} for e in backward.parameters}
    for t in range(window.last, window.first - 1, -1):
        look = run.at(t)
        for e in backward.local:
            run.put(Adjoint, (e.lhs.name, t), point.evaluate(e.rhs, look))
        for e in backward.parameters:
            found[e.lhs.name][t] = point.evaluate(e.rhs, look)
    return found


def _reach(point: Point) -> int:
    return point.derivation.cell.depth + 1


def _kept(
    point: Point, runs: dict[int, dict[str, dict[int, Array]]], found: tuple[Window, ...], k2: int
) -> Sums:
    """Σ_{ρ < k₂} G_ρ: of every loss, the uses that lie fewer than k₂ steps before its window's end."""
    parts: dict[str, list[Array]] = {}
    for window in found:
        for t in range(window.seen + 1, window.last + 1):
            for name, by_step in runs[t].items():
                near = [v for k, v in by_step.items() if window.last - k < k2]
                parts.setdefault(name, []).extend(near)
    return {name: _sum(point, values) for name, values in parts.items()}


def _true(point: Point, window: Window, name: str, sums: Sums) -> bool:
    """⟨θ̄, θ̇⟩ against dual numbers within the window; the state before it stands still."""
    direction = point.directions[name, None]
    start = {
        (kind, n, t): Pair(v, direction if (n, t) == (name, None) else None)
        for (kind, n, t), v in point.tape.values.items()
        if kind is MatrixSymbol or (kind is Timed and t is not None)
    }
    run: Tape[Pair] = Tape(window.last, start, lambda leaf, t: Pair(point.tape.absent(leaf, t)))
    _run_within(point, window, run)
    moved: Array = point.field.full((1, 1), 0)
    for q in point.derivation.cell.outputs:
        for t in range(window.seen + 1, window.last + 1):
            dot = run.get(Timed, (q.name, t)).dot
            if dot is not None:
                weight = point.tape.get(LossGradient, (q.name, t))
                moved = point.field.add(moved, point.field.total(point.field.mul(weight, dot)))
    along = point.field.total(point.field.mul(sums[name], direction))
    return bool(np.all(np.equal(*np.broadcast_arrays(moved, along))))


def _run_within(point: Point, window: Window, run: Tape[Pair]) -> None:
    """The cell's lines at the window's steps only; what lies before keeps its true value, without a direction."""
    for t in range(window.first, window.last + 1):
        look = run.at(t)
        for a in point.derivation.assignments:
            run.put(Timed, (a.name, t), point.dual(a.expr, look))
