"""A stream computes what a stored run computes, and keeps nothing of it."""

from __future__ import annotations

import numpy as np
import pytest

from derive.derivation import derive
from derive.language import read_cell
from numeric.forward_run import run
from numeric.interpret import shape_of
from numeric.stream import CHUNK, Stream, normal_inputs
from tests.numeric.dynamics import derivation_of, sizes_of, stream_of, weights


@pytest.mark.parametrize("name", ["skip", "gru", "h[t] = tanh(W @ h[t-1] + U @ x[t] + V @ x[t-1])"])
def test_a_stream_is_the_run_step_by_step_with_its_earlier_values(name: str) -> None:
    derivation, sizes = derivation_of(name), sizes_of(name, 4, 3)
    fixed = weights(name, 4, 3)
    x = np.random.default_rng(3).standard_normal((8, 3, 1))
    stored = run(
        derivation, sizes, {k: v[None] for k, v in fixed.items()}, {"x": x[:, None]}, steps=8
    )
    stream = Stream(derivation, sizes, fixed, lambda t: {"x": x[t - 1]})
    (h,) = derivation.cell.states
    for t in range(1, 9):
        look = stream.step()
        for lag in range(h.depth + 1):
            expected = stored.values["h", t - lag][0, 0]
            np.testing.assert_allclose(look(h.symbol.at(lag)), expected, rtol=1e-14, atol=1e-15)


def test_what_a_stream_holds_does_not_grow_with_its_steps() -> None:
    stream = stream_of("lstm", weights("lstm", 3, 2), 3, 2)
    stream.step()
    held = len(stream._values)
    for _ in range(50):
        stream.step()
    assert len(stream._values) == held


def test_inputs_differ_from_chunk_to_chunk_and_are_the_same_again_for_the_same_seed() -> None:
    derivation, sizes = derivation_of("elman"), sizes_of("elman", 3, 2)
    one, two = (normal_inputs(derivation, sizes, 5, 0.5) for _ in range(2))
    seen = [one(t)["x"] for t in range(1, CHUNK + 3)]
    assert seen[0].shape == shape_of(derivation.cell.quantity("x").symbol, sizes)
    assert len({v.tobytes() for v in seen}) == len(seen)
    np.testing.assert_array_equal(seen[-1], [two(t)["x"] for t in range(1, CHUNK + 3)][-1])


def test_inputs_are_drawn_where_the_cell_has_a_value() -> None:
    d = derive(read_cell("h[t] = tanh(W @ h[t-1] + log(p[t]) + sqrt(1 - q[t]**2) + x[t])"))
    sizes = dict.fromkeys(d.cell.dims, 4)
    at = normal_inputs(d, sizes, 3)
    drawn = [at(t) for t in range(1, 200)]
    assert all((v["p"] > 0).all() and (abs(v["q"]) < 1).all() for v in drawn)
    assert any((v["x"] < 0).any() for v in drawn)
