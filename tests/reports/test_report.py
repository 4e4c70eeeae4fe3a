"""The report on a cell: links lead somewhere, formulas can be set, and no user's text gets out of its place."""

from __future__ import annotations

import hashlib
import html
import json
import re
from functools import cache

import pytest
from nbformat import NotebookNode

from derive.catalog import load, shipped
from derive.cell import Cell
from derive.derivation import derive
from derive.language import read_cell
from numeric.source import generate
from numeric.study import study
from proofs.checker import Verdict
from proofs.modules import load_source
from proofs.table import Check, Verification, failed, measured
from reports.html import to_html
from reports.notebook import Section, Text, to_ipynb
from reports.report import Findings, build_report
from reports.report_checks import LINES, typeset
from reports.report_equations import derivation_section, equations
from reports.report_jacobian import jacobian
from reports.report_links import Links, code_lines, equation_links
from reports.report_proof import Proof, proof_of, proof_section
from reports.report_shapes import shapes
from reports.strict import complaints, formulas
from reports.tex import to_tex
from tests.reports.specimens import run_with_hash_seed

TWO_STATES = """# Two states </script><img src=x onerror=alert(1)> $x$ `a` *b* [l](javascript:alert(1))
# source: A. Author <b>& sons</b>
f[t] = sigmoid(W_f @ x[t] + U_f @ h[t-1] + b_f)
g[t] = tanh(W_g @ x[t] + U_g @ h[t-2] + U_f.T @ c[t-1])
c[t] = f[t] * c[t-1] + (1 - f[t]) * g[t]
h[t] = tanh(c[t])
"""
CELLS = {
    "lstm": load("lstm"),
    "mine": read_cell(TWO_STATES, "mine"),
    "matrix": load("linear_attention_gated"),
}


def made_up(cell: Cell, numbers: list[int], *more: Check) -> Verification:
    rows = (
        measured(LINES, "each line", "n = 3, m = 2", 1e-30, 1e-12),
        measured("complex step", "code", "n = 3", 1e-15, 1e-10, note="at | three points"),
        *more,
    )
    names = frozenset(row.name for row in rows)
    return Verification(cell.name, rows, names, lines=dict.fromkeys(map(str, numbers), True))


def findings(cell: Cell, *more: Check, measure: bool = True) -> Findings:
    derivation = derive(cell)
    source = generate(derivation)
    numbers = [s.number for s in derivation.steps if s.section != "product"]
    flow = study(derivation, load_source(source)) if measure else "The cell | is <b>odd</b>."
    return Findings(derivation, source, made_up(cell, numbers, *more), proof_of(derivation), flow)


@cache
def report(name: str) -> NotebookNode:
    return build_report(findings(CELLS[name]))


@cache
def page(name: str) -> str:
    return to_html(report(name))


@pytest.mark.parametrize("name", CELLS)
def test_every_link_of_the_page_leads_somewhere(name: str) -> None:
    targets = re.findall(r'\bid="([^"]+)"', page(name))
    assert len(targets) == len(set(targets))
    links = set(re.findall(r'href="#([^"]+)"', page(name)))
    assert links - set(targets) == set()
    assert {"checks", "rules", "eq-1", "code-L1"} <= links | set(targets)


@pytest.mark.parametrize("name", CELLS)
def test_every_link_of_the_latex_leads_somewhere(name: str) -> None:
    text = to_tex(report(name)).text
    body = text[text.index(r"\begin{document}") :]
    links = set(re.findall(r"\\hyperlink\{([^}]+)\}", body))
    targets = set(re.findall(r"\\(?:target|lineno)\{([^}]+)\}", body))
    assert links
    assert links - targets == set()


def test_an_equation_links_to_its_lines_of_code_and_they_link_back() -> None:
    source = generate(derive(CELLS["lstm"]))
    lines = code_lines(source)
    assert set(lines) >= set(range(1, 26)), (
        "every equation of forward and backward stands in the code"
    )
    for number in (1, 8, 12, 14):
        for line in lines[number]:
            assert f"({number})" in source.splitlines()[line - 1]
            assert f'href="#code-L{line}"' in page("lstm")
            shown = re.search(rf'id="code-L{line}".*', page("lstm"))
            assert shown
            assert f'href="#eq-{number}"' in shown[0]


def test_a_number_in_a_docstring_is_no_line_of_an_equation() -> None:
    source = 'def f():\n    """See # (7)."""\n    a = 1  # (1), (2)\n    b = "# (3)"\n    return a  # not (4)\n'
    assert code_lines(source) == {1: [3], 2: [3]}


def test_an_equation_links_to_its_check_and_the_check_to_its_equations() -> None:
    assert page("lstm").count('href="#check-exact-line-by-line"') > 31
    assert '<a href="#eq-1">(1)</a>–<a href="#eq-31">(31)</a>' in page("lstm")


def test_runs_of_equations_are_drawn_together() -> None:
    links = Links({}, dict.fromkeys((4, 1, 2, 3, 9, 6, 7), ("check-x", "✓ exact")))
    assert equation_links(links) == (
        "[(1)](#eq-1)–[(4)](#eq-4), [(6)](#eq-6), [(7)](#eq-7), [(9)](#eq-9)"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1.2e-16", r"${1.2 \cdot 10^{-16}}$"),
        ("1.0e-10", "${10^{-10}}$"),
        ("0.0e+00", "0"),
        ("2.0e-01 of", "0.2 of"),
        ("passes ≤ 9e-27 (degree 43)", r"passes ≤ ${9 \cdot 10^{-27}}$ (degree 43)"),
        ("n = 3; T = 5", "n\u00a0=\u00a03; T\u00a0=\u00a05"),
        ("a|b $x$ 1e-3x", "a&#124;b &#36;x&#36; 1e&#45;3x"),
    ],
)
def test_numbers_of_checks_are_set_as_mathematics_and_all_else_as_text(
    text: str, shown: str
) -> None:
    assert typeset(text) == shown


