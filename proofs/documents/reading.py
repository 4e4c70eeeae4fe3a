"""A document to claims: each formula about the cell as the document states it, and why the others are none."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from derive.cell import Cell
from derive.errors import ArgumentError, LanguageError
from derive.language_lines import Statement
from proofs.claims import numbers
from proofs.claims.conditions import named_condition
from proofs.claims.document import MAX_CLAIMS, ClaimsReader, statements_of
from proofs.claims.identities import with_identity
from proofs.claims.latex import read_parts
from proofs.claims.latex_looks import plain
from proofs.claims.latex_signs import RELATION, Part
from proofs.claims.said import NOT_JUDGED, Claim, Document, Unjudged
from proofs.claims.syntax import Deriv, Formula, free_variables, walk
from proofs.documents.beside import presumed
from proofs.documents.choices import chosen
from proofs.documents.definitions import Definitions
from proofs.documents.pages import Page, pages
from proofs.documents.sayings import Saying, sayings
from proofs.documents.tex import Found, mathematics

LOSSES = ("L", "E", "J", "C", r"\ell")
"""What a loss is called, where it stands behind the sign of a derivative and is no quantity of the cell."""
ASIDES = {r"\in", r"\to", r"\rightarrow", r"\sim", r"\mapsto", r"\subset", r"\subseteq"}
"""Relations that, within a line of words, say no more than what something is."""
STRICT = {"<": "≤", ">": "≥"}
"""What is false where its weak form is; that two sides are never equal is not judged."""
_ONE_SIDE = "Write both sides."


def read_paper(text: str, source: str, cell: Cell | None = None) -> Document:
    """The formulas of a document about a cell.

    Args:
        text: the file.
        source: its name, whose ending says what it is.
        cell: what it speaks of until a comment of its own says so, ``audit: cell lstm``.

    Raises:
        ArgumentError: nothing says of which cell it speaks.
        LanguageError: it is no such document, or a comment behind ``audit:`` is not in the language of claims.
    """
    reader = _Paper(source, cell)
    found = pages(text, source)
    order = {page.source: n for n, page in enumerate(found)}
    for page in found:
        reader.read(page)
    if reader.lines.cell is None:
        raise ArgumentError(
            f"{source} is a document, and nothing says of which cell it speaks.",
            "Pass --cell lstm, or write the comment `audit: cell lstm` into it.",
        )
    claims = sorted(reader.claims, key=lambda c: (order[c.statement.source], c.line))
    unjudged = sorted(reader.unjudged, key=lambda u: (order[u.source], u.line))
    return Document(source, "", "", tuple(claims), tuple(unjudged))


class _DefinedError(LanguageError):
    """A formula says what a name stands for."""


class _Paper:
    def __init__(self, source: str, cell: Cell | None) -> None:
        self.lines = ClaimsReader(source, cell)
        self.claims: list[Claim] = []
        self.unjudged: list[Unjudged] = []
        self.named_loss = False
        self.definitions = Definitions()
        self.waiting: list[tuple[Saying, _Sheet]] = []

    def read(self, page: Page) -> None:
        """One page: its directions and its formulas, in order."""
        found = mathematics(page.tex, page.source)
        stated = [s for block in found.blocks for s in sayings(block)]
        stated = _with_length(stated)
        directions = statements_of(page.directions.split("\n"), page.source)
        sheet = _Sheet(page, page.text.split("\n"))
        self.name_loss(stated)
        for saying in stated:
            line = sheet.line(saying.parts[0].start)
            while directions and directions[0].pieces[0][1] <= line:
                self.direct(directions.pop(0), stated)
            self.state(saying, sheet)
        for direction in directions:
            self.direct(direction, stated)
        self.settle()
        self.other_files(found, sheet)

    def direct(self, statement: Statement, stated: Sequence[Saying]) -> None:
        """A line of the language of claims that a comment gives."""
        if statement.code.startswith(("cell", "loss")):
            self.settle()
        before = len(self.lines.claims), len(self.lines.unjudged)
        self.lines.read(statement)
        self.claims += self.lines.claims[before[0] :]
        self.unjudged += self.lines.unjudged[before[1] :]
        if statement.code.startswith("loss"):
            self.named_loss = True
        elif statement.code.startswith("cell"):
            self.named_loss = False
            self.definitions = Definitions()
            self.name_loss(stated)

    def name_loss(self, stated: Sequence[Saying]) -> None:
        """The loss as the document writes it, where no comment of it names one."""
        cell, loss = self.lines.cell, self.lines.loss
        if self.named_loss or cell is None or loss is None:
            return
        names = {q.name for q in cell.quantities}
        found = Counter(
            name for s in stated for name in _differentiated([p.text for p in plain(s.parts)])
        )
        usual = [n for n, _ in found.most_common() if n in LOSSES and n not in names]
        if usual and loss.name not in found:
            self.lines.loss = replace(loss, name=usual[0].removeprefix("\\"), itself=False)

    def other_files(self, found: Found, sheet: _Sheet) -> None:
        for sign in found.others:
            self.leave(sheet, sign, sign.text, "it names another file, which is not read", "")

    def leave(self, sheet: _Sheet, sign: Part, label: str, problem: str, remedy: str) -> None:
        """A formula that is not judged, and why."""
        statement = sheet.statement(sign.start, sign.stop)
        error = LanguageError(problem, remedy, place=statement.place(0, sign.stop - sign.start))
        text = sheet.written([sign])
        name = sheet.name(sign.start, "" if label == text else label)
        self.unjudged.append(Unjudged(name, text, error, NOT_JUDGED))

    def state(self, saying: Saying, sheet: _Sheet) -> None:
        """One formula: a claim, or a definition, or something that may be read once all is defined."""
        if not saying.displayed and saying.relation in ASIDES:
            return
        if len(self.claims) + len(self.unjudged) + len(self.waiting) >= 3 * MAX_CLAIMS:
            raise LanguageError(
                f"{sheet.page.source}: it has more than {3 * MAX_CLAIMS} formulas.",
                "Split the document.",
            )
        try:
            self.claims.append(self.claim(saying, sheet))
        except _DefinedError as told:
            self.leave_formula(saying, sheet, told)
        except LanguageError:
            self.waiting.append((saying, sheet))

    def settle(self) -> None:
        """What could not be read is read again, now that all is defined that its part of the document defines."""
        for saying, sheet in self.waiting:
            try:
                self.claims.append(self.claim(saying, sheet))
            except LanguageError as error:
                self.leave_formula(saying, sheet, error)
        self.waiting.clear()

    def leave_formula(self, saying: Saying, sheet: _Sheet, error: LanguageError) -> None:
        parts = saying.parts
        whole = Part("", min(p.start for p in parts), max(p.stop for p in parts))
        reason = error.problem.partition("\n")[0].partition(" Did you mean")[0]
        self.leave(sheet, whole, saying.label, reason, error.remedy)

    def claim(self, saying: Saying, sheet: _Sheet) -> Claim:
        """The claim that a formula makes.

        Raises:
            LanguageError: it makes none.
        """
        _refuse_form(saying)
        left, right = saying.sides
        start = min(p.start for p in saying.parts)
        stop = max(p.stop for p in saying.parts)
        statement = sheet.statement(start, stop)
        weak = STRICT.get(saying.relation, saying.relation)
        relation = Part(weak, left[-1].stop, right[0].start)
        parts = [
            replace(p, start=p.start - start, stop=p.stop - start)
            for p in (*left, relation, *right)
        ]
        names = with_identity(self.definitions.known(self.lines.names()))
        new = self.definitions.new_name(left, statement, names) if saying.relation == "=" else ""
        if new:
            names = replace(names, timed=[*names.timed, new])
        formula, otherwise = read_parts(statement, parts, names, (0, stop - start))
        if new:
            self.definitions.define(new, formula)
            raise _DefinedError(
                f"it defines {new}, which the cell does not have; it is read so elsewhere", ""
            )
        formula = self.lines.meant(self.definitions.spelled_out(formula), names, statement)
        if otherwise:
            otherwise = self.lines.meant(self.definitions.spelled_out(otherwise), names, statement)
        if formula.relation == "~=" and not numbers.is_numeric(formula):
            raise LanguageError(
                "it is approximate, and only numbers are compared so", "Write = or ≤."
            )
        own = with_identity(self.lines.names())
        given, unread = presumed(saying.beside)
        given += _from_the_first_step(formula)
        sign = saying.relation if saying.relation in {"=", "≤", "≥", *STRICT} else "≈"
        return Claim(
            title=sheet.name(right[0].start, saying.label),
            formula=formula,
            cell=self.lines.cell,
            loss=self.lines.loss,
            statement=statement,
            given=given,
            text=f"{sheet.written(left)} {sign} {sheet.written(right)}",
            otherwise=otherwise,
            presumes=unread,
            chooses=chosen(formula, self.lines.cell, names.loss, displayed=saying.displayed),
            at=sheet.line(right[0].start),
            strict=saying.relation in STRICT,
            restates=self.definitions.new_name(left, statement, own)
            if saying.relation == "="
            else "",
        )


def _refuse_form(saying: Saying) -> None:
    """What states no relation that is judged.

    Raises:
        LanguageError: the formula is of that form.
    """
    if not saying.relation:
        raise LanguageError("it states no equation", "")
    if not all(saying.sides):
        raise LanguageError("it has one side only", _ONE_SIDE)
    judged = {*RELATION, *(STRICT if saying.displayed else ())}
    if saying.relation not in judged:
        raise LanguageError(f"{saying.relation} is no relation that is judged; =, ≤ and ≥ are", "")
    cases = next((p for p in saying.parts if p.text == r"\begin"), None)
    if cases is not None:
        raise LanguageError(
            "it is written by rows: cases or a matrix", "Write a formula for each case."
        )


def _from_the_first_step(formula: Formula) -> tuple[str, ...]:
    """The range of the only letter of a formula: it counts the steps, as t does, and those begin with 1."""
    letters = {name for side in (formula.left, formula.right) for name in free_variables(side)}
    alone = next(iter(letters)) if len(letters) == 1 else "t"
    key = None if alone == "t" else named_condition(f"1<={alone}")
    return (key,) if key else ()


def _differentiated(signs: list[str]) -> Iterator[str]:
    """What stands behind the sign of a derivative."""
    for i, sign in enumerate(signs[:-1]):
        if sign in (r"\partial", "d") and signs[i + 1] != "_":
            yield signs[i + 1]
        if sign in (r"\nabla", r"\partial") and signs[i + 1] == "_":
            at, depth = i + 2, 0
            while at < len(signs):
                depth += (signs[at] == "{") - (signs[at] == "}")
                at += 1
                if depth == 0:
                    break
            yield from signs[at : at + 1]


def _with_length(stated: list[Saying]) -> list[Saying]:
    r"""``\tau`` as T where the document sums up to it: it is then the last step."""
    signs = [[p.text for p in plain(s.parts)] for s in stated]
    ends = (["^", "{", r"\tau", "}"], ["^", r"\tau"])
    sums = any(
        run[i : i + len(end)] == end and r"\sum" in run[max(0, i - 12) : i]
        for run in signs
        for i in range(len(run))
        for end in ends
    )
    if not sums:
        return stated
    return [replace(s, sides=tuple(tuple(map(_length, side)) for side in s.sides)) for s in stated]


def _length(part: Part) -> Part:
    return replace(part, text="T") if part.text == r"\tau" else part


class _Sheet:
    """A page, and where its lines begin."""

    def __init__(self, page: Page, lines: list[str]) -> None:
        self.page, self.lines = page, lines
        self.starts = list(accumulate((len(line) + 1 for line in lines[:-1]), initial=0))

    def line(self, at: int) -> int:
        return bisect_right(self.starts, at)

    def name(self, at: int, label: str) -> str:
        """File, line and label."""
        return f"{self.page.source}, line {self.line(at)}" + (f" ({label})" if label else "")

    def written(self, side: Sequence[Part]) -> str:
        text = self.page.text[min(p.start for p in side) : max(p.stop for p in side)]
        return " ".join(text.replace("&", " ").split())

    def statement(self, start: int, stop: int) -> Statement:
        """The text between two places, with the lines on which it stands."""
        first, last = self.line(start), self.line(max(start, stop - 1))
        pieces = tuple(
            (self.starts[n - 1] - start, n, self.lines[n - 1]) for n in range(first, last + 1)
        )
        return Statement(self.page.source, self.page.text[start:stop], pieces)


def has_derivative(formula: Formula) -> bool:
    """Whether a formula speaks of a derivative."""
    return any(isinstance(p, Deriv) for side in (formula.left, formula.right) for p in walk(side))
