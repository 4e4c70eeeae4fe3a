"""Every kind of network against torch's autograd in float64, run by its equations: values and gradients to 1e-10.

torch runs the equations as they are written, sample by sample where lengths differ, and differentiates them itself:
no derivation, mask, schedule or generated line takes part in what the generated file is compared with.
"""

from __future__ import annotations

from functools import reduce
from random import Random
from typing import Any

import numpy as np
import pytest

from derive.network import Network
from derive.network_catalog import load, shipped
from proofs.arithmetic import Arithmetic
from proofs.compare import compare
from proofs.modules import load_source
from proofs.network_layout import NetworkCode
from proofs.network_run import lying_beside
from proofs.network_samples import (
    NetworkSample,
    draw_extent,
    draw_smooth_network,
    part_of,
    reference,
)
from tests.networks import TEXTS, network_of, read, source_of

pytestmark = pytest.mark.needs("torch")
SHIPPED = [entry.name for entry in shipped()]
DIALECTS = (
    *(f"elman({g})" for g in ("tanh", "sigmoid", "relu", "identity")),
    "elman_bare", "elman_transposed", "irnn", "lstm", "lstm_stacked", "lstm_gamma", "lstm_bare", "lstm_rows",
    "lstm_peephole", "lstm_coupled", "gru", "gru_mirrored", "gru_reset_after", "gru_stacked", "leaky", "skip(3)",
)  # fmt: skip
"""Every dialect of the classic cells, by itself."""
ODD = {
    "an encoder that runs both ways": """
        ragged t
        f = scan(gru, x[t])
        b = scan(lstm, x[t], reverse)
        u[t] = concat(f.h[t], b.h[t])
        m = scan(gru, u[t])
        dec = scan(gru, y[s-1], start(m))
        y[s] = softmax(V @ dec.h[s] + c)
        loss[s] = cross_entropy(y[s], d[s])
        k[end] = K @ concat(f.h[end], b.h[end])
    """,
    "three layers of different cells with residuals and a mask": """
        u[t] = P @ x[t]
        f = scan(lstm, u[t])
        v[t] = u[t] + mask_1[t] * f.h[t]
        g = scan(gru_reset_after, v[t], reverse)
        w[t] = v[t] + mask_2[t] * g.h[t]
        q = scan(leaky, w[t])
        y[t] = V @ (w[t] + q.h[t]) + c
        loss[t] = squared_error(y[t], d[t])
    """,
    "weights shared in opposite directions, lengths that differ": """
        ragged t
        a = scan(gru, x[t])
        b = scan(gru, x[t], reverse, share(a))
        y[t] = V @ concat(a.h[t], b.h[t]) + c
        k[end] = K @ (a.h[end] + b.h[end])
    """,
    "an output fed back beside a scan the other way": """
        ragged t
        r = scan(lstm, x[t], reverse)
        u[t] = concat(y[t-1], r.h[t])
        f = scan(gru, u[t])
        y[t] = softmax(V @ f.h[t] + c)
        loss[t] = cross_entropy(y[t], d[t])
    """,
}
"""Networks of several rare things at once."""


class Torch(Arithmetic[Any]):
    """torch's float64 numbers, on stacks of matrices."""

    def __init__(self) -> None:
        import torch

        self.torch = torch

    def number(self, c):
        return self.torch.tensor([[int(c.p) / int(c.q)]], dtype=self.torch.float64)

    def full(self, shape, c):
        return self.torch.full(shape, float(c), dtype=self.torch.float64)

    def identity(self, n):
        return self.torch.eye(n, dtype=self.torch.float64)

    def add(self, a, b):
        return a + b

    def mul(self, a, b):
        return a * b

    def matmul(self, a, b):
        return a @ b

    def power(self, a, k):
        return a**k

    def function(self, name, a):
        if name == "softplus":
            return self.torch.logaddexp(a, self.torch.zeros_like(a))
        return a if name == "identity" else getattr(self.torch, name)(a)

    def softmax(self, a):
        return self.torch.softmax(a, dim=-2)

    def logsumexp(self, a):
        return self.torch.logsumexp(a, dim=-2, keepdim=True)

    def transpose(self, a):
        return a.transpose(-1, -2)

    def concat(self, parts):
        lead = self.torch.broadcast_shapes(*(p.shape[:-2] for p in parts))
        return self.torch.cat([p.expand(*lead, *p.shape[-2:]) for p in parts], dim=-2)

    def rows(self, a, start, stop):
        return a[..., start:stop, :]

    def spread(self, a, shape):
        return a.expand(*a.shape[:-2], *shape)

    def total(self, a):
        return a.sum(dim=(-1, -2), keepdim=True)

    def diag(self, a):
        return self.torch.diag_embed(a[..., 0])


