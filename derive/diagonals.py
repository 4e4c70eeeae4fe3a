"""``diag(a)`` as a factor of a matrix product: it scales the rows, or the columns, of what stands beside it.

    diag(a) @ B  =  (a 1ᵀ) ∘ B            B @ diag(a)  =  B ∘ (1 aᵀ)

No diagonal matrix is ever formed. The text shows the product, the expression holds the scaling.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sympy.matrices.expressions import (
    HadamardProduct,
    MatMul,
    MatrixExpr,
    OneMatrix,
    Transpose,
)

from derive import expressions as ex
from derive.layout_nodes import RowDiag


def scaled_product(factors: Sequence[MatrixExpr], diagonal: Sequence[bool]) -> MatrixExpr:
    """The matrix product of factors, some of them the diagonals of diagonal matrices.

    Args:
        factors: matrices, and columns (n, 1) that stand for the diagonal matrices (n, n) of their entries.
        diagonal: which are such columns; not all of them.

    Returns:
        the product; a diagonal scales the factor right of it, or the column that all factors right of it make; the
        last ones scale the factor left of them.
    """
    done: list[MatrixExpr] = []
    waiting: list[MatrixExpr] = []
    for factor, scales in zip(reversed(factors), reversed(diagonal), strict=True):
        if scales:
            if done and ex.is_column(done[-1]):
                done = [_rows_scaled(factor, ex.matmul(*done))]
            elif done:
                done[0] = _rows_scaled(factor, done[0])
            else:
                waiting.insert(0, factor)
            continue
        c, core = ex.split_coefficient(factor)
        parts = list(core.args) if isinstance(core, MatMul) else [core]
        for column in waiting:
            parts[-1] = _columns_scaled(parts[-1], column)
        parts[0], waiting = ex.scale(c, parts[0]), []
        done = parts + done
    return ex.matmul(*done)


def _rows_scaled(column: MatrixExpr, matrix: MatrixExpr) -> MatrixExpr:
    count = matrix.shape[1]
    if ex.is_scalar(column):
        return ex.hadamard(ex.broadcast(column, 1, count), matrix)
    across = column if count == 1 else ex.matmul(column, ex.ones(1, count))
    return ex.hadamard(across, matrix)


def _columns_scaled(matrix: MatrixExpr, column: MatrixExpr) -> MatrixExpr:
    row, count = ex.transpose(column), matrix.shape[0]
    if ex.is_scalar(row):
        return ex.hadamard(matrix, ex.broadcast(row, count, 1))
    down = row if count == 1 else ex.matmul(ex.ones(count, 1), row)
    return ex.hadamard(matrix, down)


def as_scaling(
    expr: MatrixExpr, written: Callable[[MatrixExpr], MatrixExpr] = lambda factor: factor
) -> MatrixExpr:
    """An entrywise product in which columns or rows of ones only scale the rest, with ``Diag`` factors; else itself.

    It is what pages show of ``scaled_product``, and nothing is computed with it.

    Args:
        expr: any expression.
        written: how a factor is written; a name may stand for a scaling.
    """
    if not isinstance(expr, HadamardProduct):
        return expr
    rows, others, columns = [], [], []
    for factor in map(written, ex.factors(expr)):
        left, right = _two_factors(factor)
        if isinstance(right, OneMatrix) and ex.is_column(left) and not ex.is_column(right):
            rows.append(left)
        elif isinstance(left, OneMatrix) and right.shape[0] == 1 != left.shape[0]:
            columns.append(ex.transpose(right))
        else:
            others.append(factor)
    if not others or not (rows or columns):
        return expr
    ends = [[_diagonal(ex.hadamard(*part))] if part else [] for part in (rows, columns)]
    return MatMul(*ends[0], ex.hadamard(*others), *ends[1])


def _two_factors(expr: MatrixExpr) -> tuple[MatrixExpr, MatrixExpr]:
    """A and B of AB or (BᵀAᵀ)ᵀ; of anything else itself, twice."""
    inner = expr.arg if isinstance(expr, Transpose) else expr
    if not isinstance(inner, MatMul) or len(inner.args) != 2:
        return expr, expr
    left, right = inner.args
    return (left, right) if inner is expr else (ex.transpose(right), ex.transpose(left))


def _diagonal(column: MatrixExpr) -> MatrixExpr:
    """The diagonal matrix of a column; of a row where it is written as one turned."""
    return RowDiag(column.arg) if isinstance(column, Transpose) else ex.Diag(column)
