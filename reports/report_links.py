"""Links between equations, lines of code and checks: which line computes which equation, and the other way round."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from derive.network_derivation import label
from reports.markdown import anchor

CODE = "code"
"""Line 12 of the code on the page is the link target ``code-L12``."""
_COMMENT = re.compile(r"#\s(?P<numbers>\(\d+\)(?:,? (?:and )?\(\d+\))*)")
_NUMBER = re.compile(r"\((\d+)\)")


def heading(target: str, text: str, level: int = 2) -> str:
    """A heading that links can lead to.

    Args:
        target: the link target, the same in every format.
        text: Markdown.
        level: 2 for a section, 3 for a part of one.
    """
    return f"{anchor(target)}\n\n{'#' * level} {text}\n\n"


@dataclass(frozen=True, slots=True)
class Links:
    """Where things are on the page.

    Args:
        lines: by equation number, the lines of code that name it.
        checks: by equation number, the link target of the check that judges it and a short name of that check.
        segment: in a network, the segment whose equations these are.
    """

    lines: Mapping[int, Sequence[int]]
    checks: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    segment: str = ""

    def label(self, number: int) -> str:
        """What the reader sees in brackets behind an equation: 7, or enc-7 in a network."""
        return label(self.segment, number) if self.segment else str(number)

    def code(self, number: int) -> str:
        """``lines 12, 40`` as Markdown links; empty where no line names the equation."""
        found = self.lines.get(number, ())
        shown = ", ".join(f"[{line}](#{CODE}-L{line})" for line in found)
        return f"code {'lines' if len(found) > 1 else 'line'} {shown}" if found else ""


def code_lines(source: str, first: int = 1) -> dict[int, list[int]]:
    """The lines, counted from ``first``, whose comment names an equation, by the equation's number."""
    found: dict[int, list[int]] = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        match = _COMMENT.match(token.string) if token.type == tokenize.COMMENT else None
        for number in _NUMBER.findall(match["numbers"]) if match else ():
            found.setdefault(int(number), []).append(token.start[0] + first - 1)
    return found


def equation_links(links: Links) -> str:
    """The equations that a check judges, ``(3)–(6), (9)`` as Markdown links; runs of three and more drawn together."""
    runs: list[list[int]] = []
    for number in sorted(links.checks):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(_run([links.label(n) for n in run]) for run in runs)


def _run(run: Sequence[str]) -> str:
    ends = [f"[({n})](#eq-{n})" for n in (run[0], run[-1])]
    if len(run) == 1:
        return ends[0]
    return ends[0] + ("–" if len(run) > 2 else ", ") + ends[1]
