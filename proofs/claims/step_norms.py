"""Norms of the derivatives within one step, by the cell's own equations.

Laws: ‖A + B‖ ≤ ‖A‖ + ‖B‖, ‖V ↦ A V B‖ = ‖A‖ ‖B‖, ‖diag(u)‖ = max |u|, ‖diag(f′)‖ ≤ sup |f′|, ‖W‖ = σ_max(W), and no
entry of W is larger than σ_max(W). A derivative that is diagonal has singular values within the range of its entries,
and beside other terms none of its sum's is smaller than the least of these less their norms.
By a parameter W, a factor beside it is a value of the step: ‖∂(W h)/∂W‖ = ‖V ↦ V h‖ = ‖h‖.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from derive.expressions import Broadcast, Elementwise, Timed, operands, split_coefficient
from derive.intervals import ONE, ZERO, Range, largest, least, plus, times
from proofs.claims.powers import NoBoundError
from proofs.claims.ranges import SUPREMUM, Ranges
from proofs.untyped import (
    HadamardPower,
    HadamardProduct,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Transpose,
    sympy,
)


@dataclass
class StepNorms:
    """The derivatives of a step's quantities by one of them, or by one of an earlier step.

    Args:
        ranges: of the cell's quantities.
        sigma: σ_max of a parameter.
        by: what one differentiates by.
        lag: how many steps earlier it is; ``None`` for a parameter.
        direct: whether all other quantities are held fixed, instead of following through their equations.
        value_norm: ‖u‖ of a quantity so many steps before, where the bound is of one step and may name it.
    """

    ranges: Ranges
    sigma: Callable[[str], Any]
    by: str
    lag: int | None
    direct: bool = False
    value_norm: Callable[[str, int], Any] | None = None
    _norms: dict[Any, Any] = field(default_factory=dict[Any, Any])

    def of_quantity(self, name: str) -> Any:
        """A bound on the norm of the derivative of a quantity.

        Raises:
            NoBoundError: no law gives one.
        """
        if (name, 0) == (self.by, self.lag):
            return ONE
        return self.norm(self.ranges.equation_of[name])

    def norm(self, expr: Any) -> Any:
        """A bound on the norm of the derivative of an expression; 0 only if it does not move at all."""
        if expr not in self._norms:
            c, core = split_coefficient(expr)
            self._norms[expr] = abs(c) * self._core(core)
        return self._norms[expr]

    def _core(self, core: Any) -> Any:
        if isinstance(core, Timed):
            return self._leaf(core)
        if isinstance(core, MatrixSymbol):
            return ONE if (core.name, None) == (self.by, self.lag) else ZERO
        parts = operands(core)
        moving = [self.norm(part) for part in parts]
        if not any(moving):
            return ZERO
        match core:
            case MatAdd():
                return sympy.Add(*moving)
            case Transpose():
                return moving[0]
            case Elementwise() if core.function in SUPREMUM:
                return SUPREMUM[core.function] * moving[0]
            case Elementwise(function="exp"):
                return self.size(core) * moving[0]
            case MatMul():
                return self._product(parts, moving)
            case HadamardProduct():
                return sympy.Add(
                    *(
                        inner * sympy.Mul(*map(self._beside, (*parts[:i], *parts[i + 1 :])))
                        for i, inner in enumerate(moving)
                        if inner != 0
                    )
                )
            case _:
                raise NoBoundError

    def _leaf(self, leaf: Timed) -> Any:
        if (leaf.name, leaf.lag) == (self.by, self.lag):
            return ONE
        follows = leaf.lag == 0 and leaf.name in self.ranges.equation_of and not self.direct
        return self.norm(self.ranges.equation_of[leaf.name]) if follows else ZERO

    def _product(self, parts: Sequence[Any], moving: Sequence[Any]) -> Any:
        """‖V ↦ A V B‖ where one factor moves and all others stand still."""
        fixed = [bare(p) for p, inner in zip(parts, moving, strict=True) if inner == 0]
        if len(fixed) != len(parts) - 1:
            raise NoBoundError
        return sympy.Mul(*map(self._factor, fixed)) * sympy.Add(*moving)

    def _factor(self, fixed: Any) -> Any:
        """‖A‖ of what stands beside the factor that moves: a parameter, or a value where it may be named.

        Law: ‖a ∘ b‖ ≤ max |a| ‖b‖.
        """
        match fixed:
            case MatrixSymbol():
                return self.sigma(fixed.name)
            case Timed() if self.value_norm is not None:
                return self.value_norm(fixed.name, fixed.lag)
            case HadamardProduct() if self.value_norm is not None:
                parts = operands(fixed)
                for i, part in enumerate(parts):
                    with suppress(NoBoundError):
                        others = [self.size(p) for p in (*parts[:i], *parts[i + 1 :])]
                        return sympy.Mul(self._factor(part), *others)
            case _:
                pass
        raise NoBoundError

    def _beside(self, fixed: Any) -> Any:
        """‖diag(u)‖ = max |u| of what stands beside the factor that moves, at most ‖u‖ where it may be named."""
        try:
            return self.size(fixed)
        except NoBoundError:
            if self.value_norm is None or not isinstance(fixed, Timed):
                raise
            return self.value_norm(fixed.name, fixed.lag)

    def size(self, expr: Any) -> Any:
        """sup of the absolute entries of an expression.

        Raises:
            NoBoundError: nothing is known of them.
        """
        top = largest(self.ranges(expr))
        return top if top.is_finite else self._structural(expr)

    def _structural(self, expr: Any) -> Any:
        """The same in σ_max of parameters."""
        c, core = split_coefficient(expr)
        parts = operands(core)
        match core:
            case MatrixSymbol():
                found = self.sigma(core.name)
            case MatAdd():
                found = sympy.Add(*(self.size(part) for part in parts))
            case HadamardProduct():
                found = sympy.Mul(*(self.size(part) for part in parts))
            case HadamardPower() if int(core.args[1]) > 0:
                found = self.size(parts[0]) ** int(core.args[1])
            case Broadcast() | Transpose():
                found = self.size(parts[0])
            case Timed() if core.lag == 0 and core.name in self.ranges.equation_of:
                found = self.size(self.ranges.equation_of[core.name])
            case _:
                raise NoBoundError
        return abs(c) * found

    # ── from below ──

    def below_quantity(self, name: str) -> Any:
        """A bound from below on every singular value of the derivative of a quantity.

        Law: σ_min(A + B) ≥ σ_min(A) − ‖B‖, where A is diagonal.

        Raises:
            NoBoundError: no law gives one.
        """
        if (name, 0) == (self.by, self.lag):
            return ONE
        expr = self.ranges.equation_of[name]
        c, core = split_coefficient(expr)
        parts = operands(core) if isinstance(core, MatAdd) else (core,)
        if not c.is_number:
            return self._fail()
        total, rest = (ZERO, ZERO), ZERO
        for part in parts:
            try:
                total = plus(total, self.diagonal(part))
            except NoBoundError:
                rest += self.norm(part)
        return abs(c) * (least(total) - rest)

    # ── diagonal derivatives ──

    def diagonal_of_quantity(self, name: str) -> Range:
        """The range of the entries of a derivative that is diagonal, all of whose singular values lie in it.

        Raises:
            NoBoundError: it is not seen to be diagonal.
        """
        if (name, 0) == (self.by, self.lag):
            return ONE, ONE
        return self.diagonal(self.ranges.equation_of[name])

    def diagonal(self, expr: Any) -> Range:
        """The same for an expression."""
        c, core = split_coefficient(expr)
        return times((c, c), self._diagonal(core)) if c.is_number else self._fail()

    def _diagonal(self, core: Any) -> Range:
        if self.norm(core) == 0:
            return ZERO, ZERO
        parts = operands(core)
        match core:
            case Timed() if (core.name, core.lag) == (self.by, self.lag):
                return ONE, ONE
            case Timed():
                return self.diagonal(self.ranges.equation_of[core.name])
            case MatAdd():
                total: Range = (ZERO, ZERO)
                for part in parts:
                    total = plus(total, self.diagonal(part))
                return total
            case HadamardProduct():
                moving = [i for i, part in enumerate(parts) if self.norm(part) != 0]
                if len(moving) != 1:
                    return self._fail()
                total = self.diagonal(parts[moving[0]])
                for i, part in enumerate(parts):
                    total = total if i in moving else times(total, self.ranges(part))
                return total
            case _:
                return self._fail()

    def _fail(self) -> Range:
        raise NoBoundError


def bare(expr: Any) -> Any:
    """A matrix without its transpose, which has the same norm."""
    return expr.arg if isinstance(expr, Transpose) else expr
