"""Markdown to LaTeX, for the Markdown that reports are written in."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Any

from mistune import BaseRenderer

from reports.markdown import ANCHOR, TAG, render
from reports.texchars import escape_tex, escape_tex_formula

# Separators; text cannot hold them, since escape_tex writes their numbers instead.
_CELL, _ROW, _TARGET = "\x1f", "\x1e", "\x1d"
# Mathematics has no use for these, and they would read or write files or change the language itself.
_UNSAFE = re.compile(
    r"\\(input|include|includegraphics|openin|openout|read|write|immediate|special|csname|catcode|[exg]?def|let|"
    r"futurelet|newcommand|renewcommand|usepackage|loop|directlua|expandafter|end\{document\})(?![A-Za-z])|\^\^|[\x00-\x08\x0b-\x1f]"
)


def listing(lines: Iterable[str]) -> str:
    """Lines of code, already in LaTeX, one paragraph each."""
    return (
        "\\begin{listing}\n"
        + "".join(f"\\codeline{{{line}}}\n" for line in lines)
        + "\\end{listing}"
    )


def verbatim(text: str) -> str:
    """One line of code in LaTeX, its spaces kept."""
    return escape_tex(text.expandtabs(4)).replace(" ", "\\ ")


def markdown_to_tex(markdown: str) -> str:
    """A Markdown cell as LaTeX; raw HTML other than anchors is printed as text.

    Args:
        markdown: the dialect of ``reports.markdown``.
    """
    written = render(markdown, _Renderer())
    moved = re.sub(
        f"{_TARGET}([^{_TARGET}]*){_TARGET}\\s*(\\\\begin\\{{equation\\*\\}})",
        r"\2\\target{\1}",
        written,
    )
    return re.sub(f"{_TARGET}([^{_TARGET}]*){_TARGET}", r"\\target{\1}", moved).strip()


def _mathematics(source: str) -> str | None:
    """The formula in one paragraph, or None where it holds what mathematics has no use for."""
    lines = [line for line in source.strip().split("\n") if line.strip()]
    text = "\n".join(lines)
    if _UNSAFE.search(text) or text.count("{") - text.count(r"\{") != text.count("}") - text.count(
        r"\}"
    ):
        return None
    return escape_tex_formula(re.sub(r"(?<!\\)%.*", "", text))


class _Renderer(BaseRenderer):
    """Markdown's tokens as LaTeX; the methods' names are mistune's."""

    NAME = "latex"

    def render_token(self, token: dict[str, Any], state: Any) -> str:
        method = self._get_method(token["type"])
        attrs = token.get("attrs") or {}
        if "raw" in token:
            return method(token["raw"], **attrs)
        if "children" in token:
            return method(self.render_tokens(token["children"], state), **attrs)
        return method(**attrs)

    def text(self, text: str) -> str:
        return escape_tex(html.unescape(text))

    def emphasis(self, text: str) -> str:
        return f"\\emph{{{text}}}"

    def strong(self, text: str) -> str:
        return f"\\textbf{{{text}}}"

    def strikethrough(self, text: str) -> str:
        return text

    def codespan(self, text: str) -> str:
        return f"\\texttt{{{escape_tex(text)}}}"

    def link(self, text: str, url: str, title: str | None = None) -> str:
        if url.startswith("#") and re.fullmatch(r"#[A-Za-z0-9_.:-]+", url):
            return f"\\hyperlink{{{url[1:]}}}{{{text}}}"
        if re.match(r"https?://", url):
            return f"\\href{{{_url(url)}}}{{{text}}}"
        return text

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return text

    def linebreak(self) -> str:
        return "\\newline\n"

    def softbreak(self) -> str:
        return "\n"

    def blank_line(self) -> str:
        return ""

    def inline_html(self, text: str) -> str:
        return "" if text == "</a>" else self.block_html(text).strip("\n")

    def block_html(self, text: str) -> str:
        inner = text.strip().replace("</a>", "")
        parts: list[str] = []
        end = 0
        for match in ANCHOR.finditer(inner):
            parts += [escape_tex(inner[end : match.start()]), f"{_TARGET}{match['id']}{_TARGET}"]
            end = match.end()
        return "".join([*parts, escape_tex(inner[end:])]) + "\n\n"

    def paragraph(self, text: str) -> str:
        return text + "\n\n"

    def block_text(self, text: str) -> str:
        return text

    def block_code(self, code: str, info: str | None = None) -> str:
        return listing(verbatim(line) for line in code.rstrip("\n").split("\n")) + "\n\n"

    def block_quote(self, text: str) -> str:
        return f"\\begin{{quote}}\\small\n{text.strip()}\n\\end{{quote}}\n\n"

    def block_error(self, text: str) -> str:
        return ""

    def thematic_break(self) -> str:
        return "\\par\\medskip\\hrule\\medskip\n\n"

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        if level == 1:
            return ""  # the title, which \maketitle prints
        command = {2: "section", 3: "subsection"}.get(level, "subsubsection")
        plain = re.sub(r"\\[A-Za-z]+|[^A-Za-z0-9 ]", "", text).strip()
        return f"\\{command}{{\\texorpdfstring{{{text}}}{{{plain}}}}}\n\n"

    def list(self, text: str, ordered: bool, **attrs: Any) -> str:
        name = "enumerate" if ordered else "itemize"
        return f"\\begin{{{name}}}\n{text}\\end{{{name}}}\n\n"

    def list_item(self, text: str) -> str:
        return f"\\item {{}}{text.strip()}\n"

    def inline_math(self, text: str) -> str:
        formula = _mathematics(text)
        return f"\\texttt{{{escape_tex(text)}}}" if formula is None else f"${formula}$"

    def block_math(self, text: str) -> str:
        formula = _mathematics(text)
        if formula is None:
            return f"\\texttt{{{escape_tex(text)}}}"
        tag = TAG.search(formula)
        number = f"\\tag{{{escape_tex(tag[1])}}}" if tag else ""
        body = TAG.sub("", formula).strip()
        return f"\\begin{{equation*}}\n\\fit{{{body}}}{number}\n\\end{{equation*}}"

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")

    def table(self, text: str) -> str:
        rows = [row.split(_CELL)[:-1] for row in text.split(_ROW)[:-1]]
        head, *body = ["  " + " & ".join(row) + " \\\\\n" for row in rows]
        layout = f"\\begin{{longtable}}{{@{{}}{_columns(rows)}@{{}}}}\n\\toprule\n{head}\\midrule\n\\endhead\n"
        return "{\\small\n" + layout + "".join(body) + "\\bottomrule\n\\end{longtable}}\n\n"

    def table_head(self, text: str) -> str:
        return text + _ROW

    def table_body(self, text: str) -> str:
        return text

    def table_row(self, text: str) -> str:
        return text + _ROW

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        return (f"\\textbf{{{text}}}" if head and text else text) + _CELL


def _columns(rows: list[list[str]]) -> str:
    """Column types: narrow ones as wide as their text, wide ones share what is left of the line."""
    printed = [[re.sub(r"\\[A-Za-z]+|[{}$\\]", "", cell) for cell in row] for row in rows]
    sizes = [max(map(len, column)) for column in zip(*printed, strict=True)]
    wide = [size for size in sizes if size > 28]
    room = max(0.25, 0.93 - sum(0.0135 * size + 0.025 for size in sizes if size <= 28))
    return "".join(
        f">{{\\raggedright\\arraybackslash}}p{{{room * size / sum(wide):.3f}\\linewidth}}"
        if size > 28
        else "l"
        for size in sizes
    )


def _url(url: str) -> str:
    r"""A web address inside ``\href``: what LaTeX reads as a command is percent-encoded or escaped."""
    encoded = re.sub(
        r"[^A-Za-z0-9:/?=&._~+,;@!()*%#-]",
        lambda m: "".join(f"%{b:02X}" for b in m[0].encode()),
        url,
    )
    return re.sub(r"([%#&_~])", r"\\\1", encoded).replace("\\~", "~").replace("\\_", "_")
