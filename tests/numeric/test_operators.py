"""The joint Jacobian as an operator, against the tangent equations, which it does not use, and its own transpose."""

from __future__ import annotations

import numpy as np
import pytest

from derive.catalog import load, shipped
from numeric.measure import MeasureError
from numeric.operators import JointJacobian
from numeric.tape import Tangents
from tests.numeric.dynamics import MOGRIFIER, derivation_of, run_of, sizes_of

VECTORS = [
    *(e.name for e in shipped() if all(q.shape[1] == 1 for q in load(e.name).states)),
    pytest.param(MOGRIFIER, id="mogrifier"),
]  # a state that is a matrix, or a row, has no blocks

STEADY = ("lru", "rwkv")
"""Cells whose Jacobian is the same at every step."""


@pytest.mark.parametrize("name", [*VECTORS, "skip:d=2"])
def test_applying_the_jacobian_is_pushing_a_tangent(name: str) -> None:
    found = run_of(name)
    j = JointJacobian(found.derivation, found.sizes)
    v = np.random.default_rng(0).standard_normal((1, 1, j.size, 1))
    before = {
        q.name: [v[..., j.slots[q.name, back], :] for back in range(q.depth)]
        for q in found.cell.states
    }
    after = Tangents(found.derivation, found.sizes).push(found.look(9), before)
    expected = np.concatenate([part for parts in after.values() for part in parts], axis=-2)
    np.testing.assert_allclose(j.apply(found.look(9), v), expected, atol=1e-12)


@pytest.mark.parametrize("name", VECTORS)
def test_pulling_is_the_transpose_of_applying_for_blocks_of_directions(name: str) -> None:
    found = run_of(name)
    j = JointJacobian(found.derivation, found.sizes)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 1, 1, j.size, 3))
    look = found.look(9)
    left = np.swapaxes(y, -1, -2) @ j.apply(look, x)
    right = np.swapaxes(j.pull(look, y), -1, -2) @ x
    assert np.abs(left).max() > 0
    np.testing.assert_allclose(left, right, atol=1e-12)


@pytest.mark.parametrize("name", [*VECTORS, "skip:d=2"])
@pytest.mark.parametrize("first", [1, 4])
def test_pulling_along_a_run_is_pulling_at_each_of_its_steps(name: str, first: int) -> None:
    found = run_of(name)
    j = JointJacobian(found.derivation, found.sizes)
    y = np.random.default_rng(0).standard_normal((1, 1, j.size, 3))
    along, seen = j.along(found, first), list[np.ndarray]()
    for t in range(found.steps, first - 1, -1):
        seen.append(along(t, y))
        np.testing.assert_allclose(seen[-1], j.pull(found.look(t), y), rtol=1e-13, atol=1e-13)
    same = np.array_equal(seen[0], seen[-1])  # otherwise steps differ: one taken for another shows
    assert same == (name in STEADY)


def test_a_run_may_be_shorter_than_what_it_looks_back_to() -> None:
    late = "h[t] = tanh(W @ h[t-1] * x[t-5] + h[t-3] * x[t-4])"
    found = run_of(late, n=3, steps=2)
    j = JointJacobian(found.derivation, found.sizes)
    y = np.random.default_rng(0).standard_normal((1, 1, j.size, 2))
    along = j.along(found, 1)
    for t in (2, 1):
        np.testing.assert_allclose(along(t, y), j.pull(found.look(t), y), rtol=1e-13, atol=1e-13)


def test_a_state_that_is_a_matrix_is_refused() -> None:
    with pytest.raises(MeasureError, match="is a matrix"):
        JointJacobian(derivation_of("linear_attention"), sizes_of("linear_attention", 3, 2))
