"""generate --optimize speed and --backend numba: verified like every file, refused where they make no sense."""

from __future__ import annotations

import pytest

from derive.errors import ArgumentError
from throughtime import load


@pytest.fixture(scope="module")
def fast_lstm() -> str:
    return load("lstm").generate(optimize="speed").source


def test_a_file_made_for_speed_is_verified(fast_lstm):
    assert load("lstm").verify(fast_lstm).ok


def test_checkpointing_goes_with_speed():
    model = load("gru")
    assert model.verify(model.generate(optimize="speed", checkpoint=True).source).ok


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("multiply(c_bar, f_t, c_bar)", "multiply(c_bar, factor_5_t, c_bar)"),
        ("add(fio_t, half, fio_t)", "add(fio_t, one, fio_t)"),
        ("stop == T)", "True)"),
        ("in ws.stretches[::-1]:", "in ws.stretches:"),
        ("subtract(one, factor_1", "add(one, factor_1"),
    ],
)
def test_a_file_made_for_speed_that_is_broken_is_not_verified(fast_lstm, right, wrong):
    assert right in fast_lstm
    broken = fast_lstm.replace(right, wrong).replace("STRETCH_ROWS = 512", "STRETCH_ROWS = 4")
    assert load("lstm").verify(fast_lstm.replace("STRETCH_ROWS = 512", "STRETCH_ROWS = 4")).ok
    assert not load("lstm").verify(broken).ok


def test_what_goes_forward_or_all_at_once_is_refused():
    with pytest.raises(ArgumentError, match="step by step and backwards"):
        load("lru").generate(optimize="speed", scan=True)
    with pytest.raises(ArgumentError, match="step by step and backwards"):
        load("elman").generate(optimize="speed", real_time=True)
    for optimize, what in (("size", "made for little memory"), ("speed", "made for speed")):
        with pytest.raises(ArgumentError, match=what) as caught:
            load("elman").generate(optimize=optimize, real_time=True)
        assert caught.value.remedy == f"Leave out --rtrl, or --optimize {optimize}."
        assert "forward in time" in caught.value.problem
    with pytest.raises(ArgumentError, match="A compiled file goes") as caught:
        load("lru").generate(backend="numba", scan=True)
    assert caught.value.remedy == "Leave out --scan, or --backend numba."
    with pytest.raises(ArgumentError, match="expected readable, speed or size"):
        load("lstm").generate(optimize="space")
    for optimize in ("speed", "size"):
        with pytest.raises(ArgumentError, match="Leave out --truncate"):
            load("lstm").generate(optimize=optimize, truncation=(2, 4))
    with pytest.raises(ArgumentError, match="Leave out --backend numba, or --optimize size"):
        load("lstm").generate(optimize="size", backend="numba")


def test_a_file_made_for_little_memory_is_verified_alone_and_with_checkpointing():
    model = load("lstm")
    source = model.generate(optimize="size", checkpoint=True).source
    assert "def run_stretch(" in source
    assert model.verify(source).ok
    assert model.verify(source.replace("STRETCH_ROWS = 512", "STRETCH_ROWS = 4")).ok


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("if ws.held != start:", "if ws.held < start:"),
        ("gates_fiog[first - start:last - start, 0]", "gates_fiog[: last - first, 0]"),
        ("    ws.held = start", "    ws.held = stop"),
    ],
)
def test_a_small_file_that_runs_the_wrong_steps_again_is_not_verified(right, wrong):
    model = load("lstm")
    small = model.generate(optimize="size").source
    small = small.replace("STRETCH_ROWS = 512", "STRETCH_ROWS = 6")
    small = small.replace("BLOCK_BYTES = 1_000_000", "BLOCK_BYTES = 1")
    assert right in small
    assert not model.verify(small.replace(right, wrong)).ok


def test_a_network_made_for_little_memory_is_verified_whatever_the_direction_of_its_scans():
    model = load("tagger")
    source = model.generate(optimize="size").source
    assert source.count("def run_stretch_") == 2, "one for each scan"
    assert model.verify(source).ok


def test_without_numba_a_compiled_file_is_refused_before_anything_is_written(monkeypatch):
    monkeypatch.setattr("throughtime.display.find_spec", lambda name: None)
    with pytest.raises(ArgumentError, match="not installed"):
        load("lstm").generate(backend="numba")


def test_a_network_made_for_speed_is_verified():
    model = load("tagger")
    source = model.generate(optimize="speed").source
    assert source.count("class Workspace_") == len(model.network.segments)
    assert model.verify(source).ok


BOTH_WAYS = """
index word
index tag
e[t] = embed(E, word[t])
f = scan(leaky, e[t])
b = scan(leaky, e[t], reverse)
y[t] = softmax(V @ concat(f.h[t], b.h[t]) + c)
loss[t] = cross_entropy(y[t], tag[t])
"""


def test_a_network_whose_loops_are_compiled_is_verified(tmp_path):
    pytest.importorskip("numba")
    (tmp_path / "both_ways.net").write_text(BOTH_WAYS, encoding="utf-8")
    model = load(str(tmp_path / "both_ways.net"))
    source = model.generate(backend="numba").source
    assert source.count("\ndef compiled(") == source.count("\ndef tanh_of(") == 1
    assert source.count("def forward_loop") == 2, "one for each scan"
    assert "needs NumPy and Numba" in source
    assert model.verify(source).ok
    assert not model.verify(
        source.replace("range(stop - 1, start - 1, -1)", "range(start, stop)")
    ).ok
