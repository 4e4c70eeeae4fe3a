"""Chapters in a report: what a derivation says beyond the backward equations, such as that a recurrence is linear."""

from __future__ import annotations

from derive.chapter import Chapter
from reports.markdown import equation, escape_markdown
from reports.notebook import Section, Text
from reports.report_lines import broken
from reports.report_links import heading


def chapter_section(chapter: Chapter, title: str, text: str) -> Section:
    """A chapter's lines, each with what it says in words.

    Args:
        chapter: what is shown.
        title: of the section.
        text: what stands before the lines, as Markdown.
    """
    lines = [f"{_sentence(line.title)}\n\n{equation(broken(line.latex))}" for line in chapter.lines]
    head = heading(chapter.key, title) + text
    return Section(chapter.key, [Text(head), *(Text(line) for line in lines)])


def _sentence(title: str) -> str:
    escaped = escape_markdown(title)
    return escaped[:1].upper() + escaped[1:] + ":"


LINEAR = "A recurrence that is linear in its state"
LINEAR_TEXT = (
    "The Jacobian of a step holds no state. So steps compose before any state is known, and all of them can be "
    "computed together: `throughtime generate CELL --scan` writes such code where the recurrence acts entry by entry."
)


def chapter_sections(chapters: tuple[Chapter, ...]) -> list[Section]:
    """The sections of a derivation's own chapters."""
    return [chapter_section(c, LINEAR, LINEAR_TEXT) for c in chapters if c.key == "linear"]
