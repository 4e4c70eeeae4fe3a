"""The grammar of claims: what a formula says, before it is known what it means.

    claim  ::= expr == expr | expr ~= expr (within number)? | expr <= expr | expr >= expr | cell is NAME
    expr   ::= number | [number, …] | [[…], …] | name | name[index] | deriv
             | expr + expr | expr - expr | - expr | expr * expr | expr / expr | expr @ expr | expr · expr
             | expr ** expr | expr.T | function(expr, …)
             | sum(var, (lo..hi,)? expr) | product(var, lo..hi, (descending,)? expr)
    deriv  ::= du[i]/dv[j]      total: through every path
             | d+u[i]/dv[j]     immediate: the equation of u alone, all else held fixed
             | ∂u[i]/∂v[j]      the author does not say which: every reading is judged
             | local(u[i], v[j])  within the step: earlier steps held fixed
    index  ::= sums of whole numbers and index names; T is the length

``*`` (also ∘, ⊙) acts entry by entry, ``@`` is the matrix product, ``·`` leaves open which product is meant: it
composes derivatives as linear maps, and a vector between them multiplies entry by entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any, dataclass_transform

Where = tuple[int, int]
NOWHERE: Where = (0, 1)
KINDS = ("total", "local", "immediate", "open")


@dataclass(frozen=True, slots=True)
class Index:
    """A time step: a sum of index variables and a whole number."""

    terms: tuple[tuple[str, int], ...] = ()
    constant: int = 0

    def shifted(self, steps: int) -> Index:
        """The index ``steps`` later."""
        return Index(self.terms, self.constant + steps)

    def at(self, places: dict[str, int]) -> int:
        """Its value.

        Raises:
            KeyError: a variable has no value.
        """
        return self.constant + sum(factor * places[name] for name, factor in self.terms)


class _Hashed:
    """Room for the hash of what never changes: it takes a walk over all parts, and is asked for at every look-up."""

    __slots__ = ("_hash",)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def _node(kind: type[Any]) -> Any:
    """A frozen dataclass of a part of a formula, which finds its hash once."""
    made = dataclass(frozen=True, slots=True)(kind)
    found = made.__hash__

    def once(self: Any) -> int:
        try:
            return self._hash
        except AttributeError:
            object.__setattr__(self, "_hash", found(self))
            return self._hash

    made.__hash__ = once
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(_Hashed):
    """A part of a formula; equal parts are equal wherever they stand."""

    where: Where = field(default=NOWHERE, compare=False)


@_node
class Num(Node):
    """A number, exact; ``unit`` is one in its last written digit."""

    value: Fraction
    unit: Fraction = Fraction(1)


@_node
class Literal(Node):
    """A matrix of numbers, by rows; a single list is a column."""

    rows: tuple[tuple[Node, ...], ...]


@_node
class Qty(Node):
    """A quantity of the cell at a step, or a parameter, or the loss (a term of it, with an index)."""

    name: str
    index: Index | None = None


@_node
class Deriv(Node):
    """∂of/∂by; ``kind`` is one of ``KINDS``."""

    kind: str
    of: Node
    by: Qty


@_node
class Add(Node):
    """Terms, each with its sign."""

    terms: tuple[tuple[int, Node], ...]


@_node
class Mul(Node):
    """Factors entry by entry, each with exponent 1 or −1."""

    factors: tuple[tuple[int, Node], ...]


@_node
class Chain(Node):
    """The matrix product of factors."""

    factors: tuple[Node, ...]


@_node
class Open(Node):
    """Factors joined by a product that the author does not name."""

    factors: tuple[Node, ...]


@_node
class Steps(Node):
    """A number of steps, as an exponent."""

    index: Index


@_node
class Pow(Node):
    """Every entry of the base raised to a power."""

    base: Node
    exponent: Node


@_node
class Transposed(Node):
    """The transpose."""

    of: Node


@_node
class Call(Node):
    """A function of the claim language."""

    name: str
    args: tuple[Node, ...]


@_node
class Big(Node):
    """A sum or a product over an index; a descending product has its last factor first."""

    kind: str
    var: str
    lo: Index
    hi: Index
    descending: bool
    body: Node


RELATIONS = ("==", "~=", "<=", ">=")


@dataclass(frozen=True, slots=True)
class Formula:
    """``left relation right``, with a tolerance where the relation is ~=."""

    left: Node
    relation: str
    right: Node
    within: Fraction | None = None

    @property
    def ordered(self) -> tuple[Node, Node]:
        """The side that an inequality says is the smaller, and the larger."""
        return (self.right, self.left) if self.relation == ">=" else (self.left, self.right)


def children(node: Node) -> tuple[Node, ...]:
    """The operands of a node, in order."""
    match node:
        case Add(terms=pairs) | Mul(factors=pairs):
            return tuple(part for _, part in pairs)
        case Chain(factors=parts) | Open(factors=parts) | Call(args=parts):
            return parts
        case Literal(rows=rows):
            return tuple(part for row in rows for part in row)
        case Pow(base=base, exponent=exponent):
            return (base, exponent)
        case Transposed(of=of) | Big(body=of):
            return (of,)
        case Deriv(of=of, by=by):
            return (of, by)
        case _:
            return ()


def with_children(node: Node, new: tuple[Node, ...]) -> Node:
    """The same node over other operands."""
    match node:
        case Add(terms=pairs):
            return replace(
                node, terms=tuple((s, part) for (s, _), part in zip(pairs, new, strict=True))
            )
        case Mul(factors=pairs):
            return replace(
                node, factors=tuple((s, part) for (s, _), part in zip(pairs, new, strict=True))
            )
        case Chain() | Open():
            return replace(node, factors=new)
        case Call():
            return replace(node, args=new)
        case Literal(rows=rows):
            width = len(rows[0])
            return replace(
                node, rows=tuple(new[i * width : (i + 1) * width] for i in range(len(rows)))
            )
        case Pow():
            return replace(node, base=new[0], exponent=new[1])
        case Transposed():
            return replace(node, of=new[0])
        case Big():
            return replace(node, body=new[0])
        case Deriv():
            return replace(node, of=new[0], by=new[1])
        case _:
            return node


def walk(node: Node) -> Iterator[Node]:
    """Every node, parents before children, left to right."""
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        stack.extend(reversed(children(top)))


def map_nodes(node: Node, change: Any) -> Node:
    """The formula with ``change`` applied to every node, operands first."""
    parts = children(node)
    new = tuple(map_nodes(part, change) for part in parts)
    return change(
        node
        if new == parts and all(a is b for a, b in zip(new, parts, strict=True))
        else with_children(node, new)
    )


def indices(node: Node) -> Iterator[Index]:
    """The indices that a node itself carries."""
    for name in _indexed(type(node)):
        if (value := getattr(node, name)) is not None:
            yield value


@cache
def _indexed(kind: type[Any]) -> tuple[str, ...]:
    """The names of a node's fields that are indices."""
    return tuple(f.name for f in fields(kind) if str(f.type).startswith("Index"))


KEPT = 2**15
"""How many parts of formulas are remembered with what was found out about them."""


def free_variables(node: Node) -> list[str]:
    """Index variables that no sum or product binds, T excepted, in order of appearance."""
    return list(_free(node))


@lru_cache(KEPT)
def _free(node: Node) -> tuple[str, ...]:
    own = [name for index in indices(node) for name, _ in index.terms if name != "T"]
    bound = node.var if isinstance(node, Big) else ""
    below = [name for part in children(node) for name in _free(part) if name != bound]
    return tuple(dict.fromkeys((*own, *below)))


@lru_cache(KEPT)
def size_of(node: Node) -> int:
    """How many nodes a formula has."""
    return 1 + sum(map(size_of, children(node)))
