"""The quantities of a cell in a report: role, shape and meaning."""

from __future__ import annotations

from derive.cell import Cell, Quantity
from derive.domains import domains_of
from derive.latex import LatexPrinter, latex_name, latex_shape, latex_size
from derive.notation import ALONE, Notation, Surroundings
from derive.still import still_of
from reports.markdown import escape_markdown, table
from reports.notebook import Section, Text
from reports.report_links import heading
from reports.report_uses import uses

NOT_EQUAL = r"\neq"
ROLES = ("state", "input", "parameter", "constant", "intermediate")


def shapes(cell: Cell) -> Section:
    """What every name is, and of which shape."""
    rows = quantity_rows(cell)
    dims = ", ".join(f"${latex_name(str(d))}$" for d in cell.dims)
    lead = (
        "Roles and shapes follow from the equations, and from the sizes that the text declares, if any. "
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


def quantity_rows(cell: Cell, around: Surroundings = ALONE) -> list[list[str]]:
    """Name, role, shape and meaning of every quantity, as Markdown.

    Args:
        cell: the cell.
        around: what a network says of its names, where the cell runs in one.
    """
    tex = LatexPrinter(Notation({}, around=around, still=still_of(cell)))
    return [
        [
            f"${tex(q.symbol)}$",
            q.role,
            f"${_shape(q)}$",
            _meaning(cell, q, around) + _domain(cell, q, tex(q.symbol)),
        ]
        for q in sorted(cell.quantities, key=lambda q: ROLES.index(q.role))
    ]


def _shape(q: Quantity) -> str:
    rows, cols = q.shape
    return latex_size(rows) if cols == 1 else latex_shape(rows, cols)


def _meaning(cell: Cell, q: Quantity, around: Surroundings) -> str:
    if q.role == "state":
        return f"carried from step to step; {_count(q.depth)} before the first step"
    if q.role == "input" and q.name in around.last:
        return "there after the last step"
    if q.role == "input" and not around.has_steps(q.name):
        return "given once" if around.once else "the same at every step"
    if q.role == "input":
        return "given at every step" + (
            f"; {_count(q.depth)} before the first step" if q.depth else ""
        )
    if q.role == "constant":
        return "a number that is not trained" + (
            f": {float(q.value):g}" if q.value is not None else ""
        )
    if q.role == "intermediate":
        if around.once:
            return "output" if q in cell.outputs else "computed once, after the scans"
        if q.name in still_of(cell):
            return "computed once, from parameters alone"
        return "output of the step" if q in cell.outputs else "computed within the step"
    start = (
        f"; starts at {escape_markdown(str(cell.initial[q.name]))}"
        if q.name in cell.initial
        else ""
    )
    return f"{uses(cell, q, around)}{start}"


def _domain(cell: Cell, q: Quantity, name: str) -> str:
    """Where it must lie, or where it is enough that it lies, so that every log, sqrt and quotient has a value."""
    domain = domains_of(cell).of.get(q.name)
    if domain is None:
        return ""
    return f"; ${domain.text(name, unequal=NOT_EQUAL)}$ is {domain.word}, so that all has a value"


def _count(depth: int) -> str:
    return "one value is given" if depth == 1 else f"{depth} values are given"
