"""The certified bounds of a cell where it is measured: its weights there, a box around its inputs, its run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from derive.derivation import Derivation
from derive.errors import ArgumentError
from numeric.interpret import Array, shape_of
from numeric.measure import MeasureError
from numeric.setting import Runs, Setting, sizes_of
from proofs.guarantee import Guarantee, Trajectory, guarantee, scale_or_none
from proofs.guarantee_box import Problem
from proofs.guarantee_intervals import Interval
from proofs.guarantee_step import Step

REACH = 3.0
"""How many standard deviations of the inputs their box reaches: of normal inputs 0.3 % lie outside."""
COMING_TO_REST = 3000
HORIZON = 20


@dataclass(frozen=True, slots=True)
class Certified:
    """What is certain in a setting.

    Args:
        guarantee: the bounds; ``None`` if none could be looked for.
        reason: why not.
        reach: every input lies between −reach and reach.
    """

    guarantee: Guarantee | None
    reason: str
    reach: float


def certified(derivation: Derivation, weights: Mapping[str, Array], setting: Setting) -> Certified:
    """Look for certified bounds in a setting.

    Args:
        derivation: of the cell.
        weights: every parameter and constant, (rows, columns).
        setting: where it is measured.
    """
    reach = REACH * abs(setting.inputs)
    if find_spec("flint") is None:
        return Certified(
            None, "python-flint is not installed: pip install throughtime[bounds]", reach
        )
    try:
        problem = problem_in(derivation, weights, setting)
        return Certified(guarantee(problem, trajectory_in(derivation, weights, setting)), "", reach)
    except (MeasureError, ArgumentError) as error:
        return Certified(None, error.problem, reach)


def certified_scale(
    derivation: Derivation, weights: Mapping[str, Array], setting: Setting
) -> float | None:
    """The largest factor on the square matrices for which vanishing is certified; ``None`` where it cannot be asked."""
    if find_spec("flint") is None:
        return None
    return scale_or_none(problem_in(derivation, weights, setting))


def problem_in(derivation: Derivation, weights: Mapping[str, Array], setting: Setting) -> Problem:
    """The cell with its weights, and a box of ``REACH`` standard deviations for its inputs."""
    sizes, reach = sizes_of(derivation.cell, setting), REACH * abs(setting.inputs)
    inputs: dict[str, Interval] = {}
    for q in derivation.cell.inputs:
        shape = shape_of(q.symbol, sizes)
        lo, hi = (-reach, reach) if q.kind == "real" else (0.0, 1.0)
        inputs[q.name] = Interval(np.full(shape, lo), np.full(shape, hi))
    fixed = {k: np.asarray(v, float) for k, v in weights.items()}
    return Problem(Step(derivation, sizes), fixed, inputs)


def trajectory_in(
    derivation: Derivation, weights: Mapping[str, Array], setting: Setting
) -> Trajectory:
    """The run of a setting once it has settled; at rest, if it has no inputs and comes to rest."""
    cell, runs = derivation.cell, Runs(derivation, weights, setting)
    depth = max(q.depth for q in cell.states)
    if setting.inputs == 0:
        stream = runs.stream()
        for _ in range(COMING_TO_REST):
            stream.step()
        symbols: dict[str, Any] = {q.name: q.symbol for q in cell.states}
        now, before = (
            {k: np.array(stream.look(v.at(lag))) for k, v in symbols.items()} for lag in (0, 1)
        )
        if all(np.abs(now[k] - before[k]).max(initial=0.0) < 1e-12 for k in now):
            still = {q.name: np.zeros(shape_of(q.symbol, runs.sizes)) for q in cell.inputs}
            return Trajectory((now,), (still,), rests=True)
    run = runs.stored(HORIZON)
    states = tuple(
        {q.name: run.values[q.name, t][0, 0] for q in cell.states}
        for t in range(1 - depth, HORIZON + 1)
    )
    inputs = tuple(
        {q.name: run.values[q.name, t][0, 0] for q in cell.inputs} for t in range(1, HORIZON + 1)
    )
    return Trajectory(states, inputs)
