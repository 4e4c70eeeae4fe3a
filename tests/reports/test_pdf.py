from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from reports.files import OutputError, OutputExistsError
from reports.html import to_html
from reports.pdf import BrowserMissingError, PdfError, _settled, find_browser, render_pdf, to_pdf
from tests.reports.specimens import report


def fake_browser(folder: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "chromium"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.needs("chromium")
def test_a_report_becomes_a_pdf_with_its_mathematics(tmp_path: Path) -> None:
    page, paper = tmp_path / "report.html", tmp_path / "report.pdf"
    page.write_text(to_html(report()), encoding="utf-8")
    to_pdf(page, paper)
    content = paper.read_bytes()
    assert content.startswith(b"%PDF-")
    assert re.search(rb"KaTeX_Math", content)  # the fonts of the formulas are in it
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.pdf"]


@pytest.mark.needs("chromium")
def test_a_pdf_is_the_same_bytes_each_time() -> None:
    page = to_html(report())
    assert render_pdf(page) == render_pdf(page)


def test_what_a_browser_counts_for_itself_is_settled() -> None:
    first = b"/ID (node00001280)>> /ID (node00001283)>> /Headers [(node00001280)]"
    later = first.replace(b"00001280", b"00001299").replace(b"00001283", b"00002000")
    assert _settled(first) == _settled(later) != first
    assert len(_settled(first)) == len(first)
    assert b"(node00000000)>> /ID (node00000001)>> /Headers [(node00000000)]" in _settled(first)


def test_without_a_browser_the_error_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert find_browser() is None
    with pytest.raises(BrowserMissingError, match="apt-get install chromium"):
        render_pdf("<p>x")


def test_a_browser_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_browser(tmp_path, "echo no display >&2; exit 7", monkeypatch)
    with pytest.raises(PdfError, match=r"ended with code 7. It said: no display"):
        render_pdf("<p>x")


def test_a_browser_that_writes_nothing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_browser(tmp_path, "exit 0", monkeypatch)
    with pytest.raises(PdfError, match=r"wrote no PDF. It said: nothing"):
        render_pdf("<p>x")


def test_a_browser_that_hangs_is_stopped_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_browser(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child; wait", monkeypatch)
    began = time.monotonic()
    with pytest.raises(PdfError, match=r"stopped after 1 s"):
        render_pdf("<p>x", timeout=1)
    assert time.monotonic() - began < 20
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        status = Path(f"/proc/{child}/stat")
        if not status.exists() or status.read_text().split()[2] == "Z":
            break
        time.sleep(0.05)
    else:
        pytest.fail("the browser's child lives on")


def test_a_pdf_that_is_there_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_browser(
        tmp_path,
        'for a; do case $a in --print-to-pdf=*) echo %PDF-1 > "${a#*=}";; esac; done',
        monkeypatch,
    )
    page, paper = tmp_path / "p.html", tmp_path / "p.pdf"
    page.write_text("<p>x")
    paper.write_bytes(b"old")
    with pytest.raises(OutputExistsError):
        to_pdf(page, paper)
    assert paper.read_bytes() == b"old"
    to_pdf(page, paper, force=True)
    assert paper.read_bytes() == b"%PDF-1\n"


def test_a_page_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"nothing\.html cannot be read: no such file"):
        to_pdf(tmp_path / "nothing.html", tmp_path / "p.pdf")
