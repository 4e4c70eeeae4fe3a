"""What computing all steps together is worth: forward and backward by scans, against the same cell step after step."""

from __future__ import annotations

import statistics
import time

import numpy as np
import pytest

from derive.catalog import load
from derive.derivation import derive
from numeric.scan_source import generate_scan
from numeric.source import generate
from proofs.modules import load_source

CELLS = ("mingru", "minlstm", "lru", "rglru", "selective_ssm", "linear_attention_gated", "rwkv")
ROUNDS = 5


def seconds(module, params, x) -> tuple[float, float]:
    """Medians of forward and backward."""
    forward, backward = [], []
    for _ in range(ROUNDS):
        start = time.process_time()
        outputs, _, cache = module.forward(params, x)
        middle = time.process_time()
        module.backward(params, cache, {name: np.ones_like(v) for name, v in outputs.items()})
        forward.append(middle - start)
        backward.append(time.process_time() - middle)
    return statistics.median(forward), statistics.median(backward)


@pytest.mark.parametrize(("steps", "samples", "n"), [(1000, 1, 16), (10000, 1, 16), (1000, 32, 64)])
@pytest.mark.parametrize("name", CELLS)
def test_all_steps_together_against_one_after_the_other(benchmark, name, steps, samples, n):
    """One sequence is where a loop in Python costs most; many wide ones keep NumPy busy by themselves."""
    d = derive(load(name))
    if name == "linear_attention_gated" and n > 16:
        pytest.skip("its state is a matrix: these sizes take gigabytes")
    ordinary, scanned = load_source(generate(d), name), load_source(generate_scan(d), name)
    params = ordinary.init_params(*[n] * len(d.cell.dims))
    x = np.random.default_rng(0).standard_normal((steps, samples, n))
    one = seconds(ordinary, params, x)
    together = benchmark.pedantic(lambda: seconds(scanned, params, x), rounds=1)
    for way, a, b in zip(("forward", "backward"), one, together, strict=True):
        benchmark.extra_info[way] = f"{1e3 * a:.1f} ms → {1e3 * b:.1f} ms ({a / b:.1f} times)"
