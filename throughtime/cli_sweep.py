"""``study --sweep``: its options, and what it has to say."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from derive.errors import ArgumentError
from throughtime.console import Outcome
from throughtime.progress import Progress


def sweep_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Declare the options of a sweep."""
    options = (
        click.option("--sweep", "grid", type=click.Path(dir_okay=False, path_type=Path), metavar="GRID.toml",
                     help="Instead of CELL: measure every point of a grid over cell, init, gain, n, m, T, inputs, seed "
                     "and parameters. Interrupted, it goes on where it was."),
        click.option("--rows", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
                     help="Where a sweep's rows go, .csv or .parquet; build/sweep/GRID.csv if not given."),
        click.option("--workers", type=click.IntRange(1, 1024), metavar="N",
                     help="Processes of a sweep; as many as there are cores if not given."),
        click.option("--scheduler", default="", metavar="tcp://HOST:PORT",
                     help="Sweep on the workers of a Dask scheduler instead."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def swept(
    say: Progress, cell: str | None, grid: Path, rows: Path | None, workers: int | None, scheduler: str
) -> Outcome:  # fmt: skip
    """Sweep a grid.

    Args:
        say: called with lines of progress.
        cell: must not be given.
        grid: the grid's file.
        rows: where the rows go.
        workers: processes.
        scheduler: the address of a Dask scheduler.
    """
    if cell is not None:
        raise ArgumentError(
            f"Both {cell} and --sweep are given.",
            f'Write cell = ["{cell}"] into {grid}, and leave it out here.',
        )
    if scheduler and workers:
        raise ArgumentError(
            "A cluster has its own workers.", "Pass --workers or --scheduler, not both."
        )
    say(f"reading {grid}")
    from numeric.setting import told_unheard
    from throughtime.sweeping import sweep

    file = rows or Path("build", "sweep", f"{grid.stem}.csv")
    found = sweep(grid, file, workers=workers or os.cpu_count() or 1, scheduler=scheduler, say=say)
    there = found.there + found.new
    told = f"{there:,} of {found.total:,} rows in {file}: {found.new:,} new"
    told += f", {found.failed:,} not measurable (see column error)" if found.failed else ""
    told = "\n".join(filter(None, [told, told_unheard(found.unheard)]))
    lost = (
        f"{len(found.lost)} tasks took their worker down again and again and have no row: "
        f"{', '.join(found.lost[:5])}.\n"
        "  Give the workers more memory, or take smaller n, and run the command again."
    )
    data = {
        "rows": there, "new": found.new, "total": found.total, "failed": found.failed, "lost": found.lost,
        "file": file, "unheard": found.unheard,
    }  # fmt: skip
    return Outcome(data, told, 1 if found.lost else 0, lost if found.lost else "")
