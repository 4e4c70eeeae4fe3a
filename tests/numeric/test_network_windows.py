"""Truncated gradients of networks of several legs: windows of a decoder, and all that they hand to an encoder."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from derive.network_catalog import load
from derive.network_derivation import derive_network
from derive.truncation import windows
from numeric.additions import Additions, generate_with
from tests.generated import module_of
from tests.networks import network_of, numbers
from tests.numeric.test_network_attention import LONG, B, S, T, both_sides, written
from tests.oracle import assert_close


def module(network, k1: int = 1, k2: int = 2) -> ModuleType:
    return module_of(generate_with(derive_network(network), Additions((k1, k2))), "cut")


def truncated(torch, p, word, before, target, state, k1, k2):
    """Σ of all windows' losses, with a decoder that is cut off before each, and an encoder that is not."""
    total = 0.0
    for i in range(B):
        source = [p["E"][:, w] for w in word[: LONG["s"][i], i]]
        seen, h = both_sides(torch, p, source, state["f_h"][i], state["b_h"][i])
        known, length = [h], LONG["t"][i]
        for t in range(length):
            known.append(written(torch, p, seen, known[-1], before[t, i], target[t, i])[0])
        for w in windows(T, k1, k2):
            if w.first > length:
                continue
            h = known[w.first - 1].detach() if w.first > 1 else known[0]
            for t in range(w.first, min(w.last, length) + 1):
                h, loss = written(torch, p, seen, h, before[t - 1, i], target[t - 1, i])
                total = total + loss * (t > w.seen)
    return total


@pytest.mark.parametrize(("k1", "k2"), [(1, 1), (1, 2), (2, 2), (1, 3), (2, 3), (3, 3), (2, 4)])
def test_a_translator_is_cut_as_by_hand_with_an_encoder_that_is_whole(k1, k2):
    torch = pytest.importorskip("torch")
    network = load("attention")
    m = module(network)
    rng = np.random.default_rng(5)
    sizes = dict(zip(map(str, network.dims), range(2, 2 + len(network.dims)), strict=True))
    params = {k: 0.7 * rng.standard_normal(v) for k, v in m.parameter_shapes(**sizes).items()}
    state = {k: rng.standard_normal(v.shape) for k, v in m.init_state(B, **sizes).items()}
    word = rng.integers(0, params["E"].shape[1], (S, B))
    before = rng.integers(0, params["D"].shape[1], (T, B))
    target = rng.integers(0, params["b_y"].shape[0], (T, B))
    lengths = {f"lengths_{axis}": value for axis, value in LONG.items()}
    outputs, _, kept = m.forward(params, word, before, target, state, **lengths)
    bars = {"loss": np.ones_like(outputs["loss"])}
    by_params, _, by_state = m.truncated_gradients(params, kept, bars, k1=k1, k2=k2)
    p, start = (
        {k: torch.tensor(v, requires_grad=True) for k, v in group.items()}
        for group in (params, state)
    )
    truncated(torch, p, word, before, target, start, k1, k2).backward()
    assert_close(by_params, {k: v.grad.numpy() for k, v in p.items()}, 1e-12)
    assert_close(by_state, {k: v.grad.numpy() for k, v in start.items()}, 1e-12)


@pytest.mark.parametrize("name", ["ragged_covered", "reversed_encoder", "bridged", "conditioned"])
def test_windows_as_long_as_the_run_are_backward_itself(name):
    m = module(network_of(name))
    n = numbers(network_of(name), m)
    outputs, final, kept = n.forward(m)
    bars, ends = (
        {k: np.cos(np.arange(v.size)).reshape(v.shape) for k, v in group.items()}
        for group in (outputs, final)
    )
    whole = m.backward(n.params, kept, bars, ends)
    found = m.truncated_gradients(n.params, kept, bars, ends, k1=2, k2=5)
    for mine, theirs in zip(found, whole, strict=True):
        assert mine.keys() == theirs.keys()
        assert all(np.array_equal(mine[k], v) for k, v in theirs.items())


def test_the_encoder_of_a_truncated_network_has_its_own_losses_whole():
    m = module(network_of("covered"))
    n = numbers(network_of("covered"), m)
    outputs, final, kept = n.forward(m)
    bars = {"enc_h": np.ones_like(outputs["enc_h"]), "K": np.ones_like(outputs["K"])}
    ends = {"enc_c": np.ones_like(final["enc_c"])}
    whole = m.backward(n.params, kept, bars, ends)
    found = m.truncated_gradients(n.params, kept, bars, ends, k1=1, k2=1)
    for mine, theirs in zip(found, whole, strict=True):
        assert_close(mine, theirs, 1e-13)


def test_gradients_of_unknown_names_and_wrong_windows_are_refused():
    m = module(network_of("covered"))
    n = numbers(network_of("covered"), m)
    outputs, _, kept = n.forward(m)
    with pytest.raises(ValueError, match="outputs_bar does not know nobody"):
        m.truncated_gradients(n.params, kept, {"nobody": np.ones(3)})
    with pytest.raises(ValueError, match="final_bar does not know nobody"):
        m.truncated_gradients(n.params, kept, {}, {"nobody": np.ones(3)})
    with pytest.raises(ValueError, match="expected 1 <= k1 <= k2"):
        m.truncated_gradients(n.params, kept, {}, k1=3, k2=2)
    with pytest.raises(ValueError, match=r"outputs_bar\['y'\] has shape"):
        m.truncated_gradients(n.params, kept, {"y": outputs["y"][:-1]}, k1=1, k2=2)


def test_the_same_network_gives_the_same_file():
    texts = {
        generate_with(derive_network(network_of("attention")), Additions((2, 3), True))
        for _ in range(2)
    }
    assert len(texts) == 1
