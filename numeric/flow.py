"""The gradient's flow through one cell with given weights: all measurements of one setting, side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from derive.cell import Cell
from derive.derivation import Derivation
from derive.errors import ArgumentError
from derive.expressions import is_column
from numeric import initialisers
from numeric.interpret import Array, shape_of
from numeric.ledger import Ledger, ledger
from numeric.lyapunov import Growth, Spectrum, growth, spectrum
from numeric.measure import EXACT_UP_TO, Gains, gains
from numeric.singular import log_largest_singular
from numeric.stream import Stream, normal_inputs
from numeric.tape import run

LAGS = 200
SETTLING = 100
"""Steps before anything is measured, in which a run leaves its start."""
WIDEST_SPECTRUM = 64
SPECTRUM_STEPS = 2000


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a cell is measured.

    Args:
        steps: T of the run whose growth is measured.
        n: the first dimension.
        m: every other dimension.
        init: how square matrices start; ``own``: as the generated code starts them.
        gain: factor on every square matrix.
        values: parameters that are set to one number, by name.
        inputs: standard deviation of the inputs.
        seed: of weights, inputs and directions.
        starts: how single parameters start, by name, as a declaration writes it; see ``derive.starts``.
    """

    steps: int = 1000
    n: int = 32
    m: int = 16
    init: str = "own"
    gain: float = 1.0
    values: Mapping[str, float] | None = None
    inputs: float = 1.0
    seed: int = 0
    starts: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """What was measured.

    Args:
        setting: where.
        growth: of one direction over the whole run.
        spectrum: of a state of at most ``WIDEST_SPECTRUM`` entries, else ``None``.
        gains: of ∂s_T/∂s_{T−k} by lag k, over a run of ``lags`` steps.
        lags: where the largest singular value was measured.
        largest: its logarithm there.
        ledger: the product's parts by route.
    """

    setting: Setting
    growth: Growth
    spectrum: Spectrum | None
    gains: Gains
    lags: tuple[int, ...]
    largest: Array
    ledger: Ledger

    @property
    def half_life(self) -> float:
        """Steps in which the gradient halves; negative if it doubles, infinite if it stays."""
        rate = self.growth.rate
        return math.inf if rate == 0 else -math.log(2) / rate if rate > -math.inf else 0.0


def sizes_of(cell: Cell, setting: Setting) -> dict[Any, int]:
    """The dimensions of a cell in a setting."""
    return {d: setting.n if i == 0 else setting.m for i, d in enumerate(cell.dims)}


def initial_weights(
    derivation: Derivation, setting: Setting, own: Mapping[str, Array]
) -> dict[str, Array]:
    """Every parameter and constant, (rows, columns).

    Args:
        derivation: of the cell.
        setting: what to change.
        own: the parameters as the generated code starts them.

    Raises:
        ArgumentError: a parameter to be set is unknown.
    """
    cell, sizes = derivation.cell, sizes_of(derivation.cell, setting)
    values = dict(setting.values or {})
    rng = np.random.default_rng(setting.seed)
    found: dict[str, Array] = {}
    for q in cell.parameters:
        shape = shape_of(q.symbol, sizes)
        value: Array = np.reshape(own[q.name], shape)
        rows: Any = q.shape[0]
        square = bool(rows == q.shape[1]) and not is_column(q.symbol)
        if square:
            value = setting.gain * (
                value
                if setting.init == "own" or q.name in (setting.starts or {})
                else _square(setting.init, shape[0], rng)
            )
        found[q.name] = np.full(shape, values.pop(q.name)) if q.name in values else value
    for q in cell.constants:
        number = values.pop(q.name, 0.5 if q.value is None else float(q.value))
        found[q.name] = np.full((1, 1), number)
    if values:
        known = ", ".join(found)
        raise ArgumentError(
            f"{cell.name} has no parameter {next(iter(values))!r}.", f"Choose from {known}."
        )
    return found


def _square(init: str, n: int, rng: np.random.Generator) -> Array:
    return np.eye(n) if init == "identity" else getattr(initialisers, init)(rng, n, n, float)


def flow(derivation: Derivation, fixed: Mapping[str, Array], setting: Setting) -> Flow:
    """Measure a cell.

    Args:
        derivation: of the cell.
        fixed: from ``initial_weights``.
        setting: where.

    Raises:
        MeasureError: the run leaves the floating-point numbers, or a state is a matrix.
    """
    cell, sizes, seed = derivation.cell, sizes_of(derivation.cell, setting), setting.seed
    rng = np.random.default_rng(seed)
    start = {q.name: 0.1 * rng.standard_normal(shape_of(q.symbol, sizes)) for q in cell.states}

    def stream() -> Stream:
        drawn = normal_inputs(derivation, sizes, seed + 1, setting.inputs)
        return Stream(derivation, sizes, fixed, drawn, start)

    steps = min(setting.steps, LAGS)
    settled, draw = _settled(stream()), normal_inputs(derivation, sizes, seed + 1, setting.inputs)
    given = [draw(t) for t in range(1, SETTLING + steps + 1)][SETTLING:]
    inputs = {q.name: np.stack([g[q.name] for g in given])[:, None] for q in cell.inputs}
    weights = {k: v[None] for k, v in fixed.items()}
    stored = run(derivation, sizes, weights, inputs, steps=steps, initial=settled)
    whole = gains(stored, seed=seed)
    lags = tuple(k for k in (1, 2, 5, 10, 20, 50, 100, 200) if k <= steps)
    measured = growth(stream(), setting.steps, seed=seed)
    small = whole.size <= min(WIDEST_SPECTRUM, EXACT_UP_TO)
    every = spectrum(stream(), min(setting.steps, SPECTRUM_STEPS), seed=seed) if small else None
    return Flow(
        setting, measured, every, whole, lags, log_largest_singular(stored, lags, seed=seed),
        ledger(stored, seed=seed),
    )  # fmt: skip


def _settled(stream: Stream) -> dict[tuple[str, int], Array]:
    """Every remembered value after the steps of settling, counted back from 0."""
    for _ in range(SETTLING):
        stream.step()
    cell = stream.derivation.cell
    found: dict[tuple[str, int], Array] = {}
    for q in (*cell.states, *cell.inputs):
        symbol: Any = q.symbol
        found |= {(q.name, -back): stream.look(symbol.at(back))[None] for back in range(q.depth)}
    return found
