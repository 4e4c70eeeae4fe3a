"""The derivation of a network: those of its segments, and how adjoints pass between them."""

from __future__ import annotations

from dataclasses import dataclass

from derive.derivation import Derivation, derive
from derive.latex import latex_name
from derive.network import END, Network, Segment, Source
from derive.notation import Surroundings, WholeSequence, scan_of
from derive.quantities import quantities_text


@dataclass(frozen=True, slots=True)
class Passage:
    """One line on how an adjoint passes from a segment to where its input came from.

    Args:
        segment: the segment that uses a value.
        to: the segment that made it, empty if it is an input of the network.
        latex: the line as LaTeX.
        text: the line as text.
    """

    segment: str
    to: str
    latex: str
    text: str


@dataclass(frozen=True)
class NetworkDerivation:
    """The gradients of a network.

    Args:
        network: the network.
        segments: the derivation of every segment, in order of evaluation.
        passages: how adjoints pass between them, in order of the backward pass.
    """

    network: Network
    segments: tuple[Derivation, ...]
    passages: tuple[Passage, ...]

    def text(self, layout: str = "house") -> str:
        """All lines as text, segment by segment in the order of the backward pass, in a cell's layout."""
        parts = []
        for segment, derivation in zip(
            self.network.segments[::-1], self.segments[::-1], strict=True
        ):
            lines = [f"  {p.text}" for p in self.passages if p.segment == segment.name]
            parts.append(
                "\n".join(
                    [
                        heading(segment),
                        "",
                        derivation.text(layout).rstrip(),
                        *(["", *lines] if lines else []),
                    ]
                )
            )
        return "\n\n\n".join(parts) + "\n"

    def quantities_text(self) -> str:
        """What every name is, and of which shape, for a terminal."""
        return quantities_text(self.network)

    def latex(self, layout: str = "house") -> str:
        """All lines as LaTeX, in a cell's layout."""
        parts = []
        for segment, derivation in zip(
            self.network.segments[::-1], self.segments[::-1], strict=True
        ):
            lines = [p.latex for p in self.passages if p.segment == segment.name]
            body = " \\\\\n".join(lines)
            passing = f"\n\\begin{{align*}}\n{body}\n\\end{{align*}}\n" if lines else ""
            parts.append(
                f"\\subsection*{{{heading(segment)}}}\n{derivation.latex(layout)}{passing}"
            )
        return "\n".join(parts)

    def to_dict(self, layout: str = "house") -> dict[str, object]:
        """The derivation as plain data, in a cell's layout."""
        return {
            "network": self.network.name,
            "segments": [
                {"name": s.name, "axis": s.axis, "reverse": s.reverse, **d.to_dict(layout)}
                for s, d in zip(self.network.segments, self.segments, strict=True)
            ],
            "passages": [
                {"segment": p.segment, "to": p.to, "text": p.text, "latex": p.latex}
                for p in self.passages
            ],
        }

    def _repr_latex_(self) -> str:
        steps = (step for d in self.segments for step in d.steps)
        body = r" \\ ".join(step.latex.replace("=", "&=", 1) for step in steps)
        return rf"$$\begin{{aligned}} {body} \end{{aligned}}$$"


def heading(segment: Segment) -> str:
    """What a segment is, in words."""
    along = "after the scans" if segment.axis == "end" else f"along {segment.axis}"
    return f"Segment {segment.name}, {along}{', reversed' if segment.reverse else ''}"


def label(segment: str, number: int) -> str:
    """What names line ``number`` of a segment in the whole network: ``enc-7``."""
    return f"{segment.replace('_', '-')}-{number}"


def derive_network(network: Network) -> NetworkDerivation:
    """Derives the gradients of a network, segment by segment."""
    derivations = tuple(derive(s.cell, surroundings_of(network, s)) for s in network.segments)
    passages = tuple(p for s in network.segments[::-1] for p in _passages(network, s))
    return NetworkDerivation(network, derivations, passages)


def surroundings_of(network: Network, segment: Segment) -> Surroundings:
    """What a network says of the names of a segment."""
    held = frozenset(name for name, source in segment.inputs.items() if source.held)
    last = frozenset(name for name, source in segment.inputs.items() if source.last)
    used = [(n, source) for n, source in segment.inputs.items() if source.segment]
    wholes = {n: _whole(network, source) for n, source in used if source.whole}
    return Surroundings(held, last, segment.axis == END, wholes, network.owners)


def _whole(network: Network, source: Source) -> WholeSequence:
    """A segment's sequence that is taken as a matrix."""
    made = network.segment(source.segment)
    return WholeSequence(source.name, made.axis, made.reverse)


def _passages(network: Network, segment: Segment) -> list[Passage]:
    """Every use of another segment's values adds its adjoint there.

    Each segment counts its steps in the direction in which it runs: what one does at its step t, one that runs the
    other way does at its step T + 1 − t.
    """
    used = [(n, x) for n, x in segment.inputs.items() if x.segment]
    starts = segment.starts.items()
    return [
        *(_passage(network, segment, name, source) for name, source in used),
        *(_start(network, segment, state, source) for state, source in starts),
    ]


def _start(network: Network, segment: Segment, state: str, source: Source) -> Passage:
    """How the adjoint of an initial state passes to what it started from."""
    once = network.is_computed(source)
    symbol = _bar(network, source.name, "" if once else "T")
    return Passage(
        segment.name,
        source.segment,
        rf"{symbol} \mathrel{{+}}= {_bar(network, state, '0')}",
        f"{source.name}_bar[{'end' if once else 'T'}] in {source.segment} += {state}_bar[0] of {segment.name}",
    )


def _passage(network: Network, segment: Segment, name: str, source: Source) -> Passage:
    """How the adjoint of an input passes to where the input came from."""
    made, here = network.segment(source.segment), rf"^{{({_plain(segment.name)})}}"
    once = segment.axis == END or source.held
    at = time = segment.axis
    told = f"{name}_bar[{END if once else at}]"
    shown = _bar(network, name, "" if once else at)
    if source.last:
        time = "T"
    elif source.whole:
        time = _whole(network, source).index
        told, shown = f"{source.name}_bar[{time}]", _bar(network, source.name, time)
    elif once:
        time = END
    elif made.reverse != segment.reverse:
        time = f"T+1-{at}"
    symbol = _bar(network, source.name, "" if time == END else time)
    return Passage(
        segment.name,
        source.segment,
        rf"{symbol} \mathrel{{+}}= {shown}{here}",
        f"{source.name}_bar[{time}] in {source.segment} += {told} of {segment.name}",
    )


def _bar(network: Network, name: str, time: str) -> str:
    """The adjoint of a quantity, as LaTeX."""
    return latex_name(name, accent="bar", time=time, scan=scan_of(name, network.owners))


def _plain(name: str) -> str:
    return rf"\mathrm{{{name.replace('_', '')}}}"
