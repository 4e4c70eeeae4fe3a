"""The measurements: sweeps against products of formed Jacobians, in log scale; what each lag contributes."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any, cast

import numpy as np
import pytest

from derive.catalog import load, shipped
from derive.derivation import Derivation, derive
from derive.expressions import Block
from derive.language import read_cell
from numeric import measure
from numeric.forward_run import Run, run
from numeric.interpret import compiled, shape_of
from numeric.lags import lag_shares
from numeric.measure import MeasureError, gains
from numeric.tape import Pull, Tangents

TWO_STATES = """
f[t] = sigmoid(W_f @ x[t] + U_f @ h[t-1] + b_f)
g[t] = tanh(W_g @ x[t] + W_f.T @ h[t-2] + U_g @ c[t-1])
c[t] = f[t] * c[t-1] + (1 - f[t]) * g[t]
h[t] = tanh(c[t])
dim c = m
dim x = m
"""


@cache
def derivation_of(name: str) -> Derivation:
    return derive(load(name) if "=" not in name else read_cell(name, "mine"))


def random_run(name: str, *, n: int = 4, m: int = 3, steps: int = 7, samples: int = 2) -> Run:
    derivation = derivation_of(name)
    rng = np.random.default_rng(7)
    cell = derivation.cell
    sizes = {d: n if i == 0 else m for i, d in enumerate(cell.dims)}
    fixed: dict[str, Any] = {
        q.name: 0.6 * rng.standard_normal((samples, *shape_of(q.symbol, sizes)))
        for q in cell.parameters
    }
    fixed |= {q.name: np.full((1, 1, 1), float(q.value or Fraction(1, 2))) for q in cell.constants}
    inputs = {
        q.name: rng.standard_normal((steps, samples, *shape_of(q.symbol, sizes)))
        for q in cell.inputs
    }
    return run(derivation, sizes, fixed, inputs, steps=steps)


def formed_jacobian(run: Run, t: int, sample: int) -> np.ndarray:
    """The joint state's Jacobian at one step, from the closed forms of its blocks."""
    values: dict[Block, np.ndarray] = {}

    def look(leaf: Any) -> np.ndarray:
        return values[leaf] if isinstance(leaf, Block) else run.look(t)(leaf)

    for block in run.derivation.jacobian:
        value = compiled(block.value, run.sizes)(look)
        values[block.block] = np.broadcast_to(value, (2, 1, *value.shape[-2:]))
    places = [(q, back) for q in run.cell.states for back in range(q.depth)]
    rows = []
    for u, back in places:
        row = []
        for v, lag in places:
            shape = (shape_of(u.symbol, run.sizes)[0], shape_of(v.symbol, run.sizes)[0])
            block = Block(u.symbol, cast(Any, v.symbol).at(lag + 1))
            if back:
                row.append(
                    np.eye(*shape) if (u.name, back - 1) == (v.name, lag) else np.zeros(shape)
                )
            else:
                row.append(values[block][sample, 0] if block in values else np.zeros(shape))
        rows.append(row)
    return np.block(rows)


@pytest.mark.parametrize("name", ["lstm", "gru", "skip", "leaky", "lstm_peephole", TWO_STATES])
def test_the_sweep_measures_the_product_of_the_formed_jacobians(name: str) -> None:
    found = random_run(name)
    measured = gains(found)
    assert measured.exact
    assert measured.largest is not None
    for sample in range(2):
        product = np.eye(measured.size)
        for lag in range(found.steps):
            norm = np.linalg.norm(product) / np.sqrt(measured.size)
            assert measured.joint[lag, sample] == pytest.approx(np.log(norm), abs=1e-10)
            largest = np.log(np.linalg.norm(product, 2))
            assert measured.largest[lag, sample] == pytest.approx(largest, abs=1e-10)
            product = product @ formed_jacobian(found, found.steps - lag, sample)


def test_blocks_are_those_of_the_product() -> None:
    found = random_run("lstm")
    blocks = gains(found).blocks
    product = formed_jacobian(found, 7, 0) @ formed_jacobian(found, 6, 0)
    assert [q.name for q in found.cell.states] == ["c", "h"]
    h_by_c = np.linalg.norm(product[4:, :4]) / np.sqrt(4)
    assert blocks["h", "c"][2, 0] == pytest.approx(np.log(h_by_c), abs=1e-12)


@pytest.mark.parametrize("name", [*(entry.name for entry in shipped()), TWO_STATES])
def test_pulling_back_is_the_adjoint_of_pushing_forward(name: str) -> None:
    found = random_run(name, steps=4)
    rng = np.random.default_rng(3)
    shapes = {q.name: (q.depth, shape_of(q.symbol, found.sizes)) for q in found.cell.states}
    draw = lambda: {  # noqa: E731 - two draws of the same kind
        name: [rng.standard_normal((2, 1, *shape)) for _ in range(depth)]
        for name, (depth, shape) in shapes.items()
    }
    cotangent, direction = draw(), draw()
    back, _ = Pull(found).step(4, cotangent)
    forth = Tangents(found.derivation, found.sizes).push(found.look(4), direction)
    inner = [
        sum((x * y).sum() for name in shapes for x, y in zip(a[name], b[name], strict=True))
        for a, b in ((cotangent, forth), (back, direction))
    ]
    assert inner[0] == pytest.approx(inner[1], rel=1e-12)
    assert abs(inner[0]) > 1e-3


