"""Inequalities: sizes of Jacobians and of their products, by laws.

Laws: ‖A B‖ ≤ ‖A‖ ‖B‖, ‖A + B‖ ≤ ‖A‖ + ‖B‖, σ_min(A) ≤ ‖A‖ and ρ(A) ≤ ‖A‖, ‖diag(u)‖ = max |u|; σ_min(A B) ≥
σ_min(A) σ_min(B) for square matrices; no size is negative; the laws of ``step_norms`` for the derivatives of a step.
A condition only restricts the runs, so what is shown for all of them holds under it.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from derive.cell import Cell
from proofs.claims.points import Context
from proofs.claims.powers import Bound, NoBoundError, at_most, to_steps
from proofs.claims.ranges import ONE, SUPREMUM, Ranges, first, largest, least
from proofs.claims.step_norms import StepNorms
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
    Open,
    Pow,
    Qty,
    Steps,
    Transposed,
    walk,
)
from proofs.claims.world import functions_of, linear
from proofs.untyped import sympy

MEASURES = ("norm", "sigma_max", "sigma_min", "spectral_radius")
Since = Mapping[str, float]
"""The least value of the index variables that a product binds."""


def is_inequality(formula: Formula) -> bool:
    """Whether a formula compares sizes."""
    return formula.relation in ("<=", ">=")


def gamma(cell: Cell) -> Fraction | None:
    """The largest sup |f′| among the cell's functions; ``None`` if one of them has no bound."""
    names = functions_of(cell)
    if not names <= SUPREMUM.keys():
        return None
    if not names:
        return Fraction(1)
    return max(Fraction(int(SUPREMUM[n].p), int(SUPREMUM[n].q)) for n in names)


def proof(formula: Formula, context: Context) -> str:
    """The laws by which an inequality follows, in words; empty if they do not show it."""
    small, large = formula.left, formula.right
    if formula.relation == ">=":
        small, large = large, small
    if isinstance(large, Call) and large.name in MEASURES:
        if isinstance(small, Num) and small.value <= 0:
            return "no size is negative"
        if large.name == "sigma_min" and _factorwise(large.args[0], small, ("sigma_min",)):
            return "the least singular value of a product of square matrices is at least the product of theirs"
    norms = ("norm", "sigma_max")
    if isinstance(small, Call) and small.name in norms and _factorwise(small.args[0], large, norms):
        return "the norm of a product is at most the product of the norms"
    return _by_laws(small, large, Laws(context))


def _by_laws(small: Node, large: Node, laws: Laws) -> str:
    try:
        if isinstance(small, Call) and small.name in MEASURES:
            ours = laws.upper(small.args[0], {})
            if ours.at_most(laws.claimed(large)):
                return f"by the submultiplicative norm, ‖W‖ = σ_max(W) and sup |f′|: each factor is at most {ours}"
        elif isinstance(large, Call) and large.name in ("norm", "sigma_max", "sigma_min"):
            theirs = laws.lower(large.args[0])
            if at_most(laws.claimed(small).plain(), theirs):
                return f"the matrix is diagonal, and no entry there is smaller than {theirs} in absolute value"
    except NoBoundError:
        pass
    return ""


def _factorwise(product: Node, other: Node, names: tuple[str, ...]) -> bool:
    """Whether the other side is the product of the measures of this one's factors."""
    if not (
        isinstance(product, Big)
        and isinstance(other, Big)
        and product.kind == other.kind == "product"
    ):
        return False
    same = (product.var, product.lo, product.hi) == (other.var, other.lo, other.hi)
    matrix = names != ("sigma_min",) or isinstance(product.body, Deriv)
    return (
        same
        and matrix
        and isinstance(other.body, Call)
        and other.body.name in names
        and other.body.args == (product.body,)
    )


