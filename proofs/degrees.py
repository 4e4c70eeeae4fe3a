"""How likely a wrong equation is to hold at a random point: the degree, over the prime.

A polynomial of degree d ≠ 0 vanishes at a uniform random point of a field of p elements with probability
at most d/p (Schwartz 1980; Zippel 1979; DeMillo and Lipton 1978). Generators and reciprocals count as
indeterminates of degree 1. A reciprocal 1/q is then eliminated by multiplying with a power of q: where all
reciprocals that do not depend on one another (a level) have denominators of degrees e₁, e₂, …, this turns
a degree d into at most d (1 + Σ eᵢ); levels are eliminated one after the other. Degrees are whole numbers
without a largest: two hundred squares of squares have degree 2²⁰⁰, at which no prime of 127 bits decides anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from proofs.arithmetic import Array, ArrayArithmetic, logsumexp_by_exp, softmax_by_exp
from proofs.field import MERSENNE_PRIMES

ENOUGH = 1e-12
"""An error bound that a verdict must reach; a larger prime is taken where a small one does not."""


@dataclass(slots=True)
class Log:
    """What an evaluation asked for.

    Args:
        reciprocals: the value (degree or level) of every denominator, one array per call.
        arguments: the value of every function's argument, one array per call.
    """

    reciprocals: list[Array] = field(default_factory=list[Array])
    arguments: list[Array] = field(default_factory=list[Array])


class Bounds(ArrayArithmetic):
    """Values are Python's integers: bounds on degrees, or (``levels``) on how deep reciprocals are nested.

    Args:
        levels: whether to compute levels.
    """

    def __init__(self, *, levels: bool = False) -> None:
        self.levels = levels
        self.log = Log()

    def number(self, c: Any) -> Array:
        """Degree 0."""
        return np.zeros((1, 1), dtype=object)

    def full(self, shape: tuple[int, int], c: int) -> Array:
        """Degree 0."""
        return np.zeros(shape, dtype=object)

    def identity(self, n: int) -> Array:
        """Degree 0."""
        return np.zeros((n, n), dtype=object)

    def leaf(self, shape: tuple[int, ...], degree: int = 1) -> Array:
        """Indeterminates."""
        return np.full(shape, 0 if self.levels else degree, dtype=object)

    def random(self, shape: tuple[int, ...]) -> Array:
        """Indeterminates, where a field would draw numbers."""
        return self.leaf(shape)

    def add(self, a: Array, b: Array) -> Array:
        """deg(a + b) ≤ max"""
        return np.maximum(a, b)

    def mul(self, a: Array, b: Array) -> Array:
        """deg(a b) = deg a + deg b"""
        return np.maximum(a, b) if self.levels else a + b

    def matmul(self, a: Array, b: Array) -> Array:
        """The largest degree among the products."""
        return self.mul(a[..., :, :, None], b[..., None, :, :]).max(axis=-2)

    def total(self, a: Array) -> Array:
        """The largest degree."""
        return a.max(axis=(-1, -2), keepdims=True)

    def power(self, a: Array, k: int) -> Array:
        """k deg a; a reciprocal is a new indeterminate."""
        if k < 0:
            self.log.reciprocals.append(a)
            return a + 1 if self.levels else np.full_like(a, -k)
        return a if self.levels else k * a

    def function(self, name: str, a: Array) -> Array:
        """A generator; relu and abs are a generator times their argument."""
        self.log.arguments.append(a)
        if name in ("relu", "abs"):
            return a if self.levels else a + 1
        return np.full_like(a, 0 if self.levels else 1)

    def softmax(self, a: Array) -> Array:
        """exp(a) / Σ exp(a)"""
        return softmax_by_exp(self, a, a.shape[-2:])

    def logsumexp(self, a: Array) -> Array:
        """log Σ exp(a) by the operations above."""
        return logsumexp_by_exp(self, a)


def elimination_factor(degrees: Log, levels: Log, samples: int) -> int:
    """By how much eliminating every reciprocal can multiply a degree."""
    by_level: dict[int, int] = defaultdict(int)
    for degree, level in zip(degrees.reciprocals, levels.reciprocals, strict=True):
        by_level[int(level.max(initial=0))] += samples * int(degree.sum())
    factor = 1
    for whole in by_level.values():
        factor *= 1 + whole
    return factor


@dataclass(frozen=True, slots=True)
class Degrees:
    """What the identities at one point ask of a prime.

    Args:
        degree: bound on the degree of the identities, denominators cleared.
        arguments: number of pairs of function arguments, whose accidental equality would tie two generators.
        argument_degree: bound on the degree of such an argument, denominators cleared.
    """

    degree: int
    arguments: int
    argument_degree: int


def degrees_of(largest: Callable[[Bounds], int], samples: int = 1) -> Degrees:
    """The degrees of what is compared at one point.

    Args:
        largest: the comparison run over bounds instead of numbers; the largest among all that is compared.
        samples: by how many samples of a real run each of its values stands for.
    """
    degrees, levels = Bounds(), Bounds(levels=True)
    degree = largest(degrees)
    largest(levels)
    factor = elimination_factor(degrees.log, levels.log, samples)
    arguments = degrees.log.arguments
    top = max((int(a.max(initial=0)) for a in arguments), default=0)
    return Degrees(degree * factor, samples * sum(a.size for a in arguments), top * factor)


def bound_for(points: Iterable[Degrees], primes: Sequence[int] = MERSENNE_PRIMES) -> ErrorBound:
    """The error bound over the smallest of the primes that decides; over the largest if none does.

    Args:
        points: the degrees at every point.
        primes: to choose from, in their order.
    """
    found = list(points)
    degree, arguments, argument_degree = (
        max((getattr(point, name) for point in found), default=0)
        for name in ("degree", "arguments", "argument_degree")
    )
    bounds = [ErrorBound(degree, arguments, argument_degree, p, len(found)) for p in primes]
    return next((bound for bound in bounds if bound.decides), bounds[-1])


@dataclass(frozen=True, slots=True)
class ErrorBound(Degrees):
    """The probability that a wrong equation holds at every random point.

    Args:
        degree, arguments, argument_degree: the worst of all points.
        prime: p.
        repeats: number of independent points.
    """

    prime: int
    repeats: int

    @property
    def once(self) -> float:
        """Bound for one point; the factor 2 pays for points drawn again because a denominator vanished there."""
        pairs = self.arguments * (self.arguments - 1) // 2
        worst = 2 * (self.degree + pairs * self.argument_degree)
        return worst / self.prime if worst < self.prime else 1.0

    @property
    def total(self) -> float:
        """Bound for all points together."""
        return self.once**self.repeats

    @property
    def decides(self) -> bool:
        """Whether equality at the points says enough: the bound reaches ``ENOUGH``."""
        return self.total <= ENOUGH

    @property
    def undecided(self) -> tuple[str, ...]:
        """Why equality at the points says too little, and what to do; nothing where it says enough."""
        if self.decides:
            return ()
        told = (
            f"undecided: {self.over} is too large, a wrong equation passes with a probability of up to "
            f"{self.total:.0e}; at most {ENOUGH:.0e} is accepted. Multiply fewer results of products and powers"
        )
        return (told,)

    @property
    def note(self) -> str:
        """The bound in a sentence."""
        return f"probability that a wrong equation passes {self}"

    @property
    def over(self) -> str:
        """The degree and the prime, in words."""
        return f"degree {_rounded(self.degree)} over a prime of {self.prime.bit_length()} bits"

    def __str__(self) -> str:
        return f"≤ {self.total:.0e} ({self.over}, {self.repeats} points)"


def _rounded(degree: int) -> str:
    """To three digits; beyond what a float holds, as a power of two."""
    return f"{degree:.3g}" if degree.bit_length() <= 1000 else f"2^{degree.bit_length() - 1}"
