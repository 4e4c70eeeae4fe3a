"""The identity of a whole network, modulo a prime: how adjoints pass from segment to segment is exact.

Tangents are injected into everything that is given and run forward by dual numbers through the network's own
equations; the backward equations of every segment are run in reverse order, and adjoints are handed over as the
derivation says. Both must agree:

        Σ ⟨∂L/∂v, v̇⟩ over outputs and final values  =  Σ ⟨θ̄, θ̇⟩ + Σ_t ⟨x̄_t, ẋ_t⟩ + Σ ⟨s̄₀, ṡ₀⟩.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from derive.network_derivation import NetworkDerivation
from proofs.arithmetic import Array
from proofs.degrees import Bounds, ErrorBound, bound_for, degrees_of
from proofs.dual import Dual, Pair
from proofs.field import PrimeField, regular
from proofs.network_adjoints import Adjoints, Bars, every_size
from proofs.network_run import (
    NetworkExtent,
    NetworkRun,
    Values,
    run_network,
)
from proofs.network_samples import NetworkSample, draw_extent, draw_network
from proofs.unrolled import ZERO_BEYOND


@dataclass(frozen=True, slots=True)
class NetworkIdentity:
    """What the identity of a whole network gave.

    Args:
        extents: the sizes of each point.
        wrong: what does not agree, empty if all does: by name, the quantity whose share is wrong.
        bound: the probability that the share of another quantity is wrong, all the same.
    """

    extents: tuple[NetworkExtent, ...]
    wrong: tuple[str, ...]
    bound: ErrorBound


def prove_network(
    derivation: NetworkDerivation, *, seed: int = 0, repeats: int = 2
) -> NetworkIdentity:
    """Decides the identity at random points.

    Args:
        derivation: what is judged.
        seed: of sizes and points.
        repeats: number of points.
    """
    rng = Random(seed)  # noqa: S311 - no secret
    drawn = (draw_extent(derivation.network, rng, largest=3, steps=3) for _ in range(repeats))
    extents = tuple(NetworkExtent(e.sizes, e.steps, e.samples) for e in drawn)
    bound = bound_for(
        degrees_of(lambda field, e=e: _Point(derivation, e, field, 0).degree()) for e in extents
    )
    wrong = [
        name
        for extent in extents
        for name in regular(
            lambda seed, e=extent: _Point(
                derivation, e, PrimeField(bound.prime, seed), seed
            ).wrong(),
            rng,
        )
    ]
    return NetworkIdentity(extents, tuple(dict.fromkeys(wrong)), bound)


class _Point:
    """The network at random values of a field, or at indeterminates of which only the degrees are known."""

    def __init__(
        self,
        derivation: NetworkDerivation,
        extent: NetworkExtent,
        field: PrimeField | Bounds,
        seed: int,
    ) -> None:
        self.derivation, self.network, self.extent = derivation, derivation.network, extent
        self.field = field
        like = draw_network(self.network, extent, seed % 2**32)
        self.sample = NetworkSample(
            self.network, extent, self._random(like.values), self._random(like.weights),
            self._random(like.final_weights),
        )  # fmt: skip
        self.sizes = every_size(self.sample)

    def _random(self, like: Values) -> Values:
        return {p: self.field.random(np.shape(v)) for p, v in like.items()}

    def _absent(self, leaf: Any, t: int | None) -> Array:
        """Beyond the run adjoints vanish; whatever they are multiplied with must not matter."""
        shape = tuple(int(side.subs(self.sizes)) for side in leaf.shape)
        return (
            self.field.full(shape, 0) if isinstance(leaf, ZERO_BEYOND) else self.field.random(shape)
        )  # type: ignore[arg-type]

    def wrong(self) -> list[str]:
        """The quantities whose share of the identity is wrong, each moved alone."""
        bars = self.backward()
        return [name for name in self.moved if not np.equal(*self.shares([name], bars)).all()]

    def degree(self) -> int:
        """The largest degree of both sides of the identity."""
        return max(int(np.max(share)) for share in self.shares(self.moved, self.backward()))

    @property
    def moved(self) -> list[str]:
        """What is given and has a gradient."""
        fixed = {q.name for s in self.network.segments for q in s.cell.constants}
        return [n for n in dict.fromkeys(name for name, _ in self.sample.values) if n not in fixed]

    def shares(self, names: list[str], bars: Bars) -> tuple[Array, Array]:
        """L̇ and Σ ⟨adjoint, direction⟩ when these quantities alone move, at all steps."""
        values = self.sample.values
        moving = {p: self.field.random(np.shape(v)) for p, v in values.items() if p[0] in names}
        start = {p: Pair(v, moving.get(p)) for p, v in values.items()}
        absent = lambda leaf, t: Pair(self._absent(leaf, t))  # noqa: E731
        run = run_network(self.network, Dual(self.field), start, self.extent, absent=absent)
        nothing: Any = self.field.full((1, 1), 0)
        forward = backward = nothing
        for weights, found in self._seen(run):
            for place, weight in weights.items():
                if found[place].dot is not None:
                    forward = self.field.add(forward, self._inner(weight, found[place].dot))
        for place, direction in moving.items():
            if place in bars.given:
                backward = self.field.add(backward, self._inner(bars.given[place], direction))
        return forward, backward

    def _seen(self, run: NetworkRun) -> list[tuple[Values, Values]]:
        return [(self.sample.weights, run.sequences), (self.sample.final_weights, run.finals)]

    def _inner(self, a: Array, b: Array) -> Array:
        return self.field.total(self.field.mul(a, b))

    def backward(self) -> Bars:
        """The adjoints, segment by segment in reverse order."""
        return Adjoints(self.derivation, self.sample, self.field, self._absent).backward()
