"""Slopes of saturated units: what is measured keeps its digits where 1 − h² and z (1 − z) have none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from derive import catalog
from derive.derivation import Derivation, derive
from derive.expressions import Diag, operands, walk
from numeric.forward_run import Run, run
from numeric.interpret import compiled
from numeric.lyapunov import growth
from numeric.measure import diagonal_paths, gains
from numeric.namespace import NUMPY
from numeric.operators import JointJacobian
from numeric.slopes import Slopes
from numeric.stream import Stream
from tests.numeric.dynamics import MOGRIFIER, derivation_of, run_of, sizes_of

GAIN = 18.0
RATE = math.log(GAIN) + math.log(4) - 2 * GAIN
"""log of g tanh′(g), where h = tanh(g h) is 1 in every digit, and 1 + e^(−2g) too."""


def saturated(steps: int) -> tuple[Derivation, dict[Any, int], dict[str, Any], Run]:
    """One unit that feeds itself with a large gain, from h = 1 on."""
    derivation, sizes = derivation_of("elman"), sizes_of("elman", 1, 1)
    fixed = {"W": np.array([[GAIN]]), "U": np.zeros((1, 1)), "b": np.zeros((1, 1))}
    start = {("h", 0): np.ones((1, 1, 1))}
    stored = run(
        derivation,
        sizes,
        {name: value[None] for name, value in fixed.items()},
        {"x": np.zeros((steps, 1, 1, 1))},
        steps=steps,
        initial=start,
    )
    return derivation, sizes, fixed, stored


def test_the_rate_of_a_saturated_unit_has_all_of_its_digits() -> None:
    derivation, sizes, fixed, _ = saturated(1)
    start = {"h": np.ones((1, 1))}
    stream = Stream(derivation, sizes, fixed, lambda t: {"x": np.zeros((1, 1))}, start)
    assert growth(stream, 20, warmup=2).rate == pytest.approx(RATE, abs=1e-13)


def test_so_have_the_gains_from_the_backward_equations_and_the_jacobian_at_all_steps() -> None:
    derivation, sizes, _, stored = saturated(5)
    assert gains(stored).joint[-1, 0] == pytest.approx(5 * RATE, abs=1e-12)
    pull = JointJacobian(derivation, sizes).along(stored)
    for columns in (1, 9):  # factor by factor, and formed
        pulled = pull(3, np.ones((1, 1, 1, columns)))
        np.testing.assert_allclose(np.log(pulled), RATE, atol=1e-13)


@pytest.mark.parametrize("bias", [-40.0, 40.0])
def test_a_path_through_a_saturated_gate_has_all_of_its_digits(bias: float) -> None:
    derivation = derive(catalog.load("mingru"))
    [block] = [b for b in derivation.jacobian if isinstance(b.value, Diag)]
    sizes = dict.fromkeys(derivation.cell.dims, 1)
    fixed = {q.name: np.zeros((1, 1)) for q in derivation.cell.parameters} | {
        "b_z": np.full((1, 1), bias)
    }
    stored = run(
        derivation,
        sizes,
        {name: value[None] for name, value in fixed.items()},
        {"x": np.zeros((3, 1, 1, 1))},
        steps=3,
    )
    assert block.owner == "h"
    path = diagonal_paths(stored, 3)["h"][-1, 0]
    assert path == pytest.approx(-3 * np.logaddexp(0.0, bias), rel=1e-14)


@pytest.mark.parametrize("name", ["lstm", "gru", "leaky", "mingru", MOGRIFIER])
def test_where_nothing_saturates_both_ways_of_writing_agree(name: str) -> None:
    stored = run_of(name, n=4, m=3, steps=3)
    derivation, look = stored.derivation, stored.look(2)
    slopes = Slopes(derivation)
    entries: list[Any] = [
        operands(node)[0]
        for found in derivation.jacobian
        for node in walk(found.value)
        if isinstance(node, Diag)
    ]
    written = [slopes(e) for e in entries]
    assert any(new != e for new, e in zip(written, entries, strict=True))
    for new, e in zip(written, entries, strict=True):
        ours, plain = (compiled(v, stored.sizes)(look) for v in (new, e))
        np.testing.assert_allclose(ours, plain, rtol=1e-12, err_msg=str(e))


def test_sigmoids_keep_their_digits_where_they_are_almost_zero() -> None:
    a = np.array([[-700.0], [-100.0], [-37.5], [-5.0], [0.0], [5.0], [800.0]])
    exact = np.exp(-np.logaddexp(0.0, -a))
    np.testing.assert_allclose(NUMPY.function("sigmoid")(a), exact, rtol=1e-12)
