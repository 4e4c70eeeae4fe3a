from __future__ import annotations

import pytest

from derive.errors import ArgumentError
from reports.drawing import Edge, Node, draw_flow
from reports.figures import to_picture
from tests.reports.specimens import lstm_flow, run_with_hash_seed

PROGRAM = """
import hashlib
from tests.reports.specimens import picture
p = picture()
print(*[hashlib.sha256(b).hexdigest() for b in (p.svg.encode(), p.pdf, p.png)])
"""


def places(nodes: list[Node], edges: list[Edge]) -> dict[str, tuple[float, float]]:
    """Where the labels stand."""
    axes = draw_flow(nodes, edges).axes[0]
    by_label = {text.get_text(): text.get_position() for text in axes.texts}
    return {
        node.id: (float(by_label[node.label][0]), float(by_label[node.label][1])) for node in nodes
    }


def test_a_drawing_is_the_same_bytes_under_any_hash_seed() -> None:
    assert run_with_hash_seed(PROGRAM, 1) == run_with_hash_seed(PROGRAM, 2)


def test_an_lstm_reads_from_left_to_right_with_its_input_below() -> None:
    at = places(*lstm_flow())
    assert at["c0"][0] == at["h0"][0] < at["f"][0] == at["i"][0] == at["g"][0] == at["o"][0]
    assert at["f"][0] < at["c"][0] < at["h"][0]
    assert at["x"][1] < min(y for name, (_, y) in at.items() if name != "x")
    assert at["c0"][1] > at["h0"][1]  # the order without crossings has the cell's line on top
    assert at["f"][1] > at["i"][1] > at["g"][1] > at["o"][1]


def test_boxes_keep_apart() -> None:
    from matplotlib.patches import FancyBboxPatch

    figure = draw_flow(*lstm_flow())
    boxes = [
        p.get_path().get_extents() for p in figure.axes[0].patches if isinstance(p, FancyBboxPatch)
    ]
    assert len(boxes) == 9
    for index, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:index])


def test_a_drawing_of_every_kind_fits_its_frame() -> None:
    nodes = [
        Node("h0", "$h_{t-1}$", "state_in"),
        Node("x", "$x_t$", "input"),
        Node("m", "$m_t$", "input"),
        Node("W", "$W$", "parameter"),
        Node("a", r"$\tanh(W h_{t-1} + U x_t)$", note="tanh"),
        Node("h", "$h_t$", "state_out"),
        Node("y", "$y_t$", "output"),
    ]
    edges = [
        Edge("h0", "a", "$U$"),
        Edge("x", "a"),
        Edge("m", "a"),
        Edge("W", "y"),
        Edge("h0", "h"),
        Edge("x", "y"),
    ]
    figure = draw_flow(nodes, [*edges, Edge("a", "h"), Edge("h", "y")], title="One step")
    figure.canvas.draw()
    frame = figure.bbox
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert frame.x0 <= box.x0
        assert frame.y0 <= box.y0
        assert box.x1 <= frame.x1
        assert box.y1 <= frame.y1
    assert to_picture(figure).svg.startswith("<svg")


@pytest.mark.parametrize(
    "nodes", [[Node("x", "$x_t$", "input")], [Node("h", "h", "state_out")], [Node("a", "a")]]
)
def test_a_single_node_can_be_drawn(nodes: list[Node]) -> None:
    to_picture(draw_flow(nodes, []))


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        ([], [], "at least one node"),
        ([Node("a", "a"), Node("a", "b")], [], "share an id"),
        ([Node("a", "a")], [Edge("a", "b")], "'b', which is no node"),
        ([Node("a", "a"), Node("b", "b")], [Edge("a", "b"), Edge("b", "a")], "circle"),
        ([Node("a", "a"), Node("x", "x", "input")], [Edge("a", "x")], "an input"),
    ],
)
def test_what_is_no_data_flow_is_refused(
    nodes: list[Node], edges: list[Edge], message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        draw_flow(nodes, edges)
