"""Intervals of numbers, and what sums, products, powers and functions make of them.

Laws: [a, b] + [c, d] = [a + c, b + d]; a product lies between the least and the largest product of ends; σ lies in
[0, 1], tanh in [−1, 1], exp of what is not positive in [0, 1]. A quantity of which nothing is known has no ends.
"""

from __future__ import annotations

from typing import Any

import sympy

Range = tuple[Any, Any]
"""The least and the largest value, SymPy's numbers or ±∞."""

ZERO, ONE = sympy.Integer(0), sympy.Integer(1)
ANY: Range = (-sympy.oo, sympy.oo)
UNIT: Range = (ZERO, ONE)
SIGNED: Range = (-ONE, ONE)
POSITIVE: Range = (ZERO, sympy.oo)


def plus(a: Range, b: Range) -> Range:
    """The range of a sum."""
    return a[0] + b[0], a[1] + b[1]


def times(a: Range, b: Range) -> Range:
    """The range of a product; 0 · ∞ is 0, as no entry is infinite."""
    ends = [ZERO if ZERO in (x, y) else x * y for x in a for y in b]
    return min(ends), max(ends)


def largest(found: Range) -> Any:
    """The largest absolute value."""
    return max(abs(found[0]), abs(found[1]))


def least(found: Range) -> Any:
    """The least absolute value."""
    return ZERO if found[0] <= 0 <= found[1] else min(abs(found[0]), abs(found[1]))


def power(base: Range, exponent: int) -> Range:
    """The range of a whole power, wherever it has a value."""
    if exponent < 1:
        lo, hi = power(base, -exponent) if exponent else ANY
        return (1 / hi, 1 / lo if lo else sympy.oo) if lo >= 0 and hi > 0 else ANY
    ends = (base[0] ** exponent, base[1] ** exponent)
    if exponent % 2:
        return ends
    return least(base) ** exponent, max(ends)


def of_function(name: str, argument: Range) -> Range:
    """The range of a function over a range."""
    lo, hi = argument
    match name:
        case "tanh" | "sign":
            return (-ONE if lo < 0 else ZERO, ONE if hi > 0 else ZERO)
        case "sin" | "cos":
            return SIGNED
        case "sigmoid" | "step":
            return UNIT
        case "relu":
            return max(lo, ZERO), max(hi, ZERO)
        case "abs":
            return least(argument), largest(argument)
        case "exp":
            return (ONE if lo >= 0 else ZERO, ONE if hi <= 0 else sympy.oo)
        case "sqrt":
            return (ONE if lo >= 1 else ZERO, ONE if hi <= 1 else sympy.oo)
        case "softplus":
            return ZERO, sympy.oo
        case _:
            return ANY
