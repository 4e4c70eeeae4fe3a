from __future__ import annotations

import json

import nbformat
import pytest

from derive.errors import ArgumentError
from reports.notebook import Code, Figure, Section, Text, build, numbered, to_ipynb
from tests.reports.specimens import picture, report, run_with_hash_seed

PROGRAM = """
import hashlib
from reports.notebook import to_ipynb
from tests.reports.specimens import report
print(hashlib.sha256(to_ipynb(report())).hexdigest())
"""


def test_a_notebook_is_the_same_bytes_under_any_hash_seed() -> None:
    assert run_with_hash_seed(PROGRAM, 1) == run_with_hash_seed(PROGRAM, 2)


def test_a_notebook_is_valid_and_survives_a_round_trip() -> None:
    content = to_ipynb(report())
    again = nbformat.reads(content.decode(), as_version=4)
    nbformat.validate(again)
    assert to_ipynb(again) == content
    assert content.endswith(b"}\n")


def test_cell_ids_follow_from_sections_and_places() -> None:
    notebook = build(
        "T", [Section("shapes", [Text("a"), Text("b")]), Section("code", [Code("x = 1", "1\n")])]
    )
    assert [cell.id for cell in notebook.cells] == ["title-01", "shapes-01", "shapes-02", "code-01"]


def test_nothing_says_when_or_where_a_notebook_was_built() -> None:
    data = json.loads(to_ipynb(report()))
    assert data["nbformat"], data["nbformat_minor"] == (4, 5)
    assert all(cell.get("execution_count") is None for cell in data["cells"])
    assert set(data["metadata"]) == {"kernelspec", "language_info", "throughtime"}


def test_a_figure_comes_with_every_form_a_viewer_may_want() -> None:
    notebook = build(
        "T", [Section("flow", [Figure(picture(), "caption", "what it shows", "fig-1")])]
    )
    drawn, caption = notebook.cells[1].outputs
    assert set(drawn.data) == {"image/svg+xml", "image/png", "application/pdf", "text/plain"}
    assert drawn.data["text/plain"] == "what it shows"
    assert caption.data["text/markdown"] == "caption"


@pytest.mark.parametrize("names", [["a", "a"], ["A"], ["a b"], [""], ["title"]])
def test_section_names_are_distinct_identifiers(names: list[str]) -> None:
    with pytest.raises(ArgumentError, match="cannot name a section"):
        build("T", [Section(name) for name in names])


def test_a_figure_refuses_a_name_that_cannot_be_linked_to() -> None:
    with pytest.raises(ArgumentError, match="no name for a link target"):
        build("T", [Section("flow", [Figure(picture(), "c", "a", "../x")])])


def test_figures_are_counted_in_their_order_whatever_is_left_out() -> None:
    figures = [Figure(picture(), f"**Figure.** {name}.", "alt", f"fig-{name}") for name in "abc"]
    found = numbered([Section("one", [figures[0], Text("x")]), Section("two", figures[1:])])
    captions = [c.caption for s in found for c in s.cells if isinstance(c, Figure)]
    assert captions == ["**Figure 1.** a.", "**Figure 2.** b.", "**Figure 3.** c."]
