"""What mean-field theory predicts for random networks with infinitely many units: asymptotic, not proved here.

For h_t = (1 − δ) h_{t−1} + δ (J φ(h_{t−1}) + ξ_t) with independent J_ij of mean 0 and variance g²/n the units are
independent Gaussian processes with a covariance that fixes itself. A network with fixed J follows the prediction
χ^k for k ≪ √n steps only; then the spread of J's own singular vectors shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from numeric.interpret import Array

Activation = Callable[[Array], Array]

_POINTS = np.linspace(-24.0, 24.0, 4801)
GRID = 12.0 * np.sinh(_POINTS) / np.sinh(_POINTS[-1])
"""Abscissas of the Gaussian mean, from −12 to 12 and ever closer towards 0: the trapezoidal rule in their inverse
hyperbolic sines, whose error is below 10⁻¹³ for tanh(s z), σ(s z) and their slopes at every scale s up to 10⁹."""
_WEIGHTS = np.exp(-(GRID**2) / 2) * np.cosh(_POINTS)
_WEIGHTS /= _WEIGHTS.sum()
ORDER = 240
"""Terms of Hermite's expansion."""
ROUNDS = 100_000
AT_REST = 3e-3
"""What is left of the variance where a covariance has settled: its window then changes λ₁ by less than 10⁻⁷."""
TOO_FEW = 1e-6
"""The share of a correlation at lag 1 that an expansion may leave out: it then changes λ₁ by less than 10⁻⁷."""
SETTLED = 1e-14


def mean(values: Array) -> float:
    """E f(z) for standard normal z, from the values of f on ``GRID``."""
    return float(_WEIGHTS @ values)


def tanh_slope(x: Array) -> Array:
    """tanh′ = 1 − tanh²."""
    return 1.0 - np.tanh(x) ** 2


class UnsettledError(ValueError):
    """The closed law needs a longer window or more terms than it has."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the theory predicts.

    Args:
        q: the variance of the pre-activation.
        chi: the factor by which a gradient's mean square changes per step.
    """

    q: float
    chi: float

    @property
    def rate(self) -> float:
        """λ₁ = ½ log χ."""
        return 0.5 * math.log(self.chi)


def vanilla(
    g: float,
    *,
    drive: float = 0.0,
    bias: float = 0.0,
    activation: Activation = np.tanh,
    slope: Activation = tanh_slope,
) -> Prediction:
    """The prediction for h_t = φ(W h_{t−1} + ξ_t).

    Law: q = g² E φ(√q z + μ)² + drive and χ = g² E φ′(√q z + μ)²; without drive and bias all is at rest, q = 0, up to
    g φ′(0) = 1.

    Args:
        g: gain: the weights have variance g²/n.
        drive: the variance of ξ_t, inputs and biases together, over time and units.
        bias: μ, the mean of ξ_t.
        activation: φ.
        slope: φ′.

    Source: Molgedey, Schuchhardt and Schuster, Physical Review Letters 69 (1992), 3717; Poole et al., NeurIPS 2016.
    """
    resting = (
        drive == bias == 0
        and abs(g) * mean(slope(0.0 * GRID)) <= 1
        and mean(activation(0.0 * GRID)) == 0
    )
    q = 0.0 if resting else max(1.0, g * g + drive)
    for _ in range(ROUNDS):
        before, q = q, g * g * mean(activation(math.sqrt(q) * GRID + bias) ** 2) + drive
        if abs(q - before) <= SETTLED * q:
            break
    return Prediction(q, g * g * mean(slope(math.sqrt(q) * GRID + bias) ** 2))


