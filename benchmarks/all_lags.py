"""Norms of ∂s_T/∂s_{T−k} at all lags k: ours against automatic differentiation, interleaved, one thread each.

    python -m benchmarks.all_lags [CELL] [DTYPE] [N]

Four opponents, called as well as they can be:

- ``jacrev``: torch.func, one call by a perturbation of every step, which gives all ∂s_T/∂s_k in one batched pass;
- ``jacrev per lag``: the same called from the state of each lag; some lags stand for all;
- ``jax``: jax's jacrev, compiled. Like both above it is not renormalised: in float32 it underflows;
- ``jax sweep``: what an expert would write by hand: a compiled scan of vmapped vjps, the block of cotangents brought
  back to length one at every step and its lengths kept as logarithms, as ours.

What is timed begins with the weights and ends with the norms; compilation is not counted. All must agree.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
if __name__ == "__main__":  # before the libraries are imported, which read it then
    os.environ |= ONE_THREAD
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import numpy as np  # noqa: E402 - as said above

from derive.catalog import load  # noqa: E402
from derive.derivation import derive  # noqa: E402
from numeric.forward_run import run  # noqa: E402
from numeric.interpret import shape_of  # noqa: E402
from numeric.namespace import Namespace  # noqa: E402
from numeric.products import log_norms  # noqa: E402

M, STEPS, ROUNDS, SLOW_ROUNDS = 16, 200, 7, 3
PER_LAG = (50, 150)
COMPARED = 25
"""Lags at which plain products have not underflowed in float32 yet."""

Values = dict[str, Any]


def elman(xp: Any, p: Values, s: tuple[Any, ...], x: Any) -> tuple[Any, ...]:
    return (xp.tanh(p["W"] @ s[0] + p["U"] @ x + p["b"]),)


def gru(xp: Any, p: Values, s: tuple[Any, ...], x: Any) -> tuple[Any, ...]:
    (h,) = s
    z = 0.5 + 0.5 * xp.tanh(0.5 * (p["W_z"] @ h + p["U_z"] @ x + p["b_z"]))
    r = 0.5 + 0.5 * xp.tanh(0.5 * (p["W_r"] @ h + p["U_r"] @ x + p["b_r"]))
    g = xp.tanh(p["W_g"] @ (r * h) + p["U_g"] @ x + p["b_g"])
    return ((1 - z) * h + z * g,)


def lstm(xp: Any, p: Values, s: tuple[Any, ...], x: Any) -> tuple[Any, ...]:
    h, c = s
    f, i, o = (
        0.5 + 0.5 * xp.tanh(0.5 * (p[f"W_{k}"] @ h + p[f"U_{k}"] @ x + p[f"b_{k}"])) for k in "fio"
    )
    c = f * c + i * xp.tanh(p["W_g"] @ h + p["U_g"] @ x + p["b_g"])
    return o * xp.tanh(c), c


CELLS: dict[str, tuple[int, Callable[..., tuple[Any, ...]]]] = {
    "elman": (1, elman),
    "gru": (1, gru),
    "lstm": (2, lstm),
}
"""How many states, and the step as one writes it by hand, for torch and jax alike."""


class Race:
    """A cell with random weights and inputs, and everybody's way to its norms."""

    def __init__(self, cell: str, dtype: str, n: int) -> None:
        self.count, self.step = CELLS[cell]
        self.n, self.dtype, self.derivation = n, dtype, derive(load(cell))
        self.sizes = dict(zip(self.derivation.cell.dims, (n, M), strict=True))
        rng = np.random.default_rng(0)
        self.fixed: dict[str, np.ndarray] = {}
        for q in self.derivation.cell.parameters:
            rows, columns = shape_of(q.symbol, self.sizes)
            drawn = rng.standard_normal((rows, columns)) / columns**0.5
            self.fixed[q.name] = (0.0 * drawn if columns == 1 else drawn).astype(dtype)
        self.x = np.random.default_rng(1).standard_normal((STEPS, M)).astype(dtype)

    def by_hand(self) -> Values:
        return {k: v[:, 0] if v.shape[1] == 1 else v for k, v in self.fixed.items()}

    def ours(self) -> Callable[[], np.ndarray]:
        given = {k: v[None] for k, v in self.fixed.items()}
        inputs, space = {"x": self.x[:, None, :, None]}, Namespace(dtype=self.dtype)
        return lambda: log_norms(
            run(self.derivation, self.sizes, given, inputs, steps=STEPS, space=space)
        )

    def torch_all(self) -> Callable[[], np.ndarray]:
        import torch

        torch.set_num_threads(1)
        p = {k: torch.from_numpy(v.copy()) for k, v in self.by_hand().items()}
        x, dtype, n = torch.from_numpy(self.x), getattr(torch, self.dtype), self.n
        zero = torch.zeros((STEPS, self.count * n), dtype=dtype)

        def last(moved: Any) -> Any:
            s = (torch.zeros(n, dtype=dtype),) * self.count
            for t in range(STEPS):
                s = self.step(torch, p, s, x[t])
                s = tuple(v + moved[t, i * n : (i + 1) * n] for i, v in enumerate(s))
            return torch.cat(s)

        jacobian = torch.func.jacrev(last)
        return lambda: torch.linalg.matrix_norm(jacobian(zero).movedim(1, 0)).log().numpy()[::-1]

    def torch_per_lag(self) -> Callable[[], float]:
        """The seconds for all lags, from those for some."""
        import torch

        torch.set_num_threads(1)
        p = {k: torch.from_numpy(v.copy()) for k, v in self.by_hand().items()}
        x, dtype, n = torch.from_numpy(self.x), getattr(torch, self.dtype), self.n
        start = torch.zeros(self.count * n, dtype=dtype)

        def of(lag: int) -> float:
            def last(joint: Any) -> Any:
                s = tuple(joint.split(n))
                for t in range(STEPS - lag, STEPS):
                    s = self.step(torch, p, s, x[t])
                return torch.cat(s)

            begun = time.perf_counter()
            torch.linalg.matrix_norm(torch.func.jacrev(last)(start))
            return time.perf_counter() - begun

        return lambda: STEPS * statistics.mean(of(lag) for lag in PER_LAG)

    def _jax(self) -> tuple[Any, Any, Values]:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", self.dtype == "float64")
        return jax, jnp, {k: jnp.asarray(v) for k, v in self.by_hand().items()}

    def jax_all(self) -> Callable[[], np.ndarray]:
        jax, jnp, p = self._jax()
        n = self.n
        zero = jnp.zeros((STEPS, self.count * n), self.dtype)

        def last(moved: Any) -> Any:
            def step(s: Any, at: Any) -> Any:
                s = self.step(jnp, p, s, at[0])
                return tuple(v + at[1][i * n : (i + 1) * n] for i, v in enumerate(s)), None

            start = (jnp.zeros(n, self.dtype),) * self.count
            return jnp.concatenate(jax.lax.scan(step, start, (self.x, moved))[0])

        compiled = jax.jit(lambda z: jnp.log(jnp.sqrt((jax.jacrev(last)(z) ** 2).sum(axis=(0, 2)))))
        compiled(zero).block_until_ready()
        return lambda: np.asarray(compiled(zero).block_until_ready())[::-1]

    def jax_sweep(self) -> Callable[[], np.ndarray]:
        jax, jnp, p = self._jax()
        n = self.n

        def norms(x: Any) -> Any:
            start = (jnp.zeros(n, self.dtype),) * self.count
            _, seen = jax.lax.scan(lambda s, at: (self.step(jnp, p, s, at), s), start, x)

            def back(carried: Any, at: Any) -> Any:
                (rows, scale), (s, x_t) = carried, at
                _, pull = jax.vjp(lambda s: self.step(jnp, p, s, x_t), s)
                rows = jax.vmap(lambda row: pull(row)[0])(rows)
                length = jnp.sqrt(sum((part * part).sum() for part in rows))
                scale = scale + jnp.log(length)
                return (tuple(part / length for part in rows), scale), scale

            eye = jnp.eye(self.count * n, dtype=self.dtype)
            first = tuple(eye[:, i * n : (i + 1) * n] for i in range(self.count))
            zero = jnp.zeros((), self.dtype)
            return jax.lax.scan(back, (first, zero), (seen, x), reverse=True)[1][::-1]

        compiled = jax.jit(norms)
        compiled(self.x).block_until_ready()
        return lambda: np.asarray(compiled(self.x).block_until_ready())


