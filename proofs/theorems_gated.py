"""Theorems on gated cells, on truncation and on exponents."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from derive.derivation import Derivation
from numeric.interpret import Array
from numeric.ledger import routes
from numeric.mean_field import vanilla
from numeric.measure import MeasureError
from proofs.theorems import (
    Inequality,
    Step,
    Theorem,
    argument,
    below,
    identity,
    inequality,
)
from proofs.theorems_vanilla import Rng, always, functions_of, is_vanilla, norm, same_jacobian
from proofs.untyped import sympy


def has_carousel(d: Derivation) -> bool:
    """Whether a state's own block has a diagonal addend: a way that no matrix mixes."""
    try:
        found = routes(d)
    except MeasureError:
        return False
    return bool(found) and found[0].direct and not found[0].through


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _carousel() -> tuple[Step, ...]:
    return (
        inequality(r"$l \le f \le u$, $0 \le l$, and $l_T \le p \le u_T$ give $l\,l_T \le fp \le u\,u_T$", _between),
        argument(r"induction over $T$, entry by entry: the product is diagonal"),
    )  # fmt: skip


def _between(z: Any) -> Inequality:
    lo, f, u, lt, p, ut = z.Reals("l f u m p v")
    return [lo >= 0, lo <= f, f <= u, lt >= 0, lt <= p, p <= ut], z.And(
        lo * lt <= f * p, f * p <= u * ut
    )


def _carousel_trial(rng: Rng) -> float:
    f = rng.uniform(0, 1, (int(rng.integers(1, 30)), 5))
    p, steps = f.prod(axis=0), len(f)
    return min(below(float(p.max()), f.max() ** steps), below(f.min() ** steps, float(p.min())))


def _bengio() -> tuple[Step, ...]:
    return (
        inequality(r"$0 \le j \le \lambda$ and $0 \le p \le q$ give $jp \le \lambda q$", _step),
        identity(r"$\sum_{T\ge0}\lambda^T = 1/(1-\lambda)$: finite for $\lambda<1$", _geometric() * (1 - _LAMBDA), 1),
    )  # fmt: skip


_LAMBDA = sympy.Symbol("lambda", positive=True)


def _geometric() -> Any:
    k = sympy.Symbol("k", integer=True, nonnegative=True)
    return sympy.summation(_LAMBDA**k, (k, 0, sympy.oo)).args[0][0]


def _step(z: Any) -> Inequality:
    p, q, j, m = z.Reals("p q j m")
    return [p >= 0, p <= q, j >= 0, j <= m], j * p <= m * q


def _bengio_trial(rng: Rng) -> float:
    rate, steps = rng.uniform(0.1, 0.99), int(rng.integers(1, 40))
    found = np.eye(3)
    for _ in range(steps):
        j = rng.standard_normal((3, 3))
        found = rate * j / norm(j) @ found
    return below(norm(found), rate**steps)


def _gru() -> tuple[Step, ...]:
    return (
        argument(r"a row of $\lvert J\rvert$ sums to at most $(1-z) + z w_g(1 + w_r/4) + 2z(1-z)w_z$, as $\lvert h\rvert,\lvert g\rvert\le1$"),
        inequality(r"with $q = w_g(1+w_r/4) + 2w_z < 1$ that is at most $1 - \underline z(1-q) < 1$", _gru_step),
    )  # fmt: skip


def _gru_step(z: Any) -> Inequality:
    x, least, p, w = z.Reals("x least p w")
    q = p + 2 * w
    row = (1 - x) + x * p + 2 * x * (1 - x) * w
    bound = 1 - least * (1 - q)
    return [least > 0, least <= x, x < 1, p >= 0, w >= 0, q < 1], z.And(row <= bound, bound < 1)


def _gru_trial(rng: Rng) -> float:
    n, scale = 4, rng.uniform(0.01, 0.2)
    w = {k: scale * rng.standard_normal((n, n)) for k in "zrg"}
    sup = {k: float(np.abs(v).sum(axis=1).max()) for k, v in w.items()}
    q = sup["g"] * (1 + sup["r"] / 4) + 2 * sup["z"]
    if q >= 1:
        return 0.0
    h, product, bound = rng.uniform(-1, 1, n), np.eye(n), 1.0
    for _ in range(8):
        z, r = (_sigmoid(w[k] @ h + rng.standard_normal(n)) for k in "zr")
        g = np.tanh(w["g"] @ (r * h) + rng.standard_normal(n))
        inner = np.diag(r) + (h * r * (1 - r))[:, None] * w["r"]
        j = np.diag(1 - z) + (z * (1 - g * g))[:, None] * w["g"] @ inner
        j += ((g - h) * z * (1 - z))[:, None] * w["z"]
        product, bound = j @ product, bound * (1 - float(z.min()) * (1 - q))
        h = (1 - z) * h + z * g
    return below(float(np.abs(product).sum(axis=1).max()), bound)


