"""The Python front: what a model makes, that it makes it once, and how it looks in Jupyter."""

from __future__ import annotations

from pathlib import Path

import pytest

import throughtime
from derive.errors import ArgumentError, CellError, NotVerifiedError, UnknownCellError
from proofs.table import Verification, failed
from reports.files import OutputExistsError
from throughtime import reporting
from throughtime.display import Code
from throughtime.model import Model


def test_everything_is_made_once() -> None:
    model = throughtime.load("elman")
    assert model.name == "elman"
    assert model.derive() is model.derive()
    assert model.generate() is model.generate()


def test_a_model_names_itself() -> None:
    assert repr(throughtime.load("skip:d=2")).startswith("<throughtime.Model skip: Skip connection")


def test_a_model_shows_its_equations_in_jupyter() -> None:
    shown = throughtime.load("skip")._repr_latex_()
    assert shown.startswith(r"$$\begin{aligned} h_{t} &=")
    assert shown.endswith(r"\end{aligned}$$")
    assert throughtime.load("skip").derive()._repr_latex_().startswith("$$")


def test_code_shows_as_code_and_is_written_whole(tmp_path: Path) -> None:
    code = Code("x = 1\n")
    assert str(code) == "x = 1\n"
    assert code._repr_markdown_() == "```python\nx = 1\n```\n"
    assert code.write(tmp_path / "a.py").read_text() == "x = 1\n"
    with pytest.raises(OutputExistsError):
        code.write(tmp_path / "a.py")
    assert code.write(tmp_path / "a.py", force=True).exists()


def test_the_shipped_cells_tell_their_options() -> None:
    cells = {cell["name"]: cell for cell in throughtime.shipped()}
    assert "lstm" in cells
    assert cells["skip"]["options"] == {"d": "a whole number from 1 to 64; 3 if not given"}
    assert "tanh" in str(cells["elman"]["options"])
    assert all(cell["title"] and cell["source"] for cell in cells.values())


def test_what_is_no_cell_is_refused() -> None:
    with pytest.raises(UnknownCellError, match="lstm"):
        throughtime.load("lstn")
    with pytest.raises(ArgumentError):
        throughtime.load("elman:g")


def test_a_file_that_was_not_generated_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.py"
    path.write_text("x = 1\n")
    with pytest.raises(ArgumentError, match="EQUATIONS"):
        throughtime.verify_file(path)
    with pytest.raises(ArgumentError, match="absent"):
        throughtime.verify_file(tmp_path / "absent.py")
    path.write_text('EQUATIONS = "h[t] = nonsense(h[t-1])"\n')
    with pytest.raises(CellError):
        throughtime.verify_file(path)


def test_an_unknown_format_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="docx"):
        throughtime.load("elman").report(tmp_path, formats=("html", "docx"))


def test_files_that_exist_are_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elman.py").write_text("mine\n")
    monkeypatch.setattr(Model, "verify", lambda *_, **__: pytest.fail("the work was begun"))
    with pytest.raises(OutputExistsError):
        throughtime.load("elman").report(tmp_path, formats=("html",))
    assert (tmp_path / "elman.py").read_text() == "mine\n"


def test_a_report_on_what_failed_is_written_without_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = Verification("elman", (failed("complex step", "", "wrong"),), frozenset({"complex step"}))
    monkeypatch.setattr(Model, "verify", lambda *_, **__: bad)
    with pytest.raises(NotVerifiedError, match="failed: complex step"):
        throughtime.load("elman").report(tmp_path / "out", formats=("ipynb",))
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "elman.ipynb",
        "elman.proof.json",
        "verification.json",
    ]
    assert "Not verified" in (tmp_path / "out" / "elman.ipynb").read_text(encoding="utf-8")


def test_without_a_browser_the_pdf_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.pdf.find_browser", lambda: None)
    assert reporting._pdf("<p>", "a.pdf", lambda _: None) == {}


def test_a_cell_from_text_and_one_from_sympy_give_the_same_code():
    from sympy import MatrixSymbol, Symbol, tanh

    n, m = Symbol("n", positive=True, integer=True), Symbol("m", positive=True, integer=True)
    h, x = throughtime.timed("h", n), throughtime.timed("x", m)
    W, U = MatrixSymbol("W", n, n), MatrixSymbol("U", n, m)
    built = throughtime.from_sympy("tiny", {h[0]: (W * h[-2] + U * x[0]).applyfunc(tanh)})
    written = throughtime.read("h[t] = tanh(U @ x[t] + W @ h[t-2])\n", "tiny")
    assert built.generate().source == written.generate().source
