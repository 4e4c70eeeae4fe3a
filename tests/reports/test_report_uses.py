"""Every role that a parameter can play is told as what it is."""

from __future__ import annotations

import pytest

from derive.catalog import load
from derive.language import read_cell
from reports.report_uses import uses

ROLES = {
    r"added in $h_{t}$": "h[t] = tanh(W @ h[t-1] + U @ x[t] + p)",
    r"subtracted in $h_{t}$": "h[t] = tanh(W @ h[t-1] + U @ x[t] - p)",
    r"added in $h_{t}$, as $-\tfrac{1}{2} \, p$": "h[t] = W @ h[t-1] - p / 2",
    r"added in $h_{t}$, as $\exp(-p)$": "h[t] = W @ h[t-1] + exp(-p)",
    r"multiplies $h_{t-1}$ entry by entry in $h_{t}$": "h[t] = p * h[t-1] + U @ x[t]",
    r"multiplies $U \, x_{t}$ entry by entry in $h_{t}$": "h[t] = W @ h[t-1] + p * (U @ x[t])",
    r"multiplies $h_{t-1}$ entry by entry in $h_{t}$, as $1 - p$": "h[t] = (1 - p) * h[t-1] + U @ x[t]",
    r"multiplies $h_{t-1}$ entry by entry in $h_{t}$, as $p^{3}$": "h[t] = p**3 * h[t-1] + U @ x[t]",
    r"multiplies $h_{t-1}$ entry by entry in $h_{t}$, as $\operatorname{softmax}(p)$": (
        "h[t] = softmax(p) * h[t-1] + U @ x[t]"
    ),
    r"divides $h_{t-1}$ entry by entry in $h_{t}$": "h[t] = h[t-1] / p + U @ x[t]",
    r"divides $h_{t-1}$ entry by entry in $h_{t}$, as $(1 + p)^{2}$": "h[t] = h[t-1] / (1 + p)**2 + U @ x[t]",
    r"multiplies $(1 + h_{t-1})^{-1}$ entry by entry in $h_{t}$": "h[t] = p / (1 + h[t-1]) + U @ x[t]",
    r"multiplies $h_{t-1}$ in $h_{t}$": "h[t] = tanh(p @ h[t-1] + U @ x[t])",
    r"multiplies $h_{t-1}$ in $h_{t}$, as $p^{\top}$": "h[t] = tanh(p.T @ h[t-1] + U @ x[t])",
    r"multiplies $h_{t-1}$ in $h_{t}$, as $p + Q$": "h[t] = tanh((p + Q) @ h[t-1] + U @ x[t])",
    r"multiplies $h_{t-1}$ from the right in $h_{t}$": "dim h = 2, n\nh[t] = tanh(h[t-1] @ p + U @ x[t])",
    r"stands between $A$ and $h_{t-1}$ in $h_{t}$": "h[t] = tanh(A @ p @ h[t-1] + U @ x[t])",
    r"stacked with $x_{t}$ in $h_{t}$": "h[t] = tanh(W @ h[t-1] + U @ concat(p, x[t]))",
    r"stands alone in $a$, as $\exp(p)$": "a[t] = exp(p)\nh[t] = a[t] * h[t-1] + U @ x[t]",
    r"multiplies $h_{t-1}$ in $h_{t}$; added in $h_{t}$": "dim p = 1\nh[t] = p * h[t-1] + U @ x[t] + p",
    r"multiplies $x_{t}$ in $a_{t}$ and $h_{t}$": "a[t] = tanh(p @ x[t])\nh[t] = a[t] * h[t-1] + p @ x[t]",
}


@pytest.mark.parametrize(("said", "text"), ROLES.items(), ids=range(len(ROLES)))
def test_what_a_parameter_does_is_told_truthfully(said: str, text: str) -> None:
    cell = read_cell(text, "mine")
    assert uses(cell, cell.quantity("p")) == said


def test_a_peephole_multiplies_the_memory_and_is_not_added() -> None:
    cell = load("lstm_peephole")
    assert uses(cell, cell.quantity("p_o")) == "multiplies $c_{t}$ entry by entry in $o_{t}$"
    assert uses(cell, cell.quantity("b_o")) == "added in $o_{t}$"


def test_a_vector_beside_a_number_does_not_multiply_entry_by_entry() -> None:
    cell = load("selective_ssm")
    assert uses(cell, cell.quantity("A")) == r"multiplies $\delta_{t}$ in $a_{t}$, as $\exp(A)$"
