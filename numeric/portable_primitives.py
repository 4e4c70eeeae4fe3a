"""Functions that files for any array namespace bring along; the generator copies those that a file calls.

They use nothing but what the Python array API standard (2022.12) offers.
"""

from __future__ import annotations

from typing import Any

from numeric.checks import by_name

Array = Any


def namespace(*arrays: Array) -> Any:
    """The namespace of the arrays: what they name themselves, or what array-api-compat knows of them."""
    for array in arrays:
        if hasattr(array, "__array_namespace__"):
            return array.__array_namespace__()
    try:
        from array_api_compat import array_namespace
    except ImportError:
        kind = type(arrays[0])
        raise ImportError(
            f"found a {kind.__module__}.{kind.__qualname__}, which names no array namespace: "
            "pip install array-api-compat, or for NumPy's own arrays numpy>=2"
        ) from None
    return array_namespace(*arrays)


def placed(arrays: dict[str, Array]) -> tuple[Any, Any, Any]:
    """The namespace, the dtype and the device that all arrays share."""
    like = next(iter(by_name("params", arrays).values()))
    if not all(hasattr(array, "dtype") for array in arrays.values()):
        raise TypeError(
            f"found what is no array in {', '.join(arrays)}: expected arrays of one namespace"
        )
    real = str(like.dtype).split(".")[-1] in ("float32", "float64", "complex128")
    if not real or any(array.dtype != like.dtype for array in arrays.values()):
        found = ", ".join(f"{name} {array.dtype}" for name, array in arrays.items())
        raise TypeError(f"found dtypes {found}: expected float32 or float64, the same for all")
    return namespace(like), like.dtype, getattr(like, "device", None)


def checked(name: str, array: Array, shape: tuple[int, ...], dtype: Any) -> Array:
    """The array, if it has this shape and dtype and, as far as it has values yet, only finite entries."""
    if tuple(array.shape) != shape:
        raise ValueError(f"{name} has shape {tuple(array.shape)}: expected {shape}")
    if array.dtype != dtype:
        raise TypeError(f"{name} has dtype {array.dtype}: expected {dtype}, as the parameters have")
    if told(namespace(array).isfinite(array)) is False:
        raise ValueError(f"{name} holds numbers that are not finite: expected finite ones")
    return array


def checked_index(name: str, index: Array, shape: tuple[int, ...], below: int) -> Array:
    """The array, if it has this shape and holds whole numbers from 0 to below this number."""
    if tuple(index.shape) != shape:
        raise ValueError(f"{name} has shape {tuple(index.shape)}: expected {shape}")
    if "int" not in str(index.dtype):
        raise TypeError(f"{name} has dtype {index.dtype}: expected whole numbers")
    if told(index >= 0) is False or told(index < below) is False:
        raise ValueError(f"{name} holds numbers out of range: expected 0 to {below - 1}")
    return index


def told(answers: Array) -> bool | None:
    """Whether all are true; None while a compiler traces the code and nothing has a value."""
    try:
        return bool(namespace(answers).all(answers))
    except TypeError:
        return None


def gradients(
    what: str, given: dict[str, Array] | None, shapes: dict[str, tuple[int, ...]], like: Array
) -> list[Array]:
    """The gradients in the order of their shapes, checked; zeros for those that are left out."""
    given = by_name(what, given)
    if not given.keys() <= shapes.keys():
        wrong = ", ".join(sorted(map(str, given.keys() - shapes.keys())))
        raise ValueError(f"{what} does not know {wrong}: expected {', '.join(shapes)}")
    xp, device = namespace(like), getattr(like, "device", None)
    return [
        checked(f"{what}[{name!r}]", given[name], shape, like.dtype)
        if name in given
        else xp.zeros(shape, dtype=like.dtype, device=device)
        for name, shape in shapes.items()
    ]


def copied(array: Array) -> Array:
    """The array in memory of its own."""
    return namespace(array).stack([array])[0, ...]


def real_part(x: Array) -> Array:
    """The real part, by which functions branch."""
    return namespace(x).real(x) if "complex" in str(x.dtype) else x


def sigmoid(x: Array) -> Array:
    """σ(x) = 1 / (1 + e⁻ˣ), written so that nothing overflows."""
    return 0.5 * namespace(x).tanh(0.5 * x) + 0.5


def softplus(x: Array) -> Array:
    """log(1 + eˣ), written so that nothing overflows."""
    xp = namespace(x)
    above = real_part(x) > 0
    return xp.where(above, x, xp.zeros_like(x)) + xp.log1p(xp.exp(xp.where(above, -x, x)))


def relu(x: Array) -> Array:
    """max(0, x)."""
    xp = namespace(x)
    return xp.where(real_part(x) > 0, x, xp.zeros_like(x))


def absolute(x: Array) -> Array:
    """|x|."""
    return namespace(x).where(real_part(x) < 0, -x, x)


def positive(x: Array) -> Array:
    """1 where x > 0, else 0."""
    xp = namespace(x)
    return xp.where(real_part(x) > 0, xp.ones_like(x), xp.zeros_like(x))


def sign(x: Array) -> Array:
    """−1, 0 or 1."""
    return positive(x) - positive(-x)


def softmax(x: Array) -> Array:
    """exp(x) / Σ exp(x) over the last axis, written so that nothing overflows."""
    xp = namespace(x)
    e = xp.exp(x - xp.max(real_part(x), axis=-1, keepdims=True))
    return e / total(e)


def logsumexp(x: Array) -> Array:
    """log Σ exp(x) over the last axis, which stays with length 1, written so that nothing overflows."""
    xp = namespace(x)
    top = xp.max(real_part(x), axis=-1, keepdims=True)
    return top + xp.log(total(xp.exp(x - top)))


def total(x: Array) -> Array:
    """The sum of each sample's entries."""
    return namespace(x).sum(x, axis=-1, keepdims=True)


def matvec(matrix: Array, vector: Array) -> Array:
    """Each sample's matrix times its vector."""
    return (matrix @ vector[..., None])[..., 0]


def product(vectors: Array, matrix: Array) -> Array:
    """matrix @ v for the vectors of all steps and samples."""
    return vectors @ matrix.T


def outer_sum(a: Array, b: Array) -> Array:
    """Σ a bᵀ over all steps and samples, as one product."""
    xp = namespace(a)
    return xp.reshape(a, (-1, a.shape[-1])).T @ xp.reshape(b, (-1, b.shape[-1]))


def one_hot(index: Array, size: int, dtype: Any, device: Any) -> Array:
    """1 at each index and 0 elsewhere, along a new last axis."""
    xp = namespace(index)
    found = index[..., None] == xp.arange(size, dtype=index.dtype, device=device)
    one = xp.ones((1,), dtype=dtype, device=device)
    return xp.where(found, one, xp.zeros_like(one))


NAMES = (
    "namespace", "placed", "checked", "checked_index", "told", "gradients", "copied", "real_part", "sigmoid",
    "softplus", "relu", "absolute", "positive", "sign", "softmax", "logsumexp", "total", "matvec", "product",
    "outer_sum", "one_hot",
)  # fmt: skip
