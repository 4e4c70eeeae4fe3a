"""Expressions with one mistake in them: every way in which an author gets one line of a derivation wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sympy import S
from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Transpose,
)

from derive.cell import Cell
from derive.expressions import (
    LEAVES,
    Adjoint,
    Elementwise,
    LossGradient,
    Rows,
    Timed,
    Total,
    add,
    hadamard,
    is_scalar,
    matmul,
    negate,
    operands,
    power,
    scale,
    split_coefficient,
    terms,
    transpose,
    with_operands,
    zeros_like,
)


@dataclass(frozen=True, slots=True)
class Change:
    """One mistake.

    Args:
        kind: the sort of mistake.
        expr: the expression with the mistake in it.
        before: the part that was changed.
        after: what stands in its place.
    """

    kind: str
    expr: Any
    before: Any
    after: Any


class Mistakes:
    """Makes mistakes in the expressions of one cell.

    Args:
        cell: its quantities are what a name can be confused with.
        intermediates: names and shapes of the intermediates that the normal form added.
    """

    def __init__(self, cell: Cell, intermediates: tuple[Timed, ...] = ()) -> None:
        self.states = {q.name for q in cell.states}
        self.depth = {q.name: q.depth for q in cell.quantities}
        timed = [q.symbol for q in cell.quantities if isinstance(q.symbol, Timed)]
        known = {v.name for v in timed}
        self.timed = [*timed, *(v for v in intermediates if v.name not in known)]
        self.matrices = [q.symbol for q in cell.quantities if isinstance(q.symbol, MatrixSymbol)]

    def of(self, expr: Any) -> Iterator[Change]:
        """Every expression that differs by one mistake and has the same shape."""
        if not terms(expr):
            return
        yield Change("sign", negate(expr), expr, negate(expr))
        if len(terms(expr)) == 1 and not isinstance(expr, LEAVES):
            yield Change("dropped term", zeros_like(expr), expr, zeros_like(expr))
        for part, rebuild in _parts(expr):
            for kind, wrong in self._here(part):
                if wrong.shape != part.shape or wrong == part:
                    continue
                whole = rebuild(wrong)
                if whole != expr and whole.shape == expr.shape:
                    yield Change(kind, whole, part, wrong)

    def _here(self, part: Any) -> Iterator[tuple[str, Any]]:
        """The mistakes at one node."""
        if isinstance(part, LEAVES):
            yield from self._leaf(part)
        elif isinstance(part, MatAdd):
            yield from _sum(part)
        elif isinstance(part, MatMul):
            yield from _product(part)
        elif isinstance(part, HadamardProduct):
            parts = operands(part)
            for i in range(len(parts)):
                yield "dropped factor", hadamard(*parts[:i], *parts[i + 1 :])
        elif isinstance(part, HadamardPower):
            base, k = part.args[0], int(part.args[1])
            yield "wrong power", power(base, k - 1)
            yield "wrong power", power(base, k + 1)
        elif isinstance(part, Transpose):
            yield "transpose", part.arg
        elif isinstance(part, Elementwise):
            yield "dropped factor", operands(part)[0]
        elif isinstance(part, Rows):
            size = part.stop - part.start
            whole = operands(part)[0].shape[0]
            other = S.Zero if part.start != 0 else whole - size
            yield "swapped operands", Rows(operands(part)[0], other, other + size)
        elif isinstance(part, Total) and operands(part)[0].shape[1] == 1:
            yield "lost sum", Rows(operands(part)[0], S.Zero, S.One)

    def _leaf(self, leaf: Any) -> Iterator[tuple[str, Any]]:
        """A name confused with another, or read at another step."""
        if isinstance(leaf, Timed):
            yield from ((kind, v) for kind, v in self._other_times(leaf))
            yield from (
                (self._confusion(leaf, v), v.at(leaf.lag)) for v in self._siblings(leaf, self.timed)
            )
        elif isinstance(leaf, Adjoint) and isinstance(leaf.of, Timed):
            yield from (("time index", leaf.at(leaf.lag + d)) for d in (-1, 1))
            yield "lost path", LossGradient(leaf.of)
            yield "lost path", zeros_like(leaf)
            for v in self._siblings(leaf.of, self.timed):
                yield self._confusion(leaf.of, v), Adjoint(v.at(leaf.lag))
        elif isinstance(leaf, LossGradient):
            yield "lost path", zeros_like(leaf)
            yield "factor", scale(S(2), leaf)
        elif isinstance(leaf, MatrixSymbol):
            if leaf.shape[0] == leaf.shape[1] and not is_scalar(leaf):
                yield "transpose", transpose(leaf)
            yield from (("wrong gate", v) for v in self._siblings(leaf, self.matrices))

    def _other_times(self, leaf: Timed) -> Iterator[tuple[str, Any]]:
        """t − 1 and t + 1 in place of t, as far as there are such values."""
        for lag in (leaf.lag - 1, leaf.lag + 1):
            if lag <= self.depth.get(leaf.name, 0) or leaf.lag < 0:
                yield "time index", leaf.at(lag)

    def _siblings(self, leaf: Any, among: list[Any], most: int = 2) -> list[Any]:
        """The next names of the same shape."""
        same = [v for v in among if v.shape == leaf.shape]
        names = [v.name for v in same]
        start = names.index(leaf.name) if leaf.name in names else -1
        around = [*same[start + 1 :], *same[: max(start, 0)]]
        return around[:most]

    def _confusion(self, a: Any, b: Any) -> str:
        both = {a.name, b.name}
        if both <= self.states:
            return "swapped states"
        return "wrong point" if a.name.startswith("a_") != b.name.startswith("a_") else "wrong gate"


def _sum(node: Any) -> Iterator[tuple[str, Any]]:
    parts = terms(node)
    for i, term in enumerate(parts):
        yield "dropped term", add(*parts[:i], *parts[i + 1 :])
        yield "sign", add(*parts[:i], negate(term), *parts[i + 1 :])


def _product(node: Any) -> Iterator[tuple[str, Any]]:
    c, parts = split_coefficient(node)[0], list(operands(node))
    if c != 1:
        yield "factor", scale(S.One / c, node)
    for i, a in enumerate(parts):
        if not is_scalar(a) and a.shape[0] == a.shape[1]:
            yield "transpose", scale(c, matmul(*parts[:i], transpose(a), *parts[i + 1 :]))
            if len(parts) > 1:
                yield "dropped factor", scale(c, matmul(*parts[:i], *parts[i + 1 :]))
    for i in range(len(parts) - 1):
        a, b = parts[i], parts[i + 1]
        if a.shape[0] == b.shape[1] and a.shape == (b.shape[1], b.shape[0]):
            yield "order", scale(c, _if_fitting([*parts[:i], b, a, *parts[i + 2 :]], node))
            turned = [*parts[:i], transpose(b), transpose(a), *parts[i + 2 :]]
            yield "swapped operands", scale(c, _if_fitting(turned, node))


def _if_fitting(parts: list[Any], otherwise: Any) -> Any:
    """The product, if its shapes fit."""
    fits = all(a.shape[1] == b.shape[0] for a, b in pairwise(parts))
    return matmul(*parts) if fits else otherwise


def _parts(expr: Any) -> Iterator[tuple[Any, Any]]:
    """Every node, and how to rebuild the whole around something in its place."""
    stack: list[tuple[Any, Any]] = [(expr, lambda v: v)]
    while stack:
        node, rebuild = stack.pop()
        yield node, rebuild
        children = operands(node)
        for i, child in reversed(list(enumerate(children))):
            stack.append((child, _around(node, children, i, rebuild)))


def _around(node: Any, children: tuple[Any, ...], i: int, outer: Any) -> Any:
    return lambda v: outer(with_operands(node, [*children[:i], v, *children[i + 1 :]]))
