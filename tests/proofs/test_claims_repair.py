"""Repairs: what they write, and how the errors are told."""

from __future__ import annotations

import pytest

from proofs.claims.court import audit
from proofs.claims.edit_kinds import Edit, said
from proofs.claims.printing import show
from proofs.claims.repair import together, without_zeros
from proofs.claims.syntax import Add, Chain, Mul, Node, Num, Qty, Transposed, map_nodes
from proofs.claims.verdict import Repair


def repair(claim: str) -> Repair:
    found = audit(f"cell elman\nloss sum over t\nclaim : {claim}\n").verdicts[0].repair
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("claim", "repaired"),
    [
        ("dL/dh[T] == 0", "d+L/dh[T]"),
        ("dh[t]/dh[t-1] == 0", "d+h[t]/dh[t-1]"),
        ("dL/dW == sum(t, 0)", "sum(t, (dL/dh[t] * (1 - h[t]**2)) @ h[t-1].T)"),
        ("dL/dh[T] == 0 + 2 * d+L/dh[T]", "d+L/dh[T]"),
    ],
)
def test_a_repair_has_no_zero_beside_other_terms(claim: str, repaired: str) -> None:
    assert show(repair(claim).formula.right) == repaired


def test_zeros_stand_alone_or_not_at_all() -> None:
    zero, w, b = Num(value=0), Qty(name="W"), Qty(name="b")  # type: ignore[arg-type]
    negative = Add(terms=((-1, w),))
    cases: list[tuple[Node, Node]] = [
        (Add(terms=((1, zero), (1, w))), w),
        (Add(terms=((1, zero), (-1, w))), negative),
        (Add(terms=((1, w), (-1, zero), (1, b))), Add(terms=((1, w), (1, b)))),
        (Add(terms=((1, zero), (-1, zero))), zero),
        (Mul(factors=((1, zero), (1, w))), Mul(factors=((1, zero), (1, w)))),
    ]
    for before, after in cases:
        assert map_nodes(before, without_zeros) == after


def test_two_edits_of_one_part_are_told_as_one() -> None:
    found = repair("trace(dh[t]/dh[t-1]) == total((1-h[t]**2)*W)")
    assert found.errors == (
        "wrong kind of product: (1 - h[t]**2) * W should be diag(1 - h[t]**2) * W",
    )
    assert found.kinds == ("wrong kind of product",)


def test_edits_of_different_parts_are_told_apart() -> None:
    w, u, wt = Qty(name="W"), Qty(name="U"), Transposed(of=Qty(name="W"))
    first = Edit(
        "missing transpose",
        said("missing transpose: {} should be {}", w, wt),
        Chain(factors=(wt, u)),
    )
    other = Edit("wrong weight or bias", said("{} should be {}", u, w), Chain(factors=(wt, w)))
    back = Edit("superfluous transpose", said("{} should be {}", wt, u), Chain(factors=(u, u)))
    assert together((first, other)) == (first, other)
    assert [e.message for e in together((first, back))] == ["missing transpose: W should be U"]
    twice = Edit(first.kind, first.said, Chain(factors=(wt, wt)))
    assert together((twice, back)) == (twice, back)
