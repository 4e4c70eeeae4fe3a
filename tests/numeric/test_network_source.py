"""The generated files of networks: their gradients, their form, and how they refuse arguments."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from derive.network_catalog import load
from derive.network_derivation import derive_network
from numeric.fast_source import generate_fast_network
from numeric.network_source import generate_network
from numeric.portable_network import generate_portable_network
from tests.generated import module_of, needs_standard
from tests.networks import (
    TEXTS,
    complex_steps,
    linear_gradients,
    module_named,
    network_of,
    numbers,
    read,
    source_of,
)
from tests.oracle import assert_close

every_network = pytest.mark.parametrize("name", TEXTS)


@every_network
def test_gradients_of_every_kind_of_network_equal_complex_steps(name: str) -> None:
    network, module = network_of(name), module_named(name)
    n = numbers(network, module)
    found, loss = linear_gradients(module, n)
    true = complex_steps(loss, n)
    for bars, group in zip(found, ("params", "inputs", "state"), strict=True):
        assert_close(bars, true[group], 1e-12)


@pytest.mark.parametrize("name", [n for n in TEXTS if network_of(n).loss])
def test_value_and_grad_is_that_of_the_declared_loss_summed_over_steps_and_samples(
    name: str,
) -> None:
    network, module = network_of(name), module_named(name)
    n = numbers(network, module)

    def loss(m):
        return m.forward(module)[0]["loss"].sum()

    value, found = module.value_and_grad(n.params, *n.inputs.values(), n.state, **n.keywords)
    assert value == loss(n)
    true = complex_steps(loss, n)
    for bars, group in zip(found, ("params", "inputs", "state"), strict=True):
        assert_close(bars, true[group], 1e-12)


@every_network
def test_a_network_keeps_float32(name: str) -> None:
    network, module = network_of(name), module_named(name)
    n = numbers(network, module)
    single = replace(
        n,
        **{
            g: {
                k: v.astype(np.float32) if v.dtype.kind == "f" else v
                for k, v in getattr(n, g).items()
            }
            for g in ("params", "inputs", "state")
        },
    )
    outputs, final, cache = single.forward(module)
    bars = module.backward(single.params, cache, outputs)
    kinds = {v.dtype for group in (outputs, final, *bars) for v in group.values()}
    assert kinds == {np.dtype(np.float32)}


@every_network
def test_initial_parameters_and_states_are_what_forward_takes(name: str) -> None:
    network, module = network_of(name), module_named(name)
    n = numbers(network, module)
    sizes = range(2, 2 + len(network.dims))
    shapes = module.parameter_shapes(*sizes)
    first = module.init_params(*sizes, seed=3)
    assert {k: v.shape for k, v in first.items()} == shapes
    assert_close(module.init_params(*sizes, seed=3), first, 0)
    left_out = replace(n, state={})
    zeros = replace(n, state={k: np.zeros_like(v) for k, v in n.state.items()})
    if all(s.cell.inputs for s in network.segments):
        assert_close(left_out.forward(module)[0], zeros.forward(module)[0], 0)


def test_segments_of_one_cell_start_with_different_parameters() -> None:
    module = module_of(source_of(read("a = scan(gru, x[t])\nb = scan(gru, x[t], reverse)")))
    first = module.init_params(3, 2, 4)
    sizes = {k: v.shape for k, v in first.items()}
    assert sizes["a_W_z"] == (3, 3)
    assert sizes["b_W_z"] == (4, 4)
    same = module.init_params(3, 2, 3)
    assert not np.array_equal(same["a_W_z"], same["b_W_z"])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda n: replace(n, params={**n.params, "f_W_z": np.ones((3, 2))}), "f_W_z"),
        (lambda n: replace(n, params={k: v for k, v in n.params.items() if k != "c"}), "c"),
        (lambda n: replace(n, state={**n.state, "nobody": np.ones(3)}), "nobody"),
        (lambda n: replace(n, inputs={**n.inputs, "x": n.inputs["x"][:, :, :-1]}), "x"),
        (lambda n: replace(n, inputs={**n.inputs, "x": n.inputs["x"].astype(int)}), "x"),
        (lambda n: replace(n, inputs={**n.inputs, "d": n.inputs["d"] * np.nan}), "d"),
        (lambda n: replace(n, inputs={**n.inputs, "d": n.inputs["d"][1:]}), "d"),
        (lambda n: replace(n, inputs={**n.inputs, "d": n.inputs["d"][:, 1:]}), "d"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(change, named: str) -> None:
    network, module = network_of("aligned"), module_named("aligned")
    with pytest.raises((ValueError, TypeError), match=named):
        change(numbers(network, module)).forward(module)


def test_a_parameter_that_nothing_knows_is_refused() -> None:
    network, module = network_of("aligned"), module_named("aligned")
    n = numbers(network, module)
    with pytest.raises(ValueError, match="strange"):
        replace(n, params={**n.params, "strange": np.ones(2)}).forward(module)


@pytest.mark.parametrize(
    "text",
    [
        "state = scan(elman, params[t])\ny[t] = V @ state.h[t]",
        "f = scan(elman, n[t])\ng = scan(elman, outputs[t], reverse)",
        "f = scan(elman, cache[t])\ny[t] = final @ f.h[t] + T\nk[end] = B @ y[end]",
        "forward = scan(elman, x[t])\nbackward = scan(elman, np[t])\ny[t] = W @ forward.h[t]",
        "out[t] = W @ dict[t]\nend_[t] = V @ out[t]\nf = scan(elman, end_[t])",
        "f = scan(elman, x[t])\ny[t] = W @ steps[t]\ny_f[t] = V @ only[t]",
        "f = scan(elman, x[t])\nf_2[t] = f.h[t] * f.h[t]\nz[end] = zeros[end]",
    ],
)
def test_names_of_the_code_are_free_for_quantities(text: str) -> None:
    network = read(text)
    module = module_of(source_of(network))
    n = numbers(network, module)
    found, loss = linear_gradients(module, n)
    true = complex_steps(loss, n)
    for bars, group in zip(found, ("params", "inputs", "state"), strict=True):
        assert_close(bars, true[group], 1e-12)


_PRINT = """
import sys
from tests.networks import TEXTS, network_of, source_of
from derive.network_derivation import derive_network
for name in TEXTS:
    network = network_of(name)
    sys.stdout.write(source_of(network) + derive_network(network).text() + derive_network(network).latex())
