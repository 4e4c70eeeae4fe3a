"""Expressions of ``derive`` evaluated in any arithmetic, at given sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Generic, TypeVar

import sympy
from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    Identity,
    MatAdd,
    MatMul,
    OneMatrix,
    Transpose,
    ZeroMatrix,
)

from derive.expressions import split_coefficient
from derive.nodes import (
    LEAVES,
    Broadcast,
    Concat,
    Diag,
    Elementwise,
    LogSumExp,
    Rows,
    Softmax,
    Total,
    operands,
)
from proofs.arithmetic import Arithmetic

V = TypeVar("V")
Look = Callable[[Any], V]


class Evaluator(Generic[V]):
    """Evaluates matrix expressions.

    Args:
        arithmetic: what the values are.
        sizes: the size of every dimension of the cell.
    """

    def __init__(self, arithmetic: Arithmetic[V], sizes: Mapping[Any, int]) -> None:
        self.arithmetic = arithmetic
        self.sizes = dict(sizes)
        self._known: dict[Any, Any] = {}

    def size(self, expr: Any) -> int:
        """A number of rows or columns."""
        return int(self.scalar(expr))

    def scalar(self, expr: Any) -> Any:
        """A coefficient: a number, or an expression in the dimensions such as 1/n."""
        if expr.is_Number:
            return expr
        if expr not in self._known:
            self._known[expr] = sympy.Rational(expr.subs(self.sizes))
        return self._known[expr]

    def shape(self, expr: Any) -> tuple[int, int]:
        """(rows, columns) of a matrix expression."""
        rows, cols = expr.shape
        return self.size(rows), self.size(cols)

    def __call__(self, expr: Any, look: Look[V]) -> V:
        """The value of an expression whose leaves have the values ``look(leaf)``."""
        visit = _VISITORS.get(type(expr))
        if visit is not None:
            return visit(self, expr, look)
        if not isinstance(expr, LEAVES):
            raise TypeError(f"no arithmetic evaluates {type(expr).__name__}")
        return look(expr)

    def _scaled(self, c: Any, value: V) -> V:
        return (
            value if c == 1 else self.arithmetic.mul(self.arithmetic.number(self.scalar(c)), value)
        )

    def _sum(self, expr: Any, look: Look[V]) -> V:
        return reduce(self.arithmetic.add, (self(a, look) for a in operands(expr)))

    def _product(self, expr: Any, look: Look[V]) -> V:
        value = reduce(self.arithmetic.matmul, (self(a, look) for a in operands(expr)))
        return self._scaled(split_coefficient(expr)[0], value)

    def _hadamard(self, expr: Any, look: Look[V]) -> V:
        return reduce(self.arithmetic.mul, (self(a, look) for a in operands(expr)))

    def _power(self, expr: Any, look: Look[V]) -> V:
        return self.arithmetic.power(self(operands(expr)[0], look), int(expr.args[1]))

    def _transpose(self, expr: Any, look: Look[V]) -> V:
        return self.arithmetic.transpose(self(expr.arg, look))

    def _elementwise(self, expr: Any, look: Look[V]) -> V:
        return self.arithmetic.function(expr.function, self(operands(expr)[0], look))

    def _softmax(self, expr: Any, look: Look[V]) -> V:
        return self.arithmetic.softmax(self(operands(expr)[0], look))

    def _logsumexp(self, expr: Any, look: Look[V]) -> V:
        return self.arithmetic.logsumexp(self(operands(expr)[0], look))

    def _concat(self, expr: Any, look: Look[V]) -> V:
        return self.arithmetic.concat([self(a, look) for a in operands(expr)])

    def _rows(self, expr: Any, look: Look[V]) -> V:
        value = self(operands(expr)[0], look)
        return self.arithmetic.rows(value, self.size(expr.start), self.size(expr.stop))

    def _broadcast(self, expr: Any, look: Look[V]) -> V:
        return self.arithmetic.spread(self(operands(expr)[0], look), self.shape(expr))

    def _total(self, expr: Any, look: Look[V]) -> V:
        return self.arithmetic.total(self(operands(expr)[0], look))

    def _diag(self, expr: Any, look: Look[V]) -> V:
        return self.arithmetic.diag(self(operands(expr)[0], look))

    def _ones(self, expr: Any, look: Look[V]) -> V:
        return self.arithmetic.full(self.shape(expr), 1)

    def _zeros(self, expr: Any, look: Look[V]) -> V:
        return self.arithmetic.full(self.shape(expr), 0)

    def _identity(self, expr: Any, look: Look[V]) -> V:
        return self.arithmetic.identity(self.shape(expr)[0])


_VISITORS: dict[type, Callable[..., Any]] = {
    MatAdd: Evaluator._sum,
    MatMul: Evaluator._product,
    HadamardProduct: Evaluator._hadamard,
    HadamardPower: Evaluator._power,
    Transpose: Evaluator._transpose,
    Elementwise: Evaluator._elementwise,
    Softmax: Evaluator._softmax,
    LogSumExp: Evaluator._logsumexp,
    Concat: Evaluator._concat,
    Rows: Evaluator._rows,
    Broadcast: Evaluator._broadcast,
    Total: Evaluator._total,
    Diag: Evaluator._diag,
    OneMatrix: Evaluator._ones,
    ZeroMatrix: Evaluator._zeros,
    Identity: Evaluator._identity,
}
