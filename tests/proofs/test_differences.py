from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.functions import FUNCTIONS
from derive.nodes import Timed
from proofs import differences
from proofs.compare import along, compare
from proofs.differences import complex_step_gradient, richardson, taylor_slopes
from proofs.floats import Floats, HighPrecision
from proofs.modules import Code, load_source
from proofs.point import Extent
from proofs.samples import Sample, draw, draw_smooth, loss_of, reference
from tests.proofs.specimens import derivation_of, source_of


def sample_of(name: str, seed: int = 0, steps: int = 4, samples: int = 2) -> Sample:
    cell = derivation_of(name).cell
    sizes = {d: 3 + i for i, d in enumerate(cell.dims)}
    sample = draw_smooth(cell, Extent(sizes, steps, samples), seed)
    assert sample is not None
    return sample


@pytest.mark.parametrize("name", FUNCTIONS)
@given(x=st.floats(0.05, 30) | st.floats(-30, -0.05))
def test_floats_and_digits_mean_the_same_function(name: str, x: float) -> None:
    if FUNCTIONS[name].positive and x < 0:
        return
    exact = HighPrecision(40)
    true = exact.function(name, exact.exactly(np.array([[x]]))).item()
    np.testing.assert_allclose(
        Floats().function(name, np.array([[x]])).item(), float(true), rtol=1e-13, atol=1e-300
    )


@pytest.mark.parametrize("name", [n for n, f in FUNCTIONS.items() if not f.internal])
@given(x=st.floats(0.05, 20) | st.floats(-20, -0.05))
def test_a_complex_step_differentiates_every_function(name: str, x: float) -> None:
    if FUNCTIONS[name].positive and x < 0:
        return
    step = Floats(np.complex128).function(name, np.array([[x + 1e-200j]])).imag.item() / 1e-200
    exact = HighPrecision(60)
    h = exact.mp.mpf(10) ** -20
    f = lambda v: exact.function(name, np.array([[v]], dtype=object)).item()  # noqa: E731
    true = (f(exact.mp.mpf(x) + h) - f(exact.mp.mpf(x) - h)) / (2 * h)
    assert step == pytest.approx(float(true), rel=1e-12, abs=1e-300)


@given(a=st.floats(0.2, 3), x=st.floats(-1, 1))
def test_richardson_reaches_twelve_digits_and_knows_it(a: float, x: float) -> None:
    found = richardson(lambda h: float(np.sin(a * (x + h)) * np.exp(x + h)), 2e-2)
    true = float(np.exp(x) * (a * np.cos(a * x) + np.sin(a * x)))
    assert abs(found.slope - true) <= 1e-10
    assert abs(found.slope - true) <= 100 * found.error + 1e-12


def test_richardson_tells_that_a_kink_is_in_the_way() -> None:
    assert richardson(lambda h: abs(h - 1e-3), 2e-2).error > 1e-3


def test_a_right_slope_leaves_a_remainder_of_second_order_and_a_wrong_one_of_first() -> None:
    steps = [2e-2 / 2**i for i in range(6)]
    assert np.allclose(taylor_slopes(np.exp, 1.0, steps)[1], 2, atol=0.02)
    assert np.allclose(taylor_slopes(np.exp, 1.1, steps)[1][-1], 1, atol=0.05)


@pytest.mark.parametrize(
    "name", ["lstm", "gru", "two_states", "layer_norm", "attention", "matrix_state"]
)
def test_full_complex_step_gradients_agree_with_digits(name: str) -> None:
    sample = sample_of(name, seed=3)
    gradient = complex_step_gradient(sample)
    exact = HighPrecision(50)
    directions = differences.random_directions(sample, 1)
    h = exact.mp.mpf(10) ** -15
    values = {p: exact.exactly(v) for p, v in sample.values.items()}

    def loss(step: object) -> mpmath.mpf:
        moved = {
            p: v + step * exact.exactly(directions[p]) if p in directions else v
            for p, v in values.items()
        }
        return np.sum(loss_of(sample, reference(sample, exact, moved)))

    slope = float((loss(h) - loss(-h)) / (2 * h))
    assert sum(np.sum(gradient[p] * d) for p, d in directions.items()) == pytest.approx(
        slope, rel=1e-12
    )


