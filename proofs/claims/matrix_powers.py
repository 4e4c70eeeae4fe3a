"""Powers of square matrices: in mathematics ``W^2`` is W W and ``W^{t-k}`` a product of t - k factors, not of entries.

Of a vector, as in ``1 - h_t^2``, a power is that of every entry; so it is of a diagonal matrix, where both agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from derive.cell import Cell, Quantity
from proofs.claims.shapes import is_square, shape_of
from proofs.claims.syntax import (
    Add,
    Big,
    Call,
    Formula,
    Index,
    Mul,
    Node,
    Num,
    Pow,
    Steps,
    indices,
    map_nodes,
    walk,
)

LETTERS = "jilmqrsuvwpzabcdefghkno"
"""Of the index over which a power is a product, the first that is free."""
_ONE = Index((), 1)


def with_matrix_powers(formula: Formula, cell: Cell | None) -> Formula:
    """A formula of LaTeX with powers of square matrices as products.

    Law: A^m is the product of m factors A; for m = 0 it is the identity.

    Args:
        formula: as it is written, every power one of entries.
        cell: whose quantities have the shapes.
    """
    by_name = {q.name: q for q in cell.quantities} if cell else {}

    def change(node: Node) -> Node:
        steps = _steps(node, by_name)
        if steps is None or not isinstance(node, Pow):
            return node
        parts = list(walk(node))
        taken = {name for part in parts for index in indices(part) for name, _ in index.terms}
        taken |= (
            by_name.keys()
            | {part.var for part in parts if isinstance(part, Big)}
            | dict(steps.terms).keys()
        )
        var = next(letter for letter in LETTERS if letter not in taken)
        return Big(
            where=node.where,
            kind="product",
            var=var,
            lo=_ONE,
            hi=steps,
            descending=False,
            body=node.base,
        )

    return replace(
        formula, left=map_nodes(formula.left, change), right=map_nodes(formula.right, change)
    )


def _steps(node: Node, by_name: Mapping[str, Quantity]) -> Index | None:
    """How many factors a power has, if it is one of a square matrix; ``None`` if it is not."""
    match node:
        case Pow(base=base, exponent=Steps(index=index)) if _square(base, by_name):
            return index
        case Pow(base=Call(name="diag" | "eye")):
            return None
        case Pow(base=base, exponent=Num(value=value)) if (
            _square(base, by_name) and value.denominator == 1 and value >= 0
        ):
            return None if shape_of(base, by_name) == (1, 1) else Index((), int(value))
        case _:
            return None


def _square(node: Node, by_name: Mapping[str, Quantity]) -> bool:
    """Whether a base is a square matrix; a sum or a multiple is where a part of it is."""
    match node:
        case Add(terms=parts) | Mul(factors=parts):
            return any(_square(part, by_name) for _, part in parts)
        case Big(body=body):
            return _square(body, by_name)
        case _:
            return is_square(node, by_name)
