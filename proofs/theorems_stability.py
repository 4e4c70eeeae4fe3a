"""Theorems on when gated cells are stable: the LSTM's small gain in two norms, the GRU at rest, the chaos-free network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from derive.derivation import Derivation
from derive.expressions import Elementwise, terms
from derive.nodes import Timed, operands
from numeric.interpret import Array
from proofs.theorems import Inequality, Step, Theorem, argument, below, identity, inequality
from proofs.theorems_vanilla import Rng, norm, same_jacobian
from proofs.untyped import HadamardProduct, sympy

STEPS = 8


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _widest(w: dict[str, Array]) -> float:
    """max f over |h| ≤ 1 and shifts up to ½: what the forget gate cannot exceed."""
    return float(_sigmoid(np.array(np.abs(w["f"]).sum(axis=1).max() + 0.5)))


def lstm_product(rng: Rng, w: dict[str, Array], phi: float) -> Array:
    """∂s_T/∂s_0 of an LSTM over a run from |c_0| ≤ 1/(1 − φ), |h_0| ≤ 1, with random shifts up to ½ in every gate."""
    n = len(w["f"])
    h, c = rng.uniform(-1, 1, n), rng.uniform(-1, 1, n) / (1 - phi)
    product = np.eye(2 * n)
    for _ in range(STEPS):
        f, i, o = (_sigmoid(w[k] @ h + rng.uniform(-0.5, 0.5, n)) for k in "fio")
        g = np.tanh(w["g"] @ h + rng.uniform(-0.5, 0.5, n))
        by_h = (i * (1 - g * g))[:, None] * w["g"] + (g * i * (1 - i))[:, None] * w["i"]
        by_h += (c * f * (1 - f))[:, None] * w["f"]
        c = f * c + i * g
        d = o * (1 - np.tanh(c) ** 2)
        last = d[:, None] * by_h + (np.tanh(c) * o * (1 - o))[:, None] * w["o"]
        product = np.block([[np.diag(f), by_h], [np.diag(d * f), last]]) @ product
        h = o * np.tanh(c)
    return product


def _gain(phi: float, a: float, o: float) -> Array:
    return np.linalg.matrix_power(np.array([[phi, a], [phi, a + o]]), STEPS)


def row_sum(matrix: Array) -> float:
    """The ∞-norm: the largest sum of |·| along a row."""
    return float(np.abs(matrix).sum(axis=1).max())


def _blocks(product: Array, size: Callable[[Array], float]) -> Array:
    n = len(product) // 2
    parts = product.reshape(2, n, 2, n)
    return np.array([[size(parts[i, :, j]) for j in range(2)] for i in range(2)])


def _lstm() -> tuple[Step, ...]:
    phi, a, o = sympy.symbols("phi a o")
    m = sympy.Matrix([[phi, a], [phi, a + o]])
    return (
        argument(r"$\lvert\partial c_t/\partial c_{t-1}\rvert \le \phi$, $\lVert\partial c_t/\partial h_{t-1}\rVert_\infty \le a$, "
                 r"$\lVert\partial h_t/\partial c_{t-1}\rVert \le \phi$, $\lVert\partial h_t/\partial h_{t-1}\rVert_\infty \le a + o$"),
        identity(r"$\det(I-M) = (1-\phi)(1-o) - a$ for $M = \begin{pmatrix}\phi&a\\\phi&a+o\end{pmatrix}$",
                 (sympy.eye(2) - m).det(), (1 - phi) * (1 - o) - a),
        inequality(r"$a < (1-\phi)(1-o)$ gives a vector $v>0$ with $Mv < v$, so $\rho(M)<1$", small_gain),
    )  # fmt: skip


def _lstm_trial(rng: Rng) -> float:
    w = {k: rng.uniform(0.005, 0.2) * rng.standard_normal((4, 4)) for k in "figo"}
    size, phi = {k: row_sum(v) for k, v in w.items()}, _widest(w)
    a = size["i"] / 4 + size["g"] + size["f"] / 4 / (1 - phi)
    bound = _gain(phi, a, size["o"] / 4)
    found = _blocks(lstm_product(rng, w, phi), row_sum)
    return float(np.min(1 - found / bound))


def _two_norm() -> tuple[Step, ...]:
    d, x = sympy.symbols("d1:4", real=True), sympy.symbols("x1:4", real=True)
    pairs = ((0, 1), (0, 2), (1, 2))
    lagrange = sum((d[i] * x[j] - d[j] * x[i]) ** 2 for i, j in pairs)
    long = (
        sum(a * a for a in d) * sum(b * b for b in x)
        - sum(a * b for a, b in zip(d, x, strict=True)) ** 2
    )
    return (
        identity(r"$(\sum d_k^2)(\sum x_k^2) - (\sum d_kx_k)^2 = \sum_{j<k}(d_jx_k-d_kx_j)^2 \ge 0$: row by row, "
                 r"$\lVert D_fW_f + D_iW_i + D_gW_g\rVert_2 \le \max_r (d_f^2+d_i^2+d_g^2)_r^{1/2}\,\sigma_1(S)$", long, lagrange),
        inequality(r"$0 \le f,i \le 1$, $\lvert g\rvert \le 1$, $\lvert c\rvert \le C$ give "
                   r"$(cf(1-f))^2 + (gi(1-i))^2 + (i(1-g^2))^2 \le \tfrac1{16}C^2 + \tfrac1{16} + 1$", _fronts),
        argument(r"so the blocks of $J_t$ have 2-norms at most those of $M = \begin{pmatrix}\phi&a\\\phi&a+o\end{pmatrix}$, "
                 r"and those of $J_T\cdots J_1$ at most those of $M^T$, by induction"),
        inequality(r"$a < (1-\phi)(1-o)$ gives $v>0$ with $Mv < v$, so $\rho(M)<1$", small_gain),
    )  # fmt: skip


def _fronts(z: Any) -> Inequality:
    f, i, g, c, most, p, q = z.Reals("f i g c C p q")
    premises = [f >= 0, f <= 1, i >= 0, i <= 1, g >= -1, g <= 1, c >= -most, c <= most, most >= 0]
    squares = z.And(p <= z.Q(1, 4), p >= 0, q <= z.Q(1, 4), q >= 0)
    named = [p == f * (1 - f), q == i * (1 - i)]
    slopes = z.Implies(z.And(*premises, *named), squares)
    shown = [p >= 0, 4 * p <= 1, q >= 0, 4 * q <= 1, i >= 0, i <= 1]
    size = z.And(
        (c * p) * (c * p) * 16 <= most * most, (g * q) * (g * q) * 16 <= 1, i * (1 - g * g) <= 1
    )
    bounded = z.Implies(z.And(*shown, g * g <= 1, c * c <= most * most), size)
    return [], z.And(
        slopes, z.Implies(z.And(*premises), z.And(g * g <= 1, c * c <= most * most)), bounded
    )


def small_gain(z: Any) -> Inequality:
    """a < (1 − φ)(1 − o) gives v > 0 with Mv < v, for M = [[φ, a], [φ, a + o]]."""
    f, a, o, v, w = z.Reals("f a o v w")
    premises = [f > 0, f < 1, a > 0, o >= 0, o < 1, a < (1 - f) * (1 - o)]
    slope = ((1 - f) * (1 - o) - a) / 2
    return [*premises, w == 1 - f, v == a + slope], z.And(
        v > 0, w > 0, f * v + a * w < v, f * v + (a + o) * w < w
    )


def _two_norm_trial(rng: Rng) -> float:
    w = {k: rng.uniform(0.005, 0.2) * rng.standard_normal((4, 4)) for k in "figo"}
    phi = _widest(w)
    most = 1 / (1 - phi)
    a = (1 + 1 / 16 + most**2 / 16) ** 0.5 * norm(np.vstack([w["f"], w["i"], w["g"]]))
    bound = _gain(phi, a, norm(w["o"]) / 4)
    found = _blocks(lstm_product(rng, w, phi), norm)
    return float(np.min(1 - found / bound))


def _miller_hardt() -> tuple[Step, ...]:
    return (
        inequality(r"those conditions give $a = \tfrac14w_i + w_g + \tfrac14\tfrac{w_f}{1-\phi} < \tfrac34(1-\phi) < (1-\phi)(1-\tfrac14w_o)$", _corollary),
        inequality(r"$a < (1-\phi)(1-o)$ gives $v>0$ with $Mv < v$, so $\rho(M)<1$ (the small gain in the $\infty$-norm)", small_gain),
        argument(r"$M^r \to 0$, so some power of the step contracts: after $r$ steps every distance shrinks"),
    )  # fmt: skip


def _corollary(z: Any) -> Inequality:
    f, wi, wo, wg, wf, q = z.Reals("f wi wo wg wf q")
    premises = [f > 0, f < 1, wi >= 0, wo >= 0, wg >= 0, wf >= 0, q * (1 - f) == wf]
    given = [wi < 1 - f, wo < 1 - f, 4 * wg <= 1 - f, wf < (1 - f) * (1 - f)]
    return [*premises, *given], wi / 4 + wg + q / 4 < (1 - f) * (1 - wo / 4)


def _miller_hardt_trial(rng: Rng) -> float:
    n = 4
    w = {k: rng.standard_normal((n, n)) for k in "figo"}
    size = {k: row_sum(v) for k, v in w.items()}
    w["f"] *= rng.uniform(0.01, 0.12) / size["f"]
    phi = _widest(w)
    most = {"i": 1 - phi, "o": 1 - phi, "g": (1 - phi) / 4}
    w |= {k: w[k] * rng.uniform(0.3, 0.999) * m / size[k] for k, m in most.items()}
    found = _blocks(lstm_product(rng, w, phi), row_sum)
    s = {k: row_sum(v) for k, v in w.items()}
    if s["f"] >= (1 - phi) ** 2:
        return 0.0
    a = s["i"] / 4 + s["g"] + s["f"] / 4 / (1 - phi)
    radius = max(abs(np.linalg.eigvals(np.array([[phi, a], [phi, a + s["o"] / 4]]))))
    bound = _gain(phi, a, s["o"] / 4)
    return min(float(np.min(1 - found / bound)), 1 - float(radius))


def _logistic(x: Any) -> Any:
    return 1 / (1 + sympy.exp(-x))


def _kanai() -> tuple[Step, ...]:
    n = 2
    h = sympy.symbols("h1:3", real=True)
    w = {k: sympy.Matrix(n, n, sympy.symbols(f"{k}11 {k}12 {k}21 {k}22", real=True)) for k in "zrg"}
    column = sympy.Matrix(h)

    def gate(x: Any) -> Any:
        return x.applyfunc(_logistic)

    z, r = gate(w["z"] * column), gate(w["r"] * column)
    g = (w["g"] * r.multiply_elementwise(column)).applyfunc(sympy.tanh)
    after = (sympy.ones(n, 1) - z).multiply_elementwise(column) + z.multiply_elementwise(g)
    rest = dict.fromkeys(h, 0)
    found = after.jacobian(h).subs(rest)
    return (
        identity(r"$h = 0$ is at rest ($n=2$, all entries of $W_z, W_r, W_g$)", after.subs(rest), sympy.zeros(n, 1)),
        identity(r"$\partial h_t/\partial h_{t-1} = \tfrac12I + \tfrac14W_g$ there", found, sympy.eye(n) / 2 + w["g"] / 4),
        inequality(r"$\sigma_1(W_g) < 2 \Rightarrow \tfrac12 + \tfrac14\sigma_1(W_g) < 1$",
                   lambda q: ([q.Real("s") >= 0, q.Real("s") < 2], q.Q(1, 2) + q.Real("s") / 4 < 1)),
        argument(r"$\rho(J) \le \lVert J\rVert_2 \le \tfrac12+\tfrac14\sigma_1(W_g) < 1$: stable by Lyapunov's first method; the "
                 r"dynamics change where an eigenvalue of $\tfrac12I+\tfrac14W_g$ reaches modulus one"),
    )  # fmt: skip


def _kanai_trial(rng: Rng) -> float:
    n = 4
    w = {k: rng.standard_normal((n, n)) for k in "zrg"}
    w["g"] *= rng.uniform(0, 2) / norm(w["g"])
    h, product = 1e-5 * rng.standard_normal(n), np.eye(n)
    bound = 1.0
    for _ in range(STEPS):
        z, r = (_sigmoid(w[k] @ h) for k in "zr")
        g = np.tanh(w["g"] @ (r * h))
        inner = np.diag(r) + (h * r * (1 - r))[:, None] * w["r"]
        j = np.diag(1 - z) + (z * (1 - g * g))[:, None] * w["g"] @ inner
        product = (j + ((g - h) * z * (1 - z))[:, None] * w["z"]) @ product
        bound, h = bound * (0.5 + norm(w["g"]) / 4), (1 - z) * h + z * g
    return below(norm(product), bound * (1 + 1e-3))


def _chaos_free() -> tuple[Step, ...]:
    x, theta, h = (
        sympy.Symbol("x", real=True),
        sympy.Symbol("Theta", positive=True),
        sympy.Symbol("H", positive=True),
    )
    t = sympy.Symbol("t", integer=True, positive=True)
    tail = (1 - theta**t) / (1 - theta)
    after = (1 - theta ** (t + 1)) / (1 - theta)
    return (
        identity(r"$\frac{d}{dx}(x-\tanh x) = \tanh^2x \ge 0$, so $\lvert\tanh x\rvert \le \lvert x\rvert$",
                 sympy.diff(x - sympy.tanh(x), x), sympy.tanh(x) ** 2),
        inequality(r"$\lvert h'\rvert \le \theta\lvert h\rvert + H$ and $\lvert h\rvert \le p$, $\theta\le\Theta$ give $\lvert h'\rvert \le \Theta p + H$", _kept),
        identity(r"$\Theta\tfrac{1-\Theta^t}{1-\Theta}H + H = \tfrac{1-\Theta^{t+1}}{1-\Theta}H$: induction over $t$",
                 sympy.simplify(theta * tail * h + h - after * h), 0),
    )  # fmt: skip


def _kept(z: Any) -> Inequality:
    new, h, p, theta, most, held = z.Reals("new h p theta Theta H")
    size = z.If(h >= 0, h, -h)
    return [
        theta >= 0,
        theta <= most,
        size <= p,
        held >= 0,
        new <= theta * size + held,
    ], new <= most * p + held


def _chaos_free_trial(rng: Rng) -> float:
    n = 4
    u, v = 0.5 * rng.standard_normal((2, n, n))
    start = 3 * rng.standard_normal(n)
    h, most, held, steps = start, 0.0, 0.0, int(rng.integers(1, 12))
    quiet = rng.random() < 0.5
    for _ in range(steps):
        theta, eta = (
            _sigmoid(u @ h + rng.standard_normal(n)),
            _sigmoid(v @ h + rng.standard_normal(n)),
        )
        given = np.zeros(n) if quiet else np.tanh(rng.standard_normal(n))
        h = theta * np.tanh(h) + eta * given
        most, held = max(most, float(theta.max())), max(held, float(np.abs(eta * given).max()))
    bound = most**steps * np.abs(start) + (1 - most**steps) / (1 - most) * held
    return float(np.min(1 - np.abs(h) / bound))


def is_chaos_free(d: Derivation) -> bool:
    """Whether every state is θ ∘ tanh(h_{t−1}) + η ∘ tanh(…) with gates θ and η."""
    known: dict[Any, Any] = {a.target: a.expr for a in d.assignments}

    def is_pair(term: Any, state: Any) -> bool | None:
        parts = [known.get(p) for p in operands(term)] if isinstance(term, HadamardProduct) else []
        kinds = {p.function: p for p in parts if isinstance(p, Elementwise)}
        if len(parts) != 2 or kinds.keys() != {"sigmoid", "tanh"}:
            return None
        return operands(kinds["tanh"])[0] == state

    def plain(q: Any) -> bool:
        symbol: Timed = q.symbol
        pairs = [is_pair(term, symbol.at(1)) for term in terms(known[symbol])]
        return None not in pairs and pairs.count(True) == 1

    return all(q.depth == 1 and plain(q) for q in d.cell.states)


_GRUS = ("gru", "gru_mirrored", "gru_reset_after")

THEOREMS = (
    Theorem("lstm-small-gain", "Small gains make an LSTM forget",
            r"a < (1-\phi)(1-o) \ \Rightarrow\ \lVert\partial s_T/\partial s_0\rVert \to 0, \quad "
            r"a = \tfrac14 w_i + w_g + \tfrac14\tfrac{w_f}{1-\phi},\ o = \tfrac14 w_o",
            (r"$f_t \le \phi < 1$, $\lvert c_0\rvert \le 1/(1-\phi)$, $w_\bullet = \lVert W_\bullet\rVert_\infty$",),
            "norm bound of the Jacobian's blocks; cf. J. Miller and M. Hardt, ICLR 2019", _lstm, _lstm_trial, lambda d: same_jacobian(d, "lstm")),
    Theorem("lstm-small-gain-2", "Small gains make an LSTM forget, in the 2-norm",
            r"a < (1-\phi)(1-o) \ \Rightarrow\ \lVert\partial s_T/\partial s_0\rVert \to 0, \quad "
            r"a = \sqrt{1 + \tfrac1{16} + \tfrac{1}{16(1-\phi)^2}}\;\sigma_1(S),\ S = \begin{pmatrix}W_f\\W_i\\W_g\end{pmatrix},\ o = \tfrac14\sigma_1(W_o)",
            (r"$f_t \le \phi < 1$, $\lvert c_0\rvert \le 1/(1-\phi)$",),
            "norm bound of the Jacobian's blocks", _two_norm, _two_norm_trial, lambda d: same_jacobian(d, "lstm")),
    Theorem("miller-hardt", "Weights that make an LSTM stable",
            r"w_i, w_o < 1-\phi,\quad w_g \le \tfrac14(1-\phi),\quad w_f < (1-\phi)^2 \ \Rightarrow\ \lVert\partial s_T/\partial s_0\rVert \to 0",
            (r"$f_t \le \phi < 1$, $\lvert c_0\rvert \le 1/(1-\phi)$, $w_\bullet = \lVert W_\bullet\rVert_\infty$",),
            "J. Miller and M. Hardt, Stable recurrent models, ICLR 2019, here a corollary of the small gain", _miller_hardt,
            _miller_hardt_trial, lambda d: same_jacobian(d, "lstm")),
    Theorem("kanai", "A GRU at rest is stable while its candidate's matrix is small",
            r"\sigma_1(W_g) < 2 \ \Rightarrow\ \rho\Bigl(\frac{\partial h_t}{\partial h_{t-1}}\Big|_{h=0}\Bigr) = \rho\bigl(\tfrac12I+\tfrac14W_g\bigr) < 1",
            (r"no input and no bias; a statement about the neighbourhood of $h=0$",),
            "S. Kanai, Y. Fujiwara and S. Iwamura, NeurIPS 2017", _kanai, _kanai_trial,
            lambda d: any(same_jacobian(d, name) for name in _GRUS)),
    Theorem("chaos-free", "A chaos-free network forgets without input",
            r"\lvert h_t\rvert \le \Theta^t\lvert h_0\rvert + \frac{1-\Theta^t}{1-\Theta}H, \qquad H = 0 \text{ without input}",
            (r"$h_t = \theta_t\circ\tanh(h_{t-1}) + \eta_t\circ\tanh(\cdot)$ with gates $0<\theta_t\le\Theta<1$; $\lvert\eta_t\circ\tanh(\cdot)\rvert\le H$",),
            "T. Laurent and J. von Brecht, A recurrent neural network without chaos, ICLR 2017 (arXiv 2016)", _chaos_free,
            _chaos_free_trial, is_chaos_free),
)  # fmt: skip
