"""The check of large values: inputs, initial values and parameters at which functions saturate.

Ordinary runs stay where every function bends. What is cut off only far away from there, as a probability that is held
above 1e-7 or an activation that is held below 20, is right in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from derive.cell import Cell
from derive.domains import domains_of
from derive.network import Network
from numeric.inside import kept_inside
from proofs import layout, network_layout
from proofs import network_special_checks as of_networks
from proofs import special_checks as of_cells
from proofs.arithmetic import Array
from proofs.compare import Comparison, compare
from proofs.network_checks import NetworkSubject
from proofs.network_samples import NetworkSample
from proofs.samples import Values
from proofs.special_runs import Kinds, changed, summary
from proofs.subject import Subject
from proofs.table import Check, not_applicable
from proofs.unrolled import Place

NAME = "large values"
BOUND = 1e-7
"""Where 1 − tanh² is nearly 0 its rounding is no longer small; right files stay below 1e-9."""


def times(factor: float) -> Callable[[Array], Array]:
    """Multiplies by a number."""
    return lambda a: factor * a


LARGE: dict[str, tuple[Kinds, ...]] = {
    "large inputs": tuple(Kinds(given=times(c)) for c in (40.0, 5.0)),
    "large initial values": tuple(Kinds(initial=times(c)) for c in (40.0, 5.0)),
    "large matrices": tuple(Kinds(square=times(c), matrix=times(c)) for c in (40.0, 5.0)),
    "large vectors": tuple(Kinds(vector=times(c)) for c in (8.0, 3.0)),
    "large inputs, small matrices": tuple(
        Kinds(given=times(c), square=times(1 / c), matrix=times(1 / c)) for c in (1e5, 1e3)
    ),
}
"""What is that much larger than in an ordinary run; the second factor where the first leaves the range of numbers."""

FAR: dict[str, tuple[Kinds, ...]] = {
    "far vectors": tuple(Kinds(vector=times(c)) for c in (1e5, 1e3)),
    "far matrices": tuple(Kinds(square=times(c), matrix=times(c)) for c in (1e5, 1e3)),
}
"""The same where logits of steps that a sample does not have stand among those of steps that it has."""
FURTHEST, MANY = 1e6, 6
"""How much larger one parameter is by itself there, and for how many samples, of which most have a single step."""


def large_values(subject: Subject) -> Check:
    """Loss and gradients at large values against complex steps on the equations."""
    plain = subject.sample(NAME, subject.extent(NAME, steps=4, samples=3))
    larger = _larger(plain.values, subject.cell, of_cells.fixed_names(subject.cell))
    runs = _runs(larger, lambda v: of_cells.if_smooth(plain.with_values(v)), LARGE)
    found = {row: compare(*of_cells.both(subject, sample)) for row, sample in runs.items()}
    return _row(found, lambda place: layout.label(subject.cell, place))


def large_values_of_network(subject: NetworkSubject) -> Check:
    """The same of a network."""
    plain = subject.sample(NAME, samples=3)
    network = subject.network
    padded = any(axis in network.masks for axis in network.lengths.values())
    rows = LARGE | FAR if padded else LARGE
    larger = _larger(plain.values, network, of_networks.fixed_names(network))

    def smooth(v: Values) -> NetworkSample | None:
        return of_networks.if_smooth(replace(plain, values=v))

    runs = subject.known.once(NAME, lambda: _runs(larger, smooth, rows))
    found = {row: compare(*of_networks.both(subject, sample)) for row, sample in runs.items()}
    if padded:
        found |= _far_by_themselves(subject)
    return _row(found, lambda place: network_layout.label(plain, place))


def _far_by_themselves(subject: NetworkSubject) -> dict[str, Comparison]:
    """The loss where one parameter alone is that much larger: others would saturate what its logits are made of."""
    plain = subject.sample(f"{NAME}, far", samples=MANY)
    found: dict[str, Comparison] = {}
    for name, sample in subject.known.of(_each_far, plain).items():
        true = subject.known.of(of_networks.true_loss, sample)
        mine = np.asarray(subject.code.loss(sample))
        found[f"far {name}"] = compare({("", None): mine}, {("", None): true})
    return found


def _each_far(plain: NetworkSample) -> dict[str, NetworkSample]:
    """The runs in which one parameter alone is that much larger, by its name; those that are finite."""
    found: dict[str, NetworkSample] = {}
    for q in plain.network.parameters:
        far = {**plain.values, (q.name, None): FURTHEST * plain.values[q.name, None]}
        inside = kept_inside(domains_of(plain.network).of, far, plain.values)
        sample = of_networks.if_smooth(replace(plain, values=inside), largest=FURTHEST**3)
        if sample is not None:
            found[q.name] = sample
    return found


def _larger(
    values: Values, model: Cell | Network, fixed: frozenset[str]
) -> Callable[[Kinds], Values]:
    """What makes larger values of those of a run, where they have a domain within it."""
    domains = domains_of(model).of
    return lambda kinds: kept_inside(domains, changed(values, kinds, fixed), values)


def _runs(
    larger: Callable[[Kinds], Values],
    if_smooth: Callable[[Values], Any],
    rows: Mapping[str, tuple[Kinds, ...]],
) -> dict[str, Any]:
    """The first run of every kind that is finite and off all kinks, if there is one."""
    found: dict[str, Any] = {}
    for row, choices in rows.items():
        runs = (if_smooth(larger(kinds)) for kinds in choices)
        sample = next((run for run in runs if run is not None), None)
        if sample is not None:
            found[row] = sample
    return found


def _row(found: Mapping[str, Comparison], label: Callable[[Place], str]) -> Check:
    what = "loss and every entry of every gradient against a complex step, where functions saturate"
    if not found:
        return not_applicable(NAME, what, "no run of larger values was found off all kinks")
    return summary(NAME, what, found, label, BOUND)
