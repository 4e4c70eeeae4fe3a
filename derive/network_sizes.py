"""Sizes within a segment: where a size only ever occurs within one sum, that sum is one size there.

A scan over ``concat(f.h[t], b.h[t])`` sees n + k rows and can tell neither n nor k; if it starts from f besides, it
knows n, and still k as part of the sum alone. So its cell has one size where the network has the sum.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Integer, Symbol

from derive.cell import Cell, Equation, Quantity


def with_joint_sizes(cell: Cell) -> tuple[Cell, dict[Expr, Expr]]:
    """The cell with one size for every sum within which alone a size occurs, and what each new size is.

    Law: if every shape with c·d in it has c·(d + rest) in it, the cell depends on d through d + rest alone.
    """
    joint: dict[Expr, Expr] = {}
    taken = {str(d) for d in cell.dims} | {q.name for q in cell.quantities}
    accompanied = True
    while accompanied:
        accompanied = [(d, rest) for d in cell.dims if (rest := _company(cell, d)) != 0]
        for d, rest in accompanied[:1]:
            fresh = _fresh(cell, d, taken)
            joint[fresh] = (d + rest).xreplace(joint)
            cell = _swapped(cell, d, fresh, rest)
    return cell, joint


def _company(cell: Cell, d: Expr) -> Expr:
    """What stands beside a size in every shape that has it, as often as the size itself; often nothing."""
    having = {side for q in cell.quantities for side in q.shape if side.has(d)}
    if not having or d in having:
        return Integer(0)
    others = (Integer(1), *(e for e in cell.dims if e != d))
    return sum((min(_times(s, e) // _times(s, d) for s in having) * e for e in others), Integer(0))


def _times(side: Expr, d: Expr) -> int:
    """How often a size is in a shape; 1 asks for the number in it."""
    return int(side.as_coefficients_dict()[d])


def _fresh(cell: Cell, d: Expr, taken: set[str]) -> Symbol:
    """A size named after the first quantity that has it."""
    having = [q for q in cell.quantities if any(side.has(d) for side in q.shape)]
    owner = min(having, key=lambda q: q.role != "input")
    name = f"m_{owner.name}"
    while name in taken:
        name += "_"
    taken.add(name)
    return Symbol(name, positive=True, integer=True)


def _swapped(cell: Cell, d: Expr, fresh: Expr, rest: Expr) -> Cell:
    """The cell with ``fresh`` for every d + rest."""
    swap = {d: fresh - rest}

    def quantity(q: Quantity) -> Quantity:
        rows, cols = (side.xreplace(swap) for side in q.shape)
        return replace(q, shape=(rows, cols))

    quantities = tuple(map(quantity, cell.quantities))
    used = {s for q in quantities for side in q.shape for s in side.free_symbols}
    equations = tuple(
        Equation(e.target.xreplace(swap), e.expr.xreplace(swap), e.line) for e in cell.equations
    )
    dims = tuple(e for e in (fresh if e == d else e for e in cell.dims) if e in used)
    return replace(cell, equations=equations, quantities=quantities, dims=dims)
