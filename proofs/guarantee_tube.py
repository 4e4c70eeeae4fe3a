"""A tube around a given trajectory: every start within a small distance of it stays near it, with a bounded product.

With L ≥ ‖J‖ over the tube, ‖s_t − ŝ_t‖ ≤ L ‖s_{t−1} − ŝ_{t−1}‖ + d, where d bounds how far a step misses the course.
Around a fixed point the tube closes, and its bound holds for every T; around any other trajectory it holds for that
trajectory's length. A computed trajectory is no exact one: d holds its rounding too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from numeric.interpret import Array
from proofs.guarantee_box import Box, Problem, after, enclose
from proofs.guarantee_gain import Norm, norm_bound, norm_of
from proofs.guarantee_intervals import Interval, Intervals, down, point, up
from proofs.guarantee_rows import Jacobian

RADII = (1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-6)
LONGEST_POWER = 7
"""Products of up to 2⁷ Jacobians are bounded as one, around a fixed point."""
STRETCHES = (2, 5, 10)
"""Steps whose product is bounded as one, along a trajectory."""
SETTLED = 1e-9
CLOSE, TOO_WIDE = 0.02, 10.0
LEAST = 1e-12
"""The least bound on a product from which a rate is taken: one that is 0 falls faster than any ρᵀ."""

States = dict[str, Array]


@dataclass(frozen=True, slots=True)
class Tube:
    """What was found.

    Args:
        kind: ``powers`` around a fixed point, ``chain`` around a trajectory.
        centre: the states along the trajectory, the first one first.
        inputs: the inputs along it.
        radius: distance of the start in the 2-norm of the joint state.
        spread: by how much every input may differ, entry by entry.
        widest: the largest distance from the trajectory.
        norms: of products of Jacobians: of 2ⁱ of them, or of every stretch.
        rho: ρ.
        constant: C.
        steps: the length for which it holds; 0 for every length.
    """

    kind: str
    centre: tuple[States, ...]
    inputs: tuple[States, ...]
    radius: float
    spread: float
    widest: float
    norms: tuple[Norm, ...]
    rho: float
    constant: float
    steps: int


class _Course:
    """A trajectory of states; the first ones are those that the first step looks back at."""

    def __init__(
        self, problem: Problem, states: Sequence[States], inputs: Sequence[States], spread: float
    ) -> None:
        self.problem, self.states, self.inputs, self.spread = problem, states, inputs, spread
        self.depth = max(q.depth for q in problem.derivation.cell.states)
        self.lookback = max([1, *(q.depth + 1 for q in problem.derivation.cell.inputs)])

    def at(self, t: int) -> Problem:
        """The cell with the inputs of step t + 1."""
        last = min(t, len(self.inputs) - 1)
        seen = self.inputs[max(0, last - self.lookback + 1) : last + 1]
        near = [_near(given, self.spread) for given in seen]
        joined = {k: reduce(Interval.hull, [n[k] for n in near]) for k in near[0]}
        p = self.problem
        return Problem(p.step, p.fixed, joined)

    def state(self, t: int) -> States:
        """ŝ_t; t = 0 is where the first step starts."""
        return self.states[min(t + self.depth - 1, len(self.states) - 1)]

    def around(self, t: int, radius: float) -> Box:
        """The box around what step t + 1 looks back at."""
        found: dict[Any, Interval] = {}
        for lag in range(1, self.depth + 1):
            near = _near(self.state(t + 1 - lag), radius)
            found |= {(k, lag): v for k, v in near.items()}
        return found | {k: v for (k, lag), v in found.items() if lag == 1}

    def missed(self, t: int) -> float:
        """How far step t + 1 from the trajectory itself may end from it."""
        reached = after(self.at(t), self.around(t, 0.0))
        there, ar = self.state(t + 1), Intervals()
        total = sum(float((ar.add(reached[k], point(-there[k])).size ** 2).sum()) for k in there)
        return float(up(np.array(np.sqrt(total) * (1 + 1e-12))))

    def jacobian(self, t: int, radius: float) -> Interval:
        """J of step t + 1 for every state in the ball."""
        problem = self.at(t)
        values = enclose(problem, self.around(t, radius))
        return Jacobian(problem, values).over()


def _near(centre: States, radius: float) -> dict[str, Interval]:
    if radius == 0:
        return {k: point(v) for k, v in centre.items()}
    return {k: Interval(down(v - radius), up(v + radius)) for k, v in centre.items()}


def around_fixed_point(
    problem: Problem,
    state: States,
    inputs: States,
    *,
    spread: float = 0.0,
    radii: Sequence[float] = RADII,
) -> Tube | None:
    """The widest closed tube with at least half the rate of the best, or ``None`` if none closes.

    Args:
        problem: the cell.
        state: the states at rest.
        inputs: the inputs, the same at every step.
        spread: by how much every entry of them may differ.
        radii: the distances of the start to try.
    """
    course = _Course(
        problem, [state] * max(q.depth for q in problem.derivation.cell.states), (inputs,), spread
    )
    drift = course.missed(0)
    if not drift <= max(SETTLED, 1e3 * spread):
        return None
    found = [tube for radius in radii if (tube := _closed(course, radius, drift)) is not None]
    best = min((np.log(tube.rho) for tube in found), default=0.0)
    return next((tube for tube in found if np.log(tube.rho) <= best / 2), None)


def _closed(course: _Course, radius: float, drift: float) -> Tube | None:
    """2ⁱ-step products over a box wide enough for the way there and back; of those that close, the smallest ρ."""
    ar, best = Intervals(), None
    for room in (1.0, 2.0, 4.0, 8.0):
        widest = room * radius
        power, norms = course.jacobian(0, widest), list[Norm]()
        for i in range(LONGEST_POWER + 1):
            norms.append(norm_of(power))
            bound, steps = norms[-1].bound, range(1 << i)
            if not bound < 1e6:
                break
            drifted = drift * _stray(norms)
            strayed = max(_product(norms, j) for j in steps) * radius + drifted
            if bound * radius + drifted <= radius and strayed <= widest:
                rate = max(bound, LEAST) ** (1.0 / (1 << i))
                rho = float(up(np.array(rate * (1 + 1e-9))))
                c = max([1.0, *(_product(norms, j) / rho**j for j in steps)]) * (1 + 1e-9)
                if rho < 1 and (best is None or rho < best.rho):
                    best = Tube("powers", tuple(course.states), tuple(course.inputs), radius, course.spread,
                                widest, tuple(norms), rho, c, 0)  # fmt: skip
            power = ar.matmul(power, power)
    return best


def _product(norms: Sequence[Norm], j: int) -> float:
    """A bound on every product of j Jacobians."""
    found = 1.0 + 1e-12
    for i, norm in enumerate(norms):
        if j >> i & 1:
            found *= norm.bound
    return found * (1 + 1e-12)


def _stray(norms: Sequence[Norm]) -> float:
    """Σ over j < 2ⁱ of those bounds: what a drift in every step adds up to."""
    return sum(_product(norms, j) for j in range(1 << (len(norms) - 1)))


def along(
    problem: Problem,
    states: Sequence[States],
    inputs: Sequence[States],
    *,
    spread: float = 0.0,
    radii: Sequence[float] = RADII,
) -> Tube | None:
    """The tube around a trajectory of T steps: the widest with at least half the rate of the thinnest.

    Args:
        problem: the cell.
        states: ŝ_{1−d} … ŝ_T for a cell that looks back d steps.
        inputs: x_1 … x_T.
        spread: by how much every entry of them may differ.
        radii: the distances of the start to try, the largest first.
    """
    course = _Course(problem, states, inputs, spread)
    missed = [course.missed(t) for t in range(len(inputs))]
    best = thin = _open(course, missed, radii[-1])
    low, high = 0, len(radii) - 1  # radii[high] will do
    while thin is not None and low < high:
        middle = (low + high) // 2
        found = _open(course, missed, radii[middle])
        enough = thin.rho**0.5 if thin.rho < 1 else thin.rho + CLOSE
        if found is not None and found.rho <= enough:
            best, high = found, middle
        else:
            low = middle + 1
    return best


def _open(course: _Course, missed: Sequence[float], start: float) -> Tube | None:
    """The best bounds over stretches of one length; ``None`` if the tube grows without bound."""
    steps, radius, widest = list[Interval](), start, start
    for t, d in enumerate(missed):
        steps.append(course.jacobian(t, radius))
        radius = float(up(np.array((norm_bound(steps[-1]) * radius + d) * (1 + 1e-12))))
        widest = max(widest, radius)
        if not radius < TOO_WIDE:
            return None
    norms = min((_stretches(steps, length) for length in STRETCHES), key=_log_product)
    rho = float(up(np.array(np.exp(_log_product(norms) / len(missed)) * (1 + 1e-9))))
    return Tube("chain", tuple(course.states), tuple(course.inputs), start, course.spread, widest,
                tuple(norms), rho, 1.0, len(missed))  # fmt: skip


def _stretches(steps: Sequence[Interval], length: int) -> list[Norm]:
    """Bounds on the products of every ``length`` steps."""
    found: list[Norm] = []
    for first in range(0, len(steps), length):
        found.append(norm_of(reduce(_then, steps[first : first + length])))
    return found


def _then(product: Interval, step: Interval) -> Interval:
    return Intervals().matmul(step, product)


def _log_product(norms: Sequence[Norm]) -> float:
    return float(sum(np.log(n.bound) if n.bound > 0 else -np.inf for n in norms))
