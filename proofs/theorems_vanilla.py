"""Theorems on cells without gates: when products of diag(φ′) W vanish."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from derive.catalog import load
from derive.derivation import Derivation, derive
from derive.expressions import Diag, Elementwise, leaves, operands, split_coefficient, walk
from numeric.interpret import Array
from numeric.ledger import routes
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
from proofs.untyped import MatMul, MatrixSymbol, OneMatrix, Transpose, sympy

Rng = np.random.Generator


def functions_of(d: Derivation) -> set[str]:
    """The names of the elementwise functions in a cell's equations."""
    return {v.function for a in d.assignments for v in walk(a.expr) if isinstance(v, Elementwise)}


def same_jacobian(d: Derivation, name: str) -> bool:
    """Whether the cell's Jacobian is the one of a shipped cell, names included."""
    return d.jacobian == derive(load(name)).jacobian


def is_vanilla(d: Derivation) -> bool:
    """Whether the Jacobian is diag(φ′) W and no more: one state, one lag, one addend, one matrix, as it is or turned.

    φ is a function of one number: its slope is told by one quantity of the step, and nothing is multiplied with it.
    """
    try:
        found = routes(d)
    except MeasureError:
        return False
    one = len(d.cell.states) == 1 and len(d.jacobian) == 1 and d.cell.states[0].depth == 1
    every = [e for route in found for exprs in route.addends.values() for e in exprs]
    if not one or len(every) != 1 or not functions_of(d):
        return False
    c, core = split_coefficient(every[0])
    parts: Any = operands(core) if isinstance(core, MatMul) else ()
    return c == 1 and len(parts) == 2 and _is_slope(d, parts[0]) and _is_matrix(parts[1])


def _is_slope(d: Derivation, factor: Any) -> bool:
    """Whether a factor is diag of a function of one quantity that the step computes."""
    found = {v for v in leaves(factor) if not isinstance(v, OneMatrix)}
    return (
        isinstance(factor, Diag) and len(found) == 1 and found <= {a.target for a in d.assignments}
    )


def _is_matrix(factor: Any) -> bool:
    return isinstance(factor.arg if isinstance(factor, Transpose) else factor, MatrixSymbol)


def always(d: Derivation) -> bool:
    """Every cell."""
    return True


def norm(matrix: Array) -> float:
    """The largest singular value."""
    return float(np.linalg.norm(matrix, 2))


def _vanilla_product(rng: Rng, w: Array, gamma: float, steps: int) -> Array:
    found = np.eye(len(w))
    for _ in range(steps):
        found = (rng.uniform(-gamma, gamma, len(w))[:, None] * w) @ found
    return found


def _slopes() -> tuple[Step, ...]:
    s, a = sympy.symbols("s a", real=True)
    quarter = sympy.Rational(1, 4)
    return (
        identity(r"$\tfrac14 - s(1-s) = (s-\tfrac12)^2 \ge 0$", quarter - s * (1 - s), (s - sympy.S.Half) ** 2),
        identity(r"$1 - (1-a^2) = a^2 \ge 0$", 1 - (1 - a**2), a**2),
        inequality(r"$0<s<1 \Rightarrow 0 < s(1-s) \le \tfrac14$", _sigmoid_slope),
        inequality(r"$-1<a<1 \Rightarrow 0 < 1-a^2 \le 1$", _tanh_slope),
        inequality(r"$a = \tfrac{E-1}{E+1}$, $s = \tfrac1{1+E}$ with $E>0$ give $-1<a<1$ and $0<s<1$", _ranges),
    )  # fmt: skip


def _sigmoid_slope(z: Any) -> Inequality:
    s = z.Real("s")
    return [s > 0, s < 1], z.And(s * (1 - s) > 0, 4 * s * (1 - s) <= 1)


def _tanh_slope(z: Any) -> Inequality:
    a = z.Real("a")
    return [a > -1, a < 1], z.And(1 - a * a > 0, 1 - a * a <= 1)


def _ranges(z: Any) -> Inequality:
    e, a, s = z.Reals("E a s")
    return [e > 0, a * (e + 1) == e - 1, s * (1 + e) == 1], z.And(a > -1, a < 1, s > 0, s < 1)


