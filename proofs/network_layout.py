"""Between a network's matrices and the arrays of its generated file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from derive.cell import Quantity
from derive.network import END, Network
from proofs.arithmetic import Array
from proofs.layout import LayoutError, flat
from proofs.network_run import Values, memory_of, steps_of
from proofs.network_samples import NetworkSample, initial_quantities
from proofs.unrolled import Place

Arrays = dict[str, Array]


class NetworkCode:
    """A network's generated file at work on samples.

    Args:
        module: a loaded file.
    """

    def __init__(self, module: ModuleType) -> None:
        self.module = module

    def arguments(
        self, sample: NetworkSample, dtype: Any = np.float64
    ) -> tuple[list[Any], dict[str, Any]]:
        """Positional and keyword arguments of ``forward``."""
        given = [parameters(sample, dtype), *inputs(sample, dtype).values(), state(sample, dtype)]
        return given, keywords(sample)

    def forward(self, sample: NetworkSample, dtype: Any = np.float64) -> tuple[Arrays, Arrays, Any]:
        """Outputs, final values and the cache."""
        given, named = self.arguments(sample, dtype)
        return self.module.forward(*given, **named)

    def backward(
        self, sample: NetworkSample, cache: Any, dtype: Any = np.float64
    ) -> tuple[Arrays, Arrays, Arrays]:
        """The gradients of the sample's loss as the code returns them."""
        found = self.module.backward(
            parameters(sample, dtype), cache, outputs_bar(sample, dtype), final_bar(sample, dtype)
        )
        if not isinstance(found, tuple) or len(found) != 3:
            raise LayoutError("backward did not return (params_bar, inputs_bar, state_bar)")
        return found

    def gradient(self, sample: NetworkSample, dtype: Any = np.float64) -> Values:
        """The gradients of the sample's loss, by place."""
        *_, cache = self.forward(sample, dtype)
        return places(sample, *self.backward(sample, cache, dtype))

    def loss(self, sample: NetworkSample) -> float:
        """L."""
        outputs, final, _ = self.forward(sample)
        parts = [(outputs_bar(sample, np.float64), outputs), (final_bar(sample, np.float64), final)]
        return float(
            sum(np.sum(w * found[k]) for weights, found in parts for k, w in weights.items())
        )


def parameters(sample: NetworkSample, dtype: Any) -> Arrays:
    """``params``"""
    return {
        q.name: flat(sample.values[q.name, None], q, timed=False).astype(dtype)
        for q in sample.network.parameters
    }


def inputs(sample: NetworkSample, dtype: Any) -> Arrays:
    """The positional arguments for inputs, by name."""
    found: Arrays = {}
    for q in sample.network.inputs:
        axis = sample.network.axes[q.name]
        whole = _sequence(sample.values, q, range(1, sample.extent.steps[axis] + 1))
        array = whole.argmax(axis=-1) if q.kind == "index" else whole.astype(dtype)
        found[q.name] = array[0] if axis == END else array
    return found


def at_step(network: Network, inputs: Sequence[Array], t: int) -> list[Array]:
    """What ``step`` is given at one step: of an input that is the same at every step, all of it."""
    return [
        x if network.axes[q.name] == END else x[t]
        for q, x in zip(network.inputs, inputs, strict=True)
    ]


def keywords(sample: NetworkSample) -> dict[str, Any]:
    """Lengths, and how far to run along axes of which nothing is given."""
    network, extent = sample.network, sample.extent
    found: dict[str, Any] = {f"lengths_{a}": np.array(v) for a, v in extent.lengths.items()}
    given = set(network.axes.values()) | set(extent.lengths)
    for s in network.segments:
        if not s.sequences and s.axis not in given:
            found[f"steps_{s.axis}"] = extent.steps[s.axis]
    return found


def state(sample: NetworkSample, dtype: Any) -> Arrays:
    """``state``"""
    return {
        q.name: _memory(sample.values, q).astype(dtype) for q in initial_quantities(sample.network)
    }


def outputs_bar(sample: NetworkSample, dtype: Any) -> Arrays:
    """The loss's gradients by the outputs."""
    return {
        q.name: _sequence(sample.weights, q, range(1, steps_of(s, sample.extent) + 1)).astype(dtype)
        for s in sample.network.segments
        for q in s.cell.outputs
    }


