"""Products of Jacobians P_k = J_T ⋯ J_{T−k+1} at all lags k in one sweep: norms, and the extreme singular values.

Both pull the cotangents back once. Nothing underflows, in float32 neither: lengths leave as logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from numeric.forward_run import Run
from numeric.interpret import Array
from numeric.matrix_states import Jacobian, jacobian_of
from numeric.measure import check_finite
from numeric.narrowing import Narrowing

COMFORT = 1e6
"""Products are brought back to length one when their norm leaves [1/COMFORT, COMFORT]."""
WIDEST = 512
"""Joint states of at most this many entries have all their directions orthonormalised at every step."""


def log_norms(run: Run, lags: int | None = None, *, jacobian: Jacobian | None = None) -> Array:
    """log ‖∂s_T/∂s_{T−k}‖_F for k = 0 … lags: minus infinity where the product is zero.

    One product with a block of cotangents per step, N × N at first and narrower as directions cease to count, in the
    run's namespace; see ``narrowing``.

    Args:
        run: a forward pass of one sample.
        lags: the largest lag; T if left out.
        jacobian: of the cell; made if left out.

    Raises:
        MeasureError: a value of the run is not finite.
    """
    check_finite(run)
    j = jacobian or jacobian_of(run.derivation, run.sizes, run.space)
    last = run.steps if lags is None else lags
    narrowing, pull = Narrowing(j.space), j.along(run, run.steps - last + 1)
    y, found = j.space.turned(j.space.eye(j.size))[None, None, ...], np.full(last + 1, -math.inf)
    found[0], scales, lag = 0.5 * math.log(j.size), np.zeros(last + 1), 1
    while lag <= last:
        y = pull(run.steps - lag + 1, y)
        length = j.space.norm(y)
        if length == 0.0:
            break
        found[lag] = scales[lag - 1] + math.log(length)
        scales[lag] = scales[lag - 1]
        if not 1 / COMFORT < length < COMFORT:
            y, length, scales[lag] = y / length, 1.0, found[lag]
        if narrowing.outgrown(y, length):
            lag, y = narrowing.taken_back(lag)
        else:
            y = narrowing.narrowed(y, lag, length)
        lag += 1
    return found


@dataclass(frozen=True, slots=True)
class Extremes:
    """The extreme singular values of ∂s_T/∂s_{T−k}, in logarithms.

    Args:
        lags: the lags k.
        largest: log σ₁ by lag.
        smallest: log σ_N by lag; minus infinity from the first step on whose Jacobian is singular to working precision.
    """

    lags: tuple[int, ...]
    largest: Array
    smallest: Array


def extremes(run: Run, lags: Iterable[int], *, seed: int = 0) -> Extremes:
    """The largest and the smallest singular value of the product, however far they are apart.

    Law: P_kᵀ V = U D S with U and V orthogonal, D positive and diagonal, kept as logarithms, and S well conditioned:
    each step orthonormalises Jᵀ U = U′ R, and D S takes R in. Then ‖P_k‖ = ‖D S‖ and 1/σ_N = ‖S⁻¹ D⁻¹‖, and in
    both the entries that matter are the largest. V is random, which makes the factors reveal the rank.

    Args:
        run: a forward pass of one sample.
        lags: the lags k.
        seed: of V.

    Raises:
        MeasureError: a value of the run is not finite.

    Source: Loh et al., in Interacting Electrons in Reduced Dimensions (1989), 55 (stabilised products);
    Demmel, Dumitriu and Holtz, Numerische Mathematik 108 (2007), 59 (a random V).
    """
    check_finite(run)
    j = jacobian_of(run.derivation, run.sizes, run.space)
    wanted = tuple(sorted(set(lags)))
    factors, pull = _Factors(j, seed), j.along(run, run.steps - max(wanted) + 1)
    found: list[tuple[float, float]] = []
    for lag in range(max(wanted) + 1):
        if lag:
            factors.step(pull(run.steps - lag + 1, factors.u))
        if lag in wanted:
            found.append(factors.extremes())
    largest, smallest = np.array(found).T
    return Extremes(wanted, largest, smallest)


class _Factors:
    """U, log D and S."""

    def __init__(self, j: Jacobian, seed: int) -> None:
        self.space = j.space
        v = np.linalg.qr(np.random.default_rng(seed).standard_normal((j.size, j.size)))[0]
        self.u = j.space.asarray(v[None, None])
        self.logs, self.s = np.zeros(j.size), np.eye(j.size)
        self.singular = False

    def step(self, pulled: Array) -> None:
        """Jᵀ U in place of U."""
        self.u, upper = self.space.xp.linalg.qr(pulled)
        r = np.triu(self.space.numpy(upper)[0, 0])
        size = np.abs(r)
        rounding = float(np.finfo(self.space.dtype).eps) * len(r)
        self.singular |= bool(np.diagonal(size).min() <= rounding * size.max())
        with np.errstate(divide="ignore"):
            logs = np.log(size) + self.logs
        top = _finite(logs.max(axis=1))
        s = (np.sign(r) * np.exp(logs - top[:, None])) @ self.s
        length = np.abs(s).max(axis=1)
        with np.errstate(divide="ignore"):
            self.logs = np.where(size.max(axis=1) > 0, top, -np.inf) + np.log(length)
        self.s = s / np.where(length > 0, length, 1.0)[:, None]

    def extremes(self) -> tuple[float, float]:
        """log σ₁ and log σ_N."""
        top, low = float(self.logs.max()), float(self.logs.min())
        if top == -math.inf:
            return -math.inf, -math.inf
        large = np.exp(self.logs - top)[:, None] * self.s
        largest = top + math.log(float(np.linalg.norm(large, 2)))
        if self.singular or low == -math.inf:
            return largest, -math.inf
        small = np.linalg.inv(self.s) * np.exp(low - self.logs)
        return largest, low - math.log(float(np.linalg.norm(small, 2)))


def _finite(values: Array) -> Array:
    return np.where(np.isfinite(values), values, 0.0)
