"""LaTeX: accepted by KaTeX at its strictest, bracketed where a reader would misread, in the notation of the field."""

from __future__ import annotations

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from sympy import Integer, Rational, Symbol

from derive import expressions as ex
from derive.catalog import load, shipped
from derive.derivation import derive
from derive.diagonals import scaled_product
from derive.language import read_cell
from derive.latex import LatexPrinter
from derive.notation import Notation
from reports.strict import complaints
from tests.strategies import cells

n, m = (Symbol(name, positive=True, integer=True) for name in "nm")
a, b = ex.Timed("a", 0, n, 1), ex.Timed("b", 1, n, 1)
s = ex.Timed("s", 0, 1, 1)
x = ex.Timed("x", 0, m, 1)
W = ex.parameter("W", n, m)
latex = LatexPrinter(Notation({}))

READS = {
    r"W \, x_{t} + b_{t-1}": ex.add(ex.matmul(W, x), b),
    r"a_{t} \circ b_{t-1}": ex.hadamard(a, b),
    r"(W \, x_{t}) \circ a_{t}": ex.hadamard(ex.matmul(W, x), a),
    r"W^{\top} \, (a_{t} \circ b_{t-1})": ex.matmul(ex.transpose(W), ex.hadamard(a, b)),
    r"W^{\top} \, (a_{t} + b_{t-1})": ex.matmul(ex.transpose(W), ex.add(a, b)),
    r"a_{t} \circ (1 - b_{t-1})": ex.hadamard(a, ex.add(ex.ones_like(b), ex.negate(b))),
    r"-a_{t} \circ b_{t-1}": ex.negate(ex.hadamard(a, b)),
    r"\tfrac{1}{2} \, a_{t}": ex.scale(Rational(1, 2), a),
    r"0.9 \, a_{t}": ex.scale(Rational(9, 10), a),
    r"10^{-6} \, a_{t}": ex.scale(Rational(1, 10**6), a),
    r"-2.5 \cdot 10^{-4} \, a_{t}": ex.scale(Rational(-1, 4000), a),
    r"\tfrac{1}{m \, n^{2}} \, a_{t}": ex.scale(1 / (n**2 * m), a),
    r"3 \, (a_{t} + b_{t-1})": ex.scale(Integer(3), ex.add(a, b)),
    r"(a_{t}^{2})^{\top}": ex.transpose(ex.power(a, 2)),
    r"(W^{\top})^{2}": ex.power(ex.transpose(W), 2),
    r"a_{t}^{6}": ex.power(ex.power(a, 2), 3),
    r"(a_{t} + b_{t-1})^{-1}": ex.power(ex.add(a, b), -1),
    r"\tanh^{2}(a_{t})": ex.power(ex.Elementwise(a, "tanh"), 2),
    r"\tanh(a_{t})^{-1}": ex.power(ex.Elementwise(a, "tanh"), -1),
    r"s_{t} \, a_{t}": ex.hadamard(ex.broadcast(s, n, 1), a),
    r"s_{t} \, \mathbf{1}": ex.broadcast(s, n, 1),
    r"\frac{b_{t-1} \circ a_{t}}{s_{t}}": ex.hadamard(b, ex.power(ex.broadcast(s, n, 1), -1), a),
    r"\frac{\mathbf{1}}{s_{t} \, s_{t}}": ex.hadamard(*2 * [ex.power(ex.broadcast(s, n, 1), -1)]),
    r"\frac{1}{s_{t}}": ex.power(s, -1),
    r"\frac{1}{s_{t}} \, \mathbf{1}": ex.power(ex.broadcast(s, n, 1), -1),
    r"-\tfrac{1}{2} \, a_{t}": ex.scale(Rational(-1, 2), a),
    r"s_{t} \, W \, W": ex.matmul(ex.diag(ex.broadcast(s, n, 1)), W, W),
    r"s_{t} \, I": ex.diag(ex.broadcast(s, n, 1)),
    r"\left[a_{t};\, x_{t}\right]": ex.Concat(a, x),
    r"(a_{t})_{1:m}": ex.rows(a, Integer(0), m),
    r"\operatorname{mean}(a_{t})": ex.scale(1 / n, ex.total(a)),
    r"\mathbb{1}\left[a_{t} > 0\right]": ex.Elementwise(a, "step"),
    r"\sqrt{a_{t}}": ex.Elementwise(a, "sqrt"),
    r"\left(\sqrt{a_{t}} + b_{t-1}\right) \circ a_{t}": ex.hadamard(ex.add(ex.Elementwise(a, "sqrt"), b), a),
    r"\operatorname{diag}(a_{t})": ex.diag(a),
    r"\operatorname{diag}(a_{t}) \, W": scaled_product([a, W], [True, False]),
    r"W \, \operatorname{diag}(x_{t})": scaled_product([W, x], [False, True]),
    r"\bar{a}_{t+2}": ex.Adjoint(a.at(-2)),
    r"\frac{\partial \ell_{t}}{\partial a_{t}}": ex.LossGradient(a),
    r"\frac{\partial a_{t}}{\partial b_{t-1}}": ex.Block(a, b),
}  # fmt: skip


