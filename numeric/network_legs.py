"""Checkpointing in a network's file: one function that runs its legs, each in stretches of steps, there and back."""

from __future__ import annotations

import re
from dataclasses import replace

from derive.errors import ArgumentError
from derive.network import END, Segment
from derive.network_derivation import NetworkDerivation
from derive.network_legs import Leg
from numeric.body import listed, quoted
from numeric.costs import held_by_a_step
from numeric.network_between_legs import BetweenLegs
from numeric.network_source import NetworkFile, ordinary_file
from numeric.network_texts import WORKSPACE
from numeric.network_workspace import TAKEN, PassesOver

NAME = "checkpointed_value_and_grad"
_RETURNS = ") -> tuple[float, tuple[Arrays, Arrays, Arrays]]:"


class Stretched(BetweenLegs):
    """Writes the function."""

    def noted(self, axis: str) -> list[str]:
        """Lengths are at hand."""
        return []

    def counted(self, s: Segment) -> list[str]:
        """No segment needs to know how many steps another one went."""
        return []

    def begun(self) -> list[str]:
        """Nothing is needed before the arguments."""
        return []

    def function(self) -> str:
        """The function."""
        loss, given = self.network.loss, [a for a in self.arguments() if a != "*"]
        own = [*self.keywords(), "workspace"]
        keywords = [a for a in given if a.partition(":")[0] in own]
        positional = [*([] if loss else ["loss"]), *(a for a in given if a not in keywords)]
        option = "stretches: int | None = None"
        lines = [
            *listed(f"def {NAME}(", [*positional, "*", option, *keywords], _RETURNS),
            *_TOLD.splitlines(),
            *([] if loss else _LOSS.splitlines()),
            '    """',
            *self.checked_arguments(),
            *self.counts(),
        ]
        for i, leg in enumerate(self.legs, 1):
            lines += ["", *self.there(i, leg), "", *self.here(i, leg), "", *self.gone(i, leg)]
        lines += [
            "",
            *(
                line
                for i, leg in reversed([*enumerate(self.legs, 1)])
                for line in self.back(i, leg)
            ),
        ]
        returned = "legs.params_bar, legs.inputs_bar, legs.state_bar"
        return "\n".join([*lines, f"    return sum(legs.losses[::-1]), ({returned})"])

    def counts(self) -> list[str]:
        """How many steps every axis has, and where legs hand on what others read."""
        lines: list[str] = []
        axes = [a for a in dict.fromkeys(leg.axis for leg in self.legs) if a != END]
        for axis in (a for a in axes if a not in self.ragged):
            for i, q in enumerate(self.along(axis)):
                x, rank = self.identifier(q.name), ", 2" if q.kind == "index" else ""
                count = self.whole(axis)
                lines.append(
                    f'    refuse_other_length("{q.name}", {x}, {count})'
                    if i
                    else f'    {count}, _ = leading("{q.name}", {x}{rank})'
                )
        longest = ", ".join(map(self.whole, axes)) or "1"
        longest = f"max({longest})" if len(axes) > 1 else longest
        return [*lines, f"    legs = Legs(stretches, {longest})"]

    def there(self, i: int, leg: Leg) -> list[str]:
        """The forward pass of a leg's stretch."""
        head = f"    def {self.local(f'run_{i}')}(steps: slice, state: Arrays) -> tuple[Arrays, Arrays, Arrays]:"
        lines = [line for s in leg.segments for line in self.run(replace(s, starts={}))]
        names = [quoted(name) for name in self.read(leg)]
        count = self.whole(leg.axis)
        lines += (
            listed(f"    legs.hand_on(outputs, steps, {count}, [", names, "])") if names else []
        )
        lines += [
            f'    legs.hand_on_end(outputs, steps, {self.last_step(leg)}, "{name}")'
            for name in self.read_ends(leg)
        ]
        lines += self.cut_here("outputs", leg, self.idioms.values)
        told = f'    """A stretch of leg {i}, {_told(leg)}."""'
        begun = [*_counted(lines + self.opened(i)), *self.opened(i)]
        return [head, *_indented([told, *begun, *lines, "    return outputs, final, cache"])]

    def here(self, i: int, leg: Leg) -> list[str]:
        """The backward pass of a leg's stretch."""
        arguments = ["steps: slice", "cache: Arrays", "outputs_bar: Arrays", "final_bar: Arrays"]
        head = f"    def {self.local(f'back_{i}')}({', '.join(arguments)}) -> Arrays:"
        lines = self.cut_here("outputs_bar", leg, self.idioms.sums)
        names = [quoted(name) for name in self.read(leg)]
        lines += listed("    legs.come_back(outputs_bar, steps, [", names, "])") if names else []
        lines += [
            f'    legs.come_back_end(outputs_bar, steps, {self.last_step(leg)}, "{name}")'
            for name in self.read_ends(leg)
        ]
        for s in leg.segments[::-1]:
            lines += self.run_back(replace(s, starts={}))
        told = f'    """Back through a stretch of leg {i}, and to what it reads."""'
        begun = [*self.begun_back(), *_counted(lines), "    state_bar = {}"]
        return [head, *_indented([told, *begun, *lines, "    return state_bar"])]

    def gone(self, i: int, leg: Leg) -> list[str]:
        """A leg is run ahead."""
        names = [q.name for s in leg.segments for q in self.memory_of(s) if q.name not in s.starts]
        starts = {name: x for s in leg.segments for name, x in s.starts.items()}
        start = f"only(state, [{', '.join(map(quoted, dict.fromkeys(names)))}])"
        if starts:
            given = (f'"{name}": {self.start_of(source)}' for name, source in starts.items())
            start = f"{{**{start}, {', '.join(given)}}}"
        derivations = [self.files[s.name].program.derivation for s in leg.segments]
        lengths = {d: self.whole(axis) for d, axis in self.network.lengths.items()}
        held = held_by_a_step(derivations, lengths)
        told = [
            *(["turned=True"] if leg.reverse else []),
            *([] if self.is_read(leg) else ["read=False"]),
        ]
        arguments = [self.local(f"run_{i}"), start, self.whole(leg.axis), held, *told]
        return listed(f"    {self.local(f'leg_{i}')} = legs.ahead(", arguments, ")")

    def back(self, i: int, leg: Leg) -> list[str]:
        """A leg is run back, and what its states started from gets its part."""
        own = self.network.loss
        ends = dict.fromkeys(quoted(q.name) for s in leg.segments for q in self.memory_of(s))
        names = [self.local(f"{what}_{i}") for what in ("run", "back", "leg")]
        arguments = [*names, f"only(legs.final_bar, [{', '.join(ends)}])"]
        if own is None:
            arguments.append("loss")
        elif self.home[own.segment] == i - 1:
            losses = f'out["{own.name}"]'
            arguments.append(
                f'lambda out, _: ({losses}.sum(), {{"{own.name}": np.ones_like({losses})}})'
            )
        lines = listed("    state_bar = legs.back(", arguments, ")")
        for name, source in ((n, x) for s in leg.segments for n, x in s.starts.items()):
            computed = self.network.is_computed(source)
            total, now = ("kept_bar", "[None]") if computed else ("final_bar", "")
            value = f'state_bar.pop("{name}"){now}'
            lines.append(f'    add_up(legs.{total}, "{source.name}", {value})')
        return [*lines, "    legs.state_bar |= state_bar"]

    def cut_here(self, arrays: str, leg: Leg, kept: str) -> list[str]:
        """Zero beyond each sample's length, in a stretch of a leg."""
        found = [s.in_network(q) for s in leg.segments for q in s.cell.outputs]
        names, lines = [quoted(q.name) for q in found], list[str]()
        if leg.axis in self.ragged:
            tail = f"], lengths_{leg.axis} - steps.start, T{kept})"
            lines += listed(f"    cut({arrays}, [", names, tail)
        return lines + self.cut_beside(arrays, found, kept)

    def opened(self, i: int) -> list[str]:
        """What a stretch of a leg begins with."""
        return ["    outputs, final, cache = {}, {}, {}"]


