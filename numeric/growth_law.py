"""How a gradient grows along a run: exponentially, polynomially, both, or by no law that so long a run settles.

The norm of a long product of Jacobians goes as C k^d e^(λk). A linear recurrence whose matrix is a Jordan block of
d + 1 rows with an eigenvalue of size 1 has a gradient that grows like k^d: no rate per step is its rate, for log‖·‖
is a straight line against log k, and not against k. Which line it is, the run tells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from numeric.interpret import Array

PIECES = 20
"""Into how many pieces a run is cut, each longer than the one before by the same factor."""
CHANCE = 1e-6
"""A polynomial is seen where independent normal noise would look as much like one less often than this."""
FACTOR = math.log(2)
"""What changes a gradient by less than a factor 2 over the run is not told of it."""


@dataclass(frozen=True, slots=True)
class Course:
    """The logarithm of a norm along a run.

    Args:
        steps: how many Jacobians had been multiplied, increasing.
        logs: the logarithm of the norm there, which was 1 before the first of them.
    """

    steps: Array
    logs: Array

    @property
    def change(self) -> float:
        """By how much the logarithm changes from the first of the steps to the last."""
        return float(self.logs[-1] - self.logs[0])


@dataclass(frozen=True, slots=True)
class Law:
    """The norm goes as C k^degree e^(rate · k).

    Args:
        kind: ``exponential``; ``open``: no power is seen, but one fits better than the rate; ``polynomial``: the rate
            is 0 as far as the run tells; ``both``; or ``unsettled``: the rate changes along the run, and no law of
            these holds at its beginning and at its end.
        rate: λ, per step; where unsettled, that of the later half.
        rate_error: its standard error.
        degree: d; where none is seen, 0.
        degree_error: its standard error, or how far it depends on whether a rate is allowed for, or half of how far the
            run's halves differ, whichever is most; 0 if it is known exactly.
    """

    kind: str
    rate: float
    rate_error: float = 0.0
    degree: float = 0.0
    degree_error: float = 0.0

    def log(self, lag: float) -> float:
        """The logarithm of k^d e^(λk)."""
        return self.rate * lag + self.degree * math.log(max(lag, 1.0))

    @property
    def turn(self) -> float:
        """The lag k = d / |λ| at which k^d e^(λk) turns, where the two pull against each other; else 0."""
        against = self.kind == "both" and self.degree * self.rate < 0
        return -self.degree / self.rate if against else 0.0


def edges(first: int, last: int) -> Array:
    """The ends of the pieces of a run: whole numbers that grow by one factor, as long as they differ."""
    drawn = first * (last / first) ** (np.arange(PIECES + 1) / PIECES)
    return np.unique(np.rint(drawn).astype(int))


def exact_law(course: Course, rate: float, degree: int) -> Law | None:
    """The law C k^degree e^(rate · k) of long runs, if it is that of this one: within a factor 2 from end to end.

    Args:
        course: of the run.
        rate: the logarithm of the spectral radius.
        degree: rows of the largest Jordan block there, less one.
    """
    ends = float(course.steps[0]), float(course.steps[-1])
    beside = abs(rate) * ends[1] >= FACTOR
    kind = "exponential" if degree == 0 else "both" if beside else "polynomial"
    found = Law(kind, rate, degree=float(degree))
    agrees = abs(found.log(ends[1]) - found.log(ends[0]) - course.change) < FACTOR
    return found if agrees else None


def law(course: Course) -> Law:
    """The law of a run, by the increments between the edges of its pieces.

    Law: Δlog‖·‖ = λ Δk + d Δlog k + noise of variance proportional to Δk, by weighted least squares. A polynomial is
    seen where leaving it out makes the residual so much larger that noise seldom would (the cap of a sphere: chance
    ≤ (S_λd / S_λ)^(ν/2) with ν = pieces − 2), and changes the norm by a factor 2. It is told beside a rate only if
    the run's halves agree on the rate; alone if the rate beside it makes no factor 2, or a rate alone fits so much
    worse, and the degree is more than two of its errors.

    Args:
        course: of the run, from which transients have gone.

    Source: Ball, An elementary introduction to modern convex geometry (1997), lemma 2.2 (caps).
    """
    free, ends = len(course.steps) - 3, float(course.steps[-1])
    if free < 0:
        return Law("exponential", course.change / max(1.0, ends - course.steps[0]), math.inf)
    alone, power, both = (_fitted(course, columns) for columns in ((0,), (1,), (0, 1)))
    (rate, degree), span = both.values, math.log(ends / course.steps[0])
    seen = free > 1 and _chance(both, alone, free) < CHANCE and abs(degree) * span >= FACTOR
    if not seen:
        kind = "open" if _better(power, alone, course) else "exponential"
        return Law(kind, alone.values[0], alone.errors[0])
    first, later = _halves(course)
    apart = _fitted(first, (0, 1)).values[0] - _fitted(later, (0, 1)).values[0]
    if abs(rate) * ends >= FACTOR > abs(apart) * ends:
        return Law("both", rate, both.errors[0], degree, both.errors[1])
    drift = _fitted(first, (1,)).values[0] - _fitted(later, (1,)).values[0]
    error = max(power.errors[0], abs(degree - power.values[0]), abs(drift) / 2)
    told = abs(rate) * ends < FACTOR or _chance(power, alone, free + 1) < CHANCE
    if told and abs(power.values[0]) > 2 * error:
        return Law("polynomial", 0.0, both.errors[0], power.values[0], error)
    slow = _fitted(later, (0,))
    return Law("unsettled", slow.values[0], slow.errors[0])


@dataclass(frozen=True, slots=True)
class _Fit:
    values: tuple[float, ...]
    errors: tuple[float, ...]
    residual: float


def _fitted(course: Course, columns: tuple[int, ...]) -> _Fit:
    """Weighted least squares of the increments on Δk and Δlog k, or on one of the two."""
    lengths = np.diff(course.steps)
    weights = 1 / np.sqrt(lengths)
    given = np.stack([lengths, np.diff(np.log(course.steps))], axis=1)[:, columns]
    a, y = given * weights[:, None], np.diff(course.logs) * weights
    values = np.linalg.lstsq(a, y, rcond=None)[0]
    residual = float(np.sum((y - a @ values) ** 2))
    noise = residual / max(1, len(y) - len(columns))
    errors = np.sqrt(noise * np.diagonal(np.linalg.pinv(a.T @ a)))
    return _Fit(tuple(map(float, values)), tuple(map(float, errors)), residual)


def _chance(fit: _Fit, other: _Fit, free: int) -> float:
    """How seldom noise makes one residual so much smaller than another, at most."""
    if other.residual <= 0:
        return 1.0
    return min(1.0, fit.residual / other.residual) ** (free / 2)


def _better(power: _Fit, alone: _Fit, course: Course) -> bool:
    """Whether a power fits better than a rate, and is nearer to 1 where both are followed back to lag 1 and lag 0."""
    (degree,), (rate,) = power.values, alone.values
    first, log = course.steps[0], course.logs[0]
    nearer = abs(log - degree * math.log(first)) < abs(log - rate * first)
    return power.residual < alone.residual and bool(nearer)


def _halves(course: Course) -> tuple[Course, Course]:
    """The first half of the pieces and the second."""
    middle = len(course.steps) // 2
    return (
        Course(course.steps[: middle + 1], course.logs[: middle + 1]),
        Course(course.steps[middle:], course.logs[middle:]),
    )