def medians(cell: str, dtype: str, n: int, rounds: int = ROUNDS) -> dict[str, float]:
    """Median seconds by contender, of one interleaved run in which all agree."""
    race = Race(cell, dtype, n)
    ours, per_lag = race.ours(), race.torch_per_lag()
    others = {"jacrev": race.torch_all(), "jax": race.jax_all(), "jax sweep": race.jax_sweep()}
    expected = ours()
    for name, work in others.items():
        found = work()  # perturbing s_k gives ∂s_T/∂s_k: lag 0 for all that perturb after a step
        first = 1 if name == "jax sweep" else 0
        theirs = found[:COMPARED]
        np.testing.assert_allclose(expected[first : first + COMPARED], theirs, atol=1e-3)
    spent: dict[str, list[float]] = {name: [] for name in ("ours", "jacrev per lag", *others)}
    for turn in range(rounds):
        for name, work in {"ours": ours, **others}.items():
            begun = time.perf_counter()
            work()
            spent[name].append(time.perf_counter() - begun)
        if turn < SLOW_ROUNDS:  # it takes minutes
            spent["jacrev per lag"].append(per_lag())
    return {name: statistics.median(times) for name, times in spent.items()}


if __name__ == "__main__":
    given = dict(enumerate(sys.argv[1:]))
    found = medians(given.get(0, "elman"), given.get(1, "float64"), int(given.get(2, "128")))
    sys.stdout.write(json.dumps(found) + "\n")
