"""``step`` of a network's file: one step of all segments, for streaming, where the network is causal."""

from __future__ import annotations

from derive.network import END, Network
from numeric.body import listed
from numeric.network_passes import Passes


def why_not_causal(network: Network) -> str:
    """Why what a network gives at a step is not known at that step; empty if it is."""
    for s in network.segments:
        if s.reverse:
            return f"{s.name} runs from the last step to the first"
        if s.axis == END:
            return f"{s.name} comes after the last step"
    axes = dict.fromkeys(s.axis for s in network.segments)
    if len(axes) > 1:
        first, second = list(axes)[:2]
        return f"the axis {second} begins where {first} has ended"
    (axis,) = axes
    for s in network.segments:
        for source in s.starts.values():
            return f"{s.name} starts where {source.segment} has ended"
    if axis in network.masks and axis not in network.axes.values():
        return f"along {axis} nothing is given but the lengths"
    return ""


def step(passes: Passes) -> str:
    """The function ``step``; a comment that says why there is none if the network is not causal.

    Args:
        passes: the writer of the network's other functions.
    """
    reason = why_not_causal(passes.network)
    if reason:
        return f"# There is no step, one step at a time: {reason}."
    names = {q.name: passes.identifier(q.name) for q in passes.network.inputs}
    now = {x: x if passes.network.axes[q] == END else f"{x}_t" for q, x in names.items()}
    arguments = [
        "params: Arrays",
        *(f"{x}: Array" for x in now.values()),
        "state: Arrays | None = None",
    ]
    steps = [f"{name}=1" for name in passes.keywords() if name.startswith("steps_")]
    given = ", ".join(
        [
            "params",
            *(t if t == x else passes.idioms.now.format(t) for x, t in now.items()),
            "state",
            *steps,
        ]
    )
    return "\n".join(
        [
            *listed("def step(", arguments, ") -> tuple[Arrays, Arrays]:"),
            '    """One step: inputs (B, …) and the state before it give outputs (B, …) and the state after it."""',
            f"    outputs, final, _ = forward({given})",
            f"    return {{name: {passes.idioms.step.format('value')} for name, value in outputs.items()}}, final",
        ]
    )
