"""Recurrences that are linear in their state: found from the Jacobian, which then does not depend on the state.

    s_t = A_t s_{t−1} + b_t        A_t, b_t functions of inputs and parameters only

The decision is made on the tangent equations with only past states moving: the recurrence is linear in its state if
and only if nothing in front of a tangent depends on a state. Where A_t acts entry by entry, its entries are the
tangent equations at v̇ = 1, and b_t is the step at s_{t−1} = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sympy.matrices.expressions import HadamardProduct, MatAdd, MatrixExpr, ZeroMatrix

from derive.cell import Cell
from derive.expressions import (
    Tangent,
    Timed,
    add,
    hadamard,
    leaves,
    ones_like,
    operands,
    replace,
    split_coefficient,
    zeros_like,
)
from derive.normal import Assignment
from derive.tangents import tangent_equations


@dataclass(frozen=True, slots=True)
class LinearRow:
    """u_t = Σ factor ∘ v_{t−d} + rest, for a state u.

    Args:
        state: u at lag 0.
        factors: what multiplies each past state, entry by entry; those that vanish are left out.
        rest: b_t, free of states.
    """

    state: Timed
    factors: dict[Timed, MatrixExpr]
    rest: MatrixExpr

    @property
    def value(self) -> MatrixExpr:
        """The right-hand side."""
        return add(*(hadamard(a, v) for v, a in self.factors.items()), self.rest)


@dataclass(frozen=True, slots=True)
class Linearity:
    """Whether a recurrence is linear in its state, and how.

    Args:
        linear: whether the Jacobian is free of states.
        elementwise: whether it also acts entry by entry: diagonal blocks.
        reason: why it is not linear or not elementwise, in words; empty if it is both.
        rows: the recurrence of every state, where it is elementwise.
        constant: whether it is linear and the Jacobian is the same at every step, A_t = A: made of parameters alone.
    """

    linear: bool
    elementwise: bool
    reason: str
    rows: tuple[LinearRow, ...] = ()
    constant: bool = False

    @property
    def groups(self) -> tuple[tuple[LinearRow, ...], ...]:
        """The rows apart, where states do not read each other."""
        found: list[list[LinearRow]] = []
        for row in self.rows:
            names = {row.state.name, *(v.name for v in row.factors)}
            meeting = [g for g in found if names & _names(g)]
            found = [g for g in found if g not in meeting]
            found.append([*(r for g in meeting for r in g), row])
        order = {row.state.name: i for i, row in enumerate(self.rows)}
        sorted_groups = (sorted(g, key=lambda r: order[r.state.name]) for g in found)
        return tuple(map(tuple, sorted(sorted_groups, key=lambda g: order[g[0].state.name])))


def _names(rows: list[LinearRow]) -> set[str]:
    return {r.state.name for r in rows} | {v.name for r in rows for v in r.factors}


def linearity(cell: Cell, assignments: tuple[Assignment, ...]) -> Linearity:
    """Decide whether a cell's recurrence is linear in its state.

    Args:
        cell: the cell.
        assignments: its step in normal form.
    """
    states = {q.name for q in cell.states}
    if not states:
        return Linearity(False, False, "it has no state")
    moving = _moving(assignments, states)
    tangents = {
        a.target.of.name: a.expr for a in tangent_equations(assignments, _directions(moving))
    }
    needed = _needed(assignments, states)
    for a in (a for a in assignments if a.name in needed):
        inside = next((v for v in leaves(tangents[a.name]) if _is_moving(v, moving)), None)
        if inside is not None:
            which = f"{inside.name}[t{'' if inside.lag == 0 else f'-{inside.lag}'}]"
            return Linearity(
                False,
                False,
                f"the Jacobian of {a.owner} contains {which}, which depends on a state",
            )
    constant = not any(
        isinstance(v, Timed) for name in needed & tangents.keys() for v in leaves(tangents[name])
    )
    for a in (a for a in assignments if a.name in needed):
        if not _is_elementwise(tangents[a.name]):
            reason = f"{a.owner} mixes the entries of a state with each other"
            return Linearity(True, False, reason, constant=constant)
    return Linearity(True, True, "", _rows(cell, assignments, tangents, moving), constant)


def _moving(assignments: tuple[Assignment, ...], states: set[str]) -> frozenset[str]:
    """The names whose value at lag 0 depends on past states."""
    moving: set[str] = set()
    for a in assignments:
        for v in leaves(a.expr):
            if isinstance(v, Timed) and ((v.name in states and v.lag > 0) or v.name in moving):
                moving.add(a.name)
    return frozenset(moving | states)


def _is_moving(leaf: MatrixExpr, moving: frozenset[str]) -> bool:
    return isinstance(leaf, Timed) and leaf.name in moving


def _directions(moving: frozenset[str]) -> Callable[[MatrixExpr], MatrixExpr]:
    """Past states and what depends on them move; all else stands still."""
    return lambda leaf: Tangent(leaf) if _is_moving(leaf, moving) else zeros_like(leaf)


def _needed(assignments: tuple[Assignment, ...], states: set[str]) -> set[str]:
    """What the states are computed from, the states included."""
    needed = set(states)
    for a in reversed(assignments):
        if a.name in needed:
            needed |= {v.name for v in leaves(a.expr) if isinstance(v, Timed)}
    return needed


def _is_elementwise(tangent: MatrixExpr) -> bool:
    """Whether a linear map of tangents acts entry by entry: sums and products with what stands still."""
    _, core = split_coefficient(tangent)
    if not any(isinstance(v, Tangent) for v in leaves(core)):
        return True
    if isinstance(core, Tangent):
        return True
    return isinstance(core, MatAdd | HadamardProduct) and all(
        _is_elementwise(part) for part in operands(core)
    )


def _rows(
    cell: Cell,
    assignments: tuple[Assignment, ...],
    tangents: dict[str, MatrixExpr],
    moving: frozenset[str],
) -> tuple[LinearRow, ...]:
    """Every state by past states alone: intermediates that depend on states are written out."""
    states = {q.name for q in cell.states}
    values: dict[str, MatrixExpr] = {}
    dots: dict[str, MatrixExpr] = {}
    for a in assignments:
        if a.name not in moving:
            continue

        def written(leaf: MatrixExpr, known: dict[str, MatrixExpr]) -> MatrixExpr:
            return known[leaf.name] if leaf.lag == 0 and leaf.name in known else leaf

        values[a.name] = replace(
            a.expr, lambda v: written(v, values) if isinstance(v, Timed) else v
        )
        dots[a.name] = replace(
            tangents[a.name], lambda v: written(v, dots) if isinstance(v, Tangent) else v
        )
    past = [q.symbol.at(d) for q in cell.states for d in range(1, q.depth + 1)]
    return tuple(
        LinearRow(
            a.target,
            {v: c for v in past if not isinstance(c := _factor(dots[a.name], v), ZeroMatrix)},
            replace(values[a.name], lambda v: zeros_like(v) if v in past else v),
        )
        for a in assignments
        if a.name in states
    )


def _factor(dot: MatrixExpr, source: Timed) -> MatrixExpr:
    """What multiplies v̇, entry by entry: the tangent with ones for v̇ and zeros for all others."""

    def look(leaf: MatrixExpr) -> MatrixExpr:
        if not isinstance(leaf, Tangent):
            return leaf
        return ones_like(leaf) if leaf.of == source else zeros_like(leaf)

    return replace(dot, look)
