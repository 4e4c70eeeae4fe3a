"""Inequalities by a product: what is proved rests on an identity, and what is false is not proved."""

from __future__ import annotations

import pytest

from proofs.claims.court import audit
from proofs.claims.factored import factored
from proofs.claims.points import Context
from proofs.claims.verdict import PROVED, REFUTED, UNDECIDED, Verdict

ROW = "cell\n    dim l = 1\n    h[t] = tanh(W @ h[t-1] + U @ x[t])\n    l[t] = V @ h[t]"


def verdict(claim: str, cell: str = "cell elman") -> Verdict:
    return audit(f"{cell}\nclaim {claim}\n").verdicts[0]


@pytest.mark.parametrize(
    "claim",
    [
        ": norm(dh[t]/dh[t-1]) <= norm(W.T) * norm(diag(slope(h[t])))",
        ": norm(dh[t]/dh[t-1]) <= norm(diag(1 - h[t]**2)) * σ_max(W)",
        ": norm(W) * norm(diag(slope(h[t]))) >= norm(dh[t]/dh[t-1])",
        ": spectral_radius(dh[t]/dh[t-1]) <= norm(W) * norm(diag(slope(h[t])))",
        ": norm(dh[t]/dh[k]) <= product(j, k+1..t, norm(dh[j]/dh[j-1]))",
        ": norm(dh[t]/dh[k]) <= product(j, k+1..t, norm(W) * norm(diag(slope(h[j]))))",
        r": $\|\frac{\partial h_t}{\partial h_{t-1}}\| \le \|W^\top\| \|\mathrm{diag}(\mathrm{slope}(h_t))\|$",
        "given loss last : norm(dL/dh[t-1]) <= norm(W) * norm(diag(slope(h[t]))) * norm(dL/dh[t])",
    ],
)
def test_a_bound_by_the_norms_of_factors_is_proved(claim: str) -> None:
    found = verdict(claim)
    assert found.kind == PROVED
    assert "the norm of a product is at most the product of the norms" in found.reason
    assert found.bound


@pytest.mark.parametrize(
    "claim",
    [
        ": norm(dh[t]/dh[t-1]) <= norm(W) * norm(diag(slope(h[t-1])))",
        ": norm(dh[t]/dh[t-1]) <= norm(U) * norm(diag(slope(h[t])))",
        ": norm(dh[t]/dh[t-1]) <= 0.5 * norm(W) * norm(diag(slope(h[t])))",
        ": norm(dh[t]/dh[k]) <= product(j, k..t, norm(W) * norm(diag(slope(h[j]))))",
        ": norm(dh[t]/dh[k]) <= product(j, k+2..t, norm(dh[j]/dh[j-1]))",
        ": norm(dL/dh[t-1]) <= norm(W) * norm(diag(slope(h[t]))) * norm(dL/dh[t])",
        ": norm(dh[t]/dh[t-1]) >= norm(W) * norm(diag(slope(h[t])))",
        ": norm(W) * norm(diag(slope(h[t]))) <= norm(dh[t]/dh[t-1])",
    ],
)
def test_a_bound_by_other_factors_is_not_proved(claim: str) -> None:
    assert verdict(claim).kind in (REFUTED, UNDECIDED)


def test_a_gradient_laid_out_as_a_row_is_not_measured_as_a_matrix() -> None:
    """‖∂l/∂W‖ is that of a row, Frobenius' norm, which is larger than the spectral norm of the matrix it equals."""
    made = "V.T @ x[t].T + R.T @ x[t-1].T"
    cell = "cell\n    dim l = 1\n    l[t] = l[t-1] + V @ (W @ x[t]) + R @ (W @ x[t-1])"
    assert verdict(f": local(l[t], W) == {made}", cell).kind == PROVED
    assert verdict(f": norm(local(l[t], W)) <= norm({made})", cell).kind in (REFUTED, UNDECIDED)


@pytest.mark.parametrize(
    ("cell", "claim"),
    [
        (ROW, ": norm(local(l[t], W)) <= norm(slope(h[t]) * V.T) * norm(h[t-1].T)"),
        ("cell elman", ": norm(d+h[t]/dW) <= norm(diag(slope(h[t]))) * norm(h[t-1])"),
    ],
)
def test_a_gradient_by_a_matrix_has_the_norms_of_what_stands_beside_it(
    cell: str, claim: str
) -> None:
    found = verdict(claim, cell)
    assert found.kind == PROVED
    assert "sandwich(" in found.reason
    assert "the norm of V ↦ A V b is that of A times that of b" in found.reason


SUMS = "sum(k, 1..t, norm(dh[t]/dh[k]) * norm(d+h[k]/dW))"


def test_the_norm_of_a_gradient_by_weights_is_at_most_the_sum_over_their_uses() -> None:
    found = verdict(f": norm(dh[t]/dW) <= {SUMS}")
    assert found.kind == PROVED
    assert "the norm of a sum is at most the sum of the norms" in found.reason
    assert verdict(": norm(dL/dh[t]) <= sum(k, t..T, norm(dh[k]/dh[t]) * norm(d+L/dh[k]))").kind == PROVED  # fmt: skip


@pytest.mark.parametrize(
    "claim",
    [
        f": norm(dh[t]/dW) <= {SUMS.replace('1..t', '2..t')}",
        f": norm(dh[t]/dW) <= {SUMS.replace('norm(dh[t]/dh[k]) * ', '')}",
        f": norm(dh[t]/dW) >= {SUMS}",
        f": norm(dh[t]/dW) == {SUMS}",
        ": norm(d+h[t]/dW) <= norm(diag(slope(h[t]))) * norm(h[t])",
        ": norm(d+h[t]/dW) <= norm(diag(slope(h[t]))) * norm(x[t])",
    ],
)
def test_a_sum_over_other_uses_is_not_proved(claim: str) -> None:
    assert verdict(claim).kind in (REFUTED, UNDECIDED)


def test_a_bound_that_rests_on_a_declared_value_says_so() -> None:
    cell = "cell\n    const rate = 0.5\n    h[t] = tanh(rate * (W @ h[t-1]) + U @ x[t])"
    half = "norm([[0.5]]) * norm(W) * norm(diag(slope(h[t])))"
    found = verdict(f": norm(dh[t]/dh[t-1]) <= {half}", cell)
    assert (found.kind, found.values) == (PROVED, "rate = 1/2")


def test_nothing_but_a_size_below_norms_is_looked_at() -> None:
    claim = audit("cell elman\nclaim : total(h[t]) <= norm(W)\n").document.claims[0]
    assert claim.cell is not None
    assert claim.formula is not None
    assert factored(claim.formula, Context(claim.cell, claim.loss, frozenset())) is None
