"""Ranges of indices that claims presume: they leave out choices, and prove nothing that they leave nothing of."""

from __future__ import annotations

import pytest

from derive.errors import LanguageError
from proofs.claims.court import audit
from proofs.claims.orders import in_order, order
from proofs.claims.verdict import CONDITIONAL, MEANINGLESS, PROVED, REFUTED, Verdict

ADJOINT = "dL/dh[t] == W.T @ (slope(h[t+1]) * dL/dh[t+1]) + d+L/dh[t]"
CARRIED = "dh[t]/dh[k] == diag(slope(h[t])) @ W @ dh[t-1]/dh[k]"


def verdict(claim: str) -> Verdict:
    return audit(f"cell elman\nclaim {claim}\n").verdicts[0]


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        ("given k <= j <= t : dh[t]/dh[k] == dh[t]/dh[j] @ dh[j]/dh[k]", PROVED),
        (f"given k < t : {CARRIED}", PROVED),
        (f"given k ≤ t-1 : {CARRIED}", PROVED),
        (f": {CARRIED}", CONDITIONAL),
        (": dh[t]/dx[k] == dh[t]/dh[t-1] @ dh[t-1]/dx[k]", CONDITIONAL),
        (": dh[t]/dh[k] == zeros(W)", REFUTED),
        (f"given k <= t : {CARRIED}", REFUTED),
        (f"given t < T : {ADJOINT}", PROVED),
        (f"given 5 <= t <= 6 : {ADJOINT}", PROVED),
        ("given 1 <= k <= t : norm(dh[t]/dh[k]) <= norm(W) ** (t-k)", PROVED),
        ("given k < t : dh[t]/dh[k] == zeros(W)", REFUTED),
        ("given t <= 3 : h[t] == 0", REFUTED),
        ("given t < t : h[t] == 0", MEANINGLESS),
        ("given t < k : dh[t]/dh[k] == zeros(W)", MEANINGLESS),
        ("given 6 < t < 6 : h[t] == 0", MEANINGLESS),
    ],
)
def test_a_range_leaves_out_what_it_says(claim: str, kind: str) -> None:
    assert verdict(claim).kind == kind


def test_one_step_alone_is_no_proof() -> None:
    assert verdict("given t <= 1 : h[t] == tanh(W @ h[0] + U @ x[1] + b)").kind != PROVED


@pytest.mark.parametrize(
    "text", ["T <= 3", "1 <= 2", "t <= 7", "T <= t", "k <= T <= t", "t < ", "h[t] <= 1", "t == 1"]
)
def test_what_is_no_range_of_indices_is_refused(text: str) -> None:
    with pytest.raises(LanguageError, match="is no condition"):
        verdict(f"given {text} : h[t] == h[t]")


@pytest.mark.parametrize("claim", [CARRIED, "dh[t]/dh[k] == dh[t]/dh[k+1] @ dh[k+1]/dh[k]"])
def test_an_order_that_is_not_said_is_found_and_nothing_else_is_mended(claim: str) -> None:
    found = verdict(f": {claim}")
    assert (found.kind, found.conditions, found.repair) == (CONDITIONAL, ("order k<t",), None)
    assert found.counterexample is not None


def test_a_range_is_said_as_it_is_written() -> None:
    found = verdict("given 1<=k<t : dh[t]/dh[k] == diag(slope(h[t])) @ W.T @ dh[t-1]/dh[k]").repair
    assert found is not None
    assert found.rests_on == "if 1 <= k < t"


def test_only_free_letters_are_compared() -> None:
    key = order("1<=k<=j<t")
    assert in_order({key, "bias"}, {"t": 2, "k": 1}, 5)
    assert not in_order({key}, {"t": 2, "k": 0}, 5)
    assert not in_order({key}, {"t": 2, "j": 2}, 5)
    assert in_order({order("t+1<=T")}, {"t": 4}, 5)
    assert not in_order({order("t+1<=T")}, {"t": 5}, 5)