class StretchedOver(Stretched, PassesOver):
    """Writes the function of a file over a workspace: all stretches of a leg that are as long share one."""

    def begun(self) -> list[str]:
        """What is given for steps that a sample does not have is replaced in arrays of their own."""
        return ["    ws = Workspace()"] if self.ragged else []

    def opened(self, i: int) -> list[str]:
        """A stretch takes the workspace of the last one of its leg, if that was as long."""
        return [
            f"    ws = used_again(legs, Workspace, {i}, T)",
            '    outputs, final, cache = {}, {}, {"workspace": ws, "run": ws.run}',
        ]


def stretched_network(derivation: NetworkDerivation, *, workspace: bool) -> str:
    """The function of a network's file.

    Args:
        derivation: of the network.
        workspace: whether the functions of its segments take one.

    Raises:
        ArgumentError: no segment has steps.
    """
    file = NetworkFile(derivation, ordinary_file)
    given = file.network, file.files, file.sizes
    if all(s.axis == END for s in file.network.segments):
        raise ArgumentError(
            f"Checkpointing: nothing in {file.network.name} runs along an axis, so there are no steps to be cut.",
            "Use the ordinary file.",
        )
    writer = StretchedOver(*given, WORKSPACE, TAKEN) if workspace else Stretched(*given)
    return writer.function()


def _told(leg: Leg) -> str:
    """What a leg is, in words."""
    along = "after scans" if leg.axis == END else f"along {leg.axis}"
    names = ", ".join(s.name for s in leg.segments)
    return f"{along}{', reversed' if leg.reverse else ''}: {names}"


def _counted(lines: list[str]) -> list[str]:
    """The line that counts a stretch's steps, if others name their number."""
    named = any(re.search(r"\bT\b", line) for line in lines)
    return ["    T = steps.stop - steps.start"] if named else []


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" if line else line for line in lines]


_TOLD = '''\
    """Loss and gradients as value_and_grad gives them, with no more in memory at once than a stretch of steps needs.

    What runs along an axis is cut into stretches, and each is run again on the way back: √(r T) of them if not said
    otherwise, where a step holds r times what the state does. Kept besides are the states between stretches, and
    what the segments along one axis, in one direction, read of those along another.'''
_LOSS = """

    ``loss(outputs, start)`` returns, for the stretch of steps that begins at step ``start`` (from 0), its value and
    its gradients by the outputs; the values are added up. Outputs of different axes and directions come apart."""
