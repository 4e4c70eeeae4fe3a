"""Sequences of different lengths: what lies beyond a sample's end changes nothing, bit for bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.networks import (
    LENGTHS,
    Numbers,
    lengths_along,
    module_named,
    network_of,
    numbers,
    read,
    source_of,
    weights,
)
from tests.oracle import assert_close

RAGGED = ("ragged", "ragged_encoder_decoder", "ragged_one_to_many")
every_ragged = pytest.mark.parametrize("name", RAGGED)


def beyond(axis: str, samples: int) -> np.ndarray:
    """Where an axis has no step of a sample, (T, B)."""
    return np.arange(LENGTHS[axis])[:, None] >= lengths_along(axis, samples)


def littered(array: np.ndarray, axis: str, seed: int) -> np.ndarray:
    """The array with garbage beyond each sample's end."""
    rng = np.random.default_rng(seed)
    worst = [np.nan, np.inf, 1e300, -7.0] if array.dtype.kind == "f" else [-1, 10**9, 0]
    garbage = rng.choice(np.array(worst, array.dtype), array.shape)
    where = beyond(axis, array.shape[1])
    return np.where(where.reshape(*where.shape, *[1] * (array.ndim - 2)), garbage, array)


def everything(name: str, n: Numbers, bars=None):
    """All that forward and backward return, and the gradients by outputs that were given."""
    module = module_named(name)
    outputs, final, cache = n.forward(module)
    bars = weights(outputs) if bars is None else bars
    return outputs, final, *module.backward(n.params, cache, bars, weights(final, 2)), bars


def assert_same_bits(a: dict, b: dict) -> None:
    assert a.keys() == b.keys()
    assert [k for k in a if not np.array_equal(a[k], b[k])] == []


@every_ragged
@pytest.mark.parametrize("seed", range(3))
def test_garbage_beyond_the_end_changes_no_output_and_no_gradient_in_any_bit(name, seed) -> None:
    network = network_of(name)
    n = numbers(network, module_named(name))
    *clean, bars = everything(name, n)
    axes = {q.name: s.axis for s in network.segments for q in s.cell.outputs}
    dirty = {k: littered(v, network.axes[k], seed) for k, v in n.inputs.items()}
    dirty_bars = {k: v if axes[k] == "end" else littered(v, axes[k], seed) for k, v in bars.items()}
    *found, _ = everything(name, replace(n, inputs=dirty), dirty_bars)
    for a, b in zip(clean, found, strict=True):
        assert_same_bits(a, b)


@every_ragged
def test_outputs_and_gradients_of_inputs_are_zero_beyond_the_end(name) -> None:
    network = network_of(name)
    n = numbers(network, module_named(name))
    outputs, _, _, inputs_bar, _, _ = everything(name, n)
    axes = {q.name: s.axis for s in network.segments for q in s.cell.outputs}
    for arrays, along in ((outputs, axes), (inputs_bar, network.axes)):
        for k, v in arrays.items():
            if along[k] != "end":
                assert not v[beyond(along[k], v.shape[1])].any()
                assert v[~beyond(along[k], v.shape[1])].any()


@every_ragged
def test_each_sample_is_as_if_it_were_alone_at_its_own_length(name) -> None:
    network, module = network_of(name), module_named(name)
    n = numbers(network, module)
    outputs, final, params_bar, inputs_bar, state_bar, bars = everything(name, n)
    final_bar = weights(final, 2)
    samples = len(next(iter(n.keywords.values())))
    axes = {q.name: s.axis for s in network.segments for q in s.cell.outputs}
    total = {k: np.zeros_like(v) for k, v in params_bar.items()}
    for i in range(samples):
        length = {axis: n.keywords[f"lengths_{axis}"][i] for axis in network.masks}

        def alone(arrays, along, i=i, length=length):
            cut = {k: v if along[k] == "end" else v[: length[along[k]]] for k, v in arrays.items()}
            return {k: v[:, i : i + 1] for k, v in cut.items()}

        one = Numbers(
            n.params,
            alone(n.inputs, network.axes),
            {k: v[i : i + 1] for k, v in n.state.items()},
            {f"lengths_{axis}": np.array([length[axis]]) for axis in length},
        )
        out, end, cache = one.forward(module)
        mine = {k: v[i : i + 1] for k, v in final_bar.items()}
        by_params, by_inputs, by_state = module.backward(n.params, cache, alone(bars, axes), mine)
        assert_close(out, alone(outputs, axes), 1e-13)
        assert_close(end, {k: v[i : i + 1] for k, v in final.items()}, 1e-13)
        assert_close(by_inputs, alone(inputs_bar, network.axes), 1e-12)
        assert_close(by_state, {k: v[i : i + 1] for k, v in state_bar.items()}, 1e-12)
        total = {k: v + by_params[k] for k, v in total.items()}
    assert_close(params_bar, total, 1e-12)


def test_without_lengths_all_samples_are_whole() -> None:
    network, module = network_of("ragged"), module_named("ragged")
    n = numbers(network, module)
    whole = replace(n, keywords={"lengths_t": np.full(3, LENGTHS["t"])})
    left_out = replace(n, keywords={})
    assert_same_bits(left_out.forward(module)[0], whole.forward(module)[0])


@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        ([5, 3], "shape"),
        ([5.0, 3.0, 1.0], "dtype"),
        ([5, 3, 0], "from 1 to 5"),
        ([6, 3, 1], "from 1 to 5"),
    ],
)
def test_wrong_lengths_are_refused_by_name(lengths, said) -> None:
    network, module = network_of("ragged"), module_named("ragged")
    n = replace(numbers(network, module), keywords={"lengths_t": np.array(lengths)})
    with pytest.raises((ValueError, TypeError), match=f"lengths_t.*{said}"):
        n.forward(module)


def test_a_file_without_ragged_axes_brings_no_masks() -> None:
    source = source_of(read("f = scan(gru, x[t])"))
    assert "lengths" not in source
    assert "held" not in source
