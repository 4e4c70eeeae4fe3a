"""Tutorials: scripts in the percent format to notebooks, executed, and to the pages of the documentation site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "tutorials"
SECONDS = 120


def scripts() -> list[Path]:
    """The tutorials, by name."""
    return sorted(FOLDER.glob("*.py"))


def executed(script: Path, folder: Path) -> Any:
    """The notebook of a script, run from top to bottom in a folder of its own.

    Args:
        script: in the percent format.
        folder: where the notebook's files go.

    Raises:
        CellExecutionError: a cell raised.
    """
    import jupytext
    from nbconvert.preprocessors import CoalesceStreamsPreprocessor, ExecutePreprocessor

    notebook = jupytext.read(script, fmt="py:percent")
    runner = ExecutePreprocessor(timeout=SECONDS, kernel_name="python3")
    runner.preprocess(notebook, {"metadata": {"path": str(folder)}})
    return CoalesceStreamsPreprocessor().preprocess(notebook, {})[0]


def page(notebook: Any, name: str) -> tuple[str, dict[str, bytes]]:
    """An executed notebook as Markdown, and the pictures that it shows by their names."""
    from nbconvert.exporters import MarkdownExporter

    resources = {"unique_key": name, "output_files_dir": f"{name}_files"}
    text, found = MarkdownExporter().from_notebook_node(notebook, resources=resources)
    return text, found["outputs"]
