"""What is 0 whatever its quantities are: ``1 - 1``, ``x[t] - x[t]``, ``tanh(0)``."""

from __future__ import annotations

import sympy
from sympy import Dummy, Expr, S
from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    MatAdd,
    MatMul,
    MatrixExpr,
    OneMatrix,
    Transpose,
    ZeroMatrix,
)

from derive import expressions as ex
from derive.functions import FUNCTIONS

_WRITTEN_OUT = {
    "relu": lambda x: sympy.Max(0, x),
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
    "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
}
"""Functions of the house's own, in SymPy's."""


def is_zero(expr: MatrixExpr) -> bool:
    """Whether every entry is 0 by cancelling alone; what takes more than that is not looked for."""
    return _entry(expr, {}) == 0


def _entry(expr: MatrixExpr, known: dict[MatrixExpr, Dummy]) -> Expr:
    """One entry as a scalar; whatever is no number, sum, product or function is a name of its own."""
    c, core = ex.split_coefficient(expr)
    if isinstance(core, OneMatrix):
        return c
    if isinstance(core, ZeroMatrix):
        return S.Zero
    parts = ex.operands(core)
    if isinstance(core, MatAdd):
        return c * sympy.Add(*(_entry(part, known) for part in parts))
    if isinstance(core, HadamardProduct):
        return c * sympy.Mul(*(_entry(part, known) for part in parts))
    if isinstance(core, ex.Broadcast):
        return c * _entry(parts[0], known)
    if isinstance(core, HadamardPower) and core.args[1] > 0 and is_zero(parts[0]):
        return S.Zero
    if isinstance(core, MatMul | ex.Total | Transpose) and any(map(is_zero, parts)):
        return S.Zero
    if isinstance(core, ex.Elementwise):
        function = _WRITTEN_OUT.get(core.function) or FUNCTIONS[core.function].symbol
        return c * function(_entry(parts[0], known))
    return c * known.setdefault(core, Dummy(real=True))
