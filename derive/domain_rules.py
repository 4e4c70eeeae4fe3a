"""Demands on expressions, s · a > c entry by entry, and what must be demanded of operands so that they hold.

One rule per node. A rule that asks more than it must says so: a product is positive where both factors are, and where
both are negative, too. Ends of intervals count as open: nothing but relu reaches its own on more than a null set.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    Identity,
    MatAdd,
    MatMul,
    OneMatrix,
    Transpose,
    ZeroMatrix,
)

from derive.expressions import operands, split_coefficient
from derive.intervals import ANY, ONE, POSITIVE, UNIT, ZERO, Range, of_function, plus, power, times
from derive.nodes import Broadcast, Concat, Elementwise, LogSumExp, Rows, Softmax, Total


@dataclass(frozen=True, slots=True)
class Demand:
    """s · a > c for every entry of a.

    Args:
        sign: s, 1 or −1.
        bound: c.
        needed: whether it cannot do with less.
    """

    sign: int
    bound: float
    needed: bool = True

    def met_by(self, found: Range) -> bool:
        """Whether it holds in a whole interval."""
        return self.least(found) >= self.bound

    def least(self, found: Range) -> float:
        """The lower end of s · a, for a in an interval."""
        return float(found[0] if self.sign > 0 else -found[1])


RangeOf = Callable[[Any], Range]
Wishes = list[tuple[Any, Demand]]
POSITIVELY = Demand(1, 0.0)

LARGEST = 700.0
"""Beyond it exp is no number of double precision."""
INVERSES: dict[str, tuple[float, float, Callable[[float], float]]] = {
    "tanh": (-1.0, 1.0, math.atanh),
    "sigmoid": (0.0, 1.0, lambda y: math.log(y / (1 - y))),
    "exp": (0.0, math.inf, math.log),
    "softplus": (0.0, math.inf, lambda y: y + math.log(-math.expm1(-y))),
    "relu": (0.0, math.inf, lambda y: y),
    "log": (-math.inf, math.inf, lambda y: math.exp(y) if y < LARGEST else math.inf),
    "sqrt": (0.0, math.inf, lambda y: y * y),
}
"""The values of every function that grows, and its inverse."""


def wishes(expr: Any, demand: Demand, range_of: RangeOf) -> Wishes | None:
    """What to demand of operands so that a demand holds; ``None`` if no rule knows how.

    Args:
        expr: an expression that is no leaf.
        demand: of its entries.
        range_of: the interval in which the entries of an expression lie.
    """
    touches = isinstance(expr, Elementwise) and expr.function == "relu" and demand.bound == 0
    if demand.met_by(range_of(expr)) and not touches:
        return []
    c, core = split_coefficient(expr)
    parts = operands(core)
    if c != 1:
        return _of_multiple(c, core, demand)
    match core:
        case MatAdd():
            return _of_sum(parts, demand, range_of)
        case HadamardProduct() | MatMul():
            return _of_product(parts, demand, range_of)
        case HadamardPower():
            return _of_power(parts[0], int(core.args[1]), demand)
        case Elementwise():
            return _of_function(core.function, parts[0], demand)
        case Total():
            return [(parts[0], replace(demand, bound=max(demand.bound, 0.0), needed=False))]
        case LogSumExp() if demand.sign > 0:
            return [(parts[0], replace(demand, needed=False))]
        case Transpose() | Broadcast() | Concat() | Rows():
            return [(part, demand) for part in parts]
        case _:
            return None


def _of_multiple(c: Any, core: Any, demand: Demand) -> Wishes | None:
    """Of c a for a number c; a factor such as 1/n is only known to be positive."""
    if c.is_number:
        sign = demand.sign if c > 0 else -demand.sign
        return [(core, replace(demand, sign=sign, bound=demand.bound / float(abs(c))))]
    return [(core, replace(demand, bound=0.0))] if demand.bound <= 0 else None


def _of_sum(parts: Any, demand: Demand, range_of: RangeOf) -> Wishes | None:
    """What the rest of a sum leaves to its free parts, which share it alike; a rest that varies may leave more."""
    ranges = [range_of(part) for part in parts]
    lows = [demand.least(found) for found in ranges]
    free = [i for i, low in enumerate(lows) if low == -math.inf]
    if not free:
        vary = [i for i, (low, high) in enumerate(ranges) if low != high]
        free = [i for i in vary if lows[i] < 0] or vary
    if not free:
        return None
    left = demand.bound - sum((low for i, low in enumerate(lows) if i not in free), 0.0)
    settled = all(low == high for i, (low, high) in enumerate(ranges) if i not in free)
    needed = demand.needed and len(free) == 1 and settled
    share = replace(demand, bound=left / len(free), needed=needed)
    return [(parts[i], share) for i in free]


def _of_product(parts: Any, demand: Demand, range_of: RangeOf) -> Wishes | None:
    """Signs of factors; all that are free are made positive, but one if the sign asks for it."""
    if demand.bound > 0:
        return None
    signs = [1 if low >= 0 else -1 if high <= 0 else 0 for low, high in map(range_of, parts)]
    free = [part for part, sign in zip(parts, signs, strict=True) if sign == 0]
    sign = reduce(lambda a, b: a * (b or 1), signs, demand.sign)
    if not free:
        return [] if sign > 0 else None
    needed = demand.needed and len(free) == 1 and demand.bound == 0
    return [(part, Demand(1 if i else sign, 0.0, needed)) for i, part in enumerate(free)]


def _of_power(base: Any, exponent: int, demand: Demand) -> Wishes | None:
    """aᵏ > c, or aᵏ < −c."""
    k, c, some = abs(exponent), demand.bound, replace(demand, needed=False)
    if exponent < 0:
        return _of_quotient(base, k, demand)
    if k % 2:
        return [(base, replace(demand, bound=math.copysign(abs(c) ** (1 / k), c)))]
    if demand.sign > 0:
        return [(base, replace(some, bound=c ** (1 / k)))]
    return _between(base, (-c) ** (1 / k), demand.needed) if c < 0 else None


def _of_quotient(base: Any, k: int, demand: Demand) -> Wishes | None:
    """a⁻ᵏ > c, or a⁻ᵏ < −c."""
    c = demand.bound
    if demand.sign < 0 and c < 0:
        return [(base, Demand(1, (-c) ** (-1 / k), needed=False))]
    if demand.sign < 0:
        return [(base, demand)] if c == 0 and k % 2 else None
    below = [(base, Demand(-1, -(c ** (-1 / k)), needed=False))] if c > 0 else []
    return [(base, replace(demand, bound=0.0)), *below]


def _between(part: Any, size: float, needed: bool) -> Wishes:
    """|a| < size"""
    return [(part, Demand(sign, -size, needed)) for sign in (1, -1)]


def _of_function(name: str, argument: Any, demand: Demand) -> Wishes | None:
    """f(a) > c, or f(a) < −c, for a function that grows, and for the absolute value."""
    c, value = demand.bound, demand.sign * demand.bound
    if name == "abs":
        if demand.sign > 0:
            return [(argument, replace(demand, needed=False))]
        return _between(argument, -c, demand.needed) if c < 0 else None
    if name not in INVERSES:
        return None
    low, high, inverse = INVERSES[name]
    if demand.sign > 0 and value == low and name in ("relu", "sqrt"):
        return [(argument, replace(demand, bound=0.0))]
    if not low < value < high:
        return None
    return [(argument, replace(demand, bound=demand.sign * inverse(value)))]


FIXED: dict[Any, Range] = {
    OneMatrix: (ONE, ONE),
    ZeroMatrix: (ZERO, ZERO),
    Identity: UNIT,
    Softmax: UNIT,
}
"""The intervals of nodes that are the same whatever their operands are."""


def range_of(expr: Any, of_part: RangeOf) -> Range:
    """The interval in which all entries of an expression lie, by those of its operands; nothing is known of leaves.

    Args:
        expr: the expression.
        of_part: the interval of an operand.
    """
    c, core = split_coefficient(expr)
    if c != 1:
        factor = (c, c) if c.is_number else POSITIVE
        return times(factor, of_part(core))
    if type(core) in FIXED:
        return FIXED[type(core)]
    ranges = [of_part(part) for part in operands(core)]
    match core:
        case MatAdd():
            return reduce(plus, ranges)
        case HadamardProduct():
            return reduce(times, ranges)
        case HadamardPower():
            return power(ranges[0], int(core.args[1]))
        case Elementwise():
            return of_function(core.function, ranges[0])
        case MatMul():
            return _of_many(reduce(times, ranges))
        case Total():
            return _of_many(ranges[0])
        case Concat():
            return min(low for low, _ in ranges), max(high for _, high in ranges)
        case LogSumExp():
            return ranges[0][0], ANY[1]
        case Transpose() | Broadcast() | Rows():
            return ranges[0]
        case _:
            return ANY


def _of_many(term: Range) -> Range:
    """The range of a sum of one or more terms."""
    low, high = term
    return (low if low >= 0 else ANY[0], high if high <= 0 else ANY[1])
