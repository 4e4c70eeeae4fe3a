"""Expressions as NumPy text: evaluated, they are what the mathematics says, for one step and for whole sequences."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Integer, Rational, Symbol

from derive import expressions as ex
from numeric import primitives
from numeric.arrays import ArrayPrinter
from numeric.spread import trailing
from tests.generated import flat
from tests.oracle import ENTRYWISE, shape_of, worth

n, m, k = (Symbol(name, positive=True, integer=True) for name in "nmk")
SIZES = {n: 3, m: 2, k: 4}
T, B = 5, 2

h, g = ex.Timed("h", 0, n, 1), ex.Timed("g", 0, n, 1)
x, z = ex.Timed("x", 0, m, 1), ex.Timed("z", 0, k, 1)
q = ex.Timed("q", 0, 1, 1)
r = ex.Timed("r", 0, 1, n)
S, R = ex.Timed("S", 0, n, m), ex.Timed("R", 0, m, n)
W, V, Q = ex.parameter("W", n, m), ex.parameter("V", m, k), ex.parameter("Q", n, n)
b, p = ex.parameter("b", n, 1), ex.parameter("p", 1, 1)
row = ex.parameter("row", 1, n)
one = ex.ones_like(h)

SPECIMENS = {
    "sum": ex.add(h, ex.negate(g), b),
    "number plus": ex.add(ex.scale(Rational(1, 3), one), ex.scale(Integer(-2), h)),
    "matrix by vector": ex.matmul(W, x),
    "transposed matrix by vector": ex.matmul(ex.transpose(W), h),
    "two matrices by vector": ex.matmul(W, V, z),
    "state matrix by vector": ex.matmul(S, x),
    "transposed state matrix by vector": ex.matmul(ex.transpose(S), h),
    "state matrix by parameter": ex.matmul(S, V),
    "parameter by state matrix": ex.matmul(Q, S),
    "state matrix by state matrix": ex.matmul(S, R),
    "state matrix by fixed vector": ex.matmul(R, b),
    "fixed matrix by fixed vector, spread over time": ex.add(ex.matmul(Q, b), h),
    "outer product": ex.matmul(h, ex.transpose(x)),
    "outer product of a fixed and a moving vector": ex.matmul(b, ex.transpose(x)),
    "outer product of a moving and a fixed vector": ex.matmul(x, ex.transpose(b)),
    "inner product": ex.matmul(ex.transpose(h), g),
    "inner product with a fixed vector": ex.matmul(ex.transpose(b), h),
    "quadratic form": ex.matmul(ex.transpose(h), Q, g),
    "row by matrix": ex.matmul(r, Q),
    "row by matrix of state": ex.matmul(r, S),
    "row by column": ex.matmul(r, h),
    "column by row": ex.matmul(x, r),
    "fixed row by column": ex.matmul(row, h),
    "row by fixed matrix and column": ex.matmul(row, W, x),
    "elementwise product": ex.hadamard(h, g, b),
    "quotient": ex.hadamard(h, ex.power(ex.add(ex.hadamard(g, g), one), -1)),
    "quotient first": ex.hadamard(ex.power(ex.add(ex.hadamard(g, g), one), -1), h),
    "difference in a product": ex.hadamard(ex.add(one, ex.negate(g)), h),
    "minus in a product": ex.hadamard(h, ex.add(ex.negate(g), b)),
    "square": ex.power(h, 2),
    "square of minus": ex.power(ex.add(ex.negate(h), g), 2),
    "inverse square": ex.power(ex.Elementwise(h, "exp"), -2),
    "transposed matrix": ex.transpose(S),
    "transposed column": ex.transpose(h),
    "transposed row": ex.transpose(r),
    "transposed sum": ex.transpose(ex.add(h, g)),
    "softmax": ex.Softmax(ex.add(h, g)),
    "log-sum-exp": ex.LogSumExp(h),
    "stack": ex.Concat(h, x, b),
    "stack with a number": ex.Concat(ex.scale(Integer(2), one), h),
    "stack of matrices": ex.Concat(S, ex.transpose(R)),
    "rows": ex.rows(ex.Concat(h, x), n, n + m),
    "rows of a matrix": ex.rows(ex.Concat(S, W), n, 2 * n),
    "scalar by vector": ex.hadamard(ex.broadcast(q, n, 1), h),
    "scalar by matrix": ex.hadamard(ex.broadcast(q, n, m), S),
    "scalar by row": ex.hadamard(ex.broadcast(q, 1, n), r),
    "fixed scalar by matrix": ex.hadamard(ex.broadcast(p, n, m), S),
    "scalar spread out and multiplied": ex.matmul(ex.transpose(W), ex.broadcast(q, n, 1)),
    "scalar spread out in a row": ex.matmul(ex.broadcast(q, 1, n), h),
    "ones by a matrix": ex.matmul(ex.ones(1, n), S),
    "ones by a vector": ex.matmul(ex.ones(1, n), h),
    "a column of ones by a row": ex.matmul(ex.ones(m, 1), r),
    "scalar times scalar": ex.hadamard(q, p, q),
    "scalar plus fixed scalar": ex.add(q, p),
    "scalar product of scalar and inner product": ex.matmul(q, ex.matmul(ex.transpose(h), g)),
    "total": ex.total(h),
    "total of a matrix": ex.total(S),
    "total of a row": ex.total(r),
    "total of what is spread out": ex.total(ex.broadcast(q, n, m)),
    "mean": ex.scale(1 / n, ex.total(h)),
    "minus a mean over a square": ex.scale(-1 / n**2, ex.total(ex.matmul(h, ex.transpose(g)))),
    "mean over a stack": ex.scale(1 / (n + m), ex.total(ex.Concat(h, x))),
    "mean of a matrix in a matrix": ex.add(S, ex.broadcast(ex.scale(1 / (n * m), ex.total(S)), n, m)),
    "fraction by product": ex.scale(Rational(-2, 3), ex.matmul(W, x)),
    **{f"function {name}": ex.Elementwise(ex.Elementwise(h, "exp"), name) for name in ENTRYWISE},
}  # fmt: skip


def dim(size) -> str:
    return f"({size})"


def arrays_for(front: tuple[int, ...], seed: int = 0) -> dict:
    """Random matrices for every leaf: with these axes in front if it depends on time."""
    rng = np.random.default_rng(seed)
    timed = {
        v: rng.standard_normal((*front, *shape_of(v, SIZES))) for v in (h, g, x, z, q, r, S, R)
    }
    return timed | {v: rng.standard_normal(shape_of(v, SIZES)) for v in (W, V, Q, b, p, row)}


@pytest.mark.parametrize("expr", SPECIMENS.values(), ids=SPECIMENS)
@pytest.mark.parametrize("whole", [False, True], ids=["one step", "whole sequence"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_text_computes_the_expression(expr, whole, dtype):
    values = arrays_for((T, B) if whole else (B,))
    printer = ArrayPrinter(lambda v: v.name, dim, whole=whole)
    timed = ex.is_timed(expr)
    names = {v.name: flat(v, a, timed=ex.has_time(v)).astype(dtype) for v, a in values.items()}
    helpers = {name: getattr(primitives, name) for name in primitives.NAMES}
    sizes = {"n": 3, "m": 2, "k": 4, "T": T, "B": B, "dtype": np.dtype(dtype), "np": np}
    found = eval(printer.full(expr), {**helpers, **sizes, **names})  # noqa: S307 - our own text
    expected = flat(expr, worth(expr, values.__getitem__, SIZES), timed=timed)
    tight = 1e-12 if dtype is np.float64 else 1e-4
    assert np.shape(found) == expected.shape
    assert np.asarray(found).dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=tight, atol=tight)


@pytest.mark.parametrize("whole", [False, True], ids=["one step", "whole sequence"])
def test_a_value_that_does_not_depend_on_time_is_spread_over_its_target(whole):
    printer = ArrayPrinter(lambda v: v.name, dim, whole=whole)
    values = {"b": np.arange(3.0), "np": np, "n": 3, "T": T, "B": B, "dtype": np.dtype(np.float64)}
    for expr in (b, ex.scale(Integer(2), one)):
        found = eval(printer.over(expr, h), values)  # noqa: S307 - our own text
        assert found.shape == ((T, B, 3) if whole else (B, 3))
        fresh = eval(printer.fresh(expr, h), values)  # noqa: S307 - our own text
        np.testing.assert_array_equal(fresh, found)
        assert fresh.flags.writeable


def test_what_was_given_is_copied_before_it_is_handed_out():
    printer = ArrayPrinter(lambda v: "given", dim, whole=True)
    for expr in (
        ex.LossGradient(h),
        ex.transpose(ex.LossGradient(S)),
        ex.rows(ex.LossGradient(h), 1, 2),
        ex.Adjoint(h),
    ):
        assert printer.fresh(expr, h).endswith(".copy()")
    assert not printer.fresh(ex.hadamard(ex.Adjoint(h), h), h).endswith(".copy()")


@pytest.mark.parametrize(
    ("expr", "axes"),
    [
        (h, ["n"]),
        (b, ["n"]),
        (q, ["1"]),
        (p, []),
        (r, ["1", "n"]),
        (S, ["n", "m"]),
        (W, ["n", "m"]),
    ],
    ids=str,
)
def test_columns_lose_their_last_axis_and_fixed_scalars_both(expr, axes):
    assert trailing(expr, str) == axes


def test_numbers_are_written_so_that_they_keep_the_precision():
    printer = ArrayPrinter(lambda v: v.name, str)
    shown = {c: printer.number(c) for c in (Integer(2), Rational(1, 2), Rational(1, 3), 1 / n)}
    assert list(shown.values()) == ["2.0", "0.5", "(1 / 3)", "(1/n)"]
    assert eval(printer.number(Integer(10) ** 300)) == 1e300  # noqa: S307 - our own text
