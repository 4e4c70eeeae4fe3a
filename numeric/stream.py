"""A cell run one step at a time, with a memory that does not grow with the number of steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from derive.derivation import Derivation
from derive.domains import domains_of
from numeric.inside import inside
from numeric.interpret import Array, Look, Sizes, compiled, shape_of, shared
from numeric.namespace import NUMPY, Namespace

Inputs = Callable[[int], Mapping[str, Array]]
"""From the step t ≥ 1 to every input there, (rows, columns)."""

CHUNK = 1000


class Stream:
    """The values of the present step, and of as many earlier ones as the cell uses.

    Args:
        derivation: of the cell.
        sizes: the size of every dimension.
        fixed: every parameter and constant, (rows, columns).
        inputs: the inputs by step.
        start: the states before the first step, by name, the same at every earlier step; zero where left out.
        space: the namespace in which the cell runs.
    """

    def __init__(
        self,
        derivation: Derivation,
        sizes: Sizes,
        fixed: Mapping[str, Array],
        inputs: Inputs,
        start: Mapping[str, Array] | None = None,
        space: Namespace = NUMPY,
    ) -> None:
        cell = derivation.cell
        self.derivation, self.sizes, self.time, self.space = derivation, sizes, 0, space
        self._inputs = inputs
        self._symbols: dict[str, Any] = {q.name: shared(q.symbol) for q in cell.inputs}
        self._lines = [
            (shared(a.target), compiled(a.expr, sizes, space)) for a in derivation.assignments
        ]
        self._values: dict[Any, Array] = {
            shared(q.symbol): space.asarray(fixed[q.name])
            for q in (*cell.parameters, *cell.constants)
        }
        self._shifts: list[tuple[Any, Any]] = []
        for q in (*cell.states, *cell.inputs):
            symbol: Any = q.symbol
            value = space.asarray((start or {}).get(q.name, np.zeros(shape_of(symbol, sizes))))
            for lag in range(q.depth, 0, -1):
                self._shifts.append((shared(symbol.at(lag)), shared(symbol.at(lag - 1))))
            self._values |= {shared(symbol.at(lag)): value for lag in range(q.depth + 1)}

    @property
    def look(self) -> Look:
        """The values of the present step, by leaf."""
        return self._values.__getitem__

    def step(self) -> Look:
        """Go one step on, and return its values by leaf."""
        values = self._values
        for older, newer in self._shifts:
            values[older] = values[newer]
        self.time += 1
        for name, value in self._inputs(self.time).items():
            values[self._symbols[name]] = value
        look = values.__getitem__
        for target, program in self._lines:
            values[target] = program(look)
        return look


def normal_inputs(
    derivation: Derivation, sizes: Sizes, seed: int, scale: float = 1.0, space: Namespace = NUMPY
) -> Inputs:
    """Independent normal inputs, drawn in chunks and taken into their domains; steps must be asked for in order.

    An index is any of its numbers, as often as any other: a column with one 1, whatever the scale.

    Args:
        derivation: of the cell.
        sizes: the size of every dimension.
        seed: of the inputs.
        scale: their standard deviation.
        space: the namespace to which every chunk is brought.
    """
    shapes = {q.name: shape_of(q.symbol, sizes) for q in derivation.cell.inputs}
    rng, domains = np.random.default_rng(seed), domains_of(derivation.cell).of
    chosen, drawn = (
        {q.name for q in derivation.cell.inputs if q.kind == "index"},
        dict[str, Array](),
    )

    def at(t: int) -> dict[str, Array]:
        place = (t - 1) % CHUNK
        if place == 0:
            for name, shape in shapes.items():
                numbers = scale * rng.standard_normal((CHUNK, *shape))
                if name in chosen:
                    numbers = one_of_each(rng, (CHUNK, *shape))
                drawn[name] = space.asarray(inside(domains.get(name), numbers))
        return {name: value[place, ...] for name, value in drawn.items()}

    return at


def one_of_each(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Random columns with one 1 and zeros: (…, rows, 1)."""
    rows = shape[-2]
    return np.eye(rows)[rng.integers(rows, size=shape[:-2])][..., None]
