"""How often the court is right: true formulas written in other ways, and the same with one error put in.

    python -m proofs.claims.corpus 1000                              the confusion table, with a fixed seed
    python -m proofs.claims.corpus 1000 --markdown > docs/court.md   the same as a page

True formulas come from the equations of the shipped cells, one law at a time (``paths``), and are rewritten by laws of
algebra that change no value. Errors are put in by functions of their own, not by the edits that the search undoes; one
that happens to leave the formula true, or true in another layout, is no error and is drawn again.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TextIO

from derive.catalog import load
from derive.cell import Cell
from proofs.claims.corpus_errors import ERRORS, Error
from proofs.claims.corpus_rewrites import rewritten
from proofs.claims.court import judge_claim
from proofs.claims.document import read_document
from proofs.claims.paths import gradient
from proofs.claims.printing import show
from proofs.claims.said import Claim
from proofs.claims.syntax import Deriv, Formula, Qty
from proofs.claims.verdict import CONDITIONAL, LAYOUT, MEANINGLESS, PROVED, REFUTED, Verdict
from proofs.claims.written import NOW

CELLS = (
    "elman",
    "elman:g=sigmoid",
    "leaky",
    "lstm",
    "gru",
    "gru_mirrored",
    "lstm_coupled",
    "lstm_peephole",
    "skip:d=2",
)
CAUGHT = (CONDITIONAL, REFUTED, MEANINGLESS)


@dataclass(frozen=True, slots=True)
class Specimen:
    """One formula of the corpus.

    Args:
        cell: the shipped cell's name.
        text: the claim.
        error: the kind of error put in; empty for a right formula.
    """

    cell: str
    text: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the court made of one specimen."""

    specimen: Specimen
    verdict: Verdict

    @property
    def named(self) -> bool:
        """Whether the diagnosis is the one error that was put in."""
        repair = self.verdict.repair
        return repair is not None and repair.kinds == (self.specimen.error,)


@dataclass(frozen=True, slots=True)
class Table:
    """The confusion table.

    Args:
        right: outcomes of right formulas.
        wrong: outcomes of wrong ones.
    """

    right: tuple[Outcome, ...]
    wrong: tuple[Outcome, ...]

    @property
    def accepted(self) -> int:
        """How many right formulas are proved."""
        return sum(o.verdict.kind == PROVED for o in self.right)

    @property
    def caught(self) -> int:
        """How many wrong formulas are refuted, meaningless or bound to a condition."""
        return sum(o.verdict.kind in CAUGHT for o in self.wrong)

    @property
    def named(self) -> int:
        """How many errors are named as they were put in."""
        return sum(o.named for o in self.wrong)

    def text(self) -> str:
        """As lines: verdicts, then each kind of error with how often it was named."""
        lines = [
            f"{'':<38}"
            + "".join(
                f"{kind:>12}"
                for kind in ("proved", "layout", "condition", "refuted", "meaningless", "other")
            )
        ]
        for name, outcomes in (
            (f"right formulas ({len(self.right)})", self.right),
            (f"wrong formulas ({len(self.wrong)})", self.wrong),
        ):
            lines.append(f"{name:<38}" + "".join(f"{n:>12}" for n in counts(outcomes)))
        lines.append("")
        for error in sorted({o.specimen.error for o in self.wrong}):
            mine = [o for o in self.wrong if o.specimen.error == error]
            lines.append(f"{error:<38}{sum(o.named for o in mine):>12} of {len(mine)} named")
        share = 100 * self.named / max(1, len(self.wrong))
        lines.append(
            f"{'diagnosis names the error':<38}{self.named:>12} of {len(self.wrong)}: {share:.1f} %"
        )
        slowest = max(o.verdict.seconds for o in (*self.right, *self.wrong))
        lines.append(f"{'slowest claim':<38}{slowest:>12.1f} s")
        return "\n".join(lines)

    def markdown(self) -> str:
        """As a page: what was judged, the verdicts, each kind of error, and every error that was named otherwise."""
        share = 100 * self.named / max(1, len(self.wrong))
        kinds = sorted({o.specimen.error for o in self.wrong})
        cells = ", ".join(f"`{c}`" for c in CELLS)
        heads = (
            "proved",
            "true in another layout",
            "true under a condition",
            "refuted",
            "meaningless",
            "undecided",
        )
        made = (
            f"{len(self.right)} right formulas about {cells}: gradients by every quantity, rewritten by laws of "
            f"algebra. {len(self.wrong)} wrong ones: the same with one random error put in, by functions of its own."
        )
        lines = [
            "# How often the court is right",
            "",
            made,
            "",
            f"Made by `python -m proofs.claims.corpus {len(self.right)} --markdown`.",
            "",
            f"| formulas | {' | '.join(heads)} |",
            "|---|---|---|---|---|---|---|",
            f"| right | {' | '.join(map(str, counts(self.right)))} |",
            f"| wrong | {' | '.join(map(str, counts(self.wrong)))} |",
            "",
            f"The diagnosis names the error that was put in for {self.named} of {len(self.wrong)}: {share:.1f} %.",
            "",
            "| error | put in | named |",
            "|---|---|---|",
        ]
        for error in kinds:
            mine = [o for o in self.wrong if o.specimen.error == error]
            lines.append(f"| {error} | {len(mine)} | {sum(o.named for o in mine)} |")
        others = [o for o in self.wrong if not o.named]
        if others:
            lines += [
                "",
                "Named otherwise:",
                "",
                "| cell | claim | put in | named |",
                "|---|---|---|---|",
            ]
        for o in others:
            named = "; ".join(o.verdict.repair.kinds) if o.verdict.repair else "nothing"
            lines.append(
                f"| `{o.specimen.cell}` | `{o.specimen.text}` | {o.specimen.error} | {named} |"
            )
        return "\n".join(lines)


