"""The laws of the elementwise functions against SymPy's own derivatives and against complex steps."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from derive import functions
from derive.expressions import Timed
from derive.functions import BY_SYMBOL, FUNCTIONS
from tests.oracle import ENTRYWISE, H, worth

DEFINITIONS = {
    functions.sigmoid: lambda u: 1 / (1 + sympy.exp(-u)),
    functions.softplus: lambda u: sympy.log(1 + sympy.exp(u)),
    functions.relu: lambda u: sympy.Piecewise((u, u > 0), (0, True)),
    functions.step: lambda u: sympy.Piecewise((1, u > 0), (0, True)),
}
"""What our own SymPy functions stand for."""

every_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda f: f.name)


def defined(expr: sympy.Expr) -> sympy.Expr:
    """The expression with our own functions written out."""
    for own, definition in DEFINITIONS.items():
        expr = expr.replace(own, definition)
    return expr


def points(function) -> list[sympy.Rational]:
    """Arguments in the domain, on both sides of a kink and not on it."""
    found = [sympy.Rational(p, 8) for p in (-19, -7, -1, 1, 6, 23)]
    return [p for p in found if p > 0] if function.positive else found


@every_function
def test_a_law_is_sympy_s_derivative(function):
    own = functions.x
    derivative = sympy.diff(defined(function.symbol(own)), own)
    law = defined(function.law.subs(functions.y, function.symbol(own)))
    for p in points(function):
        assert abs((derivative - law).subs(own, p).doit().evalf(30)) < 1e-25


@every_function
def test_sympy_differentiates_our_symbols_by_the_same_law(function):
    if function.symbol not in DEFINITIONS:
        return
    own = functions.x
    derivative = sympy.diff(function.symbol(own), own)
    expected = sympy.diff(defined(function.symbol(own)), own)
    for p in points(function):
        assert abs((defined(derivative) - expected).subs(own, p).evalf(30)) < 1e-25


@every_function
@given(seed=st.integers(0, 2**16))
def test_a_law_as_a_matrix_expression_is_a_complex_step(function, seed):
    u = np.random.default_rng(seed).uniform(0.1 if function.positive else -4, 4, (5, 1))
    f = ENTRYWISE[function.name]
    expected = np.asarray(f(u + 1j * H)).imag / H
    argument, value = Timed("u", 0, 5, 1), Timed("v", 0, 5, 1)
    values = {"u": u, "v": np.asarray(f(u), dtype=float)}
    found = worth(function.derivative(argument, value), lambda leaf: values[leaf.name], {})
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@every_function
def test_a_law_needs_the_argument_only_where_it_says_so(function):
    argument, value = Timed("u", 0, 5, 1), Timed("v", 0, 5, 1)
    used = set(function.derivative(argument, value).atoms(Timed))
    assert (argument in used) == function.needs_argument


def test_a_kink_has_a_convention_and_everything_else_has_none():
    kinks = {f.name: f.law for f in FUNCTIONS.values() if f.kink is not None and not f.internal}
    assert kinks.keys() == {"relu", "abs"}
    for name, law in kinks.items():
        at_zero = law.subs({functions.x: 0, functions.y: 0})
        assert defined(at_zero) == 0, name


def test_laws_of_bounded_functions_use_the_stored_value_so_that_nothing_overflows():
    for name in ("tanh", "sigmoid", "relu", "exp", "sqrt"):
        assert not FUNCTIONS[name].needs_argument


def test_every_symbol_belongs_to_one_function():
    assert len(BY_SYMBOL) == len(FUNCTIONS)
    assert {f.name for f in BY_SYMBOL.values()} == FUNCTIONS.keys()


def test_a_function_that_laws_mention_is_known():
    for function in FUNCTIONS.values():
        mentioned = {type(f) for f in function.law.atoms(sympy.Function)}
        assert mentioned <= BY_SYMBOL.keys()
