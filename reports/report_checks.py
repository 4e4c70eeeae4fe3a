"""What was checked, in a report: the table of checks, with links to the equations that they judge."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from proofs.table import Check, Verification
from reports.markdown import anchor, escape_markdown, table
from reports.notebook import Section, Text
from reports.report_links import equation_links, heading


def target(name: str) -> str:
    """The link target of a check."""
    return "check-" + (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "unnamed")


def link(check: Check) -> str:
    """A link to a check's row."""
    return f"[{escape_markdown(check.name)}](#{target(check.name)})"


def links_to(checks: Sequence[Check]) -> str:
    """Links to the rows of several checks."""
    return ", ".join(link(c) for c in checks)


def checks_section(verification: Verification, judge: Check | None) -> Section:
    """The table of the checks.

    Args:
        verification: what was checked.
        judge: the check that judges the derivation line by line; ``None`` if none did.
    """
    head = ["check", "compares", "sizes", "found", "bound", "verdict"]
    rows = [_row(check) for check in verification.checks]
    text = f"{summary(verification)}\n\n{table(head, rows)}\n\n{_remarks(verification)}"
    if judge is not None and verification.lines:
        numbers = equation_links(verification.lines)
        text += f"\n\nThe check [{judge.name}](#{target(judge.name)}) judges the equations {numbers} one by one."
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


def judge_of(verification: Verification) -> Check | None:
    """The check that judges the derivation line by line."""
    return next((c for c in verification.checks if c.name == LINES), None)


LINES = "exact, line by line"


def equation_checks(verification: Verification) -> Mapping[int, tuple[str, str]]:
    """For every equation that is judged by itself: the link target of its check, and what to show."""
    judge = judge_of(verification)
    if judge is None:
        return {}
    return {
        number: (target(judge.name), "✓ exact" if holds else "✗ wrong")
        for number, holds in verification.lines.items()
    }
