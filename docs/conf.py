"""The documentation site's configuration for Sphinx: nothing on its pages asks a host for anything."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from throughtime import __version__

ASSETS = files("reports") / "assets"

project = "throughtime"
author = "the throughtime authors"
copyright = author  # noqa: A001 - Sphinx's name
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["tutorials/*.py"]
html_theme = "furo"
html_title = "throughtime"
html_static_path = [str(ASSETS / "katex"), str(ASSETS / "page.js"), "site.css"]
html_css_files = ["katex.min.css", "site.css"]
html_js_files = [("katex.min.js", {"defer": ""}), ("page.js", {"defer": ""})]
html_copy_source = False
html_math_renderer = "katex"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False


def inline_formula(self: Any, node: Any) -> None:
    """A formula in a line, as the pages' script looks for it."""
    from docutils import nodes

    self.body.append(f'<span class="math">{self.encode(node.astext())}</span>')
    raise nodes.SkipNode


def displayed_formula(self: Any, node: Any) -> None:
    """A formula on lines of its own."""
    from docutils import nodes

    text = self.encode(node.astext())
    self.body.append(f'<div class="wide"><span class="math display">{text}</span></div>')
    raise nodes.SkipNode


def setup(app: Any) -> None:
    """KaTeX as the reports carry it, and colours for the languages of this project."""
    from pygments.lexers.python import PythonLexer
    from pygments.lexers.special import TextLexer

    app.add_html_math_renderer("katex", (inline_formula, None), (displayed_formula, None))
    for language in ("cell", "net"):
        app.add_lexer(language, PythonLexer)
    app.add_lexer("claims", TextLexer)
