"""The checks of truncated and real-time gradients in large runs, against the derived equations as they stand.

What is kept of earlier windows, or carried from step to step, is right in a short run though it is lost, wraps or is
made in pieces of a fixed length in a long one. Windows of one length are the samples of one run of the derived
equations, evaluated without any generated code, so that hundreds of them take no time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from random import Random
from typing import Any

from derive.network import END
from derive.network_derivation import derive_network
from derive.network_windows import windowed_leg
from proofs import (
    interpreted,
    layout,
    network_adjoints,
    network_layout,
    network_window_checks,
    samples,
    stretch_checks,
)
from proofs import network_samples as networks
from proofs.compare import FLOOR, Comparison, compare
from proofs.evaluation import at_sizes
from proofs.network_checks import NetworkSubject
from proofs.network_run import NetworkExtent
from proofs.point import Extent, draw_sizes, steps_for
from proofs.realtime_checks import by_parameters, in_real_time
from proofs.samples import Sample, Values
from proofs.special_checks import LONG_WAY
from proofs.special_runs import summary
from proofs.subject import Subject
from proofs.table import Check, not_applicable
from proofs.thin_runs import FEW, GAINS, WIDE, tame

NAMES = WINDOWS, IN_TIME = "truncated, many steps", "real time, large"
STEPS = 307
"""Beyond what a byte counts, and a prime: no windows but those of one step come out even."""
CASES = ((1, 1), (1, 5), (7, 7), (7, 30), (1, 70), (100, 150))
"""(k₁, k₂): as many windows as steps, windows that overlap, windows end to end, few of them at once."""
FAR = CASES[1], CASES[3]
"""Those of which the first step of the last window is looked at by its own size, however little arrives there."""
LEAST = 1e-40
"""What is that much smaller than the largest gradient is nothing."""
WHOLE = ((1, STEPS), (200, STEPS + 1))
SAMPLES, SIZES, ENTRIES = 300, (34, 17, 8), 4_000_000
"""Vectors are as wide as lets all directions of a parameter together have no more entries."""
NOWHERE = "no such run was found in which gradients stay small"
Run = Any
WHAT = (
    "gradients of a long run against the derived equations, window by window, and against backward"
)


def truncated(subject: Subject) -> Check:
    """Windows of a long run, each by the derived equations from the states before it."""
    small = subject.extent(WINDOWS, steps=3)
    extent = replace(small, steps=steps_for(subject.cell, STEPS), samples=3)

    for sample, whole in _tame(subject, extent):
        rows = _rows(sample, partial(apart_in_windows, subject))
        rows |= _whole(sample, whole, partial(stretch_checks.truncated_gradient, subject))
        return summary(WINDOWS, WHAT, rows, lambda p: layout.label(subject.cell, p), LONG_WAY)
    return not_applicable(WINDOWS, WHAT, NOWHERE)


def apart_in_windows(
    subject: Subject, sample: Sample, k1: int, k2: int, floor: float = FLOOR
) -> Comparison:
    """How far the file's truncated gradient is from that of the derived equations.

    Args:
        subject: what is verified.
        sample: the run.
        k1: how many steps the windows are apart.
        k2: how many they have.
        floor: a block smaller than this share of the largest one is measured against that share.
    """
    true = stretch_checks.held_gradient(sample, k1, k2, _derived(subject))
    return compare(stretch_checks.truncated_gradient(subject, sample, k1, k2), true, floor)


def truncated_network(subject: NetworkSubject) -> Check:
    """The same of a network, sample by sample where lengths differ; first the axis that is cut is long, then others."""
    network, rng = subject.network, Random(f"{subject.seed}/{WINDOWS}")  # noqa: S311 - no secret
    small, axis = networks.draw_extent(network, rng), windowed_leg(network).axis
    lengths = {**small.lengths, axis: (STEPS, STEPS // 2)} if axis in small.lengths else {}
    long = replace(small, steps={**small.steps, axis: STEPS}, lengths=lengths)
    rows = dict[str, Comparison]()
    for sample, whole in _tame_network(subject, long):
        rows |= _rows(sample, partial(apart_in_windows_of_network, subject))
        rows |= _whole(sample, whole, partial(network_window_checks.truncated_gradient, subject))
    steps = {a: FEW if a == axis else 1 if a == END else STEPS for a in small.steps}
    single = {a: (steps[a],) for a in small.lengths}
    others = replace(small, steps=steps, samples=1, lengths=single)
    for sample, _ in _tame_network(subject, others) if STEPS in steps.values() else ():
        rows["other axes"] = apart_in_windows_of_network(subject, sample, 1, 2)
    example = networks.draw_network(network, small, 0)
    if not rows:
        return not_applicable(WINDOWS, WHAT, NOWHERE)
    return summary(WINDOWS, WHAT, rows, lambda p: network_layout.label(example, p), LONG_WAY)


def apart_in_windows_of_network(
    subject: NetworkSubject,
    sample: networks.NetworkSample,
    k1: int,
    k2: int,
    floor: float = FLOOR,
) -> Comparison:
    """The same of a network's run."""
    derivation = subject.known.once("derivation", lambda: derive_network(subject.network))
    true = network_window_checks.held_gradient(
        sample, k1, k2, lambda run: network_adjoints.interpreted_gradient(derivation, run)
    )
    return compare(network_window_checks.truncated_gradient(subject, sample, k1, k2), true, floor)


