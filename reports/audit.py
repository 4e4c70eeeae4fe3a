"""The page of an audit: a table of verdicts, then each claim with its reading, its counterexample and its repair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from derive.latex import latex_name
from numeric.equations import equations_text
from proofs.claims.conditions import words
from proofs.claims.court import Audit
from proofs.claims.readings import KINDS
from proofs.claims.said import NOT_JUDGED, UNREADABLE, Loss, Unjudged
from proofs.claims.syntax import Deriv, walk
from proofs.claims.typeset import typeset
from proofs.claims.verdict import (
    CONDITIONAL,
    LAYOUT,
    MEANINGLESS,
    NUMERICALLY_FALSE,
    PROVED,
    REFUTED,
    UNDECIDED,
    Verdict,
)
from reports.markdown import anchor, code_span, equation, escape_markdown, table
from reports.notebook import Code, Section, Text, build

if TYPE_CHECKING:
    from nbformat import NotebookNode

_MARKS = {PROVED: "✓", LAYOUT: "✓", CONDITIONAL: "—", UNDECIDED: "—"}
_MEANINGS = {
    PROVED: "holds for all sizes and lengths: an identity at random points modulo a prime, with the error bound "
    "stated; a bound by the laws that are named; numbers against numbers to 50 digits",
    LAYOUT: "holds once its derivatives are laid out in another way than ours; the translation is given",
    CONDITIONAL: "does not hold in general, but holds under the condition named",
    REFUTED: "does not hold: numbers are given for which the two sides differ",
    NUMERICALLY_FALSE: "the numbers do not come out as stated",
    MEANINGLESS: "the shapes of its parts cannot agree, or a part has no value",
    UNDECIDED: "neither shown nor refuted",
    NOT_JUDGED: "says nothing about the cell's quantities that can be judged; why is said",
    UNREADABLE: "is not in the language of claims",
}

_SIGNS = {
    "total": "",
    "local": r", $\partial^{\mathrm{loc}}$,",
    "immediate": r", $\partial^{+}$,",
}


def build_audit(audit: Audit) -> NotebookNode:
    """The notebook of an audit.

    Args:
        audit: what the court found.
    """
    name = audit.document.title or audit.document.source
    sections = [
        Section("summary", [Text(_summary(audit))]),
        Section("verdicts", [Text(_table(audit))]),
        Section("claims", list(_claims(audit))),
    ]
    return build(f"Audit: {name}", sections)


def _summary(audit: Audit) -> str:
    total = len(audit.verdicts) + len(audit.unjudged)
    counts = audit.counts
    parts = [f"{n} {kind}" for kind, n in counts.items()]
    lines = [
        f"{total} claim{'s' if total != 1 else ''} from {code_span(audit.document.source)}: {', '.join(parts)}.",
        "",
    ]
    lines += [f"- **{kind}**: {_MEANINGS[kind]}" for kind in counts]
    if any(v.reading or v.other_readings or _kinds(v) for v in audit.verdicts):
        lines += [
            "",
            "Where an author does not say which derivative is meant, every reading is judged:",
            "",
        ]
        lines += [
            f"- {'an' if kind[0] in 'aeiou' else 'a'} **{kind}** derivative{_SIGNS[kind]} counts what passes {what}"
            for kind, what in KINDS.items()
        ]
    if audit.document.reference:
        lines += ["", f"Source: {escape_markdown(audit.document.reference)}"]
    return "\n".join(lines)


def _kinds(verdict: Verdict) -> bool:
    """Whether a formula of it says which kind of derivative it means."""
    formulas = [verdict.claim.formula, verdict.repair.formula if verdict.repair else None]
    parts = (p for f in formulas if f for side in (f.left, f.right) for p in walk(side))
    return any(isinstance(p, Deriv) and p.kind in ("local", "immediate") for p in parts)


def _table(audit: Audit) -> str:
    rows = [
        [
            f"[{escape_markdown(v.claim.name)}](#claim-{i})",
            f"{_MARKS.get(v.kind, '✗')} {v.kind}",
            escape_markdown(_short(v)),
        ]
        for i, v in enumerate(audit.verdicts, 1)
    ]
    rows += [
        [escape_markdown(u.name), f"— {u.kind}", escape_markdown(u.error.problem)]
        for u in audit.unjudged
    ]
    return "## Verdicts\n\n" + table(["claim", "verdict", "in short"], rows)


def _short(verdict: Verdict) -> str:
    """What is wrong, or under which condition it is right."""
    needs = " and ".join(words(c) for c in verdict.conditions)
    parts = [f"holds if {needs}"] if needs else []
    parts += verdict.repair.kinds if verdict.repair is not None else ()
    if parts:
        return "; ".join(parts)
    return verdict.reason if not verdict.stands else ""


def _claims(audit: Audit) -> Iterator[Text | Code]:
    """Each claim, and before the first one of each cell and loss what these are."""
    cell, loss = None, None
    for number, verdict in enumerate(audit.verdicts, 1):
        claim = verdict.claim
        if claim.cell is not None and (claim.cell, claim.loss) != (cell, loss):
            cell, loss = claim.cell, claim.loss
            yield Text(f"What follows is about this cell{_loss(loss)}:")
            yield Code(equations_text(cell), language="text")
        yield Text(_claim(verdict, number))
    yield from (Text(_unjudged(u)) for u in audit.unjudged)


def _unjudged(found: Unjudged) -> str:
    parts = [f"### {escape_markdown(found.name)}: {found.kind}"]
    parts += ["As written: " + code_span(found.text)] if found.text else []
    parts.append(f"*because:* {escape_markdown(found.error.problem)}")
    parts += [escape_markdown(found.error.remedy)] if found.error.remedy else []
    return "\n\n".join(parts)


def _loss(loss: Loss | None) -> str:
    if loss is None:
        return ""
    name, of = latex_name(loss.name), latex_name(loss.of, time="T" if loss.last_only else "t")
    term = of if loss.itself else latex_name(loss.name, time="t")
    whole = of if loss.last_only else rf"\sum_t {term}"
    if loss.itself:
        return f", with the loss ${name} = {whole}$"
    if loss.last_only:
        return f", with a loss ${name}$ that is any function of ${of}$"
    return f", with the loss ${name} = {whole}$, each term any function of ${of}$"


def _claim(verdict: Verdict, number: int) -> str:
    parts = [
        f"{anchor(f'claim-{number}')}\n\n### {escape_markdown(verdict.claim.name)}: {verdict.kind}"
    ]
    parts.append("As written: " + code_span(verdict.claim.text))
    if verdict.claim.formula is not None:
        parts.append(equation(typeset(verdict.claim.formula)))
    if verdict.claim.given:
        parts.append("Presumed: " + ", ".join(words(c) for c in verdict.claim.given) + ".")
    parts += [f"*{name}* {escape_markdown(what)}" for name, what in _rows(verdict)]
    if verdict.repair is not None:
        parts.append(
            "*what is wrong:* " + "; ".join(escape_markdown(e) for e in verdict.repair.errors)
        )
        rests_on = verdict.repair.rests_on
        parts.append(
            f"*repaired, and proved{' ' + escape_markdown(rests_on) if rests_on else ''}:*"
        )
        parts.append(equation(typeset(verdict.repair.formula)))
    return "\n\n".join(parts)


def _rows(verdict: Verdict) -> list[tuple[str, str]]:
    skip = {"where:", "diagnosis:", "repaired:"}
    return [(name, what) for name, what in verdict.rows() if what and name not in skip]
