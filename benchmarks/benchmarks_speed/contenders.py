"""The contenders: each a function that computes a gradient by every parameter and input, by the same names."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec

import numpy as np

from derive.catalog import load
from derive.derivation import Derivation, derive
from derive.language import read_cell
from numeric.additions import Additions, generate_with
from numeric.fast_source import generate_fast
from numeric.source import generate
from proofs.modules import load_source

Run = Callable[[], dict]

OWN = """\
f[t] = sigmoid(W_f @ h[t-1] + U_f @ x[t] + b_f)
g[t] = tanh(W_g @ h[t-1] + U_g @ x[t] + b_g)
o[t] = sigmoid(W_o @ h[t-1] + U_o @ x[t] + b_o)
c[t] = f[t] * c[t-1] + (1 - f[t]) * g[t]
h[t] = o[t] * c[t] + (1 - o[t]) * tanh(c[t])
"""
"""A cell that nobody has a kernel for."""

TEAM = "team"
"""The threads of a compiled file that share out the samples."""
LAYERS = {"lstm": "LSTM", "gru": "GRU", "elman": "RNN"}
"""The cells that torch has a layer of."""

GATES = {"lstm": "ifgo", "gru": "rzg", "elman": "h", "own": "fgo"}


def has(package: str) -> bool:
    """Whether a package is installed."""
    return find_spec(package) is not None


def cell_of(name: str):
    """The cell in our language."""
    specs = {"gru": "gru_reset_after"}
    return read_cell(OWN, "own") if name == "own" else load(specs.get(name, name))


def step(name: str, xp, sigmoid, a, h, c, rest):
    """One step as its users write it: a are all gates' inputs, rest(h) the products with the state."""
    n = h.shape[-1]
    part = lambda v, k: v[..., k * n : (k + 1) * n]  # noqa: E731
    r = rest(h)
    if name == "elman":
        return xp.tanh(a + r), c
    if name == "lstm":
        s = a + r
        c = sigmoid(part(s, 1)) * c + sigmoid(part(s, 0)) * xp.tanh(part(s, 2))
        return sigmoid(part(s, 3)) * xp.tanh(c), c
    if name == "gru":
        reset, z = sigmoid(part(a, 0) + part(r, 0)), sigmoid(part(a, 1) + part(r, 1))
        g = xp.tanh(part(a, 2) + reset * part(r, 2))
        return (1 - z) * g + z * h, c
    s = a + r
    f, o = sigmoid(part(s, 0)), sigmoid(part(s, 2))
    c = f * c + (1 - f) * xp.tanh(part(s, 1))
    return o * c + (1 - o) * xp.tanh(c), c


def stacked(name: str, params: dict) -> dict[str, np.ndarray]:
    """Our parameters one gate on top of the other: W, U, b, and a for what is added within a product."""
    if name == "elman":
        return {k: params[next(p for p in params if p.startswith(k))] for k in "WUb"}
    out = {k: np.concatenate([params[f"{k}_{g}"] for g in GATES[name]]) for k in "WUb"}
    if name == "gru":
        n = params["b_g"].size
        out["a"] = np.concatenate([np.zeros(2 * n, params["a_g"].dtype), params["a_g"]])
    return out


@cache
def files(name: str):
    """The derivation of a cell, and its generated files as modules."""
    derivation = derive(cell_of(name))
    kinds = {"readable": generate, "fast": generate_fast}
    kinds |= {"compiled": _with_team} if has("numba") else {}
    return derivation, {kind: load_source(make(derivation)) for kind, make in kinds.items()}


def _with_team(derivation: Derivation) -> str:
    """The compiled file, which brings along a team."""
    return generate_with(derivation, Additions(compiled=True, threads=True))


