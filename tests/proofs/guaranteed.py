"""Cells with weights and boxes for the tests of certified bounds, and opponents that look for a run beyond a bound."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from derive.catalog import load
from derive.derivation import Derivation, derive
from numeric.interpret import Array, shape_of
from numeric.operators import JointJacobian
from numeric.stream import Stream
from proofs.guarantee_box import Problem, input_box
from proofs.guarantee_intervals import Interval
from proofs.guarantee_step import Step


@cache
def derivation_of(spec: str) -> Derivation:
    return derive(load(spec))


def problem_of(
    spec: str, *, n: int = 4, m: int = 3, gain: float = 0.3, reach: float = 1.0, seed: int = 0
) -> Problem:
    """Normal weights of variance gain²/columns where they are square, 0.3²/columns elsewhere, small biases."""
    d = derivation_of(spec)
    sizes = {dim: n if i == 0 else m for i, dim in enumerate(d.cell.dims)}
    rng = np.random.default_rng(seed)
    fixed: dict[str, Array] = {}
    for q in d.cell.parameters:
        rows, columns = shape_of(q.symbol, sizes)
        scale = 0.1 if columns == 1 else (gain if rows == columns else 0.3) / columns**0.5
        fixed[q.name] = scale * rng.standard_normal((rows, columns))
    fixed |= {q.name: np.full((1, 1), float(q.value or 0.5)) for q in d.cell.constants}
    return Problem(Step(d, sizes), fixed, input_box(d, sizes, reach))


def drawn(rng: np.random.Generator, box: Interval) -> Array:
    """A point of the box, often a corner of it; 0 to 1 where it is unbounded."""
    lo, hi = np.where(np.isinf(box.lo), -1.0, box.lo), np.where(np.isinf(box.hi), 1.0, box.hi)
    corner = np.where(rng.random(lo.shape) < 0.5, lo, hi)
    inside = rng.uniform(size=lo.shape) * (hi - lo) + lo
    return np.where(rng.random(lo.shape) < rng.choice([0.0, 0.5, 1.0]), corner, inside)


def products(
    problem: Problem, start: dict[str, Array], inputs: list[dict[str, Array]]
) -> list[float]:
    """log ‖∂s_t/∂s_0‖₂ for t = 1, 2, … along one run."""
    stream = Stream(
        problem.derivation, problem.sizes, problem.fixed, lambda t: inputs[t - 1], start
    )
    j = JointJacobian(problem.derivation, problem.sizes)
    product, scale, found = np.eye(j.size), 0.0, list[float]()
    for _ in inputs:
        product = j.apply(stream.step(), product)
        size = float(np.linalg.norm(product, 2))
        if size == 0:
            break
        product, scale = product / size, scale + np.log(size)
        found.append(scale)
    return found


def worst(
    problem: Problem,
    box: dict[str, Interval],
    log_bound: Any,
    *,
    trials: int,
    steps: int,
    seed: int = 0,
) -> float:
    """The smallest margin log(bound) − log ‖∂s_t/∂s_0‖ that random search with improvement finds."""
    rng = np.random.default_rng(seed)

    def margin(start: dict[str, Array], inputs: list[dict[str, Array]]) -> float:
        logs = products(problem, start, inputs)
        return min((log_bound(t) - log for t, log in enumerate(logs, 1)), default=np.inf)

    best, kept = np.inf, None
    for trial in range(trials):
        start = {k: drawn(rng, v) for k, v in box.items()}
        inputs = [{k: drawn(rng, v) for k, v in problem.inputs.items()} for _ in range(steps)]
        if kept is not None and trial % 2:  # one entry of the best so far is drawn anew
            start, inputs = dict(kept[0]), [dict(x) for x in kept[1]]
            t = int(rng.integers(0, steps + 1))
            if t == steps or not problem.inputs:
                start = {k: drawn(rng, v) for k, v in box.items()}
            else:
                inputs[t] = {k: drawn(rng, v) for k, v in problem.inputs.items()}
        found = margin(start, inputs)
        if found < best:
            best, kept = found, (start, inputs)
    return best
