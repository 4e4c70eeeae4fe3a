"""How parameters start: by what the cell's author or its user declared, and else by the field's habit.

Square matrices start orthogonal (Saxe et al., 2014), other matrices uniform by Glorot and Bengio (2010),
vectors at zero, as do numbers that are only added, and other numbers at one; and what has a domain, where none of
these need lie, at one number within it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction

from sympy.matrices.expressions import MatAdd, MatMul, MatrixExpr, Transpose

from derive.cell import Cell, Quantity
from derive.domains import domains_of
from derive.expressions import (
    LEAVES,
    Broadcast,
    is_column,
    is_scalar,
    operands,
    split_coefficient,
)
from derive.initial import Start
from numeric.body import tuple_text
from numeric.initialisers import NAMES
from numeric.inside import middle
from numeric.spread import trailing

Dim = Callable[[object], str]


def initial_lines(cell: Cell, dim: Dim) -> list[str]:
    """The body of ``init_params``.

    Args:
        cell: whose parameters start.
        dim: a size as code.
    """
    starts = {q.name: start_of(cell, q) for q in cell.parameters}
    after = {name: start for name, start in starts.items() if start.kind == "parameter"}
    across = turned(cell)
    rows = [
        f'        "{q.name}": {_value(q, starts[q.name], dim, q.name in across)},'
        for q in cell.parameters
        if q.name not in after
    ]
    random = any(start.kind in NAMES for start in starts.values())
    lines = ["    rng = np.random.default_rng(seed)"] if random else []
    if not after:
        return [*lines, "    return {", *rows, "    }"]
    opposite = [f'    params["{name}"] = -params["{s.parameter}"]' for name, s in after.items()]
    return [*lines, "    params = {", *rows, "    }", *opposite, "    return params"]


def _value(q: Quantity, start: Start, dim: Dim, across: bool) -> str:
    """The expression with which one parameter starts."""
    shape = tuple_text(trailing(q.symbol, dim))
    rows, cols = dim(q.shape[0]), dim(q.shape[1])
    if start.kind == "number":
        return f"np.full({shape}, {float(start.number or 0)!r}, dtype)"
    sign, factor = "-" if start.negative else "", start.argument
    if start.kind == "chrono":
        return f"{sign}chrono(rng, {float(factor)!r}, {shape}, dtype)"
    scale = "" if factor == 1 else f"{_number(factor)} * "
    if start.kind in NAMES:
        order = f"{cols}, {rows}" if across else f"{rows}, {cols}"
        value = f"{start.kind}(rng, {order}, dtype)" + ".T" * across
        if is_column(q.symbol):
            value = f"{start.kind}(rng, {rows}, {cols}, dtype).reshape({shape})"
        return f"{sign}{scale}{value}"
    fixed = {
        "zeros": f"np.zeros({shape}, dtype)",
        "ones": f"np.ones({shape}, dtype)",
        "identity": f"np.eye({rows}, {cols}, dtype=dtype)",
    }
    return f"{sign}{scale}{fixed[start.kind]}"


def _number(value: Fraction) -> str:
    shown = repr(float(value))
    return f"({shown})" if value < 0 else shown


def start_of(cell: Cell, q: Quantity) -> Start:
    """How a parameter starts: as the cell declares, or else by habit."""
    if declared := cell.initial.get(q.name):
        return declared
    habit, domain = _habit(cell, q), domains_of(cell).of.get(q.name)
    if domain is None or not domain.needed or domain.holds(FIXED.get(habit.kind)):
        return habit
    return Start("number", number=middle(domain))


FIXED = {"zeros": 0, "ones": 1}
"""The habits that are one number."""


def _habit(cell: Cell, q: Quantity) -> Start:
    """How a parameter starts of which nothing is known but its shape and its use."""
    rows, cols = q.shape
    if is_scalar(q.symbol):
        return Start("zeros" if q.name in only_added(cell) else "ones")
    if is_column(q.symbol):
        return Start("zeros")
    return Start("orthogonal" if rows == cols else "glorot")


def only_added(cell: Cell) -> set[str]:
    """The parameters that are an addend wherever they are used, as a bias is."""
    found: defaultdict[MatrixExpr, set[bool]] = defaultdict(set)
    stack: list[tuple[MatrixExpr, bool]] = [(eq.expr, False) for eq in cell.equations]
    while stack:
        expr, added = stack.pop()
        core = split_coefficient(expr)[1]
        if isinstance(core, LEAVES):
            found[core].add(added)
        elif isinstance(core, Broadcast):
            stack += [(part, added) for part in operands(core)]
        else:
            stack += [(part, isinstance(core, MatAdd)) for part in operands(core)]
    return {q.name for q in cell.parameters if found[q.symbol] == {True}}


def turned(cell: Cell) -> set[str]:
    """The matrices that take in as many numbers as they have rows: as the Wᵀ of Wᵀ x, or as the W of xᵀ W."""
    found: defaultdict[MatrixExpr, set[bool]] = defaultdict(set)
    stack: list[tuple[MatrixExpr, bool | None]] = [(eq.expr, None) for eq in cell.equations]
    while stack:
        expr, right = stack.pop()
        if isinstance(expr, LEAVES):
            if right is not None:
                found[expr].add(right)
            continue
        parts = operands(expr)
        if isinstance(expr, MatMul):
            stack += [(part, i == len(parts) - 1) for i, part in enumerate(parts)]
        else:
            flipped = isinstance(expr, Transpose) and right is not None
            stack += [(part, not right if flipped else right) for part in parts]
    return {q.name for q in cell.parameters if found[q.symbol] == {True}}
