"""Sums and products over steps: their terms, what goes beyond every run, and what has no term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sympy import Rational  # pyright: ignore[reportMissingTypeStubs] - it ships none

from proofs.claims.syntax import Big
from proofs.claims.values import MeaninglessError, TooManyError, Value
from proofs.claims.world import BeyondError, OutsideError

if TYPE_CHECKING:
    from proofs.claims.meaning import Meaning

MOST_TERMS = 50_000
"""How many terms and factors are computed in one run."""


def over_steps(m: Meaning, node: Big, places: Mapping[str, int]) -> Value:
    """The value of a sum or a product.

    Args:
        m: how its parts are read.
        node: the sum or the product.
        places: the steps of the indices that stand in it.

    Raises:
        MeaninglessError: shapes cannot agree.
        BeyondError: a term speaks of a step that no run has, however long it is.
        OutsideError: a term speaks of a step that this run has not, or a product ends long before it begins.
        TooManyError: all in all there are too many terms.
    """
    lo, hi = m.step_of(node.lo, places) or 0, m.step_of(node.hi, places) or 0
    if hi < lo - 1 and node.kind == "product":
        raise OutsideError(f"{node.kind} over {lo}..{hi}")
    if hi < lo:
        return _empty(m, node, places)
    m.terms += hi + 1 - lo
    if m.terms > MOST_TERMS:
        raise TooManyError
    parts = _parts(m, node, places, range(lo, hi + 1))
    if node.descending:
        parts.reverse()
    total = parts[0]
    for part in parts[1:]:
        if node.kind == "sum":
            total = m.algebra.add(total, part, node.where)
        else:
            total = m.algebra.compose(m.algebra.as_map(total), m.algebra.as_map(part), node.where)
    return total


def _parts(m: Meaning, node: Big, places: Mapping[str, int], steps: range) -> list[Value]:
    """The terms or factors; an end that every run has, as T, is no end of this run alone."""
    try:
        return [m.visit(node.body, {**places, node.var: i}) for i in steps]
    except OutsideError as error:
        end = node.hi if error.late else node.lo
        if any(name != "T" and not m.world.is_last(name) for name, _ in end.terms):
            raise
        raise BeyondError(str(error), late=error.late) from None


def _empty(m: Meaning, node: Big, places: Mapping[str, int]) -> Value:
    """The product of no factors is the identity, the sum of no terms 0, in the shape of what they are at any step."""
    for i in range(m.world.steps + 1):
        try:
            part = m.visit(node.body, {**places, node.var: i})
        except OutsideError:
            continue
        if node.kind == "sum":
            zero = m.algebra.number(Rational(0)).array
            return replace(part, array=m.world.arithmetic.mul(part.array, zero))
        factor = m.algebra.as_map(part)
        if factor.shape[0] == factor.shape[1]:
            return replace(factor, array=m.world.arithmetic.identity(factor.shape[0]))
        raise MeaninglessError(
            "a product of no factors is the identity: its factors are square", node.where
        )
    raise OutsideError(f"{node.kind} over no step")
