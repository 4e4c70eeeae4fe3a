"""Functions on buffers that fast generated files bring along; the generator copies those that a file calls."""

from __future__ import annotations

import numpy as np

from numeric.checks import by_name, checked, common_dtype, gradients, unpacked, unpacked_state

Array = np.ndarray
Arrays = dict[str, Array]


def aligned(shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """A new array; unless it is small it begins with a line of the cache, so that vectors do not lie across two."""
    array = np.empty(shape, dtype)
    size, each = array.size, array.itemsize
    if size * each < 16_384:
        return array
    del array
    spare = np.empty(size + 64 // each, dtype)
    start = -spare.ctypes.data % 64 // each
    return spare[start : start + size].reshape(shape)


def by_gate(array: Array, gates: int) -> Array:
    """(…, B, gates · n) as (…, gates, B, n), without a copy."""
    parts = array.reshape(*array.shape[:-1], gates, array.shape[-1] // gates)
    return parts.swapaxes(-2, -3)


def step_views(start: int, stop: int, flat: bool, *arrays: Array) -> list[tuple[Array, ...]]:
    """For every step its part of each array; an array for fewer steps is used again and again.

    With ``flat`` the one sample loses its axis: vectors take less of a call's time than matrices of one row.
    """
    columns = []
    for array in arrays:
        whole = flattened(array, flat)
        if len(whole) >= stop:
            columns.append(list(whole[start:stop]))
        else:
            parts = list(whole)
            columns.append([parts[t % len(parts)] for t in range(start, stop)])
    return list(zip(*columns, strict=True))


def flattened(array: Array, flat: bool) -> Array:
    """The array, with ``flat`` without the axis of its one sample."""
    return array[..., 0, :] if flat else array


def spans(start: int, stop: int, length: int) -> list[tuple[int, int]]:
    """start ≤ t < stop in stretches of this length, the last one shorter if need be."""
    return [(t, min(t + length, stop)) for t in range(start, stop, length)]


def stretch(T: int, limit: int) -> int:
    """How many steps are taken at once: all, or the largest power of two within the limit."""
    return T if limit >= T else 1 << (max(1, limit).bit_length() - 1)


def as_rows(array: Array) -> Array:
    """(T, B, n) as (T · B, n)."""
    return array.reshape(-1, array.shape[-1])


def add_outer(total: Array, a: Array, b: Array, first: bool) -> None:
    """Adds Σ a bᵀ over steps and samples, as one product, to what the total holds unless it is the first."""
    if first:
        np.dot(as_rows(a).T, as_rows(b), out=total)
    else:
        total += np.dot(as_rows(a).T, as_rows(b))


def add_sum(total: Array, a: Array, first: bool) -> None:
    """Adds Σ a over steps and samples, as one product, to what the total holds unless it is the first."""
    rows = as_rows(a)
    ones = np.ones(len(rows), a.dtype)
    if first:
        np.dot(ones, rows, out=total)
    else:
        total += np.dot(ones, rows)


def multiplier(matrix: Array, B: int, size: int):
    """The function that puts B vectors @ matrix into its second argument.

    For up to 32 samples a product of more multiplications than ``size`` is made in up to eight pieces, some columns
    at a time: a BLAS may have a faster way for small products, as OpenBLAS has with AVX-512.
    """
    columns, pieces, most = matrix.shape[1], 1, 8 if B <= 32 else 1
    while pieces < most and columns % (2 * pieces) == 0 and B * matrix.size > size * pieces:
        pieces *= 2
    if pieces == 1:
        return lambda vectors, out: vectors.dot(matrix, out)
    parts = in_pieces(matrix, pieces)
    return lambda vectors, out: np.matmul(vectors, parts, in_pieces(out, pieces))


def in_pieces(matrix: Array, pieces: int) -> Array:
    """The columns of a matrix in pieces, (pieces, rows, columns of each), without a copy."""
    return matrix.reshape(len(matrix), pieces, -1).swapaxes(0, 1)


def multipliers(matrices: Array) -> list:
    """For every matrix the function that puts a row times it into its second argument."""
    return [matrix.T.dot for matrix in matrices]


def weighted(factors: Array, weights: Array, matrices: Array) -> None:
    """Makes row j of every step's matrix: Σ_k factors[j, k, step] · weights[j, k]."""
    np.matmul(factors.swapaxes(1, 2), weights, matrices.swapaxes(0, 1))


def unit_rows(rows: int, count: int, width: int, ones: list, dtype: np.dtype) -> Array:
    """(rows, count, width) zeros, but for every (k, column) in ``ones`` in row j of matrix k a one in column + j."""
    array, j = np.zeros((rows, count, width), dtype), np.arange(rows)
    for k, column in ones:
        array[j, k, column + j] = 1
    return array


def checked_run(cache: dict) -> object:
    """The workspace of a cache, if no later run has overwritten what the cache stands for."""
    workspace = cache.get("workspace") if isinstance(cache, dict) else None
    if workspace is None:
        raise TypeError("cache is not of this file: expected the third of what forward returned")
    if workspace.run != cache["run"]:
        raise ValueError(
            "the cache is of an earlier run: its workspace was used again; call backward before the next forward"
        )
    return workspace


def add_scattered(total: Array, a: Array, index: Array, first: bool) -> None:
    """Adds Σ a bᵀ for one-hot b: each vector is added to the column of its index."""
    if first:
        total[...] = 0
    np.add.at(total.T, index.ravel(), as_rows(a))


def given_gradients(
    what: str, given: Arrays | None, shapes: dict[str, tuple[int, ...]], dtype: np.dtype
) -> list[Array | None]:
    """The gradients in the order of their shapes, checked; None for those that are left out."""
    if given is None:
        return [None] * len(shapes)
    if not by_name(what, given).keys() <= shapes.keys():
        gradients(what, given, shapes, dtype)
    return [
        sound(f"{what}[{name!r}]", given[name], shape, dtype) if name in given else None
        for name, shape in shapes.items()
    ]


def given_state(state: Arrays, zeros: Arrays, dtype: np.dtype) -> list[Array]:
    """As ``unpacked_state``, at once where the values are as they must be."""
    if not by_name("state", state).keys() <= zeros.keys():
        unpacked_state(state, zeros, dtype)
    return [
        sound(f"state[{k!r}]", state[k], zero.shape, dtype) if k in state else zero
        for k, zero in zeros.items()
    ]


def sound(name: str, array: Array, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """As ``checked``, at once where the array is as it must be."""
    if (
        type(array) is np.ndarray
        and array.shape == shape
        and array.dtype is dtype
        and is_finite(array)
    ):
        return array
    return checked(name, array, shape, dtype)


def no_gradient(shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """Zeros that take no memory; nothing writes to them."""
    return np.broadcast_to(np.zeros((), dtype), shape)


def shared_dtype(arrays: Arrays) -> np.dtype:
    """As ``common_dtype``, at once where all are arrays of one dtype."""
    kinds = {
        array.dtype for array in by_name("params", arrays).values() if type(array) is np.ndarray
    }
    dtype = kinds.pop() if len(kinds) == 1 else None
    if dtype is None or dtype.char not in "fdD":
        return common_dtype(arrays)
    return dtype


def taken(params: Arrays, shapes: dict[str, tuple[int, ...]], dtype: np.dtype) -> Arrays:
    """The parameters by name, checked; whether they are finite is seen where they are put together."""
    fit = by_name("params", params).keys() == shapes.keys() and all(
        type(params[name]) is np.ndarray
        and params[name].shape == shape
        and params[name].dtype is dtype
        for name, shape in shapes.items()
    )
    arrays = [params[name] for name in shapes] if fit else unpacked(params, shapes, dtype)
    return dict(zip(shapes, arrays, strict=True))


def as_before(params: Arrays, workspace: object | None) -> Arrays | None:
    """The parameters by name, if they are the very arrays that the workspace's last run took; else None."""
    if workspace is None or not workspace.known:
        return None
    if len(by_name("params", params)) != len(workspace.known):
        return None
    for name, array in workspace.known.items():
        if params.get(name) is not array:
            return None
    return workspace.known


def own(workspace: object | None, kind: type) -> object | None:
    """The workspace, if it is one of this file or none was given."""
    if workspace is None or type(workspace) is kind:
        return workspace
    found = f"{type(workspace).__module__}.{type(workspace).__qualname__}"
    raise TypeError(
        f"workspace is a {found}: expected a Workspace of this file, as cache['workspace'] of an earlier run is"
    )


def finite(*arrays: Array) -> bool:
    """Whether every number of these arrays is finite."""
    return all(map(is_finite, arrays))


def is_finite(array: Array) -> bool:
    """Whether every number is finite, at once where the sum of their squares is.

    A turned sequence is turned back, and of a value that is the same at every step one is enough.
    """
    if array.ndim and array.strides[0] <= 0:
        array = array[::-1] if array.strides[0] else array[:1]
    return np.vdot(array, array).real < np.inf or np.isfinite(array).all()


def not_finite(params: Arrays) -> ValueError:
    """The error that names the parameters which hold numbers that are not finite."""
    wrong = [f"params[{name!r}]" for name, array in params.items() if not is_finite(array)]
    told = f"{', '.join(wrong) or 'params'} holds numbers that are not finite: expected finite ones"
    return ValueError(told)


def at_steps(gradient: Array | None, start: int, stop: int, flat: bool) -> list[Array | None]:
    """The parts of a given gradient from the last of these steps to the first; None where it was left out."""
    if gradient is None:
        return [None] * (stop - start)
    return list(flattened(gradient, flat)[start:stop])[::-1]


NAMES = (
    "aligned", "by_gate", "step_views", "flattened", "spans", "stretch", "as_rows", "add_outer", "add_sum",
    "multiplier", "in_pieces", "multipliers", "weighted", "unit_rows", "checked_run", "add_scattered", "at_steps",
    "given_gradients", "given_state", "no_gradient", "shared_dtype", "taken", "as_before", "own", "sound", "finite",
    "is_finite", "not_finite",
)  # fmt: skip
