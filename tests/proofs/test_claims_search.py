"""How far the search for the nearest formula goes: no farther than to what it can still find, and once for a claim."""

from __future__ import annotations

import math
from typing import Any

import pytest

from proofs.claims import repair, trial
from proofs.claims.court import audit
from proofs.claims.document import read_document
from proofs.claims.syntax import children
from proofs.claims.verdict import Verdict

CELL = "cell elman\n"


def verdict(claim: str) -> Verdict:
    return audit(f"{CELL}claim : {claim}\n").verdicts[0]


@pytest.mark.parametrize(
    ("claim", "searches"),
    [
        (r"$h_t = \tanh(W h_{t-1} + U x_t + b) \odot 1$", 0),
        (r"$\nabla_U L = \sum_t (1 - h_t^2) \odot \nabla_{h_t} L \, x_t^\top$", 0),
        (r"$\nabla_U L = \sum_t h_t \odot \nabla_{h_t} L \, x_t^\top$", 1),
        (r"$\nabla_U L = \sum_t x_t \odot \nabla_{h_t} L \, x_t^\top$", 1),
    ],
)
def test_what_can_be_read_in_two_ways_is_searched_once_and_not_where_it_stands(
    claim: str, searches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[object]()

    def counted(*given: Any):
        asked.append(given)
        return repair.nearest(*given)

    monkeypatch.setattr(trial, "nearest", counted)
    found = verdict(claim)
    assert found.stands == (searches == 0)
    assert len(asked) == searches


def test_a_reading_is_searched_for_what_is_nearer_than_what_was_found_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    below = list[float]()
    single = repair._Search.single

    def told(self: repair._Search, most: float = math.inf):
        below.append(most)
        return single(self, most)

    monkeypatch.setattr(repair._Search, "single", told)
    found = verdict("∂h[t]/∂h[t-2] == W @ diag(slope(h[t])) @ ∂h[t-1]/∂h[t-2]")
    assert found.repair is not None
    costs = [most for most in below if most < math.inf]
    assert below[0] == math.inf
    assert costs
    assert costs == sorted(costs, reverse=True)
    assert found.repair.cost <= costs[-1]


def test_equal_parts_of_formulas_have_one_hash_wherever_they_stand() -> None:
    one, two = (
        read_document(f"{CELL}claim : h[t] == {text}\n").claims[0].formula
        for text in ("tanh(W @ h[t-1])", "b + tanh(W @ h[t-1])")
    )
    assert one
    assert two
    inner: Any = children(two.right)[1]
    assert inner == one.right
    assert inner.where != one.right.where
    assert {one.right: 1}[inner] == hash(inner) - hash(one.right) + 1
