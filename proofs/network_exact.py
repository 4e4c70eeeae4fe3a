"""The identity of a whole network, modulo a prime: how adjoints pass from segment to segment is exact.

Tangents are injected into everything that is given and run forward by dual numbers through the network's own
equations; the backward equations of every segment are run in reverse order, and adjoints are handed over as the
derivation says. Both must agree:

        Σ ⟨∂L/∂v, v̇⟩ over outputs and final values  =  Σ ⟨θ̄, θ̇⟩ + Σ_t ⟨x̄_t, ẋ_t⟩ + Σ ⟨s̄₀, ṡ₀⟩.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from derive.derivation import Derivation
from derive.network import Segment
from derive.network_derivation import NetworkDerivation
from derive.nodes import Adjoint, LossGradient
from proofs.arithmetic import Array
from proofs.dual import Dual, Pair
from proofs.evaluation import Evaluator
from proofs.field import MERSENNE_PRIMES, PrimeField, SingularPointError
from proofs.network_run import (
    NetworkExtent,
    NetworkRun,
    Values,
    in_order,
    memory_of,
    run_network,
    sizes_in,
    source_place,
)
from proofs.network_samples import NetworkSample, draw_extent, draw_network
from proofs.unrolled import ZERO_BEYOND, Tape, run_backward

PRIME = MERSENNE_PRIMES[1]


@dataclass(frozen=True, slots=True)
class NetworkIdentity:
    """What the identity of a whole network gave.

    Args:
        extents: the sizes of each point.
        wrong: what does not agree, empty if all does: by name, the quantity whose share is wrong.
    """

    extents: tuple[NetworkExtent, ...]
    wrong: tuple[str, ...]


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
    extents: list[NetworkExtent] = []
    wrong: list[str] = []
    for _ in range(repeats):
        extent = draw_extent(derivation.network, rng, largest=3, steps=3)
        extent = NetworkExtent(extent.sizes, extent.steps, extent.samples)
        extents.append(extent)
        wrong += _point(derivation, extent, rng)
    return NetworkIdentity(tuple(extents), tuple(dict.fromkeys(wrong)))


def _point(derivation: NetworkDerivation, extent: NetworkExtent, rng: Random) -> list[str]:
    for _ in range(7):
        try:
            return _Point(derivation, extent, rng.randrange(2**63)).wrong()
        except SingularPointError:
            continue
    return _Point(derivation, extent, rng.randrange(2**63)).wrong()


@dataclass(slots=True)
class _Bars:
    """Adjoints by name and step: of outputs, and of final values by steps before the end."""

    sequences: Values
    finals: Values
    given: Values = field(default_factory=dict)


class _Point:
    def __init__(self, derivation: NetworkDerivation, extent: NetworkExtent, seed: int) -> None:
        self.derivation, self.network, self.extent = derivation, derivation.network, extent
        self.field = PrimeField(PRIME, seed)
        like = draw_network(self.network, extent, seed % 2**32)
        self.sample = NetworkSample(
            self.network, extent, self._random(like.values), self._random(like.weights),
            self._random(like.final_weights),
        )  # fmt: skip
        self.of = dict(
            zip((s.name for s in self.network.segments), derivation.segments, strict=True)
        )

    def _random(self, like: Values) -> Values:
        return {p: self.field.random(np.shape(v)) for p, v in like.items()}

    def _absent(self, leaf: Any, t: int | None) -> Array:
        """Beyond the run adjoints vanish; whatever they are multiplied with must not matter."""
        shape = tuple(int(side.subs(self.all_sizes)) for side in leaf.shape)
        return (
            self.field.full(shape, 0) if isinstance(leaf, ZERO_BEYOND) else self.field.random(shape)
        )  # type: ignore[arg-type]

    @property
    def all_sizes(self) -> dict[Any, int]:
        """Every size, those of single segments included."""
        found: dict[Any, int] = dict(self.extent.sizes)  # type: ignore[arg-type]
        for s in self.network.segments:
            found |= sizes_in(s, self.extent.sizes)
        return found

    def wrong(self) -> list[str]:
        """The quantities whose share of the identity is wrong, each moved alone."""
        bars = self.backward()
        names = dict.fromkeys(name for name, _ in self.sample.values)
        fixed = {q.name for s in self.network.segments for q in s.cell.constants}
        return [name for name in names if name not in fixed and not self.agrees(name, bars)]

    def agrees(self, name: str, bars: _Bars) -> bool:
        """L̇ = Σ ⟨adjoint, direction⟩ when one quantity alone moves, at all steps."""
        moving = {
            p: self.field.random(np.shape(v)) for p, v in self.sample.values.items() if p[0] == name
        }
        start = {p: Pair(v, moving.get(p)) for p, v in self.sample.values.items()}
        absent = lambda leaf, t: Pair(self._absent(leaf, t))  # noqa: E731
        run = run_network(self.network, Dual(self.field), start, self.extent, absent=absent)
        forward: Any = self.field.full((1, 1), 0)
        for weights, values in self._seen(run):
            for place, weight in weights.items():
                if values[place].dot is not None:
                    forward = self.field.add(forward, self._inner(weight, values[place].dot))
        backward: Any = self.field.full((1, 1), 0)
        for place, direction in moving.items():
            if place in bars.given:
                backward = self.field.add(backward, self._inner(bars.given[place], direction))
        return bool(np.all(np.equal(*np.broadcast_arrays(forward, backward))))

    def _seen(self, run: NetworkRun) -> list[tuple[Values, Values]]:
        return [(self.sample.weights, run.sequences), (self.sample.final_weights, run.finals)]

    def _inner(self, a: Array, b: Array) -> Array:
        return self.field.total(self.field.mul(a, b))

    def backward(self) -> _Bars:
        """The adjoints, segment by segment in reverse order."""
        run = run_network(
            self.network, self.field, self.sample.values, self.extent,
            absent=self._absent, lines=lambda s: self.of[s.name].assignments,
        )  # fmt: skip
        bars = _Bars(dict(self.sample.weights), dict(self.sample.final_weights))
        for s in self.network.segments[::-1]:
            self._segment(s, self.of[s.name], run.tapes[s.name], bars)
        return bars

    def _segment(self, s: Segment, d: Derivation, tape: Tape[Any], bars: _Bars) -> None:
        T = tape.steps
        for q in s.cell.outputs:
            for t in range(1, T + 1):
                tape.put(LossGradient, (q.name, t), bars.sequences[q.name, in_order(s, t, T)])
        states = {q.name for q in s.cell.states}
        later: Values = {}
        for q in memory_of(s):
            for back in range(q.depth):
                place, bar = (q.name, T - back), bars.finals[q.name, -back]
                if q.name in states and T - back >= 1:
                    seen = tape.get(LossGradient, place)
                    tape.put(LossGradient, place, self.field.add(seen, bar))
                else:
                    later[place] = bar
        evaluate = Evaluator(self.field, sizes_in(s, self.extent.sizes))
        run_backward(evaluate, d.backward, s.cell, tape)
        self._hand_over(s, tape, bars, later)

    def _hand_over(self, s: Segment, tape: Tape[Any], bars: _Bars, later: Values) -> None:
        """Every adjoint of an input or initial value goes to where the value came from."""
        for q in s.cell.parameters:
            self._add(bars.given, (q.name, None), tape.get(Adjoint, (q.name, None)))
        for name, source in s.inputs.items():
            if s.cell.quantity(name).kind == "mask":
                continue
            for t in range(1, tape.steps + 1):
                bar = tape.get(Adjoint, (name, t))
                bar = self.field.add(bar, later[name, t]) if (name, t) in later else bar
                place = source_place(self.network, source, in_order(s, t, tape.steps), self.extent)
                self._add(bars.sequences if source.segment else bars.given, place, bar)
        for q in memory_of(s):
            for back in range(q.depth):
                bar = tape.values.get((Adjoint, q.name, -back))
                if bar is None:
                    continue
                start = s.starts.get(q.name)
                self._add(
                    bars.finals if start else bars.given,
                    (start.name if start else q.name, -back),
                    bar,
                )

    def _add(self, total: Values, place: Any, value: Array) -> None:
        total[place] = self.field.add(total[place], value) if place in total else value
