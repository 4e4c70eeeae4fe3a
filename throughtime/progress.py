"""Progress on standard error: silent for the first second, then one line for each stage."""

from __future__ import annotations

import threading
import time
from types import TracebackType

import click

PATIENCE = 1.0
"""Seconds of silence: what is done by then needs no progress."""


class Progress:
    """Says what is being done, once it has taken longer than PATIENCE.

    Call it with a stage's name when the stage begins. The stage that is under way when
    patience ends is shown at that moment, even while one long import keeps the main thread busy.

    Args:
        quiet: never show anything.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self.stage = ""
        """What is being done."""
        self._shown = True
        self._start = time.monotonic()
        self._lock = threading.Lock()
        self._timer = threading.Timer(PATIENCE, self._show)
        self._timer.daemon = True

    def __call__(self, stage: str) -> None:
        """Begin a stage."""
        self.stage, self._shown = stage, False
        if time.monotonic() - self._start >= PATIENCE:
            self._show()

    def __enter__(self) -> Progress:
        self._start = time.monotonic()
        if not self._quiet:
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._quiet = True

    def _show(self) -> None:
        with self._lock:
            shown, self._shown = self._shown, True
            if self._quiet or shown:
                return
            try:
                click.echo(f"{time.monotonic() - self._start:7.1f} s  {self.stage}", err=True)
            except OSError:
                self._quiet = True  # nobody reads: the work goes on without progress
