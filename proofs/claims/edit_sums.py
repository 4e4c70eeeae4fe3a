"""Mistakes in sums over time: one that is missing, cut short, or of which the last term alone is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from proofs.claims.edit_kinds import Edit, said
from proofs.claims.syntax import Big, Index, Node, Qty, free_variables, map_nodes


def sums(right: Node, left: Node) -> Iterator[Edit]:
    """A missing sum over time, or one that is cut short.

    Args:
        right: what is claimed.
        left: of what; its free indices are bound already.
    """
    bound = set(free_variables(left))
    whole = (Index((), 1), Index((("T", 1),)))
    for name in free_variables(right):
        if name not in bound:
            new = Big(kind="sum", var=name, lo=whole[0], hi=whole[1], descending=False, body=right)
            yield Edit("missing sum over t", said("missing sum over {}", name), new)
    if "t" not in (*bound, *free_variables(right)) and not isinstance(right, Big):
        every = map_nodes(right, _at_every_step)
        new = Big(kind="sum", var="t", lo=whole[0], hi=whole[1], descending=False, body=every)
        yield Edit(
            "missing sum over t", said("missing sum over t: only the last step is there"), new
        )
    if isinstance(right, Big) and right.kind == "sum":
        for lo in (right.lo, Index((), 1), Index((), 0)):
            for hi in (right.hi, whole[1], Index((("t", 1),))):
                new = replace(right, lo=lo, hi=hi)
                known = bound | {"T"}
                if new != right and all(n in known for n, _ in (*lo.terms, *hi.terms)):
                    yield Edit("truncated sum", said("truncated sum: it should be {}", new), new)


def _at_every_step(node: Node) -> Node:
    """What speaks of the last step, said of step t."""
    if not isinstance(node, Qty) or node.index is None:
        return node
    terms = tuple(("t" if name == "T" else name, factor) for name, factor in node.index.terms)
    return replace(node, index=replace(node.index, terms=terms))
