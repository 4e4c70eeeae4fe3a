"""Dropped paths: the terms of a derivative that a formula lacks, one of them or all.

With values P_1, …, P_k of the terms and R of the right side at a random point modulo a prime, R = Σ c_i P_i is solved
for c. A right side that is the sum of some of the terms has c_i = 1 for these and 0 for the others: there are 2ᵏ such
sums, and one elimination finds which it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from proofs.claims.edit_kinds import Edit, said
from proofs.claims.meaning import Meaning
from proofs.claims.paths import Path, jacobian_paths, paths, signed_term, sum_over_time
from proofs.claims.points import Context, compared
from proofs.claims.syntax import Add, Big, Deriv, Formula, Node, Qty
from proofs.claims.values import MeaninglessError

Values = dict[tuple[tuple[str, int], ...], list[int]]
"""A side's entries, at every choice of the free indices."""


def is_gradient(left: Node, loss: str) -> bool:
    """Whether a formula's left side is a total derivative of the loss."""
    return isinstance(left, Deriv) and left.kind == "total" and left.of == Qty(name=loss)


def paths_of(formula: Formula, context: Context) -> list[Path]:
    """The terms of a formula's left side; none if it is no derivative."""
    left, loss = formula.left, context.loss
    if not isinstance(left, Deriv):
        return []
    if loss is None or not is_gradient(left, loss.name):
        return jacobian_paths(context.cell, left)
    return paths(context.cell, loss.name, loss.of, left.by)


def with_path(right: Node, path: Path, formula: Formula, context: Context) -> Iterator[Edit]:
    """A term of the left side added to a right side, within the sum over time where the left side is one."""
    loss = context.loss.name if context.loss else ""
    through = (
        "the loss's own term at this step"
        if path.through == loss
        else f"the path through {path.through}"
    )
    message = said("dropped path: {}, {}", through, path.term)
    if path.once or not _by_parameter(formula, loss):
        yield Edit("dropped path", message, _plus(right, path.term))
    elif isinstance(right, Big) and right.var == "t":
        yield Edit("dropped path", message, replace(right, body=_plus(right.body, path.term)))


def all_dropped(
    formula: Formula, context: Context, meaning: Meaning, prime: int
) -> tuple[Edit, ...]:
    """The edits that add every term that is not there, where the right side is the sum of the others; else none.

    Args:
        formula: what does not hold.
        context: what it is about.
        meaning: computes at a random point modulo the prime.
        prime: the prime.
    """
    known = paths_of(formula, context)
    summed = _by_parameter(formula, context.loss.name if context.loss else "")
    terms = [sum_over_time(p.term) if summed and not p.once else p.term for p in known]
    right, found = formula.right, list[Edit]()
    for i in lacking(formula, terms, meaning, prime):
        for edit in with_path(right, known[i], formula, context):
            right = edit.node
            found.append(edit)
    return tuple(found)


def _by_parameter(formula: Formula, loss: str) -> bool:
    left = formula.left
    return isinstance(left, Deriv) and is_gradient(left, loss) and left.by.index is None


def _plus(node: Node, term: Node) -> Node:
    head = node.terms if isinstance(node, Add) else ((1, node),)
    return Add(terms=(*head, signed_term(term)))


def lacking(formula: Formula, terms: Sequence[Node], meaning: Meaning, prime: int) -> list[int]:
    """Which of the terms a formula's right side lacks that is the sum of the others; none if it is no such sum.

    Args:
        formula: the formula.
        terms: of its left side.
        meaning: where they are computed: at a random point modulo the prime.
        prime: the prime.
    """
    found = [_values(formula.left, side, meaning) for side in (*terms, formula.right)]
    places = [place for place in found[-1] if all(place in values for values in found)]
    columns = [[v for place in places for v in values[place]] for values in found]
    if not places or len({len(column) for column in columns}) != 1:
        return []
    factors = coefficients(columns[-1], columns[:-1], prime)
    if 1 not in factors or set(factors) - {0, 1}:
        return []
    return [i for i, c in enumerate(factors) if c == 0 and any(columns[i])]


def _values(left: Node, side: Node, meaning: Meaning) -> Values:
    try:
        pairs = list(compared(Formula(left, "==", side), meaning))
    except (MeaninglessError, KeyError, ArithmeticError):
        return {}
    return {tuple(sorted(p.places.items())): p.right.ravel().tolist() for p in pairs}


def coefficients(whole: Sequence[int], terms: Sequence[Sequence[int]], prime: int) -> list[int]:
    """c with whole = Σ c_i term_i modulo a prime, by Gauss and Jordan; empty if there is none.

    A term that depends on those before it gets 0.
    """
    rows = [list(row) for row in zip(*terms, whole, strict=True)]
    last = len(terms)
    pivots: list[int] = []
    for column in range(last + 1):
        done = len(pivots)
        pivot = next((i for i in range(done, len(rows)) if rows[i][column] % prime), None)
        if pivot is None:
            continue
        rows[done], rows[pivot] = rows[pivot], rows[done]
        inverse = pow(rows[done][column], -1, prime)
        rows[done] = [v * inverse % prime for v in rows[done]]
        for i, row in enumerate(rows):
            if i != done and row[column] % prime:
                rows[i] = [
                    (a - row[column] * b) % prime for a, b in zip(row, rows[done], strict=True)
                ]
        pivots.append(column)
    if last in pivots:
        return []
    found = [0] * last
    for row, column in enumerate(pivots):
        found[column] = rows[row][last]
    return found
