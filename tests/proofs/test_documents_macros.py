"""Macros of a document: what a group or an environment defines holds up to its end."""

from __future__ import annotations

import pytest

from derive.catalog import load
from proofs.claims.verdict import PROVED, REFUTED
from proofs.documents.hearing import audit_paper

WRONG = r"\newcommand{\Jac}{\mathrm{diag}(1 - h_t)\,W}"
SAID = r"\[\frac{\partial h_t}{\partial h_{t-1}} = \Jac\]"
RIGHT = r"\renewcommand{\Jac}{\mathrm{diag}(1 - h_t^2)\,W}"


def kinds(text: str) -> list[str]:
    return [v.kind for v in audit_paper(text, "a.tex", load("elman")).verdicts]


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("{", "}"), (r"\begingroup", r"\endgroup"), (r"\begin{proof}", r"\end{proof}")],
)
def test_what_a_group_defines_ends_with_it(opening, closing) -> None:
    text = f"{WRONG}{opening}{RIGHT}{SAID}{closing}{SAID}"
    assert kinds(text) == [PROVED, REFUTED]


@pytest.mark.parametrize("how", [r"\gdef", r"\global\def"])
def test_what_is_defined_everywhere_stays(how) -> None:
    everywhere = rf"{{\def\Jac{{W}}{how}\Jac{{\mathrm{{diag}}(1 - h_t^2)\,W}}}}"
    assert kinds(f"{WRONG}{everywhere}{SAID}") == [PROVED]


def test_an_argument_of_a_command_is_no_group() -> None:
    text = rf"\AtBeginDocument{{\newcommand{{\Jac}}{{\mathrm{{diag}}(1 - h_t^2)\,W}}}}{SAID}"
    assert kinds(text) == [PROVED]


def test_braces_that_close_nothing_end_nothing() -> None:
    assert kinds(f"}}}}{WRONG}{RIGHT}}}{SAID}") == [PROVED]
