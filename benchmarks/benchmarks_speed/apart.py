"""Contenders each in a process of its own, one at work at a time: threads that wait for more disturb no other."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PAUSE = 0.3
"""Seconds between turns, in which the threads of the last one go to sleep: some wait awake for a fifth of a second."""
WARM = 0.15
"""Seconds of work before a turn that do not count: after a pause, threads that were asleep begin on one processor."""
TURN = 0.05
"""Seconds that a turn may take, if one run is shorter."""


CHOICES = (
    "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES",
    "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "MKL_ENABLE_INSTRUCTIONS",
    "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_ENABLE_AVX",
)  # fmt: skip
"""What would keep a library from the instructions and sizes that it takes by itself."""


KERNELS = "OPENBLAS_CORETYPE"
"""Names the processor whose kernels OpenBLAS takes."""


def environment(threads: int, kernels: str = "") -> dict[str, str]:
    """What tells every library how many threads it has, and, unless asked, nothing about which instructions to use.

    Args:
        threads: how many.
        kernels: the processor whose kernels OpenBLAS is to take; what it takes by itself if empty.
    """
    counts = {
        k: str(threads) for k in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    }
    alone = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    free = {k: v for k, v in os.environ.items() if k not in CHOICES}
    told = {KERNELS: kernels} if kernels else {}
    return {**free, **counts, **told, "XLA_FLAGS": alone if threads == 1 else ""}


@contextmanager
def held_to(threads: int) -> Iterator[None]:
    """As many processors as threads: XLA takes all that it sees, whatever its flags say. Linux only."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    seen = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(seen)[-threads:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, seen)


def measured(
    command: list[str], names: list[str], rounds: int, threads: int, alone: str, kernels: str = ""
) -> dict[str, list[float]]:
    """The times of every contender, in seconds.

    Args:
        command: starts a contender, whose name is appended; it answers to lines as ``serve`` does.
        names: of the contenders.
        rounds: in which each has its turn, in random order.
        threads: that each has.
        alone: the one whose threads are its own, and whose products have one each.
        kernels: as for ``environment``.
    """
    workers = {
        name: subprocess.Popen(  # noqa: S603 - this very folder's script
            [sys.executable, *command, name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment(1 if name == alone else threads, kernels),
        )
        for name in names
    }  # fmt: skip
    times: dict[str, list[float]] = {name: [] for name in names}
    shuffle, order = random.Random(0), list(names)  # noqa: S311 - an order of turns, no secret
    try:
        for worker in workers.values():
            _answer(worker)
        for _ in range(rounds):
            shuffle.shuffle(order)
            for name in order:
                time.sleep(PAUSE)
                times[name].append(float(_answer(workers[name], "run")))
    finally:
        for worker in workers.values():
            worker.kill()
            worker.communicate()
    return times


def _answer(worker: subprocess.Popen, question: str = "") -> str:
    if question:
        worker.stdin.write(question + "\n")
        worker.stdin.flush()
    line = worker.stdout.readline()
    if not line:
        raise RuntimeError(f"{worker.args} ended early")
    return line


def repeats(run: Callable[[], object]) -> int:
    """How often a turn repeats a run, which is made once."""
    start = time.perf_counter()
    run()
    return max(1, min(15, int(TURN / (time.perf_counter() - start))))


def turn(run: Callable[[], object], many: int) -> float:
    """The median time of the runs of one turn, in seconds."""
    times = []
    for _ in range(many):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return sorted(times)[many // 2]


def serve(run: Callable[[], object]) -> None:
    """Tells that it is ready, then for every line the time of a turn."""
    many = repeats(run)
    print("ready", flush=True)  # noqa: T201 - an answer to the parent
    for _ in sys.stdin:
        start = time.perf_counter()
        while time.perf_counter() - start < WARM:
            run()
        print(turn(run, many), flush=True)  # noqa: T201
