"""What was checked, in a report: the table of checks, with links to the equations that they judge."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from derive.derivation import Derivation
from proofs.table import Check, Verification
from reports.markdown import anchor, escape_markdown, table
from reports.notebook import Section, Text
from reports.report_links import Links, equation_links, heading


def target(name: str) -> str:
    """The link target of a check."""
    return "check-" + (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "unnamed")


def link(check: Check) -> str:
    """A link to a check's row."""
    return f"[{escape_markdown(check.name)}](#{target(check.name)})"


def links_to(checks: Sequence[Check]) -> str:
    """Links to the rows of several checks."""
    return ", ".join(link(c) for c in checks)


def checks_section(verification: Verification, links: Sequence[Links]) -> Section:
    """The table of the checks.

    Args:
        verification: what was checked.
        links: of the cell's equations, or of each segment's.
    """
    head = ["check", "compares", "sizes", "found", "bound", "verdict"]
    rows = [_row(check) for check in verification.checks]
    text = f"{summary(verification)}\n\n{table(head, rows)}\n\n{_remarks(verification)}"
    judged = [
        f"The check {link(judge)} judges the equations {equation_links(each)} one by one."
        for each in links
        if each.checks and (judge := judge_of(verification, each.segment))
    ]
    mark = "- " if len(judged) > 1 else ""
    text += "\n\n" + "\n".join(mark + line for line in judged)
    return Section("checks", [Text(heading("checks", "The checks") + text)])


def _row(check: Check) -> list[str]:
    name, sizes, figure, bound, _ = check.cells()
    texts = [typeset(text) for text in (check.what, sizes, figure, bound)]
    return [f"{anchor(target(name))}{escape_markdown(name)}", *texts, _verdict(check)]


_POWER = re.compile(r"(?<![\w.])(\d(?:\.\d+)?)e([+-]\d+)(?![\w.])")


def typeset(text: str) -> str:
    """Plain text as Markdown: 1.2e-16 becomes mathematics, and n = 3 stays on one line."""
    parts = _POWER.split(text)
    plain = [
        escape_markdown(part).replace(" &#61; ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
        for part in parts[::3]
    ]
    plain = [_spaced(escaped, part) for escaped, part in zip(plain, parts[::3], strict=True)]
    powers = [_power(c, int(k)) for c, k in zip(parts[1::3], parts[2::3], strict=True)]
    return "".join(piece for pair in zip(plain, [*powers, ""], strict=True) for piece in pair)


def _spaced(escaped: str, part: str) -> str:
    """The spaces at both ends, which escaping takes away."""
    return " " * part.startswith(" ") + escaped + " " * (part.endswith(" ") and bool(part.strip()))


def _power(coefficient: str, exponent: int) -> str:
    if float(coefficient) == 0:
        return "0"
    if -2 <= exponent <= 2:
        return f"{float(coefficient) * 10.0**exponent:.3g}"
    front = "" if float(coefficient) == 1 else rf"{coefficient} \cdot "
    return f"${{{front}10^{{{exponent}}}}}$"  # braces keep it on one line


def _verdict(check: Check) -> str:
    return {"holds": "✓ holds", "fails": "✗ fails"}.get(check.verdict, "— not applicable")


def _remarks(verification: Verification) -> str:
    """Notes to the rows, and what is wrong where something is."""
    lines = [
        f"- {escape_markdown(check.name)}: {typeset(remark)}."
        for check in verification.checks
        for remark in (
            check.note,
            "wrong: " + ", ".join(check.where[:8]) if check.where and not check.ok else "",
        )
        if remark
    ]
    lines += [f"- Likely mistake: {escape_markdown(hint)}." for hint in verification.hints]
    return "\n".join(line.replace("..", ".") for line in lines)


def summary(verification: Verification) -> str:
    """Whether the code is verified, in one line."""
    if verification.ok:
        ran = sum(check.ok for check in verification.checks)
        return f"✓ **Verified.** {ran} checks ran, and every one held."
    failed = links_to(verification.failures) or "not every check ran"
    return f"✗ **Not verified.** Failed: {failed}."


LINES = "exact, line by line"


def judge_of(verification: Verification, segment: str = "") -> Check | None:
    """The check that judges the derivation line by line, in a network that of one segment."""
    name = f"{LINES}: {segment}" if segment else LINES
    return next((c for c in verification.checks if c.name == name), None)


def linked(
    verification: Verification,
    derivation: Derivation,
    lines: Mapping[int, Sequence[int]],
    segment: str = "",
) -> Links:
    """Where the equations of a derivation are computed and judged.

    Args:
        verification: with the verdict on each equation that is judged by itself.
        derivation: of a cell, or of a segment of a network.
        lines: by equation number, the lines of code that name it.
        segment: in a network, the segment's name.
    """
    bare = Links(lines, segment=segment)
    judge = judge_of(verification, segment)
    if judge is None:
        return bare
    verdicts = {s.number: verification.lines.get(bare.label(s.number)) for s in derivation.steps}
    words = {True: "✓ exact", False: "✗ wrong"}
    checks = {n: (target(judge.name), words[v]) for n, v in verdicts.items() if v is not None}
    return replace(bare, checks=checks)
