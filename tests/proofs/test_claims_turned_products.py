"""Sizes of products in the wrong order are refuted, and told which order holds."""

from __future__ import annotations

from proofs.claims.court import audit
from proofs.claims.verdict import PROVED, REFUTED

SIZE = r"\left\| \frac{\partial h_t}{\partial h_k} \right\|"
ASCENDING = r"\prod_{j=k+1}^t \frac{\partial h_j}{\partial h_{j-1}}"


def test_a_norm_of_a_product_in_the_wrong_order_is_repaired() -> None:
    (verdict,) = audit(f"cell elman\nclaim : ${SIZE} = \\| {ASCENDING} \\|$\n").verdicts
    assert verdict.kind == REFUTED
    assert verdict.repair is not None
    assert verdict.repair.errors == (
        "wrong order of factors: the product must be descending, the last one first",
    )
    assert "descending" in str(verdict)


def test_what_no_order_helps_is_refuted_alone() -> None:
    text = f"cell elman\nclaim : ${SIZE} = \\| W {ASCENDING} \\|$\nclaim : ${SIZE} \\le 1$\n"
    assert [(v.kind, v.repair) for v in audit(text).verdicts] == [(REFUTED, None)] * 2


def test_a_product_of_sizes_has_no_order() -> None:
    sizes = r"\prod_{j=k+1}^t \| \frac{\partial h_j}{\partial h_{j-1}} \|"
    text = f"cell elman\nclaim : ${SIZE} \\le {sizes}$\n"
    assert [v.kind for v in audit(text).verdicts] == [PROVED]
