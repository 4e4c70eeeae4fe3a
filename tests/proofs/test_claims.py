"""The court: claims of every kind come to the verdict they deserve."""

from __future__ import annotations

import pytest

import throughtime
from derive.errors import LanguageError, ThroughtimeError
from proofs.claims.conditions import CONDITIONS
from proofs.claims.court import audit
from proofs.claims.printing import show
from proofs.claims.verdict import (
    CONDITIONAL,
    LAYOUT,
    MEANINGLESS,
    NUMERICALLY_FALSE,
    PROVED,
    REFUTED,
    UNDECIDED,
    Verdict,
)


def verdict(claim: str, cell: str = "cell lstm", loss: str = "loss sum over t") -> Verdict:
    return audit(f"{cell}\n{loss}\nclaim : {claim}\n").verdicts[0]


RIGHT = {
    "lstm": (
        "dL/dW_f == sum(t, (dL/dc[t] * c[t-1] * f[t] * (1 - f[t])) @ h[t-1].T)",
        "dL/dc[t-1] == dL/dc[t] * f[t] + dL/dh[t-1] * o[t-1] * (1 - tanh(c[t-1])**2)",
        "local(c[t], c[t-1]) == diag(f[t])",
        "dL/do[t] == dL/dh[t] ∘ tanh(c[t])",
    ),
    "elman": (
        "dh[j]/dh[j-1] == diag(1 - h[j]²) @ W",
        "dh[t]/dh[k] == product(j, k+1..t, descending, dh[j]/dh[j-1])",
        "dh[t]/dW == sum(k, 1..t, dh[t]/dh[k] · d+h[k]/dW)",
        "norm(dh[t]/dh[k]) <= (gamma * sigma_max(W)) ** (t-k)",
    ),
    "gru": ("dL/dz[t] == dL/dh[t] * (g[t] - h[t-1])", "d+h[t]/dh[t-1] == diag(1 - z[t])"),
}


@pytest.mark.parametrize(
    ("cell", "claim"), [(cell, claim) for cell, claims in RIGHT.items() for claim in claims]
)
def test_right_formulas_are_proved(cell: str, claim: str) -> None:
    assert verdict(claim, f"cell {cell}").kind == PROVED


@pytest.mark.parametrize(
    "claim",
    [
        "d h[t] / d h[t-1] == diag(1 - h[t]**2) @ W",
        "dh[t] / d h[t-1] == diag(1 - h[t]**2) @ W",
        "∂ h[t]/∂h[t-1] == diag(1 - h[t]**2) @ W",
        "d L / d h[t] == dL/dh[t]",
    ],
)
def test_a_space_may_follow_the_sign_of_a_differential(claim: str) -> None:
    assert verdict(claim, "cell elman").kind == PROVED


def test_a_quantity_named_d_is_no_sign() -> None:
    cell = "cell\n    d[t] = tanh(W @ d[t-1] + U @ x[t])"
    assert verdict("d[t] == tanh(W @ d[t-1] + U @ x[t])", cell).kind == PROVED
    assert verdict("dd[t]/d d[t-1] == diag(1 - d[t]**2) @ W", cell).kind == PROVED


def test_an_error_bound_is_stated_with_a_proof() -> None:
    assert "prime of 127 bits" in verdict(RIGHT["lstm"][0]).bound


@pytest.mark.parametrize(
    ("claim", "cell", "condition"),
    [
        ("dL/dU_f == (dL/dc[t] * c[t-1] * f[t] * (1 - f[t])) @ x[t].T", "lstm", "T=1"),
        ("dh[t]/dh[t-2] == W @ diag(1 - h[t]**2) @ W @ diag(1 - h[t-1]**2)", "elman", "diagonal"),
        ("dh[t]/dh[t-1] == diag(1 - h[t]**2) @ W.T", "elman", "symmetric"),
        ("dh[t]/dh[t-1] == W", "elman", "linear"),
        ("h[t] == tanh(W @ h[t-1] + U @ x[t])", "elman", "bias"),
        ("dL/dW == sum(t, h[t-1] @ (dL/dh[t] * (1 - h[t]**2)).T)", "elman", "n=1"),
        ("dL/dh[t] == d+L/dh[t]", "elman", "last step"),
        ("dL/dh[t-1] == W.T @ (dL/dh[t] * (1 - h[t]**2))", "elman", "last loss"),
        ("dL/dW == sum(t, 2..T, (dL/dh[t] * (1 - h[t]**2)) @ h[t-1].T)", "elman", "initial"),
    ],
)
def test_the_condition_under_which_a_formula_holds_is_found(
    claim: str, cell: str, condition: str
) -> None:
    found = verdict(claim, f"cell {cell}")
    assert (found.kind, found.conditions) == (CONDITIONAL, (condition,))
    assert found.counterexample is not None
    assert found.repair is not None


