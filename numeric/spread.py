"""What NumPy spreads out by itself: values whose arrays lack axes, and the axes that arrays have."""

from __future__ import annotations

from collections.abc import Callable

from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    MatAdd,
    MatMul,
    MatrixExpr,
    OneMatrix,
)

from derive.expressions import (
    Elementwise,
    is_column,
    is_scalar,
    is_spread,
    is_timed,
    operands,
    split_coefficient,
)


def lacks_axes(expr: MatrixExpr) -> bool:
    """Whether the array of a value is smaller than its shape: one number, or one column, for all columns."""
    if is_scalar(expr):
        return False
    _, core = split_coefficient(expr)
    if isinstance(core, MatAdd | HadamardProduct):
        return all(lacks_axes(part) for part in operands(core))
    if isinstance(core, Elementwise | HadamardPower):
        return lacks_axes(operands(core)[0])
    return is_spread(core) or is_repeated(core)


def is_repeated(expr: MatrixExpr) -> bool:
    """Whether this is a column beside itself, a 1ᵀ."""
    last = operands(expr)[-1] if isinstance(expr, MatMul) else None
    return isinstance(last, OneMatrix) and last.shape[0] == 1 and not is_scalar(expr)


def trailing(expr: MatrixExpr, dim: Callable[[object], str]) -> list[str]:
    """The axes of a quantity behind those of steps and samples."""
    if is_scalar(expr):
        return ["1"] if is_timed(expr) else []
    if is_column(expr):
        return [dim(expr.shape[0])]
    return [dim(expr.shape[0]), dim(expr.shape[1])]
