"""Layouts: what is printed is what was computed, seen from columns or from rows, and transposes stand at leaves."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, note, settings

from derive import expressions as ex
from derive.catalog import load, shipped
from derive.derivation import derive
from derive.errors import ArgumentError
from derive.language import read_cell
from derive.layouts import LAYOUTS
from derive.network_catalog import load as load_network
from derive.network_derivation import derive_network
from tests.derive.test_text import PLAIN, READ, Series, meant, names_of, said
from tests.derived import Pass, primal
from tests.oracle import Sample, distance, sample, unrolled
from tests.strategies import samples

OTHERS = ("denominator", "numerator", "row")

SIDEWAYS = {
    **PLAIN,
    "hstack": lambda *parts: np.concatenate(parts, axis=-1),
    "softmax": lambda v: np.exp(v) / np.exp(v).sum(),
    "logsumexp": lambda v: np.log(np.exp(v).sum(keepdims=True)),
    "diag": lambda v: np.diag(np.ravel(v)),
}
"""The functions of a page on which vectors are rows or columns."""


def is_gradient(name: str) -> bool:
    return name.endswith("_bar") or name.startswith(("dl_d", "delta_"))


def mean_what_they_say(s: Sample, layout: str) -> None:
    """Demand that every line's text, evaluated by Python with every value as the layout has it, is the house's."""
    d = derive(s.cell)
    run = Pass(d, s, primal(d, s, unrolled(s)))
    names = {**names_of(d, s, run), **SIDEWAYS}
    quantities = {q.name for q in s.cell.quantities}

    def across(name: str) -> bool:
        return layout == "row" or (
            layout == "numerator" and is_gradient(name) and name not in quantities
        )

    def seen(name: str, value):
        if isinstance(value, Series) and across(name):
            return Series({t: v.T for t, v in value.values.items()})
        return value.T if isinstance(value, np.ndarray) and across(name) else value

    names = {name: seen(name, value) for name, value in names.items()}
    checked = 0
    for ours, house in zip(d.page(layout).steps, d.steps, strict=True):
        if house.section not in READ:
            continue
        value = said(ours.text, names, s.T)
        expected = meant(house, run, s.T)
        gradient = house.section in ("adjoint", "input", "still", "parameter")
        if layout == "row" or (layout == "numerator" and gradient):
            expected = expected.T
        assert np.shape(value) in ((), (1, 1), expected.shape), ours.text
        assert distance(value + 0 * expected, expected) < 1e-10, ours.text
        checked += 1
    assert checked


@pytest.mark.parametrize("layout", ["numerator", "row"])
@pytest.mark.parametrize("name", [e.name for e in shipped() if e.name != "lstm_rows"])
def test_the_text_of_a_shipped_cell_in_another_layout_is_what_was_computed(name, layout):
    mean_what_they_say(sample(load(name), T=6, seed=4), layout)


@settings(max_examples=20)
@given(samples(T=6))
def test_the_text_of_a_random_cell_with_rows_for_gradients_is_what_was_computed(s):
    note(s.cell.text)
    mean_what_they_say(s, "numerator")


def test_the_house_s_layout_is_what_was_derived():
    d = derive(load("lstm_stacked"))
    stated = [e.rhs for e in d.backward.local]
    assert [s.rhs for s in d.section("adjoint")] == stated


@pytest.mark.parametrize("entry", shipped(), ids=lambda entry: entry.name)
def test_every_layout_has_the_same_lines(entry):
    d = derive(load(entry.name))
    for layout in LAYOUTS:
        steps = d.page(layout).steps
        assert [(s.number, s.section, s.owner, s.rules) for s in steps] == [
            (s.number, s.section, s.owner, s.rules) for s in d.steps
        ]


@pytest.mark.parametrize("layout", ["denominator", "row"])
def test_transposes_stand_at_names_only(layout):
    """Stacks and short elementwise products count as one name; so does ds[t]/ds[k]."""
    for name in ("lstm", "gru", "elman", "leaky", "lstm_peephole"):
        text = derive(load(name)).text(layout)
        for inner in re.findall(r"\(([^()]*)\)\.T", text):
            assert re.fullmatch(r"[\w\[\]+-]+( \* [\w\[\]+-]+)?|d\+?\w.*/d\w.*", inner), inner


def test_the_lstm_in_row_layout_is_the_lstm_written_on_rows():
    """Line by line, up to the order of terms."""

    def lines(page):
        found = {}
        for section in ("equation", "adjoint", "input", "parameter", "initial"):
            for step in page.section(section):
                lhs, _, rhs = step.text.partition(" = ")
                found[section, lhs] = sorted(re.split(r"[()]| \+ ", rhs))
        return found

    assert lines(derive(load("lstm_bare")).page("row")) == lines(derive(load("lstm_rows")).page())


def test_a_cell_on_rows_is_in_row_layout_as_it_stands():
    d = derive(load("lstm_rows"))
    stated = [s.text for s in d.steps if s.section != "product"]
    assert [s.text for s in d.page("row").steps if s.section != "product"] == stated


def test_a_gradient_by_a_column_is_a_row_in_numerator_layout():
    page = derive(load("lstm")).page("numerator")
    shapes = dict(zip((p.partition(" (")[0] for p, _ in page.shapes), page.shapes, strict=True))
    assert shapes["h_bar[t]"][0] == "h_bar[t] (1, n)"
    assert shapes["U_f_bar"][0] == "U_f_bar (m, n)"
    assert "W_f_bar = sum over t of h[t-1] @ delta_f[t]" in page.text()
    assert "c_bar[t+1] @ diag(f[t+1])" in page.text()
    assert r"\bar{h}_{t} \in \mathbb{R}^{1 \times n}" in page.latex()


def test_the_order_of_jacobians_turns_with_the_layout():
    d = derive(load("elman"))
    forward, backward = "J[T] @ J[T-1] @ ... @ J[k+1]", "J[k+1] @ ... @ J[T-1] @ J[T]"
    for layout, order in zip(LAYOUTS, (forward, backward, forward, backward), strict=True):
        assert f"ds[T]/ds[k] = {order}" in d.text(layout)


def test_matrix_states_and_slices_turn_too():
    text = derive(load("linear_attention")).text("row")
    assert "S[t] = S[t-1] + k[t].T @ v[t]" in text
    cell = read_cell("h[t] = tanh(W @ concat(h[t-1], x[t]))\n", "stacked")
    text = derive(cell).text("row")
    assert "tanh(hstack(h[t-1], x[t]) @ W)" in text
    assert "[:, 0:n]" in text


def test_a_network_is_written_in_a_layout_segment_by_segment():
    d = derive_network(load_network("tagger"))
    assert d.text("row").count("Row layout:") == len(d.segments)
    assert d.latex("numerator").count("Numerator layout:") == len(d.segments)
    assert [s["layout"] for s in d.to_dict("row")["segments"]] == ["row"] * len(d.segments)


def test_a_layout_that_does_not_exist_is_named_and_the_others_are_told():
    with pytest.raises(ArgumentError, match=r"no layout 'columns'(.|\n)*numerator"):
        derive(load("elman")).text("columns")


def test_an_adjoint_is_a_leaf_of_the_transposed_shape():
    page = derive(load("elman")).page("numerator")
    lhs = page.section("adjoint")[0].lhs
    assert isinstance(lhs, ex.Adjoint)
    assert lhs.shape[0] == 1


@pytest.mark.needs("node")
def test_katex_accepts_every_line_of_every_layout():
    from reports.strict import complaints

    shown: list[str] = []
    for name in ("lstm_stacked", "mlstm", "selective_ssm"):
        for layout in LAYOUTS:
            page = derive(load(name)).page(layout)
            shown += [*(s.latex for s in page.steps), *(tex for _, tex in page.shapes)]
    assert len(shown) > 200
    assert complaints(shown) == []
