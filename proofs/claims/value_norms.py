"""Norms of the values of a step, by the cell's own equations.

Laws: ‖a + b‖ ≤ ‖a‖ + ‖b‖, ‖A b‖ ≤ ‖A‖ ‖b‖, ‖a ∘ b‖ ≤ max |a| ‖b‖ of columns; ‖f(a)‖ ≤ sup |f′| ‖a‖ of a column where
f(0) = 0, as |tanh a| ≤ |a|.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from derive.expressions import Elementwise, Timed, operands, split_coefficient
from derive.intervals import largest
from proofs.claims.powers import NoBoundError
from proofs.claims.ranges import SUPREMUM, Ranges
from proofs.untyped import HadamardProduct, MatAdd, MatMul, MatrixSymbol, Transpose, sympy

NOUGHT = {"tanh", "relu", "sin", "abs"}
"""Functions of bounded slope with f(0) = 0."""


@dataclass(frozen=True, slots=True)
class ValueNorms:
    """Bounds on the norms of a step's quantities.

    Args:
        ranges: of the cell's quantities.
        sigma: σ_max of a parameter.
        size_at: ‖u‖ of a quantity so many steps before.
        standing: what is named on the other side, and stands for itself.
    """

    ranges: Ranges
    sigma: Callable[[str], Any]
    size_at: Callable[[str, int], Any]
    standing: Collection[Any] = ()

    def of_quantity(self, name: str) -> Any:
        """A bound on the norm of a quantity at a step that has an equation.

        Raises:
            NoBoundError: no law gives one.
        """
        return self.of(self.ranges.equation_of[name])

    def of(self, expr: Any) -> Any:
        """A bound on the norm of an expression."""
        c, core = split_coefficient(expr)
        return abs(c) * self._core(core)

    def _core(self, core: Any) -> Any:
        parts, column = operands(core), bool(core.shape[1] == 1)
        match core:
            case MatrixSymbol(name=name):
                return self.sigma(name)
            case Timed():
                return self._leaf(core)
            case MatAdd():
                return sympy.Add(*map(self.of, parts))
            case MatMul():
                return sympy.Mul(*map(self.of, parts))
            case Transpose():
                return self.of(parts[0])
            case Elementwise() if column and core.function in NOUGHT:
                return SUPREMUM[core.function] * self.of(parts[0])
            case HadamardProduct() if column:
                return self._entrywise(parts)
            case _:
                raise NoBoundError

    def _leaf(self, leaf: Timed) -> Any:
        """The norm itself where it is named or given, else by its equation."""
        itself = self.size_at(leaf.name, leaf.lag)
        known = leaf.lag == 0 and leaf.name in self.ranges.equation_of
        return self.of_quantity(leaf.name) if known and itself not in self.standing else itself

    def _entrywise(self, parts: Any) -> Any:
        """One factor by its norm, all others by their largest entries, or by their norms where these are unknown."""
        tops: list[Any] = [largest(self.ranges(part)) for part in parts]
        bounded = [i for i, top in enumerate(tops) if top.is_finite]
        kept = next((i for i in range(len(parts)) if i not in bounded), len(parts) - 1)
        sizes: list[Any] = [
            tops[i] if i in bounded and i != kept else self.of(p) for i, p in enumerate(parts)
        ]
        return sympy.Mul(*sizes)
