"""What is said: formulas about a cell and its loss, where each stands, and what of a text cannot be judged."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import indent

from derive.cell import Cell
from derive.errors import LanguageError, Place
from derive.language import read_cell
from derive.language_lines import Statement
from proofs.claims.syntax import Formula


@dataclass(frozen=True, slots=True)
class Loss:
    """What is differentiated: L = Σ_t name[t], each term any function of one quantity at its step, or that itself.

    Args:
        name: of the whole; with an index, of a term.
        of: the quantity at which it looks.
        last_only: whether only the last step has a term.
        itself: whether the terms are the quantity itself, a number, and not any function of it.
    """

    name: str
    of: str
    last_only: bool = False
    itself: bool = False


def loss_of(cell: Cell, of: str, *, last_only: bool = False) -> Loss:
    """The loss that looks at one quantity: the sum of it where it is a number called loss, as in networks."""
    number = next(q for q in cell.quantities if q.name == of).shape == (1, 1)
    return Loss("L", of, last_only, itself=number and of == "loss")


def as_written(cell: Cell) -> Cell:
    """A cell with its losses as their formulas say: a derivative by a prediction is about what was written."""
    return read_cell(cell.text, cell.name, cell.options, stable=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """One formula, with what it is about.

    Args:
        title: what its author calls it.
        formula: what it says, or ``None`` if it says that the cell is a shipped one.
        cell: the cell it speaks of.
        loss: the loss it speaks of.
        statement: where it stands.
        given: names of conditions that it presumes.
        same_as: the shipped cell that the equations are said to be.
        text: the formula as written.
        otherwise: how else it may be read, where it is in LaTeX: factors side by side multiplied first.
        presumes: a condition in words that is not read, under which a document states it.
        chooses: why it is no claim, but says what something given is; empty if it does not.
        at: the line that names it; 0 for the first one.
        strict: whether it says < or >, of which ``formula`` has the weak form.
        restates: a name that the document has defined before, of which this says once more what it is.
    """

    title: str
    formula: Formula | None
    cell: Cell | None
    loss: Loss | None
    statement: Statement
    given: tuple[str, ...] = ()
    same_as: str = ""
    text: str = ""
    otherwise: Formula | None = None
    presumes: str = ""
    chooses: str = ""
    at: int = 0
    strict: bool = False
    restates: str = ""

    @property
    def line(self) -> int:
        """Where it is found."""
        return self.at or self.statement.pieces[0][1]

    @property
    def name(self) -> str:
        """Its title, or the line where it stands."""
        return self.title or f"line {self.line}"

    @property
    def place(self) -> Place:
        """Where the formula stands, what comes before its colon left out."""
        code = self.statement.code
        start = code.find(":", code.rfind('"') + 1) + 1 if code.startswith("claim") else 0
        start += len(code[start:]) - len(code[start:].lstrip())
        return self.statement.place(start, len(code.rstrip()))


UNREADABLE = "unreadable"
NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Unjudged:
    """What a text says and no verdict is passed on.

    Args:
        name: its title, or the line where it stands.
        text: as written.
        error: why, where, and what to do.
        kind: ``unreadable``, a claim that is not in the language; or ``not judged``, a formula of a document that
            says nothing about the cell.
    """

    name: str
    text: str
    error: LanguageError
    kind: str = UNREADABLE

    @property
    def line(self) -> int:
        """Where it stands."""
        return self.error.place.line if self.error.place else 0

    @property
    def source(self) -> str:
        """The name of the text in which it stands."""
        return self.error.place.source if self.error.place else ""

    def written(self) -> str:
        """On a few lines, for a terminal: what is unreadable with its place and what to do, else why not judged."""
        if self.kind == UNREADABLE:
            return f"{self.name}: {self.kind}\n{indent(str(self.error), '    ')}"
        return f"{self.name}: {self.kind}\n    {self.text}\n    because: {self.error.problem}"

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {
            "title": self.name,
            "line": self.line,
            "claim": self.text,
            "verdict": self.kind,
            "reason": self.error.problem,
            "remedy": self.error.remedy,
        }


@dataclass(frozen=True, slots=True)
class Document:
    """A file of claims.

    Args:
        source: its name.
        title: its first comment.
        reference: where the claims come from, after ``# source:``.
        claims: in order.
        unjudged: what else it says, in order.
    """

    source: str
    title: str
    reference: str
    claims: tuple[Claim, ...]
    unjudged: tuple[Unjudged, ...] = ()