def test_every_step_of_the_derivation_is_on_the_page() -> None:
    steps = derive(CELLS["mine"]).steps
    assert re.findall(r'<a id="eq-(\d+)">', page("mine")) == [str(s.number) for s in steps]


def test_the_page_holds_what_a_report_must_hold() -> None:
    headings = [text.strip() for text in re.findall(r"<h2[^>]*>(.*?)<", page("lstm"))]
    assert headings == [
        "The equations",
        "Data flow",
        "Quantities and shapes",
        "The derivation",
        "The Jacobian of one step",
        "Through many steps",
        "The general proof",
        "The certificate",
        "Gradient norm against lag",
        "The code",
        "The checks",
        "What this rests on",
    ]
    assert "The gradient vanishes." in page("lstm")
    assert "add up to one" in page("lstm")


def test_no_text_of_a_user_gets_out_of_its_place() -> None:
    assert "<img src=x" not in page("mine")
    assert "javascript:" not in "".join(re.findall(r'href="([^"]*)"', page("mine")))
    assert "<b>&amp; sons" not in page("mine")
    assert "&lt;b&gt;&amp; sons&lt;/b&gt;" in page("mine")
    assert html.escape("</script><img src=x onerror=alert(1)>") in page("mine")


def test_a_report_that_is_not_verified_says_so_and_names_the_check() -> None:
    notebook = build_report(
        findings(CELLS["mine"], failed("dot | product", "vjp", "wrong <b>sign</b>"), measure=False)
    )
    shown = to_html(notebook)
    assert "<strong>Not verified.</strong>" in shown
    assert '<a href="#check-dot-product">dot | product</a>' in shown
    assert "wrong &lt;b&gt;sign&lt;/b&gt;" in shown
    assert "It did not pass every check" in shown
    assert "Not measured. The cell | is &lt;b&gt;odd&lt;/b&gt;." in shown
    assert "✓ <strong>Verified" not in shown


def test_the_checkers_verdict_on_the_general_proof_stands_before_it() -> None:
    assert "The checker accepts all" in page("lstm")
    assert "a proof</td>" in page("lstm")
    proof = proof_of(derive(CELLS["mine"]))
    assert proof
    refused = Proof(proof.general, Verdict(False, "line <b>h</b>", "the sides differ", ()))
    first = proof_section(refused, derive(CELLS["mine"])).cells[0]
    assert isinstance(first, Text)
    assert "does not accept" in first.markdown
    assert "&#60;b&#62;h" in first.markdown


def test_equations_of_the_proof_that_stand_in_the_derivation_are_named_and_not_repeated() -> None:
    assert page("lstm").count('<a href="#eq-7">(7)</a>') >= 2
    assert re.search(r'<a id="eq-P\d+"></a>\(P\d+\) The adjoint of h', page("lstm"))


def sections(cell: Cell) -> list[Section]:
    derivation = derive(cell)
    links = Links({}, {s.number: ("check-x", "✓ exact") for s in derivation.steps})
    return [
        equations(derivation, links),
        shapes(cell),
        derivation_section(derivation, links),
        jacobian(derivation, links),
        *([proof_section(proof, derivation)] if (proof := proof_of(derivation)) else []),
    ]


@pytest.mark.needs("node")
def test_katex_accepts_every_formula_about_every_shipped_cell() -> None:
    cells = [load(entry.name) for entry in shipped()] + list(CELLS.values())
    texts = [
        c.markdown for cell in cells for s in sections(cell) for c in s.cells if isinstance(c, Text)
    ]
    asked = [formula for text in texts for formula in formulas(text)]
    asked += [formula for cell in report("lstm").cells for formula in formulas(cell.source)]
    assert len(asked) > 1000
    assert complaints(asked) == []


def test_a_states_whole_jacobian_hands_older_values_on() -> None:
    text = "".join(c.markdown for c in sections(load("skip"))[3].cells if isinstance(c, Text))
    matrix = re.search(r"\\begin\{pmatrix\}(.*?)\\end\{pmatrix\}", text, re.DOTALL)
    assert matrix
    rows = [[entry.strip() for entry in row.split("&")] for row in matrix[1].split(r"\\[10pt]")]
    assert [len(row) for row in rows] == [3, 3, 3]
    assert rows[1:] == [["I", "0", "0"], ["0", "I", "0"]]
    assert rows[0][1] == "0"


def test_parameters_are_told_by_what_they_multiply() -> None:
    text = sections(CELLS["mine"])[1].cells[0]
    assert isinstance(text, Text)
    assert "multiplies $h_{t-1}$ in $f_{t}$; multiplies $c_{t-1}$ in $g_{t}$" in text.markdown
    assert "added in $f_{t}$" in text.markdown
    assert "2 values are given before the first step" in text.markdown


def digest() -> str:
    """A report's bytes, in short."""
    notebook = build_report(findings(CELLS["mine"], measure=False))
    return hashlib.sha256(to_ipynb(notebook)).hexdigest()


def test_the_same_cell_gives_the_same_bytes_under_any_hash_seed() -> None:
    program = "import sys; sys.path.insert(0, '.'); from tests.reports import test_report; print(test_report.digest())"
    assert run_with_hash_seed(program, 1) == run_with_hash_seed(program, 2) == f"{digest()}\n"


def test_the_notebook_is_json_with_nothing_of_this_machine() -> None:
    text = to_ipynb(report("lstm")).decode()
    assert json.loads(text)["nbformat"] == 4
    assert not re.search(r"20[2-9]\d-\d\d-\d\d|\b(?:tmp|home|root)/", text)
