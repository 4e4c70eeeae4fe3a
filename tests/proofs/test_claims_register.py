"""The files of claims that ship: their verdicts, computed, beside the table that was read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proofs.claims.court import audit
from proofs.claims.printing import show
from proofs.claims.register import claims_text, shipped, shipped_text
from proofs.claims.verdict import CONDITIONAL, MEANINGLESS, REFUTED, STANDS, Verdict

DECKS = tuple(name for name in shipped() if name.startswith("deck_"))


def row(verdict: Verdict) -> str:
    parts = [verdict.claim.title, verdict.kind]
    if verdict.conditions:
        parts.append("if " + ", ".join(verdict.conditions))
    if verdict.translation:
        parts.append("in house layout " + verdict.translation)
    if verdict.repair:
        parts += ["; ".join(verdict.repair.kinds), show(verdict.repair.formula)]
    return " | ".join(parts)


@pytest.mark.parametrize("name", shipped())
def test_the_verdicts_of_a_shipped_file(name: str, golden: Callable[[str, str], None]) -> None:
    found = audit(shipped_text(name), name)
    golden(f"claims/{name}.txt", "\n".join(row(v) for v in found.verdicts) + "\n")
    for v in found.verdicts:
        assert v.seconds < 20
        if v.kind in (CONDITIONAL, REFUTED) and v.claim.formula is not None:
            assert v.counterexample is not None or v.place is not None


def test_every_formula_of_the_register_is_judged() -> None:
    said = "\n".join(shipped_text(name) for name in DECKS)
    for number in [*(f"B{i}" for i in range(1, 10)), *(f"C{i}" for i in range(1, 28))]:
        assert f'claim "{number}"' in said or f'claim "{number},' in said or f"{number}:" in said, (
            number
        )


def test_one_file_a_deck() -> None:
    assert DECKS == ("deck_000", "deck_001", "deck_002", "deck_003", "deck_004")


@pytest.mark.parametrize("name", shipped())
def test_a_repair_is_itself_proved(name: str) -> None:
    found = audit(shipped_text(name), name)
    for v in found.verdicts:
        if v.repair is None:
            continue
        assert v.repair.bound.startswith("≤ ")
        assert v.kind not in STANDS


def test_a_shipped_file_is_found_by_its_name() -> None:
    text, source = claims_text("deck_000")
    assert (text, source) == (shipped_text("deck_000"), "deck_000.claims")


def test_the_museum_refutes_diagnoses_and_repairs_every_entry() -> None:
    found = audit(shipped_text("museum"), "museum").verdicts
    assert len(found) >= 30
    for v in found:
        assert v.kind in (CONDITIONAL, REFUTED, MEANINGLESS), v.claim.title
        assert v.repair is not None, v.claim.title
        assert not any("several errors" in e for e in v.repair.errors), v.claim.title
        assert v.conditions or v.weaker or v.kind == MEANINGLESS, v.claim.title
