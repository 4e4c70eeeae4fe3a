"""What the legs of a network hand on to each other when each runs in stretches: values there, adjoints back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from derive.network import END, Segment, Source
from derive.network_legs import Leg, legs_of
from numeric.network_passes import Passes


class BetweenLegs(Passes):
    """Writes how a leg's segments read and add: what is of their own leg is local, all else goes by ``legs``."""

    @cached_property
    def legs(self) -> tuple[Leg, ...]:
        """The legs of the network."""
        return legs_of(self.network)

    @cached_property
    def home(self) -> dict[str, int]:
        """The leg of every segment, by name."""
        return {s.name: i for i, leg in enumerate(self.legs) for s in leg.segments}

    # ── names ───────────────────────────────────────────────────────────────────────────────────────

    def local(self, name: str) -> str:
        """A name within the function that no argument has."""
        taken = {self.identifier(q.name) for q in self.network.inputs} | set(self.keywords())
        while name in taken:
            name += "_"
        return name

    def whole(self, axis: str) -> str:
        """How many steps an axis has."""
        if axis == END:
            return "1"
        known = axis in self.ragged or not self.along(axis)
        return self.steps_of(axis) if known else self.local(f"T_{axis}")

    def over_run(self, sequence: str) -> str:
        """A sequence over the steps of a stretch."""
        return f"{sequence}[steps]"

    def count(self, segment: Segment) -> str:
        """How many steps a stretch has."""
        return "T"

    # ── between legs ────────────────────────────────────────────────────────────────────────────────

    def readings(self) -> Iterator[tuple[Source, Segment]]:
        """What a segment reads of another leg, initial states apart."""
        for s in self.network.segments:
            for source in s.inputs.values():
                if source.segment and self.home[source.segment] != self.home[s.name]:
                    yield source, s

    def read(self, leg: Leg) -> list[str]:
        """The sequences of a leg, and its values at [end], that other legs read."""
        here = {s.name for s in leg.segments}
        found = [x.name for x, _ in self.readings() if x.segment in here and not x.last]
        if leg.axis == END:
            starts = (x for s in self.network.segments for x in s.starts.values())
            found += [x.name for x in starts if x.segment in here]
        return list(dict.fromkeys(found))

    def read_ends(self, leg: Leg) -> list[str]:
        """The sequences of a leg of which others read the last step."""
        here = {s.name for s in leg.segments}
        found = (x.name for x, _ in self.readings() if x.segment in here and x.last)
        return list(dict.fromkeys(found))

    def last_step(self, leg: Leg) -> str:
        """The step of the data at which each sample's run along a leg has its end."""
        if leg.reverse:
            return "0"
        count = f"lengths_{leg.axis}" if leg.axis in self.ragged else self.whole(leg.axis)
        return f"{count} - 1"

    def is_read(self, leg: Leg) -> bool:
        """Whether any other leg reads anything of this one."""
        here = {s.name for s in leg.segments}
        starts = (x.segment for s in self.network.segments for x in s.starts.values())
        return bool(self.read(leg) or self.read_ends(leg) or here & set(starts))

    def made_by(self, source: Source, segment: Segment) -> str:
        """What another segment made, as this one reads it in a stretch."""
        if self.home[source.segment] == self.home[segment.name]:
            return f'outputs["{source.name}"]'
        kept = f'legs.kept["{source.name}"]'
        return kept if source.whole or source.held or segment.axis == END else self.over_run(kept)

    def last_of(self, source: Source) -> str:
        """The value after the whole scan."""
        return f'legs.ends["{source.name}"]'

    def start_of(self, source: Source) -> str:
        """The value before a scan's first step that another leg gives."""
        if self.network.is_computed(source):
            return f'legs.kept["{source.name}"][0]'
        return f'legs.final["{source.name}"]'

    # ── adjoints ────────────────────────────────────────────────────────────────────────────────────

    def trained(self) -> list[str]:
        """The gradients by a segment's parameters are summed over stretches."""
        return ["    legs.trained(by_params)"]

    def added_to_input(self, name: str, value: str, *, once: bool) -> str:
        """What is given once has a sum over stretches, what is given at every step a part in each."""
        if once:
            return f'    add_up(legs.inputs_bar, "{name}", {value})'
        whole = self.whole(self.network.axes[name])
        return f'    add_steps(legs.inputs_bar, "{name}", {value}, steps, {whole})'

    def added_where_made(self, source: Source, s: Segment, value: str) -> str:
        """Within a leg at once; else to what comes back to the other leg."""
        if self.home[source.segment] == self.home[s.name]:
            return super().added_where_made(source, s, value)
        if source.whole or source.held or s.axis == END:
            return f'    add_up(legs.kept_bar, "{source.name}", {value})'
        return (
            f'    add_steps(legs.kept_bar, "{source.name}", {value}, steps, {self.whole(s.axis)})'
        )

    def added_at_end(self, source: Source, value: str) -> str:
        """To what comes back to a sequence's end."""
        return f'    add_up(legs.ends_bar, "{source.name}", {value})'
