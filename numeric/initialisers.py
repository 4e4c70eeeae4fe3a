"""Random values at the start of training, for generated files; the generator copies what a file calls.

Each takes the matrix as it maps a vector: ``cols`` numbers come in, ``rows`` go out.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def orthogonal(rng: np.random.Generator, rows: int, cols: int, dtype: np.dtype | type) -> Array:
    """A random matrix with orthonormal rows or columns (Saxe, McClelland and Ganguli, 2014)."""
    q, r = np.linalg.qr(rng.standard_normal((max(rows, cols), min(rows, cols))))
    q = q * np.sign(np.diagonal(r))
    return (q if rows >= cols else q.T).astype(dtype)


def glorot(rng: np.random.Generator, rows: int, cols: int, dtype: np.dtype | type) -> Array:
    """Uniform in ±√(6 / (rows + cols)) (Glorot and Bengio, 2010)."""
    bound = np.sqrt(6.0 / (rows + cols))
    return rng.uniform(-bound, bound, (rows, cols)).astype(dtype)


def glorot_normal(rng: np.random.Generator, rows: int, cols: int, dtype: np.dtype | type) -> Array:
    """Normal with variance 2 / (rows + cols) (Glorot and Bengio, 2010)."""
    return (np.sqrt(2.0 / (rows + cols)) * rng.standard_normal((rows, cols))).astype(dtype)


def he(rng: np.random.Generator, rows: int, cols: int, dtype: np.dtype | type) -> Array:
    """Normal with variance 2 / cols (He, Zhang, Ren and Sun, 2015, equation 10)."""
    return (np.sqrt(2.0 / cols) * rng.standard_normal((rows, cols))).astype(dtype)


def he_uniform(rng: np.random.Generator, rows: int, cols: int, dtype: np.dtype | type) -> Array:
    """Uniform with variance 2 / cols, so in ±√(6 / cols) (He, Zhang, Ren and Sun, 2015)."""
    bound = np.sqrt(6.0 / cols)
    return rng.uniform(-bound, bound, (rows, cols)).astype(dtype)


def normal(rng: np.random.Generator, rows: int, cols: int, dtype: np.dtype | type) -> Array:
    """Normal with variance 1 / cols (LeCun, Bottou, Orr and Müller, 1998, equation 16)."""
    return (np.sqrt(1.0 / cols) * rng.standard_normal((rows, cols))).astype(dtype)


def chrono(
    rng: np.random.Generator, longest: float, shape: tuple[int, ...], dtype: np.dtype | type
) -> Array:
    """log u with u uniform in [1, longest − 1]: a gate that forgets within 2 to ``longest`` steps.

    Source: Tallec and Ollivier (2018), equation 16.
    """
    return np.log(rng.uniform(1.0, longest - 1.0, shape)).astype(dtype)


NAMES = ("orthogonal", "glorot", "glorot_normal", "he", "he_uniform", "normal", "chrono")
