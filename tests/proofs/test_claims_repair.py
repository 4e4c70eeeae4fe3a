"""Repairs: what they write, and how the errors are told."""

from __future__ import annotations

import pytest

from proofs.claims.court import audit
from proofs.claims.edit_kinds import Edit, said
from proofs.claims.printing import show
from proofs.claims.repair import together, without_zeros
from proofs.claims.syntax import Add, Chain, Mul, Node, Num, Qty, Transposed, map_nodes
from proofs.claims.verdict import LAYOUT, Repair


def repair(claim: str, cell: str = "elman") -> Repair:
    found = audit(f"cell {cell}\nloss sum over t\nclaim : {claim}\n").verdicts[0].repair
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("claim", "repaired"),
    [
        ("dL/dh[T] == 0", "d+L/dh[T]"),
        ("dh[t]/dh[t-1] == 0", "d+h[t]/dh[t-1]"),
        ("dL/dW == sum(t, 0)", "sum(t, (dL/dh[t] * (1 - h[t]**2)) @ h[t-1].T)"),
        ("dL/dh[T] == 0 + 2 * d+L/dh[T]", "d+L/dh[T]"),
    ],
)
def test_a_repair_has_no_zero_beside_other_terms(claim: str, repaired: str) -> None:
    assert show(repair(claim).formula.right) == repaired


@pytest.mark.parametrize(
    ("claim", "repaired"),
    [
        (
            r"$\frac{\partial h_t}{\partial h_k} = \prod_{j=k}^t \frac{\partial h_j}{\partial h_{j-1}}$",
            "dh[t]/dh[k] == product(j, k+1..t, descending, dh[j]/dh[j-1])",
        ),
        (
            "dL/dh[t] == (W.T @ slope(h[t+1])) * dL/dh[t+1] + d+L/dh[t]",
            "dL/dh[t] == W.T @ (slope(h[t+1]) * dL/dh[t+1]) + d+L/dh[t]",
        ),
        (
            "dL/dW == sum(t, (dL/dh[t] @ h[t-1].T) * slope(h[t]))",
            "dL/dW == sum(t, (dL/dh[t] * slope(h[t])) @ h[t-1].T)",
        ),
        ("sum(t, dL/dh[t]) == dL/db", "sum(t, dL/dh[t] * (1 - h[t]**2)) == dL/db"),
    ],
)
def test_the_smallest_change_of_what_was_meant(claim: str, repaired: str) -> None:
    assert show(repair(claim).formula) == repaired


def test_what_is_meant_of_steps_in_order_is_mended_for_them() -> None:
    found = repair("dh[t]/dh[k] == d+h[t]/dh[t-1] * dh[t-1]/dh[k]")
    assert show(found.formula) == "dh[t]/dh[k] == d+h[t]/dh[t-1] @ dh[t-1]/dh[k]"
    assert found.rests_on == "if k < t"


def test_zeros_stand_alone_or_not_at_all() -> None:
    zero, w, b = Num(value=0), Qty(name="W"), Qty(name="b")  # type: ignore[arg-type]
    negative = Add(terms=((-1, w),))
    cases: list[tuple[Node, Node]] = [
        (Add(terms=((1, zero), (1, w))), w),
        (Add(terms=((1, zero), (-1, w))), negative),
        (Add(terms=((1, w), (-1, zero), (1, b))), Add(terms=((1, w), (1, b)))),
        (Add(terms=((1, zero), (-1, zero))), zero),
        (Mul(factors=((1, zero), (1, w))), Mul(factors=((1, zero), (1, w)))),
    ]
    for before, after in cases:
        assert map_nodes(before, without_zeros) == after


def test_two_edits_of_one_part_are_told_as_one() -> None:
    found = repair("trace(dh[t]/dh[t-1]) == total((1-h[t]**2)*W)")
    assert found.errors == (
        "wrong kind of product: (1 - h[t]**2) * W should be diag(1 - h[t]**2) * W",
    )
    assert found.kinds == ("wrong kind of product",)


def test_edits_of_different_parts_are_told_apart() -> None:
    w, u, wt = Qty(name="W"), Qty(name="U"), Transposed(of=Qty(name="W"))
    first = Edit(
        "missing transpose",
        said("missing transpose: {} should be {}", w, wt),
        Chain(factors=(wt, u)),
    )
    other = Edit("wrong weight or bias", said("{} should be {}", u, w), Chain(factors=(wt, w)))
    back = Edit("superfluous transpose", said("{} should be {}", wt, u), Chain(factors=(u, u)))
    assert together((first, other)) == (first, other)
    assert [e.message for e in together((first, back))] == ["missing transpose: W should be U"]
    twice = Edit(first.kind, first.said, Chain(factors=(wt, wt)))
    assert together((twice, back)) == (twice, back)


