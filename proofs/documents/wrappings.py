r"""What stands around mathematics and says nothing: ``\underbrace{…}_{…}``, ``\boxed``, colours, phantoms.

And one column in brackets, ``\begin{bmatrix} a \\ b \end{bmatrix}``, which is ``[a; b]``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from proofs.claims.latex_signs import Part

BRACES = {r"\underbrace", r"\overbrace", r"\underbracket", r"\underline"}
"""Around a part, with a remark below or above it."""
AROUND = {
    r"\boxed": 1, r"\ensuremath": 1, r"\mathrel": 1, r"\mathbin": 1, r"\mathop": 1, r"\mathclap": 1, r"\fbox": 1,
    r"\textcolor": 2, r"\colorbox": 2, r"\highlight": 1, r"\hl": 1, r"\mathstrut": 0, r"\strut": 0,
}  # fmt: skip
"""Each with its number of groups, of which the last one is mathematics."""
NOTHING = {
    r"\phantom", r"\hphantom", r"\vphantom", r"\color", r"\footnote", r"\cite", r"\citep", r"\citet", r"\ref",
    r"\eqref", r"\vspace", r"\mspace", r"\hypertarget", r"\footnotemark",
}  # fmt: skip
"""What says nothing, with the group behind it."""
COLUMN = {"matrix", "pmatrix", "bmatrix", "Bmatrix", "smallmatrix", "psmallmatrix", "bsmallmatrix"}
_GAP = re.compile(r"\s*\[\s*-?[0-9.]+\s*(pt|em|ex|mm|cm)\s*\]")
SPACE = {r"\hspace", r"\hskip"}


def group_end(parts: Sequence[Part], at: int) -> int:
    """What comes after the group in braces that begins there; 0 if none does."""
    depth = 0
    for i in range(at, len(parts)):
        depth += (parts[i].text == "{") - (parts[i].text == "}")
        if depth == 0:
            return i + 1 if i > at else 0
    return 0


def unwrapped(parts: Sequence[Part]) -> list[Part]:
    """The tokens of a formula without what only stands around them, and columns in brackets.

    Args:
        parts: tokens, blanks among them.
    """
    found: list[Part] = []
    rest = list(reversed(parts))
    while rest:
        part = rest.pop()
        if part.text in BRACES:
            inside = _group(rest)
            found += [replace(part, text="{"), *unwrapped(inside), replace(part, text="}")]
            _remark(rest)
        elif part.text in AROUND:
            groups = [_group(rest) for _ in range(AROUND[part.text])]
            rest += reversed(groups[-1] if groups else [])
        elif part.text in NOTHING:
            _star(rest)
            _group(rest)
        elif part.text in SPACE:
            _star(rest)
            _group(rest)
            found.append(replace(part, text=r"\quad"))
        else:
            found.append(part)
    return _columns(found)


def _columns(parts: list[Part]) -> list[Part]:
    """Matrices of one column as ``[a; b]``; one with an ``&``, or with others in it, is left as it stands."""
    found, at = list[Part](), 0
    while at < len(parts):
        inside, after = _column(parts, at)
        if not inside:
            found.append(parts[at])
            at += 1
            continue
        begin, end = parts[at], parts[after - 1]
        rows = [replace(p, text=";") if p.text == r"\\" else p for p in _without_gaps(inside)]
        found += [replace(begin, text="["), *rows, replace(end, text="]")]
        at = after
    return found


def _column(parts: list[Part], at: int) -> tuple[list[Part], int]:
    """What stands in a matrix of one column that begins there, and what comes after it; nothing if none does."""
    first = group_end(parts, at + 1) if parts[at].text == r"\begin" else 0
    if not first or _name(parts, at + 1, first) not in COLUMN:
        return [], 0
    stop = next(
        (i for i in range(first, len(parts)) if parts[i].text in (r"\end", r"\begin", "&")), 0
    )
    if not stop or parts[stop].text != r"\end":
        return [], 0
    inside = parts[first:stop]
    while inside and (inside[-1].text.isspace() or inside[-1].text == r"\\"):
        inside.pop()
    return inside, group_end(parts, stop + 1)


def _without_gaps(parts: list[Part]) -> list[Part]:
    r"""Rows without the space asked for between them, ``\\[2pt]``."""
    found: list[Part] = []
    at = 0
    while at < len(parts):
        found.append(parts[at])
        at += 1
        if found[-1].text == r"\\":
            gap = _GAP.match("".join(p.text for p in parts[at : at + 16]))
            while gap and parts[at - 1].text != "]":
                at += 1
    return found


def _name(parts: list[Part], start: int, stop: int) -> str:
    return "".join(p.text for p in parts[start + 1 : stop - 1]).strip()


def _star(rest: list[Part]) -> None:
    if rest and rest[-1].text == "*":
        rest.pop()


def _blanks(rest: list[Part]) -> None:
    while rest and rest[-1].text.isspace():
        rest.pop()


def _group(rest: list[Part]) -> list[Part]:
    """The tokens of the group that comes next, taken; none if no group does."""
    _blanks(rest)
    if not rest or rest[-1].text != "{":
        return []
    rest.pop()
    inside, depth = list[Part](), 0
    while rest:
        part = rest.pop()
        if part.text == "}" and depth == 0:
            break
        depth += (part.text == "{") - (part.text == "}")
        inside.append(part)
    return inside


def _remark(rest: list[Part]) -> None:
    """What stands below or above a brace, taken."""
    _blanks(rest)
    if not rest or rest[-1].text not in ("_", "^"):
        return
    rest.pop()
    _blanks(rest)
    if not _group(rest):
        _one(rest)


def _one(rest: list[Part]) -> None:
    """The next token, taken, if a group does not end there."""
    if rest and rest[-1].text != "}":
        rest.pop()
