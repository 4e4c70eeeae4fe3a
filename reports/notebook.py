"""Notebooks as data: sections of text, code and figures, written so that the same report has the same bytes.

Nothing is executed: outputs are given, cell ids follow from section names and positions.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from derive.errors import ArgumentError
from reports.figures import Picture
from reports.markdown import anchor

if TYPE_CHECKING:
    from nbformat import NotebookNode

KEY = "throughtime"
"""The key under which cells and notebooks carry what the renderers need."""


@dataclass(frozen=True, slots=True)
class Text:
    """A Markdown cell.

    Args:
        markdown: the text; names from a user go through ``escape_markdown`` or ``code_span`` first.
    """

    markdown: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code cell, with what it printed; a raw cell, which no kernel runs, where it is no Python.

    Args:
        source: the code.
        output: text shown under it; empty for none.
        anchor: with ``"code"``, line 12 is the link target ``code-L12``, line numbers show, and ``(7)`` in a
            comment links to the target ``eq-7`` if the notebook has it.
        first_line: number of the first line.
        language: Pygments' name of the language.
        scope: what stands before the number in the target of such a link: with ``"enc-"`` it is ``eq-enc-7``.
    """

    source: str
    output: str = ""
    anchor: str = ""
    first_line: int = 1
    language: str = "python"
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture with its caption.

    Args:
        picture: SVG for HTML and Jupyter, PDF for LaTeX, PNG where neither shows.
        caption: Markdown of one paragraph.
        alt: what the picture shows, in words, for those who do not see it.
        name: link target and file name, e.g. ``fig-flow``.
    """

    picture: Picture
    caption: str
    alt: str
    name: str


Cell = Text | Code | Figure


@dataclass(frozen=True, slots=True)
class Section:
    """Cells under one name, e.g. ``shapes``, whose cells get the ids ``shapes-01``, ``shapes-02``, …"""

    name: str
    cells: Sequence[Cell] = field(default_factory=tuple[Cell, ...])


FIGURE = "**Figure.**"
"""How the caption of a figure begins that gets its number from its place."""


def numbered(sections: Sequence[Section]) -> list[Section]:
    """The sections with their figures counted: a caption that begins with ``**Figure.**`` gets its number."""
    count = 0
    found: list[Section] = []
    for section in sections:
        cells: list[Cell] = []
        for cell in section.cells:
            if isinstance(cell, Figure) and cell.caption.startswith(FIGURE):
                count += 1
                told = cell.caption.removeprefix(FIGURE)
                cells.append(replace(cell, caption=f"**Figure {count}.**{told}"))
            else:
                cells.append(cell)
        found.append(Section(section.name, cells))
    return found


def build(
    title: str, sections: Sequence[Section], *, metadata: Mapping[str, Any] | None = None
) -> NotebookNode:
    """A notebook (format 4.5) of the sections, with fixed cell ids and no trace of time, place or machine.

    Args:
        title: plain text; the HTML page's and the LaTeX document's title. The text cells do not repeat it: a
            heading ``# title`` is put first.
        sections: in order; names are distinct.
        metadata: more keys for the notebook, JSON values only.

    Raises:
        ArgumentError: two sections share a name, or a name is no identifier.
    """
    from nbformat import v4, validate

    from reports.markdown import escape_markdown

    head = Section("title", [Text(f"# {escape_markdown(title)}")])
    cells = [_node(cell, cell_id) for cell_id, cell in _identified([head, *sections])]
    node = v4.new_notebook(
        cells=cells, metadata={**_METADATA, **(metadata or {}), KEY: {"title": title}}
    )
    node.nbformat_minor = 5
    validate(node)
    return node


_METADATA: dict[str, Any] = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


def to_ipynb(notebook: NotebookNode) -> bytes:
    """The notebook as the bytes of an ``.ipynb`` file: sorted keys, one line break at the end."""
    import nbformat

    return nbformat.writes(notebook).rstrip("\n").encode() + b"\n"


def _identified(sections: Sequence[Section]) -> list[tuple[str, Cell]]:
    seen: set[str] = set()
    numbered: list[tuple[str, Cell]] = []
    for section in sections:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,55}", section.name) or section.name in seen:
            raise ArgumentError(
                f"{section.name!r} cannot name a section: names are lower-case, hyphenated and distinct.",
                "Rename the section, for example 'backward-step'.",
            )
        seen.add(section.name)
        numbered += [
            (f"{section.name}-{i:02d}", cell) for i, cell in enumerate(section.cells, start=1)
        ]
    return numbered


def _node(cell: Cell, cell_id: str) -> NotebookNode:
    from nbformat import v4

    match cell:
        case Text():
            return v4.new_markdown_cell(cell.markdown, id=cell_id)
        case Code():
            outputs = (
                [v4.new_output("stream", name="stdout", text=cell.output)] if cell.output else []
            )
            ours = {
                "anchor": cell.anchor,
                "first_line": cell.first_line,
                "language": cell.language,
                **({"scope": cell.scope} if cell.scope else {}),
            }
            if cell.language != "python":
                return v4.new_raw_cell(cell.source, id=cell_id, metadata={KEY: ours})
            return v4.new_code_cell(cell.source, id=cell_id, outputs=outputs, metadata={KEY: ours})
        case Figure():
            return _figure(cell, cell_id)


def _figure(figure: Figure, cell_id: str) -> NotebookNode:
    """A code cell whose source Jupyter hides and whose outputs are the picture and the caption."""
    from nbformat import v4

    anchor(figure.name)  # refuses a name that cannot be linked to
    data = {
        "image/svg+xml": figure.picture.svg,
        "image/png": base64.b64encode(figure.picture.png).decode("ascii"),
        "application/pdf": base64.b64encode(figure.picture.pdf).decode("ascii"),
        "text/plain": figure.alt,
    }
    picture = v4.new_output(
        "display_data", data=data, metadata={KEY: {"alt": figure.alt, "name": figure.name}}
    )
    caption = v4.new_output(
        "display_data", data={"text/markdown": figure.caption, "text/plain": figure.caption}
    )
    return v4.new_code_cell(
        "# " + " ".join(figure.alt.split()),
        id=cell_id,
        outputs=[picture, caption],
        metadata={"jupyter": {"source_hidden": True}, KEY: {"figure": figure.name}},
    )
