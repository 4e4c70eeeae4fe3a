"""Truncated backpropagation as a chapter of a derivation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.catalog import load
from derive.chapters import truncations
from derive.derivation import derive
from derive.errors import ArgumentError
from derive.network_derivation import derive_network
from derive.network_language import read_network
from derive.truncation import truncate, windows
from reports.strict import complaints
from tests.networks import CELLS, network_of


@given(T=st.integers(1, 40), k1=st.integers(1, 12), more=st.integers(0, 12))
def test_every_loss_is_seen_once_and_every_use_up_to_k2_minus_k1_steps_back(T, k1, more):
    k2 = k1 + more
    found = windows(T, k1, k2)
    seen = [t for w in found for t in range(w.seen + 1, w.last + 1)]
    assert seen == list(range(1, T + 1))
    for w in found:
        assert w.last - w.first + 1 == min(k2, w.last)
        for t in range(w.seen + 1, w.last + 1):
            kept = {t - k for k in range(1, t + 1) if w.first <= k}
            possible = set(range(t))
            assert {d for d in possible if d <= k2 - k1} <= kept
            assert not {d for d in possible if d >= k2} & kept


def test_the_windows_of_a_small_run():
    assert [(w.first, w.last, w.seen) for w in windows(7, 2, 3)] == [
        (1, 2, 0),
        (2, 4, 2),
        (4, 6, 4),
        (5, 7, 6),
    ]


def test_the_chapter_shows_the_cells_own_equations_in_a_window():
    text = truncate(derive(load("elman")), (2, 5)).text()
    assert "every k1 = 2 steps, k2 = 5 steps back" in text
    assert "h_bar(j)[t] = [t > e(j-1)] * dl_dh[t] + W.T @ delta_h(j)[t+1]" in text
    assert "W_bar = sum over j, t = b(j) ... e(j) of delta_h(j)[t] @ h[t-1].T" in text
    assert "dL/dtheta - truncated dL/dtheta = sum over k2 <= rho < T of G(rho)" in text


def test_a_chapter_as_data_has_every_line_with_its_number():
    chapter = truncate(derive(load("lstm")), (1, 3))
    steps = chapter.to_dict()["steps"]
    assert [s["number"] for s in steps] == list(range(1, len(chapter.lines) + 1))
    assert all(s["latex"] and s["text"] and s["title"] for s in steps)


def test_what_a_network_hands_on_is_not_cut_where_the_loss_is():
    network = read_network("f = scan(gru, x[t])\ny[t] = V @ f.h[t] + c\n", "net", CELLS.get)
    text = "".join(c.text() for c in truncations(derive_network(network), (2, 3)))
    assert "dL(j)_df_h[t] = [t > e(j-1)] * dl_df_h[t] + what later segments hand on" in text
    assert "[t > e(j-1)] * dl_dy[t]" in text


def test_what_is_held_is_summed_over_all_windows_as_a_parameter_is():
    first, *others = truncations(derive_network(network_of("attention")), (2, 3))
    text = first.text() + "".join(c.text() for c in others)
    assert (
        "K_bar = sum over j, t = b(j) ... e(j) of dec_Q @ dec_h[t-1] @ delta_dec_a(j)[t].T" in text
    )
    assert "gradient of K, the same at every step: it counts as a parameter does" in text
    assert "segment dec" in text
    assert "segment f" not in text


@pytest.mark.needs("node")
def test_katex_accepts_what_is_held():
    chapters = truncations(derive_network(network_of("attention")), (2, 3))
    assert complaints([line.latex for c in chapters for line in c.lines]) == []


@pytest.mark.needs("node")
@pytest.mark.parametrize("name", ["lstm", "skip", "linear_attention"])
def test_katex_accepts_every_line(name):
    found = truncate(derive(load(name)), (2, 4))
    assert complaints([line.latex for line in found.lines]) == []


@pytest.mark.parametrize("pair", [(0, 1), (3, 2), (1, 10**8)])
def test_what_is_no_truncation_is_refused(pair):
    with pytest.raises(ArgumentError, match="expected 1 <= k1 <= k2"):
        truncate(derive(load("elman")), pair)
