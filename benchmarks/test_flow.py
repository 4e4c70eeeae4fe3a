"""What measuring gradients costs: the growth rate of long runs, and norms at all lags against automatic differentiation.

Opponents are called as well as they can be: one ``jacrev`` of the last state by a perturbation of every step gives
all ∂s_T/∂s_k in one batched backward pass; jax compiled, its compilation not counted.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
import pytest

from derive.catalog import load
from derive.derivation import derive
from numeric.lyapunov import growth
from numeric.namespace import Namespace
from numeric.products import log_norms
from numeric.stream import Stream, normal_inputs
from numeric.tape import run

N, M, STEPS, ROUNDS = 128, 16, 200, 5
PER_LAG = (50, 150)


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


def torch_all(w, u, x):
    """All ∂s_T/∂s_k by one jacrev, and their norms."""
    import torch

    given = [torch.from_numpy(v) for v in (w, u, x)]

    def last(moved):
        h = torch.zeros(len(w), dtype=given[0].dtype)
        for t in range(len(x)):
            h = torch.tanh(given[0] @ h + given[1] @ given[2][t]) + moved[t]
        return h

    zero = torch.zeros((len(x), len(w)), dtype=given[0].dtype)
    jacobian = torch.func.jacrev(last)
    return lambda: torch.linalg.matrix_norm(jacobian(zero).movedim(1, 0)).numpy()


def torch_per_lag(w, u, x):
    """One jacrev for each lag, from the state there; some lags stand for all."""
    import torch

    given = [torch.from_numpy(v) for v in (w, u, x)]

    def work():
        spent = []
        for lag in PER_LAG:

            def last(h, lag=lag):
                for t in range(len(x) - lag, len(x)):
                    h = torch.tanh(given[0] @ h + given[1] @ given[2][t])
                return h

            start = time.perf_counter()
            torch.linalg.matrix_norm(
                torch.func.jacrev(last)(torch.zeros(len(w), dtype=given[0].dtype))
            )
            spent.append(time.perf_counter() - start)
        return statistics.mean(spent) * len(x)

    return work


def jax_all(w, u, x):
    """The same as ``torch_all``, compiled."""
    import jax
    import jax.numpy as jnp

    def last(moved):
        def step(h, at):
            return jnp.tanh(w @ h + u @ at[0]) + at[1], None

        return jax.lax.scan(step, jnp.zeros(len(w), w.dtype), (x, moved))[0]

    zero = jnp.zeros((len(x), len(w)), w.dtype)
    compiled = jax.jit(lambda z: jnp.sqrt((jax.jacrev(last)(z) ** 2).sum(axis=(0, 2))))
    compiled(zero).block_until_ready()
    return lambda: np.asarray(compiled(zero).block_until_ready())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_norms_at_all_lags_against_jacrev(benchmark, dtype):
    """n = 128, T = 200; medians of interleaved rounds."""
    pytest.importorskip("torch")
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    fixed = {k: v.astype(dtype) for k, v in weights(N, M).items()}
    x = np.random.default_rng(1).standard_normal((STEPS, M)).astype(dtype)
    derivation = derive(load("elman"))
    sizes = dict(zip(derivation.cell.dims, (N, M), strict=True))
    given = {k: v[None] for k, v in fixed.items()}

    def ours():
        stored = run(
            derivation,
            sizes,
            given,
            {"x": x[:, None, :, None]},
            steps=STEPS,
            space=Namespace(dtype=dtype),
        )
        return log_norms(stored)

    works = {
        "torch.func.jacrev": torch_all(fixed["W"], fixed["U"], x),
        "jax.jit": jax_all(fixed["W"], fixed["U"], x),
        "ours": ours,
    }
    spent: dict[str, list[float]] = {name: [] for name in works}
    logs = ours()
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.perf_counter()
            found = work()
            spent[name].append(time.perf_counter() - start)
            if (
                name != "ours"
            ):  # moved[t] stands for s_t, so lag T − t; unscaled ones underflow in float32
                theirs = np.log(found[::-1][:40])
                np.testing.assert_allclose(logs[:40], theirs, atol=1e-3)
    median = {name: statistics.median(values) for name, values in spent.items()}
    per_lag = torch_per_lag(fixed["W"], fixed["U"], x)()
    ratios = {
        "torch.func.jacrev once / ours": median["torch.func.jacrev"] / median["ours"],
        "torch.func.jacrev per lag / ours": per_lag / median["ours"],
        "jax.jit / ours": median["jax.jit"] / median["ours"],
    }
    for name, ratio in ratios.items():
        benchmark.extra_info[name] = round(ratio, 2)
    benchmark.extra_info["ours, seconds"] = round(median["ours"], 4)
    benchmark.pedantic(ours, rounds=1)
