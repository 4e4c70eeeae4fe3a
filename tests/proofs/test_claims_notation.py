r"""Notations of textbooks and lectures: accents, fractions of values, one-sided sums, other signs of derivatives."""

from __future__ import annotations

import pytest

from derive.catalog import load
from derive.errors import ArgumentError, LanguageError
from derive.language import read_cell
from proofs.claims.verdict import CONDITIONAL, PROVED, REFUTED
from proofs.documents.hearing import audit_paper

READOUT = read_cell(
    "s[t] = tanh(W_rec @ s[t-1] + U @ x[t])\nc_tilde[t] = V @ s[t]\ny_hat[t] = softmax(c_tilde[t])\n"
    "loss[t] = cross_entropy(y_hat[t], y[t])\n",
    "readout",
    stable=False,
)
BY = r"\frac{\partial L}{\partial "
RIGHT = (
    r"\tilde{c}_t = V s_t",
    r"\hat{\mathbf y}^{(t)} = \mathrm{softmax}(\tilde{\mathbf{c}}^{(t)})",
    r"\frac{\partial \hat{y}_t}{\partial \tilde{c}_t} = \mathrm{diag}(\hat{y}_t) - \hat{y}_t \hat{y}_t^\top",
    r"\frac{\partial L}{\partial \hat{y}_t} = -\frac{y_t}{\hat{y}_t}",
    r"\frac{\partial L}{\partial \hat{y}_t} = − y_t \oslash \hat{y}_t",
    r"\frac12 s_t + \frac{1}{2} s_t = s_t",
    r"\partial_{W_{rec}} L = \sum_t (\partial_{s_t} L \odot (1 - s_t^2)) s_{t-1}^\top",
    BY + r"\mathbf{W}_\textrm{rec}} = \sum_t (\nabla_{s_t} L \odot (1 - s_t^2)) s_{t-1}^\top",
    BY + r"W_{\rm rec}} = \sum_t (\nabla_{s_t} L \odot (1 - s_t^2)) s_{t-1}^\top",
    BY
    + r"s_k} = \sum_{t \ge k} (\frac{\partial s_t}{\partial s_k})^\top \frac{\partial L_t}{\partial s_t}",
    r"\frac{d s_t}{d U} = \sum_{k \le t} \frac{d s_t}{d s_k} \frac{\partial^+ s_k}{\partial U}",
    r"s_t \odot \mathrm{step}(s_t) = s_t \odot \operatorname{step}(s_t)",
)
WRONG = (
    r"\tilde{c}_t = V s_{t-1}",
    r"\frac{\partial \hat{y}_t}{\partial \tilde{c}_t} = \mathrm{diag}(\hat{y}_t) + \hat{y}_t \hat{y}_t^\top",
    r"\frac{\partial L}{\partial \hat{y}_t} = \frac{y_t}{\hat{y}_t}",
    r"\frac13 s_t + \frac{1}{2} s_t = s_t",
    r"\partial_{W_{rec}} L = \sum_t (\partial_{s_t} L \odot (1 - s_t^2)) s_t^\top",
    BY
    + r"s_k} = \sum_{t > k} (\frac{\partial s_t}{\partial s_k})^\top \frac{\partial L_t}{\partial s_t}",
    r"\frac{d s_t}{d U} = \sum_{k < t} \frac{d s_t}{d s_k} \frac{\partial^+ s_k}{\partial U}",
)


def kinds(formulas: tuple[str, ...]) -> list[str]:
    found = audit_paper("".join(f"\\[{f}\\]\n" for f in formulas), "a.tex", READOUT)
    assert not found.unjudged
    return [verdict.kind for verdict in found.verdicts]


def test_what_textbooks_write_is_read() -> None:
    assert kinds(RIGHT) == [PROVED] * len(RIGHT)


def test_what_is_wrong_in_these_notations_is_found() -> None:
    assert set(kinds(WRONG)) <= {REFUTED, CONDITIONAL}


@pytest.mark.parametrize(
    ("formula", "remedy"),
    [
        (r"s_t \otimes s_t = W_{rec}", r"\odot"),
        (r"(\nabla_{s_t} L)_i = s_t", "whole vector"),
        (r"s_t' = s_t", r"\top"),
        (r"\frac\alpha2 s_t = s_t", r"\frac{…}{…}"),
    ],
)
def test_what_is_not_read_is_told_what_to_write(formula, remedy) -> None:
    found = audit_paper(f"\\[s_t = s_t\\]\n\\[{formula}\\]", "a.tex", READOUT)
    assert [remedy in u.error.remedy for u in found.unjudged] == [True]


def test_a_document_that_names_its_cell_is_not_told_to_name_one() -> None:
    text = "% audit: cell elman\n\\[\\frac{\\partial h_{t,i}}{\\partial h_{t-1,j}} = W_{ij}\\]"
    with pytest.raises(LanguageError, match="none of its 1 formulas"):
        audit_paper(text, "a.tex")
    with pytest.raises(ArgumentError, match="nothing says of which cell"):
        audit_paper(text.partition("\n")[2], "a.tex")
    assert audit_paper(text + "\n$h_t = h_t$", "a.tex", load("lstm")).counts[PROVED] == 1
