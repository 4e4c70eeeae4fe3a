r"""Names that a document gives to parts of its formulas: ``a_t = W h_{t-1} + U x_t + b`` is put where ``a_t`` stands.

So is ``\delta_t``; what a name stands for is known, but not derivatives by it or of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from derive.errors import LanguageError
from derive.language_lines import Statement
from proofs.claims.cursor import Names
from proofs.claims.latex_looks import plain
from proofs.claims.latex_names import LatexNames
from proofs.claims.latex_signs import ACCENT, Part
from proofs.claims.syntax import (
    Big,
    Call,
    Deriv,
    Formula,
    Index,
    Node,
    Qty,
    map_nodes,
    walk,
)

MAX_NODES = 2_000
_START = re.compile(r"\\?[A-Za-z]+")


@dataclass(slots=True)
class Definitions:
    """What a document has defined so far.

    Args:
        bodies: of each name, with the letter of the step in it.
    """

    bodies: dict[str, tuple[str, Node]] = field(default_factory=dict[str, tuple[str, Node]])

    def known(self, names: Names) -> Names:
        """What a formula may speak of, these names among it."""
        return replace(names, timed=[*names.timed, *self.bodies])

    def new_name(self, side: Sequence[Part], statement: Statement, names: Names) -> str:
        """The name that a side of a formula gives, alone and at a step; empty if it gives none.

        Args:
            side: its tokens.
            statement: where it stands.
            names: what is known already.
        """
        parts = plain(list(side))
        if not parts or not (_START.fullmatch(parts[0].text) or parts[0].text in ACCENT):
            return ""
        cursor = LatexNames(statement, parts, names)
        try:
            word, below, _ = cursor.spelled()
        except LanguageError:
            return ""
        if cursor.skip("^"):
            below.append(cursor.group_text() if cursor.text else "")
        *rest, last = below or [""]
        name = "_".join([word, *rest])
        is_step = re.fullmatch(r"[a-z]", last) is not None and cursor.at == len(parts)
        usable = name not in names and re.fullmatch(r"[A-Za-z]\w*", name) is not None
        return name if is_step and usable else ""

    def define(self, name: str, formula: Formula) -> None:
        """Keep what a name stands for.

        Raises:
            LanguageError: it stands for something that is told by itself.
        """
        left = formula.left
        if formula.relation != "==" or not isinstance(left, Qty) or left.index is None:
            raise LanguageError(f"{name} is no quantity of the cell.", "")
        body = self.in_full(formula.right)
        if any(isinstance(p, Qty) and p.name == name for p in walk(body)):
            raise LanguageError(f"it defines {name} by itself", "")
        self.bodies[name] = left.index.terms[0][0], body

    def spelled_out(self, formula: Formula) -> Formula:
        """A formula with every name that was defined replaced by what it stands for.

        Raises:
            LanguageError: it speaks of a derivative by such a name or of it.
        """
        return replace(formula, left=self.in_full(formula.left), right=self.in_full(formula.right))

    def in_full(self, node: Node) -> Node:
        """A part of a formula, spelled out."""
        for part in walk(node):
            if not isinstance(part, Deriv) and not (
                isinstance(part, Call) and part.name == "slope"
            ):
                continue
            if named := [p for p in walk(part) if isinstance(p, Qty) and p.name in self.bodies]:
                name = named[0].name
                raise LanguageError(
                    f"{name} is no quantity of the cell, and of what it stands for no derivative is known",
                    f"Give the cell an equation for {name}: --cell my.cell.",
                )
        found = map_nodes(node, self._replaced)
        if sum(1 for _ in walk(found)) > MAX_NODES:
            raise LanguageError("it is too long when spelled out", "Name fewer parts.")
        return found

    def _replaced(self, node: Node) -> Node:
        if not (isinstance(node, Qty) and node.name in self.bodies and node.index is not None):
            return node
        step, body = self.bodies[node.name]
        letters = {step, *(name for name, _ in node.index.terms)}
        if any(isinstance(p, Big) and p.var in letters for p in walk(body)):
            raise LanguageError(f"a letter of {node.name} runs within what it stands for", "")
        return _at(body, step, node.index)


def _at(node: Node, step: str, index: Index) -> Node:
    """A formula with another step for a letter."""

    def change(part: Node) -> Node:
        new: dict[str, Any] = {
            entry.name: _shifted(value, step, index)
            for entry in fields(part)
            if isinstance(value := getattr(part, entry.name), Index)
        }
        return replace(part, **new) if new else part

    return map_nodes(node, change)


def _shifted(old: Index, step: str, index: Index) -> Index:
    terms = dict(old.terms)
    factor = terms.pop(step, 0)
    for name, count in index.terms:
        terms[name] = terms.get(name, 0) + factor * count
    kept = tuple((name, count) for name, count in terms.items() if count)
    return Index(kept, old.constant + factor * index.constant)
