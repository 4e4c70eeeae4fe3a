"""The published rates, each by one command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from reports import study_gain, study_page, study_routes, verdict
from reports.figures import Picture
from throughtime.cli import cli


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take seconds, and are tested by themselves."""
    for page in (study_page, study_gain, study_routes):
        monkeypatch.setattr(page, "line_figure", lambda *args, **kwargs: None)
        monkeypatch.setattr(page, "to_picture", lambda figure: Picture("<svg/>", b"", b""))


def studied(folder: Path, *given: str) -> dict[str, Any]:
    small = [
        "--n",
        "4",
        "--m",
        "3",
        "--no-bounds",
        "--format",
        "ipynb",
        "-q",
        "--json",
        "-o",
        str(folder),
    ]
    done = CliRunner().invoke(cli, ["study", *given, *small])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("gain", "rate"), [("1.5", 0.0652172), ("2", 0.1547242), ("3", 0.3102493), ("5", 0.5324279)]
)
def test_random_tanh_networks(gain: str, rate: float, tmp_path: Path) -> None:
    """Engelken, Wolf and Abbott, Physical Review Research 5 (2023): λ₁ per step."""
    data = studied(
        tmp_path, "elman_bare", "--init", "normal", "--gain", gain, "--inputs", "0", "--T", "40"
    )
    assert data["predicted"]["rate"] == pytest.approx(rate, abs=6e-8)
    assert data["predicted"]["error"] == 0


@pytest.mark.parametrize(("gain", "rate"), [("1.5", 0.045913), ("10", 0.716241)])
def test_random_leaky_networks(gain: str, rate: float, tmp_path: Path) -> None:
    """λ₁ per unit of time, of which a step takes δ = 1 − α = 0.5."""
    given = [
        "leaky",
        "--init",
        "normal",
        "--gain",
        gain,
        "--inputs",
        "0",
        "--set",
        "alpha=0.5",
        "--T",
        "40",
    ]
    assert studied(tmp_path, *given)["predicted"]["rate"] / 0.5 == pytest.approx(rate, abs=1e-6)


@pytest.mark.parametrize(("bias", "kept"), [("0", 7.9e-31), ("1", 2.48e-14), ("5", 0.5109)])
def test_the_forget_path_over_100_steps(bias: str, kept: float, tmp_path: Path) -> None:
    found = studied(tmp_path, "lstm", "--set", f"b_f={bias}", "--T", "100")["forget_path"]
    assert found["steps"] == 100
    assert found["kept"] == pytest.approx(kept, rel=2e-3)


def test_a_gated_network_is_predicted_with_an_error_and_the_page_shows_both(tmp_path: Path) -> None:
    data = studied(tmp_path, "gru", "--init", "normal", "--T", "40")
    assert data["predicted"]["error"] > 0
    cells = json.loads((tmp_path / "study.ipynb").read_text(encoding="utf-8"))["cells"]
    page = "".join("".join(cell["source"]) for cell in cells)
    assert verdict.with_error(data["predicted"]["rate"], data["predicted"]["error"]) in page
    assert "asymptotic" in page
