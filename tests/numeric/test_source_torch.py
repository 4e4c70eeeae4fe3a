"""Generated code against other people's gradients: torch's and HIPS autograd's, over forward passes written by hand.

The forward passes below know nothing of the equation language: rows of samples, torch's own operations.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from derive.catalog import load
from derive.language import read_cell
from tests.generated import arguments, bars, generated, shipped_module
from tests.oracle import assert_close, sample

Dict = dict[str, object]


def gate(P, name, h, x, W="W", U="U"):
    """Wₙ h + Uₙ x + bₙ for samples in rows; what the cell lacks is left out."""
    found = h @ P[f"{W}_{name}"].T
    if f"{U}_{name}" in P:
        found = found + x @ P[f"{U}_{name}"].T
    return found + P[f"b_{name}"] if f"b_{name}" in P else found


def elman(np_, P, S, x):
    h = S["h"]
    for x_t in x:
        h = np_.tanh(h @ P["W"].T + x_t @ P["U"].T + P["b"])
        yield {"h": h}


def leaky(np_, P, S, x):
    h = S["h"]
    for x_t in x:
        h = 0.9 * h + (1 - 0.9) * np_.tanh(h @ P["W"].T + x_t @ P["U"].T + P["b"])
        yield {"h": h}


def skip(np_, P, S, x):
    past = [S["h"][i] for i in range(3)]
    for x_t in x:
        h = np_.tanh(past[-1] @ P["W"].T + past[-3] @ P["V"].T + x_t @ P["U"].T + P["b"])
        past.append(h)
        yield {"h": h}


def gru(np_, P, S, x, *, keeps: bool):
    h = S["h"]
    for x_t in x:
        z, r = np_.sigmoid(gate(P, "z", h, x_t)), np_.sigmoid(gate(P, "r", h, x_t))
        g = np_.tanh(gate(P, "g", r * h, x_t))
        h = z * h + (1 - z) * g if keeps else (1 - z) * h + z * g
        yield {"h": h}


def gru_reset_after(np_, P, S, x):
    h = S["h"]
    for x_t in x:
        z, r = np_.sigmoid(gate(P, "z", h, x_t)), np_.sigmoid(gate(P, "r", h, x_t))
        g = np_.tanh(r * (h @ P["W_g"].T + P["a_g"]) + x_t @ P["U_g"].T + P["b_g"])
        h = z * h + (1 - z) * g
        yield {"h": h}


def lstm(np_, P, S, x, *, coupled: bool = False, peephole: bool = False):
    h, c = S["h"], S["c"]
    for x_t in x:
        look = (lambda n, memory: P[f"p_{n}"] * memory) if peephole else (lambda n, memory: 0.0)
        i = np_.sigmoid(gate(P, "i", h, x_t) + look("i", c))
        f = 1 - i if coupled else np_.sigmoid(gate(P, "f", h, x_t) + look("f", c))
        c_new = f * c + i * np_.tanh(gate(P, "g", h, x_t))
        o = np_.sigmoid(gate(P, "o", h, x_t) + look("o", c_new))
        h, c = o * np_.tanh(c_new), c_new
        yield {"h": h, "c": c}


def lstm_stacked(np_, P, S, x):
    h, c = S["h"], S["c"]
    for x_t in x:
        both = np_.concatenate([h, x_t])
        f, i, o = (np_.sigmoid(both @ P[f"W_{n}"].T + P[f"b_{n}"]) for n in "fio")
        c = f * c + i * np_.tanh(both @ P["W_g"].T + P["b_g"])
        h = o * np_.tanh(c)
        yield {"h": h, "c": c}


def linear_attention(np_, P, S, x):
    memory = S["S"]
    for x_t in x:
        f = np_.sigmoid((x_t * P["W_f"]).sum(-1) + P["b_f"])
        k, v, q = (x_t @ P[f"W_{n}"].T for n in "kvq")
        memory = f[:, None, None] * memory + v[:, :, None] * k[:, None, :]
        yield {"S": memory, "y": (memory * q[:, None, :]).sum(-1)}


def unit(v):
    """Vectors in rows, of length 1 but for what keeps 0 apart."""
    return v / ((v * v).sum(-1, True) + 1e-6) ** 0.5


def gated_deltanet(np_, P, S, x):
    memory = S["S"]
    for x_t in x:
        k, q, v = unit(x_t @ P["W_k"].T), unit(x_t @ P["W_q"].T), x_t @ P["W_v"].T
        rate = np_.log(1 + np_.exp(x_t @ P["w_alpha"].T + P["b_alpha"]))
        alpha, beta = np_.exp(-np_.exp(P["a"]) * rate), np_.sigmoid(x_t @ P["w_beta"].T)
        read = (memory * k[:, None, :]).sum(-1)
        memory = alpha[..., None] * (memory - (beta * read)[..., None] * k[:, None, :])
        memory = memory + (beta * v)[..., None] * k[:, None, :]
        yield {"S": memory, "y": (memory * q[:, None, :]).sum(-1)}


def rwkv7(np_, P, S, x):
    memory = S["S"]
    for x_t in x:
        r, k, v = (x_t @ P[f"W_{n}"].T for n in "rkv")
        low = np_.tanh(x_t @ P["A_w"].T) @ P["W_w"].T + P["b_w"]
        w, a = np_.exp(-math.exp(-0.5) * np_.sigmoid(low)), np_.sigmoid(x_t @ P["W_a"].T + P["b_a"])
        removed, added = unit(P["xi"] * k), k * (1 + (a - 1) * P["alpha"])
        read = (memory * removed[:, None, :]).sum(-1)
        memory = (
            memory * w[:, None, :]
            - read[..., None] * (a * removed)[:, None, :]
            + v[..., None] * added[:, None, :]
        )
        yield {
            "S": memory,
            "y": (memory * r[:, None, :]).sum(-1) + (r * P["rho"] * added).sum(-1, True) * v,
        }


FORWARD: dict[str, Callable] = {
    "elman": elman,
    "leaky": leaky,
    "skip:d=3": skip,
    "gru": lambda *a: gru(*a, keeps=False),
    "gru_mirrored": lambda *a: gru(*a, keeps=True),
    "gru_reset_after": gru_reset_after,
    "lstm": lstm,
    "lstm_bare": lstm,
    "lstm_coupled": lambda *a: lstm(*a, coupled=True),
    "lstm_peephole": lambda *a: lstm(*a, peephole=True),
    "lstm_stacked": lstm_stacked,
    "linear_attention_gated": linear_attention,
    "gated_deltanet": gated_deltanet,
    "rwkv7": rwkv7,
}


def given(spec: str):
    """A sample's arguments, with the loss's gradients by outputs and by the final state."""
    s = sample(load(spec), T=6, B=3, seed=11)
    (params, x), keywords = arguments(s)
    return s, params, x, keywords["state"], bars(s)


def total_loss(steps: list[Dict], bars_) -> object:
    """Σ ⟨ȳ_t, y_t⟩ + ⟨s̄, s_T⟩"""
    outputs_bar, final_bar = bars_
    total = sum(
        (bar[t] * steps[t][name]).sum()
        for name, bar in outputs_bar.items()
        for t in range(len(steps))
    )
    for name, bar in final_bar.items():
        last = [step[name] for step in steps]
        parts = (
            [(bar, last[-1])]
            if bar.ndim == last[-1].ndim
            else list(zip(bar, last[-len(bar) :], strict=True))
        )
        total = total + sum((b * value).sum() for b, value in parts)
    return total


def ours(spec: str, params, x, state, bars_):
    module = shipped_module(spec)
    outputs, _, cache = module.forward(params, x, state)
    return outputs, module.backward(params, cache, *bars_)


@pytest.mark.needs("torch")
@pytest.mark.parametrize("spec", FORWARD)
def test_generated_code_agrees_with_torch(spec):
    import torch

    class Torch:
        tanh, sigmoid, exp, log = torch.tanh, torch.sigmoid, torch.exp, torch.log

        @staticmethod
        def concatenate(parts):
            return torch.cat(parts, dim=-1)

    s, params, x, state, bars_ = given(spec)
    leaf = lambda v: torch.tensor(v, dtype=torch.float64, requires_grad=True)  # noqa: E731
    P, S, X = (
        {k: leaf(v) for k, v in params.items()},
        {k: leaf(v) for k, v in state.items()},
        leaf(x),
    )
    steps = list(FORWARD[spec](Torch, P, S, X))
    loss = total_loss(steps, [{k: torch.tensor(v) for k, v in group.items()} for group in bars_])
    loss.backward()
    outputs, (params_bar, inputs_bar, state_bar) = ours(spec, params, x, state, bars_)
    expected = {
        q.name: torch.stack([step[q.name] for step in steps]).detach().numpy()
        for q in s.cell.outputs
    }
    assert_close(outputs, expected, 1e-12)
    assert_close(params_bar, {k: v.grad.numpy() for k, v in P.items()}, 1e-10)
    assert_close(inputs_bar, {"x": X.grad.numpy()}, 1e-10)
    assert_close(state_bar, {k: v.grad.numpy() for k, v in S.items()}, 1e-10)


@pytest.mark.needs("autograd")
@pytest.mark.parametrize("spec", ["lstm_peephole", "gru"])
def test_generated_code_agrees_with_hips_autograd(spec):
    import autograd.numpy as anp
    from autograd import grad

    class Autograd:
        tanh = anp.tanh
        concatenate = staticmethod(lambda parts: anp.concatenate(parts, axis=-1))

        @staticmethod
        def sigmoid(a):
            return 0.5 * (anp.tanh(0.5 * a) + 1)

    _, params, x, state, bars_ = given(spec)
    loss = lambda P, S, X: total_loss(list(FORWARD[spec](Autograd, P, S, X)), bars_)  # noqa: E731
    expected = [grad(loss, i)(params, state, x) for i in range(3)]
    _, (params_bar, inputs_bar, state_bar) = ours(spec, params, x, state, bars_)
    assert_close(params_bar, expected[0], 1e-10)
    assert_close(state_bar, expected[1], 1e-10)
    assert_close(inputs_bar, {"x": expected[2]}, 1e-10)


@pytest.mark.needs("torch")
def test_torch_s_own_lstm_has_the_same_gradients():
    """Their layer, not our loop: gates stacked i f g o, two biases of which one is kept at zero."""
    import torch

    _, params, x, state, bars_ = given("lstm")
    n, m = params["U_f"].shape
    layer = torch.nn.LSTM(m, n, dtype=torch.float64)
    stack = lambda letter: torch.tensor(np.concatenate([params[f"{letter}_{g}"] for g in "ifgo"]))  # noqa: E731
    with torch.no_grad():
        layer.weight_hh_l0.copy_(stack("W"))
        layer.weight_ih_l0.copy_(stack("U"))
        layer.bias_ih_l0.copy_(stack("b"))
        layer.bias_hh_l0.zero_()
    X, h, c = (torch.tensor(v, requires_grad=True) for v in (x, state["h"], state["c"]))
    y, (h_T, c_T) = layer(X, (h[None], c[None]))
    outputs_bar, final_bar = {"h": bars_[0]["h"]}, bars_[1]
    torch.autograd.backward(
        [y, h_T, c_T],
        [torch.tensor(v) for v in (outputs_bar["h"], final_bar["h"][None], final_bar["c"][None])],
    )
    module = shipped_module("lstm")
    _, _, cache = module.forward(params, x, state)
    params_bar, inputs_bar, state_bar = module.backward(params, cache, outputs_bar, final_bar)
    theirs = {"W": layer.weight_hh_l0, "U": layer.weight_ih_l0, "b": layer.bias_ih_l0}
    for letter, weight in theirs.items():
        split = np.split(weight.grad.numpy(), 4)
        assert_close(
            {g: params_bar[f"{letter}_{g}"] for g in "ifgo"}, dict(zip("ifgo", split, strict=True))
        )
    assert_close(inputs_bar, {"x": X.grad.numpy()})
    assert_close(state_bar, {"h": h.grad.numpy(), "c": c.grad.numpy()})


@pytest.mark.needs("torch")
def test_a_cell_that_ships_nowhere_agrees_with_torch():
    """Two states, a lag of 2, a parameter used twice, sizes that differ."""
    import torch

    text = (
        "f[t] = sigmoid(W @ h[t-1] + U @ x[t] + b)\n"
        "c[t] = f[t] * c[t-2] + (1 - f[t]) * tanh(V @ x[t] + W.T @ h[t-1])\n"
        "h[t] = tanh(c[t]) + p * h[t-1]\n"
    )
    cell = read_cell(text, "mine")
    s = sample(cell, T=7, B=3, seed=1)
    (params, x), keywords = arguments(s)
    module = generated(cell)
    _, _, cache = module.forward(params, x, **keywords)
    found = module.backward(params, cache, *bars(s))

    leaf = lambda v: torch.tensor(v, dtype=torch.float64, requires_grad=True)  # noqa: E731
    P, X = {k: leaf(v) for k, v in params.items()}, leaf(x)
    S = {k: leaf(v) for k, v in keywords["state"].items()}
    h, past, steps = S["h"], list(S["c"]), []
    for x_t in X:
        f = torch.sigmoid(h @ P["W"].T + x_t @ P["U"].T + P["b"])
        past.append(f * past[-2] + (1 - f) * torch.tanh(x_t @ P["V"].T + h @ P["W"]))
        h = torch.tanh(past[-1]) + P["p"] * h
        steps.append({"h": h, "c": past[-1]})
    total_loss(
        steps, [{k: torch.tensor(v) for k, v in group.items()} for group in bars(s)]
    ).backward()
    for group, leaves in zip(found, (P, {"x": X}, S), strict=True):
        assert_close(group, {k: v.grad.numpy() for k, v in leaves.items()}, 1e-10)
