"""Whole sequences between the segments of a network, for generated files; the generator copies what a file calls."""

from __future__ import annotations

import numpy as np

Array = np.ndarray
Arrays = dict[str, Array]


def at_every_step(value: Array, T: int) -> Array:
    """The value of one step, (1, B, …), at all T steps, without a copy."""
    return np.broadcast_to(value, (T, *value.shape[1:]))


def over_steps(gradient: Array) -> Array:
    """The gradient of one value that was used at every step, (1, B, …), from those of all steps, or from their sum."""
    return gradient.sum(axis=0, keepdims=True)


def columns_of(sequence: Array) -> Array:
    """The values of all steps, (T, B, n), as the columns of one matrix, (1, B, n, T)."""
    return np.moveaxis(sequence, 0, -1)[None]


def by_column(gradient: Array) -> Array:
    """The gradient by a matrix, (1, B, n, T), as that by the sequence of its columns, (T, B, n)."""
    return np.moveaxis(gradient[0], -1, 0)


def inside_of(lengths: Array, T: int) -> Array:
    """Which steps each sample has, (B, T)."""
    return np.arange(T) < lengths[:, None]


def beside(name: str, array: Array, inside: Array) -> Array:
    """The array with zeros where a sample has no step; the axis of samples and those behind it are those of inside."""
    array = np.asarray(array)
    lengths = array.shape[-inside.ndim :]
    if len(lengths) != inside.ndim or any(
        b not in (1, a) for a, b in zip(lengths, inside.shape, strict=True)
    ):
        raise ValueError(f"{name} has shape {array.shape}: expected {inside.shape} at its end")
    return np.where(inside, array, np.zeros((), array.dtype))


def refuse_beyond(name: str, index: Array, lengths: Array) -> None:
    """Refuses an index, (…, B), that names a step which its sample does not have; its shape is checked elsewhere."""
    index = np.asarray(index)
    if index.shape[-1:] == lengths.shape and np.any(index >= lengths):
        raise ValueError(
            f"{name} names a step beyond a sample's length: expected whole numbers below it"
        )


def cut_beside(arrays: Arrays, names: list[str], inside: Array) -> None:
    """Puts zeros where a sample has no step, in those of the arrays that have these names."""
    for name in names:
        if name in arrays:
            arrays[name] = beside(name, arrays[name], inside)


NAMES = (
    "at_every_step", "over_steps", "columns_of", "by_column", "inside_of", "beside", "refuse_beyond",
    "cut_beside",
)  # fmt: skip
