"""Growth of powers known exactly: against ranks, cancellations, and powers themselves."""

from __future__ import annotations

import numpy as np
import pytest

from numeric.interpret import Array
from numeric.jordan import Powers, powers
from tests.numeric.test_growth_law import ROTATING, jordan, turned


def joined(*blocks: Array) -> Array:
    size = sum(len(b) for b in blocks)
    whole, start = np.zeros((size, size)), 0
    for b in blocks:
        whole[start : start + len(b), start : start + len(b)] = b
        start += len(b)
    return whole


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (jordan(1, 3), Powers(1.0, 2)),
        (jordan(-1, 2), Powers(1.0, 1)),
        (jordan(0.9, 2), Powers(0.9, 1)),
        (np.eye(4), Powers(1.0, 0)),
        (jordan(0, 3), Powers(0.0, 2, 3)),
        (np.zeros((2, 2)), Powers(0.0, 0, 1)),
        (joined(jordan(0.5, 3), jordan(-1, 2), jordan(1, 1)), Powers(1.0, 1)),
        (joined(jordan(1, 2), jordan(-1, 3)), Powers(1.0, 2)),
        (np.array([[0.999, 1.0], [0.0, 1.0]]), Powers(1.0, 0)),
        (np.array([[1.0, 1.0], [0.0, 1.0 + 2**-52]]), Powers(1.0 + 2**-52, 0)),
        (np.array([[0.9, 1000.0], [0.0, 0.8]]), Powers(0.9, 0)),
    ],
)
def test_the_largest_block_of_the_largest_eigenvalue_counts(
    matrix: Array, expected: Powers
) -> None:
    order = np.random.default_rng(0).permutation(len(matrix))
    assert powers(matrix) == expected
    assert powers(matrix[np.ix_(order, order)]) == expected
    assert powers(matrix.T) == expected


def test_wide_matrices_take_no_time_whether_blocks_are_large_or_small() -> None:
    wide = np.triu(np.random.default_rng(0).standard_normal((64, 64)), 1)
    assert powers(wide + np.eye(64)) == Powers(1.0, 63)
    walk = np.block([[np.eye(32), np.zeros((32, 32))], [np.eye(32), np.eye(32)]])
    assert powers(walk) == Powers(1.0, 1)


def test_paths_that_cancel_do_not_count() -> None:
    ways = np.eye(4) + np.array([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0.0]])
    apart = ways.copy()
    apart[2, 3] = -1
    assert powers(ways) == Powers(1.0, 2)
    assert powers(apart) == Powers(1.0, 1)


def test_powers_themselves_grow_so() -> None:
    rng = np.random.default_rng(2)
    for _ in range(10):
        matrix = np.triu(rng.integers(-1, 2, (5, 5)), 1) + np.diag(rng.choice([1.0, -1.0, 0.5], 5))
        found = powers(matrix)
        assert found is not None
        k = 2**12
        near, far = (np.linalg.norm(np.linalg.matrix_power(matrix, p)) for p in (k, 2 * k))
        grown = np.log(far / near) - found.rate * k
        assert grown == pytest.approx(found.degree * np.log(2), abs=0.02)


@pytest.mark.parametrize("matrix", [turned(jordan(1, 3)), ROTATING, np.array([[0.0, 1.0], [1.0, 0.0]])])  # fmt: skip
def test_where_eigenvalues_do_not_stand_on_the_diagonal_nothing_is_said(matrix: Array) -> None:
    assert powers(matrix) is None
