"""A report's notebook runs from the first cell to the last, in Python alone and in an empty folder."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import throughtime
from reports.html import to_html
from reports.notebook import Code, Section, build

RUN = """
import json, sys
for cell in json.load(open(sys.argv[1]))["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), globals())
"""


@pytest.mark.parametrize("name", ["elman", "many_to_one"])
def test_every_code_cell_of_a_report_runs(name, tmp_path) -> None:
    throughtime.load(name).report(tmp_path / "made", formats=("ipynb",))
    (notebook,) = (tmp_path / "made").glob("*.ipynb")
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    assert sum(cell["cell_type"] == "code" for cell in cells) > 1
    alone = tmp_path / "alone"
    alone.mkdir()
    subprocess.run([sys.executable, "-I", "-c", RUN, str(notebook)], cwd=alone, check=True)


def test_what_is_no_python_shows_like_code() -> None:
    cell = Code("h[t] = tanh(W @ h[t-1])", language="text")
    page = build("T", [Section("text", [cell])])
    assert [c.cell_type for c in page.cells] == ["markdown", "raw"]
    assert '<pre class="code">h[t] = tanh(W @ h[t-1])</pre>' in to_html(page)
