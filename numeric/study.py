"""A cell's gradient flow at the start of training: what is measured, at which sizes, from which random numbers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from derive.cell import Cell, Quantity
from derive.derivation import Derivation
from derive.domains import domains_of
from derive.expressions import is_column, is_scalar
from numeric.forward_run import Run, run
from numeric.inside import inside
from numeric.interpret import Array, shape_of, size_of
from numeric.lags import LagShares, lag_shares
from numeric.measure import EXACT_UP_TO, Gains, MeasureError, check_finite, gains
from numeric.stream import one_of_each

STEPS, SAMPLES = 100, 8
TRUNCATIONS = (1, 2, 5, 10, 20, 50)
WIDTHS = (32, 24, 16, 12, 8, 6, 4, 2)


@dataclass(frozen=True, slots=True)
class Study:
    """What was measured of a cell.

    Args:
        sizes: by name of the dimension.
        constants: the value of every constant.
        assumed: the constants whose value no one declared.
        inputs: how the inputs were drawn.
        steps: T.
        samples: number of initialisations, each with a sequence of its own.
        seed: of everything drawn.
        gains: of the joint state, over all samples.
        shares: of the gradient by the parameters, by lag, for the first sample.
        loss: the outputs that the loss of ``shares`` looks at.
        difference: the largest difference between the sum of the shares and the gradient that the generated code
            returns, relative to that gradient's largest entry.
    """

    sizes: Mapping[str, int]
    constants: Mapping[str, float]
    assumed: tuple[str, ...]
    inputs: str
    steps: int
    samples: int
    seed: int
    gains: Gains
    shares: LagShares
    loss: tuple[str, ...]
    difference: float


def study(derivation: Derivation, module: ModuleType, *, seed: int = 0) -> Study:
    """Measure a cell as its generated code initialises it.

    Args:
        derivation: of the cell.
        module: the generated code, loaded.
        seed: of the weights (one seed per sample, from this one on), inputs and losses.

    Raises:
        MeasureError: the values leave the floating-point numbers, for normal inputs and for positive ones.
    """
    cell = derivation.cell
    sizes = usual_sizes(cell)
    order = [sizes[d] for d in cell.dims]
    weights = [module.init_params(*order, seed=seed + i) for i in range(SAMPLES)]
    constants = {q.name: 0.5 if q.value is None else float(q.value) for q in cell.constants}
    fixed = {
        q.name: np.stack([np.reshape(w[q.name], shape_of(q.symbol, sizes)) for w in weights])
        for q in cell.parameters
    } | {name: np.full((1, 1, 1), value) for name, value in constants.items()}
    found, how, inputs = _finite_run(derivation, sizes, fixed, seed)
    loss = _loss(cell, sizes, seed)
    one = run(
        derivation,
        sizes,
        {k: v[:1] for k, v in fixed.items()},
        {k: v[:, :1] for k, v in inputs.items()},
        steps=STEPS,
    )
    shares = lag_shares(one, loss, truncations=[(k, k) for k in TRUNCATIONS])
    state = module.init_state(1, *order)
    theirs = _generated(module, cell, weights[0], inputs, state, constants, loss)
    return Study(
        {str(d): size for d, size in sizes.items()}, constants,
        tuple(q.name for q in cell.constants if q.value is None), how, STEPS, SAMPLES, seed,
        gains(found, seed=seed), shares, tuple(loss), _difference(shares.total, theirs),
    )  # fmt: skip


def usual_sizes(cell: Cell) -> dict[Any, int]:
    """The first dimension as wide as an exact measurement allows, the others half of it."""
    for width in WIDTHS:
        sizes = {d: width if i == 0 else max(1, width // 2) for i, d in enumerate(cell.dims)}
        joint = sum(q.depth * q.shape[0] * q.shape[1] for q in cell.states)
        if size_of(joint, sizes) <= EXACT_UP_TO:
            return sizes
    return dict.fromkeys(cell.dims, 2)


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.standard_normal(shape)


def _positive(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.uniform(0.5, 1.5, shape)


DRAWS = {"standard normal": _normal, "uniform between 0.5 and 1.5": _positive}
"""How inputs are drawn; a later way where an earlier one leaves a cell's domain."""


