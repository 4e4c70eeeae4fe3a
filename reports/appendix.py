"""The appendix of a paper: a derivation as a section of LaTeX, with its notation and its sources."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from derive.chapter import Chapter
from derive.derivation import Derivation, Step
from derive.network_derivation import NetworkDerivation, heading
from reports.bibliography import Reference, references
from reports.report_shapes import quantity_rows
from reports.texchars import escape_tex, escape_tex_formula
from reports.texlines import broken
from reports.texmarkdown import markdown_to_tex

_PREAMBLE = r"""% Made by throughtime. The preamble needs
%   \usepackage[utf8]{inputenc} \usepackage[T1]{fontenc} \usepackage{amsmath,amssymb,longtable}
% and the end of the paper \bibliographystyle{plain} \bibliography{@BIB@}"""


@dataclass(frozen=True, slots=True)
class Appendix:
    r"""A section for a paper.

    Args:
        section: the LaTeX of the section, to be read with ``\input``.
        bibliography: what belongs into the ``.bib`` file; empty for a cell without sources.
    """

    section: str
    bibliography: str

    def __str__(self) -> str:
        entries = "".join(f"% {line}\n" for line in self.bibliography.splitlines())
        return (
            f"{self.section}\n% The sources, for a .bib file:\n{entries}"
            if entries
            else self.section
        )


def appendix(
    derivation: Derivation | NetworkDerivation,
    bibliography: str = "",
    *,
    layout: str = "house",
    chapters: Sequence[Chapter] = (),
) -> Appendix:
    r"""The section: what the cell is and where it is from, its notation, and every numbered equation with a label.

    Args:
        derivation: of a cell or of a network.
        bibliography: the ``.bib`` file's name without its ending; the cell's name if left out.
        layout: in which layout, as ``Derivation.page`` takes it.
        chapters: what follows behind the backward equations.

    A label reads ``eq:NAME:K``, with the K of the derivation's K-th line (for a network ``eq:NAME-SEGMENT:K``), so that
    ``\eqref`` finds the line that ``throughtime derive`` prints as (K). What is wider than the line is broken at signs.
    """
    thing = derivation.network if isinstance(derivation, NetworkDerivation) else derivation.cell
    sources = references(thing.reference)
    title = escape_tex(thing.title or thing.name)
    parts = [
        _PREAMBLE.replace("@BIB@", _label(bibliography or thing.name)),
        rf"\section{{Gradients through time: {title}}}\label{{sec:{_label(thing.name)}}}",
        _lead(sources),
        *_body(derivation, layout),
        *(_chapter(chapter, thing.name) for chapter in chapters),
    ]
    entries = "\n\n".join(source.bibtex() for source in sources)
    return Appendix("\n\n".join(filter(None, parts)) + "\n", entries and entries + "\n")


def _lead(sources: tuple[Reference, ...]) -> str:
    cited = " and ".join(source.cite for source in sources)
    return (
        (f"The equations are those of {cited}. " if cited else "")
        + r"A bar marks an adjoint, $\bar{v} = \partial L / \partial v$ with $L = \sum_{t=1}^{T} \ell_{t}$; "
        r"$\delta$ is the adjoint of the argument of an elementwise function; $\circ$ is the product entry by entry; "
        r"adjoints after step $T$ are zero; $\partial \ell_{t} / \partial v$ is the derivative of the loss at step $t$ "
        r"where it reads $v$ itself."
    )


def _body(derivation: Derivation | NetworkDerivation, layout: str) -> Iterator[str]:
    if isinstance(derivation, Derivation):
        yield from _derived(derivation, derivation.cell.name, layout)
        return
    yield "The network is evaluated segment by segment; adjoints pass through the segments in the opposite order."
    for segment, derived in list(
        zip(derivation.network.segments, derivation.segments, strict=True)
    )[::-1]:
        yield rf"\subsection{{{escape_tex(heading(segment))}}}"
        yield from _derived(derived, f"{derivation.network.name}-{segment.name}", layout)
        passed = [p.latex for p in derivation.passages if p.segment == segment.name]
        if passed:
            yield "What this segment hands to those before it:"
            yield _aligned(r" \\" + "\n", [_lines(latex, r"\nonumber") for latex in passed])


def _derived(derivation: Derivation, name: str, layout: str) -> Iterator[str]:
    page = derivation.page(layout)
    yield _notation(derivation)
    if page.words:
        shapes = f" Here {', '.join(f'${tex}$' for _, tex in page.shapes)}." if page.shapes else ""
        yield escape_tex_formula(page.words + shapes)
    for key, title in page.headings.items():
        steps = page.section(key)
        if steps:
            yield rf"\paragraph{{{escape_tex(title)}}}"
            yield _aligned(" \\\\\n", [_equation(step, name) for step in steps])


def _chapter(chapter: Chapter, name: str) -> str:
    label = f"eq:{_label(name)}-{_label(chapter.key)}"
    rows = [
        _lines(line.latex, rf"\label{{{label}:{i}}}") for i, line in enumerate(chapter.lines, 1)
    ]
    aligned = _aligned(" \\\\\n", rows)
    return f"\\paragraph{{{escape_tex(chapter.heading)}}}\n{aligned}"


def _equation(step: Step, name: str) -> str:
    return _lines(step.latex, rf"\label{{eq:{_label(name)}:{step.number}}}")


def _lines(latex: str, end: str) -> str:
    first, *more = broken(escape_tex_formula(latex))
    rows = [
        first.replace("=", "&=", 1) if "=" in first else f"& {first}",
        *(rf"&\quad {line}" for line in more),
    ]
    return " \\nonumber \\\\\n".join(rows) + f" {end}"


def _aligned(between: str, rows: list[str]) -> str:
    return f"\\begin{{align}}\n{between.join(rows)}\n\\end{{align}}"


def _notation(derivation: Derivation) -> str:
    rows = [
        " & ".join(markdown_to_tex(entry).strip() for entry in row) + r" \\"
        for row in quantity_rows(derivation.cell, derivation.around)
    ]
    return "\n".join(
        [
            r"\begin{longtable}{lllp{0.44\linewidth}}",
            r"name & role & shape & meaning \\ \hline",
            *rows,
            r"\end{longtable}",
        ]
    )


def _label(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]+", "-", name)
