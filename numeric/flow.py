"""The gradient's flow through one cell with given weights: all measurements of one setting, side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from derive.derivation import Derivation
from derive.expressions import Elementwise, LogSumExp, Softmax, walk
from numeric.costs import refuse_wide
from numeric.forward_run import Run
from numeric.growth_law import Law, exact_law, law
from numeric.interpret import Array, shape_of
from numeric.jordan import Powers, powers
from numeric.lags import LagShares, lag_shares, whole_gradient
from numeric.ledger import Ledger, ledger
from numeric.lyapunov import Growth, Spectrum, growth, spectrum
from numeric.matrix_states import has_blocks, jacobian_of
from numeric.measure import Gains, gains
from numeric.products import WIDEST, Extremes, extremes, log_norms
from numeric.setting import Runs, Setting, sizes_of
from numeric.singular import log_largest_singular

LAGS = 200
SHARED = 100
"""Steps over which the gradient by the parameters is split by lag: its cost grows with their square."""
FLAT = ("tanh", "sigmoid", "softplus", "exp")
"""Functions whose slope is never 0, and whose slope in floats is, far enough out."""
SHOWN = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
WIDEST_SPECTRUM = 64
SPECTRUM_STEPS = 2000


@dataclass(frozen=True, slots=True)
class Flow:
    """What was measured.

    Args:
        setting: where.
        growth: of one direction over the whole run.
        spectrum: of a state of at most ``WIDEST_SPECTRUM`` entries, else ``None``.
        gains: of ∂s_T/∂s_{T−k} by lag k, over a run of ``lags`` steps.
        extremes: the largest and the smallest singular value, at some lags; of a state of more than ``WIDEST``
            entries the largest only.
        ledger: the product's parts by route; ``None`` where a state is a matrix, whose Jacobian has no blocks.
        shares: each lag's part of the gradient by the parameters, over at most ``SHARED`` steps, for random losses
            on the last line's output.
        difference: the largest ‖Σ parts − gradient‖ / ‖gradient‖ over the parameters, the gradient by one pass.
        law: how the norm grows along the run; ``None`` where the gradient becomes zero.
        powers: how it grows in the limit of long lags, where the Jacobian is the same at every step and its eigenvalues
            are known exactly; else ``None``.
        rounds: whether a slope or a gate of the cell can be 0 in floating-point numbers where it is only small.
    """

    setting: Setting
    growth: Growth
    spectrum: Spectrum | None
    gains: Gains
    extremes: Extremes
    ledger: Ledger | None
    shares: LagShares
    difference: float
    law: Law | None = None
    powers: Powers | None = None
    rounds: bool = False

    @property
    def half_life(self) -> float:
        """Steps in which the gradient halves; negative if it doubles, infinite if no rate makes it do either."""
        rate = self.law.rate if self.law is not None and self.law.degree else self.growth.rate
        return math.inf if rate == 0 else -math.log(2) / rate if rate > -math.inf else 0.0


@np.errstate(all="ignore")
def flow(
    derivation: Derivation, fixed: Mapping[str, Array], setting: Setting, lags: int = LAGS
) -> Flow:
    """Measure a cell.

    Args:
        derivation: of the cell.
        fixed: from ``initial_weights``.
        setting: where.
        lags: the largest lag of the gains; no larger than the run.

    Raises:
        MeasureError: the run leaves the floating-point numbers.
        ArgumentError: the state is too wide for its gradients to be followed.
    """
    refuse_wide(derivation.cell, sizes_of(derivation.cell, setting))
    runs, seed = Runs(derivation, fixed, setting), setting.directions
    steps = min(setting.steps, lags)
    stored = runs.stored(steps)
    whole = _exact(gains(stored, seed=seed), stored)
    measured = growth(runs.stream(), setting.steps, seed=seed)
    small = whole.size <= WIDEST_SPECTRUM
    over = min(setting.steps, SPECTRUM_STEPS)
    short = runs.stored(min(steps, SHARED))
    loss = _losses(short, setting.seed)
    shares = lag_shares(short, loss)
    limit = _limit(runs) if small else None
    return Flow(
        setting,
        measured,
        spectrum(runs.stream(), over, seed=seed) if small else None,
        whole,
        ends(stored, [k for k in {*SHOWN, steps} if k <= steps], seed),
        ledger(stored, lags=min(steps, LAGS), seed=seed) if has_blocks(derivation) else None,
        shares,
        _difference(shares.total, whole_gradient(short, loss)),
        _law(measured, limit),
        limit,
        _rounds(derivation),
    )


def _rounds(derivation: Derivation) -> bool:
    """Whether a function on some way around comes so close to its limit that floats see no difference."""
    every = (v for a in derivation.assignments for v in walk(a.expr))
    flat = (Elementwise, LogSumExp, Softmax)
    found = any(isinstance(v, flat) and getattr(v, "function", "exp") in FLAT for v in every)
    return found and _goes_round(derivation)


def _goes_round(derivation: Derivation) -> bool:
    """Whether some state depends on its own past, by itself or through others."""
    leads = {(found.block.of.name, found.block.by.name) for found in derivation.jacobian}
    while ends := {of for of, _ in leads} - {by for _, by in leads}:
        leads = {(of, by) for of, by in leads if of not in ends}
    return bool(leads)


def _exact(found: Gains, stored: Run) -> Gains:
    """The gains with the norm of the whole product, which is exact also where random directions stood for the state."""
    if found.exact:
        return found
    return replace(found, joint=log_norms(stored)[:, None] - 0.5 * math.log(found.size))


def _limit(runs: Runs) -> Powers | None:
    """The powers of the Jacobian, where it is the same at every step."""
    if not runs.derivation.linearity.constant:
        return None
    stream = runs.stream()
    jacobian = jacobian_of(runs.derivation, runs.sizes, runs.space)
    return powers(np.asarray(jacobian.formed(stream.step()), dtype=float))


def _law(measured: Growth, limit: Powers | None) -> Law | None:
    """The law of the limit where the run follows it already, else the one that the run shows."""
    if measured.course is None:
        return None
    found = limit and exact_law(measured.course, limit.rate, limit.degree)
    return found or law(measured.course)


def _losses(stored: Run, seed: int) -> dict[str, Array]:
    """∂ℓ_t/∂y, standard normal, of the last line's quantity if the loss may look at it, else of every output."""
    cell, rng = stored.cell, np.random.default_rng(seed + 2)
    last = [q for q in cell.outputs if q.name == cell.equations[-1].target.name]
    return {
        q.name: rng.standard_normal((stored.steps, *shape_of(q.symbol, stored.sizes)))
        for q in last or cell.outputs
    }


def _difference(ours: Mapping[str, Array], theirs: Mapping[str, Array]) -> float:
    """The largest ‖ours − theirs‖ / ‖theirs‖ over the parameters, in units in which neither overflows."""
    worst = 0.0
    for name, value in ours.items():
        unit = float(np.abs(theirs[name]).max(initial=0.0)) or 1.0
        size = float(np.linalg.norm(theirs[name] / unit))
        apart = float(np.linalg.norm(value / unit - theirs[name] / unit))
        worst = max(worst, apart / size if size > 0 else apart)
    return worst


def ends(stored: Run, lags: list[int], seed: int) -> Extremes:
    """The extreme singular values of a run; the smallest is not a number where the state is too wide for it.

    Args:
        stored: the run.
        lags: the lags k.
        seed: of random directions.
    """
    width = sum(
        q.depth * v.shape[-2] * v.shape[-1]
        for q in stored.cell.states
        for v in [stored.values[q.name, 1]]
    )
    if width <= WIDEST:
        return extremes(stored, lags, seed=seed)
    wanted = tuple(sorted(lags))
    largest = log_largest_singular(stored, wanted, seed=seed)
    return Extremes(wanted, largest, largest * math.nan)
