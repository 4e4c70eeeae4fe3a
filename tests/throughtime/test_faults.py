"""Faults while a command works: what was there before stays whole, and nothing half-written is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
from throughtime.cli import main
sys.argv = ["throughtime", *{arguments!r}]
main()
"""
WAITING = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what runs behind it with none
from throughtime.cli import main
from throughtime.progress import Progress
tell = Progress.__call__
def tell_and_wait(self, stage):
    tell(self, stage)
    if {stage!r} in stage:
        time.sleep(300)  # until the test interrupts it
Progress.__call__ = tell_and_wait
sys.argv = ["throughtime", *{arguments!r}]
main()
"""
GENERATE = ("generate", "elman", "-o", "elman.py", "--force")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "throughtime", *arguments]


def left(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
def test_a_disk_that_is_full_leaves_the_old_file_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "elman.py").write_text("mine")
    program = LIMITED.format(size=2000, arguments=list(GENERATE))
    done = subprocess.run(
        [sys.executable, "-B", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode not in (0, 1), done.stderr
    assert "cannot be written: file too large" in done.stderr
    assert "bug" not in done.stderr
    assert left(tmp_path) == {"elman.py": b"mine"}


@pytest.mark.parametrize("stage", ["reading", "complex step"])
def test_an_interrupted_command_leaves_the_old_file_and_no_other(
    tmp_path: Path, stage: str
) -> None:
    (tmp_path / "elman.py").write_text("mine")
    program = WAITING.format(stage=stage, arguments=list(GENERATE))
    running = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert running.stderr is not None
        for line in running.stderr:
            if stage in line:
                break
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=120)
    finally:
        running.kill()
    assert running.returncode == 130, told
    assert "Interrupted: The command was stopped; no file is left half-written." in told
    assert left(tmp_path) == {"elman.py": b"mine"}


def test_two_runs_at_once_write_one_whole_file(tmp_path: Path) -> None:
    runs = [
        subprocess.Popen(
            command("generate", "elman", "-o", "elman.py"),
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = [run.communicate(timeout=300)[1] for run in runs]
    codes = sorted(run.returncode for run in runs)
    assert codes in ([0, 2], [0, 0]), told
    (name,) = left(tmp_path)
    assert name == "elman.py"
    checked = subprocess.run(
        command("verify", "elman.py"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert checked.returncode == 0
    assert "the code is the one that was certified" in checked.stdout


@pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="no folder here that nobody can write to"
)
def test_a_folder_that_takes_no_files_is_told_and_named() -> None:
    done = subprocess.run(
        command("generate", "elman", "-o", "/proc/elman.py"),
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "/proc" in done.stderr
    assert "bug" not in done.stderr


def test_a_report_that_fails_half_way_leaves_no_folder(tmp_path: Path) -> None:
    program = LIMITED.format(
        size=30_000, arguments=["report", "elman", "-o", "new", "--format", "html"]
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", program],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "MPLCONFIGDIR": str(tmp_path.parent / f"{time.time_ns()}")},
    )  # fmt: skip
    assert done.returncode not in (0, 1), done.stderr
    assert left(tmp_path) == {}
    assert not (tmp_path / "new").exists()
