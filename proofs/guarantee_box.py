"""A box that no step leaves: found by interval iteration, for every input in a box of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from derive.derivation import Derivation
from numeric.interpret import Array, shape_of
from numeric.setting import is_square
from proofs.guarantee_intervals import Interval, point
from proofs.guarantee_step import Step

ROUNDS, NARROWING = 60, 24
SLOW = 1e-4
"""A shrinking box is left as it is when a step takes less than this from its width."""
START = 0.1
"""The states before the first step that a box holds at least: every entry between −START and START."""
ROUNDING = 1e-9
SPARE = 1e-6
"""What a box is given beyond what a step reached, relative to its width, so that the next step may stay inside."""

Box = Mapping[Any, Interval]
"""Intervals by name, or by name and lag where they differ from lag to lag."""
Values = Mapping[Any, Interval]
"""Intervals by leaf."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A cell with weights, and what its inputs may be.

    Args:
        step: of the cell, at its sizes.
        fixed: every parameter and constant, (rows, columns).
        inputs: every input's box.
    """

    step: Step
    fixed: Mapping[str, Array]
    inputs: Box

    @property
    def derivation(self) -> Derivation:
        """Of the cell."""
        return self.step.derivation

    @property
    def sizes(self) -> Mapping[Any, int]:
        """The size of every dimension."""
        return self.step.sizes

    def scaled(self, scale: float) -> Problem:
        """The same with every square matrix of parameters multiplied by a factor."""
        fixed = dict(self.fixed)
        for q in self.derivation.cell.parameters:
            if is_square(q):
                fixed[q.name] = scale * fixed[q.name]
        return Problem(self.step, fixed, self.inputs)


def input_box(
    derivation: Derivation, sizes: Mapping[Any, int], reach: float
) -> dict[str, Interval]:
    """Every entry of every input between −reach and reach."""
    shapes = {q.name: shape_of(q.symbol, sizes) for q in derivation.cell.inputs}
    return {k: Interval(np.full(s, -reach), np.full(s, reach)) for k, s in shapes.items()}


def enclose(problem: Problem, box: Box) -> dict[Any, Interval]:
    """What every leaf of a step can be while the states before it are in a box."""
    evaluate, cell = problem.step.evaluate, problem.derivation.cell
    values: dict[Any, Interval] = {
        q.symbol: point(problem.fixed[q.name]) for q in (*cell.parameters, *cell.constants)
    }
    for given, quantities, first in ((box, cell.states, 1), (problem.inputs, cell.inputs, 0)):
        for q in quantities:
            symbol: Any = q.symbol
            lags = range(first, q.depth + 1)
            values |= {symbol.at(d): given.get((q.name, d)) or given[q.name] for d in lags}
    for a in problem.derivation.assignments:
        values[a.target] = evaluate(a.expr, values.__getitem__)
    return values


def after(problem: Problem, box: Box) -> dict[str, Interval]:
    """The states after a step from a box."""
    values = enclose(problem, box)
    return {q.name: values[q.symbol] for q in problem.derivation.cell.states}


def is_invariant(problem: Problem, box: Box) -> bool:
    """Whether every step from the box ends in it."""
    found = after(problem, box)
    return all(bool(box[name].holds(value).all()) for name, value in found.items())


def invariant_box(problem: Problem) -> dict[str, Interval]:
    """A box around the starts that no step leaves; entries for which none was found are unbounded.

    The box grows from all states up to ``START`` by interval iteration; growth that slows down like a geometric series
    is carried to its limit at once, growth that does not is carried to infinity. Then it shrinks.
    """
    shapes = {q.name: shape_of(q.symbol, problem.sizes) for q in problem.derivation.cell.states}
    start = {k: Interval(np.full(s, -START), np.full(s, START)) for k, s in shapes.items()}
    box: dict[str, Interval] = start
    last: dict[str, Interval] | None = None
    for turn in range(ROUNDS):
        reached = after(problem, box)
        if all(bool(box[k].holds(v).all()) for k, v in reached.items()):
            return _roomier(problem, _narrowed(problem, box, start))
        grown = {k: box[k].hull(v) for k, v in reached.items()}
        if turn % 4 == 3 and last is not None:
            limit = turn >= ROUNDS // 2
            box = {k: _carried(last[k], box[k], grown[k], limit) for k in box}
            last = None
        else:
            last, box = box, grown
    return {k: Interval(np.full(s, -np.inf), np.full(s, np.inf)) for k, s in shapes.items()}


def _carried(before: Interval, now: Interval, new: Interval, to_infinity: bool) -> Interval:
    """Each end carried on to the limit of a geometric series, or to infinity."""
    ends: list[Array] = []
    for a, b, c in ((-before.lo, -now.lo, -new.lo), (before.hi, now.hi, new.hi)):
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            was, grows = b - a, c - b
            ratio = np.where(was > 0, grows / np.where(was > 0, was, 1.0), 1.0)
            limit = c + (1.05 * grows * ratio / (1 - ratio) + SPARE * np.abs(c))
            going = grows > 0
            settles = going & (ratio < 1) & (not to_infinity)
            ends.append(np.where(settles, limit, np.where(going, np.inf, c) if to_infinity else c))
    return Interval(-ends[0], ends[1])


def _narrowed(
    problem: Problem, box: dict[str, Interval], start: dict[str, Interval]
) -> dict[str, Interval]:
    """Shrunk by the steps themselves: F(B) ⊆ B makes the hull of the starts and F(B) invariant too."""
    for _ in range(NARROWING):
        smaller = {k: start[k].hull(v) for k, v in after(problem, box).items()}
        kept = {
            k: Interval(np.maximum(v.lo, box[k].lo), np.minimum(v.hi, box[k].hi))
            for k, v in smaller.items()
        }
        if all(bool((_width(kept[k]) >= (1 - SLOW) * _width(box[k])).all()) for k in box):
            return kept
        box = kept
    return box


def _roomier(problem: Problem, box: dict[str, Interval]) -> dict[str, Interval]:
    """A little wider if that is invariant too, so that rounding on another machine does not leave it."""
    with np.errstate(invalid="ignore"):
        room = {
            k: np.nan_to_num(ROUNDING * (v.hi - v.lo), nan=0.0, posinf=0.0) for k, v in box.items()
        }
    wider = {k: Interval(v.lo - room[k], v.hi + room[k]) for k, v in box.items()}
    return wider if is_invariant(problem, wider) else box


def _width(a: Interval) -> Array:
    return np.nan_to_num(a.hi - a.lo, nan=np.inf)
