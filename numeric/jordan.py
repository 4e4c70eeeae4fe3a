"""Growth known exactly: powers of a matrix whose eigenvalues stand on its diagonal, by the sizes of its Jordan blocks.

    ‖A^k‖ ~ C k^d ρ^k        ρ the spectral radius, d + 1 rows of the largest Jordan block of an eigenvalue |λ| = ρ

Floating-point eigenvalues cannot say it: those of a Jordan block of r rows are off by the r-th root of the rounding.
Where a reordering of the state makes A triangular, they are its diagonal, and ranks over the rational numbers, which
floating-point numbers are, give the blocks. (An eigenvalue's largest block, its index, is the least p at which the
rank of (A − λI)^p falls no more.)

Source: Horn and Johnson, Matrix Analysis, second edition (2013), 3.2.5 and theorem 5.6.12.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import QQ  # pyright: ignore[reportMissingTypeStubs] - it ships none
from sympy.polys.matrices import DomainMatrix  # pyright: ignore[reportMissingTypeStubs]

from numeric.interpret import Array

PRIME = 2**61 - 1


@dataclass(frozen=True, slots=True)
class Powers:
    """How ‖A^k‖ grows.

    Args:
        radius: ρ; 0 if some power is zero.
        degree: d.
        steps: the least k with A^k = 0; 0 if there is none.
    """

    radius: float
    degree: int
    steps: int = 0

    @property
    def rate(self) -> float:
        """log ρ, per step."""
        return math.log(self.radius) if self.radius > 0 else -math.inf


def powers(matrix: Array) -> Powers | None:
    """How the norms of a matrix's powers grow; ``None`` unless its eigenvalues stand on its diagonal.

    Args:
        matrix: A, square and finite.
    """
    order = _order(matrix)
    if order is None:
        return None
    matrix = matrix[np.ix_(order, order)]
    diagonal = np.diagonal(matrix)
    radius = float(np.abs(diagonal).max(initial=0.0))
    largest = max(_index(matrix, v) for v in {float(v) for v in diagonal if abs(v) == radius})
    return Powers(radius, largest - 1, largest if radius == 0 else 0)


def _order(matrix: Array) -> list[int] | None:
    """An order of rows and columns alike in which it is lower triangular; ``None`` if there is none."""
    leads = (matrix != 0) & ~np.eye(len(matrix), dtype=bool)
    left, order = np.ones(len(matrix), dtype=bool), list[int]()
    while left.any():
        ends = left & ~(leads[:, left].any(axis=1))
        if not ends.any():
            return None
        order += np.flatnonzero(ends).tolist()
        left &= ~ends
    return order


def _index(matrix: Array, value: float) -> int:
    """The rows of the largest Jordan block of an eigenvalue of a triangular matrix.

    Law: it is at least that modulo a prime, and at most the longest chain of equal eigenvalues each of which leads to
    the next; between the two, ranks of powers decide.
    """
    longest = _longest(matrix, value)
    return longest if _modulo(matrix, value) == longest else _by_ranks(matrix, value)


def _longest(matrix: Array, value: float) -> int:
    """How many entries with this eigenvalue lie on one way through the matrix, at most."""
    lengths = np.zeros(len(matrix), dtype=int)
    for i, row in enumerate(matrix):
        before = lengths[:i][row[:i] != 0]
        lengths[i] = before.max(initial=0) + (row[i] == value)
    return int(lengths.max())


def _modulo(matrix: Array, value: float) -> int:
    """The least p at which the image of (A − λI)^p shrinks no more, modulo a prime: a rank there is never too large."""
    shifted = np.array([[_residue(v) for v in row] for row in matrix], dtype=object)
    shifted = (shifted - np.eye(len(matrix), dtype=int) * _residue(value)) % PRIME
    least = len(matrix) - int(np.sum(np.diagonal(matrix) == value))
    image, found = _independent(shifted.T), 1
    while len(image) > least:
        image, found = _independent(image @ shifted.T % PRIME), found + 1
    return found


def _residue(value: float) -> int:
    numerator, denominator = float(value).as_integer_ratio()
    return numerator * pow(denominator, -1, PRIME) % PRIME


def _independent(rows: Array) -> Array:
    """A basis of the rows, in echelon form, modulo the prime."""
    rows, rank = rows.copy(), 0
    for column in range(rows.shape[1]):
        pivots = np.flatnonzero(rows[rank:, column])
        if not len(pivots):
            continue
        rows[[rank, rank + pivots[0]]] = rows[[rank + pivots[0], rank]]
        rows[rank] = rows[rank] * pow(int(rows[rank, column]), -1, PRIME) % PRIME
        below = rows[rank + 1 :]
        rows[rank + 1 :] = (below - np.outer(below[:, column], rows[rank])) % PRIME
        rank += 1
    return rows[:rank]


def _by_ranks(matrix: Array, value: float) -> int:
    """The least p at which the rank of (A − λI)^p falls no more."""
    size, count = len(matrix), int(np.sum(np.diagonal(matrix) == value))
    one: Any = DomainMatrix.eye(size, QQ)  # pyright: ignore[reportUnknownMemberType]
    rows = [[QQ(*float(v).as_integer_ratio()) for v in row] for row in matrix]
    shifted = DomainMatrix(rows, (size, size), QQ).to_sparse() - QQ(*value.as_integer_ratio()) * one
    power, found = shifted, 1
    while power.rank() > size - count:
        power, found = power * shifted, found + 1
    return found
