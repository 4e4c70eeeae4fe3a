r"""What LaTeX says of looks, and its many spellings of one thing, put the plain way before a formula is read.

Fonts fall away (``\mathbf{h}_t`` is ``h_t``), and so do marks of alignment; ``\leq`` is ``≤``, ``\dfrac`` is ``\frac``;
a step written above is one written below: ``h^{(t)}`` and ``h^{\langle t \rangle}`` are ``h_t``.
"""

from __future__ import annotations

from dataclasses import replace

from proofs.claims.latex_signs import TEXT, Part

FONT = {
    r"\mathbf", r"\boldsymbol", r"\bm", r"\pmb", r"\mathcal", r"\mathsf", r"\mathtt", r"\mathscr", r"\vec",
}  # fmt: skip
NOTHING = {
    r"\left", r"\right", r"\,", r"\;", r"\!", r"\:", r"\ ", r"\quad", r"\qquad", r"\big", r"\Big", r"\bigl", r"\bigr",
    r"\Bigl", r"\Bigr", r"\bigg", r"\Bigg", r"\biggl", r"\biggr", r"\Biggl", r"\Biggr", "&", r"\displaystyle",
    r"\textstyle", r"\limits", r"\nolimits", r"\rm", r"\bf", r"\it", r"\sf", r"\cal",
}  # fmt: skip
SIZED = {r"\left", r"\right"}
"""Before a bracket; before a full stop, which then stands for none."""
SAME = {
    r"\leq": "≤", r"\le": "≤", r"\leqslant": "≤", r"\geq": "≥", r"\ge": "≥", r"\geqslant": "≥", r"\dfrac": r"\frac",
    r"\tfrac": r"\frac", r"\lt": "<", r"\gt": ">", r"\intercal": r"\top", "−": "-", "–": "-",
}  # fmt: skip
"""Spellings of one sign, each with the one that is read."""
AROUND = {"(": ")", r"\langle": r"\rangle", "<": ">"}
"""What stands around a step that is written above."""


def plain(parts: list[Part]) -> list[Part]:
    """The tokens of a formula without what says only how they look.

    Args:
        parts: the tokens as they are written, without blanks.
    """
    sized = {i + 1 for i, p in enumerate(parts) if p.text in SIZED}
    kept = [
        replace(p, text=SAME.get(p.text, p.text))
        for i, p in enumerate(parts)
        if p.text not in NOTHING and not (i in sized and p.text == ".")
    ]
    return _steps_below(_without_fonts(_without_empty(kept)))


def _without_empty(parts: list[Part]) -> list[Part]:
    r"""Groups with nothing in them taken out, where no command and no index takes one: ``h_t{}^\top``, ``={}``."""
    found: list[Part] = []
    for i, part in enumerate(parts):
        found.append(part)
        if [p.text for p in found[-2:]] != ["{", "}"]:
            continue
        before = found[-3].text if len(found) > 2 else ""
        after = parts[i + 1].text if i + 1 < len(parts) else ""
        if after in ("^", "=", "+", "-") or before in ("=", "≤", "≥", "+", "-", ""):
            del found[-2:]
    return found


def _without_fonts(parts: list[Part]) -> list[Part]:
    """Fonts taken out, with the braces that say how far they go, unless an index or an exponent is in them."""
    found: list[Part] = []
    closing: set[int] = set()
    for i, part in enumerate(parts):
        before = [p.text for p in parts[max(0, i - 2) : i]]
        if part.text in FONT or (part.text in TEXT and _beside(before)):
            end = 0 if before[-1:] in (["_"], ["^"]) else _end(parts, i + 1)
            closing |= {i + 1, end} if end else set()
        elif i not in closing:
            found.append(part)
    return found


def _beside(before: list[str]) -> bool:
    """Whether a word stands in a subscript or an exponent, where its font says nothing."""
    return before[-1:] in (["_"], ["^"]) or before in (["_", "{"], ["^", "{"])


def _end(parts: list[Part], start: int) -> int:
    """Where the brace that opens there is closed; 0 if none opens there, or it is never closed."""
    depth = 0
    for i in range(start, len(parts)):
        depth += (parts[i].text == "{") - (parts[i].text == "}")
        if depth == 0:
            return i if i > start else 0
    return 0


def _steps_below(parts: list[Part]) -> list[Part]:
    r"""``h^{(t)}`` as ``h_{t}``, and ``h^{(t)\top}`` as ``h_{t}^{\top}``."""
    found: list[Part] = []
    at = 0
    while at < len(parts):
        end = _end(parts, at + 1) if parts[at].text == "^" and _is_named(found) else 0
        closes = AROUND.get(parts[at + 2].text) if end else None
        inside = [p.text for p in parts[at + 3 : end]] if closes else []
        if closes not in inside or "(" in inside:
            found.append(parts[at])
            at += 1
            continue
        close = at + 3 + inside.index(closes)
        brace, rest = parts[end], parts[close + 1 : end]
        found += [replace(parts[at], text="_"), parts[at + 1], *parts[at + 3 : close], brace]
        found += [parts[at], parts[at + 1], *rest, brace] if rest else []
        at = end + 1
    return found


def _is_named(before: list[Part]) -> bool:
    """Whether a name ends there, maybe with a subscript: what is not a name has no step."""
    last = before[-1].text if before else ""
    return last == "}" or last.removeprefix("\\").isalpha()
