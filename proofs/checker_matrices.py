"""Matrix expressions of symbolic size: what they mean entry by entry, and how they change along a direction.

It needs Python's standard library and ``checker_sums`` only.

    expr ::= ["value", name, lag]                    a quantity at step t − lag; lag null: without a time index
           | ["dot" | "bar" | "loss", name, lag]     its direction, its adjoint, the loss's derivative by it
           | ["ones" | "zeros", r, c] | ["number", "1/2"] | ["size", n]
           | ["+", a, b, …] | ["∘", a, b, …] | ["@", a, b, …] | ["concat", a, b, …] | ["*", scalar, a]
           | ["T", a] | ["rows", a, start, stop] | ["broadcast", scalar, r, c] | ["total", a]
           | ["f", name, a] | ["f", "^k", a] | ["softmax", a] | ["logsumexp", a]
           | ["f'", name, a, y]                      the derivative of f at a, where y = f(a)

A size is {"n": 1, "m": 2} for n + 2m, and {"": 1} for 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeGuard

from proofs.checker_sums import (
    ONE,
    SUMMED,
    UNIT,
    Index,
    Indices,
    Size,
    Sum,
    plus,
    size,
    summed,
    times,
)

Expr = list[Any]
LEAVES = ("value", "dot", "bar", "loss")
NOWHERE: Index = ((), None)


class RefusedError(ValueError):
    """Something does not hold; the message says what."""


def demand(holds: bool, reason: str) -> None:
    """Refuses unless ``holds``."""
    if not holds:
        raise RefusedError(reason)


def is_expression(a: object) -> TypeGuard[Expr]:
    """Whether an argument of a node is an operand, and not a name or a size."""
    return isinstance(a, list)


def operands(e: Expr) -> list[Expr]:
    """The operands that are expressions."""
    return [] if e[0] in LEAVES else [a for a in e[1:] if is_expression(a)]


def leaves(e: Expr) -> Iterator[Expr]:
    """Every quantity in the expression, with repetitions."""
    if e[0] in LEAVES:
        yield e
    for a in operands(e):
        yield from leaves(a)


def swap(e: Expr, leaf: Callable[[Expr], Expr]) -> Expr:
    """The expression with every quantity v replaced by ``leaf(v)``."""
    return leaf(e) if e[0] in LEAVES else [swap(a, leaf) if is_expression(a) else a for a in e]


def shifted(e: Expr, steps: int) -> Expr:
    """The expression with t replaced by t − steps."""
    return swap(e, lambda v: v if v[2] is None else [v[0], v[1], v[2] + steps])


def number(c: int | str) -> Expr:
    """A number."""
    return ["number", str(c)]


LAWS: dict[str, Callable[[Expr, Expr, Expr], Expr]] = {  # f′, from x, y = f(x), and ones
    "tanh": lambda x, y, one: ["+", one, ["*", number(-1), ["f", "^2", y]]],
    "sigmoid": lambda x, y, one: ["∘", y, ["+", one, ["*", number(-1), y]]],
    "relu": lambda x, y, one: ["f", "step", y],
    "softplus": lambda x, y, one: ["f", "sigmoid", x],
    "exp": lambda x, y, one: y,
    "log": lambda x, y, one: ["f", "^-1", x],
    "sin": lambda x, y, one: ["f", "cos", x],
    "cos": lambda x, y, one: ["*", number(-1), ["f", "sin", x]],
    "sqrt": lambda x, y, one: ["*", number("1/2"), ["f", "^-1", y]],
    "abs": lambda x, y, one: ["f", "sign", x],
    "φ": lambda x, y, one: ["f", "φ′", x],  # any function, in the proof of a rule
}


def law(f: str, x: Expr, y: Expr, one: Expr) -> Expr:
    """f′(x), entry by entry."""
    if f.startswith("^"):
        return ["*", number(int(f[1:])), ["f", f"^{int(f[1:]) - 1}", x]]
    demand(f in LAWS, f"no law for {f}")
    return LAWS[f](x, y, one)


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix by its entries: rows, columns, and entry (i, j) as a sum."""

    rows: Size
    cols: Size
    entry: Callable[[Index, Index], Sum]


