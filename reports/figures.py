"""Figures that come out the same on every run, readable at the width of a page.

matplotlib takes a second to import, so it is imported when the first figure is drawn.
"""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from derive.errors import ArgumentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008), "Color Universal Design", without the yellow, which is too pale for lines on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("-", (0, (5, 2)), (0, (1, 1.3)), (0, (5, 1.5, 1, 1.5)))
INK, FAINT = "#222222", "#d9d9d9"

STYLE: dict[str, Any] = {
    "svg.hashsalt": "throughtime",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "mathtext.fontset": "cm",
    "font.family": "DejaVu Sans",
    "font.size": 10.0,
    "axes.labelsize": 11.0,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """One figure in three forms.

    Args:
        svg: for HTML and Jupyter; letters are outlines, so no font is needed.
        pdf: for LaTeX.
        png: for viewers that show neither.
    """

    svg: str
    pdf: bytes
    png: bytes

    def _repr_svg_(self) -> str:
        return self.svg


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a figure.

    Args:
        label: its name; may hold ``$…$``.
        x: abscissas.
        y: ordinates, as many.
        low: lower edge of a band around the line, e.g. a quantile; or None.
        high: upper edge; given together with ``low``.
        beside: the number of an earlier line whose colour this one takes, dotted: a prediction beside a measurement.
        points: drawn as points that no line joins, since nothing lies between them.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    beside: int | None = None
    points: bool = False


@contextmanager
def style() -> Iterator[None]:
    """matplotlib's own defaults with ``STYLE`` on top, whatever the user's settings are."""
    from matplotlib.style import context

    with context(["default", STYLE]):
        yield


def to_picture(figure: Figure) -> Picture:
    """A figure as SVG, PDF and PNG, with the same bytes on every run.

    Args:
        figure: a matplotlib figure, drawn under ``style()``.
    """
    with style():
        svg = _saved(figure, "svg", {"Date": None, "Creator": None})
        pdf = _saved(figure, "pdf", {"CreationDate": None, "Creator": None, "Producer": None})
        png = _saved(figure, "png", {"Software": None}, dpi=144)
    text = svg.decode("utf-8")
    return Picture(svg=text[text.index("<svg") :], pdf=pdf, png=png)


def _saved(figure: Figure, form: str, metadata: dict[str, str | None], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with _quiet("fontTools"):
        figure.savefig(buffer, format=form, metadata=metadata, **options)
    return buffer.getvalue()


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Hold back a library's remarks: fontTools finds fault with the dates inside matplotlib's own fonts."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def line_figure(
    series: Sequence[Series],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    logy: bool = False,
    size: tuple[float, float] = (7.2, 4.0),
    marks: Sequence[tuple[float, str]] = (),
) -> Figure:
    """Lines over a common abscissa, told apart by colour, dash and a label at their right end.

    Args:
        series: at least one, drawn in order.
        xlabel: what the abscissa means, with its unit; may hold ``$…$``.
        ylabel: the same for the ordinate.
        title: what is to be seen; may be empty.
        logy: logarithmic ordinate; values that are not positive, or lie beyond ``LARGEST`` or its inverse, are left out
            of the line. Linear if none is positive.
        size: width and height in inches.
        marks: abscissas to be marked by an upright line, each with what it means.

    Raises:
        ArgumentError: no series, an empty one, or lengths that differ.
    """
    _check(series)
    logy = logy and any(1 / LARGEST < y < LARGEST for line in series for y in line.y)
    series = [_within(line) for line in series] if logy else series
    from matplotlib.figure import Figure as New

    with style():
        figure = New(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        if logy:
            axes.set_yscale("log", nonpositive="mask")
        for index, line in enumerate(series):
            _plot(axes, line, index, logy)
        for x, text in marks:
            axes.axvline(x, color=INK, linewidth=0.8, linestyle=(0, (1, 2)))
            axes.annotate(
                text, (x, 1.0), xycoords=("data", "axes fraction"), xytext=(4, -2),
                textcoords="offset points", va="top", fontsize=9,
            )  # fmt: skip
        if logy:
            _decades(axes)
        axes.grid(True, axis="y", color=FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.margins(x=0.01)
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.set_title(title, loc="left", fontsize=11)
        if len(series) > 1:
            _label(figure, axes, series, logy)
    return figure


def _decades(axes: Axes) -> None:
    """Powers of ten whose exponents are multiples of one number, so that 1 is among them where it is in sight."""
    from matplotlib.ticker import FixedLocator, NullLocator

    low, high = (math.log10(y) for y in axes.get_ylim())
    step = next(s for s in _STRIDES if (high - low) / s <= MOST_TICKS)
    ticks = [k for k in range(math.ceil(low), math.floor(high) + 1) if k % step == 0]
    if len(ticks) > 1:
        axes.yaxis.set_major_locator(FixedLocator([10.0**k for k in ticks]))
        if step > 1:
            axes.yaxis.set_minor_locator(NullLocator())


MOST_TICKS = 9
_STRIDES = (1, 2, 5, 10, 20, 50, 100)


def _check(series: Sequence[Series]) -> None:
    if not series:
        raise ArgumentError("A figure needs at least one series.", "Pass a Series.")
    for line in series:
        if (line.low is None) != (line.high is None):
            raise ArgumentError(
                f"Series {line.label!r} has one edge of a band.", "Give both low and high, or none."
            )
        lengths = {
            len(values) for values in (line.x, line.y, line.low, line.high) if values is not None
        }
        if len(lengths) != 1 or 0 in lengths:
            raise ArgumentError(
                f"Series {line.label!r} has x and y of lengths {sorted(lengths)}.",
                "Give as many ordinates as abscissas, at least one.",
            )


LARGEST = 1e270
"""What a logarithmic axis shows at most: its margins must be floats too."""


def _within(line: Series) -> Series:
    """A line with 0, which is left out, for what a logarithmic axis cannot show."""

    def shown(values: Sequence[float]) -> list[float]:
        return [v if 1 / LARGEST < v < LARGEST else 0.0 for v in values]

    low, high = (None if edge is None else shown(edge) for edge in (line.low, line.high))
    return replace(line, y=shown(line.y), low=low, high=high)


def _plot(axes: Axes, line: Series, index: int, logy: bool) -> None:
    color, dashes = _color(line, index), DASHES[index // 2 % len(DASHES)]
    if line.beside is not None:
        dashes = DASHES[2]
    marker = "o" if line.points or len(line.x) <= 12 else None
    joined = "none" if line.points else dashes
    axes.plot(
        line.x, line.y, color=color, linestyle=joined, linewidth=1.8, marker=marker, markersize=4
    )
    if marker is None and logy and (alone := _alone(line.y)):
        x, y = [line.x[i] for i in alone], [line.y[i] for i in alone]
        axes.plot(x, y, color=color, linestyle="none", marker="o", markersize=3)
    if line.low is not None and line.high is not None:
        axes.fill_between(line.x, line.low, line.high, color=color, alpha=0.15, linewidth=0)


def _alone(values: Sequence[float]) -> list[int]:
    """Where a logarithmic axis shows a value and neither of its neighbours, so that no line leads to it."""
    shown = [False, *(0 < v < math.inf for v in values), False]
    return [i for i in range(len(values)) if shown[i + 1] and not (shown[i] or shown[i + 2])]


def _color(line: Series, index: int) -> str:
    return PALETTE[(index if line.beside is None else line.beside) % len(PALETTE)]


def _label(figure: Figure, axes: Axes, series: Sequence[Series], logy: bool) -> None:
    """Names at the right ends of the lines, moved apart where they would overlap."""
    transform = axes.transData
    ends = [_end(line, logy) for line in series]
    figure.draw_without_rendering()  # fixes the layout, so that heights in points are known
    scale = 72.0 / figure.dpi
    heights = [float(transform.transform((x, y))[1]) * scale for x, y in ends]
    placed = _apart(heights, 13.0)
    for index, line in enumerate(series):
        axes.annotate(
            line.label,
            ends[index],
            xytext=(8, placed[index] - heights[index]),
            textcoords="offset points",
            color=_color(line, index),
            fontsize=12 if line.label.startswith("$") else 10,  # mathematics alone is set smaller
            va="center",
            annotation_clip=False,
        )


def _apart(heights: Sequence[float], gap: float) -> list[float]:
    """The nearest heights in the same order that lie at least a gap apart: those with room stay where they are.

    Least squares under an order, by pooling adjacent violators (Ayer et al., Ann. Math. Statist. 26, 1955).
    """
    order = sorted(range(len(heights)), key=lambda i: (heights[i], i))
    pools: list[list[float]] = []
    for place, index in enumerate(order):
        pools.append([heights[index] - gap * place])
        while len(pools) > 1 and _mean(pools[-2]) >= _mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    level = [_mean(pool) for pool in pools for _ in pool]
    placed = {index: level[place] + gap * place for place, index in enumerate(order)}
    return [placed[index] for index in range(len(heights))]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _end(line: Series, positive: bool) -> tuple[float, float]:
    """The last point of the line that the axes can show."""
    least = 0.0 if positive else float("-inf")
    shown = [(x, y) for x, y in zip(line.x, line.y, strict=True) if least < y < float("inf")]
    return shown[-1] if shown else (line.x[-1], 1.0)
