"""The small-gain certificate: bounds on the blocks' 2-norms over a box, and a vector v > 0 with Mv ≤ ρv for them.

‖J_uw‖₂ ≤ M_uw for the blocks of J gives ‖block of J_T ⋯ J_1‖ ≤ (Mᵀ)_uw by induction. That a matrix has norm ≤ w is
shown by a factor L with w²I − AᵀA = LLᵀ + E and E diagonally dominant: no eigenvalue need be trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from derive.nodes import Diag, operands
from numeric.interpret import Array
from proofs.guarantee_intervals import Interval, Intervals, point, up
from proofs.guarantee_rows import Addend, Jacobian

MARGIN = 1e-7
"""By how much a norm's bound exceeds the norm, relative to it: room for the factor's rounding."""
SMALLEST = 1e-140
"""A matrix below this is bounded by it entry by entry: the squares of its entries are no normal floats any more."""
BITS = 30
DIGITS = 40

LARGEST = 1e100
"""Entries beyond this are taken for unbounded."""

Term = tuple[float, tuple[int, ...]]
"""A number times norms, by their place."""


@dataclass(frozen=True, slots=True)
class Norm:
    """‖A‖₂ ≤ bound for every A within the radius of the matrix.

    Args:
        matrix: the middle, on a grid of few bits.
        radius: a bound on the 2-norm of what lies between.
        factor: L, lower triangular.
        bound: w.
    """

    matrix: Array
    radius: float
    factor: Array
    bound: float

    def data(self) -> dict[str, Any]:
        """As rational numbers in text."""
        return {
            "matrix": texts(self.matrix), "radius": text(self.radius),
            "factor": [texts(row[: i + 1]) for i, row in enumerate(self.factor)],
            "bound": text(self.bound),
        }  # fmt: skip


def text(value: float) -> str:
    """A float as the rational number that it is."""
    return str(Fraction(float(value)))


def texts(values: Any) -> Any:
    """An array of floats as nested lists of rational numbers."""
    return [texts(v) for v in values] if np.ndim(values) else text(values)


def norm_of(a: Interval) -> Norm:
    """A bound on the 2-norm of every matrix in an interval, with what shows it; infinite where none was found."""
    if not (a.size < LARGEST).all():
        return Norm(np.zeros(a.shape), np.inf, np.zeros((a.shape[1], a.shape[1])), np.inf)
    if 0 < a.size.max(initial=0.0) < SMALLEST:
        tiny = SMALLEST * a.size.size
        return Norm(np.zeros(a.shape), tiny, np.zeros((a.shape[1], a.shape[1])), tiny)
    matrix = _gridded(a.lo / 2 + a.hi / 2, BITS)
    ar = Intervals()
    away = ar.add(a, point(-matrix)).size
    radius = float(up(np.sqrt(up(np.array((away * away).sum() * (1 + away.size * 1e-15))))))
    wanted = float(np.linalg.norm(matrix, 2)) * (1 + MARGIN)
    inner, factor = _gridded(np.array(wanted), DIGITS), np.zeros((a.shape[1], a.shape[1]))
    if wanted > 0:
        room = MARGIN * wanted**2
        gram = (float(inner) ** 2 - room) * np.eye(a.shape[1]) - matrix.T @ matrix
        factor = _gridded(np.linalg.cholesky(gram), DIGITS)
    bound = float(up(up(np.array(float(inner) + radius))))
    return Norm(matrix, radius, factor, bound)


def norm_bound(a: Interval) -> float:
    """A bound on the 2-norm of every matrix in an interval, shown here in outward-rounded arithmetic."""
    found, ar = norm_of(a), Intervals()
    if not np.isfinite(found.bound) or found.bound == found.radius:
        return found.bound
    m, low = point(found.matrix), point(found.factor)
    parts = ar.add(ar.matmul(ar.transpose(m), m), ar.matmul(low, ar.transpose(low)))
    inner = np.nextafter(np.nextafter(found.bound, 0) - found.radius, 0)
    square = point(np.nextafter(inner * inner, 0) * np.eye(a.shape[1]))
    gap = ar.add(square, Interval(-parts.hi, -parts.lo))
    off = gap.size - np.diag(np.diag(gap.size))
    if (np.diag(gap.lo) >= off.sum(axis=1) * (1 + 1e-12)).all():
        return found.bound
    return float(up(np.array(np.sqrt(_row_sum(a) * _row_sum(ar.transpose(a))) * (1 + 1e-12))))


def _row_sum(a: Interval) -> float:
    return float(a.size.sum(axis=1).max() * (1 + a.shape[1] * 1e-15))


def _gridded(values: Array, bits: int) -> Array:
    """Rounded to a grid of 2⁻ᵇⁱᵗˢ times the largest entry's power of two."""
    top = float(np.abs(values).max(initial=0.0))
    if top == 0:
        return np.zeros_like(values)
    step = float(2.0 ** (np.ceil(np.log2(top)) - bits))
    return np.rint(values / step) * step


