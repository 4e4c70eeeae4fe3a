"""Constants with a declared value: claims are judged with it, and say where they rest on it."""

from __future__ import annotations

import pytest

from proofs.claims.court import audit
from proofs.claims.verdict import CONDITIONAL, MEANINGLESS, PROVED, REFUTED, Verdict

HALF = """cell
    const rate = 0.5
    g[t] = tanh(W @ h[t-1] + U @ x[t] + b)
    h[t] = rate * h[t-1] + (1 - rate) * g[t]"""


def verdict(claim: str, cell: str = "cell leaky") -> Verdict:
    return audit(f"{cell}\nloss sum over t\nclaim : {claim}\n").verdicts[0]


@pytest.mark.parametrize(
    "claim",
    [
        "alpha == 0.9",
        "dh[t]/dg[t] == 0.1 * eye(h[t])",
        "dL/dg[t] == 0.1 * dL/dh[t]",
        "h[t] == 0.9 * h[t-1] + 0.1 * g[t]",
    ],
)
def test_what_holds_for_the_declared_value_is_proved_and_says_so(claim: str) -> None:
    found = verdict(claim)
    assert (found.kind, found.values) == (PROVED, "alpha = 9/10")
    assert "with: alpha = 9/10" in found.text()
    assert found.to_dict()["values"] == "alpha = 9/10"


@pytest.mark.parametrize(
    "claim",
    [
        "dh[t]/dg[t] == (1 - alpha) * eye(h[t])",
        "dL/dg[t] == (1 - alpha) * dL/dh[t]",
        "dL/dalpha == sum(t, total(dL/dh[t] * (h[t-1] - g[t])))",
    ],
)
def test_what_holds_for_every_value_of_a_constant_is_proved_without_it(claim: str) -> None:
    found = verdict(claim)
    assert (found.kind, found.values) == (PROVED, "")


def test_only_the_constants_that_matter_are_named() -> None:
    cell = "cell\n    const p = 2\n    const q = 3\n    h[t] = tanh(p * (W @ h[t-1]) + q * x[t])"
    assert verdict("h[t] == tanh(2 * (W @ h[t-1]) + q * x[t])", cell).values == "p = 2"
    assert verdict("(p - 2) * (q - 3) == 0", cell).values == "p = 2, q = 3"


def test_a_condition_and_a_declared_value_are_both_said() -> None:
    found = verdict("h[t] == 0.9 * h[t-1] + 0.1 * tanh(W @ h[t-1] + U @ x[t])")
    assert (found.kind, found.conditions) == (CONDITIONAL, ("bias",))
    assert found.values == "alpha = 9/10"


def test_a_counterexample_has_the_declared_value_and_shows_it() -> None:
    found = verdict("dL/dg[t] == 0.2 * dL/dh[t]")
    assert found.kind == REFUTED
    assert found.counterexample is not None
    assert "alpha = 9/10" in found.counterexample.text()
    assert "alpha = 9/10, all else 0" in verdict("alpha == 0.8").text()


def test_a_constant_without_a_declared_value_may_have_any() -> None:
    cell = HALF.replace("const rate = 0.5", "const rate")
    assert verdict("rate == 0.5", cell).kind == REFUTED
    assert verdict("rate == 0.5", HALF).kind == PROVED


def test_a_cell_with_another_declared_value_is_another_cell() -> None:
    found = verdict("cell is leaky", HALF)
    assert (found.kind, found.reason) == (REFUTED, "rate = 1/2, where leaky has 9/10")
    assert verdict("cell is leaky", HALF.replace("0.5", "0.9")).kind == PROVED
    assert verdict("cell is leaky", HALF.replace("const rate = 0.5", "const rate")).kind == PROVED


def test_no_formula_is_written_for_the_prime_that_judges_it() -> None:
    claim = "h[t] == h[t] * 2**31 * 2**32 * 2**32 * 2**32"
    assert verdict(claim, "cell elman").kind == REFUTED
    cell = "cell\n    const c = 2\n    h[t] = tanh(W @ h[t-1] + c * x[t])"
    assert verdict("c**31 * c**32 * c**32 * c**32 == 1", cell).kind == REFUTED


@pytest.mark.parametrize(
    ("claim", "value"),
    [("h[t] == h[t-1]", "1"), ("norm(dh[t]/dh[t-1]) <= 1", "1"), ("h[t] == h[t] / (2 - c)", "2")],
)
def test_what_a_declared_value_divides_by_zero_is_meaningless(claim: str, value: str) -> None:
    cell = f"cell\n    const c = {value}\n    h[t] = tanh(W @ h[t-1] + U @ x[t]) / (1 - c)"
    found = verdict(claim, cell)
    assert found.kind == MEANINGLESS
    assert "zero in every run" in found.reason or "no run" in found.reason


def test_what_is_divided_by_zero_in_every_run_is_meaningless() -> None:
    found = verdict("h[t] == h[t] / (b - b)", "cell elman")
    assert (found.kind, found.reason) == (MEANINGLESS, "it divides by zero in every run")
    cell = "cell\n    const c = 1\n    h[t] = tanh(W @ h[t-1] + U @ x[t]) / (1 - c)"
    assert verdict("cell is elman", cell).kind == REFUTED


def test_a_repair_that_rests_on_a_declared_value_says_so() -> None:
    found = verdict("dL/dg[t] == 0.1 * dL/dh[t-1]")
    assert found.repair is not None
    assert found.repair.values == "alpha = 9/10"
    assert "repaired: dL/dg[t] == 0.1 * dL/dh[t]   (with alpha = 9/10)" in found.text()
    assert found.to_dict()["repair"]["values"] == "alpha = 9/10"  # type: ignore[index]
    free = verdict("dL/dg[t] == (1 - alpha) * dL/dh[t-1]").repair
    assert free is not None
    assert free.values == ""
