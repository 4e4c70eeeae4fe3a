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


@pytest.mark.needs("node")
@pytest.mark.parametrize("name", shipped())
def test_every_formula_on_the_page_is_valid_latex(name: str) -> None:
    notebook = build_audit(audit(shipped_text(name), name))
    found = [f for cell in notebook.cells for f in formulas(cell.source)]
    assert found
    assert complaints(found) == []
