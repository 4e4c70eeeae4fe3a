"""Sequences of different lengths, and steps of sequences, for files of networks over any array namespace.

The generator copies what a file calls; nothing is used but what the Python array API standard (2022.12) offers.
"""

from __future__ import annotations

from typing import Any

from numeric.portable_primitives import namespace, told

Array = Any
Arrays = dict[str, Array]


def turned(sequence: Array) -> Array:
    """The steps in reverse order."""
    return namespace(sequence).flip(sequence, axis=0)


def at_every_step(value: Array, T: int) -> Array:
    """The value of one step, (1, B, …), at all T steps."""
    return namespace(value).broadcast_to(value, (T, *value.shape[1:]))


def over_steps(gradient: Array) -> Array:
    """The gradient of one value that was used at every step, (1, B, …)."""
    return namespace(gradient).sum(gradient, axis=0, keepdims=True)


def columns_of(sequence: Array) -> Array:
    """The values of all steps, (T, B, n), as the columns of one matrix, (1, B, n, T)."""
    return namespace(sequence).permute_dims(sequence, (1, 2, 0))[None, ...]


def by_column(gradient: Array) -> Array:
    """The gradient by a matrix, (1, B, n, T), as that by the sequence of its columns, (T, B, n)."""
    return namespace(gradient).permute_dims(gradient[0, ...], (2, 0, 1))


def inside_of(lengths: Array, T: int) -> Array:
    """Which steps each sample has, (B, T)."""
    return numbers(lengths, T) < lengths[:, None]


def beside(name: str, array: Array, inside: Array) -> Array:
    """The array with zeros where a sample has no step; the axis of samples and those behind it are those of inside."""
    lengths, expected = tuple(array.shape)[-inside.ndim :], tuple(inside.shape)
    if len(lengths) != inside.ndim or any(
        b not in (1, a) for a, b in zip(lengths, expected, strict=True)
    ):
        raise ValueError(f"{name} has shape {tuple(array.shape)}: expected {expected} at its end")
    xp = namespace(array)
    return xp.where(inside, array, xp.zeros_like(array))


def refuse_beyond(name: str, index: Array, lengths: Array) -> None:
    """Refuses an index, (…, B), that names a step which its sample does not have; its shape is checked elsewhere."""
    if tuple(index.shape[-1:]) == tuple(lengths.shape) and told(index < lengths) is False:
        raise ValueError(
            f"{name} names a step beyond a sample's length: expected whole numbers below it"
        )


def cut_beside(arrays: Arrays, names: list[str], inside: Array) -> None:
    """Puts zeros where a sample has no step, in those of the arrays that have these names."""
    for name in names:
        if name in arrays:
            arrays[name] = beside(name, arrays[name], inside)


def numbers(like: Array, count: int) -> Array:
    """0, 1, … as whole numbers, where the array lies."""
    return namespace(like).arange(count, device=getattr(like, "device", None))


def in_front(mask: Array, rank: int) -> Array:
    """The mask with axes of length 1 behind its own, so that it has this many."""
    return namespace(mask).reshape(mask, (*mask.shape, *[1] * (rank - len(mask.shape))))


def zero_unless(mask: Array, sequence: Array) -> Array:
    """The sequence where the mask over its first axes is true, and 0 elsewhere, whatever stands there."""
    xp = namespace(sequence)
    return xp.where(in_front(mask, len(sequence.shape)), sequence, xp.zeros_like(sequence))


def checked_lengths(
    name: str, lengths: Array | None, T: int, B: int, xp: Any, device: Any
) -> Array:
    """The length of every sample: T for all if none are given."""
    lengths = (
        xp.full((B,), T, device=device) if lengths is None else xp.asarray(lengths, device=device)
    )
    if tuple(lengths.shape) != (B,):
        raise ValueError(f"{name} has shape {tuple(lengths.shape)}: expected {(B,)}")
    if "int" not in str(lengths.dtype):
        raise TypeError(f"{name} has dtype {lengths.dtype}: expected whole numbers, e.g. int64")
    if told(lengths >= 1) is False or told(lengths <= T) is False:
        raise ValueError(f"{name} holds numbers out of range: expected lengths from 1 to {T}")
    return xp.asarray(lengths, dtype=numbers(lengths, 1).dtype)


