"""Whole sequences between the segments of a network, for generated files; the generator copies what a file calls."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def at_every_step(value: Array, T: int) -> Array:
    """The value of one step, (1, B, …), at all T steps, without a copy."""
    return np.broadcast_to(value, (T, *value.shape[1:]))


def over_steps(gradient: Array) -> Array:
    """The gradient of one value that was used at every step, (1, B, …)."""
    return gradient.sum(axis=0, keepdims=True)


def columns_of(sequence: Array) -> Array:
    """The values of all steps, (T, B, n), as the columns of one matrix, (1, B, n, T)."""
    return np.moveaxis(sequence, 0, -1)[None]


def by_column(gradient: Array) -> Array:
    """The gradient by a matrix, (1, B, n, T), as that by the sequence of its columns, (T, B, n)."""
    return np.moveaxis(gradient[0], -1, 0)


NAMES = ("at_every_step", "over_steps", "columns_of", "by_column")
