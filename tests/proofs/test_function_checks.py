"""Every function of a file keeps what forward and backward keep: broken ones are refused, and named."""

from __future__ import annotations

import pytest

from derive.derivation import derive
from derive.language import read_cell
from derive.network_derivation import derive_network
from derive.network_language import read_network
from numeric.additions import Additions, generate_with
from numeric.fast_source import generate_fast
from numeric.network_source import generate_network
from numeric.portable_source import generate_portable
from proofs import behaviour_checks, stretch_checks
from proofs.function_checks import functions_of_cell, functions_of_network
from proofs.modules import Code, load_source
from proofs.network_checks import NetworkSubject
from proofs.network_layout import NetworkCode
from proofs.subject import Subject
from proofs.table import Check
from tests.generated import needs_standard
from tests.networks import CELLS, TEXTS, network_of
from tests.networks import source_of as network_source_of
from tests.proofs.specimens import EVERY, derivation_of, source_of

TEXT = """\
const alpha = 9/10
h[t] = alpha * h[t-1] + (1 - alpha) * tanh(W @ h[t-2] + U @ x[t] + b)
y[t] = V @ h[t]
"""
DERIVATION = derive(read_cell(TEXT, "my"))
SOURCE = generate_with(DERIVATION, Additions((2, 3), checkpoint=True, real_time=True))


def judged(source: str, derivation=DERIVATION, check=functions_of_cell) -> Check:
    return check(Subject(derivation, Code(load_source(source)), 0))


def broken(*edits: tuple[str, str]) -> str:
    source = SOURCE
    for old, new in edits:
        assert old in source, old
        source = source.replace(old, new, 1)
    return source


@pytest.mark.parametrize("name", EVERY)
def test_what_is_generated_for_every_cell_passes(name: str) -> None:
    assert judged(source_of(name), derivation_of(name)).ok


@pytest.mark.parametrize(
    "writer", [generate_fast, pytest.param(generate_portable, marks=needs_standard)]
)
@pytest.mark.parametrize("name", ["lstm", "leaky", "skip", "matrix_state", "autonomous"])
def test_every_kind_of_file_passes(name: str, writer) -> None:
    assert judged(writer(derivation_of(name)), derivation_of(name)).ok
    assert judged(SOURCE).ok


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_generated_for_networks_passes(name: str) -> None:
    network = network_of(name)
    code = NetworkCode(load_source(network_source_of(network), "net", ("forward", "backward")))
    assert functions_of_network(NetworkSubject(network, code, 0)).ok


STEP = "    return {name: value[0] for name, value in outputs.items()}, final"
HEAD = "def step(\n    params: Arrays, x_t: Array, state: Arrays | None = None, *, alpha: float | Array = 0."
BROKEN = {
    "step: changes state": [(STEP, f"    state['h'][...] = final['h']\n{STEP}")],
    "step: [1]['h'] of a float32 run is float64": [
        (STEP, f"    final['h'] = final['h'].astype(np.float64)\n{STEP}")
    ],
    "step: [0]['y'] without alpha": [(f"{HEAD}9", f"{HEAD}8")],
    "value_and_grad: [0] without a state": [
        (
            "    outputs, _, cache = forward(params, x, state,",
            "    outputs, _, cache = forward(params, x, state or {'h': 1 + 0 * h_of(params, x)},",
        ),
        (
            "def step(",
            "def h_of(params, x):\n    return np.ones((2, x.shape[1], len(params['b'])))\n\n\ndef step(",
        ),
    ],
    "checkpointed_value_and_grad: [1][1]['x'] of a float32 run is float64": [
        ("np.empty((T, *bar.shape[1:]), bar.dtype)", "np.empty((T, *bar.shape[1:]))")
    ],
    "truncated_gradients: [1]['x'] of a float32 run is float64": [
        ("np.zeros((T - first, *x.shape[1:]), x.dtype)", "np.zeros((T - first, *x.shape[1:]))")
    ],
    "truncated_gradients: changes bars": [
        ("    found = bar[steps]\n", "    found = bar[steps]\n    bar += 1\n")
    ],
    "truncated_gradients: 'NoneType' object has no attribute 'items' without final_bar": [
        ("outputs_bar, final_bar or {}, k1, k2)", "outputs_bar, final_bar, k1, k2)")
    ],
    "real_time_gradients: 'y' of some outputs": [
        (
            "np.asarray(bar)[t] for name, bar in outputs_bar.items()",
            "np.asarray(outputs_bar[name])[t] for name in ('h', 'y')",
        )
    ],
    "real_time_gradients: ['W'] without a state": [
        ("{**zeros, **(state", "{**{k: v + 1 for k, v in zeros.items()}, **(state")
    ],
}


@pytest.mark.parametrize("told", BROKEN)
def test_a_function_that_breaks_a_promise_is_refused_and_named(told: str) -> None:
    found = judged(broken(*BROKEN[told]))
    assert told in found.where


@pytest.mark.parametrize("start", ["0", "cut.start + 1", "cut.stop"])
def test_stretches_that_are_told_a_wrong_beginning_are_refused(start: str) -> None:
    source = broken(("loss(outputs, cut.start)", f"loss(outputs, {start})"))
    assert not judged(source, check=stretch_checks.checkpointed).ok


def test_a_loss_that_is_asked_twice_is_seen() -> None:
    once = "    value, outputs_bar = loss(outputs)\n"
    source = broken((once, "    value, outputs_bar = loss(outputs)[0], loss(outputs)[1]\n"))
    found = judged(source, check=behaviour_checks.whole_gradient)
    assert found.where == ("loss, which is asked 2 times",)


def test_lengths_that_are_left_out_are_all_steps() -> None:
    network = network_of("ragged")
    source = network_source_of(network)
    whole = "np.full(B, T) if lengths is None"
    assert whole in source
    changed = source.replace(whole, whole.replace("T", "T - 1"))
    code = NetworkCode(load_source(changed, "net", ("forward", "backward")))
    found = functions_of_network(NetworkSubject(network, code, 0))
    assert any(place.endswith("without lengths_t") for place in found.where)


def test_a_networks_functions_are_asked_too() -> None:
    network = read_network("f = scan(gru, x[t])\ny[t] = V @ f.h[t]", "net", CELLS.get)
    source = generate_network(derive_network(network))
    code = NetworkCode(load_source(source.replace(STEP, f"    state.clear()\n{STEP}"), "net"))
    found = functions_of_network(NetworkSubject(network, code, 0))
    assert "step: changes state" in found.where
