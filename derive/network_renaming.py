"""A cell's equations under the name of the scan that runs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from derive.errors import LanguageError, ShapeError
from derive.initial import Start
from derive.language_declarations import Declaration
from derive.language_words import listed
from derive.losses import mapped
from derive.network_arguments import paired
from derive.network_columns import as_written
from derive.network_scans import Scan
from derive.syntax import EquationText, Node, Ref, Span, references


@dataclass(frozen=True, slots=True)
class Renaming:
    """The names of a cell under a scan: states ``f_h``, parameters ``f_W``, inputs what the scan runs along.

    Args:
        scan: the scan.
        inputs: what the scan gives each of the cell's inputs.
        defined: the names that the cell's equations define.
        owner: the scan under whose name the parameters go.

    """

    scan: Scan
    inputs: Mapping[str, Ref]
    defined: set[str]
    owner: str

    @property
    def targets(self) -> list[str]:
        """The names of what its equations define, under the scan's."""
        return [self.name(target, timed=True) for target in self.defined]

    @property
    def told(self) -> str:
        """Which of the cell's inputs each sequence is."""
        given = [f"{as_written(ref.span)} as {name}" for name, ref in self.inputs.items()]
        return f"{self.scan.name}, line {self.scan.span.place.line} of the network, gives {listed(given)}."

    @property
    def by_name(self) -> str:
        """The scan as it would be written with the first of its inputs by name."""
        name, ref = next(iter(self.inputs.items()))
        return f"scan({self.scan.chosen}, {name}={as_written(ref.span)}, …)"

    def equation(self, equation: EquationText) -> EquationText:
        """An equation of the cell."""
        target = f"{self.scan.name}_{equation.target}"
        return EquationText(target, equation.target_span, mapped(equation.value, self.node))

    def node(self, node: Node) -> Node:
        """A node, if it is a name; all others stay."""
        if not isinstance(node, Ref):
            return node
        if node.name in self.inputs:
            given = self.inputs[node.name]
            return replace(node, name=given.name, lag=(node.lag or 0) + (given.lag or 0))
        return replace(node, name=self.name(node.name, node.lag is not None))

    def name(self, name: str, timed: bool) -> str:
        """The name of a quantity or (not timed) a parameter."""
        return f"{self.scan.name if timed else self.owner}_{name}"

    def written(self, ref: Ref) -> Span | None:
        """Where the scan says what a reference of its cell stands for, if that is one of its inputs."""
        given = (given for given in self.inputs.values() if given.name == ref.name)
        return next((g.span for g in given), None)

    def owners(self, equations: Iterable[EquationText]) -> dict[str, str]:
        """The scan under whose name each of the cell's own quantities and parameters goes."""
        timed = dict.fromkeys(self.targets, self.scan.name)
        used = (r for e in equations for r in references(e.value) if r.lag is None)
        return timed | dict.fromkeys((self.name(r.name, timed=False) for r in used), self.owner)

    def declaration(self, declaration: Declaration) -> Declaration:
        """A declaration about the renamed quantity; names of sizes become the scan's own."""
        timed = declaration.name in self.defined
        if declaration.name in self.inputs:
            name = self.inputs[declaration.name].name
        else:
            name = self.name(declaration.name, timed)
        value = declaration.value
        if declaration.kind == "dim":
            value = tuple(
                (constant, tuple((f"{self.owner}_{size}", k) for size, k in names))
                for constant, names in value  # type: ignore[attr-defined]
            )
        if isinstance(value, Start) and value.parameter:
            value = replace(value, parameter=self.name(value.parameter, timed=False))
        return replace(declaration, name=name, value=value)


def inputs_of(scan: Scan, names: tuple[str, ...]) -> dict[str, Ref]:
    """What a scan gives each input of its cell, which has these.

    Raises:
        LanguageError: it gives more or fewer, one twice, or one that the cell does not have.
    """
    count = len(scan.arguments)
    given = paired(scan.arguments, names, scan.cell, "input") if count <= len(names) else {}
    if missing := [name for name in names if name not in given]:
        sequences = "1 sequence is given" if count == 1 else f"{count} sequences are given"
        without = f", none for {listed(missing)}" if given else ""
        raise LanguageError(
            f"{scan.cell} takes {listed(names)}; {sequences}{without}.",
            "Give one sequence for each.",
            place=scan.cell_span.place,
        )
    return {name: given[name].value for name in names}


def with_inputs(error: ShapeError, renamings: Iterable[Renaming]) -> ShapeError:
    """An error in a cell's equations that tells too what the scans of the cell give it."""
    source = error.place.source if error.place else ""
    several = [r for r in renamings if f"{r.scan.cell}.cell" == source and len(r.inputs) > 1]
    if not several:
        return error
    order = (
        "A scan gives a cell its inputs in the order in which they first appear in the cell's equations, or by name, "
        f"{several[0].by_name}."
    )
    problem = "\n".join([error.problem, *(r.told for r in several)])
    return ShapeError(problem, f"{order} {error.remedy}", place=error.place)
