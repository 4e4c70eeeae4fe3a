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
        ("[::-1]:\n        for first", ":\n        for first"),
        ("subtract(one, factor_1", "add(one, factor_1"),
    ],
)
def test_a_file_made_for_speed_that_is_broken_is_not_verified(fast_lstm, right, wrong):
    assert right in fast_lstm
    broken = fast_lstm.replace(right, wrong).replace("STRETCH_ROWS = 2048", "STRETCH_ROWS = 4")
    assert load("lstm").verify(fast_lstm.replace("STRETCH_ROWS = 2048", "STRETCH_ROWS = 4")).ok
    assert not load("lstm").verify(broken).ok


def test_what_goes_forward_or_all_at_once_is_refused():
    with pytest.raises(ArgumentError, match="step by step and backwards"):
        load("lru").generate(optimize="speed", scan=True)
    with pytest.raises(ArgumentError, match="step by step and backwards"):
        load("elman").generate(optimize="speed", real_time=True)
    with pytest.raises(ArgumentError, match="not for networks"):
        load("tagger").generate(backend="numba")
    with pytest.raises(ArgumentError, match="expected readable or speed"):
        load("lstm").generate(optimize="size")


def test_without_numba_a_compiled_file_is_refused_before_anything_is_written(monkeypatch):
    monkeypatch.setattr("throughtime.display.find_spec", lambda name: None)
    with pytest.raises(ArgumentError, match="not installed"):
        load("lstm").generate(backend="numba")


def test_a_network_made_for_speed_is_verified():
    model = load("tagger")
    source = model.generate(optimize="speed").source
    assert source.count("class Workspace_") == len(model.network.segments)
    assert model.verify(source).ok
