"""One random point of the exact route: a run modulo a prime, and the true gradients there.

The truth is found by dual numbers alone: a tangent is injected at a quantity, and the loss answers. Neither
the tangent equations nor the adjoint equations of a derivation take part, so both can be judged line by line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from derive.cell import Cell
from derive.derivation import Derivation
from derive.nodes import Adjoint, Block, LossGradient, Tangent, Timed
from proofs.arithmetic import Array
from proofs.dual import Dual, Pair
from proofs.evaluation import Evaluator, at_sizes
from proofs.field import PrimeField
from proofs.unrolled import ZERO_BEYOND, Place, Tape, given, run_forward, trained
from proofs.untyped import MatrixSymbol

Sizes = dict[Any, int]
TOGETHER = 128
"""Entries of which the true adjoints are computed in one run."""
DISTINCT = 8
"""With more dimensions than these, sizes repeat: matrices would grow with the number of dimensions."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How large a run is.

    Args:
        sizes: of every dimension.
        steps: T.
        samples: B.
    """

    sizes: Sizes
    steps: int
    samples: int

    def __str__(self) -> str:
        dims = ", ".join(f"{d} = {size}" for d, size in self.sizes.items())
        return f"{dims}, T = {self.steps}, B = {self.samples}"


def draw_sizes(cell: Cell, rng: Random, smallest: int = 2, largest: int = 4) -> Sizes:
    """Random sizes, for which every shape is at least 1; different for different dimensions unless these are many."""
    many = len(cell.dims) > DISTINCT
    largest = max(largest, smallest + min(len(cell.dims), DISTINCT))
    while True:
        choices = range(smallest, largest + 1)
        count = len(cell.dims)
        drawn = rng.choices(choices, k=count) if many else rng.sample(choices, count)
        sizes = dict(zip(cell.dims, drawn, strict=True))
        shapes = [at_sizes(side, sizes) for q in cell.quantities for side in q.shape]
        if all(side >= 1 for side in shapes):
            return sizes
        largest += 1


def steps_for(cell: Cell, at_least: int = 3) -> int:
    """A length in which every lag reaches an initial value and a computed one."""
    return max(at_least, 2 + cell.depth)


class Point:
    """A run at a random point modulo a prime, with true tangents and adjoints.

    Args:
        derivation: whose normal form is run.
        extent: sizes, T and B.
        prime: the field.
        seed: of everything random.

    Raises:
        SingularPointError: a denominator vanishes at this point.
    """

    def __init__(self, derivation: Derivation, extent: Extent, prime: int, seed: int) -> None:
        self.derivation, self.extent = derivation, extent
        self.field = PrimeField(prime, seed)
        self.evaluate = Evaluator(self.field, extent.sizes)
        self.dual = Evaluator(Dual(self.field), extent.sizes)
        self.tape = Tape(extent.steps, {}, self._absent)
        cell = derivation.cell
        for symbol, place in given(cell, extent.steps):
            self.tape.put(_kind(place), place, self.random(symbol, place))
        for q in cell.outputs:
            for t in range(1, extent.steps + 1):
                self.tape.put(LossGradient, (q.name, t), self.random(q.symbol, (q.name, t)))
        self.directions = {place: self.random(s, place) for s, place in trained(cell, extent.steps)}
        self._true_tangents()
        self._true_adjoints()

    def random(self, symbol: Any, place: Place) -> Array:
        """Random entries: one matrix for a parameter, one per sample for all else."""
        shape = self.evaluate.shape(symbol)
        return self.field.random(shape if place[1] is None else (self.extent.samples, *shape))

    def _absent(self, leaf: Any, t: int | None) -> Array:
        """Beyond the run adjoints vanish; whatever they are multiplied with must not matter."""
        if t is not None and 1 <= t <= self.extent.steps:
            raise KeyError(f"no line gives {leaf} at step {t}")
        if isinstance(leaf, ZERO_BEYOND):
            return self.field.full(self.evaluate.shape(leaf), 0)
        if t is None or t <= 0:
            raise KeyError(f"{leaf} at step {t} is no initial value of the cell")
        return self.random(leaf, (leaf.name, t))

    def _dual_run(self, seeds: Mapping[Place, Array]) -> Tape[Pair]:
        """A forward run in which ε times a seed is added to a quantity wherever there is a seed."""
        start = {
            key: Pair(value, seeds.get((key[1], key[2])))
            for key, value in self.tape.values.items()
            if key[0] in (Timed, MatrixSymbol)
            and (key[2] is None or key[1:] in self.directions or key[2] <= 0)
        }
        run: Tape[Pair] = Tape(
            self.extent.steps, start, lambda leaf, t: Pair(self._absent(leaf, t))
        )

        def inject(place: Place, value: Pair) -> Pair:
            seed = seeds.get(place)
            if seed is None:
                return value
            return Pair(value.value, seed if value.dot is None else self.field.add(value.dot, seed))

        run_forward(self.dual, self.derivation.assignments, run, inject)
        return run

    def loss_tangent(self, tangents: Mapping[tuple[Any, ...], Any]) -> Array:
        """L̇ per direction and sample: Σ over steps and outputs of ⟨∂ℓ_t/∂v_t, v̇_t⟩."""
        total = self.field.full((1, 1), 0)
        for q in self.derivation.cell.outputs:
            for t in range(1, self.extent.steps + 1):
                dot = tangents[q.name, t]
                if dot is not None:
                    weight = self.tape.get(LossGradient, (q.name, t))
                    total = self.field.add(total, self.field.total(self.field.mul(weight, dot)))
        return total[..., 0, 0]

    def _true_tangents(self) -> None:
        """One direction in everything at once, and one for each given quantity alone."""
        places = list(self.directions)
        lanes = {
            place: np.zeros((len(places) + 1, *np.shape(v)), dtype=object)
            for place, v in self.directions.items()
        }
        for lane, place in enumerate(places):
            lanes[place][[lane, -1]] = self.directions[place]
        seeds = {p: v[:, None] if p[1] is None else v for p, v in lanes.items()}
        run = self._dual_run(seeds)
        for (kind, name, t), pair in run.values.items():
            if kind is Timed and (name, t) not in self.directions:
                self.tape.put(Timed, (name, t), pair.value)
        self.tangents: dict[Place, Array] = {
            (name, t): self.field.full((1, 1), 0) if pair.dot is None else pair.dot[-1]
            for (_, name, t), pair in run.values.items()
        }
        answers = self.loss_tangent({(k[1], k[2]): pair.dot for k, pair in run.values.items()})
        answers = np.broadcast_to(answers, (len(places) + 1, self.extent.samples))
        self.answers: dict[Place, Array] = dict(zip(places, answers[:-1], strict=True))
        self.answer: Array = answers[-1]

    def _true_adjoints(self) -> None:
        """v̄_t for every quantity that has a line, entry by entry.

        Entries go a few at a time, in the order in which a run computes them: what comes before the first
        does not move, and memory grows with the run, not with its square.
        """
        slots, count = list[tuple[Place, tuple[int, int], int]](), 0
        for t in range(1, self.extent.steps + 1):
            for e in reversed(self.derivation.backward.local):
                shape = self.evaluate.shape(e.lhs)
                slots.append(((e.lhs.name, t), shape, count))
                count += shape[0] * shape[1]
                if count >= TOGETHER:
                    self._adjoints_of(slots, count)
                    slots, count = [], 0
        if slots:
            self._adjoints_of(slots, count)

    def _adjoints_of(self, slots: list[tuple[Place, tuple[int, int], int]], cursor: int) -> None:
        """v̄_t of some quantities: one lane for each entry, ``cursor`` together."""
        seeds: dict[Place, Array] = {}
        for place, shape, start in slots:
            count = shape[0] * shape[1]
            basis = np.zeros((cursor, count), dtype=object)
            basis[start : start + count] = np.eye(count, dtype=int)
            seeds[place] = basis.reshape(cursor, 1, *shape)
        run = self._dual_run(seeds)
        answers = self.loss_tangent({(k[1], k[2]): pair.dot for k, pair in run.values.items()})
        answers = np.broadcast_to(answers, (cursor, self.extent.samples))
        for place, shape, start in slots:
            part = answers[start : start + shape[0] * shape[1]]
            self.tape.put(Adjoint, place, part.T.reshape(self.extent.samples, *shape))

    def put_tangents(self, tape: Tape[Array]) -> None:
        """The true tangents along the one direction in everything."""
        for place, dot in self.tangents.items():
            tape.put(Tangent, place, dot)

    def put_blocks(self, t: int) -> None:
        """The true blocks ∂u_t/∂v_{t−d} of one step, for columns u and states v."""
        cell = self.derivation.cell
        sources: list[Any] = [
            _timed(q.symbol).at(d) for q in cell.states for d in range(1, q.depth + 1)
        ]
        columns: list[Any] = [v for v in sources if v.shape[1] == 1]
        width = sum(self.evaluate.shape(v)[0] for v in columns)
        start = 0
        moved: dict[Place, Array] = {}
        for v in columns:
            rows = self.evaluate.shape(v)[0]
            basis = np.zeros((width, rows), dtype=object)
            basis[start : start + rows] = np.eye(rows, dtype=int)
            moved[v.name, t - v.lag] = basis.reshape(width, 1, rows, 1)
            start += rows
        dots = self._one_step(t, moved)
        start = 0
        for v in columns:
            rows = self.evaluate.shape(v)[0]
            for u in (a.target for a in self.derivation.assignments if a.target.shape[1] == 1):
                self._put_block(u, v, t, dots[u.name], slice(start, start + rows))
            start += rows

    def _put_block(self, u: Any, v: Any, t: int, dot: Array | None, lanes: slice) -> None:
        shape = (self.evaluate.shape(u)[0], self.evaluate.shape(v)[0])
        value = self.field.full(shape, 0) if dot is None else dot[lanes, :, :, 0].transpose(1, 2, 0)
        self.tape.put(Block, (f"{u.name}/{v.name}/{v.lag}", t), value)

    def _one_step(self, t: int, moved: Mapping[Place, Array]) -> dict[str, Array | None]:
        """The tangents of one step's quantities when past states alone move."""
        look = self.tape.at(t)
        values: dict[str, Pair] = {}

        def pair(leaf: Any) -> Pair:
            if isinstance(leaf, Timed) and leaf.lag == 0 and leaf.name in values:
                return values[leaf.name]
            place = (leaf.name, t - leaf.lag) if isinstance(leaf, Timed) else (leaf.name, None)
            return Pair(look(leaf), moved.get(place))

        for a in self.derivation.assignments:
            values[a.name] = self.dual(a.expr, pair)
        return {name: value.dot for name, value in values.items()}


def _kind(place: Place) -> type:
    return MatrixSymbol if place[1] is None else Timed


def _timed(symbol: Any) -> Any:
    """A state's symbol, which has a time index."""
    return symbol
