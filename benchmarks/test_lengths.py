"""What a length costs: nothing in a derivation, a constant per step in generated code."""

from __future__ import annotations

import statistics
import time

import numpy as np
import pytest

from derive.catalog import load
from derive.derivation import derive
from numeric.source import generate
from proofs.modules import load_source

LENGTHS = (10, 1_000, 100_000)
LAGS = (2, 8, 64)


def seconds(work, rounds: int = 5) -> float:
    """The median time of a call."""
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


@pytest.mark.parametrize("name", ["elman", "lstm"])
def test_a_step_costs_the_same_at_every_length(benchmark, name):
    """Time per step of forward and backward, as ratios to that at T = 1,000."""
    module = load_source(generate(derive(load(name))))
    params = module.init_params(8, 4, seed=1)
    rng = np.random.default_rng(0)
    per_step = {}
    for steps in LENGTHS:
        x = rng.standard_normal((steps, 2, 4))
        weights = {"h": rng.standard_normal((steps, 2, 8))}

        def work(x=x, weights=weights):
            _, _, cache = module.forward(params, x)
            module.backward(params, cache, weights)

        per_step[steps] = seconds(work, 1 if steps > 10_000 else 5) / steps
    for steps, found in per_step.items():
        benchmark.extra_info[f"a step at T = {steps:,} / at T = 1,000"] = round(
            found / per_step[1_000], 2
        )
    assert per_step[100_000] < 3 * per_step[1_000]
    benchmark.pedantic(work, rounds=1)


def test_a_derivation_does_not_grow_with_the_lag(benchmark):
    """Deriving the skip connection over d steps: d values to start from, and nothing else, grow."""
    found = {lag: seconds(lambda lag=lag: derive(load(f"skip:d={lag}")).backward) for lag in LAGS}
    for lag, taken in found.items():
        benchmark.extra_info[f"deriving at d = {lag} / at d = {LAGS[0]}"] = round(
            taken / found[LAGS[0]], 2
        )
    benchmark.pedantic(lambda: derive(load(f"skip:d={LAGS[-1]}")), rounds=3)
