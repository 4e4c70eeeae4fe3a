"""Errors as people make them, put into a true formula at a random place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

from derive.cell import Cell
from proofs.claims.syntax import (
    Add,
    Big,
    Chain,
    Deriv,
    Mul,
    Node,
    Num,
    Pow,
    Qty,
    Transposed,
    children,
    walk,
    with_children,
)

Change = Callable[[Node, Cell, Random], Node | None]


@dataclass(frozen=True, slots=True)
class Error:
    """One kind of error.

    Args:
        kind: its name, a key of ``edit_kinds.COSTS``.
        put: puts it in; ``None`` where the formula has no place for it.
    """

    kind: str
    put: Change


def _somewhere(change: Callable[[Node, Cell, Random], Node | None]) -> Change:
    """The change at a random part that admits it; what is below a derivative is one thing."""

    def put(node: Node, cell: Cell, rng: Random) -> Node | None:
        places = [path for path, part in _paths(node) if change(part, cell, Random(0)) is not None]  # noqa: S311
        if not places:
            return None
        return _at(node, rng.choice(places), lambda part: change(part, cell, rng) or part)

    return put


def _paths(node: Node, path: tuple[int, ...] = ()) -> list[tuple[tuple[int, ...], Node]]:
    found = [(path, node)]
    if not isinstance(node, Deriv):
        for i, part in enumerate(children(node)):
            found += _paths(part, (*path, i))
    return found


def _at(node: Node, path: tuple[int, ...], change: Callable[[Node], Node]) -> Node:
    if not path:
        return change(node)
    parts = list(children(node))
    parts[path[0]] = _at(parts[path[0]], path[1:], change)
    return with_children(node, tuple(parts))


def _drop_transpose(part: Node, cell: Cell, rng: Random) -> Node | None:
    return part.of if isinstance(part, Transposed) and isinstance(part.of, Qty) else None


def _shift(part: Node, cell: Cell, rng: Random) -> Node | None:
    """A quantity of the forward pass at the step before or after."""
    if isinstance(part, Qty) and part.index is not None:
        return replace(part, index=part.index.shifted(rng.choice((-1, 1))))
    return None


def _swap(part: Node, cell: Cell, rng: Random) -> Node | None:
    if isinstance(part, Chain) and len(part.factors) == 2:
        return replace(part, factors=part.factors[::-1])
    return None


def _drop_term(part: Node, cell: Cell, rng: Random) -> Node | None:
    """A whole path: a term of a gradient's sum."""
    gradients = isinstance(part, Add) and all(
        any(isinstance(p, Deriv) for p in walk(t)) for _, t in part.terms
    )
    if not gradients or not isinstance(part, Add) or len(part.terms) < 2:
        return None
    gone = rng.randrange(len(part.terms))
    rest = part.terms[:gone] + part.terms[gone + 1 :]
    return rest[0][1] if len(rest) == 1 and rest[0][0] > 0 else replace(part, terms=rest)


def _drop_sum(part: Node, cell: Cell, rng: Random) -> Node | None:
    return part.body if isinstance(part, Big) and part.kind == "sum" else None


def _partial(part: Node, cell: Cell, rng: Random) -> Node | None:
    last = cell.equations[-1].target.name
    if isinstance(part, Deriv) and part.kind == "total" and part.by.name == last:
        return replace(part, kind="immediate")
    return None


def _drop_slope(part: Node, cell: Cell, rng: Random) -> Node | None:
    """The factor 1 − y² or the pair s (1 − s) left out."""
    if not isinstance(part, Mul):
        return None
    for factor in part.factors:
        if _is_square(factor[1]):
            return _without(part, [factor])
    for factor in part.factors:
        minus = (1, Add(terms=((1, Num(value=Fraction(1))), (-1, factor[1]))))
        if minus in part.factors:
            return _without(part, [factor, minus])
    return None


def _is_square(node: Node) -> bool:
    one = Num(value=Fraction(1))
    return (
        isinstance(node, Add)
        and len(node.terms) == 2
        and node.terms[0] == (1, one)
        and isinstance(node.terms[1][1], Pow)
    )


def _without(part: Mul, gone: list[tuple[int, Node]]) -> Node | None:
    rest = list(part.factors)
    for factor in gone:
        rest.remove(factor)
    if not rest:
        return None
    return rest[0][1] if len(rest) == 1 else replace(part, factors=tuple(rest))


def _wrong_slope(part: Node, cell: Cell, rng: Random) -> Node | None:
    """1 − s² for s (1 − s)."""
    if not isinstance(part, Mul):
        return None
    for _, base in part.factors:
        minus = Add(terms=((1, Num(value=Fraction(1))), (-1, base)))
        if (1, minus) in part.factors:
            square = Add(
                terms=(
                    (1, Num(value=Fraction(1))),
                    (-1, Pow(base=base, exponent=Num(value=Fraction(2)))),
                )
            )
            rest = [f for f in part.factors if f not in ((1, base), (1, minus))]
            return replace(part, factors=(*rest, (1, square))) if rest else square
    return None


def _entrywise(part: Node, cell: Cell, rng: Random) -> Node | None:
    """An outer product written entry by entry."""
    if (
        isinstance(part, Chain)
        and len(part.factors) == 2
        and isinstance(part.factors[1], Transposed)
    ):
        return Mul(factors=((1, part.factors[0]), (1, part.factors[1].of)))
    return None


def _other(part: Node, cell: Cell, rng: Random, *, timed: bool) -> Node | None:
    if not isinstance(part, Qty) or timed != (part.index is not None):
        return None
    shape = next(q.shape for q in cell.quantities if q.name == part.name)
    role = ("state", "intermediate") if timed else ("parameter",)
    others = [
        q.name
        for q in cell.quantities
        if q.role in role and q.shape == shape and q.name != part.name
    ]
    return replace(part, name=rng.choice(others)) if others else None


def _flip(part: Node, cell: Cell, rng: Random) -> Node | None:
    """The sign of a term in a sum of more than one, where that is no slope."""
    if isinstance(part, Add) and len(part.terms) > 1 and not isinstance(part.terms[0][1], Num):
        i = rng.randrange(len(part.terms))
        sign, term = part.terms[i]
        return replace(part, terms=(*part.terms[:i], (-sign, term), *part.terms[i + 1 :]))
    return None


ERRORS = (
    Error("missing transpose", _somewhere(_drop_transpose)),
    Error("index off by one", _somewhere(_shift)),
    Error("wrong order of factors", _somewhere(_swap)),
    Error("dropped path", _somewhere(_drop_term)),
    Error("missing sum over t", _somewhere(_drop_sum)),
    Error("partial taken for total", _somewhere(_partial)),
    Error("missing derivative of the activation", _somewhere(_drop_slope)),
    Error("wrong derivative of the activation", _somewhere(_wrong_slope)),
    Error("wrong kind of product", _somewhere(_entrywise)),
    Error(
        "wrong weight or bias",
        _somewhere(lambda part, cell, rng: _other(part, cell, rng, timed=False)),
    ),
    Error(
        "wrong gate or state",
        _somewhere(lambda part, cell, rng: _other(part, cell, rng, timed=True)),
    ),
    Error("wrong sign", _somewhere(_flip)),
)
"""Every kind, put in equally often where it fits."""
