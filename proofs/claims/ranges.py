"""The range of every entry of a step's quantities, by interval arithmetic over rational numbers.

Laws: [a, b] + [c, d] = [a + c, b + d]; a product lies between the least and the largest product of ends; σ lies in
[0, 1], tanh in [−1, 1], exp of what is not positive in [0, 1]. A quantity of which nothing is known has no ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derive.cell import Cell
from derive.expressions import (
    Broadcast,
    Elementwise,
    Softmax,
    Timed,
    operands,
    split_coefficient,
)
from derive.functions import FUNCTIONS
from derive.intervals import (
    ANY,
    ONE,
    UNIT,
    ZERO,
    Range,
    of_function,
    plus,
    power,
    times,
)
from proofs.claims.quadratics import of_quadratic, quadratic
from proofs.claims.syntax import Add, Call, Index, Mul, Node, Num, Pow, Qty, Transposed
from proofs.untyped import (
    HadamardPower,
    HadamardProduct,
    Identity,
    MatAdd,
    MatrixSymbol,
    OneMatrix,
    Transpose,
    ZeroMatrix,
    sympy,
)

SUPREMUM = {
    "tanh": ONE, "sigmoid": sympy.Rational(1, 4), "relu": ONE, "softplus": ONE, "sin": ONE, "cos": ONE, "abs": ONE,
    "step": ZERO, "sign": ZERO,
}  # fmt: skip
"""sup |f′| of each function whose derivative is bounded."""


class Ranges:
    """The ranges within one step of a cell that has happened: t ≥ 1.

    Args:
        cell: the cell.
        linear: whether the claim's functions are the identity, as its cell's are already.
    """

    def __init__(self, cell: Cell, *, linear: bool = False) -> None:
        self.cell, self.linear = cell, linear
        self.equation_of = {e.target.name: e.expr for e in cell.equations}
        self.by_name = {q.name: q for q in cell.quantities}
        self._known: dict[Any, Range] = {}

    def __call__(self, expr: Any) -> Range:
        """The range of an expression of the cell."""
        if expr not in self._known:
            c, core = split_coefficient(expr)
            number: Range = (c, c) if c.is_number else ANY
            self._known[expr] = times(number, self._core(core))
        return self._known[expr]

    def _core(self, core: Any) -> Range:
        parts = [self(part) for part in operands(core)]
        match core:
            case OneMatrix():
                return ONE, ONE
            case ZeroMatrix():
                return ZERO, ZERO
            case Identity() | Softmax():
                return UNIT
            case MatrixSymbol():
                return self.constant(core.name)
            case Timed():
                return self.quantity(core.name) if core.lag == 0 else ANY
            case MatAdd() | HadamardProduct():
                total = parts[0]
                for part in parts[1:]:
                    total = plus(total, part) if isinstance(core, MatAdd) else times(total, part)
                return total
            case HadamardPower():
                return power(parts[0], int(core.args[1]))
            case Broadcast() | Transpose():
                return parts[0]
            case Elementwise():
                return of_function(core.function, parts[0])
            case _:
                return ANY

    def constant(self, name: str) -> Range:
        """The range of a quantity without steps."""
        value = self.by_name[name].value if name in self.by_name else None
        if value is None:
            return ANY
        exact = sympy.Rational(value.numerator, value.denominator)
        return exact, exact

    def quantity(self, name: str) -> Range:
        """The range of a quantity at a step t ≥ 1; initial values can be any."""
        return self(self.equation_of[name]) if name in self.equation_of else ANY

    # ── formulas ──

    def of(self, node: Node, since: Mapping[str, float]) -> Range:
        """The range of a formula's entries, wherever it has a value.

        Args:
            node: the formula.
            since: the least value of index variables; t is at least 1, all others 0.
        """
        if (found := quadratic(node)) is not None:
            return of_quadratic(found[1], self.of(found[0], since))
        return self._of(node, since)

    def _of(self, node: Node, since: Mapping[str, float]) -> Range:
        match node:
            case Num(value=value):
                exact = sympy.Rational(value.numerator, value.denominator)
                return exact, exact
            case Qty(name=name, index=None):
                return self.quantity(name) if name in self.equation_of else self.constant(name)
            case Qty(name=name, index=Index() as index):
                initial = name in {q.name for q in self.cell.states}
                known = not initial or first(index, since) >= 1
                return self.quantity(name) if known else ANY
            case Add(terms=terms):
                total: Range = (ZERO, ZERO)
                for sign, term in terms:
                    total = plus(total, times((sign, sign), self.of(term, since)))
                return total
            case Mul(factors=factors):
                total = (ONE, ONE)
                for sign, factor in factors:
                    found = self.of(factor, since)
                    total = times(total, found if sign > 0 else power(found, -1))
                return total
            case Pow(base=base, exponent=Num(value=value)) if value.denominator == 1:
                return power(self.of(base, since), int(value))
            case Transposed(of=of):
                return self.of(of, since)
            case Call(name="slope", args=(Qty(name=name),)):
                return self.slope(name)
            case Call(name=name, args=(argument,)) if name in FUNCTIONS:
                inner = self.of(argument, since)
                return inner if self.linear else of_function(name, inner)
            case _:
                return ANY

    def slope(self, name: str) -> Range:
        """The range of f′ at the argument of the function that gives a quantity."""
        expr = self.equation_of.get(name)
        if self.linear:
            return ONE, ONE
        if not isinstance(expr, Elementwise) or expr.function not in SUPREMUM:
            return ANY
        top = SUPREMUM[expr.function]
        return -top, top


def first(index: Index, since: Mapping[str, float]) -> float:
    """The least step that an index can name."""
    if any(factor < 0 for _, factor in index.terms):
        return -float("inf")
    ordinary = {"t": 1, "T": 1}
    return index.constant + sum(
        factor * since.get(name, ordinary.get(name, 0)) for name, factor in index.terms
    )


if not SUPREMUM.keys() <= FUNCTIONS.keys():
    raise RuntimeError("a bound is stated for a function that does not exist")
