"""Files of claims: which cell, which loss, and the formulas said about them.

    cell lstm                              a shipped cell, with options as in elman:g=relu
    cell                                   or equations of one's own, indented
        h[t] = tanh(W @ h[t-1] + U @ x[t])
    loss sum over t of E(y)                E = Σ E[t], E[t] any function of y[t]; ``loss last step`` looks at T only
    loss sum over t of loss                L = Σ loss[t], of a cell that computes its loss
    notation d open                        d does not say which derivative is meant, as ∂ does not
    claim "title" given b = 0 : left == right
    claim "title" : cell is lstm           the equations above are those of a shipped cell

Each of cell, loss and notation holds for the claims after it. An indented line continues the one before.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NoReturn

from derive.catalog import load
from derive.cell import Cell
from derive.errors import ArgumentError, LanguageError, Place, UnknownCellError
from derive.language import read_cell
from derive.language_lines import MAX_LINE, MAX_TEXT, Statement
from derive.still import still_of
from proofs.claims.conditions import CONDITIONS, PRESUMED, named_condition, whose_total
from proofs.claims.cursor import Names
from proofs.claims.hints import for_line
from proofs.claims.identities import sized, with_identity
from proofs.claims.latex import read_latex
from proofs.claims.matrix_powers import with_matrix_powers
from proofs.claims.reader import read_formula
from proofs.claims.said import Claim, Document, Loss, Unjudged, as_written, loss_of
from proofs.claims.syntax import Formula
from proofs.claims.words import tokens_of

MAX_CLAIMS = 300
_LOSS = re.compile(
    r"loss\s+(?P<when>sum over t|last step|at T)"
    r"(\s+of\s+((?P<name>[A-Za-z]\w*)\s*\(\s*(?P<of>\w+)\s*\)|(?P<bare>\w+)))?\s*"
)
_HEAD = re.compile(r'claim\b\s*("(?P<title>[^"]*)")?\s*(given\s+(?P<given>[^:]*))?\s*(?P<colon>:)?')
_SAME_CELL = re.compile(r"\s*cell\s+is\s+(?P<spec>\S+)\s*")


def read_document(text: str, source: str = "claims", cell: Cell | None = None) -> Document:
    """The claims of a text; ``cell`` is what they speak of until the text names one.

    A claim that is not in the language stops no other: it is among what is not judged, with the error.

    Raises:
        LanguageError: no claim is in the language, or what claims rest on is not: a cell, a loss, a notation.
        CellError: a cell in it is not valid.
    """
    if len(text) > MAX_TEXT:
        raise LanguageError(
            f"{source}: the text has {len(text):,} characters; at most {MAX_TEXT:,} are read.",
            "Split the file.",
        )
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    for number, raw in enumerate(lines, 1):
        if len(raw) > MAX_LINE:
            raise LanguageError(
                f"The line is too long: it has {len(raw):,} characters; at most {MAX_LINE:,} are read.",
                "Break it; continue with a blank.",
                place=Place(source, number, raw),
            )
        _refuse_invisible(raw, number, source)
    comments = [line.lstrip("#").strip() for line in lines if line.startswith("#")]
    sources = [c for c in comments if c.lower().startswith("source:")]
    titles = [c for c in comments if c and c not in sources]
    reader = ClaimsReader(source, cell)
    for statement in statements_of(lines, source):
        reader.read(statement)
    if not reader.claims and reader.unjudged:
        raise reader.unjudged[0].error
    if not reader.claims:
        raise LanguageError(
            f"{source} holds no claim.", 'Write e.g. claim "carry" : dL/dc[t-1] == dL/dc[t] * f[t]'
        )
    title = titles[0] if titles else ""
    reference = " ".join(s[7:].strip() for s in sources)
    return Document(source, title, reference, tuple(reader.claims), tuple(reader.unjudged))


def _refuse_invisible(raw: str, number: int, source: str) -> None:
    """Characters that do not show, or that change how others show: a page must say what was judged."""
    at = next(
        (i for i, c in enumerate(raw) if not (c.isprintable() or c == "\t" or c.isspace())), None
    )
    if at is not None:
        raise LanguageError(
            f"The character U+{ord(raw[at]):04X} cannot be seen.",
            "Leave it out.",
            place=Place(source, number, raw, at),
        )


def statements_of(lines: list[str], source: str) -> list[Statement]:
    """Lines with their indented continuations; comments and blank lines fall out."""
    found: list[Statement] = []
    for number, raw in enumerate(lines, 1):
        kept = _without_comment(raw)
        if not kept.strip():
            continue
        if raw[0] in " \t" and found:
            last = found.pop()
            code = last.code + "\n"
            found.append(
                replace(last, code=code + kept, pieces=(*last.pieces, (len(code), number, raw)))
            )
        else:
            found.append(Statement(source, kept, ((0, number, raw),)))
    return found


def _without_comment(line: str) -> str:
    quoted = False
    for i, char in enumerate(line):
        if char == '"':
            quoted = not quoted
        elif char == "#" and not quoted:
            return line[:i]
    return line


def _fail(
    statement: Statement, problem: str, remedy: str, at: int = 0, width: int | None = None
) -> NoReturn:
    stop = at + (width or max(1, len(statement.code.rstrip()) - at))
    raise LanguageError(problem, remedy, place=statement.place(at, stop))


class ClaimsReader:
    """Reads the lines of a file of claims, one after another, each in the light of those before."""

    def __init__(self, source: str, cell: Cell | None) -> None:
        self.source = source
        self.cell = cell
        self.loss = loss_of(cell, cell.equations[-1].target.name) if cell else None
        self.open_d = False
        self.named: dict[str, Cell] = {}
        self.claims: list[Claim] = []
        self.unjudged: list[Unjudged] = []

    def read(self, statement: Statement) -> None:
        """One line with its continuations.

        Raises:
            LanguageError: it is no line of the language, or what claims rest on is not.
        """
        word = (re.match(r"\w*", statement.code) or [""])[0]
        readers = {
            "cell": self._read_cell,
            "loss": self._read_loss,
            "notation": self._read_notation,
            "claim": self._read_claim,
        }
        if word not in readers:
            problem = "A line begins with cell, loss, notation or claim."
            _fail(statement, problem, for_line(statement.code), 0, len(word) or 1)
        after = statement.code[len(word) :].lstrip()
        if word != "claim" and after.startswith(":"):
            rest = " ".join(after[1:].partition("\n")[0].split())
            remedy = f"Write `{f'{word} {rest}'.rstrip()}`."
            _fail(statement, f"No colon follows {word}.", remedy, statement.code.index(":"), 1)
        readers[word](statement)

    def _read_cell(self, statement: Statement) -> None:
        spec = statement.code.partition("\n")[0][4:].strip()
        equations = statement.code.partition("\n")[2]
        if bool(spec) == bool(equations.strip()):
            _fail(
                statement,
                "A cell is named, or its equations follow, indented.",
                "Write e.g. cell lstm",
            )
        if spec:
            try:
                self.cell = self.named.get(spec) or as_written(load(spec))
                self.named[spec] = self.cell
            except (UnknownCellError, ArgumentError) as error:
                _fail(statement, error.problem, error.remedy, statement.code.index(spec), len(spec))
        else:
            first = statement.pieces[1][1]
            text = "\n" * (first - 1) + self._padded(statement)
            self.cell = read_cell(text, self.source, stable=False)
        self.loss = loss_of(self.cell, self.cell.equations[-1].target.name)

    def _padded(self, statement: Statement) -> str:
        """The equations on the lines where they stand."""
        lines: dict[int, str] = {
            number: _without_comment(raw) for _, number, raw in statement.pieces[1:]
        }
        first, last = min(lines), max(lines)
        return "\n".join(lines.get(number, "") for number in range(first, last + 1))

    def _read_loss(self, statement: Statement) -> None:
        found = _LOSS.fullmatch(statement.code)
        if found is None:
            _fail(
                statement,
                "This is no loss.",
                "Write `loss sum over t`, `loss sum over t of E(y)` or `loss last step of E(y)`.",
            )
        cell = self._need_cell(statement)
        of = found["of"] or found["bare"] or cell.equations[-1].target.name
        if of not in {e.target.name for e in cell.equations}:
            _fail(
                statement,
                f"The cell defines no {of}.",
                "Name a quantity that has an equation.",
                statement.code.index(of),
                len(of),
            )
        name = found["name"] or "L"
        if name in {q.name for q in cell.quantities}:
            _fail(
                statement,
                f"The loss would be called {name}, and {name} is a quantity of the cell.",
                f"Give it another name, as in `loss sum over t of loss_t({of})`.",
                found.start("name") if found["name"] else 0,
                len(name) if found["name"] else len(statement.code),
            )
        last_only = found["when"] != "sum over t"
        bare = found["name"] is None
        self.loss = loss_of(cell, of, last_only=last_only) if bare else Loss(name, of, last_only)

    def _read_notation(self, statement: Statement) -> None:
        words = statement.code.split()
        if len(words) != 3 or words[1] != "d" or words[2] not in ("open", "total"):
            _fail(
                statement, "This is no notation.", "Write `notation d open` or `notation d total`."
            )
        self.open_d = words[2] == "open"

    def _need_cell(self, statement: Statement) -> Cell:
        if self.cell is None:
            _fail(statement, "No cell has been named yet.", "Write e.g. `cell lstm` before it.")
        return self.cell

    def names(self) -> Names:
        """What a formula may speak of here."""
        if self.cell is None or self.loss is None:
            return Names()
        plain = [q.name for q in self.cell.quantities if q.role in ("parameter", "constant")]
        timed = [q.name for q in self.cell.quantities if q.name not in plain]
        return Names(timed, plain, self.loss.name, self.open_d, still_of(self.cell))

    def _read_claim(self, statement: Statement) -> None:
        if len(self.claims) + len(self.unjudged) >= MAX_CLAIMS:
            _fail(
                statement,
                f"More than {MAX_CLAIMS} claims: at most that many are read.",
                "Split the file.",
            )
        head = _HEAD.match(statement.code)
        try:
            self.claims.append(self._claim(statement, head))
        except LanguageError as error:
            name = (head and head["title"]) or f"line {statement.pieces[0][1]}"
            text = statement.code[head.end() if head else 0 :]
            self.unjudged.append(Unjudged(name, " ".join(text.split()), error))

    def _claim(self, statement: Statement, head: re.Match[str] | None) -> Claim:
        if head is None or head["colon"] is None:
            _fail(
                statement, "A claim is followed by a colon.", 'Write claim "title" : left == right'
            )
        given = self._given(statement, head["given"] or "", head.start("given"))
        start, stop = head.end(), len(statement.code)
        body = statement.code[start:stop]
        same = _SAME_CELL.fullmatch(body)
        formula, otherwise = (None, None) if same else self._formula(statement, start, stop)
        return Claim(
            title=head["title"] or "",
            formula=formula,
            cell=self._need_cell(statement) if same else self.cell,
            loss=self.loss,
            statement=statement,
            given=given,
            same_as=same["spec"] if same else "",
            text=" ".join(body.split()),
            otherwise=otherwise,
        )

    def _formula(
        self, statement: Statement, start: int, stop: int
    ) -> tuple[Formula, Formula | None]:
        body = statement.code[start:stop].replace("\n", " ")
        flat = replace(statement, code=statement.code[:start] + body)
        if not body.strip():
            _fail(
                statement,
                "The claim says nothing.",
                "Write left == right after the colon.",
                max(0, start - 1),
                1,
            )
        if body.strip().startswith("$"):
            names = with_identity(self.names())
            formula, otherwise = read_latex(flat, start, stop, names)
            other = self.meant(otherwise, names, flat) if otherwise else None
            return self.meant(formula, names, flat), other
        return read_formula(flat, tokens_of(flat, start, stop), self.names()), None

    def meant(self, formula: Formula, names: Names, statement: Statement) -> Formula:
        """A formula of LaTeX with powers of matrices as products, and identities of their size.

        Raises:
            LanguageError: nothing tells how large an identity is.
        """
        return with_matrix_powers(sized(formula, self.cell, names, statement), self.cell)

    def _given(self, statement: Statement, text: str, at: int) -> tuple[str, ...]:
        found: list[str] = []
        for part in filter(None, (p.strip() for p in text.split(","))):
            name = named_condition(part)
            if name is None:
                known = ", ".join(c.spelling for c in (*CONDITIONS, *PRESUMED))
                _fail(
                    statement,
                    f"{part} is no condition.",
                    f"The conditions are {known}, total(d) = 1 for an input d, 1 <= k <= t.",
                    statement.code.index(part, at),
                    len(part),
                )
            self._check_total(statement, part, whose_total(name), at)
            found.append(name)
        return tuple(found)

    def _check_total(self, statement: Statement, part: str, name: str, at: int) -> None:
        """Only what is given at every step, a column, can be presumed to add up to 1."""
        columns = [q.name for q in self.cell.inputs if q.shape[1] == 1] if self.cell else []
        if name and name not in columns:
            _fail(
                statement,
                f"{name} is no input of the cell whose entries could add up to 1.",
                f"Name one of {', '.join(columns)}." if columns else "Leave the condition out.",
                statement.code.index(part, at),
                len(part),
            )
