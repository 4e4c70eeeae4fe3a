"""Numbers that nobody would take, where samples have no step: whoever looks at padding finds them.

NaN, infinities and the largest number there is, by turns; -1 where an index is given.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.network import END, Network
from proofs.network_run import NetworkExtent, lying_beside
from proofs.network_samples import NetworkSample
from proofs.samples import Arrays


def littered(sample: NetworkSample, given: list[Any]) -> list[Any]:
    """The positional arguments of ``forward`` with numbers that nobody would take where samples have no step.

    Args:
        sample: the run.
        given: parameters, inputs and initial values.
    """
    beside, axes = _Beside(sample.network, sample.extent), sample.network.axes
    inputs = [
        beside.litter(q.name, litter(x, sample.extent, axes[q.name]))
        for q, x in zip(sample.network.inputs, given[1:-1], strict=True)
    ]
    return [given[0], *inputs, littered_beside(sample, given[-1])]


def littered_beside(sample: NetworkSample, arrays: Arrays) -> Arrays:
    """Initial values, or gradients by final ones, with such numbers.

    Args:
        sample: the run.
        arrays: them, by name.
    """
    beside = _Beside(sample.network, sample.extent)
    return {k: beside.litter(k, v) for k, v in arrays.items()}


def littered_gradients(sample: NetworkSample, bars: Arrays, start: int = 0) -> Arrays:
    """Gradients by outputs, with such numbers.

    Args:
        sample: the run.
        bars: the gradients.
        start: the step of the data at which those of sequences begin, from 0.
    """
    beside, extent = _Beside(sample.network, sample.extent), sample.extent
    axes = {q.name: s.axis for s in sample.network.segments for q in s.cell.outputs}
    return {k: beside.litter(k, litter(v, extent, axes[k], start)) for k, v in bars.items()}


def litter(array: Any, extent: NetworkExtent, axis: str, start: int = 0) -> Any:
    """A sequence with such numbers beyond each sample's end.

    Args:
        array: the sequence.
        extent: the lengths.
        axis: along which it goes.
        start: the step of the data at which it begins, from 0.
    """
    if axis == END or axis not in extent.lengths:
        return array
    steps = np.arange(start, start + array.shape[0])
    beyond = steps[:, None] >= np.array(extent.lengths[axis])
    garbage = _garbage(array) if array.dtype.kind == "f" else np.array(-1, array.dtype)
    return np.where(beyond.reshape(*beyond.shape, *[1] * (array.ndim - 2)), garbage, array)


def _garbage(array: Any) -> Any:
    """NaN, infinities, and the largest number, by turns."""
    return np.resize([np.nan, np.inf, -np.inf, np.finfo(array.dtype).max], array.shape)


class _Beside:
    """Numbers that nobody would take in the rows and columns of steps that a sample does not have."""

    def __init__(self, network: Network, extent: NetworkExtent) -> None:
        self.axes = {d: a for d, a in network.lengths.items() if a in extent.lengths}
        self.quantities, self.extent = lying_beside(network), extent

    def litter(self, name: str, array: Any) -> Any:
        """The array with them."""
        if name not in self.quantities or array.dtype.kind != "f":
            return array
        rows, cols = self.quantities[name].shape
        axes = (rows,) if cols == 1 else (rows, cols)
        dirty = np.array(array)
        for at, axis in ((at, self.axes[d]) for at, d in enumerate(axes) if d in self.axes):
            lengths = np.array(self.extent.lengths[axis])
            beyond = np.arange(dirty.shape[at - len(axes)]) >= lengths[:, None]
            shape = [len(lengths), *(-1 if i == at else 1 for i in range(len(axes)))]
            dirty = np.where(beyond.reshape(shape), _garbage(dirty), dirty)
        return dirty
