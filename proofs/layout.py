"""Between the mathematics' matrices and the arrays of generated code.

A column (n, 1) is an array (n,); a scalar is () as a parameter and (1,) with a time index; all else keeps
(rows, columns). Sequences have the axes (T, B, …), initial and final values (B, …), or (D, B, …) for a depth D.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from derive.cell import Cell, Quantity
from numeric.names import argument_names
from proofs.arithmetic import Array
from proofs.evaluation import Evaluator
from proofs.floats import Floats
from proofs.point import Extent
from proofs.samples import Arrays, Sample, Values
from proofs.unrolled import Place


class LayoutError(ValueError):
    """Generated code returned something else than it promises."""


def parameters(sample: Sample, dtype: Any) -> Arrays:
    """``params``"""
    return {
        q.name: flat(sample.values[q.name, None], q, timed=False).astype(dtype)
        for q in sample.cell.parameters
    }


def constants(sample: Sample) -> dict[str, float]:
    """The constants, by the name that the code's argument has."""
    called = argument_names(sample.cell)
    values = sample.values
    return {called[q.name]: float(values[q.name, None].item()) for q in sample.cell.constants}


def keywords(sample: Sample, steps: int | None = None) -> dict[str, float]:
    """The keyword arguments: constants, and the number of steps where no input tells it.

    Args:
        sample: the run.
        steps: other than all of them; 0 for a function that takes a single step.
    """
    found = constants(sample)
    count = sample.extent.steps if steps is None else steps
    return found if sample.cell.inputs or not count else {**found, "steps": count}


def inputs(sample: Sample, dtype: Any) -> list[Array]:
    """The positional arguments for inputs, (T, B, …)."""
    steps = range(1, sample.extent.steps + 1)
    whole = {q: _sequence(sample.values, q, steps) for q in sample.cell.inputs}
    return [x.argmax(axis=-1) if q.kind == "index" else x.astype(dtype) for q, x in whole.items()]


def state(sample: Sample, dtype: Any) -> Arrays:
    """``state``, the initial values."""
    return {q.name: _memory(sample.values, q, 0).astype(dtype) for q in sample.memory}


def arguments(sample: Sample, dtype: Any = np.float64) -> tuple[Arrays, list[Array], Arrays]:
    """``params``, the inputs and ``state``."""
    return parameters(sample, dtype), inputs(sample, dtype), state(sample, dtype)


def outputs_bar(sample: Sample, dtype: Any) -> Arrays:
    """The loss's gradients by the outputs."""
    steps = range(1, sample.extent.steps + 1)
    return {q.name: _sequence(sample.weights, q, steps).astype(dtype) for q in sample.cell.outputs}


def final_bar(sample: Sample, dtype: Any) -> Arrays:
    """The loss's gradients by the final values."""
    return {
        q.name: _memory(sample.final_weights, q, sample.extent.steps).astype(dtype)
        for q in sample.memory
    }


def loss(sample: Sample, outputs: Mapping[str, Array], final: Mapping[str, Array]) -> Any:
    """L of what generated code returned."""
    total: Any = 0
    for name, weight in outputs_bar(sample, np.float64).items():
        total = total + np.sum(weight * outputs[name])
    for name, weight in final_bar(sample, np.float64).items():
        total = total + np.sum(weight * final[name])
    return total


