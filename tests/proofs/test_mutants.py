"""Broken rules, equations and code must be refused; what is right must not be."""

from __future__ import annotations

import ast
import dataclasses
from functools import cache

import numpy as np
import pytest

from derive import expressions
from derive.adjoints import RULES
from derive.backward import AdjointEquation
from derive.catalog import load
from derive.language import read_cell
from proofs.mutants import Judgement, Mutant, MutantReport, joined
from proofs.mutants_equations import equation_mutants
from proofs.mutants_module import Poisoned, module_of
from proofs.mutants_rules import WRONG_RULES, rule_mutants, with_rule
from proofs.mutants_run import Trial, run_mutants
from proofs.mutants_source import source_mutants
from proofs.verification import verify

# Two states, a lag of 2, a parameter used twice, sizes that differ, a scalar gate.
UNSEEN = """
dim s = 1
s[t] = sigmoid(w @ x[t] + v)
c[t] = s[t] * c[t-2] + (1 - s[t]) * tanh(W @ h[t-1] + U @ x[t])
h[t] = tanh(c[t] + W @ h[t-1])
"""


@cache
def trial(name: str) -> Trial:
    return Trial(read_cell(UNSEEN, "unseen") if name == "unseen" else load(name))


def source_of(name: str, before: str, after: str) -> str:
    source = trial(name).source
    assert before in source
    return source.replace(before, after, 1)


@pytest.mark.parametrize(("name", "every"), [("elman", 1), ("gru", 9), ("lstm", 9), ("unseen", 5)])
def test_no_mutant_survives(name: str, every: int) -> None:
    report = run_mutants(trial(name).cell, every=every)
    assert report.ok, report.table()
    families = {j.mutant.family for j in report.of("killed")}
    assert families == {"rule", "equation", "source"}


@pytest.mark.parametrize("name", ["lstm", "unseen", "linear_attention_gated"])
def test_the_right_thing_is_refused_by_no_check(name: str) -> None:
    trial(name).sound()


def test_a_check_that_refuses_everything_is_noticed() -> None:
    broken = Trial(load("elman"), source=source_of("elman", "h[t] = np.tanh", "h[t] = -np.tanh"))
    with pytest.raises(RuntimeError, match="as it is"):
        broken.sound()


def test_mutants_come_in_the_same_order_every_time() -> None:
    first, second = (list(map(str, Trial(load("skip")).mutants())) for _ in range(2))
    assert first == second
    assert len(set(first)) > 300


def test_every_sort_of_mistake_is_made() -> None:
    kinds = {m.kind for m in trial("lstm").mutants()}
    assert kinds >= {
        "sign", "transpose", "swapped operands", "dropped term", "dropped factor", "time index",
        "wrong gate", "swapped states", "accumulation", "lost sum over samples", "lost sum over time",
        "order", "truncation", "stale buffer", "precision", "wrong point", "off by one", "lost path",
        "initial value", "factor", "wrong power",
    }  # fmt: skip


def test_a_wrong_rule_does_not_outlive_its_derivation() -> None:
    before = dict(RULES)
    list(rule_mutants(trial("lstm").derivation))
    assert before == RULES
    with pytest.raises(KeyError), with_rule(WRONG_RULES[0]):
        raise KeyError
    assert before == RULES


def test_a_mutant_of_an_equation_changes_that_equation_alone() -> None:
    d = trial("elman").derivation
    mutants = list(equation_mutants(d))
    assert all(m.derivation is not None and m.derivation.cell == d.cell for m in mutants)
    assert all(m.derivation and m.derivation.backward != d.backward for m in mutants)


def test_a_mutant_of_the_source_is_python_and_differs_from_it() -> None:
    t = trial("elman")
    mutants = list(t.mutants(["source"]))
    assert len({m.source for m in mutants}) == len(mutants)
    for m in mutants:
        ast.parse(m.source or "")
        assert m.source != t.source


def test_argument_checks_and_initial_weights_are_left_alone() -> None:
    places = {m.place.partition(",")[0] for m in trial("lstm").mutants(["source"])}
    assert places >= {"forward", "backward", "init_state", "step", "sigmoid", "outer_sum"}
    assert not places & {"checked", "size", "init_params", "orthogonal", "common_dtype"}


def fate(name: str, source: str) -> Judgement:
    return trial(name).judged(Mutant("source", "by hand", "", "", source=source))


