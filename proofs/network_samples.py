"""A network with numbers: weights, sequences, initial values, lengths, and a loss that sees everything.

L = Σ ⟨g, output⟩ + Σ ⟨k, final value⟩ with random weights; a sample's outputs beyond its own length do not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np

from derive.cell import Quantity
from derive.domains import domains_of
from derive.network import END, Network
from numeric.inside import inside
from proofs.arithmetic import Array
from proofs.complex_steps import TINY, by_complex_steps, slopes_along
from proofs.evaluation import Evaluator
from proofs.floats import Floats
from proofs.network_run import (
    NetworkExtent,
    NetworkRun,
    Values,
    all_sizes,
    finite,
    lanes_of,
    lying_beside,
    memory_of,
    run_network,
    steps_of,
)
from proofs.samples import LESS, direction_numbers, first_smooth
from proofs.unrolled import Place


@dataclass(frozen=True, slots=True)
class NetworkSample:
    """One run.

    Args:
        network: the network.
        extent: sizes, lengths, B.
        values: all that is given: (rows, columns) for a parameter, (B, rows, columns) for the rest.
        weights: the loss's weights on outputs, by name and step.
        final_weights: the loss's weights on final values, by name and steps before the end.
    """

    network: Network
    extent: NetworkExtent
    values: Values
    weights: Values
    final_weights: Values

    def moved(self, directions: Mapping[Place, Array], h: float) -> NetworkSample:
        """The run from values moved by h along directions."""
        changed = {p: self.values[p] + h * d for p, d in directions.items()}
        return replace(self, values={**self.values, **changed})

    @property
    def trained(self) -> list[Place]:
        """What a gradient is taken by: all that is given but indices and constants."""
        fixed = {q.name for q in self.network.inputs if q.kind != "real"}
        fixed |= {q.name for s in self.network.segments for q in s.cell.constants}
        return [p for p in self.values if p[0] not in fixed]


def initial_quantities(network: Network) -> list[Quantity]:
    """What has values before the first step that are given from outside."""
    return [
        s.in_network(q) for s in network.segments for q in memory_of(s) if q.name not in s.starts
    ]


def draw_extent(
    network: Network,
    rng: Random,
    *,
    smallest: int = 2,
    largest: int = 4,
    steps: int = 4,
    samples: int = 2,
) -> NetworkExtent:
    """Random sizes, different for different dimensions; every axis has a length of its own."""
    largest = max(largest, smallest + len(network.dims))
    sizes = dict(
        zip(network.dims, rng.sample(range(smallest, largest + 1), len(network.dims)), strict=True)
    )
    deepest = max((s.cell.depth for s in network.segments), default=0)
    axes = dict.fromkeys([*(s.axis for s in network.segments), END])
    least = steps if steps == 1 else max(steps, 2 + deepest)
    lengths = {a: 1 if a == END else least + (i if steps > 1 else 0) for i, a in enumerate(axes)}
    return NetworkExtent(sizes, lengths, samples, ragged(network, lengths, samples))


def ragged(
    network: Network, lengths: Mapping[str, int], samples: int
) -> dict[str, tuple[int, ...]]:
    """Lengths of the samples along every axis that has a mask: the axis's own, and shorter ones."""
    return {
        a: tuple(max(1, lengths[a] - i * (i + 1) // 2) for i in range(samples))
        for a in network.masks
        if a in lengths
    }


def uneven(extent: NetworkExtent) -> NetworkExtent:
    """The extent with two samples, of which the second has one step along every axis where lengths may differ.

    Args:
        extent: of which the steps and sizes are kept.
    """
    lengths = {axis: (extent.steps[axis], 1) for axis in extent.lengths}
    return replace(extent, samples=2, lengths=lengths)


def draw_network(
    network: Network, extent: NetworkExtent, seed: int, *, gain: float = 0.8, positive: bool = False
) -> NetworkSample:
    """A random run, every entry in its domain if it has one.

    Args:
        network: the network.
        extent: sizes, lengths, B.
        seed: of every number.
        gain: standard deviation of matrices times the square root of their columns, and of all else.
        positive: whether entries are uniform in [0.2, 1] instead.
    """
    rng = np.random.default_rng(seed)
    B, domains = extent.samples, domains_of(network).of

    def shape(q: Quantity) -> tuple[int, int]:
        return Evaluator(Floats(), all_sizes(network, extent)).shape(q.symbol)

    def numbers(q: Quantity, front: tuple[int, ...]) -> Array:
        rows, cols = shape(q)
        if q.kind == "index":
            axis = network.lengths.get(q.shape[0])  # type: ignore[arg-type]
            return np.eye(rows)[rng.integers(0, extent.lengths.get(axis, rows), B)][..., None]
        if positive:
            return inside(domains.get(q.name), rng.uniform(0.2, 1.0, (*front, rows, cols)))
        spread = gain if front or cols == 1 else gain / np.sqrt(cols)
        return inside(domains.get(q.name), spread * rng.standard_normal((*front, rows, cols)))

    values: Values = {(q.name, None): numbers(q, ()) for q in network.parameters}
    for q in (q for s in network.segments for q in s.cell.constants):
        given = q.value is not None
        values[q.name, None] = np.full((1, 1), float(q.value)) if given else numbers(q, ())  # type: ignore[arg-type]
    for q in network.inputs:
        steps = extent.steps[network.axes[q.name]]
        values |= {(q.name, t): numbers(q, (B,)) for t in range(1, steps + 1)}
    for q in initial_quantities(network):
        values |= {(q.name, -back): numbers(q, (B,)) for back in range(q.depth)}
    return NetworkSample(network, extent, values, *_weights(network, extent, rng))


def _weights(
    network: Network, extent: NetworkExtent, rng: np.random.Generator
) -> tuple[Values, Values]:
    """Weights of the loss on outputs and on final values."""
    weights: Values = {}
    final_weights: Values = {}
    evaluate = Evaluator(Floats(), all_sizes(network, extent))

    def draw(q: Quantity) -> Array:
        return rng.standard_normal((extent.samples, *evaluate.shape(q.symbol)))

    for s in network.segments:
        for q in s.cell.outputs:
            weights |= {
                (q.name, t): draw(s.in_network(q)) for t in range(1, steps_of(s, extent) + 1)
            }
        for q in memory_of(s):
            final_weights |= {(q.name, -back): draw(s.in_network(q)) for back in range(q.depth)}
    return weights, final_weights


def draw_smooth_network(
    network: Network, extent: NetworkExtent, seed: int, *, margin: float = 1e-3, attempts: int = 100
) -> NetworkSample | None:
    """A random run that is finite and keeps a distance from kinks and poles; ``None`` if none is found."""
    return first_smooth(_attempts(network, extent, seed, attempts), margin, LESS)


def _attempts(
    network: Network, extent: NetworkExtent, seed: int, attempts: int
) -> Iterator[tuple[NetworkSample, float]]:
    for i in range(attempts):
        sample = draw_network(
            network, extent, seed + 7919 * i, gain=(0.8, 0.5, 1.2)[i % 3], positive=i % 8 >= 5
        )
        arithmetic = Floats()
        with np.errstate(all="ignore"):
            runs = [run for _, run in reference(sample, arithmetic)]
        if all(map(finite, runs)):
            yield sample, arithmetic.margin


def reference(
    sample: NetworkSample, arithmetic: Any, values: Values | None = None
) -> list[tuple[slice, NetworkRun]]:
    """The network's own equations: all samples at once, or each by itself where lengths differ."""
    given = sample.values if values is None else values
    extent = sample.extent
    if not extent.lengths:
        return [(slice(None), run_network(sample.network, arithmetic, given, extent))]
    found: list[tuple[slice, NetworkRun]] = []
    beside = lying_beside(sample.network)
    for i in range(extent.samples):
        alone = extent.of_sample(i)
        own = {p: v if p[1] is None else lanes_of(v, i) for p, v in given.items()}
        shape = Evaluator(Floats(), all_sizes(sample.network, alone)).shape
        for p in (p for p in own if p[0] in beside):
            own[p] = part_of(own[p], shape(beside[p[0]].symbol))
        run = run_network(sample.network, arithmetic, own, alone)
        found.append((slice(i, i + 1), run))
    return found


def part_of(whole: Array, shape: tuple[int, ...]) -> Array:
    """The rows and columns of the steps that a sample has."""
    return whole[..., : shape[-2], : shape[-1]]


def loss_of(sample: NetworkSample, runs: list[tuple[slice, NetworkRun]]) -> Array:
    """L per leading axis and sample."""
    parts: list[Any] = []
    beside = lying_beside(sample.network)
    for at, run in runs:
        total: Any = 0
        for weights, values in (
            (sample.weights, run.sequences),
            (sample.final_weights, run.finals),
        ):
            for place, weight in weights.items():
                if place in values:
                    value, own = values[place], weight[at]
                    own = part_of(own, np.shape(value)) if place[0] in beside else own
                    total = total + (own * value).sum(axis=(-1, -2))
        parts.append(total)
    front = np.broadcast_shapes(*(p.shape[:-1] for p in parts))
    return np.concatenate([np.broadcast_to(p, (*front, p.shape[-1])) for p in parts], axis=-1)


def complex_step_gradient(sample: NetworkSample) -> Values:
    """∂L/∂(every entry), one complex step for each, in as few runs as memory allows."""
    return by_complex_steps(
        sample.values, sample.trained, lambda values, lanes: _slopes(sample, values, lanes)
    )


def probed_gradient(sample: NetworkSample) -> Values:
    """The same; of a large place what the gradient is along some directions, as ``looked_at`` gives it."""
    return by_complex_steps(
        sample.values,
        sample.trained,
        lambda values, lanes: _slopes(sample, values, lanes),
        every=False,
    )


def complex_step_slopes(sample: NetworkSample, directions: Values) -> dict[Place, float]:
    """⟨∂L/∂(a place), its direction⟩ for every place, by one complex step each."""
    return slopes_along(
        sample.values, directions, lambda values, lanes: _slopes(sample, values, lanes)
    )


def _slopes(sample: NetworkSample, values: Values, lanes: int) -> Array:
    loss = loss_of(sample, reference(sample, Floats(np.complex128), values))
    return np.broadcast_to(np.imag(loss) / TINY, (lanes, sample.extent.samples))


def random_directions(sample: NetworkSample, seed: int) -> Values:
    """A random direction for every place; none for what lies beyond a sample's length."""
    rng = direction_numbers(seed)
    return {p: rng.standard_normal(sample.values[p].shape) for p in sample.trained}
