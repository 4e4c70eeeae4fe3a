"""Syntax trees of known shapes to the matrix expressions of ``derive.expressions``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import Expr, Integer, Rational, Symbol
from sympy.matrices.expressions import MatrixExpr, OneMatrix, ZeroMatrix

from derive import expressions as ex
from derive.cell import Quantity
from derive.diagonals import scaled_product, with_one_scaling
from derive.dimensions import Size, Unknown
from derive.errors import LanguageError
from derive.language_diagonals import is_diagonal
from derive.language_lines import MAX_DIGITS
from derive.language_numbers import parted
from derive.language_zeros import is_zero
from derive.syntax import (
    Applied,
    Chain,
    Literal,
    Node,
    Power,
    Product,
    Ref,
    Span,
    Stack,
    Sum,
    Transposed,
    postorder,
)

MAX_BITS = 2_000
SMALLEST, LARGEST = Fraction(sys.float_info.min), Fraction(sys.float_info.max)


def dimension(size: Size, names: Mapping[Unknown, str]) -> Expr:
    """A size as a SymPy expression over positive integer symbols."""
    total: Expr = Integer(size.constant)
    for v, k in size.terms:
        total += k * Symbol(names[v], positive=True, integer=True)
    return total


def build(
    value: Node,
    quantities: Mapping[str, Quantity],
    shapes: Mapping[Node, tuple[Size, Size]],
    names: Mapping[Unknown, str],
) -> MatrixExpr:
    """The matrix expression of a syntax tree.

    Args:
        value: the tree.
        quantities: by name.
        shapes: (rows, columns) of every node.
        names: names of the unknown sizes.

    Raises:
        LanguageError: a number is divided by zero, or grows beyond bounds.
    """
    builder = _Builder(quantities, shapes, names, {})
    for node in postorder(value):
        builder.done[node] = _bounded(_RULES[type(node)](builder, node), node)
    return builder.done[value]


@dataclass(frozen=True, slots=True)
class _Builder:
    quantities: Mapping[str, Quantity]
    shapes: Mapping[Node, tuple[Size, Size]]
    names: Mapping[Unknown, str]
    done: dict[Node, MatrixExpr]

    def spread(self, part: Node, over: Node) -> MatrixExpr:
        """The part, in every entry of the shape of ``over`` if it is a scalar.

        Of a sum in a sum each term is spread by itself, of a product in a product each factor: brackets that
        change nothing leave no trace.
        """
        expr = self.done[part]
        if self.shapes[part] == self.shapes[over]:
            return expr
        rows, cols = (dimension(size, self.names) for size in self.shapes[over])
        c, core = ex.split_coefficient(expr)
        if isinstance(over, Sum) and len(ex.terms(core)) > 1:
            spread = (ex.broadcast(term, rows, cols) for term in ex.terms(core))
            return ex.scale(c, ex.add(*spread))
        if not isinstance(over, Product):
            return ex.broadcast(expr, rows, cols)
        return ex.broadcast_factors(expr, rows, cols)

    def literal(self, node: Literal) -> MatrixExpr:
        return _number(node.value)

    def ref(self, node: Ref) -> MatrixExpr:
        symbol = self.quantities[node.name].symbol
        return symbol if node.lag is None else symbol.at(node.lag)

    def sum(self, node: Sum) -> MatrixExpr:
        return ex.add(
            *(ex.scale(Integer(sign), self.spread(part, node)) for sign, part in node.terms)
        )

    def product(self, node: Product) -> MatrixExpr:
        parts = []
        for exponent, part in node.factors:
            expr = self.spread(part, node)
            parts.append(expr if exponent == 1 else self.raised(expr, -1, part.span))
        return self.not_zero(with_one_scaling(ex.hadamard(*parts)), node)

    def not_zero(self, expr: MatrixExpr, node: Product | Chain) -> MatrixExpr:
        """The product, unless a factor 0 makes quantities in it vanish."""
        if isinstance(expr, ZeroMatrix) and any(isinstance(v, Ref) for v in postorder(node)):
            raise LanguageError(
                "This product is 0, whatever its other factors are.",
                "Remove it, or write what you mean instead of 0.",
                place=node.span.place,
            )
        return expr

    def power(self, node: Power) -> MatrixExpr:
        return self.raised(self.done[node.base], node.exponent, node.span)

    def raised(self, expr: MatrixExpr, exponent: int, span: Span) -> MatrixExpr:
        """An integer power, entry by entry; powers of numbers are worked out."""
        c, core = ex.split_coefficient(expr)
        if exponent < 0 and is_zero(expr):
            raise LanguageError(
                "Division by zero.", "Divide by something that is not 0.", place=span.place
            )
        if not isinstance(core, OneMatrix) or not c.is_Rational:
            return ex.power(expr, exponent)
        if max(abs(c.p), c.q).bit_length() * abs(exponent) > MAX_BITS:
            raise LanguageError(
                "The number grows too large.",
                "Round it, or declare it with `const`.",
                place=span.place,
            )
        return ex.scale(c**exponent, core)

    def chain(self, node: Chain) -> MatrixExpr:
        factors = [self.done[part] for part in node.factors]
        diagonal = [is_diagonal(part) for part in node.factors]
        return self.not_zero(scaled_product(factors, diagonal), node)

    def transposed(self, node: Transposed) -> MatrixExpr:
        return ex.transpose(self.done[node.of])

    def stack(self, node: Stack) -> MatrixExpr:
        parts = [self.done[part] for part in node.parts]
        return parts[0] if len(parts) == 1 else ex.Concat(*parts)

    def applied(self, node: Applied) -> MatrixExpr:
        operand = self.done[node.of]
        if node.function in ("identity", "diag", "number"):
            return operand  # of diag, the chain around it makes a scaling
        if node.function == "repeat":
            cols = dimension(self.shapes[node][1], self.names)
            return operand if cols == 1 else ex.matmul(operand, ex.ones(1, cols))
        if node.function == "softmax":
            return ex.Softmax(operand)
        if node.function == "logsumexp":
            return ex.LogSumExp(operand)
        if node.function not in ("sum", "mean"):
            return ex.Elementwise(operand, node.function)
        total = ex.total(operand)
        return (
            total
            if node.function == "sum"
            else ex.scale(1 / (operand.shape[0] * operand.shape[1]), total)
        )


def _bounded(expr: MatrixExpr, node: Node) -> MatrixExpr:
    """The expression, unless a number that was worked out in it cannot be written, or no float comes near it."""
    if isinstance(node, Sum | Product | Chain):
        for term in ex.terms(expr):
            c = ex.split_coefficient(term)[0].as_coeff_Mul()[0]
            value = Fraction(int(c.p), int(c.q))
            if value and not SMALLEST <= abs(value) <= LARGEST:
                raise LanguageError(
                    "The number leaves the range of floats, about 1e-308 to 1e308.",
                    "Take other units.",
                    place=node.span.place,
                )
            if parted(value) is None:
                raise LanguageError(
                    f"The numbers make one of more than {MAX_DIGITS} digits.",
                    "Round them, or declare them with `const`.",
                    place=node.span.place,
                )
    return expr


def _number(value: Fraction) -> MatrixExpr:
    return ex.scale(Rational(value.numerator, value.denominator), ex.ones(1, 1))


_RULES: dict[type[Node], Callable[[_Builder, Any], MatrixExpr]] = {
    Literal: _Builder.literal,
    Ref: _Builder.ref,
    Sum: _Builder.sum,
    Product: _Builder.product,
    Chain: _Builder.chain,
    Power: _Builder.power,
    Transposed: _Builder.transposed,
    Stack: _Builder.stack,
    Applied: _Builder.applied,
}
