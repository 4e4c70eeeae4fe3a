"""The court: a claim comes in, a verdict goes out, and nothing in it is typed by hand."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from derive.catalog import load
from derive.cell import Cell
from derive.errors import ArgumentError, LanguageError, UnknownCellError
from proofs.claims import numbers
from proofs.claims.bounds import is_inequality
from proofs.claims.counterexample import find, unspoken
from proofs.claims.document import read_document
from proofs.claims.meaning import Reading
from proofs.claims.meaning_steps import MOST_TERMS
from proofs.claims.measured import measures
from proofs.claims.points import Context
from proofs.claims.readings import describe, ends_of_sums, readings, settled_formula
from proofs.claims.said import NOT_JUDGED, UNREADABLE, Claim, Document, Unjudged
from proofs.claims.sameness import differences, renaming, without_bias
from proofs.claims.sizes import argument
from proofs.claims.syntax import Formula
from proofs.claims.trial import Trial
from proofs.claims.turned_products import with_order
from proofs.claims.values import MeaninglessError, TooManyError
from proofs.claims.verdict import (
    CONDITIONAL,
    KINDS,
    MEANINGLESS,
    NUMERICALLY_FALSE,
    PROVED,
    REFUTED,
    UNDECIDED,
    Verdict,
    values_text,
)
from proofs.workload import too_much


@dataclass(frozen=True, slots=True)
class Audit:
    """The verdicts on a file of claims.

    Args:
        document: the file.
        verdicts: one a claim, in order.
        unjudged: what no verdict is passed on, in order.
    """

    document: Document
    verdicts: tuple[Verdict, ...]
    unjudged: tuple[Unjudged, ...] = ()

    @property
    def readable(self) -> bool:
        """Whether every claim is in the language."""
        return all(u.kind != UNREADABLE for u in self.unjudged)

    @property
    def ok(self) -> bool:
        """Whether every claim is in the language and stands as written."""
        return self.readable and all(v.stands for v in self.verdicts)

    @property
    def counts(self) -> dict[str, int]:
        """How many claims came to each verdict."""
        found = Counter(v.kind for v in (*self.verdicts, *self.unjudged))
        return {kind: found[kind] for kind in (*KINDS, NOT_JUDGED, UNREADABLE) if found[kind]}

    def table(self) -> str:
        """One line a claim."""
        rows = [(v.claim.name, v.kind) for v in self.verdicts]
        rows += [(u.name, u.kind) for u in self.unjudged]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {kind}" for name, kind in rows)

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {
            "source": self.document.source,
            "title": self.document.title,
            "counts": self.counts,
            "claims": [v.to_dict() for v in self.verdicts],
            "unjudged": [u.to_dict() for u in self.unjudged],
        }


def audit(
    text: str,
    source: str = "claims",
    on_progress: Callable[[str], None] | None = None,
    cell: Cell | None = None,
) -> Audit:
    """Judge every claim of a text that is in the language.

    Args:
        text: see ``proofs.claims.document``.
        source: its name, for messages.
        on_progress: is told what is judged.
        cell: what it speaks of until it names one.

    Raises:
        LanguageError: nothing in the text can be judged.
    """
    return judge_document(read_document(text, source, cell), on_progress)


def judge_document(document: Document, on_progress: Callable[[str], None] | None = None) -> Audit:
    """Judge what a document says.

    Args:
        document: as it was read.
        on_progress: is told what is judged.

    Raises:
        LanguageError: nothing in it can be judged.
    """
    refused: list[Unjudged] = []
    claims: list[Claim] = []
    for claim in document.claims:
        try:
            _refuse(claim)
            claims.append(claim)
        except LanguageError as error:
            refused.append(Unjudged(claim.name, claim.text, error))
    if not claims:
        raise refused[0].error
    verdicts: list[Verdict] = []
    for claim in claims:
        if on_progress is not None:
            on_progress(f"judging line {claim.line}")
        verdicts.append(judge_claim(claim))
    unjudged = (*document.unjudged, *refused)
    return Audit(document, tuple(verdicts), unjudged)


def judge(
    cell: str | Cell, left: str, right: str, *, loss: str = "sum over t", given: str = ""
) -> Verdict:
    """The verdict on one formula.

        >>> judge("lstm", "dL/dW_f", "sum(t, (dL/dc[t] * c[t-1] * f[t] * (1 - f[t])) @ h[t-1].T)").kind
        'proved'

    Args:
        cell: a shipped cell's name, a path, or a cell.
        left: what the formula is about, e.g. ``dL/dW_f``.
        right: what it is said to be.
        loss: as after ``loss`` in a file of claims.
        given: conditions that are presumed, with commas between.

    Raises:
        LanguageError: the formula is not in the language.
    """
    presumed = f" given {given}" if given else ""
    named = load(cell) if isinstance(cell, str) else cell
    text = f"loss {loss}\nclaim{presumed} : {' '.join(left.split())} == {' '.join(right.split())}\n"
    return judge_claim(read_document(text, "claim", named).claims[0])


def judge_claim(claim: Claim) -> Verdict:
    """The verdict on one claim.

    Raises:
        LanguageError: the claim speaks of quantities and names no cell, or says ~= of them.
    """
    _refuse(claim)
    started = time.perf_counter()
    other = replace(claim, formula=claim.otherwise) if claim.otherwise else None
    verdict = _with_ends(_bounded(claim) if other is None else _of_two(claim, other))
    return replace(verdict, seconds=time.perf_counter() - started)


def _with_ends(verdict: Verdict) -> Verdict:
    """A verdict with where sums were read to end, where that may be why the claim does not stand."""
    formula, text = verdict.claim.formula, verdict.claim.text
    if verdict.stands or formula is None or not (r"\sum" in text or r"\prod" in text):
        return verdict
    parts = verdict.reading, ends_of_sums(formula)
    return replace(verdict, reading="; ".join(filter(None, parts)))


def _of_two(claim: Claim, other: Claim) -> Verdict:
    """The verdict on what may be read in two ways: as what stands, else as what has shapes, else as the first.

    What is nearest is looked for in the one that is told alone.
    """
    outlook, others = _outlook(claim), _outlook(other)
    if outlook != "stands" and others == "stands":
        return _bounded(other)
    if outlook != "" or others == "":
        verdict = _bounded(claim)
        if verdict.stands or _has_shapes(verdict) or others == "":
            return verdict
    told = _bounded(other)
    return told if _has_shapes(told) else _bounded(claim)


def _outlook(claim: Claim) -> str:
    """Whether a formula ``stands``, or at least has ``shapes``; empty if it has none."""
    formula, cell = claim.formula, claim.cell
    if formula is None or cell is None or _is_of_sizes(formula) or numbers.is_numeric(formula):
        verdict = _bounded(claim)
        return "stands" if verdict.stands else "shapes" if _has_shapes(verdict) else ""
    if too_much(cell, (e.target for e in cell.equations)):
        return "shapes"
    try:
        return Trial(claim, formula, Context(cell, claim.loss, frozenset(claim.given))).outlook()
    except TooManyError:
        return "shapes"


def _is_of_sizes(formula: Formula) -> bool:
    return is_inequality(formula) or measures(formula)


def _has_shapes(verdict: Verdict) -> bool:
    """Whether a claim has a meaning for vectors, and not only for numbers."""
    return verdict.kind != MEANINGLESS and "n=1" not in verdict.conditions


def _bounded(claim: Claim) -> Verdict:
    """The verdict on a claim as it is read first; undecided where that would take too long."""
    try:
        return _judge(claim)
    except TooManyError:
        reason = (
            f"its sums and products have more than {MOST_TERMS:,} terms in a run that it speaks of"
        )
        return Verdict(claim, UNDECIDED, reason=reason)


def _refuse(claim: Claim) -> None:
    """What no verdict can be passed on is said before anything is judged, wherever in the file it stands.

    Raises:
        LanguageError: the claim speaks of quantities and names no cell, says ~= of them, or names a cell that is none.
    """
    formula = claim.formula
    if formula is None:
        _other_cell(claim)
        return
    if numbers.is_numeric(formula):
        return
    if claim.cell is None:
        problem = "The claim speaks of quantities, and no cell is named."
        raise _error(claim, problem, "Write e.g. `cell lstm` before it.")
    if formula.relation == "~=":
        problem = "An approximate equality is judged between numbers only."
        raise _error(claim, problem, "Write == between formulas, or <= between sizes.")


def _judge(claim: Claim) -> Verdict:
    formula = claim.formula
    if formula is None:
        return _sameness(claim)
    if numbers.is_numeric(formula):
        return _worked(claim, formula)
    assert claim.cell is not None  # noqa: S101 - refused before anything is judged
    problem = too_much(claim.cell, (e.target for e in claim.cell.equations))
    if problem:
        return Verdict(claim, UNDECIDED, reason=f"the cell is too large: {problem}")
    context = Context(claim.cell, claim.loss, frozenset(claim.given))
    if _is_of_sizes(formula):
        return _of_sizes(claim, formula, context)
    return Trial(claim, formula, context).verdict()


def _error(claim: Claim, problem: str, remedy: str) -> LanguageError:
    return LanguageError(problem, remedy, place=claim.place)


def _worked(claim: Claim, formula: Formula) -> Verdict:
    """Numbers against numbers."""
    try:
        if numbers.holds(formula):
            limit = numbers.tolerance(formula)
            exact = "computed to 50 digits" + (f", within {float(limit):g}" if limit else "")
            return Verdict(claim, PROVED, reason=exact)
        return Verdict(claim, NUMERICALLY_FALSE, reason=numbers.gap_text(formula))
    except MeaninglessError as error:
        start, stop = error.where
        place = claim.statement.place(start, stop) if stop > start else claim.place
        return Verdict(claim, MEANINGLESS, reason=error.problem, place=place)


def _of_sizes(claim: Claim, formula: Formula, context: Context) -> Verdict:
    """Sizes compared, in every reading: one that is proved decides, and those before it are told; else the first."""
    loss = context.loss.name if context.loss else ""
    found: list[Verdict] = []
    meant = [settled_formula(formula, loss, reading) for reading in readings(formula, loss)]
    for reading, settled in zip(readings(formula, loss), meant, strict=True):
        verdict = _sizes(claim, settled, context)
        found.append(replace(verdict, reading=describe(formula, loss, reading)))
        if verdict.kind == PROVED:
            before = tuple((v.reading, _OUTCOMES[v.kind]) for v in found[:-1])
            return replace(found[-1], other_readings=before)
    return with_order(found[0], meant[0], lambda other: _sizes(claim, other, context))


_OUTCOMES = {REFUTED: "does not hold", MEANINGLESS: "has no value", UNDECIDED: "undecided"}
"""What a reading comes to, as a verdict on another one says it."""


def _sizes(claim: Claim, formula: Formula, context: Context) -> Verdict:
    """Refuted by numbers, or by laws; what no run gives a value is not judged by laws."""
    example = find(formula, context, Reading())
    if example is not None:
        return Verdict(claim, REFUTED, counterexample=example)
    problem = unspoken(formula, context)
    if problem is not None:
        start, stop = problem.where
        place = claim.statement.place(start, stop) if stop > start else claim.place
        return Verdict(claim, MEANINGLESS, reason=problem.problem, place=place)
    why = argument(formula, context)
    if why is None:
        return Verdict(claim, UNDECIDED, reason="no law shows it, and no counterexample was found")
    free = argument(formula, context.freed(*context.declared))
    values = "" if free is not None else values_text(context.declared)
    return Verdict(claim, PROVED, reason=why.reason, values=values, bound=why.bound)


def _sameness(claim: Claim) -> Verdict:
    """A cell against a shipped one."""
    assert claim.cell is not None  # noqa: S101 - the reader demands a cell
    other = _other_cell(claim)
    names = renaming(claim.cell, other)
    if names is not None:
        return Verdict(
            claim,
            PROVED,
            reason=_renamed(names),
            bound="equal at a random run modulo a prime of 127 bits",
        )
    bare = without_bias(other)
    names = renaming(claim.cell, bare) if bare is not None else None
    if names is not None:
        return Verdict(claim, CONDITIONAL, reason=_renamed(names), conditions=("bias",))
    found = differences(claim.cell, other)
    return Verdict(
        claim,
        REFUTED,
        reason="; ".join(found) or "no renaming makes the equations those of the cell",
    )


def _other_cell(claim: Claim) -> Cell:
    """The shipped cell that the equations are said to be.

    Raises:
        LanguageError: there is none of that name.
    """
    try:
        return load(claim.same_as)
    except (UnknownCellError, ArgumentError) as error:
        raise _error(claim, error.problem, error.remedy) from None


def _renamed(names: dict[str, str]) -> str:
    changed = [f"{mine} is {theirs}" for mine, theirs in names.items() if mine != theirs]
    return "the same equations" + (f", where {', '.join(changed)}" if changed else ", name by name")


__all__ = ["Audit", "audit", "judge", "judge_claim"]
