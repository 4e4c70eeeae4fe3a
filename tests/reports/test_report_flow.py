"""The data flow of a cell as a graph."""

from __future__ import annotations

import pytest

from derive.catalog import load, shipped
from derive.language import read_cell
from reports.drawing import Edge, draw_flow
from reports.flow import flow


def test_an_lstms_flow_is_its_equations() -> None:
    nodes, edges = flow(load("lstm"))
    kinds = {node.id: node.kind for node in nodes}
    assert {n for n, kind in kinds.items() if kind == "state_in"} == {"c@1", "h@1"}
    assert {n for n, kind in kinds.items() if kind == "state_out"} == {"c", "h"}
    assert kinds["x"] == "input"
    gates = [Edge(source, gate) for gate in "fiog" for source in ("h@1", "x")]
    inner = [Edge(a, "c") for a in ("f", "c@1", "i", "g")] + [Edge("o", "h"), Edge("c", "h")]
    assert sorted(map(str, edges)) == sorted(map(str, gates + inner))


def test_the_function_of_an_equation_stands_in_its_node() -> None:
    notes = {node.id: node.note for node in flow(load("gru"))[0]}
    assert notes["z"] == r"$\sigma$"
    assert notes["g"] == "tanh"
    assert notes["h"] == ""


def test_every_lag_is_a_node_of_its_own() -> None:
    nodes, _ = flow(
        read_cell("h[t] = tanh(W @ h[t-2] + V @ h[t-5] + U @ x[t-1] + R @ x[t])", "far")
    )
    assert {(n.id, n.kind) for n in nodes} == {
        ("h@2", "state_in"),
        ("h@5", "state_in"),
        ("x@1", "input"),
        ("x", "input"),
        ("h", "state_out"),
    }


def test_a_line_that_nothing_uses_is_an_output() -> None:
    nodes, _ = flow(read_cell("h[t] = tanh(W @ h[t-1])\ny[t] = softmax(V @ h[t])", "read"))
    assert {n.id: (n.kind, n.note) for n in nodes}["y"] == ("output", "softmax")


@pytest.mark.parametrize("name", [entry.name for entry in shipped()])
def test_every_shipped_cell_can_be_drawn(name: str) -> None:
    nodes, edges = flow(load(name))
    width, height = draw_flow(nodes, edges).get_size_inches()
    assert 1 < width < 12
    assert 1 < height < 12
