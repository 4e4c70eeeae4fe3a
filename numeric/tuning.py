"""The sizes at the head of files made for speed: read, written, and chosen by what takes least time on this machine."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from types import ModuleType

from numeric.fast_source import SETTINGS

Run = Callable[[], object]
Clock = Callable[[], float]

CANDIDATES: dict[str, tuple[int, ...]] = {
    "STRETCH_ROWS": (256, 512, 1024, 2048, 4096),
    "BLOCK_BYTES": (250_000, 500_000, 1_000_000, 2_000_000, 4_000_000),
    "SMALL_STEP": (0, 10_000, 300_000, 1_000_000),
    "PIECE_SIZE": (250_000, 1_000_000, 1_000_000_000_000),
    "MATRIX_SIZE": (0, 150, 300, 600),
    "TOGETHER_SIZE": (0, 300, 600, 1200, 2400),
}
"""What is tried for each size, in this order; what the file says already is always tried, and first."""
GAIN = 0.03
"""By which share a choice has to be faster than what the file says: less is noise."""
ROUNDS = (3, 15)
"""At least and at most how often every candidate runs."""
SECONDS = 12.0
"""In which all rounds end, unless the fewest take longer; first runs, in which code is compiled, do not count."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A size of run that a file is tuned for.

    Args:
        steps: T.
        samples: B.
        n: the first dimension.
        m: every other dimension.
    """

    steps: int
    samples: int
    n: int
    m: int

    def __str__(self) -> str:
        return f"T = {self.steps}, B = {self.samples}, n = {self.n}, m = {self.m}"


TYPICAL = (Shape(100, 8, 32, 32), Shape(100, 32, 64, 64))
"""What a file is tuned for if nobody says otherwise."""


def settings_in(source: str) -> dict[str, int]:
    """The sizes at the head of a file, by name, read without running it; none if it is no Python."""
    return {name: value for name, (_, value) in _assigned(source).items()}


def with_settings(source: str, settings: Mapping[str, int]) -> str:
    """The file with these sizes at its head instead of its own; names that it does not have are left out."""
    lines = source.split("\n")
    for name, (line, _) in _assigned(source).items():
        if name in settings:
            value = settings[name]
            lines[line - 1] = f"{name} = {value if value < 10_000 else f'{value:_}'}"
    return "\n".join(lines)


def _assigned(source: str) -> dict[str, tuple[int, int]]:
    """Line and value of every size, where a whole number is assigned to it at the file's top level."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    return {
        target.id: (node.lineno, node.value.value)
        for node in body
        if isinstance(node, ast.Assign) and len(node.targets) == 1
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in SETTINGS
        if isinstance(node.value, ast.Constant) and type(node.value.value) is int
    }


def fastest(
    module: ModuleType,
    settings: Mapping[str, int],
    runs: Sequence[Callable[[], Run]],
    clock: Clock,
    seconds: float = SECONDS,
) -> dict[str, int]:
    """The sizes with which a file takes least time, one after another, the earlier ones as chosen.

    Candidates run in turn, so that what else the machine does strikes all of them alike. A candidate's time is the
    median of its rounds over that of what the file says, and over several runs the geometric mean of these.

    Args:
        module: the loaded file.
        settings: its sizes, as it says.
        runs: each makes a run, with arrays of its own, of a size for which the file is to be fast.
        clock: the time in seconds.
        seconds: in which the rounds end, unless the fewest take longer.

    Returns:
        A value for every name in ``settings``.
    """
    chosen = dict(settings)
    for name, ordinary in settings.items():
        values = list(dict.fromkeys([ordinary, *CANDIDATES[name]]))
        times = _times(module, name, values, runs, clock, seconds / len(settings))
        score = {v: _over(times[v], times[ordinary]) for v in values}
        best = min(values, key=score.__getitem__)
        chosen[name] = best if score[best] < 1 - GAIN else ordinary
        setattr(module, name, chosen[name])
    return chosen


def _times(
    module: ModuleType,
    name: str,
    values: Sequence[int],
    runs: Sequence[Callable[[], Run]],
    clock: Clock,
    seconds: float,
) -> dict[int, list[float]]:
    """For every value of one size, the median time of every run."""
    ready: dict[int, list[Run]] = {}
    for value in values:
        setattr(module, name, value)
        ready[value] = [make() for make in runs]
        for run in ready[value]:
            run()
    taken: dict[int, list[list[float]]] = {v: [[] for _ in runs] for v in values}
    begun, (least, most) = clock(), ROUNDS
    for i in range(most):
        if i >= least and (clock() - begun) * (i + 1) / i > seconds:
            break
        first = i % len(values)
        for value in (*values[first:], *values[:first]):
            setattr(module, name, value)
            for run, found in zip(ready[value], taken[value], strict=True):
                start = clock()
                run()
                found.append(clock() - start)
    return {value: [median(found) for found in of_runs] for value, of_runs in taken.items()}


def _over(times: Sequence[float], ordinary: Sequence[float]) -> float:
    """The geometric mean of the ratios; a clock that saw no time pass says nothing."""
    ratios = [a / b for a, b in zip(times, ordinary, strict=True) if a > 0 and b > 0]
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else 1.0
