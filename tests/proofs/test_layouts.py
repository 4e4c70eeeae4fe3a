"""A page in another layout is proved equal to the house's, and a wrong transpose anywhere is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from sympy.matrices.expressions import HadamardProduct, MatMul, Transpose

from derive import expressions as ex
from derive import layouts
from derive.catalog import load, shipped
from derive.derivation import derive
from derive.layout_nodes import Beside, Columns
from derive.layouts import LAYOUTS
from derive.network_catalog import load as load_network
from derive.network_catalog import shipped as shipped_networks
from derive.network_derivation import derive_network
from proofs.layouts import prove_layout
from tests.strategies import cells

OTHERS = ("denominator", "numerator", "row")


@pytest.mark.parametrize("entry", shipped(), ids=lambda entry: entry.name)
def test_every_layout_of_a_shipped_cell_is_proved(entry):
    d = derive(load(entry.name))
    for layout in LAYOUTS:
        verdict = prove_layout(d, layout)
        assert verdict.ok, verdict
        assert verdict.compared >= 2 * sum(s.lhs is not None for s in d.steps)
        assert verdict.bound.total < 1e-12
        assert "proved: in " in str(verdict)


@pytest.mark.parametrize("entry", shipped_networks(), ids=lambda entry: entry.name)
def test_every_layout_of_a_shipped_network_is_proved(entry):
    for d in derive_network(load_network(entry.name)).segments:
        for layout in OTHERS:
            assert prove_layout(d, layout).ok


@settings(max_examples=12)
@given(cells())
def test_every_layout_of_a_random_cell_is_proved(cell):
    note(cell.text)
    for layout in OTHERS:
        verdict = prove_layout(derive(cell), layout)
        assert verdict.ok, verdict


def first_with(page, kind, section):
    return next(
        s for s in page.section(section) if any(isinstance(v, kind) for v in ex.walk(s.rhs))
    )


def changed(page, step, rhs):
    """The page with another right-hand side in one line."""
    return replace(page, steps=tuple(replace(s, rhs=rhs) if s is step else s for s in page.steps))


def everywhere(expr, change):
    """The first node for which ``change`` has another one, replaced."""
    new = change(expr)
    if new is not None:
        return new
    for i, part in enumerate(ex.operands(expr)):
        other = everywhere(part, change)
        if other is not None:
            parts = list(ex.operands(expr))
            parts[i] = other
            return ex.with_operands(expr, parts)
    return None


def test_a_missing_transpose_is_refused_though_shapes_agree():
    d = derive(load("lstm"))
    page = d.page("row")
    step = page.section("adjoint")[0]
    wrong = everywhere(step.rhs, lambda e: e.arg if isinstance(e, Transpose) else None)
    verdict = prove_layout(d, "row", page=changed(page, step, wrong))
    assert not verdict.ok
    assert len(verdict.wrong) == 1
    assert verdict.wrong[0].startswith(f"({step.number}) h_bar[t]")
    assert "is not what the house layout says" in str(verdict)


def test_a_needless_transpose_is_refused():
    d = derive(load("elman"))
    page = d.page("numerator")
    step = page.section("adjoint")[0]
    wrong = everywhere(step.rhs, lambda e: Transpose(e) if getattr(e, "name", "") == "W" else None)
    assert not prove_layout(d, "numerator", page=changed(page, step, wrong)).ok


def test_factors_in_the_old_order_are_refused():
    d = derive(load("gru"))
    page = d.page("denominator")
    step = page.section("jacobian")[0]
    wrong = everywhere(
        step.rhs,
        lambda e: MatMul(*ex.operands(e)[::-1]) if isinstance(e, MatMul) else None,
    )
    verdict = prove_layout(d, "denominator", page=changed(page, step, wrong))
    assert [line.partition(" ")[0] for line in verdict.wrong] == [f"({step.number})"]


def test_jacobians_across_steps_in_the_wrong_order_are_refused():
    d = derive(load("elman"))
    page = d.page("row")
    kept = page.across_steps[0]
    turned = MatMul(*kept[1].args[::-1])
    wrong = replace(page, across_steps=((kept[0], turned), *page.across_steps[1:]))
    verdict = prove_layout(d, "row", page=wrong)
    assert verdict.wrong == ("ds[T]/ds[k]: is not what the house layout says",)


def test_columns_off_by_one_are_refused():
    d = derive(load("lstm_stacked"))
    page = d.page("row")
    step = first_with(page, Columns, "adjoint")
    wrong = everywhere(
        step.rhs,
        lambda e: Columns(e.args[0], e.start + 1, e.stop + 1) if isinstance(e, Columns) else None,
    )
    assert not prove_layout(d, "row", page=changed(page, step, wrong)).ok


def test_a_line_of_another_shape_is_refused_and_told():
    d = derive(load("elman"))
    page = d.page("numerator")
    step = page.section("parameter")[0]
    verdict = prove_layout(
        d, "numerator", page=changed(page, step, MatMul(*ex.operands(step.rhs)[::-1]))
    )
    assert "has shape" in verdict.wrong[0]


def test_a_name_from_nowhere_is_refused():
    d = derive(load("elman"))
    page = d.page("numerator")
    step = page.section("adjoint")[0]
    verdict = prove_layout(
        d, "numerator", page=changed(page, step, ex.Adjoint(ex.Timed("z", 0, *step.lhs.shape)))
    )
    assert "is nothing of the house layout's derivation" in verdict.wrong[0]


def test_a_page_in_the_house_s_layout_is_no_page_in_row_layout():
    d = derive(load("lstm"))
    verdict = prove_layout(d, "row", page=d.page())
    assert not verdict.ok
    assert len(verdict.wrong) > 20


def test_a_page_without_its_last_line_is_refused():
    d = derive(load("elman"))
    page = d.page("row")
    verdict = prove_layout(d, "row", page=replace(page, steps=page.steps[:-1]))
    assert verdict.wrong == ("the pages have different lines",)


BROKEN = {
    "products keep their order": (
        MatMul,
        lambda w, e, across: MatMul(*(w(p, across=across) for p in ex.operands(e))),
    ),
    "elementwise products mix rows and columns": (
        HadamardProduct,
        lambda w, e, across: w(e.args[0], across=across),
    ),
    "stacks turn their order": (
        ex.Concat,
        lambda w, e, across: Beside(*(w(p, across=True) for p in ex.operands(e)[::-1])),
    ),
    "slices keep their axis": (
        ex.Rows,
        lambda w, e, across: ex.Rows(w(*ex.operands(e), across=across), e.start, e.stop),
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_rule_is_refused(how, monkeypatch):
    node, rule = BROKEN[how]
    monkeypatch.setitem(layouts._WRITERS, node, rule)
    d = derive(load("lstm_stacked"))
    assert not prove_layout(d, "row").ok