def _finite_run(
    derivation: Derivation, sizes: Mapping[Any, int], fixed: Mapping[str, Array], seed: int
) -> tuple[Run, str, dict[str, Array]]:
    """A run with normal inputs or, where the cell is not defined there, positive ones."""
    cell, domains = derivation.cell, domains_of(derivation.cell).of
    for how, draw in DRAWS.items():
        rng = np.random.default_rng(seed)
        inputs = {
            q.name: inside(
                domains.get(q.name),
                (one_of_each if q.kind == "index" else draw)(
                    rng, (STEPS, SAMPLES, *shape_of(q.symbol, sizes))
                ),
            )
            for q in cell.inputs
        }
        with np.errstate(all="ignore"):
            found = run(derivation, sizes, fixed, inputs, steps=STEPS)
        try:
            check_finite(found)
        except MeasureError:
            if how == list(DRAWS)[-1]:
                raise
        else:
            taken = ", taken into their domains" if domains.keys() & inputs.keys() else ""
            return found, _how(cell, how + taken), inputs
    raise AssertionError  # the loop returns or raises


def _how(cell: Cell, real: str) -> str:
    """How the inputs were drawn, in words, from how those are that are no indices."""
    kinds, chosen = {q.kind for q in cell.inputs}, "any of the index's numbers, each as often"
    if "index" not in kinds:
        return real
    return chosen if kinds == {"index"} else f"{real}; of an index {chosen}"


def _loss(cell: Cell, sizes: Mapping[Any, int], seed: int) -> dict[str, Array]:
    """∂ℓ_t/∂y, standard normal, for the last line's quantity if the loss may look at it, else for every output."""
    last = [q for q in cell.outputs if q.name == cell.equations[-1].target.name]
    rng = np.random.default_rng(seed + 1)
    return {
        q.name: rng.standard_normal((STEPS, *shape_of(q.symbol, sizes)))
        for q in last or cell.outputs
    }


def _generated(
    module: ModuleType, cell: Cell, params: Mapping[str, Array], inputs: Mapping[str, Array],
    state: Mapping[str, Array], constants: Mapping[str, float], loss: Mapping[str, Array],
) -> dict[str, Array]:  # fmt: skip
    """The parameters' gradients by the generated code."""
    names = [
        p.name
        for p in inspect.signature(module.forward).parameters.values()
        if p.kind is p.KEYWORD_ONLY
    ]
    given: dict[str, float] = dict(zip(names, constants.values(), strict=False))
    if not cell.inputs:
        given["steps"] = STEPS
    first = [_given(q, inputs[q.name][:, :1]) for q in cell.inputs]
    _, _, cache = module.forward(dict(params), *first, dict(state), **given)
    bar = {name: _axes(cell.quantity(name), value[:, None]) for name, value in loss.items()}
    return module.backward(dict(params), cache, bar)[0]


def _given(q: Quantity, value: Array) -> Array:
    """An input as generated code takes it."""
    found = _axes(q, value)
    return found.argmax(axis=-1) if q.kind == "index" else found


def _axes(q: Quantity, value: Array) -> Array:
    """(T, B, rows, columns) with the axes of generated code: a column has one."""
    return value[..., 0] if is_column(q.symbol) or is_scalar(q.symbol) else value


def _difference(ours: Mapping[str, Array], theirs: Mapping[str, Array]) -> float:
    """The largest relative difference over the parameters."""
    worst = 0.0
    for name, value in ours.items():
        other = np.reshape(theirs[name], value.shape)
        size = float(np.abs(other).max(initial=0.0))
        apart = float(np.abs(value - other).max(initial=0.0))
        worst = max(worst, apart / size if size > 0 else apart)
    return worst
