"""Broken code of networks must be refused: masks, states handed over, sequences handed on."""

from __future__ import annotations

from functools import cache

import pytest

from derive.network_catalog import load
from proofs import network_samples
from proofs.mutants import Mutant
from proofs.mutants_networks import NetworkTrial
from tests.networks import read


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


VALUE_GIVEN_ONCE = """
f = scan(elman, x[t])
y[t] = V @ f.h[t] + topic[end] * (R @ f.h[t])
loss[t] = squared_error(y[t], target[t])
"""


def test_a_network_with_a_value_given_once_is_called_step_by_step() -> None:
    """And what fails there is not proved to be the same."""
    t = NetworkTrial(read(VALUE_GIVEN_ONCE))
    assert t.sameness(t.source, 1)
    broken = t.source.replace("value[0] for name, value", "value[name] for name, value")
    assert broken != t.source
    assert t.sameness(broken, 1) == ""


def test_attention_is_the_same_as_itself_though_its_quotients_have_huge_degrees() -> None:
    t = trial("attention")
    seen = t.sameness(t.source, 1)
    assert "equal modulo 2^521 − 1 in every result of 5 runs" in seen
    assert int(seen.partition("below 10^-")[2].partition(";")[0]) >= 30


POOLING = """
ragged t
f = scan(elman, x[t])
H[end] = columns(f.h[t])
a[end] = softmax(H[end].T @ v)
y[end] = H[end] @ a[end]
loss[end] = squared_error(y[end], target[end])
"""


def test_what_only_padding_sees_is_the_same_and_a_smaller_mask_is_not() -> None:
    t = NetworkTrial(read(POOLING))
    held, mask = 'outputs = read_only({"f_h": f_h})', "1000000000.0 *"
    assert t.source.count(held) == t.source.count(mask) == 1
    assert t.sameness(t.source.replace(held, held.replace(": f_h}", ": f_h_new}")), 2)
    assert t.sameness(t.source.replace(mask, "2000000000.0 *"), 2)
    assert t.sameness(t.source.replace(mask, "100000000.0 *"), 2) == ""
    assert t.sameness(t.source.replace(f" + {mask}", f" - {mask}"), 2) == ""


def test_what_is_true_of_a_network_is_found_once_for_all_its_mutants(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    t = NetworkTrial(load("many_to_one"))
    t.sound()

    def again(*_: object) -> None:
        raise AssertionError("found again")

    monkeypatch.setattr(network_samples, "_slopes", again)
    monkeypatch.setattr(network_samples, "_attempts", again)
    assert t.refusal(t.source) == ("", "")


def test_what_is_known_of_one_network_is_not_told_of_another() -> None:
    a, b = NetworkTrial(load("many_to_one")), NetworkTrial(load("many_to_one"), seed=1)
    one, other = (t.subject(t.source).sample("a run", steps=3) for t in (a, b))
    assert one is a.subject(a.source).sample("a run", steps=3)
    assert one is not a.subject(a.source).sample("a run", steps=4)
    assert one is not other
