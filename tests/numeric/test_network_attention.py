"""Attention: whole sequences as matrices, and values that are the same at every step; no padding counts."""

from __future__ import annotations

import re
import tracemalloc
from random import Random

import numpy as np
import pytest

from derive.network_catalog import load
from derive.network_derivation import derive_network
from numeric.fast_source import generate_fast_network
from numeric.network_source import generate_network
from numeric.portable_network import generate_portable_network
from proofs.network_samples import draw_extent, draw_network
from proofs.network_verification import verify_network
from tests.generated import module_of
from tests.networks import LENGTHS, network_of, numbers, read, source_of
from tests.oracle import assert_close

B, S, T, WORDS, OTHERS = 3, 5, 4, 7, 6
LONG = {"s": np.array([5, 2, 3]), "t": np.array([3, 4, 1])}


def gru(torch, p, name, x, h):
    """One step of a gated unit as the field writes it, without throughtime's own equations."""
    z = torch.sigmoid(x @ p[f"{name}_U_z"].T + h @ p[f"{name}_W_z"].T + p[f"{name}_b_z"])
    r = torch.sigmoid(x @ p[f"{name}_U_r"].T + h @ p[f"{name}_W_r"].T + p[f"{name}_b_r"])
    g = torch.tanh(x @ p[f"{name}_U_g"].T + (r * h) @ p[f"{name}_W_g"].T + p[f"{name}_b_g"])
    return (1 - z) * h + z * g


def both_sides(torch, p, source, start_f, start_b):
    """What the encoder makes of each step of one sample, and where the decoder starts."""
    h, ahead, back = start_f, [], [None] * len(source)
    for x in source:
        h = gru(torch, p, "f", x, h)
        ahead.append(h)
    h = start_b
    for j in range(len(source) - 1, -1, -1):
        h = back[j] = gru(torch, p, "b", source[j], h)
    seen = [torch.cat(pair) for pair in zip(ahead, back, strict=True)]
    return seen, torch.tanh(p["W_s"] @ back[0])


def written(torch, p, seen, h, word, target):
    """One step of the decoder of one sample: its state, and what the step adds to the loss."""
    d = p["D"][:, word]
    energies = torch.stack([p["dec_v"] @ torch.tanh(p["U_a"] @ u + p["dec_W_a"] @ h) for u in seen])
    weights = torch.softmax(energies, 0)
    c = sum(a * u for a, u in zip(weights, seen, strict=True))
    z = torch.sigmoid(p["dec_W_z"] @ d + p["dec_U_z"] @ h + p["dec_C_z"] @ c + p["dec_b_z"])
    r = torch.sigmoid(p["dec_W_r"] @ d + p["dec_U_r"] @ h + p["dec_C_r"] @ c + p["dec_b_r"])
    g = torch.tanh(p["dec_W"] @ d + p["dec_U"] @ (r * h) + p["dec_C"] @ c + p["dec_b"])
    h = (1 - z) * h + z * g
    logits = p["V"] @ h + p["Y"] @ d + p["C_y"] @ c + p["b_y"]
    return h, -torch.log_softmax(logits, 0)[target]


def translated(torch, p, word, before, target, state=None):
    """The loss of the shipped network for one sample at a time, by loops over exactly the steps that it has."""
    zeros = {f"{k}_h": torch.zeros(B, p[f"{k}_W_z"].shape[0], dtype=torch.float64) for k in "fb"}
    started, total = zeros if state is None else state, 0.0
    for i in range(B):
        source = [p["E"][:, w] for w in word[: LONG["s"][i], i]]
        seen, h = both_sides(torch, p, source, started["f_h"][i], started["b_h"][i])
        for t in range(LONG["t"][i]):
            h, loss = written(torch, p, seen, h, before[t, i], target[t, i])
            total = total + loss
    return total


@pytest.mark.parametrize(
    "writer", [generate_network, generate_fast_network, generate_portable_network]
)
def test_the_translator_with_attention_is_that_of_its_authors(writer) -> None:
    torch = pytest.importorskip("torch")
    network = load("attention")
    module = module_of(writer(derive_network(network)))
    rng = np.random.default_rng(0)
    sizes = dict(zip(map(str, network.dims), range(2, 2 + len(network.dims)), strict=True))
    params = {k: 0.7 * rng.standard_normal(v) for k, v in module.parameter_shapes(**sizes).items()}
    word = rng.integers(0, params["E"].shape[1], (S, B))
    before = rng.integers(0, params["D"].shape[1], (T, B))
    target = rng.integers(0, params["b_y"].shape[0], (T, B))
    lengths = {f"lengths_{axis}": value for axis, value in LONG.items()}
    loss, (found, _, _) = module.value_and_grad(params, word, before, target, **lengths)
    p = {k: torch.tensor(v, requires_grad=True) for k, v in params.items()}
    true = translated(torch, p, word, before, target)
    true.backward()
    assert_close({"loss": np.asarray(loss)}, {"loss": true.detach().numpy()}, 1e-12)
    assert_close(found, {name: value.grad.numpy() for name, value in p.items()}, 1e-12)


