"""Sizes of products whose factors stand the wrong way round: Jacobians are multiplied with the latest step first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from proofs.claims.syntax import Big, Formula, Node, map_nodes, walk
from proofs.claims.verdict import PROVED, REFUTED, Repair, Verdict

ERROR = "wrong order of factors"


def with_order(verdict: Verdict, formula: Formula, judge: Callable[[Formula], Verdict]) -> Verdict:
    """A verdict on what is refuted, repaired where it is proved with every product turned round.

    Args:
        verdict: on the formula.
        formula: one that compares sizes, with nothing left open.
        judge: the verdict on another one.
    """
    if verdict.kind != REFUTED:
        return verdict
    turned = replace(
        formula, left=map_nodes(formula.left, _turned), right=map_nodes(formula.right, _turned)
    )
    found = judge(turned) if turned != formula else None
    if found is None or found.kind != PROVED:
        return verdict
    said = f"{ERROR}: the product must be {_way(turned)}"
    return replace(verdict, repair=Repair(turned, (said,), (ERROR,), bound=found.bound or ""))


def _way(formula: Formula) -> str:
    products = (
        p for side in (formula.left, formula.right) for p in walk(side) if isinstance(p, Big)
    )
    last_first = any(p.descending for p in products if p.kind == "product")
    return "descending, the last one first" if last_first else "ascending"


def _turned(node: Node) -> Node:
    """A product with its last factor first, or with its first one."""
    if isinstance(node, Big) and node.kind == "product":
        return replace(node, descending=not node.descending)
    return node