def leaky_rate(g: float, delta: float, *, lags: int = 64) -> float:
    """λ₁ / δ of h_t = (1 − δ) h_{t−1} + δ J tanh(h_{t−1}): per unit of time, of which a step takes δ.

    Law: with c(τ) = E h_t h_{t+τ} and a = 1 − δ, (1 + a²) c(τ) − a (c(τ+1) + c(τ−1)) = δ² g² E φφ (τ); a difference of
    two solutions grows as zᵗ for the largest z with
    (z² + a²) f(τ) − a z (f(τ+1) + f(τ−1)) = δ² g² E φ′φ′ (τ) f(τ) for a bounded f. Up to g = 1 all is at rest, and z is
    the spectral radius a + δg.

    Args:
        g: gain.
        delta: δ, in (0, 1].
        lags: half of the window of τ.

    Raises:
        UnsettledError: c does not settle within the window, or Hermite's expansion has too few terms.

    Source: Engelken, Wolf and Abbott, Physical Review Research 5 (2023), 043044, for discrete time; Sompolinsky,
    Crisanti and Sommers, Physical Review Letters 61 (1988), 259.
    """
    a, g = 1.0 - delta, abs(g)
    if g <= 1:
        return (math.log(a + delta * g) if a + delta * g > 0 else -math.inf) / delta
    slopes, c = _Correlated(tanh_slope), _covariance(g, delta, lags)
    if abs(c[lags]) > AT_REST * c[0]:
        raise UnsettledError(f"g = {g:g}, δ = {delta:g}: the covariance is longer than {lags} lags")
    if slopes.left_out(c) > TOO_FEW:
        raise UnsettledError(f"g = {g:g}, δ = {delta:g}: {ORDER} terms are too few")
    return math.log(_largest_root(a, delta**2 * g**2 * np.fft.fftshift(slopes(c)))) / delta


def _covariance(g: float, delta: float, lags: int) -> Array:
    """c(τ) for −lags ≤ τ < lags, from 0 on and around, by iteration."""
    correlated, whole = _Correlated(np.tanh), 2 * lags
    frequency = 2 * np.pi * np.arange(whole) / whole
    transfer = delta**2 * g**2 / np.abs(np.exp(1j * frequency) - (1.0 - delta)) ** 2
    c: Array = np.exp(-np.minimum(np.arange(whole), whole - np.arange(whole)) / 2.0)
    for _ in range(ROUNDS // 20):
        before = c
        c = np.fft.ifft(transfer * np.fft.fft(correlated(c))).real
        if np.abs(c - before).max() <= 1e-12 * c[0]:
            return c
    raise UnsettledError(f"the covariance of g = {g:g}, δ = {delta:g} does not settle")


class _Correlated:
    """E f(x) f(y) for Gaussian x, y of variance c(0) and covariance c(τ), by Hermite's expansion.

    Law: E f f = Σ_k f_k² ρᵏ with f_k = E f(√c(0) z) He_k(z) / √k! (Mehler).
    """

    def __init__(self, f: Activation) -> None:
        self.f = f

    def _expanded(self, variance: float) -> tuple[Array, float]:
        """f_k² by k, and E f² that they add up to."""
        values = self.f(math.sqrt(variance) * GRID)
        return (_HERMITE @ (_WEIGHTS * values)) ** 2, mean(values**2)

    def left_out(self, c: Array) -> float:
        """The share of E f f at lag 1 that the terms left out make, at most."""
        squares, whole = self._expanded(c[0])
        return float(max(0.0, 1 - squares.sum() / whole) * abs(c[1] / c[0]) ** ORDER)

    def __call__(self, c: Array) -> Array:
        squares, whole = self._expanded(c[0])
        rho = np.clip(c / c[0], -1.0, 1.0)
        found = np.zeros_like(c)
        for square in squares[::-1]:
            found = found * rho + square
        found[0] = whole
        return found


def _hermite(order: int) -> Array:
    """Hermite's polynomials on ``GRID``, orthonormal under the Gaussian, by their three-term recurrence."""
    rows = [np.ones_like(GRID), GRID]
    for k in range(1, order - 1):
        rows.append((GRID * rows[k] - math.sqrt(k) * rows[k - 1]) / math.sqrt(k + 1))
    return np.stack(rows)


_HERMITE = _hermite(ORDER)


def _largest_root(a: float, potential: Array) -> float:
    """The largest z at which the smallest eigenvalue of z² + a² − az (S + S⁻¹) − potential is zero.

    From z = a on that eigenvalue grows with z; pivots of the elimination tell its sign.
    """
    low, high = a, 1.0 + a + math.sqrt(float(potential.max()))
    for _ in range(50):
        z = (low + high) / 2
        pivot, positive = math.inf, True
        for entry in (z * z + a * a - potential).tolist():
            pivot = entry - (a * z) ** 2 / pivot
            positive = pivot > 0
            if not positive:
                break
        low, high = (low, z) if positive else (z, high)
    return high


def forget_path(bias: float, steps: int) -> float:
    """σ(b)ᵀ: what the carousel of an LSTM keeps over T steps, where the gate sees its bias alone."""
    return math.exp(log_forget_path(bias, steps))


def log_forget_path(bias: float, steps: int) -> float:
    """log σ(b)ᵀ, also where σ(b)ᵀ is no float any more."""
    return -steps * float(np.logaddexp(0.0, -bias))
