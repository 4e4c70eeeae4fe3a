"""Inputs given as whole numbers: gathered, added up by index, checked; never one-hot at the size of a vocabulary."""

from __future__ import annotations

import re

import numpy as np
import pytest

from derive.derivation import derive
from derive.language import read_cell
from numeric.source import generate
from tests.generated import module_of
from tests.oracle import assert_close

TEXT = """
index word
index tag
e[t] = embed(E, word[t])
h[t] = tanh(W @ h[t-1] + U @ e[t] + R @ word[t] + b)
g[t] = sigmoid(A @ h[t-1] + B @ word[t] + k)
y[t] = softmax(V @ (h[t] * g[t]) + c)
loss[t] = cross_entropy(y[t], tag[t])
"""
T, BATCH = 4, 3


def sides():
    """The module with indices, the same cell with real columns, and numbers for both."""
    with_index = module_of(generate(derive(read_cell(TEXT, "indexed"))))
    plain = re.sub("index .*\n", "", TEXT).replace("embed(E, word[t])", "E @ word[t]")
    dense = module_of(generate(derive(read_cell(plain, "dense"))))
    rng = np.random.default_rng(0)
    shapes = dict(zip(read_cell(TEXT).dims, (3, 7, 4, 5), strict=True))
    params = {
        k: rng.standard_normal(v) for k, v in with_index.parameter_shapes(*shapes.values()).items()
    }
    word, tag = rng.integers(0, params["E"].shape[1], (T, BATCH)), rng.integers(0, 4, (T, BATCH))
    classes = params["V"].shape[0]
    state = {"h": rng.standard_normal((BATCH, params["W"].shape[0]))}
    columns = [np.eye(params["E"].shape[1])[word], np.eye(classes)[tag % classes]]
    return with_index, dense, params, [word, tag % classes], columns, state


def test_an_index_is_the_column_with_a_one_at_its_place() -> None:
    with_index, dense, params, indices, columns, state = sides()
    outputs, final, cache = with_index.forward(params, *indices, state)
    true, ends, dense_cache = dense.forward(params, *columns, state)
    assert_close(outputs, true, 1e-14)
    assert_close(final, ends, 1e-14)
    rng = np.random.default_rng(1)
    bars = {k: rng.standard_normal(v.shape) for k, v in outputs.items()}
    found = with_index.backward(params, cache, bars, final)
    expected = dense.backward(params, dense_cache, bars, ends)
    assert_close(found[0], expected[0], 1e-13)
    assert found[1] == {}
    assert_close(found[2], expected[2], 1e-13)


def test_an_embedding_forms_no_column_of_the_vocabulary() -> None:
    source = generate(
        derive(read_cell("e[t] = embed(E, word[t])\nh[t] = tanh(W @ h[t-1] + U @ e[t])"))
    )
    assert "columns(E, word)" in source
    assert "scatter_sum(" in source
    assert "one_hot(" not in source


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.astype(float), "word has dtype float64: expected whole numbers"),
        (lambda w: w[..., None], "word has shape"),
        (lambda w: w - 100, "word holds .*: expected numbers from 0 to 6"),
        (lambda w: w + 7, "word holds .*: expected numbers from 0 to 6"),
        (lambda w: w[:, 0], "word has shape"),
        (lambda w: w.astype(bool), "word has dtype bool"),
    ],
)
def test_a_wrong_index_is_refused_by_name(change, said) -> None:
    with_index, _, params, (word, tag), _, state = sides()
    params = (
        {**params, "E": np.ones((*params["E"].shape[:1], 7))}
        if params["E"].shape[1] != 7
        else params
    )
    with pytest.raises((ValueError, TypeError), match=said):
        with_index.forward(params, change(word), tag, state)


def test_a_step_takes_one_index_a_sample() -> None:
    with_index, _, params, (word, tag), _, state = sides()
    outputs, _, _ = with_index.forward(params, word, tag, state)
    first, _ = with_index.step(params, word[0], tag[0], state)
    assert_close(first, {k: v[0] for k, v in outputs.items()}, 1e-14)


def test_the_file_says_which_inputs_are_indices() -> None:
    source = generate(derive(read_cell(TEXT, "indexed")))
    equations = re.search(r'EQUATIONS = """\\\n(.*?)"""', source, re.DOTALL)
    assert equations
    again = read_cell(equations[1], "again")
    assert [(q.name, q.kind) for q in again.inputs] == [("word", "index"), ("tag", "index")]
