"""Mutants: derivations and programs broken on purpose, and what became of them.

A verifier is worth what it refuses. Each mutant is the right thing with one change; it is killed when a check fails,
equivalent when it is proved to say the same as the right thing, and otherwise it survives. One survivor is enough
to withhold the word "verified".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from derive.derivation import Derivation

Family = Literal["rule", "equation", "source"]
FAMILIES: tuple[Family, ...] = ("rule", "equation", "source")
Fate = Literal["killed", "equivalent", "survived"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One broken thing.

    Args:
        family: what was broken: an adjoint rule, an equation of the derivation, or the generated source.
        kind: the sort of mistake, in a few words: ``sign``, ``transpose``, ``time index``, …
        place: where: the rule, the equation's left-hand side, or function and line.
        description: what was there, and what is there now.
        derivation: the broken derivation; ``None`` for a source mutant, or if deriving refused the change.
        source: the broken source, for a source mutant.
        refused: why deriving refused the change, empty if it did not.
    """

    family: Family
    kind: str
    place: str
    description: str
    derivation: Derivation | None = None
    source: str | None = None
    refused: str = ""

    def __str__(self) -> str:
        return f"{self.family} · {self.kind} · {self.place}: {self.description}"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of a mutant.

    Args:
        mutant: which.
        fate: killed, equivalent or survived.
        check: the check that killed it, or that proved it equivalent.
        reason: what the check said.
    """

    mutant: Mutant
    fate: Fate
    check: str
    reason: str


@dataclass(frozen=True, slots=True)
class MutantReport:
    """What became of a cell's mutants.

    Args:
        cell: the cell's name.
        judgements: one per mutant, in the order in which they were made.
    """

    cell: str
    judgements: tuple[Judgement, ...]

    @property
    def ok(self) -> bool:
        """Whether there were mutants, and none survived."""
        return bool(self.judgements) and not self.survivors

    @property
    def survivors(self) -> tuple[Judgement, ...]:
        """Mutants that no check refused and no proof excused."""
        return self.of("survived")

    def of(self, fate: Fate) -> tuple[Judgement, ...]:
        """The judgements of one fate."""
        return tuple(j for j in self.judgements if j.fate == fate)

    def by_kind(self) -> dict[tuple[str, str], Counter[str]]:
        """How many of each fate, by family and kind."""
        counts: dict[tuple[str, str], Counter[str]] = {}
        for j in self.judgements:
            counts.setdefault((j.mutant.family, j.mutant.kind), Counter())[j.fate] += 1
        return dict(
            sorted(counts.items(), key=lambda item: (FAMILIES.index(item[0][0]), item[0][1]))
        )

    def by_check(self) -> Counter[str]:
        """How many mutants each check killed; each counts for the first that did."""
        return Counter(j.check for j in self.of("killed"))

    def to_dict(self) -> dict[str, object]:
        """The report as plain data."""
        return {
            "cell": self.cell,
            "ok": self.ok,
            "killed": len(self.of("killed")),
            "equivalent": [_as_dict(j) for j in self.of("equivalent")],
            "survived": [_as_dict(j) for j in self.survivors],
            "by_kind": [{"family": f, "kind": k, **c} for (f, k), c in self.by_kind().items()],
            "by_check": dict(self.by_check()),
        }

    def table(self) -> str:
        """Killed of total by kind and by check, and every mutant that was not killed."""
        rows = [("mutants of", "kind", "killed", "equivalent", "survived")]
        rows += [
            (
                family,
                kind,
                f"{c['killed']}/{c.total() - c['equivalent']}",
                str(c["equivalent"] or ""),
                str(c["survived"] or ""),
            )
            for (family, kind), c in self.by_kind().items()
        ]
        killed, equivalent = len(self.of("killed")), len(self.of("equivalent"))
        whole = f"{killed}/{len(self.judgements) - equivalent}"
        rows.append(("all", "", whole, str(equivalent), str(len(self.survivors))))
        parts = [
            _aligned(rows),
            _aligned([("killed by", ""), *((k, str(v)) for k, v in self.by_check().most_common())]),
        ]
        parts += [
            f"equivalent, by {j.check}: {j.mutant}\n    {j.reason}" for j in self.of("equivalent")
        ]
        parts += [f"SURVIVED: {j.mutant}\n    {j.reason}" for j in self.survivors]
        return "\n\n".join(parts)


def joined(name: str, reports: Iterable[MutantReport]) -> MutantReport:
    """Several reports as one."""
    return MutantReport(name, tuple(j for report in reports for j in report.judgements))


def _as_dict(j: Judgement) -> dict[str, str]:
    m = j.mutant
    return {
        "family": m.family, "kind": m.kind, "place": m.place, "description": m.description,
        "check": j.check, "reason": j.reason,
    }  # fmt: skip


def _aligned(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
