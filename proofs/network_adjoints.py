"""The adjoint equations of a network, run segment by segment in reverse order, in any arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from derive.derivation import Derivation
from derive.network import Segment
from derive.network_derivation import NetworkDerivation
from derive.nodes import Adjoint, LossGradient
from proofs.arithmetic import Arithmetic, Array
from proofs.evaluation import Evaluator
from proofs.floats import Floats
from proofs.network_run import (
    Values,
    all_sizes,
    in_order,
    lanes_of,
    lying_beside,
    memory_of,
    run_network,
    sizes_in,
    source_place,
)
from proofs.network_samples import NetworkSample, part_of
from proofs.unrolled import ZERO_BEYOND, Tape, run_backward


@dataclass(slots=True)
class Bars:
    """Adjoints by name and step: of outputs, and of final values by steps before the end."""

    sequences: Values
    finals: Values
    given: Values = field(default_factory=dict[Any, Any])


class Adjoints:
    """A network's adjoints at given values.

    Args:
        derivation: of the network.
        sample: all that is given, of samples whose sequences have one length.
        arithmetic: in which all is computed.
        absent: the value of what a tape does not reach.
    """

    def __init__(
        self,
        derivation: NetworkDerivation,
        sample: NetworkSample,
        arithmetic: Arithmetic[Any],
        absent: Callable[[Any, int | None], Array],
    ) -> None:
        self.network, self.extent, self.sample = sample.network, sample.extent, sample
        self.field, self._absent = arithmetic, absent
        self.of = dict(
            zip((s.name for s in self.network.segments), derivation.segments, strict=True)
        )

    def backward(self) -> Bars:
        """The adjoints, segment by segment in reverse order."""
        run = run_network(
            self.network, self.field, self.sample.values, self.extent,
            absent=self._absent, lines=lambda s: self.of[s.name].assignments,
        )  # fmt: skip
        bars = Bars(dict(self.sample.weights), dict(self.sample.final_weights))
        for s in self.network.segments[::-1]:
            self._segment(s, self.of[s.name], run.tapes[s.name], bars)
        return bars

    def _segment(self, s: Segment, d: Derivation, tape: Tape[Any], bars: Bars) -> None:
        T = tape.steps
        for q in s.cell.outputs:
            for t in range(1, T + 1):
                tape.put(LossGradient, (q.name, t), bars.sequences[q.name, in_order(s, t, T)])
        states = {q.name for q in s.cell.states}
        later: Values = {}
        for q in memory_of(s):
            for back in range(q.depth):
                place, bar = (q.name, T - back), bars.finals[q.name, -back]
                if q.name in states and T - back >= 1:
                    seen = tape.get(LossGradient, place)
                    tape.put(LossGradient, place, self.field.add(seen, bar))
                else:
                    later[place] = bar
        evaluate = Evaluator(self.field, sizes_in(s, every_size(self.sample)))
        run_backward(evaluate, d.backward, s.cell, tape)
        self._hand_over(s, tape, bars, later)

    def _hand_over(self, s: Segment, tape: Tape[Any], bars: Bars, later: Values) -> None:
        """Every adjoint of an input or initial value goes to where the value came from."""
        for q in s.cell.parameters:
            self._add(bars.given, (q.name, None), tape.get(Adjoint, (q.name, None)))
        for name, source in s.inputs.items():
            if s.cell.quantity(name).kind == "mask":
                continue
            for t in range(1, tape.steps + 1):
                bar = tape.get(Adjoint, (name, t))
                bar = self.field.add(bar, later[name, t]) if (name, t) in later else bar
                if source.whole:
                    for i in range(bar.shape[-1]):
                        self._add(bars.sequences, (source.name, i + 1), bar[..., i : i + 1])
                    continue
                place = source_place(self.network, source, in_order(s, t, tape.steps), self.extent)
                self._add(bars.sequences if source.segment else bars.given, place, bar)
        for q in memory_of(s):
            for back in range(q.depth):
                bar = tape.values.get((Adjoint, q.name, -back))
                if bar is None:
                    continue
                start = s.starts.get(q.name)
                if start and self.network.is_computed(start):
                    place = source_place(self.network, start, 1, self.extent)
                    self._add(bars.sequences, place, bar)
                    continue
                self._add(
                    bars.finals if start else bars.given,
                    (start.name if start else q.name, -back),
                    bar,
                )

    def _add(self, total: Values, place: Any, value: Array) -> None:
        total[place] = self.field.add(total[place], value) if place in total else value


def every_size(sample: NetworkSample) -> dict[Any, int]:
    """Every size of a run, those of single segments included."""
    found: dict[Any, int] = dict(all_sizes(sample.network, sample.extent))
    for s in sample.network.segments:
        found |= sizes_in(s, found)
    return found


def interpreted_gradient(
    derivation: NetworkDerivation, sample: NetworkSample, dtype: Any = np.float64
) -> Values:
    """The gradients by the derived equations as they stand, in floating point, without generated code.

    Where lengths differ every sample is run by itself; what belongs to one has its number in its name.

    Args:
        derivation: of the network.
        sample: the run.
        dtype: in which all is computed.
    """
    total: Values = {}
    apart = bool(sample.extent.lengths)
    for i in range(sample.extent.samples if apart else 1):
        own = _alone(sample, i) if apart else sample
        given = (
            Adjoints(derivation, _of(own, dtype), Floats(dtype), _absent(own, dtype))
            .backward()
            .given
        )
        for name, t in sample.trained:
            if (name, t) in given:
                value = given[name, t].astype(float)
                value = value.sum(axis=0) if t is None and value.ndim > 2 else value
                place = (name if t is None or not apart else f"{name} of sample {i}", t)
                total[place] = total.get(place, 0.0) + value
    return total


def _of(sample: NetworkSample, dtype: Any) -> NetworkSample:
    """The run in another precision."""
    values, weights, ends = (
        {p: np.asarray(v).astype(dtype) for p, v in part.items()}
        for part in (sample.values, sample.weights, sample.final_weights)
    )
    return replace(sample, values=values, weights=weights, final_weights=ends)


def _absent(sample: NetworkSample, dtype: Any) -> Callable[[Any, int | None], Array]:
    """Beyond the run adjoints vanish; whatever they are multiplied with must not matter."""
    sizes = every_size(sample)

    def absent(leaf: Any, t: int | None) -> Array:
        shape = tuple(int(side.subs(sizes)) for side in leaf.shape)
        zero = isinstance(leaf, ZERO_BEYOND)
        return np.full((sample.extent.samples, *shape) if zero else shape, 0 if zero else 1, dtype)

    return absent


def _alone(sample: NetworkSample, i: int) -> NetworkSample:
    """One sample by itself, at its own lengths."""
    extent, beside = sample.extent.of_sample(i), lying_beside(sample.network)
    shape = Evaluator(Floats(), all_sizes(sample.network, extent)).shape

    def own(part: Values) -> Values:
        found = {p: v if p[1] is None else lanes_of(v, i) for p, v in part.items()}
        return {
            p: part_of(v, shape(beside[p[0]].symbol)) if p[0] in beside else v
            for p, v in found.items()
        }

    return replace(
        sample, extent=extent, values=own(sample.values), weights=own(sample.weights),
        final_weights=own(sample.final_weights),
    )  # fmt: skip
