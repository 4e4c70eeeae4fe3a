"""Each initialiser against its law: variance, bounds, orthogonality, and the quantiles of a gate's bias."""

from __future__ import annotations

import numpy as np
import pytest

from derive.errors import CellError, LanguageError
from derive.language import read_cell
from derive.starts import cell_started
from numeric import initialisers
from tests.generated import module_of, read_module
from tests.networks import read, source_of

N, M = 240, 60
TEXT = "h[t] = tanh(W @ h[t-1] + U @ x[t] + b)\n"


def started(text: str, seed: int = 0, **keywords) -> dict:
    return read_module(TEXT + text)[1].init_params(N, M, seed=seed, **keywords)


VARIANCES = {
    "glorot": 2 / (N + M),
    "glorot_normal": 2 / (N + M),
    "he": 2 / M,
    "he_uniform": 2 / M,
    "normal": 1 / M,
}


@pytest.mark.parametrize("kind", VARIANCES)
def test_the_variance_is_that_of_the_law(kind):
    U = started(f"init U = {kind}")["U"]
    spread = 6 * np.sqrt(
        2 / U.size
    )  # six standard errors of a normal's variance; a uniform's are smaller
    assert abs(U.var() / VARIANCES[kind] - 1) < spread
    assert abs(U.mean()) < 6 * np.sqrt(VARIANCES[kind] / U.size)
    uniform = kind in ("glorot", "he_uniform")
    bound = np.sqrt(3 * VARIANCES[kind])
    assert bool(np.abs(U).max() <= bound) is uniform
    assert np.abs(U).max() > 0.99 * bound


@pytest.mark.parametrize(("kind", "name"), [("he", "U"), ("orthogonal", "W"), ("identity", "W")])
def test_a_factor_in_brackets_multiplies(kind, name):
    one, more = started(f"init {name} = {kind}")[name], started(f"init {name} = {kind}(3/2)")[name]
    np.testing.assert_allclose(more, 1.5 * one, rtol=1e-15)
    less = started(f"init {name} = {kind}(-2)")[name]
    np.testing.assert_allclose(less, -2 * one, rtol=1e-15)


def test_orthogonal_matrices_keep_lengths_and_are_not_always_the_same():
    params = started("init W = orthogonal\ninit U = orthogonal")
    np.testing.assert_allclose(params["W"].T @ params["W"], np.eye(N), atol=1e-13)
    np.testing.assert_allclose(params["U"].T @ params["U"], np.eye(M), atol=1e-13)
    traces = [np.trace(started("init W = orthogonal", seed)["W"]) for seed in range(12)]
    assert (
        np.abs(np.mean(traces)) < 2
    )  # Haar measure: mean 0, variance 1; a QR without signs is far off
    assert np.std(traces) > 0.2


def test_chrono_spreads_a_gates_memory_evenly_up_to_the_longest_lag():
    T = 50
    u = np.exp(np.sort(started(f"init b = chrono({T})")["b"]))
    assert u.min() >= 1
    assert u.max() <= T - 1
    quantiles = (np.arange(N) + 0.5) / N
    apart = np.abs((u - 1) / (T - 2) - quantiles).max()
    assert apart < 1.95 / np.sqrt(N)  # Kolmogorov and Smirnov at one in a thousand
    forgetting = 1 / (1 - u / (1 + u))  # 1 / (1 - sigmoid(b)) steps
    assert forgetting.max() <= T


def test_an_input_gate_starts_as_minus_the_forget_gate():
    text = "h[t] = sigmoid(V @ h[t-1] + a) * h[t-1] + sigmoid(W @ h[t-1] + b) * tanh(U @ x[t])\n"
    _, module = read_module(f"{text}init a = -b\ninit b = chrono(30)\n")
    params = module.init_params(5, 3, seed=4)
    np.testing.assert_array_equal(params["a"], -params["b"])
    assert (params["b"] >= 0).all()
    assert params["b"].any()
    _, negative = read_module(f"{text}init b = -chrono(30)\n")
    assert (negative.init_params(5, 3)["b"] <= 0).all()


