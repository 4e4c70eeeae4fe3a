from __future__ import annotations

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from derive.functions import FUNCTIONS
from proofs.arithmetic import law_value
from proofs.degrees import Bounds, ErrorBound, Log, elimination_factor
from proofs.dual import Dual, Pair
from proofs.field import MERSENNE_PRIMES, PrimeField, SingularPointError
from proofs.floats import Floats

PRIME = MERSENNE_PRIMES[0]


def numbers(*values: int) -> np.ndarray:
    array = np.empty((len(values), 1), dtype=object)
    array[:, 0] = values
    return array


@pytest.mark.parametrize("prime", MERSENNE_PRIMES)
def test_the_moduli_are_primes(prime: int) -> None:
    assert sympy.isprime(prime)


@given(a=st.integers(1, PRIME - 1), p=st.integers(-99, 99), q=st.integers(1, 99))
def test_rational_numbers_and_inverses_are_exact(a: int, p: int, q: int) -> None:
    field = PrimeField(PRIME, 0)
    assert (field.number(sympy.Rational(p, q)) * q % PRIME).item() == p % PRIME
    assert field.mul(field.power(numbers(a), -2), field.power(numbers(a), 2)).item() == 1


def test_the_inverse_of_zero_asks_for_another_point() -> None:
    with pytest.raises(SingularPointError):
        PrimeField(PRIME, 0).power(numbers(3, 0), -1)


def test_equal_arguments_give_equal_generators_and_others_do_not() -> None:
    field = PrimeField(PRIME, 0)
    first, again, other = (field.function("tanh", numbers(v)).item() for v in (7, 7, 8))
    assert first == again != other
    assert field.function("sigmoid", numbers(7)).item() != first


def test_the_branches_of_relu_abs_step_and_sign_agree() -> None:
    field, a = PrimeField(PRIME, 0), numbers(11, 12, 13)
    relu, absolute, step, sign = (field.function(f, a) for f in ("relu", "abs", "step", "sign"))
    assert np.all(field.mul(step, a) == relu)
    assert np.all(field.mul(sign, a) == absolute)
    assert np.all(field.add(a, absolute) == field.add(relu, relu))
    assert np.all(field.function("step", relu) == step), "relu's law reads the stored value"


def test_softmax_is_exp_over_the_sum_of_exp() -> None:
    field, a = PrimeField(PRIME, 0), numbers(3, 4, 5)
    y = field.softmax(a)
    assert field.total(y).item() == 1
    assert np.all(field.mul(y, field.total(field.function("exp", a))) == field.function("exp", a))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_dual_numbers_apply_the_law_of_every_function(name: str) -> None:
    x = np.array([[0.3], [1.7], [2.5]])
    found = Dual(Floats()).function(name, Pair(x, np.ones_like(x))).dot
    h = 1e-6
    difference = (Floats().function(name, x + h) - Floats().function(name, x - h)) / (2 * h)
    np.testing.assert_allclose(found, difference, rtol=1e-8, atol=1e-9)


def test_dual_softmax_and_logsumexp_differentiate_themselves() -> None:
    x, d = np.array([[0.3], [-1.0], [0.5]]), np.array([[1.0], [2.0], [-1.0]])
    dual, h = Dual(Floats()), 1e-6
    for f in ("softmax", "logsumexp"):
        moved = (getattr(Floats(), f)(x + h * d) - getattr(Floats(), f)(x - h * d)) / (2 * h)
        np.testing.assert_allclose(getattr(dual, f)(Pair(x, d)).dot, moved, rtol=1e-7, atol=1e-9)


def test_a_law_with_something_that_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError, match="no arithmetic evaluates"):
        law_value(Floats(), sympy.Integral(sympy.Symbol("z")), np.ones((1, 1)), np.ones((1, 1)))


def test_degrees_of_products_add_and_of_sums_do_not() -> None:
    bounds = Bounds()
    a, b = bounds.leaf((2, 3)), bounds.leaf((3, 2), 4)
    assert bounds.matmul(a, b).tolist() == [[5, 5], [5, 5]]
    assert bounds.add(a, bounds.leaf((2, 3), 2)).max() == 2
    assert bounds.function("tanh", bounds.leaf((1, 1), 9)).item() == 1
    assert bounds.function("relu", bounds.leaf((1, 1), 9)).item() == 10


def test_reciprocals_of_one_level_add_and_levels_multiply() -> None:
    degrees = Log(reciprocals=[np.array([[2], [3]]), np.array([[4]])])
    levels = Log(reciprocals=[np.array([[0], [0]]), np.array([[1]])])
    assert elimination_factor(degrees, levels, 2) == (1 + 2 * 5) * (1 + 2 * 4)


def test_the_bound_on_the_error_is_honest_at_small_primes() -> None:
    """x (x − 1) … vanishes at d of p points: d/p, and no bound may lie below that."""
    assert ErrorBound(5, 0, 0, 101, 1).once >= 5 / 101
    assert ErrorBound(200, 0, 0, 101, 1).once == 1.0
    assert ErrorBound(5, 3, 2, PRIME, 2).total == pytest.approx((2 * (5 + 3 * 2) / PRIME) ** 2)
