"""Certified bounds: for every start and every input in a box, ‖∂s_T/∂s_0‖ ≤ C ρᵀ for every T; and for which weights.

Three ways are tried, the elementwise certificate, the small gain of the blocks' 2-norms, and a tube around a given
trajectory; the smallest ρ is the best. Whatever is found is a theorem about the weights as they are, not a measurement.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from derive.errors import ArgumentError
from numeric.measure import MeasureError
from proofs.guarantee_box import Problem, enclose, invariant_box
from proofs.guarantee_data import certificate_of
from proofs.guarantee_gain import SmallGain, small_gain
from proofs.guarantee_rows import Jacobian, Perron, joined, perron
from proofs.guarantee_tube import States, Tube, along, around_fixed_point

WIDEST = 128
"""Entries of the joint state up to which certificates are made: their check takes N³ exact operations."""
LEAST_SCALE, MOST_SCALE, HALVINGS = 2.0**-24, 2.0**10, 6


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A run around which a tube is laid.

    Args:
        states: those that the first step looks back at, and those after every step.
        inputs: of every step.
        rests: whether the states are at rest under the first step's inputs.
    """

    states: tuple[States, ...]
    inputs: tuple[States, ...]
    rests: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one way reached.

    Args:
        method: ``elementwise``, ``small gain`` or ``tube``.
        rho: ρ; infinite where an entry of the Jacobian is unbounded over the box.
        constant: C.
        steps: the T for which it holds; 0 for every T.
        covers: for which starts and inputs, in words.
        widest: by state the largest |entry| of a start; empty for a tube.
        certificate: the data that an exact checker accepts; ``None`` where ρ is infinite.
    """

    method: str
    rho: float
    constant: float
    steps: int
    covers: str
    certificate: dict[str, Any] | None
    widest: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def vanishes(self) -> bool:
        """Whether it shows that the gradient vanishes: ρ < 1."""
        return self.rho < 1


@dataclass(frozen=True, slots=True)
class Guarantee:
    """What is certain about a cell.

    Args:
        attempts: one for each way that was tried.
        scale: the largest factor on the square matrices at which a certificate for every T was found; infinite where
            every factor has one, 0 where none has.
        problem: about what.
    """

    attempts: tuple[Attempt, ...]
    scale: float
    problem: Problem

    @property
    def best(self) -> Attempt | None:
        """The smallest ρ, of the ways that hold for every T if one of those shows that the gradient vanishes."""
        sure = [a for a in self.attempts if a.steps == 0 and a.vanishes]
        return min(sure or self.attempts, key=lambda a: a.rho, default=None)

    @property
    def certified(self) -> bool:
        """Whether the gradient is certain to vanish: a bound C ρᵀ with ρ < 1 for every T."""
        best = self.best
        return best is not None and best.vanishes and best.steps == 0


def guarantee(problem: Problem, trajectory: Trajectory | None = None) -> Guarantee:
    """Look for certified bounds.

    Args:
        problem: the cell, its weights and its inputs' box.
        trajectory: a run for the tube.

    Raises:
        MissingFlintError: python-flint is not installed.
        MeasureError: a state is a matrix, so that the Jacobian has no blocks.
        ArgumentError: the joint state is too large.
    """
    size = problem.step.size
    if size > WIDEST:
        raise ArgumentError(
            f"Bounds are certified up to {WIDEST} entries of the joint state; this one has {size}.",
            f"Choose a smaller n: --n {max(1, problem_width(problem) * WIDEST // size)}.",
        )
    attempts = [*over_box(problem), *(() if trajectory is None else tubes(problem, trajectory))]
    return Guarantee(tuple(attempts), largest_certified_scale(problem), problem)


def problem_width(problem: Problem) -> int:
    """The size of the cell's first dimension."""
    return problem.sizes[problem.derivation.cell.dims[0]]


