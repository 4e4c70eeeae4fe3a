"""The backward equations: right on every cell, read as an author writes them, and the same for every T."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import example, given, note
from sympy import Integer, Rational, Symbol

from derive import expressions as ex
from derive.backward import collect, factored, positive_first
from derive.catalog import load, shipped
from derive.derivation import derive
from derive.language import read_cell
from tests.derived import Pass, primal
from tests.oracle import Sample, assert_close, gradients, sample, unrolled
from tests.strategies import samples

n, m = (Symbol(name, positive=True, integer=True) for name in "nm")
a, b, c = (ex.Timed(name, 0, n, 1) for name in "abc")
a_bar = ex.Adjoint(a)


def without_input_memory(s: Sample) -> Sample:
    """The final values of an input are given from outside: no loss looks at them here."""
    for q in s.cell.inputs:
        if q.name in s.final_bar:
            s.final_bar[q.name] = np.zeros_like(s.final_bar[q.name])
    return s


def right_on(s: Sample, bound: float) -> None:
    """Demand that the equations give the loss's gradients by complex steps."""
    s = without_input_memory(s)
    d = derive(s.cell)
    found, expected = Pass(d, s, primal(d, s, unrolled(s))), gradients(s)
    assert_close(found.parameters(), expected["fixed"], bound)
    assert_close(found.inputs(), expected["series"], bound)
    assert_close(found.initial(), expected["initial"], bound)


@pytest.mark.parametrize("entry", shipped(), ids=lambda entry: entry.name)
@pytest.mark.parametrize("T", [1, 5])
def test_the_equations_of_a_shipped_cell_are_its_gradients(entry, T):
    cell = load(entry.name)
    if max(q.depth for q in cell.quantities) <= T:
        right_on(sample(cell, T=T, B=3, seed=5), 1e-12)


def cell_sample(text: str) -> Sample:
    return sample(read_cell(text, "found"))


@given(samples())
@example(
    cell_sample(
        "dim y = n\ny[t] = tanh(x[t] + y[t-1])\nh[t] = h[t-1] + tanh(y[t]) * (y[t] * y[t])\n"
    )
)
@example(cell_sample("dim e = 1\ne[t] = tanh(e[t-1] * mean(x[t]))\n"))
def test_the_equations_of_a_random_cell_are_its_gradients(s):
    note(s.cell.text)
    right_on(s, 1e-9)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_a_use_at_lag_d_becomes_a_term_from_step_t_plus_d(d):
    cell = load(f"skip:d={d}") if d > 1 else load("elman")
    (equation,) = [e for e in derive(cell).backward.local if e.lhs.name == "h"]
    later = {-v.lag for v in ex.leaves(equation.rhs) if isinstance(v, ex.Adjoint)}
    assert later == {1, d}


def test_the_adjoint_of_a_state_is_the_loss_and_the_present_and_later_steps():
    """What a program adds up in pieces is what the page shows as one equation."""
    d = derive(load("lstm_peephole"))
    for e in d.backward.local:
        if e.lhs.name not in d.backward.carried:
            continue
        carried = d.backward.carried[e.lhs.name]
        later = [ex.shifted(at.rhs, -lag) for lag, at in carried.items()]
        whole = collect([ex.LossGradient(e.lhs.of), e.present, *later], e.lhs)
        s = sample(d.cell, T=5)
        run = Pass(d, s, primal(d, s, unrolled(s)))
        np.testing.assert_allclose(run.at(whole, 2), run.at(e.rhs, 2), rtol=1e-12)


def test_adjoints_are_in_an_order_in_which_each_uses_what_stands_before_it():
    for entry in shipped():
        seen: set[str] = set()
        d = derive(load(entry.name))
        for e in d.backward.local:
            now = {v.name for v in ex.leaves(e.rhs) if isinstance(v, ex.Adjoint) and v.lag == 0}
            assert now <= seen, entry.name
            seen.add(e.lhs.name)


def test_an_inlined_adjoint_stands_in_no_equation():
    for entry in shipped():
        d = derive(load(entry.name))
        equations = (*d.backward.local, *d.backward.inputs, *d.backward.parameters)
        left = {v.at(0) for e in equations for v in ex.leaves(e.rhs) if isinstance(v, ex.Adjoint)}
        assert not left & d.backward.inlined.keys(), entry.name


def test_every_rule_that_made_an_equation_is_named():
    (h_bar,) = [e for e in derive(load("lstm")).backward.local if e.lhs.name == "h"]
    assert h_bar.rules == ("matrix product", "sum") or set(h_bar.rules) == {"sum", "matrix product"}
    (delta_o,) = [e for e in derive(load("lstm")).backward.local if e.lhs.name == "a_o"]
    assert {"elementwise product", "σ′ = σ ∘ (1 − σ)"} == set(delta_o.rules)


