"""What is predicted for a setting: only where the theory's assumptions hold, and for the equations as they stand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from numeric.mean_field import vanilla
from numeric.setting import Setting, initial_weights
from proofs.prediction import Predicted, predicted
from proofs.theorems_vanilla import is_vanilla
from tests.numeric.dynamics import derivation_of, weights

HERE: dict[str, Any] = {"n": 24, "m": 40, "init": "normal", "gain": 1.5}


def prediction(name: str, **given: Any) -> Predicted | None:
    setting, d = Setting(**{**HERE, **given}), derivation_of(name)
    fixed = initial_weights(d, setting, weights(name, setting.n, setting.m))
    return predicted(d, fixed, setting)


@pytest.mark.parametrize(
    "name",
    [
        "h[t] = tanh(2 * W @ h[t-1])",
        "h[t] = 0.5 * tanh(W @ h[t-1])",
        "h[t] = tanh(a * (W @ h[t-1]))",
        "h[t] = tanh(W @ h[t-1] - W.T @ h[t-1])",
        "h[t] = tanh(x[t] * (W @ h[t-1]))",
        "h[t] = tanh(W @ h[t-1])**3",
    ],
)
def test_a_jacobian_with_more_in_it_than_a_slope_and_a_matrix_is_not_vanilla(name: str) -> None:
    assert not is_vanilla(derivation_of(name))


def test_a_factor_in_the_equation_counts_as_gain() -> None:
    found = prediction("h[t] = tanh(2 * W @ h[t-1])", inputs=0.0)
    assert found is not None
    assert found.rate == pytest.approx(vanilla(3.0).rate, abs=5 * found.error)


def test_a_matrix_that_is_used_transposed_too_is_not_predicted() -> None:
    assert prediction("h[t] = tanh(W @ h[t-1] - W.T @ h[t-1])") is None


def test_a_matrix_that_is_set_is_not_predicted() -> None:
    assert prediction("elman_bare", values={"W": 0.1}) is None
    assert prediction("elman", values={"b": 0.1}) is not None


@pytest.mark.parametrize(("gain", "bias"), [(1.5, 1.0), (2.0, 2.0), (2.0, -2.0), (3.0, 0.1)])
def test_a_bias_that_all_units_share_moves_them_and_is_no_variance(gain, bias) -> None:
    """Taken for a variance it gave −0.115 where −0.223 is right, for gain 2 and bias 2."""
    z = np.linspace(-12, 12, 20_001)
    weight, q = np.exp(-(z**2) / 2), 1.0
    for _ in range(500):
        q = gain**2 * float(np.tanh(bias + math.sqrt(q) * z) ** 2 @ weight) / weight.sum()
    slopes = 1 - np.tanh(bias + math.sqrt(q) * z) ** 2
    law = 0.5 * math.log(gain**2 * float(slopes**2 @ weight) / weight.sum())
    found = prediction("elman", gain=gain, inputs=0.0, values={"b": bias})
    assert found is not None
    assert found.rate == pytest.approx(law, abs=1e-7)
    assert f"{bias:.3g} is the mean of the biases" in found.note
    assert "variance" not in found.note


def test_an_input_that_moves_all_units_as_one_is_not_predicted() -> None:
    assert prediction("elman", values={"U": 0.5}) is None


def test_a_readout_does_not_drive_the_units_and_its_size_is_no_width() -> None:
    with_readout = prediction("h[t] = tanh(W @ h[t-1])\ny[t] = V @ h[t] + c", inputs=1.0)
    assert with_readout is not None
    assert with_readout.rate == pytest.approx(vanilla(1.5).rate, abs=1e-12)
    assert with_readout.reach == math.sqrt(24)


@pytest.mark.parametrize("gain", [1.5, 3.0, 20.0])
def test_slow_leaky_units_are_predicted_exactly_or_not_at_all(gain: float) -> None:
    """A window of 64 lags gave 0.00419 and −33.8 for the first and the last."""
    found = prediction("leaky", inputs=0.0, gain=gain, values={"b": 0.0})
    if found is not None:
        assert gain == 3.0
        assert found.rate == pytest.approx(0.02313132, abs=1e-6)
