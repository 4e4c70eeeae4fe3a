from __future__ import annotations

from dataclasses import replace
from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.cell import Cell
from derive.derivation import derive
from derive.expressions import add, negate, scale, terms
from derive.language import read_cell
from derive.nodes import Adjoint
from proofs import modular, point
from proofs.degrees import ENOUGH, ErrorBound, bound_for
from proofs.exact_checks import exact
from proofs.field import MERSENNE_PRIMES
from proofs.modular import prove
from proofs.point import Extent, Point, draw_sizes, steps_for
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


def squares(count: int) -> str:
    """x, x², x⁴, …: the degree doubles with every line, and with every step again."""
    lines = [f"a{i}[t] = a{i - 1}[t] * a{i - 1}[t]" for i in range(1, count)]
    return "\n".join(["a0[t] = W @ h[t-1] + U @ x[t]", *lines, f"h[t] = a{count - 1}[t]"])


def test_a_degree_beyond_every_machine_integer_is_told_and_takes_a_larger_prime() -> None:
    verdict = prove(derive(read_cell(squares(80), "squares")))
    assert verdict.bound.degree >= 2**79
    assert verdict.bound.prime > 2**127
    assert verdict.bound.degree * 1000 < verdict.bound.prime
    assert verdict.ok


def test_equality_at_points_over_too_small_a_prime_proves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(modular, "bound_for", partial(bound_for, primes=MERSENNE_PRIMES[:1]))
    derivation = derive(read_cell(squares(80), "squares"))
    verdict = prove(derivation)
    assert not verdict.wrong_lines
    assert verdict.bound.total == 1.0
    assert not verdict.ok
    for row in exact(derivation, 0)[1]:
        assert not row.ok
        assert "undecided: degree" in row.where[0]
        assert "prime of 61 bits" in row.where[0]


def test_a_degree_beyond_every_float_can_be_told() -> None:
    assert "degree 2^5000 over" in str(ErrorBound(2**5000, 0, 0, MERSENNE_PRIMES[-1], 2))


@pytest.mark.parametrize("name", ["lstm_peephole", "two_states", "matrix_state"])
def test_true_adjoints_are_the_same_however_many_are_computed_together(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    derivation = derivation_of(name)
    cell = derivation.cell
    extent = Extent(draw_sizes(cell, Random(4)), steps_for(cell), 2)  # noqa: S311 - no secret
    found = []
    for together in (1, 7, 10**9):
        monkeypatch.setattr(point, "TOGETHER", together)
        tape = Point(derivation, extent, MERSENNE_PRIMES[0], 3).tape
        found.append({k: v for k, v in tape.values.items() if k[0] is Adjoint})
    assert found[0]
    assert all(found[0].keys() == other.keys() for other in found)
    assert all((found[0][k] == other[k]).all() for other in found for k in found[0])
