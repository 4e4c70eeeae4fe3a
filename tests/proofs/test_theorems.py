"""The theorems: every step that a machine can check holds, no trial refutes one, and wrong ones are refused."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import pytest

from derive.catalog import load
from derive.derivation import derive
from proofs import theorems as module
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
    assert len(skipped) == 2
    assert all("not installed" in s.note for s in skipped)
    assert found.status == "partly"


@pytest.mark.parametrize(
    ("cell", "among", "not_among"),
    [
        ("elman", {"pascanu", "spectral-radius", "mean-field", "sum-rule"}, {"carousel", "irnn", "skip"}),
        ("elman:g=sigmoid", {"hochreiter"}, {"irnn"}),
        ("irnn", {"irnn"}, {"hochreiter", "lstm-small-gain"}),
        ("lstm", {"carousel", "lstm-small-gain", "forget-bias"}, {"pascanu", "gru-small-gain"}),
        ("gru", {"carousel", "gru-small-gain"}, {"lstm-small-gain", "forget-bias"}),
        ("leaky", {"leaky", "carousel"}, {"pascanu"}),
        ("skip", {"skip"}, {"pascanu", "carousel"}),
        ("linear_attention", {"bengio"}, {"carousel", "pascanu"}),
    ],
)  # fmt: skip
def test_a_cell_gets_the_theorems_that_speak_about_it(
    cell: str, among: set, not_among: set
) -> None:
    names = {t.name for t in applicable(derive(load(cell)))}
    assert among <= names
    assert not not_among & names
