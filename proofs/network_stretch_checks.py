"""The checks of what a network's file does in stretches, sample by sample where lengths differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isqrt
from typing import Any

import numpy as np

from derive.network import END
from derive.network_legs import legs_of
from derive.truncation import Window, windows
from numeric.network_legs import NAME
from proofs import network_layout
from proofs.compare import ROUNDING, Comparison, compare
from proofs.floats import Floats
from proofs.network_checks import NetworkSubject
from proofs.network_litter import littered, littered_gradients
from proofs.network_run import NetworkRun, Values, lanes_of, memory_of
from proofs.network_samples import NetworkSample, complex_step_gradient, reference
from proofs.stretch_checks import AGAIN, CUT, SPARSE, STEPS, WHOLE, growing_squares
from proofs.table import Check, measured
from proofs.truncation_exact import CASES


def truncated_whole(subject: NetworkSubject) -> Check:
    """With windows as long as the sequence, bit for bit what backward returns."""
    what = "gradients at k2 = T and beyond that differ from backward's in any bit"
    sample = subject.sample("untruncated", steps=STEPS)
    T = _steps(sample)
    true = subject.code.gradient(sample)
    wrong: list[str] = []
    for k1, k2 in ((1, T), (2, T + 3), (T, T)):
        found = _truncated(subject, sample, k1, k2)
        different = [p for p, v in true.items() if not np.array_equal(found[p], v)]
        wrong += [f"{network_layout.label(sample, p)} at k1 = {k1}, k2 = {k2}" for p in different]
    return measured(WHOLE, what, sample.extent, len(wrong), 0, where=tuple(wrong), unit="wrong")


def truncated(subject: NetworkSubject) -> Check:
    """Shorter windows against complex steps on the equations in which all states before each window are held."""
    what = "gradients against complex steps that hold all states before every window"
    sample = subject.sample("truncated", steps=STEPS)
    errors: dict[Any, float] = {}
    for k1, k2 in CASES:
        found, true = _truncated(subject, sample, k1, k2), held_gradient(sample, k1, k2)
        for place, error in compare(found, true).errors.items():
            errors[place] = max(error, errors.get(place, 0.0))
    return _row(
        CUT, what, sample, Comparison(errors), f"at (k1, k2) = {', '.join(map(str, CASES))}"
    )


def checkpointed(subject: NetworkSubject) -> Check:
    """Loss and gradients against value_and_grad; in one stretch of one leg, bit for bit.

    Beyond a sample's end no numbers are given there. Of several legs, gradients are added up in another order.
    """
    what = "loss and gradients in stretches against those of the whole run"
    sample = subject.sample("checkpointed", steps=STEPS, samples=3)
    alone = len(legs_of(subject.network)) == 1
    given, named = subject.code.arguments(sample)
    value, whole = _valued(subject, "value_and_grad", given, named)
    true = network_layout.places(sample, *whole) | {("loss", None): np.array(value)}
    errors: dict[Any, float] = {}
    for count in (None, 1, 3, _longest(sample)):
        dirty = littered(sample, given)
        again, parts = _valued(subject, NAME, dirty, named, sample, stretches=count)
        found = network_layout.places(sample, *parts) | {("loss", None): np.array(again)}
        for place, error in compare(found, true).errors.items():
            same = not alone or count != 1 or np.array_equal(found[place], true[place])
            errors[place] = max(error if same else float("inf"), errors.get(place, 0.0))
    note = "in one stretch, equal in every bit" if alone else ""
    return _row(AGAIN, what, sample, Comparison(errors), note)


def checkpointed_memory(subject: NetworkSubject) -> Check:
    """No segment's forward is ever asked for more than ⌈√T⌉ steps at once."""
    what = "steps that a segment's forward is asked for at once, at T = 30"
    sample = subject.sample("checkpointed, memory", steps=30)
    module, longest = subject.code.module, [0]
    names = [f"forward_{s.name}" for s in subject.network.segments]
    ordinary = {name: getattr(module, name) for name in names}

    def watching(forward: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **named: Any) -> Any:
            found = forward(*args, **named)
            longest[0] = max(longest[0], *(len(v) for v in found[0].values()))
            return found

        return watched

    given, named = subject.code.arguments(sample)
    for name, forward in ordinary.items():
        setattr(module, name, watching(forward))
    try:
        _valued(subject, NAME, given, named)
    finally:
        for name, forward in ordinary.items():
            setattr(module, name, forward)
    bound = isqrt(_longest(sample) - 1) + 1
    return measured(SPARSE, what, sample.extent, longest[0] or float("inf"), bound, unit="steps")