def final_bar(sample: NetworkSample, dtype: Any) -> Arrays:
    """The loss's gradients by the final values."""
    return {
        q.name: _memory(sample.final_weights, q).astype(dtype)
        for s in sample.network.segments
        for q in memory_of(s)
    }


def places(
    sample: NetworkSample, params_bar: Arrays, inputs_bar: Arrays, state_bar: Arrays
) -> Values:
    """Gradients by place, as matrices.

    Raises:
        LayoutError: one is missing, superfluous, or has a wrong shape.
    """
    network = sample.network
    real = [q for q in network.inputs if q.kind == "real"]
    initial = initial_quantities(network)
    _same_names("params_bar", params_bar, [q.name for q in network.parameters])
    _same_names("inputs_bar", inputs_bar, [q.name for q in real])
    _same_names("state_bar", state_bar, [q.name for q in initial])
    found: Values = {}
    for q in network.parameters:
        like = sample.values[q.name, None]
        array = _shaped(
            f"params_bar[{q.name!r}]", params_bar[q.name], flat(like, q, timed=False).shape
        )
        found[q.name, None] = array.reshape(like.shape)
    for q in real:
        axis = network.axes[q.name]
        steps = range(1, sample.extent.steps[axis] + 1)
        array = np.asarray(inputs_bar[q.name])
        name = f"inputs_bar[{q.name!r}]"
        found |= _by_step(name, array[None] if axis == END else array, q, sample.values, steps)
    for q in initial:
        array = np.asarray(state_bar[q.name])
        stacked = array[None] if q.depth == 1 else array
        found |= _by_step(
            f"state_bar[{q.name!r}]", stacked, q, sample.values, range(1 - q.depth, 1)
        )
    return found


def sequences(sample: NetworkSample, outputs: Arrays, final: Arrays) -> Values:
    """Outputs and final values by place, as matrices; final values under the name ``final NAME``.

    Raises:
        LayoutError: one is missing, superfluous, or has a wrong shape.
    """
    segments = sample.network.segments
    _same_names("outputs", outputs, [q.name for s in segments for q in s.cell.outputs])
    _same_names("final", final, list(dict.fromkeys(q.name for s in segments for q in memory_of(s))))
    found: Values = {}
    for s in segments:
        steps = range(1, steps_of(s, sample.extent) + 1)
        for q in s.cell.outputs:
            found |= _by_step(f"outputs[{q.name!r}]", outputs[q.name], q, sample.weights, steps)
        for q in memory_of(s):
            stacked = np.asarray(final[q.name])[None] if q.depth == 1 else final[q.name]
            back = range(1 - q.depth, 1)
            ends = _by_step(f"final[{q.name!r}]", stacked, q, sample.final_weights, back)
            found |= {(f"final {name}", t): v for (name, t), v in ends.items()}
    return found


def label(sample: NetworkSample, place: Place) -> str:
    """What generated code calls a gradient, the segment that it belongs to, and the step in the mathematics' count."""
    name, t = place
    users = [
        s.name for s in sample.network.segments if any(q.name == name for q in s.cell.quantities)
    ]
    where = f" (segment {', '.join(users)})" if users else ""
    if t is None:
        return f"params_bar[{name!r}]{where}"
    return f"{'inputs' if t > 0 else 'state'}_bar[{name!r}] at t = {t}{where}"


def _sequence(values: Values, q: Quantity, steps: range) -> Array:
    return np.stack([flat(values[q.name, t], q, timed=True) for t in steps])


def _memory(values: Values, q: Quantity) -> Array:
    stacked = _sequence(values, q, range(1 - q.depth, 1))
    return stacked[0] if q.depth == 1 else stacked


def _by_step(name: str, array: Any, q: Quantity, like: Values, steps: range) -> Values:
    matrix = like[q.name, steps[0]]
    found = _shaped(name, array, (len(steps), *flat(matrix, q, timed=True).shape))
    rows = found.reshape(len(steps), *matrix.shape)
    return {(q.name, t): rows[i] for i, t in enumerate(steps)}


def _shaped(name: str, array: Any, shape: tuple[int, ...]) -> Array:
    found = np.asarray(array)
    if found.shape != shape:
        raise LayoutError(f"{name} has shape {found.shape}, expected {shape}")
    return found


def _same_names(what: str, found: Mapping[str, Array], expected: list[str]) -> None:
    if set(found) != set(expected):
        raise LayoutError(f"{what} has {sorted(found)}, expected {sorted(expected)}")
