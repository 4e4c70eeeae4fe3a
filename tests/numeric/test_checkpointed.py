"""Gradients in stretches: those of the whole run, with memory that grows with the root of its length."""

from __future__ import annotations

import tracemalloc
from functools import cache
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.catalog import load
from derive.derivation import derive
from derive.errors import ArgumentError
from derive.language import read_cell
from derive.network_derivation import derive_network
from derive.network_language import read_network
from numeric.additions import Additions, generate_with
from tests import networks
from tests.generated import module_of
from tests.networks import CELLS
from tests.numeric.test_truncated import assert_same, module, numbers, stack, stack_numbers


def weighted(bars):
    """L = Σ ⟨g_t, output_t⟩, stretch by stretch."""

    def loss(outputs, start=0):
        parts = {k: bars[k][start : start + len(v)] for k, v in outputs.items()}
        return sum(float(np.sum(parts[k] * v)) for k, v in outputs.items()), parts

    return loss


@given(
    name=st.sampled_from(["lstm", "lagged", "linear_attention"]),
    T=st.integers(1, 12),
    data=st.data(),
)
@settings(max_examples=30)
def test_gradients_in_stretches_are_those_of_the_whole_run(name, T, data):
    m = module(name)
    if name == "linear_attention":
        params, x, state, bars = attention_numbers(m, T)
    else:
        params, x, state, bars, _ = numbers(m, T, T)
    count = data.draw(st.none() | st.integers(1, T))
    value, whole = m.value_and_grad(weighted(bars), params, x, state)
    again, found = m.checkpointed_value_and_grad(weighted(bars), params, x, state, stretches=count)
    assert again == pytest.approx(value, rel=1e-12, abs=1e-12)
    assert_same(found, whole, 1e-11)


def attention_numbers(m: ModuleType, T: int):
    rng = np.random.default_rng(T)
    params = {k: 0.5 * rng.standard_normal(s) for k, s in m.parameter_shapes(3, 4, 2).items()}
    state = {k: rng.uniform(0.5, 1, v.shape) for k, v in m.init_state(2, 3, 4, 2).items()}
    x = rng.standard_normal((T, 2, 4))
    outputs, _, _ = m.forward(params, x, state)
    return params, x, state, {k: rng.standard_normal(v.shape) for k, v in outputs.items()}


def test_one_stretch_is_the_whole_run_bit_for_bit():
    m = module("lstm")
    params, x, state, bars, _ = numbers(m, 1, 8)
    value, whole = m.value_and_grad(weighted(bars), params, x, state)
    again, found = m.checkpointed_value_and_grad(weighted(bars), params, x, state, stretches=1)
    assert again == value
    for mine, theirs in zip(found, whole, strict=True):
        assert all(np.array_equal(mine[k], v) for k, v in theirs.items())


def test_a_network_in_stretches():
    m = stack()
    params, x, state, bars, _ = stack_numbers(3, 11)
    value, whole = m.value_and_grad(weighted(bars), params, x, state)
    again, found = m.checkpointed_value_and_grad(weighted(bars), params, x, state)
    assert again == pytest.approx(value, rel=1e-12)
    assert_same(found, whole, 1e-11)


