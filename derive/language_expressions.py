"""An expression's text to its syntax tree: a whitelist over Python's own ``ast``.

The token checks come first, so that what reaches ``ast.parse`` is short, flat and well formed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from derive.errors import LanguageError
from derive.language_diagonals import is_diagonal, multiplied_out
from derive.language_elsewhere import NUMBERS, written
from derive.language_lines import Statement, Token
from derive.language_order import POWERS, check_order
from derive.language_words import nearest
from derive.syntax import (
    CALLABLE,
    LOSSES,
    MAX_DEPTH,
    MAX_FACTORS,
    MAX_LAG,
    MAX_POWER,
    RESERVED,
    Applied,
    Chain,
    Embedded,
    Literal,
    Loss,
    Node,
    Power,
    Product,
    Ref,
    Span,
    Stack,
    Sum,
    Transposed,
    Unit,
)


@dataclass(frozen=True, slots=True)
class Choices:
    """What names stand for that are no quantities.

    Args:
        functions: the functions that options stand for, by name.
        lags: the lags that options stand for, by name.
        identity: whether ``I`` is the identity matrix.
    """

    functions: dict[str, str] = field(default_factory=dict)
    lags: dict[str, int] = field(default_factory=dict)
    identity: bool = True


def read_expression(statement: Statement, tokens: tuple[Token, ...], choices: Choices) -> Node:
    """The syntax tree of a run of tokens.

    Raises:
        LanguageError: the tokens are no expression of the language.
    """
    check_order(statement, tokens)
    start, stop = tokens[0].start, tokens[-1].stop
    try:
        tree = ast.parse(f"({statement.code[start:stop]})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise LanguageError(
            "This is not an expression of the language.",
            "Write products with * or @, and close every bracket; name inner parts if it is long.",
            place=statement.place(start, stop),
        ) from None
    return multiplied_out(_Reader(statement, start - 1, choices).node(tree, 0))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns ``ast`` nodes into syntax nodes; ``offset`` is where the parsed text starts in the code."""

    statement: Statement
    offset: int
    choices: Choices

    def span(self, tree: ast.AST) -> Span:
        return Span(
            self.statement, tree.col_offset + self.offset, tree.end_col_offset + self.offset
        )

    def fail(self, tree: ast.AST, problem: str, remedy: str) -> LanguageError:
        return LanguageError(problem, remedy, place=self.span(tree).place)

    def node(self, tree: ast.expr, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.fail(
                tree,
                f"The expression is nested more than {MAX_DEPTH} deep.",
                "Name an inner part and give it an equation of its own.",
            )
        reader = _READERS.get(type(tree))
        if reader is None:
            raise self.fail(
                tree,
                "This is not part of the language.",
                "Use numbers, names, + - * / @ ** .T and functions.",
            )
        return reader(self, tree, depth)

    def constant(self, tree: ast.Constant, depth: int) -> Node:
        span = self.span(tree)
        return Literal(span, Fraction(self.statement.code[span.start : span.stop]))

    def name(self, tree: ast.Name, depth: int) -> Node:
        self.check_name(tree)
        if tree.id == "I" and self.choices.identity:
            return Unit(self.span(tree))
        return Ref(self.span(tree), tree.id, None)

    def check_name(self, tree: ast.Name) -> None:
        name = tree.id
        if name in self.choices.functions or name in CALLABLE:
            matrix = " The identity matrix is I." if name == "identity" else ""
            raise self.fail(
                tree, f"{name} is a function and needs an argument.", f"Write {name}(…).{matrix}"
            )
        if name == "t":
            raise self.fail(
                tree, "t is the time index and no quantity.", "Pass time as an input, e.g. tau[t]."
            )
        if name in self.choices.lags:
            raise self.fail(
                tree, f"{name} is an option for a lag.", f"Use it in an index: [t-{name}]."
            )
        if name in RESERVED:
            raise self.fail(tree, f"{name} is a word of the language.", "Choose another name.")

    def subscript(self, tree: ast.Subscript, depth: int) -> Node:
        if not isinstance(tree.value, ast.Name):
            raise self.fail(
                tree,
                "Only a name takes a time index.",
                "Give the expression a name and an equation.",
            )
        self.check_name(tree.value)
        return Ref(self.span(tree), tree.value.id, self.lag(tree.slice))

    def lag(self, index: ast.expr) -> int:
        """The lag d of an index ``t`` or ``t-d``."""
        match index:
            case ast.Name(id="t"):
                return 0
            case ast.BinOp(left=ast.Name(id="t"), op=ast.Sub(), right=step):
                return self.steps(step)
            case ast.BinOp(left=ast.Name(id="t"), op=ast.Add()):
                raise self.fail(
                    index,
                    "The index looks into the future; a step may use the present and the past only.",
                    "Write t or t-1; for the other direction run the cell over the reversed sequence.",
                )
        raise self.fail(
            index, "A time index is t or t-d with a whole number d.", "Write e.g. h[t-1]."
        )

    def steps(self, step: ast.expr) -> int:
        span = self.span(step)
        text = self.statement.code[span.start : span.stop]
        if isinstance(step, ast.Name):
            if step.id in self.choices.lags:
                return self.choices.lags[step.id]
            raise self.fail(
                step,
                f"{step.id} is not a lag: no option of this name was declared.{nearest(step.id, self.choices.lags)}",
                f"Write a whole number, or declare `option {step.id} = 2`.",
            )
        if not (isinstance(step, ast.Constant) and text.isdigit()):
            raise self.fail(
                step,
                f"The lag must be a whole number; found {text}.",
                "Write e.g. h[t-1] or h[t-2].",
            )
        if int(text) > MAX_LAG:
            raise self.fail(
                step, f"The lag is {int(text)}; at most {MAX_LAG} is allowed.", "Use a smaller lag."
            )
        return int(text)

    def attribute(self, tree: ast.Attribute, depth: int) -> Node:
        if tree.attr in NUMBERS:
            raise self.fail(tree, f".{tree.attr} is unknown.", f"Write {NUMBERS[tree.attr]}.")
        if tree.attr != "T":
            raise self.fail(tree, f".{tree.attr} is unknown.", "The transpose is written .T.")
        return Transposed(self.span(tree), self.node(tree.value, depth + 1))

    def call(self, tree: ast.Call, depth: int) -> Node:
        if not isinstance(tree.func, ast.Name):
            raise self.not_called(tree)
        name = self.choices.functions.get(tree.func.id, tree.func.id)
        if name not in CALLABLE:
            known = (*CALLABLE, *self.choices.functions)
            instead = written(name)
            raise self.fail(
                tree.func,
                f"{name} is not a function of the language.{'' if instead else nearest(name, known)}",
                f"Write {instead}." if instead else f"The functions are {', '.join(known)}.",
            )
        parts = tuple(self.node(part, depth + 1) for part in tree.args)
        if name == "concat" and parts:
            return Stack(self.span(tree), parts)
        if name in LOSSES or name == "embed":
            return self.pair(tree, name, parts)
        if len(parts) != 1:
            remedy = f"Write {name}(x)."
            if name in ("sum", "mean"):
                remedy += (
                    " It takes all entries; the sums of the rows of a matrix A are A @ repeat(1).T."
                )
            raise self.fail(tree, f"{name} takes one argument; found {len(parts)}.", remedy)
        return Applied(self.span(tree), name, parts[0])

    def not_called(self, tree: ast.Call) -> LanguageError:
        """What is called by another way than its name: ``np.tanh(a)``, ``W.dot(a)``."""
        if isinstance(tree.func, ast.Attribute):
            name = tree.func.attr.lower()
            instead = f"{name}(…)" if name in CALLABLE else written(name)
            if instead:
                problem = "Functions belong to no module and to no quantity; they are called by their name alone."
                return self.fail(tree.func, problem, f"Write {instead}.")
        return self.fail(tree, "Only a named function is called.", "Write a * or @ for a product.")

    def pair(self, tree: ast.Call, name: str, parts: tuple[Node, ...]) -> Node:
        """A loss or an embedding."""
        what, example = "a prediction and a target", "(y[t], target[t])"
        if name == "embed":
            what, example = "a matrix and an index", "(E, word[t])"
        if len(parts) != 2:
            raise self.fail(
                tree,
                f"{name} takes {what}; found {len(parts)} arguments.",
                f"Write {name}{example}.",
            )
        span = self.span(tree)
        return Embedded(span, *parts) if name == "embed" else Loss(span, name, *parts)

    def unary(self, tree: ast.UnaryOp, depth: int) -> Node:
        operand = self.node(tree.operand, depth + 1)
        if isinstance(tree.op, ast.UAdd):
            return operand
        if isinstance(operand, Literal):
            return Literal(self.span(tree), -operand.value)
        if isinstance(operand, Applied) and is_diagonal(operand):
            inner = Sum(operand.of.span, ((-1, operand.of),))
            return Applied(self.span(tree), operand.function, inner)
        return Sum(self.span(tree), ((-1, operand),))

    def binary(self, tree: ast.BinOp, depth: int) -> Node:
        if isinstance(tree.op, ast.Pow):
            return self.power(tree, depth)
        family = next((f for f in _FAMILIES if isinstance(tree.op, f)), None)
        if family is None:
            raise self.fail(
                tree, "This operator is not part of the language.", "Use + - * / @ and **."
            )
        spine, left = [], tree
        while isinstance(left, ast.BinOp) and isinstance(left.op, family):
            spine.append((left.op, left.right))
            left = left.left
        parts = [(1, self.node(left, depth + 1))]
        for op, right in reversed(spine):
            parts.append(
                (-1 if isinstance(op, ast.Sub | ast.Div) else 1, self.node(right, depth + 1))
            )
        if len(parts) > MAX_FACTORS and ast.Add not in family:
            raise self.fail(
                tree,
                f"The product has {len(parts)} factors; at most {MAX_FACTORS} are read.",
                "Name a part of it and give it an equation of its own.",
            )
        return _combine(self.span(tree), family, parts)

    def power(self, tree: ast.BinOp, depth: int) -> Node:
        exponent = self.node(tree.right, depth + 1)
        if not isinstance(exponent, Literal) or exponent.value.denominator != 1:
            raise self.fail(tree.right, "The exponent must be a whole number.", POWERS)
        if abs(exponent.value) > MAX_POWER:
            raise self.fail(
                tree.right,
                f"The exponent must lie between -{MAX_POWER} and {MAX_POWER}.",
                "Use exp and log.",
            )
        return Power(self.span(tree), self.node(tree.left, depth + 1), int(exponent.value))


def _combine(span: Span, family: tuple[type, ...], parts: list[tuple[int, Node]]) -> Node:
    if ast.Add in family:
        return Sum(span, tuple(parts))
    if ast.Mult in family:
        return Product(span, tuple(parts))
    return Chain(span, tuple(part for _, part in parts))


_FAMILIES: tuple[tuple[type, ...], ...] = ((ast.Add, ast.Sub), (ast.Mult, ast.Div), (ast.MatMult,))
_READERS: dict[type[ast.AST], Callable[[_Reader, Any, int], Node]] = {
    ast.Constant: _Reader.constant,
    ast.Name: _Reader.name,
    ast.Subscript: _Reader.subscript,
    ast.Attribute: _Reader.attribute,
    ast.Call: _Reader.call,
    ast.UnaryOp: _Reader.unary,
    ast.BinOp: _Reader.binary,
}
