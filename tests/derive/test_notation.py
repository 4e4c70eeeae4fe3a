"""Names on page, terminal and in code: as the field writes them, and none for two things."""

from __future__ import annotations

import pytest
from sympy import Symbol

from derive import expressions as ex
from derive.catalog import load
from derive.derivation import derive
from derive.language import read_cell
from derive.latex import latex_name
from derive.notation import Notation, split_name

n = Symbol("n", positive=True, integer=True)
h, f = ex.Timed("h", 0, n, 1), ex.Timed("f", 0, n, 1)


def all_identifiers(text: str) -> list[str]:
    """How everything in a derivation of this cell is called."""
    d = derive(read_cell(text))
    primal = [*(q.symbol for q in d.cell.quantities), *(a.target for a in d.assignments)]
    derived = [kind(v) for v in primal for kind in (ex.Adjoint, ex.Tangent, ex.LossGradient)]
    return [d.notation.identifier(v) for v in dict.fromkeys([*primal, *derived])]


def test_adjoints_tangents_and_the_loss_s_derivatives_are_called_as_in_the_field():
    notation = derive(load("lstm")).notation
    a_f = ex.Timed("a_f", 0, n, 1)
    assert notation.identifier(ex.Adjoint(h)) == "h_bar"
    assert notation.identifier(ex.Adjoint(a_f)) == "delta_f"
    assert notation.identifier(ex.Tangent(a_f)) == "a_f_dot"
    assert notation.identifier(ex.LossGradient(h)) == "dl_dh"
    assert notation.identifier(ex.Adjoint(ex.parameter("W_f", n, n))) == "W_f_bar"


@pytest.mark.parametrize(
    "text",
    [
        "h_bar[t] = h_bar[t-1] * p\nh[t] = tanh(h_bar[t] + W @ h[t-1])\n",
        "h[t] = tanh(W @ h[t-1] + h_bar)\n",
        "f[t] = sigmoid(delta_f * h[t-1])\nh[t] = f[t] * h[t-1]\n",
        "delta_f[t] = x[t]\nf[t] = sigmoid(delta_f[t] + V @ h[t-1])\nh[t] = f[t] * h[t-1]\n",
        "delta_f_[t] = x[t]\nf[t] = sigmoid(delta_f + V @ h[t-1])\nh[t] = f[t] * h[t-1] + delta_f_[t]\n",
        "h[t] = tanh(W @ h[t-1] + dl_dh * h_dot + a_h_bar)\n",
        "a_f[t] = x[t]\nf[t] = sigmoid(W @ h[t-1] + a_f[t])\nh[t] = f[t] * a_f_2\nh_[t] = h_[t-1]\n",
        "f_bar[t] = sigmoid(V @ h[t-1])\ndelta_f[t] = f_bar[t] * x[t]\nf[t] = tanh(delta_f[t])\nh[t] = f[t] * h[t-1]\n",
        "tanh_c[t] = x[t] * tanh_c_2\nc[t] = tanh_c[t] * c[t-1]\nh[t] = tanh(c[t]) + h[t-1]\n",
    ],
)  # fmt: skip
def test_no_two_things_are_called_the_same(text):
    found = all_identifiers(text)
    assert len(set(found)) == len(found)


def test_the_author_s_names_are_kept_and_ours_give_way():
    d = derive(read_cell("f[t] = sigmoid(delta_f * h[t-1])\nh[t] = f[t] * h[t-1]\n"))
    assert d.notation.identifier(d.cell.quantity("delta_f").symbol) == "delta_f"
    delta = ex.Adjoint(ex.Timed("a_f", 0, n, 1))
    assert d.notation.identifier(delta) == "delta_f_"
    assert d.notation.is_evasive(delta)
    (step,) = [s for s in d.section("adjoint") if s.lhs.name == "a_f"]
    assert step.latex.startswith(r"\delta'_{f,t} = ")


def test_a_notation_without_a_derivation_names_by_habit():
    assert Notation({}).identifier(ex.Adjoint(h)) == "h_bar"
    assert not Notation({}).is_delta(ex.Adjoint(h))
    assert Notation({}).written_out(h) is None


def test_a_short_value_is_written_out_at_its_own_step():
    d = derive(load("lstm"))
    c = d.cell.quantity("c").symbol
    assert d.notation.written_out(ex.Timed("tanh_c", 2, *c.shape)) == ex.Elementwise(
        c.at(2), "tanh"
    )
    assert d.notation.written_out(d.cell.quantity("f").symbol) is None


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("W", ("W", ())),
        ("W_in2", ("W", ("in2",))),
        ("W2", ("W", ("2",))),
        ("h_1_2", ("h", ("1", "2"))),
        ("x__y", ("x", ("y",))),
        ("gamma_u", ("gamma", ("u",))),
    ],
)
def test_a_name_is_a_base_and_subscripts(name, parts):
    assert split_name(name) == parts


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("W_in", r"W_{\mathrm{in}}"),
        ("gamma_u", r"\gamma_{u}"),
        ("c_tilde", r"\tilde{c}"),
        ("beta_hat_2", r"\hat{\beta}_{2}"),
        ("gate", r"\mathrm{gate}"),
        ("Theta", r"\Theta"),
        ("lambda_", r"\lambda"),
    ],
)
def test_a_name_is_typeset_as_its_author_would(name, latex):
    assert latex_name(name) == latex


def test_an_accent_goes_over_the_base_and_time_stands_last():
    assert latex_name("c_tilde_x", accent="bar", time="t-1") == r"\bar{\tilde{c}}_{x,t-1}"


def test_the_page_s_own_names_are_those_of_no_quantity() -> None:
    """The joint state s, its matrix A and the rest b of a linear recurrence: a cell may have such itself."""
    text = derive(
        read_cell("A[t] = sigmoid(U @ x[t])\nb[t] = V @ x[t]\ns[t] = A[t] * s[t-1] + b[t]", "my")
    ).text()
    assert "s_[t] = [s[t]]" in text
    assert "ds_[T]/ds_[k] = J[T] @ J[T-1] @ ... @ J[k+1]" in text
    assert "s_[t] = A_[t] @ s_[t-1] + b_[t], A_[t] = ds_[t]/ds_[t-1]" in text
    assert "s_bar[t] = dl_ds[t] + s_bar[t+1] * A[t+1]" in text
    plain = derive(read_cell("h[t] = tanh(W @ h[t-1] + U @ x[t])", "my")).text()
    assert "s[t] = [h[t]]" in plain