def over_box(problem: Problem) -> list[Attempt]:
    """The elementwise certificate and the small gain, over a box that no step leaves."""
    box = invariant_box(problem)
    jacobian = Jacobian(problem, enclose(problem, box))
    found = perron(jacobian)
    if math.isfinite(found.rho):
        found = joined(jacobian, found, found.rho + 0.02 * abs(1 - found.rho))
    free = all(np.isinf(v.size).all() for v in box.values())
    covers = "every start" if free else "every start in the box"
    rows: list[tuple[str, Perron | SmallGain]] = [
        ("elementwise", found),
        ("small gain", small_gain(jacobian)),
    ]
    attempts: list[Attempt] = []
    for method, bound in rows:
        data = certificate_of(problem, box, bound) if math.isfinite(bound.rho) else None
        attempts.append(_attempt(method, bound.rho, data, 0, f"{covers}, every input in its box"))
    widest = {k: float(v.size.max()) for k, v in box.items()}
    return [replace(a, widest=widest) for a in attempts]


def _attempt(
    method: str, rho: float, data: dict[str, Any] | None, steps: int, covers: str
) -> Attempt:
    if data is None:
        return Attempt(method, rho, math.inf, steps, covers, None)
    proof = data["proof"]
    return Attempt(method, _up(proof["rho"]), _up(proof["C"]), steps, covers, data)


def _up(number: str) -> float:
    value = Fraction(number)
    near = float(value)
    return near if Fraction(near) >= value else math.nextafter(near, math.inf)


def tubes(problem: Problem, trajectory: Trajectory) -> list[Attempt]:
    """The tube around a trajectory; none where it grows without bound."""
    found: Tube | None = None
    if trajectory.rests:
        found = around_fixed_point(problem, trajectory.states[-1], trajectory.inputs[0])
    if found is None:
        found = along(problem, trajectory.states, trajectory.inputs)
    if found is None:
        return []
    plain = np.format_float_positional(found.radius, trim="-")
    place = "the fixed point" if found.steps == 0 else f"a trajectory of {found.steps} steps"
    covers = f"every start within {plain} of {place}, its own inputs"
    return [_attempt("tube", found.rho, certificate_of(problem, None, found), found.steps, covers)]


def largest_certified_scale(problem: Problem) -> float:
    """The largest factor on all square matrices of parameters at which the gradient is certain to vanish for every T.

    Found by bisection; at the factor that is returned a certificate was found, at one 3 % above it none was.

    Args:
        problem: the cell; its inputs' box stays as it is.

    Returns:
        The factor; infinite where all factors tried have a certificate (up to ``MOST_SCALE``), 0 where none has
        (down to ``LEAST_SCALE``).

    Raises:
        MissingFlintError: python-flint is not installed.
        MeasureError: a state is a matrix.
    """
    low, high, scale = 0.0, math.inf, 1.0
    cuts = _cuts(problem)
    while LEAST_SCALE <= scale <= MOST_SCALE and (low == 0.0 or high == math.inf):
        if reaches(problem.scaled(scale), cuts) < 1:
            low, scale = scale, scale * 4
        else:
            high, scale = scale, scale / 4
    if low == 0.0 or high == math.inf:
        return low if low == 0.0 else math.inf
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        sure = reaches(problem.scaled(middle), cuts) < 1
        low, high = (middle, high) if sure else (low, middle)
    return low


def _cuts(problem: Problem) -> list[Any]:
    """The quantities whose cut serves best: with the weights as they are, and with the smallest of the search.

    Of an LSTM these differ: f cut into pieces helps where c is large and the weights are small, and there alone.
    """
    ends = (perron(_over(problem.scaled(scale))).split for scale in (1.0, LEAST_SCALE))
    return [leaf for leaf in dict.fromkeys(ends) if leaf is not None]


def reaches(problem: Problem, cuts: Sequence[Any] | None = None) -> float:
    """The smallest ρ that the ways over a box reach; the second way is left out where the first shows ρ < 1.

    Args:
        problem: the cell.
        cuts: the quantities whose range the elementwise certificate cuts; every candidate if left out.
    """
    jacobian = _over(problem)
    rho = small_gain(jacobian).rho
    return rho if rho < 1 else min(rho, perron(jacobian, cuts).rho)


def _over(problem: Problem) -> Jacobian:
    return Jacobian(problem, enclose(problem, invariant_box(problem)))


def scale_or_none(problem: Problem) -> float | None:
    """``largest_certified_scale``, or ``None`` where it cannot be asked: matrices as states, too many entries."""
    try:
        size = problem.step.size
        return largest_certified_scale(problem) if size <= WIDEST else None
    except MeasureError:
        return None