@pytest.mark.parametrize(
    ("claim", "told", "repaired"),
    [
        (
            "dh[t]/dW == sum(k, 2..t, dh[t]/dh[k] · d+h[k]/dW)",
            "index off by one: the sum begins one step too late, its lower limit 2 should be 1",
            "sum(k, 1..t, dh[t]/dh[k] · d+h[k]/dW)",
        ),
        (
            "dL/db == sum(t, 1..T-1, dL/dh[t] * (1 - h[t]**2))",
            "index off by one: the sum ends one step too early, its upper limit T-1 should be T",
            "sum(t, dL/dh[t] * (1 - h[t]**2))",
        ),
        (
            "dh[t]/dh[k] == product(j, k..t, descending, dh[j]/dh[j-1])",
            "index off by one: the product begins one step too early, its lower limit k should be k+1",
            "product(j, k+1..t, descending, dh[j]/dh[j-1])",
        ),
    ],
)
def test_a_wrong_limit_is_told_as_the_limit_that_it_is(
    claim: str, told: str, repaired: str
) -> None:
    found = repair(claim)
    assert found.errors == (told,)
    assert show(found.formula.right) == repaired


@pytest.mark.parametrize(
    ("claim", "kinds", "repaired"),
    [
        (
            "dc[t]/dc[t-1] == f[t]",
            ("vector for a diagonal matrix", "partial taken for total"),
            "local(c[t], c[t-1]) == diag(f[t])",
        ),
        (
            "dc[t]/dc[k] == product(j, k+1..t, f[j])",
            ("vector for a diagonal matrix", "partial taken for total"),
            "product(j, k+1..t, descending, local(c[j], c[j-1])) == product(j, k+1..t, diag(f[j]))",
        ),
        (
            "local(c[t], c[t-1]) == f[t]",
            ("vector for a diagonal matrix",),
            "local(c[t], c[t-1]) == diag(f[t])",
        ),
        (
            "dL/di[t] == dL/dc[t] * c[t-1]",
            ("wrong gate or state, and step",),
            "dL/di[t] == dL/dc[t] * g[t]",
        ),
    ],
)
def test_a_gate_for_its_matrix_and_a_gate_of_another_step_are_named(
    claim: str, kinds: tuple[str, ...], repaired: str
) -> None:
    found = repair(claim, "lstm")
    assert (found.kinds, show(found.formula)) == (kinds, repaired)


def test_a_vector_before_a_matrix_product_is_named() -> None:
    found = repair("dh[t]/dh[t-1] == (1 - h[t]**2) @ W")
    assert found.kinds == ("vector for a diagonal matrix",)
    assert show(found.formula.right) == "diag(1 - h[t]**2) @ W"


@pytest.mark.parametrize(
    ("cell", "claim", "repaired"),
    [
        (
            "gru",
            "h[t] == z[t] * h[t-1] + (1 - z[t]) * g[t]",
            "(1 - z[t]) * h[t-1] + z[t] * g[t]",
        ),
        (
            "gru_mirrored",
            "h[t] == (1 - z[t]) * h[t-1] + z[t] * g[t]",
            "z[t] * h[t-1] + (1 - z[t]) * g[t]",
        ),
        ("leaky", "h[t] == 0.1 * h[t-1] + 0.9 * g[t]", "0.9 * h[t-1] + 0.1 * g[t]"),
        ("leaky", "h[t] == 0.1 * h[t-1] + 0.1 * g[t]", "0.9 * h[t-1] + 0.1 * g[t]"),
    ],
)
def test_a_gate_or_a_weight_for_its_complement_is_named(
    cell: str, claim: str, repaired: str
) -> None:
    found = repair(claim, cell)
    assert found.kinds == ("gate for its complement",)
    assert show(found.formula.right) == repaired


def test_one_partial_derivative_for_another_is_called_that() -> None:
    cell = "\n    a[t] = W @ h[t-1] + U @ x[t] + b\n    h[t] = tanh(a[t])"
    found = repair("dh[t]/dW == sum(k, 1..t, dh[t]/dh[k] · d+h[k]/dW)", cell)
    assert found.kinds == ("one partial taken for another",)
    assert show(found.formula.right) == "sum(k, 1..t, dh[t]/dh[k] · local(h[k], W))"


