"""A network unrolled over time, drawn: a column for each step, a row for each segment, arrows as the values go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from derive.network import END, Network, Segment, Source
from reports.figures import style
from reports.network_flow import label
from reports.strokes import LOOKS, SIZE, Box, Point, draw_box, draw_path, extent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW, _GAP, _PAD, _HEIGHT, _IN = 1.25, 0.62, 0.17, 0.46, 0.4  # inches


@dataclass(frozen=True, slots=True)
class Column:
    """One step of one axis.

    Args:
        axis: its letter, or ``end``.
        time: what stands for the step; empty where steps are left out.
        after: after how many axes it stands.
    """

    axis: str
    time: str
    after: int

    @property
    def index(self) -> str:
        """The time index of what stands there; what is computed once has none."""
        return "" if self.axis == END else self.time


def columns_of(network: Network) -> list[Column]:
    """The first two steps and the last of every axis, and what is computed once, in order of evaluation."""
    return list(dict.fromkeys(c for s in network.segments for c in own_columns(network, s)))


def own_columns(network: Network, segment: Segment) -> list[Column]:
    """The columns in which a segment stands."""
    before = network.segments[: network.segments.index(segment)]
    axes = dict.fromkeys(s.axis for s in (*before, segment) if s.axis != END)
    if segment.axis == END:
        return [Column(END, "T", len(axes))]
    after, axis = list(axes).index(segment.axis), segment.axis
    return [
        Column(axis, time, after) for time in ("1", "2", "", "T" if axis == "t" else f"T_{axis}")
    ]


def arrows(network: Network) -> Iterator[tuple[tuple[str, Column], tuple[str, Column]]]:
    """Every arrow from a segment's value at a step to a segment at a step; inputs from outside are left out."""
    for s in network.segments:
        own = own_columns(network, s)
        order = own[::-1] if s.reverse else own
        if any(q.depth for q in (*s.cell.states, *s.cell.inputs)):
            for before, now in pairwise(order):
                yield (s.name, before), (s.name, now)
        for source in dict.fromkeys(s.inputs.values()):
            if source.segment:
                yield from _handed(network, s, source)
        for source in {x.segment: x for x in s.starts.values()}.values():
            yield (source.segment, _last(network, source)), (s.name, order[0])


def _handed(
    network: Network, s: Segment, source: Source
) -> Iterator[tuple[tuple[str, Column], tuple[str, Column]]]:
    """The arrows of one input."""
    own = [c for c in own_columns(network, s) if c.time]
    made = [c for c in own_columns(network, network.segment(source.segment)) if c.time]
    if source.last:
        yield (source.segment, _last(network, source)), (s.name, own[0])
    elif made != own:
        yield from (((source.segment, a), (s.name, b)) for a in made for b in own)
    else:
        yield from (((source.segment, c), (s.name, c)) for c in own)


def _last(network: Network, source: Source) -> Column:
    """Where the scan that a value comes from has ended."""
    made = network.segment(source.segment)
    own = own_columns(network, made)
    return own[0] if made.reverse else own[-1]


def draw_unrolled(network: Network) -> Figure:
    """The network unrolled, the same for the same network.

    Args:
        network: any network.
    """
    from matplotlib.figure import Figure as New

    columns = columns_of(network)
    rows = {s.name: i * _ROW for i, s in enumerate(network.segments)}
    with style():
        boxes = _boxes(network, columns, rows)
        figure = New()
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        for source, target in arrows(network):
            _arrow(axes, network, boxes, source, target)
        corners = [
            _inputs(axes, network, s, c, boxes[s.name, c])
            for s in network.segments
            for c in own_columns(network, s)
            if c.time
        ]
        for (name, column), box in boxes.items():
            s = network.segment(name)
            if column.time:
                draw_box(
                    axes,
                    box,
                    LOOKS["state_out" if s.cell.states else "output"],
                    _title(network, s, column),
                    "",
                )
            else:
                axes.text(box.x, box.y, "…", ha="center", va="center", fontsize=SIZE, zorder=5)
        _frame(figure, axes, list(boxes.values()), corners)
    return figure


def _title(network: Network, segment: Segment, column: Column) -> str:
    """What a segment computes last, at a step."""
    cell = segment.cell
    shown = cell.states or [q for q in cell.outputs if q.name != "loss"] or cell.outputs
    return label(network, shown[-1].name, column.index)


def _boxes(
    network: Network, columns: list[Column], rows: Mapping[str, float]
) -> dict[tuple[str, Column], Box]:
    """The rectangle of every segment at every step; all columns are as wide as the widest needs."""
    found: dict[tuple[str, Column], Box] = {}
    x = 0.0
    for column in columns:
        names = [s for s in network.segments if column in own_columns(network, s)]
        words = [_title(network, s, column) for s in names] if column.time else []
        wide = max([0.62, *(extent(w, SIZE)[0] + 2 * _PAD for w in words)]) if words else 0.3
        given = max((_width_of_inputs(network, s, column) for s in names), default=0.0)
        x += max(wide, 2 * given - wide) / 2 if column.time else wide / 2
        for s in names:
            found[s.name, column] = Box(x, rows[s.name], wide, _HEIGHT)
        x += wide / 2 + _GAP
    return found


