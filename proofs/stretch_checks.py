"""The checks of what a cell's file does in stretches: truncation against held states, checkpointing against all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil, isqrt
from typing import Any, TypeVar

import numpy as np

from derive.nodes import Timed
from derive.truncation import Window, windows
from proofs import differences, layout
from proofs.arithmetic import Array
from proofs.compare import ROUNDING, Comparison, compare, in_every_bit, worst_of
from proofs.floats import Floats
from proofs.gradient_checks import labels
from proofs.network_samples import NetworkSample
from proofs.samples import Arrays, Sample, Values, reference
from proofs.subject import Subject
from proofs.table import Check, measured
from proofs.truncation_exact import CASES, prove_truncation
from proofs.unrolled import Place, Tape

STEPS = 7
EXACT, WHOLE, CUT = "exact, truncation", "truncated, k2 >= T", "truncated"
WHAT_WHOLE = "gradients at k2 = T and beyond that differ from backward's in any bit, and windows that are none"
NEARLY = (*CASES, (1, STEPS - 1), (4, STEPS - 2), (STEPS - 1, STEPS - 1))
"""The last ones are of windows that are nearly the whole run."""
REFUSED = ((0, 1), (-1, 4), (3, 2), (5, 1), (STEPS + 2, STEPS + 1), (1.5, 3), (1, 2.5))
"""No truncations: one of them not even where a window would be the whole run, and two of no whole numbers."""
AGAIN, SPARSE = "checkpointed", "checkpointed, memory"
Run = TypeVar("Run", Sample, NetworkSample)
Gradient = Callable[[Sample], Values]


def exact_truncation(subject: Subject) -> Check:
    """Windows against dual numbers that hold the state before them, and what is kept against the sum over lags."""
    what = "each window's gradient against dual numbers, and their sum against the lags kept, modulo a prime"
    found = prove_truncation(subject.derivation, seed=subject.seed)
    wrong = found.wrong + found.bound.undecided if found.compared else ("nothing was compared",)
    return measured(
        EXACT, what, found.extent, len(wrong), 0, note=found.bound.note, where=wrong, unit="wrong"
    )


def truncated_whole(subject: Subject) -> Check:
    """With windows as long as the sequence, bit for bit what backward returns."""
    what = WHAT_WHOLE
    sample = subject.sample("untruncated", subject.extent("untruncated", steps=STEPS))
    T = sample.extent.steps
    true = subject.code.gradient(sample)
    wrong: list[str] = []
    for k1, k2 in ((1, T), (2, T + 3), (T, T)):
        found = truncated_gradient(subject, sample, k1, k2)
        different = [p for p, v in true.items() if not np.array_equal(found[p], v)]
        wrong += [f"{place} at k1 = {k1}, k2 = {k2}" for place in labels(sample, different)]
    wrong += not_refused(lambda k1, k2: truncated_gradient(subject, sample, k1, k2))
    return measured(WHOLE, what, sample.extent, len(wrong), 0, where=tuple(wrong), unit="wrong")


def not_refused(truncated: Callable[[Any, Any], Values]) -> list[str]:
    """Truncations that are none, as with k2 < k1 where no window sees some losses, and yet not refused by name.

    Args:
        truncated: the file's gradient.
    """
    wrong: list[str] = []
    for k1, k2 in REFUSED:
        told = f"k1 = {k1}, k2 = {k2} is not refused"
        try:
            truncated(k1, k2)
            wrong.append(told)
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            wrong += [told] * ("k1" not in str(error))
    return wrong


def truncated(subject: Subject) -> Check:
    """Shorter windows against complex steps on the equations in which the state before each window is held."""
    what = "gradients against complex steps that hold the state before every window"
    sample = subject.sample("truncated", subject.extent("truncated", steps=STEPS))
    comparison = worst_of(
        compare(truncated_gradient(subject, sample, k1, k2), held_gradient(sample, k1, k2))
        for k1, k2 in NEARLY
    )
    note = f"at (k1, k2) = {', '.join(map(str, NEARLY))}"
    wrong = labels(sample, comparison.wrong(ROUNDING))
    return measured(CUT, what, sample.extent, comparison.worst, ROUNDING, note=note, where=wrong)


def truncated_gradient(subject: Subject, sample: Sample, k1: int, k2: int) -> Values:
    """The file's truncated gradient of a run, by place."""
    *_, cache = subject.code.forward(sample)
    found = subject.code.module.truncated_gradients(
        layout.parameters(sample, np.float64),
        cache,
        layout.outputs_bar(sample, np.float64),
        layout.final_bar(sample, np.float64),
        k1=k1,
        k2=k2,
    )
    return layout.places(sample, *found)


def held_gradient(
    sample: Sample, k1: int, k2: int, gradient: Gradient = differences.complex_step_gradient
) -> Values:
    """The truncated gradient as it is defined: of every window's losses, with the joint state before it held.

    Args:
        sample: the run.
        k1: how many steps the windows are apart.
        k2: how many they have.
        gradient: of a run; windows of one length are the samples of one.
    """
    tape, steps = reference(sample, Floats()), sample.extent.steps
    cuts = distinct(sample, windows(steps, k1, k2), steps)
    total: Values = {p: np.zeros_like(sample.values[p]) for p in differences.places_of(sample)}
    for length in dict.fromkeys(w.last - w.first for w in cuts):
        same = [w for w in cuts if w.last - w.first == length]
        run = side_by_side([_in_window(sample, tape, w) for w in same])
        for (name, t), value in gradient(run).items():
            if t is None:
                add_at(total, (name, None), value)
                continue
            for window, part in zip(same, np.split(value, len(same)), strict=True):
                if t > 0 or window.first == 1:
                    add_at(total, (name, t + window.first - 1), part)
    return total


