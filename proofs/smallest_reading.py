"""SymPy scalars of an unrolled loss, read: how large they are, and what their values are modulo a prime."""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs.field import PrimeField


class Tree:
    """The number of nodes of an expression written out as a tree, and the number of its levels."""

    def __init__(self) -> None:
        self.known: dict[Any, tuple[int, int]] = {}

    def __call__(self, expr: Any) -> tuple[int, int]:
        """Nodes and levels of one."""
        if expr not in self.known:
            parts = [self(part) for part in expr.args]
            levels = max((level for _, level in parts), default=0)
            self.known[expr] = (1 + sum(size for size, _ in parts), 1 + levels)
        return self.known[expr]


class Reader:
    """The value modulo a prime of a SymPy scalar over symbols and opaque functions.

    Values are integers, or arrays of them with one entry per direction; a product with 0 is the integer 0, so that
    at τ = 0 the arguments of functions are integers.
    """

    def __init__(self, field: PrimeField, values: dict[Any, Any]) -> None:
        self.field = field
        self.known: dict[Any, Any] = dict(values)

    def __call__(self, expr: Any) -> Any:
        """The value of one."""
        if expr not in self.known:
            self.known[expr] = self._value(expr)
        return self.known[expr]

    def _value(self, expr: Any) -> Any:
        p = self.field.prime
        if expr.is_Rational:
            return self.field.number(expr).item()
        if expr.is_Add:
            return sum(self(a) for a in expr.args) % p
        if expr.is_Mul:
            return self._product(expr.args)
        base = np.array([[self(expr.args[0])]], dtype=object)
        if expr.is_Pow:
            return self.field.power(base, int(expr.exp)).item()
        return self.field.function(expr.func.law_of, base).item()

    def _product(self, parts: tuple[Any, ...]) -> Any:
        product: Any = 1
        for part in parts:
            value = self(part)
            if isinstance(value, int) and value == 0:
                return 0
            product = product * value % self.field.prime
        return product
