"""Networks against torch's own modules in float64: outputs, final states and every gradient."""

from __future__ import annotations

import numpy as np
import pytest

from tests.generated import module_of
from tests.networks import read, source_of
from tests.oracle import assert_close

pytestmark = pytest.mark.needs("torch")
T, S, B, N, M, K = 5, 4, 3, 4, 3, 2

GATES = {"lstm": "ifgo", "gru_reset_after": "rzg", "elman": [""]}
"""The order of the gates in torch's weights, by our names."""
CLASSES = {"lstm": "LSTM", "gru_reset_after": "GRU", "elman": "RNN"}


def two_layers_both_ways(cell: str):
    text = f"""
        f = scan({cell}, x[t])
        b = scan({cell}, x[t], reverse)
        u[t] = concat(f.h[t], b.h[t])
        p = scan({cell}, u[t])
        q = scan({cell}, u[t], reverse)
        y[t] = concat(p.h[t], q.h[t])
    """
    return read(text)


def torch_weights(net, cell: str, layer: int, suffix: str, scan: str) -> dict:
    """Our names, each with a function that picks its part from torch's tensors (or their gradients)."""
    gates = GATES[cell]
    at = f"_l{layer}{suffix}"

    def part(kind: str, i: int):
        tensor = getattr(net, f"{kind}{at}")
        return lambda value: value(tensor)[i * N : (i + 1) * N]

    found = {}
    for i, gate in enumerate(gates):
        tail = f"_{gate}" if gate else ""
        found[f"{scan}_W{tail}"] = part("weight_hh", i)
        found[f"{scan}_U{tail}"] = part("weight_ih", i)
        found[f"{scan}_b{tail}"] = part("bias_ih", i)
    if cell == "gru_reset_after":
        found[f"{scan}_a_g"] = part("bias_hh", 2)
    return found


@pytest.mark.parametrize("cell", CLASSES)
def test_two_bidirectional_layers_equal_torch(cell: str) -> None:
    import torch

    torch.manual_seed(5)
    net = getattr(torch.nn, CLASSES[cell])(
        M, N, num_layers=2, bidirectional=True, dtype=torch.float64
    )
    with torch.no_grad():  # torch adds two biases; ours is one, but for the GRU's inner one
        for name, tensor in net.named_parameters():
            tensor.normal_(0, 0.5)
            if name.startswith("bias_hh"):
                tensor[: 2 * N if cell == "gru_reset_after" else None] = 0
    scans = {"f": (0, ""), "b": (0, "_reverse"), "p": (1, ""), "q": (1, "_reverse")}
    picks = {}
    for scan, (layer, suffix) in scans.items():
        picks |= torch_weights(net, cell, layer, suffix, scan)
    params = {k: pick(lambda v: v.detach().numpy()).copy() for k, pick in picks.items()}

    rng = np.random.default_rng(1)
    x = torch.tensor(rng.standard_normal((T, B, M)), requires_grad=True)
    h0 = torch.tensor(rng.standard_normal((4, B, N)), requires_grad=True)
    c0 = torch.tensor(rng.standard_normal((4, B, N)), requires_grad=True)
    weights = [rng.standard_normal(s) for s in ((T, B, 2 * N), (4, B, N), (4, B, N))]
    out, ends = net(x, (h0, c0) if cell == "lstm" else h0)
    ends = ends if cell == "lstm" else (ends,)
    loss = sum((torch.tensor(w) * v).sum() for w, v in zip(weights, (out, *ends), strict=False))
    loss.backward()

    module = module_of(source_of(two_layers_both_ways(cell)))
    kinds = {"h": h0, "c": c0} if cell == "lstm" else {"h": h0}
    state = {
        f"{s}_{k}": v.detach().numpy()[i] for i, s in enumerate(scans) for k, v in kinds.items()
    }
    outputs, final, cache = module.forward(params, x.detach().numpy(), state)
    final_bar = {
        f"{s}_{k}": w[i]
        for i, s in enumerate(scans)
        for k, w in zip("hc", weights[1:], strict=True)
        if k in kinds
    }
    params_bar, inputs_bar, state_bar = module.backward(params, cache, {"y": weights[0]}, final_bar)

    assert_close({"y": outputs["y"]}, {"y": out.detach().numpy()})
    true_ends = {
        f"{s}_{k}": v.detach().numpy()[i]
        for i, s in enumerate(scans)
        for k, v in zip(kinds, ends, strict=True)
    }
    assert_close(final, true_ends)
    assert_close(params_bar, {k: pick(lambda v: v.grad.numpy()) for k, pick in picks.items()})
    assert_close(inputs_bar, {"x": x.grad.numpy()})
    assert_close(
        state_bar,
        {f"{s}_{k}": v.grad.numpy()[i] for i, s in enumerate(scans) for k, v in kinds.items()},
    )


def test_encoder_and_free_running_decoder_equal_torch_autograd() -> None:
    """A GRU encoder and a GRU decoder that is fed its own distribution, with cross entropy, written out in torch."""
    import torch

    module = module_of(
        source_of(
            read("""
                enc = scan(gru, x[t])
                dec = scan(gru, y[s-1], start(enc))
                y[s] = softmax(V @ dec.h[s] + c)
                loss[s] = cross_entropy(y[s], d[s])
            """)
        )
    )
    rng = np.random.default_rng(2)
    params = {k: 0.6 * rng.standard_normal(v) for k, v in module.parameter_shapes(N, M, K).items()}
    state = {k: rng.standard_normal(v.shape) for k, v in module.init_state(B, N, M, K).items()}
    assert set(state) == {"enc_h", "y"}
    x = rng.standard_normal((T, B, M))
    d = np.eye(K)[rng.integers(0, K, (S, B))]
    value, (params_bar, inputs_bar, state_bar) = module.value_and_grad(params, x, d, state)

    given = {
        k: torch.tensor(v, requires_grad=True)
        for k, v in {**params, "x": x, "h0": state["enc_h"], "y0": state["y"]}.items()
    }

    def gru(scan: str, h, v):
        def gate(g: str, r):
            return (
                v @ given[f"{scan}_U_{g}"].T + r @ given[f"{scan}_W_{g}"].T + given[f"{scan}_b_{g}"]
            )

        z, r = torch.sigmoid(gate("z", h)), torch.sigmoid(gate("r", h))
        return (1 - z) * h + z * torch.tanh(gate("g", r * h))

    h, y, loss = given["h0"], given["y0"], 0.0
    for t in range(T):
        h = gru("enc", h, given["x"][t])
    for s in range(S):
        h = gru("dec", h, y)
        a = h @ given["V"].T + given["c"]
        y = torch.softmax(a, dim=-1)
        loss = loss + torch.nn.functional.cross_entropy(
            a, torch.tensor(d[s].argmax(-1)), reduction="sum"
        )
    loss.backward()
    assert abs(value - loss.item()) < 1e-12 * abs(value)
    assert_close(params_bar, {k: given[k].grad.numpy() for k in params})
    assert_close({"x": inputs_bar["x"]}, {"x": given["x"].grad.numpy()})
    assert_close(state_bar, {"enc_h": given["h0"].grad.numpy(), "y": given["y0"].grad.numpy()})
