"""The chapters that a derivation can have behind its backward equations, for cells and for networks."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from derive.chapter import Chapter
from derive.derivation import Derivation
from derive.errors import ArgumentError
from derive.influence import influence_chapter
from derive.network_derivation import NetworkDerivation
from derive.network_stretches import refuse_unless_stretchable
from derive.truncation import truncate


def truncations(
    derivation: Derivation | NetworkDerivation, truncation: tuple[int, int]
) -> list[Chapter]:
    """Truncated backpropagation, of a network segment by segment in the order of the backward pass.

    Raises:
        ArgumentError: not 1 ≤ k₁ ≤ k₂, or a network whose steps cannot be run a stretch at a time.
    """
    if isinstance(derivation, Derivation):
        return [truncate(derivation, truncation)]
    refuse_unless_stretchable(derivation.network, "Truncation")
    segments = derivation.network.segments
    read = frozenset(x.name for s in segments for x in s.inputs.values() if x.segment)
    pairs = zip(segments, derivation.segments, strict=True)
    chapters = [(s, truncate(d, truncation, read)) for s, d in pairs]
    return [replace(c, heading=f"{c.heading}: segment {s.name}") for s, c in chapters[::-1]]


def influences(derivation: Derivation | NetworkDerivation) -> list[Chapter]:
    """Real-time recurrent learning of a cell.

    Raises:
        ArgumentError: a network.
    """
    if isinstance(derivation, NetworkDerivation):
        refuse_network(derivation)
    return [influence_chapter(derivation)]


def refuse_network(derivation: NetworkDerivation) -> NoReturn:
    """Say why real-time recurrent learning is one cell's affair.

    Raises:
        ArgumentError: always.
    """
    raise ArgumentError(
        f"Real-time recurrent learning of {derivation.network.name}: it is written for one cell, whose influence "
        "matrix it carries; a network would need that of every parameter on every segment.",
        "Ask for it of a single cell.",
    )
