"""A command that takes more time or memory than it may is stopped, and says what it took and what to do."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from throughtime import cli_make, limits
from throughtime.cli import cli
from throughtime.progress import Progress


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def endless() -> None:
    while True:
        pass


def asleep() -> None:
    time.sleep(100)


def swallowing() -> None:
    try:
        endless()
    except KeyboardInterrupt:
        endless()


def hoarding() -> None:
    kept: list[bytearray] = []
    while True:
        kept.append(bytearray(b"1" * 2**20))
        time.sleep(0.001)


@pytest.fixture(autouse=True)
def handler() -> Generator[None]:
    """Whatever a command does, Ctrl-C means afterwards what it meant before."""
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


def working(monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]) -> None:
    def load(cell: str, say: Progress) -> None:
        say(f"working on {cell}")
        work()

    monkeypatch.setattr(cli_make, "load", load)


@pytest.mark.parametrize("work", [endless, asleep, swallowing])
def test_a_command_that_takes_longer_than_it_may_is_stopped(
    monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]
) -> None:
    monkeypatch.setattr(limits, "AGAIN", 0.3)
    working(monkeypatch, work)
    start = time.monotonic()
    result = run("derive", "lstm", "--time", "0.5")
    assert time.monotonic() - start < 50
    assert (result.exit_code, result.stdout) == (2, "")
    assert "LimitError: The command took more than 0.5 s, which --time allows" in result.stderr
    assert "during: working on lstm; no file is left half-written." in result.stderr
    assert "or allow more: --time, --memory." in result.stderr


def test_a_command_that_takes_more_memory_than_it_may_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = limits._taken
    before = taken()
    monkeypatch.setattr(limits, "_taken", lambda: taken() - before)
    working(monkeypatch, hoarding)
    result = run("derive", "lstm", "--memory", "0.25", "--json")
    assert result.exit_code == 2
    error = json.loads(result.stdout)["error"]
    assert error["type"] == "LimitError"
    assert "more than 0.25 GiB of memory, which --memory allows" in error["message"]


def test_a_real_command_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "lstm.py"
    path.write_text("mine")
    result = run("generate", "lstm", "-o", str(path), "--force", "--time", "0.3")
    assert result.exit_code == 2, result.output
    assert [p.name for p in tmp_path.iterdir()] == ["lstm.py"]
    assert path.read_text() == "mine"


def test_within_its_limits_a_command_ends_as_ever() -> None:
    assert run("derive", "lstm", "--time", "3000", "--memory", "1000").exit_code == 0


def test_control_c_is_still_control_c(monkeypatch: pytest.MonkeyPatch) -> None:
    working(monkeypatch, lambda: signal.raise_signal(signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert run("derive", "lstm").exit_code == 130
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_the_machine_has_is_known() -> None:
    assert limits._machine() > 2**28
    assert limits._taken() >= 0


def test_outside_the_main_thread_nothing_is_stopped() -> None:
    ends: list[str] = []

    def work() -> None:
        with limits.within(0.05, None, Progress()):
            time.sleep(0.4)
        ends.append("whole")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ends == ["whole"]
