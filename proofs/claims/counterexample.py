"""The smallest counterexample: few units, few steps, small numbers, and both sides evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from random import Random

import numpy as np

from proofs.arithmetic import Array
from proofs.claims.meaning import Reading
from proofs.claims.measured import Measured
from proofs.claims.points import Compared, Context, compared, outside, steps_of
from proofs.claims.syntax import Formula
from proofs.claims.values import MeaninglessError
from proofs.claims.world import Extent, World
from proofs.floats import Floats
from proofs.unrolled import Place

DRAWS = 24
POINTS = 8
"""How many runs are tried for one in which a formula has a value."""
CLEAR = 1e-6
"""A difference of numbers of size 1 far above rounding, which is 1e-13 in runs this short."""
_ENTRIES = (0, 1, 1, -1, 2, Fraction(1, 2))
_SPECIAL = (
    ((0, 2), (1, 0)), ((0, 1), (2, 0)), ((0, 1), (0, 0)), ((0, 2), (0, 0)), ((0, -1), (1, 0)), ((0, 1), (1, 0)),
    ((1, 1), (0, 1)), ((2, 0), (0, Fraction(1, 2))), ((1, -1), (1, 1)), ((0, Fraction(1, 2)), (2, 0)),
)  # fmt: skip
"""Square matrices that random entries seldom make: permutations with weights, nilpotent ones, rotations, shears."""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Numbers for which the two sides differ.

    Args:
        extent: sizes and T, in words.
        values: of everything given that is not zero, by name and step.
        places: the steps of the free indices.
        left: the left side.
        right: the right side.
    """

    extent: str
    values: dict[Place, Array]
    places: dict[str, int]
    left: Array
    right: Array

    def text(self) -> str:
        """In words, on a few lines."""
        given = ", ".join(f"{name_of(p)} = {show_array(a)}" for p, a in self.values.items())
        at = ", ".join(f"{k} = {v}" for k, v in self.places.items())
        return (
            f"{self.extent}{'; ' + at if at else ''}; {given + ', all else 0' if given else 'all 0'}: "
            f"left {show_array(self.left)}, right {show_array(self.right)}"
        )


def name_of(place: Place) -> str:
    """``W`` or ``h[0]``; the loss's gradient as a quotient."""
    name, step = place
    if step is None:
        return name
    return "/".join(f"{part}[{step}]" for part in name.split("/"))


def show_array(a: Array) -> str:
    """A matrix by rows, a column as a list, a number as itself."""
    rows, cols = a.shape
    if rows == cols == 1:
        return _number(a[0, 0])
    if cols == 1:
        return "[" + ", ".join(_number(v) for v in a[:, 0]) + "]"
    return "[" + "; ".join(" ".join(_number(v) for v in row) for row in a) + "]"


def _number(v: float) -> str:
    nearest = Fraction(float(v)).limit_denominator(12)
    if abs(float(v) - nearest) < 1e-12:
        return str(nearest)
    return f"{float(v):.4g}"


def small_extents(context: Context, least: int) -> Iterator[Extent]:
    """Sizes and lengths, the smallest first."""
    dims = context.cell.dims
    for steps in (max(1, least), max(1, least) + 1, max(1, least) + 2):
        for size in (1, 2):
            if "n=1" in context.conditions and size > 1:
                continue
            sizes = dict.fromkeys(dims, size)
            if all(side.subs(sizes) >= 1 for q in context.cell.quantities for side in q.shape):
                yield Extent(sizes, 1 if "T=1" in context.conditions else steps)


def find(
    formula: Formula, context: Context, reading: Reading, *, least: int = 1, seed: int = 0
) -> Counterexample | None:
    """A counterexample, or ``None`` if none was found.

    Args:
        formula: what is refuted.
        context: the cell, the loss, the conditions under which it is to fail.
        reading: how it is read.
        least: the least length to try.
        seed: of the numbers tried.
    """
    rng = Random(seed)  # noqa: S311 - no secret
    for extent in small_extents(context, least):
        for _ in range(DRAWS):
            values: dict[Place, Array] = {}
            failing = _failure(formula, context, reading, extent, values, rng)
            if failing is not None:
                return _shrunk(formula, context, reading, extent, values)
    for extent in small_extents(context, least):
        for values in _special(context, extent, rng):
            if _failure(formula, context, reading, extent, values, None) is not None:
                return _shrunk(formula, context, reading, extent, values)
    return None


