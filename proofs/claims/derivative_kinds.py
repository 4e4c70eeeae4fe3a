"""One kind of derivative taken for another: total, local and immediate ones, of one step or of all between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from proofs.claims.syntax import Big, Deriv, Index, Node, Qty


def kind_taken(written: str, meant: str) -> str:
    """What it is called to write one kind of derivative where another is meant."""
    if meant == "total":
        return "partial taken for total"
    return (
        "one partial taken for another"
        if written in ("local", "immediate")
        else "total taken for partial"
    )


def other_derivatives(left: Deriv) -> Iterator[tuple[str, Node, str]]:
    """What a derivative may have been taken for: the mistake, what it is instead, and that in words."""
    for kind in ("local", "immediate", "total"):
        if kind != left.kind:
            yield kind_taken(kind, left.kind), replace(left, kind=kind), f"the {kind} derivative"
    of, by = left.of, left.by
    if not isinstance(of, Qty) or of.name != by.name or of.index is None or by.index is None:
        return
    used = {name for name, _ in (*of.index.terms, *by.index.terms)}
    var = next(letter for letter in "jilr" if letter not in used)
    now = Index(((var, 1),))
    for kind in ("local", "immediate"):
        one = Deriv(kind=kind, of=replace(of, index=now), by=replace(by, index=now.shifted(-1)))
        lo, hi = by.index.shifted(1), of.index
        whole = Big(kind="product", var=var, lo=lo, hi=hi, descending=True, body=one)
        told = f"the product of the {kind} derivatives, one path of many"
        yield kind_taken(kind, left.kind), whole, told
