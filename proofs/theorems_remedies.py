"""Theorems on remedies without gates: rectified units at the identity, leaks, skips, antisymmetric matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs.theorems import (
    Inequality,
    Step,
    Theorem,
    argument,
    below,
    identity,
    inequality,
)
from proofs.theorems_vanilla import Rng, functions_of, is_vanilla, norm, same_jacobian
from proofs.untyped import sympy


def _irnn() -> tuple[Step, ...]:
    return (
        inequality(r"$d, e \in \{0,1\} \Rightarrow de \in \{0,1\}$", _zero_one),
        argument(r"with $W = I$ the Jacobian is $\operatorname{diag}(1[h_t>0])$; inputs that keep all $h_t>0$ make it $I$"),
    )  # fmt: skip


def _zero_one(z: Any) -> Inequality:
    d, e = z.Reals("d e")
    return [z.Or(d == 0, d == 1), z.Or(e == 0, e == 1)], z.Or(d * e == 0, d * e == 1)


def _irnn_trial(rng: Rng) -> float:
    h, product = rng.uniform(0.1, 1, 4), np.ones(4)
    positive = rng.random() < 0.5
    for _ in range(20):
        h = np.maximum(h + (rng.uniform(0, 1, 4) if positive else rng.standard_normal(4)), 0)
        product = product * (h > 0)
    right = set(product) <= {0.0, 1.0} and (not positive or product.min() == 1)
    return 0.0 if right else -1.0


def _leaky() -> tuple[Step, ...]:
    return (
        argument(r"$\lVert(1-\alpha)v + \alpha DWv\rVert$ lies between the difference and the sum of both norms"),
        inequality(r"$0 \le s \le \gamma\sigma$ gives $(1-\alpha)+\alpha s \le (1-\alpha)+\alpha\gamma\sigma$", _leaky_step),
    )  # fmt: skip


def _leaky_step(z: Any) -> Inequality:
    a, s, b = z.Reals("a s b")
    above = (1 - a) + a * s <= (1 - a) + a * b
    return [a >= 0, a <= 1, s >= 0, s <= b], z.And(above, (1 - a) - a * s >= (1 - a) - a * b)


def _leaky_trial(rng: Rng) -> float:
    w, alpha, gamma = rng.standard_normal((4, 4)) * 0.3, rng.uniform(0, 1), 1.0
    j = (1 - alpha) * np.eye(4) + alpha * rng.uniform(-gamma, gamma, 4)[:, None] * w
    values = np.linalg.svd(j, compute_uv=False)
    reach = alpha * gamma * norm(w)
    return min(below(values[0], 1 - alpha + reach), below(1 - alpha - reach, values[-1]))


def _skip() -> tuple[Step, ...]:
    a, b, x = sympy.symbols("a b lambda")
    steps: list[Step] = []
    for d in (2, 3, 4, 5):
        companion = sympy.zeros(d, d)
        companion[0, 0], companion[0, d - 1] = a, b
        for i in range(1, d):
            companion[i, i - 1] = 1
        found = companion.charpoly(x).as_expr()
        steps.append(
            identity(rf"$\det(\lambda I - J) = \lambda^{{{d}}} - a\lambda^{{{d - 1}}} - b$", found, x**d - a * x ** (d - 1) - b)
        )  # fmt: skip
    return (*steps, argument(r"for any $d$: expand the determinant along the first row"))


def _skip_trial(rng: Rng) -> float:
    d, a, b = int(rng.integers(2, 8)), rng.uniform(-0.6, 0.6), rng.uniform(0.1, 0.9)
    j = np.eye(d, k=-1)
    j[0, 0], j[0, d - 1] = a, b
    roots = np.linalg.eigvals(j)
    return 1e-6 - float(np.abs(roots**d - a * roots ** (d - 1) - b).max())


def _antisymmetric() -> tuple[Step, ...]:
    a, b, c, e, g = sympy.symbols("a b c epsilon gamma", real=True)
    d = sympy.symbols("d1:4", positive=True)
    x, y = (sympy.Matrix(sympy.symbols(f"{name}1:4", real=True)) for name in "xy")
    A = sympy.Matrix([[0, a, b], [-a, 0, c], [-b, -c, 0]])
    D, root, one = sympy.diag(*d), sympy.diag(*map(sympy.sqrt, d)), sympy.eye(3)
    J = one + e * D * (A - g * one)
    v = x + sympy.I * y
    return (
        identity(r"$D^{-1/2} J D^{1/2} = I + \varepsilon\,(S - \gamma D)$ with $S = D^{1/2} A D^{1/2}$, for $n = 3$",
                 root.inv() * J * root, one + e * (root * A * root - g * D)),
        identity(r"$S^\top = -S$", (root * A * root).T, -root * A * root),
        identity(r"$\operatorname{Re} v^* A v = 0$ for every complex $v$ and antisymmetric $A$, for $n = 3$",
                 sympy.re((v.H * A * v)[0].expand())),
        inequality(r"$\min_j d_j\,\lVert v\rVert^2 \le v^* D v \le \max_j d_j\,\lVert v\rVert^2$, for $n = 2$", _weighted),
        argument(r"an eigenvalue of $J$ is $1 + \varepsilon\,(v^* S v - \gamma\, v^* D v)$ for its eigenvector $v$ of norm 1, and "
                 r"$\lvert v^* S v\rvert \le \lVert S\rVert \le \max_j d_j\,\sigma_1(A)$; for other $n$ alike"),
    )  # fmt: skip


def _weighted(z: Any) -> Inequality:
    least, d, e, most, u, v = z.Reals("least d e most u v")
    between = z.And(least * (u + v) <= d * u + e * v, d * u + e * v <= most * (u + v))
    return [least <= d, d <= most, least <= e, e <= most, u >= 0, v >= 0], between


def _antisymmetric_trial(rng: Rng) -> float:
    n, step, gamma = int(rng.integers(2, 8)), rng.uniform(0.01, 1), rng.uniform(0, 1)
    w, d = rng.standard_normal((n, n)), rng.uniform(0.01, 1, n)
    a = w - w.T
    found = np.linalg.eigvals(np.eye(n) + step * d[:, None] * (a - gamma * np.eye(n)))
    most, least = 1 - step * gamma * d.min(), 1 - step * gamma * d.max()
    across = below(float(np.abs(found.imag).max()), step * norm(a) * d.max())
    return min(below(float(found.real.max()), most), below(least, float(found.real.min())), across)


THEOREMS = (
    Theorem("irnn", "Rectified units started at the identity",
            r"\prod_{t} \operatorname{diag}(1[h_t>0]) \in \{0,1\}^{n\times n}\ \text{diagonal}",
            (r"$W = I$, $b = 0$",), "Q. V. Le, N. Jaitly and G. E. Hinton, 2015", _irnn, _irnn_trial,
            lambda d: is_vanilla(d) and functions_of(d) == {"relu"}),
    Theorem("leaky", "Leaky units",
            r"(1-\alpha) - \alpha\gamma\sigma_1(W) \le \sigma_{\min}(J), \quad \lVert J\rVert \le (1-\alpha) + \alpha\gamma\sigma_1(W)",
            (r"$h_t = (1-\alpha)h_{t-1} + \alpha\varphi(\cdot)$, $\lvert\varphi'\rvert\le\gamma$; the shipped cell's constant is $1-\alpha$",),
            "triangle inequality; H. Jaeger et al., 2007", _leaky, _leaky_trial, lambda d: same_jacobian(d, "leaky")),
    Theorem("skip", "The characteristic root of a skip connection", r"\lambda^d = a\lambda^{d-1} + b",
            (r"one linear unit $h_t = a h_{t-1} + b h_{t-d}$",), "T. Lin et al., IEEE TNN 7 (1996)", _skip, _skip_trial,
            lambda d: any(q.depth > 1 for q in d.cell.states)),
    Theorem("antisymmetric", "Antisymmetric networks neither decay nor explode to first order",
            r"1 - \varepsilon\gamma \max_j\varphi'_j \le \operatorname{Re}\mu \le 1 - \varepsilon\gamma\min_j\varphi'_j, \quad"
            r"\lvert\operatorname{Im}\mu\rvert \le \varepsilon\,\sigma_1(A)\max_j\varphi'_j \quad\text{for every eigenvalue } \mu \text{ of } J",
            (r"$h_t = h_{t-1} + \varepsilon\varphi((A - \gamma I)h_{t-1} + \dots)$", r"$A^\top = -A$", r"$\varphi' > 0$",
             r"$\varepsilon, \gamma \ge 0$"),
            "I. Bendixson, Acta Mathematica 25 (1902); B. Chang et al., ICLR 2019", _antisymmetric, _antisymmetric_trial,
            lambda d: same_jacobian(d, "antisymmetric")),
)  # fmt: skip
