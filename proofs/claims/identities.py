"""The identity matrix in LaTeX: ``I`` and ``I_n``, whose size is that of what it stands beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from derive.cell import Cell, Quantity
from derive.errors import LanguageError
from derive.language_lines import Statement
from proofs.claims.cursor import Names
from proofs.claims.shapes import shape_of
from proofs.claims.syntax import Call, Deriv, Formula, Index, Node, Qty, map_nodes, walk

IDENTITY = "I"
_LAST = Index((("T", 1),))


def with_identity(names: Names) -> Names:
    """What a formula of LaTeX may speak of: the identity too, where nothing else has its name."""
    return names if IDENTITY in names else replace(names, identity=IDENTITY)


def sized(formula: Formula, cell: Cell | None, names: Names, statement: Statement) -> Formula:
    """A formula with its identities as large as its sides are, or else as the first square matrix in it.

    Args:
        formula: as it is read.
        cell: whose quantities have the shapes.
        names: what it may speak of.
        statement: where it stands.

    Raises:
        LanguageError: nothing tells how large one is.
    """
    parts = [*walk(formula.left), *walk(formula.right)]
    unit = Qty(name=IDENTITY)
    if not names.identity or unit not in parts:
        return formula
    by_name = {q.name: q for q in cell.quantities} if cell else {}
    size = next(_sizes((formula.left, formula.right, *parts), by_name), None)
    like = None if size is None else _like(size, by_name)
    if like is None or any(unit in (p.of, p.by) for p in parts if isinstance(p, Deriv)):
        raise LanguageError(
            "How large this I is, nothing tells.",
            r"Write \mathrm{eye}(h_t), with as many rows as h_t.",
            place=statement.place(*formula.left.where),
        )

    def change(node: Node) -> Node:
        return Call(where=node.where, name="eye", args=(like,)) if node == unit else node

    return replace(
        formula, left=map_nodes(formula.left, change), right=map_nodes(formula.right, change)
    )


def _sizes(parts: tuple[Node, ...], by_name: Mapping[str, Quantity]) -> Iterator[Any]:
    """How many rows the square matrices among parts have."""
    for part in parts:
        shape = shape_of(part, by_name)
        if shape is not None and shape[0] == shape[1] != 1:
            yield shape[0]


def _like(size: Any, by_name: Mapping[str, Quantity]) -> Qty | None:
    """A quantity with so many rows, a column or a square matrix; one without a step, if there is any."""
    alike = [q for q in by_name.values() if q.shape in ((size, 1), (size, size))]
    still = next((q for q in alike if q.role in ("parameter", "constant")), None)
    if still is not None:
        return Qty(name=still.name)
    return Qty(name=alike[0].name, index=_LAST) if alike else None
