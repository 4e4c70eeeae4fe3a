"""What a value is when an expression is evaluated: the operations that every kind of number offers.

A value is a stack of matrices (…, rows, columns); leading axes (directions, samples) broadcast. One
evaluator then serves exact fields, degrees, floats, high precision and dual numbers alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from derive.functions import BY_SYMBOL, x, y
from proofs.untyped import sympy

V = TypeVar("V")
Array = NDArray[Any]


class Arithmetic(ABC, Generic[V]):
    """The operations of one kind of number, on stacks of matrices."""

    @abstractmethod
    def number(self, c: Any) -> V:
        """A rational number as a 1 × 1 matrix."""

    @abstractmethod
    def full(self, shape: tuple[int, int], c: int) -> V:
        """The matrix with 0 or 1 in every entry."""

    @abstractmethod
    def identity(self, n: int) -> V:
        """The identity matrix."""

    @abstractmethod
    def add(self, a: V, b: V) -> V:
        """a + b"""

    @abstractmethod
    def mul(self, a: V, b: V) -> V:
        """a ∘ b, entry by entry."""

    @abstractmethod
    def matmul(self, a: V, b: V) -> V:
        """A B"""

    @abstractmethod
    def power(self, a: V, k: int) -> V:
        """Every entry raised to an integer."""

    @abstractmethod
    def function(self, name: str, a: V) -> V:
        """A function of ``derive.functions`` entry by entry."""

    @abstractmethod
    def softmax(self, a: V) -> V:
        """exp(a) / Σ exp(a) over all entries of the matrix."""

    @abstractmethod
    def logsumexp(self, a: V) -> V:
        """log Σ exp(a) over all entries of the matrix, 1 × 1."""

    @abstractmethod
    def transpose(self, a: V) -> V:
        """Aᵀ"""

    @abstractmethod
    def concat(self, parts: Sequence[V]) -> V:
        """Matrices on top of one another."""

    @abstractmethod
    def rows(self, a: V, start: int, stop: int) -> V:
        """Rows start ≤ i < stop."""

    @abstractmethod
    def spread(self, a: V, shape: tuple[int, int]) -> V:
        """A 1 × 1 matrix in every entry of a larger one."""

    @abstractmethod
    def total(self, a: V) -> V:
        """The sum of all entries, 1 × 1."""

    @abstractmethod
    def diag(self, a: V) -> V:
        """The diagonal matrix of a column."""


class ArrayArithmetic(Arithmetic[Array]):
    """Arithmetic whose values are NumPy arrays: what moves entries without computing is the same for all."""

    def transpose(self, a: Array) -> Array:
        """Aᵀ"""
        return np.swapaxes(a, -1, -2)

    def concat(self, parts: Sequence[Array]) -> Array:
        """Matrices on top of one another."""
        lead = np.broadcast_shapes(*(p.shape[:-2] for p in parts))
        return np.concatenate([np.broadcast_to(p, lead + p.shape[-2:]) for p in parts], axis=-2)

    def rows(self, a: Array, start: int, stop: int) -> Array:
        """Rows start ≤ i < stop."""
        return a[..., start:stop, :]

    def spread(self, a: Array, shape: tuple[int, int]) -> Array:
        """A 1 × 1 matrix in every entry of a larger one."""
        return np.broadcast_to(a, a.shape[:-2] + shape)

    def diag(self, a: Array) -> Array:
        """The diagonal matrix of a column."""
        return a * np.eye(a.shape[-2], dtype=int)


def softmax_by_exp(arithmetic: Arithmetic[V], a: V, shape: tuple[int, int]) -> V:
    """exp(a) / Σ exp(a), by the arithmetic's own operations."""
    raised = arithmetic.function("exp", a)
    whole = arithmetic.power(arithmetic.total(raised), -1)
    return arithmetic.mul(raised, arithmetic.spread(whole, shape))


def logsumexp_by_exp(arithmetic: Arithmetic[V], a: V) -> V:
    """log Σ exp(a), by the arithmetic's own operations."""
    return arithmetic.function("log", arithmetic.total(arithmetic.function("exp", a)))


def law_value(arithmetic: Arithmetic[V], law: Any, argument: V, value: V) -> V:
    """A derivative law of ``derive.functions``, at an argument x and the value y = f(x)."""
    return _scalar(arithmetic, law, {x: argument, y: value})


def _scalar(arithmetic: Arithmetic[V], law: Any, values: Mapping[Any, V]) -> V:
    if law in values:
        return values[law]
    if law.is_Number:
        return arithmetic.number(law)
    if law.is_Pow:
        return arithmetic.power(_scalar(arithmetic, law.base, values), int(law.exp))
    parts = [_scalar(arithmetic, part, values) for part in law.args]
    if law.is_Add or law.is_Mul:
        join = arithmetic.add if law.is_Add else arithmetic.mul
        result = parts[0]
        for part in parts[1:]:
            result = join(result, part)
        return result
    if isinstance(law, sympy.Function):
        return arithmetic.function(BY_SYMBOL[law.func].name, parts[0])
    raise TypeError(f"a derivative law holds {law!r}, which no arithmetic evaluates")
