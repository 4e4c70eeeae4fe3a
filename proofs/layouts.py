"""Whether a derivation in another layout says what it says in the house's.

A layout is read as what it claims to be: its h_bar[t] has the value of the house's, transposed where the layout
has it so. Then every line must say the same on both sides,

        lhs′ = lhs or lhsᵀ,    rhs′ = rhs or rhsᵀ,

whatever the values of the leaves: they are drawn at random modulo a prime, at random sizes, each apart from all
others. Nothing here knows how a layout's expressions were found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, cast

import numpy as np

from derive.derivation import Derivation
from derive.layouts import Turning, layout_named
from derive.lines import Page
from derive.nodes import Block, ThroughTime, leaves
from proofs.arithmetic import Array
from proofs.degrees import Bounds, ErrorBound, bound_for, degrees_of
from proofs.evaluation import Evaluator
from proofs.field import PrimeField, SingularPointError, regular
from proofs.point import Extent, draw_sizes
from proofs.untyped import Identity, OneMatrix, ZeroMatrix

UNREADABLE = (ValueError, KeyError, TypeError, IndexError)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two expressions that must have one value, up to a transpose.

    Args:
        where: the line, as it is told.
        house: the expression in the house's layout.
        laid: the expression in the other.
        across: whether the other is the transpose.
    """

    where: str
    house: Any
    laid: Any
    across: bool


@dataclass(frozen=True, slots=True)
class LayoutVerdict:
    """What was found about a derivation in a layout.

    Args:
        subject: the cell's name.
        layout: the layout's name.
        compared: the number of expressions compared.
        wrong: lines that differ, and how.
        extents: the sizes of each point.
        bound: the probability that a line that differs was accepted.
    """

    subject: str
    layout: str
    compared: int
    wrong: tuple[str, ...]
    extents: tuple[Extent, ...]
    bound: ErrorBound

    @property
    def ok(self) -> bool:
        """Whether lines were compared, and none differs."""
        compared = self.compared > 0 and bool(self.extents)
        return compared and not self.wrong and self.bound.decides

    def __str__(self) -> str:
        if not self.bound.decides:
            return f"undecided: {self.bound.over} is too large"
        if not self.ok:
            return "\n".join(self.wrong) or "nothing was compared"
        sizes = "; ".join(", ".join(f"{d} = {n}" for d, n in e.sizes.items()) for e in self.extents)
        return (
            f"proved: in {self.layout} layout every line of {self.subject} equals the house layout's, "
            f"modulo a prime at {sizes}; probability that a wrong one passes {self.bound}"
        )

    def to_dict(self) -> dict[str, object]:
        """The verdict as plain data."""
        return {
            "subject": self.subject,
            "layout": self.layout,
            "proved": self.ok,
            "compared": self.compared,
            "wrong": list(self.wrong),
            "sizes": [{str(d): n for d, n in e.sizes.items()} for e in self.extents],
            "error_probability": self.bound.total,
        }


def prove_layout(
    derivation: Derivation,
    layout: str,
    *,
    page: Page | None = None,
    seed: int = 0,
    repeats: int = 2,
) -> LayoutVerdict:
    """Decides whether a derivation in a layout is the house's, line by line.

    Law: expressions that differ agree at all points with a probability of at most ``bound.total``.

    Args:
        derivation: what was derived.
        layout: the layout's name.
        page: its lines in this layout; the derivation's own if left out.
        seed: of sizes and values.
        repeats: number of points, each with sizes of its own.

    Raises:
        ArgumentError: there is no such layout.
    """
    turning = Turning(layout_named(layout), derivation.cell)
    house, laid = derivation.page(), derivation.page(layout) if page is None else page
    lacking = [] if len(house.steps) == len(laid.steps) else ["the pages have different lines"]
    pairs = list(_pairs(house, laid, turning))
    rng = Random(seed)  # noqa: S311 - no secret
    extents = tuple(Extent(_sizes(derivation, pairs, rng), 1, 1) for _ in range(repeats))
    degrees = [degrees_of(lambda b, e=e: _largest(pairs, e, turning, b)) for e in extents]
    bound = bound_for(degrees)
    wrong = [line for e in extents for line in _wrong(pairs, e, bound.prime, rng, turning)]
    every = tuple(dict.fromkeys([*lacking, *wrong]))
    told = tuple(Extent({d: e.sizes[d] for d in derivation.cell.dims}, 1, 1) for e in extents)
    return LayoutVerdict(derivation.cell.name, layout, len(pairs), every, told, bound)


def _pairs(house: Page, laid: Page, turning: Turning) -> Iterator[Pair]:
    """Both sides of every line, and what is written out for a name."""
    for step, other in zip(house.steps, laid.steps, strict=False):
        if step.lhs is not None:
            yield from _sides(f"({step.number}) {other.text}", step, other, turning)
    for (lhs, rhs), (lhs_there, rhs_there) in zip(
        house.across_steps, laid.across_steps, strict=True
    ):
        across, where = turning.turned(lhs), str(_key(lhs)[1])
        yield Pair(where, lhs, lhs_there, across)
        yield Pair(where, rhs, rhs_there, across)
    for name, a in house.notation.assignments.items():
        there = laid.notation.assignments[name]
        across = turning.turned(a.target)
        yield Pair(f"{name}, written out", a.target, there.target, across)
        yield Pair(f"{name}, written out", a.expr, there.expr, across)


