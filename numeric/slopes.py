"""Slopes of saturated units: from the argument, where the value has rounded to 1 and 1 − y has no digit left.

A derivation writes tanh′ and σ′ in the stored values, as 1 − h² and z (1 − z). In numbers these cancel: at a = 18 the
double tanh(a) is 1 − 4.4 · 10⁻¹⁶, and 1 − h² is wrong in its second digit. What is measured is written as

    1 − tanh(a)² = 4 e^(−2|a|) / (1 + e^(−2|a|))²        1 − σ(a) = σ(−a)
"""

from __future__ import annotations

from typing import Any

from sympy.matrices.expressions import (  # pyright: ignore[reportMissingTypeStubs] - it ships none
    HadamardPower,
    MatAdd,
    MatrixExpr,
    OneMatrix,
)

from derive.derivation import Derivation
from derive.expressions import (
    LEAVES,
    Elementwise,
    negate,
    operands,
    split_coefficient,
    with_operands,
)


class Slopes:
    """Rewrites expressions of one derivation, such as a block of its Jacobian, so that no slope cancels.

    Args:
        derivation: whose step says which values are a tanh or a σ, and of what.
    """

    def __init__(self, derivation: Derivation) -> None:
        self._made: dict[Any, Elementwise] = {
            a.target: a.expr for a in derivation.assignments if isinstance(a.expr, Elementwise)
        }

    def __call__(self, expr: Any) -> Any:
        """An equal expression."""
        if isinstance(expr, LEAVES):
            return expr
        slope = self._slope(expr) if isinstance(expr, MatAdd) else None
        return slope or with_operands(expr, map(self, operands(expr)))

    def _slope(self, expr: Any) -> MatrixExpr | None:
        """1 − y² or 1 − y for y of which the argument is known, from the argument."""
        others: list[Any] = [term for term in expr.args if not isinstance(term, OneMatrix)]
        if len(others) != 1 or len(expr.args) != 2:
            return None
        coefficient, core = split_coefficient(others[0])
        squared = isinstance(core, HadamardPower) and core.args[1] == 2
        made: Any = self._made.get(core.args[0] if squared else core)
        if made is None or coefficient != -1:
            return None
        [argument] = operands(made)
        if (made.function, squared) == ("tanh", True):
            return Elementwise(argument, "tanh_slope")
        minus = (made.function, squared) == ("sigmoid", False)
        return Elementwise(negate(argument), "sigmoid") if minus else None
