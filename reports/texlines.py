"""Long formulas on several lines: broken before a sign, as near the outside as it can be."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_SIZED = {r"\left": 1, r"\right": -1}
_DEPTH = {"{": 1, "}": -1, "(": 1, ")": -1, "[": 1, "]": -1}
_FRACTION = re.compile(r"\\frac(\{(?:[^{}]|\{[^{}]*\})*\})(\{(?:[^{}]|\{[^{}]*\})*\})")
_LETTERS = (
    dict.fromkeys((r"\operatorname", r"\mathrm", r"\mathbf", r"\text"), 0.0)
    | dict.fromkeys((r"\bar", r"\dot", r"\overline", r"\left", r"\right", " "), 0.0)
    | dict.fromkeys("+-=", 2.2)
    | dict.fromkeys((r"\sum", r"\prod", r"\cdots", r"\qquad"), 3.0)
    | dict.fromkeys((r"\exp", r"\log", r"\sin", r"\cos"), 2.7)
    | {r"\tanh": 3.6}
)
"""Widths that are not those of one letter."""
_SMALL = 0.72
"""Width of a letter in an index, in letters."""
LINE = 49.0
"""Letters of mathematics in a line of LaTeX's article at its usual margins, the number aside."""
_INDENT = 5.0


def width(formula: str) -> float:
    """About how wide a formula is, in letters; a fraction counts as the longer of its halves."""
    total = 0.0
    small = [False]  # whether each pair of braces around stands in an index, outermost first
    index = False
    for piece in _TOKEN.findall(_FRACTION.sub(lambda m: max(m[1], m[2], key=len), formula)):
        if piece in "_^":
            index = True
        elif piece == "{":
            small.append(index or small[-1])
            index = False
        elif piece == "}":
            small = small[:-1] or [False]
        else:
            total += _letters(piece) * (_SMALL if index or small[-1] else 1.0)
            index = False
    return total


def _letters(piece: str) -> float:
    if piece in _LETTERS:
        return _LETTERS[piece]
    return 0.4 if len(piece) == 2 and piece[0] == "\\" else 1.0


def broken(formula: str, line: float = LINE) -> tuple[str, ...]:
    """The formula in lines of at most this width where its signs allow it.

    Args:
        formula: LaTeX. Breaks stand before a ``+`` or ``-`` that no pair of braces or of sized brackets encloses.
        line: letters.
    """
    lines: list[str] = []
    room, rest = line, formula
    while width(rest) > room and (places := list(_breaks(rest))):
        fitting = [place for place in places if width(rest[: place[1]]) <= room]
        _, at = min(fitting or places[:1], key=lambda place: (place[0], -place[1]))
        lines.append(rest[:at].rstrip())
        room, rest = line - _INDENT, rest[at:]
    return (*lines, rest)


def _breaks(formula: str) -> Iterator[tuple[int, int]]:
    """Where a line may end: the number of plain brackets around, and the place."""
    braces = sized = plain = at = 0
    for piece in _TOKEN.findall(formula):
        if piece in "{}":
            braces += _DEPTH[piece]
        elif piece in _SIZED:
            sized += _SIZED[piece]
        elif piece in "()":
            plain += _DEPTH[piece]
        elif piece in "+-" and not braces and not sized and formula[at - 1 : at] == " " and at > 1:
            yield plain, at
        at += len(piece)
