"""A grid's file: TOML to the tasks that it stands for, or an error that says where, what was found and what to do."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, cast

from derive.catalog import source_of
from derive.errors import ArgumentError, Place
from derive.language_words import listed, nearest
from numeric.grid import AXES, MOST_BYTES, MOST_TASKS, NUMBER, SET, WHOLE, Axis, Grid, Task
from numeric.sweep_measures import AT_LAG, MEASURES


class GridError(ArgumentError):
    """A grid that cannot be swept."""


def read_grid(path: Path) -> Grid:
    """The tasks of a grid's file.

    Args:
        path: a TOML file; an axis is a value, a list of values, or for whole numbers {start, count, step}.

    Raises:
        GridError: the file is no grid; it says where, what was expected and found, and what to do.
        UnknownCellError: a cell is unknown.
    """
    return _Reader(path).grid()


@dataclass(slots=True)
class _Reader:
    path: Path
    text: str = ""
    given: dict[str, Any] = field(default_factory=dict[str, Any])

    def grid(self) -> Grid:
        self._read()
        known = [*AXES, *WHOLE, "measure", "set"]
        for key in self.given:
            if key not in known:
                raise self._error(
                    key,
                    f"{key!r} is no key of a grid.{nearest(key, known)}",
                    f"The keys are {listed(known)}.",
                )
        axes = {name: self._axis(name, axis, self.given.get(name)) for name, axis in AXES.items()}
        sets: dict[str, Any] = self.given.get("set", {})
        if not _is_table(sets):
            raise self._error(
                "set",
                f"set is {_shown(sets)}; expected a table of parameters.",
                "Write [set] and below it b_f = [0, 1, 5].",
            )
        for name in sets:
            if not name.isidentifier():
                raise self._error(
                    "set",
                    f"set names {_shown(name)}, which is no parameter's name.",
                    "Write b_f = [0, 1, 5].",
                )
        axes |= {SET + name: self._axis(name, NUMBER, value) for name, value in sets.items()}
        count = math.prod(len(values) for values in axes.values())
        if count > MOST_TASKS:
            sizes = " · ".join(f"{len(v):,} {k}" for k, v in axes.items() if len(v) > 1)
            raise self._error(
                "",
                f"The grid has {count:,} tasks ({sizes}); the limit is {MOST_TASKS:,}.",
                "Split it into several files.",
            )
        whole = {name: self._one(name, axis) for name, axis in WHOLE.items()}
        measure = self._measure()
        self._reached(whole["lag"], axes["T"], measure)
        make = partial(Task, measure=measure, **whole)
        sources = {cell: self._source(cell) for cell in axes["cell"]}
        names = list(axes)
        tasks = tuple(
            make(point[0], sources[point[0]], dict(zip(names[1:], point[1:], strict=True)))
            for point in product(*axes.values())
        )
        measured = [column for name in measure for column in MEASURES[name].columns]
        return Grid(tasks, ("task", *names, "drawn", "dtype", *measured, "error"))

    def _read(self) -> None:
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise GridError(
                f"{self.path} cannot be read: {error.strerror}.", "Check the path."
            ) from None
        if len(data) > MOST_BYTES:
            raise GridError(
                f"{self.path} has {len(data):,} bytes; the limit is {MOST_BYTES:,}.",
                "A grid is a few lines; write {start, count} for long ranges.",
            )
        try:
            self.text = data.decode("utf-8")
            self.given = tomllib.loads(self.text)
        except UnicodeDecodeError:
            raise GridError(f"{self.path} is not text in UTF-8.", "Save it as UTF-8.") from None
        except tomllib.TOMLDecodeError as error:
            where = re.search(r"line (\d+), column (\d+)", str(error))
            line = int(where[1]) if where else len(self.text.splitlines())
            raise GridError(
                f"This is no TOML: {error}.",
                "Write key = value, one to a line.",
                place=self._place(line),
            ) from None
        except RecursionError:
            raise GridError(
                f"{self.path} is nested too deeply.", "Write key = value, one to a line."
            ) from None

    def _reached(self, lag: int, lengths: list[int], measure: tuple[str, ...]) -> None:
        """That a lag which is asked for lies within every run; that of grids which name none ends with the run."""
        shortest = min(lengths)
        if "lag" in self.given and lag > shortest and set(measure) & AT_LAG:
            raise self._error(
                "lag",
                f"lag is {lag}: a run of T = {shortest} steps has no gradient from so far back.",
                f"Give a lag of at most {shortest}, or longer runs.",
            )

    def _axis(self, name: str, axis: Axis, value: Any) -> list[Any]:
        if value is None and axis.default is None:
            raise self._error(
                "", f"The grid has no {name}.", f'Add a line: {name} = ["elman", "lstm"].'
            )
        if value is None:
            return [axis.default]
        if _is_table(value) and axis.kind is int:
            return self._range(name, axis, value)
        values = _as_list(value)
        if not values:
            raise self._error(
                name,
                f"{name} is an empty list; expected at least one value.",
                f"Give {name} a value, or leave it out.",
            )
        found = [self._value(name, axis, v) for v in values]
        if len(set(found)) != len(found):
            twice = next(v for v in found if found.count(v) > 1)
            raise self._error(
                name, f"{name} holds {_shown(twice)} twice.", "Give every value once."
            )
        return found

    def _range(self, name: str, axis: Axis, value: Mapping[str, Any]) -> list[int]:
        if not set(value) <= {"start", "count", "step"} or "count" not in value:
            raise self._error(
                name,
                f"{name} = {_shown(value)}; expected {{start, count, step}}, of which count is needed.",
                f"Write {name} = {{ start = 0, count = 10 }}.",
            )
        start, count, step = (value.get(k, d) for k, d in (("start", 0), ("count", 0), ("step", 1)))
        for k, v, low in (("start", start, axis.low), ("count", count, 1), ("step", step, 1)):
            if type(v) is not int or v < low:
                raise self._error(
                    name,
                    f"{name}: {k} is {_shown(v)}; expected a whole number from {low:.0f} on.",
                    "Correct it.",
                )
        if count > MOST_TASKS:
            raise self._error(
                name,
                f"{name} has {count:,} values; the limit is {MOST_TASKS:,} tasks.",
                "Take fewer.",
            )
        self._value(name, axis, start + (count - 1) * step)
        return list(range(start, start + count * step, step))

    def _value(self, name: str, axis: Axis, value: Any) -> Any:
        expected = {str: "text", int: "a whole number", float: "a number"}[axis.kind]
        right = type(value) is axis.kind or (axis.kind is float and type(value) is int)
        if not right or (axis.kind is not str and not math.isfinite(value)):
            raise self._error(
                name,
                f"{name} holds {_shown(value)}; expected {expected}.",
                f"Write {name} = {_example(axis)}.",
            )
        if axis.kind is str:
            if axis.choices and value not in axis.choices:
                raise self._error(
                    name,
                    f"{name} = {_shown(value)} is unknown.{nearest(str(value), axis.choices)}",
                    f"Choose from {listed(axis.choices)}.",
                )
            return value
        if not axis.low <= value <= axis.high:
            limits = (
                f"from {axis.low:,.10g} to {axis.high:,.10g}"
                if axis.high < 2**60
                else f"at least {axis.low:.10g}"
            )
            raise self._error(
                name,
                f"{name} holds {value:,}; expected {expected} {limits}.",
                "Choose one within the limits.",
            )
        return axis.kind(value)

    def _one(self, name: str, axis: Axis) -> Any:
        value = self.given.get(name, axis.default)
        if isinstance(value, list | dict):
            raise self._error(
                name,
                f"{name} is {_shown(value)}; it holds for the whole grid and is one value.",
                f"Write {name} = {_example(axis)}.",
            )
        return self._value(name, axis, value)

    def _measure(self) -> tuple[str, ...]:
        axis = Axis(str, default="growth", choices=tuple(MEASURES))
        return tuple(self._axis("measure", axis, self.given.get("measure")))

    def _source(self, cell: str) -> tuple[str, str, dict[str, str]]:
        return source_of(cell, self.path.parent)

    def _error(self, key: str, problem: str, remedy: str) -> GridError:
        return GridError(problem, remedy, place=self._place(self._line(key)) if key else None)

    def _line(self, key: str) -> int:
        """The line on which a key stands."""
        start = re.compile(rf"""\s*(?:\[\s*)?["']?{re.escape(key)}["']?\s*[=\].]""")
        lines = self.text.splitlines()
        return next((i for i, line in enumerate(lines, 1) if start.match(line)), 1)

    def _place(self, line: int) -> Place:
        lines = self.text.splitlines() or [""]
        text = lines[min(line, len(lines)) - 1]
        return Place(self.path.name, line, text, 0, max(1, len(text.rstrip())))


def _as_list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _example(axis: Axis) -> str:
    if axis.choices:
        return f'"{axis.choices[0]}"'
    return {str: '"elman"', int: "32", float: "1.5"}[axis.kind]
