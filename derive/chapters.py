"""The chapters that a derivation can have behind its backward equations, for cells and for networks."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from derive.chapter import Chapter
from derive.derivation import Derivation
from derive.errors import ArgumentError
from derive.influence import influence_chapter
from derive.network_derivation import NetworkDerivation
from derive.network_windows import windowed_leg
from derive.truncation import truncate


def truncations(
    derivation: Derivation | NetworkDerivation, truncation: tuple[int, int]
) -> list[Chapter]:
    """Truncated backpropagation; of a network for each segment of the leg that is cut, in the backward pass's order.

    Raises:
        ArgumentError: not 1 ≤ k₁ ≤ k₂, or a network of which no leg can be cut into windows.
    """
    if isinstance(derivation, Derivation):
        return [truncate(derivation, truncation)]
    segments = windowed_leg(derivation.network).segments
    read = frozenset(x.name for s in segments for x in s.inputs.values() if x.segment)
    home = zip(derivation.network.segments, derivation.segments, strict=True)
    chapters = [
        (s, truncate(d, truncation, read, frozenset(n for n, x in s.inputs.items() if x.held)))
        for s, d in home
        if s in segments
    ]
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
