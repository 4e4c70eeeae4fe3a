"""The checks of a network's values and gradients: each returns one row of the table."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from derive.domains import Domains, domains_of
from derive.functions import FUNCTIONS
from derive.network import Network
from derive.network_derivation import derive_network
from derive.nodes import Elementwise, walk
from proofs import differences, network_layout
from proofs.compare import ROUNDING, Comparison, along, compare, worst_of
from proofs.complex_steps import looked_at, told
from proofs.floats import Floats
from proofs.network_adjoints import interpreted_gradient
from proofs.network_layout import NetworkCode
from proofs.network_run import NetworkRun, Values, lying_beside
from proofs.network_samples import (
    NetworkSample,
    complex_step_slopes,
    draw_extent,
    draw_smooth_network,
    part_of,
    probed_gradient,
    random_directions,
    reference,
)
from proofs.single_precision import derived_error, single_precision_row
from proofs.subject import Known, Search
from proofs.table import Check, measured
from proofs.unrolled import Place


@dataclass(frozen=True, slots=True)
class NetworkSubject:
    """What is verified.

    Args:
        network: the network that the code claims to implement.
        code: the generated code.
        seed: of everything random.
        search: for points, of all checks together.
        known: what does not depend on the code; subjects of the same network and seed may share it.
    """

    network: Network
    code: NetworkCode
    seed: int
    search: Search = field(default_factory=Search, compare=False)
    known: Known = field(default_factory=Known, compare=False)

    @property
    def domains(self) -> Domains:
        """Where what is given must lie."""
        return domains_of(self.network)

    def sample(self, purpose: str, *, margin: float = 1e-3, **sizes: int) -> NetworkSample:
        """A random run for a check, away from kinks and poles.

        Raises:
            NoSampleError: none was found.
        """
        rng = Random(f"{self.seed}/{purpose}")  # noqa: S311 - no secret
        extent = draw_extent(self.network, rng, **sizes)
        seed = rng.randrange(2**31)

        def found() -> NetworkSample:
            return self.search.found(
                lambda: draw_smooth_network(self.network, extent, seed, margin=margin),
                self.domains.told(),
            )

        return self.known.once((purpose, margin, *sizes.items()), found)


def _row(
    name: str,
    what: str,
    sample: NetworkSample,
    comparison: Comparison,
    bound: float,
    note: str = "",
) -> Check:
    where = tuple(network_layout.label(sample, p) for p in comparison.wrong(bound))
    return measured(name, what, sample.extent, comparison.worst, bound, note=note, where=where)


def forward_values(subject: NetworkSubject) -> Check:
    """Outputs and final values against the network's own equations."""
    sample = subject.sample("forward", smallest=3, largest=8, steps=6, samples=3)
    outputs, final, _ = subject.code.forward(sample)
    found = network_layout.sequences(sample, outputs, final)
    mine, true = seen_by_all(sample, found, reference(sample, Floats()))
    comparison = compare(mine, true)
    where = tuple(f"{n!r} at t = {t}" for n, t in comparison.wrong(ROUNDING))
    what = "outputs and final values of every segment against the network's equations"
    return measured("forward", what, sample.extent, comparison.worst, ROUNDING, where=where)


def seen_by_all(
    sample: NetworkSample, found: Values, runs: list[tuple[slice, NetworkRun]]
) -> tuple[Values, Values]:
    """The found values and the reference's, by name, step and samples; beyond a sample's length the truth is 0."""
    mine: Values = {}
    true: Values = {}
    beside = lying_beside(sample.network)
    for at, run in runs:
        for (name, t), value in found.items():
            values = run.finals if name.startswith("final ") else run.sequences
            place = (f"{name}{'' if at == slice(None) else f' of sample {at.start}'}", t)
            mine[place] = value[at]
            plain = name.removeprefix("final ")
            known = values.get((plain, t))
            true[place] = np.zeros_like(value[at])
            if known is not None:
                own = part_of(true[place], np.shape(known)) if plain in beside else true[place]
                own[...] = known
    return mine, true


def complex_step(subject: NetworkSubject) -> Check:
    """Every entry of every gradient against a complex step on the network's own equations."""
    sample = subject.sample("complex step")
    comparison = compare(
        looked_at(subject.code.gradient(sample)), subject.known.of(probed_gradient, sample)
    )
    what = "every entry of every gradient against a complex step on the equations"
    note = "on the branch of each kinked function where the point lies" if has_kinks(sample) else ""
    note = "; ".join(filter(None, (note, told(sample.values))))
    return _row("complex step", what, sample, comparison, ROUNDING, note)


