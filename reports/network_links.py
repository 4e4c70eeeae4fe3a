"""Links in a network's report: the code cut at its segments, and where each segment's equations stand in it."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator

from derive.network_derivation import NetworkDerivation, heading
from proofs.table import Verification
from reports.notebook import Code
from reports.report_checks import linked
from reports.report_links import CODE, Links, code_lines

_RULE = "# ── "
"""How the comment begins that stands over a part of the code."""


def code_of_segments(derivation: NetworkDerivation, source: str) -> dict[str, Code]:
    """The code in its parts, by the segment whose functions they hold; what belongs to none has other keys.

    In a segment's part ``# (7)`` leads to the segment's own equation 7.

    Args:
        derivation: of the network.
        source: its generated code.
    """
    segments = {heading(s): s.name for s in derivation.network.segments}
    lines = source.rstrip("\n").split("\n")
    starts = [(1, ""), *_parts(source)]
    ends = [first - 1 for first, _ in starts[1:]] + [len(lines)]
    found: dict[str, Code] = {}
    for (first, title), end in zip(starts, ends, strict=True):
        text = "\n".join(lines[first - 1 : end]).rstrip("\n")
        name = segments.get(title, "")
        scope = Links({}, segment=name).label(0).removesuffix("0")
        found[name or f"line {first}"] = Code(text, anchor=CODE, first_line=first, scope=scope)
    return found


def _parts(source: str) -> Iterator[tuple[int, str]]:
    """Line and title of every part of the code that has a title."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        top = token.type == tokenize.COMMENT and token.start[1] == 0
        if top and token.string.startswith(_RULE):
            yield token.start[0], token.string.removeprefix(_RULE).rstrip("─ ")


def segment_links(
    derivation: NetworkDerivation, code: dict[str, Code], verification: Verification
) -> dict[str, Links]:
    """By segment: where its equations are computed and judged.

    Args:
        derivation: of the network.
        code: its parts, as ``code_of_segments`` cuts them.
        verification: of derivation and code.
    """
    found: dict[str, Links] = {}
    for s, d in zip(derivation.network.segments, derivation.segments, strict=True):
        part = code.get(s.name)
        lines = code_lines(part.source, part.first_line) if part else {}
        found[s.name] = linked(verification, d, lines, s.name)
    return found
