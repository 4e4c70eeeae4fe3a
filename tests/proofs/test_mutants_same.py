"""The proof that two files compute the same must not be had for files that do not."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from derive.catalog import load
from derive.network_catalog import load as load_network
from proofs import mutants_numeric
from proofs.mutants_module import Poisoned
from proofs.mutants_networks import NetworkTrial
from proofs.mutants_run import Trial
from proofs.mutants_same import PRIME, FormalNumPy, Residue, residue


@cache
def trial(name: str) -> Trial:
    return Trial(load(name))


def proof(name: str, before: str, after: str) -> str:
    source = trial(name).source
    assert source.count(before) >= 1
    return trial(name).numeric.sameness(source, source.replace(before, after, 1))


SAME = {
    "dead write": ("lstm", "h_all[:1] = h_0", "h_all[:2] = h_0"),
    "zeros added to": ("lstm", "c_bar_all[1:] = dl_dc", "c_bar_all[1:] += dl_dc"),
    "factors exchanged": ("gru", "delta_z[t] = h_bar[t] *", "delta_z[t] = 1.0 * h_bar[t] *"),
    "a number that cancels": ("deltanet", "e = np.exp(x -", "e = 2.0 * np.exp(x -"),
}


@pytest.mark.parametrize("what", SAME)
def test_what_is_the_same_is_proved_to_be(what: str) -> None:
    assert "equal modulo 2^521 − 1 in every result of 5 runs" in proof(*SAME[what])


@pytest.mark.parametrize("name", ["mlstm", "slstm", "rwkv", "lru", "gated_deltanet"])
def test_every_file_is_the_same_as_itself_even_where_its_state_must_not_be_zero(name: str) -> None:
    assert trial(name).numeric.sameness(trial(name).source, trial(name).source, 2)


PATH = "h_bar_prev[t] += delta_h[t] @ W"
DIFFERENT = {
    "far below rounding": ("elman", PATH, f"{PATH} + 2.0**-60 * delta_h[t]"),
    "of no size that a number has": ("elman", PATH, f"{PATH} + 1e-200 * delta_h[t]"),
    "only after 40 steps": ("elman", PATH, f"{PATH} * (t % 41 != 40)"),
    "only a sequence of one step": ("elman", "outer_sum(delta_h, x)", "outer_sum(delta_h, x) * (T > 1)"),
    "only one sample": ("elman", "outer_sum(delta_h, x)", "outer_sum(delta_h, x) * (B > 1)"),
    "only the single step": ("elman", "value[0] for name", "2.0 * value[0] for name"),
    "only value_and_grad": ("elman", "return value, backward(", "return 2.0 * value, backward("),
    "memory that nobody wrote": ("elman", "h_bar_all = np.zeros(", "h_bar_all = np.empty("),
    "another function that looks alike at 0": ("elman", "np.tanh(a_h[t])", "np.sin(a_h[t])"),
}  # fmt: skip


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_differs_anywhere_is_never_proved_the_same(what: str) -> None:
    assert proof(*DIFFERENT[what]) == ""


def test_a_network_that_differs_below_rounding_is_not_proved_the_same() -> None:
    t = NetworkTrial(load_network("many_to_one"))
    line = next(s for s in t.source.splitlines() if "f_c_bar_prev[t] +=" in s).strip()
    code = line.partition("  #")[0]
    target, value = code.split(" += ")
    assert t.sameness(t.source)
    assert t.sameness(t.source.replace(code, f"{target} += {value} + 2.0**-60 * ({value})")) == ""


WRITES = {
    "to the parameters": "params['W'][:] = 0.0",
    "to the inputs": "x[:] = 0.0",
    "to the initial state": "state['h'][:] = 0.0",
}


@pytest.mark.parametrize("what", WRITES)
def test_what_one_mutant_writes_to_its_arguments_no_other_sees(what: str) -> None:
    t, last = trial("elman"), "    return value, backward(params, cache, outputs_bar)\n"
    right = t.numeric.sameness(t.source, t.source, 2)
    kept = last.replace("return", "found =") + f"    {WRITES[what]}\n    return found\n"
    assert last in t.source
    assert t.numeric.sameness(t.source, t.source.replace(last, kept), 2)
    assert t.numeric.sameness(t.source, t.source, 2) == right


def test_the_chance_of_luck_is_that_of_one_mutant_whatever_came_before() -> None:
    t = trial("elman")
    right = t.numeric.sameness(t.source, t.source, 2)
    more = t.source.replace("np.tanh(a_h[t])", "np.tanh(a_h[t]) + 0.0 * np.tanh(2.0 * a_h[t])")
    assert more != t.source
    assert t.numeric.sameness(t.source, more, 2)
    assert t.numeric.sameness(t.source, t.source, 2) == right


def test_the_right_file_is_run_once_for_all_mutants(monkeypatch: pytest.MonkeyPatch) -> None:
    t = Trial(load("elman"))
    assert t.numeric.sameness(t.source, t.source, 2)
    loaded: list[str] = []
    load_one = mutants_numeric.module_of
    (right,) = t.numeric._rights.values()
    monkeypatch.setattr(right, "_load", lambda s: loaded.append(s) or load_one(s, Poisoned()))
    other = t.source.replace("np.tanh(a_h[t])", "1.0 * np.tanh(a_h[t])")
    assert t.numeric.sameness(t.source, other, 2)
    assert loaded == [other]


def test_residues_compute_as_rational_numbers_do() -> None:
    a, b = Residue(12345), Residue(PRIME - 7)
    assert ((a + b) * 2 - a / 3 * 6).value == (-14 % PRIME)
    assert (0.5 * a + 0.5 * a - a).value == 0
    assert ((a**-2) * a**3 / a).value == 1
    with pytest.raises(ArithmeticError):
        residue(np.nan)
    many = np.array([Residue(2), Residue(3)], object)
    for whole in (a + many, a - many, a * many, a / many):
        assert whole.shape == (2,)
    assert (many - a * many + a * many)[1].value == 3


def test_degrees_bound_those_of_the_result() -> None:
    x, y = Residue(3, 1), Residue(5, 1)
    both = x / y + y / x
    assert (both.up, both.down) == (2, 2)
    assert ((x * y) ** 3).up == 6


def test_equal_arguments_have_equal_values_and_others_do_not() -> None:
    numpy = FormalNumPy(0)
    x = np.array([Residue(4, 1), Residue(4, 1), Residue(5, 1)], dtype=object)
    values = [v.value for v in numpy.exp(x)]
    assert values[0] == values[1] != values[2]
    assert values[0] != numpy.tanh(x)[0].value


def test_a_quotient_that_is_unknown_is_equal_for_equal_divisors_and_of_small_degree() -> None:
    numpy = FormalNumPy(0, divides=False)
    x, y = numpy.random_like(np.ones(2))
    assert (x / y - x / y).value == 0
    assert (2 / y).value == (1 / y * 2.0).value
    assert (1 / y).value != pow(y.value, -1, PRIME)
    assert (-x / -y).value == (x / y).value
    quotient = (1 - x) / y + y**-2
    assert (quotient.up, quotient.down) == (2, 0)


def test_a_degree_beyond_all_numbers_is_no_proof() -> None:
    numpy = FormalNumPy(0)
    assert numpy.error([np.array([Residue(1, 10**400, 10**400)], dtype=object)]) == 1


def test_a_logit_that_must_not_count_has_the_exponential_zero() -> None:
    numpy = FormalNumPy(0)
    x = numpy.random_like(np.ones(3)) + 1e9 * np.array([0.0, -1.0, -2.0], dtype=object)
    e = numpy.exp(x - x.max())
    assert [v.value == 0 for v in e] == [False, True, True]
    assert all(v.value for v in numpy.exp(x + 1e9))
    assert numpy.exp(np.array([Residue(5) - 1e8], dtype=object))[0].value != 0
