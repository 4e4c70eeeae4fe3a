"""Diagonal matrices in a text: ``I`` and ``diag(a)``, alone or in a bracket, as factors of a matrix product.

    S @ (diag(w) - k @ k.T)   =  S @ diag(w) - S @ k @ k.T
    (W - W.T - c * I) @ h     =  (W - W.T) @ h - c * h          c is a number

A diagonal matrix is never formed: brackets that hold one are multiplied out, what is none stays together, and
``I`` leaves no trace. ``I`` is the identity matrix where a file has no quantity of this name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NoReturn

from derive.errors import LanguageError
from derive.language_lines import Statement
from derive.syntax import (
    DECLARATIONS,
    Applied,
    Chain,
    Node,
    Product,
    Sum,
    Transposed,
    Unit,
    postorder,
    with_children,
)

MAX_TERMS = 16


def means_identity(statements: Iterable[Statement]) -> bool:
    """Whether ``I`` is the identity matrix in a file: nothing declares a quantity I, and none has a time index."""
    texts = [[token.text for token in s.tokens] for s in statements]
    declared = any(line[0] in DECLARATIONS and line[1:2] == ["I"] for line in texts if line)
    return not declared and all(("I", "[") not in pairwise(line) for line in texts)


def is_diagonal(node: Node) -> bool:
    """Whether a part of a text reads ``diag(…)``."""
    return isinstance(node, Applied) and node.function == "diag"


def multiplied_out(node: Node) -> Node:
    """The expression with every bracket that holds a diagonal matrix multiplied out.

    Raises:
        LanguageError: ``I`` or ``diag(a)`` is no factor of a matrix product, or all factors are diagonal.
    """
    if _holds(node):
        _refuse(node)
    if isinstance(node, Chain) and any(map(_holds, node.factors)):
        return _joined(_expanded(node), node)
    return with_children(node, multiplied_out)


@dataclass(frozen=True, slots=True)
class _Term:
    """± numbers · the product of factors, which is the identity where there are none."""

    sign: int
    numbers: tuple[tuple[int, Node], ...]
    factors: tuple[Node, ...]


def _holds(node: Node) -> bool:
    """Whether a diagonal matrix stands here as a term: alone, in a sum, times a number, or turned."""
    match node:
        case Unit():
            return True
        case Sum(_, terms):
            return any(_holds(term) for _, term in terms)
        case Product(_, factors):
            return any(_holds(factor) for _, factor in factors)
        case Chain(_, factors):
            return all(map(_holds, factors))
        case Transposed(_, of):
            return _holds(of)
        case _:
            return is_diagonal(node)


def _expanded(node: Node) -> list[_Term]:
    """The terms of a product or a bracket; those without a diagonal matrix in them are one."""
    match node:
        case Unit():
            return [_Term(1, (), ())]
        case Applied(_, "diag", of):
            return [_Term(1, (), (replace(node, of=multiplied_out(of)),))]
        case Chain(_, factors):
            return _product(list(map(_expanded, factors)), node)
        case _ if not _holds(node):
            return [_Term(1, (), (multiplied_out(node),))]
        case Sum():
            return _of_sum(node)
        case Product():
            return _of_multiple(node)
        case Transposed(_, of):
            return [_turned(term) for term in _expanded(of)]
    raise TypeError(f"no rule for {type(node).__name__}")


def _of_sum(node: Sum) -> list[_Term]:
    plain = tuple((sign, multiplied_out(term)) for sign, term in node.terms if not _holds(term))
    found: list[_Term] = []
    for sign, term in node.terms:
        if _holds(term):
            found += [replace(part, sign=sign * part.sign) for part in _expanded(term)]
        elif plain:
            one = plain[0] if len(plain) == 1 else (1, Sum(node.span, plain))
            found.append(_Term(one[0], (), (one[1],)))
            plain = ()
    return found


def _of_multiple(node: Product) -> list[_Term]:
    """c · A, where A holds a diagonal matrix; the others are numbers."""
    held = [(k, factor) for k, factor in node.factors if _holds(factor)]
    if len(held) > 1 or held[0][0] < 0:
        _refuse(held[-1][1])
    numbers = tuple(
        (k, Applied(factor.span, "number", multiplied_out(factor)))
        for k, factor in node.factors
        if factor is not held[0][1]
    )
    return [replace(part, numbers=numbers + part.numbers) for part in _expanded(held[0][1])]


def _turned(term: _Term) -> _Term:
    factors = (f if is_diagonal(f) else Transposed(f.span, f) for f in reversed(term.factors))
    return replace(term, factors=tuple(factors))


def _product(factors: list[list[_Term]], node: Chain) -> list[_Term]:
    """Every choice of one term of each factor, in order."""
    found = [_Term(1, (), ())]
    for terms in factors:
        if len(found) * len(terms) > MAX_TERMS:
            raise LanguageError(
                f"Multiplied out, the brackets with I or diag make more than {MAX_TERMS} terms.",
                "Give the product of the last brackets with what they multiply an equation of its own.",
                place=node.span.place,
            )
        found = [
            _Term(a.sign * b.sign, a.numbers + b.numbers, a.factors + b.factors)
            for a in found
            for b in terms
        ]
    return found


def _joined(terms: list[_Term], node: Chain) -> Node:
    """The sum of the terms, each a product of matrices times its numbers."""
    parts = [(term.sign, _written(term, node)) for term in terms]
    return parts[0][1] if len(parts) == 1 and parts[0][0] > 0 else Sum(node.span, tuple(parts))


def _written(term: _Term, node: Chain) -> Node:
    if all(map(is_diagonal, term.factors)):
        _refuse(node)
    one = term.factors[0] if len(term.factors) == 1 else Chain(node.span, term.factors)
    return Product(node.span, (*term.numbers, (1, one))) if term.numbers else one


def _refuse(node: Node) -> NoReturn:
    """Say that a diagonal matrix, the first within, multiplies nothing."""
    part = next((p for p in postorder(node) if isinstance(p, Unit) or is_diagonal(p)), node)
    if isinstance(part, Unit):
        raise LanguageError(
            "I is the identity matrix, and here it multiplies nothing.",
            "Write it in a factor of a matrix product, as in (W - c * I) @ h[t-1], where c is a number; if I is a "
            "parameter of your own, declare it, `dim I = n, n`.",
            place=part.span.place,
        )
    raise LanguageError(
        "diag(a) scales the rows or columns of what it multiplies, and here it multiplies nothing.",
        "Write it beside a factor that is none, or in a bracket beside one: diag(a) @ B, B @ (diag(a) - k @ k.T); the "
        "product of diag(a) and diag(b) is diag(a * b).",
        place=part.span.place,
    )
