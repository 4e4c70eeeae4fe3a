"""Edits: the mistakes that people make in such formulas, each undone in every place where it could have been made.

An edit has a cost; the search tries cheap ones first. Its kind names the mistake, its message says what was wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

from proofs.claims.edit_content import (
    activation,
    complement,
    complement_of,
    missing_factor,
    missing_term,
    other_quantity,
    other_quantity_and_step,
    outer,
    slope_form,
    slope_missing,
    superfluous,
)
from proofs.claims.edit_kinds import Edit, Rule, Scope, said
from proofs.claims.edit_structure import diagonal, index, kind, order, product, sign, transpose
from proofs.claims.syntax import (
    Call,
    Deriv,
    Node,
    Num,
    Qty,
    children,
    map_nodes,
    walk,
    with_children,
)


def edits(node: Node, scope: Scope, *, few: bool = False) -> Iterator[Edit]:
    """Every edit of a formula at every place, and a wrong index everywhere.

    Args:
        node: the formula.
        scope: what edits may bring in.
        few: only those that are likely to come in pairs.
    """
    if not few:
        yield from _index_everywhere(node, scope)
        yield from _exchanged(node)
    for parent, part, rebuild in _places(node):
        for rule in _FEW if few else _RULES:
            for mistake, message, new in rule(part, parent, scope):
                yield Edit(mistake, message, rebuild(new))


def _places(node: Node) -> Iterator[tuple[Node | None, Node, Callable[[Node], Node]]]:
    """Every part with its parent and the way back to the whole."""
    stack: list[tuple[Node | None, Node, Callable[[Node], Node]]] = [(None, node, lambda new: new)]
    while stack:
        parent, part, rebuild = stack.pop()
        yield parent, part, rebuild
        parts = children(part)
        for i, child in enumerate(parts):
            stack.append((part, child, _put(part, parts, i, rebuild)))


def _put(
    part: Node, parts: tuple[Node, ...], i: int, rebuild: Callable[[Node], Node]
) -> Callable[[Node], Node]:
    return lambda new: rebuild(with_children(part, (*parts[:i], new, *parts[i + 1 :])))


def _index_everywhere(node: Node, scope: Scope) -> Iterator[Edit]:
    """An index that is wrong wherever its quantity stands with it, or wherever one differentiates by it."""
    everywhere = Counter(p for p in walk(node) if isinstance(p, Qty) and p.index is not None)
    jacobians = [p for p in walk(node) if isinstance(p, Deriv) and p.of != Qty(name=scope.loss)]
    below = Counter(p.by for p in jacobians if p.by.index is not None)
    for call in dict.fromkeys(
        p for p in walk(node) if isinstance(p, Call) and p.name in ("tanh", "sigmoid")
    ):
        bare = map_nodes(node, lambda n, call=call: call.args[0] if n == call else n)
        message = said("derivative at the wrong point: {} should be {}", call, call.args[0])
        yield Edit("derivative at the wrong point", message, bare)
    for seen, only_below in ((everywhere, False), (below, True)):
        for part in [part for part, count in seen.items() if count > 1]:
            for steps in (-1, 1):
                new = _shifted(part, steps)
                changed = map_nodes(node, _substitution(part, new, only_below=only_below))
                message = said("index off by one, {} times: {} should be {}", seen[part], part, new)
                yield Edit("index off by one", message, changed)


def _exchanged(node: Node) -> Iterator[Edit]:
    """A gate and its complement, or a number and its, that stand in each other's place."""
    parts = dict.fromkeys(walk(node))
    for part in parts:
        number = isinstance(part, Num) and 0 < part.value < HALF
        other = complement_of(part) if number or isinstance(part, Qty) else None
        if other in parts:
            message = said("gate for its complement: {} and {} should change places", part, other)
            yield Edit("gate for its complement", message, _exchange(node, part, other))


def _exchange(node: Node, one: Node, other: Node) -> Node:
    """One part for the other; what is differentiated, and by what, stays."""
    if isinstance(node, Deriv) or node in (one, other):
        return other if node == one else one if node == other else node
    parts = children(node)
    return with_children(node, tuple(_exchange(p, one, other) for p in parts)) if parts else node


def _shifted(part: Qty, steps: int) -> Qty:
    return replace(part, index=part.index.shifted(steps) if part.index else None)


def _substitution(old: Qty, new: Qty, *, only_below: bool) -> Callable[[Node], Node]:
    if only_below:
        return lambda n: (
            replace(n, by=new)
            if isinstance(n, Deriv) and n.by == old and isinstance(n.of, Qty) and n.of.index
            else n
        )
    return lambda n: new if n == old else n


HALF = Fraction(1, 2)
_RULES: tuple[Rule, ...] = (
    transpose, order, index, sign, kind, product, diagonal, slope_form, complement, slope_missing, other_quantity,
    superfluous, missing_factor, missing_term,
    activation, outer, other_quantity_and_step,
)  # fmt: skip
_FEW: tuple[Rule, ...] = (transpose, order, index, sign, product)
