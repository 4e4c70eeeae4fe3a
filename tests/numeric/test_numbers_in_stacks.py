"""Numbers and single values in stacks, and stacks of which only the sum counts: in files of every kind."""

from __future__ import annotations

import pytest

from derive.derivation import derive
from derive.language import read_cell
from numeric.fast_again import generate_small
from numeric.fast_source import generate_fast
from numeric.portable_source import generate_portable
from numeric.source import generate
from tests.generated import module_of
from tests.numeric.test_source import right_on
from tests.oracle import sample

CELLS = {
    "a number below vectors": "h[t] = tanh(W @ concat(h[t-1], x[t], 1))",
    "a number below all steps": "u[t] = concat(x[t], 1)\nh[t] = tanh(W @ h[t-1] + U @ u[t])",
    "a number below a parameter": "h[t] = tanh(W @ h[t-1] + U @ concat(b, 1) + x[t])",
    "a parameter of one entry": "dim k = 1\nh[t] = tanh(W @ concat(h[t-1], k, x[t]))",
    "two such parameters' mean": "dim k = 1\nh[t] = tanh(W @ h[t-1] + U @ concat(b, k) + x[t]) * mean(concat(b, k))",
    "a quotient and a mean": "h[t] = tanh(W @ h[t-1] + concat(x[t], 1 / 2, mean(h[t-1])))",
    "the mean of a stack": "h[t] = tanh(W @ h[t-1] + U @ x[t]) * mean(concat(h[t-1], x[t]))",
    "the sum of a stack": "h[t] = tanh(W @ h[t-1] + U @ x[t]) * sum(tanh(concat(h[t-1], x[t])))",
    "the sum of a product with a stack": "h[t] = tanh(W @ h[t-1]) + sum(concat(A, B) @ x[t])",
}  # fmt: skip


@pytest.mark.parametrize("write", [generate, generate_fast, generate_small, generate_portable])
@pytest.mark.parametrize("case", CELLS)
def test_the_gradients_are_right_in_files_of_every_kind(case, write):
    cell = read_cell(CELLS[case], "stacked")
    right_on(sample(cell, T=4, B=3), 1e-10, module_of(write(derive(cell)), "stacked"))
