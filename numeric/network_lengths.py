"""Sequences of different lengths in a network's functions: lengths and masks of ragged axes, and zeros beyond them."""

from __future__ import annotations

from derive.cell import Quantity
from derive.network import Segment
from numeric.body import listed, quoted
from numeric.network_arguments import Arguments


class Lengths(Arguments):
    """Writes what a network's functions do about steps that a sample does not have."""

    def lengths(self) -> list[str]:
        """Lengths and masks of ragged axes; what is given beyond a sample's length is replaced."""
        if not self.ragged:
            return []
        real = [q.name for q in self.network.inputs if q.kind == "real"]
        source = (
            "params" if self.network.parameters else f'{{"{real[0]}": {self.identifier(real[0])}}}'
        )
        lines = [f"    {self.idioms.placed.format(source)}"]
        for axis in self.ragged:
            name, steps, given = f"lengths_{axis}", f"T_{axis}", self.along(axis)
            if given:
                first = given[0]
                rank = ", 2" if first.kind == "index" else ""
                found = f'leading("{first.name}", {self.identifier(first.name)}{rank})'
            else:
                found = f'longest("{name}", {name}{self.idioms.lengths})'
            lines.append(f"    {steps}, B = {found}")
            lines.append(
                f'    {name} = checked_lengths("{name}", {name}, {steps}, B{self.idioms.lengths})'
            )
            lines.append(f"    {self.mask(axis)} = mask_of({name}, {steps}, dtype)")
            lines += self.noted(axis)
            for q in given:
                x = self.identifier(q.name)
                held = f'"{q.name}", {x}, {name}, {steps}{self.idioms.values}'
                lines.append(f"    {x} = held({held})")
        return lines

    def noted(self, axis: str) -> list[str]:
        """The lengths along an axis, kept for the backward pass."""
        return [f'    cache["lengths of {axis}"] = lengths_{axis}, T_{axis}']

    def cut(self, arrays: str, axis: str, kept: str) -> list[str]:
        """Zero beyond each sample's length, for all outputs along an axis."""
        segments = [s for s in self.network.segments if s.axis == axis]
        names = [quoted(q.name) for s in segments for q in s.cell.outputs]
        return (
            listed(f"    cut({arrays}, [", names, f"], lengths_{axis}, T_{axis}{kept})")
            if names
            else []
        )

    def outputs(self) -> list[Quantity]:
        """The outputs of all segments."""
        return [s.in_network(q) for s in self.network.segments for q in s.cell.outputs]

    def memory(self) -> list[Quantity]:
        """What needs values before the first step."""
        return [s.in_network(q) for s in self.network.segments for q in self.memory_of(s)]

    def beside_inputs(self) -> list[str]:
        """Zeros in what is given for steps that a sample does not have, where these lie beside one another."""
        lines = [
            f"    inside_{axis} = inside_of(lengths_{axis}, T_{axis})"
            for axis in self.padded.values()
        ]
        for q in self.network.inputs:
            x = self.identifier(q.name)
            if q.kind == "index" and q.shape[0] in self.padded:
                axis = self.padded[q.shape[0]]
                lines.append(f'    refuse_beyond("{q.name}", {x}, lengths_{axis})')
            for inside in self.inside(q) if q.kind == "real" else ():
                lines.append(f'    {x} = beside("{q.name}", {x}, {inside})')
        return lines + self.cut_beside("state", self.memory(), self.idioms.values)

    def cut_beside(self, arrays: str, quantities: list[Quantity], kept: str) -> list[str]:
        """Zeros there in arrays by name."""
        found: dict[str, dict[str, None]] = {}
        for q in quantities:
            for inside in self.inside(q):
                found.setdefault(inside, {})[quoted(q.name)] = None
        return [
            line
            for inside, names in found.items()
            for line in listed(f"    cut_beside({arrays}, [", list(names), f"], {inside}{kept})")
        ]

    def inside(self, q: Quantity) -> list[str]:
        """For each axis of an array that goes along the steps of a ragged one, which entries a sample has."""
        rows, cols = q.shape
        behind = {rows: "" if cols == 1 else "[:, :, None]", cols: "[:, None, :]"}
        return [f"inside_{axis}{behind[d]}" for d, axis in self.padded.items() if d in behind]

    def memory_of(self, segment: Segment) -> list[Quantity]:
        """The quantities of a segment that need values before the first step."""
        return list(self.files[segment.name].memory.values())
