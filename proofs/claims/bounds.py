"""Inequalities: sizes of Jacobians and of their products, by laws.

Laws: ‖A B‖ ≤ ‖A‖ ‖B‖, ‖A + B‖ ≤ ‖A‖ + ‖B‖, σ_min(A) ≤ ‖A‖ and ρ(A) ≤ ‖A‖, ‖diag(u)‖ = max |u|; σ_min(A B) ≥
σ_min(A) σ_min(B) for square matrices; no size is negative; the laws of ``step_norms`` for the derivatives of a step.
A condition only restricts the runs, so what is shown for all of them holds under it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

from derive.intervals import ONE, largest, least
from proofs.claims.points import Context
from proofs.claims.powers import Bound, NoBoundError, at_most, to_steps
from proofs.claims.ranges import first
from proofs.claims.shapes import may_be_number
from proofs.claims.stated import Stated
from proofs.claims.step_norms import StepNorms
from proofs.claims.syntax import (
    Add,
    Big,
    Call,
    Chain,
    Deriv,
    Formula,
    Index,
    Node,
    Num,
    Open,
    Qty,
    Transposed,
    walk,
)
from proofs.untyped import sympy

MEASURES = ("norm", "sigma_max", "sigma_min", "spectral_radius")
NORMAL = ", which is the spectral radius, as the matrix is normal"
Since = Mapping[str, float]
"""The least value of the index variables that a product binds."""


def is_inequality(formula: Formula) -> bool:
    """Whether a formula compares sizes."""
    return formula.relation in ("<=", ">=")


def proof(formula: Formula, context: Context) -> str:
    """The laws by which an inequality follows, in words; empty if they do not show it."""
    small, large = formula.ordered
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
    for shown in (_above, _below, _stated, _entries):
        with suppress(NoBoundError):
            if why := shown(small, large, laws):
                return why
    return ""


def _above(small: Node, large: Node, laws: Laws) -> str:
    """What is measured on the small side has a bound no larger than the large one."""
    if not (isinstance(small, Call) and small.name in MEASURES):
        return ""
    ours = laws.upper(small.args[0], {})
    if not ours.at_most(laws.stated.bound(large)):
        return ""
    normal = any(isinstance(p, Call) and p.name == "spectral_radius" for p in walk(large))
    why = "by the submultiplicative norm, ‖W‖ = σ_max(W) and sup |f′|: each factor is at most"
    return f"{why} {ours}{NORMAL * normal}"


def _below(small: Node, large: Node, laws: Laws) -> str:
    """What is measured on the large side has a bound from below no smaller than the small one."""
    if not (isinstance(large, Call) and large.name in ("norm", "sigma_max", "sigma_min")):
        return ""
    theirs = laws.lower(large.args[0])
    if not at_most(laws.stated.bound(small).plain(), theirs):
        return ""
    return f"the matrix is diagonal, and no entry there is smaller than {theirs} in absolute value"


def _stated(small: Node, large: Node, laws: Laws) -> str:
    """Both sides state what they are."""
    ours, theirs = laws.stated.bound(small).plain(), laws.stated.bound(large).plain()
    return "no term of the difference of the sides is negative" if at_most(ours, theirs) else ""


def _entries(small: Node, large: Node, laws: Laws) -> str:
    """No entry of the one side, by its range, is above any of the other's."""
    (low, top), (bottom, high) = (laws.ranges.of(side, {}) for side in (small, large))
    if not (top.is_finite and bottom.is_finite and top <= bottom):
        return ""
    wide = f"left between {low} and {top}" if low != top else f"right between {bottom} and {high}"
    return f"by the ranges of the functions, every entry lies there: {wide}"


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
        standing: derivatives whose norm stands for itself, as the other side states it.
    """

    def __init__(self, context: Context, standing: Collection[Node] = ()) -> None:
        self.stated = stated = Stated(context)
        self.standing = standing
        self.cell, self.ranges, self.sigma = stated.cell, stated.ranges, stated.sigma

    def upper(self, node: Node, since: Since) -> Bound:
        """A bound on the norm of a matrix.

        Raises:
            NoBoundError: no law gives one.
        """
        match node:
            case Deriv() if node in self.standing:
                return Bound(self.stated.size_of(node))
            case Big(kind="product", var=var, body=body, lo=lo, hi=hi):
                inner = self.upper(body, {**since, var: first(lo, since)}).plain()
                return to_steps(self.stated.of_every_step(inner), _minus(hi, lo).shifted(1))
            case Deriv(of=Qty(index=Index()), by=Qty(index=Index())):
                return self._of_steps(node)
            case Chain(factors=factors) | Call(name="sandwich", args=factors):
                total = Bound(ONE)
                for factor in factors:
                    total = total.times(self.upper(factor, since))
                return total
            case Open(factors=factors) if all(isinstance(f, Deriv) for f in factors):
                return self.upper(Chain(factors=factors), since)
            case Add(terms=terms) if len(terms) == 1 or not any(
                may_be_number(t, self.ranges.by_name) for _, t in terms
            ):
                return Bound(sympy.Add(*(self.upper(t, since).plain() for _, t in terms)))
            case Transposed(of=of):
                return self.upper(of, since)
            case _:
                return Bound(self._of_leaf(node, since))

    def _of_leaf(self, node: Node, since: Since) -> Any:
        """‖A‖ of what is made of no other matrices."""
        match node:
            case Deriv(of=Qty(name=of, index=Index() as at), by=Qty(name=by, index=None)):
                return self._by_parameter(of, at, by, node.kind)
            case Qty(name=name, index=Index() as index):
                return self.stated.size_at(name, index)
            case Qty(name=name, index=None) if name in self.ranges.by_name:
                return self.sigma(name)
            case Call(name="eye"):
                return ONE
            case Call(name="diag", args=(vector,)):
                top = largest(self.ranges.of(vector, since))
                if top.is_finite:
                    return top
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

    def _by_parameter(self, of: str, at: Index, by: str, kind: str) -> Any:
        """‖∂of[t]/∂W‖ within a step, by the values there.

        Raises:
            NoBoundError: it goes through earlier steps, or no law gives one.
        """
        if of not in self.ranges.equation_of or kind not in ("immediate", "local"):
            raise NoBoundError

        direct = kind == "immediate"
        norms = StepNorms(self.ranges, self.sigma, by, None, direct, self._values_at(at))
        return norms.of_quantity(of)

    def _values_at(self, at: Index) -> Callable[[str, int], Any]:
        """‖u‖ of a quantity so many steps before a step."""
        return lambda name, lag: self.stated.size_at(name, at.shifted(-lag))

    def _within_step(self, node: Deriv, steps: Index) -> StepNorms:
        """The derivatives of one step, where that is all that one asks for.

        Raises:
            NoBoundError: it asks for more.
        """
        by, lag = node.by.name, steps.constant
        through_time = node.kind in ("total", "open") and lag > 0
        if steps.terms or lag < 0 or (through_time and not (lag == 1 and self._is_alone(by))):
            raise NoBoundError
        values = self._values_at(node.of.index)  # type: ignore[attr-defined]
        return StepNorms(self.ranges, self.sigma, by, lag, node.kind == "immediate", values)

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
