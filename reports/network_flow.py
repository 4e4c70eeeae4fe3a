"""A network as a graph: inputs enter, every segment is a node, and what one segment hands to another is an arrow."""

from __future__ import annotations

from derive.latex import latex_name
from derive.network import END, Network, Segment
from derive.notation import scan_of
from reports.drawing import Edge, Kind, Node

_FREE = "given@start"


def network_flow(network: Network) -> tuple[list[Node], list[Edge]]:
    """The data flow of a whole network, rolled up, for ``reports.drawing.draw_flow``.

    Args:
        network: any network.
    """
    nodes = [
        Node(f"x {q.name}", _at(network, q.name, network.axes[q.name]), "input")
        for q in network.inputs
    ]
    nodes += [Node(s.name, _title(network, s), _kind(s), _note(s)) for s in network.segments]
    edges: dict[Edge, None] = {}
    for s in network.segments:
        for name, source in s.inputs.items():
            if s.cell.quantity(name).kind == "mask":
                continue
            start = source.segment or f"x {name}"
            edges[Edge(start, s.name)] = None
        for source in s.starts.values():
            edges[Edge(source.segment, s.name)] = None
    return nodes, list(edges)


def label(network: Network, name: str, time: str = "", accent: str = "") -> str:
    """A quantity of a network, as mathematics."""
    scan = scan_of(name, network.owners)
    return f"${latex_name(name, accent=accent, time=time, scan=scan)}$"


def _at(network: Network, name: str, axis: str) -> str:
    return label(network, name, "" if axis == END else axis)


def _title(network: Network, segment: Segment) -> str:
    """The segment's states, or what it computes."""
    cell = segment.cell
    shown = cell.states or cell.outputs
    return ", ".join(_at(network, q.name, segment.axis) for q in shown[:3])


def _kind(segment: Segment) -> Kind:
    if not segment.cell.states:
        return "output"
    return "scan_back" if segment.reverse else "scan"


def _note(segment: Segment) -> str:
    """Along which axis, in which direction, and from where it starts."""
    words = ["once" if segment.axis == END else f"along {segment.axis}"]
    words += ["reversed"] * segment.reverse
    words += ["started"] * bool(segment.starts)
    return ", ".join(words)
