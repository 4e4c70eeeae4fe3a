"""A run with numbers: weights, a sequence, initial values and a loss, drawn at random from a seed.

The loss is linear in all that a loss can see, L = Σ_t Σ_v ⟨g_{v,t}, v_t⟩ + Σ ⟨k_v, final v⟩ with random weights g
and k, so that no output and no final value goes unseen, and its gradients by outputs are known exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from derive.cell import Cell, Quantity
from derive.domains import domains_of
from derive.nodes import Timed
from numeric.inside import inside
from proofs.arithmetic import Arithmetic, Array
from proofs.evaluation import Evaluator
from proofs.floats import Floats
from proofs.point import Extent
from proofs.unrolled import Place, Tape, given, run_forward
from proofs.untyped import MatrixSymbol

Values = dict[Place, Array]
Arrays = dict[str, Array]


@dataclass(frozen=True, slots=True)
class Sample:
    """One run.

    Args:
        cell: the cell.
        extent: sizes, T and B.
        values: all that is given: (rows, columns) for a parameter or constant, (B, rows, columns) for the rest.
        weights: the loss's weights on outputs, (B, rows, columns) by name and step.
        final_weights: the loss's weights on the final values, by name and step.
    """

    cell: Cell
    extent: Extent
    values: Values
    weights: Values
    final_weights: Values

    def with_values(self, changed: Values) -> Sample:
        """The same run from other values."""
        return replace(self, values={**self.values, **changed})

    @property
    def memory(self) -> tuple[Quantity, ...]:
        """The quantities with initial values."""
        return tuple(q for q in (*self.cell.states, *self.cell.inputs) if q.depth)


def direction_numbers(seed: int) -> np.random.Generator:
    """Random numbers for directions: others than those of the runs that are drawn from the same seed.

    Along a parameter itself nothing is seen of the gradient by what is divided by its norm.
    """
    return np.random.default_rng((seed, 1))


def draw(
    cell: Cell,
    extent: Extent,
    seed: int,
    *,
    gain: float = 0.8,
    vectors: float | None = None,
    positive: bool = False,
) -> Sample:
    """A random run: normal entries, or uniform positive ones, each taken into its domain if it has one.

    Args:
        cell: the cell.
        extent: sizes, T and B.
        seed: of every number.
        gain: standard deviation of matrices times the square root of their columns.
        vectors: standard deviation of all else, as the gain if not given.
        positive: whether entries are uniform in [0.2, 1] instead.
    """
    rng = np.random.default_rng(seed)
    vectors = gain if vectors is None else vectors
    shape_of, domains = Evaluator(Floats(), extent.sizes).shape, domains_of(cell).of

    def numbers(name: str, shape: tuple[int, ...], deviation: float) -> Array:
        drawn = rng.uniform(0.2, 1.0, shape) if positive else deviation * rng.standard_normal(shape)
        return inside(domains.get(name), drawn)

    values: Values = {}
    for symbol, place in given(cell, extent.steps):
        shape = shape_of(symbol)
        timed = place[1] is not None
        spread = vectors if timed or shape[1] == 1 else gain / np.sqrt(shape[1])
        front = (extent.samples,) if timed else ()
        values[place] = numbers(place[0], (*front, *shape), float(spread))
    for q in (q for q in cell.inputs if q.kind == "index"):
        rows = shape_of(q.symbol)[0]
        for t in range(1, extent.steps + 1):
            values[q.name, t] = np.eye(rows)[rng.integers(0, rows, extent.samples)][..., None]
    for q in cell.constants:
        if q.value is not None:
            values[q.name, None] = np.full(shape_of(q.symbol), float(q.value))
    seen = [(q, t) for q in cell.outputs for t in range(1, extent.steps + 1)]
    memory = [(q, back) for q in (*cell.states, *cell.inputs) for back in range(q.depth)]
    last = [(q, extent.steps - back) for q, back in memory]

    def weights(places: list[tuple[Quantity, int]]) -> Values:
        shapes = {(q.name, t): (extent.samples, *shape_of(q.symbol)) for q, t in places}
        return {place: rng.standard_normal(shape) for place, shape in shapes.items()}

    return Sample(cell, extent, values, weights(seen), weights(last))


Run = TypeVar("Run")
LESS = (0.1, 0.01)
"""The parts of a distance that may do, the larger first, where no run is found that keeps the whole of it."""


def draw_smooth(
    cell: Cell,
    extent: Extent,
    seed: int,
    *,
    margin: float = 1e-3,
    less: Sequence[float] = (),
    attempts: int = 200,
) -> Sample | None:
    """A random run all of whose values are finite, and that keeps a distance from kinks and poles.

    Args:
        cell: the cell.
        extent: sizes, T and B.
        seed: of the first attempt.
        margin: the distance.
        less: the parts of it that may do if no attempt keeps the whole.
        attempts: after which there is none.
    """
    return first_smooth(_attempts(cell, extent, seed, attempts), margin, less)


def first_smooth(
    attempts: Iterable[tuple[Run, float]], margin: float, less: Sequence[float]
) -> Run | None:
    """The first run that keeps the distance, or else the first part of it that any keeps.

    Args:
        attempts: runs that are finite, and the distance that each keeps.
        margin: the distance.
        less: the parts of it that may do, the larger first.
    """
    seen: list[tuple[Run, float]] = []
    for run, distance in attempts:
        if distance > margin:
            return run
        seen.append((run, distance))
    return next((run for part in less for run, kept in seen if kept > margin * part), None)


def _attempts(
    cell: Cell, extent: Extent, seed: int, attempts: int
) -> Iterator[tuple[Sample, float]]:
    for i in range(attempts):
        sample = draw(
            cell, extent, seed + 7919 * i, gain=(0.8, 0.5, 1.2)[i % 3], positive=i % 8 >= 5
        )
        arithmetic = Floats()
        with np.errstate(all="ignore"):
            values = reference(sample, arithmetic).values.values()
        if all(np.all(np.isfinite(v)) and np.all(np.abs(v) < 1e6) for v in values):
            yield sample, arithmetic.margin


def reference(
    sample: Sample, arithmetic: Arithmetic[Any], values: Mapping[Place, Any] | None = None
) -> Tape[Any]:
    """The cell's own equations, each sample's columns by themselves; neither normal form nor generated code.

    Args:
        sample: the run.
        arithmetic: what the values are.
        values: what to start from instead; leading axes are runs of their own.
    """
    start = sample.values if values is None else values
    tape: Tape[Any] = Tape(sample.extent.steps, {}, _absent)
    for place, value in start.items():
        tape.put(MatrixSymbol if place[1] is None else Timed, place, value)
    run_forward(Evaluator(arithmetic, sample.extent.sizes), sample.cell.equations, tape)
    return tape


def loss_of(sample: Sample, tape: Tape[Any]) -> Any:
    """L of a reference run, one per leading axis and sample."""
    total: Any = 0
    for weights in (sample.weights, sample.final_weights):
        for place, weight in weights.items():
            total = total + (weight * tape.get(Timed, place)).sum(axis=(-1, -2))
    return total


def _absent(leaf: Any, t: int | None) -> Array:
    raise KeyError(f"{leaf} at step {t} is not given")
