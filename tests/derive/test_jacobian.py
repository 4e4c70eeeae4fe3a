"""The blocks of the step Jacobian against complex-step Jacobians of the joint state."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, note
from sympy import S, Symbol
from sympy.matrices.expressions import Identity

from derive import expressions as ex
from derive.catalog import load, shipped
from derive.derivation import derive
from derive.fronts import chain, matrix_in_front, sum_of_blocks
from derive.language import read_cell
from tests.derived import primal
from tests.numeric.dynamics import MOGRIFIER
from tests.oracle import H, Sample, distance, looker, sample, shape_of, unrolled, worth
from tests.strategies import samples

n, m = (Symbol(name, positive=True, integer=True) for name in "nm")
SIZES = {n: 3, m: 2}
a, b = ex.Timed("a", 0, n, 1), ex.Timed("b", 0, n, 1)
W, V = ex.parameter("W", n, n), ex.parameter("V", n, m)


def states_after_one_step(s: Sample, name: str, lag: int) -> dict[str, np.ndarray]:
    """Columns of ∂u_1/∂v_{1−lag} for every state u: v moved entry by entry, for each sample by itself."""
    before = s.initial[name]
    moved = np.broadcast_to(before + 0j, (before[0, 0].size, *before.shape)).copy()
    for i, entry in enumerate(np.ndindex(before.shape[-2:])):
        moved[(i, before.shape[0] - lag, slice(None), *entry)] += 1j * H
    values = unrolled(replace(s, initial={**s.initial, name: moved}))
    found = {}
    for q in s.cell.states:
        value = np.broadcast_to(
            values[q.name, 1].imag / H, (len(moved), s.B, *shape_of(q.symbol, s.sizes))
        )
        found[q.name] = np.moveaxis(value.reshape(len(moved), s.B, -1), 0, -1)
    return found


def evaluated_blocks(d, s: Sample) -> dict[tuple[str, str, int], np.ndarray | None]:
    """Every block of the derivation at step 1, one (rows, columns) matrix for each sample."""
    values = primal(d, replace(s, T=1), unrolled(s))
    found: dict[tuple[str, str, int], np.ndarray | None] = {}
    look_up = looker(s, values, 1)

    def look(leaf):
        if isinstance(leaf, ex.Block):
            return found[leaf.of.name, leaf.by.name, leaf.by.lag]
        return look_up(leaf)

    for block in d.jacobian:
        key = (block.block.of.name, block.block.by.name, block.block.by.lag)
        value = None if block.value is None else worth(block.value, look, s.sizes)
        if value is not None:
            value = np.broadcast_to(value, (s.B, *shape_of(block.block, s.sizes)))
        found[key] = value
    return found


def compare(s: Sample, bound: float = 1e-12) -> int:
    """Demand that each block is right and that those left out are zero; returns how many closed forms there were."""
    found = evaluated_blocks(derive(s.cell), s)
    closed = 0
    for source in s.cell.states:
        for lag in range(1, source.depth + 1):
            expected = states_after_one_step(s, source.name, lag)
            for q in s.cell.states:
                block = found.get((q.name, source.name, lag), np.zeros_like(expected[q.name]))
                if block is not None:
                    closed += 1
                    assert distance(block, expected[q.name]) <= bound, (q.name, source.name, lag)
    return closed


@pytest.mark.parametrize("entry", shipped(), ids=lambda entry: entry.name)
def test_the_blocks_of_a_shipped_cell_are_its_jacobian(entry):
    cell = load(entry.name)
    closed = compare(sample(cell, T=max(q.depth for q in cell.states), seed=2))
    columns = all(q.shape[1] == 1 for q in cell.states)
    assert not columns or closed == sum(q.depth for q in cell.states) * len(cell.states)


@given(samples())
def test_the_blocks_of_a_random_cell_are_its_jacobian(s):
    note(s.cell.text)
    compare(s, 1e-9)


def test_the_memory_cell_carries_the_gradient_by_the_forget_gate_alone():
    d = derive(load("lstm"))
    (block,) = [x for x in d.jacobian if (x.block.of.name, x.block.by.name) == ("c", "c")]
    assert block.value == ex.diag(d.cell.quantity("f").symbol)


def test_the_joint_state_of_an_lstm_has_four_blocks():
    pairs = {(x.block.of.name, x.block.by.name) for x in derive(load("lstm")).jacobian}
    assert pairs == {("c", "c"), ("c", "h"), ("h", "c"), ("h", "h")}


def test_a_skip_connection_has_a_block_for_each_lag_it_uses():
    lags = {x.block.by.lag for x in derive(load("skip:d=5")).jacobian}
    assert lags == {1, 5}


def test_a_matrix_state_has_no_block_but_its_differential():
    d = derive(load("linear_attention_gated"))
    assert all(x.value is None for x in d.jacobian)
    assert d.section("tangent")
    assert not d.section("jacobian")


def test_scalar_products_of_the_state_with_itself_have_closed_forms():
    text = "dim q = 1\nq[t] = h[t-1].T @ h[t-1]\nh[t] = tanh(W @ h[t-1]) * q[t] + sum(h[t-1]) * b\n"
    assert compare(sample(read_cell(text, "dot"))) == 1


def test_a_mixed_lag_reaches_the_other_state_at_every_lag():
    text = (
        "h[t] = tanh(W @ h[t-1] + V @ s[t-3] + U @ x[t])\n"
        "s[t] = sigmoid(A @ h[t] + p * s[t-1] + B @ h[t-2])\n"
    )
    assert compare(sample(read_cell(text, "mixed"))) == 2 * (2 + 3)


def test_a_block_that_many_lines_use_has_a_line_of_its_own():
    d = derive(read_cell(MOGRIFIER, "mogrifier"))
    assert compare(sample(d.cell)) == 4
    found = {x.text.split(" = ")[0]: x.text.split(" = ")[1] for x in d.section("jacobian")}
    assert list(found) == [
        "dy[t]/dh[t-1]", "dk[t]/dh[t-1]",
        "dc[t]/dc[t-1]", "dc[t]/dh[t-1]", "dh[t]/dc[t-1]", "dh[t]/dh[t-1]",
    ]  # fmt: skip
    assert found["dh[t]/dh[t-1]"] == (
        "diag(tanh(c[t]) * o[t] * (1 - o[t])) @ (W_o @ dk[t]/dh[t-1] + U_o @ dy[t]/dh[t-1])"
        " + diag(o[t] * (1 - tanh(c[t])**2)) @ dc[t]/dh[t-1]"
    )


def test_a_block_that_is_short_or_used_once_has_none():
    text = "a[t] = tanh(W @ h[t-1])\nz[t] = sigmoid(V @ h[t-1]) * p\nq[t] = exp(z[t])\n"
    d = derive(read_cell(f"{text}h[t] = a[t] * q[t] + A @ a[t] + B @ tanh(q[t])\n", "short"))
    assert compare(sample(d.cell)) == 1
    assert not any(b.between for b in d.jacobian)


# ── the pieces ──


def test_a_softmax_moves_as_its_author_writes_it():
    (block,) = derive(read_cell("a[t] = softmax(V @ h[t-1])\nh[t] = W @ a[t]\n", "found")).section(
        "jacobian"
    )
    assert block.text == "dh[t]/dh[t-1] = W @ (diag(a[t]) - a[t] @ a[t].T) @ V"


def test_diagonal_neighbours_merge():
    assert chain(ex.diag(a), ex.diag(b)) == ex.diag(ex.hadamard(a, b))
    assert chain(ex.diag(a), ex.matmul(ex.diag(b), W)) == ex.matmul(ex.diag(ex.hadamard(a, b)), W)


def test_a_diagonal_and_ones_beside_it_are_a_column_or_a_row():
    column, row, number = ex.ones(n, 1), ex.ones(1, n), ex.Timed("s", 0, S.One, S.One)
    assert chain(ex.diag(a), ex.matmul(column, row)) == ex.matmul(a, row)
    assert chain(ex.matmul(column, row), ex.diag(a)) == ex.matmul(column, ex.transpose(a))
    assert chain(ex.diag(number), ex.matmul(row, W)) == ex.matmul(number, row, W)
    assert chain(ex.diag(number), ex.diag(number)) == ex.diag(ex.hadamard(number, number))


def test_what_stands_behind_one_diagonal_or_before_one_matrix_is_collected():
    ones, d = ex.ones(n, 1), ex.diag
    other = ex.parameter("X", n, n)
    aW, bW = ex.matmul(d(a), W), ex.matmul(d(b), W)
    assert sum_of_blocks([aW, bW]) == ex.matmul(d(ex.add(a, b)), W)
    assert sum_of_blocks([W, ex.negate(aW)]) == ex.matmul(d(ex.add(ones, ex.negate(a))), W)
    assert sum_of_blocks([aW, ex.matmul(d(a), other)]) == ex.matmul(d(a), ex.add(W, other))
    assert sum_of_blocks([aW, d(a)]) == ex.matmul(d(a), ex.add(W, Identity(n)))


def test_diagonal_addends_merge():
    assert sum_of_blocks([ex.diag(a), W, ex.diag(b)]) == ex.add(ex.diag(ex.add(a, b)), W)


@pytest.mark.parametrize(
    "expr",
    [
        ex.matmul(W, a),
        ex.hadamard(b, ex.matmul(W, a)),
        ex.add(a, ex.negate(ex.matmul(W, W, a)), b),
        ex.broadcast(ex.total(ex.hadamard(a, b)), n, 1),
        ex.Concat(ex.matmul(ex.transpose(V), a), a),
        ex.total(a),
        ex.matmul(ex.transpose(a), b),
        ex.matmul(ex.transpose(b), W, a),
    ],
    ids=str,
)
def test_the_matrix_in_front_is_the_derivative(expr):
    front = matrix_in_front(expr, a)
    rng = np.random.default_rng(3)
    known = {leaf: rng.standard_normal(shape_of(leaf, SIZES)) for leaf in (a, b, W, V)}
    zero = worth(expr, lambda v: 0 * known[v] if v == a else known[v], SIZES)
    whole = worth(expr, known.__getitem__, SIZES)
    np.testing.assert_allclose(worth(front, known.__getitem__, SIZES) @ known[a], whole - zero)


def test_a_leaf_that_is_not_there_has_a_zero_matrix_in_front():
    assert matrix_in_front(ex.matmul(W, a), b) == ex.zeros_like(W)


def test_there_is_no_matrix_in_front_of_a_transposed_leaf():
    assert matrix_in_front(ex.matmul(b, ex.transpose(a)), a) is None
