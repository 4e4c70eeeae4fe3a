"""The check of runs that are large along one axis alone: many steps, many samples, or wide vectors.

Counters that wrap, products made in tiles and slices of a fixed length are right until an axis is longer than they are;
along one axis at a time a run can be that long and still take no time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from random import Random
from typing import Any

import numpy as np

from proofs import differences, layout, network_layout, samples
from proofs import network_samples as networks
from proofs import network_special_checks as of_networks
from proofs import special_checks as of_cells
from proofs.compare import Comparison, compare
from proofs.differences import TINY
from proofs.evaluation import at_sizes
from proofs.floats import Floats
from proofs.network_checks import NetworkSubject
from proofs.point import Extent, draw_sizes, steps_for
from proofs.samples import Values
from proofs.special_checks import LONG_WAY
from proofs.special_runs import summary
from proofs.subject import Subject
from proofs.table import Check, not_applicable
from proofs.unrolled import Place

NAME = "thin runs"
WHAT = "gradients of runs that are large along one axis alone, against pieces or along a direction"
STEPS, SAMPLES, SIZE = 300, 300, 130
"""Beyond what a byte counts, and beyond the usual tiles of 32, 64 and 128."""
FEW = 7
"""How many steps and samples a piece has: no more than runs in which every entry is compared with the equations."""
WIDE = "wide vectors"
EVERYTHING = ("the gradient along a direction", None)
GAINS = (0.4, 0.2, 0.1)
TAME = 1e6
"""A gradient that stays below has grown by so little that rounding is far below the bound."""
ENTRIES = 200_000
"""How many entries the largest array of a wide run may have."""


def thin_runs(subject: Subject) -> Check:
    """Many steps and many samples in pieces; wide vectors along a direction in everything against a complex step."""
    small, cell = subject.extent(NAME, steps=3), subject.cell
    extents = {
        "many steps": replace(small, steps=steps_for(cell, STEPS)),
        "many samples": replace(small, samples=SAMPLES),
        WIDE: Extent(_wide(subject), small.steps, 2),
    }
    found: dict[str, Comparison] = {}
    for row, extent in extents.items():
        drawn = (samples.draw(cell, extent, subject.seed, gain=g) for g in GAINS)
        for sample, whole in islice(tame(subject, drawn), 1):
            if row == WIDE:
                directions = differences.random_directions(sample, subject.seed)
                found[row] = along_parameters(samples, sample, whole, directions)
            else:
                found[row] = compare(of_cells.in_pieces(subject, sample, FEW, FEW), whole)
    return _row(found, lambda place: layout.label(cell, place))


def _wide(subject: Subject) -> dict[object, int]:
    """Sizes that wide, or half of it until no array is too large."""
    cell, largest = subject.cell, SIZE + 9
    while True:
        rng = Random(f"{subject.seed}/{NAME}")  # noqa: S311 - no secret
        sizes = draw_sizes(cell, rng, max(2, largest - 9), largest)
        areas = [
            at_sizes(r, sizes) * at_sizes(c, sizes) for q in cell.quantities for r, c in [q.shape]
        ]
        if max(areas, default=1) <= ENTRIES or largest <= 16:
            return sizes
        largest //= 2


def thin_runs_of_network(subject: NetworkSubject) -> Check:
    """Many samples a few at a time; many steps and wide vectors along a direction in everything."""
    network, found = subject.network, dict[str, Comparison]()
    rng = Random(f"{subject.seed}/{NAME}")  # noqa: S311 - no secret
    sizes = {
        "many steps": {"steps": STEPS},
        "many samples": {"steps": 3, "samples": SAMPLES},
        WIDE: {"smallest": SIZE, "largest": SIZE + 9, "steps": 2, "samples": 2},
    }
    example = networks.draw_network(network, networks.draw_extent(network, rng), 0)
    for row, wanted in sizes.items():
        extent, seed = networks.draw_extent(network, rng, **wanted), rng.randrange(2**31)
        extent = networks.uneven(extent) if row == "many steps" else extent
        drawn = (networks.draw_network(network, extent, seed, gain=g) for g in GAINS)
        for sample, whole in islice(tame(subject, drawn), 1):
            if row == "many samples":
                found[row] = compare(of_networks.few_at_a_time(subject, sample, FEW), whole)
                continue
            directions = networks.random_directions(sample, subject.seed)
            along = along_parameters if row == WIDE else along_everything
            found[row] = along(networks, sample, whole, directions)
    return _row(found, lambda place: network_layout.label(example, place))


def tame(subject: Any, drawn: Iterator[Any]) -> Iterator[tuple[Any, Values]]:
    """Runs with the file's gradient, where it is small: then no rounding has grown along the way.

    Args:
        subject: what is verified, a cell or a network.
        drawn: the runs.
    """
    for sample in drawn:
        whole = gradient_within(subject, sample)
        if whole is None:
            continue
        if all(np.all(np.abs(v) < TAME) for v in whole.values()):
            yield sample, whole


def gradient_within(subject: Any, sample: Any) -> Values | None:
    """The gradient by the file; ``None`` where a run is refused that may lie outside of the domain.

    Args:
        subject: what is verified, a cell or a network.
        sample: the run.
    """
    try:
        with np.errstate(all="ignore"):
            return subject.code.gradient(sample)
    except ValueError:
        if not subject.domains.open:
            raise
        return None


def along_parameters(room: Any, sample: Any, whole: Values, directions: Values) -> Comparison:
    """The same of each parameter by itself, and of all else together: no block hides behind a larger one.

    Args:
        room: what runs such samples: ``samples``, or ``network_samples``.
        sample: the run.
        whole: its gradient by the file.
        directions: of everything that has a gradient.
    """
    parts = [{p: d} for p, d in directions.items() if p[1] is None]
    parts.append({p: d for p, d in directions.items() if p[1] is not None})
    errors: dict[Place, float] = {}
    for part in filter(None, parts):
        (error,) = along_everything(room, sample, whole, part).errors.values()
        errors[next(iter(part)) if len(part) == 1 else EVERYTHING] = error
    return Comparison(errors)


def along_everything(room: Any, sample: Any, whole: Values, directions: Values) -> Comparison:
    """⟨gradient, direction⟩ against one complex step of all at once.

    Args:
        room: what runs such samples: ``samples``, or ``network_samples``.
        sample: the run.
        whole: its gradient by the file.
        directions: of everything that has a gradient.
    """
    values = {p: v + 1j * TINY * directions.get(p, 0.0) for p, v in sample.values.items()}
    loss = room.loss_of(sample, room.reference(sample, Floats(np.complex128), values))
    slope = float(np.sum(np.imag(loss))) / TINY
    terms = [float(np.sum(whole[p] * d)) for p, d in directions.items()]
    scale = float(np.linalg.norm(terms)) + abs(slope)
    error = abs(sum(terms) - slope) / scale if scale else 0.0
    return Comparison({EVERYTHING: error if np.isfinite(error) else float("inf")})


def _row(found: dict[str, Comparison], label: Callable[[Place], str]) -> Check:
    def told(place: Place) -> str:
        return place[0] if place == EVERYTHING else label(place)

    if not found:
        return not_applicable(NAME, WHAT, "no such run was found in which gradients stay small")
    return summary(NAME, WHAT, found, told, LONG_WAY)
