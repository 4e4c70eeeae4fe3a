"""Least singular values of the derivatives within one step, from above, by the cell's own equations.

Laws, for square matrices: σ_min(A B) ≤ ‖A‖ σ_min(B) and ≤ σ_min(A) ‖B‖; σ_min(A + B) ≤ σ_min(A) + ‖B‖.

Source: Horn and Johnson, Topics in Matrix Analysis (1991), theorem 3.3.16.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from derive.expressions import Elementwise, Timed, operands, split_coefficient
from derive.intervals import ONE
from proofs.claims.powers import NoBoundError
from proofs.claims.ranges import SUPREMUM
from proofs.claims.step_norms import StepNorms, bare
from proofs.untyped import HadamardProduct, MatAdd, MatMul, MatrixSymbol, sympy


class LeastNorms:
    """Bounds on the least singular value of a square derivative of a step's quantities; any of them may be used.

    Args:
        norms: of the same derivatives.
        least: σ_min of a square parameter.
    """

    def __init__(self, norms: StepNorms, least: Callable[[str], Any]) -> None:
        self.norms, self.least = norms, least
        self.shape = norms.ranges.by_name[norms.by].shape

    def of_quantity(self, name: str) -> list[Any]:
        """Bounds for the derivative of a quantity.

        Raises:
            NoBoundError: no law gives one, or not all on the way is square.
        """
        if (name, 0) == (self.norms.by, self.norms.lag):
            return [ONE]
        return self.of(self.norms.ranges.equation_of[name])

    def of(self, expr: Any) -> list[Any]:
        """Bounds for the derivative of an expression, which is a column as long as what one differentiates by."""
        c, core = split_coefficient(expr)
        if core.shape != self.shape or self.shape[1] != 1:
            raise NoBoundError
        return [abs(c) * bound for bound in self._core(core)]

    def _core(self, core: Any) -> list[Any]:
        if isinstance(core, Timed):
            return self._leaf(core)
        parts = operands(core)
        moving = [part for part in parts if self.norms.norm(part) != 0]
        still = [part for part in parts if self.norms.norm(part) == 0]
        match core:
            case MatAdd() if moving:
                return self._sum(moving)
            case Elementwise() if core.function in SUPREMUM and moving:
                return [SUPREMUM[core.function] * bound for bound in self.of(parts[0])]
            case MatMul() if moving == [parts[-1]]:
                return self._product([bare(part) for part in still], parts[-1])
            case HadamardProduct() if len(moving) == 1:
                beside = sympy.Mul(*(self.norms.size(part) for part in still))
                return [beside * bound for bound in self.of(moving[0])]
            case _:
                raise NoBoundError

    def _leaf(self, leaf: Timed) -> list[Any]:
        if (leaf.name, leaf.lag) == (self.norms.by, self.norms.lag):
            return [ONE]
        if self.norms.norm(leaf) == 0:
            raise NoBoundError
        return self.of(self.norms.ranges.equation_of[leaf.name])

    def _sum(self, moving: Sequence[Any]) -> list[Any]:
        """σ_min of one term, and the norms of all others."""
        found: list[Any] = []
        for i, part in enumerate(moving):
            others = (self.norms.norm(p) for p in (*moving[:i], *moving[i + 1 :]))
            found += _or_none(
                lambda p=part, o=tuple(others): [b + sympy.Add(*o) for b in self.of(p)]
            )
        return found

    def _product(self, fixed: Sequence[Any], last: Any) -> list[Any]:
        """σ_min of one factor, and the norms of all others."""
        if not all(isinstance(a, MatrixSymbol) and a.shape[0] == a.shape[1] for a in fixed):
            raise NoBoundError
        sizes = [self.norms.sigma(a.name) for a in fixed]
        found = _or_none(lambda: [sympy.Mul(*sizes) * bound for bound in self.of(last)])
        for i, a in enumerate(fixed):
            others = sympy.Mul(*sizes[:i], *sizes[i + 1 :])
            found.append(self.least(a.name) * others * self.norms.norm(last))
        return found


def _or_none(bounds: Callable[[], list[Any]]) -> list[Any]:
    """The bounds, or none where no law gives one."""
    try:
        return bounds()
    except NoBoundError:
        return []