def names(name: str, shape: tuple[int, ...], threads: int) -> list[str]:
    """The contenders that are installed and fit a shape and as many threads; ``readable`` is the first."""
    found = ["readable", "fast"]
    found += ["compiled"] if has("numba") else []
    found += [TEAM] if has("numba") and threads > 1 and shape[1] > 1 else []
    found += ["torch eager"] if has("torch") else []
    found += ["torch.nn"] if has("torch") and name in LAYERS else []
    found += ["jax jit"] if has("jax") else []
    T, B, _, n = shape
    found += ["autograd"] if has("autograd") and T * B * n <= 100 * 64 else []
    return [*found, "floor"]


def runs(
    name: str,
    shape: tuple[int, ...],
    dtype: np.dtype,
    wanted: list[str] | None = None,
    threads: int = 1,
) -> dict[str, Run]:
    """The contenders: those that are wanted, or all that there are."""
    wanted = names(name, shape, threads) if wanted is None else wanted
    T, B, m, n = shape
    derivation, modules = files(name)
    readable = modules["readable"]
    rng = np.random.default_rng(0)
    sizes = dict(zip([str(d) for d in derivation.cell.dims], (n, m), strict=True))
    params = readable.init_params(**sizes, seed=1, dtype=dtype)
    x = rng.standard_normal((T, B, m)).astype(dtype)
    bar = rng.standard_normal((T, B, n)).astype(dtype)
    found = {
        kind: ours(name, module, params, x, bar, again=kind != "readable")
        for kind, module in modules.items()
        if kind in wanted
    }
    if TEAM in wanted:
        crew = modules["compiled"].Team(threads)
        found[TEAM] = ours(name, crew, params, x, bar, again=False)
    flat = stacked(name, params)
    if any(w.startswith("torch") for w in wanted):
        by = by_torch(name, flat, x, bar)
        found |= {kind: run for kind, run in by.items() if kind in wanted}
    makers = {"jax jit": by_jax, "autograd": by_autograd, "floor": floor}
    found |= {kind: make(name, flat, x, bar) for kind, make in makers.items() if kind in wanted}
    return found


def ours(name: str, functions, params: dict, x, bar, *, again: bool) -> Run:
    """A generated file, or a team of its; with ``again`` over one workspace."""
    kept: dict = {}

    def run() -> dict:
        _, _, cache = functions.forward(params, x, **kept)
        if again:
            kept["workspace"] = cache["workspace"]
        grads, inputs, _ = functions.backward(params, cache, {"h": bar})
        return _Stacked(name, grads, inputs["x"], bar.shape[2])

    return run


class _Stacked(dict):
    """Gradients of a generated file, stacked only when they are looked at."""

    def __init__(self, name: str, grads: dict, x, n: int) -> None:
        super().__init__(grads)
        self.name, self.x, self.n = name, x, n

    def items(self):
        return _own({**stacked(self.name, dict(self)), "x": self.x}, self.n).items()

    def __getitem__(self, key):
        return (
            self.x
            if key == "x"
            else (dict(self.items())[key] if key in "WUba" else super().__getitem__(key))
        )


def by_torch(name: str, flat: dict, x, bar) -> dict[str, Run]:
    """torch's own layer, and its eager mode."""
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    given, weights = torch.tensor(x, requires_grad=True), torch.tensor(bar)
    mine = {k: torch.tensor(v, requires_grad=True) for k, v in flat.items()}
    B, n = x.shape[1], bar.shape[2]

    def eager() -> dict:
        for v in (*mine.values(), given):
            v.grad = None
        a = given @ mine["U"].T + mine["b"]
        extra = mine.get("a", 0)
        h = c = torch.zeros(B, n, dtype=given.dtype)
        out = []
        for a_t in (
            a.unbind()
        ):  # whose backward pass is one product, where that of a[t] is one of its size a step
            h, c = step(name, torch, torch.sigmoid, a_t, h, c, lambda h: h @ mine["W"].T + extra)
            out.append(h)
        torch.stack(out).backward(weights)
        return _own({**{k: v.grad for k, v in mine.items()}, "x": given.grad}, n)

    found = {"torch eager": eager}
    if name in LAYERS:
        layer = getattr(torch.nn, LAYERS[name])(x.shape[2], n, dtype=given.dtype)
        with torch.no_grad():
            layer.weight_hh_l0.copy_(mine["W"])
            layer.weight_ih_l0.copy_(mine["U"])
            layer.bias_ih_l0.copy_(mine["b"])
            layer.bias_hh_l0.copy_(mine.get("a", torch.zeros_like(mine["b"])))

        def whole() -> dict:
            layer.zero_grad()
            given.grad = None
            layer(given)[0].backward(weights)
            names = {"W": "weight_hh_l0", "U": "weight_ih_l0", "b": "bias_ih_l0", "a": "bias_hh_l0"}
            return _own({**{k: getattr(layer, names[k]).grad for k in mine}, "x": given.grad}, n)

        found["torch.nn"] = whole
    return found


