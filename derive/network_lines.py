"""The lines of a network's text, rewritten to the lines of a cell's, character for character.

``f.h[s]`` becomes ``f_h[t]`` with the axis s remembered, and ``[end]`` becomes ``[t  ]``, so every caret still
stands under what the author wrote. In a line along s, ``z[end]`` is the same at every step.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from derive.errors import LanguageError
from derive.language_lines import Statement, Token
from derive.language_words import nearest
from derive.network import END
from derive.network_columns import Whole, with_matrices


@dataclass(frozen=True, slots=True)
class Line:
    """A statement in the spelling of a cell.

    Args:
        statement: the rewritten statement.
        axis: the letter of its time index, ``end``, or empty if it has none.
        held: the names that have the index ``end`` in a line along another axis.
        wholes: the sequences that it takes as matrices.
    """

    statement: Statement
    axis: str
    held: frozenset[str] = frozenset()
    wholes: tuple[Whole, ...] = ()


def rewritten(
    statement: Statement, scans: Collection[str], taken: Collection[str] = frozenset()
) -> Line:
    """The statement in the spelling of a cell, and its axis.

    Args:
        statement: one line.
        scans: the names that may stand before a dot.
        taken: all words of the text.

    Raises:
        LanguageError: a name before a dot is no scan, or two axes meet in one line.
    """
    dotted, wholes = with_matrices(_joined(statement, scans), taken)
    tokens, code, held = list(dotted.tokens), dotted.code, set[str]()
    indices = _indices(tokens)
    axis = _axis([tokens[i] for i in indices], statement)
    for i in indices:
        token = tokens[i]
        if token.text != axis:
            if token.text != END or tokens[i + 1].text != "]":
                raise _meeting(axis, token, statement)
            held.add(tokens[i - 2].text)
        elif tokens[i - 2].text in held:
            raise _meeting(END, token, statement)
        code = code[: token.start] + "t".ljust(token.stop - token.start) + code[token.stop :]
        tokens[i] = Token("name", "t", token.start, token.start + 1)
    line = replace(dotted, code=code, tokens=tuple(tokens))
    return Line(line, axis, frozenset(held), wholes)


def _indices(tokens: list[Token]) -> list[int]:
    """Where time indices stand."""
    return [
        i
        for i, token in enumerate(tokens)
        if i >= 2 and tokens[i - 1].text == "[" and token.kind == "name"
    ]


def _axis(indices: list[Token], statement: Statement) -> str:
    """The axis of a line: that of what it defines, or of what a scan runs along.

    Raises:
        LanguageError: an index is a word.
    """
    for token in indices:
        if len(token.text) > 1 and token.text != END:
            raise LanguageError(
                f"{token.text} is no time index.",
                "A time index is one letter, as in x[t], or `end` for what comes after a scan.",
                place=statement.place(token.start, token.stop),
            )
    defines = [t.text for t in statement.tokens[1:2]] == ["["]
    words = [token.text for token in indices]
    running = [word for word in words if word != END]
    return ((words if defines else running) or words or [""])[0]


def _meeting(axis: str, token: Token, statement: Statement) -> LanguageError:
    """The error for two axes in one line."""
    remedy = (
        "Carry a sequence over by a scan's start, take its last value, [end], or all of its steps as a matrix, "
        "K[end] = columns(enc.h[s])."
    )
    if axis == END:
        remedy = (
            f"[end] is one value, after all steps, and {token.text} has many: take the last of them, [end], or all, "
            f"columns(name[{token.text}])."
        )
    elif token.text == END:
        remedy = "[end] is one value, and no step comes before it."
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
                f"A cell is named without its ending: {before.text}."
                if after.text == "cell"
                else "Write name.state for the state of a scan defined in this network.",
                place=statement.place(before.start, after.stop),
            )
        code = code[: dot.start] + "_" + code[dot.stop :]
        tokens[i - 1 : i + 2] = [
            Token("name", f"{before.text}_{after.text}", before.start, after.stop)
        ]
    return replace(statement, code=code, tokens=tuple(tokens))
