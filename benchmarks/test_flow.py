"""What measuring gradients costs: the growth rate of long runs, and the norms at all lags."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from derive.catalog import load
from derive.derivation import derive
from numeric.lyapunov import growth
from numeric.stream import Stream, normal_inputs

M = 16


def weights(n: int, m: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "W": rng.standard_normal((n, n)) / n**0.5,
        "U": rng.standard_normal((n, m)) / m**0.5,
        "b": np.zeros((n, 1)),
    }


def test_the_growth_rate_of_100_000_steps_takes_seconds(benchmark):
    """n = 256, T = 100,000, one direction, no memory of the steps."""
    derivation = derive(load("elman"))
    sizes = dict(zip(derivation.cell.dims, (256, M), strict=True))
    fixed = weights(256, M)

    def work():
        return growth(
            Stream(derivation, sizes, fixed, normal_inputs(derivation, sizes, 1)), 100_000
        )

    found = benchmark.pedantic(work, rounds=1)
    benchmark.extra_info["growth rate"] = f"{found.rate:.4f} ± {found.error:.4f}"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_norms_at_all_lags_against_automatic_differentiation(benchmark, cell, dtype):
    """n = 128, T = 200: ratios of medians of one interleaved run, in a process of its own with one thread."""
    pytest.importorskip("torch")
    pytest.importorskip("jax")

    def race():
        command = [sys.executable, "-m", "benchmarks.all_lags", cell, dtype, "128"]
        found = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own module
        return json.loads(found.stdout)

    median = benchmark.pedantic(race, rounds=1)
    benchmark.extra_info["ours, seconds"] = round(median["ours"], 4)
    for name in median.keys() - {"ours"}:
        benchmark.extra_info[f"{name} / ours"] = round(median[name] / median["ours"], 2)
