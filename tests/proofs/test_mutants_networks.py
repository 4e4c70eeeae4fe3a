"""Broken code of networks must be refused: masks, states handed over, sequences handed on."""

from __future__ import annotations

from functools import cache

import pytest

from derive.network_catalog import load
from proofs.mutants import Mutant
from proofs.mutants_networks import NetworkTrial


@cache
def trial(name: str) -> NetworkTrial:
    return NetworkTrial(load(name))


@pytest.mark.parametrize(("name", "every"), [("many_to_one", 60), ("encoder_decoder", 90)])
def test_no_mutant_of_a_network_survives(name: str, every: int) -> None:
    t = trial(name)
    assert t.refusal(t.source) == ("", "")
    judged = [t.judged(m) for m in list(t.mutants())[::every]]
    assert [str(j.mutant) for j in judged if j.fate == "survived"] == []
    assert sum(j.fate == "killed" for j in judged) >= 5


def test_a_mask_that_is_lost_is_noticed() -> None:
    masks = [m for m in trial("many_to_one").mutants() if m.kind == "lost mask"]
    assert masks
    found = [trial("many_to_one").judged(m) for m in masks[:4]]
    assert {j.fate for j in found} == {"killed"}


def test_a_sign_lost_on_padded_steps_is_noticed() -> None:
    """Over an even number of padded steps it cancels."""
    t = trial("many_to_one")
    line = next(s for s in t.source.splitlines() if "f_c_bar_prev[t] +=" in s)
    wrong = t.source.replace(line, line.replace(" + f_c_bar[t] * (", " - f_c_bar[t] * ("))
    assert wrong != t.source
    assert t.judged(Mutant("source", "sign", "", "", source=wrong)).fate == "killed"
