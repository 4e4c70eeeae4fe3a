"""Inequalities: norms of Jacobians and of their products, bounded by laws, or refuted by numbers.

Laws: ‖A B‖ ≤ ‖A‖ ‖B‖, ‖A + B‖ ≤ ‖A‖ + ‖B‖, ‖diag(f′)‖ ≤ sup |f′|, ‖diag(g)‖ ≤ 1 for a gate with values in (−1, 1),
‖W‖ = σ_max(W); σ_min(A B) ≥ σ_min(A) σ_min(B) for square matrices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy
from sympy.matrices.expressions import HadamardProduct, MatAdd, MatMul, MatrixSymbol, Transpose

from derive.cell import Cell
from derive.expressions import Broadcast, Elementwise, Timed, leaves, operands, split_coefficient
from derive.functions import FUNCTIONS
from proofs.claims.points import Context
from proofs.claims.syntax import (
    Add,
    Big,
    Call,
    Chain,
    Deriv,
    Formula,
    Index,
    Mul,
    Node,
    Num,
    Pow,
    Qty,
    Steps,
)

SUPREMUM = {
    "tanh": 1, "sigmoid": Fraction(1, 4), "relu": 1, "softplus": 1, "sin": 1, "cos": 1, "abs": 1, "step": 0, "sign": 0,
}  # fmt: skip
"""sup |f′| of each function whose derivative is bounded."""
RANGE = {"tanh": 1, "sigmoid": 1, "sin": 1, "cos": 1, "step": 1, "sign": 1}
"""sup |f| of each bounded function."""
MEASURES = ("norm", "sigma_max", "sigma_min", "spectral_radius")


class NoBoundError(Exception):
    """No law bounds this."""


ONE_STEP = Index((), 1)


@dataclass(frozen=True, slots=True)
class Bound:
    """``base`` to the power of a number of steps; the base is a polynomial in σ_max of the parameters."""

    base: Any
    steps: Index = ONE_STEP


def is_inequality(formula: Formula) -> bool:
    """Whether a formula compares sizes."""
    return formula.relation in ("<=", ">=")


def gamma(cell: Cell) -> Fraction:
    """The largest sup |f′| among the cell's functions."""
    names = {part.function for e in cell.equations for part in _functions(e.expr)}
    if not names or not names <= SUPREMUM.keys():
        return Fraction(1)
    return max(Fraction(SUPREMUM[name]) for name in names)


def _functions(expr: Any) -> Iterator[Elementwise]:
    stack = [expr]
    while stack:
        top = stack.pop()
        stack += operands(top)
        if isinstance(top, Elementwise):
            yield top


def proof(formula: Formula, context: Context) -> str:
    """The laws by which an inequality follows, in words; empty if they do not show it."""
    left, right = formula.left, formula.right
    if formula.relation == ">=":
        return _by_least(left, right)
    if not (isinstance(left, Call) and left.name in ("norm", "sigma_max")):
        return ""
    if _factorwise(left.args[0], right, ("norm", "sigma_max")):
        return "the norm of a product is at most the product of the norms"
    try:
        ours, theirs = upper(left.args[0], context), claimed(right, context)
    except NoBoundError:
        return ""
    if ours.steps != theirs.steps or not _at_most(ours.base, theirs.base):
        return ""
    return (
        "by the submultiplicative norm, ‖W‖ = σ_max(W) and sup |f′|: each factor is at most "
        + str(ours.base)
    )


def _by_least(left: Node, right: Node) -> str:
    if (
        isinstance(left, Call)
        and left.name == "sigma_min"
        and _factorwise(left.args[0], right, ("sigma_min",))
    ):
        return "the least singular value of a product of square matrices is at least the product of theirs"
    return ""


def _factorwise(product: Node, right: Node, names: tuple[str, ...]) -> bool:
    """Whether the right side is the product of the measures of the left side's factors."""
    if not (
        isinstance(product, Big)
        and isinstance(right, Big)
        and product.kind == right.kind == "product"
    ):
        return False
    same = (product.var, product.lo, product.hi) == (right.var, right.lo, right.hi)
    return (
        same
        and isinstance(right.body, Call)
        and right.body.name in names
        and right.body.args == (product.body,)
    )


def _at_most(a: Any, b: Any) -> bool:
    """a ≤ b for all non-negative values of their symbols, where coefficients show it."""
    gap = sympy.expand(b - a)
    terms = sympy.Add.make_args(gap)
    return all(term.as_coeff_Mul()[0] >= 0 for term in terms)


def sigma(name: str) -> Any:
    """The symbol of σ_max of a parameter."""
    return sympy.Symbol(f"sigma_max({name})", nonnegative=True)


def claimed(node: Node, context: Context) -> Bound:
    """A right side as a bound.

    Raises:
        NoBoundError: it is of another form.
    """
    if isinstance(node, Pow) and isinstance(node.exponent, Steps):
        return Bound(_scalar(node.base, context), node.exponent.index)
    return Bound(_scalar(node, context))


def _scalar(node: Node, context: Context) -> Any:
    match node:
        case Num(value=value):
            return sympy.Rational(value.numerator, value.denominator)
        case Call(name="gamma"):
            value = gamma(context.cell)
            return sympy.Rational(value.numerator, value.denominator)
        case Call(name="sigma_max" | "norm", args=(Qty(name=name, index=None),)):
            return sigma(name)
        case Qty(name=name, index=None):
            value = context.cell.quantity(name).value
            if value is not None:
                return sympy.Rational(value.numerator, value.denominator)
        case Mul(factors=factors):
            return sympy.Mul(*(_scalar(f, context) ** e for e, f in factors))
        case Add(terms=terms):
            return sympy.Add(*(s * _scalar(t, context) for s, t in terms))
        case Pow(base=base, exponent=Num(value=value)) if value.denominator == 1:
            return _scalar(base, context) ** int(value)
        case _:
            pass
    raise NoBoundError


