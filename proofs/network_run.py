"""A network run by its own equations, in any arithmetic: neither normal form nor generated code takes part.

A sample whose sequence is shorter than others' is run by itself at its own length, so nothing here knows of masks or
padding. Steps count from 1 in the order of the data, whatever the direction of a scan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sympy import Expr
from sympy.matrices.expressions import MatrixSymbol

from derive.cell import Equation, Quantity
from derive.network import END, Network, Segment, Source
from derive.nodes import Timed
from derive.normal import Assignment
from proofs.arithmetic import Arithmetic, Array
from proofs.evaluation import Evaluator, at_sizes
from proofs.unrolled import Place, Tape, run_forward

Values = dict[Place, Any]
Lines = Callable[[Segment], Iterable[Equation] | Iterable[Assignment]]


MANY = 6
"""Lengths of more samples than this are told by the first three and the last."""


@dataclass(frozen=True, slots=True)
class NetworkExtent:
    """How large a run of a network is.

    Args:
        sizes: of every dimension of the network.
        steps: T by axis.
        samples: B.
        lengths: of every sample, by ragged axis.
    """

    sizes: Mapping[Expr, int]
    steps: Mapping[str, int]
    samples: int
    lengths: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        dims = ", ".join(f"{d} = {size}" for d, size in self.sizes.items())
        steps = ", ".join(f"T_{a} = {T}" for a, T in self.steps.items() if a != END)
        ragged = "".join(f", lengths {_few(v)}" for v in self.lengths.values())
        return ", ".join(part for part in (dims, steps) if part) + f", B = {self.samples}{ragged}"

    def of_sample(self, i: int) -> NetworkExtent:
        """One sample by itself, at its own lengths."""
        own = {axis: lengths[i] for axis, lengths in self.lengths.items()}
        return replace(self, steps={**self.steps, **own}, samples=1, lengths={})


def _few(lengths: tuple[int, ...]) -> str:
    """3/2/1/…/1: the lengths of many samples would be wider than a page."""
    told = list(map(str, lengths))
    return "/".join(told if len(told) <= MANY else [*told[:3], "…", told[-1]])


@dataclass(slots=True)
class NetworkRun:
    """The values of a run.

    Args:
        sequences: by name and step, what every segment computed.
        finals: by name and how many steps before the end of its scan, 0 or negative.
        tapes: of the segments, each in its own direction.
    """

    sequences: Values = field(default_factory=dict)
    finals: Values = field(default_factory=dict)
    tapes: dict[str, Tape[Any]] = field(default_factory=dict)


def all_sizes(network: Network, extent: NetworkExtent) -> dict[Expr, int]:
    """The sizes of a network, those that are how many steps an axis has among them."""
    return {**extent.sizes, **{d: extent.steps[axis] for d, axis in network.lengths.items()}}


def sizes_in(segment: Segment, sizes: Mapping[Expr, int]) -> dict[Any, int]:
    """The sizes of a segment's cell, from all of the network's."""
    return {d: int(at_sizes(segment.joint.get(d, d), sizes)) for d in segment.cell.dims}


def lying_beside(network: Network) -> dict[str, Quantity]:
    """What has a row or a column for every step of an axis, by name."""
    everything = (s.in_network(q) for s in network.segments for q in s.cell.quantities)
    return {
        q.name: q
        for q in everything
        if any(side.has(d) for side in q.shape for d in network.lengths)
    }


def memory_of(segment: Segment) -> list[Quantity]:
    """What needs values before the first step."""
    return [q for q in (*segment.cell.states, *segment.cell.inputs) if q.depth]


def steps_of(segment: Segment, extent: NetworkExtent) -> int:
    """T of a segment."""
    return 1 if segment.axis == END else extent.steps[segment.axis]


def in_order(segment: Segment, t: int, steps: int) -> int:
    """The step of the data at which a segment is at its own step t, and the other way round."""
    return steps + 1 - t if segment.reverse else t


def source_place(network: Network, source: Source, t: int, extent: NetworkExtent) -> Place:
    """Where an input's value at step t of the data comes from."""
    if source.held:
        return source.name, 1
    if not source.last:
        return source.name, t
    made = network.segment(source.segment)
    return source.name, 1 if made.reverse else steps_of(made, extent)


