"""The Jacobian formed as a matrix, against applying it factor by factor, and where it pays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from derive.derivation import derive
from derive.language import read_cell
from numeric import operators
from numeric.formed import FormedJacobian
from numeric.namespace import NUMPY
from numeric.operators import JointJacobian
from numeric.products import log_norms
from numeric.scene import Scene, slots
from tests.numeric.dynamics import run_of
from tests.numeric.test_operators import VECTORS


def formed(name: str) -> tuple[FormedJacobian, JointJacobian, Any]:
    """The Jacobian both ways, and a run."""
    run = run_of(name)
    places = slots(run.derivation, run.sizes)
    made = FormedJacobian(run.derivation, run.sizes, places, NUMPY)
    return made, JointJacobian(run.derivation, run.sizes), run


@pytest.mark.parametrize("name", [*VECTORS, "skip:d=2", "skip:d=3"])
def test_the_matrix_is_what_is_applied_factor_by_factor(name: str) -> None:
    made, applied, run = formed(name)
    for t in (5, 9):
        look = run.look(t)
        found = made.matrix(Scene(look, lambda program, look=look: program(look)))
        np.testing.assert_allclose(
            np.broadcast_to(found, (1, 1, applied.size, applied.size)),
            np.broadcast_to(applied.formed(look), (1, 1, applied.size, applied.size)),
            rtol=1e-13, atol=1e-14,
        )  # fmt: skip


def test_it_pays_where_products_stand_within_products_and_the_block_is_wide() -> None:
    assert (
        formed("gru")[0].pays_from == formed("gru")[0].size / 2
    )  # n³ once, and n² instead of 3 n² for a column
    assert formed("elman")[0].pays_from == math.inf  # one product either way
    assert formed("lstm")[0].pays_from == math.inf  # (2n)² is the four products of n²


def test_two_products_of_one_state_cost_as_many_when_applied() -> None:
    derivation = derive(read_cell("h[t] = tanh(W @ h[t-1]) * sigmoid(V @ h[t-1] + x[t])"))
    places = {("h", 0): slice(0, 4)}
    sizes = dict.fromkeys(derivation.cell.dims, 4)
    made = FormedJacobian(derivation, sizes, places, NUMPY)
    assert made.pays_from == 0.0  # two products of n² become one, and forming takes none


@pytest.mark.parametrize("name", ["gru", "slstm", "skip:d=2"])
def test_norms_at_all_lags_are_the_same_either_way(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, asked = run_of(name), list[int]()
    right = operators.FormedJacobian.matrix

    def seen(self: Any, scene: Any) -> Any:
        asked.append(1)
        return right(self, scene)

    monkeypatch.setattr(operators.FormedJacobian, "matrix", seen)
    found = dict[float, np.ndarray]()
    for pays in (0.0, math.inf):
        monkeypatch.setattr(operators.FormedJacobian, "pays_from", pays)
        found[pays] = log_norms(run)
        assert len(asked) == run.steps
    np.testing.assert_allclose(found[0.0], found[math.inf], rtol=0, atol=1e-12)
