"""Cells on row vectors: what holds of columns is called so."""

from __future__ import annotations

from proofs.claims.court import audit
from proofs.claims.verdict import LAYOUT

ROWS = (
    "cell\n    dim h = 1, n\n    dim x = 1, m\n    h[t] = tanh(x[t] @ U + h[t-1] @ W)\nloss sum over t of L(h)\n"
    "claim : dL/dW == sum(t, (dL/dh[t] * (1 - h[t]**2)) @ h[t-1].T)\n"
)
COLUMNS = "cell elman_bare\nclaim : dL/dW == sum(t, h[t-1].T @ (dL/dh[t] * (1 - h[t]**2)))\n"


def test_a_layout_is_told_against_the_cells_own() -> None:
    for text, other, own in ((ROWS, "columns", "rows"), (COLUMNS, "rows", "columns")):
        (verdict,) = audit(text).verdicts
        assert verdict.kind == LAYOUT
        assert verdict.reason.startswith(f"it holds of {other}; of {own}, as the cell's equations")
        assert f"vectors are {other}" in verdict.reading
