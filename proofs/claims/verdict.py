"""Verdicts: what the court finds about one claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from html import escape

from derive.errors import Place
from proofs.claims.conditions import words
from proofs.claims.counterexample import Counterexample
from proofs.claims.printing import show
from proofs.claims.said import Claim
from proofs.claims.syntax import Formula

PROVED = "proved"
CONDITIONAL = "true under a condition"
LAYOUT = "true in another layout"
REFUTED = "refuted"
NUMERICALLY_FALSE = "numerically false"
MEANINGLESS = "meaningless"
UNDECIDED = "undecided"
KINDS = (PROVED, CONDITIONAL, LAYOUT, REFUTED, NUMERICALLY_FALSE, MEANINGLESS, UNDECIDED)
STANDS = (PROVED, LAYOUT)
"""Verdicts with which a claim stands as written."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A formula close to the claim that is proved.

    Args:
        formula: the repaired formula.
        errors: what was wrong, one entry per edit.
        kinds: the names of these errors, keys of ``edits.COSTS``.
        conditions: conditions under which it holds; none if it holds always.
        bound: the probability that it was accepted wrongly.
        cost: how far-fetched the edits are together.
        values: the declared values of constants without which it would not hold, ``alpha = 9/10``.
    """

    formula: Formula
    errors: tuple[str, ...]
    kinds: tuple[str, ...]
    conditions: tuple[str, ...] = ()
    bound: str = ""
    cost: int = 0
    values: str = ""

    @property
    def rests_on(self) -> str:
        """What it presumes, in words: ``if …, with alpha = 9/10``; empty if it holds always."""
        held = " and ".join(words(c) for c in self.conditions)
        parts = [f"if {held}" if held else "", f"with {self.values}" if self.values else ""]
        return ", ".join(filter(None, parts))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the court finds.

    Args:
        claim: what was said.
        kind: one of ``KINDS``.
        reason: one sentence that a reader understands.
        reading: how the claim had to be read, empty where nothing is open.
        conditions: what the claim needs to be true.
        values: the declared values of constants without which it would not hold, ``alpha = 9/10``.
        other_readings: every other reading with what it comes to.
        translation: the formula in house layout, where it holds in another.
        counterexample: numbers for which it fails.
        repair: the nearest formula that holds.
        weaker: checks that accept it though it is false.
        bound: the probability that it was accepted wrongly.
        place: what is meaningless.
        seconds: how long it took; not shown, so that reports stay the same.
    """

    claim: Claim
    kind: str
    reason: str = ""
    reading: str = ""
    conditions: tuple[str, ...] = ()
    values: str = ""
    other_readings: tuple[tuple[str, str], ...] = ()
    translation: str = ""
    counterexample: Counterexample | None = None
    repair: Repair | None = None
    weaker: tuple[str, ...] = ()
    bound: str = ""
    place: Place | None = None
    seconds: float = field(default=0.0, compare=False)

    @property
    def stands(self) -> bool:
        """Whether the claim is true as written."""
        return self.kind in STANDS

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {
            "title": self.claim.title,
            "line": self.claim.line,
            "claim": self.claim.text,
            "verdict": self.kind,
            "reason": self.reason,
            "reading": self.reading,
            "conditions": [words(c) for c in self.conditions],
            "values": self.values,
            "other_readings": [{"reading": r, "outcome": o} for r, o in self.other_readings],
            "translation": self.translation,
            "counterexample": self.counterexample.text() if self.counterexample else None,
            "repair": _repair(self.repair) if self.repair else None,
            "accepted_by": list(self.weaker),
            "error_bound": self.bound,
        }

    def text(self) -> str:
        """On a few lines, for a terminal."""
        lines = [
            f"{self.claim.name}: {self.kind}",
            f"    {self.claim.text}",
        ]
        lines += [f"    {name} {what}" for name, what in self.rows() if what]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        said = f"<p>{escape(self.claim.text)}: <strong>{escape(self.kind)}</strong></p>"
        rows = (
            f'<tr><th style="text-align:left;white-space:nowrap">{escape(name)}</th>'
            f'<td style="text-align:left;white-space:pre-wrap">{escape(what.strip(chr(10)))}</td></tr>'
            for name, what in self.rows()
            if what
        )
        return f"{said}<table>{''.join(rows)}</table>"

    def rows(self) -> list[tuple[str, str]]:
        """Name and content of everything there is to say."""
        conditions = " and ".join(words(c) for c in self.conditions)
        rows = [
            ("because:", self.reason),
            ("where:", f"\n    {self.place.text}\n    {self.place.caret(0)}" if self.place else ""),
            ("read as:", self.reading),
            ("holds if:", conditions),
            ("with:", self.values),
            ("in house layout:", self.translation),
            ("counterexample:", self.counterexample.text() if self.counterexample else ""),
        ]
        if self.repair:
            rows.append(("diagnosis:", "; ".join(self.repair.errors)))
            rests_on = f"   ({self.repair.rests_on})" if self.repair.rests_on else ""
            rows.append(("repaired:", show(self.repair.formula) + rests_on))
        rows += [("otherwise read as:", f"{read}: {outcome}") for read, outcome in self.otherwise()]
        rows.append(("accepted all the same by:", "; ".join(self.weaker)))
        rows.append(("error probability:", self.bound))
        return rows

    def otherwise(self) -> list[tuple[str, str]]:
        """The other readings; those that fail alike are counted where they are many."""
        count = Counter(outcome for _, outcome in self.other_readings)
        many = [outcome for outcome, n in count.items() if n > 2 and outcome != "holds"]
        told = [(read, outcome) for read, outcome in self.other_readings if outcome not in many]
        return told + [(f"in {count[outcome]} other ways", outcome) for outcome in many]


def values_text(values: Mapping[str, Fraction]) -> str:
    """Constants with their values: ``alpha = 9/10, c = 8``."""
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def _repair(repair: Repair) -> dict[str, object]:
    return {
        "formula": show(repair.formula),
        "errors": list(repair.errors),
        "kinds": list(repair.kinds),
        "conditions": [words(c) for c in repair.conditions],
        "values": repair.values,
        "error_bound": repair.bound,
    }
