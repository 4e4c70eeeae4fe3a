"""Long equations on several lines: broken at the signs between their terms, and nowhere else."""

from __future__ import annotations

import re

LIMIT = 76
"""About as many characters as fit beside an equation's number."""
_TOKEN = re.compile(r"\\(?:left|right)(?:\\[{}|]|.)|\\[A-Za-z]+|\\.|\s[+-]\s|.", re.DOTALL)


def broken(latex: str, limit: int = LIMIT) -> str:
    """The equation as it stands, or with its right side on several lines where it is wide.

    Args:
        latex: ``left = right``, in one line.
        limit: width of a line, in characters.
    """
    left, equals, right = latex.partition(" = ")
    if not equals or width(latex) <= limit:
        return latex
    lines = [""]
    for term in terms(right):
        if lines[-1] and width(left + lines[-1] + term) > limit:
            lines.append("")
        lines[-1] += term
    if len(lines) == 1:
        return latex
    body = " \\\\\n&\\quad {}".join(line.strip() for line in lines)
    return f"\\begin{{aligned}}\n{left} &= {body}\n\\end{{aligned}}"


def terms(latex: str) -> list[str]:
    """The terms of a sum with the signs before them; signs inside brackets do not count."""
    found, depth = [""], 0
    for piece in _TOKEN.findall(latex):
        if piece.startswith("\\left") or piece in "{([":
            depth += 1
        elif piece.startswith("\\right") or piece in "})]":
            depth -= 1
        if depth == 0 and piece in (" + ", " - "):
            found.append("")
        found[-1] += piece
    return found


def width(latex: str) -> int:
    """Roughly how many characters wide a formula is set."""
    words = re.sub(r"\\(?:operatorname|mathrm|bar|dot|overline|left|right|quad|,)", "", latex)
    return len(re.sub(r"[{}_^\s]", "", re.sub(r"\\[A-Za-z]+", "x", words)))
