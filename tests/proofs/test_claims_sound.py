"""What an adversary tried: formulas that are false in some run, at some size or for some value do not stand."""

from __future__ import annotations

import pytest

from proofs.claims.court import audit
from proofs.claims.verdict import LAYOUT, PROVED, REFUTED, UNDECIDED
from tests.proofs.test_claims import verdict

LAGS = "cell\n    h[t] = tanh(W @ h[t-1] + V @ h[t-2] + b)\n    o[t] = sigmoid(A @ h[t-3] + b)\nloss sum over t of L(h)"
KINKS = "cell\n    h[t] = relu(W @ h[t-1] + U @ x[t])\n    y[t] = abs(h[t])"
FALSE = {
    "elman": (
        # in longer and in shorter runs
        "sum(j, t+t+t+t+t..T, dL/dh[j]) == 0",
        "sum(i, 1..T, sum(j, i+i+i+i+i+i..T, dL/dh[j])) == 0",
        "sum(t, 2..T-1, h[t] - h[t-1]) == h[T-1] - h[1]",
        "sum(i, T..2, dL/dh[i]) == 0",
        "(sum(t, 1) - 3) * (sum(t, 1) - 4) == 0",
        # at other sizes
        "total(ones(h[t])) == sum(t, 1)",
        "total(ones(x[t])) == 10 - 2 * trace(eye(W))",
        "sum(j, dL/dh[T]) == trace(eye(W)) * dL/dh[T]",
        # products and sums without a factor or a term
        "-product(j, t+1..t, W) == eye(W)",
        "(-product(j, t+1..t, W)) @ h[t] == h[t]",
        "trace(product(j, t+1..t, W)) == 1",
        "product(j, 1..0, W) == 1",
        "product(j, 1..0, W) == U",
        "(product(j, t+1..t, W) + 1) @ h[t] == 2 * h[t]",
        "sum(k, T+1..T, product(j, T+1..k, W)) @ h[T] == h[T]",
        # functions with kinks, and those of several entries
        "sign(relu(h[t])) == sign(h[t])",
        "abs(h[t]) == h[t]",
        "total(softmax(W)) == 1",
        "trace(eye(h[t])) == 1",
        "eye(h[t]) == 1",
        "outer(h[t], h[t]) == total(h[t] * h[t])",
        "W**-1 == 0.5",
        # sizes
        "norm(W + 1) <= sigma_max(W) + 2",
    ),
    "leaky": ("norm(W + alpha) <= sigma_max(W) + 2 * alpha", "norm(eye(h[t]) + alpha) <= 1 + 2 * alpha"),
}  # fmt: skip


@pytest.mark.parametrize(("cell", "claim"), [(c, f) for c, claims in FALSE.items() for f in claims])
def test_a_false_formula_does_not_stand(cell: str, claim: str) -> None:
    assert verdict(claim, f"cell {cell}").kind not in (PROVED, LAYOUT)


@pytest.mark.parametrize(
    ("given", "claim"),
    [
        ("loss last", "d+L/dh[1] == 0"),
        ("loss last", "dL[2]/dW == 0"),
        ("n = 1, W = identity", "b == 1"),
        ("initial state = 0", "sign(h[0]) == 2 * step(h[0]) - 1"),
        ("linear", "exp(h[t]) == h[t]"),
    ],
)
def test_nor_one_under_conditions(given: str, claim: str) -> None:
    told = audit(f"cell elman\nloss sum over t\nclaim given {given} : {claim}\n").verdicts[0]
    assert told.kind not in (PROVED, LAYOUT)


@pytest.mark.parametrize(
    "claim",
    [
        ": h[T-3] == tanh(W @ h[T-4] + V @ h[T-5] + b)",
        "given t = T : h[t-3] == tanh(W @ h[t-4] + V @ h[t-5] + b)",
        ": h[T-3] - tanh(W @ h[T-4] + V @ h[T-5] + b) == sum(t, 1..T-3, h[t] - tanh(W @ h[t-1] + V @ h[t-2] + b))",
    ],
)
def test_what_fails_at_one_length_only_is_refuted_there(claim: str) -> None:
    (told,) = audit(f"{LAGS}\nclaim {claim}\n").verdicts
    assert told.kind == REFUTED
    assert told.counterexample is not None
    assert "T = 3" in told.counterexample.extent


