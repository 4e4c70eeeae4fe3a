"""What an edit is: one mistake undone, its kind, its cost, and what it may bring in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from derive.still import still_of
from proofs.claims.paths import activations
from proofs.claims.points import Context
from proofs.claims.printing import show
from proofs.claims.syntax import (
    Big,
    Index,
    Node,
    indices,
    walk,
)

COSTS = {
    "missing transpose": 1,
    "superfluous transpose": 1,
    "wrong order of factors": 2,
    "index off by one": 2,
    "wrong sign": 2,
    "vector for a diagonal matrix": 2,
    "partial taken for total": 3,
    "total taken for partial": 3,
    "one partial taken for another": 3,
    "missing sum over t": 3,
    "truncated sum": 3,
    "wrong index": 3,
    "loss of one step taken for the whole": 3,
    "wrong kind of product": 3,
    "wrong derivative of the activation": 3,
    "derivative at the wrong point": 3,
    "gate for its complement": 3,
    "missing activation": 4,
    "missing outer product": 4,
    "missing sum over the batch": 4,
    "missing derivative of the activation": 4,
    "wrong gate or state": 4,
    "wrong weight or bias": 4,
    "superfluous factor": 5,
    "dropped path": 5,
    "missing term": 6,
    "superfluous term": 6,
    "wrong gate or state, and step": 6,
    "missing factor": 7,
    "another equation": 7,
}


Message = tuple[str, tuple[Node | str | int, ...]]
"""A sentence with places for formulas; it is put together only if it is shown."""


def said(text: str, *parts: Node | str | int) -> Message:
    """A sentence about formulas."""
    return text, parts


@dataclass(frozen=True, slots=True)
class Edit:
    """One mistake undone.

    Args:
        kind: a key of ``COSTS``.
        said: what was wrong.
        node: the formula after it.
    """

    kind: str
    said: Message
    node: Node

    @property
    def message(self) -> str:
        """What was wrong."""
        text, parts = self.said
        return text.format(*(show(p) if isinstance(p, Node) else p for p in parts))

    @property
    def changed(self) -> tuple[Node, Node] | None:
        """The part before and after, where the message says what should stand for what."""
        text, parts = self.said
        nodes = [p for p in parts if isinstance(p, Node)]
        return (nodes[0], nodes[1]) if "{} should be" in text and len(nodes) == 2 else None

    @property
    def cost(self) -> int:
        """How far-fetched it is."""
        return COSTS[self.kind]


Local = tuple[str, Message, Node]
Rule = Callable[[Node, Node | None, "Scope"], Iterator[Local]]


@dataclass(frozen=True)
class Scope:
    """What edits may bring in.

    Args:
        context: the cell and the loss.
        steps: the indices that the formula speaks of, and their neighbours.
        jacobian: whether the left side is a Jacobian, where vectors stand as diagonal matrices.
    """

    context: Context
    steps: tuple[Index, ...]
    jacobian: bool = False
    known: dict[Index, list[tuple[str, tuple[Node, ...]]]] = field(
        default_factory=dict, compare=False
    )

    def activations(self, index: Index) -> list[tuple[str, tuple[Node, ...]]]:
        """The derivative of every function of the cell at a step."""
        if index not in self.known:
            self.known[index] = activations(self.context.cell, index)
        return self.known[index]

    @cached_property
    def timed(self) -> frozenset[str]:
        """The quantities that change with time."""
        cell = self.context.cell
        named = (q.name for q in cell.quantities if q.role not in ("parameter", "constant"))
        return frozenset(named) - still_of(cell)

    @property
    def loss(self) -> str:
        """The loss's name, empty if there is none."""
        return self.context.loss.name if self.context.loss else ""

    def shape(self, name: str) -> tuple[object, object] | None:
        """The symbolic shape of a quantity."""
        for q in self.context.cell.quantities:
            if q.name == name:
                return q.shape
        return None


def scope_of(formula_nodes: tuple[Node, ...], context: Context, *, jacobian: bool) -> Scope:
    """The scope of a formula."""
    found = dict.fromkeys(
        i
        for side in formula_nodes
        for n in walk(side)
        if not isinstance(n, Big)
        for i in indices(n)
        if i.terms or i.constant > 0
    )
    return Scope(context, tuple(found)[:5], jacobian)
