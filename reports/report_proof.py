"""The general proof in a report: its steps for symbolic sizes and length, and the checker's verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.markdown import equation, escape_markdown
from reports.notebook import Section, Text
from reports.report_links import heading


@dataclass(frozen=True, slots=True)
class ProofLine:
    """One step of the proof.

    Args:
        title: what it shows, in words.
        latex: the formula, empty if there is none.
        reason: why it holds, in words.
    """

    title: str
    latex: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """A general proof as the report shows it.

    Args:
        theorem: what is proved, as LaTeX.
        lines: the steps.
        ok: the checker's verdict.
        verdict: the checker's words.
    """

    theorem: str
    lines: Sequence[ProofLine]
    ok: bool
    verdict: str


def proof_section(proof: Proof) -> Section:
    """The theorem, its proof step by step, and who checked it."""
    mark = "✓" if proof.ok else "✗"
    lead = (
        "For all sizes, all lengths $T$ and all values at once, by induction over $T$. "
        f"{mark} {escape_markdown(proof.verdict)}"
    )
    head = heading("proof", "The general proof") + lead
    if proof.theorem:
        head += f"\n\n**Theorem.**\n\n{equation(proof.theorem)}"
    return Section(
        "proof", [Text(head), *(Text(_line(i, line)) for i, line in enumerate(proof.lines, 1))]
    )


def _line(number: int, line: ProofLine) -> str:
    title = (
        f"**Step {number}: {escape_markdown(line.title)}.** {escape_markdown(line.reason)}".rstrip()
    )
    return f"{title}\n\n{equation(line.latex)}" if line.latex else title
