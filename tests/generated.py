"""Generated source as a module, and a sample's numbers as its arguments."""

from __future__ import annotations

import inspect
from functools import cache
from types import ModuleType

import numpy as np
import pytest

from derive.catalog import load
from derive.cell import Cell
from derive.derivation import derive
from derive.expressions import is_column, is_scalar
from derive.language import read_cell
from numeric.source import generate
from tests.oracle import Sample, memory_of

needs_standard = pytest.mark.skipif(
    not hasattr(np, "matrix_transpose"), reason="NumPy follows the array API standard from 2.0 on"
)


def module_of(source: str, name: str = "generated") -> ModuleType:
    """The module that this source makes."""
    module = ModuleType(name)
    exec(compile(source, f"<{name}>", "exec"), module.__dict__)  # noqa: S102 - our own output
    return module


def generated(cell: Cell) -> ModuleType:
    """The generated module of a cell."""
    return module_of(generate(derive(cell)), cell.name)


@cache
def shipped_module(spec: str) -> ModuleType:
    """The generated module of a shipped cell."""
    return generated(load(spec))


def read_module(text: str) -> tuple[Cell, ModuleType]:
    """A cell and its generated module."""
    cell = read_cell(text, "specimen")
    return cell, generated(cell)


def flat(symbol, array: np.ndarray, *, timed: bool) -> np.ndarray:
    """A stack of matrices as generated code holds it: columns lose their last axis, fixed scalars both."""
    if is_scalar(symbol) and not timed:
        return array[..., 0, 0].copy()
    return array[..., 0].copy() if is_column(symbol) else array.copy()


def called(module: ModuleType, keywords: dict) -> dict:
    """Keyword arguments as this module calls them: where a name is its own already, an underscore follows."""
    known = inspect.signature(module.forward).parameters
    return {_free(name, known): value for name, value in keywords.items()}


def _free(name: str, known) -> str:
    while name not in known:
        name += "_"
        assert len(name) < 100, "forward has no such argument"
    return name


def _group(quantities, arrays, *, timed: bool) -> dict[str, np.ndarray]:
    return {q.name: flat(q.symbol, arrays[q.name], timed=timed) for q in quantities}


def _memory(cell: Cell, arrays) -> dict[str, np.ndarray]:
    both = _group(memory_of(cell), arrays, timed=True)
    return {q.name: both[q.name][0] if q.depth == 1 else both[q.name] for q in memory_of(cell)}


def arguments(s: Sample) -> tuple[tuple, dict]:
    """The arguments of ``forward``: (params, inputs …), {state, constants, steps}."""
    inputs = _group(s.cell.inputs, s.series, timed=True)
    keywords: dict = {"state": _memory(s.cell, s.initial)}
    keywords |= {name: float(value[0, 0]) for name, value in s.consts.items()}
    if not s.cell.inputs:
        keywords["steps"] = s.T
    return (_group(s.cell.parameters, s.fixed, timed=False), *inputs.values()), keywords


def bars(s: Sample) -> tuple[dict, dict]:
    """The loss's gradients as ``backward`` takes them: by outputs, by the final state."""
    return _group(s.cell.outputs, s.outputs_bar, timed=True), _memory(s.cell, s.final_bar)


def in_its_layout(s: Sample, gradients: dict) -> tuple[dict, dict, dict]:
    """Gradients of the oracle as ``backward`` returns them."""
    return (
        _group(s.cell.parameters, gradients["fixed"], timed=False),
        _group(s.cell.inputs, gradients["series"], timed=True),
        _memory(s.cell, gradients["initial"]),
    )


def outputs_in_its_layout(s: Sample, values: dict) -> dict[str, np.ndarray]:
    """The oracle's outputs as ``forward`` returns them."""
    shape = (s.B, 1, 1)
    series = {
        q.name: np.stack([values[q.name, t] * np.ones(shape) for t in range(1, s.T + 1)])
        for q in s.cell.outputs
    }
    return _group(s.cell.outputs, series, timed=True)
