"""Sizes against powers: what X = Aᵐ shows from below and from above, and every neighbour of it that is false."""

from __future__ import annotations

import pytest

from derive.errors import LanguageError
from proofs.claims.court import audit
from proofs.claims.points import Context
from proofs.claims.repeated import repeated
from proofs.claims.sizes import argument
from proofs.claims.verdict import PROVED, REFUTED, UNDECIDED, Verdict

LINEAR = "cell\n    h[t] = W @ h[t-1] + U @ x[t]"
TWO = "cell\n    h[t] = A @ (B @ h[t-1]) + x[t]"
LEAKY = "cell\n    const alpha = 0.9\n    h[t] = alpha * h[t-1] + (1 - alpha) * (W @ h[t-1]) + x[t]"
GATED = "cell\n    f[t] = sigmoid(U @ x[t])\n    h[t] = f[t] * (W @ h[t-1]) + x[t]"
SECOND = "cell\n    h[t] = W @ h[t-1] + V @ h[t-2] + x[t]"
JOINED = "cell\n    c[t] = W @ c[t-1] + V @ h[t-1] + x[t]\n    h[t] = c[t] + h[t-1]"


def verdict(claim: str, cell: str = LINEAR) -> Verdict:
    return audit(f"{cell}\nloss sum over t\nclaim {claim}\n").verdicts[0]


def reason(claim: str, cell: str = LINEAR) -> str:
    """What the arguments alone say, whatever the numbers."""
    found = audit(f"{cell}\nloss sum over t\nclaim {claim}\n").document.claims[0]
    assert found.cell is not None
    assert found.formula is not None
    why = argument(found.formula, Context(found.cell, found.loss, frozenset(found.given)))
    return "" if why is None else why.reason


STEPS = "dh[t]/dh[k]"
TRUE = [
    (LINEAR, f": norm({STEPS}) >= spectral_radius(W)**(t-k)"),
    (LINEAR, f": spectral_radius(W)**(t-k) <= norm({STEPS})"),
    (LINEAR, f": norm({STEPS}) >= sigma_min(W)**(t-k)"),
    (LINEAR, f": sigma_min({STEPS}) >= sigma_min(W)**(t-k)"),
    (LINEAR, f": spectral_radius({STEPS}) >= sigma_min(W)**(t-k)"),
    (LINEAR, f": spectral_radius({STEPS}) == spectral_radius(W)**(t-k)"),
    (LINEAR, f": sigma_min({STEPS}) <= spectral_radius(W)**(t-k)"),
    (LINEAR, f": norm({STEPS}) >= spectral_radius(W.T)**(t-k)"),
    (LINEAR, ": norm(dh[T]/dh[0]) >= spectral_radius(W)**T"),
    (LINEAR, ": norm(dh[t]/dh[t-2]) >= spectral_radius(W)**2"),
    (LINEAR, ": norm(dh[t]/dh[t-1]) >= spectral_radius(W)"),
    (LINEAR, ": norm(dh[t]/dh[t-1]) == norm(W)"),
    (LINEAR, f"given 1 <= k < t : norm({STEPS}) >= spectral_radius(W)**(t-k)"),
    ("cell elman", f"given linear : norm({STEPS}) >= spectral_radius(W)**(t-k)"),
    ("cell elman", f"given linear : norm({STEPS}) >= sigma_min(W)**(t-k)"),
    ("cell elman", f"given symmetric : norm({STEPS}) <= spectral_radius(W)**(t-k)"),
    ("cell elman", "given diagonal : norm(W) == spectral_radius(W)"),
    (TWO, f": norm({STEPS}) >= spectral_radius(A @ B)**(t-k)"),
    (TWO, f": norm({STEPS}) <= norm(A @ B)**(t-k)"),
    (LEAKY, f": norm({STEPS}) >= spectral_radius(alpha * eye(W) + (1 - alpha) * W)**(t-k)"),
    (LEAKY, f": norm({STEPS}) >= spectral_radius(0.9 * eye(W) + 0.1 * W)**(t-k)"),
    ("cell elman", ": spectral_radius(W) >= sigma_min(W)"),
    ("cell elman", ": spectral_radius(W @ W) == spectral_radius(W)**2"),
    ("cell elman", ": norm(product(j, k+1..t, W)) >= spectral_radius(W)**(t-k)"),
    ("cell elman", ": norm(W) == sigma_max(W.T)"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "claim"), TRUE)
def test_what_a_power_shows_is_proved_and_says_why(cell: str, claim: str) -> None:
    found = verdict(claim, cell)
    assert found.kind == PROVED
    assert found.reason


