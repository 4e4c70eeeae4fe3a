"""The checks of a network's file in special runs: sizes that meet, values that vanish, other arrays, many samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import numpy as np

from derive.network import END, Network
from numeric.inside import kept_inside
from proofs import network_layout
from proofs.arithmetic import Array
from proofs.compare import ROUNDING, along, compare
from proofs.complex_steps import looked_at
from proofs.floats import Floats
from proofs.network_checks import NetworkSubject, directions_and_slopes
from proofs.network_run import NetworkExtent, Values, all_sizes, finite, sizes_in
from proofs.network_samples import (
    NetworkSample,
    draw_extent,
    draw_network,
    draw_smooth_network,
    loss_of,
    probed_gradient,
    ragged,
    reference,
)
from proofs.settings_runs import STEPS as MANY
from proofs.settings_runs import at_other_settings
from proofs.special_checks import (
    FEW,
    GIVEN,
    LARGE,
    LONG_WAY,
    MARGIN,
    RUNS,
    SAMPLES,
    STEPS,
    WIDTH,
    given_in_every_way,
)
from proofs.special_runs import (
    SIZES,
    WIDE,
    Arguments,
    Sizes,
    special_values,
    summary,
)
from proofs.table import Check, measured, not_applicable


def special_runs(subject: NetworkSubject) -> Check:
    """Loss and gradients in every special run against complex steps on the network's own equations."""
    what = "loss and every entry of every gradient against a complex step, in runs of which something is special"
    samples = subject.known.once(_runs, lambda: dict(_runs(subject)))
    found = {row: compare(*both(subject, sample)) for row, sample in samples.items()}
    found |= at_other_settings(
        subject.code.module,
        lambda samples: subject.sample(RUNS, steps=MANY, samples=samples),
        lambda sample: true_of(subject, sample),
        lambda sample: found_in(subject, sample),
    )
    example = next(iter(samples.values()), None)

    def label(place: tuple[str, int | None]) -> str:
        return place[0] if example is None else network_layout.label(example, place)

    return summary(RUNS, what, found, label)


def both(subject: NetworkSubject, sample: NetworkSample) -> tuple[Values, Values]:
    """What the file finds, and what is true; the loss under no name."""
    return found_in(subject, sample), true_of(subject, sample)


def found_in(subject: NetworkSubject, sample: NetworkSample) -> Values:
    """What the file finds; the loss under no name."""
    return {**looked_at(subject.code.gradient(sample)), ("", None): subject.code.loss(sample)}


def true_of(subject: NetworkSubject, sample: NetworkSample) -> Values:
    """What is true; the loss under no name."""
    true = subject.known.of(probed_gradient, sample)
    return {**true, ("", None): subject.known.of(true_loss, sample)}


def true_loss(sample: NetworkSample) -> Array:
    """L by the network's own equations."""
    return np.asarray(np.sum(loss_of(sample, reference(sample, Floats()))))


def _runs(subject: NetworkSubject) -> Iterator[tuple[str, NetworkSample]]:
    network = subject.network
    for row, sizes in SIZES.items():
        extent = extent_of(subject, row, sizes)
        if extent is not None:
            seed = Random(f"{subject.seed}/{row}").randrange(2**31)  # noqa: S311 - no secret
            sample = draw_smooth_network(network, extent, seed, margin=MARGIN)
            if sample is not None:
                yield row, sample
    plain, domains = subject.sample(RUNS, samples=3), subject.domains.of
    for row, values in special_values(plain.values, fixed_names(network)):
        special = if_smooth(replace(plain, values=kept_inside(domains, values, plain.values)))
        if special is not None:
            yield row, special
    lengths = plain.extent.lengths
    if lengths:
        whole = {a: (plain.extent.steps[a],) * plain.extent.samples for a in lengths}
        yield (
            "all samples of full length",
            replace(plain, extent=replace(plain.extent, lengths=whole)),
        )
        ones = replace(plain.extent, lengths=dict.fromkeys(lengths, (1,) * plain.extent.samples))
        shortest = draw_smooth_network(
            network, _unpadded(network, ones), subject.seed, margin=MARGIN
        )
        if shortest is not None:
            yield "all samples of length 1", shortest


def fixed_names(network: Network) -> frozenset[str]:
    """What no special run may change: constants, and indices."""
    given = {q.name for q in network.inputs if q.kind != "real"}
    return frozenset(given | {q.name for s in network.segments for q in s.cell.constants})


def _unpadded(network: Network, extent: NetworkExtent) -> NetworkExtent:
    """The extent with axes as long as their longest sample where no input is given along them."""
    alone = extent.lengths.keys() - set(network.axes.values())
    return replace(extent, steps={**extent.steps, **{a: max(extent.lengths[a]) for a in alone}})


def extent_of(subject: NetworkSubject, row: str, sizes: Sizes) -> NetworkExtent | None:
    """The sizes of a special run; ``None`` if the network has none such."""
    network = subject.network
    rng = Random(f"{subject.seed}/{row}/sizes")  # noqa: S311 - no secret
    extent = draw_extent(network, rng, steps=sizes.steps or 1, samples=sizes.samples)
    if sizes.steps is None:
        return _of_largest_lags(network, extent)
    if sizes.alike:
        extent = _of_equal_axes(network, extent)
    if sizes.dims is None:
        return extent
    same = dict.fromkeys(network.dims, sizes.dims)
    equal = replace(extent, sizes=same)
    inner = [sizes_in(s, all_sizes(network, equal)) for s in network.segments]
    return equal if all(size >= 1 for dims in inner for size in dims.values()) else None


