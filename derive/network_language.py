"""Networks from text: scans of cells, equations over their states, and a loss.

    # tagger.net
    e[t] = E @ word[t]
    f    = scan(lstm, e[t])
    b    = scan(lstm, e[t], reverse)
    y[t] = softmax(V @ concat(f.h[t], b.h[t]) + c)
    loss[t] = cross_entropy(y[t], tag[t])

Every index letter is a time axis of its own; ``[end]`` is what comes after a scan. All equations together, those
of the scanned cells included, go through the one inference of roles and shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from derive.errors import LanguageError
from derive.language import equation_text, read_parts
from derive.language_declarations import Declaration, is_declaration, read_declaration
from derive.language_expressions import Choices
from derive.language_lines import read_lines
from derive.language_roles import Named, evaluation_order, roles
from derive.language_words import listed, nearest
from derive.losses import mapped, write_out
from derive.network import Network
from derive.network_lines import Line, rewritten
from derive.network_scans import Scan, is_scan, read_scan
from derive.network_segments import Group, assemble
from derive.shapes import infer
from derive.syntax import EquationText, Node, Ref, Span

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
    for statement in document.statements:
        if is_declaration(statement):
            reader.declarations.append(read_declaration(statement))
        else:
            reader.line(rewritten(statement, scans))
    groups = reader.written_out()
    equations = [e for g in groups for e in g.equations]
    named = roles(equations, reader.declarations)
    ordered = evaluation_order(equations)
    shapes = infer(ordered, named, reader.declarations, reader.alike(groups, named))
    network = assemble(name, groups, ordered, named, shapes, reader.declarations)
    return replace(
        network, text=text, title=document.title, reference=document.reference, cells=reader.cells
    )


@dataclass(slots=True)
class _Reader:
    cell_text: CellText
    groups: list[Group] = field(default_factory=list)
    declarations: list[Declaration] = field(default_factory=list)
    scans: dict[str, Scan] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)

    def alike(
        self, groups: list[Group], named: Mapping[str, Named]
    ) -> Iterator[tuple[str, str, Span]]:
        """States that start from others, and so have their shapes.

        Raises:
            LanguageError: the other scan has no state of this name.
        """
        for g in groups:
            for state in sorted(n for n in g.targets if g.start and named[n].role == "state"):
                other = f"{g.start}{state.removeprefix(g.name)}"
                word, span = self.scans[g.name].start or ("", self.scans[g.name].span)
                if other not in named or named[other].role != "state":
                    raise LanguageError(
                        f"{word} has no state {state.removeprefix(g.name + '_')} to start from.",
                        "Start a scan from one whose states have the same names.",
                        place=span.place,
                    )
                yield state, other, span

    def line(self, line: Line) -> None:
        """One scan or equation."""
        if is_scan(line.statement):
            self.scan(read_scan(line))
            return
        if not line.axis:
            first = line.statement.tokens[0]
            raise LanguageError(
                "An equation of a network has a time index, or [end] for what comes after a scan.",
                f"Write {first.text}[t] = … or {first.text}[end] = …",
                place=line.statement.place(first.start, first.stop),
            )
        equation = equation_text(line.statement, Choices())
        self.groups.append(Group(equation.target, (equation,), line.axis))

    def written_out(self) -> list[Group]:
        """The groups with losses written out; a loss may name an argument in another line's group."""
        owner = {e.target: g for g in self.groups for e in g.equations}
        done: dict[str, list[EquationText]] = {g.name: [] for g in self.groups}
        waiting: list[EquationText] = []
        for e in write_out([e for g in self.groups for e in g.equations]):
            waiting.append(e)
            if e.target in owner:
                done[owner[e.target].name] += waiting
                waiting = []
        return [replace(g, equations=tuple(done[g.name])) for g in self.groups]

    def scan(self, scan: Scan) -> None:
        """The equations of a cell, under the scan's names."""
        if scan.name in self.scans:
            raise LanguageError(
                f"The scan {scan.name} is defined twice.", "Rename one.", place=scan.span.place
            )
        text = self.cell_text(scan.cell)
        if text is None:
            raise LanguageError(
                f"No cell is called {scan.cell}.",
                "Name a shipped cell, or a file of this name with the ending .cell beside the network.",
                place=scan.cell_span.place,
            )
        self.cells[scan.cell] = text
        parts = read_parts(text, f"{scan.cell}.cell", self.options(scan, text))
        renaming = _Renaming(
            scan, parts.inputs, {e.target for e in parts.equations}, self.shared(scan)
        )
        equations = tuple(renaming.equation(e) for e in parts.equations)
        self.declarations += [
            renaming.declaration(d) for d in parts.declarations if d.kind != "option"
        ]
        start = self.known(scan.start) if scan.start else None
        self.groups.append(Group(scan.name, equations, scan.axis, scan.reverse, start, scan.span))
        self.scans[scan.name] = scan

    def options(self, scan: Scan, text: str) -> dict[str, str]:
        """The cell's options by name, from their values in order."""
        offered = read_parts(text, f"{scan.cell}.cell", {}).options
        if len(scan.options) > len(offered):
            has = f"its options are {listed(offered)}" if offered else "it has no options"
            raise LanguageError(
                f"{scan.cell} is given {len(scan.options)} options; {has}.",
                "Remove what is too much.",
                place=scan.cell_span.place,
            )
        return dict(zip(offered, scan.options, strict=False))

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
        if (other.cell, other.options) != (scan.cell, scan.options):
            raise LanguageError(
                f"{other.name} is a scan of {other.cell}, and {scan.name} of {scan.cell}.",
                "Only scans of the same cell share their parameters.",
                place=scan.share[1].place,
            )
        return self.shared(other)


@dataclass(frozen=True, slots=True)
class _Renaming:
    """The names of a cell under a scan: states ``f_h``, parameters ``f_W``, inputs what the scan runs along."""

    scan: Scan
    inputs: tuple[str, ...]
    defined: set[str]
    owner: str

    def __post_init__(self) -> None:
        if len(self.scan.inputs) != len(self.inputs):
            raise LanguageError(
                f"{self.scan.cell} has {len(self.inputs)} inputs ({', '.join(self.inputs)}); "
                f"{len(self.scan.inputs)} are given.",
                "Give one sequence for each.",
                place=self.scan.cell_span.place,
            )

    def equation(self, equation: EquationText) -> EquationText:
        target = f"{self.scan.name}_{equation.target}"
        return EquationText(target, equation.target_span, mapped(equation.value, self.node))

    def node(self, node: Node) -> Node:
        if not isinstance(node, Ref):
            return node
        if node.name in self.inputs:
            given = self.scan.inputs[self.inputs.index(node.name)]
            return replace(node, name=given.name, lag=(node.lag or 0) + (given.lag or 0))
        return replace(node, name=self.name(node.name, node.lag is not None))

    def name(self, name: str, timed: bool) -> str:
        return f"{self.scan.name if timed else self.owner}_{name}"

    def declaration(self, declaration: Declaration) -> Declaration:
        """A declaration about the renamed quantity; names of sizes become the scan's own."""
        timed = declaration.name in self.defined
        if declaration.name in self.inputs:
            name = self.scan.inputs[self.inputs.index(declaration.name)].name
        else:
            name = self.name(declaration.name, timed)
        value = declaration.value
        if declaration.kind == "dim":
            value = tuple(
                (constant, tuple((f"{self.owner}_{size}", k) for size, k in names))
                for constant, names in value  # type: ignore[attr-defined]
            )
        return replace(declaration, name=name, value=value)
