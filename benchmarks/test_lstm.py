"""The generated LSTM against HIPS autograd, forward and backward, interleaved in one run; only the ratio counts."""

from __future__ import annotations

import random
import statistics
import time

import numpy as np
import pytest

from derive.catalog import load
from derive.derivation import derive
from numeric.source import generate
from proofs.modules import load_source

autograd = pytest.importorskip(
    "autograd", reason="autograd is not installed: make timings installs it"
)

SHAPES = [(100, 1, 16, 16), (100, 8, 32, 32), (100, 32, 64, 64), (50, 64, 128, 256)]
ROUNDS = 9


def by_autograd(params, x, weights):
    """The gradient of Σ weights · h, by HIPS autograd on a forward pass as its users write it."""
    import autograd.numpy as anp

    def loss(p):
        h = c = anp.zeros((x.shape[1], p["W_f"].shape[0]))
        total = 0.0
        for t in range(x.shape[0]):
            f, i, o, g = (h @ p[f"W_{k}"].T + x[t] @ p[f"U_{k}"].T + p[f"b_{k}"] for k in "fiog")
            f, i, o = (0.5 * anp.tanh(0.5 * a) + 0.5 for a in (f, i, o))
            c = f * c + i * anp.tanh(g)
            h = o * anp.tanh(c)
            total = total + anp.sum(weights[t] * h)
        return total

    return autograd.grad(loss)(params)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
def test_lstm_against_autograd(benchmark, shape):
    """``shape`` is T, B, inputs, hidden; the ratio is autograd's median time over ours."""
    steps, samples, inputs, hidden = shape
    module = load_source(generate(derive(load("lstm"))))
    rng = np.random.default_rng(0)
    params = module.init_params(hidden, inputs, seed=1)
    x = rng.standard_normal((steps, samples, inputs))
    weights = rng.standard_normal((steps, samples, hidden))

    def ours():
        _, _, cache = module.forward(params, x)
        return module.backward(params, cache, {"h": weights})[0]

    def theirs():
        return by_autograd(params, x, weights)

    mine, other = ours(), theirs()
    for name, gradient in mine.items():
        np.testing.assert_allclose(
            gradient, other[name], rtol=1e-8, atol=1e-10 * np.abs(other[name]).max()
        )
    times = {ours: [], theirs: []}
    order = [ours, theirs] * ROUNDS
    random.Random(0).shuffle(order)  # noqa: S311 - an order of runs, no secret
    for work in order:
        start = time.perf_counter()
        work()
        times[work].append(time.perf_counter() - start)
    ratio = statistics.median(times[theirs]) / statistics.median(times[ours])
    benchmark.extra_info["autograd / ours"] = round(ratio, 2)
    benchmark.pedantic(ours, rounds=3)
