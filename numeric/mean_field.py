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

GRID = np.linspace(-12.0, 12.0, 1601)
"""Abscissas of the Gaussian mean: the trapezoidal rule, whose error is below 10⁻¹⁵ for smooth functions."""
_WEIGHTS = np.exp(-(GRID**2) / 2) / np.exp(-(GRID**2) / 2).sum()
ORDER = 240
"""Terms of Hermite's expansion."""
ROUNDS = 100_000
SETTLED = 1e-14


def mean(values: Array) -> float:
    """E f(z) for standard normal z, from the values of f on ``GRID``."""
    return float(_WEIGHTS @ values)


def tanh_slope(x: Array) -> Array:
    """tanh′ = 1 − tanh²."""
    return 1.0 - np.tanh(x) ** 2


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
    activation: Activation = np.tanh,
    slope: Activation = tanh_slope,
) -> Prediction:
    """The prediction for h_t = φ(W h_{t−1} + ξ_t).

    Law: q = g² E φ(√q z)² + drive and χ = g² E φ′(√q z)².

    Args:
        g: gain: the weights have variance g²/n.
        drive: the variance of ξ_t, inputs and biases together, over time and units.
        activation: φ.
        slope: φ′.

    Source: Molgedey, Schuchhardt and Schuster, Physical Review Letters 69 (1992), 3717; Poole et al., NeurIPS 2016.
    """
    q = max(1.0, g * g + drive)
    for _ in range(ROUNDS):
        before, q = q, g * g * mean(activation(math.sqrt(q) * GRID) ** 2) + drive
        if abs(q - before) <= SETTLED * q:
            break
    return Prediction(q, g * g * mean(slope(math.sqrt(q) * GRID) ** 2))


def leaky_rate(g: float, delta: float, *, lags: int = 64, rounds: int = 20_000) -> float:
    """λ₁ / δ of h_t = (1 − δ) h_{t−1} + δ J tanh(h_{t−1}): per unit of time, of which a step takes δ.

    Law: with c(τ) = E h_t h_{t+τ} and a = 1 − δ, (1 + a²) c(τ) − a (c(τ+1) + c(τ−1)) = δ² g² E φφ (τ); a difference of
    two solutions grows as zᵗ for the largest z with
    (z² + a²) f(τ) − a z (f(τ+1) + f(τ−1)) = δ² g² E φ′φ′ (τ) f(τ) for a bounded f.

    Args:
        g: gain.
        delta: δ, in (0, 1].
        lags: half of the window of τ; the covariance must have settled within it.
        rounds: at most, of the iteration for c.

    Source: Engelken, Wolf and Abbott, Physical Review Research 5 (2023), 043044, for discrete time; Sompolinsky,
    Crisanti and Sommers, Physical Review Letters 61 (1988), 259.
    """
    a = 1.0 - delta
    correlated = _Correlated(np.tanh)
    slopes = _Correlated(tanh_slope)
    frequency = 2 * np.pi * np.arange(2 * lags) / (2 * lags)
    transfer = delta**2 * g**2 / np.abs(np.exp(1j * frequency) - a) ** 2
    tau = np.minimum(np.arange(2 * lags), 2 * lags - np.arange(2 * lags))
    c = np.exp(-tau / 2.0)
    for _ in range(rounds):
        before = c
        c = np.fft.ifft(transfer * np.fft.fft(correlated(c))).real
        if np.abs(c - before).max() <= 1e-12 * c[0]:
            break
    potential = delta**2 * g**2 * np.fft.fftshift(slopes(c))
    return math.log(_largest_root(a, potential)) / delta


class _Correlated:
    """E f(x) f(y) for Gaussian x, y of variance c(0) and covariance c(τ), by Hermite's expansion.

    Law: E f f = Σ_k f_k² ρᵏ with f_k = E f(√c(0) z) He_k(z) / √k! (Mehler).
    """

    def __init__(self, f: Activation) -> None:
        self.f = f

    def __call__(self, c: Array) -> Array:
        values = self.f(math.sqrt(c[0]) * GRID)
        squares = (_HERMITE @ (_WEIGHTS * values)) ** 2
        rho = np.clip(c / c[0], -1.0, 1.0)
        found = np.zeros_like(c)
        for square in squares[::-1]:
            found = found * rho + square
        found[0] = mean(values**2)
        return found


def _hermite(order: int) -> Array:
    """Hermite's polynomials on ``GRID``, orthonormal under the Gaussian, by their three-term recurrence."""
    rows = [np.ones_like(GRID), GRID]
    for k in range(1, order - 1):
        rows.append((GRID * rows[k] - math.sqrt(k) * rows[k - 1]) / math.sqrt(k + 1))
    return np.stack(rows)


_HERMITE = _hermite(ORDER)


def _largest_root(a: float, potential: Array) -> float:
    """The largest z at which the smallest eigenvalue of z² + a² − az (S + S⁻¹) − potential is zero."""
    low, high = 0.0, 1.0 + a + math.sqrt(float(potential.max()))
    neighbours = np.eye(len(potential), k=1) + np.eye(len(potential), k=-1)
    for _ in range(50):
        z = (low + high) / 2
        matrix = np.diag(z * z + a * a - potential) - a * z * neighbours
        if np.linalg.eigvalsh(matrix)[0] > 0:
            high = z
        else:
            low = z
    return high


def forget_path(bias: float, steps: int) -> float:
    """σ(b)ᵀ: what the carousel of an LSTM keeps over T steps, where the gate sees its bias alone."""
    return math.exp(-steps * math.log1p(math.exp(-bias)))
