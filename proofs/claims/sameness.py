"""Whether two cells are the same up to the names of their quantities and the order of sums and products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from random import Random
from typing import Any

import numpy as np
from sympy.matrices.expressions import HadamardProduct, MatAdd, MatrixSymbol

from derive.cell import Cell
from derive.expressions import Elementwise, Timed, add, operands, split_coefficient, with_operands
from derive.notation import Notation
from derive.text import TextPrinter
from proofs.claims.points import Context, field_world, freed
from proofs.claims.world import Extent, World, is_bias
from proofs.point import draw_sizes
from proofs.unrolled import Place

MAX_TRIES = 20_000
Names = dict[str, str]


def renaming(cell: Cell, other: Cell) -> Names | None:
    """Names of ``other`` for the names of ``cell`` under which they are the same cell, proved at a random run.

    Args:
        cell: the judged cell.
        other: the cell that it is said to be.
    """
    if len(cell.equations) != len(other.equations):
        return None
    for names in _Matcher(cell, other).matches():
        if agree(cell, other, names):
            return names
    return None


def agree(cell: Cell, other: Cell, names: Names) -> bool:
    """Whether both cells give the same values at a random run modulo a prime.

    A constant without a declared value may have any, the other cell's too; two declared values must be equal.
    """
    if _other_values(cell, other, names):
        return False
    cell, other = freed(cell, *names), freed(other, *names.values())
    rng = Random(3)  # noqa: S311 - no secret
    sizes = draw_sizes(cell, rng)
    extent = Extent(sizes, 3)
    ours = field_world(Context(cell, None), extent, 11)
    field = ours.arithmetic
    back = {theirs: mine for mine, theirs in names.items()}
    theirs_sizes: dict[Any, int] = {}
    for q in other.quantities:
        for theirs, side in zip(q.shape, ours.shape(back[q.name]), strict=True):
            if theirs.is_Symbol:
                theirs_sizes[theirs] = side
    if set(theirs_sizes) != set(other.dims):
        return False

    def draw(place: Place, _: tuple[int, int]) -> Any:
        return ours.given[back[place[0]], place[1]]

    try:
        world = World(other, None, Extent(theirs_sizes, 3), field, draw)
    except (ValueError, KeyError):
        return False
    pairs = [
        (ours.values[mine, t], world.values[names[mine], t])
        for (mine, t) in ours.values
        if (names[mine], t) in world.values
    ]
    return all(a.shape == b.shape and bool(np.all(np.equal(a, b))) for a, b in pairs)


def _other_values(cell: Cell, other: Cell, names: Names) -> list[str]:
    """The constants that are declared with another value than in the other cell, in words."""
    pairs = [(cell.quantity(mine), other.quantity(theirs)) for mine, theirs in names.items()]
    return [
        f"{q.name} = {q.value}, where {other.name} has {twin.value}"
        for q, twin in pairs
        if None not in (q.value, twin.value) and q.value != twin.value
    ]


class _Matcher:
    """Backtracking over the order of equations, sums and products."""

    def __init__(self, cell: Cell, other: Cell) -> None:
        self.cell, self.other, self.tries = cell, other, 0

    def matches(self) -> Iterator[Names]:
        yield from self.equations(list(self.cell.equations), list(self.other.equations), {})

    def equations(self, left: list[Any], right: list[Any], names: Names) -> Iterator[Names]:
        if not left:
            yield names
            return
        first, *rest = left
        for i, candidate in enumerate(right):
            for found in self.pair(first.target, candidate.target, names):
                for more in self.pair(first.expr, candidate.expr, found):
                    yield from self.equations(rest, right[:i] + right[i + 1 :], more)

    def pair(self, a: Any, b: Any, names: Names) -> Iterator[Names]:
        """The renamings that extend ``names`` and make a into b."""
        self.tries += 1
        if self.tries > MAX_TRIES or type(a) is not type(b):
            return
        if isinstance(a, Timed | MatrixSymbol):
            same_lag = not isinstance(a, Timed) or a.lag == b.lag
            if (
                same_lag
                and names.get(a.name, b.name) == b.name
                and (a.name in names or b.name not in names.values())
            ):
                yield {**names, a.name: b.name}
            return
        (c, core), (d, other) = split_coefficient(a), split_coefficient(b)
        if c != d or len(operands(core)) != len(operands(other)) or type(core) is not type(other):
            return
        if isinstance(core, Elementwise) and core.function != other.function:
            return
        orders = (
            permutations(operands(other))
            if isinstance(core, MatAdd | HadamardProduct)
            else [operands(other)]
        )
        for order in orders:
            yield from self.all(list(operands(core)), list(order), names)

    def all(self, left: list[Any], right: list[Any], names: Names) -> Iterator[Names]:
        if not left:
            yield names
            return
        for found in self.pair(left[0], right[0], names):
            yield from self.all(left[1:], right[1:], found)


def without_bias(cell: Cell) -> Cell | None:
    """The cell with its biases left out of every sum; ``None`` if it has none."""
    biases = {q.name for q in cell.quantities if is_bias(q)}
    if not biases:
        return None

    def bare(expr: Any) -> Any:
        kept = [bare(part) for part in operands(expr) if getattr(part, "name", "") not in biases]
        if isinstance(expr, MatAdd):
            return add(*kept)
        return with_operands(expr, kept) if kept else expr

    equations = tuple(replace(e, expr=bare(e.expr)) for e in cell.equations)
    return replace(
        cell,
        equations=equations,
        quantities=tuple(q for q in cell.quantities if q.name not in biases),
    )


def differences(cell: Cell, other: Cell) -> list[str]:
    """What differs, in words: declared values where nothing else does, else equations of the same name."""
    names = renaming(freed(cell, *(q.name for q in cell.constants)), other)
    if names is not None:
        return _other_values(cell, other, names)
    by_name = {e.target.name: e for e in other.equations}
    ours, theirs = TextPrinter(Notation({})), TextPrinter(Notation({}))
    same = {q.name: q.name for q in cell.quantities}
    found: list[str] = []
    for e in cell.equations:
        twin = by_name.get(e.target.name)
        if (
            twin is not None
            and next(_Matcher(cell, other).pair(e.expr, twin.expr, same), None) is None
        ):
            found.append(
                f"{e.target.name}[t] = {ours(e.expr)}, where {other.name} has {theirs(twin.expr)}"
            )
    return found
