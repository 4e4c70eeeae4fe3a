"""Indices: inputs that are given as whole numbers and stand for one-hot columns.

embed(E, word[t])  =  E @ word[t]      and word is an index
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from derive.errors import LanguageError
from derive.language_declarations import Declaration
from derive.losses import mapped
from derive.syntax import Chain, Embedded, EquationText, Node, Ref


def write_out_embeddings(
    equations: Sequence[EquationText],
) -> tuple[list[EquationText], list[Declaration]]:
    """The equations with every embedding written as a product, and the declarations of their indices.

    Raises:
        LanguageError: an embedding is not of the form ``embed(name, name[t])``.
    """
    found: dict[str, Declaration] = {}

    def write(node: Node) -> Node:
        if not isinstance(node, Embedded):
            return node
        matrix, index = node.matrix, node.index
        if not (isinstance(matrix, Ref) and matrix.lag is None):
            raise LanguageError(
                "The first argument of embed is no parameter.",
                "Write embed(E, word[t]) with a name without a time index; a column of what changes is a product with "
                "an index, K[t] @ word[t] after the line `index word`.",
                place=matrix.span.place,
            )
        if not (isinstance(index, Ref) and index.lag is not None):
            raise LanguageError(
                "The second argument of embed is no input.",
                "Write embed(E, word[t]) with an input of whole numbers.",
                place=index.span.place,
            )
        found.setdefault(index.name, Declaration("index", index.name, index.span, None))
        return Chain(node.span, (matrix, index))

    return [replace(e, value=mapped(e.value, write)) for e in equations], list(found.values())


def each_index_once(declarations: Iterable[Declaration]) -> list[Declaration]:
    """The declarations without repeated indices: embed may name an index that is declared as well."""
    kept: dict[object, Declaration] = {}
    for i, d in enumerate(declarations):
        kept.setdefault(d.name if d.kind == "index" else i, d)
    return list(kept.values())


def kinds_of(declarations: Iterable[Declaration]) -> dict[str, str]:
    """The kind of every input that is not made of real numbers."""
    return {d.name: d.kind for d in declarations if d.kind in ("index", "mask")}


def indices_of(declarations: Iterable[Declaration]) -> frozenset[str]:
    """The inputs that are one-hot columns."""
    return frozenset(d.name for d in declarations if d.kind == "index")