def _slope_trial(rng: Rng) -> float:
    x = rng.standard_normal(50) * 20
    s, a = 1 / (1 + np.exp(-np.clip(x, -500, 500))), np.tanh(x)
    return min(below(float((s * (1 - s)).max()), 0.25), below(float((1 - a * a).max()), 1.0))


def _submultiplicative() -> tuple[Step, ...]:
    return (
        argument(r"$\lVert AB v\rVert \le \lVert A\rVert \lVert Bv\rVert \le \lVert A\rVert\lVert B\rVert\lVert v\rVert$, for $T=2$"),
        inequality(
            r"induction: $p \le q$ and $0 \le j \le m$, $q \ge 0$, $p \ge 0$ give $j p \le m q$", _step_of_induction
        ),
    )  # fmt: skip


def _step_of_induction(z: Any) -> Inequality:
    p, q, j, m = z.Reals("p q j m")
    return [p >= 0, p <= q, j >= 0, j <= m], j * p <= m * q


def _submultiplicative_trial(rng: Rng) -> float:
    parts = rng.standard_normal((5, 4, 4))
    return below(norm(np.linalg.multi_dot(list(parts))), math.prod(norm(p) for p in parts))


def _pascanu() -> tuple[Step, ...]:
    return (
        argument(r"$\lVert \operatorname{diag}(\varphi')\rVert \le \gamma$, so $\lVert J_t \rVert \le \gamma\sigma_1(W)$"),
        inequality(r"induction over $T$: $p \le q$, $0\le j \le m$ give $jp \le mq$", _step_of_induction),
        argument(r"hence $\lVert\prod J_t\rVert \le (\gamma\sigma_1)^T$; a product that grows needs $\gamma\sigma_1>1$"),
    )  # fmt: skip


def _pascanu_trial(rng: Rng) -> float:
    w, gamma, steps = rng.standard_normal((4, 4)), rng.uniform(0.2, 1), int(rng.integers(1, 12))
    return below(norm(_vanilla_product(rng, w, gamma, steps)), (gamma * norm(w)) ** steps)


def _radius() -> tuple[Step, ...]:
    w = sympy.Rational(3, 2) * sympy.Matrix([[1, 1], [-1, -1]])
    dw = sympy.diag(1, 0) * w
    return (
        identity(r"$W^2 = 0$ for $W = \tfrac32\begin{pmatrix}1&1\\-1&-1\end{pmatrix}$, so $\rho(W) = 0$", w * w, 0 * w),
        identity(r"$(DW)^2 = \tfrac32 DW$ for $D = \operatorname{diag}(1,0)$, so $(DW)^T = (\tfrac32)^{T-1} DW$",
                 dw * dw, sympy.Rational(3, 2) * dw),
        identity(r"$\lVert DW\rVert_F^2 = \tfrac92$: the product grows without bound", (dw.T * dw).trace(),
                 sympy.Rational(9, 2)),
    )  # fmt: skip


def _radius_trial(rng: Rng) -> float:
    w, steps = 1.5 * np.array([[1.0, 1.0], [-1.0, -1.0]]), int(rng.integers(2, 60))
    grown = norm(np.linalg.matrix_power(np.diag([1.0, 0.0]) @ w, steps))
    return below(1.5 ** (steps - 1), grown)


def _absolute() -> tuple[Step, ...]:
    return (
        inequality(
            r"$\lvert d_1 w_1 + d_2 w_2\rvert \le \gamma(\lvert w_1\rvert + \lvert w_2\rvert)$ for $\lvert d_i\rvert\le\gamma$",
            _triangle,
        ),
        argument(r"so $\lvert\prod D_tW\rvert \le \gamma^T\lvert W\rvert^T$ entry by entry, by induction over $T$"),
        argument(r"$\lVert\lvert W\rvert^T\rVert^{1/T} \to \rho(\lvert W\rvert)$ (Gelfand)"),
    )  # fmt: skip


def _triangle(z: Any) -> Inequality:
    d, e, v, w, g = z.Reals("d e v w g")

    def size(x: Any) -> Any:
        return z.If(x >= 0, x, -x)

    return [size(d) <= g, size(e) <= g], size(d * v + e * w) <= g * (size(v) + size(w))


