"""The range of an expression in which a quantity occurs more than once, as z does in (1 − z) ∘ h + z ∘ g.

Interval arithmetic alone gives 1 − y² the range [0, 2] for y in [−1, 1], and that sum twice its width. Here entrywise
sums and products are read as polynomials in what they are made of, and the range is exact where the polynomial has one
variable (its critical points) or is of degree one in each (the corners of the box).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, reduce
from itertools import product
from typing import Any, cast

import numpy as np

from derive.expressions import split_coefficient
from derive.nodes import operands
from proofs.evaluation import Evaluator, Look
from proofs.guarantee_intervals import Interval, Intervals, point, rational
from proofs.untyped import HadamardPower, HadamardProduct, MatAdd, MatMul, OneMatrix, sympy

Monomial = tuple[tuple[Any, int], ...]
Polynomial = dict[Monomial, Fraction]
"""Coefficients by monomial; a monomial holds its atoms with their exponents, in order of first appearance."""

ONE: Polynomial = {(): Fraction(1)}
LONGEST = 64
CORNERS = 6
"""Atoms in which a polynomial of degree one in each is evaluated at the corners."""


@dataclass(frozen=True, slots=True)
class Product:
    """One addend: factors in groups that share no quantity, each group multiplied out, and its single factors."""

    groups: tuple[tuple[Polynomial, tuple[Polynomial, ...]], ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """Addends in groups that share no quantity, each group added up, and its addends by themselves."""

    groups: tuple[tuple[Polynomial, tuple[Product, ...]], ...]


class Enclosing(Evaluator[Interval]):
    """Evaluates matrix expressions over intervals.

    Args:
        sizes: the size of every dimension of the cell.
        inline: what stands for a leaf, where its own definition is a polynomial.
    """

    def __init__(self, sizes: Mapping[Any, int], inline: Mapping[Any, Any] | None = None) -> None:
        super().__init__(Intervals(), sizes)
        self.inline = dict(inline or {})
        self._plans: dict[Any, Sum] = {}

    def __call__(self, expr: Any, look: Look[Interval]) -> Interval:
        """An interval that contains the value of an expression for all values of its leaves in theirs."""
        if expr in self.inline:
            return self(self.inline[expr], look)
        if not is_entrywise(expr):
            return super().__call__(expr, look)
        if expr not in self._plans:
            self._plans[expr] = self._plan(expr)
        view = _View(super().__call__, look, self.shape(expr))
        found = [self._group(whole, parts, view) for whole, parts in self._plans[expr].groups]
        return reduce(self.arithmetic.add, found)

    def _plan(self, expr: Any) -> Sum:
        addends = [self._factors(term) for term in _terms(expr)]
        sums: list[tuple[Polynomial, tuple[Product, ...]]] = []
        for group in _components(addends):
            whole = _add([reduce(_times, factors, ONE) for factors in group])
            products: list[Product] = []
            for factors in group:
                split = [
                    [f for part in g for f in part] for g in _components([[f] for f in factors])
                ]
                products.append(Product(tuple((reduce(_times, g, ONE), tuple(g)) for g in split)))
            sums.append((whole, tuple(products)))
        return Sum(tuple(sums))

    def _group(self, whole: Polynomial, parts: tuple[Product, ...], view: _View) -> Interval:
        """Addends that share a quantity are bounded together, if that is exact."""
        exact = self._range(whole, view) if len(parts) > 1 else None
        return exact or reduce(self.arithmetic.add, [self._product(p, view) for p in parts])

    def _product(self, part: Product, view: _View) -> Interval:
        """Factors that share a quantity are bounded together; the groups are independent of each other."""
        found: list[Interval] = []
        for whole, factors in part.groups:
            exact = self._range(whole, view)
            each = (
                ()
                if exact
                else [self._range(f, view) or self._plain(f, view.known(f)) for f in factors]
            )
            found.append(exact or reduce(self.arithmetic.mul, each))
        whole = reduce(self.arithmetic.mul, found)
        spread = whole.shape[-2:] != view.ones.shape
        return self.arithmetic.mul(view.ones, whole) if spread else whole

    def _plain(self, poly: Polynomial, values: Mapping[Any, Interval]) -> Interval:
        """A polynomial by interval arithmetic alone."""
        ar, total = self.arithmetic, list[Interval]()
        for monomial, c in poly.items():
            parts = [values[a] if k == 1 else ar.power(values[a], k) for a, k in monomial]
            total.append(reduce(ar.mul, parts if c == 1 and parts else [rational(c), *parts]))
        return reduce(ar.add, total, rational(0))

    def _range(self, poly: Polynomial, view: _View) -> Interval | None:
        """The exact range up to rounding, or ``None`` where neither rule applies."""
        atoms = _atoms(poly)
        degree = max((k for m in poly for _, k in m), default=0)
        if len(poly) <= LONGEST and degree <= 1 and len(atoms) <= CORNERS:
            return self._at_corners(poly, view.known(poly))
        if len(atoms) == 1:
            return self._at_critical(poly, view.known(poly))
        return None

    def _at_corners(self, poly: Polynomial, values: Mapping[Any, Interval]) -> Interval:
        """Every corner of the box at once, along a leading axis."""
        count, corners = len(values), dict[Any, Interval]()
        axes = (1,) * max((value.lo.ndim for value in values.values()), default=2)
        for place, (atom, value) in enumerate(values.items()):
            bits = np.array([corner >> place & 1 for corner in range(2**count)], bool)
            high = bits.reshape((-1, *axes))
            corners[atom] = point(np.where(high, value.hi, value.lo))
        found = self._plain(poly, corners)
        return found if not count else Interval(found.lo.min(axis=0), found.hi.max(axis=0))

    def _at_critical(self, poly: Polynomial, values: Mapping[Any, Interval]) -> Interval:
        [(atom, value)] = values.items()
        found = self._at_corners(poly, values)
        coefficients = tuple(sorted((sum(k for _, k in m), c) for m, c in poly.items()))
        for lo, hi in _critical(coefficients):
            inside = (value.lo <= hi) & (value.hi >= lo)
            there = self._plain(poly, {atom: Interval(np.array([[lo]]), np.array([[hi]]))})
            joined = found.hull(there)
            found = Interval(
                np.where(inside, joined.lo, found.lo), np.where(inside, joined.hi, found.hi)
            )
        return found

    def _factors(self, expr: Any) -> list[Polynomial]:
        """One addend as a product of polynomials."""
        c, core = split_coefficient(expr)
        number = self.scalar(c)
        found: list[Polynomial] = [{(): Fraction(int(number.p), int(number.q))}]
        for part in operands(core) if isinstance(core, HadamardProduct) else (core,):
            found.append(self.polynomial(part))
        return found

    def polynomial(self, expr: Any) -> Polynomial:
        """An expression as a polynomial in the parts that are neither sums nor entrywise products."""
        if expr in self.inline:
            return self.polynomial(self.inline[expr])
        if isinstance(expr, OneMatrix):
            return ONE
        if isinstance(expr, HadamardPower) and int(_second(expr)) > 0:
            base = self.polynomial(operands(expr)[0])
            return reduce(_times, [base] * int(_second(expr)), ONE)
        if is_entrywise(expr):
            return _add([reduce(_times, self._factors(term), ONE) for term in _terms(expr)])
        return {((expr, 1),): Fraction(1)}


class _View:
    """The values of the atoms at one evaluation, each computed once."""

    def __init__(
        self,
        evaluate: Callable[[Any, Look[Interval]], Interval],
        look: Look[Interval],
        shape: tuple[int, int],
    ) -> None:
        self.evaluate, self.look = evaluate, look
        self.ones = point(np.ones(shape))
        self.values: dict[Any, Interval] = {}

    def known(self, poly: Polynomial) -> dict[Any, Interval]:
        """The value of every atom of a polynomial."""
        for atom in _atoms(poly):
            if atom not in self.values:
                self.values[atom] = self.evaluate(atom, self.look)
        return {atom: self.values[atom] for atom in _atoms(poly)}


def _second(expr: Any) -> Any:
    return expr.args[1]


def is_entrywise(expr: Any) -> bool:
    """Whether an expression is a sum, a multiple, a product or a whole power, entry by entry."""
    if isinstance(expr, HadamardPower):
        return int(_second(expr)) > 0
    scaled = isinstance(expr, MatMul) and len(operands(cast("Any", expr))) == 1
    return scaled or isinstance(expr, MatAdd | HadamardProduct)


def _terms(expr: Any) -> list[Any]:
    return list(operands(expr)) if isinstance(expr, MatAdd) else [expr]


def _atoms(poly: Polynomial) -> list[Any]:
    return list(dict.fromkeys(atom for monomial in poly for atom, _ in monomial))


def _add(polys: list[Polynomial]) -> Polynomial:
    total: Polynomial = {}
    for poly in polys:
        for monomial, c in poly.items():
            total[monomial] = total.get(monomial, Fraction(0)) + c
    return {m: c for m, c in total.items() if c != 0}


def _times(a: Polynomial, b: Polynomial) -> Polynomial:
    parts: list[Polynomial] = []
    for (m, c), (n, d) in product(a.items(), b.items()):
        exponents = dict(m)
        for atom, k in n:
            exponents[atom] = exponents.get(atom, 0) + k
        parts.append({tuple(sorted(exponents.items(), key=lambda p: str(p[0]))): c * d})
    return _add(parts)


def _components(parts: list[list[Polynomial]]) -> list[list[list[Polynomial]]]:
    """Parts that share an atom, directly or through others, in one group."""
    groups: list[tuple[set[Any], list[list[Polynomial]]]] = []
    for part in parts:
        mine = {atom for poly in part for atom in _atoms(poly)}
        joined: list[list[Polynomial]] = []
        rest: list[tuple[set[Any], list[list[Polynomial]]]] = []
        for atoms, members in groups:
            if atoms & mine:
                mine, joined = mine | atoms, [*joined, *members]
            else:
                rest.append((atoms, members))
        groups = [*rest, (mine, [*joined, part])]
    return [members for _, members in groups]


@cache
def _critical(coefficients: tuple[tuple[int, Fraction], ...]) -> list[tuple[float, float]]:
    """Floats around every real zero of the derivative of Σ c xᵏ."""
    x, slopes = sympy.Symbol("x"), {k - 1: k * c for k, c in coefficients}
    ordered = [slopes.get(k, 0) for k in range(max(slopes), -1, -1)]
    slope = sympy.Poly(ordered, x, domain="QQ")
    if slope.degree() < 1:
        return []
    roots: Callable[..., Any] = slope.intervals
    found: list[tuple[float, float]] = []
    for (lo, hi), _ in roots(eps=sympy.Rational(1, 2**60)):
        ends = float(Fraction(int(lo.p), int(lo.q))), float(Fraction(int(hi.p), int(hi.q)))
        exact = lo == hi and Fraction(ends[0]) == Fraction(int(lo.p), int(lo.q))
        found.append(
            ends
            if exact
            else (float(np.nextafter(ends[0], -np.inf)), float(np.nextafter(ends[1], np.inf)))
        )
    return found
