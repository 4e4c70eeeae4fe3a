"""Compiled files: equal to the equations whichever way their steps run, and functions good to the last places."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from derive.catalog import load, shipped
from derive.derivation import derive
from derive.language import read_cell
from numeric.buffers import multiplier
from numeric.compiled_source import generate_compiled
from numeric.compiled_text import SIMPLE, function_text, lambert
from tests.generated import module_of
from tests.numeric.test_source import right_on
from tests.oracle import sample

ODD = {
    "every function": (
        "h[t] = softplus(W @ h[t-1]) + abs(V @ x[t]) * sin(h[t-1]) - cos(h[t-1]) / exp(h[t-1]**2)"
        " + log(2 + sigmoid(x[t])) + relu(h[t-1])\n"
    ),
    "formulas between products": (
        "S[t] = 0.5 * S[t-1] + x[t] @ x[t].T\nh[t] = tanh(W @ h[t-1] + S[t] @ x[t] + b)\n"
    ),
    "gates of one number with biases of one number": (
        "dim f = 1\ndim i = 1\nf[t] = sigmoid(w @ h[t-1] + b)\ni[t] = sigmoid(v @ h[t-1] + c)\n"
        "h[t] = f[t] * h[t-1] + i[t] * tanh(W @ h[t-1] + U @ x[t] + a)\n"
    ),
    "a gate that the inputs alone make": (
        "f[t] = sigmoid(V @ x[t-1] + 0.5)\nh[t] = tanh(sigmoid(U @ x[t-1] + h[t-1]) + f[t] * h[t-2])\n"
    ),
}  # fmt: skip


def compiled_module(cell, *, small: int, piece: int = 10**6):
    """The compiled file of a cell, with these sizes of a step in one function and of a product in one piece."""
    pytest.importorskip("numba", reason="numba is not installed: make frameworks")
    module = module_of(generate_compiled(derive(cell)), cell.name)
    module.SMALL_STEP, module.STRETCH_ROWS, module.PIECE_SIZE = small, 6, piece
    return module


@pytest.mark.parametrize(
    ("name", "small"),
    [("lstm", 0), ("gru_reset_after", 10**9), ("skip", 0), ("slstm", 10**9)],
    ids=str,
)
def test_the_compiled_code_of_a_shipped_cell_is_right(name, small):
    cell = load(name)
    right_on(sample(cell, T=7, B=2, seed=3), 1e-12, compiled_module(cell, small=small))


@pytest.mark.parametrize("name", ["lstm", "gru", "skip", "slstm"])
@pytest.mark.parametrize("piece", [0, 100])
def test_products_in_pieces_are_right(name, piece):
    cell = load(name)
    right_on(sample(cell, T=5, B=4, seed=3), 1e-12, compiled_module(cell, small=0, piece=piece))


@pytest.mark.parametrize(("B", "pieces"), [(1, 1), (2, 2), (4, 4), (5, 8), (32, 8), (33, 1)])
def test_a_product_for_few_samples_is_made_in_as_many_pieces_as_it_takes(B, pieces, monkeypatch):
    seen = []
    monkeypatch.setattr(
        np, "matmul", lambda *given, at=np.matmul: (seen.append(given[1].shape), at(*given))
    )
    rng = np.random.default_rng(0)
    vectors, matrix, out = (rng.standard_normal(s) for s in ((B, 5), (5, 16), (B, 16)))
    multiplier(matrix, B, 5 * 16)(vectors, out)
    np.testing.assert_allclose(out, vectors.dot(matrix), rtol=1e-14)
    assert seen == ([(pieces, 5, 16 // pieces)] if pieces > 1 else [])


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_the_compiled_code_of_an_odd_cell_is_right(text):
    cell = read_cell(text, "odd")
    right_on(sample(cell, T=5, B=2), 1e-11, compiled_module(cell, small=10**9))


@pytest.mark.parametrize("entry", shipped(), ids=lambda entry: entry.name)
def test_every_shipped_cell_has_a_compiled_file_and_always_the_same(entry):
    source = generate_compiled(derive(load(entry.name)))
    assert source == generate_compiled(derive(load(entry.name)))
    compile(source, entry.name, "exec")


def test_a_parameter_that_changed_its_shape_between_two_runs_is_refused():
    module = compiled_module(load("lstm"), small=10**9)
    params = module.init_params(4, 2)
    x, ws = np.ones((3, 1, 2)), module.Workspace(3, 1, 4, 2, np.dtype(np.float64))
    module.forward(params, x, workspace=ws)
    params["U_g"].resize((2, 4), refcheck=False)
    with pytest.raises(ValueError, match="another shape"):
        module.forward(params, x, workspace=ws)


@pytest.mark.parametrize(("dtype", "places"), [(np.float32, 2.0), (np.float64, 2.0)])
def test_the_compiled_tanh_is_good_to_two_units_in_the_last_place(dtype, places):
    module = compiled_module(load("elman_bare"), small=0)
    from numba import njit

    tanh_of = module.tanh_of

    @njit
    def all_of(x, out):
        for j in range(x.shape[0]):
            out[j] = tanh_of(x[j])

    x = np.concatenate(
        [
            np.linspace(-25, 25, 20_001),
            np.geomspace(2**-12, 20, 500_001),
            10.0 ** np.linspace(-30, 2, 3001),
            [0.0, 1e30, -1e30],
        ]
    ).astype(dtype)
    found = np.empty_like(x)
    all_of(x, found)
    true = np.tanh(x.astype(np.longdouble))
    error = np.abs(found - true) / np.maximum(np.abs(true), 1e-300)
    assert error.max() < places * np.finfo(dtype).eps
    assert np.abs(found).max() == 1
    out = np.empty(3, dtype)
    all_of(np.asarray([np.inf, -np.inf, np.nan], dtype), out)
    assert out[0] == 1
    assert out[1] == -1
    assert np.isnan(out[2])


@pytest.mark.parametrize(("dtype", "terms", "top"), [("float32", 7, 9.02), ("float64", 15, 19.07)])
def test_one_term_of_the_continued_fraction_less_would_be_seen(dtype, terms, top):
    x = np.linspace(1e-3, top, 2001, dtype=np.longdouble)
    true = np.tanh(x)

    def error(terms):
        p, q = (
            sum(np.longdouble(c) * (x / 2) ** (2 * k) for k, c in enumerate(side))
            for side in lambert(terms)
        )
        a, b = x / 2 * p, q
        return float(np.abs(2 * a * b / (a * a + b * b) / true - 1).max() / np.finfo(dtype).epsneg)

    assert error(terms) < 0.5 < error(terms - 1)
    assert f"{dtype}(-{top})" in function_text("tanh")
    assert 1 - np.tanh(np.longdouble(top)) < np.finfo(dtype).epsneg / 2


def test_float32_stays_float32_in_compiled_loops():
    cell = load("gru")
    module = compiled_module(cell, small=10**9)
    params = module.init_params(3, 2, seed=1, dtype=np.float32)
    x = np.random.default_rng(0).standard_normal((5, 2, 2)).astype(np.float32)
    outputs, final, cache = module.forward(params, x)
    bars = module.backward(params, cache, {"h": np.ones_like(outputs["h"])})
    for group in (outputs, final, *bars):
        assert {v.dtype for v in group.values()} == {np.dtype("float32")}


class Seen(float):
    """A number that notes what comparisons with it say."""

    said: ClassVar[dict[str, set[bool]]] = {}

    @property
    def real(self):
        return self

    def __gt__(self, other):
        self.said.setdefault(">", set()).add(float(self) > other)
        return float(self) > other

    def __lt__(self, other):
        self.said.setdefault("<", set()).add(float(self) < other)
        return float(self) < other


def test_the_sign_has_no_branch_that_only_zero_takes():
    module = module_of(f"def sign(x):\n    {SIMPLE['sign'][1]}\n", "signs")
    assert [module.sign(Seen(x)) for x in (-2.0, 3.0)] == [-1.0, 1.0]
    assert Seen.said == {">": {False, True}, "<": {False, True}}
    assert module.sign(Seen(0.0)) == 0.0
