"""Operations of a step: lowered, placed and joined, they compute what the expression says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, S, symbols

from derive.expressions import Elementwise, Timed, add, hadamard, negate, ones_like, power, scale
from numeric.operations import Lowering, Op
from numeric.placement import in_place, shared, uncopied

n = symbols("n", integer=True, positive=True)
LEAVES = [Timed(name, 0, n, S.One) for name in "abc"]
TARGET = Timed("y", 0, n, S.One)
FUNCTIONS = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide, "power": np.power,
    "tanh": np.tanh, "sin": np.sin, "copy": lambda a: a,
}  # fmt: skip


def combined(parts):
    one = st.sampled_from(["tanh", "sin"])
    return st.one_of(
        st.tuples(parts, parts).map(lambda p: add(*p)),
        st.tuples(parts, parts).map(lambda p: add(p[0], negate(p[1]))),
        st.tuples(parts, parts).map(lambda p: hadamard(*p)),
        st.tuples(parts, one).map(lambda p: Elementwise(*p)),
        parts.map(lambda p: scale(Rational(3, 2), p)),
        parts.map(lambda p: power(p, 2)),
        parts.map(lambda p: add(ones_like(p), negate(p))),
    )


expressions = st.recursive(st.sampled_from(LEAVES), combined, max_leaves=8)


def is_scratch(value) -> bool:
    return isinstance(value, Timed) and value.name.startswith("·")


def value_of(expr, numbers):
    from numeric.interpret import compiled

    return compiled(expr, {n: 4})(lambda leaf: numbers[leaf][:, None])[:, 0]


def carried_out(ops: list[Op], numbers) -> dict:
    held = {k: v.copy() for k, v in numbers.items()}
    for op in ops:
        args = [held[a] if isinstance(a, Timed) else float(a) for a in op.args]
        held[op.target] = FUNCTIONS[op.function](*args) * np.ones(4)
    return held


@given(st.lists(expressions, min_size=1, max_size=4))
def test_operations_compute_what_the_expressions_say_wherever_they_are_placed(exprs):
    rng = np.random.default_rng(0)
    numbers = {leaf: rng.uniform(-1, 1, 4) for leaf in LEAVES}
    targets = [Timed(f"y{k}", 0, n, S.One) for k in range(len(exprs))]
    low = Lowering()
    for target, expr in zip(targets, exprs, strict=True):
        low.assign(target, expr)
    for ops in (
        low.ops,
        in_place(low.ops, is_scratch),
        shared(in_place(low.ops, is_scratch), is_scratch),
    ):
        held = carried_out(ops, numbers)
        for target, expr in zip(targets, exprs, strict=True):
            np.testing.assert_allclose(
                held[target], value_of(expr, numbers), rtol=1e-12, atol=1e-12
            )


@given(expressions)
def test_a_value_written_over_one_that_it_reads_is_right(expr):
    rng = np.random.default_rng(1)
    numbers = {leaf: rng.uniform(-1, 1, 4) for leaf in LEAVES}
    low = Lowering()
    low.assign(LEAVES[0], expr)
    ops = shared(in_place(low.ops, is_scratch), is_scratch)
    found = carried_out(ops, numbers)[LEAVES[0]]
    np.testing.assert_allclose(found, value_of(expr, numbers), rtol=1e-12, atol=1e-12)


def test_an_expression_that_stands_twice_is_computed_once():
    a, b, _ = LEAVES
    low = Lowering()
    low.assign(TARGET, add(hadamard(a, b), Elementwise(hadamard(a, b), "tanh")))
    assert [op.function for op in low.ops] == ["multiply", "tanh", "add"]
    assert [op.function for op in in_place(low.ops, is_scratch)] == ["multiply", "tanh", "add"]


@st.composite
def any_operations(draw):
    """Operations in any order, many of them copies, over a few places."""
    place = st.sampled_from([*LEAVES, TARGET])
    one = st.tuples(st.sampled_from(["copy", "copy", "tanh"]), place, st.tuples(place))
    two = st.tuples(
        st.sampled_from(["add", "subtract", "multiply"]), place, st.tuples(place, place)
    )
    return [
        Op(f, target, args) for f, target, args in draw(st.lists(st.one_of(one, two), max_size=8))
    ]


@given(any_operations())
def test_a_copy_left_out_changes_nothing(ops):
    rng = np.random.default_rng(2)
    numbers = {leaf: rng.uniform(-1, 1, 4) for leaf in (*LEAVES, TARGET)}
    held, expected = carried_out(uncopied(ops), numbers), carried_out(ops, numbers)
    for place, value in expected.items():
        np.testing.assert_array_equal(held[place], value)


def test_a_copy_is_left_out_only_if_nothing_comes_between():
    a, b, c = LEAVES
    copied, used = Op("copy", c, (a,)), Op("add", c, (c, b))
    assert uncopied([copied, used]) == [Op("add", c, (a, b))]
    for between in (Op("tanh", a, (b,)), Op("tanh", b, (c,)), Op("tanh", c, (b,))):
        assert uncopied([copied, between, used]) == [copied, between, used]
