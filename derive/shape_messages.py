"""What is said of shapes that do not fit: both places, what each size is, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from derive.dimensions import FIXED, VARYING, Contradiction, Dimensions, Size, Unknown, combine
from derive.errors import Place, ShapeError
from derive.syntax import Span


@dataclass(frozen=True, slots=True)
class Demand:
    """Why two sizes must be equal.

    Args:
        kind: product, entrywise, equation, stack, softmax, diag, repeat, number, declared, alike, columns or default.
        left: the part of the text that has the first size.
        right: the part that has the second.
        left_axis: 0 for its rows, 1 for its columns.
        right_axis: likewise.
    """

    kind: str
    left: Span
    right: Span
    left_axis: int = 0
    right_axis: int = 0

    def columns(self) -> Demand:
        """The same demand on the columns of both."""
        return replace(self, left_axis=1, right_axis=1)


_REMEDIES = {
    "product": "In A @ B the columns of A are the rows of B: change one of them, or transpose one with .T.",
    "entrywise": "Entry by entry both sides need one shape: use @ for a matrix product, "
    "or `dim name = 1` for a scalar, which meets any shape.",
    "equation": "Both sides of an equation have one shape: change the expression or the declared size.",
    "stack": "concat stacks rows: its parts need equally many columns.",
    "softmax": "softmax and logsumexp take a column vector: transpose a row with .T, declare a vector by "
    "`dim name = n`, or normalise over all entries of a matrix a with exp(a) / sum(exp(a)).",
    "diag": "diag takes a column vector: transpose a row with .T, or declare a vector by `dim name = n`.",
    "repeat": "repeat takes a column vector: transpose a row with .T, or declare a vector by `dim name = n`.",
    "number": "What multiplies I, diag(a) or a bracket that holds one is a number: declare it, `dim name = 1` or "
    "`const name`; what scales every row by its own entry is diag(a).",
    "declared": "Change this declaration or the other place.",
    "columns": "columns(a[s]) puts the columns a[s] of all steps side by side: a is a column vector at every step.",
    "alike": "A scan that starts from another has states of the same sizes.",
    "default": "Declare its shape: `dim name = n` for a column, `dim name = n, m` for a matrix.",
}

_COLUMN = ("softmax", "diag", "repeat", "number", "default")
"""The kinds of demand that one size is 1."""


def conflict(
    found: Contradiction, dimensions: Dimensions[Demand], names: Mapping[Unknown, str]
) -> ShapeError:
    """The error for two sizes that cannot be equal."""
    demand: Demand = found.reason  # type: ignore[assignment]
    place = demand.right.place
    sizes = [dimensions.resolve(found.a), dimensions.resolve(found.b)]
    problem = [f"{_what(demand, sizes, names)}."]
    problem += _impossible(sizes, names)
    problem += _origins(demand, [found.a, found.b], dimensions, names)
    remedy = _REMEDIES[demand.kind]
    for fixed, varying in (sizes, sizes[::-1]):
        flags = dimensions.flags_of
        if flags(fixed) & FIXED and flags(varying) & VARYING and demand.kind not in _COLUMN:
            problem.append(
                f"{size_text(varying, names)} is how many steps there are; {size_text(fixed, names)} is a size of "
                "parameters, which are the same for sequences of every length."
            )
            remedy += " What has a value for every step is computed, or given from outside, w[end]."
    return ShapeError("\n".join(problem), remedy, place=place)


def _what(demand: Demand, sizes: list[Size], names: Mapping[Unknown, str]) -> str:
    left, right = (size_text(size, names) for size in sizes)
    if demand.kind in _COLUMN:
        axis = demand.left_axis
        return f"{demand.left.text} must have {_counted('1', axis)}; it has {_counted(left, axis)}"
    if demand.kind == "declared":
        return f"{demand.left.text} is declared with {_counted(right, demand.right_axis)}; it has {left}"
    return (
        f"{demand.left.text} has {_counted(left, demand.left_axis)}; "
        f"{demand.right.text} has {_counted(right, demand.right_axis)}"
    )


def _counted(size: str, axis: int) -> str:
    noun = ("row", "column")[axis]
    return f"{size} {noun}" if size == "1" else f"{size} {noun}s"


def _impossible(sizes: list[Size], names: Mapping[Unknown, str]) -> list[str]:
    """A sentence where symbolic sizes differ by what cannot be nothing."""
    difference = combine([(1, sizes[0]), (-1, sizes[1])])
    flip = -1 if any(k < 0 for _, k in difference.terms) else 1
    rest = combine([(flip, difference)])
    if not rest.terms or rest.constant < 0 or any(k < 0 for _, k in rest.terms):
        return []
    return [f"They could be equal only if {size_text(rest, names)} were 0."]


def _origins(
    demand: Demand, sizes: list[Size], dimensions: Dimensions[Demand], names: Mapping[Unknown, str]
) -> list[str]:
    """For each side, the other line that settled its size."""
    here = demand.right.place
    told: dict[tuple[str, int], str] = {}
    for v in (v for size in sizes for v in size.unknowns):
        reasons = [
            r
            for r in dimensions.reasons(v)
            if _where(r.right.place) != _where(here) and r.kind != "default"
        ]
        reasons.sort(key=lambda reason: reason.kind != "declared")
        if reasons:
            place = reasons[0].right.place
            value = size_text(dimensions.resolve(Size(0, ((v, 1),))), names)
            file = "" if place.source == here.source else f"{place.source}, "
            line = f"{value} comes from {file}line {place.line}: {place.text.strip()}"
            told.setdefault(_where(place), line)
    return list(told.values())


def _where(place: Place) -> tuple[str, int]:
    return place.source, place.line


def undecided(
    waiting: tuple[Size, Size, Demand], dimensions: Dimensions[Demand], names: Mapping[Unknown, str]
) -> ShapeError:
    """The error for sizes that the equations leave open."""
    a, b, demand = waiting
    left, right = (size_text(dimensions.resolve(size), names) for size in (a, b))
    return ShapeError(
        f"The sizes cannot be decided: {demand.left.text} has {_counted(left, demand.left_axis)}, "
        f"{demand.right.text} has {_counted(right, demand.right_axis)}, and {left} = {right} has many solutions.",
        "Declare the parts, e.g. `dim name = n`.",
        place=demand.right.place,
    )


def size_text(size: Size, names: Mapping[Unknown, str]) -> str:
    """A size as an author writes it: ``n + 2*m``."""
    terms = [names.get(v, "?") if k == 1 else f"{k}*{names.get(v, '?')}" for v, k in size.terms]
    terms += [str(size.constant)] if size.constant or not terms else []
    return " + ".join(terms)
