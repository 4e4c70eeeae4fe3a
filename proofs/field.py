"""Exact arithmetic modulo a prime, with activations as generators.

An activation's value is a random element of the field, the same for equal arguments. Its derivative is then a
polynomial in generators (tanh′ = 1 − a², σ′ = s (1 − s)), and an equality of gradients is an identity of rational
functions over the field. A kinked function keeps what its branches share: relu(a) = s a and abs(a) = (2s − 1) a with
s = step(a) an indeterminate of its own, so that an identity that holds here holds on every branch.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

import numpy as np

from derive.functions import FUNCTIONS
from proofs.arithmetic import Array, ArrayArithmetic, logsumexp_by_exp, softmax_by_exp

MERSENNE_PRIMES = tuple(2**e - 1 for e in (61, 127, 521, 1279, 4423))


Found = TypeVar("Found")


class SingularPointError(ArithmeticError):
    """A denominator vanishes at the random point: another point must be drawn."""


def regular(make: Callable[[int], Found], rng: Random, attempts: int = 8) -> Found:
    """What is made of a random seed, drawn again where a denominator vanishes.

    Args:
        make: of a seed.
        rng: of the seeds.
        attempts: how many are drawn at most.

    Raises:
        SingularPointError: a denominator vanishes at all of them.
    """
    for _ in range(attempts - 1):
        try:
            return make(rng.randrange(2**63))
        except SingularPointError:
            continue
    return make(rng.randrange(2**63))


class PrimeField(ArrayArithmetic):
    """The integers modulo a prime p, as arrays of Python integers.

    Args:
        prime: p.
        seed: of the generators' values and of everything drawn at random.
    """

    def __init__(self, prime: int, seed: int) -> None:
        self.prime = prime
        self._draw = Random(seed)  # noqa: S311 - a proof by random evaluation keeps no secret
        self._generators: dict[tuple[str, int], int] = {}
        self._branched: dict[str, Callable[[int], int]] = {
            "relu": self._relu,
            "abs": self._abs,
            "step": self._step,
            "sign": self._sign,
        }

    def random(self, shape: tuple[int, ...]) -> Array:
        """Independent uniform entries."""
        count = int(np.prod(shape, dtype=int))
        return self._array([self._draw.randrange(self.prime) for _ in range(count)], shape)

    def number(self, c: Any) -> Array:
        """A rational number."""
        return self._array([int(c.p) * self._inverse(int(c.q)) % self.prime], (1, 1))

    def full(self, shape: tuple[int, int], c: int) -> Array:
        """0 or 1 in every entry."""
        return np.full(shape, c, dtype=object)

    def identity(self, n: int) -> Array:
        """The identity matrix."""
        return np.array([[int(i == j) for j in range(n)] for i in range(n)], dtype=object)

    def add(self, a: Array, b: Array) -> Array:
        """a + b"""
        return (a + b) % self.prime

    def mul(self, a: Array, b: Array) -> Array:
        """a ∘ b"""
        return a * b % self.prime

    def matmul(self, a: Array, b: Array) -> Array:
        """A B"""
        return (a @ b) % self.prime

    def total(self, a: Array) -> Array:
        """The sum of all entries."""
        return a.sum(axis=(-1, -2), keepdims=True) % self.prime

    def power(self, a: Array, k: int) -> Array:
        """Every entry raised to an integer.

        Raises:
            SingularPointError: k is negative and an entry is 0.
        """
        if k >= 0:
            return self._map(lambda v: pow(v, k, self.prime), a)
        return self._map(lambda v: pow(self._inverse(v), -k, self.prime), a)

    def function(self, name: str, a: Array) -> Array:
        """A generator for every distinct argument."""
        branched = self._branched.get(name)
        return self._map(branched or (lambda v: self._generator(name, v)), a)

    def softmax(self, a: Array) -> Array:
        """exp(a) / Σ exp(a), over exp's generators."""
        return softmax_by_exp(self, a, a.shape[-2:])

    def logsumexp(self, a: Array) -> Array:
        """log Σ exp(a) by the operations above."""
        return logsumexp_by_exp(self, a)

    def _generator(self, name: str, v: int) -> int:
        if (name, v) not in self._generators:
            if name not in FUNCTIONS:
                raise KeyError(f"{name} is no function of derive.functions")
            self._generators[name, v] = self._draw.randrange(self.prime)
        return self._generators[name, v]

    def _relu(self, v: int) -> int:
        """s a; the law relu′ = step(relu) finds s again by the value, whose sign is s too, as it is never negative."""
        s = self._step(v)
        value = s * v % self.prime
        self._known("sign", value, s)
        return self._known("step", value, s)

    def _known(self, name: str, v: int, generator: int) -> int:
        self._generators[name, v] = generator
        return v

    def _abs(self, v: int) -> int:
        return self._sign(v) * v % self.prime

    def _step(self, v: int) -> int:
        return self._generator("step", v) if v else 0

    def _sign(self, v: int) -> int:
        if not v or ("sign", v) in self._generators:
            return self._generators.get(("sign", v), 0)
        return (2 * self._generator("step", v) - 1) % self.prime

    def _inverse(self, v: int) -> int:
        if v % self.prime == 0:
            raise SingularPointError("a denominator vanishes at the random point")
        return pow(v, -1, self.prime)

    def _map(self, f: Callable[[int], int], a: Array) -> Array:
        return self._array([f(v) for v in a.ravel().tolist()], a.shape)

    def _array(self, values: list[int], shape: tuple[int, ...]) -> Array:
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array.reshape(shape)
