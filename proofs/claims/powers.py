"""Bounds as a factor times a power, whose exponent is a number of steps, and when one is at most another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from proofs.claims.syntax import Index
from proofs.untyped import sympy

ONE = sympy.Integer(1)
NO_STEPS = Index()


class NoBoundError(Exception):
    """No law bounds this."""


@dataclass(frozen=True, slots=True)
class Bound:
    """``factor · base ** steps``, where steps has no whole number of its own beyond what is negative."""

    factor: Any
    base: Any = ONE
    steps: Index = NO_STEPS

    def times(self, other: Bound) -> Bound:
        """The product.

        Raises:
            NoBoundError: the numbers of steps differ.
        """
        factor = self.factor * other.factor
        if NO_STEPS in (self.steps, other.steps):
            powered = other if self.steps == NO_STEPS else self
            return Bound(factor, powered.base, powered.steps)
        if self.steps != other.steps:
            raise NoBoundError
        return Bound(factor, self.base * other.base, self.steps)

    def plain(self) -> Any:
        """The factor alone.

        Raises:
            NoBoundError: there is a power.
        """
        if self.steps != NO_STEPS:
            raise NoBoundError
        return self.factor

    def at_most(self, other: Bound) -> bool:
        """Whether it is at most another bound, where its own number of steps is not negative."""
        if not at_most(self.factor, other.factor):
            return False
        if self.steps == other.steps:
            return at_most(self.base, other.base)
        return other.steps == NO_STEPS and at_most(self.base, ONE)

    def __str__(self) -> str:
        if self.steps == NO_STEPS:
            return str(self.factor)
        return str(self.base) if self.factor == 1 else f"{self.base}, beside a factor {self.factor}"


def to_steps(base: Any, steps: Index) -> Bound:
    """base ** steps.

    Raises:
        NoBoundError: the number of steps is negative.
    """
    if not steps.terms and steps.constant < 0:
        raise NoBoundError
    if base == 1:
        return Bound(ONE)
    whole = max(steps.constant, 0)
    rest = Index(steps.terms, steps.constant - whole)
    return Bound(base**whole, base, rest) if rest != NO_STEPS else Bound(base**whole)


def at_most(a: Any, b: Any) -> bool:
    """a ≤ b for all non-negative values of their symbols, where no term of the difference can be negative."""
    terms = sympy.Add.make_args(sympy.expand(b - a))
    return all(term.is_nonnegative is True for term in terms)
