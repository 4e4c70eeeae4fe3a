"""The strokes of a data-flow drawing: boxes, curves and risers on matplotlib axes whose unit is the inch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from reports.figures import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[float, float]
SIZE, NOTE = 14.0, 8.5  # points


@dataclass(frozen=True, slots=True)
class Look:
    """Colours and form of a kind of node."""

    fill: str
    line: str
    round: bool


LOOKS: Mapping[str, Look] = {
    "state_in": Look("#dcebf7", "#0072B2", True),
    "input": Look("#dff2ea", "#00805f", True),
    "parameter": Look("#f2f2f2", "#8a8a8a", True),
    "operation": Look("#ffffff", "#555b66", False),
    "state_out": Look("#dcebf7", "#0072B2", False),
    "output": Look("#fbe9dd", "#c25400", False),
    "scan": Look("#dcebf7", "#0072B2", False),
    "scan_back": Look("#dcebf7", "#0072B2", False),
}


@dataclass(frozen=True, slots=True)
class Box:
    """A node's rectangle: centre, width and height, in inches."""

    x: float
    y: float
    width: float
    height: float


def extent(text: str, size: float) -> tuple[float, float]:
    """Width and height of a text in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    if not text:
        return 0.0, 0.0
    box = TextPath((0, 0), text, size=size, prop=FontProperties(family="DejaVu Sans")).get_extents()
    return float(box.width) / 72, float(box.height) / 72


def draw_box(axes: Axes, box: Box, look: Look, label: str, note: str, size: float = SIZE) -> None:
    """A rounded box with its label and, smaller, a note under it."""
    from matplotlib.patches import FancyBboxPatch

    rounding = box.height / 2 if look.round else 0.09
    corner = (box.x - box.width / 2, box.y - box.height / 2)
    form = f"round,pad=0,rounding_size={rounding:.4f}"
    axes.add_patch(
        FancyBboxPatch(
            corner,
            box.width,
            box.height,
            boxstyle=form,
            fc=look.fill,
            ec=look.line,
            lw=1.3,
            zorder=4,
        )
    )
    up = 0.075 if note else 0.0
    centred: dict[str, Any] = {"ha": "center", "va": "center", "zorder": 5}
    axes.text(box.x, box.y + up, label, fontsize=size, color=INK, **centred)
    if note:
        axes.text(box.x, box.y - 0.13, note, fontsize=NOTE, color="#555b66", **centred)


def draw_curve(axes: Axes, points: Sequence[Point], color: str) -> None:
    """A curve through the points, level at each of them, with an arrow at its end."""
    vertices = [points[0]]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (x0 + x1) / 2
        vertices += [(middle, y0), (middle, y1), (x1, y1)]
    draw_path(axes, vertices, "C" * (len(points) - 1), color)


def draw_riser(axes: Axes, source: Box, trunk: float, end: Point, color: str) -> None:
    """From below: along the floor where the trunk is elsewhere, up, and with a round corner into the node."""
    radius = min(0.14, abs(end[0] - trunk) / 2)
    vertices, strokes = [(source.x, source.y + source.height / 2)], ""
    if abs(trunk - source.x) > 1e-9:
        level = source.y + source.height / 2 + 0.16
        turn = radius if trunk > source.x else -radius
        vertices += [
            (source.x, level),
            (source.x, level),
            (source.x + turn, level),
            (trunk - turn, level),
            (trunk, level),
            (trunk, level + radius),
        ]
        strokes += "LQLQ"
    vertices += [(trunk, end[1] - radius), (trunk, end[1]), (trunk + radius, end[1]), end]
    draw_path(axes, vertices, strokes + "LQL", color)


def draw_loop(axes: Axes, box: Box, color: str, *, back: bool = False) -> None:
    """A loop above a box: from its right back into its left, or the other way round."""
    side = -1 if back else 1
    x, top = box.x + side * box.width / 2, box.y + box.height / 2
    far, high = x + side * 0.26, top + 0.17
    points = [(x, box.y + 0.06), (far, box.y + 0.06), (far, high), (x - side * 0.1, high)]
    points += [(2 * box.x - px, py) for px, py in points[::-1]]
    draw_path(axes, points, "CLC", color)


def draw_path(axes: Axes, points: Sequence[Point], strokes: str, color: str) -> None:
    """A path with an arrow at its end.

    Args:
        axes: where.
        points: the start, then what each stroke needs.
        strokes: L a line to the next point, Q a curve over one point to a second, C one over two points to a third.
        color: of the line.
    """
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    kinds = {"L": [Path.LINETO], "Q": [Path.CURVE3] * 2, "C": [Path.CURVE4] * 3}
    path = Path([*points], [Path.MOVETO, *(code for stroke in strokes for code in kinds[stroke])])
    head = "-|>,head_length=0.42,head_width=0.19"
    axes.add_patch(
        FancyArrowPatch(
            path=path,
            arrowstyle=head,
            mutation_scale=13,
            color=color,
            lw=1.25,
            zorder=2,
            shrinkA=0,
            shrinkB=0,
            joinstyle="miter",
        )
    )
