"""Whole sequences in arrays that are kept from run to run: what a network's file over a workspace does with them.

The functions of the same names in ``checks`` and ``ragged`` make new arrays; these write to rooms, and a name in a
dict of rooms always stands for the same array. A room is found by name, shape and dtype.
"""

from __future__ import annotations

import numpy as np

from numeric.buffers import aligned
from numeric.checks import alike
from numeric.ragged import sequence_of
from numeric.sequences import beside

Array = np.ndarray
Arrays = dict[str, Array]


def room(rooms: dict, name: str, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """The array of this name, which is made when it is asked for first."""
    key = name, shape, np.dtype(dtype)
    if key not in rooms:
        rooms[key] = aligned(shape, dtype)
    return rooms[key]


def held(name: str, sequence: Array, lengths: Array, T: int, rooms: dict) -> Array:
    """The sequence with each sample's last value in place of what lies beyond its length."""
    sequence, B = sequence_of(name, sequence, lengths, T), len(lengths)
    rows = np.minimum(np.arange(T)[:, None], lengths - 1) * B + np.arange(B)
    kept = room(rooms, name, sequence.shape, sequence.dtype)
    return sequence.reshape(T * B, *sequence.shape[2:]).take(rows, axis=0, out=kept, mode="clip")


def cut(arrays: Arrays, names: list[str], lengths: Array, T: int, rooms: dict) -> None:
    """Puts zero beyond each sample's length, in those of the arrays that have these names."""
    seen = np.arange(T)[:, None] < lengths
    for name in names:
        if name not in arrays:
            continue
        array = sequence_of(name, arrays[name], lengths, T)
        arrays[name] = room(rooms, name, array.shape, array.dtype)
        np.copyto(arrays[name], array)
        arrays[name][~seen] = 0


def cut_beside(arrays: Arrays, names: list[str], inside: Array, rooms: dict) -> None:
    """Puts zeros where a sample has no step, in those of the arrays that have these names."""
    for name in names:
        if name in arrays:
            array = beside(name, arrays[name], inside)
            arrays[name] = room(rooms, name, array.shape, array.dtype)
            np.copyto(arrays[name], array)


def sum_of(total: Arrays, name: str, shape: tuple[int, ...], dtype: np.dtype, rooms: dict) -> Array:
    """The sum of this name, in a room where more may be added to it."""
    kept = room(rooms, name, shape, dtype)
    given = total.get(name, 0)
    if given is not kept:
        kept[...] = alike(name, given, shape, dtype) if name in total else given
    total[name] = kept
    return kept


def add_to(total: Arrays, name: str, value: Array, rooms: dict) -> None:
    """Adds a gradient to the sum of this name."""
    if name not in total:
        total[name] = value
    else:
        kept = sum_of(total, name, value.shape, value.dtype, rooms)
        kept += value


def add_all(total: Arrays, gradients: Arrays, rooms: dict) -> None:
    """Adds gradients to the sums of their names."""
    for name, value in gradients.items():
        add_to(total, name, value, rooms)


def add_at_step(total: Arrays, name: str, value: Array, step: int, steps: int, rooms: dict) -> None:
    """Adds a gradient of one step, (1, B, …), to the sum of this name, a sequence."""
    kept = sum_of(total, name, (steps, *value.shape[1:]), value.dtype, rooms)
    kept[step] += value[0]


def add_at_end(
    total: Arrays, name: str, value: Array, lengths: Array, steps: int, rooms: dict
) -> None:
    """Adds a gradient of each sample's own last step, (1, B, …), to the sum of this name, a sequence."""
    kept = sum_of(total, name, (steps, *value.shape[1:]), value.dtype, rooms)
    kept[lengths - 1, np.arange(len(lengths))] += value[0]


NAMES = (
    "room", "held", "cut", "cut_beside", "sum_of", "add_to", "add_all", "add_at_step", "add_at_end",
)  # fmt: skip
