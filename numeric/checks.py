"""Checks of arguments that generated files bring along; the generator copies those that a file calls."""

from __future__ import annotations

import numpy as np


def known(given, table, default=None):
    """The given dict, if it has the table's names and no others; missing ones are taken from the default."""
    if given is None and default is not None:
        return default
    unknown = set(given) - set(table)
    missing = set() if default is not None else set(table) - set(given)
    if unknown or missing:
        what = f"{', '.join(sorted(missing))} missing" if missing else f"{', '.join(sorted(unknown))} unknown"
        raise ValueError(f"{what}: expected {', '.join(table)}")
    return {**(default or {}), **given}


def leading(name, array):
    """T and B of an input."""
    shape = np.shape(array)
    if len(shape) < 3 or shape[0] == 0:
        raise ValueError(f"{name} has shape {shape}: expected (T, B, …) with T at least 1")
    return shape[0], shape[1]


def size(name, array, axis, rank):
    """The length of one axis of an argument."""
    shape = np.shape(array)
    if len(shape) != rank:
        raise ValueError(f"{name} has shape {shape}: expected {rank} axes")
    return shape[axis]


def common_dtype(*arrays):
    """The dtype that all arrays share: float32 or float64 (or complex128, for complex steps)."""
    kinds = {np.asarray(a).dtype.name for a in arrays}
    if len(kinds) != 1 or kinds & {"float32", "float64", "complex128"} != kinds:
        raise TypeError(f"parameters have dtypes {', '.join(sorted(kinds))}: expected float32 or float64 throughout")
    return np.dtype(kinds.pop())


def checked(name, array, shape, dtype, finite=False):
    """The array, if it has this shape and dtype (and only finite entries)."""
    array = np.asarray(array)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}: expected {shape}")
    if array.dtype != dtype:
        raise TypeError(f"{name} has dtype {array.dtype}: expected {dtype}, as the parameters have")
    if finite and not np.all(np.isfinite(array)):
        raise ValueError(f"{name} holds values that are not finite: expected finite numbers")
    return array


def gradient(name, array, shape, dtype):
    """A gradient, zero if it is not given."""
    return np.zeros(shape, dtype) if array is None else checked(name, array, shape, dtype)


def orthogonal(rng, rows, cols, dtype):
    """A random matrix with orthonormal rows or columns (Saxe, McClelland and Ganguli, 2014)."""
    q, r = np.linalg.qr(rng.standard_normal((max(rows, cols), min(rows, cols))))
    q = q * np.sign(np.diagonal(r))
    return (q if rows >= cols else q.T).astype(dtype)


def glorot(rng, rows, cols, dtype):
    """Uniform in ±√(6 / (rows + cols)) (Glorot and Bengio, 2010)."""
    bound = np.sqrt(6.0 / (rows + cols))
    return rng.uniform(-bound, bound, (rows, cols)).astype(dtype)


NAMES = ("known", "leading", "size", "common_dtype", "checked", "gradient", "orthogonal", "glorot")
