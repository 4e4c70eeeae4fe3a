"""The functions that generated files bring along: exact, safe at any argument, and faithful to the precision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.functions import FUNCTIONS
from numeric import primitives
from tests.oracle import ENTRYWISE, H

ENTRYWISE_HERE = {
    "sigmoid": primitives.sigmoid,
    "softplus": primitives.softplus,
    "relu": primitives.relu,
    "abs": primitives.absolute,
    "step": primitives.positive,
    "sign": primitives.sign,
}
every_entrywise = pytest.mark.parametrize("name", ENTRYWISE_HERE)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
finite = st.floats(-30, 30, allow_subnormal=False)


def test_every_function_of_the_language_has_an_implementation():
    in_numpy = {"tanh", "exp", "log", "sin", "cos", "sqrt"}
    assert FUNCTIONS.keys() == in_numpy | ENTRYWISE_HERE.keys()
    assert all(hasattr(primitives, name) for name in primitives.NAMES)


@every_entrywise
@given(value=finite)
def test_an_entrywise_function_is_its_definition(name, value):
    x = np.array([value, -value, value / 7])
    np.testing.assert_allclose(ENTRYWISE_HERE[name](x), ENTRYWISE[name](x), rtol=1e-12, atol=1e-15)


@every_entrywise
@given(value=finite.filter(lambda v: abs(v) > 1e-6))
def test_a_complex_step_through_an_entrywise_function_is_its_derivative(name, value):
    x = np.array([value, -0.5 * value])
    found = np.imag(ENTRYWISE_HERE[name](x + 1j * H)) / H
    expected = np.imag(ENTRYWISE[name](x + 1j * H)) / H
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-15)


@every_entrywise
@both_dtypes
def test_nothing_warns_or_overflows_at_ten_thousand(name, dtype):
    """Warnings are errors here, so one would fail the test."""
    x = np.array([-1e4, -88.8, -1.0, 0.0, 1.0, 88.8, 710.0, 1e4], dtype)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        y = ENTRYWISE_HERE[name](x)
    assert y.dtype == dtype
    assert np.all(np.isfinite(y))


@both_dtypes
def test_sigmoid_and_softplus_reach_their_limits(dtype):
    x = np.array([-1e4, 1e4], dtype)
    np.testing.assert_array_equal(primitives.sigmoid(x), np.array([0, 1], dtype))
    np.testing.assert_array_equal(primitives.softplus(x), np.array([0, 1e4], dtype))


def test_softplus_of_a_very_negative_number_keeps_its_digits():
    np.testing.assert_allclose(primitives.softplus(np.array([-40.0])), np.exp(-40.0), rtol=1e-14)


@both_dtypes
def test_softmax_and_logsumexp_of_large_numbers(dtype):
    x = np.array([[1e4, 1e4 - 1, -1e4], [-1e4, -1e4, -1e4]], dtype)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        y, top = primitives.softmax(x), primitives.logsumexp(x)
    np.testing.assert_allclose(y.sum(axis=-1), 1, rtol=1e-6)
    np.testing.assert_allclose(y[1], 1 / 3, rtol=1e-6)
    np.testing.assert_allclose(top[1], -1e4 + np.log(3), rtol=1e-6)
    assert y.dtype == top.dtype == dtype
    assert top.shape == (2, 1)


@given(st.lists(finite, min_size=2, max_size=5))
def test_complex_steps_through_softmax_and_logsumexp(values):
    x = np.array(values)
    y = primitives.softmax(x)
    direction = np.arange(1.0, len(x) + 1)
    moved = primitives.softmax(x + 1j * H * direction)
    np.testing.assert_allclose(
        moved.imag / H, y * (direction - y @ direction), rtol=1e-9, atol=1e-12
    )
    lifted = primitives.logsumexp(x + 1j * H * direction)
    np.testing.assert_allclose(lifted.imag / H, [y @ direction], rtol=1e-9)


def test_relu_and_abs_have_slope_zero_at_zero():
    at_zero = np.array([0.0 + 1j * H])
    assert primitives.relu(at_zero).imag == 0
    assert primitives.positive(np.array([0.0])) == 0
    assert primitives.sign(np.array([0.0])) == 0


@both_dtypes
def test_products_are_einsums(dtype):
    rng = np.random.default_rng(0)
    a, b = (
        rng.standard_normal((4, 3, 2)).astype(dtype),
        rng.standard_normal((4, 3, 5)).astype(dtype),
    )
    W, S = (
        rng.standard_normal((5, 2)).astype(dtype),
        rng.standard_normal((4, 3, 5, 2)).astype(dtype),
    )
    tight = 1e-5 if dtype is np.float32 else 1e-13
    found = {
        "tbi,ni->tbn": (primitives.product(a, W), (a, W)),
        "tbi,tbn->in": (primitives.outer_sum(a, b), (a, b)),
        "tbni,tbi->tbn": (primitives.matvec(S, a), (S, a)),
    }
    for letters, (value, operands) in found.items():
        expected = np.einsum(letters, *operands)
        assert value.dtype == dtype
        np.testing.assert_allclose(value, expected, rtol=tight, atol=tight)
    np.testing.assert_allclose(primitives.total(a), a.sum(axis=-1, keepdims=True), rtol=tight)


def test_products_take_views_that_lie_in_pieces():
    whole = np.random.default_rng(1).standard_normal((4, 3, 6))
    left, right = whole[..., :2], whole[..., 2:]
    expected = np.einsum("tbi,tbn->in", left, right)
    np.testing.assert_allclose(primitives.outer_sum(left, right), expected, rtol=1e-13)
