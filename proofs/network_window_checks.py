"""The checks of a network's truncated gradients: in windows of one leg, sample by sample where lengths differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from derive.network import Network
from derive.network_windows import windowed_leg
from derive.nodes import Timed
from derive.truncation import Window, windows
from proofs import network_layout
from proofs.arithmetic import Array
from proofs.compare import ROUNDING, compare, worst_of
from proofs.evaluation import Evaluator
from proofs.floats import Floats
from proofs.network_checks import NetworkSubject
from proofs.network_run import NetworkRun, Values, all_sizes, lanes_of, lying_beside, memory_of
from proofs.network_samples import NetworkSample, complex_step_gradient, part_of, reference
from proofs.stretch_checks import (
    CUT,
    NEARLY,
    STEPS,
    WHAT_WHOLE,
    WHOLE,
    distinct,
    not_refused,
    side_by_side,
)
from proofs.table import Check, measured

Gradient = Callable[[NetworkSample], Values]


def truncated_whole(subject: NetworkSubject) -> Check:
    """With windows as long as the sequence, bit for bit what backward returns."""
    sample = subject.sample("untruncated", steps=STEPS)
    T = steps_of(sample)
    true = subject.code.gradient(sample)
    wrong: list[str] = []
    for k1, k2 in ((1, T), (2, T + 3), (T, T)):
        found = truncated_gradient(subject, sample, k1, k2)
        different = [p for p, v in true.items() if not np.array_equal(found[p], v)]
        wrong += [f"{network_layout.label(sample, p)} at k1 = {k1}, k2 = {k2}" for p in different]
    wrong += not_refused(lambda k1, k2: truncated_gradient(subject, sample, k1, k2))
    return measured(
        WHOLE, WHAT_WHOLE, sample.extent, len(wrong), 0, where=tuple(wrong), unit="wrong"
    )


def truncated(subject: NetworkSubject) -> Check:
    """Shorter windows against complex steps on the equations in which all states before each window are held.

    Of several legs one is cut; the others run whole in every window, so that what they hand it is no constant there.
    """
    what = "gradients against complex steps that hold all states before every window"
    sample = subject.sample("truncated", steps=STEPS)
    found = worst_of(
        compare(truncated_gradient(subject, sample, k1, k2), held_gradient(sample, k1, k2))
        for k1, k2 in NEARLY
    )
    note = f"at (k1, k2) = {', '.join(map(str, NEARLY))}"
    wrong = tuple(network_layout.label(sample, p) for p in found.wrong(ROUNDING))
    return measured(CUT, what, sample.extent, found.worst, ROUNDING, note=note, where=wrong)


def truncated_gradient(subject: NetworkSubject, sample: NetworkSample, k1: int, k2: int) -> Values:
    """The file's truncated gradient of a run, by place."""
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


def held_gradient(
    sample: NetworkSample, k1: int, k2: int, gradient: Gradient = complex_step_gradient
) -> Values:
    """The truncated gradient as it is defined: of every window's losses, with all states before it held.

    Args:
        sample: the run.
        k1: how many steps the windows are apart.
        k2: how many they have.
        gradient: of a run; a sample's windows of one length are the samples of one.
    """
    total: Values = {p: np.zeros_like(sample.values[p]) for p in sample.trained}
    cut = _Cut(sample.network, steps_of(sample))
    for i in range(sample.extent.samples):
        own = _sample(sample, i)
        ((_, run),) = reference(own, Floats())
        cuts = distinct(own, windows(cut.steps, k1, k2), own.extent.steps[cut.axis])
        for same in cut.alike(own, cuts):
            part = side_by_side([cut.in_window(own, run, window) for window in same])
            for (name, t), value in gradient(part).items():
                if t is None:
                    total[name, None] = total[name, None] + value
                elif name not in cut.names:
                    _add(total[name, t][i], value.sum(axis=0))
                else:
                    for window, by_window in zip(same, value, strict=True):
                        if t > 0 or window.first == 1:
                            _add(total[name, t + window.first - 1][i], by_window)
    return total