def test_each_sample_of_a_batch_is_run_by_itself() -> None:
    sample = sample_of("lstm", samples=3)
    whole = reference(sample, Floats())
    for b in range(3):
        alone = {p: v if p[1] is None else v[b] for p, v in sample.values.items()}
        tape = reference(sample, Floats(), alone)
        np.testing.assert_allclose(
            tape.get(Timed, ("h", 4)), whole.get(Timed, ("h", 4))[b], rtol=1e-14
        )


@given(seed=st.integers(0, 2**20), steps=st.integers(1, 6), samples=st.integers(1, 3))
def test_generated_gradients_agree_with_complex_steps(seed: int, steps: int, samples: int) -> None:
    sample = sample_of("lstm_peephole", seed, steps, samples)
    code = Code(load_source(source_of("lstm_peephole")))
    assert compare(code.gradient(sample), complex_step_gradient(sample)).worst < 1e-12


def test_blocks_are_compared_one_by_one() -> None:
    true = {
        ("W", None): np.ones((2, 2)),
        ("x", 1): 1e-9 * np.ones((2, 2)),
        ("x", 2): np.zeros((2, 2)),
    }
    found = {**true, ("x", 1): np.zeros((2, 2))}
    assert compare(true, true).worst == 0
    assert compare(found, true).wrong(1e-10) == [("x", 1)], "a small block that is wrong is wrong"
    assert compare({}, true).worst == float("inf")
    assert compare({**true, ("W", None): np.full((2, 2), np.nan)}, true).worst == float("inf")
    assert compare({}, {}).worst == float("inf"), "nothing compared is nothing shown"


def test_a_direction_weighs_a_gradient_against_its_own_size() -> None:
    d = {("W", None): np.array([[1.0, -1.0]])}
    g = {("W", None): np.array([[3.0, 1.0]])}
    assert along(g, d, {("W", None): 2.0}).worst == 0
    assert along(g, d, {("W", None): 2.1}).worst == pytest.approx(0.1 / np.sqrt(20))


def test_drawn_runs_keep_their_distance_from_kinks() -> None:
    cell = derivation_of("irnn").cell
    sample = draw_smooth(
        cell, Extent({d: 2 + i for i, d in enumerate(cell.dims)}, 4, 2), 0, margin=1e-2
    )
    assert sample is not None
    arithmetic = Floats()
    reference(sample, arithmetic)
    assert arithmetic.margin > 1e-2
    assert differences.has_kinks(sample)
    assert not differences.has_kinks(draw(derivation_of("lstm").cell, sample_of("lstm").extent, 0))


@pytest.mark.needs("torch")
def test_gradients_are_those_of_torch() -> None:
    import torch

    sample = sample_of("lstm", seed=11, steps=7, samples=3)
    leaves = {
        p: torch.tensor(v, dtype=torch.float64, requires_grad=True)
        for p, v in sample.values.items()
    }
    p = {place: leaf for place, leaf in leaves.items() if place[1] is None}
    states, total = {"h": leaves["h", 0], "c": leaves["c", 0]}, torch.zeros((), dtype=torch.float64)
    for t in range(1, 8):
        h, c, x = states["h"], states["c"], leaves["x", t]
        a = {g: p[f"W_{g}", None] @ h + p[f"U_{g}", None] @ x + p[f"b_{g}", None] for g in "fiog"}
        c = torch.sigmoid(a["f"]) * c + torch.sigmoid(a["i"]) * torch.tanh(a["g"])
        states = {"h": torch.sigmoid(a["o"]) * torch.tanh(c), "c": c}
        for name, value in states.items():
            total = total + (torch.tensor(sample.weights[name, t]) * value).sum()
    for name, value in states.items():
        total = total + (torch.tensor(sample.final_weights[name, 7]) * value).sum()
    total.backward()
    theirs = {p: leaf.grad.numpy() for p, leaf in leaves.items()}
    assert compare(Code(load_source(source_of("lstm"))).gradient(sample), theirs).worst < 1e-12
    assert compare(complex_step_gradient(sample), theirs).worst < 1e-12
