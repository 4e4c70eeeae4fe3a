"""Weights that a user gives: read from a file by name, and fitted to a cell; the sizes follow from their shapes.

A new format is a row in ``LOADERS``: from a path to arrays by parameter's name.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from derive.cell import Cell, Quantity
from derive.errors import ArgumentError
from derive.expressions import is_column, is_scalar
from derive.language_words import listed, nearest
from numeric.interpret import Array, shape_of

MOST_BYTES = 2**32
"""A file that would unpack to more is refused."""


def load_weights(path: Path) -> Mapping[str, Array]:
    """The arrays of a file, by name.

    Args:
        path: the file; its ending says how it is read, see ``LOADERS``.

    Raises:
        ArgumentError: the ending is unknown, or the file is not what its ending says.
    """
    loader = LOADERS.get(path.suffix.lower())
    if loader is None:
        raise ArgumentError(
            f"{path} ends in {path.suffix or 'nothing'!r}, which no loader of weights knows.",
            f"Give a file that ends in {listed(list(LOADERS))}, with arrays named like the cell's parameters.",
        )
    if not path.is_file():
        raise ArgumentError(f"There is no file {path}.", "Check the path.")
    return loader(path)


def _npz(path: Path) -> Mapping[str, Array]:
    """What ``numpy.savez(path, W=W, U=U)`` wrote; pickled objects are refused, not loaded."""
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(item.file_size for item in packed.infolist())
        if size > MOST_BYTES:
            raise ArgumentError(
                f"{path} unpacks to {size:,} bytes; the limit is {MOST_BYTES:,}.",
                "Save the parameters of one cell only.",
            )
        with np.load(path, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (OSError, ValueError, zipfile.BadZipFile, KeyError) as error:
        raise ArgumentError(
            f"{path} cannot be read as .npz: {str(error).splitlines()[0]}",
            "Write it with numpy.savez(path, **params).",
        ) from None


LOADERS: dict[str, Callable[[Path], Mapping[str, Array]]] = {".npz": _npz}


def parameters_from(
    cell: Cell, arrays: Mapping[str, Array], where: str
) -> tuple[dict[str, int], dict[str, Array]]:
    """The sizes and the parameters of a cell from arrays by name.

    Args:
        cell: whose parameters they are.
        arrays: an array for every parameter, shaped as generated code shapes it; a column may be (n,) or (n, 1).
        where: where they come from, for messages.

    Returns:
        The dimensions by name, and the parameters as (rows, columns).

    Raises:
        ArgumentError: a parameter is missing, unknown or not finite, or its shape does not fit the others.
    """
    names = [q.name for q in cell.parameters]
    for name in arrays:
        if name not in names:
            raise ArgumentError(
                f"{where}: {cell.name} has no parameter {name!r}.{nearest(name, names)}",
                f"Its parameters are {listed(names)}.",
            )
    missing = [name for name in names if name not in arrays]
    if missing:
        raise ArgumentError(
            f"{where} lacks {listed(missing)}.",
            f"The parameters of {cell.name} are {listed(names)}.",
        )
    sizes = _sizes(cell, {q.name: _axes(q, arrays[q.name], where) for q in cell.parameters}, where)
    found: dict[str, Array] = {}
    for q in cell.parameters:
        expected, value = shape_of(q.symbol, sizes), np.asarray(arrays[q.name])
        if _axes(q, value, where) != expected:
            told = ", ".join(f"{d} = {size}" for d, size in sizes.items())
            raise ArgumentError(
                f"{where}: {q.name} has shape {value.shape}; expected {_written(q, expected)}, since {told}.",
                "Transpose it, or choose the cell whose equations multiply from the other side.",
            )
        found[q.name] = value.reshape(expected).astype(np.float64)
    return {str(d): size for d, size in sizes.items()}, found


def _axes(q: Quantity, value: Array, where: str) -> tuple[int, ...]:
    """The array's shape as (rows, columns)."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise ArgumentError(
            f"{where}: {q.name} is not an array of finite numbers (dtype {array.dtype}).",
            "Save trained weights as floating-point arrays.",
        )
    if is_scalar(q.symbol) and array.size == 1:
        return (1, 1)
    return (*array.shape, 1) if is_column(q.symbol) and array.ndim == 1 else tuple(array.shape)


def _written(q: Quantity, shape: tuple[int, int]) -> str:
    return f"({shape[0]},)" if is_column(q.symbol) else str(shape)


def _sizes(cell: Cell, axes: Mapping[str, tuple[int, ...]], where: str) -> dict[Any, int]:
    """Every dimension, from the shapes: sizes that stand alone first, then what is left of sums."""
    sizes: dict[Any, int] = {}
    pairs: list[tuple[Any, int]] = []
    for q in cell.parameters:
        if len(axes[q.name]) != 2:
            shape = axes[q.name]
            raise ArgumentError(
                f"{where}: {q.name} has {len(shape)} axes, {shape}; expected (rows, columns).",
                "Save each parameter by itself.",
            )
        pairs += zip(q.shape, axes[q.name], strict=True)
    for _ in cell.dims:
        for expr, size in pairs:
            left: Any = expr.subs(sizes)
            unknown = list(left.free_symbols)
            if len(unknown) == 1:
                factor = left.coeff(unknown[0])
                rest = (size - left.subs(unknown[0], 0)) / factor
                if rest.is_integer and rest > 0:
                    sizes[unknown[0]] = int(rest)
    lacking = [str(d) for d in cell.dims if d not in sizes]
    if lacking:
        raise ArgumentError(
            f"{where}: the size of {listed(lacking)} does not follow from the parameters' shapes.",
            "Check the shapes; every dimension must be at least 1.",
        )
    return {d: sizes[d] for d in cell.dims}