def upper(node: Node, context: Context) -> Bound:
    """A bound on the norm of a matrix.

    Raises:
        NoBoundError: no law gives one.
    """
    match node:
        case Big(kind="product", body=body, lo=lo, hi=hi):
            inner = upper(body, context)
            return Bound(inner.base, _minus(hi, lo))
        case Deriv(of=Qty(name=of, index=to), by=Qty(name=by, index=since)) if (
            to is not None and since is not None
        ):
            return _of_steps(of, by, _minus(to, since).shifted(-1), context.cell, node.kind)
        case Chain(factors=factors):
            return Bound(sympy.Mul(*(upper(f, context).base for f in factors)))
        case Qty(name=name, index=None):
            return Bound(sigma(name))
        case Call(name="diag", args=(Call(name="slope", args=(Qty(name=name),)),)):
            expr = next((e.expr for e in context.cell.equations if e.target.name == name), None)
            if isinstance(expr, Elementwise) and expr.function in SUPREMUM:
                return Bound(_rational(SUPREMUM[expr.function]))
        case _:
            pass
    raise NoBoundError


def _minus(hi: Index, lo: Index) -> Index:
    """hi − lo + 1, the number of factors."""
    terms = dict(hi.terms)
    for name, factor in lo.terms:
        terms[name] = terms.get(name, 0) - factor
    return Index(tuple((n, f) for n, f in terms.items() if f), hi.constant - lo.constant + 1)


def _of_steps(of: str, by: str, steps: Index, cell: Cell, kind: str) -> Bound:
    """‖∂of[t]/∂by[k]‖ for the only state of a cell, or one step of any."""
    depth = cell.quantity(of).depth
    alone = len(cell.states) == 1 and of == by and depth == 1
    if not alone and not (steps == ONE_STEP and kind == "local"):
        raise NoBoundError
    found = _of_equation(cell, of, by, {})
    return Bound(found) if steps == ONE_STEP else Bound(found, steps)


def _of_equation(cell: Cell, of: str, by: str, known: dict[str, Any]) -> Any:
    if of not in known:
        expr = next(e.expr for e in cell.equations if e.target.name == of)
        known[of] = _of_expression(cell, expr, by, known)
    return known[of]


def _of_expression(cell: Cell, expr: Any, by: str, known: dict[str, Any]) -> Any:
    """A bound on the norm of the derivative of an expression by ``by`` one step back."""
    c, core = split_coefficient(expr)
    if c != 1:
        return abs(c) * _of_expression(cell, core, by, known)
    match core:
        case Timed():
            if core.lag == 1 and core.name == by:
                return sympy.S.One
            inside = core.lag == 0 and any(e.target.name == core.name for e in cell.equations)
            return _of_equation(cell, core.name, by, known) if inside else sympy.S.Zero
        case MatAdd():
            return sympy.Add(*(_of_expression(cell, part, by, known) for part in operands(core)))
        case Elementwise() if core.function in SUPREMUM:
            return _rational(SUPREMUM[core.function]) * _of_expression(
                cell, operands(core)[0], by, known
            )
        case MatMul() if all(isinstance(_bare(a), MatrixSymbol) for a in core.args[:-1]):
            inner = _of_expression(cell, core.args[-1], by, known)
            return sympy.Mul(*(sigma(_bare(a).name) for a in core.args[:-1])) * inner
        case HadamardProduct():
            return sympy.Add(*_of_hadamard(cell, core, by, known))
        case _:
            pass
    moves = any(isinstance(v, Timed) for v in leaves(core))
    if not moves:
        return sympy.S.Zero
    raise NoBoundError


def _bare(expr: Any) -> Any:
    """A matrix without its transpose, which has the same norm."""
    return expr.arg if isinstance(expr, Transpose) else expr


def _of_hadamard(cell: Cell, core: Any, by: str, known: dict[str, Any]) -> Iterator[Any]:
    for i, part in enumerate(operands(core)):
        inner = _of_expression(cell, part, by, known)
        if inner != 0:
            yield inner * sympy.Mul(
                *(_size(cell, p) for j, p in enumerate(operands(core)) if j != i)
            )


def _size(cell: Cell, expr: Any) -> Any:
    """sup of the absolute entries of an expression."""
    if isinstance(expr, Broadcast):
        names = [v.name for v in leaves(expr)]
        if (
            len(names) == 1
            and (value := cell.quantity(names[0]).value) is not None
            and expr == Broadcast(operands(expr)[0], *expr.shape)
        ):
            return (
                _rational(abs(value))
                if isinstance(operands(expr)[0], MatrixSymbol)
                else _complement(expr, value)
            )
    if isinstance(expr, Timed):
        expr = next((e.expr for e in cell.equations if e.target.name == expr.name), expr)
    if isinstance(expr, Elementwise) and expr.function in RANGE:
        return _rational(RANGE[expr.function])
    raise NoBoundError


def _complement(expr: Any, value: Fraction) -> Any:
    inner = operands(expr)[0]
    if isinstance(inner, MatAdd) and len(inner.args) == 2:
        return _rational(abs(1 - value))
    raise NoBoundError


def _rational(value: Fraction | int) -> Any:
    exact = Fraction(value)
    return sympy.Rational(exact.numerator, exact.denominator)


if not SUPREMUM.keys() <= FUNCTIONS.keys():
    raise RuntimeError("a bound is stated for a function that does not exist")
