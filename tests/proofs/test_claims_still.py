"""Claims on what no step changes: its value needs no index, and a derivative by it is one by those of all steps."""

from __future__ import annotations

import pytest

from proofs.claims.court import audit

CLAIMS = {
    "da[t]/da[t-1] == diag(c)": "proved",
    "da[t]/da[t-1] == diag(c[t])": "proved",
    "da[t]/db[t-1] == diag(s)": "refuted",
    "r == exp(-exp(nu))": "proved",
    "dL/dnu == -exp(nu) * r * dL/dr": "proved",
    "dL/dnu == -sum(t, exp(nu) * r * dL/dr[t])": "proved",
    "dL/dnu == -exp(nu) * r * dL/dr[1]": "true under a condition",
    "dL/dr == dL/dc * cos(exp(theta)) + dL/ds * sin(exp(theta))": "proved",
    "dL/dc == sum(t, dL/da[t] * a[t-1] + dL/db[t] * b[t-1])": "proved",
    "dL/dc == sum(t, dL/da[t] * a[t] + dL/db[t] * b[t-1])": "refuted",
    "da[t]/dc == sum(k, 1..t, da[t]/da[k] @ diag(a[k-1]) + da[t]/db[k] @ diag(b[k-1]))": "proved",
}


@pytest.mark.parametrize(("claim", "verdict"), CLAIMS.items())
def test_a_claim_about_the_linear_recurrent_unit(claim, verdict):
    (found,) = audit(f"cell lru\nclaim : {claim}\n", "lru").verdicts
    assert found.kind == verdict