class Matrices(Indices):
    """Matrix expressions over quantities of known shape; constants do not move.

    Args:
        shapes: name → [rows, columns].
        constants: the names whose direction is zero.
    """

    def __init__(self, shapes: dict[str, Any], constants: set[str]) -> None:
        super().__init__()
        self.shapes = {name: (size(r), size(c)) for name, (r, c) in shapes.items()}
        self.constants = constants

    def equal(self, a: Expr, b: Expr) -> bool:
        """Whether a = b, entry by entry."""
        p, q = self.matrix(a), self.matrix(b)
        i, j = self.index(p.rows, "i"), self.index(p.cols, "j")
        shapes = (p.rows, p.cols) == (q.rows, q.cols)
        return shapes and self.form(p.entry(i, j)) == self.form(q.entry(i, j))

    def inner(self, a: Expr, b: Expr) -> Sum:
        """⟨a, b⟩ = Σᵢⱼ aᵢⱼ bᵢⱼ"""
        return self.matrix(["total", ["∘", a, b]]).entry(NOWHERE, NOWHERE)

    def direction(self, e: Expr, y: Expr) -> Expr:
        """The derivative along every direction of y = e."""
        tag, own = e[0], operands(e)
        m = self.matrix(e)
        if tag == "value" and e[1] not in self.constants:
            return ["dot", *e[1:]]
        if tag in ("value", "ones", "zeros", "number", "size"):
            return ["zeros", dict(m.rows), dict(m.cols)]
        dots = [self.direction(a, a) for a in own]
        match tag:
            case "+" | "concat" | "T" | "total":
                return [tag, *dots]
            case "broadcast":
                return [tag, dots[0], *e[2:]]
            case "*":
                still = all(v[1] in self.constants for v in leaves(own[0]))
                demand(still, "a coefficient that moves")
                return [tag, own[0], dots[1]]
            case "∘" | "@":
                return ["+", *([tag, *own[:k], d, *own[k + 1 :]] for k, d in enumerate(dots))]
            case "f":
                return ["∘", dots[0], ["f'", e[1], own[0], y]]
            case "softmax":
                flow = ["∘", y, dots[0]]
                spread = ["broadcast", ["total", flow], dict(m.rows), dict(m.cols)]
                return ["+", flow, ["*", number(-1), ["∘", y, spread]]]
            case "logsumexp":
                return ["total", ["∘", ["softmax", own[0]], dots[0]]]
            case _:
                raise RefusedError(f"no tangent rule for {tag}")

    def matrix(self, e: Expr) -> Matrix:
        """The expression by its entries; refuses what has none."""
        match e:
            case [tag, str(name), lag] if tag in LEAVES:
                leaf = (tag, name, lag)
                rows, cols = self.shapes[name]
                return Matrix(rows, cols, lambda i, j: [(Fraction(1), ((leaf, (i, j), 1),))])
            case ["ones" | "zeros", r, c]:
                return Matrix(size(r), size(c), lambda i, j: UNIT if e[0] == "ones" else [])
            case ["number", str(c)]:
                return Matrix(ONE, ONE, lambda i, j: [(Fraction(c), ())])
            case ["size", d]:
                return Matrix(ONE, ONE, lambda i, j: [(Fraction(1), ((("size", size(d)), (), 1),))])
            case ["f'", str(f), a, y]:
                m = self.matrix(a)
                return self.matrix(law(f, a, y, ["ones", dict(m.rows), dict(m.cols)]))
            case ["f", f, ["concat", *parts]]:
                return self.matrix(["concat", *(["f", f, a] for a in parts)])
            case ["concat", *parts]:
                moving = any(v[0] == "dot" for v in leaves(e))
                return self.stack([self.matrix(a) for a in parts], moving)
            case _:
                return self.compound(e, [self.matrix(a) for a in operands(e)])

    def compound(self, e: Expr, own: list[Matrix]) -> Matrix:
        """A node over the matrices of its operands."""
        demand(bool(own), f"not an expression: {e[:1]}")
        a, b = own[0], own[-1]
        alike = all((m.rows, m.cols) == (a.rows, a.cols) for m in own)
        scalar = (a.rows, a.cols) == (ONE, ONE)
        match e:
            case ["+", *_] if alike:
                return Matrix(a.rows, a.cols, lambda i, j: [t for m in own for t in m.entry(i, j)])
            case ["∘", *_] if alike:
                return Matrix(a.rows, a.cols, lambda i, j: times(*(m.entry(i, j) for m in own)))
            case ["*", _, _] if scalar:
                scaled = Matrix(b.rows, b.cols, lambda i, j: a.entry(NOWHERE, NOWHERE))
                return self.compound(["∘", e[1], e[2]], [scaled, b])
            case ["@", *_] if all(p.cols == q.rows for p, q in pairwise(own)):
                return Matrix(a.rows, b.cols, lambda i, j: self.product(own, i, j))
            case ["T", _]:
                return Matrix(a.cols, a.rows, lambda i, j: a.entry(j, i))
            case ["rows", _, r, s]:
                start, stop = size(r), size(s)
                return Matrix(
                    plus(stop, start, -1),
                    a.cols,
                    lambda i, j: a.entry((plus(i[0], start), i[1]), j),
                )
            case ["broadcast", _, r, c] if scalar:
                return Matrix(size(r), size(c), lambda i, j: a.entry(NOWHERE, NOWHERE))
            case ["total", _]:
                return Matrix(ONE, ONE, lambda i, j: self.total(a))
            case ["f", str(f), _]:
                return Matrix(a.rows, a.cols, lambda i, j: self.function(f, a.entry(i, j)))
            case ["softmax", _] if a.cols == ONE:
                return Matrix(a.rows, a.cols, lambda i, j: self.whole("softmax", a, i))
            case ["logsumexp", _] if a.cols == ONE:
                return Matrix(ONE, ONE, lambda i, j: self.whole("logsumexp", a))
            case _:
                raise RefusedError(f"no such operation, or operands that do not fit: {e[0]}")

    def product(self, own: list[Matrix], i: Index, j: Index) -> Sum:
        """Σₖ Aᵢₖ Bₖⱼ, for any number of factors."""
        inner = [self.index(m.rows) for m in own[1:]]
        ends = zip(own, [i, *inner], [*inner, j], strict=True)
        return summed(times(*(m.entry(a, b) for m, a, b in ends)), *inner)

    def total(self, a: Matrix) -> Sum:
        """Σᵢⱼ Aᵢⱼ"""
        i, j = self.index(a.rows), self.index(a.cols)
        return summed(a.entry(i, j), i, j)

    def function(self, f: str, p: Sum) -> Sum:
        """f of one entry; ``^k`` is the power k."""
        if not f.startswith("^"):
            return self.opaque(("f", f), p)
        k = int(f[1:])
        if k == 1:
            return p
        if len(p) > 1 or any(name == SUMMED for _, term in p for name, _, _ in term):
            p = self.opaque(("entry",), p)
        return [(c**k, tuple((n, at, x * k) for n, at, x in term)) for c, term in p]

    def whole(self, f: str, a: Matrix, *at: Index) -> Sum:
        """A value that depends on a whole column, or its entry."""
        k = self.index(a.rows)
        ((c, ((name, rest, x),)),) = self.opaque((f,), summed(a.entry(k, NOWHERE), k))
        return [(c, ((name, (*at, *rest), x),))]

    def stack(self, parts: list[Matrix], moving: bool) -> Matrix:
        """[A; B; …]: entry (i, j) is Σ over the parts of [i in part] · (entry (i − start, j) of the part)."""
        demand(len({m.cols for m in parts}) == 1, "stacked parts of different widths")
        starts: list[Size] = [()]
        for m in parts:
            starts.append(plus(starts[-1], m.rows))

        def entry(i: Index, j: Index) -> Sum:
            out: Sum = []
            for start, m in zip(starts, parts, strict=False):
                holds = self.within(i, start, m.rows)
                if holds is not False:
                    mark = [(Fraction(1), ((("in", start, m.rows, not moving), (i,), 1),))]
                    part = m.entry((plus(i[0], start, -1), i[1]), j)
                    out += part if holds else times(mark, part)
            return out

        return Matrix(starts[-1], parts[0].cols, entry)