@pytest.mark.parametrize(("shown", "expr"), READS.items(), ids=READS)
def test_an_expression_is_typeset_as_an_author_writes_it(shown, expr):
    assert latex(expr) == shown


@pytest.mark.needs("node")
def test_katex_accepts_every_step_of_every_shipped_cell():
    formulas = []
    for entry in shipped():
        choices = {option.name: option.values for option in entry.options}
        specs = [
            entry.name,
            *(f"{entry.name}:{k}={v}" for k, vs in choices.items() for v in vs or ()),
        ]
        for spec in specs:
            d = derive(load(spec))
            formulas += [step.latex for step in d.steps]
            formulas.append(d._repr_latex_().strip("$"))
    assert len(formulas) > 500
    assert complaints(formulas) == []


@pytest.mark.needs("node")
def test_katex_accepts_the_single_formulas_above():
    assert complaints(list(READS)) == []


@pytest.mark.needs("node")
@settings(max_examples=10)
@given(st.lists(cells(), min_size=4, max_size=4))
def test_katex_accepts_every_step_of_a_random_cell(several):
    formulas = []
    for cell in several:
        note(cell.text)
        formulas += [step.latex for step in derive(cell).steps]
    assert complaints(formulas) == []


@pytest.mark.needs("node")
def test_katex_accepts_names_of_every_kind():
    names = [
        "alpha",
        "W_in_2",
        "c_tilde",
        "h_hat_hat",
        "gamma_u",
        "x2",
        "gate_out",
        "Omega",
        "lambda_",
        "ell",
        "frac",
    ]
    text = "\n".join(f"{name}[t] = tanh({name}[t-1] * U_{name} + x[t])" for name in names)
    assert complaints([s.latex for s in derive(read_cell(text)).steps]) == []


def test_brackets_balance_in_every_step():
    for entry in shipped():
        for step in derive(load(entry.name)).steps:
            for left, right in ("()", "[]", "{}"):
                assert step.latex.count(left) == step.latex.count(right), step.latex
            assert step.latex.count(r"\left") == step.latex.count(r"\right")


def test_a_power_of_a_number_is_divided_by_in_a_fraction():
    """The adjoint of a divisor that is a number: over d², not times (d 1) to the power −2."""
    cell = read_cell(
        "dim d = 1\nd[t] = 1 + exp(w @ h[t-1])\nh[t] = (W @ h[t-1] + U @ x[t]) / d[t]", "my"
    )
    latex = derive(cell).latex()
    assert "^{-2}" not in latex
    assert r"{d_{t}^{2}}" in latex or r"{d_t^{2}}" in latex
