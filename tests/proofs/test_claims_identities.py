"""The identity in LaTeX is as large as what it stands beside; and the only letter of a formula counts the steps."""

from __future__ import annotations

import pytest

from derive.catalog import load
from derive.errors import LanguageError
from proofs.claims.court import audit
from proofs.claims.verdict import PROVED, REFUTED
from proofs.documents.hearing import audit_paper

STEP = r"\frac{\partial h_t}{\partial h_{t-1}} = "
BACK = r"\frac{\partial E}{\partial h_{t-1}} = "
REST = r"\frac{\partial E}{\partial h_t} + \frac{\partial E_{t-1}}{\partial h_{t-1}}"


def kinds(*formulas: str, cell: str = "leaky") -> list[str]:
    text = f"cell {cell}\nloss sum over t of E(h)\n" + "".join(f"claim : ${f}$\n" for f in formulas)
    return [verdict.kind for verdict in audit(text).verdicts]


@pytest.mark.parametrize("unit", ["I", "I_n", r"\mathbf{I}", r"\mathrm{I}_n"])
def test_the_identity_is_as_large_as_it_must_be(unit) -> None:
    right = rf"{STEP} 0.9 {unit} + 0.1 \mathrm{{diag}}(1 - g_t^2) W"
    turned = rf"{BACK} (0.9 {unit} + 0.1 W^\top \mathrm{{diag}}(1 - g_t^2)) {REST}"
    wrong = rf"{STEP} {unit} + 0.1 \mathrm{{diag}}(1 - g_t^2) W"
    assert kinds(right, turned, wrong) == [PROVED, PROVED, REFUTED]


@pytest.mark.parametrize(
    "formula", ["I = I", "I h_t = h_t + I_t", r"\frac{\partial E}{\partial I} = W"]
)
def test_an_identity_of_no_size_is_not_read(formula) -> None:
    with pytest.raises(LanguageError, match=r"How large|no quantity"):
        audit(f"cell elman\nclaim : ${formula}$\n")


def test_the_only_letter_of_a_documents_formula_counts_the_steps() -> None:
    by = r"\frac{\partial L}{\partial "
    text = (
        rf"\[{by} g_n}} = 0.1 {by} h_n}}\] \[h_n = 0.9 h_{{n-1}} + 0.1 g_n\] \[g_n = \tanh(W h_n)\]"
    )
    found = audit_paper(text, "a.tex", load("leaky"))
    assert [v.kind for v in found.verdicts] == [PROVED, PROVED, REFUTED]
