"""Text to statements and tokens: the language's spelling, and the limits that hold before anything is parsed."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import NoReturn

from derive.errors import LanguageError, Place
from derive.language_foreign import foreign_character, instead_of_word

MAX_TEXT = 100_000
MAX_LINE = 4_000
MAX_STATEMENT = 20_000
MAX_STATEMENTS = 400
MAX_TOKENS = 20_000
MAX_BRACKETS = 30
MAX_DIGITS = 30
MAX_EXPONENT = 40
MAX_NAME = 40
MAX_SIGNS = 8

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<op>\*\*|[-+*/@()\[\],.=|])"
    r"|(?P<space>[ \t]+)"
)
_CLOSING = {")": "(", "]": "["}


@dataclass(frozen=True, slots=True)
class Statement:
    """One declaration or equation: its code without comments, on one line, and where that came from.

    Args:
        source: name of the whole text.
        code: the characters, continuation lines joined by a blank.
        pieces: for each physical line (offset in code, line number, the raw line).
        tokens: the code's tokens.
    """

    source: str
    code: str
    pieces: tuple[tuple[int, int, str], ...]
    tokens: tuple[Token, ...] = ()

    def place(self, start: int, stop: int) -> Place:
        """The place of ``code[start:stop]``; what runs past a physical line is cut there."""
        offset, line, raw = next(p for p in reversed(self.pieces) if p[0] <= start)
        column = start - offset
        width = max(1, min(stop - start, len(raw) - column))
        return Place(self.source, line, raw, column, width)


@dataclass(frozen=True, slots=True)
class Token:
    """A number, a name or an operator at ``code[start:stop]``."""

    kind: str
    text: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Document:
    """A text cut into statements, with what its comments say of it."""

    statements: tuple[Statement, ...]
    title: str
    reference: str


def read_lines(text: str, source: str) -> Document:
    """Cut a text into statements.

    Args:
        text: the cell's text.
        source: its name, for error messages.

    Raises:
        LanguageError: a limit is exceeded, a character is foreign, or a bracket has no partner.
    """
    if len(text) > MAX_TEXT:
        raise LanguageError(
            f"{source}: the text has {len(text):,} characters; at most {MAX_TEXT:,} are read.",
            "A cell is a few equations; split what is not part of one step.",
        )
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    return Document(_statements(lines, source), *_comments(lines))


def _comments(lines: list[str]) -> tuple[str, str]:
    """Title (the first comment) and reference (the comment that starts with ``source:``)."""
    found = [line.strip().lstrip("#").strip() for line in lines if line.lstrip().startswith("#")]
    sources = [c for c in found if c.lower().startswith("source:")]
    titles = [c for c in found if c and c not in sources]
    return (titles[0] if titles else ""), (sources[0][len("source:") :].strip() if sources else "")


def _statements(lines: list[str], source: str) -> tuple[Statement, ...]:
    done: list[Statement] = []
    code, pieces, tokens, opened = "", [], [], []
    count = 0
    for number, raw in enumerate(lines, start=1):
        _check_line_length(raw, number, source)
        kept = raw.partition("#")[0]
        pieces.append((len(code), number, raw))
        draft = Statement(source, code + kept, tuple(pieces))
        new = _tokens(draft, len(code))
        count += len(new)
        _check_brackets(draft, tokens, new, opened, count)
        tokens += new
        code = draft.code + " "
        if not opened:
            if tokens:
                done.append(Statement(source, draft.code, tuple(pieces), tuple(tokens)))
            code, pieces, tokens = "", [], []
    if opened:
        _raise_unclosed(Statement(source, code, tuple(pieces)), opened[-1])
    if len(done) > MAX_STATEMENTS:
        first = done[MAX_STATEMENTS]
        raise LanguageError(
            f"The text has {len(done):,} equations and declarations; at most {MAX_STATEMENTS} are read.",
            "Keep one step of one cell in a file.",
            place=first.place(first.tokens[0].start, first.tokens[0].stop),
        )
    return tuple(done)


def _check_line_length(raw: str, number: int, source: str) -> None:
    if len(raw) > MAX_LINE:
        raise LanguageError(
            f"The line has {len(raw):,} characters; at most {MAX_LINE:,} are read.",
            "Name parts of the expression and give each an equation of its own.",
            place=Place(source, number, raw, MAX_LINE, 1),
        )


def _tokens(statement: Statement, start: int) -> list[Token]:
    found, code, at = [], statement.code, start
    if len(code) > MAX_STATEMENT:
        raise LanguageError(
            f"The equation has more than {MAX_STATEMENT:,} characters.",
            "Name parts of the expression and give each an equation of its own.",
            place=statement.place(start, start + 1),
        )
    while at < len(code):
        match = _TOKEN.match(code, at)
        if match is None:
            raise foreign_character(statement.code, at, statement.place(at, at + 1))
        kind, stop = match.lastgroup, match.end()
        if kind != "space":
            token = Token(kind or "op", match.group(), at, stop)
            _check_token(statement, token)
            found.append(token)
        at = stop
    return found


def _check_token(statement: Statement, token: Token) -> None:
    place, text = statement.place(token.start, token.stop), token.text
    if token.kind == "number":
        _check_number(text, place)
        if re.match(r"[A-Za-z_]", statement.code[token.stop : token.stop + 1]):
            raise LanguageError(
                "A number runs into a name.",
                "Write a * between them, or start the name with a letter.",
                place=place,
            )
    if token.kind == "name":
        if len(text) > MAX_NAME:
            raise LanguageError(
                f"The name has {len(text)} characters; at most {MAX_NAME} are allowed.",
                "Shorten it.",
                place=place,
            )
        if keyword.iskeyword(text):
            raise LanguageError(
                f"`{text}` is a word of Python and cannot be a name here.",
                instead_of_word(text),
                place=place,
            )
        if text.startswith("__") and text.endswith("__") and text.strip("_"):
            raise LanguageError(
                f"`{text}` is Python's own, and a cell is no program: nothing in its text is run.",
                "Write equations, such as h[t] = tanh(W @ h[t-1] + U @ x[t]).",
                place=place,
            )
        if text.startswith("_"):
            name = text.strip("_")
            name = name if name[:1].isalpha() else f"a{name}"
            name += "_" * keyword.iskeyword(name)
            raise LanguageError("A name starts with a letter.", f"Write {name}.", place=place)


def _check_number(text: str, place: Place) -> None:
    mantissa, _, exponent = text.lower().partition("e")
    digits = sum(c.isdigit() for c in mantissa.lstrip("0"))
    if digits > MAX_DIGITS:
        raise LanguageError(
            f"The number is too long: it has {digits} digits, and at most {MAX_DIGITS} are read.",
            "Round it.",
            place=place,
        )
    if len(exponent.lstrip("+-")) > 3 or abs(int(exponent or 0)) > MAX_EXPONENT:
        raise LanguageError(
            f"The number is out of range: e{exponent[:12]}, and e-{MAX_EXPONENT} to e{MAX_EXPONENT} are read.",
            "Take other units, or declare `const` with a name alone and give its value when the code is run.",
            place=place,
        )
    if re.fullmatch(r"0[0-9]+", text):
        raise LanguageError(
            "A whole number does not start with 0.", f"Write {int(text)}.", place=place
        )


def _check_brackets(
    statement: Statement, before: list[Token], new: list[Token], opened: list[Token], count: int
) -> None:
    """Match brackets; ``opened`` holds those still open and is updated."""
    if count > MAX_TOKENS:
        raise LanguageError(
            f"The text has more than {MAX_TOKENS:,} names, numbers and operators.",
            "Keep one step of one cell in a file.",
            place=statement.place(new[0].start, new[0].stop),
        )
    so_far = list(before)
    for token in new:
        so_far.append(token)
        if token.text in "([" and token.kind == "op":
            opened.append(token)
            if len(opened) > MAX_BRACKETS:
                raise LanguageError(
                    f"Brackets are nested more than {MAX_BRACKETS} deep.",
                    "Name an inner part and give it an equation of its own.",
                    place=statement.place(token.start, token.stop),
                )
        elif token.text in _CLOSING:
            if not opened or opened[-1].text != _CLOSING[token.text]:
                raise LanguageError(
                    f"This `{token.text}` closes nothing.",
                    f"Remove it, or open a `{_CLOSING[token.text]}` before it.",
                    place=statement.place(token.start, token.stop),
                )
            opened.pop()
        elif token.text == "=" and opened and not _names_an_argument(so_far):
            if (
                statement.place(token.start, token.stop).line
                != statement.place(opened[-1].start, 0).line
            ):
                _raise_unclosed(statement, opened[-1])
            raise LanguageError(
                "An `=` stands within brackets.",
                f"Close the `{opened[-1].text}` before it, or remove it; arguments have no names.",
                place=statement.place(token.start, token.stop),
            )


def _names_an_argument(tokens: list[Token]) -> bool:
    """Whether the last token is the ``=`` of ``scan(cell, name=…`` or of ``scan(cell(name=…``."""
    texts = [token.text for token in tokens]
    return texts[1:3] == ["=", "scan"] and texts[-3] in "(," and tokens[-2].kind == "name"


def _raise_unclosed(statement: Statement, token: Token) -> NoReturn:
    closing = ")" if token.text == "(" else "]"
    raise LanguageError(
        f"This `{token.text}` is never closed.",
        f"Add the `{closing}` that belongs to it.",
        place=statement.place(token.start, token.stop),
    )
