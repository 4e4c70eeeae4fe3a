r"""What stands around mathematics and says nothing: ``\underbrace{…}_{…}``, ``\boxed``, colours, phantoms."""

from __future__ import annotations

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
    """The tokens of a formula without what only stands around them.

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
    return found


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
