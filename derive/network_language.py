"""Networks from text: scans of cells, equations over their states, and a loss.

    # tagger.net
    e[t] = E @ word[t]
    f    = scan(lstm, e[t])
    b    = scan(lstm, e[t], reverse)
    y[t] = softmax(V @ concat(f.h[t], b.h[t]) + c)
    loss[t] = cross_entropy(y[t], tag[t])

Every index letter is a time axis of its own; ``[end]`` is what comes after a scan, and may be used along a later
axis, where it is the same at every step; ``columns(f.h[t])`` is a whole sequence as a matrix. All equations
together, those of the scanned cells included, go through the one inference of roles and shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from derive.catalog import shipped
from derive.errors import ArgumentError, LanguageError, ShapeError
from derive.language import equation_text, read_parts
from derive.language_declarations import (
    Declaration,
    check_twice,
    is_declaration,
    read_declaration,
)
from derive.language_diagonals import means_identity
from derive.language_expressions import Choices
from derive.language_indices import each_index_once, indices_of, write_out_embeddings
from derive.language_lines import Statement, read_lines
from derive.language_roles import Named, evaluation_order, roles
from derive.language_words import listed, nearest
from derive.losses import write_out
from derive.network import END, Network
from derive.network_arguments import offered, paired
from derive.network_checks import with_a_number_for_loss
from derive.network_columns import (
    Whole,
    Wholes,
    as_written,
    check_sequences,
    lengths_of,
    shapes_of,
)
from derive.network_groups import Group
from derive.network_lines import Line, rewritten
from derive.network_padding import without_padding
from derive.network_ragged import is_ragged, masks_for, read_ragged, with_masks
from derive.network_refused import refuse_call, refuse_own_output, refuse_turned_lags
from derive.network_renaming import Renaming, inputs_of, with_inputs
from derive.network_scans import (
    Scan,
    is_scan,
    read_scan,
    starts_of,
)
from derive.network_segments import Checked, assemble
from derive.network_starts import Begun, dotted
from derive.shapes import Shapes, infer
from derive.syntax import EquationText, Ref, Span, references

CellText = Callable[[str], str | None]


def read_network(text: str, name: str = "network", cell_text: CellText | None = None) -> Network:
    """The network that a text describes, checked.

    Args:
        text: scans, equations and declarations, one a line.
        name: the network's short name.
        cell_text: the text of the cell of a given name, ``None`` if there is none.

    Raises:
        LanguageError: the text is not in the language, or its parts do not fit.
        ShapeError: two shapes would have to agree and cannot.
    """
    source = name if "." in name else f"{name}.net"
    document = read_lines(text, source)
    reader = _Reader(cell_text or (lambda _: None))
    scans = {s.tokens[0].text for s in document.statements if is_scan(s)}
    scans |= {name for s in document.statements if is_scan(s) for name in starts_of(s)}
    reader.choices = Choices(identity=means_identity(document.statements))
    reader.words = frozenset(t.text for s in document.statements for t in s.tokens)
    for statement in document.statements:
        reader.statement(statement, scans)
    groups, named, masks = reader.finished(source)
    wholes = tuple(reader.wholes.values())
    lengths = lengths_of(wholes, named)
    checked = _checked(reader, groups, lengths)
    padded = without_padding(groups, checked.named, checked.shapes, lengths, masks)
    if padded.masks:
        reader.declarations += padded.declarations
        checked = _checked(reader, padded.groups, lengths)
    network = assemble(name, checked, reader.judged, Wholes(wholes, lengths, padded.masks))
    refuse_turned_lags(reader.scans.values())
    return replace(
        network,
        text=text,
        title=document.title,
        reference=document.reference,
        cells=reader.cells,
        masks=masks,
        owners=reader.owners,
    )


def _checked(reader: _Reader, groups: list[Group], lengths: Mapping[str, str]) -> Checked:
    """The groups in order, with the role and the shape of every name.

    Raises:
        LanguageError: a name is used in two ways, or equations need each other.
        ShapeError: two shapes would have to agree and cannot.
    """
    equations = [e for g in groups for e in g.equations]
    declarations = each_index_once(reader.declarations)
    named = roles(equations, reader.declarations)
    ordered = evaluation_order(equations, reader.written)
    alike = tuple(reader.begun.alike(groups, named, reader.scans))
    columns = shapes_of(tuple(reader.wholes.values()), lengths)

    def inferred(more: list[Declaration]) -> Shapes:
        return infer(ordered, named, [*declarations, *more], alike, columns)

    try:
        shapes = with_a_number_for_loss(ordered, named, inferred)
    except ShapeError as error:
        raise with_inputs(error, reader.renamings) from None
    return Checked(groups, ordered, named, shapes, declarations)


def _shipped() -> list[str]:
    return [entry.name for entry in shipped()]


@dataclass(slots=True)
class _Reader:
    cell_text: CellText
    groups: list[Group] = field(default_factory=list)
    declarations: list[Declaration] = field(default_factory=list)
    of_cells: list[Declaration] = field(default_factory=list)
    refs: list[Ref] = field(default_factory=list)
    judged: frozenset[str] = frozenset()
    scans: dict[str, Scan] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    ragged: dict[str, Span] = field(default_factory=dict)
    begun: Begun = field(default_factory=Begun)
    wholes: dict[str, Whole] = field(default_factory=dict)
    held: list[Ref] = field(default_factory=list)
    renamings: list[Renaming] = field(default_factory=list)
    words: frozenset[str] = frozenset()
    owners: dict[str, str] = field(default_factory=dict)
    choices: Choices = field(default_factory=Choices)

    def written(self, target: str, ref: Ref) -> Span:
        """Where the network says what an equation uses: within a cell, an input is what its scan gives."""
        own = (r for r in self.renamings if target in r.targets)
        return next((span for r in own if (span := r.written(ref))), ref.span)

    def statement(self, statement: Statement, scans: set[str]) -> None:
        """One line of the network's text.

        Raises:
            LanguageError: it is not in the language.
        """
        if is_ragged(statement):
            axis, span = read_ragged(statement)
            self.ragged.setdefault(axis, span)
        elif is_declaration(statement):
            declaration = read_declaration(rewritten(statement, scans).statement)
            if declaration.kind == "option":
                raise LanguageError(
                    "A network has no options; its cells have.",
                    "Write the option's value with the cell, as in scan(elman(relu), x[t]).",
                    place=declaration.span.place,
                )
            self.declarations.append(declaration)
            check_twice(self.declarations)
        else:
            self.line(rewritten(statement, scans, self.words))

    def finished(self, source: str) -> tuple[list[Group], dict[str, Named], dict[str, str]]:
        """The groups with losses written out and states held, the role of every name, and the masks.

        Raises:
            LanguageError: a name is used in two ways, or nothing is defined.
        """
        if not self.groups:
            raise LanguageError(
                f"{source} holds no scan and no equation.", "Write e.g. f = scan(lstm, x[t])."
            )
        self.check_fields()
        self.check_axes()
        own = {d.name for d in self.declarations if d.kind == "init"}
        self.declarations += [d for d in self.of_cells if d.kind != "init" or d.name not in own]
        groups = self.written_out()
        named = roles([e for g in groups for e in g.equations], self.declarations)
        masks = masks_for(self.ragged, groups, list(named))
        if not masks:
            return groups, named, masks
        groups, held = with_masks(groups, named, masks)
        self.declarations += held
        return groups, roles([e for g in groups for e in g.equations], self.declarations), masks

    def line(self, line: Line) -> None:
        """One scan or equation."""
        if is_scan(line.statement):
            self.scan(read_scan(line), line.held)
            return
        refuse_call(line.statement, self.cell_text)
        first, after = line.statement.tokens[:2]
        if not line.axis or after.text == "=":
            axes = (line.axis,) if line.axis else ("t", END)
            raise LanguageError(
                "An equation of a network has a time index, or [end] for what comes after a scan.",
                f"Write {' or '.join(f'{first.text}[{axis}] = …' for axis in axes)}",
                place=line.statement.place(first.start, first.stop),
            )
        (equation,), indices = write_out_embeddings([equation_text(line.statement, self.choices)])
        if dotted(equation) not in ("", *self.scans):
            self.begun.note(equation, line.axis)
            self.owners[equation.target] = dotted(equation)
        self.of_cells += indices
        self.refs += references(equation.value)
        if equation.target == "loss":
            self.judged |= {r.name for r in references(equation.value)}
        self.wholes |= {w.name: w for w in line.wholes if w.name not in self.wholes}
        self.held += [r for r in references(equation.value) if r.name in line.held]
        self.groups.append(Group(equation.target, (equation,), line.axis, held=line.held))

    def check_axes(self) -> None:
        """What is taken as a matrix is a sequence, and what is the same at every step is one value.

        Raises:
            LanguageError: it is not.
        """
        axes = {e.target: g.axis for g in self.groups for e in g.equations}
        check_sequences(tuple(self.wholes.values()), axes)
        for ref in self.held:
            if axes.get(ref.name, END) != END:
                text = as_written(ref.span)
                raise LanguageError(
                    f"{text} is the last value of a sequence, and this line has a value for every step.",
                    f"Give it a line of its own, z[end] = {text}, and write z[end] here.",
                    place=ref.span.place,
                )

    def check_fields(self) -> None:
        """``f.h[t]`` names a quantity of the cell that f runs, and f nothing else.

        Raises:
            LanguageError: it has none of this name, or stands without an index; or f is used as a quantity.
        """
        targets = [Ref(g.equations[0].target_span, g.name, 0) for g in self.groups if not g.span]
        for ref in (*targets, *self.refs):
            if ref.name in self.scans and ref.lag is not None:
                raise self.no_quantity(ref)
        for ref in self.refs:
            place = ref.span.place
            written = place.text[place.column : place.column + place.width]
            scan, dot, name = written.partition("[")[0].partition(".")
            if dot and scan.strip() in self.scans:
                self.check_field(self.scans[scan.strip()], name.strip(), ref)

    def no_quantity(self, ref: Ref) -> LanguageError:
        """The error for a scan's name where a quantity's belongs."""
        offered = self.offered(self.scans[ref.name])
        return LanguageError(
            f"{ref.name} is a scan and no quantity.",
            f"Write {ref.name}.{offered[-1]}[t] for what it computes, or give the quantity another name.",
            place=ref.span.place,
        )

    def offered(self, scan: Scan) -> list[str]:
        """What the cell of a scan computes, by its own names."""
        group = next(g for g in self.groups if g.name == scan.name and g.span)
        return [e.target.removeprefix(f"{scan.name}_") for e in group.equations]

    def check_field(self, scan: Scan, name: str, ref: Ref) -> None:
        """One such name."""
        span, offered = ref.span, self.offered(scan)
        if name not in offered:
            raise LanguageError(
                f"{scan.cell} computes no {name}.{nearest(name, offered)}",
                f"It computes {listed(offered)}.",
                place=span.place,
            )
        if ref.lag is None:
            raise LanguageError(
                f"{scan.name}.{name} changes with time and stands here without an index.",
                f"Write {scan.name}.{name}[{scan.axis}], or {scan.name}.{name}[end] for the last step.",
                place=span.place,
            )

    def written_out(self) -> list[Group]:
        """The groups with losses written out; a loss may name an argument in another line's group."""
        owner = {e.target: g for g in self.groups for e in g.equations}
        done: dict[str, list[EquationText]] = {g.name: [] for g in self.groups}
        waiting: list[EquationText] = []
        for e in write_out(
            [e for g in self.groups for e in g.equations], indices_of(self.declarations)
        ):
            waiting.append(e)
            if e.target in owner:
                done[owner[e.target].name] += waiting
                waiting = []
        return [replace(g, equations=tuple(done[g.name])) for g in self.groups]

    def scan(self, scan: Scan, held: frozenset[str]) -> None:
        """The equations of a cell, under the scan's names."""
        if scan.name in self.scans:
            raise LanguageError(
                f"The scan {scan.name} is defined twice.", "Rename one.", place=scan.span.place
            )
        text = self.cell_text(scan.cell)
        if text is None:
            raise LanguageError(
                f"No cell is called {scan.cell}.{nearest(scan.cell.lower(), _shipped())}",
                "Name a shipped cell, or a file of this name with the ending .cell beside the network.",
                place=scan.cell_span.place,
            )
        if scan.axis == END:
            raise LanguageError(
                "A scan runs along a time axis; [end] is what comes after.",
                "Write one letter, as in x[t]: beside values at [end] a scan is given a sequence, be it its own output "
                "of the step before.",
                place=scan.span.place,
            )
        refuse_own_output(scan)
        self.cells[scan.cell] = text
        self.refs += scan.inputs
        self.held += [r for r in scan.inputs if r.name in held]
        parts = read_parts(text, f"{scan.cell}.cell", self.options(scan))
        inputs = inputs_of(scan, parts.inputs)
        renaming = Renaming(scan, inputs, {e.target for e in parts.equations}, self.shared(scan))
        self.renamings.append(renaming)
        equations = tuple(renaming.equation(e) for e in parts.equations)
        self.owners |= renaming.owners(parts.equations)
        self.of_cells += [renaming.declaration(d) for d in parts.declarations if d.kind != "option"]
        start, after = self.begun.started(scan, self.scans)
        self.groups.append(
            Group(scan.name, equations, scan.axis, scan.reverse, start, scan.span, after, held)
        )
        self.scans[scan.name] = scan

    def options(self, scan: Scan) -> dict[str, str]:
        """What a scan chooses of its cell's options."""
        text = self.cells[scan.cell]
        names = read_parts(text, f"{scan.cell}.cell", {}).options
        if len(scan.options) > len(names):
            has = f"it has the {offered('option', names)}" if names else "it has no options"
            raise LanguageError(
                f"{scan.cell} is given {len(scan.options)} option{'s' * (len(scan.options) > 1)}; {has}.",
                "Remove what is too much.",
                place=scan.cell_span.place,
            )
        given = paired(scan.options, names, scan.cell, "option")
        chosen = {name: argument.value for name, argument in given.items()}
        try:
            return read_parts(text, f"{scan.cell}.cell", chosen).chosen
        except ArgumentError as error:
            raise LanguageError(error.problem, error.remedy, place=scan.cell_span.place) from None

    def known(self, word: tuple[str, Span]) -> str:
        """The name of an earlier scan."""
        name, span = word
        if name not in self.scans:
            raise LanguageError(
                f"{name} is no scan defined above.{nearest(name, self.scans)}",
                "Name a scan of an earlier line.",
                place=span.place,
            )
        return name

    def shared(self, scan: Scan) -> str:
        """The scan under whose name the parameters go."""
        if scan.share is None:
            return scan.name
        other = self.scans[self.known(scan.share)]
        if other.cell != scan.cell or self.options(other) != self.options(scan):
            raise LanguageError(
                f"{other.name} is a scan of {other.chosen}, and {scan.name} of {scan.chosen}.",
                "Only scans of the same cell, with the same options, share their parameters.",
                place=scan.share[1].place,
            )
        return self.shared(other)
