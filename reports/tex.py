"""Notebook to a LaTeX document that pdflatex compiles; no pandoc, and nothing but the usual packages."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from reports.markdown import REFERENCE, anchors
from reports.notebook import KEY
from reports.texchars import escape_tex
from reports.texmarkdown import listing, markdown_to_tex, verbatim

if TYPE_CHECKING:
    from nbformat import NotebookNode


@dataclass(frozen=True, slots=True)
class Document:
    """A LaTeX document.

    Args:
        text: what the ``.tex`` file holds.
        figures: the PDF files that it includes, by name; they belong beside it.
    """

    text: str
    figures: dict[str, bytes]


def to_tex(notebook: NotebookNode) -> Document:
    """The notebook as a LaTeX document with links between equations, lines of code and checks.

    Args:
        notebook: as ``reports.notebook.build`` returns it; it is not changed.
    """
    targets = frozenset(
        name for c in notebook.cells if c.cell_type == "markdown" for name in anchors(c.source)
    )
    figures: dict[str, bytes] = {}
    parts = [_cell(cell, targets, figures) for cell in notebook.cells]
    template = (files("reports") / "templates" / "report.tex").read_text(encoding="utf-8")
    title = escape_tex(" ".join(str(notebook.metadata.get(KEY, {}).get("title", "Report")).split()))
    filled = {"@TITLE@": title, "@BODY@": "\n\n".join(part for part in parts if part)}
    text = re.sub("@TITLE@|@BODY@", lambda place: filled[place[0]], template)
    return Document(text=text, figures=figures)


def _cell(cell: NotebookNode, targets: frozenset[str], figures: dict[str, bytes]) -> str:
    if cell.cell_type == "markdown":
        return markdown_to_tex(cell.source)
    ours = cell.metadata.get(KEY, {})
    parts = [] if "figure" in ours else [_code(cell.source, ours, targets)]
    parts += [_output(output, figures) for output in cell.get("outputs", [])]
    return "\n".join(part for part in parts if part)


def _output(output: NotebookNode, figures: dict[str, bytes]) -> str:
    if output.output_type == "stream":
        return listing(verbatim(line) for line in output.text.rstrip("\n").split("\n"))
    data = output.get("data", {})
    if "application/pdf" in data:
        name = re.sub(
            r"[^A-Za-z0-9-]",
            "-",
            output.metadata.get(KEY, {}).get("name", f"figure-{len(figures) + 1}"),
        )
        figures[f"{name}.pdf"] = base64.b64decode(data["application/pdf"])
        return f"\\reportpicture{{{name}.pdf}}{{{name}}}"
    if "text/markdown" in data:
        return (
            "\\begin{center}\\small "
            + markdown_to_tex(data["text/markdown"]).strip()
            + "\\end{center}"
        )
    if "text/plain" in data:
        return listing(verbatim(line) for line in data["text/plain"].rstrip("\n").split("\n"))
    return ""


# --- code -------------------------------------------------------------------------------------------------------------


def _code(source: str, ours: dict[str, Any], targets: frozenset[str]) -> str:
    name, first = ours.get("anchor", ""), ours.get("first_line", 1)
    scope = ours.get("scope", "")
    lines = _highlighted(
        source, ours.get("language", "python"), lambda text: _linked(text, scope, targets)
    )
    if not name:
        return listing(lines)
    return listing(
        f"\\lineno{{{name}-L{n}}}{{{n}}}{line}" for n, line in enumerate(lines, start=first)
    )


def _highlighted(source: str, language: str, linked: Callable[[str], str]) -> list[str]:
    from pygments import lex
    from pygments.lexers import get_lexer_by_name
    from pygments.token import Comment, Keyword, String
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text", stripnl=False)
    looks = ((Comment, "\\codecomment"), (Keyword, "\\codekeyword"), (String, "\\codestring"))
    lines = [""]
    for kind, value in lex(source, lexer):
        look = next((command for parent, command in looks if kind in parent), "")
        for index, piece in enumerate(value.split("\n")):
            if index:
                lines.append("")
            text = linked(verbatim(piece)) if kind in Comment else verbatim(piece)
            lines[-1] += f"{look}{{{text}}}" if look and piece else text
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _linked(text: str, scope: str, targets: frozenset[str]) -> str:
    def link(match: re.Match[str]) -> str:
        name = f"eq-{scope}{match[1]}"
        return f"\\hyperlink{{{name}}}{{{match[0]}}}" if name in targets else match[0]

    return REFERENCE.sub(link, text)
