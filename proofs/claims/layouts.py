"""Formulas translated from another layout into the house's, by moving transposes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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


def translated(formula: Formula, layout: str, loss: str) -> Formula:
    """The same statement in house layout; ``loss`` is the name of the loss."""
    if layout == "row":
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
        case Qty() | Deriv():
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
    if isinstance(of, Qty | Deriv):
        return _transposed(leaf(of))
    if leaf is _same:
        return _transposed(_flipped(of, leaf))
    return of


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
