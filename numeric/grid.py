"""Grids of settings: axes, and tasks with an explicit seed each; see ``grid_reader`` for the file."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from derive.initial import KINDS
from numeric.limits import LARGEST, LONGEST, WIDEST
from numeric.namespace import DTYPES, KNOWN
from numeric.setting import Setting

MOST_TASKS = 1_000_000
MOST_BYTES = 1_000_000
FARTHEST = 10_000
INITS = ("own", *(name for name, kind in KINDS.items() if kind.argument == "a factor"))


@dataclass(frozen=True, slots=True)
class Task:
    """One point of a grid.

    Args:
        cell: as the grid names it.
        source: the cell's text, name and options, so that a worker elsewhere needs no file.
        point: init, gain, n, m, T, inputs, seed and the parameters set, by name as the grid writes them.
        measure: names of ``MEASURES``.
        lag: the lag of norms and singular values.
        library: the array namespace.
        dtype: the precision.
        device: of the arrays; the library's default if empty.
    """

    cell: str
    source: tuple[str, str, Mapping[str, str]]
    point: Mapping[str, Any]
    measure: tuple[str, ...] = ("growth",)
    lag: int = 200
    library: str = "numpy"
    dtype: str = "float64"
    device: str = ""

    @property
    def identity(self) -> str:
        """Sixteen digits that stand for what is measured: the same on every machine, another for another task."""
        more = {"dtype": self.dtype, "lag": self.lag, "measure": self.measure}
        return _digest({**self._what, **more})[:16]

    @property
    def drawn(self) -> int:
        """The seed of everything random in this task, from the task itself: 63 bits."""
        return int(_digest(self._what)[:16], 16) >> 1

    @property
    def _what(self) -> dict[str, Any]:
        return {"cell": self.cell, "source": list(self.source), **self.point}

    @property
    def setting(self) -> Setting:
        """Where the cell is measured."""
        p = self.point
        values = {name.removeprefix(SET): v for name, v in p.items() if name.startswith(SET)}
        return Setting(
            steps=p["T"], n=p["n"], m=p["m"], init=p["init"], gain=p["gain"], values=values,
            inputs=p["inputs"], seed=self.drawn,
        )  # fmt: skip


SET = "set."


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Grid:
    """What a grid's file stands for.

    Args:
        tasks: in the order of the axes, the last one fastest.
        columns: the names of the axes and of what is measured, in the order of the rows' columns.
    """

    tasks: tuple[Task, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis.

    Args:
        kind: of its values.
        low: their least.
        high: their largest.
        default: the value where the grid has none; ``None``: it must have one.
        choices: the words that are values, if only some are.
    """

    kind: type
    low: float = -math.inf
    high: float = math.inf
    default: Any = None
    choices: tuple[str, ...] = ()


_BASE = Setting()
AXES: dict[str, Axis] = {
    "cell": Axis(str),
    "init": Axis(str, default=_BASE.init, choices=INITS),
    "gain": Axis(float, -LARGEST, LARGEST, default=_BASE.gain),
    "n": Axis(int, 1, WIDEST, _BASE.n),
    "m": Axis(int, 1, WIDEST, _BASE.m),
    "T": Axis(int, 2, LONGEST, _BASE.steps),
    "inputs": Axis(float, 0.0, LARGEST, default=_BASE.inputs),
    "seed": Axis(int, 0, 2**63, 0),
}
WHOLE: dict[str, Axis] = {
    "lag": Axis(int, 1, FARTHEST, 200),
    "library": Axis(str, default="numpy", choices=KNOWN),
    "dtype": Axis(str, default="float64", choices=DTYPES),
    "device": Axis(str, default=""),
}
"""What holds for the whole grid."""
NUMBER = Axis(float, -LARGEST, LARGEST)
"""The values of a parameter that is set."""
TEXTS = ("task", "cell", "init", "dtype", "error")
WHOLES = ("n", "m", "T", "seed", "drawn")
"""Columns of text and of whole numbers; all others are numbers."""
