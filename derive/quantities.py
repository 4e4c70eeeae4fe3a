"""The quantities of a cell or a network by role, shape and domain, as text: what inference made of every name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sympy import Expr

from derive.cell import Cell, Quantity
from derive.domains import domains_of
from derive.network import Network, Segment

_ROLES = {
    "inputs": ("input",),
    "states": ("state",),
    "computed": ("intermediate",),
    "parameters": ("parameter",),
    "constants": ("constant",),
}


def quantities_text(model: Cell | Network) -> str:
    """A line for each role, names of one shape together: ``parameters  W, V (n, n); b (n)``; and the domains.

    Args:
        model: a cell, or a network, whose segments' quantities are told together, each once.
    """
    if isinstance(model, Cell):
        found = list(model.quantities)
    else:
        found = [_in_network(s, q) for s in model.segments for q in s.cell.quantities]
    made = {q.name for q in found if q.role in ("state", "intermediate")}
    once: dict[str, Quantity] = {}
    for q in found:
        if q.kind != "mask" and not (q.role == "input" and q.name in made):
            once.setdefault(q.name, q)
    lines = [
        f"  {role:<12}{_by_shape(q for q in once.values() if q.role in roles)}"
        for role, roles in _ROLES.items()
        if any(q.role in roles for q in once.values())
    ]
    return "\n".join(["The quantities and their shapes", *lines, *_of_domains(model)]) + "\n"


def _of_domains(model: Cell | Network) -> Iterator[str]:
    """What must be so that all has a value, what is enough for it, and what is not known to be enough."""
    found = domains_of(model)
    for word, told in found.asked():
        yield f"  {word:<12}{'; '.join(told)}"
    if found.open:
        yield f"  {'open':<12}{'; '.join(f'{a} > 0' for a in found.open)}"


def _in_network(segment: Segment, q: Quantity) -> Quantity:
    """A quantity as the network has it: a matrix of all steps is computed."""
    source = segment.inputs.get(q.name)
    whole = segment.in_network(q)
    return replace(whole, role="intermediate") if source and source.whole else whole


def _by_shape(quantities: Iterable[Quantity]) -> str:
    names: dict[tuple[Expr, Expr], list[str]] = {}
    for q in quantities:
        names.setdefault(q.shape, []).append(q.name)
    return "; ".join(f"{', '.join(of)} {_shown(shape)}" for shape, of in names.items())


def _shown(shape: tuple[Expr, Expr]) -> str:
    """(n) for a column, (n, m) for a matrix, and 1 in words."""
    rows, cols = shape
    if shape == (1, 1):
        return "(a number)"
    return f"({rows})" if cols == 1 else f"({rows}, {cols})"
