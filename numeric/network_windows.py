"""Truncation in the file of a network of several legs: windows of one of them, then the others once, whole.

windows     K̄ = Σ_j Σ_{t = b_j}^{e_j} K̄_t^{(j)}, as of parameters; s̄_0 of the windows that begin with the run
the rest    run back with the losses of its own, K̄, and what s̄_0 says of where the states started
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from derive.network import Network, Segment
from derive.network_derivation import NetworkDerivation
from derive.network_legs import Leg
from derive.network_windows import windowed_leg
from numeric.body import listed, quoted
from numeric.network_passes import Passes
from numeric.network_source import NetworkFile, ordinary_file
from numeric.network_texts import BACKWARD_HEAD


class PassesOfPart(Passes):
    """Writes the backward pass of some of a network's segments, under a name of its own."""

    def named(self, name: str, told: str) -> PassesOfPart:
        """This writer with another name and first line for what it writes."""
        self.backward_head = BACKWARD_HEAD.replace("def backward(", f"def {name}(").replace(
            "Gradients of everything, given those of the outputs.", told
        )
        return self

    def with_lengths(self, *axes: str) -> PassesOfPart:
        """This writer with the lengths along these axes alone."""
        self.ragged = [axis for axis in self.network.masks if axis in axes]
        return self


def windowed_network(derivation: NetworkDerivation, k1: int, k2: int) -> list[str]:
    """``truncated_gradients`` of a network of several legs, and the backward passes of its two parts.

    Args:
        derivation: of the network.
        k1: how many steps the windows are apart.
        k2: how many they have.

    Raises:
        ArgumentError: no leg can be cut into windows.
    """
    file = NetworkFile(derivation, ordinary_file)
    network, leg = file.network, windowed_leg(file.network)
    cut = replace(network, segments=tuple(map(_by_itself(leg), leg.segments)))
    names = {s.name for s in leg.segments}
    rest = replace(network, segments=tuple(s for s in network.segments if s.name not in names))
    whole = Passes(network, file.files, file.sizes)
    windows = PassesOfPart(cut, file.files, file.sizes).with_lengths(
        leg.axis, *whole.padded.values()
    )
    before = PassesOfPart(rest, file.files, file.sizes)
    windows.padded, before.padded = whole.padded, whole.padded
    before.with_lengths(*(a for a in network.masks if a != leg.axis))
    told = f"Gradients of what runs along {leg.axis}; of what it reads of others as of inputs and initial states."
    return [
        _truncated(network, leg, whole, (k1, k2)),
        windows.named("backward_in_windows", told).backward(),
        before.named("backward_of_the_rest", "Gradients of all other segments.").backward(),
    ]


def _by_itself(leg: Leg) -> Callable[[Segment], Segment]:
    """A segment of a leg whose initial states, and what it reads of other legs, are given from outside."""
    own = {s.name for s in leg.segments}

    def given(s: Segment) -> Segment:
        inputs = {
            name: source if source.segment in own else replace(source, segment="")
            for name, source in s.inputs.items()
        }
        return replace(s, inputs=inputs, starts={})

    return given


def _truncated(network: Network, leg: Leg, whole: Passes, truncation: tuple[int, int]) -> str:
    """The function that runs back through both parts."""
    k1, k2 = truncation
    names = {s.name for s in leg.segments}
    others = [s for s in network.segments if s.name not in names]

    def outputs(segments: Iterable[Segment]) -> list[str]:
        return [q.name for s in segments for q in s.cell.outputs]

    def ends(segments: Iterable[Segment]) -> list[str]:
        return [q.name for s in segments for q in whole.memory_of(s)]

    arguments = [
        "params: Arrays", "cache: dict", "outputs_bar: Arrays", "final_bar: Arrays | None = None", "*",
        f"k1: int = {k1}", f"k2: int = {k2}",
    ]  # fmt: skip
    return "\n".join(
        [
            *listed("def truncated_gradients(", arguments, ") -> tuple[Arrays, Arrays, Arrays]:"),
            *_TOLD.replace("AXIS", leg.axis).splitlines(),
            "    if not all(isinstance(k, int | np.integer) for k in (k1, k2)):",
            '        raise TypeError(f"k1 is {k1!r} and k2 is {k2!r}: expected whole numbers")',
            "    if not 1 <= k1 <= k2:",
            '        raise ValueError(f"k1 is {k1} and k2 is {k2}: expected 1 <= k1 <= k2")',
            '    outputs_bar = dict(by_name("outputs_bar", outputs_bar))',
            '    final_bar = dict(by_name("final_bar", final_bar))',
            *whole.refusal("outputs_bar", outputs(network.segments)),
            *whole.refusal("final_bar", ends(network.segments)),
            "    if k2 >= steps_and_samples(cache)[0]:",
            "        return backward(params, cache, outputs_bar, final_bar)",
            *_only("own_bar", "outputs_bar", outputs(leg.segments)),
            *_only("own_end", "final_bar", ends(leg.segments)),
            "    params_bar, inputs_bar, state_bar = in_windows(",
            "        backward_in_windows, params, cache, own_bar, own_end, k1, k2",
            "    )",
            *_only("outputs_bar", "outputs_bar", outputs(others)),
            *_only("final_bar", "final_bar", ends(others)),
            *_handed(network, leg),
            "    by_params, by_inputs, by_state = backward_of_the_rest(params, cache, outputs_bar, final_bar)",
            "    add_all(params_bar, by_params)",
            "    add_all(inputs_bar, by_inputs)",
            "    return params_bar, inputs_bar, state_bar | by_state",
        ]
    )


def _only(name: str, arrays: str, names: list[str]) -> list[str]:
    """The line that takes those of some arrays that have these names."""
    return listed(f"    {name} = only({arrays}, [", [quoted(n) for n in names], "])")


def _handed(network: Network, leg: Leg) -> list[str]:
    """The lines that hand what the windows sum up to where it was made."""
    pairs = (pair for s in leg.segments for pair in s.inputs.items())
    held = {name: source for name, source in pairs if source.segment and source.held}
    lines = [
        f'    add_to(outputs_bar, "{source.name}", inputs_bar.pop("{name}")[None])'
        for name, source in held.items()
    ]
    for s in leg.segments:
        for name, source in s.starts.items():
            value = f'state_bar.pop("{name}")'
            if network.is_computed(source):
                lines.append(f'    add_to(outputs_bar, "{source.name}", {value}[None])')
            else:
                lines.append(f'    add_to(final_bar, "{source.name}", {value})')
    return lines


_TOLD = '''\
    """The gradients with the way back along AXIS cut off: every k1 steps, these steps' losses go back k2 steps.

    The states before a window count as given. What is the same at every step counts as parameters do: its gradient is
    the sum over all windows. Other axes are run back through once, whole, with that and with what the windows that
    begin with the run say of the states' start. For k2 >= T along AXIS this is backward itself.

    Args and returns are those of backward; 1 <= k1 <= k2 (Williams and Peng, 1990).
    """'''