class Laws:
    """Bounds on the sizes of formulas over a cell.

    Args:
        context: the cell and what is presumed.
    """

    def __init__(self, context: Context) -> None:
        self.conditions = context.conditions
        straight = "linear" in context.conditions
        self.cell = linear(context.cell) if straight else context.cell
        self.ranges = Ranges(self.cell, linear=straight)

    def sigma(self, name: str) -> Any:
        """σ_max of a quantity without steps: the symbol for a parameter."""
        q = self.ranges.by_name[name]
        if q.value is not None:
            return abs(self.ranges.constant(name)[0])
        square = q.role == "parameter" and q.shape[0] == q.shape[1] != 1
        if square and "identity" in self.conditions:
            return ONE
        return sympy.Symbol(f"sigma_max({name})", nonnegative=True)

    # ── the side that bounds ──

    def claimed(self, node: Node) -> Bound:
        """A side that is made of numbers and of sizes of parameters.

        Raises:
            NoBoundError: it is of another form.
        """
        match node:
            case Num(value=value):
                return Bound(sympy.Rational(value.numerator, value.denominator))
            case Call(name="gamma"):
                value = gamma(self.cell)
                if value is None:
                    raise NoBoundError
                return Bound(sympy.Rational(value.numerator, value.denominator))
            case Call(name="sigma_max" | "norm", args=(Qty(name=name, index=None),)):
                return Bound(self.sigma(name))
            case Call(name="abs", args=(Qty(name=name, index=None),)) if self._is_scalar(name):
                return Bound(self.sigma(name))
            case Qty(name=name, index=None) if self.ranges.constant(name)[0].is_finite:
                return Bound(self.ranges.constant(name)[0])
            case Mul(factors=factors) if all(e > 0 for e, _ in factors):
                return self._product(tuple(f for _, f in factors))
            case Mul(factors=factors):
                return Bound(sympy.Mul(*(self._to_power(f, e) for e, f in factors)))
            case Add(terms=terms):
                return Bound(sympy.Add(*(s * self.claimed(t).plain() for s, t in terms)))
            case Pow(base=base, exponent=Steps(index=index)):
                return to_steps(self.claimed(base).plain(), index)
            case Pow(base=base, exponent=Num(value=value)) if value.denominator == 1:
                return Bound(self._to_power(base, int(value)))
            case _:
                raise NoBoundError

    def _has_number(self, term: Node) -> bool:
        """Whether a term may be a number, which a sum adds to every entry of the others."""
        return any(isinstance(part, Qty) and self._is_scalar(part.name) for part in walk(term))

    def _is_scalar(self, name: str) -> bool:
        return name in self.ranges.by_name and self.ranges.by_name[name].shape == (1, 1)

    def _product(self, factors: tuple[Node, ...]) -> Bound:
        total = Bound(ONE)
        for factor in factors:
            total = total.times(self.claimed(factor))
        return total

    def _to_power(self, node: Node, exponent: int) -> Any:
        base = self.claimed(node).plain()
        if exponent < 0 and base == 0:
            raise NoBoundError
        return base**exponent

    # ── the side that is bounded ──

    def upper(self, node: Node, since: Since) -> Bound:
        """A bound on the norm of a matrix.

        Raises:
            NoBoundError: no law gives one.
        """
        match node:
            case Big(kind="product", var=var, body=body, lo=lo, hi=hi):
                inner = self.upper(body, {**since, var: first(lo, since)})
                return to_steps(inner.plain(), _minus(hi, lo).shifted(1))
            case Deriv(of=Qty(index=Index()), by=Qty(index=Index())):
                return self._of_steps(node)
            case Chain(factors=factors):
                total = Bound(ONE)
                for factor in factors:
                    total = total.times(self.upper(factor, since))
                return total
            case Open(factors=factors) if all(isinstance(f, Deriv) for f in factors):
                return self.upper(Chain(factors=factors), since)
            case Add(terms=terms) if len(terms) == 1 or not any(
                self._has_number(t) for _, t in terms
            ):
                return Bound(sympy.Add(*(self.upper(t, since).plain() for _, t in terms)))
            case Transposed(of=of):
                return self.upper(of, since)
            case Qty(name=name, index=None) if name in self.ranges.by_name:
                return Bound(self.sigma(name))
            case Call(name="eye"):
                return Bound(ONE)
            case Call(name="diag", args=(vector,)):
                top = largest(self.ranges.of(vector, since))
                if top.is_finite:
                    return Bound(top)
            case _:
                pass
        raise NoBoundError

    def lower(self, node: Node) -> Any:
        """A bound from below on every singular value of a matrix.

        Raises:
            NoBoundError: no law gives one.
        """
        match node:
            case Deriv(of=Qty(name=of, index=Index() as to), by=Qty(index=Index() as since)):
                steps = _minus(to, since)
                unknown = of not in self.ranges.equation_of or first(to, {}) < 1
                if unknown or node.kind == "open":
                    raise NoBoundError
                return least(self._within_step(node, steps).diagonal_of_quantity(of))
            case _:
                raise NoBoundError

    def _of_steps(self, node: Deriv) -> Bound:
        """‖∂of[t]/∂by[k]‖: within one step, or over many for the only state of a cell."""
        of, by = node.of.name, node.by.name  # type: ignore[attr-defined]
        steps = _minus(node.of.index, node.by.index)  # type: ignore[attr-defined]
        if of not in self.ranges.equation_of:
            raise NoBoundError
        try:
            return Bound(self._within_step(node, steps).of_quantity(of))
        except NoBoundError:
            if not (self._is_alone(of) and node.kind in ("total", "open")):
                raise
        one = StepNorms(self.ranges, self.sigma, of, 1).of_quantity(of)
        if of == by:
            return to_steps(one, steps)
        if self.ranges.by_name[by].depth > 0:
            raise NoBoundError
        here = StepNorms(self.ranges, self.sigma, by, 0).of_quantity(of)
        return to_steps(one, steps).times(Bound(here))

    def _within_step(self, node: Deriv, steps: Index) -> StepNorms:
        """The derivatives of one step, where that is all that one asks for.

        Raises:
            NoBoundError: it asks for more.
        """
        by, lag = node.by.name, steps.constant
        through_time = node.kind in ("total", "open") and lag > 0
        if steps.terms or lag < 0 or (through_time and not (lag == 1 and self._is_alone(by))):
            raise NoBoundError
        return StepNorms(self.ranges, self.sigma, by, lag, direct=node.kind == "immediate")

    def _is_alone(self, name: str) -> bool:
        """Whether all that a step knows of the past is this quantity, one step back."""
        states = self.cell.states
        return len(states) == 1 and states[0].name == name and states[0].depth == 1


def _minus(hi: Index, lo: Index) -> Index:
    """hi − lo."""
    terms = dict(hi.terms)
    for name, factor in lo.terms:
        terms[name] = terms.get(name, 0) - factor
    return Index(tuple((n, f) for n, f in terms.items() if f), hi.constant - lo.constant)
