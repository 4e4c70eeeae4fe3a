"""Expressions of ``derive`` evaluated in any arithmetic, at given sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Generic, TypeVar, cast

from derive.expressions import split_coefficient
from derive.layout_nodes import Beside, Columns, RowDiag
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
from proofs.untyped import (
    HadamardPower,
    HadamardProduct,
    Identity,
    MatAdd,
    MatMul,
    OneMatrix,
    Transpose,
    ZeroMatrix,
    sympy,
)

V = TypeVar("V")
Look = Callable[[Any], V]


def at_sizes(expr: Any, sizes: Mapping[Any, int]) -> Any:
    """A number of rows or columns, or a coefficient, with the dimensions' sizes put in."""
    if expr in sizes:
        return sympy.Integer(sizes[expr])
    return expr.subs({d: sizes[d] for d in expr.free_symbols if d in sizes})


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
            self._known[expr] = sympy.Rational(at_sizes(expr, self.sizes))
        return self._known[expr]

    def shape(self, expr: Any) -> tuple[int, int]:
        """(rows, columns) of a matrix expression."""
        rows, cols = expr.shape
        return self.size(rows), self.size(cols)

    def __call__(self, expr: Any, look: Look[V]) -> V:
        """The value of an expression whose leaves have the values ``look(leaf)``."""
        kind = cast("type[Any]", type(expr))
        visit = _VISITORS.get(kind)
        if visit is not None:
            return visit(self, expr, look)
        if not isinstance(expr, LEAVES):
            raise TypeError(f"no arithmetic evaluates {type(expr).__name__}")
        return look(expr)


def _scaled(ev: Evaluator[V], c: Any, value: V) -> V:
    return value if c == 1 else ev.arithmetic.mul(ev.arithmetic.number(ev.scalar(c)), value)


def _sum(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    return reduce(ev.arithmetic.add, (ev(a, look) for a in operands(expr)))


def _product(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    value = reduce(ev.arithmetic.matmul, (ev(a, look) for a in operands(expr)))
    return _scaled(ev, split_coefficient(expr)[0], value)


def _hadamard(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    return reduce(ev.arithmetic.mul, (ev(a, look) for a in operands(expr)))


def _power(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    return ev.arithmetic.power(ev(operands(expr)[0], look), int(expr.args[1]))


def _transpose(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    return ev.arithmetic.transpose(ev(expr.arg, look))


def _elementwise(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    return ev.arithmetic.function(expr.function, ev(operands(expr)[0], look))


def _softmax(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    return ev.arithmetic.softmax(ev(operands(expr)[0], look))


def _logsumexp(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    return ev.arithmetic.logsumexp(ev(operands(expr)[0], look))


def _concat(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    return ev.arithmetic.concat([ev(a, look) for a in operands(expr)])


def _rows(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    value = ev(operands(expr)[0], look)
    return ev.arithmetic.rows(value, ev.size(expr.start), ev.size(expr.stop))


def _beside(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    across = ev.arithmetic.transpose
    return across(ev.arithmetic.concat([across(ev(a, look)) for a in operands(expr)]))


def _columns(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    value = ev.arithmetic.transpose(ev(operands(expr)[0], look))
    return ev.arithmetic.transpose(
        ev.arithmetic.rows(value, ev.size(expr.start), ev.size(expr.stop))
    )


def _row_diag(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    return ev.arithmetic.diag(ev.arithmetic.transpose(ev(operands(expr)[0], look)))


def _broadcast(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    return ev.arithmetic.spread(ev(operands(expr)[0], look), ev.shape(expr))


def _total(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    return ev.arithmetic.total(ev(operands(expr)[0], look))


def _diag(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    return ev.arithmetic.diag(ev(operands(expr)[0], look))


def _ones(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    return ev.arithmetic.full(ev.shape(expr), 1)


def _zeros(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    return ev.arithmetic.full(ev.shape(expr), 0)


def _identity(ev: Evaluator[V], expr: Any, look: Look[V]) -> V:
    return ev.arithmetic.identity(ev.shape(expr)[0])


_VISITORS: dict[type, Callable[..., Any]] = {
    MatAdd: _sum,
    MatMul: _product,
    HadamardProduct: _hadamard,
    HadamardPower: _power,
    Transpose: _transpose,
    Elementwise: _elementwise,
    Softmax: _softmax,
    LogSumExp: _logsumexp,
    Concat: _concat,
    Rows: _rows,
    Broadcast: _broadcast,
    Total: _total,
    Diag: _diag,
    Beside: _beside,
    Columns: _columns,
    RowDiag: _row_diag,
    OneMatrix: _ones,
    ZeroMatrix: _zeros,
    Identity: _identity,
}
