"""Expressions of a derivation as plain data, in the grammar that ``checker_matrices`` reads."""

from __future__ import annotations

from typing import Any

from sympy import Expr, Integer, Rational
from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    OneMatrix,
    Transpose,
    ZeroMatrix,
)

from derive.expressions import split_coefficient
from derive.nodes import (
    Adjoint,
    Broadcast,
    Concat,
    Elementwise,
    LogSumExp,
    LossGradient,
    Rows,
    Softmax,
    Tangent,
    Timed,
    Total,
    operands,
)

Data = list[Any]

_LEAVES = {Adjoint: "bar", Tangent: "dot", LossGradient: "loss"}
_TAGS = {
    MatAdd: "+",
    MatMul: "@",
    HadamardProduct: "∘",
    Transpose: "T",
    Concat: "concat",
    Total: "total",
    Softmax: "softmax",
    LogSumExp: "logsumexp",
}


def encode_size(d: Expr) -> dict[str, int]:
    """A size such as n + 2m as ``{"m": 2, "n": 1}``."""
    counted = (Integer(d) if isinstance(d, int) else d).expand().as_coefficients_dict()
    return {("" if k == 1 else str(k)): int(v) for k, v in sorted(counted.items(), key=str)}


def encode_shape(shape: tuple[Expr, Expr]) -> list[dict[str, int]]:
    """(rows, columns)"""
    return [encode_size(d) for d in shape]


def encode_number(c: Expr) -> Data:
    """A number, or a rational function of sizes such as 1/n."""
    if isinstance(c, Rational):
        return ["number", str(c)]
    if c.is_Symbol:
        return ["size", {str(c): 1}]
    if c.is_Pow:
        return ["f", f"^{int(c.exp)}", encode_number(c.base)]
    if c.is_Add or c.is_Mul:
        return ["+" if c.is_Add else "∘", *(encode_number(a) for a in sorted(c.args, key=str))]
    raise TypeError(f"no number: {c}")


def encode(expr: MatrixExpr) -> Data:
    """An expression of a derivation.

    Raises:
        TypeError: the expression has no place in a proof.
    """
    if isinstance(expr, MatrixSymbol):
        return ["value", expr.name, None]
    if isinstance(expr, Timed):
        return ["value", expr.name, expr.lag]
    if type(expr) in _LEAVES:
        return [_LEAVES[type(expr)], expr.name, expr.lag if isinstance(expr.of, Timed) else None]
    if isinstance(expr, OneMatrix | ZeroMatrix):
        return ["ones" if isinstance(expr, OneMatrix) else "zeros", *encode_shape(expr.shape)]
    return _node(expr)


def _node(expr: MatrixExpr) -> Data:
    own = [encode(a) for a in operands(expr)]
    if isinstance(expr, MatMul):
        c = split_coefficient(expr)[0]
        core = own[0] if len(own) == 1 else ["@", *own]
        return core if c == 1 else ["*", encode_number(c), core]
    if isinstance(expr, HadamardPower):
        return ["f", f"^{int(expr.args[1])}", *own]
    if isinstance(expr, Elementwise):
        return ["f", expr.function, *own]
    if isinstance(expr, Rows):
        return ["rows", *own, encode_size(expr.start), encode_size(expr.stop)]
    if isinstance(expr, Broadcast):
        return ["broadcast", *own, *encode_shape(expr.shape)]
    if type(expr) in _TAGS:
        return [_TAGS[type(expr)], *own]
    raise TypeError(f"{type(expr).__name__} has no place in a proof")
