"""One task of a sweep, measured: what a worker runs, here or on another machine."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from derive.errors import ThroughtimeError
from derive.language import read_cell
from numeric.grid import Task
from numeric.namespace import namespace
from numeric.setting import Runs
from numeric.sweep_measures import numbers
from throughtime.measuring import Prepared, prepared

ERROR = 200
"""Characters of an error that a row keeps."""


def measure(task: Task) -> dict[str, Any]:
    """The row of a task: its point, what was measured, or in the column ``error`` why nothing could be.

    Args:
        task: the task; the same task gives the same row, whoever measures it.
    """
    row: dict[str, Any] = {"task": task.identity, "cell": task.cell, **task.point}
    row |= {"drawn": task.drawn, "dtype": task.dtype}
    text, name, options = task.source
    try:
        ready = _ready(text, name, tuple(sorted(options.items())))
        space = namespace(task.library, task.dtype, task.device or None)
        setting, fixed = ready.started(task.setting)
        runs = Runs(ready.derivation, fixed, setting, space)
        return row | numbers(runs, task.measure, task.lag)
    except ThroughtimeError as error:
        told = f"{type(error).__name__}: {' '.join(error.problem.split())}"
        return row | {"error": told[:ERROR]}


@lru_cache(maxsize=64)
def _ready(text: str, name: str, options: tuple[tuple[str, str], ...]) -> Prepared:
    return prepared(read_cell(text, name, dict(options)))
