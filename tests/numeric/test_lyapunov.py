"""Lyapunov exponents against closed forms, the sum rule, mean-field theory, and the mistakes that are made of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from numeric.interpret import Array
from numeric.lyapunov import SPREAD, growth, spectrum, standard_error
from numeric.mean_field import vanilla
from numeric.measure import MeasureError
from numeric.operators import JointJacobian
from numeric.stream import Stream
from tests.numeric.dynamics import derivation_of, sizes_of, stream_of, weights

LINEAR = "h[t] = W @ h[t-1] + x[t]"


def linear(w: Array) -> Stream:
    n = len(w)
    sizes = sizes_of(LINEAR, n, n)
    return Stream(derivation_of(LINEAR), sizes, {"W": w}, lambda t: {"x": np.zeros((n, 1))})


def test_the_spectrum_of_a_linear_cell_is_the_logarithms_of_its_eigenvalues_moduli() -> None:
    rng = np.random.default_rng(0)
    base = rng.standard_normal((5, 5))
    moduli = np.array([1.3, 0.9, 0.5, 0.01, 1e-6])
    w = base @ np.diag(moduli) @ np.linalg.inv(base)
    found = spectrum(linear(w), 2000)
    np.testing.assert_allclose(found.exponents, np.log(moduli), atol=0.02)
    assert found.interval == 1
    assert found.difference is not None
    assert found.difference < 1e-9


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_directions_that_stay_together_may_not_leave_the_range_of_floats(factor: float) -> None:
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]
    found = spectrum(linear(factor * turn), 2000)
    np.testing.assert_allclose(found.exponents, np.log(factor), rtol=1e-9)
    assert found.interval > 1
    assert found.difference is not None
    assert found.difference < 1e-9


def test_too_long_an_interval_loses_the_small_exponents_and_the_sum_rule_tells() -> None:
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    w = turn @ (np.diag([1.0, 0.3, 1e-5]) + np.triu(np.ones((3, 3)), 1)) @ turn.T
    right, wrong = spectrum(linear(w), 1000), spectrum(linear(w), 1000, interval=10)
    assert right.exponents[-1] == pytest.approx(np.log(1e-5), abs=0.02)
    assert wrong.exponents[-1] > right.exponents[-1] + 5
    assert right.difference is not None
    assert wrong.difference is not None
    assert right.difference < 1e-5 < 1 < wrong.difference


@pytest.mark.parametrize("name", ["elman", "lstm", "gru", "skip", "leaky"])
def test_all_exponents_add_up_to_the_mean_of_the_log_determinant(name: str) -> None:
    found = spectrum(stream_of(name, weights(name, 6, 3), 6, 3), 200)
    assert found.difference is not None
    assert (
        found.difference < math.exp(SPREAD) * np.finfo(float).eps
    )  # the digits that an interval leaves
    half = max(1, found.interval // 2)
    often = spectrum(stream_of(name, weights(name, 6, 3), 6, 3), 200, interval=half)
    assert often.difference is not None
    assert often.difference < 1e-6


def test_one_direction_grows_with_the_largest_exponent() -> None:
    fixed = weights("gru", 12, 4)
    top = spectrum(stream_of("gru", fixed, 12, 4), 1500, count=2)
    one = growth(stream_of("gru", fixed, 12, 4), 1500)
    assert top.determinant is None
    assert top.difference is None
    assert one.rate == pytest.approx(top.exponents[0], abs=0.01)
    assert 0 < one.error < 0.05


def test_the_error_of_a_rate_knows_that_pieces_hang_together() -> None:
    rng = np.random.default_rng(0)
    misses = []
    for _ in range(300):
        rates = np.zeros(120)
        for t in range(1, 120):
            rates[t] = 0.8 * rates[t - 1] + rng.standard_normal()
        misses.append(abs(rates[100:].mean()) / standard_error(rates[100:]))
    plain = np.std(rates[100:], ddof=1) / math.sqrt(20)
    assert standard_error(rates[100:]) >= plain
    assert np.median(misses) < 1.5  # twenty pieces taken for independent: 2.4


def test_the_error_of_pieces_that_do_not_hang_together_is_the_usual_one() -> None:
    rng = np.random.default_rng(1)
    errors = [standard_error(rng.standard_normal(20)) for _ in range(300)]
    assert 1 / math.sqrt(20) == pytest.approx(np.mean(errors), rel=0.35)
    assert standard_error(np.array([1.0])) == math.inf
    assert standard_error(np.array([1.0, 3.0])) == pytest.approx(1.0)


def test_an_lstm_without_its_cell_state_would_seem_to_forget_everything() -> None:
    """Published code follows ∂h_t/∂h_{t−1} alone: −1.79 per step, where the joint state has −0.01."""
    n = 32
    stream = stream_of("lstm", weights("lstm", n, 4, 0.68, b_f=5.0), n, 4)
    j = JointJacobian(stream.derivation, stream.sizes)
    part = j.slots["h", 0]
    joint, alone = np.ones((2 * n, 1)), np.ones((n, 1))
    logs = []
    for _ in range(900):
        jacobian = j.formed(stream.step())
        joint, alone = jacobian @ joint, jacobian[part, part] @ alone
        lengths = [float(np.linalg.norm(v)) for v in (joint, alone)]
        joint, alone = joint / lengths[0], alone / lengths[1]
        logs.append(np.log(lengths))
    right, wrong = np.mean(logs[300:], axis=0)
    assert right == pytest.approx(-0.01, abs=0.015)
    assert wrong == pytest.approx(-1.79, abs=0.1)


def test_a_random_network_grows_as_mean_field_theory_predicts() -> None:
    n = 128
    fixed = weights("elman_bare", n, 2, 2.0) | {"U": np.zeros((n, 2))}
    found = growth(stream_of("elman_bare", fixed, n, 2), 4000)
    assert found.rate == pytest.approx(vanilla(2.0).rate, abs=0.03)


def test_a_gradient_that_dies_has_rate_minus_infinity() -> None:
    cell = "h[t] = relu(W @ h[t-1] - x[t])"
    sizes = sizes_of(cell, 3, 3)
    stream = Stream(derivation_of(cell), sizes, {"W": np.eye(3)}, lambda t: {"x": np.ones((3, 1))})
    assert growth(stream, 10).rate == -np.inf


def test_a_run_that_overflows_is_refused() -> None:
    cell = "h[t] = exp(h[t-1]) + x[t]"
    stream = Stream(derivation_of(cell), sizes_of(cell, 2, 2), {}, lambda t: {"x": np.ones((2, 1))})
    with np.errstate(all="ignore"), pytest.raises(MeasureError, match="not finite at step"):
        growth(stream, 10)


def test_a_singular_jacobian_gives_minus_infinity_and_the_sum_rule_holds() -> None:
    found = spectrum(linear(np.diag([0.5, 0.0])), 20)
    assert list(found.exponents) == [pytest.approx(np.log(0.5)), -np.inf]
    assert found.difference == 0.0
