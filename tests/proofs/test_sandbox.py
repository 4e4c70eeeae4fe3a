"""Whatever code does to its process: the answer comes, or how it ended is told, and nothing is left running."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from derive.errors import LanguageError
from proofs.sandbox import EndedError, Limits, apart

ROOT = Path(__file__).resolve().parents[2]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux")


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker of these tests lies beside them, not in the package."""
    paths = (str(ROOT), os.environ.get("PYTHONPATH"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))


def asked(how: str, seconds: float = 60.0, gib: float = 2.0, **more: Any) -> Any:
    stages: list[str] = []
    request = {"how": how, **more}
    found = apart("tests.proofs.sandbox_worker", request, Limits(seconds, gib), stages.append)
    assert stages == ["working"]
    return found


def test_the_answer_comes_and_what_is_printed_does_not() -> None:
    assert asked("well", numbers=[1, 2, 3.5]) == {"sum": 6.5}


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("leaves", "it left with exit code 0 before the work was done, during: working"),
        ("exits", "it left with exit code 7"),
        ("crashes", "it was ended by SIGSEGV"),
        ("is killed", "it was ended by SIGKILL"),
    ],
)
def test_how_it_ended_is_told(how: str, told: str) -> None:
    with pytest.raises(EndedError, match=told):
        asked(how)


@pytest.mark.parametrize("how", ["hangs", "computes"])
def test_what_never_ends_is_ended(how: str) -> None:
    with pytest.raises(EndedError, match=r"ran for more than 1 s|SIGXCPU"):
        apart("tests.proofs.sandbox_worker", {"how": how}, Limits(1.0), lambda _: None)


@LINUX
def test_memory_is_limited() -> None:
    with pytest.raises(EndedError, match=r"needed more than 0\.5 GiB"):
        asked("fills memory", gib=0.5)


@LINUX
def test_a_file_does_not_fill_the_disk(tmp_path: Path) -> None:
    with pytest.raises((EndedError, RuntimeError), match=r"SIGXFSZ|File too large"):
        asked("fills the disk", file=str(tmp_path / "big"))
    assert (tmp_path / "big").stat().st_size <= 2**26


def test_an_error_arrives_as_itself_with_its_place() -> None:
    with pytest.raises(LanguageError) as caught:
        asked("raises")
    assert str(caught.value).startswith("my.cell, line 3: h = ?")
    assert caught.value.remedy == "what to do"


def test_a_mistake_of_the_worker_is_no_verdict_on_the_code() -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError: our own mistake"):
        asked("fails")


@LINUX
def test_what_it_started_ends_with_it() -> None:
    pid = asked("leaves a child behind")
    for _ in range(200):
        status = Path(f"/proc/{pid}/status")
        try:
            state = next(s for s in status.read_text().splitlines() if s.startswith("State:"))
        except FileNotFoundError:
            return
        if "Z" in state.split()[1]:
            return
        time.sleep(0.05)
    os.kill(pid, 9)
    pytest.fail("the child runs on")


def test_a_module_that_lies_where_it_is_started_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(5)")
    monkeypatch.chdir(tmp_path)
    assert asked("well", numbers=[1]) == {"sum": 1}
