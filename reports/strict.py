"""Does KaTeX, in its strict mode, accept a formula? Asked of the KaTeX that the pages carry, run by node."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files

from mistune import HTMLRenderer

from derive.errors import ThroughtimeError
from reports.markdown import TAG, render

_PROGRAM = """
const katex = require(process.argv[1]);
let text = "";
process.stdin.on("data", (piece) => (text += piece)).on("end", () => {
  const complaints = JSON.parse(text).map(([source, displayMode]) => {
    try {
      const trust = (asked) => { throw new Error(asked.command + " is not allowed"); };
      katex.renderToString(source, { displayMode, strict: "error", throwOnError: true, trust, maxExpand: 1000 });
      return null;
    } catch (error) { return String(error.message); }
  });
  process.stdout.write(JSON.stringify(complaints));
});
"""


class NodeMissingError(ThroughtimeError):
    """No node is on the PATH, or it did not run."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """A formula that KaTeX refuses, and what it says about it."""

    latex: str
    message: str


class _Collector(HTMLRenderer):
    """Keeps the formulas that the parser of the pages finds."""

    def __init__(self) -> None:
        super().__init__(escape=True)
        self.found: list[tuple[str, bool]] = []

    def inline_math(self, text: str) -> str:
        self.found.append((text.strip(), False))
        return ""

    def block_math(self, text: str) -> str:
        self.found.append((TAG.sub("", text).strip(), True))
        return ""

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")


def formulas(markdown: str) -> list[tuple[str, bool]]:
    """The formulas of a Markdown text as the HTML page typesets them: LaTeX, and whether it is displayed."""
    collector = _Collector()
    render(markdown, collector)
    return collector.found


def complaints(
    latex: Sequence[str | tuple[str, bool]], *, timeout: float = 60.0
) -> list[Complaint]:
    """What KaTeX refuses of the formulas, in strict mode.

    Args:
        latex: formulas without dollar signs; alone they count as displayed, or in pairs as ``formulas`` gives them.
        timeout: seconds.

    Returns:
        One complaint for each formula refused, in order; empty if all are accepted.

    Raises:
        NodeMissingError: node is not there or failed.
    """
    node = shutil.which("node")
    if node is None:
        raise NodeMissingError(
            "Checking formulas needs node, which is not on the PATH.", "Install Node.js."
        )
    pairs = [(item, True) if isinstance(item, str) else item for item in latex]
    with as_file(files("reports") / "assets" / "katex" / "katex.min.js") as script:
        run = subprocess.run(  # noqa: S603 - node found on the PATH, a program written here
            [node, "-e", _PROGRAM, str(script)],
            input=json.dumps(pairs).encode(),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    if run.returncode != 0:
        raise NodeMissingError(
            f"node failed: {run.stderr.decode(errors='replace')[-500:]}", "Check node."
        )
    said: list[str | None] = json.loads(run.stdout)
    return [
        Complaint(pair[0], message)
        for pair, message in zip(pairs, said, strict=True)
        if message is not None
    ]
