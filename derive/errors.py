"""Every error that throughtime raises on purpose: what is wrong and where, what was found, what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of one line of a source text.

    Args:
        source: name of the text, e.g. ``lstm.cell``.
        line: line number, from 1.
        text: the whole line.
        column: first character of the stretch, from 0 (characters, not bytes).
        width: number of characters, at least 1.
    """

    source: str
    line: int
    text: str
    column: int = 0
    width: int = 1

    def caret(self, indent: int) -> str:
        """A line of carets under the stretch, when the text was printed after ``indent`` columns."""
        return " " * (indent + self.column) + "^" * max(1, self.width)


class ThroughtimeError(Exception):
    """Root of all errors; prints as: place and caret, what was expected and found, the remedy.

    Args:
        problem: one or more sentences: what is wrong, what was expected, what was found.
        remedy: one sentence: what to do.
        place: where in a source text, if it is in one.
    """

    exit_code = 2

    def __init__(self, problem: str, remedy: str = "", *, place: Place | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.place = place

    def __str__(self) -> str:
        lines: list[str] = []
        if self.place is not None:
            head = f"{self.place.source}, line {self.place.line}: "
            shown, caret = _clipped(self.place, len(head))
            lines += [head + shown, caret]
            lines += [f"  {line}" for line in self.problem.splitlines()]
        else:
            lines += self.problem.splitlines()
        if self.remedy:
            lines.append(f"  {self.remedy}")
        return "\n".join(lines)


def _clipped(place: Place, indent: int, width: int = 120) -> tuple[str, str]:
    """The line and its caret; a very long line is shown around the stretch only."""
    text, column = place.text, place.column
    span = max(1, min(place.width, width))
    start = max(0, column - width // 2) if len(text) > width else 0
    shown = text[start : start + width].replace("\t", " ")
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
    before, after = ("…" if start else ""), ("…" if start + width < len(text) else "")
    caret = " " * (indent + len(before) + column - start) + "^" * min(span, max(1, len(shown)))
    return before + shown + after, caret


class CellError(ThroughtimeError, ValueError):
    """The input is not a valid cell."""

    exit_code = 4


class LanguageError(CellError):
    """A text that the equation language does not admit."""


class ShapeError(CellError):
    """Two shapes that would have to agree and cannot."""


class UnknownCellError(CellError):
    """No shipped cell has this name and no file has this path."""

    exit_code = 2


class ArgumentError(ThroughtimeError, ValueError):
    """A function was called with an argument outside its domain."""


class NotVerifiedError(ThroughtimeError):
    """A check failed, so the word "verified" is withheld."""

    exit_code = 3
