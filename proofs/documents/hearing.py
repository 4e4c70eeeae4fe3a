"""A document before the court: its formulas judged, and what is said of those that state the cell's own equations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from derive.cell import Cell
from derive.errors import LanguageError
from numeric.equations import equations_text
from proofs.claims.conditions import words
from proofs.claims.court import Audit, judge_document
from proofs.claims.said import NOT_JUDGED, Claim, Document, Unjudged
from proofs.claims.syntax import Deriv, Formula, Index, Qty, walk
from proofs.claims.verdict import MEANINGLESS, NUMERICALLY_FALSE, PROVED, REFUTED, Verdict
from proofs.documents.choices import given_of, impossible
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
    if not document.claims:
        raise _nothing(source, document.unjudged)
    found = _judged(document, on_progress)
    verdicts, left = list[Verdict](), list[Unjudged]()
    for verdict in found.verdicts:
        why = "" if verdict.stands or _past_help(verdict) else _unread(verdict.claim)
        wrong = impossible(verdict.claim) if why else None
        if _only_weakly(verdict):
            left.append(_not_judged(verdict.claim, _weakly(verdict), ""))
        elif why and not wrong:
            left.append(_left(verdict, why))
        else:
            verdicts.append(wrong or _of_definition(verdict))
    unjudged = (*found.unjudged, *left)
    if not verdicts:
        raise _nothing(source, unjudged)
    return Audit(document, tuple(verdicts), unjudged)


def _judged(document: Document, on_progress: Callable[[str], None] | None) -> Audit:
    """The verdicts on what a document claims, and of what it chooses on what cannot be chosen so, as it has them."""
    claims = tuple(claim for claim in document.claims if not claim.chooses)
    kept = replace(document, claims=claims)
    found = judge_document(kept, on_progress) if claims else Audit(kept, (), kept.unjudged)
    wrong, left = list[Verdict](), list[Unjudged]()
    for claim in document.claims:
        if claim.chooses:
            verdict = impossible(claim)
            wrong += [verdict] if verdict else []
            left += [] if verdict else [_not_judged(claim, claim.chooses, "")]
    order = {id(claim.statement): n for n, claim in enumerate(document.claims)}
    verdicts = sorted((*found.verdicts, *wrong), key=lambda v: order[id(v.claim.statement)])
    return Audit(document, tuple(verdicts), (*found.unjudged, *left))


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


def _past_help(verdict: Verdict) -> bool:
    """Whether a formula is wrong whatever a condition says: its shapes do not agree, or it is one between numbers."""
    about_shapes = verdict.kind == MEANINGLESS and "shape" in verdict.reason
    return about_shapes or verdict.kind == NUMERICALLY_FALSE


def _only_weakly(verdict: Verdict) -> bool:
    """Whether a formula with < or > stands, or may: that ≤ holds does not say that the sides are never equal."""
    return verdict.claim.strict and verdict.kind not in (REFUTED, NUMERICALLY_FALSE, MEANINGLESS)


def _weakly(verdict: Verdict) -> str:
    """In words."""
    sign = "≤" if verdict.claim.formula and verdict.claim.formula.relation == "<=" else "≥"
    return f"that the sides are never equal is not judged; with {sign} in its place it is {verdict.kind}"


def _unread(claim: Claim) -> str:
    """Why a formula that does not hold by itself need not be wrong where it stands; empty if it is."""
    if claim.presumes:
        return f"it is said under a condition that is not read: {claim.presumes}"
    sides = (claim.formula.left, claim.formula.right) if claim.formula else ()
    parts = [part for side in sides for part in walk(side)]
    known = (
        {q.name for q in claim.cell.quantities} - given_of(claim.cell) if claim.cell else set[str]()
    )
    named = [p for p in parts if isinstance(p, Qty)]
    about = any(
        isinstance(p, Deriv) or (isinstance(p, Qty) and p.name in known and p.index != Index())
        for p in parts
    )
    return "it says how something given is chosen" if named and not about else ""


def _left(verdict: Verdict, why: str) -> Unjudged:
    """A formula that does not hold by itself, and need not."""
    claim = verdict.claim
    needs = " and ".join(words(c) for c in verdict.conditions)
    alone = f"it holds only if {needs}" if needs else f"it is {verdict.kind}"
    example = verdict.counterexample if verdict.kind == REFUTED else None
    shown = f", by {example.text()}" if example else ""
    problem = f"{why}; by itself {alone}{shown}"
    return _not_judged(claim, problem, "State the condition as in a file of claims.")


def _not_judged(claim: Claim, problem: str, remedy: str) -> Unjudged:
    """A formula that is no claim, and why."""
    error = LanguageError(problem, remedy, place=claim.place)
    return Unjudged(claim.name, claim.text, error, NOT_JUDGED)


def _of_definition(verdict: Verdict) -> Verdict:
    """A verdict on an equation of the cell says so, and shows the cell's where it differs."""
    claim = verdict.claim
    name = _defined(claim.formula)
    if claim.restates and not verdict.stands:
        said = f"the document has said before what {claim.restates} stands for, and there it is something else"
        return replace(verdict, reason=f"{said}; {verdict.reason}" if verdict.reason else said)
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
