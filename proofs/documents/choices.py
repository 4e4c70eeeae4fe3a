"""Formulas that say how something given is chosen, as ``W = I``: no claims, unless no choice makes them true.

Whatever W is, ``W = W + 1`` and ``‖W‖ ≤ -1`` are false: their sides always differ by the same number, or by more.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from derive.cell import Cell
from proofs.claims import numbers
from proofs.claims.bounds import is_inequality
from proofs.claims.counterexample import Counterexample, find
from proofs.claims.court import judge_claim
from proofs.claims.meaning import Reading
from proofs.claims.measured import measures
from proofs.claims.points import Context
from proofs.claims.said import Claim
from proofs.claims.syntax import Add, Deriv, Formula, Index, Node, Num, Qty, walk
from proofs.claims.trial import Trial
from proofs.claims.values import TooManyError
from proofs.claims.verdict import PROVED, REFUTED, Verdict
from proofs.workload import too_much

_OPPOSITE = {"==": "==", "<=": ">=", ">=": "<="}
_INITIAL = Index((), 0)


def chosen(formula: Formula, cell: Cell | None, loss: str, *, displayed: bool) -> str:
    """Why nothing follows a formula from: it says what something given is; empty if it does not.

    Args:
        formula: what a document says.
        cell: of which it speaks.
        loss: the name of the loss.
        displayed: whether it stands by itself.
    """
    if formula.relation != "==" or numbers.is_numeric(formula):
        return ""
    left, right = formula.left, formula.right
    if isinstance(left, Qty) and left.index and isinstance(right, Num) and not displayed:
        return "it sets a quantity to a number for the sake of argument"
    for side in (left,) if _is_about(left, cell) else (left, right):
        if isinstance(side, Qty) and side.name == loss:
            return "it says what the loss is"
        if isinstance(side, Qty) and (side.name in given_of(cell) or side.index == _INITIAL):
            return f"it says what {side.name} is, and that is given"
    return ""


def _is_about(side: Node, cell: Cell | None) -> bool:
    """Whether a side speaks of what follows from a cell's equations: of derivatives, or of a value that is computed."""
    parts = list(walk(side))
    computed = {e.target.name for e in cell.equations} if cell else set[str]()
    names = {p.name for p in parts if isinstance(p, Qty) and p.index != _INITIAL}
    return any(isinstance(p, Deriv) for p in parts) or not names.isdisjoint(computed)


def given_of(cell: Cell | None) -> set[str]:
    """The quantities of a cell that no equation and no declaration gives a value."""
    quantities = cell.quantities if cell else ()
    return {q.name for q in quantities if q.role in ("parameter", "input")}


def impossible(claim: Claim) -> Verdict | None:
    """The verdict on a formula that no choice makes true; ``None`` where none is found to be so.

    Law: at some point the sides differ by a number c; if l = r + c is an identity, l = r nowhere holds, and if
    l ≥ r + c > r does, l ≤ r nowhere does.
    """
    formula, cell = claim.formula, claim.cell
    if formula is None or cell is None or formula.relation not in _OPPOSITE:
        return None
    if numbers.is_numeric(formula) or too_much(cell, (e.target for e in cell.equations)):
        return None
    context = Context(cell, claim.loss, frozenset(claim.given))
    try:
        example = find(formula, context, Reading())
        gap = _gap(example) if example else None
        shifted = _shifted(formula, gap) if gap else None
        bound = (
            _shown(replace(claim, formula=shifted, otherwise=None), context) if shifted else None
        )
    except TooManyError:
        return None
    if gap is None or bound is None:
        return None
    return Verdict(claim, REFUTED, reason=_told(formula, gap), counterexample=example, bound=bound)


def _gap(example: Counterexample) -> Fraction | None:
    """By how much the left side is more than the right one at a point, where that is one number in every entry."""
    gaps = {Fraction(float(v)).limit_denominator(1000) for v in (example.left - example.right).flat}
    return gaps.pop() if len(gaps) == 1 else None


def _shifted(formula: Formula, gap: Fraction) -> Formula:
    """That the sides differ by so much everywhere, or by more."""
    right = Add(terms=((1, formula.right), (1, Num(value=gap))), where=formula.right.where)
    return replace(formula, right=right, relation=_OPPOSITE[formula.relation])


def _shown(claim: Claim, context: Context) -> str | None:
    """The probability of error with which a claim is proved, nothing else being looked for; ``None`` if it is not."""
    formula = claim.formula
    if formula is None or is_inequality(formula) or measures(formula):
        verdict = judge_claim(claim)
        return verdict.bound if verdict.kind == PROVED else None
    trial = Trial(claim, formula, context)
    found = trial.in_layout("house") if trial.worlds else []
    held = next((status for status in found if status.outcome == "holds"), None)
    verdict = trial.proved(held, found) if held else None
    return verdict.bound if verdict and verdict.kind == PROVED else None


def _told(formula: Formula, gap: Fraction) -> str:
    """In words."""
    least = "" if formula.relation == "==" else "at least "
    more = "more" if gap > 0 else "less"
    said = (
        f"no choice makes it true: the left side is always {least}{abs(gap)} {more} than the right"
    )
    named = isinstance(formula.left, Qty) and formula.left.index is None
    updates = named and formula.left in walk(formula.right)
    return (
        f"{said}; that a new value takes an old one's place is written with ←" if updates else said
    )
