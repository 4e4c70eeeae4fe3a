"""Notebook to one HTML file that needs nothing else: fonts, script, mathematics and figures are inside.

The page trusts no text. Markdown passes through a renderer that knows no raw HTML but anchors, and a
content security policy lets only the page's own two scripts run and forbids every request to a host.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mistune import HTMLRenderer

from reports.markdown import ANCHOR, REFERENCE, TAG, anchors, escape_html, render
from reports.notebook import KEY

if TYPE_CHECKING:
    from nbformat import NotebookNode

_ASSETS = files("reports") / "assets"
_COMMENT = re.compile(r'(<span class="c[a-z0-9]*">)(.*?)(</span>)')
_MARKS = {"✓": "good", "✗": "bad", "—": "none"}


@dataclass(slots=True)
class _Page:
    """What the cells of one page share while it is written."""

    targets: frozenset[str]
    headings: list[tuple[int, str, str]] = field(default_factory=list[tuple[int, str, str]])
    used: set[str] = field(default_factory=set[str])

    def slug(self, text: str) -> str:
        """A heading's id, distinct on the page."""
        words = re.findall(r"[a-z0-9]+", re.sub(r"<[^>]*>|&[a-z#0-9]+;", " ", text).lower())
        base = "-".join(["sec", *words])[:60]
        name, count = base, 1
        while name in self.used:
            count += 1
            name = f"{base}-{count}"
        self.used.add(name)
        return name


def to_html(notebook: NotebookNode) -> str:
    """The notebook as one self-contained HTML page.

    Args:
        notebook: as ``reports.notebook.build`` returns it; it is not changed.

    Returns:
        The page. When its script has run, ``<html data-math="done" data-math-errors="0">`` holds the number of formulas
        that KaTeX refused in strict mode; those stand in red, with the class ``katex-error``.
    """
    from nbconvert.exporters import TemplateExporter
    from traitlets.config import Config

    page = _Page(frozenset(_targets(notebook)))
    exporter = TemplateExporter(
        config=Config(),
        template_name="throughtime",
        extra_template_basedirs=[str(files("reports") / "templates")],
        file_extension=".html",
        filters={
            "page_markdown": lambda text: _markdown(text, page),
            "page_code": lambda cell: _code(cell, page),
            "page_escape": escape_html,
            "page_svg": data_uri,
            "page_headings": lambda _: page.headings,
        },
    )
    exporter.preprocessors = []
    scripts = [_script("katex/katex.min.js"), _script("page.js")]
    resources = {
        "title": notebook.metadata.get(KEY, {}).get("title", "Report"),
        "styles": [_katex_css(), _asset("page.css")],
        "scripts": scripts,
        "policy": _policy(scripts),
    }
    text, _ = exporter.from_notebook_node(notebook, resources=resources)
    return text


def _targets(notebook: NotebookNode) -> list[str]:
    """Every link target of the notebook except headings and lines of code."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    return [name for cell in cells for name in anchors(cell.source)]


# --- assets -----------------------------------------------------------------------------------------------------------


def _asset(name: str) -> str:
    return _ASSETS.joinpath(*name.split("/")).read_text(encoding="utf-8")


def _script(name: str) -> str:
    """A script as it may stand between ``<script>`` and ``</script>``: nothing in it ends or comments the element."""
    return re.sub(r"<(?=/script|!--|script)", r"\\x3c", _asset(name), flags=re.IGNORECASE)


def _policy(scripts: list[str]) -> str:
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    allowed = " ".join(f"'sha256-{h}'" for h in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _katex_css() -> str:
    """KaTeX's style sheet with its woff2 fonts inside, other formats left out."""

    def inline(match: re.Match[str]) -> str:
        font = _ASSETS.joinpath("katex", "fonts", match[1]).read_bytes()
        return f'src:url(data:font/woff2;base64,{base64.b64encode(font).decode()}) format("woff2")'

    return re.sub(r"src:url\(fonts/([\w-]+\.woff2)\)[^;}]*", inline, _asset("katex/katex.min.css"))


