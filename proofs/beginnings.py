"""How a file lets parameters and states start: its ``init_params``, number for number, against what is declared.

What a parameter starts as is computed here from the cell's declarations, in their order, with the house's
initialisers; neither the file's text nor the writer of that text takes part.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from derive.cell import Cell, Quantity
from derive.expressions import is_column, is_scalar
from derive.initial import Start
from numeric import initialisers
from numeric.initial import start_of, turned
from numeric.initialisers import NAMES
from proofs import layout, network_layout
from proofs.network_checks import NetworkSubject
from proofs.samples import Arrays
from proofs.subject import Subject
from proofs.table import Check, measured

NAME = "beginnings"
SEEDS = (0, 1, 2, 2**31 + 7)
Shape = tuple[int, int]
ShapeOf = Callable[[Quantity], Shape]


def starting_values(cell: Cell, shape_of: ShapeOf, seed: int) -> Arrays:
    """The parameters of a cell at the start of training, in float64.

    Args:
        cell: whose parameters start.
        shape_of: the rows and columns of a parameter.
        seed: of the random numbers; they are drawn in the order of the parameters.
    """
    rng = np.random.default_rng(seed)
    starts = {q.name: start_of(cell, q) for q in cell.parameters}
    across = turned(cell)
    found = {
        q.name: _starting_value(starts[q.name], q, shape_of(q), rng, q.name in across)
        for q in cell.parameters
        if starts[q.name].kind != "parameter"
    }
    opposite = {k: -found[s.parameter] for k, s in starts.items() if s.kind == "parameter"}
    return {**found, **opposite}


def _starting_value(
    start: Start, q: Quantity, shape: Shape, rng: np.random.Generator, across: bool
) -> Any:
    """What one parameter starts as."""
    rows, cols = shape
    flat = () if is_scalar(q.symbol) else (rows,) if is_column(q.symbol) else shape
    if start.kind == "number":
        return np.full(flat, float(start.number or 0))
    sign, factor = -1.0 if start.negative else 1.0, float(start.argument)
    if start.kind == "chrono":
        return sign * initialisers.chrono(rng, factor, flat, np.float64)
    if start.kind in NAMES:
        draw = getattr(initialisers, start.kind)
        value = draw(rng, cols, rows, np.float64).T if across else draw(rng, *shape, np.float64)
    else:
        value = {"zeros": np.zeros, "ones": np.ones, "identity": lambda s: np.eye(*s)}[start.kind](
            shape
        )
    return sign * factor * value.reshape(flat)


def beginnings(subject: Subject) -> Check:
    """``init_params`` gives what is declared, ``init_state`` zeros; no state means zeros."""
    extent = subject.extent(NAME, steps=3)
    sample = subject.sample(NAME, extent)
    module, sizes = subject.code.module, list(extent.sizes.values())
    params, xs = layout.parameters(sample, np.float64), layout.inputs(sample, np.float64)
    wrong = _wrong_parameters(
        module,
        sizes,
        {s: starting_values(subject.cell, lambda q: layout.shape_of(extent, q), s) for s in SEEDS},
        {q.name: start_of(subject.cell, q) for q in subject.cell.parameters},
    )
    wrong += _wrong_states(module, extent.samples, sizes, layout.state(sample, np.float64))
    zeros = module.init_state(extent.samples if xs else 1, *sizes)
    wrong += _without_state(module, (params, *xs), zeros, layout.keywords(sample))
    return _row(wrong, extent)


def network_beginnings(subject: NetworkSubject) -> Check:
    """``init_params`` gives what is declared, ``init_state`` zeros."""
    network, sample = subject.network, subject.sample(NAME, steps=3, samples=3)
    extent, module = sample.extent, subject.code.module
    sizes = [extent.sizes[d] for d in network.dims]
    expected: dict[int, Arrays] = {s: {} for s in SEEDS}
    declared: dict[str, Start] = {}
    for i, segment in enumerate(network.segments):  # each draws from a seed of its own
        for seed, found in expected.items():
            found |= starting_values(
                segment.cell, lambda q: sample.values[q.name, None].shape, 1000 * seed + i
            )
        declared |= {q.name: start_of(segment.cell, q) for q in segment.cell.parameters}
    state = network_layout.state(sample, np.float64)
    wrong = _wrong_parameters(module, sizes, expected, declared)
    steps = [extent.steps[network.lengths[d]] for d in network.lengths_of_states]
    wrong += _wrong_states(module, extent.samples, [*sizes, *steps], state)
    return _row(wrong, extent)


def _row(wrong: list[str], extent: Any) -> Check:
    what = "init_params against the declarations, init_state, and a state left out"
    found = tuple(dict.fromkeys(wrong))
    return measured(NAME, what, extent, len(found), 0, where=found, unit="wrong")


def _wrong_parameters(
    module: Any, sizes: list[int], expected: dict[int, Arrays], declared: dict[str, Start]
) -> list[str]:
    """What ``init_params`` gives otherwise than declared, in float64 to the bit and in float32 as its rounding.

    Args:
        module: a loaded file.
        sizes: the sizes, as ``init_params`` takes them.
        expected: by seed what it must give.
        declared: how each parameter starts.
    """
    wrong: list[str] = []
    for seed, values in expected.items():
        for options, bound in (
            ({"dtype": np.float64}, 0.0),
            ({"dtype": np.float32}, 4 * float(np.finfo(np.float32).eps)),
            ({}, 0.0),
        ):
            found = module.init_params(*sizes, seed=seed, **options)
            dtype = options.get("dtype", np.float64)
            if unlike := _unlike("init_params", found, values, dtype):
                return unlike
            wrong += [
                f"init_params[{k!r}] is not what init {k} = {declared[k]} gives for the seed"
                for k, v in values.items()
                if not np.allclose(found[k], v, rtol=bound, atol=0)
            ]
    return wrong


def _wrong_states(module: Any, samples: int, sizes: list[int], like: Arrays) -> list[str]:
    """What ``init_state`` gives that is not zeros of the promised names, shapes and dtypes."""
    wrong: list[str] = []
    for dtype in (np.float64, np.float32):
        zeros = module.init_state(samples, *sizes, dtype=dtype)
        wrong += _unlike("init_state", zeros, like, dtype)
        wrong += [f"init_state[{k!r}] is not zero" for k, v in zeros.items() if np.any(v)]
    return wrong


def _without_state(
    module: Any, arguments: tuple[Any, ...], zeros: Arrays, named: dict[str, Any]
) -> list[str]:
    """No state means zeros; where nothing else tells the number of samples, it must be asked for."""
    wrong = ["forward without a state"]
    with np.errstate(all="ignore"):
        given = module.forward(*arguments, zeros, **named)[:2]
        try:
            left_out = module.forward(*arguments, None, **named)[:2]
        except (ValueError, TypeError) as error:
            return [] if "state" in str(error) else wrong
    for a, b in zip(given, left_out, strict=True):
        if a.keys() != b.keys() or any(not np.array_equal(a[k], b[k], equal_nan=True) for k in a):
            return wrong
    return []


def _unlike(what: str, found: Arrays, like: Arrays, dtype: Any) -> list[str]:
    if set(found) != set(like):
        return [f"{what} has {sorted(found)}, expected {sorted(like)}"]
    arrays = {k: np.asarray(v) for k, v in found.items()}
    return [
        f"{what}[{k!r}]: shape {arrays[k].shape}, dtype {arrays[k].dtype}"
        for k, v in like.items()
        if arrays[k].shape != v.shape or arrays[k].dtype != dtype
    ]
