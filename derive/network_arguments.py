"""What a scan gives a cell, in order or by name: ``scan(bahdanau, M[end], x=d[t], K=K[end])``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from derive.errors import LanguageError
from derive.language_words import listed, nearest
from derive.syntax import Span

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Argument(Generic[Value]):
    """A value as given.

    Args:
        value: the value.
        span: its place, its name included.
        name: the name before ``=``; empty where its place in the order says which it is.
    """

    value: Value
    span: Span
    name: str = ""


def offered(kind: str, names: Sequence[str]) -> str:
    """``input x``, ``inputs M and x``."""
    return f"{kind}{'s' * (len(names) > 1)} {listed(names)}"


def paired(
    arguments: Sequence[Argument[Value]], names: Sequence[str], cell: str, kind: str
) -> dict[str, Argument[Value]]:
    """Each argument under the name that it is for; those without a name stand in order, before all others.

    Args:
        arguments: what is given, in order; no more than there are names.
        names: the names that the cell offers, in its order.
        cell: the cell's name.
        kind: what the names are, ``input`` or ``option``.

    Raises:
        LanguageError: a name is not offered or given twice, or what has no name stands behind what has one.
    """
    found: dict[str, Argument[Value]] = {}
    for place, argument in enumerate(arguments):
        name = argument.name or names[place]
        if not argument.name and any(a.name for a in found.values()):
            raise LanguageError(
                "What is given in order stands before what is given by name.",
                f"Give this {kind} a name too, one of {listed(names)}, followed by =.",
                place=argument.span.place,
            )
        if name not in names:
            raise LanguageError(
                f"{cell} has no {kind} {name}.{nearest(name, names)}",
                f"It has the {offered(kind, names)}.",
                place=argument.span.place,
            )
        if name in found:
            raise LanguageError(
                f"The {kind} {name} of {cell} is given twice.",
                "Remove one. What has no name is taken in order.",
                place=argument.span.place,
            )
        found[name] = argument
    return found
