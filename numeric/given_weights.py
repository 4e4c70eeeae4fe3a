"""Weights that a user gives by name, fitted to a cell; the sizes follow from their shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from derive.cell import Cell, Quantity
from derive.errors import ArgumentError
from derive.expressions import is_column, is_scalar
from derive.language_words import listed, nearest
from numeric.interpret import Array, shape_of


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
