"""The quantities of a cell in a report: role, shape and meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from sympy.matrices.expressions import MatMul, MatrixExpr

from derive.cell import Cell, Quantity
from derive.expressions import Timed, leaves, operands, terms, walk
from derive.latex import LatexPrinter, latex_name
from derive.notation import Notation
from reports.markdown import escape_markdown, table
from reports.notebook import Section, Text
from reports.report_links import heading

ROLES = ("state", "input", "parameter", "constant", "intermediate")


def shapes(cell: Cell) -> Section:
    """What every name is, and of which shape."""
    rows = quantity_rows(cell)
    dims = ", ".join(f"${latex_name(str(d))}$" for d in cell.dims)
    lead = (
        "Nothing was declared but the equations: roles and shapes follow from them. "
        f"The free sizes are {dims}. A gradient has the shape of what it is the gradient of."
    )
    return Section(
        "shapes",
        [
            Text(
                heading("shapes", "Quantities and shapes")
                + f"{lead}\n\n{table(['name', 'role', 'shape', 'meaning'], rows)}"
            )
        ],
    )


def quantity_rows(cell: Cell) -> list[list[str]]:
    """Name, role, shape and meaning of every quantity, as Markdown."""
    return [
        [f"${_symbol(q)}$", q.role, f"${_shape(q)}$", _meaning(cell, q)]
        for q in sorted(cell.quantities, key=lambda q: ROLES.index(q.role))
    ]


def _symbol(q: Quantity) -> str:
    return latex_name(q.name, time="" if q.role in ("parameter", "constant") else "t")


def _shape(q: Quantity) -> str:
    rows, cols = (_size(size) for size in q.shape)
    return rows if cols == "1" else rf"{rows} \times {cols}"


def _size(size: object) -> str:
    return re.sub(r"[A-Za-z_]\w*", lambda m: latex_name(m[0]), str(size).replace("*", r" \, "))


def _meaning(cell: Cell, q: Quantity) -> str:
    if q.role == "state":
        return f"carried from step to step; {_count(q.depth)} before the first step"
    if q.role == "input":
        return "given at every step" + (
            f"; {_count(q.depth)} before the first step" if q.depth else ""
        )
    if q.role == "constant":
        return "a number that is not trained" + (
            f": {float(q.value):g}" if q.value is not None else ""
        )
    if q.role == "intermediate":
        return "output of the step" if q in cell.outputs else "computed within the step"
    start = (
        f"; starts at {escape_markdown(str(cell.initial[q.name]))}"
        if q.name in cell.initial
        else ""
    )
    return f"{_use(cell, q)}{start}"


def _count(depth: int) -> str:
    return "one value is given" if depth == 1 else f"{depth} values are given"


def _use(cell: Cell, q: Quantity) -> str:
    """Where a parameter stands: what it multiplies, in whose equation."""
    tex = LatexPrinter(Notation({}))
    found: list[str] = []
    for eq in cell.equations:
        where = f"in ${tex(eq.target)}$"
        uses = [tex(right) for right in _multiplied(eq.expr, q)]
        if uses:
            found.append(f"multiplies {', '.join(f'${use}$' for use in uses)} {where}")
        elif any(v == q.symbol for v in leaves(eq.expr)):
            added = any(term == q.symbol for part in walk(eq.expr) for term in terms(part))
            found.append(f"{'added' if added else 'used'} {where}")
    return "; ".join(found) or "not used"


def _multiplied(expr: MatrixExpr, q: Quantity) -> Iterator[MatrixExpr]:
    """What stands to the right of a parameter in the matrix products of an expression."""
    for part in walk(expr):
        factors = operands(part) if isinstance(part, MatMul) else ()
        for left, right in pairwise(factors):
            if q.symbol in leaves(left) and any(isinstance(v, Timed) for v in leaves(right)):
                yield right