def by_torch(sample: NetworkSample) -> tuple[float, dict]:
    """The loss of a sample and its gradients by place."""
    arithmetic = Torch()
    trained = set(sample.trained)
    given = {
        p: arithmetic.torch.tensor(v, dtype=arithmetic.torch.float64, requires_grad=p in trained)
        for p, v in sample.values.items()
    }
    beside = lying_beside(sample.network)

    def weighed(weight, place, value):
        own = part_of(weight, value.shape) if place[0] in beside else weight
        return (arithmetic.torch.tensor(own) * value).sum()

    parts = [
        weighed(weight[at], place, values[place])
        for at, run in reference(sample, arithmetic, given)
        for weights, values in (
            (sample.weights, run.sequences),
            (sample.final_weights, run.finals),
        )
        for place, weight in weights.items()
        if place in values
    ]
    loss = reduce(arithmetic.add, parts)
    loss.backward()
    zero = {p: np.zeros(sample.values[p].shape) for p in trained}
    return loss.item(), {
        p: zero[p] if given[p].grad is None else given[p].grad.numpy() for p in trained
    }


def network_named(name: str) -> Network:
    if name in DIALECTS:
        return read(f"f = scan({name}, x[t])")
    if name in ODD:
        return read(ODD[name])
    return network_of(name) if name in TEXTS else load(name.removeprefix("shipped "))


@pytest.mark.parametrize(
    "name", [*TEXTS, *(f"shipped {name}" for name in SHIPPED), *DIALECTS, *ODD]
)
def test_values_and_gradients_of_every_kind_of_network_equal_torch_autograd(name: str) -> None:
    network = network_named(name)
    extent = draw_extent(network, Random(name), steps=4, samples=3)  # noqa: S311 - no secret
    assert len(set(extent.sizes.values())) == len(extent.sizes)
    assert min(extent.sizes.values()) > 1
    assert all(steps >= 3 for axis, steps in extent.steps.items() if axis != "end")
    assert all(min(v) == 1 < max(v) for v in extent.lengths.values() if max(v) == 4)
    assert all(min(v) < max(v) for v in extent.lengths.values())
    sample = draw_smooth_network(network, extent, 7)
    assert sample is not None
    assert all(v.any() for p, v in sample.values.items() if p[1] is not None and p[1] <= 0)
    code = NetworkCode(load_source(source_of(network), "code", ("forward", "backward")))
    loss, gradient = by_torch(sample)
    assert code.loss(sample) == pytest.approx(loss, rel=1e-10)
    found = code.gradient(sample)
    assert found.keys() == gradient.keys()
    comparison = compare(found, gradient)
    assert comparison.wrong(1e-10) == [], comparison.worst


def test_torch_sees_a_gradient_that_is_wrong() -> None:
    network = network_of("tagger")
    source = source_of(network)
    turned = source.replace('by_inputs["e"][::-1]', 'by_inputs["e"]')
    assert turned != source
    extent = draw_extent(network, Random("tagger"), samples=3)  # noqa: S311 - no secret
    sample = draw_smooth_network(network, extent, 7)
    assert sample is not None
    code = NetworkCode(load_source(turned, "wrong", ("forward", "backward")))
    wrong = compare(code.gradient(sample), by_torch(sample)[1]).wrong(1e-10)
    assert {name for name, _ in wrong} == {"E", "word"}
