"""The shape of a part of a formula, in the cell's own dimensions, where no run is needed to tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derive.cell import Quantity
from proofs.claims.syntax import Big, Call, Chain, Deriv, Node, Open, Qty, Transposed

Shape = tuple[Any, Any]
"""Rows and columns: SymPy's whole numbers, or dimensions."""


def shape_of(node: Node, by_name: Mapping[str, Quantity]) -> Shape | None:
    """Rows and columns; ``None`` where they are not told.

    Args:
        node: of a formula.
        by_name: the cell's quantities.
    """
    match node:
        case Qty(name=name) if name in by_name:
            return by_name[name].shape
        case Transposed(of=of) if (inner := shape_of(of, by_name)) is not None:
            return inner[1], inner[0]
        case Deriv(of=Qty(name=of), by=Qty(name=by)) if {of, by} <= by_name.keys():
            rows, cols = by_name[of].shape, by_name[by].shape
            return rows[0] * rows[1], cols[0] * cols[1]
        case Chain(factors=factors) | Open(factors=factors):
            first, last = shape_of(factors[0], by_name), shape_of(factors[-1], by_name)
            return None if first is None or last is None else (first[0], last[1])
        case Call(name="diag" | "eye", args=(of,)) if (inner := shape_of(of, by_name)) is not None:
            return inner[0], inner[0]
        case Big(body=body):
            return shape_of(body, by_name)
        case _:
            return None


def is_square(node: Node, by_name: Mapping[str, Quantity]) -> bool:
    """Whether a matrix is known to have as many rows as columns."""
    if isinstance(node, Call) and node.name in ("diag", "eye"):
        return True
    shape = shape_of(node, by_name)
    return shape is not None and bool(shape[0] == shape[1])


def may_be_number(node: Node, by_name: Mapping[str, Quantity]) -> bool:
    """Whether a term may be a number, which a sum adds to every entry of the others: W + bᵀ b."""
    shape = shape_of(node, by_name)
    return shape is None or shape == (1, 1)
