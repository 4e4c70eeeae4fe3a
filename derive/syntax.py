"""The grammar of the language: what an equation's text says, before shapes are known.

    equation    ::= name[t] = expr | name = expr
    expr        ::= number | name | name[t] | name[t-d]
                  | expr + expr | expr - expr | - expr | expr * expr | expr / expr | expr @ expr
                  | expr ** integer | expr.T
                  | function(expr) | concat(expr, …) | sum(expr) | mean(expr) | logsumexp(expr)
                  | diag(expr) or I in a factor of @ | repeat(expr) | loss(expr, expr) | embed(name, name[t])
    declaration ::= const name (= number)? | dim name = size (, size)? | option name = default (| other)*
                  | init name = kind | index name
    size        ::= sums of whole numbers, names, and whole numbers times names

An equation without an index is one of parameters and of other such names alone, which no step changes.
``*``, ``/`` and ``**`` act entry by entry, ``@`` is the matrix product, ``.T`` transposes. An index is an input
that is given as a whole number and stands for the column with a 1 at this position and 0 elsewhere;
``embed(E, i[t])`` is ``E @ i[t]`` and declares i an index.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from derive.errors import Place
from derive.functions import FUNCTIONS
from derive.language_lines import Statement

MAX_DEPTH = 60
MAX_LAG = 64
MAX_POWER = 32
MAX_FACTORS = 32

FUNCTION_NAMES = (*(name for name, f in FUNCTIONS.items() if not f.internal), "softmax", "identity")
REDUCTIONS = ("sum", "mean", "logsumexp")
LOSSES = ("squared_error", "binary_cross_entropy", "cross_entropy")
CALLABLE = (*FUNCTION_NAMES, "concat", *REDUCTIONS, "diag", "repeat", *LOSSES, "embed")
DECLARATIONS = ("const", "dim", "option", "init", "index")
RESERVED = (*CALLABLE, *DECLARATIONS, "t")


@dataclass(frozen=True, slots=True)
class Span:
    """Characters start ≤ i < stop of a statement."""

    statement: Statement
    start: int
    stop: int

    @property
    def place(self) -> Place:
        """For a caret."""
        return self.statement.place(self.start, self.stop)

    @property
    def text(self) -> str:
        """The characters as their author wrote them, shortened in the middle when there are many."""
        place, text = self.place, self.statement.code[self.start : self.stop]
        if place.width == len(text):
            text = place.text[place.column : place.column + place.width]
        text = " ".join(text.split())
        return text if len(text) <= 60 else f"{text[:40]} … {text[-15:]}"


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A part of an expression; two nodes are equal only if they are the same one."""

    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Literal(Node):
    """A number, exact."""

    value: Fraction


@dataclass(frozen=True, slots=True, eq=False)
class Ref(Node):
    """A quantity: at ``lag`` steps back, or (lag None) without a time index."""

    name: str
    lag: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Unit(Node):
    """The identity matrix; ``derive.language_diagonals`` multiplies it out."""


@dataclass(frozen=True, slots=True, eq=False)
class Sum(Node):
    """Terms, each with its sign."""

    terms: tuple[tuple[int, Node], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Product(Node):
    """Factors entry by entry, each with exponent 1 or −1."""

    factors: tuple[tuple[int, Node], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Chain(Node):
    """The matrix product of factors."""

    factors: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Power(Node):
    """Every entry of the base raised to an integer."""

    base: Node
    exponent: int


@dataclass(frozen=True, slots=True, eq=False)
class Transposed(Node):
    """The transpose."""

    of: Node


@dataclass(frozen=True, slots=True, eq=False)
class Applied(Node):
    """A function of one operand: of ``CALLABLE``, or number, which is what stands before a diagonal matrix."""

    function: str
    of: Node


@dataclass(frozen=True, slots=True, eq=False)
class Stack(Node):
    """Parts on top of one another."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Loss(Node):
    """A loss of a prediction against a target; ``derive.losses`` writes it out."""

    function: str
    prediction: Node
    target: Node


@dataclass(frozen=True, slots=True, eq=False)
class Embedded(Node):
    """The column of a matrix at an index; ``derive.language_indices`` writes it out."""

    matrix: Node
    index: Node


@dataclass(frozen=True, slots=True)
class EquationText:
    """``target[t] = value`` as read, or ``target = value`` if no step changes it."""

    target: str
    target_span: Span
    value: Node
    still: bool = False

    @property
    def statement(self) -> Statement:
        """Where it stands."""
        return self.target_span.statement

    @property
    def line(self) -> int:
        """Its first line."""
        return self.target_span.place.line

    @property
    def text(self) -> str:
        """Its code, shortened in the middle when it is long."""
        return Span(self.statement, 0, len(self.statement.code)).text.strip()


def children(node: Node) -> tuple[Node, ...]:
    """The operands of a node, in order."""
    match node:
        case Sum(_, terms):
            return tuple(term for _, term in terms)
        case Product(_, factors):
            return tuple(factor for _, factor in factors)
        case Chain(_, parts) | Stack(_, parts):
            return parts
        case Loss(_, _, prediction, target):
            return (prediction, target)
        case Embedded(_, matrix, index):
            return (matrix, index)
        case Power(_, of, _) | Transposed(_, of) | Applied(_, _, of):
            return (of,)
        case _:
            return ()


def with_children(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node over changed operands."""
    match node:
        case Sum(_, terms):
            return replace(node, terms=tuple((sign, change(of)) for sign, of in terms))
        case Product(_, factors):
            return replace(node, factors=tuple((k, change(of)) for k, of in factors))
        case Chain(_, factors):
            return replace(node, factors=tuple(map(change, factors)))
        case Stack(_, parts):
            return replace(node, parts=tuple(map(change, parts)))
        case Power(_, base, _):
            return replace(node, base=change(base))
        case Transposed(_, of) | Applied(_, _, of):
            return replace(node, of=change(of))
        case Loss(_, _, prediction, target):
            return replace(node, prediction=change(prediction), target=change(target))
        case Embedded(_, matrix, index):
            return replace(node, matrix=change(matrix), index=change(index))
        case _:
            return node


def postorder(node: Node) -> list[Node]:
    """Every node, operands before what they are operands of, left to right."""
    found, stack = [], [node]
    while stack:
        top = stack.pop()
        found.append(top)
        stack.extend(children(top))
    return found[::-1]


def references(node: Node) -> list[Ref]:
    """The quantities an expression uses, with repetitions, left to right."""
    return [part for part in postorder(node) if isinstance(part, Ref)]
