"""The theorems: every step that a machine can check holds, no trial refutes one, and wrong ones are refused."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from derive.catalog import load
from derive.derivation import derive
from derive.language import read_cell
from proofs import theorems as module
from proofs import theorems_stability
from proofs.theorems import Theorem, examine, identity, inequality
from proofs.theorems_library import LIBRARY, applicable
from proofs.untyped import sympy

with_z3 = pytest.mark.skipif(
    find_spec("z3") is None, reason="z3 is not installed: the extra theorems"
)


@pytest.mark.parametrize("theorem", LIBRARY, ids=lambda t: t.name)
def test_no_step_fails_and_no_trial_refutes(theorem: Theorem) -> None:
    found = examine(theorem, trials=100)
    assert [s.latex for s in found.steps if s.holds is False] == []
    assert found.status in {"proved", "partly", "argued", "asymptotic"}
    assert found.trials == 100
    assert found.margin is not None
    assert found.margin > -1e-9


@with_z3
def test_every_inequality_is_decided_by_z3() -> None:
    steps = [s for t in LIBRARY for s in t.prove() if s.method == "z3"]
    assert len(steps) >= 10
    assert [s.latex for s in steps if not s.holds] == []


@with_z3
def test_a_wrong_inequality_is_refuted() -> None:
    assert inequality("", lambda z: ([z.Real("x") > 0], z.Real("x") > 1)).holds is False


def test_a_wrong_identity_is_refuted() -> None:
    x = sympy.Symbol("x")
    assert identity("", (x + 1) ** 2, x**2 + 1).holds is False
    assert identity("", (x + 1) ** 2, x**2 + 2 * x + 1).holds is True


def test_a_theorem_with_a_counterexample_is_refuted() -> None:
    wrong = replace(LIBRARY[0], trial=lambda rng: float(rng.uniform(-1, 3)))
    assert examine(wrong).status == "refuted"


def test_without_z3_its_steps_are_skipped_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    found = examine(LIBRARY[0])
    skipped = [s for s in found.steps if s.holds is None]
    assert len(skipped) == 3
    assert all("not installed" in s.note for s in skipped)
    assert found.status == "partly"


@pytest.mark.parametrize(
    ("cell", "among", "not_among"),
    [
        ("lstm", {"lstm-small-gain-2", "miller-hardt", "unbiased-truncation"}, {"kanai", "chaos-free"}),
        ("gru_reset_after", {"kanai"}, {"lstm-small-gain-2", "chaos-free"}),
        ("elman", {"pascanu", "spectral-radius", "mean-field", "sum-rule"}, {"carousel", "irnn", "skip"}),
        ("elman:g=sigmoid", {"hochreiter"}, {"irnn"}),
        ("irnn", {"irnn"}, {"hochreiter", "lstm-small-gain"}),
        ("lstm", {"carousel", "lstm-small-gain", "forget-bias"}, {"pascanu", "gru-small-gain"}),
        ("gru", {"carousel", "gru-small-gain"}, {"lstm-small-gain", "forget-bias"}),
        ("leaky", {"leaky", "carousel"}, {"pascanu"}),
        ("skip", {"skip"}, {"pascanu", "carousel"}),
        ("antisymmetric", {"antisymmetric"}, {"pascanu", "leaky", "skip"}),
        ("linear_attention", {"bengio"}, {"carousel", "pascanu"}),
    ],
)  # fmt: skip
def test_a_cell_gets_the_theorems_that_speak_about_it(
    cell: str, among: set, not_among: set
) -> None:
    names = {t.name for t in applicable(derive(load(cell)))}
    assert among <= names
    assert not not_among & names


CHAOS_FREE = """
theta[t] = sigmoid(U @ h[t-1] + V @ x[t] + b)
eta[t] = sigmoid(P @ h[t-1] + Q @ x[t] + c)
h[t] = theta[t] * tanh(h[t-1]) + eta[t] * tanh(W @ x[t])
"""


def test_a_chaos_free_network_is_known_by_its_equations_whatever_its_names() -> None:
    cell = read_cell(CHAOS_FREE, "cfn")
    renamed = read_cell(CHAOS_FREE.replace("theta", "keep").replace("h[", "s["), "mine")
    for mine in (cell, renamed):
        assert "chaos-free" in {t.name for t in applicable(derive(mine))}
    wrong = CHAOS_FREE.replace("theta[t] * tanh(h[t-1])", "theta[t] * h[t-1]")
    assert "chaos-free" not in {t.name for t in applicable(derive(read_cell(wrong, "mine")))}


@pytest.mark.parametrize("name", ["lstm-small-gain", "lstm-small-gain-2", "miller-hardt"])
def test_a_smaller_bound_on_an_lstm_is_refuted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    theorem = next(t for t in LIBRARY if t.name == name)
    assert examine(theorem, trials=60).margin > 0  # pyright: ignore[reportOptionalOperand]
    gain = theorems_stability._gain
    monkeypatch.setattr(theorems_stability, "_gain", lambda phi, a, o: 1e-4 * gain(0.7 * phi, a, o))
    assert examine(theorem, trials=60).status == "refuted"


def test_the_gru_at_rest_loses_its_stability_beyond_the_bound() -> None:
    w = 2.1 * np.eye(3)
    assert max(abs(np.linalg.eigvals(np.eye(3) / 2 + w / 4))) > 1
    assert max(abs(np.linalg.eigvals(np.eye(3) / 2 + 1.9 / 2.1 * w / 4))) < 1


def test_cutting_without_the_factor_is_biased() -> None:
    """With 1 instead of 1/(1 − c) the mean over all cuts is another gradient."""
    rng = np.random.default_rng(0)
    j, loss, c = rng.standard_normal((3, 3)), rng.standard_normal((2, 3)), 0.4
    true = loss[0] + j.T @ loss[1]
    for factor, biased in ((1.0, True), (1 / (1 - c), False)):
        mean = c * loss[0] + (1 - c) * (loss[0] + factor * j.T @ loss[1])
        assert bool(np.abs(mean - true).max() > 0.1) is biased


def test_every_theorem_of_the_subject_is_in_the_library() -> None:
    names = {t.name for t in LIBRARY}
    assert names == {
        "slopes", "submultiplicativity", "pascanu", "spectral-radius", "absolute-radius", "hochreiter", "carousel",
        "bengio", "irnn", "leaky", "skip", "antisymmetric", "lstm-small-gain", "lstm-small-gain-2", "miller-hardt",
        "gru-small-gain", "kanai", "chaos-free", "forget-bias", "truncation", "unbiased-truncation", "sum-rule",
        "mean-field",
    }  # fmt: skip
    assert [t.name for t in LIBRARY if t.asymptotic] == ["mean-field"]
    assert all(t.source and t.statement for t in LIBRARY)
