"""The path ledger: which routes there are, that they are the whole Jacobian, and that the parts add up."""

from __future__ import annotations

import numpy as np
import pytest

from derive.derivation import derive
from derive.fronts import sum_of_blocks
from derive.language import read_cell
from numeric import ledger as module
from numeric.interpret import compiled
from numeric.ledger import ledger, routes
from numeric.measure import MeasureError, gains
from numeric.operators import JointJacobian
from tests.numeric.dynamics import MOGRIFIER, derivation_of, run_of

CELLS = ["lstm", "gru", "gru_reset_after", "leaky", "skip", "elman", "lstm_peephole", "mingru"]
CELLS += [MOGRIFIER]


@pytest.mark.parametrize(
    ("name", "direct", "others"),
    [
        ("lstm", [()], {(), ("W_f",), ("W_i",), ("W_g",), ("W_o",)}),
        ("gru", [()], {("W_g", "W_r"), ("W_g",), ("W_z",)}),
        ("leaky", [()], {("W",)}),
        ("skip", [("V",)], {("W",)}),
        ("elman", [], {("W",)}),
    ],
)
def test_the_routes_of_a_cell(name: str, direct: list, others: set) -> None:
    found = routes(derivation_of(name))
    assert [r.through for r in found if r.direct] == direct
    assert {r.through for r in found if not r.direct} == others


def test_a_matrix_that_is_computed_is_on_the_way_as_a_parameter_is() -> None:
    """W[t] = M − Mᵀ of an antisymmetric network: what leads through it does not lead through no matrix."""
    cell = read_cell("W[t] = M - M.T\nh[t] = h[t-1] + 0.1 * tanh(W[t] @ h[t-1] + U @ x[t])", "my")
    found = routes(derive(cell))
    assert [(r.through, r.direct) for r in found] == [((), True), (("W",), False)]


@pytest.mark.parametrize("name", CELLS)
def test_all_routes_together_are_the_jacobian(name: str) -> None:
    run = run_of(name)
    look = run.look(5)
    whole = JointJacobian(run.derivation, run.sizes)
    parts = [
        JointJacobian(run.derivation, run.sizes, r.addends, hands_over=i == 0)
        for i, r in enumerate(routes(run.derivation))
    ]
    eye = np.eye(whole.size)[None, None]
    total = sum(part.apply(look, eye) for part in parts)
    np.testing.assert_allclose(total, whole.apply(look, eye), atol=1e-14)


@pytest.mark.parametrize("name", CELLS)
def test_the_parts_add_up_to_the_product_by_the_backward_equations(name: str) -> None:
    run = run_of(name, steps=12)
    found = ledger(run)
    assert found.difference < 1e-12
    np.testing.assert_allclose(found.shares.sum(axis=0), 1, atol=1e-12)
    np.testing.assert_allclose(found.total, gains(run).joint[:, 0], atol=1e-10)


def test_the_direct_path_of_an_lstm_is_the_product_of_its_forget_gates() -> None:
    run = run_of("lstm", steps=6)
    found = ledger(run)
    gates = np.prod([run.values["f", t] for t in range(1, 7)], axis=0)
    expected = 0.5 * np.log((gates**2).sum() / found_size(run))
    assert found.gains[0, 6] == pytest.approx(expected)


def found_size(run) -> int:
    return JointJacobian(run.derivation, run.sizes).size


def test_a_part_left_out_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = routes(derivation_of("lstm"))
    monkeypatch.setattr(module, "routes", lambda derivation: whole[:-1])
    assert ledger(run_of("lstm")).difference > 1e-3


def test_long_products_neither_underflow_nor_lose_the_sum() -> None:
    found = ledger(run_of("lstm", steps=1500, n=3, m=2, gain=0.3))
    assert found.total[-1] < -700
    assert np.isfinite(found.total).all()
    assert found.difference < 1e-9


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("step", ["0.000000001", "1000000000"])
def test_without_a_direct_path_parts_may_leave_the_range_of_floats(step: str) -> None:
    found = ledger(run_of(f"h[t] = sin({step} * (W @ h[t-1]) + U @ x[t])", steps=80))
    assert abs(found.total[-1]) > 1400
    assert found.difference < 1e-9
    assert found.shares[:, -1].sum() == pytest.approx(1)


@pytest.mark.filterwarnings("error")
def test_a_direct_path_far_larger_than_the_rest_keeps_it() -> None:
    cell = "h[t] = 1000000000 * h[t-1]\ng[t] = 0.000000001 * (W @ g[t-1]) + V @ h[t] + U @ x[t]"
    found = ledger(run_of(cell, steps=60))
    assert np.isfinite(found.total).all()
    assert found.difference < 1e-9


@pytest.mark.filterwarnings("error")
def test_a_gradient_that_is_exactly_zero_has_no_shares() -> None:
    found = ledger(run_of("h[t] = relu(W @ h[t-1] + U @ x[t] - 1000)", steps=6))
    assert found.total[-1] == -np.inf
    assert (found.shares[:, -1] == 0).all()


def test_larger_states_are_probed_and_the_parts_still_add_up() -> None:
    found = ledger(run_of("gru", n=70, steps=5))
    assert found.difference < 1e-12
    assert found.total[0] == pytest.approx(0, abs=0.1)


def test_probes_tell_how_far_a_share_may_be_off(monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of("lstm", n=8, steps=20)
    exact = ledger(run)
    assert exact.probes == 0
    assert not exact.errors.any()
    monkeypatch.setattr(module, "EXACT_UP_TO", 4)
    apart = [(ledger(run, seed=seed), seed) for seed in range(30)]
    score = [(b.shares - exact.shares)[:, 5:] / b.errors[:, 5:] for b, _ in apart]
    assert apart[0][0].probes == module.PROBES
    assert 0.5 < float(np.sqrt(np.mean(np.square(score)))) < 1.5


def test_brackets_are_opened_without_changing_the_value() -> None:
    run = run_of("gru")
    (block,) = derivation_of("gru").jacobian
    opened = module.addends(block.value)
    assert len(opened) == 4
    look = run.look(4)
    np.testing.assert_allclose(
        sum(compiled(e, run.sizes)(look) for e in opened),
        compiled(sum_of_blocks([block.value]), run.sizes)(look),
        atol=1e-14,
    )


def test_a_state_that_is_a_matrix_has_no_ledger() -> None:
    with pytest.raises(MeasureError, match="is a matrix"):
        routes(derivation_of("linear_attention"))
