"""Long runs, checked according to their dynamics.

Along a trajectory that grows, two right implementations part by (rounding × growth), and so do finite differences from
any derivative: an end-to-end comparison then measures chaos, not the gradient. So the growth is measured first. Where
it leaves no digits, the generated code is checked step by step along its own trajectory: one step's adjoints are
compared with complex steps of the equations from the very state that the code had reached, the adjoint that it
returned is handed to the step before, and the whole backward pass must equal these steps joined together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from derive.cell import Cell
from derive.derivation import Derivation
from derive.nodes import Timed
from proofs import layout
from proofs.arithmetic import Array
from proofs.compare import Comparison, along, compare
from proofs.differences import complex_step_slopes, random_directions
from proofs.dual import Dual, Pair
from proofs.floats import Floats
from proofs.interpreted import interpreted_gradient
from proofs.modules import Code
from proofs.point import Extent
from proofs.samples import Sample, Values, draw, reference
from proofs.unrolled import Place

EPSILON = float(np.finfo(float).eps)
LOST = 1e-8
"""Rounding times growth beyond which an end-to-end comparison says nothing."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How much a small change of the initial values grows along a run.

    Args:
        largest: the largest ratio ‖ṡ_t‖ / ‖ṡ_0‖ over the run.
        exponent: log(‖ṡ_T‖ / ‖ṡ_0‖) / T, the run's largest Lyapunov exponent, roughly.
    """

    largest: float
    exponent: float

    @property
    def leaves_digits(self) -> bool:
        """Whether an end-to-end comparison in double precision means anything."""
        return bool(self.largest * EPSILON < LOST)


def draw_long(cell: Cell, extent: Extent, seed: int, gain: float) -> Sample | None:
    """The first of the long runs that stay finite; ``None`` if there is none."""
    return next(long_runs(cell, extent, seed, gain), None)


def long_runs(cell: Cell, extent: Extent, seed: int, gain: float) -> Iterator[Sample]:
    """Long runs that stay finite: matrices of this gain and small vectors, then ever smaller ones.

    Args:
        cell: the cell.
        extent: sizes, T and B.
        seed: of every number.
        gain: of the matrices, in units of 1/√columns.
    """
    for i in range(24):
        tried = gain * 0.8 ** (i // 3)
        sample = draw(cell, extent, seed + i, gain=tried, vectors=0.4, positive=i % 3 == 2)
        with np.errstate(all="ignore"):
            values = list(reference(sample, Floats()).values.values())
        if all(np.all(np.isfinite(v)) and np.all(np.abs(v) < 1e60) for v in values):
            yield sample


def growth(sample: Sample, seed: int = 0) -> Growth:
    """How much a random change of the initial values grows, by dual numbers on the cell's own equations."""
    rng = np.random.default_rng(seed)
    states = {q.name for q in sample.cell.states}
    moving = {p: rng.standard_normal(v.shape) for p, v in sample.values.items() if p[0] in states}
    start: dict[Place, Any] = {p: Pair(v, moving.get(p)) for p, v in sample.values.items()}
    tape = reference(sample, Dual(Floats()), start)
    norms = [
        np.sqrt(sum(_square(tape.get(Timed, (name, t)).dot) for name in states))
        for t in range(1, sample.extent.steps + 1)
    ]
    first = np.sqrt(sum(_square(v) for v in moving.values()))
    last = norms[-1] / first
    return Growth(
        float(max(norms) / first), float(np.log(last) / len(norms)) if last > 0 else -np.inf
    )


def _square(dot: Array | None) -> float:
    return 0.0 if dot is None else float(np.sum(dot**2))


@dataclass(frozen=True, slots=True)
class Stepwise:
    """What a check step by step found.

    Args:
        steps: the errors of single steps against complex steps, by place; the worst over all steps.
        joined: the errors of the whole backward pass against the steps joined together.
        wrong_steps: the steps at which an error exceeds the bound, first to last.
    """

    steps: Comparison
    joined: Comparison
    wrong_steps: tuple[int, ...]

    @property
    def worst(self) -> float:
        """The larger of both errors."""
        return max(self.steps.worst, self.joined.worst)


