"""What no step changes: no time index, one value for all steps, and gradients that are sums over time once."""

from __future__ import annotations

import pytest
from sympy.matrices.expressions import HadamardProduct

from derive.backward import backward
from derive.catalog import load
from derive.derivation import derive
from derive.errors import LanguageError
from derive.expressions import Adjoint, Timed, add, hadamard, parameter, zeros_like
from derive.language import read_cell
from derive.normal import normal_form
from derive.still import parted, taken_out
from proofs import modular
from proofs.modular import prove
from tests.numeric.test_source import ODD

DECAY = "r = exp(-exp(nu))\nA = W - W.T\nh[t] = r * h[t-1] + tanh(A @ h[t-1] + U @ x[t] + 2 * r)\n"
INDEXED = "r[t] = exp(-exp(nu))\nA[t] = W - W.T\nh[t] = r[t] * h[t-1] + tanh(A[t] @ h[t-1] + U @ x[t] + 2 * r[t])\n"


def lines(cell, section):
    return [s.text for s in derive(cell).section(section)]


def test_a_derivation_reads_as_its_author_would_write_it():
    cell = read_cell(DECAY, "decay")
    assert lines(cell, "equation")[:2] == ["r = exp(-exp(nu))", "A = W - W.T"]
    assert lines(cell, "still") == [
        "A_bar = sum over t of delta_h[t] @ h[t-1].T",
        "delta_r = r * sum over t of (2 * delta_h[t] + h_bar[t] * h[t-1])",
    ]
    assert lines(cell, "parameter")[:2] == [
        "nu_bar = -delta_r * exp(nu)",
        "W_bar = A_bar - A_bar.T",
    ]


def test_in_latex_too():
    cell = read_cell("r = sigmoid(k)\nh[t] = r * h[t-1] + x[t]\n", "leak")
    shown = {
        s.section: s.latex for s in derive(cell).steps if s.section in ("equation", "parameter")
    }
    assert (
        shown["parameter"]
        == r"\bar{k} = r \circ (1 - r) \circ \sum_{t=1}^{T} \bar{h}_{t} \circ h_{t-1}"
    )


def test_an_index_or_none_is_the_same_cell():
    bare, indexed = read_cell(DECAY, "c"), read_cell(INDEXED, "c")
    assert bare.equations == indexed.equations
    assert backward(bare, normal_form(bare)) == backward(indexed, normal_form(indexed))
    assert derive(bare).text() == derive(indexed).text()


def test_what_a_loss_looks_at_has_a_value_at_every_step():
    cell = read_cell("r = exp(nu)\nh[t] = r * h[t-1] + x[t]\ny[t] = exp(d)\n", "c")
    assert derive(cell).still == {"r"}
    assert "y[t] = exp(d)" in lines(cell, "equation")


def test_what_is_used_at_an_earlier_step_is_a_state():
    cell = read_cell("r[t] = exp(nu)\nh[t] = r[t-1] * h[t-1] + x[t]\n", "c")
    assert not derive(cell).still
    assert {q.name for q in cell.states} == {"r", "h"}


def test_a_value_that_no_step_changes_is_no_factor_within_the_sum_that_it_stands_before():
    v, c = Timed("v", 0, 3, 1), parameter("c", 3, 1)
    inside, outside = taken_out(-2 * HadamardProduct(v, c), lambda e: e.has(Timed))
    assert (inside, outside) == (v, -2 * c)
    assert taken_out(v, lambda e: e.has(Timed)) == (v, None)


def test_a_gradient_is_parted_wherever_the_adjoints_stand():
    r, h = Timed("r", 0, 3, 1), Timed("h", 0, 3, 1)
    once, each = parted(hadamard(h, add(Adjoint(r), Adjoint(h))), {"r"})
    assert once == hadamard(h, Adjoint(r))
    assert each == hadamard(h, Adjoint(h))


CELLS = [text for name, text in ODD.items() if "step" in name or "parameters" in name]


@pytest.mark.parametrize("text", [DECAY, *CELLS])
def test_every_line_holds_as_it_is_written(text):
    assert prove(derive(read_cell(text, "c"))).ok


def test_a_line_that_sums_what_is_summed_already_is_found_wrong(monkeypatch):
    monkeypatch.setattr(modular, "parted", lambda expr, still: (zeros_like(expr), expr))
    derivation = derive(load("lru"))
    wrong = {line.number for line in prove(derivation).wrong_lines}
    assert wrong == {
        s.number for s in derivation.steps if s.text.startswith(("delta_r", "nu_bar", "theta_bar"))
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("r = exp(h[t-1])\nh[t] = r * h[t-1]\n", "a name with the index t"),
        ("h = tanh(W @ h + b)\n", "a name with the index t"),
        ("r_t = exp(q)\nh[t] = r_t * h[t-1]\n", "Write r[t] = …"),
        ("r = 2\nh[t] = r * h[t-1]\n", "`const r = 2`"),
        ("r = exp(q)\nh[t] = r[t] * h[t-1]\n", "r is the same at every step"),
        ("r = exp(h)\nh[t] = r * h[t-1]\n", "with a time index, and without"),
        ("r = exp(q)\nr = exp(p)\nh[t] = r * h[t-1]\n", "defined twice"),
        ("r = s\ns = r + q\nh[t] = r * h[t-1]\n", "needs"),
    ],
)
def test_an_equation_without_an_index_that_needs_one(text, told):
    with pytest.raises(LanguageError) as error:
        read_cell(text, "c")
    assert told in str(error.value)
