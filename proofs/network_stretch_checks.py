"""The checks of what a network's file does in stretches, sample by sample where lengths differ."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from typing import Any

import numpy as np

from derive.network import END
from derive.network_legs import legs_of
from numeric.network_legs import NAME
from proofs import network_layout
from proofs.compare import ROUNDING, Comparison, compare, in_every_bit, worst_of
from proofs.network_checks import NetworkSubject
from proofs.network_litter import littered, littered_gradients
from proofs.network_samples import NetworkSample
from proofs.stretch_checks import AGAIN, SPARSE, STEPS, growing_squares
from proofs.table import Check, measured


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
    comparisons: list[Comparison] = []
    for count in (None, 1, 3, _longest(sample)):
        dirty = littered(sample, given)
        again, parts = _valued(subject, NAME, dirty, named, sample, stretches=count)
        found = network_layout.places(sample, *parts) | {("loss", None): np.array(again)}
        comparisons.append(compare(found, true))
        if alone and count == 1:
            comparisons.append(in_every_bit(found, true))
    note = "in one stretch, equal in every bit" if alone else ""
    return _row(AGAIN, what, sample, worst_of(comparisons), note)


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


def _longest(sample: NetworkSample) -> int:
    """T of the longest axis."""
    return max(T for axis, T in sample.extent.steps.items() if axis != END)


def _row(name: str, what: str, sample: NetworkSample, found: Comparison, note: str) -> Check:
    wrong = tuple(network_layout.label(sample, p) for p in found.wrong(ROUNDING))
    return measured(name, what, sample.extent, found.worst, ROUNDING, note=note, where=wrong)
