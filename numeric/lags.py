"""A gradient through time, split by lag: ∂L/∂θ = Σ_d G_d, where G_d is what reaches θ's use d steps before the loss.

    G_d = Σ_t ∂ℓ_t/∂s_t (∏_{j=t−d+1}^{t} ∂s_j/∂s_{j−1}) ∂⁺s_{t−d}/∂θ

Every ℓ_t is pulled back on its own, all of them in one sweep. Source: Pascanu, Mikolov and Bengio, 2013, equations 3–5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from numeric.interpret import Array, shape_of
from numeric.tape import Joint, Pull, Run


@dataclass(frozen=True, slots=True)
class LagShares:
    """Each lag's part of the gradient by every parameter.

    Args:
        parts: by parameter, (T, rows, columns): entry d is G_d.
    """

    parts: Mapping[str, Array]

    @property
    def total(self) -> dict[str, Array]:
        """The whole gradient by parameter: the sum over the lags."""
        return {name: part.sum(axis=0) for name, part in self.parts.items()}

    @property
    def norms(self) -> Array:
        """‖G_d‖ over all parameters together, by lag."""
        squares = [(part**2).sum(axis=(1, 2)) for part in self.parts.values()]
        return np.sqrt(np.stack(squares).sum(axis=0))

    @property
    def norms_by_parameter(self) -> dict[str, Array]:
        """‖G_d‖ by lag, for every parameter."""
        return {k: np.sqrt((part**2).sum(axis=(1, 2))) for k, part in self.parts.items()}

    @property
    def by_parameter(self) -> dict[str, Array]:
        """⟨G_d, G⟩ / ⟨G, G⟩ by lag, for every parameter by itself; zeros where its gradient is zero."""
        found: dict[str, Array] = {}
        for name, part in self.parts.items():
            whole = part.sum(axis=0)
            square = float((whole**2).sum())
            found[name] = (part * whole).sum(axis=(1, 2)) / (square if square > 0 else 1.0)
        return found

    @property
    def shares(self) -> Array:
        """⟨G_d, G⟩ / ⟨G, G⟩ by lag: they add up to one; a negative share pulls against the whole."""
        total = self.total
        along = sum((part * total[name]).sum(axis=(1, 2)) for name, part in self.parts.items())
        whole = sum((value**2).sum() for value in total.values())
        return along / whole


def lag_shares(run: Run, loss: Mapping[str, Array], *, every: int = 1) -> LagShares:
    """Split the gradient of a loss Σ_t ℓ_t by lag, or by the distance to the end of the window that sees the loss.

    Law: truncation at (k₁, k₂) keeps exactly the parts below k₂ of the split with ``every`` = k₁.

    Args:
        run: a forward pass of one sample.
        loss: ∂ℓ_t/∂y by output y, (T, rows, columns).
        every: k₁: distances are counted from step min(k₁ ⌈t/k₁⌉, T) on instead of from the loss's step t.
    """
    steps = run.steps
    ends = np.minimum(-(-np.arange(1, steps + 1) // every) * every, steps)
    pull = Pull(run)
    shapes = {q.name: shape_of(q.symbol, run.sizes) for q in run.cell.states}
    after: Joint = {
        q.name: [np.zeros((1, steps, *shapes[q.name]))] * q.depth for q in run.cell.states
    }
    parts = {q.name: np.zeros((steps, *shape_of(q.symbol, run.sizes))) for q in run.cell.parameters}
    for k in range(steps, 0, -1):
        after, look = pull.step(k, after, {name: _only(k, value) for name, value in loss.items()})
        for name, program in pull.sums.items():
            addend = program(look)[0]  # by the step t of the loss
            np.add.at(parts[name], ends[k - 1 :] - k, addend[k - 1 :])
    return LagShares(parts)


def whole_gradient(run: Run, loss: Mapping[str, Array]) -> dict[str, Array]:
    """The gradient by every parameter, by one backward pass that knows no lags.

    Args:
        run: a forward pass of one sample.
        loss: ∂ℓ_t/∂y by output y, (T, rows, columns).
    """
    pull, total = Pull(run), dict[str, Array]()
    after: Joint = {
        q.name: [np.zeros((1, 1, *shape_of(q.symbol, run.sizes)))] * q.depth
        for q in run.cell.states
    }
    for k in range(run.steps, 0, -1):
        now = {name: value[k - 1][None, None] for name, value in loss.items()}
        after, look = pull.step(k, after, now)
        for name, program in pull.sums.items():
            total[name] = total.get(name, 0.0) + program(look)[0, 0]
    return total


def _only(t: int, value: Array) -> Array:
    """∂ℓ_t/∂y as one of T cotangents, the others zero."""
    found = np.zeros((1, *value.shape))
    found[0, t - 1] = value[t - 1]
    return found