@pytest.mark.parametrize(
    ("before", "after", "check"),
    [
        ("delta_h[t] @ W", "delta_h[t] @ W.T", "values and gradients"),
        ("h_bar_prev[t] += delta_h[t] @ W", "h_bar_prev[t] += (delta_h[t] @ W) * (t % 35 != 34)", "long path"),
        ("h_all[-1].copy()", "h_all[-1]", "memory"),
        ("np.zeros((B, n), dtype)", "np.ones((B, n), dtype)", "arguments"),
        ("np.empty((T, B, n), dtype)", "np.empty((T, B, n), np.float32)", "values and gradients"),
        ("h_bar_all = np.zeros(", "h_bar_all = np.empty(", "values and gradients"),
        ("{name: value[0] for", "{name: 2 * value[0] for", "streaming"),
        ("    delta_h = ", "    x *= 2.0\n    delta_h = ", "values and gradients"),
        ("return params_bar,", "raise ValueError\n    return params_bar,", "runs"),
    ],
)  # fmt: skip
def test_each_check_refuses_what_it_is_for(before: str, after: str, check: str) -> None:
    judgement = fate("elman", source_of("elman", before, after))
    assert (judgement.fate, judgement.check) == ("killed", check), judgement.reason


def test_what_the_quick_checks_refuse_the_whole_verification_refuses_too() -> None:
    t = trial("elman")
    for mutant in list(t.mutants(["source"]))[7::25]:
        quick = t.judged(mutant)
        assert quick.fate == "killed"
        assert not verify(t.cell, mutant.source or "", derivation=t.derivation).ok, str(mutant)


def test_code_that_writes_to_its_arguments_spoils_no_later_judgement() -> None:
    fate("elman", source_of("elman", "    delta_h = ", "    x *= 2.0\n    delta_h = "))
    trial("elman").sound()


def test_code_that_says_the_same_is_shown_to_be_equivalent() -> None:
    judgement = fate("elman", source_of("elman", "h_bar_all[1:] = dl_dh", "h_bar_all[1:] += dl_dh"))
    assert judgement.fate == "equivalent"
    assert "equal modulo" in judgement.reason


def test_an_equation_that_says_the_same_is_shown_to_be_equivalent() -> None:
    report = run_mutants(load("irnn"), ["equation"])
    (same,) = [j for j in report.of("equivalent") if j.mutant.kind == "wrong point"]
    assert "given the step's own equations" in same.reason


def test_a_survivor_withholds_the_word() -> None:
    mutant = Mutant("source", "sign", "forward, line 1", "a became b", source="")
    dead, alive = (
        MutantReport("x", (Judgement(mutant, f, "", ""),)) for f in ("killed", "survived")
    )
    assert dead.ok
    assert not alive.ok
    assert not joined("both", (dead, alive)).ok
    assert not MutantReport("x", ()).ok
    assert "SURVIVED" in alive.table()


def test_memory_that_nobody_wrote_is_not_a_number() -> None:
    assert np.all(np.isnan(Poisoned().empty((2, 3))))
    module = module_of("import numpy as np\n" + "\n".join(
        f"def {f}(): pass" for f in ("init_params", "init_state", "forward", "backward", "step", "value_and_grad")
    ), Poisoned())  # fmt: skip
    assert isinstance(module.np, Poisoned)


def test_a_source_that_does_not_parse_has_no_mutants() -> None:
    with pytest.raises(SyntaxError):
        list(source_mutants("def f(:", {}))


def test_what_is_the_same_by_the_equations_of_the_next_step_is_proved_the_same() -> None:
    """k (β k)ᵀ = (β k) kᵀ, where β k and k are those of step t + 1."""
    t = trial("gated_deltanet")
    swapped = [m for m in equation_mutants(t.derivation) if m.kind == "swapped operands"]
    proofs = {m.description: t.judged(m) for m in swapped}
    alike = next(j for d, j in proofs.items() if d.endswith("(beta[t] * k[t]) @ k[t].T"))
    assert alike.fate == "equivalent"
    assert "given the equations of all steps" in alike.reason


LATE = """
h[t] = tanh(W @ h[t-1] + U @ x[t] + V @ d[t-1])
d[t] = h[t-1]
"""


def test_what_is_the_same_at_all_steps_but_the_last_is_not_proved_the_same() -> None:
    """d[t+1] = h[t], but after the last step there is no d."""
    t = Trial(read_cell(LATE, "late"))
    right = t.derivation.backward
    h = next(q.symbol for q in t.cell.states if q.name == "h")
    d = next(q.symbol for q in t.cell.states if q.name == "d")

    def later(e: AdjointEquation) -> AdjointEquation:
        rhs, present = (
            expressions.replace(x, lambda v: expressions.shifted(d, -1) if v == h else v)
            for x in (e.rhs, e.present)
        )
        return dataclasses.replace(e, rhs=rhs, present=present)

    wrong = dataclasses.replace(right, local=tuple(map(later, right.local)))
    assert wrong != right
    assert t.exact.sameness(wrong) == ""
    assert t.exact.sameness(right)