def _chrono() -> tuple[Step, ...]:
    b = sympy.Symbol("b", real=True)
    tau = sympy.Symbol("tau", positive=True)
    kept = 1 / (1 + sympy.exp(-sympy.log(tau - 1)))
    return (
        identity(r"$\sigma(\log(\tau-1)) = 1 - 1/\tau$", kept, 1 - 1 / tau),
        identity(r"$(1-1/\tau)^\tau \to 1/e$", sympy.limit((1 - 1 / tau) ** tau, tau, sympy.oo), sympy.exp(-1)),
        identity(r"$\frac{d}{db}\log\sigma(b) = 1-\sigma(b) > 0$: a larger bias keeps more",
                 sympy.diff(-sympy.log(1 + sympy.exp(-b)), b), 1 - 1 / (1 + sympy.exp(-b))),
    )  # fmt: skip


def _chrono_trial(rng: Rng) -> float:
    tau = rng.uniform(2, 1000)
    return 1e-9 - abs(float(_sigmoid(np.array(math.log(tau - 1)))) - (1 - 1 / tau))


def _truncation() -> tuple[Step, ...]:
    rho, k, n = sympy.symbols("rho K N", positive=True)
    tail = (rho ** (k + 1) - rho ** (n + 1)) / (1 - rho)
    return (
        argument(r"the left-out lags $d>K$ contribute at most $\sum_{d>K} G\rho^d$"),
        identity(r"$\sum_{d=K+1}^{N}\rho^d = (\rho^{K+1}-\rho^{N+1})/(1-\rho)$, by telescoping",
                 sympy.expand(tail.subs(n, n + 1) - tail), sympy.expand(rho ** (n + 1) * (1 - rho) / (1 - rho))),
    )  # fmt: skip


def _truncation_trial(rng: Rng) -> float:
    rho, kept = rng.uniform(0.1, 0.95), int(rng.integers(0, 20))
    parts = np.array([rho**d * rng.uniform(-1, 1) for d in range(300)])
    return below(abs(float(parts[kept + 1 :].sum())), rho ** (kept + 1) / (1 - rho))


def _unbiased() -> tuple[Step, ...]:
    c = sympy.Symbol("c", positive=True)
    return (
        identity(r"$\mathbb{E}X = c\cdot0 + (1-c)\cdot\tfrac1{1-c} = 1$", c * 0 + (1 - c) * (1 / (1 - c)), 1),
        identity(r"$\mathbb{E}X^2 = \tfrac1{1-c}$: what it costs in variance", (1 - c) * (1 / (1 - c)) ** 2, 1 / (1 - c)),
        argument(r"induction over $t$ from $T$ down: $X_t$ is independent of $\tilde s_{t+1}$, so "
                 r"$\mathbb{E}\tilde s_t = \ell_t' + J_{t+1}^\top\,\mathbb{E}X_t\,\mathbb{E}\tilde s_{t+1} = \bar s_t$"),
    )  # fmt: skip


def _unbiased_trial(rng: Rng) -> float:
    """The mean over every pattern of cuts, each with its probability."""
    steps, c = 6, rng.uniform(0.05, 0.9, 6)
    j, loss = rng.standard_normal((steps, 3, 3)), rng.standard_normal((steps + 1, 3))
    true, mean = loss[steps], np.zeros(3)
    for t in reversed(range(steps)):
        true = loss[t] + j[t].T @ true
    for pattern in range(2**steps):
        found, chance = loss[steps], 1.0
        for t in reversed(range(steps)):
            cut = bool(pattern >> t & 1)
            found = loss[t] + (0.0 if cut else 1 / (1 - c[t])) * (j[t].T @ found)
            chance *= c[t] if cut else 1 - c[t]
        mean = mean + chance * found
    return 1e-9 - float(np.abs(mean - true).max()) / (1 + float(np.abs(true).max()))


def _sum_rule() -> tuple[Step, ...]:
    a, b = (sympy.Matrix(2, 2, sympy.symbols(f"{x}11 {x}12 {x}21 {x}22")) for x in "ab")
    t = sympy.symbols("theta", real=True)
    turn = sympy.Matrix([[sympy.cos(t), -sympy.sin(t)], [sympy.sin(t), sympy.cos(t)]])
    return (
        identity(r"$\det(AB) = \det A\det B$ ($2\times2$, all entries)", (a * b).det(), a.det() * b.det()),
        identity(r"$\det Q = 1$ for a rotation: $\lvert\det J\rvert = \prod\lvert r_{ii}\rvert$ for $J = QR$", turn.det(), 1),
        argument(r"sum the logarithms over $t$ and divide by $T$"),
    )  # fmt: skip


