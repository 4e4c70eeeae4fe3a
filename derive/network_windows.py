"""Which networks can be truncated: windows lie along one axis, on what goes forward along it and is read no further.

    window j    its losses run back from e_j to b_j; the states before b_j count as given
    held        v̄ = Σ_j Σ_{t = b_j}^{e_j} v̄_t^{(j)}: what is the same at every step counts as parameters do
    the rest    what all windows hand to other axes is run back there once, whole: v̄ through what v is made of, and what
                reaches the first step through what the states started from

So nothing along another axis is cut off, the recurrence of an encoder neither: it ends before the first window begins.
"""

from __future__ import annotations

from collections.abc import Sequence

from derive.errors import ArgumentError
from derive.network import END, Network
from derive.network_legs import Leg, legs_of


def windowed_leg(network: Network) -> Leg:
    """The leg whose steps are cut into windows.

    Args:
        network: the network.

    Raises:
        ArgumentError: none runs forward along an axis of its own without that others read it, or several do.
    """
    legs = legs_of(network)
    last = [leg for leg in legs if leg.axis != END and not _readers(leg, legs)]
    why = _why_not(legs, last)
    if why:
        raise ArgumentError(
            f"Truncation: segment {why.format(network.name)}, so there is no one way back that windows could cut off.",
            "Ask for it where one scan, or several side by side, run forward along an axis of their own, and nothing "
            "is computed from their end.",
        )
    return last[0]


def _why_not(legs: Sequence[Leg], last: Sequence[Leg]) -> str:
    """Why no leg can be cut, with a place for the network's name; empty if one can."""
    if not last:
        running = [leg for leg in legs if leg.axis != END]
        reader = _readers(running[-1], legs)[0] if running else legs[0].segments[0].name
        return f"{reader} of {{}} is computed after the scans"
    first, *others = last
    if others:
        other = others[0]
        if other.axis == first.axis:
            return f"{other.segments[0].name} of {{}} runs along {first.axis}, and so does {first.segments[0].name}"
        return (
            f"{other.segments[0].name} of {{}} runs along {other.axis}, and {first.segments[0].name} along "
            f"{first.axis}, and neither reads the other"
        )
    along = [leg for leg in legs if leg.axis == first.axis]
    turned = next((leg for leg in along if leg.reverse), None)
    if turned:
        return f"{turned.segments[0].name} of {{}} runs from the last step to the first"
    if len(along) > 1:
        names = along[0].segments[0].name, first.segments[0].name
        return f"{names[1]} of {{}} runs along {first.axis} when {names[0]} has ended there"
    return ""


def _readers(leg: Leg, legs: Sequence[Leg]) -> list[str]:
    """The segments of other legs that read one."""
    names = {s.name for s in leg.segments}
    return [
        s.name
        for other in legs
        if other is not leg
        for s in other.segments
        if any(x.segment in names for x in (*s.inputs.values(), *s.starts.values()))
    ]
