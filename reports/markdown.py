"""The Markdown of the reports: writing it safely, and reading it for HTML and LaTeX alike.

The dialect is nbconvert's own (CommonMark, tables, ``$…$`` and ``$$…$$``), with one restriction: of raw HTML only
empty anchors ``<a id="eq-7"></a>`` have a meaning, everything else in angle brackets is text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any

from derive.errors import ArgumentError

ANCHOR = re.compile(r'<a id="(?P<id>[A-Za-z][A-Za-z0-9_.:-]*)">')
TAG = re.compile(r"\\tag\{([^{}]*)\}")
REFERENCE = re.compile(r"\(([A-Za-z0-9][A-Za-z0-9_.:-]*)\)")
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]*")
_HARMLESS = frozenset(" .,;!?()'/%")


def escape_html(text: str) -> str:
    """Text as HTML shows it literally, in content and inside quoted attributes alike."""
    return html.escape(text, quote=True)


def escape_markdown(text: str) -> str:
    """Text as Markdown shows it literally: no emphasis, link, HTML, table cell or mathematics can begin in it.

    Args:
        text: anything, e.g. a name from a user's file; line breaks become spaces.
    """
    flat = " ".join(text.split())
    return "".join(_literal(character) for character in flat)


def _literal(character: str) -> str:
    if character.isalnum() or character in _HARMLESS or ord(character) > 127:
        return character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
    return f"&#{ord(character)};"


def code_span(text: str) -> str:
    """Text as a Markdown code span, whatever backticks it holds; line breaks become spaces."""
    flat = " ".join(text.split())
    if not flat:
        return ""
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def anchor(name: str) -> str:
    """An empty link target, e.g. ``<a id="eq-7"></a>``.

    Args:
        name: a letter, then letters, digits and ``_ . : -``.

    Raises:
        ArgumentError: the name has another form.
    """
    if not _IDENTIFIER.fullmatch(name):
        raise ArgumentError(
            f"{name!r} is no name for a link target.",
            "Begin with a letter and use letters, digits, '_', '.', ':' and '-'.",
        )
    return f'<a id="{name}"></a>'


def equation(latex: str, number: str | int | None = None) -> str:
    r"""A displayed equation; with a number it carries ``\tag`` and the link target ``eq-number``.

    Args:
        latex: what stands between ``$$`` and ``$$``; several lines go into ``\begin{aligned}``.
        number: what the reader sees in brackets, e.g. 7 or ``"7a"``.

    Raises:
        ArgumentError: the LaTeX holds a dollar sign or a blank line, or the number is no name.
    """
    body = latex.strip()
    if re.search(r"(?<!\\)\$", body) or re.search(r"\n\s*\n", body):
        raise ArgumentError(
            "The LaTeX of an equation holds a dollar sign or a blank line.",
            "Give what stands between the dollar signs, in consecutive lines.",
        )
    if number is None:
        return f"$$\n{body}\n$$"
    return f"{anchor(f'eq-{number}')}\n\n$$\n{body}\n\\tag{{{number}}}\n$$"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""A Markdown table.

    Args:
        header: Markdown of the head's cells.
        rows: Markdown of the cells; every row as long as the header. A ``|`` inside a cell is kept as text, also
            in code; in mathematics it becomes ``\vert`` and ``\|`` becomes ``\Vert``.

    Raises:
        ArgumentError: a row has another length.
    """
    lines = [_row(header), _row(["---"] * len(header))]
    for index, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise ArgumentError(
                f"Row {index} of the table has {len(row)} cells; the header has {len(header)}.",
                "Give every row one cell for each column.",
            )
        lines.append(_row(row))
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(markdown: str) -> str:
    """A cell's Markdown without line breaks and without a bare ``|``, which would end the cell."""
    parts = re.split(
        r"((?<![\\$])\$[^$`]+\$)", " ".join(re.split(r"[ \t\r\n]+", markdown.strip(" \t\r\n")))
    )
    for index, part in enumerate(parts):
        if index % 2:
            parts[index] = part.replace(r"\|", r"\Vert ").replace("|", r"\vert ")
        else:
            parts[index] = part.replace("|", r"\|")
    return "".join(parts)


def anchors(markdown: str) -> list[str]:
    """The link targets that a Markdown text defines, in order."""
    return [match["id"] for match in ANCHOR.finditer(markdown)]


def render(markdown: str, renderer: Any) -> str:
    """Read Markdown with nbconvert's parser and write it with a mistune renderer."""
    from mistune.plugins import import_plugin
    from nbconvert.filters.markdown_mistune import MarkdownWithMath

    plugins: list[Any] = [import_plugin("table"), import_plugin("strikethrough")]
    reader = MarkdownWithMath(renderer=renderer, plugins=plugins)
    reader.before_render_hooks.append(_unescape_cells)
    return reader.render(markdown)


def _unescape_cells(_reader: Any, state: Any) -> None:
    r"""Give ``\|`` in tables back its meaning, also inside code, as GitHub's and Jupyter's readers do."""
    waiting: list[dict[str, Any]] = list(state.tokens)
    while waiting:
        token = waiting.pop()
        if token["type"] == "table_cell":
            token["text"] = token["text"].replace(r"\|", "|")
        waiting += token.get("children", [])