def _sum_trial(rng: Rng) -> float:
    q, total, logs = np.eye(4), 0.0, np.zeros(4)
    for _ in range(20):
        j = rng.standard_normal((4, 4))
        q, r = np.linalg.qr(j @ q)
        logs, total = logs + np.log(np.abs(np.diag(r))), total + np.linalg.slogdet(j)[1]
    return 1e-8 - abs(float(logs.sum() - total))


def _mean_field() -> tuple[Step, ...]:
    return (
        argument(
            r"a limit $n\to\infty$; for fixed weights $\chi^k$ holds for $k \ll \sqrt n$ only"
        ),
    )


def _mean_field_trial(rng: Rng) -> float:
    g = rng.uniform(1.2, 4)
    found = vanilla(g)
    return below(math.log(found.chi) / 2, math.log(g))


THEOREMS = (
    Theorem("carousel", "The constant error carousel",
            r"(\min f)^T \le \Bigl(\prod_{t=1}^{T} \operatorname{diag}(f_t)\Bigr)_{ii} \le (\max f)^T; \quad f = 1: \text{ the identity}",
            (r"the way along the state alone, $0 \le f$",),
            "S. Hochreiter and J. Schmidhuber, Neural Computation 9 (1997)", _carousel, _carousel_trial, has_carousel),
    Theorem("bengio", "Robust latching makes gradients vanish",
            r"\lVert J_t\rVert \le \lambda < 1 \ \Rightarrow\ \lVert\partial s_T/\partial s_0\rVert \le \lambda^T \to 0",
            (r"the state stays where the map contracts",),
            "Y. Bengio, P. Simard and P. Frasconi, IEEE TNN 5 (1994)", _bengio, _bengio_trial, always),
    Theorem("gru-small-gain", "Small gains make a GRU forget",
            r"q = w_g(1 + \tfrac14 w_r) + 2w_z < 1 \ \Rightarrow\ \lVert J_t\rVert_\infty \le 1 - \underline z(1-q) < 1",
            (r"$\lvert h_0\rvert \le 1$, $z_t \ge \underline z > 0$, $w_\bullet = \lVert W_\bullet\rVert_\infty$",),
            "norm bound of the Jacobian", _gru, _gru_trial, lambda d: same_jacobian(d, "gru")),
    Theorem("forget-bias", "Forget bias and chrono initialisation",
            r"\prod_{t=1}^{T}\sigma(b) = \sigma(b)^T, \quad b = \log(\tau-1):\ \sigma(b) = 1-\tfrac1\tau,\ \sigma(b)^\tau \to \tfrac1e",
            (r"the gate sees its bias alone",),
            "F. A. Gers et al., 2000; C. Tallec and Y. Ollivier, ICLR 2018", _chrono, _chrono_trial,
            lambda d: has_carousel(d) and "b_f" in {q.name for q in d.cell.parameters}),
    Theorem("truncation", "The bias of truncation after K steps",
            r"\lVert \text{bias}\rVert \le G\,\frac{\rho^{K+1}}{1-\rho}",
            (r"lag $d$ contributes at most $G\rho^d$, $\rho<1$",),
            "C. Aicher, N. J. Foti and E. B. Fox, UAI 2019", _truncation, _truncation_trial, always),
    Theorem("unbiased-truncation", "Truncation at random, without bias",
            r"\tilde s_t = \ell_t' + X_t\,J_{t+1}^\top\tilde s_{t+1},\quad X_t \in \bigl\{0, \tfrac1{1-c_t}\bigr\}\ \Rightarrow\ \mathbb{E}\,\tilde s_t = \bar s_t",
            (r"step $t$ is cut with probability $c_t<1$, independently of the others",),
            "C. Tallec and Y. Ollivier, Unbiasing truncated backpropagation through time, 2017", _unbiased, _unbiased_trial, always),
    Theorem("sum-rule", "The sum of the Lyapunov exponents",
            r"\sum_i \lambda_i = \lim_{T\to\infty} \tfrac1T\sum_{t=1}^{T} \log\lvert\det J_t\rvert", (),
            "V. I. Oseledets, 1968", _sum_rule, _sum_trial, always),
    Theorem("mean-field", "Random networks with many units",
            r"q = g^2\,\mathbb{E}\tanh^2(\sqrt q z), \quad \chi = g^2\,\mathbb{E}\operatorname{sech}^4(\sqrt q z), \quad \lambda_1 = \tfrac12\log\chi",
            (r"independent weights of variance $g^2/n$, no input, $n \to \infty$",),
            "L. Molgedey, J. Schuchhardt and H. G. Schuster, PRL 69 (1992)", _mean_field, _mean_field_trial,
            lambda d: is_vanilla(d) and "tanh" in functions_of(d), asymptotic=True),
)  # fmt: skip
