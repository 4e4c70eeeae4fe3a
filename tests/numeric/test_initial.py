"""How parameters start: as declared, else by habit; the same seed gives the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

from derive.catalog import load, shipped
from derive.language import read_cell
from numeric.initial import only_added, start_of
from tests.generated import read_module, shipped_module
from tests.oracle import SIZES, shape_of, sizes_of

TEXT = """
dim h = n
dim s = 1
dim r = 1, m
h[t] = tanh(W @ h[t-1] + U @ x[t] + b + s * p + (r @ x[t]) * h[t-1])
"""


def started(text: str, **keywords):
    return read_module(text)[1].init_params(4, 3, **keywords)


def test_numbers_that_are_only_added_start_at_zero_as_biases_do():
    text = (
        "dim a = 1\ndim b = 1\ndim c = 1\ndim d = 1\ndim s = 1\ns[t] = sigmoid(w.T @ x[t] - 2 * a)\n"
        "h[t] = s[t] * h[t-1] + b * (tanh(W @ x[t] + c) + c) + (1 - d) * (x[t] + d) / 2\n"
    )
    cell = read_cell(text)
    assert only_added(cell) == {"a", "c", "d"}
    starts = {name: str(start_of(cell, cell.quantity(name))) for name in "abcd"}
    assert starts == {"a": "zeros", "b": "ones", "c": "zeros", "d": "zeros"}


def test_square_matrices_start_orthogonal_others_by_glorot_vectors_at_zero_scalars_at_one():
    params = started(TEXT)
    np.testing.assert_allclose(params["W"] @ params["W"].T, np.eye(4), atol=1e-14)
    assert 0 < np.abs(params["U"]).max() <= np.sqrt(6 / 7)
    assert 0 < np.abs(params["r"]).max() <= np.sqrt(6 / 4)
    assert not params["b"].any()
    assert params["s"] == 1
    assert params["s"].shape == ()


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("identity", np.eye(4)),
        ("zeros", np.zeros((4, 4))),
        ("ones", np.ones((4, 4))),
        ("0.5", np.full((4, 4), 0.5)),
        ("-2", np.full((4, 4), -2.0)),
    ],
)
def test_a_declared_start_is_taken(how, expected):
    np.testing.assert_array_equal(started(f"{TEXT}init W = {how}\n")["W"], expected)


@pytest.mark.parametrize("how", ["orthogonal", "glorot"])
def test_a_vector_may_start_at_random(how):
    b = started(f"{TEXT}init b = {how}\n")["b"]
    assert b.shape == (4,)
    assert b.all()
    if how == "orthogonal":
        assert np.linalg.norm(b) == pytest.approx(1)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others():
    one, again, other = started(TEXT, seed=5), started(TEXT, seed=5), started(TEXT, seed=6)
    for name in one:
        np.testing.assert_array_equal(one[name], again[name])
    assert (one["W"] != other["W"]).any()
    assert (started(TEXT)["W"] != one["W"]).any()


def test_a_lower_precision_rounds_the_same_numbers():
    small, wide = started(TEXT, dtype=np.float32), started(TEXT)
    assert {v.dtype.name for v in small.values()} == {"float32"}
    np.testing.assert_allclose(small["W"], wide["W"], rtol=1e-6)


@pytest.mark.parametrize("entry", shipped(), ids=lambda entry: entry.name)
def test_a_shipped_cell_starts_with_the_shapes_that_it_tells(entry):
    module, cell = shipped_module(entry.name), load(entry.name)
    sizes = SIZES[: len(cell.dims)]
    params, shapes = module.init_params(*sizes), module.parameter_shapes(*sizes)
    assert {name: value.shape for name, value in params.items()} == shapes
    assert params.keys() == {q.name for q in cell.parameters}
    state = module.init_state(5, *sizes)
    for q in cell.states:
        rows, cols = shape_of(q.symbol, sizes_of(cell))
        own = (rows,) if cols == 1 else (rows, cols)
        assert state[q.name].shape == ((5, *own) if q.depth == 1 else (q.depth, 5, *own))
        assert not state[q.name].any()


def test_a_forget_gate_starts_open():
    assert (shipped_module("lstm").init_params(3, 2)["b_f"] == 1).all()
    assert not shipped_module("lstm").init_params(3, 2)["b_i"].any()
