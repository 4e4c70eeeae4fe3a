"""The lines of a network's text, rewritten to the lines of a cell's, character for character.

``f.h[s]`` becomes ``f_h[t]`` with the axis s remembered, and ``[end]`` becomes ``[t  ]``, so every caret still
stands under what the author wrote.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from derive.errors import LanguageError
from derive.language_lines import Statement, Token
from derive.language_words import nearest
from derive.network import END


@dataclass(frozen=True, slots=True)
class Line:
    """A statement in the spelling of a cell.

    Args:
        statement: the rewritten statement.
        axis: the letter of its time index, ``end``, or empty if it has none.
    """

    statement: Statement
    axis: str


def rewritten(statement: Statement, scans: Collection[str]) -> Line:
    """The statement in the spelling of a cell, and its axis.

    Raises:
        LanguageError: a name before a dot is no scan, or two axes meet in one line.
    """
    dotted = _joined(statement, scans)
    tokens = list(dotted.tokens)
    axis, code = "", dotted.code
    for i, token in enumerate(tokens):
        opens = i >= 2 and tokens[i - 1].text == "[" and token.kind == "name"
        if not opens:
            continue
        if len(token.text) > 1 and token.text != END:
            raise LanguageError(
                f"{token.text} is no time index.",
                "A time index is one letter, as in x[t], or `end` for what comes after a scan.",
                place=statement.place(token.start, token.stop),
            )
        if axis and token.text != axis:
            raise _meeting(axis, token, statement)
        axis = token.text
        code = code[: token.start] + "t".ljust(token.stop - token.start) + code[token.stop :]
        tokens[i] = Token("name", "t", token.start, token.start + 1)
    return Line(replace(dotted, code=code, tokens=tuple(tokens)), axis)


def _meeting(axis: str, token: Token, statement: Statement) -> LanguageError:
    """The error for two axes in one line."""
    remedy = "Carry a sequence over by a scan's start, or use [end]."
    if END in (axis, token.text):
        other = token.text if axis == END else axis
        remedy = (
            f"[end] is one value, after all steps, and {other} has many: write the whole line at [end], or carry the "
            f"value along {other} by a scan that starts from it, start(scan)."
        )
    return LanguageError(
        f"The axes {axis} and {token.text} meet in one line.",
        remedy,
        place=statement.place(token.start, token.stop),
    )


def _joined(statement: Statement, scans: Collection[str]) -> Statement:
    """The statement with ``f.h`` written ``f_h``."""
    tokens, code = list(statement.tokens), statement.code
    i = 1
    while i < len(tokens) - 1:
        before, dot, after = tokens[i - 1 : i + 2]
        if dot.text != "." or before.kind != "name" or after.text == "T":
            i += 1
            continue
        if before.text not in scans or before.stop != dot.start or dot.stop != after.start:
            raise LanguageError(
                f"{before.text} is no scan, so it has no state {after.text}."
                f"{nearest(before.text, scans)}",
                "Write name.state for the state of a scan defined in this network.",
                place=statement.place(before.start, after.stop),
            )
        code = code[: dot.start] + "_" + code[dot.stop :]
        tokens[i - 1 : i + 2] = [
            Token("name", f"{before.text}_{after.text}", before.start, after.stop)
        ]
    return replace(statement, code=code, tokens=tuple(tokens))
