"""The verb is twelve words from its subject: in which cell does the verb's gradient still reach it?

Six cells learn to agree; before and after, the gradient of the loss at the verb is measured at every word. Where it
is gone at the subject from the start, there is nothing to learn from.

    python -m examples.reach [STEPS]
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import throughtime
from derive.catalog import source_of
from examples.agreement import VOCABULARY, last_step, sentences
from examples.common import FOLDER, module_of, run, table
from numeric.watch import Moment, Watch
from throughtime.model import Model

DISTANCE, HIDDEN = 12, 16
HEAD = """
p[t] = sigmoid(W_y @ h[t] + b_y)
loss[t] = binary_cross_entropy(p[t], verb[t])
"""
SPECS = ("elman", "irnn", "leaky", "skip:d=3", "gru", "lstm")


def words_and_verbs(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Sentences whose verb stands ``DISTANCE`` words after the subject."""
    words, verbs = sentences(rng, count)
    return words[: DISTANCE + 1], verbs[: DISTANCE + 1]


def network(spec: str) -> Model:
    """A shipped cell with the readout behind it."""
    text, name, options = source_of(spec)
    return throughtime.read(text + HEAD, name, options)


def norms(module: ModuleType, params: dict[str, np.ndarray]) -> np.ndarray:
    """‖∂L/∂x_t‖ at every word t, over 64 sentences."""
    words, verb = words_and_verbs(np.random.default_rng(1), 64)
    _, (_, by_input, _) = module.value_and_grad(last_step, params, words, verb)
    return np.sqrt(np.sum(by_input["x"] ** 2, axis=(1, 2)))


def learned(
    model: Model, module: ModuleType, steps: int
) -> tuple[float, np.ndarray, np.ndarray, list[Moment]]:
    """Accuracy, gradient norms at every word before and after, and what was watched during training."""
    rng = np.random.default_rng(0)
    sizes = [HIDDEN, *(VOCABULARY if str(d) == "m" else 1 for d in model.cell.dims[1:])]
    params = module.init_params(*sizes, seed=0)
    before = norms(module, params)
    words, verb = words_and_verbs(np.random.default_rng(2), 1)
    watch = Watch(
        model.derive(), {"x": words[:, 0], "verb": verb[:, 0]}, last_step, every=max(1, steps // 10)
    )

    def gradient(now: dict[str, np.ndarray], batch: tuple) -> tuple[float, dict[str, np.ndarray]]:
        value, (by_params, _, _) = module.value_and_grad(last_step, now, *batch)
        return value, by_params

    def each(step: int, loss: float, *rest: Any) -> None:
        watch(step, loss, *rest)
        if step % watch.every == 0:
            print(f"    step {step:5d}  loss {loss:.4f}", file=sys.stderr)

    batches = (words_and_verbs(rng, 32) for _ in range(steps))
    params = module.train(params, gradient, batches, rate=0.01, clip=1.0, each=each)
    words, verb = words_and_verbs(rng, 500)
    outputs, _, _ = module.forward(params, words, verb)
    right = float(((outputs["p"][-1] > 0.5) == (verb[-1] > 0.5)).mean())
    return right, before, norms(module, params), watch.moments


def main(steps: int = 600, folder: Path = FOLDER, *, checked: bool = True) -> dict[str, float]:
    """Train every cell; returns the share of verbs that each gets right."""
    right, told, drawn = {"a guess": 0.5}, {"a guess": " 50.0%"}, {}
    for spec in SPECS:
        name = spec.partition(":")[0]
        model = network(spec)
        module = module_of(model, f"reach_{name}", folder, checked=checked)
        right[name], before, after, moments = learned(model, module, steps)
        drawn[name] = before, after
        reach = [v[0] / v[-1] if v[-1] else 0.0 for v in (before, after)]
        told[name] = (
            f"{right[name]:6.1%}   {reach[0]:.1e}   {reach[1]:.1e}   {moments[0].rate:+.3f} → {moments[-1].rate:+.3f}"
        )
    table("right   at the subject / at the verb: before, after   log σ₁ / T", told)
    draw(folder, drawn)
    return right


def draw(folder: Path, drawn: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """``reach_before.svg`` and ``reach_after.svg``: the gradient at every word, relative to that at the verb."""
    from reports.figures import Series, line_figure, to_picture

    for place, when in enumerate(("before", "after")):
        series = [
            Series(
                name,
                list(range(len(values[place]))),
                (values[place] / values[place][-1])[::-1].tolist(),
            )
            for name, values in drawn.items()
        ]
        figure = line_figure(
            series,
            xlabel=f"words before the verb; {DISTANCE}: the subject",
            ylabel=r"$\|\partial L/\partial x_t\|$, at the verb 1",
            title=f"{when} training",
            logy=True,
        )
        (folder / f"reach_{when}.svg").write_text(to_picture(figure).svg, encoding="utf-8")


if __name__ == "__main__":
    run(main)
