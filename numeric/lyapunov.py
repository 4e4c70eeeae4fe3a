"""Lyapunov exponents along a run: how fast directions of the joint state grow, per step, in logarithms.

The joint state is followed whole: for an LSTM h and c together. Leaving c out takes ∂h_t/∂h_{t−1} for the Jacobian,
which is not the derivative of anything that the network repeats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from numeric.growth_law import Course, edges
from numeric.interpret import Array
from numeric.matrix_states import Jacobian, jacobian_of
from numeric.measure import MeasureError, not_finite
from numeric.stream import Stream

SPREAD = 25.0
"""Natural logarithms by which directions may part between two orthonormalisations: 11 of a double's 16 digits."""
PIECES, FEWEST = 20, 5
"""Into how many pieces a run is cut for its error, and how few are left when they are joined two by two."""
LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Growth:
    """The growth of one direction.

    Args:
        rate: its logarithm per step: the largest Lyapunov exponent, for a run that is long enough.
        error: the rate's standard error; see ``standard_error``.
        steps: the number of steps measured.
        course: its logarithm along the run, where the direction has settled; ``None`` if the gradient becomes zero.
    """

    rate: float
    error: float
    steps: int
    course: Course | None = None


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The Lyapunov exponents, per step, largest first.

    Args:
        exponents: as many as were asked for; minus infinity where the Jacobian is singular.
        interval: steps between two orthonormalisations, the fewest if it had to be lowered on the way.
        determinant: ⟨log|det J|⟩ over the same steps; ``None`` unless all exponents were asked for.
        steps: the number of steps measured.
    """

    exponents: Array
    interval: int
    determinant: float | None
    steps: int

    @property
    def difference(self) -> float | None:
        """|Σ λ_i − ⟨log|det J|⟩|, which the sum rule says is zero; ``None`` where it was not measured."""
        if self.determinant is None:
            return None
        total = float(self.exponents.sum())
        return 0.0 if total == self.determinant else abs(total - self.determinant)


def growth(
    stream: Stream,
    steps: int,
    *,
    warmup: int = 100,
    seed: int = 0,
    jacobian: Jacobian | None = None,
) -> Growth:
    """The growth rate of a random direction, by one product J v per step and no memory of the steps.

    Args:
        stream: the run, at its beginning.
        steps: how many steps are measured.
        warmup: steps before, in which run and direction settle.
        seed: of the direction.
        jacobian: of the cell; made if left out.

    Raises:
        MeasureError: the run leaves the floating-point numbers.
    """
    j = jacobian or jacobian_of(stream.derivation, stream.sizes, stream.space)
    space = stream.space
    v = space.asarray(np.random.default_rng(seed).standard_normal((j.size, 1)))
    pieces = np.zeros(min(PIECES, steps))
    ends, logs = edges(max(1, warmup), warmup + steps), list[float]()
    total = -math.log(space.norm(v))
    for t in range(-warmup, steps):
        look = stream.step()
        v = j.apply(look, v)
        length = space.norm(v)
        if length == 0.0:
            return Growth(-math.inf, 0.0, steps)
        if not math.isfinite(length):
            raise left_the_numbers(stream)
        v = v / length
        total += math.log(length)
        if t + warmup + 1 == ends[len(logs)]:
            logs.append(total)
        if t >= 0:
            pieces[t * len(pieces) // steps] += math.log(length)
    counts = np.bincount(np.arange(steps) * len(pieces) // steps)
    course = Course(ends.astype(float), np.array(logs))
    return Growth(float(pieces.sum() / steps), standard_error(pieces / counts), steps, course)


def standard_error(rates: Array) -> float:
    """The error of the mean of rates that follow one another in time, and may hang together.

    Law: the largest s / √m over the m pieces and those joined two by two, as long as five are left: if pieces are
    shorter than the run's memory, the error grows as they get longer.

    Args:
        rates: of pieces of a run, in order.

    Source: Flyvbjerg and Petersen, Journal of Chemical Physics 91 (1989), 461–466.
    """
    if len(rates) < 2:
        return math.inf
    error = float(np.std(rates, ddof=1)) / math.sqrt(len(rates))
    joined = len(rates) // 2
    if joined < FEWEST:
        return error
    return max(error, standard_error(rates[: 2 * joined].reshape(joined, 2).mean(axis=1)))


def left_the_numbers(stream: Stream) -> MeasureError:
    """The error of a run that overflows."""
    return not_finite(
        stream.derivation.cell, f"its values are not finite at step {stream.time} of the run"
    )


def spectrum(
    stream: Stream,
    steps: int,
    *,
    count: int | None = None,
    warmup: int = 100,
    interval: int | None = None,
    seed: int = 0,
    jacobian: Jacobian | None = None,
) -> Spectrum:
    """Lyapunov exponents by repeated orthonormalisation.

    Law: J_T ⋯ J_1 Q_0 = Q_T R_T ⋯ R_1 and λ_i = lim 1/T Σ log (R_t)_ii.

    Args:
        stream: the run, at its beginning.
        steps: how many steps are measured, at least.
        count: how many exponents; all if left out, which also measures the sum rule's other side.
        warmup: steps before, orthonormalised one by one; from their spread the interval is chosen.
        interval: steps between two orthonormalisations, instead of the one chosen.
        seed: of the first directions.
        jacobian: of the cell; made if left out.

    Raises:
        MeasureError: the run leaves the floating-point numbers.

    Source: Benettin, Galgani, Giorgilli and Strelcyn, Meccanica 15 (1980), 9–20 and 21–30.
    """
    j = jacobian or jacobian_of(stream.derivation, stream.sizes, stream.space)
    wanted = j.size if count is None else min(count, j.size)
    drawn = np.random.default_rng(seed).standard_normal((j.size, wanted))
    q = stream.space.asarray(np.linalg.qr(drawn)[0])
    settled = np.zeros(wanted)
    for t in range(warmup):
        q, logs = _advance(stream, j, q, 1)
        settled += logs if t >= warmup // 2 else 0.0
    numbers = np.finfo(stream.space.dtype)
    spread = SPREAD * math.log(numbers.eps) / math.log(np.finfo(float).eps)
    bounds = spread, math.log(float(numbers.max)) / 2
    chosen = interval or min(
        steps, _interval(settled / max(1, warmup - warmup // 2), warmup, bounds)
    )
    total, done = np.zeros(wanted), 0
    determinant: list[float] | None = [] if wanted == j.size else None
    while done < steps:
        q, logs = _advance(stream, j, q, chosen, determinant)
        total, done = total + logs, done + chosen
        used = _used(logs, bounds)
        if interval is None and used > 1:  # the run has become wilder than it was at first
            chosen = max(1, int(chosen / used))
    mean = None if determinant is None else float(np.sum(determinant) / done)
    return Spectrum(np.sort(total / done)[::-1], chosen, mean, done)


def _interval(rates: Array, warmup: int, bounds: tuple[float, float]) -> int:
    """The longest interval over which the directions stay within ``bounds``."""
    if warmup < 2:
        return 1
    return int(np.clip(1 / max(_used(rates, bounds), 1 / LONGEST), 1, LONGEST))


def _used(logs: Array, bounds: tuple[float, float]) -> float:
    """How much of the bounds is used: of how far directions may part, and of how far lengths may go from 1."""
    if not np.isfinite(logs).all():
        return math.inf
    return max(float(np.ptp(logs)) / bounds[0], float(np.abs(logs).max()) / bounds[1])


def _advance(
    stream: Stream, j: Jacobian, q: Array, steps: int, determinant: list[float] | None = None
) -> tuple[Array, Array]:
    """Directions some steps later, orthonormal again, and the logarithms of the lengths taken out."""
    xp = stream.space.xp
    for _ in range(steps):
        look = stream.step()
        q = j.apply(look, q)
        if determinant is not None:
            determinant.append(float(xp.linalg.slogdet(j.formed(look))[1]))
    if not bool(xp.all(xp.isfinite(q))):
        raise left_the_numbers(stream)
    q, r = xp.linalg.qr(q)
    with np.errstate(divide="ignore"):
        return q, np.log(np.abs(np.diagonal(stream.space.numpy(r))))
