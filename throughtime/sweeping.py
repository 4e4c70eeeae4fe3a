"""Sweeps: the tasks of a grid on a pool of processes or a Dask cluster, each row on the disk as it arrives.

Both are executors of ``concurrent.futures``. What is in the file is not measured again, so a sweep that was
interrupted, by whatever, goes on with the same command; a worker that dies costs what it was working on.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from derive.cell import Cell
from derive.errors import ArgumentError, ThroughtimeError
from derive.language import read_cell
from numeric.grid import Task
from numeric.grid_reader import read_grid
from numeric.setting import Setting, refuse_unheard, unheard
from reports.rows import Rows
from throughtime.sweep_task import measure

Say = Callable[[str], None]
TRIES = 3
"""How often a task may take its worker down, each time alone, until it is given up."""
AHEAD = 2
"""Tasks waiting for each worker, so that none is idle while a row is written."""
EVERY = 2.0
"""Seconds between two lines of progress, at least."""
PATIENCE = 10
"""Seconds in which a scheduler must answer."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(slots=True)
class Swept:
    """What a sweep did.

    Args:
        file: the rows.
        total: tasks of the grid.
        there: rows of them that were there before.
        new: rows added.
        failed: new rows whose task could not be measured, and that say why.
        lost: tasks that took their workers down again and again, and have no row.
        unheard: what the grid asks of square matrices, ``gain`` or ``init``, by cell that has none.
    """

    file: Path
    total: int
    there: int = 0
    new: int = 0
    failed: int = 0
    lost: list[str] = field(default_factory=list[str])
    unheard: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


def sweep(grid: Path, file: Path, *, workers: int, scheduler: str, say: Say) -> Swept:
    """Measure every task of a grid that has no row yet.

    Args:
        grid: the grid's file.
        file: the rows, .csv or .parquet; continued if it is there.
        workers: processes here.
        scheduler: the address of a Dask scheduler, instead; empty: none.
        say: called with lines of progress.

    Raises:
        GridError: the grid cannot be swept.
        ArgumentError: it asks something of square matrices, and no cell has one.
        RowsError: the file holds other rows, or is being written.
        ArgumentError: the scheduler does not answer.
        KeyboardInterrupt: Ctrl-C, or a limit is reached; its message says what is kept.
    """
    read = read_grid(grid)
    deaf = _deaf(read.tasks)
    with Rows(file, read.columns) as rows:
        found = Swept(file, len(read.tasks), unheard=deaf)
        waiting = deque(task for task in read.tasks if task.identity not in rows.keys)
        found.there = found.total - len(waiting)
        open_pool = _cluster(scheduler) if scheduler else _processes(workers)
        try:
            _Sweep(rows, found, waiting, open_pool, say).run()
        except KeyboardInterrupt as stopped:
            done = found.there + found.new
            kept = (
                f"{done:,} of {found.total:,} rows are kept; the same command goes on from there."
            )
            raise type(stopped)(" ".join((*stopped.args, kept))) from None
        if not found.lost:
            rows.finish()
    return found


def _deaf(tasks: Sequence[Task]) -> dict[str, tuple[str, ...]]:
    """What the tasks ask of square matrices, by cell that has none; refused where no cell has one."""
    cells = {name: _read(source) for name, source in {t.cell: t.source for t in tasks}.items()}
    found: dict[str, tuple[str, ...]] = {}
    for name, gain, init in {(t.cell, t.point["gain"], t.point["init"]): 0 for t in tasks}:
        cell, setting = cells[name], Setting(gain=gain, init=init)
        if cell and (words := unheard(cell, setting)):
            found[name] = tuple(dict.fromkeys((*found.get(name, ()), *words)))
            if len(found) == len(cells):
                refuse_unheard(cell, setting)
    return found


def _read(source: tuple[str, str, Mapping[str, str]]) -> Cell | None:
    """A task's cell; none, if it is wrong, which its rows will say."""
    text, name, options = source
    try:
        return read_cell(text, name, dict(options))
    except ThroughtimeError:
        return None


OpenPool = Callable[[], tuple[Executor, Callable[[], int]]]


def _processes(workers: int) -> OpenPool:
    def make() -> tuple[Executor, Callable[[], int]]:
        context = multiprocessing.get_context("spawn")
        return _Processes(workers, context), lambda: workers

    return make


