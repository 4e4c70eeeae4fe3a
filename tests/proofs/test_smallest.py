from __future__ import annotations

import pytest
from hypothesis import given, settings

from derive.cell import Cell
from derive.derivation import derive
from derive.language import read_cell
from proofs import smallest
from proofs.smallest import prove_smallest
from tests.proofs.corruptions import CHANGES, wrong_derivations
from tests.proofs.specimens import EVERY, derivation_of
from tests.strategies import cells


@pytest.mark.parametrize("name", EVERY)
def test_sympys_derivative_of_the_unrolled_loss_agrees(name: str) -> None:
    verdict = prove_smallest(derivation_of(name))
    assert verdict.ok
    assert verdict.compared > 0


@settings(max_examples=8)
@given(cell=cells())
def test_it_agrees_for_random_cells(cell: Cell) -> None:
    assert prove_smallest(derive(cell)).ok


@pytest.mark.parametrize(
    "change", ["sign_flipped", "term_dropped", "transposes_dropped", "past_shifted"]
)
def test_a_wrong_equation_is_refused(change: str) -> None:
    tried = 0
    for lhs, wrong in wrong_derivations(derivation_of("elman"), CHANGES[change]):
        assert not prove_smallest(wrong).ok, lhs
        tried += 1
    assert tried


def test_a_wrong_parameter_line_is_named() -> None:
    for lhs, wrong in wrong_derivations(derivation_of("lstm"), CHANGES["doubled"]):
        if lhs.name == "U_o":
            assert prove_smallest(wrong).wrong == (("U_o", None),)


def test_cutting_long_expressions_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smallest, "LARGEST", 1)
    assert prove_smallest(derivation_of("gru")).ok
    assert prove_smallest(derivation_of("two_states")).ok


def test_a_chain_of_three_hundred_functions_needs_no_deep_recursion() -> None:
    chain = [f"a{i}[t] = tanh(a{i - 1}[t])" for i in range(1, 300)]
    text = "\n".join(["a0[t] = W @ h[t-1] + U @ x[t]", *chain, "h[t] = a299[t]"])
    assert prove_smallest(derive(read_cell(text, "chain"))).ok