def _special(context: Context, extent: Extent, rng: Random) -> Iterator[dict[Place, Array]]:
    """Square parameters that are special, each in turn beside any others, where all else is 0."""
    square = [
        q.name
        for q in context.cell.parameters
        if q.shape[0] == q.shape[1] and extent.sizes.get(q.shape[0]) == 2
    ]
    for name in square:
        for matrix in _SPECIAL:
            chosen = {q: rng.choice(_SPECIAL) for q in square} | {name: matrix}
            yield {(q, None): np.array(m, dtype=float) for q, m in chosen.items()}


def unspoken(formula: Formula, context: Context) -> MeaninglessError | None:
    """Why a formula has no value, at runs whose sizes all differ; ``None`` if it has one."""
    sizes = {
        d: 1 if "n=1" in context.conditions else 2 + i for i, d in enumerate(context.cell.dims)
    }
    extent = Extent(sizes, steps_of(formula, context))
    for seed in range(POINTS):
        rng = np.random.default_rng(seed)

        def draw(_: Place, shape: tuple[int, int], rng: np.random.Generator = rng) -> Array:
            return rng.uniform(-1, 1, shape)

        with np.errstate(all="ignore"):
            try:
                world = World(
                    context.cell, context.loss, extent, Floats(), draw, context.conditions
                )
                meaning = Measured(world, Reading())
                pairs = list(compared(formula, meaning))
                if not pairs:
                    return MeaninglessError(outside(formula, meaning), (0, 0))
                if any(np.all(np.isfinite((p.left, p.right))) for p in pairs):
                    return None
            except MeaninglessError as error:
                return error
            except (ArithmeticError, ValueError):
                continue
    return MeaninglessError("no run gives it a value", (0, 0))


def _failure(
    formula: Formula,
    context: Context,
    reading: Reading,
    extent: Extent,
    values: dict[Place, Array],
    rng: Random | None,
) -> tuple[Compared, World] | None:
    """The first choice of indices at which the sides differ; missing values are drawn and kept."""
    indices = _indices(context)

    def draw(place: Place, shape: tuple[int, int]) -> Array:
        if place not in values and place[0] in indices:
            chosen = rng.randrange(shape[0]) if rng else 0
            values[place] = np.eye(shape[0])[:, [chosen]]
        if place not in values:
            entries = [
                float(rng.choice(_ENTRIES)) if rng else 0.0 for _ in range(shape[0] * shape[1])
            ]
            values[place] = np.array(entries).reshape(shape)
        return values[place]

    with np.errstate(all="ignore"):
        try:
            world = World(context.cell, context.loss, extent, Floats(), draw, context.conditions)
            for pair in compared(formula, Measured(world, reading)):
                if differs(pair, formula.relation):
                    return pair, world
        except (MeaninglessError, ArithmeticError, ValueError):
            return None
    return None


def _indices(context: Context) -> set[str]:
    """Inputs that are whole numbers, each the column with a 1 in that place: no other column refutes anything."""
    return {q.name for q in context.cell.inputs if q.kind == "index"}


def differs(pair: Compared, relation: str = "==") -> bool:
    """Whether the relation fails by more than rounding could."""
    if not (np.all(np.isfinite(pair.left)) and np.all(np.isfinite(pair.right))):
        return False
    scale = max(1.0, float(np.max(np.abs(pair.left))), float(np.max(np.abs(pair.right))))
    gap = pair.left - pair.right
    gap = gap if relation == "<=" else -gap if relation == ">=" else np.abs(gap)
    return float(np.max(gap)) > CLEAR * scale


def _shrunk(
    formula: Formula, context: Context, reading: Reading, extent: Extent, values: dict[Place, Array]
) -> Counterexample:
    """Every entry set to 0 or 1 as long as the sides still differ."""
    for place in [place for place in values if place[0] not in _indices(context)]:
        whole = dict(values)
        for entry in np.ndindex(values[place].shape):
            for simple in (0.0, 1.0):
                if values[place][entry] == simple:
                    break
                trial = {**whole, place: values[place].copy()}
                trial[place][entry] = simple
                if _failure(formula, context, reading, extent, trial, None) is not None:
                    values[place] = trial[place]
                    whole = dict(values)
                    break
    found = _failure(formula, context, reading, extent, values, None)
    assert found is not None  # noqa: S101 - every accepted step kept the failure
    pair, world = found
    declared = {(name, None): world.given[name, None] for name in context.declared}
    shown = {**declared, **{p: world.given.get(p, a) for p, a in values.items()}}
    kept = {p: a for p, a in shown.items() if np.any(a)}
    return Counterexample(extent.beside(pair.places), kept, pair.places, pair.left, pair.right)
