"""The largest singular value of a long product of Jacobians, from products with vectors only, in logarithms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from numeric.forward_run import Run
from numeric.interpret import Array, Look
from numeric.matrix_states import Jacobian, jacobian_of
from numeric.measure import check_finite

TOLERANCE = 1e-10
Move = Callable[[Look, Array], Array]


def log_largest_singular(
    run: Run,
    lags: Sequence[int],
    *,
    jacobian: Jacobian | None = None,
    iterations: int = 60,
    seed: int = 0,
) -> Array:
    """log σ₁ of ∂s_T/∂s_{T−k}, by lag k: minus infinity where the product is zero.

    Lanczos in the form of Golub and Kahan: P v and Pᵀ u come as a unit vector and a logarithm, and one scale, the
    first vector's, is shared by all of them; what is left is a small bidiagonal matrix of ordinary numbers.

    Args:
        run: a forward pass of one sample.
        lags: the lags k.
        jacobian: of the cell; made if left out.
        iterations: at most; fewer where the value settles to ten digits.
        seed: of the first vector.

    Raises:
        MeasureError: a value of the run is not finite.

    Source: Golub and Kahan, SIAM J. Numer. Anal. B 2 (1965), 205–224.
    """
    check_finite(run)
    j = jacobian or jacobian_of(run.derivation, run.sizes, run.space)
    rng = np.random.default_rng(seed)
    return np.array([_one(_Product(run, j, lag), iterations, rng) for lag in lags])


class _Product:
    """P = J_T ⋯ J_{T−k+1}; every product with a vector is a unit vector and a logarithm."""

    def __init__(self, run: Run, j: Jacobian, lag: int) -> None:
        self.run, self.j, self.lag = run, j, lag

    def apply(self, v: Array) -> tuple[Array, float]:
        """P v."""
        times = range(self.run.steps - self.lag + 1, self.run.steps + 1)
        return self._walk(v, times, self.j.apply)

    def pull(self, u: Array) -> tuple[Array, float]:
        """Pᵀ u."""
        times = range(self.run.steps, self.run.steps - self.lag, -1)
        return self._walk(u, times, self.j.pull)

    def _walk(self, v: Array, times: range, move: Move) -> tuple[Array, float]:
        log, space = 0.0, self.run.space
        v = space.asarray(v)
        for t in times:
            v = move(self.run.look(t), v)
            length = space.norm(v)
            if length == 0.0:
                return space.numpy(v), -math.inf
            v, log = v / length, log + math.log(length)
        return space.numpy(v), log


def _one(product: _Product, iterations: int, rng: np.random.Generator) -> float:
    size = product.j.size
    v = rng.standard_normal((1, 1, size, 1))
    v /= np.linalg.norm(v)
    u, shared = product.apply(v)
    if shared == -math.inf:
        return -math.inf
    left, right = [u], [v]
    alphas, betas = [1.0], list[float]()
    found = 1.0
    for _ in range(min(iterations, size) - 1):
        w, log = product.pull(left[-1])
        v, beta = _orthogonal(math.exp(log - shared) * w - alphas[-1] * right[-1], right)
        if beta <= TOLERANCE * found:
            break
        u, log = product.apply(v)
        new = math.exp(log - shared) * u if log > -math.inf else np.zeros_like(u)
        u, alpha = _orthogonal(new - beta * left[-1], left)
        left, right = [*left, u], [*right, v]
        alphas, betas = [*alphas, alpha], [*betas, beta]
        before, found = found, _norm(alphas, betas)
        if alpha == 0.0 or found - before <= TOLERANCE * found:
            break
    return shared + math.log(found)


def _orthogonal(v: Array, basis: list[Array]) -> tuple[Array, float]:
    """The unit vector of v's part orthogonal to all vectors before it, and that part's length."""
    flat = np.concatenate([b.reshape(1, -1) for b in basis])
    part = v.ravel()
    for _ in range(2):  # once more: the first pass leaves what rounding put back
        part = part - flat.T @ (flat @ part)
    length = float(np.linalg.norm(part))
    return (part / length if length > 0 else part).reshape(v.shape), length


def _norm(alphas: list[float], betas: list[float]) -> float:
    """σ₁ of the bidiagonal matrix."""
    return float(np.linalg.norm(np.diag(alphas) + np.diag(betas, 1), 2))
