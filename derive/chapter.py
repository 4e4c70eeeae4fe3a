"""A chapter of a derivation: numbered lines beyond the backward equations, as text, LaTeX and data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChapterLine:
    """One line.

    Args:
        title: what it is, in words.
        latex: the line as LaTeX.
        text: the line as text.
        rules: what it follows from.
    """

    title: str
    latex: str
    text: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chapter:
    """Lines under one heading.

    Args:
        key: a short name, e.g. ``truncation``.
        heading: what is derived, in words.
        lines: in order.
    """

    key: str
    heading: str
    lines: tuple[ChapterLine, ...]

    def text(self) -> str:
        """All lines as text under the heading, for a terminal."""
        rows: list[str] = []
        for i, line in enumerate(self.lines, 1):
            rows += [f"  ({i:>2}) {line.text}", f"       {line.title}"]
        return "\n".join([self.heading, *rows]) + "\n"

    def latex(self) -> str:
        """All lines as numbered display equations under the heading."""
        body = " \\\\\n".join(rf"{line.latex} \tag{{{i}}}" for i, line in enumerate(self.lines, 1))
        return f"\\paragraph{{{self.heading}}}\n\\begin{{align*}}\n{body}\n\\end{{align*}}\n"

    def to_dict(self) -> dict[str, object]:
        """The chapter as plain data."""
        return {
            "chapter": self.key,
            "heading": self.heading,
            "steps": [
                {
                    "number": i,
                    "title": line.title,
                    "rules": list(line.rules),
                    "text": line.text,
                    "latex": line.latex,
                }
                for i, line in enumerate(self.lines, 1)
            ],
        }
