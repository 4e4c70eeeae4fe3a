"""Sizes of generated code, read off the shapes of its arguments, also where these show them within sums only."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

from derive.errors import ShapeError
from derive.language import read_cell
from derive.network_derivation import derive_network
from derive.network_language import read_network
from numeric.fast_again import generate_small_network
from numeric.fast_source import generate_fast_network
from numeric.network_source import generate_network
from numeric.sizes import readings
from tests.generated import module_of, read_module
from tests.networks import CELLS, linear_gradients, numbers

WRITERS = (generate_network, generate_fast_network, generate_small_network)
TWO = "h[t] = tanh(W @ h[t-1] + U @ x[t] + V @ z[t])"
THREE = "h[t] = tanh(W @ h[t-1] + U @ x[t] + V @ z[t] + Y @ y[t])"
LAYERS = "f = scan(elman, x[t])\nb = scan(elman, x[t])\nc = scan(elman, x[t])\n"
PAIRS = (
    LAYERS
    + "u[t] = concat(f.h[t], b.h[t])\nv[t] = concat(f.h[t], c.h[t])\nw[t] = concat(b.h[t], c.h[t])\n"
)
WITHIN_SUMS = {
    "the sum and one of two": LAYERS + "u[t] = concat(f.h[t], b.h[t])\ng = scan(elman, u[t], start(f))",
    "backwards": (
        "f = scan(gru, x[t])\nb = scan(gru, x[t], reverse)\nu[t] = concat(f.h[t], b.h[t])\n"
        "g = scan(gru, u[t], start(b), reverse)"
    ),
    "of different lengths": (
        "ragged t\nf = scan(lstm, x[t])\nb = scan(lstm, x[t], reverse)\nu[t] = concat(f.h[t], b.h[t])\n"
        "g = scan(lstm, u[t], start(f))"
    ),
    "two sums that share one": PAIRS + "g = scan(two, u[t], v[t])",
    "two sums that share another than the start": PAIRS + "g = scan(two, v[t], w[t], start(f))",
    "three sums of pairs": PAIRS + "g = scan(three, u[t], v[t], w[t])",
}  # fmt: skip


@pytest.mark.parametrize("case", WITHIN_SUMS)
@pytest.mark.parametrize("write", WRITERS)
def test_where_sizes_are_seen_within_sums_the_gradients_are_those_of_central_differences(
    case, write
):
    cells = {**CELLS, "two": TWO, "three": THREE}
    network = read_network(WITHIN_SUMS[case], "sums", cells.get)
    module = module_of(write(derive_network(network)), "sums")
    n = numbers(network, module)
    gradients, loss = linear_gradients(module, n)
    gradients = deepcopy(gradients)
    rng = np.random.default_rng(5)
    for group, found in zip(("params", "inputs", "state"), gradients, strict=True):
        for name, bar in found.items():
            way = rng.standard_normal(bar.shape)
            ends = []
            for sign in (1, -1):
                moved = deepcopy(n)
                getattr(moved, group)[name] += sign * 1e-5 * way
                ends.append(loss(moved))
            assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(
                (bar * way).sum(), rel=1e-6, abs=1e-8
            )


@pytest.mark.parametrize(
    ("declared", "n", "rows"), [("2*n + 1", 2, 5), ("3*n", 2, 6), ("n + 4", 2, 6)]
)
def test_a_size_is_found_in_what_it_is_a_part_of(declared, n, rows):
    cell, module = read_module(f"dim h = {declared}\nh[t] = tanh(W @ h[t-1] + U @ x[t])")
    params = module.init_params(n, 3)
    assert params["W"].shape == (rows, rows)
    outputs, _, cache = module.forward(params, np.ones((4, 2, 3)))
    assert module.backward(params, cache, outputs)[0]["W"].shape == (rows, rows)
    with pytest.raises(ValueError, match="has shape"):
        module.forward({**params, "W": np.ones((rows + 1, rows + 1))}, np.ones((4, 2, 3)))
    assert [str(d) for d in readings(cell)] == ["n", "m"]


def test_sizes_that_no_argument_tells_are_refused_with_the_sums():
    cell = read_cell("dim h = n + k\ndim x = n + p\nh[t] = tanh(W @ h[t-1] + U @ x[t])", "mine")
    with pytest.raises(ShapeError, match="the size n cannot be found") as caught:
        readings(cell)
    assert "k + n, n + p" in caught.value.problem
    assert caught.value.remedy == "Declare one size where there is a sum."
