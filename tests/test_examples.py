"""The examples run, and the networks in them beat what their naive baselines reach."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import throughtime
from examples import (
    agreement,
    characters,
    copying,
    rain,
    reach,
    reversing,
    sentiment,
    tagging,
    temperature,
)
from examples.common import module_of, smoothed

EXAMPLES = {path.stem for path in Path(agreement.__file__).parent.glob("*.py")}


def trained(example, tmp_path, capsys, *, steps: int) -> dict[str, float]:
    """An example run for fewer steps, its file not verified again; a figure, a table and progress must come of it."""
    found = example.main(steps, tmp_path, checked=False)
    name = example.__name__.removeprefix("examples.")
    assert b"<svg" in (tmp_path / f"{name}.svg").read_bytes()
    told = capsys.readouterr()
    for row in found:
        assert row in told.out
    assert re.search(r"step +0 .*loss", told.err)
    return found


def test_an_lstm_agrees_across_a_clause(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(agreement, "CELLS", {"lstm": agreement.CELLS["lstm"]})
    right = trained(agreement, tmp_path, capsys, steps=300)
    assert right["lstm"] > 0.9 > right["the last noun, or a guess"]


def test_the_gradient_at_the_subject_is_told_before_and_after_training(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(reach, "SPECS", ("elman", "skip:d=3"))
    right = reach.main(60, tmp_path, checked=False)
    assert set(right) == {"a guess", "elman", "skip"}
    told = capsys.readouterr()
    for name in ("elman", "skip"):
        before, after = re.search(rf"{name} +[\d.]+%   (\S+)   (\S+)   ", told.out).groups()
        assert float(before) > 0
        assert float(after) != float(before)
    for when in ("before", "after"):
        assert b"<svg" in (tmp_path / f"reach_{when}.svg").read_bytes()


def test_a_file_is_verified_before_it_trains(tmp_path, capsys):
    model = throughtime.read("h[t] = tanh(W @ h[t-1] + U @ x[t])", "small")
    module = module_of(model, "small", tmp_path)
    assert '"verdict"' in (tmp_path / "small.py").read_text()
    assert "verifying" in capsys.readouterr().err
    assert module.train


def test_sentiment_beats_a_bag_of_words(tmp_path, capsys):
    right = trained(sentiment, tmp_path, capsys, steps=120)
    assert right["network"] > 0.9 > right["bag of words"] > right["always the same"]


def test_tagging_beats_each_words_commonest_tag(tmp_path, capsys):
    right = trained(tagging, tmp_path, capsys, steps=80)
    assert right["network"] > 0.9 > 0.5 > right["each word's commonest tag"]


def test_the_next_character_beats_single_characters(tmp_path, capsys):
    needed = trained(characters, tmp_path, capsys, steps=60)
    assert needed["network"] < needed["single characters"] < needed["all characters alike"]
    assert needed["pairs of characters"] < needed["single characters"]


def test_rain_beats_climate_and_persistence_but_not_the_truth(tmp_path, capsys):
    scores = trained(rain, tmp_path, capsys, steps=250)
    assert scores["the true probability"] < scores["network"] < scores["tomorrow as today"]
    assert scores["tomorrow as today"] < scores["the climate's rate"]


def test_temperature_beats_tomorrow_as_today(tmp_path, capsys):
    errors = trained(temperature, tmp_path, capsys, steps=300)
    assert errors.pop("network") < min(errors.values())


def test_copying_beats_a_guess_in_letters_and_in_whole_sequences(tmp_path, capsys):
    shares = trained(copying, tmp_path, capsys, steps=150)
    assert shares["letters, network"] > 0.6 > shares["letters, a guess"]
    assert shares["whole sequences, network"] > 50 * shares["whole sequences, a guess"]


def test_reversing_is_learnt_by_looking_at_the_letters(tmp_path, capsys):
    shares = trained(reversing, tmp_path, capsys, steps=350)
    assert shares["letters, attention"] > 0.9 > 0.8 > shares["letters, encoder_decoder"]
    assert shares["looking there"] > 0.8 > 2 * shares["looking there by chance"]


def test_every_example_is_run_here():
    tested = {
        name
        for name, value in globals().items()
        if getattr(value, "__name__", "").startswith("examples.")
    }
    assert tested | {"__init__", "common"} == EXAMPLES


@pytest.mark.parametrize("given", [["0"], ["-3"], ["ten"], ["1", "2"]])
def test_a_wrong_number_of_steps_is_refused(given, monkeypatch):
    monkeypatch.setattr("sys.argv", ["rain.py", *given])
    from examples.common import run

    with pytest.raises(SystemExit, match=r"usage: python -m examples\.rain"):
        run(rain.main)


def test_a_curve_is_smoothed_over_whole_pieces():
    x, y = smoothed([float(i) for i in range(101)])
    assert (x[0], y[0]) == (0.5, 0.5)
    assert x == y
    assert smoothed([2.0]) == ([0.0], [2.0])


def test_the_text_is_shipped_with_its_source():
    folder = Path(agreement.__file__).parent / "data"
    told = (folder / "SOURCE.md").read_text(encoding="utf-8")
    for path in folder.glob("*.txt"):
        assert f"`{path.name}`" in told
        assert path.stat().st_size < 100_000