def test_every_condition_has_its_test() -> None:
    marks = test_the_condition_under_which_a_formula_holds_is_found.pytestmark  # type: ignore[attr-defined]
    assert {case[2] for case in marks[0].args[1]} == {c.name for c in CONDITIONS}


@pytest.mark.parametrize(
    ("claim", "layout", "translation"),
    [
        (
            "dL/dW == sum(t, h[t-1].T @ (dL/dh[t] * (1 - h[t]**2)))",
            "row",
            "(dL/dh[t] * (1 - h[t]**2)) @ h[t-1].T",
        ),
        (
            "dL/dh[t-1] == dL/dh[t] @ dh[t]/dh[t-1] + d+L/dh[t-1]",
            "numerator",
            "(dh[t]/dh[t-1]).T @ dL/dh[t]",
        ),
        ("dh[t]/dh[t-1] == W.T @ diag(1 - h[t]**2)", "denominator", "diag(1 - h[t]**2) @ W"),
        (
            "h[t] == tanh(h[t-1] @ W.T + x[t] @ U.T + b)",
            "stored",
            "tanh(W @ h[t-1] + U @ x[t] + b)",
        ),
        (
            "dL/dW == sum(t, (dL/dh[t] * (1 - h[t]**2)).T @ h[t-1])",
            "stored",
            "sum(t, (dL/dh[t] * (1 - h[t]**2)) @ h[t-1].T)",
        ),
        ("dL/dx[t] == (dL/dh[t] * slope(h[t])) @ U", "stored", "U.T @ (dL/dh[t] * slope(h[t]))"),
    ],
)
def test_another_layout_is_recognised_and_translated(
    claim: str, layout: str, translation: str
) -> None:
    found = verdict(claim, "cell elman")
    assert found.kind == LAYOUT
    assert layout in found.reading
    assert translation in found.translation


def test_a_counterexample_is_small_and_shows_both_sides() -> None:
    found = verdict("dh[t]/dh[t-1] == diag(1 - h[t]) @ W", "cell elman")
    assert found.kind == REFUTED
    assert found.counterexample is not None
    assert found.counterexample.extent == "n = 1, m = 1, T = 1"
    assert len(found.counterexample.values) <= 3
    assert abs(found.counterexample.left - found.counterexample.right).max() > 1e-3


def test_what_the_tanh_identity_makes_equal_is_not_called_refuted() -> None:
    assert verdict("tanh(h[t]) == 2 * sigmoid(2 * h[t]) - 1", "cell elman").kind == UNDECIDED


def test_meaningless_shapes_are_located() -> None:
    found = verdict("dL/dh[t-1] == U @ dL/dh[t] + x[t]", "cell elman")
    assert found.kind == CONDITIONAL or found.kind == MEANINGLESS
    assert found.place is not None
    assert found.place.text[found.place.column :].startswith("U @ dL/dh[t]")


@pytest.mark.parametrize(
    ("claim", "kind", "gap"),
    [
        ("sigmoid(1) ~= 0.9 within 0.05", NUMERICALLY_FALSE, "off by 0.1689"),
        ("[[1, -1], [-1, 1]] @ [1, 1] == [0, 0]", PROVED, ""),
        ("[[10, 1, -1], [-1, 1, 10]] @ [1, -1, 1] == [10, 10]", NUMERICALLY_FALSE, "off by 2"),
        ("0.9 * tanh([1, 1]) ~= [0.9, 0.9]", NUMERICALLY_FALSE, "off by 0.2146"),
        ("tanh(1) ~= 1", NUMERICALLY_FALSE, "off by 0.2384"),
        ("norm([[3, 0], [0, 4]]) == 4", PROVED, ""),
        ("1 / 0 == 1", MEANINGLESS, "no value"),
        ("[1, 2] + [1, 2, 3] == [1, 2]", MEANINGLESS, "do not agree"),
    ],
)
def test_worked_numbers_are_checked(claim: str, kind: str, gap: str) -> None:
    found = verdict(claim)
    assert found.kind == kind
    assert gap in found.reason


