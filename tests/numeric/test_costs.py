"""What a cell costs, counted by hand and seen in its code; one too large is refused before anything is drawn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sympy import Symbol

from derive import catalog
from derive.derivation import derive
from derive.errors import ArgumentError
from derive.language import read_cell
from numeric.costs import MOST_PARAMETERS, B, T, costs, refuse_beyond, refuse_long, refuse_wide
from numeric.setting import Setting
from tests.generated import shipped_module


def test_absurd_sizes_are_refused_with_the_size_and_the_limit() -> None:
    cell = catalog.load("lstm")
    n, m = cell.dims
    refuse_beyond(cell, {n: 1000, m: 1000})
    with pytest.raises(ArgumentError, match=r"1,600,160,000 trained .* n = 20,000, m = 1; at most"):
        refuse_beyond(cell, {n: 20_000, m: 1})
    assert MOST_PARAMETERS == 2**27


def test_a_run_of_which_only_the_whole_is_absurd_is_refused_with_its_work() -> None:
    cell = catalog.load("elman")
    n, m = cell.dims
    refuse_long(cell, {n: 32, m: 16}, 10**7)
    refuse_long(cell, {n: 4000, m: 16}, 10**5)
    with pytest.raises(
        ArgumentError, match=r"m = 16; over T = 10,000,000 steps these are 1.6e\+14"
    ):
        refuse_long(cell, {n: 4000, m: 16}, 10**7)


def test_a_state_that_is_too_wide_to_be_followed_is_refused_with_its_width() -> None:
    cell = catalog.load("lstm")
    n, m = cell.dims
    refuse_wide(cell, {n: 2048, m: 3})
    with pytest.raises(
        ArgumentError, match=r"has 5,000 entries at n = 2,500, m = 3; .* most 4,096"
    ):
        refuse_wide(cell, {n: 2500, m: 3})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"steps": 10**15}, "T = 1,000,000,000,000,000: expected a whole number from 1 to 10,000"),
        ({"n": 10**9}, "n = 1,000,000,000: .* to 20,000"),
        ({"m": 0}, "m = 0: expected a whole number from 1"),
        ({"gain": math.nan}, "gain = nan: expected a number from -1,000,000,000 to"),
        ({"inputs": -1.0}, "inputs = -1: expected a number from 0 to"),
        ({"values": {"b": math.inf}}, "b = inf: expected a number from"),
    ],
)
def test_a_setting_outside_the_limits_is_refused_with_the_value_and_the_limit(
    given: dict[str, Any], says: str
) -> None:
    with pytest.raises(ArgumentError, match=says):
        Setting(**given)


@pytest.mark.parametrize(
    ("name", "operations", "memory"),
    [
        ("elman", "2*n*n + 2*n*m + 3*n", 1),
        ("leaky", "2*n*n + 2*n*m + 6*n + 1", 2),
        ("lstm", "8*n*n + 8*n*m + 17*n", 7),
        ("gru", "6*n*n + 6*n*m + 14*n", 5),
    ],
)
def test_costs_are_those_counted_by_hand(name: str, operations: str, memory: int) -> None:
    cell = catalog.load(name)
    n, m = (Symbol(str(d)) for d in cell.dims)
    found = costs(derive(cell))
    by_hand = sum(_term(term, n, m) for term in operations.split(" + "))
    names = {d: Symbol(str(d)) for d in cell.dims}
    assert (found.operations.subs(names) - T * B * by_hand).expand() == 0
    assert found.memory.subs(names) == memory * T * B * n


@pytest.mark.parametrize(
    ("text", "operations"),
    [
        ("h[t] = tanh(W @ V @ h[t-1])\ndim W = n, m", "2*n*m + 2*n*m + n"),  # V h first
        ("h[t] = (h[t-1].T @ U @ h[t-1]) * x[t]\ndim x = n", "2*n*n + 2*n + n"),
        ("h[t] = 0.5 * h[t-1] - 3 * (W @ h[t-1])", "n + n + 2*n*n + n"),
        ("h[t] = mean(h[t-1]) - h[t-1]", "1 + 1 + n"),  # the sum, by 1/n, and the difference
        ("S[t] = S[t-1] + h[t] @ k[t].T\nh[t] = -h[t-1]\ndim k = m", "n*m + n*m"),
        ("H[t] = diag(a[t]) @ H[t-1] @ diag(b[t])\ndim H = n, m", "2*n*m"),
        ("h[t] = h[t-1] * embed(E, word[t])", "n"),
        ("h[t] = W @ concat(h[t-1], x[t])", "2*n*n + 2*n*m"),
    ],
)
def test_a_product_begins_at_its_vector_and_what_computes_nothing_costs_nothing(
    text: str, operations: str
) -> None:
    cell = read_cell(text, "counted")
    names = {d: Symbol(str(d)) for d in cell.dims}
    by_hand = sum(_term(term, Symbol("n"), Symbol("m")) for term in operations.split(" + "))
    found = costs(derive(cell)).operations.subs(names)
    assert (found - T * B * by_hand).expand() == 0


def _term(text: str, n: Symbol, m: Symbol) -> Any:
    """A term such as 8*n*m."""
    value: Any = 1
    for factor in text.split("*"):
        value *= {"n": n, "m": m}.get(factor) or int(factor)
    return value


@pytest.mark.parametrize("name", [e.name for e in catalog.shipped()])
def test_the_memory_is_what_the_generated_code_keeps(name: str) -> None:
    cell = catalog.load(name)
    module = shipped_module(name)
    sizes = dict(zip(cell.dims, (3, 4, 5, 6), strict=False))
    params = module.init_params(*sizes.values())
    steps, samples = 5, 2
    inputs = [np.ones((steps, samples, *_axes(q.shape, sizes))) for q in cell.inputs]
    keywords = {} if cell.inputs else {"steps": steps}
    _, _, cache = module.forward(params, *inputs, **keywords)
    made = {a.target.name for a in derive(cell).assignments}
    kept = sum(
        int(np.prod(np.shape(value)[1:])) * steps for key, value in cache.items() if key in made
    )
    assert costs(derive(cell)).memory.subs({**sizes, T: steps, B: samples}) == kept


def _axes(shape: tuple[Any, Any], sizes: dict[Any, int]) -> tuple[int, ...]:
    rows, columns = (int(side.subs(sizes)) for side in shape)
    return () if (rows, columns) == (1, 1) else (rows,) if columns == 1 else (rows, columns)