def places(
    sample: Sample,
    params_bar: Mapping[str, Array],
    inputs_bar: Mapping[str, Array],
    state_bar: Mapping[str, Array],
) -> Values:
    """Gradients by place, as matrices.

    Raises:
        LayoutError: one is missing, superfluous, or has a wrong shape.
    """
    cell, extent = sample.cell, sample.extent
    found: Values = {}
    _same_names("params_bar", params_bar, [q.name for q in cell.parameters])
    _same_names("inputs_bar", inputs_bar, [q.name for q in cell.inputs if q.kind == "real"])
    _same_names("state_bar", state_bar, [q.name for q in sample.memory])
    for q in cell.parameters:
        like = flat(sample.values[q.name, None], q, timed=False).shape
        shape = sample.values[q.name, None].shape
        found[q.name, None] = _shaped(f"params_bar[{q.name!r}]", params_bar[q.name], like).reshape(
            shape
        )
    for q in (q for q in cell.inputs if q.kind == "real"):
        found |= _from_sequence(
            f"inputs_bar[{q.name!r}]", inputs_bar[q.name], q, sample, range(1, extent.steps + 1)
        )
    for q in sample.memory:
        found |= _from_memory(f"state_bar[{q.name!r}]", state_bar[q.name], q, sample, 0)
    return found


def sequences(sample: Sample, outputs: Mapping[str, Array], final: Mapping[str, Array]) -> Values:
    """Outputs and final values by place, as matrices; final values under the name ``final NAME``.

    Raises:
        LayoutError: one is missing, superfluous, or has a wrong shape.
    """
    cell, steps = sample.cell, sample.extent.steps
    _same_names("outputs", outputs, [q.name for q in cell.outputs])
    _same_names("final", final, [q.name for q in sample.memory])
    found: Values = {}
    for q in cell.outputs:
        found |= _from_sequence(
            f"outputs[{q.name!r}]", outputs[q.name], q, sample, range(1, steps + 1)
        )
    for q in sample.memory:
        ends = _from_memory(f"final[{q.name!r}]", final[q.name], q, sample, steps)
        found |= {(f"final {name}", t): v for (name, t), v in ends.items()}
    return found


def label(cell: Cell, place: Place) -> str:
    """What generated code calls a gradient, with the step in the mathematics' count."""
    name, t = place
    if t is None:
        return f"params_bar[{name!r}]"
    return f"inputs_bar[{name!r}] at t = {t}" if t > 0 else f"state_bar[{name!r}] at t = {t}"


def shape_of(extent: Extent, q: Quantity) -> tuple[int, int]:
    """(rows, columns) of a quantity."""
    return Evaluator(Floats(), extent.sizes).shape(q.symbol)


def flat(matrix: Array, q: Quantity, *, timed: bool) -> Array:
    """Without a column's axis; a scalar without a time index has no axes at all.

    What a quantity is says its shape in the equations: an n × n matrix stays one where n is 1.
    """
    if q.shape[1] != 1:
        return matrix
    column = matrix[..., 0]
    return column[..., 0] if not timed and q.shape[0] == 1 else column


def _sequence(values: Values, q: Quantity, steps: range) -> Array:
    return np.stack([flat(values[q.name, t], q, timed=True) for t in steps])


def _memory(values: Values, q: Quantity, last: int) -> Array:
    stacked = _sequence(values, q, range(last - q.depth + 1, last + 1))
    return stacked[0] if q.depth == 1 else stacked


def _from_sequence(name: str, array: Array, q: Quantity, sample: Sample, steps: range) -> Values:
    shape = shape_of(sample.extent, q)
    like = (len(steps), sample.extent.samples, *(shape[:1] if q.shape[1] == 1 else shape))
    rows = _shaped(name, array, like).reshape(len(steps), sample.extent.samples, *shape)
    return {(q.name, t): rows[i] for i, t in enumerate(steps)}


def _from_memory(name: str, array: Array, q: Quantity, sample: Sample, last: int) -> Values:
    stacked = np.asarray(array)[None] if q.depth == 1 else array
    return _from_sequence(name, stacked, q, sample, range(last - q.depth + 1, last + 1))


def _shaped(name: str, array: Any, shape: tuple[int, ...]) -> Array:
    found = np.asarray(array)
    if found.shape != shape:
        raise LayoutError(f"{name} has shape {found.shape}, expected {shape}")
    return found


def _same_names(what: str, found: Mapping[str, Array], expected: list[str]) -> None:
    if set(found) != set(expected):
        raise LayoutError(f"{what} has {sorted(found)}, expected {sorted(expected)}")
