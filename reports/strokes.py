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


def draw_box(axes: Axes, box: Box, look: Look, label: str, note: str) -> None:
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
    axes.text(box.x, box.y + up, label, fontsize=SIZE, color=INK, **centred)
    if note:
        axes.text(box.x, box.y - 0.13, note, fontsize=NOTE, color="#555b66", **centred)


def draw_curve(axes: Axes, points: Sequence[Point], color: str) -> None:
    """A curve through the points, level at each of them, with an arrow at its end."""
    from matplotlib.path import Path

    vertices, codes = [points[0]], [Path.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (x0 + x1) / 2
        vertices += [(middle, y0), (middle, y1), (x1, y1)]
        codes += [Path.CURVE4] * 3
    _draw_path(axes, Path(vertices, codes), color)


def draw_riser(axes: Axes, source: Box, trunk: float, end: Point, color: str) -> None:
    """From below: along the floor where the trunk is elsewhere, up, and with a round corner into the node."""
    from matplotlib.path import Path

    radius = min(0.14, abs(end[0] - trunk) / 2)
    vertices, codes = [(source.x, source.y + source.height / 2)], [Path.MOVETO]
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
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3, Path.LINETO, Path.CURVE3, Path.CURVE3]
    vertices += [(trunk, end[1] - radius), (trunk, end[1]), (trunk + radius, end[1]), end]
    codes += [Path.LINETO, Path.CURVE3, Path.CURVE3, Path.LINETO]
    _draw_path(axes, Path(vertices, codes), color)


def _draw_path(axes: Axes, path: Any, color: str) -> None:
    from matplotlib.patches import FancyArrowPatch

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
