"""What a verdict may say: that a formula fails where numbers show it, and conditions under which it says something."""

from __future__ import annotations

import pytest

from proofs.claims.court import audit
from proofs.claims.verdict import REFUTED, UNDECIDED

TRUE = (
    "h[t] == -tanh(-(W @ h[t-1] + U @ x[t] + b))",
    "tanh(-b) == -tanh(b)",
    "dL/db == sum(t, dL/dh[t] * (1 - h[t]**2) * step(exp(b)))",
    "dL/db == step(exp(W.T @ b)) / step(exp(W @ b)) * sum(t, dL/dh[t] * (1 - h[t]**2))",
)
LAGS = """
    h[t] = tanh(W @ h[t-2] + V @ s[t-2] + b)
    s[t] = tanh(A @ s[t-2] + B @ h[t-3] + c)
"""
GATED = """
    z[t] = sigmoid(A @ h[t-1] + B @ s[t-1] + b)
    h[t] = tanh(W @ h[t-1])
    s[t] = z[t] * s[t-1] + (1 - z[t]) * tanh(s[t-2])
"""


@pytest.mark.parametrize("claim", TRUE)
def test_what_no_numbers_refute_is_no_mistake_though_a_condition_proves_it(claim):
    (found,) = audit(f"cell elman\nclaim : {claim}\n").verdicts
    assert (found.kind, found.repair, found.conditions, found.weaker) == (UNDECIDED, None, (), ())
    assert found.reason.startswith("no proof was found, and both sides agree")


def test_what_fails_in_long_runs_only_is_refuted_there():
    claim = "ds[t]/dh[k] == d+s[t]/dh[t-3] @ local(h[t-3], h[k]) + d+s[t]/ds[t-2] @ ds[t-2]/dh[k]"
    (found,) = audit(f"cell{LAGS}claim : {claim}\n").verdicts
    assert found.kind == REFUTED


def test_that_nothing_is_nothing_is_no_condition():
    right = "sum(t, dL/ds[t] * (s[t-1] - tanh(2 * s[t-2])) * z[t] * (1 - z[t]))"
    (found,) = audit(f"cell{GATED}claim : dL/db == {right}\n").verdicts
    assert (found.kind, found.conditions) == (REFUTED, ())
    assert found.repair.errors == ("superfluous factor 2",)