def test_total_local_and_immediate_derivatives_differ() -> None:
    claims = {
        kind: verdict(f"{kind}(c[t], c[t-1]) == diag(f[t])").kind
        for kind in ("derivative", "local", "immediate")
    }
    assert claims == {"derivative": CONDITIONAL, "local": PROVED, "immediate": PROVED}


def test_an_ambiguous_derivative_is_judged_in_every_reading() -> None:
    found = verdict("∂h[t]/∂W == sum(k, 1..t, ∂h[t]/∂h[k] · ∂h[k]/∂W)", "cell elman")
    assert found.kind == PROVED
    assert "those by parameters on the right immediate" in found.reading
    outcomes = dict(found.other_readings)
    assert any(
        "parameters on the right total" in r and o == "does not hold" for r, o in outcomes.items()
    )


@pytest.mark.parametrize(
    ("claim", "kind", "repaired"),
    [
        (
            "dL/dh[t-1] == W @ (dL/dh[t] * (1 - h[t]**2)) + d+L/dh[t-1]",
            "missing transpose",
            "W.T @",
        ),
        (
            "dh[t]/dh[k] == product(j, k+1..t, diag(1 - h[j]**2) @ W)",
            "wrong order of factors",
            "product(j, k+1..t, descending, diag(1 - h[j]**2) @ W)",
        ),
        ("dL/db == sum(t, dL/dh[t] * (1 - h[t-1]**2))", "index off by one", "1 - h[t]**2"),
        ("dL/dh[t] == W.T @ (dL/dh[t+1] * (1 - h[t+1]**2))", "dropped path", "d+L/dh[t]"),
        (
            "dh[t]/dW == sum(k, 1..t, dh[t]/dh[k] · dh[k]/dW)",
            "total taken for partial",
            "local(h[k], W)",
        ),
        ("dL/db == dL/dh[t] * (1 - h[t]**2)", "missing sum over t", "sum(t,"),
        ("dL/db == sum(t, dL/dh[t])", "missing derivative of the activation", "1 - h[t]**2"),
        (
            "dL/db == sum(t, dL/dh[t] * h[t] * (1 - h[t]))",
            "wrong derivative of the activation",
            "1 - h[t]**2",
        ),
        (
            "dL/db == sum(t, dL/dh[t] * (1 - tanh(h[t])**2))",
            "derivative at the wrong point",
            "1 - h[t]**2",
        ),
        (
            "dL/dW == sum(t, dL/dh[t] * (1 - h[t]**2) * h[t-1])",
            "wrong kind of product",
            "@ h[t-1].T",
        ),
        ("h[t] == tanh(W @ h[t-1] + U @ x[t] - b)", "wrong sign", "+ b"),
        (
            "dL/dW == sum(t, 2..T, (dL/dh[t] * (1 - h[t]**2)) @ h[t-1].T)",
            "index off by one",
            "sum(t, (dL",
        ),
    ],
)
def test_the_error_is_named_and_repaired(claim: str, kind: str, repaired: str) -> None:
    found = verdict(claim, "cell elman")
    assert found.repair is not None
    assert found.repair.kinds == (kind,)
    assert repaired in show(found.repair.formula)
    assert verdict(show(found.repair.formula), "cell elman").kind == PROVED


@pytest.mark.parametrize(
    ("cell", "claim", "left"),
    [
        (
            "lstm",
            "∂c[t]/∂c[k] == product(j, k+1..t, diag(f[j]))",
            "product(j, k+1..t, descending, local(c[j], c[j-1]))",
        ),
        (
            "gru",
            "dh[T]/dh[k] == product(i, k+1..T, diag(1 - z[i]))",
            "product(j, k+1..T, descending, d+h[j]/dh[j-1])",
        ),
    ],
)
def test_the_direct_path_taken_for_all_paths_is_named(cell: str, claim: str, left: str) -> None:
    repair = verdict(claim, f"cell {cell}").repair
    assert repair is not None
    assert repair.kinds == ("partial taken for total",)
    assert show(repair.formula.left) == left


