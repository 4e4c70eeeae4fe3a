"""The elementwise functions of the language, each with its derivative law.

A law gives f′ in the argument x and the value y = f(x); where y alone suffices, the backward pass needs
nothing but the stored output. At a point where the derivative does not exist the law states the
convention: relu′(0) = 0, abs′(0) = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy
from sympy import Expr, Symbol

from derive.expressions import (
    Elementwise,
    MatrixExpr,
    add,
    hadamard,
    ones_like,
    power,
    scale,
)

x, y = Symbol("x", real=True), Symbol("y", real=True)


class sigmoid(sympy.Function):  # noqa: N801 - SymPy's functions are lower case
    """The logistic function σ(x) = 1 / (1 + e⁻ˣ)."""

    def fdiff(self, argindex: int = 1) -> Expr:
        """σ′ = σ (1 − σ)."""
        return self * (1 - self)


class softplus(sympy.Function):  # noqa: N801
    """softplus(x) = log(1 + eˣ)."""

    def fdiff(self, argindex: int = 1) -> Expr:
        """softplus′ = σ."""
        return sigmoid(self.args[0])


class relu(sympy.Function):  # noqa: N801
    """relu(x) = max(0, x)."""

    def fdiff(self, argindex: int = 1) -> Expr:
        """relu′ = 1[x > 0]."""
        return step(self.args[0])


class step(sympy.Function):  # noqa: N801
    """1[x > 0]: one for positive x, else zero."""

    def fdiff(self, argindex: int = 1) -> Expr:
        """Zero off the jump."""
        return sympy.S.Zero


@dataclass(frozen=True, slots=True)
class Function:
    """One elementwise function.

    Args:
        name: as written in the language.
        symbol: the SymPy function.
        law: its derivative in x and y = f(x), as SymPy scalars.
        latex: how it is typeset before its argument.
        law_text: the law as a line of text.
        kink: a point where the derivative does not exist, if there is one.
        positive: whether the argument must be positive.
        internal: whether it only arises as a derivative, and is not part of the language.
    """

    name: str
    symbol: Callable[..., Expr]
    law: Expr
    latex: str
    law_text: str
    kink: int | None = None
    positive: bool = False
    internal: bool = False

    @property
    def needs_argument(self) -> bool:
        """Whether f′ needs x and not only the stored y."""
        return x in self.law.free_symbols

    def derivative(self, argument: MatrixExpr, value: MatrixExpr) -> MatrixExpr:
        """f′ entry by entry, as a matrix expression of the argument and the stored value."""
        return _lift(self.law, {x: argument, y: value})


_TABLE = (
    Function("tanh", sympy.tanh, 1 - y**2, r"\tanh", "tanh′ = 1 − tanh²"),
    Function("sigmoid", sigmoid, y * (1 - y), r"\sigma", "σ′ = σ ∘ (1 − σ)"),
    Function("relu", relu, step(y), r"\operatorname{relu}", "relu′ = 1[relu > 0]", kink=0),
    Function("softplus", softplus, sigmoid(x), r"\operatorname{softplus}", "softplus′ = σ"),
    Function("exp", sympy.exp, y, r"\exp", "exp′ = exp"),
    Function("log", sympy.log, 1 / x, r"\log", "log′ = 1 / x", positive=True),
    Function("sin", sympy.sin, sympy.cos(x), r"\sin", "sin′ = cos"),
    Function("cos", sympy.cos, -sympy.sin(x), r"\cos", "cos′ = −sin"),
    Function(
        "sqrt",
        sympy.sqrt,
        1 / (2 * y),
        r"\operatorname{sqrt}",
        "sqrt′ = 1 / (2 sqrt)",
        positive=True,
    ),
    Function("abs", sympy.Abs, sympy.sign(x), r"\operatorname{abs}", "abs′ = sign", kink=0),
    Function(
        "step", step, sympy.S.Zero, r"\operatorname{step}", "step′ = 0", kink=0, internal=True
    ),
    Function(
        "sign", sympy.sign, sympy.S.Zero, r"\operatorname{sign}", "sign′ = 0", kink=0, internal=True
    ),
)

FUNCTIONS: dict[str, Function] = {f.name: f for f in _TABLE}
BY_SYMBOL: dict[object, Function] = {f.symbol: f for f in _TABLE}


def _lift(law: Expr, values: dict[Symbol, MatrixExpr]) -> MatrixExpr:
    """A scalar law read entry by entry."""
    any_value = next(iter(values.values()))
    if law in values:
        return values[law]
    if law.is_Number:
        return scale(law, ones_like(any_value))
    if law.is_Add:
        return add(*(_lift(term, values) for term in _author_order(law)))
    if law.is_Mul:
        c, rest = law.as_coeff_Mul()
        return scale(c, hadamard(*(_lift(f, values) for f in sympy.Mul.make_args(rest))))
    if law.is_Pow:
        return power(_lift(law.base, values), int(law.exp))
    return Elementwise(_lift(law.args[0], values), BY_SYMBOL[law.func].name)


def _author_order(law: Expr) -> list[Expr]:
    """Numbers first, as in 1 − y²."""
    return sorted(law.args, key=lambda term: (not term.is_Number, str(term)))
