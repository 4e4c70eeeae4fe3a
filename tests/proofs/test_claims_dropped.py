"""Formulas that keep only some of a derivative's paths: which are dropped is found, named and repaired."""

from __future__ import annotations

from random import Random

import pytest

from proofs.claims.court import judge_claim
from proofs.claims.document import read_document
from proofs.claims.dropped import coefficients
from proofs.claims.printing import show
from proofs.claims.verdict import PROVED, REFUTED, Verdict
from proofs.field import MERSENNE_PRIMES

PRIME = MERSENNE_PRIMES[0]


def verdict(cell: str, claim: str) -> Verdict:
    return judge_claim(read_document(f"cell {cell}\nclaim : {claim}\n").claims[0])


@pytest.mark.parametrize(
    ("cell", "claim", "dropped"),
    [
        ("lstm", "dh[t]/dh[t-1] == diag(o[t] * (1 - o[t]) * tanh(c[t])) @ W_o", "fig"),
        ("lstm", "dc[t]/dh[t-1] == diag(g[t] * i[t] * (1 - i[t])) @ W_i", "fg"),
        ("lstm", "dL/dh[t-1] == d+L/dh[t-1] + W_o.T @ (dL/do[t] * o[t] * (1 - o[t]))", "fig"),
        ("gru", "dh[t]/dh[t-1] == diag(1 - z[t])", "zrg"),
        ("gru", "dh[t]/dh[t-1] == diag(1 - z[t]) + diag((g[t] - h[t-1]) * z[t] * (1 - z[t])) @ W_z", "rg"),
    ],
)  # fmt: skip
def test_the_paths_that_are_dropped_are_all_named_and_put_back(
    cell: str, claim: str, dropped: str
) -> None:
    found = verdict(cell, claim)
    assert found.kind == REFUTED
    assert found.repair is not None
    assert found.repair.kinds == ("dropped path",) * len(dropped)
    for name, said in zip(dropped, found.repair.errors, strict=True):
        assert said.startswith(f"dropped path: the path through {name}, ")
    repaired = show(found.repair.formula)
    assert repaired.startswith(claim.split(" == ")[0])
    assert verdict(cell, repaired).kind == PROVED


def test_the_paths_of_a_weight_that_is_used_three_times_are_put_back_into_the_sum(
    tmp_path,
) -> None:
    own = tmp_path / "tied.cell"
    own.write_text(
        "a[t] = tanh(W @ h[t-1] + U @ x[t])\n"
        "e[t] = sigmoid(W @ h[t-1] + V @ x[t])\n"
        "h[t] = a[t] * e[t] + W @ x2[t]\n"
    )
    claim = "dL/dW == sum(t, (dL/de[t] * e[t] * (1 - e[t])) @ h[t-1].T)"
    found = verdict(str(own), claim)
    assert found.repair is not None
    assert found.repair.kinds == ("dropped path",) * 2
    assert verdict(str(own), show(found.repair.formula)).kind == PROVED


def test_a_sum_of_some_of_many_terms_is_found_by_elimination() -> None:
    rng = Random(3)  # noqa: S311 - no secret
    terms = [[rng.randrange(PRIME) for _ in range(60)] for _ in range(40)]
    chosen = [rng.randrange(2) for _ in terms]
    whole = [sum(c * term[i] for c, term in zip(chosen, terms, strict=True)) for i in range(60)]
    assert coefficients([v % PRIME for v in whole], terms, PRIME) == chosen


def test_what_is_no_combination_of_the_terms_has_no_coefficients() -> None:
    assert coefficients([1, 2, 3], [[1, 0, 0], [0, 1, 0]], PRIME) == []
    assert coefficients([2, 0, 0], [[1, 0, 0], [0, 1, 0]], PRIME) == [2, 0]
    assert coefficients([1, 1, 0], [[1, 1, 0], [1, 1, 0], [0, 0, 0]], PRIME) == [1, 0, 0]


def test_a_path_with_a_wrong_factor_is_not_called_dropped() -> None:
    found = verdict("lstm", "dh[t]/dh[t-1] == 2 * diag(o[t] * (1 - o[t]) * tanh(c[t])) @ W_o")
    assert found.kind == REFUTED
    assert found.repair is None
