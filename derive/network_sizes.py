"""Sizes within a segment: what only ever occurs as one sum is one size there.

A scan over ``concat(f.h[t], b.h[t])`` sees n + k rows and can tell neither n nor k. So its cell has one size
where the network has two.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from sympy import Expr, Integer, Symbol

from derive.cell import Cell, Equation, Quantity


def with_joint_sizes(cell: Cell) -> tuple[Cell, dict[Expr, Expr]]:
    """The cell with one size for those that occur together only, and what each new size is.

    Law: sizes with the same coefficients in every shape of the cell occur in it as their sum alone.
    """
    shapes = list(dict.fromkeys(side for q in cell.quantities for side in q.shape))
    alike: dict[tuple[object, ...], list[Expr]] = defaultdict(list)
    for d in cell.dims:
        alike[tuple(side.coeff(d) for side in shapes)].append(d)
    swap: dict[Expr, Expr] = {}
    joint: dict[Expr, Expr] = {}
    taken = {str(d) for d in cell.dims} | {q.name for q in cell.quantities}
    for together in (group for group in alike.values() if len(group) > 1):
        fresh = _fresh(cell, together, taken)
        joint[fresh] = sum(together, Integer(0))
        swap |= {d: Integer(0) for d in together} | {together[0]: fresh}
    return (_swapped(cell, swap), joint) if swap else (cell, {})


def _fresh(cell: Cell, together: list[Expr], taken: set[str]) -> Symbol:
    """A size named after the first quantity that has it."""
    having = [q for q in cell.quantities if any(side.has(together[0]) for side in q.shape)]
    owner = min(having, key=lambda q: q.role != "input")
    name = f"m_{owner.name}"
    while name in taken:
        name += "_"
    taken.add(name)
    return Symbol(name, positive=True, integer=True)


def _swapped(cell: Cell, swap: dict[Expr, Expr]) -> Cell:
    """The cell with other sizes."""

    def quantity(q: Quantity) -> Quantity:
        rows, cols = (side.xreplace(swap) for side in q.shape)
        return replace(q, shape=(rows, cols))

    equations = tuple(
        Equation(e.target.xreplace(swap), e.expr.xreplace(swap), e.line) for e in cell.equations
    )
    dims = tuple(d for d in (swap.get(d, d) for d in cell.dims) if d != 0)
    return replace(
        cell, equations=equations, quantities=tuple(map(quantity, cell.quantities)), dims=dims
    )
