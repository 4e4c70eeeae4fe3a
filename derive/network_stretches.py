"""Which networks can be run a stretch of steps at a time."""

from __future__ import annotations

from derive.errors import ArgumentError
from derive.network import END, Network


def refuse_unless_stretchable(network: Network, what: str) -> None:
    """Refuse a network whose steps cannot be run a stretch at a time.

    Args:
        network: the network.
        what: what was asked for, in a word or two.

    Raises:
        ArgumentError: a segment runs backward, after the scans, along another axis, or from another scan's end.
    """
    first = network.segments[0]
    for s in network.segments:
        why = (
            "runs from the last step to the first" if s.reverse
            else "is computed after the scans" if s.axis == END
            else f"runs along {s.axis}, and {first.name} along {first.axis}" if s.axis != first.axis
            else "starts where another scan ended" if s.starts
            else "looks at the end of another scan" if any(x.last for x in s.inputs.values())
            else "takes a value that is the same at every step" if any(x.held for x in s.inputs.values())
            else ""
        )  # fmt: skip
        if why:
            raise ArgumentError(
                f"{what}: segment {s.name} of {network.name} {why}, so its steps cannot be run a stretch at a time.",
                "Ask for it where all scans run forward along one axis.",
            )