def _given(network: Network, segment: Segment) -> list[str]:
    """The inputs from outside that this segment is the first to use."""
    found = []
    for name, source in segment.inputs.items():
        users = [s.name for s in network.segments if name in s.inputs]
        mask = segment.cell.quantity(name).kind == "mask"
        if not source.segment and not mask and users[0] == segment.name:
            found.append(name)
    return found


def _label(network: Network, name: str, column: Column) -> str:
    """An input at a step; one that is the same at every step has no index."""
    return label(network, name, "" if network.axes[name] == END else column.index)


def _width_of_inputs(network: Network, segment: Segment, column: Column) -> float:
    words = [_label(network, n, column) for n in _given(network, segment)] if column.time else []
    return sum(extent(w, SIZE - 3)[0] + 0.3 for w in words)


def _inputs(axes: Axes, network: Network, segment: Segment, column: Column, box: Box) -> Point:
    """The inputs of a segment at a step, below it and to the left; returns how far they reach."""
    left, low = box.x - 0.12, box.y - _HEIGHT / 2 - _IN
    for name in _given(network, segment)[::-1]:
        word = _label(network, name, column)
        wide = extent(word, SIZE - 3)[0] + 0.22
        at = Box(left - wide / 2, low, wide, 0.3)
        end = (max(box.x - box.width / 2 + 0.08, min(at.x, box.x - 0.16)), box.y - _HEIGHT / 2)
        _rise(axes, (at.x, at.y + 0.15), end, LOOKS["input"].line)
        draw_box(axes, at, LOOKS["input"], word, "", size=SIZE - 3)
        left -= wide + 0.08
    return left, low - 0.15 if _given(network, segment) else box.y - _HEIGHT / 2


def _arrow(
    axes: Axes,
    network: Network,
    boxes: Mapping[tuple[str, Column], Box],
    source: tuple[str, Column],
    target: tuple[str, Column],
) -> None:
    """Along a row, straight; up a column, straight or past the rows between; elsewhere in a curve."""
    one, other = boxes[source], boxes[target]
    color = LOOKS["state_out" if network.segment(source[0]).cell.states else "output"].line
    if source[0] == target[0]:
        side = 1 if other.x > one.x else -1
        start = (one.x + side * one.width / 2, one.y)
        draw_path(axes, [start, (other.x - side * other.width / 2, other.y)], "L", color)
    elif source[1] == target[1]:
        _climb(axes, one, other, color)
    else:
        top = (one.x, one.y + _HEIGHT / 2) if other.y > one.y else (one.x, one.y - _HEIGHT / 2)
        end = (other.x - other.width / 2, other.y)
        draw_path(axes, [top, (top[0], end[1]), (end[0] - 0.7, end[1]), end], "C", color)


def _climb(axes: Axes, one: Box, other: Box, color: str) -> None:
    """From a row to a higher one in the same column, past the boxes between them on the right."""
    start, end = (one.x, one.y + _HEIGHT / 2), (other.x, other.y - _HEIGHT / 2)
    if other.y - one.y < 1.5 * _ROW:
        _rise(axes, start, end, color)
        return
    out = one.x + max(one.width, other.width) / 2 + 0.16 + 0.12 * (round(one.y / _ROW) % 3)
    start, end = (one.x + 0.14, start[1]), (other.x + 0.14, end[1])
    bend = 0.45
    points = [start, (start[0], start[1] + bend), (out, start[1]), (out, start[1] + bend)]
    points += [(out, end[1] - bend), (out, end[1] - bend), (out, end[1] - bend)]
    points += [(out, end[1]), (end[0], end[1] - bend), end]
    draw_path(axes, points, "CCC", color)


def _rise(axes: Axes, start: Point, end: Point, color: str) -> None:
    middle = (start[1] + end[1]) / 2
    draw_path(axes, [start, (start[0], middle), (end[0], middle), end], "C", color)


def _frame(figure: Figure, axes: Axes, boxes: list[Box], corners: list[Point]) -> None:
    """Size the figure to what is drawn, at one unit to the inch."""
    left = min([x for x, _ in corners] + [box.x - box.width / 2 for box in boxes]) - 0.1
    right = max(box.x + box.width / 2 for box in boxes) + 0.48
    bottom, top = min(y for _, y in corners) - 0.1, max(box.y for box in boxes) + _HEIGHT / 2 + 0.15
    figure.set_size_inches(right - left, top - bottom)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
