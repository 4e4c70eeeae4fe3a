"""Documents as lecturers and authors write them: every formula is found, and judged as mathematics has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from derive.catalog import load
from derive.errors import ArgumentError, LanguageError
from proofs.claims import document
from proofs.claims.court import Audit
from proofs.claims.said import NOT_JUDGED
from proofs.claims.verdict import (
    CONDITIONAL,
    LAYOUT,
    MEANINGLESS,
    NUMERICALLY_FALSE,
    PROVED,
    REFUTED,
)
from proofs.documents.hearing import audit_paper
from proofs.documents.macros import _Expansion, expanded
from proofs.documents.pages import pages
from proofs.documents.reading import read_paper
from proofs.documents.relations import tokens

PAPERS = Path(__file__).parent / "papers"
P, C, R, L, N, M = PROVED, CONDITIONAL, REFUTED, LAYOUT, NOT_JUDGED, MEANINGLESS
KNOWN = {
    "goodfellow.tex": (
        "", "23 N; 29 P; 30 P; 31 P; 32 N; 35 N; 37 N; 42 P; 46 P; 48 P; 53 P; 54 P; 55 P; 56 P; 57 P; 61 R; 63 R",
    ),
    "pascanu.md": (
        "", "10 N; 14 P; 17 N; 21 N; 22 P; 28 P; 35 P; 36 C; 42 P; 46 P; 50 P; 50 P; 54 N; 56 P; 60 R; 68 N; 68 N",
    ),
    "graves.tex": ("", "12 N; 13 P; 14 P; 16 P; 17 P; 19 P; 19 P; 22 N; 24 P; 25 P; 30 P; 30 P; 31 R; 34 P; 35 P"),
    "cho.tex": (
        "gru", "12 P; 13 P; 13 P; 14 P; 18 R; 22 P; 23 P; 24 P; 26 R; 27 P; 32 P; 39 R; 39 N; 41 P; 42 R; 43 N; 47 N",
    ),
    "lecture.md": (
        "",
        "5 N; 5 P; 6 C; 10 N; 10 P; 15 L; 16 P; 17 P; 17 P; 20 P; 23 P; 25 C; 28 P; 30 N; 30 N; 31 N; 37 N; 39 P; 39 F",
    ),
    "greff.ipynb": ("", "4 N; 5 P; 6 P; 7 R; 8 P; 9 P; 1 N; 2 P; 3 R; 5 P; 6 P"),
}  # fmt: skip
"""Of each document: the cell that is passed, and of each formula its line and what mathematics says of it."""
LETTERS = {"P": P, "C": C, "R": R, "L": L, "N": N, "F": NUMERICALLY_FALSE}


def heard(text: str, source: str = "a.tex", cell: str = "elman") -> Audit:
    return audit_paper(text, source, load(cell) if cell else None)


def told(text: str, source: str = "a.tex", cell: str = "elman") -> list[tuple[int, str]]:
    """Line and verdict of every formula."""
    found = heard(text, source, cell)
    rows = [(v.claim.line, v.kind) for v in found.verdicts]
    return sorted(rows + [(u.line, u.kind) for u in found.unjudged])


@pytest.mark.parametrize("name", KNOWN)
def test_every_formula_of_a_document_is_judged_right(name: str) -> None:
    cell, known = KNOWN[name]
    expected = [row.split() for row in known.split("; ")]
    found = told((PAPERS / name).read_text("utf-8"), name, cell)
    assert found == sorted((int(line), LETTERS[letter]) for line, letter in expected)


H = r"h_t = \tanh(W h_{t-1} + U x_t + b)"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (r"\[h_t = \tanh(\underbrace{W h_{t-1}}_{\text{memory}} + \overbrace{U x_t}^{input} + \phantom{x} b)\]", [P]),
        (r"\[\boxed{h_t = \tanh(W h_{t-1})}\]", [R]),
        (r"\[\textcolor{red}{h_t} = \tanh(W h_{t-1} + \color{blue} U x_t \hspace{1em} + b) \qquad (3.2)\]", [P]),
        (r"\[h_t = \tanh(W h_{t-1} + U x_t) \qquad (3.2)\]", [C]),
        (r"\[\nabla_{h_t} L = \frac{\partial^+ L}{\partial h_t} \text{ at the last step}\] $h_t = h_t$", [N, P]),
        (r"\[\nabla_{h_t} L = \frac{\partial^+ L}{\partial h_t} \text{ (chain rule)}\]", [C]),
        (
            (r"\[\frac{\partial h_t}{\partial h_k} = \mathrm{diag}(1-h_t^2) W \frac{\partial h_{t-1}}{\partial h_k}"
            r" \quad (k = 1, \dots, t-1)\]"),
            [P],
        ),
        (
            (r"\[\frac{\partial h_t}{\partial h_k} = \mathrm{diag}(1-h_t^2) W \frac{\partial h_{t-1}}{\partial h_k}"
            r" \quad k = 0, \ldots, t\]"),
            [R],
        ),
        (r"$a_t = W h_{t-1}$, $\frac{\partial L}{\partial a_t} = \nabla_{h_t} L$, $h_t = h_t$", [N, N, P]),
        (r"$d_t = \nabla_{h_t} L \odot (1-h_t^2)$, $\nabla_U L = \sum_t d_t x_t^\top$, $\nabla_b L = d_1$", [N, P, C]),
        (rf"${H}$", [P]),
        (rf"\({H}\)", [P]),
        (rf"\[{H}\]", [P]),
        (rf"$${H}$$", [P]),
        (rf"\begin{{equation*}}{H}.\end{{equation*}}", [P]),
        (r"\begin{eqnarray} h_t &=& \tanh(W h_{t-1} \\ & & {}+ U x_t + b) \end{eqnarray}", [P]),
        ("\\begin{align} h_t &= \\tanh(W h_{t-1} \\\\\n &\\quad + U x_t + b) \\end{align}", [P]),
        ("\\begin{align} h_t &= \\tanh\\left(W h_{t-1} \\right. \\\\\n &\\left. + U x_t + b\\right) \\end{align}", [P]),
        (r"\begin{multline} h_t = \\ \tanh(W h_{t-1} + \\ U x_t + b) \end{multline}", [P]),
        (r"\begin{gather} q_t = b \\ h_t = \tanh(W h_{t-1} + U x_t + q_t) \end{gather}", [N, P]),
        (r"\begin{align} h_t &= h_t & x_t &= x_t \\ &= h_t & &= x_t + x_t - x_t \end{align}", [P, N, P, N]),
        (r"\begin{align} W h_t &= W h_t & U x_t &= U x_t \\ &= 2 W h_t & &= U x_t \end{align}", [P, P, R, P]),
        (r"\begin{equation}\begin{aligned} h_t &= h_t \\ &= h_t + 0\end{aligned}\end{equation}", [P, P]),
        (r"$h_t := \tanh(W h_{t-1} + U x_t + b)$", [P]),
        (r"$h_t \stackrel{!}{=} \tanh(W h_{t-1} + U x_t + b)$", [P]),
        (r"$h_t = \tanh(W h_{t-1} + U x_t + b) \quad \text{for all } t$", [P]),
        (r"\def\s#1{h_{#1}}$\s t = \tanh(W \s{t-1} + U x_t + b)$", [P]),
        (r"\newcommand{\s}[2][t]{#2_{#1}}$\s h = \tanh(W \s[t-1]{h} + U \s x + b)$", [P]),
        (r"\newcommand{\be}{\begin{equation}}\newcommand{\ee}{\end{equation}}\be h_t = h_t \ee", [P]),
        (r"$a_t = W h_{t-1} + U x_t + b$ and $h_t = \tanh(a_t)$", [N, P]),
        (r"$h_t = \tanh(a_t)$ where $a_t = W h_{t-1} + U x_t$", [N, C]),
        (r"$h_{t+1} = \tanh(a_{t+1})$, $a_t = W h_{t-1} + U x_t + b$", [N, P]),
        (r"$h_t \le 1, \quad t \ge 1$", [P]),
        (r"$\frac{\partial L}{\partial h_t} = \frac{\partial^+ L}{\partial h_t} \quad t < T$, $h_t = h_t$", [R, P]),
        (r"$$\nabla_{h_t} L = \frac{\partial^+ L}{\partial h_t}, \quad t = T$$", [P]),
        (r"$$\nabla_{h_k} L = 0, \quad k \gg t$$ $h_t = h_t$", [N, P]),
        (r"$$\nabla_{h_{t-1}} L = (1 - h_t) \odot W^\top \nabla_{h_t} L$$", [R]),
        (r"$$h_t \odot W h_t = W h_t \odot h_t$$", [P]),
        (r"$$h_t = 0 \quad\text{if } h \text{ is dead}$$ $h_t = h_t$", [N, P]),
        (r"$\frac{\partial h_t}{\partial h_{t-1}} = W$, $\frac{\partial h_t}{\partial x_t} = U$", [C, C]),
        (r"$W = \frac{\partial h_t}{\partial h_{t-1}}$, $h_t = x_t$", [N, M]),
        (r"$\frac{\partial h_t}{\partial h_{t-1}} = W \text{ in matrix form}$", [C]),
        (r"$\frac{\partial h_t}{\partial h_{t-1}} = W \text{ since tanh acts on each entry}$", [C]),
        (r"$\frac{\partial h_t}{\partial h_{t-1}} = U \text{ if the gate is open}$", [M]),
        (r"$2 + 2 = 5 \text{ for example}$ $h_t = h_t$", [NUMERICALLY_FALSE, P]),
        (r"$\|W\| \le 1$ $\|x_t\| \le 1$ $W^\top W = W W^\top$ $\|W\| \ge 0$", [N, N, N, P]),
        (r"$$h_t = h_t \quad w$$ $$h_t = 0 \quad w$$", [N, P]),
        (r"$h_t = h_t$ \verb|$h_t = 0$| \iffalse $h_t = 0$ \iftrue \fi $h_t = 0$ \fi % $$h_t = 0$$", [P]),
        (r"$h_t = h_t$ $h_0 = 0$ $W = W^\top$ $L = \sum_t L_t$ $\eta = 1$ $x \in X$", [N, N, N, N, P]),
        (r"$h_t = h_t$ \begin{lstlisting} $h_t = 0$ \end{lstlisting}\end{document} $h_t = 0$", [P]),
    ],
)  # fmt: skip
def test_a_formula_is_found_in_whatever_way_it_is_set(text: str, kinds: list[str]) -> None:
    assert sorted(kind for _, kind in told(text)) == sorted(kinds)


def test_a_number_that_a_constant_is_said_to_be_is_that_of_the_cell() -> None:
    text = (
        r"$h_t = (1-\alpha) g_t + \alpha h_{t-1}$, $\alpha = 0.9$, $\alpha = 0.5$; with $g_t = 0$"
    )
    assert [kind for _, kind in told(text, cell="leaky")] == [N, P, P, R]


@pytest.mark.parametrize(
    "text",
    [
        "\\begin{align} h_t &= \\tanh(W h_{t-1} + U x_t) \\\\\n &\\quad + b \\end{align}",
        "\\begin{align} h_t &= 2 \\tanh(b) \\label{wrong} \\end{align}",
        r"\def\s{h_{t-1}}$h_t = \tanh(W \s + U x_t - b)$",
        r"$h_t = \tanh(a_t)$ where $a_t = W h_{t-1} - U x_t + b$",
        "\\begin{align} h_t &= \\tanh(W h_{t-1} + U x_t + b) \\\\\n &= \\tanh(b) \\end{align}",
    ],
)
def test_what_is_false_is_never_proved(text: str) -> None:
    found = heard(text)
    assert {v.kind for v in found.verdicts} & {REFUTED, CONDITIONAL}
    assert not found.ok


def test_what_is_said_under_an_unread_condition_tells_what_it_is_by_itself():
    left = heard(
        r"$h_t = \tanh(W h_{t-1} + U x_t) \text{ with no bias}$, $h_t \le 0 \text{ if open}$, $h_t = h_t$"
    ).unjudged
    assert [u.error.problem.partition("; by itself ")[2] for u in left] == [
        "it holds only if the biases are zero",
        "it is refuted, by n = 1, m = 1, T = 1; t = 1; b = 1, all else 0: left 0.7616, right 0",
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (r"\[W = W + 1\]", R),
        (r"$b = b - 0.1$", R),
        (r"\[x_t = x_t + 1\]", R),
        (r"\[h_0 = 1 + h_0\]", R),
        (r"\[\|W\| \le \|W\| - 1\]", R),
        (r"\[\|W\| \le -1\]", R),
        (r"\[-1 \ge \|W\|\]", R),
        (r"\[\|W\| = \|W\| + 2\]", R),
        (r"\[h_t = h_t + 1 \quad \text{if the gate is open}\]", R),
        (r"\[1 = 2 \quad \text{if the gate is open}\]", NUMERICALLY_FALSE),
        (r"\[W = 2 W\]", N),
        (r"\[W = W^\top\]", N),
        (r"\[x_t = 0\]", N),
        (r"\[h_0 = 0\]", N),
        (r"\[\|W\| \le 1\]", N),
        (r"\[\|W\| = 1\]", N),
        (r"\[h_t = 2 h_t \quad \text{if the gate is open}\]", N),
    ],
)
def test_what_no_choice_makes_true_is_judged_and_what_one_makes_true_is_not(
    text: str, kind: str
) -> None:
    """Alone, such a formula is all that there is to judge; beside one that stands it keeps its place."""
    assert [k for _, k in told(rf"{text} \[{H}\]")] == sorted([kind, P])
    if kind == R:
        [verdict] = heard(text).verdicts
        assert "no choice makes it true: the left side is always" in verdict.reason
        assert ("written with ←" in verdict.reason) == text.startswith((r"\[W = W", "$b = b"))
        assert verdict.counterexample is not None
    elif kind == N:
        with pytest.raises(LanguageError, match="none of its"):
            heard(text)


def test_a_verdict_names_file_line_and_label_and_what_it_is_about() -> None:
    text = (
        "\n\\begin{align}\n h_t &= \\tanh(b) \\label{eq:h} \\\\\n o_t &= 1 \\tag{3}\n\\end{align}"
    )
    found = heard(text, "deck.tex")
    assert found.verdicts[0].claim.name == "deck.tex, line 3 (eq:h)"
    assert (
        found.verdicts[0].reason
        == "it differs from the cell's: h[t] = tanh(W @ h[t-1] + U @ x[t] + b)"
    )
    assert found.unjudged[0].name == "deck.tex, line 4 (3)"
    assert found.unjudged[0].error.problem.startswith("it defines o")
    agreeing = heard(rf"${H}$").verdicts[0]
    assert agreeing.reason == "it agrees with the cell's equations for h"


def test_a_place_is_that_of_the_document_however_far_macros_go() -> None:
    text = "\\newcommand{\\z}{\\q_t}\\newcommand{\\q}{q}\n$h_t = h_t$\n$h_t = \\tanh(\\z)$\n"
    left = heard(text).unjudged[0]
    assert (left.line, left.text) == (3, r"h_t = \tanh(\z)")


def test_another_file_is_not_opened_and_that_is_said() -> None:
    left = heard(rf"\input{{/etc/passwd}} ${H}$ $\input{{secret}} = 1$").unjudged
    assert sorted(u.text for u in left) == [r"\input", r"\input{secret} = 1"]
    assert any("another file, which is not read" in u.error.problem for u in left)


@pytest.mark.parametrize(
    "text",
    [
        r"\def\a{\a\a}$\a = 1$", r"\def\a{\b}\def\b{\a}$\a = h_t$", r"\newcommand{\a}[9]{#9}$\a$", r"\def\a",
        r"\def\a#1.{x}$\a = 1$", r"$h_t = ", r"\[ h_t = h_t", r"\begin{align} h_t = h_t", "$$", r"\begin{verbatim}",
        r"\let\a", r"\let\a=\a $\a = \a$", r"\newcommand{\a}[x]{y}", r"\begin", r"\end{align}", r"\\", "$" * 99, "%",
        r"$\frac{h_t = h_t}$", r"\begin{align} & & & \\ & = \end{align}", r"$= = =$", r"$h_t = h_t = = h_t$", "",
        r"\newcommand", r"\label{",
    ],
)  # fmt: skip
def test_broken_tex_is_refused_or_left_out_with_a_word(text: str) -> None:
    for source in ("a.tex", "a.md"):
        try:
            found = heard(text, source).unjudged
        except LanguageError as error:
            found = (error,)
        assert all(str(what) for what in found)


def test_macros_that_grow_without_end_are_refused() -> None:
    grown = "".join(
        rf"\def\{b}{{\{a}\{a}\{a}\{a}}}" for a, b in zip("abcdefghij", "bcdefghijk", strict=True)
    )
    with pytest.raises(LanguageError, match="more than 200,000 signs"):
        heard(rf"\def\a{{h_t}}{grown}$\k = 1$")


@pytest.mark.parametrize("open_end", [r"\def\a{", r"\newcommand\a[", r"\newcommand{\a}[1]{#1}\a{"])
def test_definitions_that_never_end_are_not_read_again_and_again(open_end, monkeypatch):
    taken = []
    take = _Expansion.take
    monkeypatch.setattr(_Expansion, "take", lambda self: taken.append(None) or take(self))
    parts = tokens(open_end * 3000)
    expanded(parts, "a.tex")
    assert len(taken) < 10 * len(parts)


def test_a_cell_that_is_named_again_and_again_is_read_once(monkeypatch):
    read = []
    monkeypatch.setattr(document, "load", lambda spec: read.append(spec) or load(spec))
    heard("% audit: cell lstm\n% audit: cell elman\n" * 9 + "$h_t = \\tanh(W h_{t-1} + U x_t + b)$")
    assert read == ["lstm", "elman"]


def test_markdown_is_mathematics_only_where_it_says_so() -> None:
    text = (
        "A price of $5 and $h_t = 1$, `$h_t = 2$`, \\$h_t = 3\\$\n\n```math\nh_t = h_t\n```\n"
        "```latex\nh_t = h_t\n```\n```tex\n$h_t = 4$\n```\n~~~\n$h_t = 5$\n~~~\n"
        "<!-- $h_t = 6$ -->\n$`h_t = h_t`$ \\\\[h_t = h_t\\\\]\n"
    )
    page = pages(text, "a.md")[0]
    assert len(page.tex) == len(text)
    assert [i for i, c in enumerate(page.tex) if c == "\n"] == [
        i for i, c in enumerate(text) if c == "\n"
    ]
    assert [kind for _, kind in told(text, "a.md")] == [N, P, P, P, P]


def test_a_document_says_itself_of_which_cell_it_speaks() -> None:
    text = (
        "% audit: cell elman\n% audit: loss last step of E(h)\n$h_t = \\tanh(W h_{t-1} + U x_t + b)$\n"
        "$\\frac{\\partial E}{\\partial h_{t-1}} = W^\\top (\\frac{\\partial E}{\\partial h_t} \\odot (1 - h_t^2))$\n"
        "%% audit: cell\n%% audit:   s[t] = tanh(A @ s[t-1] + u[t])\n$s_t = \\tanh(A s_{t-1} + u_t)$\n"
        "% audit: claim \"in the language\" : ds[t]/ds[t-1] == diag(1 - s[t]**2) @ A\n"
    )  # fmt: skip
    assert told(text, cell="") == [(3, P), (4, P), (7, P), (8, P)]
    with pytest.raises(LanguageError, match="This is no loss"):
        heard("% audit: cell elman\n% audit: loss of nothing\n$h_t = h_t$", cell="")
    with pytest.raises(ArgumentError, match="nothing says of which cell"):
        heard("$h_t = h_t$", cell="")


def test_the_loss_is_called_as_the_document_calls_it() -> None:
    for loss in (r"\mathcal{L}", "E", "J", r"\ell"):
        text = rf"$\nabla_b {loss} = \sum_t \frac{{\partial {loss}}}{{\partial h_t}} \odot (1 - h_t^2)$"
        assert told(text) == [(1, P)], loss


def test_a_notebook_that_is_none_is_refused() -> None:
    for text in ("", "{}", "[]", '{"cells": 3}', '{"cells": [1]}', "[" * 10_000):
        with pytest.raises(LanguageError, match="no notebook"):
            read_paper(text, "a.ipynb", load("elman"))
