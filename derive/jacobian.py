"""The Jacobian of a step, block by block in closed form, from the tangent equations.

For column states u, v the block ∂u_t/∂v_{t−d} is a matrix; each tangent equation is linear in the tangents on
its right, and reading off the matrix in front of each of them is all that happens here. The joint state of
a cell is all of its states together, with as many past values as it remembers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sympy.matrices.expressions import Identity, MatrixExpr, ZeroMatrix

from derive.cell import Cell
from derive.expressions import Block, Tangent, Timed, is_column, leaves
from derive.fronts import chain, matrix_in_front, sum_of_blocks
from derive.normal import Assignment
from derive.tangents import tangent_equations


@dataclass(frozen=True, slots=True)
class JacobianBlock:
    """``∂target_t/∂source_{t−d} = value``.

    Args:
        block: the left-hand side.
        value: closed form over the step's quantities and earlier blocks; ``None`` if a state is a matrix, for which
            the tangent equation itself is the closed form.
        owner: the state whose row of the Jacobian this is, or the value in between.
        between: whether it is a value in between that several lines use on their way to a state, and no row.
    """

    block: Block
    value: MatrixExpr | None
    owner: str
    between: bool = False


LONG = 3
"""How many quantities a block of a value in between has, if it gets no line of its own."""


def jacobian(cell: Cell, assignments: tuple[Assignment, ...]) -> tuple[JacobianBlock, ...]:
    """All blocks of the joint state's Jacobian that are not zero, in order of evaluation.

    Values in between are eliminated, but for long ones that several lines use: these have lines of their own.
    """
    tangents = {a.target.of.name: a.expr for a in tangent_equations(assignments)}
    sources = [q.symbol.at(d) for q in cell.states for d in range(1, q.depth + 1)]
    states = {q.name for q in cell.states}
    order = [a.target for a in assignments]
    fronts = {u.name: _fronts(tangents[u.name], u) for u in order}
    shared = _shared(order, fronts, states)
    found: list[JacobianBlock] = []
    for source in sources:
        found += _rows_for(source, order, fronts, states, shared)
    position = {a.name: i for i, a in enumerate(assignments)}
    return tuple(sorted(found, key=lambda b: position[b.owner]))


def _shared(order, fronts, states) -> frozenset[str]:
    """The values in between that several lines use on their way to a state."""
    reaching, uses = set(states), Counter[str]()
    for u in reversed(order):
        if u.name in reaching:
            used = [w.name for w, _ in fronts[u.name] if w.lag == 0]
            reaching.update(used)
            uses.update(used)
    return frozenset(name for name, count in uses.items() if count > 1) - states


def _rows_for(source, order, fronts, states, shared) -> list[JacobianBlock]:
    """∂u/∂source for every state u, and for what is long and still used more than once when all else is eliminated."""
    found = list(_eliminated(source, order, fronts, states, shared))
    uses = Counter(v for b in found if b.value is not None for v in leaves(b.value))
    less = {b.owner for b in found if b.between and uses[b.block] < 2}
    return _rows_for(source, order, fronts, states, shared - less) if less else found


def _eliminated(source, order, fronts, states, shared) -> Iterator[JacobianBlock]:
    """∂u/∂source for every state u and for what is shared and long, eliminating the rest from first to last."""
    known: dict[str, MatrixExpr | None] = {}
    for u in order:
        value = known[u.name] = _total_block(fronts[u.name], u, source, known)
        between = u.name in shared and _is_long(value)
        if between or (u.name in states and not isinstance(value, ZeroMatrix)):
            yield JacobianBlock(Block(u, source), value, u.name, between)
            known[u.name] = Block(u, source) if value is not None else None


def _is_long(value: MatrixExpr | None) -> bool:
    return value is not None and sum(1 for _ in leaves(value)) > LONG


def _fronts(tangent, u) -> list[tuple[Tangent, MatrixExpr | None]]:
    """The tangents ẇ on the right, each with the matrix in front of it; it is the same for every source."""
    found = dict.fromkeys(v for v in leaves(tangent) if isinstance(v, Tangent))
    return [
        (w, matrix_in_front(tangent, w) if is_column(u) and is_column(w) else None)
        for w in found
        if isinstance(w.of, Timed)
    ]


def _total_block(fronts, u, source, known) -> MatrixExpr | None:
    """Σ over the tangents w on the right of (matrix in front of ẇ) · ∂w/∂source."""
    parts: list[MatrixExpr] = [ZeroMatrix(u.shape[0], source.shape[0])]
    for w, front in fronts:
        inner = (
            Identity(source.shape[0])
            if w.of == source
            else known.get(w.name)
            if w.lag == 0
            else False
        )
        if inner is False or isinstance(inner, ZeroMatrix) or (w.lag == 0 and w.name not in known):
            continue
        if inner is None or front is None or not is_column(source):
            return None
        parts.append(chain(front, inner))
    return sum_of_blocks(parts)
