"""Normal form: the same values, one function a line, and names that meet no other."""

from __future__ import annotations

import pytest
from hypothesis import given, note
from sympy.matrices.expressions import MatMul, MatrixSymbol

from derive.catalog import load, shipped
from derive.derivation import derive
from derive.expressions import (
    Elementwise,
    LogSumExp,
    Softmax,
    Timed,
    Transpose,
    is_timed,
    leaves,
    operands,
    walk,
)
from derive.language import read_cell
from derive.normal import normal_form
from tests.derived import primal
from tests.oracle import distance, sample, unrolled
from tests.strategies import cells, samples


def same_values(s) -> None:
    expected = unrolled(s)
    found = primal(derive(s.cell), s, expected)
    for eq in s.cell.equations:
        for t in range(1, s.T + 1):
            key = (eq.target.name, t)
            assert distance(found[key], expected[key]) < 1e-12


@pytest.mark.parametrize("entry", shipped(), ids=lambda entry: entry.name)
def test_the_normal_form_of_a_shipped_cell_has_its_values(entry):
    same_values(sample(load(entry.name)))


@given(samples())
def test_the_normal_form_of_a_random_cell_has_its_values(s):
    note(s.cell.text)
    same_values(s)


def is_name(expr) -> bool:
    return isinstance(expr, Timed | MatrixSymbol)


@given(cells())
def test_functions_stand_alone_on_their_line_and_are_applied_to_names(cell):
    note(cell.text)
    functions = (Elementwise, Softmax, LogSumExp)
    for a in normal_form(cell):
        assert not any(isinstance(v, functions) for v in [*walk(a.expr)][1:])
        if isinstance(a.expr, functions):
            assert is_name(operands(a.expr)[0])


@given(cells())
def test_what_a_product_multiplies_has_a_name(cell):
    note(cell.text)
    for a in normal_form(cell):
        for node in (v for v in walk(a.expr) if isinstance(v, MatMul) and len(operands(v)) > 1):
            for f in operands(node):
                bare = f.arg if isinstance(f, Transpose) else f
                assert is_name(bare) or not is_timed(bare) or not operands(bare)


@given(cells())
def test_every_name_is_defined_once_and_before_it_is_used(cell):
    note(cell.text)
    assignments = normal_form(cell)
    names = [a.name for a in assignments]
    assert len(set(names)) == len(names)
    assert not {q.name for q in cell.quantities} & {
        a.name for a in assignments if a.kind != "equation"
    }
    defined = {q.name for q in cell.inputs}
    for a in assignments:
        now = {v.name for v in leaves(a.expr) if isinstance(v, Timed) and v.lag == 0}
        assert now <= defined
        defined.add(a.name)


def test_a_pre_activation_is_called_after_its_equation():
    assert [a.name for a in normal_form(load("lstm"))] == [
        "a_f", "f", "a_i", "i", "a_o", "o", "a_g", "g", "c", "tanh_c", "h",
    ]  # fmt: skip


def test_fresh_names_give_way_to_the_author_s():
    text = (
        "a_h[t] = W @ h[t-1]\ntanh_c[t] = a_h[t] * a_h_2\n"
        "c[t] = x[t] * tanh_c[t]\nh[t] = tanh(a_h[t] + tanh(c[t]))\n"
    )
    fresh = [a.name for a in normal_form(read_cell(text)) if a.kind != "equation"]
    assert not {"a_h", "a_h_2", "tanh_c"} & set(fresh)
    assert len(fresh) == 2


def test_equal_expressions_get_one_name():
    text = "h[t] = tanh(W @ h[t-1]) * x[t] + tanh(W @ h[t-1])\ns[t] = s[t-1] + tanh(W @ h[t-1])\n"
    values = [a for a in normal_form(read_cell(text)) if a.kind == "value"]
    assert len(values) == 1


def test_an_assignment_knows_its_line_and_its_owner():
    for a in normal_form(
        read_cell("# a comment\n\ng[t] = sigmoid(U @ x[t])\nh[t] = tanh(W @ (g[t] * h[t-1]))\n")
    ):
        assert (a.owner, a.line) == (
            ("g", 3) if "g" in a.name.split("_") else ("h", 4)
        ) or a.kind == "operand"
        assert a.line in (3, 4)


def test_one_minus_a_gate_stays_as_short_as_it_is():
    assert "u_h" not in [a.name for a in normal_form(load("gru"))]
