"""``study`` and ``compare`` from the command line: numbers, files, refusals, and pages whose formulas KaTeX accepts."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result

from reports import compare_page, study_page
from reports.figures import Picture
from reports.strict import complaints, formulas
from throughtime.cli import cli

SMALL = ("--T", "120", "--n", "5", "--m", "3")


@pytest.fixture
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take seconds, and are tested by themselves."""
    for page in (study_page, compare_page):
        monkeypatch.setattr(page, "line_figure", lambda *args, **kwargs: None)
        monkeypatch.setattr(page, "to_picture", lambda figure: Picture("<svg/>", b"", b""))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def formulas_in(path: Path) -> list[tuple[str, bool]]:
    page = nbformat.read(path, as_version=4)
    return [f for c in page.cells if c.cell_type == "markdown" for f in formulas(c.source)]


@pytest.mark.needs("node")
@pytest.mark.usefixtures("_undrawn")
@pytest.mark.parametrize("cell", ["lstm", "gru", "skip", "elman:g=sigmoid"])
def test_a_study_is_a_page_whose_formulas_katex_accepts(cell: str, tmp_path: Path) -> None:
    found = run("study", cell, *SMALL, "--format", "ipynb", "-o", str(tmp_path))
    assert found.exit_code == 0, found.output
    seen = formulas_in(tmp_path / "study.ipynb")
    assert len(seen) > 20
    assert complaints(seen) == []


def test_a_study_tells_rates_and_shares_that_add_up(tmp_path: Path) -> None:
    arguments = ("--set", "b_f=5", "--format", "html", "-o", str(tmp_path), "--json")
    found = run("study", "lstm", *SMALL, *arguments)
    data = json.loads(found.stdout)
    assert data["lag"] == 120
    assert sum(data["shares"].values()) == pytest.approx(1)
    assert data["difference_of_the_routes"] < 1e-10
    assert -0.1 < data["rate"] < 0.05
    page = (tmp_path / "study.html").read_text()
    assert "Lyapunov" in page
    assert "default-src 'none'" in page


@pytest.mark.usefixtures("_undrawn")
def test_a_comparison_shows_every_cell_with_its_costs(tmp_path: Path) -> None:
    found = run(
        "compare", "elman", "lstm", *SMALL, "--format", "ipynb", "-o", str(tmp_path), "--json"
    )
    rows = json.loads(found.stdout)["cells"]
    assert [row["cell"] for row in rows] == ["elman", "lstm"]
    assert rows[1]["parameters"] == 4 * rows[0]["parameters"]
    assert rows[0]["rate"] < rows[1]["rate"]
    text = (tmp_path / "compare.ipynb").read_text()
    assert "fig-compared" in text


@pytest.mark.needs("node")
@pytest.mark.usefixtures("_undrawn")
def test_katex_accepts_the_formulas_of_a_comparison(tmp_path: Path) -> None:
    assert (
        run("compare", "leaky", "gru", *SMALL, "--format", "ipynb", "-o", str(tmp_path)).exit_code
        == 0
    )
    assert complaints(formulas_in(tmp_path / "compare.ipynb")) == []


@pytest.mark.parametrize(
    "arguments",
    [("study", "lstm", "--set", "b_f"), ("study", "lstm", "--set", "b_q=1"), ("study", "lstm", "--format", "gif")],
)  # fmt: skip
def test_what_cannot_be_studied_is_a_usage_error(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    assert run(*arguments, *SMALL, "-o", str(tmp_path)).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_cell_whose_state_is_a_matrix_is_refused_in_words(tmp_path: Path) -> None:
    found = run("study", "linear_attention", *SMALL, "-o", str(tmp_path))
    assert found.exit_code != 0
    assert "is a matrix" in found.output


def test_no_page_is_written_over_another_without_force(tmp_path: Path) -> None:
    (tmp_path / "study.html").write_text("mine")
    assert run("study", "elman", *SMALL, "-o", str(tmp_path)).exit_code == 2
    assert (tmp_path / "study.html").read_text() == "mine"