def _add(total: Array, value: Array) -> None:
    """Adds a matrix to the rows and columns that a sample has."""
    part_of(total, value.shape)[...] += value


def steps_of(sample: NetworkSample) -> int:
    """T of the axis along which windows lie."""
    return sample.extent.steps[windowed_leg(sample.network).axis]


def _sample(sample: NetworkSample, i: int) -> NetworkSample:
    """One sample by itself, at its own length."""
    extent, beside = sample.extent.of_sample(i), lying_beside(sample.network)
    shape = Evaluator(Floats(), all_sizes(sample.network, extent)).shape

    def own(values: Values) -> Values:
        found = {p: v if p[1] is None else lanes_of(v, i) for p, v in values.items()}
        fitting = (p for p in found if p[0] in beside)
        return found | {p: part_of(found[p], shape(beside[p[0]].symbol)) for p in fitting}

    return NetworkSample(
        sample.network, extent, own(sample.values), own(sample.weights), own(sample.final_weights)
    )


class _Cut:
    """Windows of a network's run.

    Args:
        network: the network.
        steps: T along their axis.
    """

    def __init__(self, network: Network, steps: int) -> None:
        leg = windowed_leg(network)
        self.network, self.axis, self.steps = network, leg.axis, steps
        self.segments = [s.name for s in leg.segments]
        self.given = {n for n, axis in network.axes.items() if axis == leg.axis}
        self.ends = {q.name for s in leg.segments for q in memory_of(s)}
        self.names = self.given | self.ends
        self.made = {e.target.name for s in leg.segments for e in s.cell.equations}
        segments = (replace(s, starts={}) if s in leg.segments else s for s in network.segments)
        self.held = replace(network, segments=tuple(segments))

    def alike(self, sample: NetworkSample, cuts: list[Window]) -> list[list[Window]]:
        """The windows that the sample reaches, those together that start alike and are as long there."""
        found: dict[tuple[bool, int], list[Window]] = {}
        for window in cuts:
            length = min(window.last, sample.extent.steps[self.axis]) - window.first + 1
            if length > 0:
                found.setdefault((window.first == 1, length), []).append(window)
        return list(found.values())

    def in_window(self, sample: NetworkSample, run: NetworkRun, window: Window) -> NetworkSample:
        """One window by itself, as far as the sample reaches.

        The first one has the losses of all other legs, and its states start from what these hand on.
        """
        before, last = window.first - 1, min(window.last, sample.extent.steps[self.axis])
        values = {p: v for p, v in sample.values.items() if p[0] not in self.names}
        values |= {
            (n, t): sample.values[n, t + before]
            for n in self.given
            for t in range(1, last - before + 1)
        }
        network = self.held if before else self.network
        segments = [network.segment(name) for name in self.segments]
        for s in segments:
            for q in (q for q in memory_of(s) if q.name not in s.starts):
                for t in range(1 - q.depth, 1):
                    known = run.tapes[s.name].get(Timed, (q.name, t + before))
                    values[q.name, t] = np.broadcast_to(known, (1, *np.shape(known)[-2:]))
        weights = {
            (n, t - before if n in self.made else t): w if self.counts(n, t, window) else 0 * w
            for (n, t), w in sample.weights.items()
            if n not in self.made or before < t <= last
        }
        ends = {True: window.last == self.steps, False: window.seen == 0}
        final = {p: ends[p[0] in self.ends] * w for p, w in sample.final_weights.items()}
        steps = {**sample.extent.steps, self.axis: last - before}
        return NetworkSample(network, replace(sample.extent, steps=steps), values, weights, final)

    def counts(self, name: str, t: int, window: Window) -> bool:
        """Whether a window sees what an output adds to the loss at a step."""
        return t > window.seen if name in self.made else window.seen == 0
