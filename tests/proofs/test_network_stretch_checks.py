"""The checks of networks in stretches: what is dropped, doubled or cut in the wrong place between legs is noticed."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache

import pytest

from derive.network_derivation import derive_network
from numeric.additions import Additions, generate_with
from proofs import network_stretch_checks
from proofs.modules import load_source
from proofs.network_checks import NetworkSubject
from proofs.network_layout import NetworkCode
from proofs.network_verification import PROMISED, verify_network
from tests.networks import network_of


@cache
def source(name: str) -> str:
    return generate_with(derive_network(network_of(name)), Additions(checkpoint=True))


def subject(name: str, text: str) -> NetworkSubject:
    return NetworkSubject(network_of(name), NetworkCode(load_source(text, "net", PROMISED)), 0)


HELD = r'        add_up\(legs\.kept_bar, "K", over_steps\(by_inputs\["K"\]\)\)\n'
SUM = 'over_steps(by_inputs["K"])'
BREAKS = {
    "a held sum without the last of its stretches": (
        "ragged_attention", HELD, f'        legs.kept_bar["K"] = {SUM}\n'
    ),
    "a held sum of the last stretch alone": (
        "ragged_attention", HELD, f'        legs.kept_bar.setdefault("K", {SUM})\n'
    ),
    "no held sum": ("ragged_attention", HELD, f'        add_up(legs.kept_bar, "K", 0 * {SUM})\n'),
    "a held sum twice": ("ragged_attention", HELD, f'        add_up(legs.kept_bar, "K", 2 * {SUM})\n'),
    "an average in place of a held sum": ("ragged_attention", HELD, f'        add_up(legs.kept_bar, "K", {SUM} / T)\n'),
    "what is given once, of the first stretch": (
        "ragged_attention", r'add_up\(legs\.inputs_bar, "topic", (.*)\)\n', r'legs.inputs_bar["topic"] = \1\n'
    ),
    "stretches that overlap": ("attention", r"max\(0, stop - length\), stop\)", "max(0, stop - length - 1), stop)"),
    "a stretch that begins with the leg's first state": (
        "attention", r"before\.append\(\(steps, run\(\*before\[-1\]\)\[1\]\)\)", "before.append((steps, state))"
    ),
    "a state's adjoint that does not reach the stretch before": (
        "attention", r"dict\(outputs_bar\), bar\)", "dict(outputs_bar), {})"
    ),
    "an adjoint that does not reach what a scan started from": (
        "attention", r'state_bar\.pop\("dec_h"\)\[None\]', '0 * state_bar.pop("dec_h")[None]'
    ),
    "a scan that starts from nothing": (
        "ragged_attention", r'legs\.final\["enc_h"\]', '0 * legs.final["enc_h"]'
    ),
    "a sequence that is kept in the wrong place": (
        "attention", r"self\.kept\[name\]\[steps\] = value", "self.kept[name][: len(value)] = value"
    ),
    "a sequence's adjoint that comes back in the wrong place": (
        "attention", r"self\.kept_bar\[name\]\[steps\]\)", "self.kept_bar[name][: steps.stop - steps.start])"
    ),
    "an end that every stretch but its own has": (
        "held", r"at >= steps\.start\) & \(at < steps\.stop", "at < steps.stop) & (at >= steps.stop"
    ),
    "an end's adjoint in every stretch": (
        "held", r"value\[step, sample\] = end\[0, sample\]", "value[0] = end[0]"
    ),
    "a leg that runs backward, cut from the wrong side": ("held", r", turned=True", ""),
    "lengths that count from the first step in every stretch": (
        "ragged_attention", r"lengths_t - steps\.start", "lengths_t"
    ),
    "a mask that begins anew in every stretch": ("ragged_attention", r"mask_s\[steps\]", "mask_s[:T]"),
    "padding of a given sequence": ("ragged_attention", r'(legs = Legs)', r'x = np.array(x0)\n    \1'),
    "padding of a gradient": (
        "ragged_covered", r'        cut_beside\(outputs_bar, \["K"\], .*\n', ""
    ),
    "a loss that is not told where its stretch begins": ("held", r"loss\(outputs, steps\.start\)", "loss(outputs, 0)"),
    "parameters of the last stretch": ("attention", r"total\[name\] \+= value", "total[name] = value"),
    "the loss of one stretch": ("attention", r"sum\(legs\.losses\[::-1\]\)", "legs.losses[-1]"),
}  # fmt: skip


@pytest.mark.parametrize("case", BREAKS)
def test_a_break_between_legs_is_noticed(case):
    name, pattern, new = BREAKS[case]
    before, found, after = source(name).partition("def checkpointed_value_and_grad(")
    text, count = re.subn(pattern, new, after)
    assert count, case
    if case == "padding of a given sequence":
        text = text.replace("    state = dict(", "    x0, state = x, dict(", 1)
    with suppress(ValueError, KeyError, IndexError):
        assert not network_stretch_checks.checkpointed(subject(name, before + found + text)).ok


def test_a_network_that_runs_at_once_is_noticed():
    text = source("attention").replace(
        "int(np.ceil((held * T) ** 0.5)) if self.stretches is None", "1 if self.stretches is None"
    )
    assert text != source("attention")
    assert network_stretch_checks.checkpointed(subject("attention", text)).ok
    assert not network_stretch_checks.checkpointed_memory(subject("attention", text)).ok


def test_a_file_with_a_break_between_legs_is_not_verified():
    name, pattern, new = BREAKS["a held sum twice"]
    text = re.sub(pattern, new, source(name))
    found = verify_network(network_of(name), text)
    assert {c.name for c in found.failures} == {"checkpointed", "combined runs"}