def _valued(
    subject: NetworkSubject,
    function: str,
    given: list[Any],
    named: dict[str, Any],
    sample: NetworkSample | None = None,
    **more: Any,
) -> Any:
    """Loss and gradients by one of the file's functions; of ½ Σ t ‖output_t‖² where the network states no loss.

    Args:
        subject: whose file it is.
        function: its name.
        given: its positional arguments.
        named: those by keyword.
        sample: whose loss has no numbers for gradients beyond its samples' ends; left out, it has zeros there.
        more: arguments that the function alone has.
    """
    call = getattr(subject.code.module, function)
    if subject.network.loss is not None:
        return call(*given, **named, **more)

    def littering(outputs: Any, start: int = 0) -> Any:
        value, bars = growing_squares(outputs, start)
        return value, bars if sample is None else littered_gradients(sample, bars, start)

    return call(littering, *given, **named, **more)


def _truncated(subject: NetworkSubject, sample: NetworkSample, k1: int, k2: int) -> Values:
    *_, cache = subject.code.forward(sample)
    found = subject.code.module.truncated_gradients(
        network_layout.parameters(sample, np.float64),
        cache,
        network_layout.outputs_bar(sample, np.float64),
        network_layout.final_bar(sample, np.float64),
        k1=k1,
        k2=k2,
    )
    return network_layout.places(sample, *found)


def held_gradient(sample: NetworkSample, k1: int, k2: int) -> Values:
    """The truncated gradient by complex steps: of every window's losses, with all states before it held."""
    total: Values = {p: np.zeros_like(sample.values[p]) for p in sample.trained}
    for i in range(sample.extent.samples):
        own = _sample(sample, i)
        ((_, run),) = reference(own, Floats())
        for window in windows(_steps(sample), k1, k2):
            part = _in_window(own, run, window, _steps(sample))
            if part is None:
                continue
            for (name, t), value in complex_step_gradient(part).items():
                if t is None:
                    total[name, None] = total[name, None] + value
                elif t > 0 or window.first == 1:
                    total[name, t + window.first - 1][i] += value[0]
    return total


def _longest(sample: NetworkSample) -> int:
    """T of the longest axis."""
    return max(T for axis, T in sample.extent.steps.items() if axis != END)


def _steps(sample: NetworkSample) -> int:
    """T of the one axis."""
    return sample.extent.steps[sample.network.segments[0].axis]


def _sample(sample: NetworkSample, i: int) -> NetworkSample:
    """One sample by itself, at its own length."""

    def own(values: Values) -> Values:
        return {p: v if p[1] is None else lanes_of(v, i) for p, v in values.items()}

    return NetworkSample(
        sample.network,
        sample.extent.of_sample(i),
        own(sample.values),
        own(sample.weights),
        own(sample.final_weights),
    )


def _in_window(
    sample: NetworkSample, run: NetworkRun, window: Window, steps: int
) -> NetworkSample | None:
    """One window by itself, as far as the sample reaches; none if it ends before the window begins."""
    network, before = sample.network, window.first - 1
    last = min(window.last, _steps(sample))
    if last <= before:
        return None
    length = last - before
    values: Values = {p: v for p, v in sample.values.items() if p[1] is None}
    for q in network.inputs:
        values |= {(q.name, t): sample.values[q.name, t + before] for t in range(1, length + 1)}
    for q in (q for s in network.segments for q in memory_of(s)):
        for t in range(1 - q.depth, 1):
            place = q.name, t + before
            known = run.sequences[place] if place in run.sequences else sample.values[place]
            values[q.name, t] = np.broadcast_to(known, (1, *np.shape(known)[-2:]))
    weights = {
        (name, t - before): w if t > window.seen else 0 * w
        for (name, t), w in sample.weights.items()
        if before < t <= last
    }
    ends = window.last == steps
    final = {p: w if ends else 0 * w for p, w in sample.final_weights.items()}
    axis = network.segments[0].axis
    extent = replace(sample.extent, steps={**sample.extent.steps, axis: length})
    return NetworkSample(network, extent, values, weights, final)


def _row(name: str, what: str, sample: NetworkSample, found: Comparison, note: str) -> Check:
    wrong = tuple(network_layout.label(sample, p) for p in found.wrong(ROUNDING))
    return measured(name, what, sample.extent, found.worst, ROUNDING, note=note, where=wrong)
