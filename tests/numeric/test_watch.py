"""Gradient flow along training: the callback in the generated loop, against what the generated code returns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from derive.derivation import derive
from derive.errors import ArgumentError
from derive.language import read_cell
from numeric.products import extremes
from numeric.source import generate
from numeric.training import with_training
from numeric.watch import Watch
from proofs.modules import load_source

TEXT = """
h[t] = tanh(W @ h[t-1] + U @ x[t] + b)
p[t] = sigmoid(V @ h[t] + d)
loss[t] = binary_cross_entropy(p[t], y[t])
"""


def last_step(outputs: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    losses = outputs["loss"]
    bar = np.zeros_like(losses)
    bar[-1] = 1.0
    return float(losses[-1].sum()), {"loss": bar}


def test_a_training_is_watched_and_the_shares_are_of_its_gradient() -> None:
    derivation = derive(read_cell(TEXT, "mine"))
    module = load_source(with_training(generate(derivation)))
    rng = np.random.default_rng(0)
    x = rng.standard_normal((9, 1, 3))
    y = np.broadcast_to((x[0, :, :1] > 0).astype(float), (9, 1, 1))
    watch = Watch(derivation, {"x": x[:, 0], "y": y[:, 0]}, last_step, every=4)
    seen: list[dict[str, Any]] = []

    def gradient(params: Any, batch: Any) -> Any:
        seen.append(params)
        value, (found, _, _) = module.value_and_grad(last_step, params, *batch)
        return value, found

    params = module.init_params(5, 3, 1, seed=1)
    module.train(params, gradient, [(x, y)] * 10, rate=0.1, each=watch)
    assert [m.step for m in watch.moments] == [0, 4, 8]
    for moment in watch.moments:
        _, (theirs, _, _) = module.value_and_grad(last_step, seen[moment.step], x, y)
        total = np.sqrt(sum(np.sum(g**2) for g in theirs.values()))
        # the loss looks at the last step only, and the batch is the watched sequence
        assert np.sqrt(sum(n**2 for n in moment.norms.values())) == pytest.approx(total)
        assert moment.shares.sum() == pytest.approx(1)
        assert moment.lags[0] > 0
        stored = watch._run(seen[moment.step])
        assert moment.rate == pytest.approx(extremes(stored, (9,)).largest[0] / 9, abs=1e-8)
    assert watch.moments[-1].loss < watch.moments[0].loss
    assert watch.moments[0].rate != watch.moments[-1].rate


X, Y = np.ones((3, 2)), np.ones((3, 1))


@pytest.mark.parametrize(
    ("inputs", "every"),
    [({}, 1), ({"x": X}, 1), ({"x": X, "y": np.ones((4, 1))}, 1), ({"x": X, "y": Y}, 0)],
)
def test_what_cannot_be_watched_is_refused(inputs: Any, every: int, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="Watch: expected one sequence"):
        Watch(derive(read_cell(TEXT, "mine")), inputs, last_step, every=every)


@pytest.mark.parametrize(
    ("x", "bar", "says"),
    [
        (
            np.ones((3, 5)),
            ("h", np.ones((3, 4))),
            r"x has shape \(3, 5\) of float64: expected numbers",
        ),
        ([["a", "b"]], ("h", np.ones((1, 4))), "x has shape"),
        (X, ("q", np.ones((3, 4))), "a gradient by q; the outputs are h"),
        (X, ("h", np.ones((2, 4))), r"gradient by h has shape \(2, 4\)"),
    ],
)
def test_what_does_not_fit_the_cell_is_told_when_it_is_measured(
    x: Any, bar: tuple[str, Any], says: str
) -> None:
    derivation = derive(read_cell("h[t] = tanh(W @ h[t-1] + U @ x[t])", "plain"))
    watch = Watch(derivation, {"x": x}, lambda _: (1.0, {bar[0]: bar[1]}))
    with pytest.raises(ArgumentError, match=says):
        watch(0, 1.0, {"W": np.eye(4), "U": np.ones((4, 2))}, {})
