"""Functions that generated files bring along; the generator copies those that a cell needs.

They accept float32, float64 and complex128, keep the precision, never overflow, and branch on the real part
only, so that a complex step through them is exact off the kinks.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def sigmoid(x: Array) -> Array:
    """σ(x) = 1 / (1 + e⁻ˣ), written so that nothing overflows."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


def softplus(x: Array) -> Array:
    """log(1 + eˣ), written so that nothing overflows."""
    positive = x.real > 0
    return np.where(positive, x, 0) + np.log1p(np.exp(np.where(positive, -x, x)))


def relu(x: Array) -> Array:
    """max(0, x)."""
    return np.where(x.real > 0, x, 0)


def absolute(x: Array) -> Array:
    """|x|."""
    return np.where(x.real < 0, -x, x)


def positive(x: Array) -> Array:
    """1 where x > 0, else 0."""
    return (x.real > 0).astype(x.dtype)


def sign(x: Array) -> Array:
    """−1, 0 or 1."""
    return np.sign(x.real).astype(x.dtype)


def softmax(x: Array) -> Array:
    """exp(x) / Σ exp(x) over the last axis, written so that nothing overflows."""
    e = np.exp(x - x.real.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def logsumexp(x: Array) -> Array:
    """log Σ exp(x) over the last axis, which stays with length 1, written so that nothing overflows."""
    top = x.real.max(axis=-1, keepdims=True)
    return top + np.log(np.sum(np.exp(x - top), axis=-1, keepdims=True))


def total(x: Array) -> Array:
    """The sum of each sample's entries."""
    return np.sum(x, axis=-1, keepdims=True)


def matvec(matrix: Array, vector: Array) -> Array:
    """Each sample's matrix times its vector."""
    return np.matmul(matrix, vector[..., None])[..., 0]


def product(vectors: Array, matrix: Array) -> Array:
    """matrix @ v for the vectors of all steps and samples, as one product."""
    rows = vectors.reshape(-1, vectors.shape[-1])
    return (rows @ matrix.T).reshape(*vectors.shape[:-1], matrix.shape[0])


def outer_sum(a: Array, b: Array) -> Array:
    """Σ a bᵀ over all steps and samples, as one product."""
    return a.reshape(-1, a.shape[-1]).T @ b.reshape(-1, b.shape[-1])


def outer_over_steps(a: Array, b: Array) -> Array:
    """Σ a bᵀ over all steps, for each sample, (1, B, …): one product for each."""
    return (np.moveaxis(a, 0, -1) @ np.swapaxes(b, 0, 1))[None]


def one_hot(index: Array, size: int, dtype: np.dtype) -> Array:
    """1 at each index and 0 elsewhere, along a new last axis."""
    return (index[..., None] == np.arange(size)).astype(dtype)


def columns(matrix: Array, index: Array) -> Array:
    """The columns of a matrix at the indices: its products with one-hot columns."""
    return matrix.T[index]


def picked(vectors: Array, index: Array) -> Array:
    """Each vector's entry at its index: its product with a one-hot column."""
    return np.take_along_axis(vectors, index[..., None], axis=-1)


def scatter_sum(a: Array, index: Array, size: int) -> Array:
    """Σ a bᵀ over all steps and samples for one-hot b: each vector is added to the column of its index."""
    total = np.zeros((size, a.shape[-1]), a.dtype)
    np.add.at(total, index.ravel(), a.reshape(-1, a.shape[-1]))
    return total.T


NAMES = (
    "sigmoid", "softplus", "relu", "absolute", "positive", "sign", "softmax", "logsumexp", "total", "matvec", "product",
    "outer_sum", "outer_over_steps", "one_hot", "columns", "picked", "scatter_sum",
)  # fmt: skip
