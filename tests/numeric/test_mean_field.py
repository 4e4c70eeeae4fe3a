"""Mean-field theory against the published numbers."""

from __future__ import annotations

import numpy as np
import pytest

from numeric.mean_field import (
    UnsettledError,
    forget_path,
    leaky_rate,
    log_forget_path,
    vanilla,
)


@pytest.mark.parametrize(
    ("g", "rate"), [(1.5, 0.0652172), (2, 0.1547242), (3, 0.3102493), (5, 0.5324279)]
)
def test_the_rates_of_random_tanh_networks_are_the_published_ones(g: float, rate: float) -> None:
    assert vanilla(g).rate == pytest.approx(rate, abs=6e-8)


@pytest.mark.parametrize(("g", "rate"), [(1.5, 0.045913), (3, 0.216124), (10, 0.716241)])
def test_the_rates_of_leaky_networks_are_the_published_ones(g: float, rate: float) -> None:
    assert leaky_rate(g, 0.5) == pytest.approx(rate, abs=1e-6)


def test_a_leaky_network_that_forgets_at_once_is_a_vanilla_one() -> None:
    assert leaky_rate(2.0, 1.0) == pytest.approx(vanilla(2.0).rate, abs=1e-9)


def test_an_input_that_fluctuates_makes_gradients_vanish() -> None:
    assert vanilla(1.5, drive=4.0).rate < 0 < vanilla(1.5).rate


def test_linear_units_keep_the_gain() -> None:
    found = vanilla(0.5, drive=1.0, activation=lambda x: x, slope=np.ones_like)
    assert found.q == pytest.approx(1 / (1 - 0.25))
    assert found.chi == pytest.approx(0.25)


@pytest.mark.parametrize(("bias", "kept"), [(0, 7.9e-31), (1, 2.48e-14), (5, 0.5109)])
def test_the_forget_path_over_100_steps_is_the_published_one(bias: float, kept: float) -> None:
    assert forget_path(bias, 100) == pytest.approx(kept, rel=2e-3)


def test_a_forget_path_below_the_smallest_float_has_its_logarithm() -> None:
    assert forget_path(-1000.0, 100) == 0.0
    assert log_forget_path(-1000.0, 100) == -1e5


@pytest.mark.parametrize("g", [40.0, 100.0, 1e6])
def test_steep_slopes_are_integrated_as_exactly_as_flat_ones(g: float) -> None:
    """χ for one q by the trapezoidal rule in the pre-activation u = √q z, where tanh' is as wide as anywhere."""
    found = vanilla(g)
    u = np.linspace(-40.0, 40.0, 200_001)
    density = np.exp(-(u**2) / (2 * found.q)) / np.sqrt(2 * np.pi * found.q)
    exact = g * g * float((np.cosh(u) ** -4 * density).sum() * (u[1] - u[0]))
    assert found.chi == pytest.approx(exact, rel=1e-11)


@pytest.mark.parametrize("g", [0.5, 1.0])
def test_up_to_the_transition_all_is_at_rest(g: float) -> None:
    assert vanilla(g).chi == g * g
    assert leaky_rate(g, 0.1) * 0.1 == pytest.approx(np.log(0.9 + 0.1 * g))


@pytest.mark.parametrize(("g", "delta"), [(1.5, 0.1), (20.0, 0.1), (1.1, 0.5)])
def test_a_covariance_that_does_not_settle_in_its_window_gives_no_rate(
    g: float, delta: float
) -> None:
    with pytest.raises(UnsettledError):
        leaky_rate(g, delta)


def test_a_longer_window_changes_no_rate_that_was_told() -> None:
    assert leaky_rate(3.0, 0.5, lags=128) == pytest.approx(leaky_rate(3.0, 0.5), abs=2e-7)
