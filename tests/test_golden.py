"""The golden fixture refuses what differs and what is not there; the skips name what is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import conftest


def compare(folder: Path, name: str, text: str, *, update: bool = False) -> None:
    conftest.compare_golden(folder / name, text, update=update)


def test_a_golden_file_that_is_the_same_passes(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("x̄ = 1\n".encode())
    compare(tmp_path, "a.txt", "x̄ = 1\n")


@pytest.mark.parametrize("text", ["x = 2\n", "x = 1", "x = 1\r\n", ""])
def test_a_golden_file_that_differs_fails_and_shows_how(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_bytes(b"x = 1\n")
    with pytest.raises(pytest.fail.Exception, match="--update-golden"):
        compare(tmp_path, "a.txt", text)


def test_a_golden_file_that_is_not_there_fails(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="does not exist"):
        compare(tmp_path, "sub/a.txt", "x")


def test_a_golden_file_is_written_on_request(tmp_path: Path) -> None:
    compare(tmp_path, "sub/a.txt", "x\n", update=True)
    assert (tmp_path / "sub/a.txt").read_bytes() == b"x\n"


def test_a_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert conftest.missing("node") == "node is not on the PATH"
    monkeypatch.setattr(conftest, "find_spec", lambda name: None)
    assert conftest.missing("torch") == "torch is not installed: make frameworks"
    with pytest.raises(pytest.UsageError, match="unknown tool"):
        conftest.missing("hammer")


def test_the_fixture_looks_in_the_golden_folder(
    golden: Callable[[str, str], None], request: pytest.FixtureRequest
) -> None:
    if request.config.getoption("--update-golden"):
        pytest.skip("golden files are being written, not compared")
    with pytest.raises(pytest.fail.Exception, match="none such"):
        golden("none such", "x")
