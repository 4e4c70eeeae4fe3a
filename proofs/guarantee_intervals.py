"""Intervals that surely contain what was computed: every operation on their ends is rounded outward.

Sums and products are IEEE's, so one step outward makes them sure; tanh, σ, exp and their like come from python-flint's
ball arithmetic at 128 bits. Values are stacks of matrices, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, reduce
from typing import Any

import numpy as np

from derive.errors import ThroughtimeError
from proofs.arithmetic import Arithmetic, Array, logsumexp_by_exp, softmax_by_exp

PRECISION = 128
EPSILON = float(np.finfo(float).eps)
TINY = float(np.finfo(float).tiny)


class MissingFlintError(ThroughtimeError, ImportError):
    """Certified bounds need python-flint."""

    exit_code = 2


@cache
def flint() -> Any:
    """python-flint, set to the precision of point evaluations.

    Raises:
        MissingFlintError: it is not installed.
    """
    try:
        import flint as found  # pyright: ignore[reportMissingTypeStubs] - it ships none
    except ImportError:
        raise MissingFlintError(
            "Certified bounds need python-flint, which is not installed.",
            "pip install throughtime[bounds]",
        ) from None
    module: Any = found
    module.ctx.prec = PRECISION
    return module


@dataclass(frozen=True, slots=True)
class Interval:
    """All matrices between two, entry by entry.

    Args:
        lo: the smaller, entries may be −∞.
        hi: the larger, entries may be ∞.
    """

    lo: Array
    hi: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Of either end."""
        return self.lo.shape

    @property
    def size(self) -> Array:
        """max |·|, entry by entry."""
        return np.maximum(np.abs(self.lo), np.abs(self.hi))

    def holds(self, other: Interval) -> Array:
        """Whether the other lies inside, entry by entry."""
        return (self.lo <= other.lo) & (other.hi <= self.hi)

    def hull(self, other: Interval) -> Interval:
        """The smallest interval around both."""
        return Interval(np.minimum(self.lo, other.lo), np.maximum(self.hi, other.hi))


def point(value: Any) -> Interval:
    """A matrix of numbers that are known exactly."""
    array = np.asarray(value, float)
    return Interval(array, array)


def down(value: Array) -> Array:
    """One step towards −∞; what is no number, ∞ − ∞, becomes −∞."""
    return np.nextafter(np.where(np.isnan(value), -np.inf, value), -np.inf)


def up(value: Array) -> Array:
    """One step towards ∞; what is no number, ∞ − ∞, becomes ∞."""
    return np.nextafter(np.where(np.isnan(value), np.inf, value), np.inf)


def rational(c: Any) -> Interval:
    """A rational number, 1 × 1."""
    exact = Fraction(int(c.p), int(c.q)) if hasattr(c, "p") else Fraction(c)
    near = float(exact)
    if Fraction(near) == exact:
        return point([[near]])
    value = np.array([[near]])
    return Interval(down(value), up(value))


