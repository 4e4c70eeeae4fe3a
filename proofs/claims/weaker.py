"""Checks that people make instead of a proof, and that accept a formula all the same.

A comparison of numbers with a tolerance says little where all numbers are small: the size of weights, states and inputs
is found below which the usual tolerance no longer sees the error.
"""

from __future__ import annotations

import numpy as np

from proofs.arithmetic import Array
from proofs.claims.meaning import Meaning, Reading
from proofs.claims.points import Context, compared
from proofs.claims.syntax import Formula
from proofs.claims.values import MeaninglessError
from proofs.claims.world import Extent, World
from proofs.floats import Floats
from proofs.unrolled import Place

TOLERANCE = 1e-3
"""The relative tolerance that gradient checkers use."""
FLOOR = 1e-5
"""Their absolute tolerance."""
SIZES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
STEPS = 3
SEED = 8


def accepted_by(formula: Formula, context: Context, reading: Reading) -> tuple[str, ...]:
    """Weaker checks that a false formula passes, in words; none where none of these does."""
    found = (
        ["a check of shapes alone"] if _compared(formula, context, reading, 1.0) is not None else []
    )
    if _points_the_right_way(formula, context, reading):
        found.append("training: the two sides point the same way, so a loss still goes down")
    size = next((s for s in SIZES if _close(formula, context, reading, s)), None)
    if size is not None:
        found.append(
            f"a numeric check to {TOLERANCE:g}, where weights, states and inputs have size {size:g}"
        )
    return tuple(found)


def _compared(
    formula: Formula, context: Context, reading: Reading, size: float
) -> list[tuple[Array, Array]] | None:
    """Both sides at a run whose numbers are of one size, wherever the formula speaks."""
    rng = np.random.default_rng(SEED)

    def draw(place: Place, shape: tuple[int, int]) -> Array:
        scale = 1.0 if "/" in place[0] else size
        return scale * rng.uniform(-1, 1, shape)

    sizes = {d: 2 + i for i, d in enumerate(context.cell.dims)}
    with np.errstate(all="ignore"):
        try:
            world = World(
                context.cell, context.loss, Extent(sizes, STEPS), Floats(), draw, context.conditions
            )
            pairs = [(p.left, p.right) for p in compared(formula, Meaning(world, reading))]
        except (MeaninglessError, ArithmeticError, ValueError):
            return None
    return pairs or None


def _close(formula: Formula, context: Context, reading: Reading, size: float) -> bool:
    pairs = _compared(formula, context, reading, size)
    return pairs is not None and all(
        np.allclose(b, a, rtol=TOLERANCE, atol=FLOOR) for a, b in pairs
    )


def _points_the_right_way(formula: Formula, context: Context, reading: Reading) -> bool:
    pairs = _compared(formula, context, reading, 0.5)
    return pairs is not None and all(float(np.sum(a * b)) > 0 or not a.any() for a, b in pairs)
