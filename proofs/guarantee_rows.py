"""The elementwise certificate: rows that bound |J| over a box, and a vector v > 0 with Mv ≤ ρv for all of them.

|J_t| v ≤ ρ v for every step gives |J_T ⋯ J_1| v ≤ ρᵀ v by induction, since the entries are not negative (Perron and
Frobenius; L. Collatz, 1942). One row of J often holds a quantity of its own row twice, as (1 − z) + z(…) in a GRU, so
its range is cut into pieces, and every piece has a row of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from derive.nodes import Elementwise, Timed, leaves, operands
from numeric.interpret import Array
from proofs.guarantee_box import Problem, Values
from proofs.guarantee_intervals import Interval, point, up
from proofs.guarantee_step import Addend
from proofs.untyped import HadamardPower, HadamardProduct, MatAdd, MatMul

PIECES = 32
ROUNDING = 1e-9
"""By how much the outermost cuts exceed a range, for another machine's rounding."""
POWER_ROUNDS = 200


def _of_the_row(expr: Any) -> set[Any]:
    """The leaves of an expression of which row i sees entry i only."""
    if not operands(expr):
        return {expr}
    plain = isinstance(expr, MatAdd | HadamardProduct | HadamardPower | Elementwise)
    scaled = isinstance(expr, MatMul) and len(operands(expr)) == 1
    if not (plain or scaled):
        return set()
    parts = [(_of_the_row(part), set(leaves(part))) for part in operands(expr)]
    mixed = {leaf for inside, every in parts for leaf in every - inside}
    return {leaf for inside, _ in parts for leaf in inside} - mixed


class Jacobian:
    """The joint Jacobian over a box, with one quantity's range still open.

    Args:
        problem: the cell.
        values: what every leaf can be, from ``enclose``.
    """

    def __init__(self, problem: Problem, values: Values) -> None:
        self.values, step = values, problem.step
        self.evaluate, self.addends = step.evaluate, step.addends
        self.slots, self.size = step.slots, step.size
        self.rests = [self._rest(a) for a in self.addends]

    def _rest(self, a: Addend) -> Interval:
        if not a.rest:
            return point(np.eye(self.evaluate.shape(a.block)[0]))
        found = self.evaluate(a.rest[0], self.values.__getitem__)
        for part in a.rest[1:]:
            right = self.evaluate(part, self.values.__getitem__)
            found = self.evaluate.arithmetic.matmul(found, right)
        return found

    def candidates(self) -> list[Any]:
        """Quantities of the same row that stand in front of more than one addend of it."""
        seen: dict[tuple[str, Any], int] = {}
        for a in self.addends:
            mine = {v for v in _of_the_row(self._written(a.front)) if isinstance(v, Timed)}
            for leaf in mine:
                seen[a.block.of.name, leaf] = seen.get((a.block.of.name, leaf), 0) + 1
        mixed = {
            v
            for a in self.addends
            for v in set(leaves(self._written(a.front))) - _of_the_row(self._written(a.front))
        }
        wide = {
            leaf
            for (_, leaf), count in seen.items()
            if count > 1 and leaf not in mixed and self._is_wide(leaf)
        }
        return sorted(wide, key=str)

    def _written(self, expr: Any) -> Any:
        return expr.xreplace(self.evaluate.inline)

    def _is_wide(self, leaf: Any) -> bool:
        value = self.values[leaf]
        return bool(np.isfinite(value.size).all()) and bool((value.hi > value.lo).any())

    def over(self, piece: Mapping[Any, Interval] | None = None) -> Interval:
        """J, entry by entry, (…, N, N).

        Args:
            piece: for quantities of the same row a piece of their range, or a stack of pieces along a leading axis.
        """
        ar, given = self.evaluate.arithmetic, dict(piece or {})
        lead = np.broadcast_shapes(*(v.shape[:-2] for v in given.values())) if given else ()
        shape = (*lead, self.size, self.size)
        whole = Interval(np.zeros(shape), np.zeros(shape))

        def look(leaf: Any) -> Interval:
            return given[leaf] if leaf in given else self.values[leaf]

        for a, rest in zip(self.addends, self.rests, strict=True):
            value = ar.mul(self.evaluate(a.front, look), rest)
            rows, columns = a.block.of.name, (a.block.by.name, a.block.by.lag - 1)
            place = (..., self.slots[rows, 0], self.slots[columns])
            sum_ = ar.add(Interval(whole.lo[place], whole.hi[place]), value)
            whole.lo[place], whole.hi[place] = sum_.lo, sum_.hi
        for (name, back), part in self.slots.items():
            if back:
                handed = (..., part, self.slots[name, back - 1])
                whole.lo[handed] = whole.hi[handed] = np.eye(part.stop - part.start)
        return whole


@dataclass(frozen=True, slots=True)
class Perron:
    """Rows, and the vector for them.

    Args:
        rho: ρ.
        v: v > 0.
        split: the quantity whose range is cut, if any.
        edges: where, (pieces + 1, entries).
        rows: upper bounds of |J|, (pieces, N, N).
    """

    rho: float
    v: Array
    split: Any
    edges: Array | None
    rows: Array


