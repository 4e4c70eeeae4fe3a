"""The outcome of a verification: a table of checks, and the word "verified" only if every one ran and held."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import Literal

Verdict = Literal["holds", "fails", "not applicable"]


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the table.

    Args:
        name: what it is called.
        what: what is compared with what, in a phrase.
        sizes: at which sizes.
        figure: what was measured.
        bound: what it must not exceed.
        verdict: ``holds``, ``fails`` or ``not applicable``.
        note: how it was done where there was a choice, why it does not apply, or what went wrong.
        where: what is wrong, most telling first: blocks of the gradient, lines of the derivation.
        unit: what the figure counts, empty for a relative error.
    """

    name: str
    what: str
    sizes: str
    figure: float
    bound: float
    verdict: Verdict
    note: str = ""
    where: tuple[str, ...] = ()
    unit: str = ""

    @property
    def ok(self) -> bool:
        """Whether it ran and held."""
        return self.verdict == "holds"

    def to_dict(self) -> dict[str, object]:
        """The row as plain data."""
        return {
            "name": self.name,
            "what": self.what,
            "sizes": self.sizes,
            "figure": self.figure if math.isfinite(self.figure) else str(self.figure),
            "bound": self.bound,
            "unit": self.unit,
            "verdict": self.verdict,
            "note": self.note,
            "where": list(self.where),
        }

    def cells(self) -> tuple[str, ...]:
        """The row as text, in the order of ``HEADINGS``."""
        return (
            self.name,
            self.sizes,
            _shown(self.figure, self.unit),
            _shown(self.bound, self.unit),
            self.verdict,
        )


HEADINGS = ("check", "sizes", "figure", "bound", "verdict")


def _shown(value: float, unit: str) -> str:
    if math.isnan(value):
        return "–"
    if unit and float(value).is_integer():
        return f"{value:.0f} {unit}"
    return f"{value:.1e}"


def measured(
    name: str,
    what: str,
    sizes: object,
    figure: float,
    bound: float,
    *,
    note: str = "",
    where: tuple[str, ...] = (),
    unit: str = "",
) -> Check:
    """A row whose verdict is figure ≤ bound; a figure that is no number fails."""
    holds = bool(figure <= bound)
    return Check(
        name,
        what,
        str(sizes),
        float(figure),
        bound,
        "holds" if holds else "fails",
        note,
        where,
        unit,
    )


def failed(name: str, what: str, note: str, where: tuple[str, ...] = ()) -> Check:
    """A row for a check that could not be completed."""
    return Check(name, what, "", math.inf, 0.0, "fails", note, where)


def not_applicable(name: str, what: str, reason: str) -> Check:
    """A row for a check that has nothing to decide here."""
    return Check(name, what, "", math.nan, math.nan, "not applicable", reason)


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked, and what came of it.

    Args:
        subject: what was verified: a cell's name or a file's path.
        checks: the rows.
        required: the checks that must be in the table, by name.
        optional: the checks that may be not applicable.
        seed: of everything random.
        differences: where a file differs from what the generator writes today, as a unified diff.
        hints: likely mistakes, in words.
        lines: the exact verdict on every line of the derivation, by its label: ``"7"``, in a network ``"enc-7"``.
        certificate: how a file stands to the certificate in it, in words.
    """

    subject: str
    checks: tuple[Check, ...]
    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    seed: int = 0
    differences: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    lines: dict[str, bool] = field(default_factory=dict[str, bool])
    certificate: str = ""

    @property
    def failures(self) -> tuple[Check, ...]:
        """The rows that do not hold, and one for every required check that did not run."""
        ran = {c.name for c in self.checks}
        skipped = [failed(name, "", "it did not run") for name in sorted(self.required - ran)]
        bad = [
            c
            for c in self.checks
            if not c.ok and not (c.verdict == "not applicable" and c.name in self.optional)
        ]
        return (*bad, *skipped)

    @property
    def ok(self) -> bool:
        """Whether every check ran and held; where nothing was required or nothing ran, it did not."""
        return bool(self.required) and bool(self.checks) and not self.failures

    def table(self) -> str:
        """The rows as text, with notes and places under the rows that need them."""
        rows = [HEADINGS, *(c.cells() for c in self.checks)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
        lines: list[str] = []
        for i, row in enumerate(rows):
            lines.append(
                "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
            )
            if i == 0:
                lines.append("  ".join("─" * w for w in widths))
            else:
                lines += _remarks(self.checks[i - 1])
        lines += [f"{c.name}: {c.note}" for c in self.failures if c.note == "it did not run"]
        return "\n".join([*lines, *(f"likely mistake: {hint}" for hint in self.hints)])

    def to_dict(self) -> dict[str, object]:
        """The outcome as plain data."""
        return {
            "subject": self.subject,
            "verified": self.ok,
            "seed": self.seed,
            "checks": [c.to_dict() for c in self.checks],
            "failures": [c.name for c in self.failures],
            "lines": dict(self.lines),
            "hints": list(self.hints),
            "differences": list(self.differences),
            "certificate": self.certificate,
        }

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{h}</th>" for h in HEADINGS)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in c.cells()) + "</tr>"
            + "".join(f'<tr><td></td><td colspan="4">{escape(r.strip())}</td></tr>' for r in _remarks(c))
            for c in self.checks
        )  # fmt: skip
        word = "verified" if self.ok else "not verified"
        return (
            f"<table><caption>{escape(self.subject)}: {word}</caption><tr>{head}</tr>{body}</table>"
        )


def _remarks(check: Check) -> list[str]:
    remarks = [check.note] if check.note else []
    if check.where and not check.ok:
        shown = ", ".join(check.where[:8])
        remarks.append(
            f"wrong: {shown}"
            + (f" and {len(check.where) - 8} more" if len(check.where) > 8 else "")
        )
    return [f"    {remark}" for remark in remarks]
