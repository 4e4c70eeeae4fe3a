"""Products at all lags against mpmath's singular values and products formed at once, in float32 too."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from numeric.forward_run import Run, run
from numeric.matrix_states import jacobian_of
from numeric.measure import MeasureError
from numeric.namespace import Namespace
from numeric.operators import JointJacobian
from numeric.products import extremes, log_norms
from numeric.singular import log_largest_singular
from tests.numeric.dynamics import derivation_of, run_of, sizes_of, weights


def exact_product(found: Run, lag: int) -> Any:
    j = JointJacobian(found.derivation, found.sizes)
    product = mpmath.eye(j.size)
    for t in range(found.steps, found.steps - lag, -1):
        product = product * mpmath.matrix(j.formed(found.look(t)).tolist())
    return product


@pytest.mark.parametrize("name", ["lstm", "gru", "skip"])
def test_extremes_are_those_of_600_digits_however_far_apart(name: str) -> None:
    found = run_of(name, n=3, m=2, steps=90, gain=1.5)
    measured = extremes(found, (0, 1, 7, 90))
    with mpmath.workdps(600):
        for i, lag in enumerate(measured.lags):
            every = mpmath.svd_r(exact_product(found, lag), compute_uv=False)
            first, last = float(mpmath.log(every[0])), float(mpmath.log(every[len(every) - 1]))
            assert measured.largest[i] == pytest.approx(first, abs=1e-9)
            assert measured.smallest[i] == pytest.approx(last, abs=1e-6)
    assert (
        measured.largest[-1] - measured.smallest[-1] > 60
    )  # a product of doubles would have lost it


@pytest.mark.parametrize(
    "name", ["elman", "lstm", "gru", "skip", "leaky", "linear_attention", "mlstm"]
)
def test_norms_at_all_lags_are_those_of_the_products(name: str) -> None:
    found = run_of(name, steps=12)
    j = jacobian_of(found.derivation, found.sizes)
    product, logs = np.eye(j.size), [0.5 * np.log(j.size)]
    for t in range(12, 0, -1):
        product = product @ j.formed(found.look(t)).reshape(j.size, j.size)
        logs.append(np.log(np.linalg.norm(product)))
    np.testing.assert_allclose(log_norms(found), logs, atol=1e-12)


def test_lanczos_and_the_factors_agree_on_the_largest_singular_value() -> None:
    found = run_of("lstm", n=6, m=3, steps=60)
    lags = (1, 20, 60)
    np.testing.assert_allclose(
        extremes(found, lags).largest, log_largest_singular(found, lags), atol=1e-8
    )


def test_in_float32_products_survive_200_steps_where_plain_ones_underflow() -> None:
    name, n, steps = "elman", 24, 200
    derivation, sizes = derivation_of(name), sizes_of(name, n, 3)
    fixed = {k: v[None] for k, v in weights(name, n, 3, 0.7).items()}
    inputs = {"x": np.random.default_rng(2).standard_normal((steps, 1, 3, 1))}
    single = run(derivation, sizes, fixed, inputs, steps=steps, space=Namespace(dtype="float32"))
    double = run(derivation, sizes, fixed, inputs, steps=steps)
    j = JointJacobian(derivation, sizes, space=single.space)
    product = np.eye(n, dtype=np.float32)
    for t in range(steps, 0, -1):
        product = j.formed(single.look(t)) @ product
        assert product.dtype == np.float32
    assert not product.any()
    logs = log_norms(single)
    assert np.isfinite(logs).all()
    assert logs[-1] < np.log(np.finfo(np.float32).tiny)
    np.testing.assert_allclose(logs, log_norms(double), atol=0.05)


def test_a_singular_step_has_no_smallest_value_but_a_largest() -> None:
    cell = "h[t] = relu(W @ h[t-1] + x[t])"
    sizes = sizes_of(cell, 4, 4)
    x = np.ones((9, 1, 4, 1))
    x[5, 0, 2] = -100.0  # one unit is off at step 6
    w = np.random.default_rng(3).uniform(0.1, 1.0, (1, 4, 4))
    found = run(derivation_of(cell), sizes, {"W": w}, {"x": x}, steps=9)
    measured = extremes(found, (3, 4, 9))
    assert np.isfinite(measured.smallest[0])
    assert list(measured.smallest[1:]) == [-np.inf, -np.inf]
    np.testing.assert_allclose(measured.largest, log_largest_singular(found, (3, 4, 9)), atol=1e-9)


def test_a_product_that_is_zero_has_logarithms_minus_infinity() -> None:
    cell = "h[t] = relu(W @ h[t-1] + x[t])"
    sizes = sizes_of(cell, 3, 3)
    x = np.ones((6, 1, 3, 1))
    x[2] = -100.0
    found = run(derivation_of(cell), sizes, {"W": np.ones((1, 3, 3))}, {"x": x}, steps=6)
    assert np.isfinite(log_norms(found)[:4]).all()
    assert list(log_norms(found)[4:]) == [-np.inf] * 3
    assert extremes(found, (5,)).largest[0] == -np.inf


def test_a_run_that_overflows_is_refused() -> None:
    cell = "h[t] = exp(h[t-1]) + x[t]"
    with np.errstate(all="ignore"):
        found = run(
            derivation_of(cell), sizes_of(cell, 2, 2), {}, {"x": np.ones((9, 1, 2, 1))}, steps=9
        )
    for measure in (log_norms, lambda r: extremes(r, (1,))):
        with pytest.raises(MeasureError, match="not finite at step"):
            measure(found)
