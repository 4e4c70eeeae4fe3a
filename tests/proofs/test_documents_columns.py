r"""Columns in brackets, and rows of transposes: what a stacked weight multiplies."""

from __future__ import annotations

import pytest

from derive.catalog import load
from proofs.claims.said import NOT_JUDGED
from proofs.claims.verdict import MEANINGLESS, PROVED, REFUTED
from proofs.documents.hearing import audit_paper

BY = r"\frac{\partial L}{\partial W_f} = \sum_t (\frac{\partial L}{\partial f_t} \odot f_t \odot (1 - f_t))"


def kind(formula: str) -> str:
    found = audit_paper(f"\\[{formula}\\]\n\\[h_t = h_t\\]", "a.tex", load("lstm_stacked"))
    return NOT_JUDGED if found.unjudged else found.verdicts[0].kind


@pytest.mark.parametrize("around", ["bmatrix", "pmatrix", "matrix", "smallmatrix"])
@pytest.mark.parametrize("end", [r"\\", r"\\[2pt]", r"\\ [ -1.5em ]"])
def test_a_column_is_what_is_stacked(around, end) -> None:
    column = rf"\begin{{{around}}} h_{{t-1}} {end} x_t \\ \end{{{around}}}"
    assert kind(rf"f_t = \sigma(W_f {column} + b_f)") == PROVED
    assert kind(rf"{BY} {column}^\top") == PROVED


def test_the_order_of_what_is_stacked_counts() -> None:
    column = r"\begin{bmatrix} x_t \\ h_{t-1} \end{bmatrix}"
    assert kind(rf"f_t = \sigma(W_f {column} + b_f)") != PROVED
    assert kind(rf"{BY} [x_t^\top, h_{{t-1}}^\top]") in (REFUTED, MEANINGLESS)


def test_transposes_with_commas_stand_side_by_side() -> None:
    assert kind(rf"{BY} [h_{{t-1}}^\top, x_t^\top]") == PROVED
    assert kind(rf"{BY} [h_{{t-1}}^\top; x_t^\top]") == MEANINGLESS


@pytest.mark.parametrize("inside", ["f_t & i_t", r"f_t \\ i_t & f_t", ""])
def test_what_has_columns_or_nothing_is_left(inside) -> None:
    matrix = rf"\begin{{pmatrix}} {inside} \end{{pmatrix}}"
    assert kind(f"{matrix} = {matrix}") == NOT_JUDGED
