"""Mean-field theory against the published numbers."""

from __future__ import annotations

import numpy as np
import pytest

from numeric.mean_field import forget_path, leaky_rate, vanilla


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
