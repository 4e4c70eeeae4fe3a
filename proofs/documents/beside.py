"""What stands beside a formula in its row: the steps for which it is said, and conditions in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from proofs.claims.conditions import named_condition
from proofs.claims.latex_looks import SAME
from proofs.claims.latex_signs import Part
from proofs.documents.sayings import PROSE, is_range

_RESTRICTS = re.compile(
    r"\b(if|when|whenever|unless|only|provided|assum\w*|suppos\w*|ignor\w*|neglect\w*|omit\w*|dropp\w*|except|given"
    r"|otherwise|as long as|as \S+ (goes|tends)|at|in|under|without|with|for|near|last|first|final|case|constant|fixed"
    r"|held|small|large|linear|zero|no|not|approx\w*|roughly|almost|about|up to|proportional)\b"
)
_SAYS_NOTHING = re.compile(
    r"\bin general\b|\bwithout loss of generality\b|\bin (any|each|every|either) case\b|\bin all cases\b"
    r"|\b(in|with) ((matrix|vector|compact|index|component|full|the|this|our|usual|same)\s)*(form|notation|words)\b"
    r"|\b(with|by|in|from) (respect to|the chain rule|the product rule|view of|turn|short|detail|particular|fact)\b"
    r"|\b(if|when|whenever|only|for|all|any|every|each|at|and|time|steps?|the|we|have|holds|gates?|weights?)\b|[\s.,:;()]"
)
_NUMBERED = re.compile(r"\((?:[0-9]+(?:\.[0-9]+)*[a-z']?|\*+|[A-Z][0-9.]*)\)")
"""The number of an equation, set by hand."""
_DOTS = (r"\ldots", r"\cdots", r"\dots", "...")
_RUN = re.compile(r"([a-z])(?:=|\\in)([0-9a-z+-]+),\.\.\.,([0-9a-zT+-]+)")
_DOWN = re.compile(r"([^<>≤≥=]+)([>≥])([^<>≤≥=]+)")


def presumed(beside: Sequence[Sequence[Part]]) -> tuple[tuple[str, ...], str]:
    """The conditions under which a formula is said, and what of them is not read.

    Args:
        beside: the pieces of its row, in order.
    """
    conditions: list[str] = []
    unread: list[str] = []
    rest = list(_said(beside))
    while rest:
        text, words = rest.pop(0)
        if words:
            if _RESTRICTS.search(text) and _SAYS_NOTHING.sub("", text):
                unread.append(text.strip())
            continue
        if len(rest) > 1 and rest[0][0] in _DOTS:
            text = f"{text},...,{rest[1][0]}"
            del rest[:2]
        found = _condition(text)
        conditions += [found] if found else []
        unread += [text] if found is None else []
    return tuple(dict.fromkeys(conditions)), ", ".join(unread)


def _said(beside: Sequence[Sequence[Part]]) -> Iterator[tuple[str, bool]]:
    """Each piece as text, and whether it is words."""
    for piece in beside:
        if piece[0].text in PROSE:
            yield "".join(p.text for p in piece[2:-1]).lower(), True
            continue
        text = "".join(SAME.get(p.text, p.text) for p in piece if p.text != "&")
        if not is_range(piece):
            yield text, False
            continue
        for dots in _DOTS:
            text = text.replace(dots, "...")
        yield re.sub(r"\\forall|\\[{}]|[()]", "", text), False


def _condition(text: str) -> str | None:
    """The key of a range, empty where it leaves out nothing; ``None`` if it is not read."""
    if _NUMBERED.fullmatch(text) or re.fullmatch(r"[tkjilmsT]", text):
        return ""
    if run := _RUN.fullmatch(text):
        var, first, last = run.groups()
        whole = (var, first, last) == ("t", "1", "T")
        return "" if whole else named_condition(f"{first}<={var}<={last}")
    if down := _DOWN.fullmatch(text):
        text = f"{down[3]}{'<' if down[2] == '>' else '<='}{down[1]}"
    return named_condition(text)
