"""Does KaTeX, in its strict mode, accept a formula? Asked of the KaTeX that the pages carry, run by node."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files

from derive.errors import ThroughtimeError
from reports.markdown import TAG

_CODE = re.compile(r"(?s)(`+)(?!`).*?(?<!`)\1(?!`)")
_MATH = re.compile(r"(?s)(?<!\\)\$\$(.+?)(?<!\\)\$\$|(?<![\\$])\$(.+?)(?<![\\$])\$")
_PROGRAM = """
const katex = require(process.argv[1]);
let text = "";
process.stdin.on("data", (piece) => (text += piece)).on("end", () => {
  const complaints = JSON.parse(text).map(([source, displayMode]) => {
    try {
      katex.renderToString(source, { displayMode, strict: "error", throwOnError: true, trust: false, maxExpand: 1000 });
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


def formulas(markdown: str) -> list[tuple[str, bool]]:
    """The formulas of a Markdown text as the HTML page typesets them: LaTeX, and whether it is displayed."""
    found = _MATH.finditer(_CODE.sub("", markdown))
    return [(TAG.sub("", m[1] or m[2]).strip(), m[1] is not None) for m in found]


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
