"""A walk over the tokens of a formula in LaTeX, with errors that show the place."""

from __future__ import annotations

from dataclasses import dataclass

from derive.errors import LanguageError
from derive.language_lines import Statement
from proofs.claims.cursor import Names
from proofs.claims.latex_signs import Part


@dataclass(slots=True)
class LatexCursor:
    """Where one stands in a formula.

    Args:
        statement: where the formula stands.
        parts: its tokens.
        names: what it may speak of.
        at: the token that comes next.
    """

    statement: Statement
    parts: list[Part]
    names: Names
    at: int = 0

    def fail(self, problem: str, remedy: str, part: Part | None = None) -> LanguageError:
        """An error at a token, the next one if none is given."""
        part = part or (self.parts[min(self.at, len(self.parts) - 1)] if self.parts else None)
        start, stop = (part.start, part.stop) if part else (0, 1)
        return LanguageError(problem, remedy, place=self.statement.place(start, stop))

    @property
    def text(self) -> str:
        """The next token; empty at the end."""
        return self.parts[self.at].text if self.at < len(self.parts) else ""

    def take(self) -> Part:
        """The next token, passed.

        Raises:
            LanguageError: there is none.
        """
        if self.at >= len(self.parts):
            raise self.fail("The formula ends too early.", "Complete it.")
        self.at += 1
        return self.parts[self.at - 1]

    def skip(self, text: str) -> bool:
        """Pass the token if it is this one."""
        found = self.text == text
        self.at += found
        return found

    def group_text(self) -> str:
        """The characters of a group in braces, or one token."""
        if not self.skip("{"):
            return self.take().text
        found, depth = "", 0
        while depth or self.text != "}":
            text = self.take().text
            depth += (text == "{") - (text == "}")
            found += text
        self.at += 1
        return found

    def peek_word(self) -> str:
        """The group that comes after the next token; nothing is passed."""
        here = self.at
        self.at += 1
        word = self.group_text()
        self.at = here
        return word