class Intervals(Arithmetic[Interval]):
    """Arithmetic of intervals."""

    def number(self, c: Any) -> Interval:
        """A rational number as a 1 × 1 matrix."""
        return rational(c)

    def full(self, shape: tuple[int, int], c: int) -> Interval:
        """The matrix with 0 or 1 in every entry."""
        return point(np.full(shape, float(c)))

    def identity(self, n: int) -> Interval:
        """The identity matrix."""
        return point(np.eye(n))

    def add(self, a: Interval, b: Interval) -> Interval:
        """a + b"""
        with np.errstate(invalid="ignore", over="ignore"):
            lo, hi = a.lo + b.lo, a.hi + b.hi
        exact = (a.lo == 0) | (b.lo == 0), (a.hi == 0) | (b.hi == 0)
        return Interval(np.where(exact[0], lo, down(lo)), np.where(exact[1], hi, up(hi)))

    def mul(self, a: Interval, b: Interval) -> Interval:
        """a ∘ b, entry by entry; 0 · ∞ = 0 at an end."""
        with np.errstate(invalid="ignore", over="ignore", under="ignore"):
            if a.lo is a.hi or b.lo is b.hi:  # numbers that are known exactly
                first, second = (a, b) if a.lo is a.hi else (b, a)
                every = [first.lo * second.lo, first.lo * second.hi]
            else:
                every = [x * y for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
        every = [np.where(np.isnan(value), 0.0, value) for value in every]
        lo, hi = reduce(np.minimum, every), reduce(np.maximum, every)
        sure = _units(a) | _units(b)
        return Interval(np.where(sure, lo, down(lo)), np.where(sure, hi, up(hi)))

    def matmul(self, a: Interval, b: Interval) -> Interval:
        """A B by midpoints and radii (S. M. Rump, BIT 39 (1999)): exact for a matrix of points times intervals."""
        if not all(np.isfinite(end).all() for end in (a.lo, a.hi, b.lo, b.hi)):
            return self._matmul_unbounded(a, b)
        (am, ar), (bm, br) = _middle(a), _middle(b)
        inner = a.shape[-1]
        grown = 1 + 8 * (inner + 4) * EPSILON
        radius = np.abs(am) @ br + ar @ (np.abs(bm) + br)
        radius = (radius + (inner + 4) * EPSILON * (np.abs(am) @ np.abs(bm))) * grown
        radius, middle = radius + (inner + 4) * TINY, am @ bm
        return Interval(down(middle - radius), up(middle + radius))

    def _matmul_unbounded(self, a: Interval, b: Interval) -> Interval:
        terms = self.mul(
            Interval(a.lo[..., :, :, None], a.hi[..., :, :, None]),
            Interval(b.lo[..., None, :, :], b.hi[..., None, :, :]),
        )
        total = Interval(terms.lo[..., 0, :], terms.hi[..., 0, :])
        for k in range(1, a.shape[-1]):
            total = self.add(total, Interval(terms.lo[..., k, :], terms.hi[..., k, :]))
        return total

    def power(self, a: Interval, k: int) -> Interval:
        """Every entry raised to an integer; unbounded where 0 is raised to a negative one."""
        if k < 0:
            crosses = (a.lo <= 0) & (a.hi >= 0)
            with np.errstate(divide="ignore", over="ignore"):
                safe = np.where(crosses, 1.0, a.lo), np.where(crosses, 1.0, a.hi)
                lo, hi = down(1 / safe[1]), up(1 / safe[0])
            found = Interval(np.where(crosses, -np.inf, lo), np.where(crosses, np.inf, hi))
            return self.power(found, -k)
        if k == 1:
            return a
        half = self.power(a, k // 2)
        square, crosses = self.mul(half, half), (half.lo <= 0) & (half.hi >= 0)
        even = Interval(np.where(crosses, 0.0, np.maximum(square.lo, 0.0)), square.hi)
        return even if k % 2 == 0 else self.mul(even, a)

    def function(self, name: str, a: Interval) -> Interval:
        """A function of ``derive.functions`` entry by entry."""
        if name == "abs":
            crosses = (a.lo <= 0) & (a.hi >= 0)
            least = np.minimum(np.abs(a.lo), np.abs(a.hi))
            return Interval(np.where(crosses, 0.0, least), a.size)
        if name in PLAIN:
            return Interval(PLAIN[name](a.lo), PLAIN[name](a.hi))
        if name in ("sin", "cos"):
            return _by_balls(name, a)
        return Interval(_each(name, a.lo, 0), _each(name, a.hi, 1))

    def softmax(self, a: Interval) -> Interval:
        """exp(a) / Σ exp(a), within [0, 1]."""
        shape = (a.shape[-2], a.shape[-1])
        found = softmax_by_exp(self, a, shape)
        return Interval(np.clip(found.lo, 0.0, 1.0), np.clip(found.hi, 0.0, 1.0))

    def logsumexp(self, a: Interval) -> Interval:
        """log Σ exp(a)."""
        return logsumexp_by_exp(self, a)

    def transpose(self, a: Interval) -> Interval:
        """Aᵀ"""
        return Interval(np.swapaxes(a.lo, -1, -2), np.swapaxes(a.hi, -1, -2))

    def concat(self, parts: Any) -> Interval:
        """Matrices on top of one another."""
        return Interval(
            np.concatenate([p.lo for p in parts], -2), np.concatenate([p.hi for p in parts], -2)
        )

    def rows(self, a: Interval, start: int, stop: int) -> Interval:
        """Rows start ≤ i < stop."""
        return Interval(a.lo[..., start:stop, :], a.hi[..., start:stop, :])

    def spread(self, a: Interval, shape: tuple[int, int]) -> Interval:
        """A 1 × 1 matrix in every entry of a larger one."""
        whole = a.shape[:-2] + shape
        return Interval(np.broadcast_to(a.lo, whole), np.broadcast_to(a.hi, whole))

    def total(self, a: Interval) -> Interval:
        """The sum of all entries."""
        columns = self.matmul(point(np.ones((1, a.shape[-2]))), a)
        return self.matmul(columns, point(np.ones((a.shape[-1], 1))))

    def diag(self, a: Interval) -> Interval:
        """The diagonal matrix of a column."""
        eye = np.eye(a.shape[-2])
        with np.errstate(invalid="ignore"):
            return Interval(np.where(eye > 0, a.lo * eye, 0.0), np.where(eye > 0, a.hi * eye, 0.0))


PLAIN: dict[str, Callable[[Array], Array]] = {
    "relu": lambda v: np.maximum(v, 0.0),
    "step": lambda v: (v > 0).astype(float),
    "sign": np.sign,
}
"""Non-decreasing functions without rounding."""

RISING: dict[str, tuple[Callable[[Any, Any], Any], float, float]] = {
    "tanh": (lambda arb, x: x.tanh(), -1.0, 1.0),
    "sigmoid": (lambda arb, x: 1 / (1 + (-x).exp()), 0.0, 1.0),
    "softplus": (lambda arb, x: x.exp().log1p(), 0.0, np.inf),
    "exp": (lambda arb, x: x.exp(), 0.0, np.inf),
    "log": (lambda arb, x: x.log(), -np.inf, np.inf),
    "sqrt": (lambda arb, x: x.sqrt(), 0.0, np.inf),
}
"""Increasing functions by flint's balls, with their limits to the left and to the right."""


def _each(name: str, values: Array, side: int) -> Array:
    """Floats below (side 0) or above (1) an increasing function of every entry."""
    flat = [_at(name, float(v))[side] for v in values.ravel()]
    return np.array(flat, float).reshape(values.shape)


def _at(name: str, value: float) -> tuple[float, float]:
    """Floats around an increasing function's value."""
    rule, left, right = RISING[name]
    if value == -np.inf or (name in ("log", "sqrt") and value <= 0):
        return left, left
    if value == np.inf:
        return right, right
    if name == "softplus" and value > 700:
        return value, float(np.nextafter(value, np.inf))
    arb = flint().arb
    lo, hi = _ends(rule(arb, arb(value)))
    return max(lo, left), min(hi, right)


def _ends(ball: Any) -> tuple[float, float]:
    """Floats around a ball."""
    if not ball.is_finite():
        return -np.inf, np.inf
    lo, hi = float(ball.lower()), float(ball.upper())
    return float(np.nextafter(lo, -np.inf)), float(np.nextafter(hi, np.inf))


def _by_balls(name: str, a: Interval) -> Interval:
    """A function that is not monotone, on balls that contain the intervals."""
    arb = flint().arb

    def entry(lo: float, hi: float) -> tuple[float, float]:
        if not np.isfinite([lo, hi]).all():
            return -1.0, 1.0
        found = _ends(getattr(arb(lo).union(arb(hi)), name)())
        return max(found[0], -1.0), min(found[1], 1.0)

    lo, hi = np.vectorize(entry, otypes=[float, float])(a.lo, a.hi)
    return Interval(lo, hi)


def _units(a: Interval) -> Array:
    """Whether both ends are 0, 1 or −1, by which a product is exact."""
    return _unit(a.lo) if a.lo is a.hi else _unit(a.lo) & _unit(a.hi)


def _unit(end: Array) -> Array:
    size = np.abs(end)
    return (size == 0) | (size == 1)


def _middle(a: Interval) -> tuple[Array, Array]:
    middle = a.lo / 2 + a.hi / 2
    return middle, np.where(a.lo == a.hi, 0.0, up(np.maximum(a.hi - middle, middle - a.lo)))
