"""What is 0 whatever its quantities are is no divisor."""

from __future__ import annotations

import pytest

from derive.errors import LanguageError
from derive.language import read_cell

ZEROS = (
    "(1 - 1)", "(1/2 + 1/2 - 1)", "(x[t] - x[t])", "(x[t] - 2 * x[t] + x[t])", "tanh(0)", "log(1)", "mean(1 - 1)",
    "relu(1 - 2)", "(sigmoid(0) - 1/2)**2", "sum(x[t] - x[t])", "((V - V) @ x[t])", "(h[t-1] * (2 - 1 - 1))",
)  # fmt: skip


@pytest.mark.parametrize("zero", ZEROS)
def test_division_by_what_is_zero_is_refused_where_it_stands(zero):
    with pytest.raises(LanguageError, match="Division by zero") as caught:
        read_cell(f"h[t] = tanh(W @ h[t-1] + U @ x[t]) / {zero}", "mine")
    assert caught.value.place.column >= len("h[t] = tanh(W @ h[t-1] + U @ x[t]) / ")


@pytest.mark.parametrize(
    "other",
    [
        "(1 - 2)",
        "(x[t] + x[t])",
        "cos(0)",
        "(1 - y[t])",
        "(x[t] - y[t])",
        "sum(x[t] * y[t])",
        "exp(0)",
    ],
)
def test_what_is_not_always_zero_is_read(other):
    read_cell(
        f"h[t] = tanh(W @ h[t-1] + U @ x[t] + V @ y[t]) / {other} * {other} + x[t] + y[t]", "mine"
    )
