"""Cells and networks in a restricted domain are verified within it, and what has none keeps its numbers."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from derive.derivation import derive
from derive.domains import Domain
from derive.language import read_cell
from derive.network_derivation import derive_network
from numeric.inside import inside, kept_inside, middle
from numeric.network_source import generate_network
from numeric.source import generate
from proofs.compare import compare, compare_runs
from proofs.modules import load_source
from proofs.network_samples import draw_extent, draw_network
from proofs.network_verification import verify_network
from proofs.point import Extent
from proofs.samples import draw
from proofs.verification import verify
from tests.networks import read

CELLS = {
    "a parameter": "h[t] = tanh(W @ h[t-1] + U @ x[t] + log(b))",
    "an input": "h[t] = tanh(W @ h[t-1] + U @ sqrt(p[t]))",
    "two ends": "h[t] = tanh(W @ h[t-1]) + d[t] * log(1 - p[t]) + log(p[t])",
    "an initial value": "h[t] = tanh(W @ log(h[t-1]) + U @ x[t])**2 + 1",
    "a recurrence": "n[t] = sigmoid(W @ x[t]) * n[t-1] + exp(V @ x[t])\ny[t] = log(n[t])",
    "products": "h[t] = tanh(W @ h[t-1] + log(a * p[t]) + sqrt(P @ q[t]))",
    "a divisor": "h[t] = tanh(W @ h[t-1] + U @ (x[t] ** -1))",
}
NETWORKS = {
    "given once": """
        f = scan(elman, x[t])
        y[end] = V @ f.h[end] + log(p[end])
        loss[end] = squared_error(y[end], target[end])
    """,
    "held, and a divisor": """
        f = scan(elman, x[t])
        z[end] = sqrt(w[end])
        u[s] = concat(y[s-1], z[end])
        g = scan(elman, u[s])
        y[s] = V @ g.h[s] + c / q[s]
        loss[s] = squared_error(y[s], d[s])
    """,
    "columns with padding": """
        ragged s
        q[s] = p[s]
        L[end] = log(columns(q[s]))
        f = scan(elman, x[t])
        a[t] = softmax(L[end].T @ (W @ f.h[t]))
        y[t] = L[end] @ a[t]
        loss[t] = squared_error(y[t], target[t])
    """,
}


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_is_verified_within_its_domain(name: str) -> None:
    cell = read_cell(CELLS[name])
    found = verify(cell, generate(derive(cell)))
    assert found.failures == ()
    assert found.ok


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_verified_within_its_domain(name: str) -> None:
    network = read(NETWORKS[name])
    found = verify_network(network, generate_network(derive_network(network)))
    assert found.failures == ()
    assert found.ok


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("an input", "p_bar = 0.5 * ", "p_bar = 0.6 * "),
        ("two ends", "p_bar = -delta_h_2", "p_bar = delta_h_2"),
    ],
)
def test_a_wrong_gradient_within_a_domain_is_refused(name: str, right: str, wrong: str) -> None:
    cell = read_cell(CELLS[name])
    source = generate(derive(cell))
    assert right in source
    found = verify(cell, source.replace(right, wrong))
    assert "complex step" in [c.name for c in found.failures]


def test_a_parameter_starts_within_its_domain() -> None:
    cell = read_cell("h[t] = tanh(W @ h[t-1] + x[t] / a + log(b) + log(c - 2) + log(-d))")
    params = load_source(generate(derive(cell)), "starts").init_params(3)
    assert {k: float(v.flat[0]) for k, v in params.items() if k != "W"} == {
        "a": 1.0,
        "b": 1.0,
        "c": 3.0,
        "d": -1.0,
    }
    declared = read_cell("h[t] = tanh(W @ h[t-1] + x[t] + log(b))\ninit b = 2")
    assert "2.0" in generate(derive(declared))


def test_what_is_not_known_is_named_where_no_point_is_found() -> None:
    cell = read_cell("h[t] = h[t-1] + log(sin(x[t])) + log(-1 - sin(x[t]))")
    found = verify(cell, generate(derive(cell)))
    assert not found.ok
    assert "-sin(x[t]) - 1 must be positive" in str(found) or "-1 - sin(x[t])" in str(found)
    assert "softplus(a)" in str(found)


def test_what_has_no_domain_is_drawn_as_ever() -> None:
    cell = read_cell("h[t] = tanh(W @ h[t-1] + U @ x[t] + b)")
    sample = draw(cell, Extent(dict.fromkeys(cell.dims, 3), 2, 2), 7)
    rng = np.random.default_rng(7)
    for (name, t), value in sample.values.items():
        spread = 0.8 / np.sqrt(3) if t is None and name != "b" else 0.8
        assert np.array_equal(value, spread * rng.standard_normal(value.shape))
    network = read("f = scan(elman, x[t])\ny[t] = V @ f.h[t]")
    run = draw_network(network, draw_extent(network, Random(0)), 3)  # noqa: S311 - no secret
    first = next(iter(run.values.values()))
    assert np.array_equal(
        first,
        0.8 / np.sqrt(first.shape[1]) * np.random.default_rng(3).standard_normal(first.shape),
    )


@pytest.mark.parametrize(
    "domain", [Domain(0.0), Domain(high=-2.0), Domain(-1.0, 3.0), Domain(divides=True), Domain(2.0)]
)
def test_numbers_are_taken_into_a_domain_and_kept_there(domain: Domain) -> None:
    numbers = np.random.default_rng(0).standard_normal((50, 20, 3))
    found = inside(domain, numbers)
    assert np.all((found > domain.low) & (found < domain.high) & (found != 0))
    assert domain.holds(float(middle(domain)))
    place = ("p", 1)
    for changed in (0 * found, 1e4 * found, -found):
        kept = kept_inside({"p": domain}, {place: changed}, {place: found})[place]
        assert all(domain.holds(float(v)) for v in kept.ravel()[:500])


def test_runs_are_the_same_only_where_they_are_alike() -> None:
    place, nan, inf = ("y", None), np.nan, np.inf
    true = {place: np.array([1.0, nan, inf, -inf])}
    assert compare_runs({place: np.array([1.0, nan, inf, -inf])}, true).worst == 0
    for other in ([1.0, 0.0, inf, -inf], [1.0, nan, -inf, -inf], [2.0, nan, inf, -inf], [nan] * 4):
        assert compare_runs({place: np.array(other)}, true).worst > 0.1
    assert compare_runs({}, true).worst == inf
    with np.errstate(invalid="ignore"):
        assert compare({place: np.array([1.0, nan, inf, -inf])}, true).worst == inf
