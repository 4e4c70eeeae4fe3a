"""Wrong derivations before Rocq: what its kernel says of a certificate with one mistake in it.

    python -m proofs.mutants_certificate --sample elman lstm gru > docs/rocq-mutants.md

A mutant that is accepted is not wrong: the kernel has proved that it says the same as the right derivation.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from derive import catalog
from derive.derivation import Derivation, derive
from proofs.certificate import certificate
from proofs.certificate_errors import CertificateError
from proofs.mutants import Mutant
from proofs.mutants_equations import equation_mutants
from proofs.rocq_check import RocqError, Verdict, check_certificate


@dataclass(frozen=True, slots=True)
class Trial:
    """One mutant before Rocq.

    Args:
        cell: the cell's name.
        mutant: the wrong derivation.
        fate: refused; inexpressible, if a step would have to know what it cannot; or accepted.
        where: the lemma at which it was refused, or why it cannot be written.
    """

    cell: str
    mutant: Mutant
    fate: str
    where: str


def one_of_each_kind(derivation: Derivation) -> list[Mutant]:
    """The first mutant of each kind that a certificate can express."""
    found: dict[str, Mutant] = {}
    for mutant in equation_mutants(derivation):
        if mutant.kind not in found and _written(mutant) is not None:
            found[mutant.kind] = mutant
    return list(found.values())


def _written(mutant: Mutant) -> str | None:
    try:
        return certificate(mutant.derivation) if mutant.derivation is not None else None
    except CertificateError:
        return None


def trials(
    cell: str, mutants: Iterable[Mutant], check: Callable[[str], Verdict] = check_certificate
) -> Iterator[Trial]:
    """What becomes of the mutants of a cell.

    Args:
        cell: its name.
        mutants: of its derivation.
        check: asks Rocq.
    """
    for mutant in mutants:
        text = _written(mutant)
        if text is None:
            yield Trial(cell, mutant, "inexpressible", "the equation names a step it cannot know")
            continue
        try:
            verdict = check(text)
        except RocqError as error:
            yield Trial(cell, mutant, "refused", error.problem)
            continue
        yield Trial(cell, mutant, "accepted" if verdict.accepted else "refused", verdict.lemma)


PAGE = """\
# Wrong derivations before Rocq's kernel

One mistake in one backward equation, or one path lost, in a derivation that is right otherwise; and what the kernel
says of the certificate that is made of it. *Refused at* names the lemma at which the kernel stopped: it carries the
name of the wrong adjoint. *Cannot be written* are mistakes that name a step which the equation cannot know, so that no
certificate can say them. *Accepted* would be a mistake that is none: the kernel would have proved it the same.

Made by `python -m proofs.mutants_certificate {arguments}`{sampled}.

{table}"""


def table(found: list[Trial]) -> str:
    """The trials as Markdown: the counts, then every mutant."""
    counts = Counter((t.cell, t.fate) for t in found)
    cells = list(dict.fromkeys(t.cell for t in found))
    fates = ("refused", "inexpressible", "accepted")
    rows = ["| cell | refused by the kernel | cannot be written | accepted |", "|---|---|---|---|"]
    rows += [f"| {c} | " + " | ".join(str(counts[c, f]) for f in fates) + " |" for c in cells]
    rows += ["", "| cell | mistake | where | what | fate |", "|---|---|---|---|---|"]
    rows += [_row(t) for t in found]
    return "\n".join(rows) + "\n"


def _row(t: Trial) -> str:
    what = t.mutant.description.replace("|", "\\|").replace("\n", " ")
    fate = f"refused at `{t.where}`" if t.fate == "refused" else t.fate
    return f"| {t.cell} | {t.mutant.kind} | {t.mutant.place} | `{what}` | {fate} |"


def main(arguments: list[str]) -> None:
    """Print the page for the cells named; all mutants, or with ``--sample`` one of each kind."""
    sample = "--sample" in arguments
    found: list[Trial] = []
    for name in [a for a in arguments if not a.startswith("-")]:
        derivation = derive(catalog.load(name))
        mutants = one_of_each_kind(derivation) if sample else list(equation_mutants(derivation))
        for trial in trials(name, mutants):
            found.append(trial)
            sys.stderr.write(
                f"{name} {len(found)}: {trial.mutant.kind}: {trial.fate} {trial.where}\n"
            )
    sampled = ": one mistake of each kind; without `--sample`, all" if sample else ""
    shown = PAGE.format(arguments=" ".join(arguments), sampled=sampled, table=table(found))
    sys.stdout.write(shown)


if __name__ == "__main__":
    main(sys.argv[1:])
