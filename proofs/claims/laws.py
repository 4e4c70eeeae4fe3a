"""What the laws of ``bounds`` give for the parts of an inequality: derivatives, their products, and values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from derive.intervals import ONE, largest
from proofs.claims.least_norms import LeastNorms
from proofs.claims.points import Context
from proofs.claims.powers import Bound, NoBoundError, to_steps
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
    Index,
    Mul,
    Node,
    Open,
    Qty,
    Transposed,
    walk,
)
from proofs.claims.value_norms import ValueNorms
from proofs.untyped import sympy

Since = Mapping[str, float]
"""The least value of the index variables that a product binds."""


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
                return self._within_step(node, steps).below_quantity(of)
            case _:
                raise NoBoundError

    def side(self, node: Node, since: Since) -> Bound:
        """A bound on what sizes come to, multiplied and added.

        Raises:
            NoBoundError: it is of another form, or no law gives a bound for one of them.
        """
        match node:
            case Mul(factors=factors) if all(e > 0 for e, _ in factors):
                total = Bound(ONE)
                for _, factor in factors:
                    total = total.times(self.side(factor, since))
                return total
            case Add(terms=terms) if all(sign > 0 for sign, _ in terms):
                return Bound(sympy.Add(*(self.side(term, since).plain() for _, term in terms)))
            case Big(kind="product", var=var, body=body, lo=lo, hi=hi):
                inner = self.side(body, {**since, var: first(lo, since)}).plain()
                return to_steps(self.stated.of_every_step(inner), _minus(hi, lo).shifted(1))
            case Call(name="norm" | "sigma_max" | "sigma_min" | "spectral_radius", args=(matrix,)):
                return self.upper(matrix, since)
            case _:
                found = self.stated.bound(node)
                if found.factor.is_nonnegative and found.base.is_nonnegative:
                    return found
                raise NoBoundError

    def least(self, node: Node) -> list[Any]:
        """Bounds on the least singular value of a matrix, each of which holds.

        Raises:
            NoBoundError: no law gives one.
        """
        match node:
            case Deriv(of=Qty(name=of, index=Index() as to), by=Qty(index=Index() as since)) if (
                of in self.ranges.equation_of
            ):
                norms = self._within_step(node, _minus(to, since))
                return LeastNorms(norms, self.stated.sigma_min).of_quantity(of)
            case _:
                raise NoBoundError

    def value(self, node: Node, other: Node) -> Any:
        """A bound on the norm of a quantity at a step that has an equation.

        Args:
            node: the quantity.
            other: the other side; what is measured there stands for itself.

        Raises:
            NoBoundError: no law gives one.
        """
        match node:
            case Qty(name=name, index=index) if name in self.ranges.equation_of and (
                index is None or self._has_happened(index, (node, other))
            ):
                standing = self.stated.bound(other).plain().free_symbols
                norms = ValueNorms(
                    self.ranges, self.sigma, self._values_at(index or Index()), standing
                )
                return norms.of_quantity(name)
            case _:
                raise NoBoundError

    def _has_happened(self, at: Index, sides: tuple[Node, ...]) -> bool:
        """Whether a step is 1 or later wherever all exists that the sides name: inputs, say, have no initial values."""
        initial = {q.name for q in self.cell.states}
        named = (p for side in sides for p in walk(side) if isinstance(p, Qty) and p.index)
        since = [p.index for p in named if p.index and p.name not in initial]
        return first(at, {}) >= 1 or any(
            here.terms == at.terms and here.constant <= at.constant for here in since
        )

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
        lag = 0 if by in self.stated.still else None
        norms = StepNorms(self.ranges, self.sigma, by, lag, direct, self._values_at(at))
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
