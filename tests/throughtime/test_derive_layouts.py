"""``throughtime derive CELL --layout``: the page, the proof beside it, and nothing shown that is not proved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sympy.matrices.expressions import MatMul

import throughtime
from derive import layouts
from derive.expressions import operands
from throughtime.cli import cli


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["derive", *arguments, "-q"])


@pytest.mark.parametrize("layout", ["denominator", "numerator", "row"])
def test_a_layout_is_shown_with_its_proof(layout):
    result = run("gru", "--layout", layout)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{layout.capitalize()} layout:")
    last = result.stdout.strip().splitlines()[-1]
    assert last.startswith(
        f"proved: in {layout} layout every line of gru equals the house layout's"
    )
    assert "probability that a wrong one passes ≤" in last


def test_the_house_s_layout_is_the_default():
    assert run("gru").stdout == run("gru", "--layout", "house").stdout


def test_json_holds_the_lines_and_the_proof():
    data = json.loads(run("lstm", "--layout", "row", "--json").stdout)
    assert data["derivation"]["layout"] == "row"
    assert "h[t-1] @ W_f" in data["derivation"]["steps"][0]["text"]
    assert data["layout"]["proved"] is True
    (proof,) = data["layout"]["proofs"]
    assert proof["wrong"] == []
    assert proof["compared"] > 60
    assert proof["error_probability"] < 1e-12
    assert len(proof["sizes"]) == 2


def test_latex_tells_the_shapes_and_the_proof_in_a_comment(tmp_path: Path):
    target = tmp_path / "row.tex"
    assert run("elman", "--layout", "row", "--format", "tex", "-o", str(target)).exit_code == 0
    text = target.read_text(encoding="utf-8")
    assert r"$U \in \mathbb{R}^{m \times n}$" in text
    assert text.splitlines()[-1].startswith("% proved: in row layout")


def test_a_user_s_cell_with_a_matrix_state_works(tmp_path: Path):
    cell = tmp_path / "my.cell"
    cell.write_text("S[t] = tanh(A @ S[t-1] @ B + x[t] @ k[t].T)\ny[t] = S[t] @ c\n")
    for layout in ("denominator", "numerator", "row"):
        assert "proved: in " in run(str(cell), "--layout", layout).stdout


def test_a_network_is_proved_segment_by_segment():
    text = run("many_to_one", "--layout", "numerator").stdout
    assert text.count("proved: in numerator layout") == text.count("Numerator layout:") > 1


def test_a_layout_that_does_not_exist_is_refused():
    result = run("elman", "--layout", "columns")
    assert result.exit_code == 2
    assert "'numerator'" in result.output


def test_what_is_not_proved_is_not_shown(monkeypatch, tmp_path: Path):
    def kept(turning, expr, across):
        return MatMul(*(turning(part, across=across) for part in operands(expr)))

    monkeypatch.setitem(layouts._WRITERS, MatMul, kept)
    cell = tmp_path / "square.cell"
    cell.write_text("h[t] = tanh(A @ B @ h[t-1])\n")
    cell.write_text("S[t] = tanh(A @ S[t-1] @ B)\ndim A = n, n\ndim B = n, n\n")
    target = tmp_path / "out.txt"
    result = run(str(cell), "--layout", "row", "-o", str(target))
    assert result.exit_code == 3
    assert "is not the house layout's" in result.output
    assert "S[t]" in result.output
    assert not target.exists()


def test_from_python():
    model = throughtime.load("elman")
    assert "h[t-1] @ W" in model.derive().text(layout="row")
    assert r"h_{t-1} \, W" in model.derive().latex(layout="row")
    assert all(verdict.ok for verdict in model.prove_layout("row"))


def test_latex_for_a_paper_comes_with_its_bibliography(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        cli, ["derive", "gru", "--format", "tex", "-o", str(tmp_path / "a.tex")]
    )
    assert done.exit_code == 0, done.output
    assert "@misc{chung2014," in (tmp_path / "a.bib").read_text()
    assert r"\cite[section 3.2]{chung2014}" in (tmp_path / "a.tex").read_text()
    assert r"\label{eq:gru:1}" in (tmp_path / "a.tex").read_text()


def test_latex_overwrites_no_bibliography(tmp_path: Path) -> None:
    (tmp_path / "a.bib").write_text("mine")
    done = CliRunner().invoke(
        cli, ["derive", "gru", "--format", "tex", "-o", str(tmp_path / "a.tex")]
    )
    assert done.exit_code == 2
    assert "a.bib exists already" in done.output
    assert (tmp_path / "a.bib").read_text() == "mine"
    assert not (tmp_path / "a.tex").exists()
