"""Sizes as sums of unknowns, and their unification.

A size is ``c + Σ kᵢ vᵢ`` with whole c ≥ 0, kᵢ ≥ 1 over unknowns vᵢ ≥ 1. Equations between sizes are solved by
elimination: an equation that reads ``v = size`` after cancelling determines v; one that does not (a + b = c + d)
waits until others have made it so. Nothing is guessed: what still waits at the end is reported.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import gcd
from typing import Generic, TypeVar

Reason = TypeVar("Reason")


@dataclass(frozen=True, slots=True)
class Unknown:
    """An unknown size; one with a name was declared and is equal to nothing but itself."""

    index: int
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """``constant + Σ factor · unknown``; the terms are in order of the unknowns, without zeros."""

    constant: int
    terms: tuple[tuple[Unknown, int], ...] = ()

    @property
    def single(self) -> Unknown | None:
        """The unknown v if the size is v itself."""
        return (
            self.terms[0][0]
            if self.constant == 0 and len(self.terms) == 1 and self.terms[0][1] == 1
            else None
        )

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """All unknowns in it."""
        return tuple(v for v, _ in self.terms)


ONE = Size(1)
FIXED = 1 << 8
"""The flag of a size that is the same in every run."""
VARYING = 1 << 9
"""The flag of one that is not: no fixed size contains it."""


def combine(parts: Iterable[tuple[int, Size]]) -> Size:
    """``Σ factor · size``."""
    constant, terms = 0, {}
    for factor, size in parts:
        constant += factor * size.constant
        for v, k in size.terms:
            terms[v] = terms.get(v, 0) + factor * k
    kept = sorted(((v, k) for v, k in terms.items() if k), key=lambda term: term[0].index)
    return Size(constant, tuple(kept))


class Contradiction(Exception):  # noqa: N818 - it is caught and turned into a ShapeError with places
    """Two sizes that would have to be equal and cannot: a, b and the reason why they would have to be."""

    def __init__(self, a: Size, b: Size, reason: object) -> None:
        super().__init__()
        self.a, self.b, self.reason = a, b, reason


class _Impossible(Exception):  # noqa: N818 - a signal within this file
    """An equation without a solution."""


@dataclass(slots=True)
class Dimensions(Generic[Reason]):
    """The unknowns, what is known of them, and why."""

    count: int = 0
    links: dict[Unknown, list[tuple[Size, Size, Reason]]] = field(default_factory=dict)
    solved: dict[Unknown, Size] = field(default_factory=dict)
    waiting: list[tuple[Size, Size, Reason]] = field(default_factory=list)
    flags: dict[Unknown, int] = field(default_factory=dict)
    weight: dict[Unknown, int] = field(default_factory=dict)
    named: dict[str, Unknown] = field(default_factory=dict)

    def new(self, flags: int = 0) -> Size:
        """A fresh unknown; flags say what it is the size of, and are passed on when it is solved."""
        v = Unknown(self.count)
        self.count += 1
        self.flags[v] = flags
        return Size(0, ((v, 1),))

    def mark(self, size: Size, flags: int) -> None:
        """Say more of what a size is the size of."""
        for v in self.resolve(size).unknowns:
            self.flags[v] |= flags

    def declared(self, name: str) -> Size:
        """The unknown of this name."""
        if name not in self.named:
            self.named[name] = Unknown(self.count, name)
            self.flags[self.named[name]] = 0
            self.count += 1
        return Size(0, ((self.named[name], 1),))

    def resolve(self, size: Size) -> Size:
        """The size with everything known put in."""
        size = self._followed(size)
        while any(v in self.solved for v in size.unknowns):
            parts = [(k, self._followed(Size(0, ((v, 1),)))) for v, k in size.terms]
            size = combine([(1, Size(size.constant)), *parts])
        return size

    def _followed(self, size: Size) -> Size:
        """Where a chain of equal unknowns ends; the chain is shortened on the way."""
        path: list[Unknown] = []
        while (v := size.single) is not None and v in self.solved:
            path.append(v)
            size = self.solved[v]
        for v in path[:-1]:
            self.solved[v] = size
        return size

    def equate(self, a: Size, b: Size, reason: Reason) -> None:
        """Demand a = b.

        Raises:
            Contradiction: it cannot be.
        """
        try:
            settled = self._solve(self.resolve(a), self.resolve(b))
        except _Impossible:
            raise Contradiction(a, b, reason) from None
        if not settled:
            self.waiting.append((a, b, reason))
        for v in (*a.unknowns, *b.unknowns):
            self.links.setdefault(v, []).append((a, b, reason))

    def settle(self) -> None:
        """Try the waiting equations again until nothing more follows.

        Raises:
            Contradiction: one cannot hold.
        """
        before = -1
        while len(self.waiting) != before:
            before = len(self.waiting)
            tried, self.waiting = self.waiting, []
            for a, b, reason in tried:
                self.equate(a, b, reason)

    def _solve(self, a: Size, b: Size) -> bool:
        """Whether a = b is settled, by elimination if need be."""
        difference = _reduced(combine([(1, a), (-1, b)]))
        if not difference.terms:
            if difference.constant:
                raise _Impossible
            return True
        if not _can_vanish(difference) or all(v.name for v in difference.unknowns):
            raise _Impossible
        for v, k in sorted(difference.terms, key=lambda term: self.weight.get(term[0], 1)):
            if v.name is None and abs(k) == 1:
                value = combine([(-k, difference), (1, Size(0, ((v, 1),)))])
                if value.constant >= 0 and all(c > 0 for _, c in value.terms):
                    if self.flags[v] & FIXED and self.flags_of(value) & VARYING:
                        raise _Impossible
                    self._bind(v, value)
                    return True
        return False

    def _bind(self, v: Unknown, value: Size) -> None:
        self.solved[v] = value
        for u in value.unknowns:
            self.flags[u] |= self.flags[v]
            self.weight[u] = self.weight.get(u, 1) + self.weight.get(v, 1)

    def reasons(self, v: Unknown) -> list[Reason]:
        """Why the unknown has its size: the demands along which it was passed on, nearest first."""
        found: list[Reason] = []
        queue, seen = deque([v]), {v}
        while queue:
            for a, b, reason in self.links.get(queue.popleft(), ()):
                found.append(reason)
                ends = (a.single, b.single)
                new = [u for u in ends if u and u.name is None and u not in seen]
                if all(ends):
                    seen.update(new)
                    queue.extend(new)
        return found

    def flags_of(self, size: Size) -> int:
        """All flags of the unknowns in a resolved size."""
        flags = 0
        for v in size.unknowns:
            flags |= self.flags[v]
        return flags


def _reduced(size: Size) -> Size:
    """Divided by the common factor; a remainder that no whole numbers can fill contradicts.

    Raises:
        _Impossible: the constant is not divisible by the factors' common divisor.
    """
    common = gcd(*(k for _, k in size.terms))
    if common <= 1:
        return size
    if size.constant % common:
        raise _Impossible
    return Size(size.constant // common, tuple((v, k // common) for v, k in size.terms))


def _can_vanish(size: Size) -> bool:
    """Whether real unknowns ≥ 1 exist with size = 0."""
    factors = [k for _, k in size.terms]
    least = size.constant + sum(factors)
    return (least <= 0 or min(factors) < 0) and (least >= 0 or max(factors) > 0)
