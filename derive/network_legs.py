"""The legs of a network: which of its segments go along an axis side by side, step by step, in one direction.

    leg 1 … L     every segment reads, at the same step, what its own leg or an earlier one has there;
                  of earlier legs also whole sequences, their ends, and values at [end]

So a leg may be run a stretch of steps at a time, forward and backward, where all earlier legs have ended:

    forward     for l = 1 … L, for every stretch from the leg's start on:    (outputs, final) = leg(inputs, state)
    backward    for l = L … 1, for every stretch from the leg's end on:      (inputs̄, state̅) = legᵀ(outputs̄, final̅)

A value at [end] that a leg holds, the same at every step, is a parameter to its stretches: v̄ = Σ over them of Σ_t v̄_t.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from derive.network import Network, Segment, Source


@dataclass(frozen=True, slots=True)
class Leg:
    """Segments that go side by side.

    Args:
        axis: the letter of their time index; ``end`` for what is computed once, after scans.
        reverse: whether they go from the last step to the first.
        segments: in order of evaluation.
    """

    axis: str
    reverse: bool
    segments: tuple[Segment, ...]


def legs_of(network: Network) -> tuple[Leg, ...]:
    """The legs of a network, in order: each segment goes in the first leg in which all that it needs is known."""
    legs: list[Leg] = []
    home: dict[str, int] = {}
    for s in network.segments:
        first = _first_leg(s, home)
        found = (i for i, leg in enumerate(legs) if (leg.axis, leg.reverse) == (s.axis, s.reverse))
        at = next((i for i in found if i >= first), len(legs))
        if at == len(legs):
            legs.append(Leg(s.axis, s.reverse, ()))
        legs[at] = replace(legs[at], segments=(*legs[at].segments, s))
        home[s.name] = at
    return tuple(legs)


def _first_leg(segment: Segment, home: Mapping[str, int]) -> int:
    """The first leg that a segment may be part of: with what it reads step by step, behind what has to be complete."""
    known = [0]
    for source in (*segment.inputs.values(), *segment.starts.values()):
        if source.segment:
            known.append(home[source.segment] + _is_complete(source))
    return max(known)


def _is_complete(source: Source) -> bool:
    """Whether all steps of what is read must be known."""
    return source.last or source.whole or source.held
