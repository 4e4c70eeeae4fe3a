"""Jacobians of matrix states: against the blocks where those exist, against differences, and against each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numeric.interpret import Array
from numeric.lyapunov import growth, spectrum
from numeric.matrix_states import EquationsJacobian, jacobian_of
from numeric.operators import JointJacobian
from tests.numeric.dynamics import derivation_of, run_of, sizes_of, stream_of, weights

MATRIX = [
    "linear_attention",
    "linear_attention_gated",
    "deltanet",
    "gated_deltanet",
    "mlstm",
    "rwkv",
    "rwkv7",
]


@pytest.mark.parametrize("name", ["elman", "lstm", "gru", "skip:d=3", "slstm"])
def test_equations_give_what_the_blocks_give(name: str) -> None:
    found = run_of(name)
    blocks = JointJacobian(found.derivation, found.sizes)
    equations = EquationsJacobian(found.derivation, found.sizes)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 1, blocks.size, 3))
    for move in ("apply", "pull"):
        one, other = (getattr(j, move)(found.look(9), x) for j in (blocks, equations))
        np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("name", MATRIX)
def test_pull_is_the_transpose_of_apply(name: str) -> None:
    found = run_of(name)
    j = jacobian_of(found.derivation, found.sizes)
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 1, 1, j.size, 2))
    look = found.look(5)
    np.testing.assert_allclose(
        np.swapaxes(j.apply(look, x), -1, -2) @ y,
        np.swapaxes(x, -1, -2) @ j.pull(look, y),
        atol=1e-10,
    )


@pytest.mark.parametrize("name", ["deltanet", "mlstm"])
def test_apply_is_the_difference_of_two_runs(name: str) -> None:
    """One state is moved a little before the run; the directions move with it."""
    n, m, size = 3, 2, 1e-6
    derivation, sizes = derivation_of(name), sizes_of(name, n, m)
    fixed = weights(name, n, m)
    j = jacobian_of(derivation, sizes)
    v = np.random.default_rng(4).standard_normal((j.size, 1))

    def after(amount: float) -> tuple[Any, Array]:
        stream = stream_of(name, fixed, n, m)
        for (state, back), part in j.slots.items():
            symbol: Any = derivation.cell.quantity(state).symbol
            moved = stream._values[symbol.at(back)]
            stream._values[symbol.at(back)] = moved + amount * v[part].reshape(moved.shape)
        look = stream.step()
        symbols: dict[str, Any] = {q.name: q.symbol for q in derivation.cell.states}
        values = [look(symbols[q].at(b)).reshape(-1, 1) for q, b in j.slots]
        return look, np.concatenate(values)

    look, _ = after(0.0)
    slope = (after(size)[1] - after(-size)[1]) / (2 * size)
    np.testing.assert_allclose(j.apply(look, v), slope, rtol=1e-6, atol=1e-8)


def test_sums_of_keys_and_values_keep_every_gradient() -> None:
    n, m = 3, 2
    stream = stream_of("linear_attention", weights("linear_attention", n, m), n, m)
    assert growth(stream, 50).rate == pytest.approx(0.0, abs=1e-12)


def test_the_delta_rule_forgets_and_the_sum_rule_holds() -> None:
    n, m = 3, 2
    fixed = weights("deltanet", n, m)
    found = spectrum(stream_of("deltanet", fixed, n, m), 200)
    assert found.exponents[0] < -0.001
    assert found.difference is not None
    assert found.difference < 1e-6