def counts(outcomes: Sequence[Outcome]) -> tuple[int, ...]:
    """How many are proved, true in another layout, true under a condition, refuted, meaningless, and anything else."""
    kinds = Counter(o.verdict.kind for o in outcomes)
    known = [kinds.pop(kind, 0) for kind in (PROVED, LAYOUT, *CAUGHT)]
    return (*known, sum(kinds.values()))


def formulas(spec: str) -> list[Formula]:
    """True formulas about a shipped cell: the gradient of every quantity that has one."""
    cell = load(spec)
    looks_at = cell.equations[-1].target.name
    found: list[Formula] = []
    for q in cell.quantities:
        if q.role == "constant":
            continue
        of = Qty(name=q.name, index=None if q.role == "parameter" else NOW)
        right = gradient(cell, "L", looks_at, of)
        if right is not None and not (isinstance(right, Deriv) and right.kind == "immediate"):
            found.append(Formula(Deriv(kind="total", of=Qty(name="L"), by=of), "==", right))
    return found


def claim_of(cell: Cell, text: str) -> Claim:
    """A specimen as a claim."""
    return read_document(f"claim : {text}\n", "corpus", cell).claims[0]


def right_specimen(rng: Random) -> Specimen:
    """A true formula, rewritten."""
    spec = rng.choice(CELLS)
    formula = rng.choice(formulas(spec))
    return Specimen(spec, show(replace(formula, right=rewritten(formula.right, rng))))


def wrong_specimen(rng: Random) -> Outcome:
    """A true formula with one error put in, judged."""
    while True:
        spec = rng.choice(CELLS)
        formula = rng.choice(formulas(spec))
        error: Error = rng.choice(ERRORS)
        wrong = error.put(formula.right, load(spec), rng)
        if wrong is None or wrong == formula.right:
            continue
        specimen = Specimen(spec, show(replace(formula, right=wrong)), error.kind)
        verdict = judge_claim(claim_of(load(spec), specimen.text))
        if verdict.kind not in (PROVED, LAYOUT):
            return Outcome(specimen, verdict)


def _judged(specimen: Specimen) -> Outcome:
    return Outcome(specimen, judge_claim(claim_of(load(specimen.cell), specimen.text)))


def confusion(count: int, *, seed: int = 0, say: Callable[[str], None] | None = None) -> Table:
    """Judge so many right and so many wrong formulas.

    Args:
        count: of each.
        seed: of everything drawn.
        say: is told how far it is.
    """
    rng = Random(seed)  # noqa: S311 - no secret
    done: dict[bool, list[Outcome]] = {True: [], False: []}
    for right in (True, False):
        while len(done[right]) < count:
            done[right].append(_judged(right_specimen(rng)) if right else wrong_specimen(rng))
            if say is not None and len(done[right]) % 50 == 0:
                say(f"{len(done[right])} {'right' if right else 'wrong'} formulas")
    return Table(tuple(done[True]), tuple(done[False]))


def main(arguments: Sequence[str]) -> int:
    """Print the confusion table; 0 if every right formula is proved and every wrong one caught."""
    count = int(arguments[0]) if arguments else 1000
    table = confusion(count, say=lambda line: _tell(line, sys.stderr))
    _tell(table.markdown() if "--markdown" in arguments else table.text(), sys.stdout)
    if "-v" in arguments:
        for o in [o for o in table.wrong if not o.named]:
            kinds = o.verdict.repair.kinds if o.verdict.repair else ()
            _tell(
                f"{o.specimen.cell}: {o.specimen.text}\n    {o.specimen.error} taken for {kinds}",
                sys.stdout,
            )
    return 0 if table.accepted == len(table.right) and table.caught == len(table.wrong) else 1


def _tell(line: str, stream: TextIO) -> None:
    stream.write(line + "\n")
    stream.flush()


__all__ = ["Specimen", "Table", "confusion", "formulas"]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
