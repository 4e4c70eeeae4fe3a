"""``throughtime.check`` as anyone uses it: on an LSTM written by hand, on torch's, on one in jax."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

import throughtime

N, M, T, B = 3, 2, 5, 2


def arguments() -> tuple[dict[str, Any], Any]:
    """An LSTM's stacked weights in torch's order (i, f, g, o), and a sequence."""
    rng = np.random.default_rng(11)
    p = {
        "W": rng.standard_normal((4 * N, N)) / 2,
        "U": rng.standard_normal((4 * N, M)) / 2,
        "b": rng.standard_normal(4 * N) / 2,
        "c0": rng.standard_normal((B, N)),
        "h0": rng.standard_normal((B, N)),
    }
    return p, rng.standard_normal((T, B, M))


def sigmoid(x: Any) -> Any:
    return 0.5 * np.tanh(0.5 * x) + 0.5


def run(p: dict[str, Any], x: Any) -> list[Any]:
    """(i, f, g, o, c, h) at every step, the initial state first."""
    steps: list[Any] = [(None, None, None, None, p["c0"], p["h0"])]
    for x_t in x:
        *_, c, h = steps[-1]
        i, f, g, o = np.split(h @ p["W"].T + x_t @ p["U"].T + p["b"], 4, axis=-1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c = f * c + i * g
        steps.append((i, f, g, o, c, o * np.tanh(c)))
    return steps


def loss(p: dict[str, Any], x: Any) -> Any:
    return sum(np.sum(h**2) for *_, h in run(p, x)[1:])


def by_hand(mistake: str = "") -> Any:
    """The backward pass as a lecture has it, with one of its usual mistakes or none."""

    def gradient(p: dict[str, Any], x: Any) -> Any:
        steps = run(p, x)
        g = {n: np.zeros_like(v) for n, v in p.items()}
        x_bar = np.zeros_like(x)
        c_bar = h_bar = np.zeros_like(p["h0"])
        for t in reversed(range(len(x))):
            i, f, z, o, c, h = steps[t + 1]
            *_, c_prev, h_prev = steps[t]
            h_bar = h_bar + 2 * h
            c_bar = c_bar + h_bar * o * (1 - np.tanh(c) ** 2)
            gates = [
                c_bar * z * i * (1 - i),
                c_bar * (c if mistake == "time" else c_prev) * f * (1 - f),
                c_bar * i * (1 - z**2),
                h_bar * np.tanh(c) * o * (1 - o),
            ]
            delta = np.concatenate(gates, axis=-1)
            g["W"] += delta.T @ h_prev
            g["U"] += delta.T @ x[t]
            g["b"] += delta[0] if mistake == "samples" else delta.sum(axis=0)
            x_bar[t] = delta @ p["U"]
            c_bar = 0 * c_bar if mistake == "path" else c_bar * f
            h_bar = delta @ p["W"]
        g["c0"], g["h0"] = c_bar, h_bar
        return g, [x_bar]

    return gradient


def test_a_right_backward_pass_by_hand_is_right_in_every_block() -> None:
    p, x = arguments()
    verdict = throughtime.check(loss, by_hand(), p, x, states=["c0", "h0"])
    assert verdict, str(verdict)
    assert {b.name for b in verdict.blocks} == {"W", "U", "b", "c0", "h0", "input 0"}


@pytest.mark.parametrize(
    ("mistake", "wrong", "right", "said"),
    [
        ("time", "W", "", ""),
        ("samples", "b", "W", "right for a single sample"),
        ("path", "c0", "", "c0: it is zero: its path is dropped"),
    ],
)
def test_the_usual_mistakes_are_named(mistake: str, wrong: str, right: str, said: str) -> None:
    p, x = arguments()
    verdict = throughtime.check(loss, by_hand(mistake), p, x, states=["c0", "h0"])
    assert verdict.status == "wrong"
    assert wrong in verdict.wrong
    assert right not in verdict.wrong
    assert said in str(verdict)


@pytest.mark.needs("torch")
@pytest.mark.parametrize("broken", [False, True])
def test_torchs_lstm_is_right_and_wrong_once_two_gates_are_exchanged(*, broken: bool) -> None:
    torch: Any = import_module("torch")

    def total(p: dict[str, Any], x: Any) -> Any:
        layer = torch.nn.LSTM(M, N, dtype=torch.float64)
        own = {"weight_hh_l0": p["W"], "weight_ih_l0": p["U"], "bias_hh_l0": p["b"]}
        own["bias_ih_l0"] = torch.zeros(4 * N, dtype=torch.float64)
        states = p["h0"][None], p["c0"][None]
        return (torch.func.functional_call(layer, own, (x, states))[0] ** 2).sum()

    def torch_loss(p: dict[str, Any], x: Any) -> Any:
        return total({n: torch.tensor(v) for n, v in p.items()}, torch.tensor(x)).detach()

    def gradient(p: dict[str, Any], x: Any) -> Any:
        leaves = {n: torch.tensor(v, requires_grad=True) for n, v in p.items()}
        x_leaf = torch.tensor(x, requires_grad=True)
        total(leaves, x_leaf).backward()
        found = {n: v.grad for n, v in leaves.items()}
        if broken:
            i, f, g, o = found["W"].chunk(4)
            found["W"] = torch.cat((f, i, g, o))
        return found, [x_leaf.grad]

    p, x = arguments()
    verdict = throughtime.check(torch_loss, gradient, p, x, states=["c0", "h0"])
    assert verdict.ok is not broken, str(verdict)
    assert verdict.wrong == (("W",) if broken else ())
    assert ("W: its 4 gates are in the order 1, 0, 2, 3" in str(verdict)) is broken


@pytest.mark.parametrize("broken", [False, True])
def test_jaxs_gradient_is_right_and_wrong_once_stopped_on_its_way(*, broken: bool) -> None:
    jax: Any = pytest.importorskip("jax", reason="jax is not installed")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy

    def elman(p: dict[str, Any], x: Any, stop: Any) -> Any:
        def step(h: Any, x_t: Any) -> Any:
            h = jnp.tanh(stop(h) @ p["W"].T + x_t @ p["U"].T)
            return h, (h**2).sum()

        return jax.lax.scan(step, p["h0"], x)[1].sum()

    def jax_loss(p: dict[str, Any], x: Any) -> Any:
        return elman(p, x, lambda h: h)

    def stopped(p: dict[str, Any], x: Any) -> Any:
        return elman(p, x, jax.lax.stop_gradient)

    p, x = arguments()
    p = {"W": p["W"][:N], "U": p["U"][:N], "h0": p["h0"]}
    gradient = jax.jit(jax.grad(stopped if broken else jax_loss))
    verdict = throughtime.check(jax.jit(jax_loss), gradient, p, x, states=["h0"])
    assert verdict.ok is not broken, str(verdict)
    assert ("h0: it is zero: its path is dropped" in str(verdict)) is broken
