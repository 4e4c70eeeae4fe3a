"""Scans over whole numbers, where nothing rounds; and files that compute all steps together, against the ordinary."""

from __future__ import annotations

from functools import cache
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.catalog import load
from derive.derivation import derive
from derive.errors import ArgumentError
from derive.language import read_cell
from derive.network_derivation import derive_network
from derive.network_language import read_network
from numeric import scans
from numeric.additions import Additions, additions_in, generate_with
from numeric.network_source import generate_network
from numeric.scan_source import generate_scan
from numeric.source import generate
from tests.generated import module_of
from tests.networks import CELLS
from tests.numeric.test_truncated import assert_same


def whole(rng, *shape: int) -> np.ndarray:
    return rng.integers(-9, 10, shape).astype(object)


@given(
    T=st.integers(1, 60),
    edges=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(1, 3)), min_size=1, unique=True
    ),
    width=st.sampled_from([1, 3, 200]),
    seed=st.integers(0, 99),
)
@settings(max_examples=40)
def test_a_coupled_scan_is_the_recurrence_and_its_adjoint_is_the_transpose(T, edges, width, seed):
    rng = np.random.default_rng(seed)
    factors = [(i, j, d, whole(rng, T, width)) for i, j, d in edges]
    rests = [whole(rng, T, width) for _ in range(3)]
    before = [whole(rng, 3, width) for _ in range(3)]
    found = scans.coupled_scan(factors, rests, before)
    h = [np.concatenate((start, b)) for start, b in zip(before, rests, strict=True)]
    for t in range(T):
        for i, j, d, a in factors:
            h[i][3 + t] += a[t] * h[j][3 + t - d]
    assert all(np.array_equal(p, q[3:]) for p, q in zip(found, h, strict=True))
    bars = [whole(rng, T, width) for _ in range(3)]
    back = scans.coupled_adjoint_scan(factors, bars)
    still = [np.zeros_like(start) for start in before]
    there = scans.coupled_scan(factors, rests, still)
    inner = lambda p, q: sum(int((x * y).sum()) for x, y in zip(p, q, strict=True))  # noqa: E731
    assert inner(there, bars) == inner(rests, back)  # ⟨S b, h̄⟩ = ⟨b, Sᵀ h̄⟩


@given(T=st.integers(1, 300), width=st.sampled_from([1, 5, 300, 1100]), seed=st.integers(0, 9))
@settings(max_examples=30)
def test_a_scan_and_a_running_sum_are_the_recurrence(T, width, seed):
    rng = np.random.default_rng(seed)
    a, b, before = (rng.uniform(-1, 1, (T, width)) for _ in range(3))
    h, total, true, sums = before[0], before[0], [], []
    for t in range(T):
        h, total = a[t] * h + b[t], total + b[t]
        true.append(h)
        sums.append(total)
    np.testing.assert_allclose(scans.linear_scan(a, b, before[:1]), true, rtol=0, atol=1e-13)
    np.testing.assert_allclose(scans.running_sum(b, before[:1]), sums, rtol=0, atol=1e-12)


def test_factors_that_vanish_or_underflow_do_no_harm():
    T = 400
    for value in (0.0, 1e-300, 1.0):
        a, b = np.full((T, 2), value), np.ones((T, 2))
        a[::7] = 0.0
        with np.errstate(all="raise", under="ignore"):
            found = scans.linear_scan(a, b, np.full((1, 2), 5.0))
        h = np.full(2, 5.0)
        for t in range(T):
            h = a[t] * h + b[t]
            np.testing.assert_allclose(found[t], h, rtol=1e-12)


def test_steps_are_taken_together_where_they_are_narrow_and_apart_where_they_are_wide():
    assert scans.chunks_of(10000, 1) == (100, 100)
    assert scans.chunks_of(10000, 1024) == (1, 10000)
    for T in (1, 2, 7, 100, 999):
        count, length = scans.chunks_of(T, 3)
        assert (count - 1) * length < T <= count * length


# ── files ───────────────────────────────────────────────────────────────────────────────────────────

LAGGED = """
c[t] = f * c[t-1] + sigmoid(A @ x[t]) * c[t-2] + U @ x[t-1]
d[t] = c[t-1] * g + d[t-3] * tanh(Q @ x[t-1])
y[t] = tanh(W @ d[t] + V @ c[t-1])
"""
ALONE = "const a = 0.5\nh[t] = a * h[t-2] + tanh(U @ x[t])"
APART = """
h[t] = 0.5 * h[t-1] + U @ x[t]
y[t] = tanh(V @ x[t])
s[t] = sin(W @ concat(y[t-1], x[t]))
"""
SCANNED = [
    "lru", "mingru", "minlstm", "rglru", "selective_ssm", "linear_attention", "linear_attention_gated", "rwkv",
    "mlstm", "lagged", "alone", "apart",
]  # fmt: skip
TEXTS = {"lagged": LAGGED, "alone": ALONE, "apart": APART}


