"""What a proof covers: the ends of runs alone prove nothing, and empty sums and products are what they are."""

from __future__ import annotations

import pytest

from proofs.claims.printing import show
from proofs.claims.verdict import MEANINGLESS, PROVED, REFUTED, UNDECIDED
from tests.proofs.test_claims import verdict

BEYOND = (
    "dh[T]/dh[k] == product(j, k+1..T, descending, 7 * diag(1 - h[j+1]**2))",
    "dh[T]/dh[k] == product(j, k+1..T, descending, diag(1 - h[j+1]**2) @ W)",
    r"$\frac{\partial h_T}{\partial h_k} = \prod_{j=k+1}^{T} W^\top \mathrm{diag}(1-h_{j+1}^2)$",
    "dL[T]/dh[k] == product(j, k+1..T, 5 * W.T @ diag(1 - h[j+1]**2)) @ dL[T]/dh[T]",
    "dh[T-1]/dh[k] == product(j, k+1..T-1, descending, diag(1 - h[j+2]**2) @ W)",
    "dh[T]/dh[k] == product(j, k+2..T+1, descending, diag(1 - h[j]**2) @ W)",
    "dL/dW == sum(t, (dL/dh[t+1] * (1 - h[t]**2)) @ h[t-1].T)",
    "dL/dW == sum(t, sum(k, 1..t, ((dh[t]/dh[k]).T @ d+L/dh[t] * (1 - h[k+1]**2)) @ h[k-1].T))",
    "dh[t]/db == sum(k, 0..t, dh[t]/dh[k] @ diag(1 - h[k-1]**2))",
)


@pytest.mark.parametrize("claim", BEYOND)
def test_what_goes_beyond_every_run_has_no_meaning(claim: str) -> None:
    told = verdict(claim, "cell elman")
    assert told.kind == MEANINGLESS
    assert "which no run has" in told.reason


def test_a_repair_of_it_stays_within_the_run() -> None:
    assert repaired(BEYOND[1]) == (
        "dh[T]/dh[k] == product(j, k+1..T, descending, diag(1 - h[j]**2) @ W)"
    )
    right = "dL/dh[k] == product(j, k+1..T, W.T @ diag(1 - h[j]**2)) @ dL/dh[T]"
    assert verdict(right, "cell elman").conditions == ("last loss",)
    assert "j+1" not in repaired(right)


def repaired(claim: str) -> str:
    told = verdict(claim, "cell elman")
    assert told.repair is not None
    return show(told.repair.formula)


def test_of_another_cell_and_of_the_last_loss() -> None:
    wrong = "dc[T]/dc[k] == product(j, k+1..T, descending, diag(f[j+1]))"
    assert verdict(wrong, "cell lstm").kind == MEANINGLESS
    wrong = "dL/dh[k] == product(j, k+1..T, 3 * W.T @ diag(1 - h[j+1]**2)) @ dL/dh[T]"
    assert verdict(wrong, "cell elman", "loss last step").kind == MEANINGLESS


@pytest.mark.parametrize(
    "claim",
    [
        "dh[t]/dh[k] == product(j, k+1..t, descending, diag(1 - h[j+1]**2) @ W)",
        "dh[k]/dh[t] == dh[t]/dh[k]",
        "dh[t]/dh[k] == dh[t]/dh[j]",
    ],
)
def test_one_end_of_the_run_is_no_condition(claim: str) -> None:
    assert verdict(claim, "cell elman").kind == REFUTED


def test_indices_that_can_only_be_equal_prove_nothing() -> None:
    told = verdict("dh[t]/dh[k] == dh[k]/dh[j] @ dh[j]/dh[t]", "cell elman")
    assert told.kind == UNDECIDED
    assert told.reason == "it can be judged for j = k only"


@pytest.mark.parametrize(
    "claim",
    [
        "dh[t]/dh[k] == dh[t]/dh[j] @ dh[j]/dh[k]",
        "dh[T]/dh[k] == product(j, k+1..T, descending, diag(1 - h[j]**2) @ W)",
        "dh[t+1]/dh[k] == product(j, k+1..t+1, descending, diag(1 - h[j]**2) @ W)",
        "dh[t]/dh[t-4] == product(j, t-3..t, descending, diag(1 - h[j]**2) @ W)",
        "dL/dh[t] == d+L/dh[t] + sum(k, t+1..T, (dh[k]/dh[t]).T @ d+L/dh[k])",
        "dL/dh[t] == d+L/dh[t] + W.T @ (dL/dh[t+1] * (1 - h[t+1]**2))",
        "dL/db == sum(t, sum(k, 1..t-1, (dh[t]/dh[k]).T @ d+L/dh[t] * (1 - h[k]**2)) + d+L/dh[t] * (1 - h[t]**2))",
    ],
)
def test_right_formulas_are_proved_up_to_the_ends_of_a_run(claim: str) -> None:
    assert verdict(claim, "cell elman").kind == PROVED
