"""``diag(a)`` as a factor of a matrix product: it scales the rows, or the columns, of what stands beside it.

    diag(a) @ B  =  (a 1ᵀ) ∘ B            B @ diag(a)  =  B ∘ (1 aᵀ)

No diagonal matrix is ever formed. The text shows the product, the expression holds the scaling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sympy import Integer
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
        last ones scale the factor left of them. Brackets between factors change nothing.
    """
    parts = [
        part
        for factor, scales in zip(factors, diagonal, strict=True)
        for part in ([(factor, True)] if scales else _parted(factor))
    ]
    done: list[MatrixExpr] = []
    waiting: list[MatrixExpr] = []
    for part, scales in reversed(parts):
        if scales:
            waiting.insert(0, part)
            continue
        done = _scaling(waiting, done)
        done.insert(0, part if done else _columns_scaled(part, waiting))
        waiting = []
    return ex.matmul(*_scaling(waiting, done))


def _parted(factor: MatrixExpr) -> Iterable[tuple[MatrixExpr, bool]]:
    """The factors of a product, each with whether it is the diagonal of a diagonal matrix."""
    c, core = ex.split_coefficient(factor)
    for i, part in enumerate(core.args if isinstance(core, MatMul) else (core,)):
        rows, others, columns = scalings(part)
        yield from ((column, True) for column in rows)
        yield ex.scale(c if i == 0 else Integer(1), ex.hadamard(*others)), False
        yield from ((column, True) for column in columns)


def _scaling(columns: Sequence[MatrixExpr], product: list[MatrixExpr]) -> list[MatrixExpr]:
    """The factors of a product that diagonal matrices scale from the left."""
    if not columns or not product:
        return product
    if ex.is_column(product[-1]):
        return [_rows_scaled(columns, ex.matmul(*product))]
    return [_rows_scaled(columns, product[0]), *product[1:]]


def _rows_scaled(columns: Sequence[MatrixExpr], matrix: MatrixExpr) -> MatrixExpr:
    column, count = ex.hadamard(*columns), matrix.shape[1]
    if ex.is_scalar(column):
        return ex.hadamard(ex.broadcast_factors(column, 1, count), matrix)
    across = column if count == 1 else ex.matmul(column, ex.ones(1, count))
    return ex.hadamard(across, matrix)


def _columns_scaled(matrix: MatrixExpr, columns: Sequence[MatrixExpr]) -> MatrixExpr:
    if not columns:
        return matrix
    row, count = ex.transpose(ex.hadamard(*columns)), matrix.shape[0]
    if ex.is_scalar(row):
        return ex.hadamard(matrix, ex.broadcast_factors(row, count, 1))
    down = row if count == 1 else ex.matmul(ex.ones(count, 1), row)
    return ex.hadamard(matrix, down)


def with_one_scaling(expr: MatrixExpr) -> MatrixExpr:
    """An entrywise product with all that scales its rows first and in one, and all that scales its columns last.

    Where a matrix product is scaled it is ``scaled_product``, as which pages show it.
    """
    c, core = ex.split_coefficient(expr)
    rows, others, columns = scalings(core)
    if not rows and not columns:
        return expr
    if len(others) == 1 and isinstance(others[0], MatMul):
        above, beside = ([ex.hadamard(*part)] if part else [] for part in (rows, columns))
        diagonal = [*(True for _ in above), False, *(True for _ in beside)]
        return ex.scale(c, scaled_product([*above, *others, *beside], diagonal))
    inner = _columns_scaled(ex.hadamard(*others), columns)
    return ex.scale(c, _rows_scaled(rows, inner) if rows else inner)


Written = Callable[[MatrixExpr], MatrixExpr]


def scalings(
    expr: MatrixExpr, written: Written = lambda factor: factor
) -> tuple[list[MatrixExpr], list[MatrixExpr], list[MatrixExpr]]:
    """An entrywise product as what scales its rows, the other factors, and what scales its columns.

    Args:
        expr: any expression.
        written: how a factor is written; a name may stand for a scaling.

    Returns:
        columns (r, 1), matrices (r, c) of which there is one at least, and columns (c, 1).
    """
    rows, others, columns = [], [], []
    for factor in map(written, ex.factors(expr)):
        args = _factors_of(factor)
        if (
            len(args) > 1
            and isinstance(args[-1], OneMatrix)
            and args[-1].shape[1] != 1 == args[-1].shape[0]
        ):
            rows.append(ex.matmul(*args[:-1]))
        elif (
            len(args) > 1
            and isinstance(args[0], OneMatrix)
            and args[0].shape[0] != 1 == args[0].shape[1]
        ):
            columns.append(ex.transpose_of_product(ex.matmul(*args[1:])))
        else:
            others.append(factor)
    return (rows, others, columns) if others else ([], list(ex.factors(expr)), [])


def as_scaling(expr: MatrixExpr, written: Written = lambda factor: factor) -> MatrixExpr:
    """An entrywise product in which columns or rows of ones only scale the rest, with ``Diag`` factors; else itself.

    It is what pages show of ``scaled_product``, and nothing is computed with it.

    Args:
        expr: any expression.
        written: how a factor is written; a name may stand for a scaling.
    """
    if not isinstance(expr, HadamardProduct):
        return expr
    rows, others, columns = scalings(expr, written)
    if not rows and not columns:
        return expr
    ends = [[_diagonal(ex.hadamard(*part))] if part else [] for part in (rows, columns)]
    return MatMul(*ends[0], ex.hadamard(*others), *ends[1])


def _factors_of(expr: MatrixExpr) -> tuple[MatrixExpr, ...]:
    """A, B, … of AB…, or of its transpose."""
    inner = expr.arg if isinstance(expr, Transpose) else expr
    if not isinstance(inner, MatMul) or not isinstance(inner.args[0], MatrixExpr):
        return (expr,)
    args = inner.args
    return args if inner is expr else tuple(ex.transpose(factor) for factor in reversed(args))


def _diagonal(column: MatrixExpr) -> MatrixExpr:
    """The diagonal matrix of a column; of a row where it is written as one turned."""
    return RowDiag(column.arg) if isinstance(column, Transpose) else ex.Diag(column)
