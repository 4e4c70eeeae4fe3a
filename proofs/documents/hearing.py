"""A document before the court: its formulas judged, and what is said of those that state the cell's own equations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from derive.cell import Cell
from derive.errors import ArgumentError, LanguageError
from numeric.equations import equations_text
from proofs.claims.court import Audit, judge_document
from proofs.claims.said import NOT_JUDGED, Claim, Unjudged
from proofs.claims.syntax import Formula, Qty
from proofs.claims.verdict import PROVED, Verdict
from proofs.documents.reading import has_derivative, read_paper


def audit_paper(
    text: str,
    source: str,
    cell: Cell | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> Audit:
    """Judge every formula of a document about its cell.

    Args:
        text: the file.
        source: its name, whose ending says what it is.
        cell: what it speaks of, unless a comment of its own says so.
        on_progress: is told what is judged.

    Raises:
        ArgumentError: nothing says of which cell it speaks.
        LanguageError: none of its formulas can be judged.
    """
    document = read_paper(text, source, cell)
    if cell is None and not any(claim.cell for claim in document.claims):
        raise ArgumentError(
            f"{source} is a document, and nothing says of which cell it speaks.",
            "Pass --cell lstm, or write the comment `audit: cell lstm` into it.",
        )
    if not document.claims:
        raise _nothing(source, document.unjudged)
    found = judge_document(document, on_progress)
    verdicts, left = list[Verdict](), list[Unjudged]()
    for verdict in found.verdicts:
        if verdict.claim.presumes and not verdict.stands:
            left.append(_left(verdict.claim))
        else:
            verdicts.append(_of_definition(verdict))
    unjudged = (*found.unjudged, *left)
    if not verdicts:
        raise _nothing(source, unjudged)
    return Audit(document, tuple(verdicts), unjudged)


def _nothing(source: str, unjudged: tuple[Unjudged, ...]) -> LanguageError:
    """No formula of a document is about the cell."""
    if not unjudged:
        return LanguageError(f"{source} states no formula.", "Give a document with formulas.")
    first = unjudged[0].error
    return LanguageError(
        f"{source}: none of its {len(unjudged)} formulas can be judged; the first: {first.problem}",
        first.remedy or "Name the cell that it speaks of, in its own notation: --cell my.cell.",
        place=first.place,
    )


def _left(claim: Claim) -> Unjudged:
    """A formula that does not hold by itself, and is said under a condition that is not read."""
    problem = f"it is said under a condition that is not read: {claim.presumes}"
    error = LanguageError(problem, "State the condition as in a file of claims.", place=claim.place)
    return Unjudged(claim.name, claim.text, error, NOT_JUDGED)


def _of_definition(verdict: Verdict) -> Verdict:
    """A verdict on an equation of the cell says so, and shows the cell's where it differs."""
    claim = verdict.claim
    name = _defined(claim.formula)
    if claim.cell is None or name not in {e.target.name for e in claim.cell.equations}:
        return verdict
    if verdict.kind == PROVED:
        said = f"it agrees with the cell's equations for {name}"
    else:
        lines = equations_text(claim.cell).splitlines()
        heads = f"{name}[t] =", f"{name} ="
        own = next((line for line in lines if line.startswith(heads)), name)
        said = f"it differs from the cell's: {own}"
    return replace(verdict, reason=f"{said}; {verdict.reason}" if verdict.reason else said)


def _defined(formula: Formula | None) -> str:
    """The quantity whose value a formula gives; empty if it gives none."""
    if formula is None or formula.relation != "==" or has_derivative(formula):
        return ""
    left = formula.left
    return left.name if isinstance(left, Qty) else ""
