"""Sweeps: rows that can be trusted, whatever is killed; processes here, and workers of a Dask scheduler on loopback."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from derive.errors import ThroughtimeError
from numeric.grid import AXES, WHOLE, Task
from numeric.grid_reader import GridError, read_grid
from numeric.namespace import DTYPES, KNOWN
from numeric.sweep_measures import MEASURES
from throughtime import sweeping
from throughtime.cli import cli
from throughtime.limits import LimitError
from throughtime.sweep_task import measure

GRID = """
cell = ["elman_bare", "leaky"]
init = "orthogonal"
gain = [0.9, 1.5]
n = 6
m = 2
T = 60
seed = {{ count = {seeds} }}
measure = ["growth", "norms", "extremes"]
lag = 20
"""


def grid_file(folder: Path, seeds: int = 1, text: str = GRID) -> Path:
    path = folder / "grid.toml"
    path.write_text(text.format(seeds=seeds))
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "throughtime", "study", *map(str, arguments)]


@contextmanager
def started(*arguments: object, cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A sweep in a process of its own, killed at the end if it still runs."""
    running = subprocess.Popen(
        command(*arguments), cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def until(true: Callable[[], bool], seconds: float = 120) -> None:
    """Wait for something that must come; how long it takes is no part of any test."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def children_of(pid: int) -> list[int]:
    psutil = pytest.importorskip("psutil")
    return [
        child.pid
        for child in psutil.Process(pid).children()
        if "spawn_main" in " ".join(child.cmdline())
    ]


def alive(pid: int) -> bool:
    psutil = pytest.importorskip("psutil")
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_task_gives_the_same_row_everywhere_and_another_task_another_seed(tmp_path: Path) -> None:
    tasks = read_grid(grid_file(tmp_path, seeds=2)).tasks
    assert (
        len(tasks)
        == len({task.identity for task in tasks})
        == len({task.drawn for task in tasks})
        == 8
    )
    row = measure(tasks[0])
    assert row == measure(tasks[0])
    assert row["rate"] < 0
    assert row["log_smallest"] < row["log_norm"]
    assert row["log_largest"] <= row["log_norm"]
    assert [t.point["gain"] for t in tasks] == [0.9, 0.9, 1.5, 1.5] * 2


def test_a_sweep_writes_every_row_once_and_goes_on_where_it_was(tmp_path: Path) -> None:
    grid, file = grid_file(tmp_path), tmp_path / "rows.csv"
    arguments = ["study", "--sweep", str(grid), "--rows", str(file), "--workers", "2", "--json"]
    first = CliRunner().invoke(cli, arguments)
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["new"] == 4
    rows = rows_of(file)
    tasks = {task.identity: task for task in read_grid(grid).tasks}
    assert {row["task"] for row in rows} == set(tasks)
    for row in rows:
        assert float(row["rate"]) == measure(tasks[row["task"]])["rate"]
        assert row["error"] == ""
    before = file.read_bytes()
    grid_file(tmp_path, seeds=2)
    assert json.loads(CliRunner().invoke(cli, arguments).stdout)["new"] == 4
    assert file.read_bytes().startswith(before)
    assert len({row["task"] for row in rows_of(file)}) == len(rows_of(file)) == 8
    assert json.loads(CliRunner().invoke(cli, arguments).stdout)["new"] == 0


KEPT = "0 of 4 rows are kept; the same command goes on from there."


@pytest.mark.parametrize(
    ("stop", "code", "told"),
    [
        (KeyboardInterrupt(), 130, {"type": "Interrupted", "message": KEPT, "remedy": ""}),
        (
            LimitError("It took too long."),
            2,
            {
                "type": "LimitError",
                "message": f"It took too long. {KEPT}",
                "remedy": LimitError.remedy,
            },
        ),
    ],
)
def test_an_interrupted_sweep_says_how_it_goes_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop: KeyboardInterrupt,
    code: int,
    told: dict[str, str],
) -> None:
    class Interrupted(Deadly):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            raise stop

    monkeypatch.setattr(
        sweeping, "_processes", lambda workers: lambda: (Interrupted(set()), lambda: 1)
    )
    arguments = ["study", "--sweep", str(grid_file(tmp_path)), "--rows", str(tmp_path / "r.csv")]
    done = CliRunner().invoke(cli, [*arguments, "--workers", "1", "--json"])
    assert done.exit_code == code
    assert json.loads(done.stdout)["error"] == told


SLOW = GRID.replace("T = 60", "T = 6000")


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_killed_workers_and_a_killed_parent_lose_nothing(tmp_path: Path) -> None:
    grid, file = grid_file(tmp_path, 2, SLOW), tmp_path / "rows.csv"
    arguments = ("--sweep", grid, "--rows", file, "--workers", 2)

    def count() -> int:
        return file.read_bytes().count(b"\n") - 1 if file.exists() else 0

    with started(*arguments, cwd=tmp_path) as running:
        until(lambda: count() >= 1)
        workers = children_of(running.pid)
        assert workers
        os.kill(workers[0], signal.SIGKILL)  # a worker
        seen = count()
        until(lambda: count() > seen)  # the sweep goes on
        workers = children_of(running.pid)
        os.kill(running.pid, signal.SIGKILL)  # the parent
        running.wait()
    until(lambda: not any(alive(pid) for pid in workers))  # nobody is left behind
    kept = rows_of(file)
    assert 0 < len(kept) < 8
    with file.open("ab") as torn:
        torn.write(
            b"0123456789abcdef,elman_bare,ortho"
        )  # what a crash in the middle of a line leaves
    done = subprocess.run(
        command(*arguments, "--json"), cwd=tmp_path, capture_output=True, check=True
    )
    assert json.loads(done.stdout)["new"] == 8 - len(kept)
    rows = rows_of(file)
    assert rows[: len(kept)] == kept
    assert {row["task"] for row in rows} == {task.identity for task in read_grid(grid).tasks}
    assert len(rows) == 8


@contextmanager
def dask(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield running
    finally:
        running.kill()
        running.wait()


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_a_dask_cluster_on_loopback_loses_a_worker_and_no_row(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    grid, file, note = (
        grid_file(tmp_path, 2, SLOW),
        tmp_path / "rows.csv",
        tmp_path / "scheduler.json",
    )
    scheduler = (
        "scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
        "--scheduler-file",
        str(note),
    )
    worker = ("worker", "--scheduler-file", str(note), "--nthreads", "1", "--no-nanny", "--no-dashboard",
              "--local-directory", str(tmp_path))  # fmt: skip
    with dask(*scheduler):
        until(lambda: note.exists() and note.read_text().endswith("}"))
        address = json.loads(note.read_text())["address"]
        with dask(*worker) as one, dask(*worker), started(
            "--sweep", grid, "--rows", file, "--scheduler", address, "--json", cwd=tmp_path
        ) as running:  # fmt: skip
            until(lambda: file.exists() and file.read_bytes().count(b"\n") >= 2)
            one.kill()
            out, told = running.communicate()
            assert running.returncode == 0, told.decode()
    assert json.loads(out)["new"] == 8
    rows = rows_of(file)
    assert {row["task"] for row in rows} == {task.identity for task in read_grid(grid).tasks}
    assert len(rows) == 8
    assert float(rows[0]["rate"]) == pytest.approx(
        measure(next(t for t in read_grid(grid).tasks if t.identity == rows[0]["task"]))["rate"]
    )


def test_a_scheduler_that_does_not_answer_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(sweeping, "PATIENCE", 0.5)
    for address in ("tcp://127.0.0.1:1", "nonsense://x"):
        found = CliRunner().invoke(
            cli,
            [
                "study",
                "--sweep",
                str(grid_file(tmp_path)),
                "--rows",
                str(tmp_path / "r.csv"),
                "--scheduler",
                address,
            ],
        )
        assert found.exit_code == 2, found.output
        assert "No scheduler answers" in found.output


class Deadly(Executor):
    """A pool whose worker dies of one task, and which is then broken, as ProcessPoolExecutor is."""

    def __init__(self, deadly: set[str], tries: list[str] | None = None) -> None:
        self.deadly, self.broken, self.tries = deadly, False, tries if tries is not None else []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        task: Task = args[0]
        future: Future[Any] = Future()
        if self.broken:
            raise BrokenProcessPool
        self.tries.append(task.identity)
        self.broken = task.identity in self.deadly
        if self.broken:
            future.set_exception(BrokenProcessPool())
        else:
            future.set_result({"task": task.identity, "rate": 0.0})
        return future


def test_a_task_that_takes_its_workers_down_is_named_and_all_others_have_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = grid_file(tmp_path, seeds=3)
    tasks = read_grid(grid).tasks
    deadly = {tasks[2].identity}
    tries: list[str] = []
    monkeypatch.setattr(
        sweeping, "_processes", lambda workers: lambda: (Deadly(deadly, tries), lambda: workers)
    )
    said: list[str] = []
    found = sweeping.sweep(grid, tmp_path / "r.csv", workers=2, scheduler="", say=said.append)
    assert found.lost == [tasks[2].identity]
    assert tries.count(tasks[2].identity) == 1 + sweeping.TRIES  # once among others, and then alone
    assert found.new == len(tasks) - 1
    assert len(rows_of(tmp_path / "r.csv")) == len(tasks) - 1
    assert any("a worker died" in line for line in said)


def test_a_task_that_cannot_be_measured_has_a_row_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "wild.cell").write_text("h[t] = exp(h[t-1]) + x[t]\n")
    grid = grid_file(tmp_path, text='cell = ["wild.cell"]\nn = 3\nT = 60\n')
    row = measure(read_grid(grid).tasks[0])
    assert "not finite" in row["error"]
    assert "rate" not in row


def test_a_sweep_tells_which_cells_have_no_square_matrices_for_a_gain(tmp_path: Path) -> None:
    (tmp_path / "bad.cell").write_text("h[t] = ?\n")
    text = 'cell = ["mingru", "elman", "bad.cell"]\ngain = [1.0, 1.5]\nn = 3\nm = 2\nT = 20\n'
    grid, rows = grid_file(tmp_path, text=text), tmp_path / "rows.csv"
    asked = ["study", "--sweep", str(grid), "--rows", str(rows), "--workers", "1"]
    found = CliRunner().invoke(cli, asked)
    assert found.exit_code == 0, found.output
    assert "gain is about square matrices: mingru has none and is measured without." in found.output
    data = json.loads(CliRunner().invoke(cli, [*asked, "--json"]).stdout)
    assert data["unheard"] == {"mingru": ["gain"]}
    deaf = grid_file(tmp_path, text=text.replace(', "elman", "bad.cell"', ""))
    found = CliRunner().invoke(
        cli, ["study", "--sweep", str(deaf), "--rows", str(tmp_path / "r.csv")]
    )
    assert found.exit_code == 2
    assert "gain is about square matrices, and mingru has none" in found.output


@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
def test_a_task_is_measured_alike_in_other_libraries(library: str, tmp_path: Path) -> None:
    pytest.importorskip(library)
    pytest.importorskip("array_api_compat")
    ours = measure(read_grid(grid_file(tmp_path)).tasks[-1])
    other = read_grid(grid_file(tmp_path, text=f'library = "{library}"\n' + GRID)).tasks[-1]
    theirs = measure(other)
    assert theirs.keys() == ours.keys()
    for name in ("rate", "log_norm", "log_largest", "log_smallest"):
        assert theirs[name] == pytest.approx(ours[name], rel=1e-9)
    assert theirs["task"] == ours["task"]  # the same row, wherever it is measured


def test_single_precision_is_another_task(tmp_path: Path) -> None:
    ours = measure(read_grid(grid_file(tmp_path)).tasks[0])
    single = measure(read_grid(grid_file(tmp_path, text='dtype = "float32"\n' + GRID)).tasks[0])
    assert single["task"] != ours["task"]
    assert single["drawn"] == ours["drawn"]
    assert single["rate"] == pytest.approx(ours["rate"], abs=1e-4)
    assert single["rate"] != ours["rate"]


def test_a_library_that_is_not_there_is_said_in_the_row(tmp_path: Path) -> None:
    row = measure(read_grid(grid_file(tmp_path, text='library = "cupy"\n' + GRID)).tasks[0])
    assert "cupy" in row["error"]


def test_a_cell_from_a_file_travels_with_its_text(tmp_path: Path) -> None:
    file = tmp_path / "mine.cell"
    file.write_text("h[t] = tanh(W @ h[t-1] + x[t])\n")
    grid = grid_file(tmp_path, text='cell = ["./mine.cell"]\nn = 3\nT = 20\n')
    task = read_grid(grid).tasks[0]
    file.unlink()
    assert measure(task)["rate"] < 0
    file.write_text("h[t] = tanh(2 * W @ h[t-1] + x[t])\n")
    assert read_grid(grid).tasks[0].identity != task.identity  # other equations, another task


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cell = [", "no TOML"),
        ("gain = 1.0", "has no cell"),
        ('cell = "elman"\nn = 0', r"n holds 0; expected a whole number from 1 to 20,000"),
        ('cell = "elman"\nn = 1000000', "n holds 1,000,000"),
        ('cell = "elman"\nn = "many"', r'n holds "many"; expected a whole number'),
        ('cell = "elman"\nn = 2.5', "n holds 2.5"),
        ('cell = "elman"\nn = true', "n holds true"),
        ('cell = "elman"\ngain = []', "empty list"),
        ('cell = "elman"\ngain = nan', "expected a number"),
        ('cell = "elman"\ngain = [1, 1.0]', "twice"),
        ('cell = "elman"\ngian = 1', "no key of a grid. Did you mean gain"),
        ('cell = "elman"\ninit = "orthogonl"', "Did you mean orthogonal"),
        ('cell = "elmann"', "No shipped cell"),
        ('cell = "elman"\nmeasure = "speed"', "unknown"),
        ('cell = "elman"\nseed = { count = 0 }', "count is 0"),
        ('cell = "elman"\nseed = { first = 1 }', "expected {start, count, step}"),
        ('cell = "elman"\nn = { start = 19990, count = 100 }', "n holds 20,089"),
        ('cell = "elman"\nseed = { count = 2000 }\ngain = [1,2,3,4,5]\nn = { start = 1, count = 1000 }',
         r"10,000,000 tasks .2,000 seed|10,000,000 tasks"),
        ('cell = "elman"\nseed = { count = 100000000000 }', "limit is 1,000,000"),
        ('cell = "elman"\nlibrary = ["numpy"]', "one value"),
        ('cell = "elman"\nT = [30, 300]\nlag = 31\nmeasure = ["growth", "norms"]', "run of T = 30 steps has no"),
        ('cell = "elman"\nset = 3', "expected a table"),
        ('cell = "elman"\n[set]\n"b f" = 1', "no parameter's name"),
        ('cell = "elman"\n[set]\nb = "one"', "expected a number"),
    ],
)  # fmt: skip
def test_a_bad_grid_is_refused_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ThroughtimeError, match=told) as caught:
        read_grid(grid_file(tmp_path, text=text.replace("{", "{{").replace("}", "}}")))
    assert caught.value.exit_code == 2
    place = caught.value.place if isinstance(caught.value, GridError) else None
    if place is not None:
        assert place.source == "grid.toml"
        assert place.text in text.splitlines()


def test_a_lag_that_is_not_asked_for_ends_with_the_run(tmp_path: Path) -> None:
    text = 'cell = "elman"\nT = 30\nn = 3\nmeasure = ["growth", "norms"]'
    unasked, asked = (
        measure(read_grid(grid_file(tmp_path, text=text + more)).tasks[0])
        for more in ("", "\nlag = 30")
    )
    assert unasked["log_norm"] == pytest.approx(asked["log_norm"])


@pytest.mark.parametrize(
    "arguments",
    [("--sweep", "absent.toml"), ("elman", "--sweep", "grid.toml"), ("--sweep", "grid.toml", "--rows", "r.txt"),
     ("--sweep", "grid.toml", "--workers", "2", "--scheduler", "tcp://x:1"), (),
     ("elman", "--workers", "2"), ("--sweep", "grid.toml", "--rows", "grid.toml/r.csv")],
)  # fmt: skip
def test_a_sweep_that_cannot_be_is_a_usage_error(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    grid_file(tmp_path)
    found = CliRunner().invoke(cli, ["study", *arguments])
    assert found.exit_code == 2, found.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grid.toml"]


def test_the_grid_of_the_page_on_sweeps_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "sweeps.md").read_text(encoding="utf-8")
    text = (
        page.split("```toml\n")[1]
        .split("```")[0]
        .replace("# b_f", "b_f")
        .replace('"./my.cell"', '"gru"')
    )
    path = tmp_path / "grid.toml"
    path.write_text(text, encoding="utf-8")
    assert len(read_grid(path).tasks) == 4 * 2 * 3 * 2 * 10 * 3
    for key in (*AXES, *WHOLE, "measure"):
        assert f"{key} =" in text or f"`{key}`" in page
    for name in (*MEASURES, *KNOWN, *DTYPES):
        assert f"`{name}`" in page


def test_rows_of_another_sweep_are_not_mixed_in(tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_text("task,x\n1,2\n")
    found = CliRunner().invoke(
        cli, ["study", "--sweep", str(grid_file(tmp_path)), "--rows", str(file)]
    )
    assert found.exit_code == 2
    assert "other columns" in found.output
    assert file.read_text() == "task,x\n1,2\n"