def _rows(sample: Run, apart: Callable[..., Comparison]) -> dict[str, Comparison]:
    """What is found in windows, all of them; and by inputs of the last step's loss, each step by its own size.

    Of parameters, what many steps add up to can be nearly nothing.
    """
    rows = {f"k1 = {k1}, k2 = {k2}": apart(sample, k1, k2) for k1, k2 in CASES}
    only = {p: w if p[1] == STEPS else 0 * w for p, w in sample.weights.items()}
    last = replace(sample, weights=only)
    for k1, k2 in FAR:
        errors = apart(last, k1, k2, floor=LEAST).errors
        by_inputs = {p: error for p, error in errors.items() if p[1] is not None}
        if by_inputs:
            rows[f"k1 = {k1}, k2 = {k2}, the last step's loss"] = Comparison(by_inputs)
    return rows


def _whole(
    sample: Run, whole: Values, found: Callable[[Run, int, int], Values]
) -> dict[str, Comparison]:
    """What is found in windows as long as the run."""
    return {f"k1 = {k1}, k2 = {k2}": compare(found(sample, k1, k2), whole) for k1, k2 in WHOLE}


def real_time(subject: Subject) -> Check:
    """Many steps, many samples and wide vectors, each by itself, forward in time and by the derived equations."""
    what = "real_time_gradients of runs that are large along one axis against the derived equations"
    small, cell = subject.extent(IN_TIME, steps=3), subject.cell
    extents = {
        "many steps": replace(small, steps=steps_for(cell, STEPS)),
        "many samples": replace(small, samples=SAMPLES),
        WIDE: replace(small, sizes=_wide(subject)),
    }
    found = {
        row: compare(in_real_time(subject, sample), by_parameters(_derived(subject)(sample)))
        for row, extent in extents.items()
        for sample, _ in _tame(subject, extent)
    }
    if not found:
        return not_applicable(IN_TIME, what, NOWHERE)
    return summary(IN_TIME, what, found, lambda place: layout.label(cell, place), LONG_WAY)


def _tame_network(
    subject: NetworkSubject, extent: NetworkExtent
) -> Iterator[tuple[networks.NetworkSample, Values]]:
    """A run of a network in which gradients stay small, if there is one."""
    network = subject.network
    drawn = (networks.draw_network(network, extent, subject.seed, gain=g) for g in GAINS)
    return islice(tame(subject, drawn), 1)


def _tame(subject: Subject, extent: Extent) -> Iterator[tuple[Sample, Values]]:
    """A run of a cell in which gradients stay small, if there is one."""
    drawn = (samples.draw(subject.cell, extent, subject.seed, gain=g) for g in GAINS)
    return islice(tame(subject, drawn), 1)


def _derived(subject: Subject) -> Callable[[Sample], Values]:
    """The gradient of a run by the derived equations."""
    return lambda run: interpreted.interpreted_gradient(subject.derivation, run)


def _wide(subject: Subject) -> dict[object, int]:
    """Sizes of wide vectors, at which a direction for every entry of a parameter still fits into memory."""
    cell, sizes = subject.cell, dict[object, int]()

    def largest(*roles: str) -> int:
        shapes = [q.shape for q in cell.quantities if q.role in roles]
        return max((at_sizes(r, sizes) * at_sizes(c, sizes) for r, c in shapes), default=1)

    for least in SIZES:
        rng = Random(f"{subject.seed}/{IN_TIME}")  # noqa: S311 - no secret
        sizes = draw_sizes(cell, rng, least, least + 4)
        if largest("parameter") * largest("state", "intermediate") <= ENTRIES:
            break
    return sizes