@pytest.mark.parametrize("name", ["ragged_attention", "ragged_covered"])
def test_a_sample_among_longer_ones_is_as_by_itself(name: str) -> None:
    network = network_of(name)
    module = module_of(source_of(network))
    n = numbers(network, module)
    whole, _, _ = n.forward(module)
    for i in range(3):
        own = {axis: int(n.keywords[f"lengths_{axis}"][i]) for axis in network.masks}
        inputs = {}
        for q in network.inputs:
            axis, x = network.axes[q.name], n.inputs[q.name]
            x = x[i : i + 1] if axis == "end" else x[: own.get(axis, LENGTHS[axis]), i : i + 1]
            beside = any(side in network.lengths for side in q.shape)
            inputs[q.name] = x[..., : own["s"]] if beside else x
        state = {k: v[i : i + 1] for k, v in n.state.items()}
        state = {k: v[:, : own["s"]] if k == "dec_seen" else v for k, v in state.items()}
        keywords = {f"lengths_{axis}": np.array([length]) for axis, length in own.items()}
        alone, _, _ = module.forward(n.params, *inputs.values(), state, **keywords)
        for key, value in alone.items():
            mine = whole[key][:, i : i + 1]
            fitting = mine[tuple(slice(0, k) for k in value.shape)]
            assert_close({key: fitting}, {key: value}, 1e-13)
            rest = mine.copy()
            rest[tuple(slice(0, k) for k in value.shape)] = 0
            assert not rest.any(), key


BREAKS = {
    "a mask that is left out": ("ragged_attention", r" \+ 1000000000\.0 \* \([^)]*\)", "", "forward"),
    "a mask that is too weak": ("ragged_pooled", "1000000000\\.0", "1000.0", "large values"),
    "padding that is looked at unless it is no number": (
        "ragged_attention", r"    x = held\(.*\n", "    x = np.where(np.isnan(x), 0.0, x)\n", "padding"
    ),
    "padding that is handed out": (
        "ragged_attention", r"    cut_beside\(outputs, \[[^]]*\], inside_s\[:, None, :\]\)\n", "", "forward"
    ),
    "an index of a step that is not there": (
        "ragged_pointer", r"    refuse_beyond\(.*\)\n", "", "refusals"
    ),
    "a logarithm of padding": (
        "ragged_prior", r"    a_k = .*", "    a_k = p / r", "forward"
    ),
    "columns in the order of another scan": (
        "attention", r'columns_of\(outputs\["u"\]\)', 'columns_of(outputs["u"][::-1])', "forward"
    ),
    "columns without their adjoint": (
        "attention", r'    add_to\(outputs_bar, "u", by_column\(.*\)\)\n', "", "complex step"
    ),
    "columns whose adjoints are turned": (
        "attention", r'by_column\(by_inputs\["u_columns"\]\)', 'by_column(by_inputs["u_columns"])[::-1]', "complex step"
    ),
    "an average in place of a sum": (
        "held", r"= np.sum\((.*), axis=0, keepdims=True\)  #", r"= np.mean(\1, axis=0, keepdims=True)  #",
        "complex step",
    ),
    "a product of one step in place of all": (
        "attention", r"np.moveaxis\(a, 0, -1\) @ np.swapaxes\(b, 0, 1\)",
        "np.moveaxis(a[:1], 0, -1) @ np.swapaxes(b[:1], 0, 1)", "complex step",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BREAKS)
def test_a_break_of_what_passes_between_axes_is_seen(case: str) -> None:
    name, pattern, new, check = BREAKS[case]
    text, count = re.subn(pattern, new, source_of(network_of(name)))
    assert count
    found = verify_network(network_of(name), text)
    assert check in {c.name for c in found.failures}


def test_a_network_with_attention_is_run_at_any_length() -> None:
    network = network_of("attention")
    module = module_of(source_of(network))
    assert "T_s" not in str(network.dims)
    for steps in (1, 2, 9):
        extent = draw_extent(network, Random(0), steps=steps)  # noqa: S311 - no secret
        sample = draw_network(network, extent, 0)
        assert sample.values["x", extent.steps["s"]].shape[0] == extent.samples
        assert module.parameter_shapes(*extent.sizes.values())


def test_what_is_given_once_for_a_sample_is_the_same_at_every_step() -> None:
    module = module_of(source_of(read("u[t] = W @ z[end] + V @ x[t]\nf = scan(gru, u[t])")))
    rng = np.random.default_rng(1)
    params = module.init_params(3, 2, 4, 5, seed=3)
    params = {k: v + 0.1 for k, v in params.items()}
    shapes = {k: v.shape for k, v in params.items()}
    z, x = rng.standard_normal((B, shapes["W"][1])), rng.standard_normal((T, B, shapes["V"][1]))
    outputs, _, cache = module.forward(params, z, x)
    bars = {k: np.ones_like(v) for k, v in outputs.items()}
    _, inputs, _ = module.backward(params, cache, bars)
    assert inputs["z"].shape == z.shape
    h = 1e-6
    moved = z.copy()
    moved[1, 0] += h
    after = module.forward(params, moved, x)[0]
    slope = sum((after[k] - v).sum() / h for k, v in outputs.items())
    assert abs(slope - inputs["z"][1, 0]) < 1e-4
    with pytest.raises(ValueError, match="z"):
        module.forward(params, z[None].repeat(T, axis=0), x)


@pytest.mark.parametrize("writer", [generate_network, generate_fast_network])
def test_what_is_the_same_at_every_step_takes_the_memory_of_one(writer) -> None:
    module = module_of(writer(derive_network(load("attention"))))
    params = module.init_params(3, 5, 16, 16, 4, 5, 3, 5, 6)
    steps, samples = 40, 8
    rng = np.random.default_rng(0)
    words = [rng.integers(0, 5, (steps, samples)) for _ in range(3)]
    every_step = 8 * steps * samples * 32 * steps  # bytes of K, or of its gradient, at every step

    def run(**given) -> tuple[int, dict]:
        tracemalloc.start()
        outputs, _, cache = module.forward(params, *words, **given)
        module.backward(params, cache, {"loss": np.ones_like(outputs["loss"])})
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak, cache

    peak, cache = run()
    assert peak < 1.5 * every_step
    if "workspace" in cache:
        run(workspace=cache["workspace"])
        assert run(workspace=cache["workspace"])[0] < every_step / 8
