"""Readings: what a formula can mean where its author leaves something open, and whether it holds then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product

import numpy as np

from proofs.claims.coverage import Coverage
from proofs.claims.meaning import Meaning, Reading, has_derivative
from proofs.claims.points import compared, outside
from proofs.claims.printing import show
from proofs.claims.syntax import (
    Add,
    Big,
    Chain,
    Deriv,
    Formula,
    Mul,
    Node,
    Num,
    Open,
    Qty,
    Where,
    children,
    map_nodes,
    walk,
)
from proofs.claims.values import FROM_ROWS, LAYOUTS, MeaninglessError
from proofs.claims.world import World
from proofs.field import SingularPointError

_PARAMETER = ("total", "immediate", "local")
_OTHER = ("total", "local", "immediate")
KINDS = {
    "total": "through every path",
    "local": "within its own step, earlier steps held fixed",
    "immediate": "through one equation, all else in it held fixed",
}
"""What each kind of derivative counts."""


@dataclass(frozen=True, slots=True)
class Status:
    """What a reading comes to.

    Args:
        reading: the reading.
        outcome: holds, fails, meaningless, outside (it speaks of a step that no run has), empty (it says nothing
            but 0 = 0) or narrow (of an index that it leaves free it can be judged at one step only).
        problem: what is meaningless.
        where: where that is.
    """

    reading: Reading
    outcome: str
    problem: str = ""
    where: Where | None = None


def open_parts(node: Node, loss: str) -> list[Deriv]:
    """The derivatives whose kind is left open; those of the loss are gradients, and total."""
    found = [part for part in walk(node) if isinstance(part, Deriv) and part.kind == "open"]
    return [d for d in found if not (isinstance(d.of, Qty) and d.of.name == loss)]


def readings(formula: Formula, loss: str, layout: str = "house") -> Iterator[Reading]:
    """All that the formula can mean in a layout, the left side's total derivative first."""
    left, right = open_parts(formula.left, loss), open_parts(formula.right, loss)
    by_parameter = _PARAMETER if any(d.by.index is None for d in right) else ("total",)
    by_other = _OTHER if any(d.by.index is not None for d in right) else ("total",)
    by_left = ("total", "local", "immediate") if left else ("total",)
    products = ("maps", "arrays") if leaves_products_open(formula) else ("maps",)
    for how, kind, other, parameter in product(products, by_left, by_other, by_parameter):
        yield Reading(parameter, other, kind, layout, how)


def leaves_products_open(formula: Formula) -> bool:
    """Whether derivatives are multiplied without a sign that says how."""
    return any(
        isinstance(part, Open) and has_derivative(part)
        for side in (formula.left, formula.right)
        for part in walk(side)
    )


def describe(formula: Formula, loss: str, reading: Reading, *, in_rows: bool = False) -> str:
    """A reading in words; empty where nothing is open.

    Args:
        formula: what is read.
        loss: the name of the loss.
        reading: how.
        in_rows: whether the cell itself has rows: turned, they are columns.
    """
    left, right = open_parts(formula.left, loss), open_parts(formula.right, loss)
    parts: list[str] = []
    if left:
        parts.append(f"the derivative on the left {reading.left}")
    if any(d.by.index is None for d in right):
        parts.append(f"those by parameters on the right {reading.by_parameter}")
    if any(d.by.index is not None for d in right):
        parts.append(f"the others on the right {reading.by_other}")
    if reading.products == "arrays":
        parts.append("products without a sign as products of arrays")
    if reading.layout == "row" and in_rows:
        parts.append(FROM_ROWS)
    elif reading.layout != "house":
        parts.append(LAYOUTS[reading.layout])
    return "; ".join(parts)


def ends_of_sums(formula: Formula) -> str:
    """Where the sums and products of a formula in LaTeX were read to end, though a sign follows; empty if none does."""
    told: list[str] = []
    for side in (formula.left, formula.right):
        for part in walk(side):
            pairs = pairwise(part.terms) if isinstance(part, Add) else ()
            for (_, term), (sign, after) in pairs:
                if big := _last_big(term):
                    follows = f"{'+' if sign > 0 else '-'} {show(after)}"
                    told.append(f"the {big.kind} over {big.var} ends before {follows}")
    return "; ".join(dict.fromkeys(told))


def _last_big(node: Node) -> Big | None:
    """The sum or product with which a term ends."""
    if isinstance(node, Big):
        return node
    return _last_big(children(node)[-1]) if isinstance(node, Mul | Chain | Open) else None


def settle(node: Node, loss: str, reading: Reading, *, left: bool) -> Node:
    """The formula with every open derivative named, and every open product made, as the reading has it."""

    def change(part: Node) -> Node:
        if isinstance(part, Open) and reading.products == "arrays" and has_derivative(part):
            return Chain(where=part.where, factors=part.factors)
        if not isinstance(part, Deriv) or part.kind != "open":
            return part
        if isinstance(part.of, Qty) and part.of.name == loss:
            return replace(part, kind="total")
        other = reading.by_parameter if part.by.index is None else reading.by_other
        return replace(part, kind=reading.left if left else other)

    return map_nodes(node, change)


def settled_formula(formula: Formula, loss: str, reading: Reading) -> Formula:
    """Both sides with nothing left open."""
    return replace(
        formula,
        left=settle(formula.left, loss, reading, left=True),
        right=settle(formula.right, loss, reading, left=False),
    )


def status(formula: Formula, worlds: Sequence[World], reading: Reading) -> Status:
    """Whether a reading holds at every world."""
    said, coverage = False, Coverage()
    for world in worlds:
        meaning, judged = Meaning(world, reading), list[dict[str, int]]()
        try:
            for pair in compared(formula, meaning):
                if not pair.equal:
                    return Status(reading, "fails")
                said = said or bool(np.any(np.not_equal(pair.left, 0)))
                judged.append(pair.places)
        except MeaninglessError as error:
            return Status(reading, "meaningless", error.problem, error.where)
        except SingularPointError:
            return Status(reading, "meaningless", "it divides by zero in every run")
        if not judged:
            return Status(reading, "outside", outside(formula, meaning))
        coverage.of_run(world, judged)
    if not said and not is_about_nothing(formula, worlds):
        return Status(reading, "empty")
    return Status(reading, "narrow" if coverage.gap else "holds", coverage.gap)


def fails_in(formula: Formula, worlds: Sequence[World], reading: Reading) -> bool:
    """Whether a reading fails in one of these runs, each looked at alone."""
    return any(status(formula, [w], reading).outcome == "fails" for w in worlds)


def is_about_nothing(formula: Formula, worlds: Sequence[World]) -> bool:
    """Whether a formula says of something that it is 0."""
    return isinstance(formula.right, Num) and bool(worlds) and formula.right.value == 0
