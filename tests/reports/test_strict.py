from __future__ import annotations

import pytest

from reports.strict import NodeMissingError, complaints, formulas
from tests.reports.specimens import FORMULAS, report


@pytest.mark.needs("node")
def test_katex_accepts_the_formulas_of_a_report() -> None:
    cells = [cell.source for cell in report().cells if cell.cell_type == "markdown"]
    found = [formula for cell in cells for formula in formulas(cell)]
    assert len(found) >= 4
    # The hostile text holds a formula of its own, which is one for KaTeX too.
    assert complaints(found) == []
    assert complaints(FORMULAS) == []


@pytest.mark.needs("node")
@pytest.mark.parametrize("latex", [r"\nonsense", "{", r"\href{javascript:x}{y}", "é", r"\frac{a}"])
def test_katex_refuses_what_is_wrong_and_says_why(latex: str) -> None:
    said = complaints(["a = b", latex])
    assert [complaint.latex for complaint in said] == [latex]
    assert said[0].message


def test_formulas_are_found_outside_code_and_without_their_tags() -> None:
    text = "a $x_t$ `$no$` \\$5 and\n\n$$\ny\n\\tag{7}\n$$\n"
    assert formulas(text) == [("x_t", False), ("y", True)]


def test_a_machine_without_node_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NodeMissingError, match="not on the PATH"):
        complaints(["x"])