def longest(name: str, lengths: Array, xp: Any, device: Any) -> tuple[int, int]:
    """T and B of an axis along which nothing is given but the lengths."""
    lengths = xp.asarray(lengths, device=device)
    if len(lengths.shape) != 1 or lengths.shape[0] == 0 or "int" not in str(lengths.dtype):
        raise ValueError(f"{name} has shape {tuple(lengths.shape)}: expected whole numbers, (B,)")
    return int(xp.max(lengths)), lengths.shape[0]


def mask_of(lengths: Array, T: int, dtype: Any) -> Array:
    """1 up to each sample's length and 0 beyond, (T, B, 1)."""
    xp, device = namespace(lengths), getattr(lengths, "device", None)
    one = xp.ones((1,), dtype=dtype, device=device)
    inside = numbers(lengths, T)[:, None] < lengths[None, :]
    return xp.where(inside[..., None], one, xp.zeros_like(one))


def at_steps(sequence: Array, steps: Array) -> Array:
    """Each sample's values at steps of its own: a sequence of as many steps as each sample has here, (…, B)."""
    xp, (T, B, *rest) = namespace(sequence), sequence.shape
    places = xp.reshape(steps * B + numbers(steps, B), (-1,))
    found = xp.take(xp.reshape(sequence, (T * B, *rest)), places, axis=0)
    return xp.reshape(found, (*steps.shape, *rest))


def held(name: str, sequence: Array, lengths: Array, T: int) -> Array:
    """The sequence with each sample's last value in place of what lies beyond its length."""
    B = lengths.shape[0]
    if tuple(sequence.shape[:2]) != (T, B):
        raise ValueError(f"{name} has shape {tuple(sequence.shape)}: expected ({T}, {B}, …)")
    step, last = numbers(lengths, T)[:, None], lengths[None, :] - 1
    return at_steps(sequence, namespace(lengths).where(step < last, step, last))


def cut(arrays: Arrays, names: list[str], lengths: Array, T: int) -> None:
    """Puts zero beyond each sample's length, in those of the arrays that have these names."""
    inside = numbers(lengths, T)[:, None] < lengths[None, :]
    for name in (name for name in names if name in arrays):
        if tuple(arrays[name].shape[:2]) != tuple(inside.shape):
            found = tuple(arrays[name].shape)
            raise ValueError(f"{name} has shape {found}: expected {tuple(inside.shape)} in front")
        arrays[name] = zero_unless(inside, arrays[name])


def at_end(sequence: Array, lengths: Array) -> Array:
    """Each sample's value at its own last step, (1, B, …)."""
    return at_steps(sequence, lengths[None, :] - 1)


def from_end(value: Array, lengths: Array, T: int) -> Array:
    """A sequence that is zero but for each sample's last step."""
    last = numbers(lengths, T)[:, None] == lengths[None, :] - 1
    whole = namespace(value).broadcast_to(value, (T, *value.shape[1:]))
    return zero_unless(last, whole)


def at_step(value: Array, step: int, steps: int) -> Array:
    """A sequence of this many steps that is zero but for one of them."""
    whole = namespace(value).broadcast_to(value, (steps, *value.shape[1:]))
    return zero_unless(numbers(value, steps) == step % steps, whole)


NAMES = (
    "turned", "at_every_step", "over_steps", "columns_of", "by_column", "inside_of", "beside", "refuse_beyond",
    "cut_beside", "numbers", "in_front", "zero_unless", "checked_lengths", "longest", "mask_of", "at_steps", "held",
    "cut", "at_end", "from_end", "at_step",
)  # fmt: skip
