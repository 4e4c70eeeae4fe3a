"""The time and the memory that a command may take: past either it is stopped, as Ctrl-C stops it, and says so.

Sizes that are known beforehand are refused beforehand, each by whoever works with them. These limits are for what no
size tells: how long an algebra takes, and how much it keeps.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any

import click

from throughtime.progress import Progress

SECONDS = 3600.0
"""What a command may take if nothing is said; a sweep, which keeps every row at once, may take what it needs."""
PART = 0.9
"""Of the machine's memory: what a command may take if nothing is said."""
EVERY = 0.2
"""Seconds between two looks."""
AGAIN = 10.0
"""Seconds until a command is stopped again that still runs: foreign code may have swallowed the first time."""
GIB = 2**30
STATISTICS = Path("/proc/self/statm")
CONTROL_GROUP = Path("/sys/fs/cgroup/memory.max")


Declaration = Callable[[Callable[..., Any]], Callable[..., Any]]


class LimitError(KeyboardInterrupt):
    """A command took more than it may; the message says of what, and what it was doing."""

    remedy = "Take a smaller cell, smaller sizes or fewer steps; or allow more: --time, --memory."


def limited(usual: str = f"{SECONDS:g}") -> Declaration:
    """Declare ``--time`` and ``--memory``, and run the command within them; ``usual`` is the time if none is given."""

    def declared(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def run(say: Progress, *, seconds: float | None, gib: float | None, **given: Any) -> Any:
            if seconds is None and not given.get("grid"):
                seconds = SECONDS
            with within(seconds, gib, say):
                return command(say, **given)

        return limit_options(usual, "0.9 of the machine's")(run)

    return declared


def limit_options(time: str, memory: str) -> Declaration:
    """Declare ``--time`` and ``--memory`` as ``seconds`` and ``gib``; the texts say what holds if none is given."""

    def declared(command: Callable[..., Any]) -> Callable[..., Any]:
        for option, name, numbers, usual, text in (
            ("--memory", "gib", click.FloatRange(0.25, 1e6), memory, "Memory in GiB"),
            ("--time", "seconds", click.FloatRange(0, 1e8, min_open=True), time, "Seconds"),
        ):
            command = click.option(
                option,
                name,
                type=numbers,
                metavar="NUMBER",
                show_default=usual,
                help=f"{text} that it may take.",
            )(command)
        return command

    return declared


@contextmanager
def within(seconds: float | None, gib: float | None, say: Progress) -> Generator[None]:
    """Stops what runs inside, in the main thread, once it took more time or memory than this.

    Args:
        seconds: by the clock; None: any time.
        gib: of memory, in units of 2³⁰ bytes; None: ``PART`` of the machine's.
        say: knows what is being done.

    Raises:
        LimitError: it took more.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python gives signals to the main thread alone
        return
    watch = _Watch(seconds, gib, say)
    before = signal.getsignal(signal.SIGINT)

    def stop(number: int, frame: FrameType | None) -> None:
        if watch.told:
            raise LimitError(watch.told)
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGINT, stop)
    watch.start()
    try:
        yield
    finally:
        watch.end()
        signal.signal(signal.SIGINT, before)


class _Watch(threading.Thread):
    """Looks at the clock and the memory, and interrupts the main thread once there is something to tell."""

    def __init__(self, seconds: float | None, gib: float | None, say: Progress) -> None:
        super().__init__(daemon=True)
        self.told = ""
        self._seconds, self._gib, self._say = seconds, gib, say
        self._bytes = PART * _machine() if gib is None else gib * GIB
        self._start, self._over = monotonic(), threading.Event()

    def run(self) -> None:
        """Until the end, or until there is something to tell, and then until it is heard."""
        while not self._over.wait(AGAIN if self.told else EVERY):
            self.told = self.told or self._exceeded()
            if self.told:
                _interrupt()

    def end(self) -> None:
        """Look no more."""
        self._over.set()
        self.join()

    def _exceeded(self) -> str:
        if self._seconds is not None and monotonic() - self._start > self._seconds:
            return self._sentence(f"{self._seconds:g} s", "--time")
        if _taken() > self._bytes:
            return self._sentence(f"{self._bytes / GIB:.3g} GiB of memory", "--memory")
        return ""

    def _sentence(self, limit: str, option: str) -> str:
        doing = f", during: {self._say.stage}" if self._say.stage else ""
        return f"The command took more than {limit}, which {option} allows{doing}; no file is left half-written."


def _interrupt() -> None:
    """What Ctrl-C does, to this process alone; a call of the system that waits ends, too, where systems can."""
    if sys.platform == "win32":
        _thread.interrupt_main()
    else:
        main = threading.main_thread().ident
        signal.pthread_kill(main or 0, signal.SIGINT)


def _taken() -> float:
    """The memory of this process in bytes: now, or the most at once; 0 where the system does not tell."""
    if STATISTICS.is_file():
        return float(STATISTICS.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    if sys.platform == "win32":
        return 0.0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _machine() -> float:
    """The memory of this machine, or of the container, in bytes."""
    most = float("inf")
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        most = float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    if CONTROL_GROUP.is_file():
        told = CONTROL_GROUP.read_text().strip()
        most = min(most, float(told) if told.isdecimal() else most)
    return most
