"""A setting's measurements side by side, and what it refuses; costs as formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from derive.errors import ArgumentError
from numeric.costs import costs
from numeric.flow import Flow, flow
from numeric.interpret import shape_of
from numeric.setting import Runs, Setting, initial_weights, sizes_of
from tests.numeric.dynamics import derivation_of, weights


def started(name: str, setting: Setting) -> dict[str, Any]:
    own = weights(name, setting.n, setting.m)
    return initial_weights(derivation_of(name), setting, own)


def flow_of(name: str, **given: Any) -> Flow:
    setting = Setting(**{"steps": 150, "n": 5, "m": 4, **given})
    return flow(derivation_of(name), started(name, setting), setting)


def test_the_measurements_of_one_setting_agree_with_each_other() -> None:
    found = flow_of("lstm", values={"b_f": 1.0})
    assert found.extremes.largest[0] >= found.gains.joint[1, 0]
    np.testing.assert_allclose(found.ledger.total, found.gains.joint[:, 0], atol=1e-9)
    assert found.spectrum is not None
    assert found.spectrum.exponents[0] == pytest.approx(found.growth.rate, abs=0.02)
    assert found.half_life == pytest.approx(-np.log(2) / found.growth.rate)


def test_an_open_forget_gate_keeps_the_gradient_longer() -> None:
    rates = [flow_of("lstm", values={"b_f": b}).growth.rate for b in (0.0, 1.0, 5.0)]
    assert rates[0] < rates[1] < rates[2] < 0.01


def test_a_larger_gain_makes_a_network_without_inputs_chaotic() -> None:
    def rate(gain: float) -> float:
        given = {"init": "orthogonal", "gain": gain, "inputs": 0.0, "n": 24}
        return flow_of("elman_bare", **given).growth.rate

    assert rate(0.9) == pytest.approx(np.log(0.9), abs=0.02)
    assert rate(1.5) > rate(0.9)


@pytest.mark.parametrize("init", ["orthogonal", "normal", "glorot", "identity"])
def test_square_matrices_start_as_asked_and_others_stay(init: str) -> None:
    setting = Setting(n=40, m=4, init=init, gain=2.0)
    found, own = started("elman", setting), weights("elman", 40, 4)
    assert np.linalg.norm(found["W"]) == pytest.approx(2 * np.sqrt(40), rel=0.1)
    np.testing.assert_array_equal(found["U"], own["U"])


def test_a_parameter_that_is_not_there_cannot_be_set() -> None:
    with pytest.raises(ArgumentError, match="no parameter 'b_q'"):
        started("lstm", Setting(values={"b_q": 1.0}))


def test_the_parameters_of_an_lstm_are_four_times_those_of_a_vanilla_rnn() -> None:
    one, four = (costs(derivation_of(name)) for name in ("elman", "lstm"))
    sizes, sizes_of_lstm = sizes_of(derivation_of("elman").cell, Setting()), sizes_of(
        derivation_of("lstm").cell, Setting()
    )  # fmt: skip
    assert four.at(sizes_of_lstm, 1, 1)[0] == 4 * one.at(sizes, 1, 1)[0]


def test_costs_count_what_is_there() -> None:
    d = derivation_of("elman")
    sizes = sizes_of(d.cell, Setting(n=5, m=3))
    found = costs(d).at(sizes, 7, 2)
    held = sum(int(np.prod(shape_of(q.symbol, sizes))) for q in d.cell.parameters)
    products = 2 * 5 * 5 + 2 * 5 * 3
    assert found == (
        held,
        7 * 2 * (products + 2 * 5 + 5),
        7 * 2 * 5,
    )  # of a and h, the code keeps h


def test_lags_are_measured_where_the_run_has_settled_and_not_at_a_resting_point() -> None:
    """A chaotic network without inputs: from zero it would stay there, and the gain would be that of W alone."""
    found = flow_of("elman_bare", init="normal", gain=1.5, inputs=0.0, n=32)
    slope = (found.gains.joint[150, 0] - found.gains.joint[50, 0]) / 100
    assert slope < 0.2
    assert slope == pytest.approx(found.growth.rate, abs=0.1)


def test_the_gain_of_a_wide_state_is_exact_too() -> None:
    """Random probes were off by a tenth at long lags, where one direction is left."""
    found = flow_of("elman", n=70)
    assert not found.gains.exact
    setting = Setting(steps=150, n=70, m=4)
    run = Runs(derivation_of("elman"), started("elman", setting), setting).stored(150)
    slopes = [1 - run.values["h", t][0, 0, :, 0] ** 2 for t in range(1, 151)]
    w, product = run.values["W", None][0, 0], np.eye(70)
    for lag in range(1, 151):
        product = product @ (slopes[-lag][:, None] * w)
        exact = np.log(np.linalg.norm(product)) - np.log(70) / 2
        assert found.gains.joint[lag, 0] == pytest.approx(exact, abs=1e-9)


@pytest.mark.filterwarnings("error")
def test_shares_of_gradients_whose_squares_are_no_floats_are_told() -> None:
    name = "h[t] = cos(300 * h[t-1] + U @ x[t])"
    found = flow_of(name)
    assert 1e154 < found.shares.size < np.inf
    assert found.shares.shares.sum() == pytest.approx(1.0)
    assert found.difference < 1e-12
    assert max(found.shares.norms) == pytest.approx(found.shares.size, rel=0.1)
    beyond = flow_of("h[t] = cos(100000 * h[t-1] + U @ x[t])")
    assert not np.isfinite(beyond.shares.size)


def test_the_direction_that_is_followed_is_not_that_of_the_start() -> None:
    """Units that come to rest like k^(-1/2): along the state's own direction the gradient vanishes as k^(-1.1)."""
    setting = Setting(steps=900, n=16, m=2, init="orthogonal", inputs=0.0, values={"b": 0.0})
    d, fixed = derivation_of("elman"), started("elman", setting)
    first = Runs(d, fixed, setting).stream().step()(d.cell.states[0].symbol.at(1))
    directions = np.concatenate(
        [first, np.random.default_rng(99).standard_normal((16, 30))], axis=1
    )
    state, logs = first, np.zeros((2, directions.shape[1]))
    for k in range(1, 1001):
        state = np.tanh(fixed["W"] @ state)
        directions = (1 - state**2) * (fixed["W"] @ directions)
        if k in (100, 1000):
            logs[k // 1000] = np.log(np.linalg.norm(directions, axis=0))
    own, *others = (logs[1] - logs[0]) / np.log(10)
    assert own < -0.9
    assert min(others) > -0.8
    course = flow(d, fixed, setting).growth.course
    assert course is not None
    assert min(others) < course.change / np.log(10) < max(others)