@pytest.mark.parametrize(
    ("claim", "told", "repaired"),
    [
        (
            "dh[t]/dh[k] == product(i, k+1..t, W.T @ diag(slope(h[i-1])))",
            "in denominator layout, index off by one: h[i-1] should be h[i]",
            "product(i, k+1..t, descending, diag(slope(h[i])) @ W)",
        ),
        (
            "dh[t]/dh[t-1] == W.T @ diag(h[t] * (1 - h[t]))",
            "in denominator layout, wrong derivative of the activation: h[t] * (1 - h[t]) should be 1 - h[t]**2",
            "diag(1 - h[t]**2) @ W",
        ),
    ],
)
def test_a_mistake_in_another_layout_is_found_in_that_layout(
    claim: str, told: str, repaired: str
) -> None:
    found = repair(claim)
    assert found.errors == (told,)
    assert show(found.formula.right) == repaired


@pytest.mark.parametrize("wrong", ["1 - h[t]**3", "1 - h[t]**4", "1 - h[t]", "h[t] * (1 - h[t])"])
def test_a_slope_with_a_wrong_power_is_mended_in_one_step(wrong: str) -> None:
    found = repair(f"dh[t]/dh[t-1] == diag({wrong}) @ W")
    assert found.errors == (f"wrong derivative of the activation: {wrong} should be 1 - h[t]**2",)
    assert show(found.formula.right) == "diag(1 - h[t]**2) @ W"


def test_a_slope_at_a_step_with_a_number_is_found() -> None:
    found = repair("dL/dh[0] == W.T @ dL/dh[1]")
    assert found.kinds == ("missing derivative of the activation",)
    assert show(found.formula.right) == "W.T @ (dL/dh[1] * (1 - h[1]**2))"


def test_what_holds_of_rows_alone_says_that_it_does_not_of_columns() -> None:
    claims = (
        ": dh[t]/dh[t-1] == W @ diag(1 - h[t]**2)",
        ": dh[t]/dh[t-1] == W.T @ diag(1 - h[t]**2)",
    )
    rows, denominator = (audit(f"cell elman\nclaim {claim}\n").verdicts[0] for claim in claims)
    assert rows.kind == denominator.kind == LAYOUT
    assert "of columns, as the cell's equations have them, it does not" in rows.text()
    assert denominator.reason == ""


@pytest.mark.parametrize(
    ("claim", "kind", "error", "repaired"),
    [
        (
            "dL/dW == sum(t, sum(k, 1..t, outer((1 - h[t]**2) * ((dh[t]/dh[k]).T @ d+L/dh[t]), h[k-1])))",
            "wrong index",
            "wrong index: h[t] should be h[k]",
            "sum(t, sum(k, 1..t, outer((1 - h[k]**2) * ((dh[t]/dh[k]).T @ d+L/dh[t]), h[k-1])))",
        ),
        (
            "dL/dW == dL/dh[T] * (1 - h[T]**2) @ h[T-1].T",
            "missing sum over t",
            "missing sum over t: only the last step is there",
            "sum(t, (dL/dh[t] * (1 - h[t]**2)) @ h[t-1].T)",
        ),
        (
            "dL/dW == sum(t, dL[t]/dh[t] * (1 - h[t]**2) @ h[t-1].T)",
            "loss of one step taken for the whole",
            "loss of one step taken for the whole: dL[t]/dh[t] should be dL/dh[t]",
            "sum(t, (dL/dh[t] * (1 - h[t]**2)) @ h[t-1].T)",
        ),
        (
            "h[t] == sigmoid(W.T @ h[t-1] + U.T @ x[t] + b)",
            "another equation",
            "the cell has another equation",
            "tanh(W @ h[t-1] + U @ x[t] + b)",
        ),
    ],
)
def test_mistakes_of_slides_are_named(claim: str, kind: str, error: str, repaired: str) -> None:
    found = repair(claim)
    assert (found.kinds, found.errors) == ((kind,), (error,))
    assert show(found.formula.right) == repaired


def test_a_formula_that_says_nothing_is_no_repair() -> None:
    found = audit("cell elman\nclaim : dh[t]/dh[t-1] == (dh[t]/dh[t-1]).T\n").verdicts[0]
    assert found.repair is None