def run_network(
    network: Network,
    arithmetic: Arithmetic[Any],
    values: Mapping[Place, Any],
    extent: NetworkExtent,
    *,
    absent: Callable[[Any, int | None], Any] | None = None,
    lines: Lines = lambda s: s.cell.equations,
) -> NetworkRun:
    """Every segment, one after another.

    Args:
        network: the network.
        arithmetic: what the values are.
        values: parameters, inputs, and initial values, which have the steps 0, −1, ….
        extent: sizes and lengths; all samples are as long as their axes.
        absent: the value of what a tape does not reach.
        lines: the equations of a segment that are run.
    """
    run, sizes = NetworkRun(), all_sizes(network, extent)
    for s in network.segments:
        evaluate = Evaluator(arithmetic, sizes_in(s, sizes))
        tape: Tape[Any] = Tape(steps_of(s, extent), {}, absent or _absent)
        _give(network, s, tape, values, run, extent, evaluate)
        run_forward(evaluate, lines(s), tape)
        run.tapes[s.name] = tape
        for e in s.cell.equations:
            for t in range(1, tape.steps + 1):
                place = (e.target.name, in_order(s, t, tape.steps))
                run.sequences[place] = tape.get(Timed, (e.target.name, t))
        for q in memory_of(s):
            for back in range(q.depth):
                run.finals[q.name, -back] = tape.get(Timed, (q.name, tape.steps - back))
    return run


def _give(
    network: Network,
    s: Segment,
    tape: Tape[Any],
    values: Mapping[Place, Any],
    run: NetworkRun,
    extent: NetworkExtent,
    evaluate: Evaluator[Any],
) -> None:
    """Parameters, inputs and initial values of a segment."""
    for q in (*s.cell.parameters, *s.cell.constants):
        tape.put(MatrixSymbol, (q.name, None), values[q.name, None])
    for name, source in s.inputs.items():
        for t in range(1, tape.steps + 1):
            place = source_place(network, source, in_order(s, t, tape.steps), extent)
            if s.cell.quantity(name).kind == "mask":
                value = evaluate.arithmetic.full(evaluate.shape(s.cell.quantity(name).symbol), 1)
            elif source.whole:
                steps = steps_of(network.segment(source.segment), extent)
                value = side_by_side(evaluate.arithmetic, run.sequences, source.name, steps)
            else:
                value = run.sequences[place] if source.segment else values[place]
            tape.put(Timed, (name, t), value)
    for q in memory_of(s):
        for back in range(q.depth):
            start = s.starts.get(q.name)
            if start and network.is_computed(start):
                value = run.sequences[source_place(network, start, 1, extent)]
            else:
                value = run.finals[start.name, -back] if start else values[q.name, -back]
            tape.put(Timed, (q.name, -back), value)


def side_by_side(arithmetic: Arithmetic[Any], values: Values, name: str, steps: int) -> Any:
    """The columns of a sequence as one matrix."""
    rows = [arithmetic.transpose(values[name, t]) for t in range(1, steps + 1)]
    return arithmetic.transpose(arithmetic.concat(rows))


def _absent(leaf: Any, t: int | None) -> Array:
    raise KeyError(f"{leaf} at step {t} is not given")


def lanes_of(value: Array, sample: int) -> Array:
    """One sample's part of a value, (…, B, rows, columns)."""
    return value[..., sample : sample + 1, :, :]


def finite(run: NetworkRun, bound: float = 1e6) -> bool:
    """Whether all values are finite and moderate."""
    return all(
        bool(np.all(np.isfinite(v)) and np.all(np.abs(v) < bound)) for v in run.sequences.values()
    )
