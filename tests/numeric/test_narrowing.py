"""Narrower blocks of cotangents have the norms of whole ones; where what was left out comes back, that is noticed."""

from __future__ import annotations

import numpy as np
import pytest

from numeric.forward_run import Run, run
from numeric.interpret import Array
from numeric.matrix_states import jacobian_of
from numeric.namespace import Namespace
from numeric.narrowing import NARROWEST, Narrowing
from numeric.products import log_norms
from tests.numeric.dynamics import derivation_of, sizes_of, weights


def wide_norms(found: Run) -> Array:
    """By whole products, in doubles."""
    j = jacobian_of(found.derivation, found.sizes)
    product, scale, logs = np.eye(j.size), 0.0, [0.5 * np.log(j.size)]
    for t in range(found.steps, 0, -1):
        product = product @ j.formed(found.look(t)).reshape(j.size, j.size)
        length = np.linalg.norm(product)
        scale, product = scale + np.log(length), product / length
        logs.append(scale)
    return np.array(logs)


def long_run(name: str, n: int, steps: int, dtype: str = "float64") -> Run:
    sizes = sizes_of(name, n, 3)
    fixed = {k: v[None] for k, v in weights(name, n, 3, 1.2).items()}
    inputs = {"x": np.random.default_rng(2).standard_normal((steps, 1, 3, 1))}
    return run(derivation_of(name), sizes, fixed, inputs, steps=steps, space=Namespace(dtype=dtype))


def widths(found: Run, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The columns of every block that ``log_norms`` goes on with."""
    seen, real = list[int](), Narrowing.narrowed

    def spy(self: Narrowing, y: Array, lag: int, length: float) -> Array:
        kept = real(self, y, lag, length)
        seen.append(kept.shape[-1])
        return kept

    monkeypatch.setattr(Narrowing, "narrowed", spy)
    log_norms(found)
    return seen


@pytest.mark.parametrize(("name", "n"), [("elman", 96), ("lstm", 48), ("skip", 48)])
def test_narrower_blocks_have_the_norms_of_whole_ones(
    name: str, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = long_run(name, n, 110)
    np.testing.assert_allclose(log_norms(found), wide_norms(found), atol=1e-11)
    seen = widths(found, monkeypatch)
    assert min(seen) < seen[0] / 2


def test_in_float32_they_are_narrower_sooner_and_as_right_as_float32() -> None:
    single, double = long_run("elman", 64, 150, "float32"), long_run("elman", 64, 150)
    with pytest.MonkeyPatch.context() as patched:
        early = widths(single, patched)
    with pytest.MonkeyPatch.context() as patched:
        late = widths(double, patched)
    first = [next(lag for lag, kept in enumerate(seen) if kept < 64) for seen in (early, late)]
    assert first[0] < first[1]
    np.testing.assert_allclose(log_norms(single), wide_norms(double), atol=0.02)


def test_what_was_left_out_and_comes_back_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few directions outlive the others by far, and then end at once: the others are what is left."""
    cell, n, steps = "h[t] = x[t] * h[t-1]", 64, 60
    x = np.random.default_rng(4).uniform(0.2, 0.3, (steps, 1, n, 1))
    x[20:, 0, :6] = 0.9
    x[19, 0, :6] = 0.0
    found = run(derivation_of(cell), sizes_of(cell, n, n), {}, {"x": x}, steps=steps)
    np.testing.assert_allclose(log_norms(found), wide_norms(found), atol=1e-11)
    assert (
        min(widths(found, monkeypatch)) < NARROWEST
    )  # by the time of the end, the others were left out


def test_directions_that_all_count_stay() -> None:
    cell, n, steps = "h[t] = x[t] * h[t-1]", 40, 50
    x = np.full((steps, 1, n, 1), 0.5)
    found = run(derivation_of(cell), sizes_of(cell, n, n), {}, {"x": x}, steps=steps)
    with pytest.MonkeyPatch.context() as patched:
        assert set(widths(found, patched)) == {n}


def test_growth_of_what_was_left_out_undoes_the_last_narrowing_only() -> None:
    """What the first narrowing left out never counts again; what the second one left out does."""
    cell, n, steps = "h[t] = x[t] * h[t-1]", 160, 260
    x = np.full((steps, 1, n, 1), 0.9)
    x[200:, 0, 80:] = 0.05  # seen first, from the end: soon only 80 directions count,
    x[130:200, 0, 30:80] = 0.5  # then 30,
    x[:80, 0, :30] = 0.3  # and then the 50 that were left out last
    found = run(derivation_of(cell), sizes_of(cell, n, n), {}, {"x": x}, steps=steps)
    undone = list[tuple[int, int]]()
    with pytest.MonkeyPatch.context() as patched:
        real = Narrowing.taken_back

        def spy(self: Narrowing, lag: int) -> tuple[int, Array]:
            before, y = real(self, lag)
            undone.append((before, y.shape[-1]))
            return before, y

        patched.setattr(Narrowing, "taken_back", spy)
        norms = log_norms(found)
    np.testing.assert_allclose(norms, wide_norms(found), atol=1e-11)
    assert [kept < n for _, kept in undone] == [True]
