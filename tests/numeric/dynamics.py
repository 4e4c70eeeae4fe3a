"""Cells run for the tests of dynamics: random weights by name of the cell, as stream and as stored run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from derive.catalog import load
from derive.derivation import Derivation, derive
from derive.language import read_cell
from numeric.forward_run import Run, run
from numeric.interpret import Array, shape_of
from numeric.stream import Stream, normal_inputs

MOGRIFIER = """
y[t] = 2 * sigmoid(Q @ h[t-1]) * x[t]
k[t] = 2 * sigmoid(R @ y[t]) * h[t-1]
f[t] = sigmoid(W_f @ k[t] + U_f @ y[t])
o[t] = sigmoid(W_o @ k[t] + U_o @ y[t])
g[t] = tanh(W_g @ k[t] + U_g @ y[t])
c[t] = f[t]*c[t-1] + (1 - f[t])*g[t]
h[t] = o[t]*tanh(c[t])
"""
"""A cell whose Jacobian has blocks of values in between, after Melis, Kočiský and Blunsom (2020)."""


@cache
def derivation_of(name: str) -> Derivation:
    return derive(load(name) if "=" not in name.partition(":")[0] else read_cell(name, "mine"))


def sizes_of(name: str, n: int, m: int) -> dict[Any, int]:
    return {d: n if i == 0 else m for i, d in enumerate(derivation_of(name).cell.dims)}


def weights(
    name: str, n: int, m: int, gain: float = 1.0, seed: int = 0, **biases: float
) -> dict[str, Array]:
    """Independent normal weights of variance gain²/columns, biases as given and else small."""
    cell, sizes = derivation_of(name).cell, sizes_of(name, n, m)
    rng = np.random.default_rng(seed)
    found: dict[str, Array] = {}
    for q in cell.parameters:
        shape = shape_of(q.symbol, sizes)
        column = shape[1] == 1
        found[q.name] = rng.standard_normal(shape) * (0.1 if column else gain / shape[1] ** 0.5)
        if q.name in biases:
            found[q.name] = np.full(shape, biases[q.name])
    return found | {q.name: np.full((1, 1), float(q.value or 0.5)) for q in cell.constants}


def stream_of(
    name: str, fixed: Mapping[str, Array], n: int, m: int, *, scale: float = 1.0, seed: int = 1
) -> Stream:
    derivation, sizes = derivation_of(name), sizes_of(name, n, m)
    start = {
        q.name: np.random.default_rng(seed).standard_normal(shape_of(q.symbol, sizes))
        for q in derivation.cell.states
    }
    return Stream(derivation, sizes, fixed, normal_inputs(derivation, sizes, seed, scale), start)


def run_of(name: str, *, n: int = 5, m: int = 3, steps: int = 9, gain: float = 1.0) -> Run:
    """One sample, stored."""
    derivation, sizes = derivation_of(name), sizes_of(name, n, m)
    rng = np.random.default_rng(2)
    inputs = {
        q.name: rng.standard_normal((steps, 1, *shape_of(q.symbol, sizes)))
        for q in derivation.cell.inputs
    }
    fixed = {k: v[None] for k, v in weights(name, n, m, gain).items()}
    return run(derivation, sizes, fixed, inputs, steps=steps)