@dataclass(frozen=True, slots=True)
class SmallGain:
    """Norms of blocks, and the vector for them.

    Args:
        rho: ρ.
        v: one entry for each part of the joint state.
        norms: the matrices whose norms were bounded.
        terms: by block of the joint state, the products whose sum bounds its norm.
    """

    rho: float
    v: Array
    norms: tuple[Norm, ...]
    terms: tuple[tuple[tuple[Term, ...], ...], ...]


def small_gain(jacobian: Jacobian) -> SmallGain:
    """The smallest ρ that the 2-norms of the Jacobian's addends reach."""
    keys = list(jacobian.slots)
    norms: list[Norm] = []
    known: dict[bytes, int] = {}
    terms: list[list[list[Term]]] = [[[] for _ in keys] for _ in keys]
    for a in jacobian.addends:
        row, column = (
            keys.index((a.block.of.name, 0)),
            keys.index((a.block.by.name, a.block.by.lag - 1)),
        )
        terms[row][column].append(_term(jacobian, a, norms, known))
    for row, (name, back) in enumerate(keys):
        if back:
            terms[row][keys.index((name, back - 1))].append((1.0, ()))
    m = np.array([[sum(_value(t, norms) for t in cell) for cell in line] for line in terms])
    rho, v = _vector(m)
    return SmallGain(rho, v, tuple(norms), tuple(tuple(tuple(c) for c in line) for line in terms))


def _term(jacobian: Jacobian, a: Addend, norms: list[Norm], known: dict[bytes, int]) -> Term:
    """An addend's norm: every matrix with the diagonals around it, the rest as a number."""
    look, evaluate, ar = jacobian.values.__getitem__, jacobian.evaluate, Intervals()
    left = evaluate(a.front, look).size
    matrix: Interval | None = None
    places: list[int] = []
    for part in a.rest:
        if isinstance(part, Diag):
            entries = evaluate(operands(part)[0], look).size
            if matrix is None:
                left = up(left * entries)
            else:
                matrix = ar.mul(matrix, point(entries.T))
            continue
        if matrix is not None:
            places.append(_place(matrix, norms, known))
        value = evaluate(part, look)
        matrix = value if matrix is not None else ar.mul(point(left), value)
    if matrix is None:
        return float(left.max(initial=0.0)), ()
    return 1.0, (*places, _place(matrix, norms, known))


def _place(matrix: Interval, norms: list[Norm], known: dict[bytes, int]) -> int:
    key = matrix.lo.tobytes() + matrix.hi.tobytes()
    if key not in known:
        known[key] = len(norms)
        norms.append(norm_of(matrix))
    return known[key]


def _value(term: Term, norms: list[Norm]) -> float:
    value = term[0]
    for place in term[1]:
        value = value * norms[place].bound if value > 0 else 0.0
    return float(up(up(np.array(value))))


def _vector(m: Array) -> tuple[float, Array]:
    if not np.isfinite(m).all():
        return np.inf, np.ones(len(m))
    v, best, kept = np.ones(len(m)), np.inf, np.ones(len(m))
    for _ in range(1000):
        image = m @ v
        rho = float((image / v).max())
        if rho < best:
            best, kept = rho, v
        v = image + 1e-3 * max(rho, 1e-300) * v
        v = np.maximum(v / v.max(), 1e-12)
    return float(up(np.array(best * (1 + 1e-12)))), kept