def _of_equal_axes(network: Network, extent: NetworkExtent) -> NetworkExtent:
    """Every axis as long as the shortest, and samples whose lengths along the next axis are another's along this."""
    least = min(T for axis, T in extent.steps.items() if axis != END or len(extent.steps) == 1)
    steps = {axis: 1 if axis == END else least for axis in extent.steps}
    lengths = ragged(network, steps, extent.samples)
    turned = {a: v[i:] + v[:i] for i, (a, v) in enumerate(lengths.items())}
    return replace(extent, steps=steps, lengths=turned)


def _of_largest_lags(network: Network, extent: NetworkExtent) -> NetworkExtent | None:
    """Every axis as long as the largest lag along it, if any is 2 or more."""
    steps = dict(extent.steps)
    for s in network.segments:
        steps[s.axis] = max(steps[s.axis], s.cell.depth)
    if max(steps.values()) < 2:
        return None
    return replace(extent, steps=steps, lengths=ragged(network, steps, extent.samples))


def if_smooth(sample: NetworkSample, largest: float = 1e6) -> NetworkSample | None:
    """The run, if all of it is finite and keeps its distance from kinks and poles.

    Args:
        sample: the run.
        largest: beyond which a value is not moderate.
    """
    arithmetic = Floats()
    with np.errstate(all="ignore"):
        runs = [run for _, run in reference(sample, arithmetic)]
    tame = all(finite(run, largest) for run in runs)
    return sample if arithmetic.margin > MARGIN and tame else None


def wide_run(subject: NetworkSubject) -> Check:
    """Gradients along random directions against complex steps, at sizes beyond those of every other check."""
    what = (
        "each gradient along a random direction against a complex step, at sizes beyond all others"
    )
    least = WIDE.dims or 1
    rng = Random(f"{subject.seed}/{WIDTH}")  # noqa: S311 - no secret
    extent = draw_extent(
        subject.network,
        rng,
        smallest=least,
        largest=least + 7,
        steps=WIDE.steps,
        samples=WIDE.samples,
    )
    seed = rng.randrange(2**31)
    sample = subject.known.once(
        WIDTH, lambda: draw_smooth_network(subject.network, extent, seed, margin=1e-7)
    )
    if sample is None:
        return not_applicable(WIDTH, what, "no run of these sizes was found off all kinks")
    comparison = along(subject.code.gradient(sample), *directions_and_slopes(subject, sample))
    where = tuple(network_layout.label(sample, p) for p in comparison.wrong(ROUNDING))
    return measured(WIDTH, what, extent, comparison.worst, ROUNDING, where=where)


def as_given(subject: NetworkSubject) -> Check:
    """The same numbers in other arrays, with zeros left out, and for a louder loss: nothing else may change."""
    runs = [subject.sample(GIVEN, samples=samples) for samples in FEW]
    given = {str(sample.extent): arguments(subject, sample) for sample in runs}
    return given_in_every_way(given, subject.code.module)


def arguments(subject: NetworkSubject, sample: NetworkSample) -> Arguments:
    """What a sample's run is given."""
    (params, *inputs, state), named = subject.code.arguments(sample)
    bars, ends = (
        f(sample, np.float64) for f in (network_layout.outputs_bar, network_layout.final_bar)
    )
    return Arguments(params, inputs, state, named, bars, ends)


def large_run(subject: NetworkSubject) -> Check:
    """Many steps of many samples against the same samples a few at a time."""
    what = "gradients of a run of many samples against the same samples a few at a time"
    rng = Random(f"{subject.seed}/{LARGE}")  # noqa: S311 - no secret
    extent = draw_extent(subject.network, rng, steps=STEPS, samples=SAMPLES)
    seed = rng.randrange(2**31)
    for gain in (0.4, 0.2, 0.1):
        sample = draw_network(subject.network, extent, seed, gain=gain)
        try:
            with np.errstate(all="ignore"):
                whole = subject.code.gradient(sample)
        except ValueError:
            if not subject.domains.open:
                raise
            continue
        if all(np.all(np.isfinite(v)) and np.all(np.abs(v) < 1e12) for v in whole.values()):
            break
    else:
        return not_applicable(LARGE, what, "no long run was found in which the network is tame")
    comparison = compare(few_at_a_time(subject, sample), whole)
    where = tuple(network_layout.label(sample, p) for p in comparison.wrong(LONG_WAY))
    return measured(LARGE, what, extent, comparison.worst, LONG_WAY, where=where)


def few_at_a_time(
    subject: NetworkSubject,
    sample: NetworkSample,
    few: int = 6,
    gradient: Callable[[NetworkSample], Values] | None = None,
) -> Values:
    """The gradient, found from a few samples at a time.

    Args:
        subject: what is verified.
        sample: the run.
        few: how many samples at most.
        gradient: of a piece; the file's if not given.
    """
    gradient = gradient or subject.code.gradient
    total: Values = {}
    parts: dict[tuple[str, int], list[np.ndarray]] = {}
    B = sample.extent.samples
    for at in (slice(b, min(b + few, B)) for b in range(0, B, few)):
        lengths = {a: v[at] for a, v in sample.extent.lengths.items()}
        extent = replace(sample.extent, samples=at.stop - at.start, lengths=lengths)
        extent = _unpadded(sample.network, extent)
        own, weights, ends = (
            {p: v if p[1] is None else v[at] for p, v in values.items()}
            for values in (sample.values, sample.weights, sample.final_weights)
        )
        piece = NetworkSample(sample.network, extent, own, weights, ends)
        for (name, t), value in gradient(piece).items():
            if t is None:
                total[name, t] = total.get((name, t), 0) + value
            else:
                parts.setdefault((name, t), []).append(np.array(value))
    return total | {place: np.concatenate(found) for place, found in parts.items()}
