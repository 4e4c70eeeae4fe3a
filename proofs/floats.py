"""Floating-point arithmetic: NumPy's, complex for complex steps, and as many digits as asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from derive.functions import FUNCTIONS
from proofs.arithmetic import Array, ArrayArithmetic, logsumexp_by_exp, softmax_by_exp
from proofs.untyped import mpmath


class Floats(ArrayArithmetic):
    """NumPy's numbers of one dtype.

    A function with branches takes the branch of the real part, so that a complex step differentiates it off its
    kinks. ``margin`` is the least distance so far of an argument from a point where its function is not smooth.

    Args:
        dtype: float32, float64 or complex128.
    """

    def __init__(self, dtype: Any = np.float64) -> None:
        self.dtype = np.dtype(dtype)
        self.margin = np.inf

    def number(self, c: Any) -> Array:
        """A rational number, rounded."""
        return np.array([[int(c.p) / int(c.q)]], dtype=self.dtype)

    def full(self, shape: tuple[int, int], c: int) -> Array:
        """0 or 1 in every entry."""
        return np.full(shape, c, dtype=self.dtype)

    def identity(self, n: int) -> Array:
        """The identity matrix."""
        return np.eye(n, dtype=self.dtype)

    def add(self, a: Array, b: Array) -> Array:
        """a + b"""
        return a + b

    def mul(self, a: Array, b: Array) -> Array:
        """a ∘ b"""
        return a * b

    def matmul(self, a: Array, b: Array) -> Array:
        """A B"""
        return a @ b

    def total(self, a: Array) -> Array:
        """The sum of all entries."""
        return np.sum(a, axis=(-1, -2), keepdims=True)

    def power(self, a: Array, k: int) -> Array:
        """Every entry raised to an integer."""
        if k >= 0:
            return a**k
        self._watch(np.abs(a))
        return 1 / a**-k

    def function(self, name: str, a: Array) -> Array:
        """A function entry by entry."""
        f = FUNCTIONS[name]
        if f.kink is not None:
            self._watch(np.abs(np.real(a) - f.kink))
        elif f.positive:
            self._watch(np.real(a))
        return _FUNCTIONS[name](a)

    def softmax(self, a: Array) -> Array:
        """exp(a − max a) / Σ exp(a − max a)"""
        raised = np.exp(a - np.max(np.real(a), axis=(-1, -2), keepdims=True))
        return raised / self.total(raised)

    def logsumexp(self, a: Array) -> Array:
        """max a + log Σ exp(a − max a)"""
        largest = np.max(np.real(a), axis=(-1, -2), keepdims=True)
        return largest + np.log(self.total(np.exp(a - largest)))

    def _watch(self, distance: Array) -> None:
        self.margin = min(self.margin, float(np.min(distance, initial=np.inf)))


def _sigmoid(a: Array) -> Array:
    e = np.exp(np.where(np.real(a) > 0, -a, a))
    return np.where(np.real(a) > 0, 1 / (1 + e), e / (1 + e))


def _softplus(a: Array) -> Array:
    return np.where(np.real(a) > 0, a, 0) + _log1p(np.exp(np.where(np.real(a) > 0, -a, a)))


def _log1p(a: Array) -> Array:
    """log(1 + a); of a complex step part by part, as NumPy loses the real one where it is tiny."""
    if not np.iscomplexobj(a):
        return np.log1p(a)
    return np.log1p(a.real) + 1j * (a.imag / (1 + a.real))


def _sign(a: Any) -> Any:
    real: Any = np.real(a)
    return np.sign(real)


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "relu": lambda a: np.where(np.real(a) > 0, a, 0),
    "softplus": _softplus,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "sqrt": np.sqrt,
    "abs": lambda a: a * _sign(a),
    "step": lambda a: np.where(np.real(a) > 0, 1, 0).astype(a.dtype),
    "sign": lambda a: _sign(a).astype(a.dtype),
}
if _FUNCTIONS.keys() != FUNCTIONS.keys():
    raise RuntimeError(f"functions missing or superfluous: {_FUNCTIONS.keys() ^ FUNCTIONS.keys()}")


class HighPrecision(ArrayArithmetic):
    """Real numbers of a given number of digits.

    Args:
        digits: decimal digits.
    """

    def __init__(self, digits: int) -> None:
        self.mp = mpmath.mp.clone()
        self.mp.dps = digits
        mp = self.mp
        self._functions: dict[str, Callable[[Any], Any]] = {
            "tanh": mp.tanh,
            "sigmoid": lambda v: 1 / (1 + mp.exp(-v)),
            "relu": lambda v: v if v > 0 else mp.mpf(0),
            "softplus": lambda v: (v if v > 0 else 0) + mp.log1p(mp.exp(-abs(v))),
            "exp": mp.exp,
            "log": mp.log,
            "sin": mp.sin,
            "cos": mp.cos,
            "sqrt": mp.sqrt,
            "abs": abs,
            "step": lambda v: mp.mpf(v > 0),
            "sign": mp.sign,
        }

    def exactly(self, a: Array) -> Array:
        """Doubles as they are."""
        return self._map(self.mp.mpf, a)

    def number(self, c: Any) -> Array:
        """A rational number."""
        return np.array([[self.mp.mpf(int(c.p)) / int(c.q)]], dtype=object)

    def full(self, shape: tuple[int, int], c: int) -> Array:
        """0 or 1 in every entry."""
        return np.full(shape, self.mp.mpf(c), dtype=object)

    def identity(self, n: int) -> Array:
        """The identity matrix."""
        return self.exactly(np.eye(n))

    def add(self, a: Array, b: Array) -> Array:
        """a + b"""
        return a + b

    def mul(self, a: Array, b: Array) -> Array:
        """a ∘ b"""
        return a * b

    def matmul(self, a: Array, b: Array) -> Array:
        """A B"""
        return a @ b

    def total(self, a: Array) -> Array:
        """The sum of all entries."""
        return a.sum(axis=(-1, -2), keepdims=True)

    def power(self, a: Array, k: int) -> Array:
        """Every entry raised to an integer."""
        return self._map(lambda v: v**k, a)

    def function(self, name: str, a: Array) -> Array:
        """A function entry by entry."""
        return self._map(self._functions[name], a)

    def softmax(self, a: Array) -> Array:
        """exp(a) / Σ exp(a)"""
        return softmax_by_exp(self, a, a.shape[-2:])

    def logsumexp(self, a: Array) -> Array:
        """log Σ exp(a)"""
        return logsumexp_by_exp(self, a)

    def _map(self, f: Callable[[Any], Any], a: Array) -> Array:
        values = np.empty(a.size, dtype=object)
        values[:] = [f(v) for v in a.ravel()]
        return values.reshape(a.shape)
