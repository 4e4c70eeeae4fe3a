from __future__ import annotations

import itertools
import math

import pytest

from derive.errors import ArgumentError
from reports.figures import Series, line_figure, to_picture
from tests.reports.specimens import run_with_hash_seed

PROGRAM = """
import hashlib
from reports.figures import Series, line_figure, to_picture
x = list(range(1, 9))
lines = [Series("a $x_t$", x, x), Series("b", x, [1 / v for v in x], [0.5 / v for v in x], [2 / v for v in x])]
p = to_picture(line_figure(lines, xlabel="lag $T-k$", ylabel="norm", title="t", logy=True))
print(*[hashlib.sha256(b).hexdigest() for b in (p.svg.encode(), p.pdf, p.png)])
"""


def test_figures_are_the_same_bytes_under_any_hash_seed() -> None:
    assert run_with_hash_seed(PROGRAM, 1) == run_with_hash_seed(PROGRAM, 2)


def test_a_picture_carries_no_date_and_no_text_that_needs_a_font() -> None:
    picture = to_picture(line_figure([Series("a", [1, 2], [1, 2])], xlabel="x", ylabel="y"))
    assert picture.svg.startswith("<svg")
    assert "<text" not in picture.svg
    assert "date" not in picture.svg
    assert b"CreationDate" not in picture.pdf
    assert picture.png.startswith(b"\x89PNG")


def test_a_users_settings_do_not_change_a_figure() -> None:
    import matplotlib as mpl

    def drawn() -> str:
        return to_picture(line_figure([Series("a", [1, 2], [1, 2])], xlabel="x", ylabel="y")).svg

    plain = drawn()
    with mpl.rc_context(
        {"lines.linewidth": 9, "font.size": 30, "axes.facecolor": "red", "svg.fonttype": "none"}
    ):
        assert drawn() == plain


def test_values_that_a_logarithm_cannot_show_are_left_out() -> None:
    lines = [
        Series("a", [1, 2, 3], [1.0, 0.0, math.nan]),
        Series("b", [1, 2, 3], [0.0, -1.0, math.inf]),
    ]
    to_picture(line_figure(lines, xlabel="x", ylabel="y", logy=True))


def test_labels_of_lines_that_end_together_do_not_overlap() -> None:
    lines = [Series(f"line {i}", [1, 2], [1, 2 + 1e-6 * i]) for i in range(4)]
    figure = line_figure(lines, xlabel="x", ylabel="y")
    figure.canvas.draw()
    boxes = sorted(
        (t.get_window_extent().y0, t.get_window_extent().y1) for t in figure.axes[0].texts
    )
    assert all(below[1] <= above[0] for below, above in itertools.pairwise(boxes))


def test_a_label_with_room_stands_at_the_end_of_its_line_whatever_the_others_need() -> None:
    lines = [Series(f"line {i}", [0, 1], [0, 0.9 + i / 50]) for i in range(5)]
    figure = line_figure([*lines, Series("alone", [0, 1], [1, 0.0])], xlabel="x", ylabel="y")
    figure.canvas.draw()
    *crowd, alone = figure.axes[0].texts
    offsets = [text.get_position()[1] for text in (*crowd, alone)]
    assert offsets[-1] == 0
    assert min(offsets) < -10 < 10 < max(offsets)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "at least one series"),
        ([Series("a", [1, 2], [1])], r"lengths \[1, 2\]"),
        ([Series("a", [], [])], r"lengths \[0\]"),
        ([Series("a", [1], [1], low=[1])], "one edge of a band"),
    ],
)
def test_series_that_make_no_line_are_refused(lines: list[Series], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        line_figure(lines, xlabel="x", ylabel="y")


def test_a_line_beside_another_has_its_colour_and_is_dotted() -> None:
    figure = line_figure(
        [Series("measured", [0, 1], [1, 2]), Series("predicted", [0, 1], [1, 3], beside=0)],
        xlabel="k", ylabel="gain", marks=[(0.5, "here")],
    )  # fmt: skip
    one, other, mark = figure.axes[0].lines
    assert one.get_color() == other.get_color()
    assert one.get_linestyle() == "-" != other.get_linestyle()
    assert list(mark.get_xdata()) == [0.5, 0.5]
    assert "here" in [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("least", [1e-3, 1e-13, 1e-36, 1e-64, 1e-250])
def test_a_logarithmic_axis_is_marked_at_one_and_at_equal_steps(least: float) -> None:
    values = [least ** (i / 20) for i in range(21)]
    figure = line_figure([Series("a", range(21), values)], xlabel="x", ylabel="y", logy=True)
    figure.canvas.draw()
    low, high = figure.axes[0].get_ylim()
    ticks = [round(math.log10(y)) for y in figure.axes[0].get_yticks() if low <= y <= high]
    assert 0 in ticks
    assert 2 <= len(ticks) <= 9
    assert len({b - a for a, b in itertools.pairwise(ticks)}) == 1


def test_points_are_joined_by_no_line() -> None:
    figure = line_figure([Series("a", range(30), range(30), points=True)], xlabel="x", ylabel="y")
    (line,) = figure.axes[0].lines
    assert (line.get_linestyle(), line.get_marker()) == ("None", "o")


def test_a_value_between_values_that_a_logarithm_cannot_show_is_a_point() -> None:
    y = [1.0 if i % 3 == 0 else 0.0 for i in range(31)]
    figure = line_figure([Series("a", range(31), y)], xlabel="x", ylabel="y", logy=True)
    [_, points] = figure.axes[0].lines
    assert points.get_marker() == "o"
    assert list(points.get_xdata()) == list(range(0, 31, 3))
    y = [1.0, 1.0, 0.0, 0.0] * 5
    figure = line_figure([Series("a", range(20), y)], xlabel="x", ylabel="y", logy=True)
    assert len(figure.axes[0].lines) == 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rate", [5.0, -5.0, 3.4, -3.4])
def test_a_logarithmic_axis_ends_before_its_margins_leave_the_floats(rate: float) -> None:
    """A gain of 10³⁰⁰ had margins that no float has, and an axis from 1 to 10."""
    logs = [rate * k for k in range(201)]
    values = [math.exp(v) if abs(v) < 700 else math.inf if v > 0 else 0.0 for v in logs]
    figure = line_figure(
        [Series("gain", list(range(201)), values)], xlabel="k", ylabel="", logy=True
    )
    assert to_picture(figure).png
    low, high = figure.axes[0].get_ylim()
    assert max(high, 1 / low) > 1e265
    assert min(high, 1 / low) < 1e20