"""


def test_a_network_has_the_same_file_under_every_hash_seed() -> None:
    seen = set()
    for seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", _PRINT],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        )
        seen.add(done.stdout)
    assert len(seen) == 1
    assert len(seen.pop()) > 10_000


def test_a_stacked_network_in_two_stretches_is_the_whole() -> None:
    """State carried on and adjoint carried back: sample i continues as sample i."""
    network = read("f = scan(lstm, x[t])\ng = scan(gru, f.h[t])\ny[t] = V @ g.h[t] + c")
    module = module_of(source_of(network))
    n = numbers(network, module)
    outputs, final, cache = n.forward(module)
    rng = np.random.default_rng(0)
    bars = {k: rng.standard_normal(v.shape) for k, v in outputs.items()}
    ends = {k: rng.standard_normal(v.shape) for k, v in final.items()}
    whole = module.backward(n.params, cache, bars, ends)
    x = n.inputs["x"]
    first, middle, early = module.forward(n.params, x[:2], n.state)
    rest, last, late = module.forward(n.params, x[2:], middle)
    assert_close(last, final, 1e-14)
    assert_close({k: np.concatenate([first[k], rest[k]]) for k in first}, outputs, 1e-14)
    after = module.backward(n.params, late, {k: v[2:] for k, v in bars.items()}, ends)
    before = module.backward(n.params, early, {k: v[:2] for k, v in bars.items()}, after[2])
    assert_close({k: before[0][k] + after[0][k] for k in before[0]}, whole[0], 1e-13)
    assert_close({"x": np.concatenate([before[1]["x"], after[1]["x"]])}, whole[1], 1e-13)
    assert_close(before[2], whole[2], 1e-13)


@pytest.mark.parametrize(
    "writer",
    [
        generate_network,
        generate_fast_network,
        pytest.param(generate_portable_network, marks=needs_standard),
    ],
)
def test_states_that_alone_count_the_samples_are_asked_for_by_name(writer) -> None:
    module = module_of(writer(derive_network(load("one_to_many"))))
    params, target = module.init_params(3, 4), np.eye(4)[np.arange(10).reshape(5, 2) % 4]
    with pytest.raises(
        ValueError, match=r"state has none of f_c, f_h, y.* target has B = 2: give init_state\(2"
    ):
        module.forward(params, target)
    zeros = module.forward(params, target, module.init_state(2, 3, 4))[0]["y"]
    one = module.forward(params, target[:, :1])[0]["y"]
    assert_close({"y": zeros[:, :1]}, {"y": one})
