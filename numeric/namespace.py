"""Array namespaces: where the measurements compute, NumPy or another library of the array API standard.

The measurements ask for what they need through one object: NumPy by default; torch, CuPy or any other namespace of the
standard, on any device, through ``array-api-compat``. Results always come back as NumPy arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from derive.errors import ArgumentError

KNOWN = ("numpy", "torch", "cupy", "jax", "array_api_strict")
DTYPES = ("float64", "float32")
Values = Any


@dataclass(frozen=True, slots=True)
class Namespace:
    """Arrays of one library, precision and device.

    Args:
        xp: the module with the standard's functions.
        dtype: the precision, ``float64`` or ``float32``.
        device: as the library names it; its default if left out.
    """

    xp: Any = np
    dtype: str = "float64"
    device: Any = None

    @property
    def _given(self) -> dict[str, Any]:
        given: dict[str, Any] = {"dtype": getattr(self.xp, self.dtype)}
        return given if self.device is None else given | {"device": self.device}

    def asarray(self, value: Any) -> Values:
        """A NumPy array, or one of this library already, as one of ours."""
        if self.xp is np or not isinstance(value, np.ndarray):
            return self.xp.asarray(value, **self._given)
        copied = np.array(
            value, dtype=self.dtype
        )  # writable and contiguous, as other libraries want it
        return self.xp.asarray(copied, **self._given)

    def zeros(self, shape: tuple[int, ...]) -> Values:
        """Zeros."""
        return self.xp.zeros(shape, **self._given)

    def ones(self, shape: tuple[int, ...]) -> Values:
        """Ones."""
        return self.xp.ones(shape, **self._given)

    def eye(self, n: int) -> Values:
        """The identity matrix."""
        return self.xp.eye(n, **self._given)

    def numpy(self, value: Values) -> Any:
        """The values as a NumPy array of 64 bits."""
        if isinstance(value, np.ndarray | float | int):
            return np.asarray(value, dtype=np.float64)
        for name in ("cpu", "get"):  # torch's and CuPy's ways off the device
            move = getattr(value, name, None)
            if callable(move):
                return np.asarray(move(), dtype=np.float64)
        try:
            return np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            exchanged: Any = np.from_dlpack(value)
            return np.asarray(exchanged, dtype=np.float64)

    def concat(self, parts: Sequence[Values], axis: int) -> Values:
        """Arrays put together along an axis."""
        if self.xp is np:
            return np.concatenate(parts, axis=axis)
        return self.xp.concat(list(parts), axis=axis)

    def turned(self, value: Values) -> Values:
        """The matrices transposed: the last two axes change places."""
        return value.swapaxes(-1, -2) if self.xp is np else self.xp.matrix_transpose(value)

    def norm(self, value: Values) -> float:
        """The Euclidean norm of all entries; neither overflows nor underflows where the norm itself does not."""
        if self.xp is np:
            flat = value.ravel(order="K")
            square = float(np.vdot(flat, flat))
        else:
            square = float(self.xp.sum(value * value))
        if 1e-30 < square < 1e30:
            return math.sqrt(square)
        top = float(self.xp.max(self.xp.abs(value)))
        if top == 0.0 or not math.isfinite(top):
            return top
        scaled = value / top
        return top * math.sqrt(float(self.xp.sum(scaled * scaled)))

    def function(self, name: str) -> Callable[[Values], Values]:
        """An elementwise function of the language."""
        make, xp = FUNCTIONS[name], self.xp
        if xp is np and name == "sigmoid":
            return _sigmoid_of(self.dtype)
        return lambda a: make(xp, a)


NUMPY = Namespace()


def namespace(name: str, dtype: str = "float64", device: Any = None) -> Namespace:
    """The namespace of a library.

    Args:
        name: one of ``KNOWN``.
        dtype: ``float64`` or ``float32``.
        device: ``cuda`` or what else the library knows; its default if left out.

    Raises:
        ArgumentError: the name or the precision is unknown, or the library is not installed or has no such device.
    """
    if name not in KNOWN:
        raise ArgumentError(f"{name!r} is no array namespace.", f"Choose from {', '.join(KNOWN)}.")
    if dtype not in DTYPES:
        raise ArgumentError(f"{dtype!r} is no precision.", f"Choose from {', '.join(DTYPES)}.")
    found = Namespace(np if name == "numpy" else _installed(name), dtype, device)
    try:
        found.zeros((1,))
    except Exception as error:  # noqa: BLE001 - every library has its own way to refuse
        raise ArgumentError(
            f"{name} makes no {dtype} array on {device or 'its device'}: {str(error).splitlines()[0]}",
            "Choose another device or precision.",
        ) from None
    return found


def _installed(name: str) -> Any:
    """The module of a library's namespace.

    Raises:
        ArgumentError: the library is not installed.
    """
    try:
        return _module(name)
    except ImportError as error:
        raise ArgumentError(
            f"The array namespace {name} is not there: {error}.",
            f"Install {name.replace('_', '-')} and array-api-compat (throughtime's extra arrays), or choose numpy.",
        ) from None


def _module(name: str) -> Any:
    if name in ("jax", "array_api_strict"):  # their own namespaces follow the standard
        return import_module("jax.numpy" if name == "jax" else name)
    import_module(name)
    return import_module(f"array_api_compat.{name}")


def _relu(xp: Any, a: Values) -> Values:
    return xp.where(a > 0, a, xp.zeros_like(a))


def _sigmoid(xp: Any, a: Values) -> Values:
    """Correct to its last digits also where it is almost 0, which ½ tanh(a/2) + ½ is not."""
    raised = xp.exp(-xp.abs(a))
    return xp.where(a > 0, xp.ones_like(a), raised) / (1.0 + raised)


def _tanh_slope(xp: Any, a: Values) -> Values:
    """tanh′ = 4 e^(−2|a|) / (1 + e^(−2|a|))², correct to its last digits also where 1 − tanh² has none."""
    raised = xp.exp(-2.0 * xp.abs(a))
    return 4.0 * raised / ((1.0 + raised) * (1.0 + raised))


def _sigmoid_of(dtype: str) -> Callable[[Values], Values]:
    """The sigmoid on NumPy, eᵃ / (1 + eᵃ), in a third of the time of the one below, which counts at every step."""
    one, saturated = np.array(1.0, dtype), np.array(40.0, dtype)

    def sigmoid(a: Values) -> Values:
        raised = np.minimum(a, saturated)
        np.exp(raised, raised)
        return np.divide(raised, np.add(raised, one), raised)

    return sigmoid


FUNCTIONS: dict[str, Callable[[Any, Values], Values]] = {
    "tanh": lambda xp, a: xp.tanh(a),
    "tanh_slope": _tanh_slope,
    "sigmoid": _sigmoid,
    "relu": _relu,
    "softplus": lambda xp, a: _relu(xp, a) + xp.log1p(xp.exp(-xp.abs(a))),
    "exp": lambda xp, a: xp.exp(a),
    "log": lambda xp, a: xp.log(a),
    "sin": lambda xp, a: xp.sin(a),
    "cos": lambda xp, a: xp.cos(a),
    "sqrt": lambda xp, a: xp.sqrt(a),
    "abs": lambda xp, a: xp.abs(a),
    "step": lambda xp, a: xp.where(a > 0, xp.ones_like(a), xp.zeros_like(a)),
    "sign": lambda xp, a: xp.sign(a),
}
"""The language's elementwise functions in terms of the standard, and tanh's slope, for ``numeric.slopes``; the slopes
at kinks are the language's own."""
