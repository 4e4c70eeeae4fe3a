"""Sizes read off the shapes of arguments: an axis that has a size, a multiple of it, or sums that tell it together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import lcm

from sympy import Expr, Integer, Matrix

from derive.cell import Cell, Quantity
from derive.errors import ShapeError
from numeric.body import axes

Place = tuple[Quantity, int]
"""An argument, and an axis among its own."""


def parameter_size(q: Quantity, axis: int) -> str:
    """The code of the length of a parameter's axis."""
    return f'size_of("params", params, "{q.name}", {axis}, {len(own_axes(q))})'


@dataclass(frozen=True, slots=True)
class Reading:
    """``size = (Σ factor · length of an axis − constant) / divisor``.

    Args:
        terms: the factors, each with its place.
        constant: what is taken off.
        divisor: by what the rest is divided.
    """

    terms: tuple[tuple[int, Place], ...]
    constant: int = 0
    divisor: int = 1

    @property
    def arguments(self) -> tuple[Quantity, ...]:
        """Whose shapes are read."""
        return tuple(q for _, (q, _) in self.terms)

    def text(self, length: Callable[[Quantity, int], str]) -> str:
        """The code of the size, from that of an argument's length along an axis."""
        text = ""
        for factor, place in sorted(self.terms, key=lambda term: term[0] < 0):
            shown = length(*place) if abs(factor) == 1 else f"{abs(factor)} * {length(*place)}"
            text += f" {'+' if factor > 0 else '-'} {shown}" if text else shown
        text += f" - {self.constant}" if self.constant else ""
        if self.divisor == 1:
            return text
        several = len(self.terms) > 1 or self.constant
        return f"({text}) // {self.divisor}" if several else f"{text} // {self.divisor}"


def own_axes(q: Quantity) -> list[Expr]:
    """The sizes of the axes of a quantity as it is passed: without steps and samples."""
    return axes(q, timed=q.role != "parameter")


def readings(cell: Cell) -> dict[Expr, Reading]:
    """How each free size of a cell is found in its arguments; parameters before inputs, and those before states.

    Raises:
        ShapeError: sizes that occur in sums only, which do not tell them.
    """
    inputs = (q for q in cell.inputs if q.kind != "index")
    memory = (q for q in (*cell.states, *cell.inputs) if q.depth)
    places: dict[Expr, Place] = {}
    for q in (*cell.parameters, *inputs, *memory):
        for axis, side in enumerate(own_axes(q)):
            places.setdefault(side, (q, axis))
    return {d: _alone(d, places) or _solved(d, cell, places) for d in cell.dims}


def _alone(d: Expr, places: dict[Expr, Place]) -> Reading | None:
    """From an axis that has the size, or a multiple of it."""
    if d in places:
        return Reading(((1, places[d]),))
    for side, place in places.items():
        times, size = side.as_coeff_Mul()
        if size == d:
            return Reading(((1, place),), divisor=int(times))
    return None


def _solved(d: Expr, cell: Cell, places: dict[Expr, Place]) -> Reading:
    """From several axes, by elimination: d = Σ cᵢ · (sideᵢ − its number)."""
    columns = [[side.as_coefficients_dict()[e] for e in cell.dims] for side in places]
    table = Matrix(columns).T
    basis = table.rref()[1]
    try:
        found, _ = table[:, list(basis)].gauss_jordan_solve(
            Matrix([int(e == d) for e in cell.dims])
        )
    except ValueError:
        raise _untold(d, cell, list(places)) from None
    sides = [list(places)[i] for i in basis]
    divisor = lcm(*(int(c.q) for c in found))
    factors = [(int(c * divisor), side) for c, side in zip(found, sides, strict=True) if c]
    constant = sum(f * int(side.as_coefficients_dict()[Integer(1)]) for f, side in factors)
    return Reading(tuple((f, places[side]) for f, side in factors), constant, divisor)


def _untold(d: Expr, cell: Cell, sides: list[Expr]) -> ShapeError:
    sums = ", ".join(str(side) for side in sides if side.has(d))
    return ShapeError(
        f"{cell.name}: the size {d} cannot be found in the arguments of generated code, which show it only "
        f"within {sums}.",
        "Declare one size where there is a sum.",
    )
