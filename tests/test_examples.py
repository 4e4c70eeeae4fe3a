"""The examples run, and the networks in them learn what they say."""

from __future__ import annotations

from examples import agreement


def test_an_lstm_learns_agreement_across_a_clause(tmp_path, capsys):
    accuracies = agreement.main(steps=400, folder=tmp_path)
    assert accuracies["lstm"] > 0.95
    assert b"<svg" in (tmp_path / "agreement.svg").read_bytes()
    assert "baseline  50.0%" in capsys.readouterr().out
