from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import ArgumentError
from reports.layout import lay_out


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], list[tuple[str, str]]]:
    """Acyclic graphs: edges run from earlier names to later ones."""
    count = draw(st.integers(1, 12))
    names = [f"n{i}" for i in range(count)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    return names, draw(st.lists(st.sampled_from(pairs), unique=True, max_size=25)) if pairs else []


@given(graphs())
def test_edges_run_to_the_right_and_rows_keep_apart(
    graph: tuple[list[str], list[tuple[str, str]]],
) -> None:
    names, edges = graph
    layout = lay_out(names, edges)
    for (source, target), way in zip(edges, layout.ways, strict=True):
        assert [column for column, _ in way] == list(
            range(layout.layer[source] + 1, layout.layer[target])
        )
        assert layout.layer[source] < layout.layer[target]
    for column in set(layout.layer.values()):
        heights = sorted(layout.height[name] for name in names if layout.layer[name] == column)
        assert all(b - a > 0.99 for a, b in itertools.pairwise(heights))
    assert layout.span[0] <= min(layout.height.values())
    assert layout.span[1] >= max(layout.height.values())


@given(graphs())
def test_the_same_graph_has_the_same_places(graph: tuple[list[str], list[tuple[str, str]]]) -> None:
    assert lay_out(*graph) == lay_out(*graph)


def test_a_free_source_stands_just_before_its_first_use() -> None:
    edges = [("a", "b"), ("b", "c"), ("free", "c"), ("state", "c")]
    layout = lay_out(["a", "b", "c", "free", "state"], edges, left=["state"])
    assert layout.layer == {"a": 0, "b": 1, "c": 2, "free": 1, "state": 0}


def test_what_belongs_on_the_right_goes_there() -> None:
    layout = lay_out(["a", "b", "c", "d"], [("a", "b"), ("b", "c"), ("a", "d")], right=["d"])
    assert layout.layer["d"] == 2


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        (["a", "a"], [], "share a name"),
        (["a"], [("a", "z")], "'z', which is no node"),
        (["a", "b"], [("a", "b"), ("b", "a")], r"circle through 'a', 'b'"),
        (["a"], [("a", "a")], "circle"),
    ],
)
def test_a_graph_that_cannot_be_laid_out_is_refused(
    nodes: list[str], edges: list[tuple[str, str]], message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        lay_out(nodes, edges)