def stepwise(code: Code, sample: Sample, bound: float, seed: int = 0) -> Stepwise:
    """Generated code checked step by step along its own trajectory.

    Law: s̄_{t−1} = (∂s_t/∂s_{t−1})ᵀ s̄_t + …, one step at a time: right whatever the growth over many steps.

    Args:
        code: the generated code.
        sample: the run.
        bound: beyond which a step counts as wrong.
        seed: of the directions along which each step is compared.
    """
    outputs, final, cache = code.forward(sample)
    whole = layout.places(sample, *code.backward(sample, cache))
    reached = {**sample.values, **layout.sequences(sample, outputs, final)}
    carried = dict(sample.final_weights)
    joined: Values = {}
    worst: dict[Place, float] = {}
    wrong: list[int] = []
    for t in range(sample.extent.steps, 0, -1):
        one = single_step(sample, reached, carried, t)
        errors = _step_errors(code, one, seed + t)
        for place, error in errors.errors.items():
            worst[place] = max(worst.get(place, 0.0), error)
        if errors.worst > bound:
            wrong.append(t)
        _join(joined, carried, code.gradient(one), sample, t)
    return Stepwise(Comparison(worst), compare(joined, whole, floor=1e-12), tuple(sorted(wrong)))


def keeps_digits(derivation: Derivation, sample: Sample, bound: float, seed: int = 0) -> bool:
    """Whether the derived equations themselves, in double precision, stay within the bound at every step of a run.

    Where values are so large or so near saturation that they do not, as with 1 − tanh² where tanh is nearly 1, no
    file can be asked for more. The file that is verified has no part in the answer.

    Args:
        derivation: of the sample's cell.
        sample: the run.
        bound: on the relative error of one step's gradients.
        seed: of the directions along which each step is compared.
    """
    tape, carried = reference(sample, Floats()), dict(sample.final_weights)
    reached = {(name, t): value for (kind, name, t), value in tape.values.items() if kind is Timed}
    for t in range(sample.extent.steps, 0, -1):
        one = single_step(sample, {**reached, **sample.values}, carried, t)
        found, directions = interpreted_gradient(derivation, one), random_directions(one, seed + t)
        error = along(found, directions, complex_step_slopes(one, directions)).worst
        if not error <= bound:
            return False
        _carry(carried, found, sample, t)
    return True


def single_step(sample: Sample, reached: Values, carried: Values, t: int) -> Sample:
    """Step t of a run by itself, from where the run had come, with the adjoint that later steps hand over."""
    extent = replace(sample.extent, steps=1)
    values = {p: v for p, v in sample.values.items() if p[1] is None}
    for q in sample.cell.inputs:
        values[q.name, 1] = reached[q.name, t]
    for q in sample.memory:
        values |= {(q.name, -back): reached[q.name, t - 1 - back] for back in range(q.depth)}
    weights: Values = {(q.name, 1): sample.weights[q.name, t] for q in sample.cell.outputs}
    ends: Values = {
        (q.name, 1 - back): carried[q.name, t - back]
        for q in sample.memory
        for back in range(q.depth)
    }
    return Sample(sample.cell, extent, values, weights, ends)


def _join(joined: Values, carried: Values, found: Values, sample: Sample, t: int) -> None:
    """Adds one step's gradients to the whole, and hands its adjoint to the step before."""
    for place, value in found.items():
        name, step = place
        if step is None:
            joined[place] = joined.get(place, 0) + value
        elif step == 1:
            joined[name, t] = value
        elif t == 1:
            joined[place] = value
    _carry(carried, found, sample, t)


def _carry(carried: Values, found: Values, sample: Sample, t: int) -> None:
    """Hands one step's adjoint to the step before."""
    carried |= {
        (q.name, t - 1 - back): found[q.name, -back]
        for q in sample.memory
        for back in range(q.depth)
    }


def _step_errors(code: Code, one: Sample, seed: int) -> Comparison:
    """One step's values and gradients against the equations."""
    outputs, final, _ = code.forward(one)
    found = {p: v for p, v in layout.sequences(one, outputs, final).items() if p[1] == 1}
    tape = reference(one, Floats())
    values = compare(found, {p: tape.get(Timed, (p[0].removeprefix("final "), 1)) for p in found})
    directions = random_directions(one, seed)
    slopes = along(code.gradient(one), directions, complex_step_slopes(one, directions))
    return Comparison(
        {**{(f"value of {n}", t): e for (n, t), e in values.errors.items()}, **slopes.errors}
    )
