"""The page of an audit: every claim on it, its mathematics valid, and nothing injected."""

from __future__ import annotations

import re

import pytest

from proofs.claims.court import audit
from proofs.claims.register import shipped, shipped_text
from reports.audit import build_audit
from reports.html import to_html
from reports.notebook import to_ipynb
from reports.strict import complaints, formulas

TEXT = """# A test & its <claims>
cell elman
claim "right <script>alert(1)</script>" : dh[t]/dh[t-1] == diag(1 - h[t]**2) @ W
claim "wrong" : dL/db == dL/dh[t] * (1 - h[t]**2)
claim : sigmoid(1) ~= 0.9
"""


def test_every_claim_stands_on_the_page_with_its_verdict() -> None:
    page = to_html(build_audit(audit(TEXT, "test.claims")))
    text = re.sub(r"<[^>]*>", "", page)
    for part in (
        "proved",
        "true under a condition",
        "numerically false",
        "missing sum over t",
        "counterexample",
    ):
        assert part in text
    assert "<script>alert" not in page


def test_the_same_audit_gives_the_same_bytes() -> None:
    one, two = (to_ipynb(build_audit(audit(TEXT, "test.claims"))) for _ in range(2))
    assert one == two


def test_the_page_says_which_cell_and_which_loss_each_claim_is_about() -> None:
    text = (
        "cell elman\nclaim : dL/dh[T] == d+L/dh[T]\nloss last step of E(h)\nclaim : dE/dh[T] == d+E/dh[T]\n"
        "cell leaky\nclaim : alpha == 0.9\n"
    )
    sources = [c.source for c in build_audit(audit(text, "test.claims")).cells]
    about = [s for s in sources if s.startswith("What follows is about this cell")]
    assert about == [
        r"What follows is about this cell, with the loss $L = \sum_t L_{t}$, each term any function of $h_{t}$:",
        r"What follows is about this cell, with a loss $E$ that is any function of $h_{T}$:",
        r"What follows is about this cell, with the loss $L = \sum_t L_{t}$, each term any function of $h_{t}$:",
    ]
    assert sum("h[t] = tanh(W @ h[t-1] + U @ x[t] + b)" in s for s in sources) == 2


@pytest.mark.needs("node")
@pytest.mark.parametrize("name", shipped())
def test_every_formula_on_the_page_is_valid_latex(name: str) -> None:
    notebook = build_audit(audit(shipped_text(name), name))
    found = [f for cell in notebook.cells for f in formulas(cell.source)]
    assert found
    assert complaints(found) == []
