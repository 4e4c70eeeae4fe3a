"""The differential of a whole step, and directions pushed through many, against complex steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, note

from derive import expressions as ex
from derive.catalog import load, shipped
from derive.derivation import derive
from derive.language import read_cell
from derive.normal import normal_form
from derive.tangents import tangent_equations
from tests.derived import directions, primal
from tests.oracle import H, Sample, distance, sample, unrolled, worth
from tests.strategies import samples


def one_step(d, s: Sample, t: int) -> None:
    """Demand that the tangent equations of step t are the complex step of its equations."""
    values = primal(d, s, unrolled(s))
    rng = np.random.default_rng(9)
    moved, bumped = {}, dict(values)
    for a in d.assignments:
        for leaf in ex.leaves(a.expr):
            if isinstance(leaf, ex.Timed) and (leaf.lag > 0 or leaf.name in s.series):
                dot = rng.standard_normal(values[leaf.name, t - leaf.lag].shape)
                moved.setdefault((leaf.name, leaf.lag), dot)
    for (name, lag), dot in moved.items():
        bumped[name, t - lag] = values[name, t - lag] + 1j * H * dot
    fixed = {name: rng.standard_normal(w.shape) for name, w in s.fixed.items()}
    moved |= {(name, None): dot for name, dot in fixed.items()}
    found = directions(d, s, values, t, moved)
    params = {name: w + 1j * H * fixed[name] for name, w in s.fixed.items()}

    def look(leaf):
        if isinstance(leaf, ex.Timed):
            return bumped[leaf.name, t - leaf.lag]
        return (params | s.consts)[leaf.name]

    for eq in s.cell.equations:
        bumped[eq.target.name, t] = worth(eq.expr, look, s.sizes)
        expected = np.broadcast_to(bumped[eq.target.name, t], values[eq.target.name, t].shape)
        name = eq.target.name
        assert distance(found[name, 0] + 0 * expected.real, expected.imag / H) < 1e-12


@pytest.mark.parametrize("entry", shipped(), ids=lambda entry: entry.name)
def test_the_differential_of_a_shipped_cell_is_its_complex_step(entry):
    cell = load(entry.name)
    one_step(derive(cell), sample(cell, T=4), 4)


@given(samples())
def test_the_differential_of_a_random_cell_is_its_complex_step(s):
    note(s.cell.text)
    one_step(derive(s.cell), s, 4)


def test_there_is_one_differential_for_every_assignment_in_their_order():
    assignments = normal_form(load("lstm_peephole"))
    tangents = tangent_equations(assignments)
    assert [a.target.of for a in tangents] == [a.target for a in assignments]
    assert [(a.line, a.owner, a.kind) for a in tangents] == [
        (a.line, a.owner, a.kind) for a in assignments
    ]


def test_a_differential_is_linear_each_term_holds_one_direction():
    for a in tangent_equations(normal_form(load("gru"))):
        for term in ex.terms(a.expr):
            assert sum(isinstance(v, ex.Tangent) for v in ex.leaves(term)) == 1


def test_numbers_do_not_move():
    cell = read_cell("h[t] = 1 - 0.5 * tanh(W @ h[t-1] + 3)\n")
    moving = {
        v.name
        for a in tangent_equations(normal_form(cell))
        for v in ex.leaves(a.expr)
        if isinstance(v, ex.Tangent)
    }
    assert moving == {"W", "h", "a_h", "tanh_h"}


def test_a_direction_that_is_chosen_replaces_every_other():
    (first, *_) = normal_form(load("elman"))
    chosen = ex.Timed("h", 1, *load("elman").quantity("h").shape)

    def only(leaf):
        return ex.Tangent(leaf) if leaf == chosen else ex.zeros_like(leaf)

    (tangent,) = tangent_equations((first,), only)
    assert [v for v in ex.leaves(tangent.expr) if isinstance(v, ex.Tangent)] == [ex.Tangent(chosen)]


def test_constants_and_what_is_made_of_them_do_not_move():
    """Their differential would be 0 in every line; a start moves, also of what is the same number ever after."""
    text = "const g = 0.9\na[t] = exp(-g)\nS[t] = a[t] * S[t-1] + g * (V @ x[t]) @ (K @ x[t]).T\n"
    found = derive(read_cell(text, "my"))
    assert "g_dot" not in found.text()
    assert "a_dot" not in found.text()
    assert "S_dot[t] = a * S_dot[t-1]" in found.text()
    lagged = derive(read_cell(text.replace("a[t] *", "a[t-1] *"), "my"))
    assert "S_dot[t] = a_dot[t-1] * S[t-1] + a[t-1] * S_dot[t-1]" in lagged.text()
