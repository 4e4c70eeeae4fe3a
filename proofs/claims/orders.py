"""Ranges of indices that a claim presumes: ``given 1 <= k <= j < t``, or ``t < T``.

A range only leaves out choices of free indices; a letter that is not free in the formula leaves out none. Numbers go up
to 6, as they do in an index, and T stands at the upper end alone: no range restricts the length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import permutations

from proofs.claims.syntax import Formula, free_variables

_KEY = "order "
_LETTER, _SHIFT, _LESS = r"[A-SU-Za-z]", r"(?:[+-][0-6])?", r"(?:<=?|≤)"
_TERM = rf"(?:{_LETTER}{_SHIFT}|[0-6])"
_CHAIN = re.compile(rf"(?=.*{_LETTER}){_TERM}(?:{_LESS}{_TERM})*(?:{_LESS}(?:{_TERM}|T{_SHIFT}))")
_SIGN = re.compile(r"<=?")


def order(text: str) -> str:
    """The key of a range as a claim spells it, without blanks; empty if it is none."""
    return _KEY + text.replace("≤", "<=") if _CHAIN.fullmatch(text) else ""


def order_words(key: str) -> str:
    """How a verdict says a range; empty if the condition is none."""
    return _SIGN.sub(lambda sign: f" {sign[0]} ", key.removeprefix(_KEY)) if is_order(key) else ""


def orders_of(formula: Formula, conditions: Iterable[str]) -> list[str]:
    """The keys of the orders in which two of its free letters may be meant, unless a range is presumed already.

    Args:
        formula: what is said.
        conditions: what is presumed.
    """
    letters = dict.fromkeys((*free_variables(formula.left), *free_variables(formula.right)))
    if any(is_order(key) for key in conditions):
        return []
    return [order(f"{a}<{b}") for a, b in permutations(letters, 2)]


def in_order(conditions: Iterable[str], places: Mapping[str, int], steps: int) -> bool:
    """Whether a choice of the free indices lies in every range.

    Args:
        conditions: keys, of which those that are no range are passed over.
        places: the steps of the free indices.
        steps: the length T.
    """
    return all(_lies_in(key, {**places, "T": steps}) for key in conditions if is_order(key))


def farthest(conditions: Iterable[str]) -> int:
    """The largest number in a range: runs must be longer for it to leave anything."""
    return max(
        (int(n) for key in conditions if is_order(key) for n in re.findall(r"[0-9]+", key)),
        default=0,
    )


def is_order(key: str) -> bool:
    """Whether a condition is a range."""
    return key.startswith(_KEY)


def _lies_in(key: str, places: Mapping[str, int]) -> bool:
    chain = key.removeprefix(_KEY)
    steps = [_step(term, places) for term in _SIGN.split(chain)]
    return all(
        a is None or b is None or (a < b if sign == "<" else a <= b)
        for a, sign, b in zip(steps, _SIGN.findall(chain), steps[1:], strict=False)
    )


def _step(term: str, places: Mapping[str, int]) -> int | None:
    """The step that a term stands for; ``None`` for a letter that is not free."""
    base, shift = re.fullmatch(r"([A-Za-z]|[0-9]+)([+-][0-9]+)?", term).groups()  # type: ignore[union-attr]
    start = int(base) if base.isdecimal() else places.get(base)
    return None if start is None else start + int(shift or 0)