def test_slopes_at_a_kink_are_those_of_the_language() -> None:
    assert verdict("slope(y[t]) == 2 * slope(h[t]) - 1", KINKS).kind not in (PROVED, LAYOUT)
    assert verdict("slope(h[t]) == step(h[t])", KINKS).kind == PROVED
    assert verdict("abs(h[t]) == sign(h[t]) * h[t]", KINKS).kind == PROVED


def test_gamma_is_no_number_where_a_slope_has_no_bound() -> None:
    assert verdict("norm(dh[t]/dh[t]) >= gamma", "cell\n    h[t] = exp(W @ h[t-1])").kind != PROVED


@pytest.mark.parametrize(
    ("claim", "stands"),
    [
        ("1e-40 == 2e-40", False),
        ("1e-40 <= 0", False),
        ("1e40 * 1e20 + 1 == 1e40 * 1e20", False),
        ("0.1 ** 50 == 0.1 ** 60", False),
        ("exp(-100) == 0", False),
        ("tanh(60) == 1", False),
        ("sigmoid(100) >= 1", False),
        ("sqrt(2) * sqrt(2) - 2 == 0", True),
        ("1e25 * sqrt(2) * sqrt(2) == 2e25", True),
        ("exp(1) * exp(2) >= exp(3)", True),
        ("0.95 ~= 0.9 within 0.05", True),
    ],
)
def test_no_number_is_too_small_to_be_told_from_zero(claim: str, stands: bool) -> None:
    assert (verdict(claim).kind == PROVED) == stands


@pytest.mark.parametrize(
    ("cell", "claim"),
    [
        ("elman", "2 * dh[t]/dh[k] == 2 * product(j, k+1..t, descending, dh[j]/dh[j-1])"),
        ("elman", "sum(k, t+1..T, dh[k]/dh[t]) == sum(k, t+1..T, product(j, t+1..k, descending, dh[j]/dh[j-1]))"),
        ("elman", "2 * dL/dh[t] == sum(k, t..T, 2 * product(j, t+1..k, (dh[j]/dh[j-1]).T) @ d+L/dh[k])"),
        ("elman", "-dh[t]/dW == sum(k, 1..t, (-product(j, k+1..t, descending, dh[j]/dh[j-1])) @ d+h[k]/dW)"),
        ("elman", "$2 W = W + W$"),
        ("elman", "$W h_t + W h_t = 2 W h_t$"),
        ("leaky", r"$h_t = \alpha h_{t-1} + (1 - \alpha) g_t$"),
        ("leaky", "derivative(alpha * h[t], h[t-1]) == alpha * dh[t]/dh[t-1]"),
        ("lstm", "norm(∂c[t]/∂c[t-1]) <= 1"),
    ],
)  # fmt: skip
def test_right_formulas_that_it_found_refused_are_proved(cell: str, claim: str) -> None:
    assert verdict(claim, f"cell {cell}").kind == PROVED


def test_the_last_step_may_be_given_without_its_letter() -> None:
    for claim in ("h[T] == tanh(W @ h[T-1] + U @ x[T] + b)", "dL/dh[T] == d+L/dh[T]"):
        told = audit(f"cell elman\nloss sum over t\nclaim given t = T : {claim}\n").verdicts[0]
        assert told.kind == PROVED


def test_sums_of_too_many_terms_are_left_undecided() -> None:
    nested = "sum(i, sum(j, sum(k, sum(l, sum(m, dh[l]/dh[i] @ dh[m]/dh[j] @ h[k])))))"
    told = verdict(f"{nested} == sum(i, h[6]) + 0 * dh[t-6]/dh[t+6] @ h[t]", "cell elman")
    assert told.kind == UNDECIDED
    assert "more than 50,000 terms" in told.reason
