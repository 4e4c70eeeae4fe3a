"""What is written in another way than the language of claims is told how to write it."""

from __future__ import annotations

import pytest

from derive.errors import LanguageError
from proofs.claims.court import audit
from proofs.claims.typeset import typeset
from proofs.claims.verdict import PROVED, REFUTED


def kind(claim: str, cell: str = "elman") -> str:
    return audit(f"cell {cell}\nclaim : {claim}\n").verdicts[0].kind


@pytest.mark.parametrize(
    ("claim", "points_at", "problem", "remedy"),
    [
        ("h[t] == tanh", "tanh", "tanh is a function", "tanh(…)"),
        ("dL/dW_hh == 0", "dW_hh", "W_hh in dW_hh is no quantity", "h, x, W, U, b"),
        ("∂L/∂q[t] == 0", "∂q", "q in ∂q is no quantity", "h, x, W, U, b"),
        ("∂q[t]/∂W == 0", "∂q", "q in ∂q is no quantity", "h, x, W, U, b"),
        ("dL/W == 0", "W", "Expected d and a quantity", "dL/d…"),
        ("T * h[t] == 1", "T", "T is the length", "** (T-k)"),
        ("t * h[t] == 1", "t", "t is a step", "t-1"),
        ("sum(i, i * h[i]) == 1", "i", "i is a step", "i-1"),
        ("sum(i=1..T, h[i]) == 1", "=", "Expected `,` behind the index", "sum(k, 1..t, …)"),
        ("product(i in 1..T, h[i]) == 1", "in", "found `in`", "product(j, k+1..t, …)"),
        ("W ~= W", "W ~= W", "An approximate equality is judged between numbers only", "Write =="),
        (r"\partial h_t/\partial h_{t-1} == W", "\\", "no meaning", "dollar signs"),
        ("dh_t/dh_{t-1} == W", "{", "no meaning", "h[t-1] for h_{t-1}"),
        (
            "dh_t/dh_t-1 == W",
            "dh_t",
            "dh_t is no quantity",
            "Write dh[t]; the step before is dh[t-1].",
        ),
        ("dh[t]/dh_t-1 == W", "dh_t", "h_t in dh_t is no quantity", "the step before is h[t-1]."),
        ("h_2 == 1", "h_2", "h_2 is no quantity", "Write h[2]."),
        ("h[t]^2 == 1", "^", "no meaning", "** 2"),
        ("h[t] = 1", "=", "Expected a relation", "Write ==."),
        ("norm(W) < 1", "<", "no meaning", "Write <=."),
        ("norm(W) > 1", ">", "no meaning", "Write >=."),
        ("‖W‖ <= 1", "‖", "no meaning", "norm(…)"),
        ("dL/db == sum_t dL/dh[t]", "sum_t", "no quantity", "sum(t, …)"),
        ("dL/db == Σ_t dL/dh[t]", "Σ", "no meaning", "sum(t, …)"),
        ("W == ∏ W", "∏", "no meaning", "product(j, k+1..t, …)"),
        ("W == prod_j W", "prod_j", "no quantity", "product(j, k+1..t, …)"),
        ("h[t] == σ'(h[t])", "'", "no meaning", "slope(h[t])"),
        ("h[t] == λ * h[t]", "λ", "no meaning", "Write lambda."),
        ("dh(t)/dh(t-1) == W", "dh", "dh is not a function", "dh[t]"),
        ("h(t) == W", "h", "h is not a function", "h[t]"),
        ("h[t] == prod(j, 1..t, W)", "prod", "Did you mean product?", "Write"),
        ("d(h[t] * h[t])/dh[t] == 1", "d", "d is not a function", "derivative("),
        ("h[t] == (W h[t-1])", "h", "found `h`", "@ (matrix product)"),
        (r"$\|W\|_F \le 1$", r"\|", "spectral norm", r"\|_2"),
        (r"$h_t = \mathrm{softmax}'(b)$", "'", "derivative of a function", r"\mathrm{slope}(h_t)"),
        (r"$\frac{\partial L}{\partial W_{hh}} = 0$", "W", "W_hh is no quantity", "h, x, W, U, b"),
        (r"$\|W\| < 1$", "<", "not read", r"\le"),
        (r"$W = U = W$", "=", "not read", "a claim for each"),
        ("W == U == W", "==", "does not belong here", "a claim for each"),
        ("(I - W) @ W == W", "I", "I is no quantity", "eye(h[t])"),
        (r"$I = I$", "I = I", "How large this I is", r"\mathrm{eye}(h_t)"),
        ('"it vanishes"', '"', "no meaning", "before the colon"),
        (r"$\lim_{t\to\infty} \|W\| = 0$", r"\lim", "not read", "finite number of steps"),
        (r"$|\lambda_1| < 1$", "|", "not read", "for a norm"),
        (r"$\lambda_1 = 1$", r"\lambda", "not read", r"\rho(W)"),
        (r"$h_t = \prod_{j k} W$", "W", "over one index", r"\prod_{t \ge j > k}"),
    ],
)
def test_a_message_says_what_to_write(
    claim: str, points_at: str, problem: str, remedy: str
) -> None:
    with pytest.raises(LanguageError) as caught:
        kind(claim)
    error, place = caught.value, caught.value.place
    assert problem in error.problem
    assert remedy in error.remedy
    assert place is not None
    assert place.text[place.column : place.column + place.width] == points_at


@pytest.mark.parametrize("line", [r"\documentclass{beamer}", "so we get $h_t = W$ here"])
def test_a_slide_instead_of_claims_is_told_where_its_formulas_go(line: str) -> None:
    with pytest.raises(LanguageError, match="begins with cell") as caught:
        audit(f"cell elman\n{line}\n")
    assert "claim : $ … $" in caught.value.remedy


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("dh[t]/dh[t-1] == diag(1 - tanh²(W @ h[t-1] + U @ x[t] + b)) @ W", PROVED),
        ("σ(b) == sigmoid(b)", PROVED),
        ("σ²(b) == sigmoid(b)²", PROVED),
        ("norm(dh[T]/dh[0]) <= σ_max(W) ** T", PROVED),
        ("norm(dh[T]/dh[k]) ≤ (gamma * sigma_max(W)) ** (T-k)", PROVED),
        ("norm(dh[T]/dh[0]) <= spectral_radius(W) ** T", REFUTED),
    ],
)
def test_what_is_plain_is_read(claim: str, verdict: str) -> None:
    assert kind(claim) == verdict


def test_a_dimension_called_like_an_index_is_told_to_be_one() -> None:
    cell = "cell\n    h[t] = tanh(W @ h[t-1] + U @ x[t])\n    y[t] = V @ h[t]\n"
    found = audit(f"{cell}claim : norm(dh[t]/dh[k]) <= spectral_radius(W) ** (t-k)\n").verdicts[0]
    assert found.counterexample is not None
    assert "dim k = 2, T = 1; t = 1, k = 0;" in found.counterexample.text()


@pytest.mark.parametrize(
    ("claim", "shown"),
    [
        ("norm(dh[t]/dx[t]) <= norm(W) * norm(U)", r"\right\Vert \, \left\Vert U"),
        ("h[t] == 2 * h[t] * slope(h[t])", r"2 \, h_{t} \circ \operatorname{slope}"),
        ("W == 2 * 3 * W", r"2 \cdot 3 \, W"),
    ],
)
def test_between_numbers_no_sign_says_entry_by_entry(claim: str, shown: str) -> None:
    formula = audit(f"cell elman\nclaim : {claim}\n").document.claims[0].formula
    assert formula is not None
    assert shown in typeset(formula)
