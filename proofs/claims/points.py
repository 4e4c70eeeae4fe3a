"""Formulas at points: random ones modulo a prime, and bounds on the degrees there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import numpy as np

from derive.cell import Cell
from proofs.arithmetic import Array, ArrayArithmetic
from proofs.claims.draws import draws_for
from proofs.claims.meaning import Meaning, Reading
from proofs.claims.orders import farthest, in_order
from proofs.claims.said import Loss
from proofs.claims.syntax import (
    Add,
    Deriv,
    Formula,
    Mul,
    Node,
    Num,
    Pow,
    Qty,
    free_variables,
    indices,
    walk,
)
from proofs.claims.values import Algebra, MeaninglessError, Value, different
from proofs.claims.world import BeyondError, Extent, OutsideError, World
from proofs.degrees import Bounds, ErrorBound, bound_for, degrees_of
from proofs.field import MERSENNE_PRIMES, PrimeField, SingularPointError
from proofs.point import DISTINCT, draw_sizes
from proofs.unrolled import Place

PRIME = MERSENNE_PRIMES[1]
MAX_FREE = 3
SHORT = 12
"""Below this length a run of every length is looked at that is shorter than what a formula needs."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a formula is about.

    Args:
        cell: the cell.
        loss: the loss.
        conditions: what is presumed.
    """

    cell: Cell
    loss: Loss | None
    conditions: frozenset[str] = frozenset()

    def under(self, *more: str) -> Context:
        """With more conditions."""
        return dataclasses.replace(self, conditions=self.conditions | set(more))

    @property
    def declared(self) -> dict[str, Fraction]:
        """The constants that have a declared value."""
        return {q.name: q.value for q in self.cell.quantities if q.value is not None}

    def freed(self, *names: str) -> Context:
        """The same where these constants may have any value, whatever is declared."""
        return dataclasses.replace(self, cell=freed(self.cell, *names))


def freed(cell: Cell, *names: str) -> Cell:
    """The cell without the declared values of these constants."""
    quantities = tuple(
        dataclasses.replace(q, value=None) if q.name in names else q for q in cell.quantities
    )
    return dataclasses.replace(cell, quantities=quantities)


def steps_of(formula: Formula, context: Context) -> int:
    """A length that every step a formula names lies well within, and two choices of each free index."""
    if "T=1" in context.conditions:
        return 1
    named = [i for s in (formula.left, formula.right) for n in walk(s) for i in indices(n)]
    fixed = [i.constant for i in named if not i.terms]
    shifts = [0, *(i.constant for i in named if i.terms)]
    depth = context.cell.depth
    fixed.append(farthest(context.conditions) + 1)
    return max(3, depth + 2, max(shifts) - min(shifts) + 1, *(c + 1 for c in fixed))


def extents(formula: Formula, context: Context, rng: Random, count: int) -> Iterator[Extent]:
    """Sizes and lengths at which a formula is judged, all dimensions different."""
    for i in range(count):
        sizes = draw_sizes(context.cell, rng, 2, 3 + min(len(context.cell.dims), DISTINCT))
        if "n=1" in context.conditions:
            sizes = dict.fromkeys(sizes, 1)
        more = 0 if "T=1" in context.conditions else i
        yield Extent(sizes, steps_of(formula, context) + more)


def other_extents(formula: Formula, context: Context, rng: Random) -> Iterator[Extent]:
    """Shorter runs and a longer one, each of other sizes: what holds for some lengths or sizes only fails here.

    All lengths are looked at where what a formula names at the end of a run can be before its beginning.
    """
    least, depth = steps_of(formula, context), context.cell.depth
    near = {*range(1, min(least, SHORT)), depth - 1, depth, depth + 1} & {*range(1, least)}
    lengths = [*sorted(near), least + 3 + rng.randrange(3)]
    for steps in [1] if "T=1" in context.conditions else lengths:
        sizes = draw_sizes(context.cell, rng, 2, 4 + min(len(context.cell.dims), DISTINCT))
        if "n=1" in context.conditions:
            sizes = dict.fromkeys(sizes, 1)
        yield Extent(sizes, steps)


def field_world(context: Context, extent: Extent, seed: int, prime: int = PRIME) -> World:
    """A run at a random point modulo a prime."""
    field = PrimeField(prime, seed)
    return World(
        context.cell,
        context.loss,
        extent,
        field,
        lambda _, shape: field.random(shape),
        context.conditions,
    )


def field_worlds(formula: Formula, context: Context, rng: Random, count: int) -> list[World]:
    """Several of them; a point at which a denominator vanishes is drawn again."""
    return _worlds(formula, context, rng, extents(formula, context, rng, count))


def other_worlds(formula: Formula, context: Context) -> list[World]:
    """Runs of other lengths and sizes, in which what was found to hold is looked at once more."""
    rng = Random(draws_for(formula, context.cell.text).salt)  # noqa: S311 - no secret
    return _worlds(formula, context, rng, other_extents(formula, context, rng))


def _worlds(
    formula: Formula, context: Context, rng: Random, found_extents: Iterator[Extent]
) -> list[World]:
    found: list[World] = []
    draws = draws_for(formula, context.cell.text)
    for extent in found_extents:
        for _ in range(8):
            seed = rng.randrange(2**62) ^ draws.salt
            try:
                found.append(field_world(context, extent, seed, draws.prime))
                break
            except SingularPointError:
                continue
    return found


def places_of(formula: Formula, world: World) -> Iterator[dict[str, int]]:
    """Every choice of the free indices: t is a step of the run, any other may also be the initial one."""
    names = list(dict.fromkeys([*free_variables(formula.left), *free_variables(formula.right)]))
    ranges = [
        range(1, world.steps + 1) if name == "t" else range(world.steps + 1)
        for name in names[:MAX_FREE]
    ]
    for choice in product(*ranges):
        places = dict(zip(names, choice, strict=False))
        last = "last step" not in world.conditions or places.get("t", world.steps) == world.steps
        if last and in_order(world.conditions, places, world.steps):
            yield places


@dataclass(frozen=True, slots=True)
class Compared:
    """Both sides of a formula at one choice of its free indices.

    Args:
        places: the choice.
        left: the left side's value.
        right: the right side's, over the same shape.
    """

    places: dict[str, int]
    left: Array
    right: Array

    @property
    def equal(self) -> bool:
        """Whether all entries are equal."""
        return bool(np.all(np.equal(self.left, self.right)))


def compared(formula: Formula, meaning: Meaning) -> Iterator[Compared]:
    """Both sides wherever the formula speaks of steps that the run has.

    Raises:
        MeaninglessError: shapes cannot agree; or, once all is compared, a sum or product goes beyond every run.
    """
    beyond: BeyondError | None = None
    between = {*free_variables(formula.right)} - {*free_variables(formula.left)}
    for places in places_of(formula, meaning.world):
        if _backwards(formula.left, places) or _backwards(formula.right, places, between):
            continue
        try:
            left, right = meaning(formula.left, places, "left"), meaning(formula.right, places)
        except OutsideError as error:
            beyond = error if isinstance(error, BeyondError) else beyond
            continue
        if is_number(formula.right):
            right = spread(meaning.algebra, right, left)
        elif is_number(formula.left):
            left = spread(meaning.algebra, left, right)
        a, b = different(left, right, meaning.algebra)
        yield Compared(places, a, b)
    if beyond is not None:
        raise MeaninglessError(f"it speaks of {beyond}, which no run has", formula.right.where)


def outside(formula: Formula, meaning: Meaning) -> str:
    """What a formula speaks of that the run does not have, in words."""
    missing = ""
    for places in places_of(formula, meaning.world):
        for side in ("left", "right"):
            try:
                meaning(formula.left if side == "left" else formula.right, places, side)
            except OutsideError as error:
                missing = str(error)
            except MeaninglessError:
                continue  # where its steps do not exist, its shapes are not the trouble
    return (
        f"it speaks of {missing}, which no run has" if missing else "it speaks of no step of a run"
    )


def _backwards(side: Node, places: dict[str, int], between: set[str] | None = None) -> bool:
    """Whether a side differentiates by something later: two free indices are meant in order.

    Args:
        side: of the formula.
        places: the steps of its free indices.
        between: if given, only what is said with one of these indices counts.
    """
    for part in walk(side):
        if isinstance(part, Deriv) and isinstance(part.of, Qty) and part.of.index and part.by.index:
            of, by = part.of.index, part.by.index
            names = {name for name, _ in (*of.terms, *by.terms)}
            counts = names <= places.keys() and (between is None or names & between)
            if counts and of.terms != by.terms and of.at(places) < by.at(places):
                return True
    return False


def is_number(node: Node) -> bool:
    """Whether a side is a number written out, which then stands for every entry of the other: 0, −1, 1/4."""
    return all(isinstance(part, Num | Add | Mul | Pow) for part in walk(node))


def spread(algebra: Algebra, number: Value, like: Value) -> Value:
    """A number in every entry of another value's shape."""
    ones = algebra.arithmetic.full(like.shape, 1)
    return Value(algebra.arithmetic.mul(ones, number.array), like.rows, like.cols, like.gradient)


def error_bound(
    formula: Formula, context: Context, reading: Reading, worlds: Iterable[World]
) -> ErrorBound:
    """How likely a wrong formula is to hold at all of these points."""
    degrees = [
        degrees_of(lambda b, w=world: _largest(formula, context, reading, w.extent, b))
        for world in worlds
    ]
    return bound_for(degrees, (draws_for(formula, context.cell.text).prime,))


def _largest(
    formula: Formula, context: Context, reading: Reading, extent: Extent, bounds: Bounds
) -> int:
    arithmetic: ArrayArithmetic = bounds

    def draw(_: Place, shape: tuple[int, int]) -> Any:
        return bounds.leaf(shape)

    world = World(context.cell, context.loss, extent, arithmetic, draw, context.conditions)
    found = 0
    for pair in compared(formula, Meaning(world, reading)):
        found = max(found, int(pair.left.max(initial=0)), int(pair.right.max(initial=0)))
    return found + 1
