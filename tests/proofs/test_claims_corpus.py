"""Formulas rewritten and formulas broken: the first are proved, the second caught and named."""

from __future__ import annotations

from random import Random

import pytest

from derive.catalog import load
from proofs.claims.corpus import CELLS, claim_of, confusion, formulas
from proofs.claims.corpus_errors import ERRORS
from proofs.claims.corpus_rewrites import rewritten
from proofs.claims.court import judge_claim
from proofs.claims.edit_kinds import COSTS
from proofs.claims.printing import show
from proofs.claims.verdict import PROVED


@pytest.mark.parametrize("cell", CELLS)
def test_every_formula_that_the_corpus_starts_from_is_proved(cell: str) -> None:
    found = formulas(cell)
    assert len(found) >= 4
    for formula in found:
        assert judge_claim(claim_of(load(cell), show(formula))).kind == PROVED, show(formula)


def test_rewriting_changes_how_a_formula_looks() -> None:
    rng = Random(0)  # noqa: S311 - no secret
    changed = [rewritten(f.right, rng) != f.right for f in formulas("lstm")]
    assert sum(changed) > len(changed) / 2


def test_every_error_has_a_name_that_the_diagnosis_knows() -> None:
    assert {e.kind for e in ERRORS} <= COSTS.keys()


def test_a_small_corpus_is_judged_right() -> None:
    table = confusion(12, seed=4)
    assert table.accepted == 12
    assert table.caught == 12
    assert table.named >= 11
    assert "diagnosis names the error" in table.text()
    page = table.markdown()
    assert "| right | 12 | 0 | 0 | 0 | 0 | 0 |" in page
    assert f"names the error that was put in for {table.named} of 12" in page
