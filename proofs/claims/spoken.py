"""Of which steps an identity speaks, beside an inequality that is to rest on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from proofs.claims.meaning import Reading
from proofs.claims.measured import Measured
from proofs.claims.points import Context, compared, steps_of
from proofs.claims.syntax import Formula
from proofs.claims.values import MeaninglessError
from proofs.claims.world import Draw, Extent, OutsideError, World
from proofs.floats import Floats

LONGER = (0, 1, 3)
"""By how many steps the runs are longer in which the places are looked at, of which a formula speaks."""
Looked = Callable[[Measured, dict[str, int]], bool]
"""What must hold besides at a place."""


def covers(
    identity: Formula, formula: Formula, context: Context, also: Looked | None = None
) -> bool:
    """Whether an identity says something wherever an inequality does.

    Both are read at runs of several lengths: a product of fewer than no factors has no value, nor has the derivative
    of what comes first by what comes later; and a vector stands for a diagonal matrix in a product, not in a norm.

    Args:
        identity: what is known.
        formula: the inequality.
        context: what both are about.
        also: what must hold wherever the identity speaks.
    """
    for more in LONGER:
        meaning = Measured(real_world(formula, context, more), Reading())
        try:
            with np.errstate(all="ignore"):
                ours = _places(identity, meaning)
                if not _places(formula, meaning) <= ours:
                    return False
                if also and not all(_holds(also, meaning, dict(at)) for at in ours):
                    return False
        except MeaninglessError:
            return False
    return True


def _holds(also: Looked, meaning: Measured, at: dict[str, int]) -> bool:
    try:
        return also(meaning, {**at, "T": meaning.world.steps})
    except OutsideError:
        return False


def _places(formula: Formula, meaning: Measured) -> set[frozenset[tuple[str, int]]]:
    return {frozenset(pair.places.items()) for pair in compared(formula, meaning)}


def real_world(formula: Formula, context: Context, more: int) -> World:
    """A run of real numbers in which all sizes differ."""
    alike, short = "n=1" in context.conditions, "T=1" in context.conditions
    sizes = {d: 1 if alike else 2 + i for i, d in enumerate(context.cell.dims)}
    extent = Extent(sizes, 1 if short else steps_of(formula, context) + more)
    rng = np.random.default_rng(more)
    draw: Draw = lambda _, shape: rng.uniform(-1, 1, shape)  # noqa: E731 - its type is the point
    return World(context.cell, context.loss, extent, Floats(), draw, context.conditions)
