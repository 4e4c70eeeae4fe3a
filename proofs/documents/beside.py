"""What stands beside a formula in its row: the steps for which it is said, and conditions in words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from proofs.claims.conditions import named_condition
from proofs.claims.latex_looks import SAME
from proofs.claims.latex_signs import Part
from proofs.documents.sayings import PROSE, is_range

_RESTRICTS = re.compile(
    r"\b(if|when|whenever|unless|only|provided|assum\w*|suppos\w*|ignor\w*|neglect\w*|except|given|otherwise|as|since)\b"
)
_SAYS_NOTHING = re.compile(
    r"\b(if|when|whenever|only|for|all|any|every|each|at|and|time|steps?|the|we|have|holds)\b|[\s.,:;]"
)
_DOTS = (r"\dots", r"\ldots", r"\cdots", "...")
_FIRST = re.compile(r"([a-z])=([0-9])")
_DOWN = re.compile(r"([^<>≤≥=]+)([>≥])([^<>≤≥=]+)")


def presumed(beside: Sequence[Sequence[Part]]) -> tuple[tuple[str, ...], str]:
    """The conditions under which a formula is said, and what of them is not read.

    Args:
        beside: the pieces of its row, in order.
    """
    conditions: list[str] = []
    unread: list[str] = []
    for i, piece in enumerate(beside):
        if piece[0].text in PROSE:
            words = "".join(p.text for p in piece[2:-1]).lower()
            if _RESTRICTS.search(words) and _SAYS_NOTHING.sub("", words):
                unread.append(words.strip())
        elif all(p.text.isdigit() or p.text in ("T", r"\}", *_DOTS) for p in piece):
            continue
        elif is_range(piece):
            text = "".join(SAME.get(p.text, p.text) for p in piece if p.text != "&")
            ranged = any(p.text in _DOTS for p in beside[i + 1]) if i + 1 < len(beside) else False
            found = _condition(text, ranged=ranged)
            conditions += [found] if found else []
            unread += [text] if found is None else []
        elif [p.text for p in piece] != [r"\forall", *(p.text for p in piece[1:2])]:
            unread.append("".join(p.text for p in piece))
    return tuple(dict.fromkeys(conditions)), ", ".join(unread)


def _condition(text: str, *, ranged: bool) -> str | None:
    """The key of a range, empty where it leaves out nothing; ``None`` if it is not read."""
    if (
        text in ("T", "t", "...", "1", r"T\}")
        or text in _DOTS
        or any(dots in text for dots in _DOTS)
    ):
        return "" if not _FIRST.match(text) or text.startswith(("t=1", "k=1")) else None
    first = _FIRST.fullmatch(text)
    if first and ranged:
        return named_condition(f"{first[2]}<={first[1]}") if int(first[2]) > 1 else ""
    if down := _DOWN.fullmatch(text):
        text = f"{down[3]}{'<' if down[2] == '>' else '<='}{down[1]}"
    return named_condition(text)
