"""Small files: right on every cell, whatever the sizes of stretches; nothing but states and outputs grows with T."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, note, settings

from derive.catalog import load
from derive.derivation import derive
from derive.language import read_cell
from numeric.fast_again import generate_small
from tests.generated import arguments, bars, called, module_of
from tests.numeric.test_source import ODD, every_cell, right_on
from tests.oracle import sample
from tests.strategies import samples


def small_module(cell, *, rows: int, size: int = 1_000_000):
    """The small file of a cell, with these sizes of stretches and blocks."""
    module = module_of(generate_small(derive(cell)), f"small {cell.name}")
    module.STRETCH_ROWS, module.BLOCK_BYTES = rows, size
    return module


@every_cell
@pytest.mark.parametrize(("rows", "size"), [(2, 1), (5, 600), (2048, 1_000_000)])
def test_the_small_code_of_a_shipped_cell_is_right(entry, rows, size):
    cell = load(entry.name)
    module = small_module(cell, rows=rows, size=size)
    right_on(sample(cell, T=7, B=2, seed=3), 1e-12, module)
    right_on(sample(cell, T=5, B=1, seed=4), 1e-12, module)


@pytest.mark.parametrize("rows", [3, 2048])
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_the_small_code_of_an_odd_cell_is_right(text, rows):
    cell = read_cell(text, "odd")
    right_on(sample(cell, T=4, B=3), 1e-11, small_module(cell, rows=rows))


@settings(max_examples=25)
@given(samples())
def test_the_small_code_of_a_random_cell_is_right(s):
    note(s.cell.text)
    right_on(s, 1e-9, small_module(s.cell, rows=4, size=200))


def test_a_quantity_may_be_called_like_what_computes_a_stretch_again():
    text = "h[t] = tanh(run_stretch @ h[t-1] + U @ x[t])\ny[t] = sigmoid(V @ h[t])"
    cell = read_cell(text, "named")
    right_on(sample(cell, T=5, B=2), 1e-11, small_module(cell, rows=4))


def test_an_output_that_is_no_state_is_kept_for_all_steps():
    text = "s[t] = tanh(W @ h[t-1] + U @ x[t])\nh[t] = s[t] * s[t]\n"
    cell = replace(read_cell(text, "seen"), exports=frozenset({"s"}))
    assert [q.name for q in cell.outputs] == ["h", "s"]
    right_on(sample(cell, T=6, B=2), 1e-12, small_module(cell, rows=4))


def test_backward_may_be_asked_for_again_and_a_workspace_used_again():
    cell = load("lstm")
    module, s = small_module(cell, rows=4), sample(cell, T=7, B=2)
    positional, keywords = arguments(s)
    keywords = called(module, keywords)
    _, _, cache = module.forward(*positional, **keywords)
    first, second = (module.backward(positional[0], cache, *bars(s)) for _ in range(2))
    kept = {"workspace": cache["workspace"]}
    _, _, cache = module.forward(*positional, **keywords, **kept)
    third = module.backward(positional[0], cache, *bars(s))
    for one, two, three in zip(first, second, third, strict=True):
        for name in one:
            np.testing.assert_array_equal(one[name], two[name])
            np.testing.assert_array_equal(one[name], three[name])


def test_only_states_and_outputs_grow_with_the_length():
    cell = load("lstm")
    module = small_module(cell, rows=128)
    rng, n, m, B = np.random.default_rng(0), 24, 3, 4
    params = module.init_params(n, m)

    def used(T: int) -> int:
        x, bar = rng.standard_normal((T, B, m)), np.ones((T, B, n))
        tracemalloc.start()
        try:
            _, _, cache = module.forward(params, x)
            module.backward(params, cache, {"h": bar})
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    used(64)
    more = used(2064) - used(64)
    states_and_gradients = 2000 * B * (2 * n + m) * 8
    assert more < 1.25 * states_and_gradients