def data_uri(svg: str) -> str:
    """An SVG as an image: its ids stay its own, and nothing in it can run."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


# --- code -------------------------------------------------------------------------------------------------------------


def _code(cell: NotebookNode, page: _Page) -> str:
    ours = cell.metadata.get(KEY, {})
    lines = _highlighted(cell.source, ours.get("language", "python"))
    name = ours.get("anchor", "")
    if not name:
        return '<pre class="code">' + "\n".join(lines) + "</pre>"
    scope = ours.get("scope", "")
    numbered = [
        _line(line, name, number, lambda match: _reference(match, scope, page))
        for number, line in enumerate(lines, start=ours.get("first_line", 1))
    ]
    return '<pre class="code numbered">' + "\n".join(numbered) + "</pre>"


def _highlighted(source: str, language: str) -> list[str]:
    """The lines of the code as HTML; no element spans two of them."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text", stripnl=False)
    return str(highlight(source, lexer, HtmlFormatter(nowrap=True))).rstrip("\n").split("\n")


def _line(line: str, name: str, number: int, link: Callable[[re.Match[str]], str]) -> str:
    target = escape_html(f"{name}-L{number}")
    linked = _COMMENT.sub(lambda m: m[1] + REFERENCE.sub(link, m[2]) + m[3], line)
    return f'<span class="line" id="{target}"><a class="ln" href="#{target}" data-n="{number}"></a>{linked}</span>'


def _reference(match: re.Match[str], scope: str, page: _Page) -> str:
    target = f"eq-{scope}{match[1]}"
    return f'<a href="#{target}">{match[0]}</a>' if target in page.targets else match[0]


# --- text -------------------------------------------------------------------------------------------------------------


def _markdown(text: str, page: _Page) -> str:
    return render(text, _Renderer(page))


class _Renderer(HTMLRenderer):
    """Markdown's tokens as HTML; the methods' names are mistune's."""

    def __init__(self, page: _Page) -> None:
        super().__init__(escape=True)
        self._page = page

    def text(self, text: str) -> str:
        import html

        return escape_html(html.unescape(text))

    def inline_html(self, html: str) -> str:
        return "" if html == "</a>" else _anchored(html)

    def block_html(self, html: str) -> str:
        inner = _anchored(html.strip().replace("</a>", ""))
        return inner if inner.startswith("<a id=") else f"<p>{inner}</p>\n"

    def paragraph(self, text: str) -> str:
        only = text.startswith('<span class="equation') and text.endswith("</span><!---->")
        return f'<p class="display">{text}</p>\n' if only else f"<p>{text}</p>\n"

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        name = self._page.slug(text)
        bare = re.sub(r"</?a\b[^>]*>", "", text)
        if level in (2, 3):
            self._page.headings.append((level, name, bare))
        link = (
            f' <a class="self" href="#{name}" aria-label="link to this section"></a>'
            if level > 1
            else ""
        )
        return f'<h{level} id="{name}">{text}{link}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """A link within the page or to the web; any other is its text alone."""
        if not re.match(r"#|https?://", url):
            return text
        return f'<a href="{escape_html(url)}">{text}</a>'

    def inline_math(self, text: str) -> str:
        return f'<span class="math">{escape_html(text.strip())}</span>'

    def block_math(self, text: str) -> str:
        tag = TAG.search(text)
        body = f'<span class="math display">{escape_html(TAG.sub("", text).strip())}</span>'
        if tag is None:
            return f'<span class="equation">{body}</span><!---->'
        label = escape_html(tag[1])
        number = f'<a class="number" href="#eq-{label}">({label})</a>'
        return f'<span class="equation tagged">{body}{number}</span><!---->'

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")

    def table(self, text: str) -> str:
        return f'<div class="wide"><table>\n{text}</table></div>\n'

    def table_head(self, text: str) -> str:
        return f"<thead>\n<tr>{text}</tr>\n</thead>\n"

    def table_body(self, text: str) -> str:
        return f"<tbody>\n{text}</tbody>\n"

    def table_row(self, text: str) -> str:
        return f"<tr>{text}</tr>\n"

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        tag = "th" if head else "td"
        mark = _MARKS.get(text[:1], "")
        look = (f' class="{mark}"' if mark and not head else "") + (
            f' style="text-align:{align}"' if align else ""
        )
        return f"<{tag}{look}>{text}</{tag}>"

    def strikethrough(self, text: str) -> str:
        return f"<del>{text}</del>"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Pictures come in figure cells; one in Markdown could ask a host, so its text stands for it."""
        return text


def _anchored(html: str) -> str:
    """Raw HTML with its anchors kept and the rest shown as text."""
    parts: list[str] = []
    end = 0
    for match in ANCHOR.finditer(html):
        parts += [escape_html(html[end : match.start()]), f'<a id="{match["id"]}"></a>']
        end = match.end()
    return "".join([*parts, escape_html(html[end:])]).strip("\n")
