"""Formulas translated from another layout into the house's, by moving transposes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from derive.cell import Cell
from proofs.claims.syntax import (
    Big,
    Call,
    Chain,
    Deriv,
    Formula,
    Node,
    Num,
    Pow,
    Qty,
    Transposed,
    children,
    with_children,
)


def in_rows(cell: Cell) -> bool:
    """Whether the states and inputs of a cell are rows, or samples row by row, and none is a column."""
    moving = [q.shape for q in cell.quantities if q.role in ("state", "input")]
    columns = [shape for shape in moving if shape[1] == 1 and shape[0] != 1]
    return not columns and any(shape[1] != 1 for shape in moving)


def translated(formula: Formula, layout: str, loss: str, cell: Cell) -> Formula:
    """The same statement in house layout.

    Args:
        formula: what is said, with nothing left open.
        layout: a key of ``values.LAYOUTS``.
        loss: the name of the loss.
        cell: what it speaks of.
    """
    if layout == "stored":
        columns = {q.name for q in cell.quantities if q.shape[1] == 1 and q.shape[0] != 1}
        left, right = (_stood(side, loss, columns) for side in (formula.left, formula.right))
        if isinstance(left, Transposed):
            left, right = left.of, _flipped(right, leaf=_transposed)
    elif layout == "row":
        left, right = (_flipped(side, leaf=_same) for side in (formula.left, formula.right))
    else:
        left, right = (_leaves(side, layout, loss) for side in (formula.left, formula.right))
        if isinstance(left, Transposed):
            left, right = left.of, _flipped(right, leaf=_transposed)
    return replace(formula, left=left, right=right)


def _same(node: Node) -> Node:
    return node


def _transposed(node: Node) -> Node:
    return node.of if isinstance(node, Transposed) else Transposed(of=node)


def _flipped(node: Node, leaf: Callable[[Node], Node]) -> Node:
    """The transpose of a formula, pushed to its leaves."""
    match node:
        case Qty() | Deriv() | Call(name="slope"):
            return leaf(node)
        case Transposed(of=of):
            return _outside(of, leaf)
        case Chain(factors=factors):
            return Chain(factors=tuple(_flipped(f, leaf) for f in reversed(factors)))
        case Big(kind="product"):
            return replace(node, descending=not node.descending, body=_flipped(node.body, leaf))
        case Num() | Call(name="diag" | "eye"):
            return node
        case Pow(base=base):
            return replace(node, base=_flipped(base, leaf))
        case _:
            return with_children(node, tuple(_flipped(part, leaf) for part in children(node)))


def _outside(of: Node, leaf: Callable[[Node], Node]) -> Node:
    """A part that stood transposed: its transpose cancels the one pushed in, except at leaves."""
    if isinstance(of, Qty | Deriv) or (isinstance(of, Call) and of.name == "slope"):
        return _transposed(leaf(of))
    if leaf is _same:
        return _transposed(_flipped(of, leaf))
    return of


def _stood(node: Node, loss: str, columns: Collection[str]) -> Node:
    """A formula of rows with the columns that they stand for, all transposes at its leaves."""
    match node:
        case Qty(name=name) | Call(name="slope", args=(Qty(name=name),)):
            return Transposed(of=node) if name in columns else node
        case Deriv(of=Qty(name=of), by=Qty(name=by)):
            return Transposed(of=node) if of == loss and by in columns else node
        case Transposed(of=of):
            return _flipped(_stood(of, loss, columns), leaf=_transposed)
        case Call(name="diag" | "eye"):
            return node
        case Call(name="outer", args=(a, b)):
            rows = _stood(a, loss, columns), _stood(b, loss, columns)
            return Chain(factors=(_flipped(rows[0], leaf=_transposed), rows[1]))
        case _:
            parts = tuple(_stood(part, loss, columns) for part in children(node))
            return with_children(node, parts) if parts else node


def _leaves(node: Node, layout: str, loss: str) -> Node:
    """Every derivative with the transpose that the layout implies."""
    if isinstance(node, Deriv):
        by_loss = isinstance(node.of, Qty) and node.of.name == loss
        wanted = by_loss if layout == "numerator" else not by_loss
        return Transposed(of=node) if wanted else node
    parts = children(node)
    return (
        with_children(node, tuple(_leaves(part, layout, loss) for part in parts)) if parts else node
    )