FALSE = [
    (LINEAR, f": norm({STEPS}) <= spectral_radius(W)**(t-k)"),
    (LINEAR, f": norm({STEPS}) == spectral_radius(W)**(t-k)"),
    (LINEAR, f": norm({STEPS}) >= norm(W)**(t-k)"),
    (LINEAR, f": norm({STEPS}) == norm(W)**(t-k)"),
    (LINEAR, f": sigma_min({STEPS}) <= sigma_min(W)**(t-k)"),
    (LINEAR, f": sigma_min({STEPS}) >= spectral_radius(W)**(t-k)"),
    (LINEAR, f": spectral_radius({STEPS}) <= sigma_min(W)**(t-k)"),
    (LINEAR, f": spectral_radius({STEPS}) >= norm(W)**(t-k)"),
    (LINEAR, f": norm({STEPS}) >= spectral_radius(W)**(t-k+1)"),
    (LINEAR, f": norm({STEPS}) >= sigma_min(U)**(t-k)"),
    (LINEAR, f": spectral_radius(W)**(k-t) <= norm({STEPS})"),
    (LINEAR, f": norm({STEPS}) >= spectral_radius(2 * W)**(t-k)"),
    ("cell elman", f": norm({STEPS}) >= spectral_radius(W)**(t-k)"),
    ("cell elman", f": norm({STEPS}) >= sigma_min(W)**(t-k)"),
    ("cell elman", f": sigma_min({STEPS}) >= sigma_min(W)**(t-k)"),
    ("cell elman", f": norm({STEPS}) <= spectral_radius(W)**(t-k)"),
    ("cell elman", f"given symmetric : norm({STEPS}) >= spectral_radius(W)**(t-k)"),
    ("cell elman", ": norm(dh[t]/dh[t-1]) == norm(W)"),
    ("cell elman", ": norm(W) == spectral_radius(W)"),
    ("cell elman", ": norm(W @ W) == norm(W)**2"),
    ("cell elman", ": norm(diag(h[t]) @ diag(h[t])) >= sigma_min(h[t])**2"),
    ("cell elman", ": norm(diag(b) @ diag(b)) >= norm(b)**2"),
    (TWO, f": norm({STEPS}) >= (spectral_radius(A) * spectral_radius(B))**(t-k)"),
    (TWO, f": norm({STEPS}) >= spectral_radius(A)**(t-k)"),
    (LEAKY, f": norm({STEPS}) >= spectral_radius(W)**(t-k)"),
    (GATED, f": norm({STEPS}) >= spectral_radius(W)**(t-k)"),
    (GATED, f": norm({STEPS}) >= sigma_min(W)**(t-k)"),
    (SECOND, f": norm({STEPS}) >= spectral_radius(W)**(t-k)"),
    (JOINED, ": norm(dc[t]/dc[k]) >= spectral_radius(W)**(t-k)"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "claim"), FALSE)
def test_a_false_neighbour_is_refuted_and_no_argument_shows_it(cell: str, claim: str) -> None:
    assert not reason(claim, cell)
    assert verdict(claim, cell).kind == REFUTED


def test_a_power_to_fewer_steps_than_none_is_not_spoken_of() -> None:
    """At t < k the author says nothing; at t = k alone, where both sides are 1, nothing is judged."""
    assert verdict(f": norm({STEPS}) >= spectral_radius(W)**(k-t)").kind == UNDECIDED


def test_a_vector_is_no_diagonal_matrix_where_it_is_measured() -> None:
    claim = "claim : norm(diag(h[t]) @ diag(h[t])) >= sigma_min(h[t])**2"
    found = audit(f"cell elman\n{claim}\n").document.claims[0]
    assert found.cell is not None
    assert found.formula is not None
    assert repeated(found.formula, Context(found.cell, None)) is None


def test_the_argument_names_the_power_and_the_law() -> None:
    told = verdict(TRUE[0][1])
    assert told.reason.startswith("dh[t]/dh[k] == product(j, 1..t-k, W), and the spectral radius")
    assert "degree" in told.bound


def test_an_equality_of_sizes_tells_both_ways_round() -> None:
    told = verdict(": norm(dh[t]/dh[t-1]) == norm(W)").reason
    assert "not above: " in told
    assert "; not below: W == dh[t]/dh[t-1]" in told


@pytest.mark.parametrize("last", ["h[t] ~= h[t]", "norm(W) ~= norm(W)"])
def test_what_cannot_be_judged_is_told_and_stops_no_other(last: str) -> None:
    found = audit(f"cell elman\nclaim : {last}\nclaim : h[t] == h[t]\n")
    assert [v.kind for v in found.verdicts] == [PROVED]
    assert "between numbers only" in found.unjudged[0].error.problem
    assert not found.ok
    with pytest.raises(LanguageError, match="between numbers only"):
        audit(f"cell elman\nclaim : {last}\n")


def test_an_equality_of_norms_late_in_a_file_keeps_the_verdicts_before_it() -> None:
    text = "cell elman\nclaim : h[t] == h[t]\nclaim : norm(W) == norm(U)\nclaim : W == W\n"
    assert [v.kind for v in audit(text).verdicts] == [PROVED, REFUTED, PROVED]
