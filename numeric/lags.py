"""A gradient through time, split by lag: ∂L/∂θ = Σ_d G_d, where G_d is what reaches θ's use d steps before the loss.

    G_d = Σ_t ∂ℓ_t/∂s_t (∏_{j=t−d+1}^{t} ∂s_j/∂s_{j−1}) ∂⁺s_{t−d}/∂θ

Every ℓ_t is pulled back on its own, all of them in one sweep. Source: Pascanu, Mikolov and Bengio, 2013, equations 3–5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from numeric.forward_run import Run
from numeric.interpret import Array, shape_of
from numeric.tape import Joint, Pull

Truncation = tuple[int, int]
"""(k₁, k₂): every k₁ steps, k₂ steps back."""


@dataclass(frozen=True, slots=True)
class LagShares:
    """Each lag's part of the gradient by every parameter.

    Args:
        parts: by parameter, (T, rows, columns): entry d is G_d.
        lags: T.
        truncated: the gradient that truncation at (k₁, k₂) keeps, by parameter.
    """

    parts: Mapping[str, Array]
    lags: int
    truncated: Mapping[Truncation, Mapping[str, Array]] = field(default_factory=dict)

    @property
    def total(self) -> dict[str, Array]:
        """The whole gradient by parameter: the sum over the lags."""
        return {name: part.sum(axis=0) for name, part in self.parts.items()}

    @property
    def norms(self) -> Array:
        """‖G_d‖ over all parameters together, by lag."""
        return _norms(list(self.parts.values()), self.lags)

    @property
    def norms_by_parameter(self) -> dict[str, Array]:
        """‖G_d‖ by lag, for every parameter."""
        return {name: _norms([part], self.lags) for name, part in self.parts.items()}

    @property
    def by_parameter(self) -> dict[str, Array]:
        """⟨G_d, G⟩ / ⟨G, G⟩ by lag, for every parameter by itself; zeros where its gradient is zero."""
        return {name: _shares([part], self.lags) for name, part in self.parts.items()}

    @property
    def shares(self) -> Array:
        """⟨G_d, G⟩ / ⟨G, G⟩ by lag: they add up to one; a negative share pulls against the whole.

        Zeros where the whole gradient is zero.
        """
        return _shares(list(self.parts.values()), self.lags)

    @property
    def left_out(self) -> Array:
        """‖Σ_{d ≥ k} G_d‖ / ‖G‖ for k = 0 … T: the relative bias of truncation at k₂ = k, k₁ = 1."""
        ends = [np.cumsum(part[::-1], axis=0)[::-1] for part in self.parts.values()]
        return np.append(_norms(ends, self.lags), 0.0) / (self.size or 1.0)

    def bias(self, truncation: Truncation) -> float:
        """‖G − what truncation keeps‖ / ‖G‖."""
        kept, total = self.truncated[truncation], self.total
        apart = [(total[name] - kept[name])[None] for name in total]
        return float(_norms(apart, 1)[0] / (self.size or 1.0))

    @property
    def size(self) -> float:
        """‖G‖; not finite where a part leaves the floating-point numbers."""
        return float(_norms([value[None] for value in self.total.values()], 1)[0])


def _norms(parts: Sequence[Array], lags: int) -> Array:
    """The norm of all parts together by lag, however large or small: their squares may be no floats."""
    top = np.zeros(lags)
    for part in parts:
        top = np.maximum(top, np.abs(part).max(axis=(1, 2), initial=0.0))
    safe = np.where(top > 0, top, 1.0)
    squares = (((part / safe[:, None, None]) ** 2).sum(axis=(1, 2)) for part in parts)
    return top * np.sqrt(sum(squares, np.zeros(lags)))


def _shares(parts: Sequence[Array], lags: int) -> Array:
    """⟨G_d, G⟩ / ⟨G, G⟩ by lag, in units of the largest entry."""
    top = max((float(np.abs(part).max(initial=0.0)) for part in parts), default=0.0) or 1.0
    scaled = [part / top for part in parts]
    along, square = np.zeros(lags), 0.0
    for part in scaled:
        whole = part.sum(axis=0)
        along, square = along + (part * whole).sum(axis=(1, 2)), square + float((whole**2).sum())
    return along / (square if square > 0 else 1.0)


def lag_shares(
    run: Run,
    loss: Mapping[str, Array],
    *,
    every: int = 1,
    truncations: Sequence[Truncation] = (),
) -> LagShares:
    """Split the gradient of a loss Σ_t ℓ_t by lag, or by the distance to the end of the window that sees the loss.

    Law: truncation at (k₁, k₂) keeps exactly the parts below k₂ of the split with ``every`` = k₁.

    Args:
        run: a forward pass of one sample.
        loss: ∂ℓ_t/∂y by output y, (T, rows, columns).
        every: k₁: distances are counted from step min(k₁ ⌈t/k₁⌉, T) on instead of from the loss's step t.
        truncations: pairs (k₁, k₂) of which it is also told what they keep.
    """
    steps = run.steps
    ends = _window_ends(steps, every)
    reach = {(k1, k2): _window_ends(steps, k1) - k2 for k1, k2 in truncations}
    pull = Pull(run)
    shapes = {q.name: shape_of(q.symbol, run.sizes) for q in run.cell.states}
    after: Joint = {
        q.name: [np.zeros((1, steps, *shapes[q.name]))] * q.depth for q in run.cell.states
    }
    parts = {q.name: np.zeros((steps, *shape_of(q.symbol, run.sizes))) for q in run.cell.parameters}
    kept = {pair: {name: np.zeros_like(p[0]) for name, p in parts.items()} for pair in reach}
    for k in range(steps, 0, -1):
        after, look = pull.step(k, after, {name: _only(k, value) for name, value in loss.items()})
        for name, program in pull.sums.items():
            # by the step t of the loss; alike for all of them where no loss reaches the parameter
            addend = np.broadcast_to(program(look)[0], parts[name].shape)
            np.add.at(parts[name], ends[k - 1 :] - k, addend[k - 1 :])
            for pair, below in reach.items():
                kept[pair][name] += addend[k - 1 :][below[k - 1 :] < k].sum(axis=0)
    return LagShares(parts, steps, kept)


def _window_ends(steps: int, every: int) -> Array:
    """Where the window ends that sees the loss of step t, for t = 1 … T."""
    return np.minimum(-(-np.arange(1, steps + 1) // every) * every, steps)


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
