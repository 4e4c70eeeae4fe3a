"""A study measures what the generated code computes, for every cell, and says what it assumed."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from derive.catalog import load, shipped
from derive.cell import Cell
from derive.derivation import derive
from derive.domains import domains_of
from derive.language import read_cell
from numeric.measure import EXACT_UP_TO, MeasureError
from numeric.source import generate
from numeric.study import Study, study, usual_sizes
from proofs.modules import load_source


def studied(cell: Cell, seed: int = 0) -> Study:
    derivation = derive(cell)
    return study(derivation, load_source(generate(derivation)), seed=seed)


@cache
def of_shipped(name: str) -> Study:
    return studied(load(name))


@pytest.mark.parametrize(
    "name", ["lstm", "skip", "gru_reset_after", "linear_attention_gated", "leaky"]
)
def test_the_shares_add_up_to_the_gradient_of_the_generated_code(name: str) -> None:
    found = of_shipped(name)
    assert found.difference < 1e-12
    assert found.shares.shares.sum() == pytest.approx(1, abs=1e-12)
    assert any(np.abs(value).max() > 0 for value in found.shares.total.values())


def test_the_same_seed_gives_the_same_numbers_and_another_gives_others() -> None:
    one, again, other = (studied(load("elman"), seed) for seed in (1, 1, 2))
    assert one.gains.joint.tobytes() == again.gains.joint.tobytes()
    assert one.gains.joint.tobytes() != other.gains.joint.tobytes()


def test_an_open_forget_gate_keeps_more_than_a_vanilla_rnn() -> None:
    lstm, elman = of_shipped("lstm"), of_shipped("elman")
    assert np.median(lstm.gains.joint[50]) > np.median(elman.gains.joint[50]) + 5
    assert elman.gains.rate < lstm.gains.rate < 0


def test_every_shipped_cell_is_measured_exactly() -> None:
    for entry in shipped():
        cell = load(entry.name)
        sizes = usual_sizes(cell)
        assert (
            sum(int((q.depth * q.shape[0] * q.shape[1]).subs(sizes)) for q in cell.states)
            <= EXACT_UP_TO
        )


def test_a_cell_that_wants_positive_inputs_gets_them() -> None:
    found = studied(read_cell("h[t] = tanh(W @ h[t-1] + log(x[t]))", "logs"))
    assert found.inputs == "standard normal, taken into their domains"
    assert found.difference < 1e-12


def test_a_cell_whose_domain_is_not_known_may_get_positive_inputs() -> None:
    cell = read_cell("h[t] = tanh(W @ h[t-1] + log(sin(x[t])))", "open")
    assert domains_of(cell).open
    assert studied(cell).inputs == "uniform between 0.5 and 1.5"


def test_a_cell_that_leaves_the_numbers_is_refused() -> None:
    with pytest.raises(MeasureError):
        studied(read_cell("h[t] = exp(h[t-1]) + x[t]", "tower"))


def test_a_cell_without_inputs_is_measured() -> None:
    found = studied(read_cell("h[t] = tanh(W @ h[t-1] + b)", "free"))
    assert found.difference < 1e-12


def test_a_constant_without_a_value_is_assumed_and_said() -> None:
    found = studied(read_cell("const a\nh[t] = a * h[t-1] + tanh(U @ x[t])", "free"))
    assert found.assumed == ("a",)
    assert found.constants == {"a": 0.5}
    assert found.gains.rate == pytest.approx(np.log(0.5))
