"""Largest singular values of products, against the products formed and decomposed."""

from __future__ import annotations

import numpy as np
import pytest

from numeric.measure import gains
from numeric.singular import log_largest_singular
from tests.numeric.dynamics import run_of


@pytest.mark.parametrize("name", ["elman", "lstm", "gru_reset_after", "skip"])
def test_lanczos_finds_the_largest_singular_value_of_every_product(name: str) -> None:
    found = run_of(name, steps=12)
    largest = gains(found).largest
    assert largest is not None
    measured = log_largest_singular(found, range(13))
    np.testing.assert_allclose(measured, largest[:, 0], atol=1e-8)


def test_far_below_the_smallest_floating_point_number_nothing_underflows() -> None:
    found = run_of("elman", steps=1500, gain=0.4)
    (measured,) = log_largest_singular(found, [1500])
    assert measured < -1100
    largest = gains(found).largest
    assert largest is not None
    assert measured == pytest.approx(largest[1500, 0], rel=1e-9)


def test_a_product_that_is_zero_has_logarithm_minus_infinity() -> None:
    found = run_of("h[t] = relu(x[t]) + relu(-exp(h[t-1]))", n=3, steps=3)
    assert log_largest_singular(found, [2])[0] == -np.inf
