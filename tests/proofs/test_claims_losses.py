"""Losses that a cell computes itself, and targets: indices, distributions, and any numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from derive.errors import LanguageError
from proofs.claims.court import audit
from proofs.claims.verdict import CONDITIONAL, PROVED, REFUTED, Verdict

BARE = """cell
    h[t] = tanh(W @ h[t-1] + U @ x[t] + b)
    y[t] = softmax(V @ h[t] + c)
    loss[t] = cross_entropy(y[t], d[t])
"""
INDEX = BARE.replace("cell\n", "cell\n    index d\n", 1)
OPEN = BARE.replace("y[t] = softmax(V @ h[t] + c)", "o[t] = V @ h[t] + c").replace(
    "cross_entropy(y[t], d[t])", "cross_entropy(softmax(o[t]), d[t])"
)

BINARY = BARE.replace("y[t] = softmax", "p[t] = sigmoid").replace(
    "cross_entropy(y[t]", "binary_cross_entropy(p[t]"
)


def verdict(cell: str, claim: str) -> Verdict:
    return audit(f"{cell}claim {claim}\n").verdicts[0]


@pytest.mark.parametrize(
    ("cell", "claim", "kind"),
    [
        (INDEX, ": dL/dc == sum(t, y[t] - d[t])", PROVED),
        (INDEX, ": dL/dV == sum(t, outer(y[t] - d[t], h[t]))", PROVED),
        (INDEX, ": dL/dc == sum(t, d[t] - y[t])", REFUTED),
        (INDEX, "given loss last : dL/dc == y[T] - d[T]", PROVED),
        (BARE, "given total(d) = 1 : dL/dc == sum(t, y[t] - d[t])", PROVED),
        (BARE, "given sum(d) == 1 : dL/dV == sum(t, outer(y[t] - d[t], h[t]))", PROVED),
        (BARE, "given total(d) = 1 : dL/dc == sum(t, d[t] - y[t])", REFUTED),
        (BARE, "given total(x) = 1 : dL/dV == sum(t, y[t] @ h[t].T)", REFUTED),
        (INDEX, ": dL/dy[t] == -d[t] / y[t]", PROVED),
        (BARE, ": dL/dy[t] == -d[t] / y[t]", PROVED),
        (BARE, ": dL/dy[t] == d[t] / y[t]", REFUTED),
        (BINARY, ": dL/dp[t] == (p[t] - d[t]) / (p[t] * (1 - p[t]))", PROVED),
        (BINARY, ": dL/dc == sum(t, p[t] - d[t])", PROVED),
        (BINARY, ": dL/dp[t] == -d[t] / p[t]", REFUTED),
        (OPEN, ": dL/do[t] == total(d[t]) * softmax(o[t]) - d[t]", PROVED),
    ],
)
def test_the_gradient_of_a_cross_entropy_is_judged_of_its_targets(
    cell: str, claim: str, kind: str
) -> None:
    assert verdict(cell, claim).kind == kind


def test_a_formula_that_holds_of_distributions_alone_says_so() -> None:
    found = verdict(OPEN, ": dL/do[t] == softmax(o[t]) - d[t]")
    assert (found.kind, found.conditions, found.repair) == (CONDITIONAL, ("total d",), None)
    assert "holds if: the entries of d add up to 1 at every step" in found.text()


def test_any_function_of_a_loss_is_another_loss() -> None:
    claim = ": dL/dc == sum(t, y[t] - d[t])"
    assert verdict(f"{INDEX}loss sum over t of loss\n", claim).kind == PROVED
    assert verdict(f"{INDEX}loss sum over t of L(loss)\n", claim).kind == REFUTED
    assert verdict(f"{INDEX}loss last step of loss\n", claim).conditions == ("T=1",)
    other = "cell\n    h[t] = tanh(W @ h[t-1])\n    cost[t] = squared_error(h[t], d[t])\n"
    assert verdict(other, ": immediate(L, cost[t]) == 1").kind == REFUTED
    assert verdict(other.replace("cost", "loss"), ": immediate(L, loss[t]) == 1").kind == PROVED


@pytest.mark.parametrize("claim", ["total(d[t]**2) == 1", "d[t] == d[t+1]", "total(h[t]) == 1"])
def test_an_index_is_refuted_by_indices_alone(claim: str) -> None:
    found = verdict(INDEX, f": {claim}")
    assert found.kind != PROVED
    if found.counterexample is not None:
        for (name, _), value in found.counterexample.values.items():
            assert name != "d" or (value.sum() == 1 and set(value.ravel()) <= {0.0, 1.0})


def test_what_no_input_is_cannot_add_up() -> None:
    for name in ("h", "W", "nothing"):
        with pytest.raises(LanguageError, match=f"{name} is no input of the cell") as error:
            verdict(BARE, f"given total({name}) = 1 : h[t] == 1")
        assert "Name one of x, d." in str(error.value)


def test_a_sum_with_every_sign_turned_is_told_as_that() -> None:
    found = verdict(INDEX, ": dL/dc == sum(t, d[t] - y[t])").repair
    assert found is not None
    assert found.errors == ("wrong sign: d[t] - y[t] should be y[t] - d[t]",)


def test_a_named_cell_is_judged_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "own.cell"
    path.write_text("".join(line[4:] for line in BARE.splitlines(keepends=True)[1:]))
    assert verdict(f"cell {path}\n", ": dL/dy[t] == -d[t] / y[t]").kind == PROVED
    assert (
        verdict("cell elman:g=relu\n", ": h[t] == relu(W @ h[t-1] + U @ x[t] + b)").kind == PROVED
    )