def distinct(sample: Sample | NetworkSample, cuts: tuple[Window, ...], steps: int) -> list[Window]:
    """The windows that see any loss; those that begin with the run hold nothing, and are one.

    Args:
        sample: the run.
        cuts: all windows; the last one may see the ends of all sequences.
        steps: how many the run has.
    """
    begin, later = ([w for w in cuts if (w.first == 1) is first] for first in (True, False))
    weighed = {t for (_, t), w in sample.weights.items() if t <= steps and np.any(w)}
    seeing = [
        w for w in later if w == cuts[-1] or weighed.intersection(range(w.seen + 1, w.last + 1))
    ]
    return [Window(1, begin[-1].last, 0), *seeing]


def add_at(total: Values, place: Place, value: Array) -> None:
    """Adds to one of the places that count."""
    if place in total:
        total[place] = total[place] + value


def side_by_side(runs: Sequence[Run]) -> Run:
    """Runs of the same parameters and as many steps as the samples of one; a loss that one does not see is zero."""

    def joined(parts: list[Values]) -> Values:
        like = {p: v for part in parts for p, v in part.items()}
        return {
            p: v if p[1] is None else np.concatenate([part.get(p, 0 * v) for part in parts])
            for p, v in like.items()
        }

    first, samples = runs[0], sum(run.extent.samples for run in runs)
    return replace(
        first,
        extent=replace(first.extent, samples=samples),
        values=joined([run.values for run in runs]),
        weights=joined([run.weights for run in runs]),
        final_weights=joined([run.final_weights for run in runs]),
    )


def _in_window(sample: Sample, tape: Tape[Any], window: Window) -> Sample:
    """The run of one window by itself: it begins with the true state, and its loss is what the window sees."""
    before, length = window.first - 1, window.last - window.first + 1
    values = {p: v for p, v in sample.values.items() if p[1] is None}
    for q in sample.cell.inputs:
        steps = range(1 - q.depth, length + 1)
        values |= {(q.name, t): sample.values[q.name, t + before] for t in steps}
    shape = (sample.extent.samples, 1, 1)
    for q in sample.cell.states:
        for t in range(1 - q.depth, 1):
            value = tape.get(Timed, (q.name, t + before))
            values[q.name, t] = np.broadcast_to(value, np.broadcast_shapes(value.shape, shape))
    weights = {
        (name, t - before): w if t > window.seen else 0 * w
        for (name, t), w in sample.weights.items()
        if before < t <= window.last
    }
    ends = window.last == sample.extent.steps
    final = {(n, t - before): w for (n, t), w in sample.final_weights.items() if ends}
    return replace(
        sample,
        extent=replace(sample.extent, steps=length),
        values=values,
        weights=weights,
        final_weights=final,
    )


def checkpointed(subject: Subject) -> Check:
    """Loss and gradients against value_and_grad; in one stretch, bit for bit."""
    what = "loss and gradients in stretches against those of the whole run"
    sample = subject.sample("checkpointed", subject.extent("checkpointed", steps=STEPS))
    module, consts = subject.code.module, layout.keywords(sample)
    params, xs, state = layout.arguments(sample)
    value, whole = module.value_and_grad(growing_squares, params, *xs, state, **consts)
    true = layout.places(sample, *whole) | {("loss", None): np.array(value)}
    comparisons: list[Comparison] = []
    T = sample.extent.steps
    for count in (None, 1, 3, T):
        again, parts = module.checkpointed_value_and_grad(
            growing_squares, params, *xs, state, stretches=count, **consts
        )
        found = layout.places(sample, *parts) | {("loss", None): np.array(again)}
        comparisons.append(compare(found, true))
        if count == 1:
            comparisons.append(in_every_bit(found, true))
    comparison = worst_of(comparisons)
    wrong = labels(sample, comparison.wrong(ROUNDING))
    note = "in one stretch, equal in every bit"
    return measured(AGAIN, what, sample.extent, comparison.worst, ROUNDING, note=note, where=wrong)


def growing_squares(outputs: Arrays, start: int = 0) -> tuple[float, Arrays]:
    """½ Σ t ‖output_t‖² and its gradients: a stretch adds the right part only if it is told where it begins.

    Args:
        outputs: of a stretch of steps.
        start: how many steps are before it.
    """
    found: Arrays = {}
    for name, v in outputs.items():
        times = np.arange(start + 1, start + 1 + len(v), dtype=v.dtype)
        found[name] = times.reshape(-1, *[1] * (v.ndim - 1)) * v
    return sum(float(np.sum(found[name] * v)) for name, v in outputs.items()) / 2, found


def checkpointed_memory(subject: Subject) -> Check:
    """Forward is never asked for more than ⌈√T⌉ steps at once."""
    what = "steps that forward is asked for at once, at T = 30"
    extent = replace(subject.extent("checkpointed, memory"), steps=30)
    sample = subject.sample("checkpointed, memory", extent)
    module, longest = subject.code.module, [0]
    ordinary = module.forward

    def watched(*args: Any, **named: Any) -> Any:
        found = ordinary(*args, **named)
        longest[0] = max(longest[0], *(len(v) for v in found[0].values()))
        return found

    params, xs, state = layout.arguments(sample)
    module.forward = watched
    try:
        module.checkpointed_value_and_grad(
            growing_squares, params, *xs, state, **layout.keywords(sample)
        )
    finally:
        module.forward = ordinary
    bound = isqrt(extent.steps - 1) + 1
    figure = longest[0] or float("inf")
    return measured(
        SPARSE, what, extent, ceil(figure) if longest[0] else figure, bound, unit="steps"
    )
