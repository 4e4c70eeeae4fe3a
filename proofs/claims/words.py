"""The spelling of claims: a statement's characters to tokens."""

from __future__ import annotations

import re

from derive.errors import LanguageError
from derive.language_lines import MAX_BRACKETS, MAX_DIGITS, MAX_NAME, Statement, Token
from proofs.claims.hints import for_character

MAX_TOKENS = 600
SAME = {
    "∘": "*",
    "⊙": "*",
    "−": "-",
    "–": "-",
    "≤": "<=",
    "≥": ">=",
    "≈": "~=",
    "⋅": "·",
    "ᵀ": ".T",
    "²": "**2",
}
"""Characters that stand for an operator of the language."""

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?)"
    r"|(?P<name>∂?[A-Za-z_][A-Za-z0-9_]*|∂|σ(?:_max|_min)?)"
    r"|(?P<op>==|~=|<=|>=|\.\.|\.T\b|\*\*|[-+*/@·()\[\],=∘⊙−–≤≥≈⋅ᵀ²])"
    r"|(?P<space>[ \t]+)"
)
_CLOSING = {")": "(", "]": "["}


def tokens_of(statement: Statement, start: int, stop: int) -> list[Token]:
    """The tokens of ``code[start:stop]``; brackets are matched.

    Raises:
        LanguageError: a character is foreign, a limit is exceeded, or a bracket has no partner.
    """
    found: list[Token] = []
    at = start
    while at < stop:
        match = _TOKEN.match(statement.code, at, stop)
        if match is None:
            char = statement.code[at]
            shown = f"`{char}`" if char.isprintable() else f"The character U+{ord(char):04X}"
            raise LanguageError(
                f"{shown} has no meaning in a claim.",
                for_character(char),
                place=statement.place(at, at + 1),
            )
        if match.lastgroup != "space":
            found.append(_token(statement, match))
        at = match.end()
    if len(found) > MAX_TOKENS:
        raise LanguageError(
            f"The claim has {len(found):,} names, numbers and operators; at most {MAX_TOKENS} are read.",
            "Name parts of it as quantities of the cell.",
            place=statement.place(found[MAX_TOKENS].start, found[MAX_TOKENS].stop),
        )
    _match_brackets(statement, found)
    return found


def _token(statement: Statement, match: re.Match[str]) -> Token:
    kind, text = str(match.lastgroup), match.group()
    too_long = (
        len(text) > MAX_NAME if kind == "name" else sum(c.isdigit() for c in text) > MAX_DIGITS
    )
    if too_long:
        raise LanguageError(
            f"This {kind} is too long.",
            "Shorten it.",
            place=statement.place(match.start(), match.end()),
        )
    if kind == "number" and re.match(r"[A-Za-z_]", statement.code[match.end() : match.end() + 1]):
        raise LanguageError(
            "A number runs into a name.",
            "Write a * between them, or start the name with a letter.",
            place=statement.place(match.start(), match.end()),
        )
    return Token(kind, SAME.get(text, text), match.start(), match.end())


def _match_brackets(statement: Statement, tokens: list[Token]) -> None:
    opened: list[Token] = []
    for token in tokens:
        if token.text in ("(", "["):
            opened.append(token)
        elif token.text in _CLOSING:
            if not opened or opened[-1].text != _CLOSING[token.text]:
                raise LanguageError(
                    f"This `{token.text}` closes nothing.",
                    "Remove it.",
                    place=statement.place(token.start, token.stop),
                )
            opened.pop()
        if len(opened) > MAX_BRACKETS:
            raise LanguageError(
                f"Brackets are nested more than {MAX_BRACKETS} deep.",
                "Name an inner part as a quantity of the cell.",
                place=statement.place(token.start, token.stop),
            )
    if opened:
        token = opened[-1]
        raise LanguageError(
            f"This `{token.text}` is never closed.",
            "Close it.",
            place=statement.place(token.start, token.stop),
        )
