"""Claims on what no step changes: its value needs no index, and a derivative by it is one by those of all steps."""

from __future__ import annotations

import pytest

from derive.catalog import load
from proofs.claims.court import audit
from proofs.claims.printing import show
from proofs.documents.hearing import audit_paper

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
    "derivative(L, r) == dL/dr": "proved",
    "derivative(L, r) == dL/dr[1]": "true under a condition",
    "partial(a[t], c) == local(a[t], c)": "proved",
    r"$\nabla_{c} L = \sum_t (\nabla_{a_t} L \odot a_{t-1} + \nabla_{b_t} L \odot b_{t-1})$": "proved",
    "norm(d+a[t]/dc) <= 0": "refuted",
    "da[t]/dc == sum(k, 1..t, da[t]/da[k] @ diag(a[k-1]) + da[t]/db[k] @ diag(b[k-1]))": "proved",
}


@pytest.mark.parametrize(("claim", "verdict"), CLAIMS.items())
def test_a_claim_about_the_linear_recurrent_unit(claim, verdict):
    (found,) = audit(f"cell lru\nclaim : {claim}\n", "lru").verdicts
    assert found.kind == verdict


REPAIRS = {
    "dL/db[t-1] == c * dL/db[t] - C_im.T @ dL/dy[t-1]": (
        "dL/db[t-1] == c * dL/db[t] - C_im.T @ dL/dy[t-1] - dL/da[t] * s"
    ),
    "dL/dc == dL/da[t] * a[t-1] + dL/db[t] * b[t-1]": "dL/dc == sum(t, dL/da[t] * a[t-1] + dL/db[t] * b[t-1])",
    "dL/dnu == exp(nu) * r * dL/dr": "dL/dnu == -exp(nu) * r * dL/dr",
    "r == exp(exp(nu))": "r == exp(-exp(nu))",
}


@pytest.mark.parametrize(("claim", "repaired"), REPAIRS.items())
def test_a_repair_names_no_step_where_none_changes_it(claim, repaired):
    (found,) = audit(f"cell lru\nloss sum over t of L(y)\nclaim : {claim}\n", "lru").verdicts
    assert show(found.repair.formula) == repaired


def test_a_path_through_what_no_step_changes_is_added_once_with_its_sign():
    cell = "cell\n    A = W - W.T\n    h[t] = tanh(A @ h[t-1] + U @ x[t])\n"
    (found,) = audit(f"{cell}claim : dL/dW == dL/dA\n", "cell").verdicts
    assert show(found.repair.formula) == "dL/dW == dL/dA - (dL/dA).T"


def test_a_document_states_the_equation_of_what_no_step_changes():
    told = audit_paper(
        "$r = \\exp(-\\exp(\\nu))$, $r = \\exp(\\nu)$", "a.tex", load("lru")
    ).verdicts
    assert told[0].reason == "it agrees with the cell's equations for r"
    assert told[1].reason.startswith("it differs from the cell's: r")
