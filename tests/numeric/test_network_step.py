"""Streaming of networks: step after step equals forward where the network is causal, else there is no step."""

from __future__ import annotations

import numpy as np
import pytest

from derive.network_catalog import load, shipped
from derive.network_derivation import derive_network
from numeric.fast_again import generate_small_network
from numeric.network_source import generate_network
from numeric.network_step import why_not_causal
from numeric.portable_network import generate_portable_network
from proofs.modules import load_source
from proofs.network_checks import NetworkSubject
from proofs.network_contract import streaming
from proofs.network_layout import NetworkCode, at_step
from proofs.network_verification import verify_network
from tests.networks import LENGTHS, TEXTS, module_named, network_of, numbers, read, source_of
from tests.oracle import assert_close

WHY = {
    "one_to_one": "y comes after the last step",
    "many_to_one": "y comes after the last step",
    "tagger": "b runs from the last step to the first",
    "encoder_decoder": "the axis s begins where t has ended",
    "free_running": "the axis s begins where t has ended",
    "reversed_encoder": "enc runs from the last step to the first",
    "indexed": "k comes after the last step",
    "ragged": "b runs from the last step to the first",
    "ragged_encoder_decoder": "enc runs from the last step to the first",
    "ragged_one_to_many": "last comes after the last step",
    "deep_bidirectional": "b runs from the last step to the first",
    "tied": "b runs from the last step to the first",
    "concatenated": "b runs from the last step to the first",
    "bridged": "b runs from the last step to the first",
    "ragged_bridged": "s0_h comes after the last step",
    "attention": "b runs from the last step to the first",
    "pooled": "b runs from the last step to the first",
    "held": "g comes after the last step",
    "covered": "K comes after the last step",
    "ragged_attention": "b runs from the last step to the first",
    "ragged_covered": "K comes after the last step",
    "ragged_pointer": "H comes after the last step",
    "ragged_prior": "H comes after the last step",
    "ragged_pooled": "f runs from the last step to the first",
}
CAUSAL = [name for name in TEXTS if name not in WHY]


@pytest.mark.parametrize("name", CAUSAL)
def test_step_after_step_equals_forward(name):
    network, module = network_of(name), module_named(name)
    n = numbers(network, module)
    outputs, final, _ = n.forward(module)
    found, state = [], n.state
    for t in range(LENGTHS["t"]):
        now = at_step(network, list(n.inputs.values()), t)
        out, state = module.step(n.params, *now, state)
        found.append(out)
    assert_close({k: np.stack([out[k] for out in found]) for k in outputs}, outputs)
    assert_close(state, final)


def test_a_scan_without_inputs_streams_too_and_a_ragged_one_needs_no_lengths():
    alone = read("f = scan(elman_bare, y[t-1])\ny[t] = tanh(V @ f.h[t])\n")
    ragged = read("ragged t\nf = scan(gru, x[t])\ny[t] = V @ f.h[t]\n")
    for network in (alone, ragged):
        assert why_not_causal(network) == ""
        code = NetworkCode(load_source(source_of(network), "x", ("step",)))
        row = streaming(NetworkSubject(network, code, 3))
        assert row.verdict == "holds", row


@pytest.mark.parametrize("name", WHY)
def test_what_looks_ahead_has_no_step_and_the_file_says_why(name):
    assert not hasattr(module_named(name), "step")
    assert why_not_causal(network_of(name)) == WHY[name]
    assert f"There is no step, one step at a time: {WHY[name]}." in source_of(network_of(name))


FROM_AN_END = {
    "the same input": "f = scan(elman, x[t])\ng = scan(elman, x[t], start(f))",
    "what it starts from": "f = scan(elman, x[t])\ng = scan(elman, f.h[t], start(f))",
    "two below": (
        "f = scan(gru, x[t])\nb = scan(elman, x[t])\nu[t] = concat(f.h[t], b.h[t])\ng = scan(gru, u[t], start(f))"
    ),
    "different lengths": "ragged t\nf = scan(lstm, x[t])\ng = scan(lstm, f.h[t], start(f))",
}


@pytest.mark.parametrize("case", FROM_AN_END)
def test_a_scan_that_starts_from_anothers_end_has_no_step_and_is_verified_without(case):
    network = read(FROM_AN_END[case])
    why = "g starts where f has ended"
    for write in (generate_network, generate_small_network, generate_portable_network):
        source = write(derive_network(network))
        assert f"# There is no step, one step at a time: {why}." in source
        assert "def step(" not in source
    found = verify_network(network, source_of(network))
    assert found.ok, found.table()
    assert next(c.note for c in found.checks if c.name == "streaming") == why


def test_the_check_of_streaming_sees_a_step_that_forgets_and_one_that_is_missing():
    network = network_of("aligned")
    source = source_of(network)
    call = "forward(params, x_t[None], w_t[None], d_t[None], state)"
    assert source.count(call) == 1
    for wrong in (
        source.replace(call, call.replace(", state)", ")")),
        source.replace(call, call.replace("w_t[None]", "1 + w_t[None]")),
        source.replace("return {name: value[0]", "return {name: value[-1] * 2"),
        source.replace("def step(", "def stride("),
    ):
        code = NetworkCode(load_source(wrong, "wrong", ("forward",)))
        assert streaming(NetworkSubject(network, code, 0)).verdict != "holds"
    code = NetworkCode(load_source(source, "right", ("forward",)))
    assert streaming(NetworkSubject(network, code, 0)).verdict == "holds"


def test_those_that_ship_stream_exactly_where_no_scan_is_reversed_and_nothing_comes_after():
    causal = {e.name for e in shipped() if not why_not_causal(load(e.name))}
    assert causal == {
        "deep",
        "head_linear",
        "head_sigmoid",
        "many_to_many",
        "next_character",
        "one_to_many",
    }
    assert "def step(" in generate_network(derive_network(load("deep")))
