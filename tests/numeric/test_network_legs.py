"""Networks in stretches: gradients of the whole run where legs hand on states, sequences, ends and held values."""

from __future__ import annotations

import tracemalloc
from functools import cache
from types import ModuleType

import numpy as np
import pytest

from derive.network_catalog import load
from derive.network_derivation import derive_network
from numeric.additions import Additions, generate_with
from tests.generated import module_of
from tests.networks import TEXTS, network_of, numbers, read
from tests.numeric.test_checkpointed import weighted
from tests.numeric.test_network_attention import LONG, B, S, T, translated
from tests.oracle import assert_close

KINDS = {
    "readable": Additions(checkpoint=True),
    "speed": Additions(checkpoint=True, speed=True),
    "size": Additions(checkpoint=True, size=True),
    "compiled": Additions(checkpoint=True, compiled=True),
}
RUNNING = [name for name in TEXTS if name != "one_to_one"]


@cache
def module(name: str, kind: str) -> ModuleType:
    network = network_of(name) if name in TEXTS else load(name)
    return module_of(generate_with(derive_network(network), KINDS[kind]), name)


@pytest.mark.parametrize("kind", ["readable", "speed", "size"])
@pytest.mark.parametrize("name", RUNNING)
def test_every_network_in_stretches_has_the_gradients_of_the_whole_run(name, kind):
    m, network = module(name, kind), network_of(name)
    n = numbers(network, m)
    given, named = (n.params, *n.inputs.values(), n.state), n.keywords
    outputs, _, _ = m.forward(*given, **named)
    bars = {k: np.cos(np.arange(v.size)).reshape(v.shape) for k, v in outputs.items()}
    loss = [] if network.loss else [weighted(bars)]
    value, whole = m.value_and_grad(*loss, *given, **named)
    for count in (None, 1, 2, 3):
        again, found = m.checkpointed_value_and_grad(*loss, *given, stretches=count, **named)
        assert again == pytest.approx(value, rel=1e-12)
        for mine, theirs in zip(found, whole, strict=True):
            assert_close(mine, theirs, 1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_the_translator_in_stretches_is_that_of_its_authors(kind):
    torch = pytest.importorskip("torch")
    if kind == "compiled":
        pytest.importorskip("numba")
    network = load("attention")
    m = module_of(generate_with(derive_network(network), KINDS[kind]), "translator")
    rng = np.random.default_rng(4)
    sizes = dict(zip(map(str, network.dims), range(2, 2 + len(network.dims)), strict=True))
    params = {k: 0.7 * rng.standard_normal(v) for k, v in m.parameter_shapes(**sizes).items()}
    state = {k: rng.standard_normal(v.shape) for k, v in m.init_state(B, **sizes).items()}
    word = rng.integers(0, params["E"].shape[1], (S, B))
    before = rng.integers(0, params["D"].shape[1], (T, B))
    target = rng.integers(0, params["b_y"].shape[0], (T, B))
    p, start = (
        {k: torch.tensor(v, requires_grad=True) for k, v in group.items()}
        for group in (params, state)
    )
    true = translated(torch, p, word, before, target, start)
    true.backward()
    lengths = {f"lengths_{axis}": value for axis, value in LONG.items()}
    for count in (None, 1, 2, 3, S):
        loss, (by_params, _, by_state) = m.checkpointed_value_and_grad(
            params, word, before, target, state, stretches=count, **lengths
        )
        assert_close({"loss": np.asarray(loss)}, {"loss": true.detach().numpy()}, 1e-12)
        assert_close(by_params, {k: v.grad.numpy() for k, v in p.items()}, 1e-12)
        assert_close(by_state, {k: v.grad.numpy() for k, v in start.items()}, 1e-12)


@pytest.mark.parametrize("kind", ["readable", "speed"])
def test_a_decoder_that_looks_at_all_steps_needs_memory_for_the_root_of_its_own(kind):
    m = module_of(generate_with(derive_network(load("attention")), KINDS[kind]), "translator")
    params = m.init_params(3, 5, 8, 8, 8, 16, 3, 5, 6)
    rng = np.random.default_rng(0)
    steps, samples = 20, 4

    def run(T: int, function: str) -> int:
        words = [rng.integers(0, 5, (count, samples)) for count in (steps, T, T)]
        tracemalloc.start()
        getattr(m, function)(params, *words)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    run(9, "checkpointed_value_and_grad")
    whole = run(720, "value_and_grad") / run(80, "value_and_grad")
    parts = [run(count, "checkpointed_value_and_grad") for count in (80, 720)]
    assert whole > 6.0, "the ordinary run needs memory in proportion to T"
    assert parts[1] < 3.5 * parts[0], "nine times as long should need about three times as much"
    assert parts[1] < run(720, "value_and_grad") / 10


def test_no_more_than_one_workspace_is_kept_for_each_leg(monkeypatch):
    m = module("attention", "speed")
    made, ordinary = [], m.Workspace.__init__

    def watched(self):
        made.append(1)
        ordinary(self)

    monkeypatch.setattr(m.Workspace, "__init__", watched)
    n = numbers(network_of("attention"), m)
    made.clear()
    m.checkpointed_value_and_grad(n.params, *n.inputs.values(), n.state, stretches=1, **n.keywords)
    there, back = 4, 5
    assert len(made) == there + back, (
        "the last leg, which no other reads, is run on the way back only"
    )


@pytest.mark.parametrize("count", [0, 6])
def test_a_number_of_stretches_that_does_not_fit_the_longest_axis_is_refused(count):
    m = module("encoder_decoder", "readable")
    n = numbers(network_of("encoder_decoder"), m)
    with pytest.raises(ValueError, match=f"stretches is {count}: expected 1 to T = 5"):
        m.checkpointed_value_and_grad(n.params, *n.inputs.values(), n.state, stretches=count)


def test_sequences_of_one_axis_that_differ_in_length_are_refused():
    m = module("aligned", "readable")
    n = numbers(network_of("aligned"), m)
    for name in ("w", "d"):
        inputs = {**n.inputs, name: np.concatenate((n.inputs[name], n.inputs[name]))}
        with pytest.raises(ValueError, match=rf"{name} has shape \(10, "):
            m.checkpointed_value_and_grad(n.params, *inputs.values(), n.state)


def test_a_gradient_by_what_no_output_is_called_is_refused():
    m = module("held", "readable")
    n = numbers(network_of("held"), m)
    with pytest.raises(ValueError, match="outputs_bar does not know nobody"):
        m.checkpointed_value_and_grad(
            lambda out, _: (0.0, {"nobody": np.ones(2)}),
            n.params, *n.inputs.values(), n.state, **n.keywords,
        )  # fmt: skip


def test_what_a_caller_gives_stays_as_it_was():
    m = module("held", "speed")
    n = numbers(network_of("held"), m)
    outputs, _, _ = n.forward(m)
    bars = {k: np.cos(np.arange(v.size)).reshape(v.shape) for k, v in outputs.items()}
    kept = {k: v.copy() for k, v in bars.items()}
    m.checkpointed_value_and_grad(
        weighted(bars), n.params, *n.inputs.values(), n.state, **n.keywords
    )
    assert all(np.array_equal(bars[k], v) for k, v in kept.items())


NAMED = """
y[t] = tanh(A @ legs[t] + B @ run_1[t] + C @ T_t[t] + D @ leg_1[t] + E @ back_1[t] + F @ y[t-1])
"""


def test_names_that_the_function_needs_itself_do_not_collide():
    network = read(NAMED)
    m = module_of(generate_with(derive_network(network), KINDS["readable"]), "named")
    n = numbers(network, m)
    outputs, _, _ = n.forward(m)
    bars = {k: np.cos(np.arange(v.size)).reshape(v.shape) for k, v in outputs.items()}
    given = n.params, *n.inputs.values(), n.state
    _, whole = m.value_and_grad(weighted(bars), *given)
    _, found = m.checkpointed_value_and_grad(weighted(bars), *given, stretches=2)
    for mine, theirs in zip(found, whole, strict=True):
        assert_close(mine, theirs, 1e-11)