def perron(jacobian: Jacobian, cuts: Sequence[Any] | None = None) -> Perron:
    """The smallest ρ that the elementwise certificate reaches.

    Args:
        jacobian: over a box.
        cuts: the quantities to cut; every candidate if left out.
    """
    best = _with(jacobian, None)
    for leaf in (jacobian.candidates() if cuts is None else cuts) if best.rho < np.inf else ():
        found = _with(jacobian, leaf)
        if found.rho < best.rho:
            best = found
    return best


def _with(jacobian: Jacobian, leaf: Any) -> Perron:
    edges = None if leaf is None else _edges(jacobian.values[leaf])
    rows = rows_of(jacobian, leaf, edges)
    rho, v = _eigenvector(rows)
    return Perron(rho, v, leaf, edges, rows)


def rows_of(jacobian: Jacobian, leaf: Any, edges: Array | None) -> Array:
    """Upper bounds of |J|, one for each piece, (pieces, N, N)."""
    if edges is None:
        return jacobian.over().size[None]
    found = jacobian.over({leaf: Interval(edges[:-1], edges[1:])}).size
    return np.broadcast_to(found, (len(edges) - 1, *found.shape[-2:]))


def _edges(value: Interval, pieces: int = PIECES) -> Array:
    """Cuts of every entry's range: evenly in log x/(1 − x) within (0, 1), so that both ends are cut finely."""
    share = np.linspace(0.0, 1.0, pieces + 1)[:, None, None]
    even = value.lo + (value.hi - value.lo) * share
    inner = (value.lo > 0) & (value.hi < 1)
    lo, hi = np.where(inner, value.lo, 0.25), np.where(inner, value.hi, 0.75)
    ends = np.log(lo / (1 - lo)), np.log(hi / (1 - hi))
    bent = 1 / (1 + np.exp(-(ends[0] + (ends[1] - ends[0]) * share)))
    edges = np.where(inner, bent, even)
    edges = np.maximum.accumulate(np.clip(edges, value.lo, value.hi), axis=0)
    room = ROUNDING * (value.hi - value.lo)
    edges[0], edges[-1] = value.lo - room, value.hi + room
    return edges


def _eigenvector(rows: Array) -> tuple[float, Array]:
    """v > 0 and ρ = max (Mv)ᵢ/vᵢ over all rows, by power iteration on v ↦ max over the pieces."""
    ones: Any = np.ones(rows.shape[-1])
    if not np.isfinite(rows).all():
        return np.inf, ones
    v, best, kept = ones, np.inf, ones
    for _ in range(POWER_ROUNDS):
        image: Any = (rows @ v).max(axis=0)
        rho = float((image / v).max())
        if rho < best:
            best, kept = rho, v
        v = image + 1e-3 * max(rho, 1e-300) * v
        v = np.maximum(v / v.max(), 1e-12)
    return float(up(np.array(best * (1 + 1e-12)))), kept


def joined(jacobian: Jacobian, found: Perron, target: float) -> Perron:
    """The same certificate with as few pieces as ``target`` ≥ ρ allows: neighbours joined while Mv ≤ target · v."""
    if found.edges is None:
        return found
    last = found.edges[-1]
    edges, lo = [found.edges[0]], found.edges[0]
    kept: list[Array] = []
    while len(kept) == 0 or ((lo < last).any() and len(kept) < 4 * PIECES):
        hi, rows = _longest(jacobian, found, lo, target)
        kept.append(rows)
        edges.append(hi)
        lo = hi
    if (lo < last).any():
        return found
    return Perron(target, found.v, found.split, np.stack(edges), np.stack(kept))


def _longest(jacobian: Jacobian, found: Perron, lo: Array, target: float) -> tuple[Array, Array]:
    """The widest piece from ``lo`` upward, entry by entry, whose rows stay below the target."""
    fixed: Any = found.edges
    above = np.maximum(fixed[1:], lo)
    floor = (above > lo).argmax(axis=0)
    choice = np.full(lo.shape, len(above) - 1)
    while True:
        hi: Array = np.take_along_axis(above, choice[None], axis=0)[0]
        rows = jacobian.over({found.split: Interval(lo, hi)}).size
        bad = _entries(jacobian, found, (rows @ found.v) > target * found.v)
        worse = bad & (choice > floor)
        if not worse.any():
            return hi, rows
        choice = np.where(worse, np.maximum(floor, (choice + floor) // 2), choice)


def _entries(jacobian: Jacobian, found: Perron, rows: Array) -> Array:
    """Which entries of the cut quantity have a row among these."""
    shape = jacobian.values[found.split].shape
    bad = np.zeros(shape[0], bool)
    for (_, back), part in jacobian.slots.items():
        if back == 0 and part.stop - part.start == shape[0]:
            bad |= rows[part]
    return bad[:, None]
