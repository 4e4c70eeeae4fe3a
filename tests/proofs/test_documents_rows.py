r"""Rows that go on without a sign, and displayed formulas with ``<``."""

from __future__ import annotations

import pytest

from derive.catalog import load
from proofs.claims.said import NOT_JUDGED
from proofs.claims.verdict import PROVED, REFUTED
from proofs.documents.hearing import audit_paper

BY = r"\frac{\partial h_t}{\partial h_{t-1}}"
SIZE = rf"\left\| {BY} \right\|"


def told(text: str) -> list[str]:
    found = audit_paper(text, "a.tex", load("elman"))
    rows = [(v.claim.line, v.kind) for v in found.verdicts]
    return [k for _, k in sorted(rows + [(u.line, u.kind) for u in found.unjudged])]


@pytest.mark.parametrize("blank", ["", r"\quad", r"\qquad", r"\quad\quad "])
def test_a_factor_in_the_next_row_is_a_factor(blank) -> None:
    rows = rf"{BY} &= \mathrm{{diag}}(1 - h_t^2) \\ &{blank} W"
    assert told(rf"\begin{{align}}{rows}\end{{align}}") == [PROVED]


def test_a_range_in_the_next_row_is_no_factor() -> None:
    rows = rf"{BY} &= \mathrm{{diag}}(1 - h_t^2) W \\ &\quad \forall t"
    assert told(rf"\begin{{align}}{rows}\end{{align}}") == [PROVED]


def test_what_is_not_at_most_is_not_less() -> None:
    assert told(rf"\[{SIZE} < 1\]") == [REFUTED]
    assert told(rf"\[1 > {SIZE}\]") == [REFUTED]
    assert told(r"\[\|W\| < -1\]" + "\n$h_t = h_t$") == [REFUTED, PROVED]


def test_what_is_at_most_need_not_be_less() -> None:
    found = audit_paper(rf"\[{SIZE} < \|W\|\]" + "\n$h_t = h_t$", "a.tex", load("elman"))
    assert [u.kind for u in found.unjudged] == [NOT_JUDGED]
    assert found.unjudged[0].error.problem.endswith("with ≤ in its place it is proved")
    assert "<" in found.unjudged[0].text


def test_less_within_a_line_of_words_is_a_supposition() -> None:
    text = rf"Where ${SIZE} < 1$, the gradient vanishes. $h_t = h_t$"
    assert sorted(told(text)) == [NOT_JUDGED, PROVED]


def test_a_weight_that_is_chosen_small_is_a_choice() -> None:
    assert sorted(told(r"\[\|W\| < 1\]" + "\n$h_t = h_t$")) == [NOT_JUDGED, PROVED]


def test_a_name_that_is_defined_twice_is_told() -> None:
    slope = r"\odot (1 - h_t^2)"
    text = (
        r"\[\delta_t = \frac{\partial L}{\partial h_t} " + slope + r"\]"
        r"\[\delta_t = \frac{\partial L}{\partial h_t}\]"
        r"\[\delta_k = (1 - h_k^2) \odot \frac{\partial L}{\partial h_k}\]"
    )
    found = audit_paper(text, "a.tex", load("elman"))
    assert [v.kind for v in found.verdicts] == [REFUTED, PROVED]
    assert found.verdicts[0].reason.startswith("the document has said before what delta stands for")
    assert found.verdicts[1].reason == ""
