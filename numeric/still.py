"""What no step changes, as a program has it: like parameters, computed once before all steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import replace as changed

from sympy.matrices.expressions import MatrixExpr, MatrixSymbol

from derive.backward import AdjointEquation, Backward
from derive.derivation import Derivation
from derive.expressions import Adjoint, Timed, add, parameter, replace, terms
from derive.normal import Assignment
from derive.still import is_total, parted


def still_symbols(derivation: Derivation) -> dict[str, MatrixSymbol]:
    """For what no step changes, by name, the leaf without a time that stands for it in a program."""
    return {
        a.name: parameter(a.name, *a.target.shape)
        for a in derivation.assignments
        if a.name in derivation.still
    }


@dataclass(frozen=True, slots=True)
class Settled:
    """A derivation's lines with leaves without a time for what no step changes.

    Law: rₜ = r for every t, and of what is linear in the adjoints r̄ₜ the sum over t is its value at r̄ = Σₜ r̄ₜ.

    Args:
        symbols: these leaves, by name.
    """

    symbols: Mapping[str, MatrixSymbol]

    def __call__(self, expr: MatrixExpr) -> MatrixExpr:
        """The expression over these leaves, and over adjoints of theirs."""
        return replace(expr, self.leaf) if self.symbols else expr

    def leaf(self, leaf: MatrixExpr) -> MatrixExpr:
        """A leaf: without a time if no step changes it, or that of which it is the adjoint."""
        if is_total(leaf, self.symbols):
            return Adjoint(self.symbols[leaf.name])
        if isinstance(leaf, Timed) and leaf.name in self.symbols:
            return self.symbols[leaf.name]
        return leaf

    def is_still(self, bar: Adjoint) -> bool:
        """Whether this is the adjoint of what no step changes."""
        return bar.name in self.symbols

    def numbers(self, derivation: Derivation) -> dict[MatrixExpr, int]:
        """The number of the derivation's line for each left-hand side; of values before the first step none."""
        found: dict[MatrixExpr, int] = {}
        for s in derivation.steps:
            if isinstance(s.lhs, MatrixExpr) and s.section != "initial":
                found.setdefault(self.leaf(s.lhs), s.number)
        return found

    def assignments(self, every: Iterable[Assignment]) -> tuple[Assignment, ...]:
        """Those of a step."""
        return tuple(changed(a, expr=self(a.expr)) for a in every if a.name not in self.symbols)

    def backward(self, found: Backward) -> Backward:
        """The backward equations."""
        return changed(
            found,
            local=tuple(map(self.equation, found.local)),
            inputs=tuple(map(self.equation, found.inputs)),
            parameters=tuple(map(self.equation, found.parameters)),
            carried={
                name: {lag: self.equation(e) for lag, e in by_lag.items()}
                for name, by_lag in found.carried.items()
            },
            unasked=frozenset(map(self.leaf, found.unasked)),
        )

    def equation(self, e: AdjointEquation) -> AdjointEquation:
        """One of them; a term is there once, or every step gives its part of a sum over time, but no term is both."""
        once, each = parted(e.rhs, self.symbols)
        rhs = self(add(*terms(each), *terms(once)) if terms(once) else e.rhs)
        return changed(e, lhs=self.leaf(e.lhs), rhs=rhs, present=self(e.present))
