"""Likely mistakes: what a wrong gradient would be right for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from derive.derivation import Derivation
from proofs import layout
from proofs.arithmetic import Array
from proofs.evaluation import Evaluator
from proofs.floats import Floats
from proofs.interpreted import interpreted
from proofs.samples import Sample, Values
from proofs.unrolled import Place

CLOSE = 1e-7


def diagnose(
    derivation: Derivation, sample: Sample, found: Values, true: Values, wrong: list[Place]
) -> tuple[str, ...]:
    """In words, for every wrong block that a simple mistake explains: the block and the mistake.

    Args:
        derivation: whose equations say what each step contributes.
        sample: the run.
        found: the wrong gradient.
        true: the right one.
        wrong: the places that differ.
    """
    addends = parameter_addends(derivation, sample)
    hints: dict[str, None] = {}
    for place in wrong:
        if place not in found or np.shape(found[place]) != np.shape(true[place]):
            continue
        for text in _mistakes(place, found, true, addends):
            hints[f"{layout.label(sample.cell, place)}: {text}"] = None
            break
    return (*hints, *_by_steps(sample, wrong))


def _mistakes(
    place: Place, found: Values, true: Values, addends: dict[str, list[Array]]
) -> Iterator[str]:
    value, right = found[place], true[place]
    yield from _by_algebra(value, right)
    if place[1] is None and place[0] in addends:
        yield from _by_sum(value, addends[place[0]])
    elif place[1] is not None:
        for shift in (1, -1):
            other = true.get((place[0], place[1] + shift))
            if other is not None and _close(value, other):
                yield f"it is the gradient of step {place[1] + shift}: a time index is off by one"
    if right.shape[-2] == right.shape[-1] and _close(value, np.swapaxes(right, -1, -2)):
        yield "it is transposed"


def _by_algebra(value: Array, right: Array) -> Iterator[str]:
    if not np.any(value):
        yield "it is zero: a path is missing"
        return
    if _close(value, -right):
        yield "its sign is wrong"
    ratio = float(np.sum(value * right) / np.sum(right * right)) if np.any(right) else 0.0
    for name, factor in {
        "2": 2,
        "3": 3,
        "1/2": 0.5,
        "1/3": 1 / 3,
        "1/4": 0.25,
        "4": 4,
        "-2": -2,
    }.items():
        if abs(ratio - factor) < 1e-6 and _close(value, factor * right):
            yield f"it is {name} times what it should be"


def _by_sum(value: Array, addends: list[Array]) -> Iterator[str]:
    """Partial sums over time, and over samples; an addend has the axes (samples, rows, columns)."""
    steps = [a.sum(axis=0) for a in addends]
    total = sum(steps)
    last = len(steps)
    for t in {1, 2, last - 1, last} & set(range(1, last + 1)):
        if _close(value, total - steps[t - 1]):
            yield f"the term of step {t} is missing from the sum over time"
    for k in range(1, last):
        if _close(value, sum(steps[-k:])):
            yield f"only the last {k} steps are summed: the sum is truncated, or = stands for +="
        if _close(value, sum(steps[:k])):
            yield f"only the first {k} steps are summed: = stands for +=, or the loop ends early"
    for b in range(addends[0].shape[0]):
        if _close(value, sum(a[b] for a in addends)):
            yield f"only sample {b + 1} is summed: the sum over the batch is missing"
    if _close(value, total / addends[0].shape[0]):
        yield "it is the mean over the batch where it should be the sum"


def _by_steps(sample: Sample, wrong: list[Place]) -> Iterator[str]:
    """From which step on the inputs' gradients are wrong: backward runs from T down."""
    for q in sample.cell.inputs:
        steps = sorted(t for name, t in wrong if name == q.name and t is not None and t > 0)
        last = sample.extent.steps
        if steps and len(steps) < last:
            span = (
                f"from t = {steps[-1]} down"
                if steps == list(range(1, steps[-1] + 1))
                else f"at t = {steps}"
            )
            yield f"inputs_bar[{q.name!r}]: right later, wrong {span}"


def parameter_addends(derivation: Derivation, sample: Sample) -> dict[str, list[Array]]:
    """What each step adds to each parameter's gradient, by the adjoint equations in floating point."""
    evaluate, tape = Evaluator(Floats(), sample.extent.sizes), interpreted(derivation, sample)
    return {
        e.lhs.name: [
            np.broadcast_to(
                evaluate(e.rhs, tape.at(t)), (sample.extent.samples, *evaluate.shape(e.lhs))
            )
            for t in range(1, tape.steps + 1)
        ]
        for e in derivation.backward.parameters
    }


def _close(a: Array, b: Any) -> bool:
    scale = float(np.linalg.norm(np.asarray(b).ravel()))
    return scale > 0 and float(np.linalg.norm((a - b).ravel())) <= CLOSE * scale
