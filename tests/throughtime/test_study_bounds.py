"""``study`` and ``compare`` with certified bounds: on the page, in JSON, in a file that an exact checker accepts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import throughtime
from numeric.setting import Setting
from reports import compare_page, study_gain, study_guarantee, study_page, study_routes
from reports.figures import Picture
from reports.study_guarantee import scale_text
from throughtime.cli import cli

SMALL = ["--n", "4", "--m", "3", "--T", "60", "--format", "ipynb", "-q"]


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take seconds, and are tested by themselves."""
    for page in (study_page, study_gain, study_routes, study_guarantee, compare_page):
        monkeypatch.setattr(page, "line_figure", lambda *args, **kwargs: None)
        monkeypatch.setattr(page, "to_picture", lambda figure: Picture("<svg/>", b"", b""))


def _json(*args: str) -> dict[str, Any]:
    done = CliRunner().invoke(cli, [*args, *SMALL, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def _page(folder: Path) -> str:
    cells = json.loads((folder / "study.ipynb").read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells)


def test_a_certified_bound_is_told_shown_and_kept(tmp_path: Path) -> None:
    pytest.importorskip("flint", reason="python-flint is not installed: the extra bounds")
    from proofs.guarantee_data import recheck

    data = _json("study", "elman", "--gain", "0.5", "-o", str(tmp_path))
    told = data["guarantee"]
    assert told["certified"] is True
    assert told["reach"] == 3.0
    assert told["largest_certified_scale"] == pytest.approx(2, rel=0.03)
    kept = json.loads((tmp_path / "certificate.json").read_text(encoding="utf-8"))
    c, rho = recheck(kept)
    assert rho == pytest.approx(0.5, rel=1e-5)
    assert c == 1
    page = _page(tmp_path)
    assert "**Certified**" in page
    assert "0.500001" in page
    assert "Largest certified weight scale" in page


def test_where_nothing_is_certified_the_page_says_how_far_it_is(tmp_path: Path) -> None:
    pytest.importorskip("flint", reason="python-flint is not installed: the extra bounds")
    data = _json("study", "elman", "--gain", "1.5", "-o", str(tmp_path))
    assert data["guarantee"]["certified"] is False
    assert data["guarantee"]["largest_certified_scale"] == pytest.approx(1 / 1.5, rel=0.03)
    page = _page(tmp_path)
    assert "**Not certified**: the smallest bound for every $T$ has $\\rho = 1.50001$" in page


@pytest.mark.parametrize("setting", [("elman", "--init", "normal"), ("lstm", "--set", "b_f=1")])
def test_numbers_in_the_text_are_typeset(tmp_path: Path, setting: tuple[str, ...]) -> None:
    """Minus signs, powers of ten, and no number that is not explained."""
    pytest.importorskip("flint", reason="python-flint is not installed: the extra bounds")
    _json("study", *setting, "-o", str(tmp_path))
    prose = re.sub(r"`[^`]*`|\$[^$]*\$|<[^>]*>", "", _page(tmp_path))
    assert re.findall(r"[^|\n]*(?:\de[+-]\d|(?<![\w-])-\d)[^|\n]*", prose) == []
    assert ("is the variance that inputs and biases add" in prose) == ("normal" in setting)


def test_a_tiny_factor_is_told_as_a_power_of_ten() -> None:
    assert scale_text(0.97856) == "0.9786"
    assert "10^{-7}" in scale_text(1.328e-7)


def test_bounds_can_be_left_out(tmp_path: Path) -> None:
    data = _json("study", "elman", "--no-bounds", "-o", str(tmp_path))
    assert "guarantee" not in data
    assert not (tmp_path / "certificate.json").exists()
    assert "What is certain" not in _page(tmp_path)


def test_without_flint_the_page_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proofs.guarantee_setting.find_spec", lambda name: None)
    data = _json("study", "elman", "-o", str(tmp_path))
    assert "pip install throughtime[bounds]" in data["guarantee"]["reason"]
    assert "**Not certified.** python" in _page(tmp_path)


def test_a_matrix_as_state_is_not_certified_and_says_why(tmp_path: Path) -> None:
    pytest.importorskip("flint", reason="python-flint is not installed: the extra bounds")
    data = _json("study", "linear_attention_gated", "-o", str(tmp_path))
    assert data["guarantee"]["certified"] is False
    assert "is a matrix" in data["guarantee"]["reason"]


def test_a_certificate_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "certificate.json").write_text("mine", encoding="utf-8")
    done = CliRunner().invoke(cli, ["study", "elman", *SMALL, "-o", str(tmp_path)])
    assert done.exit_code == 2
    assert "certificate.json is there already" in done.output
    assert (tmp_path / "certificate.json").read_text(encoding="utf-8") == "mine"


def test_a_replaced_study_leaves_no_certificate_behind_that_is_not_its_own(tmp_path: Path) -> None:
    pytest.importorskip("flint", reason="python-flint is not installed: the extra bounds")
    _json("study", "elman", "--gain", "0.5", "-o", str(tmp_path))
    assert (tmp_path / "certificate.json").exists()
    _json("study", "linear_attention_gated", "-o", str(tmp_path), "--force")
    assert not (tmp_path / "certificate.json").exists()


@pytest.mark.parametrize("content", ["mine", "[1, 2]", '{"format": "mine"}'])
def test_a_file_of_the_same_name_that_is_no_certificate_stays(tmp_path: Path, content: str) -> None:
    pytest.importorskip("flint", reason="python-flint is not installed: the extra bounds")
    (tmp_path / "certificate.json").write_text(content, encoding="utf-8")
    _json("study", "linear_attention_gated", "-o", str(tmp_path), "--force")
    assert (tmp_path / "certificate.json").read_text(encoding="utf-8") == content


def test_where_inputs_can_hold_a_gate_open_the_page_says_that_this_stands_in_the_way(
    tmp_path: Path,
) -> None:
    pytest.importorskip("flint", reason="python-flint is not installed: the extra bounds")
    data = _json("study", "lstm", "--inputs", "2", "-o", str(tmp_path))
    assert data["guarantee"]["certified"] is False
    assert 0 < data["guarantee"]["largest_certified_scale"] < 0.1
    page = _page(tmp_path)
    assert "hold a gate open and drive $c$ up to $" in page
    assert "Narrower inputs (`--inputs`)" in page


def test_a_comparison_tells_the_largest_certified_weight_scale(tmp_path: Path) -> None:
    pytest.importorskip("flint", reason="python-flint is not installed: the extra bounds")
    done = CliRunner().invoke(
        cli,
        ["compare", "elman", "lru", *SMALL, "--init", "orthogonal", "--json", "-o", str(tmp_path)],
    )
    assert done.exit_code == 0, done.output
    elman, lru = json.loads(done.stdout)["cells"]
    assert elman["largest_certified_scale"] == pytest.approx(1, rel=0.03)
    assert lru["largest_certified_scale"] == "inf"
    page = (tmp_path / "compare.ipynb").read_text(encoding="utf-8")
    assert "largest certified weight scale" in page
    assert "| every |" in page


def test_bounds_are_had_from_python_and_rechecked_from_a_file(tmp_path: Path) -> None:
    pytest.importorskip("flint", reason="python-flint is not installed: the extra bounds")
    setting = Setting(n=4, m=3, gain=0.4, init="orthogonal")
    sure = throughtime.bounds("elman", setting).guarantee
    assert sure is not None
    assert sure.certified
    assert sure.best is not None
    assert sure.best.rho == pytest.approx(0.4, rel=1e-6)
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(sure.best.certificate), encoding="utf-8")
    assert throughtime.recheck_bound(file)[1] == pytest.approx(sure.best.rho)


def test_a_users_own_weights_are_certified() -> None:
    pytest.importorskip("flint", reason="python-flint is not installed: the extra bounds")
    weights = {"W": 0.9 * np.eye(3), "U": np.ones((3, 2)), "b": np.zeros(3)}
    model = throughtime.load("elman")
    assert isinstance(model, throughtime.Model)
    sure = throughtime.bounds(model, weights=weights).guarantee
    assert sure is not None
    assert sure.scale == pytest.approx(1 / 0.9, rel=0.03)
