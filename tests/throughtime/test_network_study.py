"""Studies of networks: rates of gradients that leave the floats, and of the shortest sequences."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from reports import network_study_page
from reports.figures import Picture
from throughtime.cli import cli


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take seconds, and are tested by themselves."""
    monkeypatch.setattr(network_study_page, "line_figure", lambda *args, **kwargs: None)
    monkeypatch.setattr(network_study_page, "to_picture", lambda _: Picture("<svg/>", b"", b""))


def studied(folder: Path, factor: str, *given: str) -> dict[str, Any]:
    """A network of one linear cell, which multiplies its state by a factor in every step."""
    (folder / "line.cell").write_text(f"h[t] = {factor} * h[t-1] + U @ x[t]\n")
    (folder / "line.net").write_text("a = scan(line, x[t])\ny[t] = tanh(a.h[t])\n")
    page = ("--format", "ipynb", "-q", "--json", "-o", str(folder / "page"))
    done = CliRunner().invoke(cli, ["study", str(folder / "line.net"), *given, *page])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize("factor", ["0.15", "0.01"])
def test_a_gradient_below_the_smallest_float_has_its_rate(factor: str, tmp_path: Path) -> None:
    data = studied(tmp_path, factor)
    assert data["rates"]["a_h"] == pytest.approx(math.log(float(factor)), abs=0.02)
    assert data["log_states"]["a_h"][-1] == pytest.approx(200 * math.log(float(factor)), abs=5)


def test_two_steps_are_enough_for_a_rate(tmp_path: Path) -> None:
    data = studied(tmp_path, "0.5", "--T", "2")
    assert data["lengths"] == [1, 2]
    assert math.isfinite(data["rates"]["a_h"])
