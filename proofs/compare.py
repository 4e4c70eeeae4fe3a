"""Gradients against gradients, block by block: every parameter, every input at every step, every initial value.

Blocks are compared by norm: entry by entry a relative error has no bound where an entry happens to vanish.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from proofs.arithmetic import Array
from proofs.samples import Values
from proofs.unrolled import Place

FLOOR = 1e-4
"""A block smaller than this share of the largest one is measured against that share: rounding has its size."""


ROUNDING = 1e-10
"""Relative error in norm that double precision stays well below at the sizes used here."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two gradients are apart.

    Args:
        errors: relative error in norm, by place.
    """

    errors: dict[Place, float]

    @property
    def worst(self) -> float:
        """The largest relative error; infinite if nothing was compared."""
        return max(self.errors.values(), default=float("inf"))

    def wrong(self, bound: float) -> list[Place]:
        """The places whose error exceeds a bound, worst first."""
        bad = [(place, e) for place, e in self.errors.items() if not e <= bound]
        return [place for place, _ in sorted(bad, key=lambda item: -item[1])]


def worst_of(comparisons: Iterable[Comparison]) -> Comparison:
    """The largest error of every place in several comparisons."""
    errors: dict[Place, float] = {}
    for comparison in comparisons:
        for place, error in comparison.errors.items():
            errors[place] = max(error, errors.get(place, 0.0))
    return Comparison(errors)


def in_every_bit(found: Values, true: Values) -> Comparison:
    """Nothing where a place of ``true`` is equal in every bit, infinite where it is not."""
    return Comparison(
        {
            p: 0.0 if p in found and np.array_equal(found[p], v) else float("inf")
            for p, v in true.items()
        }
    )


def compare(found: Values, true: Values, floor: float = FLOOR) -> Comparison:
    """‖found − true‖ / ‖true‖ for every place of ``true``; a place that is missing counts as infinitely wrong."""
    norms = {place: _norm(v) for place, v in true.items()}
    least = floor * max(norms.values(), default=0.0)
    errors: dict[Place, float] = {}
    for place, value in true.items():
        if place not in found:
            errors[place] = float("inf")
            continue
        difference = _norm(np.asarray(found[place]) - value)
        scale = max(norms[place], least)
        error = difference / scale if scale else (0.0 if difference == 0 else float("inf"))
        errors[place] = float("inf") if np.isnan(error) else error
    return Comparison(errors)


def compare_runs(found: Values, true: Values, floor: float = FLOOR) -> Comparison:
    """As ``compare``, of two runs that must be the same: what is not finite in both alike counts as equal."""
    pairs = {p: _where_finite(found[p], value) for p, value in true.items() if p in found}
    mine = {p: a for p, (a, _) in pairs.items()}
    return compare(mine, {p: pairs[p][1] if p in pairs else v for p, v in true.items()}, floor)


def _where_finite(a: object, b: object) -> tuple[Array, Array]:
    """Both arrays, with 0 where neither is finite and they are alike."""
    x, y = np.asarray(a), np.asarray(b)
    if x.shape != y.shape:
        return x, y
    alike = ~np.isfinite(y) & ((x == y) | (np.isnan(x) & np.isnan(y)))
    return np.where(alike, 0, x), np.where(alike, 0, y)


def along(gradient: Values, directions: Values, slopes: dict[Place, float]) -> Comparison:
    """⟨gradient, direction⟩ against slopes, relative to ‖gradient‖ ‖direction‖ or the slope, whichever is larger."""
    sizes = {
        p: float(np.linalg.norm(gradient[p]) * np.linalg.norm(d)) for p, d in directions.items()
    }
    least = 1e-4 * max([*sizes.values(), *map(abs, slopes.values())])
    errors: dict[Place, float] = {}
    for place, direction in directions.items():
        difference = abs(float(np.sum(gradient[place] * direction)) - slopes[place])
        scale = max(abs(slopes[place]), sizes[place], least)
        error = difference / scale if scale else 0.0
        errors[place] = error if np.isfinite(error) else float("inf")
    return Comparison(errors)


def _norm(values: object) -> float:
    return float(np.linalg.norm(np.asarray(values).ravel()))
