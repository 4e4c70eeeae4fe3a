"""Truncated and real-time gradients that are right in short, narrow runs alone are noticed in large ones."""

from __future__ import annotations

from functools import cache

import pytest

from derive.catalog import load
from derive.derivation import derive
from derive.language import read_cell
from derive.network_derivation import derive_network
from numeric.additions import Additions, generate_with
from proofs import many_steps, network_window_checks, realtime_checks, stretch_checks
from proofs.modules import Code, load_source
from proofs.network_checks import NetworkSubject
from proofs.network_layout import NetworkCode
from proofs.network_verification import PROMISED
from proofs.subject import Subject
from tests.networks import network_of

LAGGED = "h[t] = tanh(W @ h[t-1] + V @ h[t-2] + U @ x[t] + P @ x[t-1])\ny[t] = Q @ h[t] + h[t-1]"
STILL = "r = exp(-exp(nu))\nh[t] = r * h[t-1] + U @ x[t]"
OURS = {"lagged": LAGGED, "still": STILL}
WANTED = Additions((2, 5), real_time=True)


@cache
def derivation_of(name: str):
    return derive(read_cell(OURS[name], name) if name in OURS else load(name))


@cache
def source_of(name: str) -> str:
    return generate_with(derivation_of(name), WANTED)


def subject(name: str, source: str) -> Subject:
    return Subject(derivation_of(name), Code(load_source(source)), 0)


@cache
def network_source_of(name: str) -> str:
    return generate_with(derive_network(network_of(name)), Additions((1, 2)))


def network_subject(name: str, source: str) -> NetworkSubject:
    code = NetworkCode(load_source(source, "net", PROMISED))
    return NetworkSubject(network_of(name), code, 0)


def changed(source: str, before: str, after: str) -> str:
    assert source.count(before) == 1, before
    return source.replace(before, after)


@pytest.mark.parametrize("name", ["lagged", "still", "lstm", "linear_attention"])
def test_what_is_generated_is_right_in_large_runs(name):
    ours = subject(name, source_of(name))
    assert many_steps.truncated(ours).verdict == "holds"
    assert many_steps.real_time(ours).verdict == "holds"


@pytest.mark.parametrize("name", ["covered", "ragged_attention"])
def test_networks_are_right_in_windows_of_many_steps(name):
    found = many_steps.truncated_network(network_subject(name, network_source_of(name)))
    assert found.verdict == "holds"


TOTAL = "params_bar = {name: params_bar[name] + value for name, value in by_params.items()}"
SEEN = "found[steps < unseen] = 0.0"
LATE = {
    "the last windows of many": (TOTAL, f"if stops[0] < 200:\n            {TOTAL}"),
    "windows that wrap": ("starts, unseen = stops - k2,", "starts, unseen = (stops - k2) % 256,"),
    "long windows that leave out their first step": (
        "[start : start + k2] += apart[:, window]",
        "[start + (k2 > 20) : start + k2] += apart[int(k2 > 20) :, window]",
    ),
    "at most so many windows at once": (
        "[start : start + k2] += apart",
        "[start : start + k2] += (window < 64) * apart",
    ),
    "the last of many turns": (
        "np.split(ends, np.arange(at_once, len(ends), at_once))",
        "np.split(ends, np.arange(at_once, len(ends), at_once))[:40]",
    ),
    "windows of at most so many steps": (SEEN, f"{SEEN}\n    found[32:64] *= length <= 64"),
    "the final state of a long run": ("stops == T, DEPTHS", "(stops == T) & (T < 300), DEPTHS"),
}


@pytest.mark.parametrize("case", LATE)
def test_windows_that_are_right_in_short_runs_alone_are_noticed(case):
    broken = subject("lagged", changed(source_of("lagged"), *LATE[case]))
    assert stretch_checks.truncated(broken).ok
    assert stretch_checks.truncated_whole(broken).ok
    found = many_steps.truncated(broken)
    assert not found.ok
    assert "k1 = " in found.where[0]


@pytest.mark.parametrize("case", [case for case in LATE if "first step" not in case])
def test_those_of_networks_are_noticed(case):
    broken = network_subject(
        "ragged_attention", changed(network_source_of("ragged_attention"), *LATE[case])
    )
    assert network_window_checks.truncated(broken).ok
    assert not many_steps.truncated_network(broken).ok


@pytest.mark.parametrize("name", ["lagged", "ragged_attention"])
@pytest.mark.parametrize("kept", ["1 <= k1", "k1 <= k2", "True"])
def test_a_truncation_in_which_no_window_sees_some_losses_must_be_refused(name, kept):
    if name == "lagged":
        broken = subject(name, changed(source_of(name), "1 <= k1 <= k2:", f"({kept}):"))
        found = stretch_checks.truncated_whole(broken)
    else:
        text = changed(network_source_of(name), "1 <= k1 <= k2:", f"({kept}):")
        found = network_window_checks.truncated_whole(network_subject(name, text))
    assert any("is not refused" in told for told in found.where)


ADDED, LAST = (
    f"totals[name] = totals[name] + gradient_along({given})"
    for given in ("found, bars", "last, seen")
)
SLICED = "{k: v[:, :256] for k, v in found.items()}, {k: v[:256] for k, v in bars.items()}"
IN_TIME = {
    "what late steps add": (
        'for t in range(T):\n        memory["known"]',
        'for t in range(min(T, 255)):\n        memory["known"]',
    ),
    "samples beyond a tile": (ADDED, f"totals[name] = totals[name] + gradient_along({SLICED})"),
    "entries beyond a tile": (LAST, f"{LAST}\n        totals[name][1024:] = 0"),
}


@pytest.mark.parametrize("case", IN_TIME)
def test_real_time_gradients_that_are_right_in_small_runs_alone_are_noticed(case):
    broken = subject("lagged", changed(source_of("lagged"), *IN_TIME[case]))
    assert realtime_checks.real_time(broken).ok
    assert not many_steps.real_time(broken).ok
