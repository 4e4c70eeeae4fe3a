"""Dual numbers a + ε ȧ over any arithmetic: differentiation by computing, not by derived equations.

With ε² = 0 every operation carries its own derivative; the only law taken from elsewhere is f(a + ε ȧ) =
f(a) + ε f′(a) ȧ. No tangent or adjoint equation is used, so this is the judge of both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from derive.functions import FUNCTIONS
from proofs.arithmetic import (
    Arithmetic,
    Array,
    ArrayArithmetic,
    law_value,
    logsumexp_by_exp,
    softmax_by_exp,
)
from proofs.untyped import sympy


class Pair(NamedTuple):
    """a + ε ȧ; no ȧ means ȧ = 0."""

    value: Array
    dot: Array | None = None


class Dual(Arithmetic[Pair]):
    """Dual numbers.

    Args:
        base: the arithmetic of a and ȧ.
    """

    def __init__(self, base: ArrayArithmetic) -> None:
        self.base = base

    def number(self, c: Any) -> Pair:
        """A number does not move."""
        return Pair(self.base.number(c))

    def full(self, shape: tuple[int, int], c: int) -> Pair:
        """0 or 1 in every entry."""
        return Pair(self.base.full(shape, c))

    def identity(self, n: int) -> Pair:
        """The identity matrix."""
        return Pair(self.base.identity(n))

    def add(self, a: Pair, b: Pair) -> Pair:
        """(a + b) + ε (ȧ + ḃ)"""
        return Pair(self.base.add(a.value, b.value), self._sum(a.dot, b.dot))

    def mul(self, a: Pair, b: Pair) -> Pair:
        """a ∘ b + ε (ȧ ∘ b + a ∘ ḃ)"""
        return self._product(self.base.mul, a, b)

    def matmul(self, a: Pair, b: Pair) -> Pair:
        """A B + ε (Ȧ B + A Ḃ)"""
        return self._product(self.base.matmul, a, b)

    def power(self, a: Pair, k: int) -> Pair:
        """aᵏ + ε k aᵏ⁻¹ ∘ ȧ"""
        value = self.base.power(a.value, k)
        if a.dot is None:
            return Pair(value)
        slope = self.base.mul(self.base.number(sympy.Integer(k)), self.base.power(a.value, k - 1))
        return Pair(value, self.base.mul(slope, a.dot))

    def function(self, name: str, a: Pair) -> Pair:
        """f(a) + ε f′(a) ∘ ȧ"""
        value = self.base.function(name, a.value)
        if a.dot is None:
            return Pair(value)
        slope = law_value(self.base, FUNCTIONS[name].law, a.value, value)
        return Pair(value, self.base.mul(slope, a.dot))

    def softmax(self, a: Pair) -> Pair:
        """exp(a) / Σ exp(a) by the operations above."""
        return softmax_by_exp(self, a, a.value.shape[-2:])

    def logsumexp(self, a: Pair) -> Pair:
        """log Σ exp(a) by the operations above."""
        return logsumexp_by_exp(self, a)

    def transpose(self, a: Pair) -> Pair:
        """Aᵀ"""
        return self._linear(self.base.transpose, a)

    def concat(self, parts: Sequence[Pair]) -> Pair:
        """Matrices on top of one another."""
        value = self.base.concat([p.value for p in parts])
        if all(p.dot is None for p in parts):
            return Pair(value)
        return Pair(
            value, self.base.concat([p.dot if p.dot is not None else self._still(p) for p in parts])
        )

    def rows(self, a: Pair, start: int, stop: int) -> Pair:
        """Rows start ≤ i < stop."""
        return self._linear(lambda v: self.base.rows(v, start, stop), a)

    def spread(self, a: Pair, shape: tuple[int, int]) -> Pair:
        """A 1 × 1 matrix in every entry of a larger one."""
        return self._linear(lambda v: self.base.spread(v, shape), a)

    def total(self, a: Pair) -> Pair:
        """The sum of all entries."""
        return self._linear(self.base.total, a)

    def diag(self, a: Pair) -> Pair:
        """The diagonal matrix of a column."""
        return self._linear(self.base.diag, a)

    def _linear(self, move: Callable[[Array], Array], a: Pair) -> Pair:
        return Pair(move(a.value), None if a.dot is None else move(a.dot))

    def _product(self, join: Callable[[Array, Array], Array], a: Pair, b: Pair) -> Pair:
        left = None if a.dot is None else join(a.dot, b.value)
        right = None if b.dot is None else join(a.value, b.dot)
        return Pair(join(a.value, b.value), self._sum(left, right))

    def _sum(self, a: Array | None, b: Array | None) -> Array | None:
        if a is None or b is None:
            return b if a is None else a
        return self.base.add(a, b)

    def _still(self, a: Pair) -> Array:
        return self.base.full(a.value.shape[-2:], 0)  # type: ignore[arg-type]
