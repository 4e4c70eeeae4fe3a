"""Formulas that are a polynomial of degree two in one thing, entry by entry: f ∘ (1 − f), and its exact range.

Interval arithmetic alone takes the two factors of f ∘ (1 − f) for independent, and finds [0, 1] for [0, 1/4].
"""

from __future__ import annotations

from fractions import Fraction

from derive.intervals import Range
from proofs.claims.syntax import Add, Call, Mul, Node, Num, Pow, Qty
from proofs.untyped import sympy

DEGREE = 2
Coefficients = tuple[Fraction, ...]
"""Of the powers 0, 1 and 2."""
_Found = tuple[Node | None, Coefficients]


def quadratic(node: Node) -> tuple[Node, Coefficients] | None:
    """The thing and the coefficients of which a formula is made; ``None`` if its degree is not two.

    Args:
        node: a formula; * and / go entry by entry.
    """
    found = _polynomial(node)
    if found is None or found[0] is None or not found[1][DEGREE]:
        return None
    return found[0], found[1]


def of_quadratic(coefficients: Coefficients, inside: Range) -> Range:
    """The range of c₀ + c₁ x + c₂ x² for x in a range.

    Law: the extremes lie at the ends or where the derivative c₁ + 2 c₂ x is 0.

    Args:
        coefficients: c₀, c₁ and c₂, which is not 0.
        inside: the range of x.
    """
    free, linear, square = (sympy.Rational(c.numerator, c.denominator) for c in coefficients)
    turn = -linear / (2 * square)
    places = [*inside, *([turn] if inside[0] <= turn <= inside[1] else [])]
    values = [
        free + linear * x + square * x**2 if x.is_finite else square * sympy.oo for x in places
    ]
    return min(values), max(values)


def _polynomial(node: Node) -> _Found | None:
    match node:
        case Num(value=value):
            return None, (value, Fraction(0), Fraction(0))
        case Qty() | Call():
            return node, (Fraction(0), Fraction(1), Fraction(0))
        case Add(terms=terms):
            total: _Found | None = (None, (Fraction(0),) * 3)
            for sign, term in terms:
                total = _plus(total, _polynomial(term), sign)
            return total
        case Mul(factors=factors) if all(e > 0 for e, _ in factors):
            total = (None, (Fraction(1), Fraction(0), Fraction(0)))
            for _, factor in factors:
                total = _times(total, _polynomial(factor))
            return total
        case Pow(base=base, exponent=Num(value=value)) if value == DEGREE:
            inner = _polynomial(base)
            return _times(inner, inner)
        case _:
            return None


def _plus(a: _Found | None, b: _Found | None, sign: int) -> _Found | None:
    if a is None or b is None or not _alike(a, b):
        return None
    return a[0] or b[0], tuple(x + sign * y for x, y in zip(a[1], b[1], strict=True))


def _times(a: _Found | None, b: _Found | None) -> _Found | None:
    if a is None or b is None or not _alike(a, b):
        return None
    made = [Fraction(0)] * (2 * DEGREE + 1)
    for i, x in enumerate(a[1]):
        for j, y in enumerate(b[1]):
            made[i + j] += x * y
    return None if any(made[DEGREE + 1 :]) else (a[0] or b[0], tuple(made[: DEGREE + 1]))


def _alike(a: _Found, b: _Found) -> bool:
    """Whether both are made of one thing."""
    return None in (a[0], b[0]) or a[0] == b[0]
