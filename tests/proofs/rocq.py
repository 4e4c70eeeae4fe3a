"""What the tests of certificates share: derivations by name, and one compiled library for the whole session."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from derive import catalog
from derive.derivation import Derivation, derive
from derive.language import read_cell

TWO_STATES = """\
# two states, a lag of 2, W and its transpose, an input with a lag
r[t] = sigmoid(W @ h[t-1] + U @ x[t] + b)
h[t] = tanh(W.T @ c[t-2] + r[t] * h[t-1] + V @ x[t-1])
c[t] = c[t-1] * (1 - r[t]) + r[t]**3 * softmax(A @ h[t]) + h[t-2]
"""

STACKS = """\
# one size stacked up in several orders, as sum and as whole, with parts that are stacks
dim h = n
h[t] = tanh(W @ concat(h[t-1], x[t], u[t]) + V @ concat(h[t-1], u[t], x[t]) * (V @ concat(x[t], h[t-1], u[t])))
s[t] = concat(h[t], x[t], h[t-1]) * concat(concat(h[t], h[t-1]), x[t]) + s[t-1] * concat(x[t], h[t-2], 2 * h[t])
"""

CORNERS = """\
# no parameters, no inputs; quotients of totals, 1 + 1/2, a constant in a line of one entry, a mean over a matrix
dim C = n, n
const alpha = 0.75
c[t] = (c[t-2] + 0.5 * c[t-2]) / (1 + relu(abs(c[t-1].T @ c[t-2]) - 1))
s[t] = (1 - (0.5 - alpha)) * s[t-1] + 0.5 * sum((c[t] - c[t-1])**2)
C[t] = C[t-1] * mean(C[t-1]) + c[t] @ c[t].T
"""

SMALL_NUMBERS = "k[t] = W @ x[t] / sqrt(sum((W @ x[t])**2) + 1e-6)\nh[t] = 1.234 * h[t-1] + k[t]\n"
OWN = {
    "two states": TWO_STATES,
    "stacks": STACKS,
    "corners": CORNERS,
    "small numbers": SMALL_NUMBERS,
}
"""Cells that hold what was hard to prove, by name."""


@cache
def derivation(name: str) -> Derivation:
    """The derivation of a shipped cell."""
    return derive(catalog.load(name))


def derived(text: str) -> Derivation:
    """The derivation of a cell's text."""
    return derive(read_cell(text, "own"))


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this test session share."""
    base = factory.getbasetemp()
    return (base.parent if base.name.startswith("popen-") else base) / "rocq"
