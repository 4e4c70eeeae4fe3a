"""Sequences of different lengths, for generated files of networks; the generator copies what a file calls."""

from __future__ import annotations

import numpy as np

Array = np.ndarray
Arrays = dict[str, Array]


def checked_lengths(name: str, lengths: Array | None, T: int, B: int) -> Array:
    """The length of every sample: T for all if none are given."""
    lengths = np.full(B, T) if lengths is None else np.asarray(lengths)
    if lengths.shape != (B,):
        raise ValueError(f"{name} has shape {lengths.shape}: expected {(B,)}")
    if lengths.dtype.kind not in "iu":
        raise TypeError(f"{name} has dtype {lengths.dtype}: expected whole numbers, e.g. int64")
    if lengths.min() < 1 or lengths.max() > T:
        found = f"{lengths.min()} to {lengths.max()}"
        raise ValueError(f"{name} holds {found}: expected lengths from 1 to {T}")
    return lengths.astype(np.int64)


def longest(name: str, lengths: Array) -> tuple[int, int]:
    """T and B of an axis along which nothing is given but the lengths."""
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or lengths.size == 0 or lengths.dtype.kind not in "iu":
        raise ValueError(f"{name} has shape {lengths.shape}: expected whole numbers, (B,)")
    return int(lengths.max()), lengths.size


def mask_of(lengths: Array, T: int, dtype: np.dtype) -> Array:
    """1 up to each sample's length and 0 beyond, (T, B, 1)."""
    return (np.arange(T)[:, None] < lengths)[..., None].astype(dtype)


def sequence_of(name: str, sequence: Array, lengths: Array, T: int) -> Array:
    """The sequence, if it has these steps and samples."""
    sequence = np.asarray(sequence)
    if sequence.shape[:2] != (T, len(lengths)):
        raise ValueError(f"{name} has shape {sequence.shape}: expected ({T}, {len(lengths)}, …)")
    return sequence


def held(name: str, sequence: Array, lengths: Array, T: int) -> Array:
    """The sequence with each sample's last value in place of what lies beyond its length."""
    sequence = sequence_of(name, sequence, lengths, T)
    return sequence[np.minimum(np.arange(T)[:, None], lengths - 1), np.arange(len(lengths))]


def cut(arrays: Arrays, names: list[str], lengths: Array, T: int) -> None:
    """Puts zero beyond each sample's length, in those of the arrays that have these names."""
    seen = np.arange(T)[:, None] < lengths
    for name in names:
        if name not in arrays:
            continue
        array = sequence_of(name, arrays[name], lengths, T)
        inside = seen.reshape(*seen.shape, *[1] * (array.ndim - 2))
        arrays[name] = np.where(inside, array, np.zeros((), array.dtype))


def at_end(sequence: Array, lengths: Array) -> Array:
    """Each sample's value at its own last step, (1, B, …)."""
    return sequence[lengths - 1, np.arange(len(lengths))][None]


def from_end(value: Array, lengths: Array, T: int) -> Array:
    """A sequence that is zero but for each sample's last step."""
    whole = np.zeros((T, *value.shape[1:]), value.dtype)
    whole[lengths - 1, np.arange(len(lengths))] = value[0]
    return whole


NAMES = (
    "checked_lengths",
    "longest",
    "mask_of",
    "sequence_of",
    "held",
    "cut",
    "at_end",
    "from_end",
)