def peak(call) -> int:
    """The most memory that a call held at once, in bytes; NumPy tells tracemalloc of its arrays."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_grows_with_the_root_of_the_length():
    m = module("lstm")
    rng = np.random.default_rng(0)
    n, B = 24, 4
    params = m.init_params(n, 1)

    def loss(outputs, start=0):
        return 0.0, {"h": np.ones_like(outputs["h"])}

    def run(T: int, function: str) -> int:
        x = rng.standard_normal((T, B, 1))
        return peak(lambda: getattr(m, function)(loss, params, x))

    whole = run(900, "value_and_grad") / run(100, "value_and_grad")
    parts = run(900, "checkpointed_value_and_grad") / run(100, "checkpointed_value_and_grad")
    assert whole > 7.0, "the ordinary run needs memory in proportion to T"
    assert parts < 4.0, "nine times as long should need about three times as much"
    assert run(900, "checkpointed_value_and_grad") < run(900, "value_and_grad") / 8


@cache
def over_a_workspace(name: str) -> ModuleType:
    wanted = Additions(checkpoint=True, speed=True)
    return module_of(generate_with(derive(load(name)), wanted), name)


@pytest.mark.parametrize("name", ["lstm", "gru", "skip", "lru"])
@pytest.mark.parametrize("count", [None, 1, 2, 3, 5, 11])
def test_stretches_over_one_workspace_give_the_gradients_of_the_whole_run(name, count):
    m = over_a_workspace(name)
    rng = np.random.default_rng(3)
    sizes = [3, 4, 2][: m.parameter_shapes.__code__.co_argcount]
    params = {k: 0.5 * rng.standard_normal(s) for k, s in m.parameter_shapes(*sizes).items()}
    state = {k: rng.standard_normal(v.shape) for k, v in m.init_state(2, *sizes).items()}
    x = rng.standard_normal((11, 2, 4))
    outputs, _, _ = m.forward(params, x, state)
    bars = {k: rng.standard_normal(v.shape) for k, v in outputs.items()}
    value, whole = m.value_and_grad(weighted(bars), params, x, state)
    again, found = m.checkpointed_value_and_grad(weighted(bars), params, x, state, stretches=count)
    assert again == pytest.approx(value, rel=1e-12)
    assert_same(found, whole, 1e-11)


def test_all_stretches_but_a_shorter_first_one_share_one_workspace(monkeypatch):
    m = over_a_workspace("gru")
    made, ordinary = [], m.Workspace.__init__

    def watched(self, T, *rest):
        made.append(T)
        ordinary(self, T, *rest)

    monkeypatch.setattr(m.Workspace, "__init__", watched)
    params, x, state, bars, _ = numbers(m, 1, 11)
    made.clear()
    m.checkpointed_value_and_grad(weighted(bars), params, x, state, stretches=4)
    assert made == [2, 3, 2]
    made.clear()
    m.checkpointed_value_and_grad(weighted(bars), params, x[:9], state, stretches=3)
    assert made == [3]


@pytest.mark.parametrize("name", ["aligned", "residual", "one_to_many", "tied_forward"])
def test_stretches_of_a_network_share_one_workspace(name):
    text = networks.TEXTS.get(
        name, "a = scan(elman_bare, x[t])\nb = scan(elman_bare, a.h[t], share(a))"
    )
    network = networks.read(text)
    wanted = Additions(checkpoint=True, speed=True)
    source = generate_with(derive_network(network), wanted)
    assert "used_again(legs, Workspace, 1, T)" in source
    m = module_of(source, name)
    n = networks.numbers(network, m)
    given, named = (n.params, *n.inputs.values(), n.state), n.keywords
    outputs, _, _ = m.forward(*given, **named)
    bars = {k: np.cos(np.arange(v.size)).reshape(v.shape) for k, v in outputs.items()}
    loss = [] if network.loss else [weighted(bars)]
    value, whole = m.value_and_grad(*loss, *given, **named)
    for count in (None, 1, 2, 3):
        again, found = m.checkpointed_value_and_grad(*loss, *given, stretches=count, **named)
        assert again == pytest.approx(value, rel=1e-12)
        assert_same(found, whole, 1e-11)


def test_with_a_workspace_the_activations_of_a_long_run_shrink_to_a_twentieth():
    m, T, B, n = over_a_workspace("lstm"), 3000, 16, 24
    params = m.init_params(n, 1)
    x = np.random.default_rng(0).standard_normal((T, B, 1))
    bar = np.ones((T, B, n))
    kept = sum(
        v.nbytes
        for v in m.forward(params, x)[2]["workspace"].arrays.values()
        if len(np.atleast_1d(v)) >= T
    )

    def loss(outputs, start):
        return 0.0, {"h": bar[start : start + len(outputs["h"])]}

    m.checkpointed_value_and_grad(loss, params, x[:30])
    used = peak(lambda: m.checkpointed_value_and_grad(loss, params, x))
    assert kept >= 6 * T * B * n * 8
    assert used - x.nbytes < kept / 20


@pytest.mark.parametrize("count", [0, 7])
def test_a_number_of_stretches_that_does_not_fit_is_refused(count):
    m = module("gru")
    params, x, state, bars, _ = numbers(m, 1, 6)
    with pytest.raises(ValueError, match=f"stretches is {count}: expected 1 to T = 6"):
        m.checkpointed_value_and_grad(weighted(bars), params, x, state, stretches=count)


def test_an_input_that_is_longer_than_the_first_is_refused_and_not_cut():
    text = "h[t] = tanh(W @ h[t-1] + U @ x[t] + V @ z[t])"
    m = module_of(generate_with(derive(read_cell(text, "two")), Additions(None, True)), "two")
    params = m.init_params(3, 2, 4)
    x, z = np.ones((6, 2, 2)), np.ones((9, 2, 4))
    with pytest.raises(ValueError, match=r"z has shape \(9, 2, 4\): expected \(6, B, …\)"):
        m.checkpointed_value_and_grad(lambda outputs, start: (0.0, {}), params, x, z)


NAMED = "h[t] = tanh(W @ h[t-1] + U @ stretches[t] + V @ in_stretches[t] + L @ loss[t])"


def test_names_that_the_function_needs_itself_do_not_collide():
    m = module_of(generate_with(derive(read_cell(NAMED, "named")), Additions(None, True)), "named")
    rng = np.random.default_rng(0)
    sizes = [3, 2, 4, 5]
    params = {k: rng.standard_normal(s) for k, s in m.parameter_shapes(*sizes).items()}
    xs = [rng.standard_normal((6, 2, params[k].shape[1])) for k in ("U", "V", "L")]
    outputs, _, _ = m.forward(params, *xs)
    bars = {"h": rng.standard_normal(outputs["h"].shape)}
    _, whole = m.value_and_grad(weighted(bars), params, *xs)
    _, found = m.checkpointed_value_and_grad(weighted(bars), params, *xs)
    assert_same(found, whole, 1e-11)


@cache
def without_inputs() -> ModuleType:
    text = "const a = 0.5\nh[t] = tanh(W @ h[t-1] + b) * a"
    return module_of(
        generate_with(derive(read_cell(text, "free")), Additions((1, 2), True)), "free"
    )


def test_a_cell_without_inputs_and_with_a_constant_runs_in_stretches():
    m, rng = without_inputs(), np.random.default_rng(2)
    params = {"W": rng.standard_normal((3, 3)), "b": rng.standard_normal(3)}
    state = {"h": rng.standard_normal((2, 3))}
    bars = {"h": rng.standard_normal((9, 2, 3))}
    _, whole = m.value_and_grad(weighted(bars), params, state, steps=9, a=0.3)
    _, found = m.checkpointed_value_and_grad(weighted(bars), params, state, steps=9, a=0.3)
    assert_same(found, whole, 1e-11)
    *_, kept = m.forward(params, state, steps=9, a=0.3)
    cut = m.truncated_gradients(params, kept, bars, k1=9, k2=9)
    assert_same(cut, whole, 1e-12)


def test_a_network_that_has_no_steps_is_not_cut_into_stretches():
    derivation = derive_network(read_network("y[end] = tanh(V @ x[end])", "net", CELLS.get))
    with pytest.raises(ArgumentError, match="nothing in net runs along an axis"):
        generate_with(derivation, Additions(None, True))


def test_the_same_cell_gives_the_same_file():
    wanted = Additions((2, 5), True)
    assert generate_with(derive(load("gru")), wanted) == generate_with(derive(load("gru")), wanted)
