from __future__ import annotations

from dataclasses import replace

import pytest

from derive.functions import FUNCTIONS
from proofs.laws import prove_laws


def test_every_function_of_the_language_is_proved() -> None:
    verdicts = prove_laws()
    assert [v.name for v in verdicts] == list(FUNCTIONS)
    assert all(v.holds for v in verdicts)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_wrong_law_is_refused(name: str) -> None:
    wrong = replace(FUNCTIONS[name], law=FUNCTIONS[name].law + 1)
    (verdict,) = prove_laws({name: wrong})
    assert not verdict.holds
    assert "f′ − law" in verdict.reason


@pytest.mark.parametrize("name", [n for n, f in FUNCTIONS.items() if f.law != 0])
def test_a_law_with_the_wrong_sign_is_refused(name: str) -> None:
    assert not prove_laws({name: replace(FUNCTIONS[name], law=-FUNCTIONS[name].law)})[0].holds


def test_a_function_that_is_not_written_out_is_not_waved_through() -> None:
    (verdict,) = prove_laws({"gauss": replace(FUNCTIONS["exp"], name="gauss")})
    assert not verdict.holds
    assert "nothing was proved" in verdict.reason
