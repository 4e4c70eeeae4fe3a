"""A walk over the tokens of one declaration, with errors that show the form expected."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from derive.errors import LanguageError
from derive.initial import KINDS
from derive.language_lines import Statement, Token

_FORMS = {
    "const": "Write `const name` or `const name = 0.9`.",
    "dim": "Write `dim name = n` (a column), `dim name = n, m` (a matrix) or `dim name = 1` (a scalar).",
    "option": "Write `option name = tanh | relu` or `option name = 2`.",
    "index": "Write `index name`.",
    "init": f"Write `init name = kind` with a number, {', '.join(KINDS)}, or minus another parameter.",
}


@dataclass(slots=True)
class Cursor:
    """Walks over the tokens of one declaration.

    Args:
        statement: the declaration.
        at: the number of the next token.
    """

    statement: Statement
    at: int = 1
    end: int = field(init=False)

    def __post_init__(self) -> None:
        self.end = len(self.statement.tokens)

    @property
    def token(self) -> Token | None:
        """The next token; ``None`` at the end of the line."""
        return self.statement.tokens[self.at] if self.at < self.end else None

    def fail(self, expected: str, hint: str = "") -> LanguageError:
        """The error that says what was expected at the next token, and what may have been meant."""
        token = self.token or self.statement.tokens[-1]
        found = f"found `{token.text}`" if self.token else "the line ends"
        kind = self.statement.tokens[0].text
        return LanguageError(
            f"Expected {expected}; {found}.{hint}",
            _FORMS[kind],
            place=self.statement.place(token.start, token.stop),
        )

    def take(self, kind: str, expected: str, text: str | None = None) -> Token:
        """The next token, which must be of this kind and read so.

        Raises:
            LanguageError: it is another.
        """
        token = self.token
        if token is None or token.kind != kind or (text is not None and token.text != text):
            raise self.fail(expected)
        self.at += 1
        return token

    def skip(self, text: str) -> bool:
        """Go past the next token if it reads so."""
        if self.token is not None and self.token.text == text:
            self.at += 1
            return True
        return False

    def finish(self) -> None:
        """Demand the end of the line."""
        if self.token is not None:
            raise self.fail("the end of the line")

    def number(self) -> Fraction:
        """A number with its sign, possibly a fraction."""
        sign = -1 if self.skip("-") else 1
        value = sign * Fraction(self.take("number", "a number").text)
        if self.skip("/"):
            below = Fraction(self.take("number", "a number").text)
            if below == 0:
                self.at -= 1
                raise self.fail("a number other than 0")
            value /= below
        return value
