"""Real-time recurrent learning as a chapter of a derivation."""

from __future__ import annotations

import pytest
from sympy import expand, symbols

from derive.catalog import load
from derive.chapters import influences
from derive.derivation import derive
from derive.errors import ArgumentError
from derive.influence import influence_chapter, influence_equations, joint_size, parameter_count
from derive.network_derivation import derive_network
from derive.network_language import read_network
from derive.text import TextPrinter
from numeric.costs import costs
from reports.strict import complaints
from tests.networks import CELLS


def test_parameters_and_past_states_move_and_inputs_stand_still():
    d = derive(load("elman"))
    show = TextPrinter(d.notation)
    lines = [
        f"{show(e.target)} = {show(e.expr)}" for e in influence_equations(d.cell, d.assignments)
    ]
    assert lines == [
        "a_h_dot[t] = W_dot @ h[t-1] + W @ h_dot[t-1] + U_dot @ x[t] + b_dot",
        "h_dot[t] = (1 - h[t]**2) * a_h_dot[t]",
    ]  # fmt: skip


def test_constants_stand_still():
    d = derive(load("leaky"))
    text = influence_chapter(d).text()
    assert "alpha_dot" not in text
    assert "h_dot[t] = alpha * h_dot[t-1]" in text


@pytest.mark.parametrize("name", ["elman", "lstm", "skip", "linear_attention"])
def test_the_costs_are_those_of_the_joint_state_and_all_parameters(name):
    d = derive(load(name))
    n = symbols("n", integer=True, positive=True)
    assert expand(parameter_count(d.cell) - costs(d).parameters) == 0
    known = {"elman": n, "lstm": 2 * n, "skip": 3 * n}
    if name in known:
        assert str(joint_size(d.cell)) == str(known[name])
    assert f"S**2 * |theta| = {expand(joint_size(d.cell) ** 2 * parameter_count(d.cell))}" in (
        influence_chapter(d).text()
    )


@pytest.mark.needs("node")
@pytest.mark.parametrize("name", ["lstm", "skip", "linear_attention"])
def test_katex_accepts_every_line(name):
    found = influence_chapter(derive(load(name)))
    assert complaints([line.latex for line in found.lines]) == []


def test_a_network_is_refused():
    d = derive_network(read_network("f = scan(gru, x[t])\n", "net", CELLS.get))
    with pytest.raises(ArgumentError, match="written for one cell"):
        influences(d)
