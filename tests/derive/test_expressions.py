"""The constructors: each means what it says, keeps the author's order, and tidies only what no author writes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Integer, Symbol

from derive import expressions as ex
from tests.oracle import shape_of, worth

n, m, k = (Symbol(name, positive=True, integer=True) for name in "nmk")
SIZES = {n: 3, m: 2, k: 4}

a, b = ex.Timed("a", 0, n, 1), ex.Timed("b", 1, n, 1)
x = ex.Timed("x", 0, m, 1)
W, V = ex.parameter("W", n, m), ex.parameter("V", m, n)
s = ex.Timed("s", 0, 1, 1)


def value(leaf) -> np.ndarray:
    """A leaf's value: random, the same for the same leaf."""
    seed = sum(map(ord, str(leaf)))
    return np.random.default_rng(seed).standard_normal(shape_of(leaf, SIZES))


def found(expr) -> np.ndarray:
    return worth(expr, value, SIZES)


def test_a_sum_keeps_its_order_and_drops_zeros():
    total = ex.add(b, ex.zeros_like(a), a, b)
    assert total.args == (b, a, b)
    assert ex.terms(total) == (b, a, b)
    assert ex.add(a, ex.zeros_like(a)) == a
    assert ex.terms(ex.add(ex.zeros_like(a), ex.zeros_like(a))) == ()


def test_an_elementwise_product_moves_numbers_to_the_front_and_drops_ones():
    product = ex.hadamard(ex.scale(Integer(2), b), ex.ones_like(a), ex.negate(a))
    c, core = ex.split_coefficient(product)
    assert (c, ex.factors(core)) == (-2, (b, a))
    assert ex.hadamard(ex.ones_like(a), ex.ones_like(a)) == ex.ones_like(a)
    assert ex.hadamard(a, ex.zeros_like(a), b) == ex.zeros_like(a)


def test_a_matrix_product_flattens_and_keeps_its_order():
    product = ex.matmul(W, ex.matmul(ex.scale(Integer(3), V), a))
    c, core = ex.split_coefficient(product)
    assert (c, ex.operands(core)) == (3, (W, V, a))
    np.testing.assert_allclose(found(product), 3 * value(W) @ value(V) @ value(a))


def test_a_matrix_product_drops_identities_and_knows_zero():
    identity = ex.diag(ex.ones_like(a))
    assert ex.matmul(identity, W) == W
    assert ex.matmul(identity, identity) == identity
    assert ex.matmul(V, ex.zeros_like(W)).shape == (m, m)


def test_minus_minus_and_transposed_transposed_are_nothing():
    assert ex.negate(ex.negate(a)) == a
    assert ex.transpose(ex.transpose(W)) == W
    assert ex.transpose(ex.scale(Integer(2), ex.transpose(W))) == ex.scale(Integer(2), W)


def test_scalars_diagonals_and_what_is_spread_out_need_no_transpose():
    assert ex.transpose(s) == s
    assert ex.transpose(ex.diag(a)) == ex.diag(a)
    spread = ex.transpose(ex.broadcast(s, n, m))
    assert isinstance(spread, ex.Broadcast)
    assert spread.shape == (m, n)


def test_zero_times_anything_is_zero_of_its_shape():
    assert ex.scale(Integer(0), W) == ex.zeros_like(W)


def test_powers_zero_and_one():
    assert ex.power(a, 0) == ex.ones_like(a)
    assert ex.power(a, 1) == a
    np.testing.assert_allclose(found(ex.power(a, -2)), value(a) ** -2.0)


def test_stacked_rows_come_out_again():
    stacked = ex.Concat(a, x)
    assert stacked.shape == (n + m, 1)
    np.testing.assert_array_equal(found(ex.rows(stacked, n, n + m)), value(x))
    assert ex.rows(a, 0, n) == a


def test_broadcast_and_total_take_numbers_out():
    c, core = ex.split_coefficient(ex.total(ex.scale(Integer(5), W)))
    assert c == 5
    assert isinstance(core, ex.Total)
    np.testing.assert_allclose(
        found(ex.broadcast(ex.total(W), m, k)), np.full((2, 4), value(W).sum())
    )
    assert ex.total(s) == s


