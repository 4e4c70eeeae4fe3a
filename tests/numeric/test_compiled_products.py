"""Work on matrices in compiled files: right for every size, whatever is left over after several at a time."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from numeric.compiled_products import FUNCTIONS
from tests.generated import module_of

PLAIN = """
from numpy import ndarray as Array
def njit(**options): return lambda function: function
def compiled(function, *also): return function
"""
COMPILED = """
from numpy import ndarray as Array
from numba import njit
def compiled(function, *also): return njit(fastmath=set(also))(function)
"""


def functions(head: str) -> ModuleType:
    return module_of("\n\n".join([head, *(text() for text in FUNCTIONS.values())]))


def right(module: ModuleType, B: int, rows: int, columns: int, dtype: type) -> None:
    rng, tight = np.random.default_rng(B), 100 * np.finfo(dtype).eps
    matrix = rng.standard_normal((rows, columns)).astype(dtype)
    many = rng.standard_normal((B, rows)).astype(dtype)
    out = np.full((B, columns), np.nan, dtype)
    module.products(many, matrix, out)
    np.testing.assert_allclose(out, many @ matrix, atol=tight)
    out = np.full((B, columns), np.nan, dtype)
    module.dots(many, np.ascontiguousarray(matrix.T), out)
    np.testing.assert_allclose(out, many @ matrix, atol=tight)
    whole = np.zeros((columns, rows), dtype)
    module.put_turned(matrix, whole, dtype(0.5))
    assert np.array_equal(whole, 0.5 * matrix.T)
    module.put(matrix[0], whole[:, 0], dtype(3))
    assert np.array_equal(whole[:, 0], 3 * matrix[0])


@pytest.mark.parametrize("B", range(1, 10))
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 7, 8])
@pytest.mark.parametrize("columns", [1, 2, 3, 4, 9])
def test_products_are_those_of_numpy_at_every_size(B, rows, columns):
    right(functions(PLAIN), B, rows, columns, np.float64)


@pytest.mark.parametrize("rows", [15, 16, 17, 32, 35])
def test_matrices_of_many_rows_are_turned(rows):
    right(functions(PLAIN), 2, rows, 3, np.float64)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_compiled_products_are_those_of_numpy(dtype):
    pytest.importorskip("numba", reason="numba is not installed: make frameworks")
    module = functions(COMPILED)
    for sizes in ((1, 5, 3), (4, 4, 8), (7, 9, 6), (9, 3, 17), (2, 35, 18)):
        right(module, *sizes, dtype)
