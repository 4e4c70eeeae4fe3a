"""The axes that arrays have, and which of them NumPy spreads out by itself."""

from __future__ import annotations

from collections.abc import Callable

from sympy.matrices.expressions import MatrixExpr

from derive.expressions import is_column, is_scalar, is_spread, is_timed


def lacks_axes(expr: MatrixExpr) -> bool:
    """Whether the array of a value is smaller than its shape: one number, or one column, for all columns."""
    return is_spread(expr, columns=True)


def trailing(expr: MatrixExpr, dim: Callable[[object], str]) -> list[str]:
    """The axes of a quantity behind those of steps and samples."""
    if is_scalar(expr):
        return ["1"] if is_timed(expr) else []
    if is_column(expr):
        return [dim(expr.shape[0])]
    return [dim(expr.shape[0]), dim(expr.shape[1])]