def test_a_parameter_used_twice_sums_what_both_uses_give():
    text = "h[t] = tanh(W @ h[t-1] + W.T @ h[t-2] + U @ x[t])\n"
    (W_bar,) = [e for e in derive(read_cell(text)).backward.parameters if e.lhs.name == "W"]
    assert len(ex.terms(W_bar.rhs)) == 2


def test_what_cancels_has_gradient_zero():
    d = derive(read_cell("dim p = n\nh[t] = tanh(h[t-1] + p - p + W @ x[t])\n"))
    (p_bar,) = [e for e in d.backward.parameters if e.lhs.name == "p"]
    assert ex.terms(p_bar.rhs) == ()
    right_on(sample(d.cell), 1e-12)


# ── reading well ──


def test_equal_terms_are_counted():
    assert collect([a, b, ex.negate(a), a], a) == ex.add(a, b)
    assert collect([a, ex.negate(a)], a) == ex.zeros_like(a)
    assert collect([a, ex.scale(Integer(2), a)], a) == ex.scale(Integer(3), a)


def test_minus_signs_come_last():
    assert positive_first([ex.negate(a), b]) == [b, ex.negate(a)]


def test_an_adjoint_in_common_is_taken_out():
    expr = ex.add(ex.negate(ex.hadamard(a_bar, b)), ex.hadamard(a_bar, c))
    assert factored(expr) == ex.hadamard(a_bar, ex.add(c, ex.negate(b)))


def test_a_factor_that_occurs_twice_in_each_term_is_taken_out_twice_and_no_oftener():
    expr = ex.add(ex.hadamard(a_bar, b, b, c), ex.hadamard(a_bar, b, b, b))
    assert factored(expr) == ex.hadamard(a_bar, b, b, ex.add(c, b))
    expr = ex.add(ex.hadamard(a_bar, b, b), ex.hadamard(a_bar, b))
    assert factored(expr) == ex.hadamard(a_bar, b, ex.add(b, ex.ones_like(a)))


def test_numbers_survive_the_taking_out():
    half = Rational(1, 2)
    expr = ex.add(ex.scale(half, ex.hadamard(a_bar, b)), ex.scale(Integer(3), a_bar))
    taken = factored(expr)
    assert taken == ex.hadamard(
        a_bar, ex.add(ex.scale(half, b), ex.scale(Integer(3), ex.ones_like(a)))
    )


def test_the_lstm_s_output_gate_reads_as_in_a_textbook():
    (delta_o,) = [e for e in derive(load("lstm")).backward.local if e.lhs.name == "a_o"]
    o, h = load("lstm").quantity("o").symbol, load("lstm").quantity("h").symbol
    tanh_c = ex.Timed("tanh_c", 0, *h.shape)
    assert delta_o.rhs == ex.hadamard(
        ex.Adjoint(h), tanh_c, o, ex.add(ex.ones_like(o), ex.negate(o))
    )


# ── cost ──


def test_a_lag_of_fifty_costs_no_more_equations_than_a_lag_of_two():
    short, long = (derive(load(f"skip:d={d}")) for d in (2, 50))
    count = lambda d: (len(d.backward.local), len(d.backward.parameters), len(d.jacobian))  # noqa: E731
    assert count(short)[:2] == count(long)[:2]


def test_deriving_any_shipped_cell_takes_well_under_a_second():
    for entry in shipped():
        cell = load(entry.name)
        derive(cell)
        start = time.process_time()
        assert derive(cell).steps
        assert time.process_time() - start < 1.0, entry.name


def test_nothing_asks_for_the_adjoint_of_a_number_or_of_what_is_made_of_constants():
    text = "const beta\nh[t] = exp(-beta) * h[t-1] + exp(-0.5) * tanh(W @ h[t-1] + sigmoid(a) * x[t])\n"
    d = derive(read_cell(text, "still"))
    assert "exp(-1/2) * tanh" in d.section("equation")[0].text
    targets = [s.text.partition(" =")[0] for s in d.section("adjoint")]
    assert targets == ["h_bar[t]", "delta_h[t]"]
    assert "h_bar[t+1] * exp(-beta)" in d.section("adjoint")[0].text
    assert not any("k_h" in s.text for s in d.steps)
    assert len(d.backward.unasked) == 4
    assert {e.lhs for e in d.backward.asked} == {
        e.lhs for e in d.backward.local
    } - d.backward.unasked
