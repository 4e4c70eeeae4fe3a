"""A derivation's equations evaluated as they stand on the page, step by step: no program, no generated code."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sympy.matrices.expressions import MatrixSymbol

from derive.derivation import Derivation
from derive.expressions import Adjoint, LossGradient, Tangent
from tests.oracle import Sample, looker, shape_of, worth

Values = dict[tuple[str, int], np.ndarray]


def primal(d: Derivation, s: Sample, values: Values) -> Values:
    """The values of every intermediate too, from the step in normal form."""
    values = dict(values)
    for t in range(1, s.T + 1):
        for a in d.assignments:
            values[a.name, t] = worth(a.expr, looker(s, values, t), s.sizes)
    return values


def given_at(s: Sample, name: str, t: int) -> np.ndarray | float:
    """∂ℓ_t/∂v_t: what the loss gives to an output at step t, its share of the final state included."""
    given = s.outputs_bar[name][t - 1]
    last = s.final_bar.get(name)
    back = s.T - t
    return given + last[len(last) - 1 - back] if last is not None and back < len(last) else given


class Pass:
    """The backward equations, for t = T, …, 1. Cotangents beyond T are zero, so other values there do not matter."""

    def __init__(self, d: Derivation, s: Sample, values: Values) -> None:
        self.d, self.s, self.values = d, s, values
        self.bars: Values = {}
        for t in range(s.T, 0, -1):
            for e in d.backward.local:
                self.bars[e.lhs.name, t] = self.at(e.rhs, t)

    def at(self, expr, t: int) -> np.ndarray:
        """An expression at step t, for every sample."""
        primal = looker(self.s, self.values, t)

        def look(leaf):
            step = t - getattr(leaf, "lag", 0)
            if step > self.s.T:
                shape = (self.s.B, *shape_of(leaf, self.s.sizes))
                cotangent = isinstance(leaf, Adjoint | LossGradient)
                return np.zeros(shape) if cotangent else np.ones(shape)
            if isinstance(leaf, LossGradient):
                return given_at(self.s, leaf.name, step)
            if isinstance(leaf, Adjoint):
                return self.bars[leaf.name, step]
            return primal(leaf)

        value = worth(expr, look, self.s.sizes)
        return np.broadcast_to(value, (self.s.B, *value.shape[-2:]))

    def parameters(self) -> dict[str, np.ndarray]:
        """Sums of the parameters' addends over time and samples."""
        steps = range(1, self.s.T + 1)
        return {
            e.lhs.name: sum(self.at(e.rhs, t).sum(axis=0) for t in steps)
            for e in self.d.backward.parameters
        }

    def inputs(self) -> dict[str, np.ndarray]:
        """The inputs' adjoints at every step, those of later steps included."""
        return {
            e.lhs.name: np.stack([self.at(e.rhs, t) for t in range(1, self.s.T + 1)])
            for e in self.d.backward.inputs
        }

    def initial(self) -> dict[str, np.ndarray]:
        """What the values before the first step receive: the oldest first."""
        found = {}
        for name, by_lag in self.d.backward.carried.items():
            q = self.d.cell.quantity(name)
            zero = np.zeros((self.s.B, *shape_of(q.symbol, self.s.sizes)))
            found[name] = np.stack(
                [
                    sum((self.at(by_lag[d].rhs, d - back) for d in by_lag if d > back), zero)
                    for back in reversed(range(q.depth))
                ]
            )
        return found


def directions(d: Derivation, s: Sample, values: Values, t: int, moved: Mapping) -> Values:
    """The tangent equations at step t: ``moved`` holds the directions of leaves by (name, lag), the rest is zero."""
    dots: dict[tuple[str, int], np.ndarray] = dict(moved)
    primal = looker(s, values, t)

    def look(leaf):
        if isinstance(leaf, Tangent):
            lag = None if isinstance(leaf.of, MatrixSymbol) else leaf.lag
            return dots.get((leaf.name, lag), np.zeros(shape_of(leaf, s.sizes)))
        return primal(leaf)

    for a in d.tangents:
        dots[a.target.of.name, 0] = worth(a.expr, look, s.sizes)
    return dots