def complex_step_larger(subject: NetworkSubject) -> Check:
    """The gradients along random directions against complex steps, at larger sizes."""
    sample = subject.sample("larger", smallest=5, largest=11, steps=8, samples=3, margin=1e-5)
    comparison = along(subject.code.gradient(sample), *directions_and_slopes(subject, sample))
    what = "each gradient along a random direction against a complex step on the equations"
    return _row("complex step, larger", what, sample, comparison, ROUNDING)


def directions_and_slopes(
    subject: NetworkSubject, sample: NetworkSample
) -> tuple[Values, dict[Place, float]]:
    """A random direction for every place, and the true slope of the loss along it."""
    directions = subject.known.of(random_directions, sample, subject.seed)
    return directions, subject.known.of(complex_step_slopes, sample, directions)


def one_step(subject: NetworkSubject) -> Check:
    """T = 1 and B = 1, where axes of length 1 hide among the others."""
    sample = subject.sample("one step", steps=1, samples=1)
    comparison = compare(
        looked_at(subject.code.gradient(sample)), subject.known.of(probed_gradient, sample)
    )
    return _row(
        "one step, one sample", "every gradient at T = 1 and B = 1", sample, comparison, ROUNDING
    )


def richardson(subject: NetworkSubject) -> Check:
    """Each gradient along a random direction against extrapolated differences of the generated forward pass."""
    sample = subject.sample("richardson", margin=1e-2)
    kinked = has_kinks(sample)
    gradient = subject.code.gradient(sample)
    directions: Values = {}
    slopes: dict[Place, float] = {}
    for place, direction in random_directions(sample, subject.seed).items():
        unit = directions[place] = direction / np.linalg.norm(direction)
        slopes[place] = differences.richardson(
            lambda h, p=place, d=unit: subject.code.loss(sample.moved({p: d}, h)),
            1e-4 if kinked else 2e-2,
            3 if kinked else 5,
        ).slope
    comparison = along(gradient, directions, slopes)
    what = "each gradient along a random direction against extrapolated differences of forward"
    return _row("Richardson differences", what, sample, comparison, 1e-6)


def single_precision(subject: NetworkSubject) -> Check:
    """A float32 run against the float64 run of the same numbers; all it returns must be float32."""
    runs = [
        subject.sample("float32", smallest=3, largest=6, steps=5, margin=1e-2),
        subject.sample("float32, one", steps=1, samples=1, margin=1e-4),
        subject.sample("float32, more", smallest=6, largest=9, steps=9, samples=5, margin=1e-4),
    ]
    derivation = subject.known.once("derivation", lambda: derive_network(subject.network))
    return single_precision_row(
        runs,
        subject.code,
        network_layout.places,
        network_layout.label,
        "gradients in float32 against float64",
        lambda sample: derived_error(
            lambda run, dtype: interpreted_gradient(derivation, run, dtype), sample, subject.seed
        ),
    )


def whole_gradient(subject: NetworkSubject) -> Check:
    """``value_and_grad`` against forward and backward; what is left out counts as zero."""
    what = "value_and_grad, and arguments left out, against forward and backward"
    sample = subject.sample("value_and_grad")
    module = subject.code.module
    given, named = subject.code.arguments(sample)
    outputs, _, cache = module.forward(*given, **named)
    loss = subject.network.loss
    if loss is None:
        bars = {k: v.copy() for k, v in outputs.items()}
        expected = float(sum(np.sum(v * v) for v in outputs.values())) / 2
        value, found = module.value_and_grad(
            lambda out: (expected, {k: v.copy() for k, v in out.items()}), *given, **named
        )
    else:
        bars = {loss.name: np.ones_like(outputs[loss.name])}
        expected = float(np.sum(outputs[loss.name]))
        value, found = module.value_and_grad(*given, **named)
    pairs = [(found, module.backward(given[0], cache, bars))]
    some = dict(list(bars.items())[:1])
    zeros = {k: some.get(k, np.zeros_like(v)) for k, v in outputs.items()}
    pairs.append((module.backward(given[0], cache, some), module.backward(given[0], cache, zeros)))
    own = {("value", None): abs(float(value) - expected) / max(1.0, abs(expected))}
    places = ([network_layout.places(sample, *of) for of in pair] for pair in pairs)
    whole = worst_of([Comparison(own), *(compare(mine, theirs) for mine, theirs in places)])
    return _row("value_and_grad", what, sample, whole, ROUNDING)


def has_kinks(sample: NetworkSample) -> bool:
    """Whether the network uses a function that is not smooth everywhere it is defined."""
    equations = (e for s in sample.network.segments for e in s.cell.equations)
    nodes: list[Any] = [node for e in equations for node in walk(e.expr)]
    return any(isinstance(n, Elementwise) and FUNCTIONS[n.function].kink is not None for n in nodes)