def _absolute_trial(rng: Rng) -> float:
    w, gamma, steps = rng.standard_normal((4, 4)), rng.uniform(0.2, 1), int(rng.integers(1, 12))
    found = np.abs(_vanilla_product(rng, w, gamma, steps))
    bound = gamma**steps * np.linalg.matrix_power(np.abs(w), steps)
    return float(np.min((bound - found) / np.maximum(bound, 1.0)))


def _hochreiter() -> tuple[Step, ...]:
    return (
        argument(
            r"a row of $\operatorname{diag}(\varphi')W$ sums to at most $\gamma n w$ in absolute value"
        ),
        inequality(
            r"induction over $T$: $p \le q$, $0\le j \le m$ give $jp \le mq$", _step_of_induction
        ),
    )


def _hochreiter_trial(rng: Rng) -> float:
    n, steps = int(rng.integers(2, 6)), int(rng.integers(1, 12))
    w = rng.uniform(-1, 1, (n, n))
    found = _vanilla_product(rng, w, 0.25, steps)
    return below(
        float(np.abs(found).sum(axis=1).max()), (0.25 * n * float(np.abs(w).max())) ** steps
    )


_PASCANU = "R. Pascanu, T. Mikolov and Y. Bengio, ICML 2013"

THEOREMS = (
    Theorem("slopes", "Ranges and slopes of the activations",
            r"\lvert\tanh\rvert < 1,\quad 0 < \tanh' \le 1, \qquad 0 < \sigma < 1,\quad 0 < \sigma' \le \tfrac14", (), "calculus",
            _slopes, _slope_trial, lambda d: bool(functions_of(d) & {"tanh", "sigmoid"})),
    Theorem("submultiplicativity", "Norms of products",
            r"\Bigl\lVert \prod_{t} J_t \Bigr\rVert \le \prod_t \lVert J_t \rVert", (), "linear algebra",
            _submultiplicative, _submultiplicative_trial, always),
    Theorem("pascanu", "Sufficient for vanishing, necessary for exploding",
            r"\Bigl\lVert\prod_{t=1}^{T} \operatorname{diag}(\varphi'_t) W\Bigr\rVert_2 \le (\gamma\,\sigma_1(W))^T: \quad "
            r"\sigma_1(W) < \tfrac1\gamma \text{ vanishes};\ \text{what explodes has } \sigma_1(W) > \tfrac1\gamma",
            (r"$\lvert\varphi'\rvert \le \gamma$",), _PASCANU, _pascanu, _pascanu_trial, is_vanilla),
    Theorem("spectral-radius", "A small spectral radius does not suffice",
            r"\rho(W) < 1/\gamma \;\not\Rightarrow\; \Bigl\lVert\prod_t D_t W\Bigr\rVert \to 0", (r"$\gamma = 1$",),
            f"counterexample to a common reading of {_PASCANU}", _radius, _radius_trial, is_vanilla),
    Theorem("absolute-radius", "A small spectral radius of |W| does suffice",
            r"\Bigl\lvert\prod_{t=1}^{T} D_t W\Bigr\rvert \le \gamma^T \lvert W\rvert^T, \quad"
            r"\rho(\lvert W\rvert) < 1/\gamma \Rightarrow \prod_t D_tW \to 0",
            (r"$\lvert\varphi'\rvert \le \gamma$",), "Perron and Frobenius", _absolute, _absolute_trial, is_vanilla),
    Theorem("hochreiter", "The flow of error in a sigmoid network",
            r"\Bigl\lVert\prod_{t=1}^{T} \operatorname{diag}(\sigma'_t) W\Bigr\rVert_\infty \le \bigl(\tfrac{n}{4}\,w\bigr)^T,"
            r"\quad w = \max\lvert w_{ij}\rvert",
            (r"logistic units, $\gamma = \tfrac14$",), "S. Hochreiter, diploma thesis, TU München, 1991", _hochreiter,
            _hochreiter_trial, lambda d: is_vanilla(d) and "sigmoid" in functions_of(d)),
)  # fmt: skip
