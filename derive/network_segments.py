"""Equations to segments: each bundle of scans and equations that run together as a cell, linked with the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from derive.cell import Cell, Equation, Quantity, Role
from derive.dimensions import Size
from derive.errors import LanguageError
from derive.language_build import build, dimension
from derive.language_declarations import Declaration, inits
from derive.language_indices import kinds_of
from derive.language_init import checked_starts
from derive.language_roles import Named
from derive.network import END, Network, Segment, Source
from derive.network_checks import check_memories, check_starts
from derive.network_columns import Wholes
from derive.network_groups import Group, in_order
from derive.network_sizes import with_joint_sizes
from derive.shapes import Shapes
from derive.syntax import EquationText, Ref, Span, references


@dataclass(frozen=True, slots=True)
class Checked:
    """A network's equations, of which all is known that they say.

    Args:
        groups: scans and equations, losses written out.
        ordered: all equations in order of evaluation.
        named: the role of every name.
        shapes: of all of them.
        declarations: all of them.
    """

    groups: Sequence[Group]
    ordered: Sequence[EquationText]
    named: Mapping[str, Named]
    shapes: Shapes
    declarations: Sequence[Declaration]


def assemble(name: str, checked: Checked, judged: frozenset[str], wholes: Wholes) -> Network:
    """The network of checked equations.

    Args:
        name: short name.
        checked: what it consists of.
        judged: the names in the equation of the loss; they are outputs, or a prediction could not be had.
        wholes: the sequences that are taken as matrices.

    Raises:
        LanguageError: groups that need each other run in different directions or along different axes.
    """
    groups, shapes = checked.groups, checked.shapes
    owner = {target: g for g in groups for target in g.targets}
    makers = {name: owner[sequence] for name, sequence in wholes.made.items()}
    maker = _Maker(owner, checked, _axes(groups, owner), wholes)
    segments = [maker.segment(bundle) for bundle in in_order(groups, owner | makers)]
    linked = tuple(maker.linked(s, segments, judged) for s in segments)
    places = {e.target: g.span or e.target_span for g in groups for e in g.equations}
    check_memories(linked, places)
    check_starts(linked, places)
    outside = dict.fromkeys(
        q
        for s in linked
        for q, source in s.inputs.items()
        if not source.segment and s.cell.quantity(q).kind != "mask"
    )
    depth = {q.name: max(q.depth, 0) for s in linked for q in s.cell.inputs}
    dims = tuple(dimension(Size(0, ((v, 1),)), shapes.names) for v in shapes.names)
    steps = {length: axis for axis, length in wholes.lengths.items()}
    return Network(
        name=name,
        segments=linked,
        inputs=tuple(maker.quantity(q, "input", depth[q]) for q in outside),
        axes={q: maker.axes[q] for q in outside},
        dims=tuple(d for d in dims if str(d) not in steps),
        lengths={d: steps[str(d)] for d in dims if str(d) in steps},
        loss=next((Source(s.name, "loss") for s in linked if "loss" in _defined(s)), None),
        initial={name: start for name, start, _ in inits(checked.declarations)},
    )


def _defined(segment: Segment) -> set[str]:
    return {eq.target.name for eq in segment.cell.equations}


def _axes(groups: Sequence[Group], owner: Mapping[str, Group]) -> dict[str, str]:
    """The axis of every quantity that changes with time.

    Raises:
        LanguageError: an input is used along two axes.
    """
    found = {target: g.axis for target, g in owner.items()}
    for g in groups:
        for e in g.equations:
            for ref in references(e.value):
                if ref.lag is None or (ref.name in owner and g.axis == END):
                    continue
                axis = END if ref.name in g.held else g.axis
                if found.setdefault(ref.name, axis) != axis:
                    raise _along_two(ref, g.span or ref.span, found[ref.name], axis)
    return found


def _along_two(ref: Ref, span: Span, first: str, then: str) -> LanguageError:
    """The error for a quantity that is used along two axes, the second time here."""
    remedy = "Carry it over by a scan's start or by [end], or rename one of the two."
    if first == END:
        remedy = (
            f"Write {ref.name}[end], which is the same at every step, or rename one of the two."
        )
    return LanguageError(
        f"{ref.name} runs along the axis {first} and is used along {then}.",
        remedy,
        place=span.place,
    )


@dataclass(frozen=True, slots=True)
class _Maker:
    owner: Mapping[str, Group]
    checked: Checked
    axes: Mapping[str, str]
    wholes: Wholes

    @property
    def shapes(self) -> Shapes:
        return self.checked.shapes

    @property
    def declarations(self) -> Sequence[Declaration]:
        return self.checked.declarations

    def quantity(self, name: str, role: Role, depth: int) -> Quantity:
        rows, cols = (dimension(size, self.shapes.names) for size in self.shapes.of_name[name])
        values = {d.name: d.value for d in self.declarations if d.kind == "const"}
        kind = kinds_of(self.declarations).get(name, "real")
        return Quantity(name, role, (rows, cols), depth, values.get(name), kind)

    def segment(self, bundle: list[Group]) -> Segment:
        """A bundle as a cell."""
        targets = frozenset(t for g in bundle for t in g.targets)
        texts = [e for e in self.checked.ordered if e.target in targets]
        depth: dict[str, int] = {}
        for e in texts:
            for name, lag in [(e.target, 0), *((r.name, r.lag or 0) for r in references(e.value))]:
                depth[name] = max(depth.get(name, 0), lag)
        quantities = {
            name: self.quantity(name, self.role(name, targets, d), d) for name, d in depth.items()
        }
        equations = tuple(
            Equation(
                quantities[e.target].symbol,
                build(e.value, quantities, self.shapes.of_node, self.shapes.names),
                e.line,
            )
            for e in texts
        )
        used = {s for q in quantities.values() for size in q.shape for s in size.free_symbols}
        dims = tuple(
            d
            for d in (dimension(Size(0, ((v, 1),)), self.shapes.names) for v in self.shapes.names)
            if d in used
        )
        initial = checked_starts(
            (d for d in inits(self.declarations) if d[0] in quantities), quantities
        )
        whole = Cell(bundle[0].name, equations, tuple(quantities.values()), dims, initial=initial)
        cell, joint = with_joint_sizes(whole)
        first = bundle[0]
        inputs = {q.name: Source("", q.name) for q in cell.inputs}
        starts = {}
        for g in bundle:
            if g.start:
                for q in cell.states:
                    other = g.start + q.name.removeprefix(g.name)
                    if q.name in g.targets and other in self.owner:
                        starts[q.name] = Source(g.start, other, last=True)
        reverse = any(g.reverse for g in bundle)
        return Segment(first.name, cell, first.axis, reverse, inputs, starts, joint)

    def role(self, name: str, targets: frozenset[str], depth: int) -> Role:
        role = self.checked.named[name].role
        if role in ("parameter", "constant"):
            return role
        if name in targets:
            return "state" if depth else "intermediate"
        return "input"

    def linked(
        self, segment: Segment, segments: Sequence[Segment], judged: frozenset[str]
    ) -> Segment:
        """The segment with its inputs and initial states taken from the segments that define them."""
        home = {eq.target.name: s for s in segments for eq in s.cell.equations}
        inputs = {name: self.source(name, segment, home) for name in segment.inputs}
        starts = {q: Source(home[s.name].name, s.name, True) for q, s in segment.starts.items()}
        used = (q for s in segments if s is not segment for q in s.inputs)
        exports = frozenset(self.wholes.made.get(q, q) for q in used) | judged
        if segment.axis == END:
            exports |= {source.name for s in segments for source in s.starts.values()}
        cell = replace(segment.cell, exports=exports & _defined(segment))
        return replace(segment, cell=cell, inputs=inputs, starts=starts)

    def source(self, name: str, segment: Segment, home: Mapping[str, Segment]) -> Source:
        """Where an input of a segment comes from."""
        made = self.wholes.made
        if name in made:
            return Source(home[made[name]].name, made[name], whole=True)
        held = segment.axis != END and self.axes.get(name) == END
        if name in self.wholes.masks:
            return Source("", self.wholes.masks[name], whole=True, held=held)
        source = home.get(name)
        last = source is not None and segment.axis == END and source.axis != END
        return Source(source.name if source else "", name, last, held=held)