class _Processes(ProcessPoolExecutor):
    """A pool of processes that ends at once if it is not waited for."""

    def __init__(self, workers: int, context: Any) -> None:
        super().__init__(workers, context, initializer=_follow_parent)
        self._others = set(multiprocessing.active_children())

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End; without waiting, what still runs is stopped."""
        if not wait:
            for child in set(multiprocessing.active_children()) - self._others:
                child.terminate()
        super().shutdown(wait=wait, cancel_futures=cancel_futures)


def _follow_parent() -> None:
    """A worker whose parent was killed ends, too; Ctrl-C is the parent's affair."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _cluster(address: str) -> OpenPool:
    try:
        from distributed import Client
    except ImportError:
        raise ArgumentError(
            "A Dask cluster needs distributed, which is not installed.",
            "Install throughtime's extra cluster, or sweep here with --workers.",
        ) from None

    def make() -> tuple[Executor, Callable[[], int]]:
        try:
            client: Any = Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise ArgumentError(
                f"No scheduler answers at {address} within {PATIENCE} s: {str(error)[:200] or type(error).__name__}",
                "Start one with `dask scheduler`, and pass the address that it tells, tcp://HOST:8786.",
            ) from None
        return _Cluster(client), lambda: sum(client.nthreads().values())

    return make


class _Cluster(Executor):
    """A Dask client as an executor that closes the client, too."""

    def __init__(self, client: Any) -> None:
        self.client, self.pool = client, client.get_executor(pure=False)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit a call."""
        return self.pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End; what still runs is cancelled."""
        self.pool.shutdown(wait=False)
        self.client.close()


@dataclass(slots=True)
class _Sweep:
    """The loop: tasks out, rows in."""

    rows: Rows
    found: Swept
    waiting: deque[Task]
    open_pool: OpenPool
    say: Say
    suspects: deque[Task] = field(default_factory=deque[Task])
    deaths: Counter[str] = field(default_factory=Counter[str])
    told: float = 0.0

    def run(self) -> None:
        """Until every task has a row or is given up."""
        start = time.monotonic()
        with _one_thread_each():
            while self.waiting or self.suspects:
                self._with_pool(start)

    def _with_pool(self, start: float) -> None:
        """As far as one pool goes: to the end, or until a worker dies."""
        pool, width = self.open_pool()
        going: dict[Future[Any], Task] = {}
        try:
            while self.waiting or self.suspects or going:
                workers = width()
                for task in self._next(len(going), workers):
                    going[self._submitted(pool, task)] = task
                done, _ = wait(going, timeout=EVERY, return_when=FIRST_COMPLETED)
                for future in done:
                    self._take(future, going[future])
                    del going[future]
                self._tell(start, workers)
            pool.shutdown()
        except BrokenProcessPool:
            self._blame(list(going.values()))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _submitted(self, pool: Executor, task: Task) -> Future[Any]:
        try:
            return pool.submit(measure, task)
        except BrokenProcessPool:
            self.waiting.appendleft(task)
            raise

    def _next(self, going: int, width: int) -> Iterator[Task]:
        """The tasks to be handed out now; a suspect goes alone, so that it is known who takes workers down."""
        if self.suspects:
            if going == 0:
                yield self.suspects.popleft()
            return
        for _ in range(AHEAD * max(1, width) - going):
            if not self.waiting:
                return
            yield self.waiting.popleft()

    def _take(self, future: Future[Any], task: Task) -> None:
        error = future.exception()
        if (
            type(error).__name__ == "KilledWorker"
        ):  # Dask's word for a task that took several workers down
            self.found.lost.append(task.identity)
            return
        row = future.result()
        self.rows.append(row)
        self.found.new += 1
        self.found.failed += "error" in row

    def _blame(self, lost: list[Task]) -> None:
        """A worker died: what was going on is measured again, each task alone; one that was alone has done it."""
        if len(lost) == 1:
            self.deaths[lost[0].identity] += 1
        self.say(f"a worker died; {len(lost)} tasks are measured again")
        for task in lost:
            if self.deaths[task.identity] >= TRIES:
                self.found.lost.append(task.identity)
            else:
                self.suspects.append(task)

    def _tell(self, start: float, workers: int) -> None:
        now = time.monotonic()
        if now - self.told < EVERY:
            return
        self.told = now
        rate = self.found.new / max(now - start, 1e-9)
        left = len(self.waiting) + len(self.suspects)
        done = self.found.there + self.found.new
        ends = f", {left / rate:,.0f} s to go" if self.found.new else ""
        ends += "" if workers else "; the cluster has no workers"
        self.say(f"{done:,} of {self.found.total:,} rows, {rate:.2g} per second{ends}")


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Workers share the cores by being many: each multiplies with one thread, unless the user says otherwise."""
    added = [name for name in _THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
