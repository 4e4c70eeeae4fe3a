"""Laws of algebra by which a formula is written in another way, without changing its value."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random

from proofs.claims.syntax import (
    Add,
    Big,
    Chain,
    Index,
    Mul,
    Node,
    Num,
    Pow,
    Qty,
    Transposed,
    children,
    with_children,
)


def rewritten(node: Node, rng: Random) -> Node:
    """The formula after random lawful changes at every part."""
    parts = children(node)
    new = with_children(node, tuple(rewritten(part, rng) for part in parts)) if parts else node
    return _changed(new, rng)


def _changed(node: Node, rng: Random) -> Node:
    match node:
        case Add(
            terms=(
                (1, Num(value=Fraction(numerator=1))),
                (-1, Pow(base=base, exponent=Num(value=Fraction(numerator=2)))),
            )
        ):
            return _square(node, base, rng)
        case Add(terms=terms):
            return (
                replace(node, terms=_shuffled(terms, rng))
                if len(terms) > 1 and terms[0][0] > 0
                else node
            )
        case Mul(factors=factors) if all(e > 0 for e, _ in factors):
            return _product(node, rng)
        case Chain(factors=factors) if len(factors) == 2 and rng.random() < 0.3:
            flipped = tuple(_transposed(f) for f in reversed(factors))
            return Transposed(of=Chain(factors=flipped))
        case Big(kind="sum", body=body) if rng.random() < 0.4:
            return _sum(node, body, rng)
        case _:
            pass
    return node


def _shuffled(terms: tuple[tuple[int, Node], ...], rng: Random) -> tuple[tuple[int, Node], ...]:
    order = list(terms)
    rng.shuffle(order)
    return tuple(sorted(order, key=lambda term: -term[0])) if order[0][0] < 0 else tuple(order)


def _square(node: Node, base: Node, rng: Random) -> Node:
    """1 − y² = (1 − y)(1 + y) = 1 − y y"""
    one = Num(value=Fraction(1))
    minus, plus = Add(terms=((1, one), (-1, base))), Add(terms=((1, one), (1, base)))
    forms: list[Node] = [
        node,
        Mul(factors=((1, minus), (1, plus))),
        Add(terms=((1, one), (-1, Mul(factors=((1, base), (1, base)))))),
    ]
    return rng.choice(forms)


def _product(node: Mul, rng: Random) -> Node:
    """Factors in another order; s (1 − s) = s − s²"""
    factors = list(node.factors)
    for _, base in factors:
        minus = Add(terms=((1, Num(value=Fraction(1))), (-1, base)))
        if (1, minus) in factors and isinstance(base, Qty) and rng.random() < 0.4:
            factors.remove((1, base))
            factors.remove((1, minus))
            factors.append(
                (1, Add(terms=((1, base), (-1, Pow(base=base, exponent=Num(value=Fraction(2)))))))
            )
            break
    rng.shuffle(factors)
    return replace(node, factors=tuple(factors)) if len(factors) > 1 else factors[0][1]


def _sum(node: Big, body: Node, rng: Random) -> Node:
    """The sum of a sum as a sum of sums; the first step apart."""
    if isinstance(body, Add) and rng.random() < 0.6:
        return Add(terms=tuple((sign, replace(node, body=term)) for sign, term in body.terms))
    return replace(node, lo=Index((), 1), hi=Index((("T", 1),)))


def _transposed(node: Node) -> Node:
    return node.of if isinstance(node, Transposed) else Transposed(of=node)
