"""Checks of arguments that generated files bring along; the generator copies those that a file calls."""

from __future__ import annotations

import numpy as np

Array = np.ndarray
Arrays = dict[str, Array]


def leading(name: str, array: Array, rank: int = 3) -> tuple[int, int]:
    """T and B of an input."""
    shape = np.shape(array)
    if len(shape) < rank or 0 in shape[:2]:
        axes = "(T, B, …)" if rank > 2 else "(T, B)"
        raise ValueError(f"{name} has shape {shape}: expected {axes} with T and B at least 1")
    return shape[:2]


def by_name(what: str, given: Arrays | None) -> Arrays:
    """What is given by names; nothing is an empty dict."""
    if given is None:
        return {}
    if not hasattr(given, "keys"):
        found = type(given).__name__
        raise TypeError(f"{what} is a {found}: expected a dict of arrays by name")
    return given


def size_of(what: str, given: Arrays | None, name: str, axis: int, rank: int) -> int:
    """The length of one axis of an array that is given by name."""
    return size(f"{what}[{name!r}]", by_name(what, given).get(name), axis, rank)


def size(name: str, array: Array | None, axis: int, rank: int) -> int:
    """The length of one axis of an argument."""
    if array is None:
        raise ValueError(f"{name} is missing: expected an array of {rank} axes")
    shape = np.shape(array)
    if len(shape) != rank:
        raise ValueError(f"{name} has shape {shape}: expected {rank} axes")
    return shape[axis]


def common_dtype(arrays: Arrays) -> np.dtype:
    """The dtype that all arrays share: float32 or float64 (complex128 is admitted for complex steps)."""
    arrays = by_name("params", arrays)
    kinds = {np.asarray(array).dtype.name for array in arrays.values()}
    if len(kinds) != 1 or not kinds <= {"float32", "float64", "complex128"}:
        found = ", ".join(
            f"{name} {np.asarray(array).dtype.name}" for name, array in arrays.items()
        )
        raise TypeError(f"found dtypes {found}: expected float32 or float64, the same for all")
    return np.dtype(kinds.pop())


def checked(name: str, array: Array, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """The array, if it has this shape and dtype and only finite entries."""
    array = np.asarray(array)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}: expected {shape}")
    if array.dtype != dtype:
        raise TypeError(f"{name} has dtype {array.dtype}: expected {dtype}, as the parameters have")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} holds numbers that are not finite: expected finite ones")
    return array


def checked_index(name: str, array: Array, shape: tuple[int, ...], size: int) -> Array:
    """The array, if it has this shape and only whole numbers from 0 to below the size."""
    array = np.asarray(array)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}: expected {shape}")
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} has dtype {array.dtype}: expected whole numbers, e.g. int64")
    if array.min() < 0 or array.max() >= size:
        found = f"{array.min()} to {array.max()}"
        raise ValueError(f"{name} holds {found}: expected numbers from 0 to {size - 1}")
    return array


def unpacked(params: Arrays, shapes: dict[str, tuple[int, ...]], dtype: np.dtype) -> list[Array]:
    """The parameters in the order of their shapes, checked."""
    params = by_name("params", params)
    if params.keys() != shapes.keys():
        wrong = ", ".join(sorted(map(str, params.keys() ^ shapes.keys())))
        raise ValueError(f"params lack or do not know {wrong}: expected {', '.join(shapes)}")
    return [
        checked(f"params[{name!r}]", params[name], shape, dtype) for name, shape in shapes.items()
    ]


def unpacked_state(state: Arrays | None, zeros: Arrays, dtype: np.dtype) -> list[Array]:
    """The values before the first step, in order; zeros for those that are left out."""
    given = by_name("state", state)
    if not given.keys() <= zeros.keys():
        wrong = ", ".join(sorted(map(str, given.keys() - zeros.keys())))
        raise ValueError(f"state does not know {wrong}: expected {', '.join(zeros)}")
    return [
        checked(f"state[{k!r}]", given.get(k, zero), zero.shape, dtype) for k, zero in zeros.items()
    ]


def gradients(
    what: str, given: Arrays | None, shapes: dict[str, tuple[int, ...]], dtype: np.dtype
) -> list[Array]:
    """The gradients in the order of their shapes, checked; zeros for those that are left out."""
    given = by_name(what, given)
    if not given.keys() <= shapes.keys():
        wrong = ", ".join(sorted(map(str, given.keys() - shapes.keys())))
        raise ValueError(f"{what} does not know {wrong}: expected {', '.join(shapes)}")
    return [
        checked(f"{what}[{name!r}]", given[name], shape, dtype)
        if name in given
        else np.zeros(shape, dtype)
        for name, shape in shapes.items()
    ]


def read_only(arrays: Arrays) -> Arrays:
    """Views that cannot be written to: backward needs the values as they are."""
    views = {name: array.view() for name, array in arrays.items()}
    for view in views.values():
        view.flags.writeable = False
    return views


def samples(state: Arrays | None, axes: dict[str, int]) -> int:
    """B, from a state; 1 if there is none."""
    for name, array in by_name("state", state).items():
        return np.shape(array)[axes[name]]
    return 1


def only(arrays: Arrays, names: list[str]) -> Arrays:
    """Those of the arrays that have these names."""
    return {name: arrays[name] for name in names if name in arrays}


def without(arrays: Arrays, names: list[str]) -> Arrays:
    """The arrays that do not have these names."""
    return {name: array for name, array in arrays.items() if name not in names}


def refuse_unknown(what: str, given: Arrays, names: list[str]) -> None:
    """Raises if a name is given that is not expected."""
    wrong = sorted(map(str, by_name(what, given).keys() - set(names)))
    if wrong:
        raise ValueError(f"{what} does not know {', '.join(wrong)}: expected {', '.join(names)}")


def refuse_left_out(names: list[str], state: Arrays, what: str, value: Array, axis: int) -> None:
    """Raises if states that alone tell a segment how many samples there are are left out for several samples."""
    shape = np.shape(value)
    B = shape[axis] if len(shape) > axis else 1
    if B != 1 and not any(name in state for name in names):
        raise ValueError(
            f"state has none of {', '.join(names)}, so that B is 1 there, but {what} has B = {B}: "
            f"give init_state({B}, ...) for zeros"
        )


def alike(name: str, given: Array, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """A gradient to which others are added, if it has their shape and dtype."""
    if tuple(np.shape(given)) != tuple(shape):
        raise ValueError(
            f"the gradient by {name} has shape {tuple(np.shape(given))}: expected {tuple(shape)}"
        )
    if getattr(given, "dtype", dtype) != dtype:
        raise TypeError(f"the gradient by {name} has dtype {given.dtype}: expected {dtype}")
    return given


def add_to(total: Arrays, name: str, value: Array) -> None:
    """Adds a gradient to the sum of this name."""
    if name in total:
        value = alike(name, total[name], value.shape, value.dtype) + value
    total[name] = value


def add_all(total: Arrays, gradients: Arrays) -> None:
    """Adds gradients to the sums of their names."""
    for name, value in gradients.items():
        add_to(total, name, value)


def at_step(value: Array, step: int, steps: int) -> Array:
    """A sequence of this many steps that is zero but for one of them."""
    whole = np.zeros((steps, *value.shape[1:]), value.dtype)
    whole[step] = value[0]
    return whole


NAMES = (
    "leading", "by_name", "size_of", "size", "samples", "common_dtype", "unpacked", "unpacked_state", "gradients",
    "checked", "checked_index", "only", "read_only", "without", "refuse_unknown", "refuse_left_out", "add_all", "alike",
    "add_to", "at_step",
)  # fmt: skip