def test_shifting_moves_time_and_leaves_parameters():
    moved = ex.shifted(ex.add(ex.matmul(W, x), b), 2)
    assert [leaf for leaf in ex.leaves(moved) if ex.has_time(leaf)] == [x.at(2), b.at(3)]
    assert W in set(ex.leaves(moved))
    assert ex.shifted(moved, -2) == ex.add(ex.matmul(W, x), b)


def test_a_derived_leaf_shares_shape_name_and_lag_with_its_quantity():
    for kind in (ex.Adjoint, ex.Tangent, ex.LossGradient):
        leaf = kind(b)
        assert (leaf.shape, leaf.name, leaf.lag) == (b.shape, "b", 1)
        assert leaf.at(4) == kind(b.at(4))
        assert ex.has_time(leaf)
    assert not ex.has_time(ex.Adjoint(W))


def test_parents_come_before_children_from_left_to_right():
    expr = ex.add(ex.matmul(W, x), ex.hadamard(a, b))
    nodes = list(ex.walk(expr))
    assert nodes[0] == expr
    assert [v for v in nodes if not ex.operands(v)] == list(ex.leaves(expr)) == [W, x, a, b]


# ── constructors mean what they say ──


def columns(depth: int) -> st.SearchStrategy:
    """Pairs of an expression of shape (n, 1) and its value."""
    leaf = st.sampled_from(
        [
            (a, value(a)),
            (b, value(b)),
            (ex.ones_like(a), np.ones((3, 1))),
            (ex.zeros_like(a), np.zeros((3, 1))),
            (ex.broadcast(s, n, 1), np.full((3, 1), value(s))),
        ]
    )
    if depth == 0:
        return leaf
    inner = columns(depth - 1)
    number = st.sampled_from([-2, -1, 0, 1, 3])
    return st.one_of(
        leaf,
        st.tuples(inner, inner).map(lambda p: (ex.add(p[0][0], p[1][0]), p[0][1] + p[1][1])),
        st.tuples(inner, inner).map(lambda p: (ex.hadamard(p[0][0], p[1][0]), p[0][1] * p[1][1])),
        st.tuples(number, inner).map(lambda p: (ex.scale(Integer(p[0]), p[1][0]), p[0] * p[1][1])),
        inner.map(lambda p: (ex.matmul(W, ex.matmul(V, p[0])), value(W) @ value(V) @ p[1])),
        inner.map(lambda p: (ex.transpose(ex.transpose(p[0])), p[1])),
        inner.map(lambda p: (ex.matmul(ex.diag(a), p[0]), value(a) * p[1])),
        inner.map(lambda p: (ex.broadcast(ex.total(p[0]), n, 1), np.full((3, 1), p[1].sum()))),
        inner.map(lambda p: (ex.rows(ex.Concat(a, p[0]), n, 2 * n), p[1])),
        st.tuples(st.sampled_from([0, 1, 2]), inner).map(lambda p: (ex.power(p[1][0], p[0]), p[1][1] ** p[0])),
    )  # fmt: skip


@given(columns(4))
def test_constructors_change_how_an_expression_looks_and_never_what_it_is_worth(pair):
    expr, expected = pair
    assert expr.shape == (n, 1)
    np.testing.assert_allclose(
        found(expr), expected, rtol=1e-9, atol=1e-9 * (1 + abs(expected).max())
    )


@given(columns(3))
def test_replacing_leaves_by_themselves_changes_nothing(pair):
    expr, expected = pair
    again = ex.replace(expr, lambda leaf: leaf)
    np.testing.assert_allclose(
        found(again), expected, rtol=1e-9, atol=1e-9 * (1 + abs(expected).max())
    )


@pytest.mark.parametrize("count", [0, 1])
def test_an_expression_without_the_node_is_its_own_one_part(count):
    whole = (a, W)[count]
    assert ex.terms(whole) == (whole,)
    assert ex.factors(whole) == (whole,)
    assert ex.split_coefficient(whole) == (1, whole)
