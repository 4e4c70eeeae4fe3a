"""The data flow of one step of a cell, drawn: previous states on the left, inputs below, next states on the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from derive.errors import ArgumentError
from reports.figures import INK, style
from reports.layout import Layout, lay_out
from reports.strokes import (
    LOOKS,
    NOTE,
    SIZE,
    Box,
    Point,
    draw_box,
    draw_curve,
    draw_loop,
    draw_riser,
    extent,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Kind = Literal[
    "state_in", "input", "parameter", "operation", "state_out", "output", "scan", "scan_back"
]
"""``scan``: a whole scan, with a loop for its way over time; ``scan_back``: one from the last step to the first."""


@dataclass(frozen=True, slots=True)
class Node:
    """A quantity of the step.

    Args:
        id: its name in the edges.
        label: what is written in it, e.g. ``$f_t$`` (matplotlib's mathtext).
        kind: which decides place, form and colour.
        note: a second, smaller line, e.g. ``sigmoid``; may be empty.
    """

    id: str
    label: str
    kind: Kind = "operation"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """That one quantity enters another.

    Args:
        source: id of the node that is used.
        target: id of the node that uses it.
        label: written on the arrow, e.g. ``$U_f$``; may be empty.
    """

    source: str
    target: str
    label: str = ""


_GAP, _ROW, _PAD, _HEIGHT = 0.95, 0.78, 0.17, 0.46  # inches
_BELOW, _LOOPS = ("input", "parameter"), ("scan", "scan_back")


def draw_flow(nodes: Sequence[Node], edges: Sequence[Edge], *, title: str = "") -> Figure:
    """A drawing of the data flow, the same for the same arguments.

    Args:
        nodes: their order breaks ties of the layout; ids are distinct.
        edges: from what is used to what uses it; without cycles.
        title: above the drawing; may be empty.

    Raises:
        ArgumentError: no nodes, an edge to no node, a cycle, or an id given twice.
    """
    if not nodes:
        raise ArgumentError("A drawing needs at least one node.", "Pass the cell's quantities.")
    layout, exits = _laid_out(nodes, edges)
    from matplotlib.figure import Figure as New

    with style():
        boxes, gates = _boxes(nodes, edges, layout)
        figure = New()
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        _draw_edges(axes, nodes, edges, layout, boxes, gates)
        _draw_exits(axes, exits, layout, boxes, gates)
        for node in nodes:
            box, look = boxes[node.id], LOOKS[node.kind]
            draw_box(axes, box, look, node.label, node.note)
            if node.kind in _LOOPS:
                draw_loop(axes, box, look.line, back=node.kind == "scan_back")
        _frame(figure, axes, nodes, layout, boxes, gates, title)
    return figure


def _laid_out(
    nodes: Sequence[Node], edges: Sequence[Edge]
) -> tuple[Layout, dict[str, list[tuple[int, float]]]]:
    """Places of what does not come from below, and each next state's way out to the right."""
    kinds = {node.id: node.kind for node in nodes}
    _check(nodes, edges, kinds)
    flow = [node.id for node in nodes if node.kind not in _BELOW]
    outs = [node.id for node in nodes if node.kind == "state_out"]
    sinks = {name: f"\0out\0{name}" for name in outs}
    pairs = [(e.source, e.target) for e in edges if kinds[e.source] not in _BELOW]
    layout = lay_out(
        [*flow, *sinks.values()],
        [*pairs, *sinks.items()],
        left=[node.id for node in nodes if node.kind == "state_in"],
        right=list(sinks.values()),
    )
    if any(node.kind in _LOOPS for node in nodes):
        layout = _spread(layout, 1.3)
    ends = {name: (layout.layer[sink], layout.height[sink]) for name, sink in sinks.items()}
    exits = {
        name: [*way, ends[name]] for name, way in zip(outs, layout.ways[len(pairs) :], strict=True)
    }
    return layout, exits


def _spread(layout: Layout, factor: float) -> Layout:
    """The layout with its rows farther apart, so that loops have room above their boxes."""
    return replace(
        layout,
        height={name: factor * height for name, height in layout.height.items()},
        span=(factor * layout.span[0], factor * layout.span[1]),
        ways=[[(column, factor * height) for column, height in way] for way in layout.ways],
    )


def _check(nodes: Sequence[Node], edges: Sequence[Edge], kinds: Mapping[str, str]) -> None:
    if len(kinds) != len(nodes):
        raise ArgumentError(
            "Two nodes of the drawing share an id.", "Give each node an id of its own."
        )
    for edge in edges:
        for name in (edge.source, edge.target):
            if name not in kinds:
                raise ArgumentError(f"An edge ends at {name!r}, which is no node.", "Add the node.")
        if kinds[edge.target] in _BELOW:
            raise ArgumentError(
                f"An edge enters {edge.target!r}, an {kinds[edge.target]}.", "Turn it round."
            )


# --- places in inches -------------------------------------------------------------------------------------------------


def _boxes(
    nodes: Sequence[Node], edges: Sequence[Edge], layout: Layout
) -> tuple[dict[str, Box], list[tuple[float, float]]]:
    """Every node's rectangle, and each column's left and right edge."""
    sizes = {node.id: _size(node) for node in nodes}
    last = max(layout.layer.values(), default=0)
    widths = [
        max((sizes[n][0] for n, c in layout.layer.items() if c == i and n in sizes), default=0.0)
        for i in range(last + 1)
    ]
    gates: list[tuple[float, float]] = []
    for width in widths:
        start = gates[-1][1] + _GAP if gates else 0.0
        gates.append((start, start + width))
    boxes = {
        name: Box(
            sum(gates[column]) / 2, layout.height[name] * _ROW, widths[column], sizes[name][1]
        )
        for name, column in layout.layer.items()
        if name in sizes
    }
    floor = (layout.span[0] - 1.25) * _ROW
    taken: list[float] = []
    for node in nodes:
        if node.kind in _BELOW:
            used = [layout.layer[e.target] for e in edges if e.source == node.id]
            x = _trunk(gates, min(used, default=0))
            while any(abs(x - other) < sizes[node.id][0] + 0.2 for other in taken):
                x -= sizes[node.id][0] + 0.25
            taken.append(x)
            boxes[node.id] = Box(x, floor, *sizes[node.id])
    return boxes, gates


def _size(node: Node) -> tuple[float, float]:
    width = max(extent(node.label, SIZE)[0], extent(node.note, NOTE)[0])
    height = max(_HEIGHT, extent(node.label, SIZE)[1] + 0.2) + (0.14 if node.note else 0.0)
    return max(width + 2 * _PAD, 0.62), height


def _trunk(gates: Sequence[tuple[float, float]], column: int) -> float:
    """Where what comes from below rises before it enters the nodes of a column."""
    return gates[column][0] - 0.42


# --- drawing ----------------------------------------------------------------------------------------------------------


def _draw_edges(
    axes: Axes,
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    layout: Layout,
    boxes: Mapping[str, Box],
    gates: Sequence[tuple[float, float]],
) -> None:
    kinds = {node.id: node.kind for node in nodes}
    ways = iter(layout.ways)
    routes = [None if kinds[e.source] in _BELOW else next(ways) for e in edges]
    ports = _ports(edges, routes, boxes)
    for index, (edge, way) in enumerate(zip(edges, routes, strict=True)):
        source, target = boxes[edge.source], boxes[edge.target]
        end = (target.x - target.width / 2, ports[index])
        color = LOOKS[kinds[edge.source]].line
        if way is None:
            draw_riser(axes, source, _trunk(gates, layout.layer[edge.target]), end, color)
        else:
            start = (source.x + source.width / 2, source.y)
            leave = (gates[layout.layer[edge.source]][1], source.y)
            arrive = (gates[layout.layer[edge.target]][0] - 0.08, ports[index])
            draw_curve(axes, [start, leave, *_bends(way, gates), arrive, end], color)
        if edge.label:
            axes.text(
                end[0] - 0.2,
                end[1],
                edge.label,
                fontsize=9,
                color=color,
                ha="right",
                va="center",
                zorder=6,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
            )


def _ports(edges: Sequence[Edge], routes: Sequence[Any], boxes: Mapping[str, Box]) -> list[float]:
    """The height at which each edge enters its target: in the order in which they come, so that none cross there."""
    ports = [0.0] * len(edges)
    for name, box in boxes.items():
        entering = [i for i, edge in enumerate(edges) if edge.target == name]
        # What comes from below enters lowest; the rest in the order of their last bend or source.
        entering.sort(
            key=lambda i: (routes[i] is None, -_comes_from(edges[i], routes[i], boxes), i)
        )
        most = 0.2 if any(edges[i].label for i in entering) else 0.13
        step = min(most, (box.height - 0.08) / max(1, len(entering)))
        for place, i in enumerate(entering):
            ports[i] = box.y + step * ((len(entering) - 1) / 2 - place)
    return ports


def _comes_from(edge: Edge, way: Any, boxes: Mapping[str, Box]) -> float:
    return way[-1][1] * _ROW if way else boxes[edge.source].y


def _bends(way: Sequence[tuple[int, float]], gates: Sequence[tuple[float, float]]) -> list[Point]:
    """The straight passage through each column on the way."""
    return [(x, height * _ROW) for column, height in way for x in gates[column]]


def _draw_exits(
    axes: Axes,
    exits: Mapping[str, Sequence[tuple[int, float]]],
    layout: Layout,
    boxes: Mapping[str, Box],
    gates: Sequence[tuple[float, float]],
) -> None:
    for name, way in exits.items():
        box = boxes[name]
        start, leave = (box.x + box.width / 2, box.y), (gates[layout.layer[name]][1], box.y)
        end = (gates[-1][1], way[-1][1] * _ROW)
        draw_curve(axes, [start, leave, *_bends(way[:-1], gates), end], LOOKS["state_out"].line)


def _frame(
    figure: Figure,
    axes: Axes,
    nodes: Sequence[Node],
    layout: Layout,
    boxes: Mapping[str, Box],
    gates: Sequence[tuple[float, float]],
    title: str,
) -> None:
    """Size the figure to what is drawn, at one unit to the inch, with the words around it."""
    shown = list(boxes.values())
    top = max(layout.span[1] * _ROW, *(box.y + box.height / 2 for box in shown)) + (
        0.62 if title else 0.4
    )
    bottom = min(layout.span[0] * _ROW, *(box.y - box.height / 2 for box in shown)) - 0.14
    beside = 0.2 if any(node.kind in _LOOPS for node in nodes) else 0.0
    left = min(box.x - box.width / 2 for box in shown) - 0.14 - beside
    right = max(gates[-1][1], max(box.x + box.width / 2 for box in shown)) + 0.14 + beside
    small: dict[str, Any] = {"fontsize": 9, "color": "#6b7280", "va": "center"}
    if any(node.kind == "state_in" for node in nodes):
        axes.text(
            left + 0.14, top - (0.42 if title else 0.16), "from earlier steps", ha="left", **small
        )
    if any(node.kind == "state_out" for node in nodes):
        axes.text(
            right - 0.14, top - (0.42 if title else 0.16), "to step $t+1$", ha="right", **small
        )
    if title:
        axes.text(
            (left + right) / 2, top - 0.16, title, fontsize=11, color=INK, ha="center", va="center"
        )
    figure.set_size_inches(right - left, top - bottom)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
