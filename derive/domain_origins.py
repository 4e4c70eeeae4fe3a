"""Where the values of a leaf come from: an equation of its own segment or of another, or what is given from outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Rational

from derive.cell import Cell, Equation, Quantity
from derive.intervals import UNIT, Range
from derive.network import Network, Source
from derive.nodes import Timed


@dataclass(frozen=True, slots=True)
class Part:
    """What is needed of a segment, such that equal ones are found again; a cell is one.

    Args:
        name: of the segment.
        equations: of its cell.
        quantities: of its cell.
        inputs: the source of every input.
        starts: the source of initial states that are not given.
    """

    name: str
    equations: tuple[Equation, ...]
    quantities: tuple[Quantity, ...]
    inputs: tuple[tuple[str, Source], ...] = ()
    starts: tuple[tuple[str, Source], ...] = ()


def parts_of(model: Cell | Network) -> tuple[Part, ...]:
    """The segments of a network, or a cell as the only one."""
    if isinstance(model, Cell):
        return (Part(model.name, model.equations, model.quantities),)
    return tuple(
        Part(
            s.name,
            s.cell.equations,
            s.cell.quantities,
            tuple(s.inputs.items()),
            tuple(s.starts.items()),
        )
        for s in model.segments
    )


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the values of a leaf come from.

    Args:
        part: that computes them, or is given them.
        name: of the quantity.
        expr: by which they are computed; ``None`` if they are given.
        fixed: the interval of what is given and cannot be chosen, such as a mask.
    """

    part: str
    name: str
    expr: Any = None
    fixed: Range | None = None

    @property
    def free(self) -> bool:
        """Whether the values are given, and can be chosen."""
        return self.expr is None and self.fixed is None


def origins(parts: Mapping[str, Part], at: str, leaf: Any) -> Iterator[Origin]:
    """Where the values of a leaf come from; those of a state from an equation, and before the first step from a start.

    Args:
        parts: the segments, by name.
        at: the segment in which the leaf stands.
        leaf: a quantity, at a step or without one.
    """
    part = parts[at]
    q = next(q for q in part.quantities if q.name == leaf.name)
    if q.role in ("input", "parameter", "constant"):
        yield from _outside(parts, part, q)
        return
    yield from (Origin(at, q.name, e.expr) for e in part.equations if e.target.name == q.name)
    if isinstance(leaf, Timed) and leaf.lag:
        start = dict(part.starts).get(q.name)
        yield from (Origin(at, q.name),) if start is None else _computed(parts, start)


def _outside(parts: Mapping[str, Part], part: Part, q: Quantity) -> Iterator[Origin]:
    source = dict(part.inputs).get(q.name)
    if q.value is not None:
        value = Rational(q.value.numerator, q.value.denominator)
        yield Origin(part.name, q.name, fixed=(value, value))
    elif q.kind != "real":
        yield Origin(part.name, q.name, fixed=UNIT)
    elif source and source.segment:
        yield from _computed(parts, source)
    else:
        yield Origin(part.name, source.name if source else q.name)


def _computed(parts: Mapping[str, Part], source: Source) -> Iterator[Origin]:
    quantity = next(q for q in parts[source.segment].quantities if q.name == source.name)
    yield from origins(parts, source.segment, quantity.symbol)
