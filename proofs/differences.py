"""The numeric route: generated gradients against derivatives that no derivation had a part in.

The complex step f′(x) d ≈ Im f(x + i h d) / h subtracts nothing, so h = 1e-200 costs no digits (Squire and Trapp,
"Using complex variables to estimate derivatives of real functions", 1998); it runs on the reference, that is on the
cell's own equations. Central differences are extrapolated to h = 0 with an estimate of their error (Ridders,
"Accurate computation of F′(x) and F′(x) F″(x)", 1982); they run on the generated forward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from derive.functions import FUNCTIONS
from proofs.arithmetic import Array
from proofs.complex_steps import TINY, by_complex_steps, slopes_along
from proofs.floats import Floats
from proofs.samples import Sample, Values, direction_numbers, loss_of, reference
from proofs.unrolled import Place, trained


def places_of(sample: Sample) -> list[Place]:
    """What a gradient is taken by."""
    indices = {q.name for q in sample.cell.inputs if q.kind == "index"}
    places = (place for _, place in trained(sample.cell, sample.extent.steps))
    return [place for place in places if place[0] not in indices]


def complex_step_gradient(sample: Sample) -> Values:
    """∂L/∂(every entry), one complex step for each, in as few runs as memory allows."""
    return by_complex_steps(
        sample.values, places_of(sample), lambda values, lanes: _slopes(sample, values, lanes)
    )


def probed_gradient(sample: Sample) -> Values:
    """The same; of a large place what the gradient is along some directions, as ``looked_at`` gives it."""
    return by_complex_steps(
        sample.values,
        places_of(sample),
        lambda values, lanes: _slopes(sample, values, lanes),
        every=False,
    )


def complex_step_slopes(sample: Sample, directions: Values) -> dict[Place, float]:
    """⟨∂L/∂(a place), its direction⟩ for every place, by one complex step each."""
    return slopes_along(
        sample.values, directions, lambda values, lanes: _slopes(sample, values, lanes)
    )


def _slopes(sample: Sample, values: Values, lanes: int) -> Array:
    loss = loss_of(sample, reference(sample, Floats(np.complex128), values))
    return np.broadcast_to(np.imag(loss) / TINY, (lanes, sample.extent.samples))


def random_directions(sample: Sample, seed: int) -> Values:
    """A random direction for every place.

    Law: independent of a sample that is drawn from the same seed.
    """
    rng = direction_numbers(seed)
    return {p: rng.standard_normal(sample.values[p].shape) for p in places_of(sample)}


def moved(sample: Sample, directions: Values, h: float) -> Sample:
    """The run from values moved by h along directions."""
    return sample.with_values({p: sample.values[p] + h * d for p, d in directions.items()})


@dataclass(frozen=True, slots=True)
class Difference:
    """An extrapolated central difference.

    Args:
        slope: the derivative.
        error: an estimate of its error.
    """

    slope: float
    error: float


def richardson(f: Callable[[float], float], h: float, levels: int = 5) -> Difference:
    """f′(0) from central differences at h, h/2, h/4, …, extrapolated to 0.

    Law: a central difference is f′(0) + a₂h² + a₄h⁴ + …; each column of the tableau removes one term.

    Args:
        f: a smooth function of one variable.
        h: the first step.
        levels: number of steps.
    """
    rows: list[list[float]] = []
    best = Difference(float("nan"), float("inf"))
    for i in range(levels):
        step = h / 2**i
        row = [(f(step) - f(-step)) / (2 * step)]
        for k, before in enumerate(rows[-1] if rows else []):
            row.append(row[k] + (row[k] - before) / (4 ** (k + 1) - 1))
        if rows:
            for k in range(1, len(row)):
                error = max(abs(row[k] - row[k - 1]), abs(row[k] - rows[-1][k - 1]))
                if error < best.error:
                    best = Difference(row[k], error)
        rows.append(row)
    return best


def taylor_slopes(
    f: Callable[[float], float], slope: float, steps: list[float]
) -> tuple[list[float], list[float]]:
    """The remainders |f(h) − f(0) − h f′(0)|, and the orders log(R(h) / R(h/2)) / log 2 at which they vanish."""
    at_zero = f(0.0)
    remainders = [abs(f(h) - at_zero - h * slope) for h in steps]
    pairs = zip(steps, remainders, strict=True)
    logs = [(np.log2(h), np.log2(r) if r > 0 else -np.inf) for h, r in pairs]
    orders = [
        float((b[1] - a[1]) / (b[0] - a[0]))
        if np.isfinite(a[1]) and np.isfinite(b[1])
        else float("nan")
        for a, b in zip(logs[1:], logs[:-1], strict=True)
    ]
    return remainders, orders


def has_kinks(sample: Sample) -> bool:
    """Whether the cell uses a function that is not smooth everywhere it is defined."""
    from derive.nodes import Elementwise, walk

    nodes: list[Any] = [node for e in sample.cell.equations for node in walk(e.expr)]
    return any(isinstance(n, Elementwise) and FUNCTIONS[n.function].kink is not None for n in nodes)