def test_nothing_underflows_in_ten_thousand_steps() -> None:
    cell = "const a = 1/2\nh[t] = a * h[t-1] + W @ x[t]"
    measured = gains(random_run(cell, n=2, m=1, steps=10_000, samples=1))
    assert measured.joint[10_000, 0] == pytest.approx(10_000 * np.log(0.5), rel=1e-12)
    assert measured.rate == pytest.approx(np.log(0.5), rel=1e-12)
    assert measured.largest is not None
    assert measured.largest[10_000, 0] == pytest.approx(10_000 * np.log(0.5), rel=1e-12)


def test_nothing_overflows_either() -> None:
    cell = "h[t] = W @ h[t-1] + U @ x[t]"
    derivation = derivation_of(cell)
    n, m = derivation.cell.dims
    fixed = {"W": np.full((1, 2, 2), 5.0), "U": np.ones((1, 2, 1))}
    zero = {"x": np.zeros((500, 1, 1, 1))}
    measured = gains(run(derivation, {n: 2, m: 1}, fixed, zero, steps=500))
    assert measured.joint[500, 0] == pytest.approx(500 * np.log(10) - np.log(2) / 2, rel=1e-12)


def test_a_gradient_that_dies_has_gain_zero() -> None:
    cell = "h[t] = relu(W @ h[t-1] + x[t])"
    derivation = derivation_of(cell)
    (n,) = derivation.cell.dims
    dead = {"x": np.full((6, 1, 3, 1), -1.0)}
    measured = gains(run(derivation, {n: 3}, {"W": np.ones((1, 3, 3))}, dead, steps=6))
    assert measured.joint[0, 0] == 0
    assert np.all(measured.joint[1:, 0] == -np.inf)
    assert measured.rate == -np.inf


def test_probes_estimate_what_is_too_large_for_every_direction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = random_run("lstm", n=6, steps=10)
    exact = gains(found)
    monkeypatch.setattr(measure, "EXACT_UP_TO", 4)
    monkeypatch.setattr(measure, "PROBES", 600)
    probed = gains(found)
    assert not probed.exact
    assert probed.largest is None
    assert np.abs(probed.joint - exact.joint).max() < 0.2


def test_the_path_along_an_lstms_cell_is_the_product_of_its_forget_gates() -> None:
    found = random_run("lstm")
    path = gains(found).paths["c"]
    gates = np.stack([found.values["f", t][:, 0, :, 0] for t in range(7, 0, -1)])
    product = np.cumprod(gates, axis=0)
    expected = np.log(np.sqrt((product**2).mean(axis=-1)))
    np.testing.assert_allclose(path[1:], expected, atol=1e-12)
    assert np.all(path[0] == 0)


def test_values_that_are_not_finite_are_refused() -> None:
    cell = "h[t] = log(x[t]) + h[t-1]"
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(
            MeasureError, match=r"mine cannot be measured: log_x is not finite at step 1"
        ),
    ):
        gains(random_run(cell))


def test_a_lags_part_is_what_moves_the_loss_when_the_use_at_that_step_moves() -> None:
    """An Elman cell written out by hand, with a weight of its own at every step, and central differences."""
    found = random_run("h[t] = tanh(W @ h[t-1] + U @ x[t])", n=3, m=2, steps=4, samples=1)
    rng = np.random.default_rng(5)
    loss = rng.standard_normal((4, 3, 1))
    w, u = (found.values[name, None][0, 0] for name in ("W", "U"))
    x = [found.values["x", t][0, 0] for t in range(1, 5)]

    def losses(weights: list[np.ndarray]) -> np.ndarray:
        h, values = np.zeros((3, 1)), []
        for t in range(4):
            h = np.tanh(weights[t] @ h + u @ x[t])
            values.append((loss[t] * h).sum())
        return np.array(values)

    parts = lag_shares(found, {"h": loss}).parts["W"]
    direction, eps = rng.standard_normal((3, 3)), 1e-6
    expected = np.zeros(4)
    for k in range(4):
        up, down = ([w + s * eps * direction * (t == k) for t in range(4)] for s in (1, -1))
        moved = (losses(up) - losses(down)) / (2 * eps)
        for t in range(k, 4):
            expected[t - k] += moved[t]
    np.testing.assert_allclose((parts * direction).sum(axis=(1, 2)), expected, atol=1e-8)


def test_a_parameter_that_no_loss_reaches_has_parts_that_are_zero() -> None:
    """y is an output whose loss is left out, so c gets nothing at any lag."""
    text = "y[t] = c * h[t-1]\nh[t] = tanh(W @ h[t-1] + U @ x[t])"
    found = random_run(text, n=3, m=2, steps=4, samples=1)
    parts = lag_shares(found, {"h": np.ones((4, 3, 1))}).parts
    assert len(parts["c"]) == 4
    assert not parts["c"].any()
    assert parts["W"].any()