def test_he_counts_what_comes_in_however_the_product_is_written():
    _, turned = read_module("h[t] = tanh(W.T @ h[t-1] + U.T @ x[t])\ninit U = he\n")
    U = turned.init_params(N, M)["U"]
    assert U.shape == (M, N)
    assert abs(U.var() * M / 2 - 1) < 0.1
    _, rows = read_module("dim x = 1, m\ndim h = 1, n\nh[t] = tanh(x[t] @ U + h[t-1] @ W)\ninit U = he\n")  # fmt: skip
    U = rows.init_params(N, M)["U"]
    assert U.shape == (M, N)
    assert abs(U.var() * M / 2 - 1) < 0.1


def test_a_networks_own_start_wins_over_that_of_the_cell():
    text = "f = scan(lstm, x[t])\ninit f.b_f = 3\ninit f.b_i = -f.b_f\ninit f.W_g = identity(2)\n"
    params = module_of(source_of(read(text))).init_params(4, 3)
    assert (params["f_b_f"] == 3).all()
    assert (params["f_b_i"] == -3).all()
    np.testing.assert_array_equal(params["f_W_g"], 2 * np.eye(4))
    assert (
        module_of(source_of(read("f = scan(lstm, x[t])"))).init_params(4, 3)["f_b_f"] == 1
    ).all()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "init W = orthogonl",
            "minus another parameter; found `orthogonl`. Did you mean orthogonal?",
        ),
        ("init b = chrono", "T, the longest lag, as in chrono(100)"),
        ("init b = chrono(2)", "above 2"),
        ("init b = chrono(9", "never closed"),
        ("init U = identity", "the identity is square"),
        ("init b = -c", "c, which is no parameter here"),
        ("init b = -h", "h, which is no parameter here"),
        ("init U = -W", "only if they are alike"),
        ("init b = -b", "starts from b"),
        ("init b = zeros(3)", "the end of the line"),
    ],
)
def test_a_start_that_does_not_fit_is_refused_with_a_caret(line, told):
    with pytest.raises(CellError) as caught:
        read_cell(TEXT + line + "\n")
    assert told in str(caught.value)
    assert "^" in str(caught.value)


def test_a_user_chooses_otherwise_than_the_author():
    cell = read_cell(TEXT + "init b = 1\ninit W = identity\n")
    other = cell_started(cell, {"b": "chrono(9)", "U": "he"})
    assert {k: str(v) for k, v in other.initial.items()} == {
        "W": "identity",
        "b": "chrono(9)",
        "U": "he",
    }
    assert cell_started(cell, {}) is cell
    with pytest.raises(LanguageError, match="has no parameter V"):
        cell_started(cell, {"V": "he"})


def test_an_orthogonal_start_is_orthogonal_on_its_shorter_side():
    rng = np.random.default_rng(0)
    for rows, cols in ((4, 4), (5, 2), (2, 5)):
        q = initialisers.orthogonal(rng, rows, cols, np.float64)
        gram = q.T @ q if rows >= cols else q @ q.T
        assert q.shape == (rows, cols)
        np.testing.assert_allclose(gram, np.eye(min(rows, cols)), atol=1e-14)


def test_an_orthogonal_start_has_no_preferred_sign():
    """Without the signs of R the first entries would all be negative."""
    first = [
        initialisers.orthogonal(np.random.default_rng(i), 3, 3, np.float64)[0, 0] for i in range(40)
    ]
    assert 5 < sum(v > 0 for v in first) < 35


def test_a_glorot_start_fills_its_interval():
    w = initialisers.glorot(np.random.default_rng(0), 60, 40, np.float32)
    bound = np.sqrt(6 / 100)
    assert w.dtype == np.float32
    assert 0.95 * bound < np.abs(w).max() <= bound
    assert abs(w.mean()) < 0.05 * bound