def _sides(where: str, step: Any, other: Any, turning: Turning) -> Iterator[Pair]:
    across = turning.turned(step.lhs)
    yield Pair(where, step.lhs, other.lhs, across)
    yield Pair(where, step.rhs, other.rhs, across)


def _sizes(derivation: Derivation, pairs: list[Pair], rng: Random) -> dict[Any, int]:
    """Sizes of the cell's dimensions, and of those that only lines across many steps have."""
    sizes = draw_sizes(derivation.cell, rng)
    names = {
        s for pair in pairs for v in _unknowns(pair.house) for s in _symbols(v) if s not in sizes
    }
    taken = max(sizes.values(), default=1)
    return sizes | {s: taken + i for i, s in enumerate(sorted(names, key=str), 1)}


def _unknowns(expr: Any) -> list[Any]:
    """The leaves that stand for something."""
    return [v for v in leaves(expr) if not isinstance(v, OneMatrix | ZeroMatrix | Identity)]


def _symbols(leaf: Any) -> set[Any]:
    return {s for side in leaf.shape for s in side.free_symbols}


def _key(leaf: Any) -> tuple[Any, ...]:
    """What a leaf is, however it lies."""
    if isinstance(leaf, ThroughTime):
        return (ThroughTime, leaf.text)
    if isinstance(leaf, Block):
        return (Block, leaf.of.name, leaf.of.lag, leaf.by.name, leaf.by.lag)
    return (cast("type[Any]", type(leaf)), leaf.name, getattr(leaf, "lag", 0))


class _Values:
    """The value of every leaf, drawn when it is first met, and seen from either layout."""

    def __init__(
        self,
        pairs: list[Pair],
        evaluate: Evaluator[Array],
        turning: Turning,
        draw: Callable[..., Array],
    ) -> None:
        self.evaluate, self.turning, self.draw = evaluate, turning, draw
        self.known = {_key(v): v for pair in pairs for v in _unknowns(pair.house)}
        self.values: dict[tuple[Any, ...], Array] = {}

    def house(self, leaf: Any) -> Array:
        """v"""
        key = _key(leaf)
        if key not in self.values:
            self.values[key] = self.draw(self.evaluate.shape(leaf))
        return self.values[key]

    def laid(self, leaf: Any) -> Array:
        """v or vᵀ, as the layout has it.

        Raises:
            ValueError: the leaf lies otherwise than the layout has it, or is none of the derivation's.
        """
        own = self.known.get(_key(leaf))
        if own is None:
            raise ValueError(f"{leaf} is nothing of the house layout's derivation")
        across = self.turning.turned(own)
        value = np.swapaxes(self.house(own), -1, -2) if across else self.house(own)
        if value.shape != self.evaluate.shape(leaf):
            raise ValueError(f"{leaf} has shape {leaf.shape}, its value {value.shape}")
        return value


def _wrong(
    pairs: list[Pair], extent: Extent, prime: int, rng: Random, turning: Turning
) -> list[str]:
    """The lines that differ at one random point."""

    def at(seed: int) -> list[str]:
        field = PrimeField(prime, seed)
        evaluate = Evaluator(field, extent.sizes)
        values = _Values(pairs, evaluate, turning, field.random)
        return [line for pair in pairs for line in _difference(pair, evaluate, values)]

    return regular(at, rng)


def _difference(pair: Pair, evaluate: Evaluator[Array], values: _Values) -> Iterator[str]:
    true = evaluate(pair.house, values.house)
    wanted = np.swapaxes(true, -1, -2) if pair.across else true
    try:
        found = evaluate(pair.laid, values.laid)
    except SingularPointError:
        raise
    except UNREADABLE as error:
        yield f"{pair.where}: cannot be evaluated: {error}"
        return
    if found.shape != wanted.shape:
        yield f"{pair.where}: has shape {found.shape}, expected {wanted.shape}"
    elif not np.array_equal(found, wanted):
        yield f"{pair.where}: is not what the house layout says"


def _largest(pairs: list[Pair], extent: Extent, turning: Turning, bounds: Bounds) -> int:
    """The largest bound among all that is compared."""
    evaluate = Evaluator(bounds, extent.sizes)
    values = _Values(pairs, evaluate, turning, bounds.leaf)
    sides = [evaluate(p.house, values.house) for p in pairs]
    for pair in pairs:
        try:
            sides.append(evaluate(pair.laid, values.laid))
        except UNREADABLE:
            continue  # refused where it is judged
    return max(int(side.max(initial=0)) for side in sides)
