"""Cells without parameters: nothing is shared out among lags, and every page says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.generated import module_of
from throughtime.cli import cli

CELLS = {
    "alone": "h[t] = 1 / (1 + h[t-1]**2)",
    "driven": "h[t] = 0.9 * tanh(h[t-1]) + x[t]",
}


@pytest.mark.parametrize("name", CELLS)
def test_it_is_reported_and_studied_and_its_code_is_right(name: str, tmp_path: Path) -> None:
    cell = tmp_path / f"{name}.cell"
    cell.write_text(CELLS[name])
    for command in ("report", "study"):
        folder = tmp_path / command
        arguments = [command, str(cell), "-o", str(folder), "--format", "ipynb", "-q"]
        made = CliRunner().invoke(cli, arguments)
        assert made.exit_code == 0, made.output
        (page,) = folder.glob("*.ipynb")
        assert "The cell has no parameters" in page.read_text(encoding="utf-8")
    module = module_of((tmp_path / "report" / f"{name}.py").read_text(encoding="utf-8"))
    h = np.array([[0.3, -0.7, 1.1]])
    given = ({}, np.zeros((1, 1, 3)), {"h": h}) if name == "driven" else ({}, {"h": h})
    outputs, _, cache = module.forward(*given, **({} if name == "driven" else {"steps": 1}))
    bars = module.backward({}, cache, {"h": np.ones_like(outputs["h"])})
    slope = 0.9 / np.cosh(h) ** 2 if name == "driven" else -2 * h / (1 + h**2) ** 2
    np.testing.assert_allclose(bars[-1]["h"], slope, rtol=1e-14)
