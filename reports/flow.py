"""A cell's step as a graph: previous values and inputs enter, every equation is a node, the next states leave."""

from __future__ import annotations

from sympy.matrices.expressions import MatrixExpr

from derive.cell import Cell, Equation, Quantity
from derive.expressions import Elementwise, Softmax, Timed, leaves
from derive.latex import LatexPrinter
from derive.notation import ALONE, Notation, Surroundings
from derive.still import still_of
from reports.drawing import Edge, Kind, Node

_SYMBOLS = {"sigmoid": r"$\sigma$"}
_PLAIN = (("\\mathbf", "\\mathrm"),)


def flow(cell: Cell, around: Surroundings = ALONE) -> tuple[list[Node], list[Edge]]:
    """The data flow of one step, for ``reports.drawing.draw_flow``.

    Parameters and constants are left out: every arrow into a node stands for a use of its source there.

    Args:
        cell: any cell.
        around: what a network says of its names, where the cell runs in one.
    """
    tex = LatexPrinter(Notation({}, around=around, still=still_of(cell)))
    uses = [(eq, _uses(eq.expr)) for eq in cell.equations]
    entering = list(dict.fromkeys(v for _, used in uses for v in used if _enters(cell, v)))
    nodes = [_entry(cell, v, tex) for v in sorted(entering, key=lambda v: (v.name, v.lag))]
    nodes += [_line(cell, eq, tex) for eq in cell.equations]
    edges = [Edge(_id(v), eq.target.name) for eq, used in uses for v in used]
    return nodes, list(dict.fromkeys(edges))


def _uses(expr: MatrixExpr) -> list[Timed]:
    return list(dict.fromkeys(v for v in leaves(expr) if isinstance(v, Timed)))


def _enters(cell: Cell, leaf: Timed) -> bool:
    """Whether the step is given the value, rather than computing it."""
    return leaf.lag > 0 or cell.quantity(leaf.name).role == "input"


def _id(leaf: Timed) -> str:
    return f"{leaf.name}@{leaf.lag}" if leaf.lag else leaf.name


def _entry(cell: Cell, leaf: Timed, tex: LatexPrinter) -> Node:
    kind: Kind = "input" if cell.quantity(leaf.name).role == "input" else "state_in"
    return Node(_id(leaf), f"${tex(leaf)}$", kind)


def _line(cell: Cell, equation: Equation, tex: LatexPrinter) -> Node:
    quantity = cell.quantity(equation.target.name)
    return Node(
        quantity.name, f"${tex(equation.target)}$", _kind(cell, quantity), _note(equation.expr)
    )


def _kind(cell: Cell, quantity: Quantity) -> Kind:
    if quantity.role == "state":
        return "state_out"
    return "output" if quantity in cell.outputs else "operation"


def _note(expr: MatrixExpr) -> str:
    """The function that the equation ends with, if it ends with one."""
    if isinstance(expr, Elementwise):
        return _SYMBOLS.get(expr.function, expr.function)
    return "softmax" if isinstance(expr, Softmax) else ""