def _own(gradients: dict, n: int) -> dict:
    """The gradients of what our cell has too: a second bias, but for one gate, would be the first one again."""
    return gradients | ({"a": gradients["a"][-n:]} if "a" in gradients else {})


def by_jax(name: str, flat: dict, x, bar) -> Run:
    """jit of the gradient of a scan."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    B, n = x.shape[1], bar.shape[2]

    def loss(p, x, weights):
        extra = p.get("a", 0)

        def body(carry, a):
            h, c = step(name, jnp, jax.nn.sigmoid, a, *carry, lambda h: h @ p["W"].T + extra)
            return (h, c), h

        zero = jnp.zeros((B, n), x.dtype)
        hs = jax.lax.scan(body, (zero, zero), x @ p["U"].T + p["b"])[1]
        return jnp.sum(weights * hs)

    gradient = jax.jit(jax.grad(loss, argnums=(0, 1)))
    p, xs, weights = {k: jnp.asarray(v) for k, v in flat.items()}, jnp.asarray(x), jnp.asarray(bar)

    def run() -> dict:
        found, inputs = gradient(p, xs, weights)
        inputs.block_until_ready()
        return _own({**found, "x": inputs}, n)

    return run


def by_autograd(name: str, flat: dict, x, bar) -> Run:
    """HIPS autograd on a loop."""
    import autograd
    import autograd.numpy as anp

    B, n = x.shape[1], bar.shape[2]

    def loss(p, x):
        a = anp.dot(x, p["U"].T) + p["b"]
        extra = p.get("a", 0)
        h = c = anp.zeros((B, n), bar.dtype)
        total = 0.0
        for t in range(x.shape[0]):
            h, c = step(
                name,
                anp,
                lambda v: 0.5 * anp.tanh(0.5 * v) + 0.5,
                a[t],
                h,
                c,
                lambda h: anp.dot(h, p["W"].T) + extra,
            )
            total = total + anp.sum(bar[t] * h)
        return total

    gradient = autograd.grad(loss, (0, 1))

    def run() -> dict:
        found, inputs = gradient(flat, x)
        return _own({**found, "x": inputs}, n)

    return run


def floor(name: str, flat: dict, x, bar) -> Run:
    """The matrix products alone, in the order that the recurrence forces, and as many tanh as the cell has."""
    T, B, m = x.shape
    n, rows = bar.shape[2], flat["W"].shape[0]
    dtype = x.dtype
    new = lambda *s: np.full(s, 0.1, dtype)  # noqa: E731
    h, a, W, WT, UT, U = (
        new(B, n),
        new(B, rows),
        new(rows, n),
        new(n, rows),
        new(m, rows),
        new(rows, m),
    )
    X, A, H, bars = x.reshape(T * B, m), new(T * B, rows), new(T * B, n), new(B, n)
    values = new(B * (rows + (n if name in ("lstm", "own") else 0)))
    dX, dW, dU = new(T * B, m), new(rows, n), new(rows, m)
    if B == 1:
        h, a, bars = h[0], a[0], bars[0]

    def run() -> dict:
        X.dot(UT, A)
        for _ in range(T):
            h.dot(WT, a)
            np.tanh(values, values)
        for _ in range(T):
            a.dot(W, bars)
        A.dot(U, dX)
        A.T.dot(H, dW)
        A.T.dot(X, dU)
        return {}

    return run
