from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.cell import Cell
from derive.derivation import derive
from derive.expressions import add, negate, scale, terms
from derive.nodes import Adjoint
from proofs.modular import ENOUGH, prove
from proofs.point import draw_sizes, steps_for
from tests.proofs.corruptions import CHANGES, with_parts, wrong_derivations
from tests.proofs.specimens import EVERY, derivation_of
from tests.strategies import cells


@pytest.mark.parametrize("name", EVERY)
def test_every_line_of_a_derivation_is_an_identity(name: str) -> None:
    verdict = prove(derivation_of(name))
    judged = {s.number for s in derivation_of(name).steps if s.rhs is not None}
    assert verdict.ok
    assert set(verdict.lines) == judged
    assert verdict.bound.total <= ENOUGH


@given(seed=st.integers(0, 2**32))
def test_it_holds_at_every_seed(seed: int) -> None:
    assert prove(derivation_of("lstm_peephole"), seed=seed, repeats=1).ok


@given(cell=cells())
def test_it_holds_for_random_cells(cell: Cell) -> None:
    assert prove(derive(cell), repeats=1).ok


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["lstm", "gru", "skip", "two_states", "attention", "matrix_state"])
def test_one_wrong_line_is_found_by_its_number(name: str, change: str) -> None:
    right = derivation_of(name)
    found = 0
    for lhs, wrong in wrong_derivations(right, CHANGES[change]):
        verdict = prove(wrong, repeats=1)
        of_state = {wrong.step_of(lhs)} | {
            s for s in wrong.section("initial") if s.owner == lhs.name
        }
        numbers = {s.number for s in of_state if s is not None}
        assert not verdict.ok
        assert verdict.identity, "the runs through time must disagree too"
        assert {v.number for v in verdict.wrong_lines} <= numbers, "no other line is blamed"
        assert wrong.step_of(lhs).number in {v.number for v in verdict.wrong_lines}
        found += 1
    assert found or change in {
        "future_shifted",
        "transposes_dropped",
        "loss_forgotten",
        "past_shifted",
    }


def test_a_wrong_initial_line_is_found() -> None:
    right = derivation_of("skip")
    carried = {q: dict(by_lag) for q, by_lag in right.backward.carried.items()}
    (name, by_lag) = next(iter(carried.items()))
    lag, line = next(iter(by_lag.items()))
    by_lag[lag] = replace(line, rhs=negate(line.rhs))
    wrong = with_parts(right, backward=replace(right.backward, carried=carried))
    verdict = prove(wrong)
    assert {wrong.steps[v.number - 1].section for v in verdict.wrong_lines} == {"initial"}
    assert verdict.wrong_lines[0].number in {
        s.number for s in wrong.section("initial") if s.owner == name
    }


def test_a_wrong_block_of_the_jacobian_is_found() -> None:
    right = derivation_of("lstm")
    for i, block in enumerate(right.jacobian):
        wrong_block = replace(block, value=scale(2, block.value))
        wrong = with_parts(
            right, jacobian=(*right.jacobian[:i], wrong_block, *right.jacobian[i + 1 :])
        )
        verdict = prove(wrong, repeats=1)
        assert [v.number for v in verdict.wrong_lines] == [wrong.step_of(block.block).number]


def test_a_wrong_tangent_equation_is_told_from_a_wrong_adjoint() -> None:
    derivation = with_parts(derivation_of("gru"))
    lines = derivation.tangents
    changed = replace(lines[-1], expr=add(*terms(lines[-1].expr)[:-1]))
    derivation.__dict__["tangents"] = (*lines[:-1], changed)
    verdict = prove(derivation)
    assert list(verdict.tangents) == [lines[-1].target.name]
    assert not verdict.wrong_lines
    assert not verdict.ok


def test_a_wrong_normal_form_is_found_at_the_equation() -> None:
    right = derivation_of("leaky")
    *rest, last = right.assignments
    wrong = with_parts(right, assignments=(*rest, replace(last, expr=scale(3, last.expr))))
    sections = {wrong.steps[v.number - 1].section for v in prove(wrong).wrong_lines}
    assert "equation" in sections


def test_an_equation_that_cannot_be_read_is_refused_and_says_why() -> None:
    right = derivation_of("gru")
    first, *rest = right.backward.local
    stranger = Adjoint(derivation_of("lstm").cell.quantity("c").symbol)
    wrong = replace(first, rhs=add(first.rhs, stranger))
    verdict = prove(with_parts(right, backward=replace(right.backward, local=(wrong, *rest))))
    assert "no line gives" in verdict.wrong_lines[0].reason


@given(seed=st.integers(0, 2**32))
def test_sizes_differ_between_dimensions_and_lengths_reach_past_every_lag(seed: int) -> None:
    cell = derivation_of("two_states").cell
    sizes = draw_sizes(cell, Random(seed))  # noqa: S311 - no secret
    assert len(set(sizes.values())) == len(sizes)
    assert min(sizes.values()) >= 2
    assert steps_for(cell) >= 4


def test_the_same_seed_gives_the_same_verdict() -> None:
    assert prove(derivation_of("gru"), seed=5) == prove(derivation_of("gru"), seed=5)
    assert (
        prove(derivation_of("gru"), seed=5).extents != prove(derivation_of("gru"), seed=6).extents
    )