def test_a_wrong_gate_and_a_wrong_bias_are_named() -> None:
    gate = verdict("dL/df[t] == dL/dc[t] * g[t]")
    bias = verdict("f[t] == sigmoid(W_f @ h[t-1] + U_f @ x[t] + b_i)")
    assert gate.repair is not None
    assert bias.repair is not None
    assert bias.repair.kinds == ("wrong weight or bias",)
    assert "c[t-1]" in show(gate.repair.formula)


def test_bounds_that_no_law_gives_are_refuted_by_numbers() -> None:
    assert verdict("norm(dh[t]/dh[k]) <= spectral_radius(W) ** (t-k)", "cell elman").kind == REFUTED


def test_a_cell_is_recognised_under_other_names() -> None:
    text = "cell\n    s[t] = tanh(A @ s[t-1] + B @ u[t] + d)\nclaim : cell is elman\nclaim : cell is lstm\n"
    same, other = audit(text).verdicts
    assert (same.kind, other.kind) == (PROVED, REFUTED)
    assert "s is h" in same.reason


def test_verdicts_are_the_same_each_time() -> None:
    claim = "dL/dh[t-1] == W @ (dL/dh[t] * (1 - h[t]**2))"
    assert verdict(claim, "cell elman").to_dict() == verdict(claim, "cell elman").to_dict()


def test_the_front_judges() -> None:
    assert throughtime.judge("lstm", "dL/do[t]", "dL/dh[t] * tanh(c[t])").kind == PROVED
    assert (
        throughtime.judge(throughtime.load("elman").cell, "dh[t]/dh[t-1]", "W", given="linear").kind
        == PROVED
    )


HOSTILE = (
    "dL/dq[t] == 1", "dL/dc[t] == ", "== f[t]", "f[t] == g[t] == h[t]", "f[t] == __import__('os')", "f[t] == (" * 30,
    "f[t] == " + "(" * 400 + "1" + ")" * 400, "f[t] == " + "-" * 400 + "1", "f[t] == 1e999999", "f[t] == 9**9**9**9",
    "f[t] == sum(t, 1..999999999, f[t])", "f[t] == f[t].real", "f[t] == lambda x", "f == 1", "W_f[t] == 1",
    "f[t+999] == 1",
    "f[t] == sum(f, 1..T, f[t])", "f[t] == eval(1)", "f[t] == [1, [2]]", "f[t] ~= 1", "dL/dL == 1", "sum(t, ) == 1",
    "f[t] == 'x'", "f[t] == \x00", "f[t] == ∂", "f[t] == d", "product(j, f[j]) == 1", "f[t] == 1 within 3",
    "f[1.5] == 1", "d f[t] / f[t-1] == 1", "d f[t] / d == 1", "d f == 1", "d f[t] d f[t-1] == 1", "d / d f[t] == 1",
    "d d f[t] / d f[t-1] == 1", "d + f[t] / d f[t-1] == 1",
)  # fmt: skip


@pytest.mark.parametrize("claim", HOSTILE)
def test_nonsense_gets_an_error_with_its_place_or_a_verdict(claim: str) -> None:
    told = outcome(claim)
    if isinstance(told, ThroughtimeError):
        assert told.place is not None
        assert "^" in str(told)
        assert told.remedy
    else:
        assert told.kind in (MEANINGLESS, REFUTED, UNDECIDED)
        assert told.seconds < 10


def outcome(claim: str) -> Verdict | ThroughtimeError:
    try:
        return verdict(claim)
    except ThroughtimeError as error:
        return error


def test_an_error_points_at_its_place() -> None:
    with pytest.raises(LanguageError) as caught:
        verdict("dL/dc[t-1] == dL/dc[t] * ff[t]")
    assert caught.value.place is not None
    assert caught.value.place.line == 3
    place = caught.value.place
    assert place.text[place.column : place.column + place.width] == "ff"
    assert "Did you mean f?" in caught.value.problem
