"""The checks of truncated networks: whatever windows drop, double or hand to the wrong place is noticed."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache

import pytest

from derive.network_derivation import derive_network
from numeric.additions import Additions, generate_with
from proofs import network_window_checks
from proofs.modules import load_source
from proofs.network_checks import NetworkSubject
from proofs.network_layout import NetworkCode
from proofs.network_verification import PROMISED, verify_network
from tests.networks import SHARED_START, network_of, read


@cache
def source(name: str) -> str:
    return generate_with(derive_network(network_of(name)), Additions((1, 2)))


def subject(name: str, text: str) -> NetworkSubject:
    return NetworkSubject(network_of(name), NetworkCode(load_source(text, "net", PROMISED)), 0)


BREAKS = {
    "a held gradient that is dropped": (
        "ragged_attention", r'outputs_bar, "K", inputs_bar\.pop\("K"\)', 'outputs_bar, "K", 0 * inputs_bar.pop("K")'
    ),
    "a held gradient twice": (
        "ragged_attention", r'outputs_bar, "K", inputs_bar\.pop\("K"\)', 'outputs_bar, "K", 2 * inputs_bar.pop("K")'
    ),
    "a held gradient of the last windows": (
        "ragged_attention", r"inputs_bar\[name\] \+ parts", "parts"
    ),
    "a held gradient of the first windows": (
        "ragged_attention", r"inputs_bar\[name\] \+ parts\.sum\(axis=0\)", "inputs_bar[name]"
    ),
    "a held gradient of one window of those side by side": (
        "ragged_attention", r"parts\.sum\(axis=0\)", "parts[-1]"
    ),
    "samples and windows that change places": (
        "ragged_attention", r"reshape\(len\(starts\), B, \*value\.shape\[1:\]\)\n( +)(.*) parts\.sum\(axis=0\)",
        r"reshape(B, len(starts), *value.shape[1:])\n\1\2 parts.sum(axis=1)"
    ),
    "a start that gets nothing": (
        "ragged_attention", r'state_bar\.pop\("dec_h"\)', '0 * state_bar.pop("dec_h")'
    ),
    "a start that every window hands to": (
        "ragged_attention", r"by_params, by_inputs, _ = turn\((.*)\n",
        (
            r"by_params, by_inputs, more = turn(\1\n"
            r"        state_bar = {k: v + more[k][:B] for k, v in state_bar.items()}\n"
        ),
    ),
    "windows that begin a step too early": ("ragged_attention", r"stops - k2,", "np.maximum(stops - k2 - 1, 0),"),
    "losses that two windows see": ("ragged_attention", r"found\[steps < unseen\] = 0\.0", "pass"),
    "a held value of other samples": (
        "ragged_attention", r"np\.concatenate\(\[array\[0\]\] \* count\)", "np.repeat(array[0], count, axis=0)"
    ),
    "lengths of other samples": (
        "ragged_covered", r"np\.tile\(lengths, len\(starts\)\)", "np.repeat(lengths, len(starts))"
    ),
    "an encoder without losses of its own": (
        "ragged_attention", r"    outputs_bar = only\(outputs_bar, \[.*\n", "    outputs_bar = {}\n"
    ),
    "an encoder without what its end is worth": (
        "covered", r"    final_bar = only\(final_bar, \[.*\n", "    final_bar = {}\n"
    ),
    "parameters of the windows alone": (
        "ragged_attention", r"    add_all\(params_bar, by_params\)\n(    add_all\(inputs_bar, by_inputs\))",
        r"    params_bar = by_params | params_bar\n\1"
    ),
    "a bit less than backward": (
        "ragged_attention", r"return backward\((params, cache, outputs_bar, final_bar)\)",
        r"return tuple({k: v * (1 + 2**-52) for k, v in g.items()} for g in backward(\1))"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BREAKS)
def test_a_break_of_windows_is_noticed(case):
    name, pattern, new = BREAKS[case]
    text, count = re.subn(pattern, new, source(name))
    assert count, case
    broken = subject(name, text)
    checks = network_window_checks.truncated, network_window_checks.truncated_whole
    with suppress(ValueError, KeyError, IndexError):
        assert not all(check(broken).ok for check in checks)


def test_states_of_several_steps_that_start_elsewhere_are_held_in_windows():
    network = read(SHARED_START)
    text = generate_with(derive_network(network), Additions((1, 2)))
    loaded = NetworkSubject(network, NetworkCode(load_source(text, "net", PROMISED)), 0)
    assert network_window_checks.truncated(loaded).ok


def test_a_file_with_a_break_of_windows_is_not_verified():
    name, pattern, new = BREAKS["a held gradient twice"]
    assert verify_network(network_of(name), source(name)).ok
    found = verify_network(network_of(name), re.sub(pattern, new, source(name)))
    assert {c.name for c in found.failures} == {
        "truncated",
        "truncated, many steps",
        "combined runs",
    }
