"""A cell written out in the equation language, so that a generated file says by itself what it computes."""

from __future__ import annotations

from fractions import Fraction

from sympy.matrices.expressions import MatrixExpr, OneMatrix

from derive.cell import Cell, Quantity
from derive.errors import CellError
from derive.expressions import Diag, operands, transpose
from derive.language import read_cell
from derive.language_numbers import spelled
from derive.layout_nodes import RowDiag
from derive.notation import Notation
from derive.text import TextPrinter


class _Language(TextPrinter):
    """Prints expressions as the language reads them: ones as what it repeats."""

    def matrix_factor(self, expr: MatrixExpr) -> str:
        """A factor of a matrix product; a row or a column of ones takes its length from what stands beside it."""
        if not isinstance(expr, OneMatrix) or 1 not in expr.shape:
            return super().matrix_factor(expr)
        return "repeat(1)" if expr.shape[0] == 1 else "repeat(1).T"

    def diag(self, expr: MatrixExpr) -> tuple[str, int]:
        """diag(a); of a row the column that it is turned to."""
        (vector,) = operands(expr)
        return super().diag(Diag(transpose(vector)) if isinstance(expr, RowDiag) else expr)

    def in_order(self, parts: tuple[MatrixExpr, ...]) -> list[MatrixExpr]:
        """The factors of an elementwise product in the order in which they will be read back."""
        return list(parts)


def equations_text(cell: Cell) -> str:
    """The cell's equations with options resolved; reading them back gives an equal cell.

    Shapes are declared where the equations alone would not imply them.
    """
    for declared in (
        (),
        tuple(q for q in cell.quantities if q.shape != (1, 1) or q.role != "constant"),
    ):
        text = _text(cell, declared)
        if _same(cell, text):
            return text
    raise RuntimeError(f"the equations of {cell.name} do not read back as they are")


def _text(cell: Cell, declared: tuple[Quantity, ...]) -> str:
    printer = _Language(Notation({}))
    scalars = {q.name for q in cell.quantities if q.shape == (1, 1) and q.role not in ("constant",)}
    lines = [
        f"const {q.name}" + (f" = {_number(q.value)}" if q.value is not None else "")
        for q in cell.constants
    ]
    lines += [f"dim {name} = 1" for name in sorted(scalars)] if not declared else []
    lines += [f"dim {q.name} = {_shape(q)}" for q in declared]
    lines += [f"{q.kind} {q.name}" for q in cell.inputs if q.kind == "index"]
    lines += [f"{printer(eq.target)} = {printer(eq.expr)}" for eq in cell.equations]
    lines += [f"init {name} = {how}" for name, how in sorted(cell.initial.items())]
    return "\n".join(lines) + "\n"


def _same(cell: Cell, text: str) -> bool:
    try:
        other = read_cell(text, cell.name)
    except CellError:
        return False
    return (
        set(cell.quantities) == set(other.quantities)
        and cell.initial == other.initial
        and [(eq.target, eq.expr) for eq in cell.equations]
        == [(eq.target, eq.expr) for eq in other.equations]
    )


def _number(value: Fraction) -> str:
    """A number, exactly."""
    shown = repr(float(value))
    return shown if Fraction(shown) == value else spelled(value)


def _shape(q: Quantity) -> str:
    rows, cols = q.shape
    return str(rows) if cols == 1 else f"{rows}, {cols}"