@cache
def both(name: str) -> tuple[ModuleType, ModuleType, tuple]:
    cell = read_cell(TEXTS[name], name) if name in TEXTS else load(name)
    d = derive(cell)
    return module_of(generate(d)), module_of(generate_scan(d)), cell.dims


@pytest.mark.parametrize("name", SCANNED)
@pytest.mark.parametrize("T", [1, 2, 130])
def test_all_steps_together_give_what_one_after_the_other_gives(name, T):
    ordinary, scanned, dims = both(name)
    rng, sizes = np.random.default_rng(T), range(2, 2 + len(dims))
    params = {k: 0.4 * rng.standard_normal(s) for k, s in ordinary.parameter_shapes(*sizes).items()}
    zeros = ordinary.init_state(2, *sizes)
    state = {k: rng.uniform(0.5, 1, v.shape) for k, v in zeros.items()}
    width = next(d for d, s in zip(sizes, dims, strict=True) if name == "rglru" or str(s) == "m")
    x = rng.standard_normal((T, 2, width))
    true = ordinary.forward(params, x, state)
    found = scanned.forward(params, x, state)
    assert_same(found[:2], true[:2], 1e-11)
    bars, ends = [{k: rng.standard_normal(v.shape) for k, v in part.items()} for part in true[:2]]
    assert_same(
        scanned.backward(params, found[2], bars, ends),
        ordinary.backward(params, true[2], bars, ends),
        1e-10,
    )


def test_there_is_no_loop_over_steps_and_no_quotient_in_such_a_file():
    source = generate_scan(derive(load("lru")))
    body = source[source.index("def forward(") : source.index("def step(")]
    assert "for t in" not in body
    assert additions_in(source) == Additions(scan=True)
    assert not additions_in(generate(derive(load("lru")))).scan


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("gru", "its recurrence is not linear in its state"),
        ("elman:g=identity", "mixes the entries of a state"),
        ("deltanet", "mixes the entries of a state"),
    ],
)
def test_a_recurrence_that_allows_no_scan_is_refused_with_the_reason(name, why):
    with pytest.raises(ArgumentError, match=why):
        generate_scan(derive(load(name)))


def test_a_state_that_reads_a_state_of_its_own_step_is_refused():
    text = "c[t] = f * c[t-1] + x[t]\nu[t] = c[t] * g\nd[t] = d[t-1] + u[t]\n"
    with pytest.raises(ArgumentError, match=r"d\[t\] reads c\[t\], a state of the same step"):
        generate_scan(derive(read_cell(text, "chain")))


NET = "ragged t\nf = scan(mingru, x[t])\ng = scan(lru, f.h[t], reverse)\nk = scan(gru, g.y[t])\n"


def test_a_network_scans_what_it_can_and_loops_over_the_rest():
    d = derive_network(read_network(NET, "net", CELLS.get))
    source = generate_with(d, Additions(scan=True))
    assert source.count("for t in range(T)") == 1
    ordinary, scanned = module_of(generate_network(d)), module_of(source)
    rng = np.random.default_rng(0)
    shapes = ordinary.parameter_shapes
    sizes = range(2, 2 + shapes.__code__.co_argcount)
    params = {k: 0.4 * rng.standard_normal(s) for k, s in shapes(*sizes).items()}
    x = rng.standard_normal((40, 3, params["f_W_z"].shape[1]))
    lengths = np.array([40, 17, 1])
    true = ordinary.forward(params, x, lengths_t=lengths)
    found = scanned.forward(params, x, lengths_t=lengths)
    assert_same(found[:2], true[:2], 1e-11)
    bars = {k: rng.standard_normal(v.shape) for k, v in true[0].items()}
    mine, theirs = (m.backward(params, r[2], bars) for m, r in ((scanned, found), (ordinary, true)))
    assert_same(mine, theirs, 1e-10)


def test_a_network_without_such_a_recurrence_is_refused():
    d = derive_network(read_network("f = scan(gru, x[t])\n", "net", CELLS.get))
    with pytest.raises(ArgumentError, match="no recurrence of it allows one"):
        generate_with(d, Additions(scan=True))
