"""What a sweep can measure at each point: columns, and the numbers in them. A new measurement is a row in the table."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from numeric.flow import ends
from numeric.lyapunov import growth
from numeric.products import log_norms
from numeric.setting import Runs


@dataclass(frozen=True, slots=True)
class Measure:
    """One measurement.

    Args:
        columns: the names of its numbers.
        numbers: from the runs of a task and a lag to the numbers; logarithms are natural ones.
    """

    columns: tuple[str, ...]
    numbers: Callable[[Runs, int], tuple[float, ...]]


def _growth(runs: Runs, lag: int) -> tuple[float, ...]:
    found = growth(runs.stream(), runs.setting.steps, seed=runs.setting.directions)
    half = math.inf if found.rate == 0 else -math.log(2) / found.rate
    return found.rate, found.error, 0.0 if found.rate == -math.inf else half


def _norms(runs: Runs, lag: int) -> tuple[float, ...]:
    """‖∂s_T/∂s_{T−k}‖_F."""
    return (float(log_norms(runs.stored(lag))[-1]),)


def _extremes(runs: Runs, lag: int) -> tuple[float, ...]:
    found = ends(runs.stored(lag), [lag], runs.setting.directions)
    return float(found.largest[-1]), float(found.smallest[-1])


MEASURES: dict[str, Measure] = {
    "growth": Measure(("rate", "rate_error", "half_life"), _growth),
    "norms": Measure(("log_norm",), _norms),
    "extremes": Measure(("log_largest", "log_smallest"), _extremes),
}

AT_LAG = frozenset(MEASURES) - {"growth"}
"""The measurements at one lag."""


def numbers(runs: Runs, names: tuple[str, ...], lag: int) -> dict[str, float]:
    """The numbers of some measurements, by column.

    Args:
        runs: of the task.
        names: of ``MEASURES``.
        lag: k; no larger than the run.

    Raises:
        MeasureError: the run leaves the floating-point numbers.
    """
    found: dict[str, float] = {}
    at = min(lag, runs.setting.steps)
    with np.errstate(all="ignore"):
        for name in names:
            measure = MEASURES[name]
            found |= zip(measure.columns, measure.numbers(runs, at), strict=True)
    return found
