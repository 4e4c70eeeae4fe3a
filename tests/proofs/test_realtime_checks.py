"""Real-time recurrent learning is held against backpropagation, exactly and in numbers; what is broken is noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derive.catalog import load
from derive.derivation import derive
from derive.language import read_cell
from numeric.additions import Additions, generate_with
from proofs import realtime_checks, realtime_exact
from proofs.addition_checks import OF_CELLS
from proofs.modules import Code, load_source
from proofs.subject import Subject
from proofs.verification import verify
from tests.proofs.corruptions import doubled

LAGGED = "h[t] = tanh(W @ h[t-1] + V @ h[t-2] + U @ x[t] + P @ x[t-1])\ny[t] = Q @ h[t] + h[t-1]"
DERIVATION = derive(read_cell(LAGGED, "lagged"))
SOURCE = generate_with(DERIVATION, Additions(real_time=True))


def test_a_file_is_verified_with_its_real_time_gradients():
    table = verify(DERIVATION.cell, SOURCE, derivation=DERIVATION)
    names = set(OF_CELLS["real_time_gradients"])
    assert table.ok
    assert names <= {c.name for c in table.checks if c.ok}
    assert names <= table.required


@pytest.mark.parametrize("name", ["lstm", "gru", "skip", "linear_attention", "slstm"])
def test_both_derivations_give_the_same_residues(name):
    found = realtime_exact.prove_real_time(derive(load(name)), seed=2)
    assert found.wrong == ()
    assert found.compared > 20


def test_a_wrong_adjoint_is_noticed_by_the_tangents():
    first, *rest = DERIVATION.backward.local
    wrong = replace(first, rhs=doubled(first.rhs))
    changed = replace(DERIVATION, backward=replace(DERIVATION.backward, local=(wrong, *rest)))
    assert realtime_exact.prove_real_time(changed).wrong


def test_a_wrong_tangent_is_noticed_by_the_adjoints(monkeypatch):
    right = realtime_exact.influence_equations

    def wrong(cell, assignments):
        first, *rest = right(cell, assignments)
        return (replace(first, expr=doubled(first.expr)), *rest)

    monkeypatch.setattr(realtime_exact, "influence_equations", wrong)
    assert realtime_exact.prove_real_time(DERIVATION).wrong


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('memory["influence"][name]["h"][-2]', 'memory["influence"][name]["h"][-1]'),
        ("(V @ h_dot_prev2)", "(V @ h_dot_prev)"),
        ("(W_dot @ h_prev)\n            + ", ""),
        ('"h": [*memory["influence"][name]["h"][1:], ', '"h": [*memory["influence"][name]["h"][:-1], '),
        ("np.eye(shape[0] * shape[1], dtype=dtype).reshape(-1, 1, *shape)",
         "np.eye(shape[0] * shape[1], dtype=dtype).reshape(-1, 1, *shape[::-1]).swapaxes(-1, -2)"),
        ("totals[name] = totals[name] + gradient_along(last, seen)", "pass"),
        ("np.asarray(bar)[t] for", "np.asarray(bar)[-1] for"),
    ],
)  # fmt: skip
def test_a_broken_real_time_gradient_is_noticed(before, after):
    assert SOURCE.count(before) == 1
    code = Code(load_source(SOURCE.replace(before, after)))
    subject = Subject(DERIVATION, code, 0)
    assert not realtime_checks.real_time(subject).ok


def test_wrong_values_on_the_way_are_noticed():
    before = '*values["h"][1:], across(h'
    assert SOURCE.count(before) == 1
    code = Code(load_source(SOURCE.replace(before, '*values["h"][:-1], across(h')))
    assert not realtime_checks.step_by_step(Subject(DERIVATION, code, 0)).ok
