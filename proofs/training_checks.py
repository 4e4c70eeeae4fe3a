"""The checks of what training needs: clipping, windows and optimisers, each against its law."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from proofs.arithmetic import Array
from proofs.table import Check, measured
from proofs.training_arrays import (
    BOUND,
    FEW,
    LARGE,
    LATE,
    LONG,
    SHAPES,
    SMALL,
    Arrays,
    accepted,
    close,
    drawn,
    numbers,
)
from proofs.training_loop import LOOP, loop

CLIPPING, WINDOWS, OPTIMISERS = "clipping", "windows", "optimisers"
SERIES = (
    (9, 4, 1, 2),
    (12, 3, 5),
    (6, 5, 1, 2, 3),
    (300, 130, 35, 2),
    (2 * LATE, 3, LATE),
    (LATE + 2, LATE, 1),
)
"""Values, length, how far ahead, and the shape of a value."""
STEPS = 150
"""As many as a small count of steps does not hold; each is compared."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What an optimiser is told.

    Args:
        rate: of the step.
        momentum: of SGD.
        b1: of Adam's first moment.
        b2: of its second one.
        eps: added to the root of the second one.
    """

    rate: float
    momentum: float
    b1: float
    b2: float
    eps: float


RATES = (Rates(0.05, 0.7, 0.9, 0.999, 1e-8), Rates(0.03, 0.4, 0.8, 0.95, 1e-3))
"""The usual rates, and others: two runs at once, whose memories are their own."""


def clipping(subject: Any) -> Check:
    """g ← g u/‖g‖ exactly where ‖g‖ > u, over all arrays together; single entries into [−u, u].

    The largest gradients have squares that overflow; no limit is negative, and no norm infinite.
    """
    what = "clip_by_norm and clip_by_value against g u/‖g‖ if ‖g‖ > u, and min(max(g, −u), u)"
    module, rng = subject.code.module, numbers(subject)
    wrong: list[str] = []
    shapes = SHAPES | LARGE
    still = {name: np.zeros(shape) for name, shape in shapes.items()}
    wrong += _apart(module, "clip_by_norm", still, still, 1.0)
    for scale in (1e-3, 1.0, 1e3, 1e25, 1e200):
        plain = drawn(rng, 1.0, shapes)
        g = {name: np.asarray(scale * v) for name, v in plain.items()}
        whole = np.concatenate([v.ravel() for v in plain.values()])
        norm = scale * float(np.sqrt(whole @ whole))
        for limit in (0.0, 0.3 * norm, norm * (1 - 1e-9), norm * (1 + 1e-9), 4.0 * norm):
            factor = limit / norm if norm > limit else 1.0
            wrong += _apart(module, "clip_by_norm", g, {k: factor * v for k, v in g.items()}, limit)
        for limit in (0.5 * scale, 10 * scale):
            law = {k: np.minimum(np.maximum(v, -limit), limit) for k, v in g.items()}
            wrong += _apart(module, "clip_by_value", g, law, limit)
    whole_numbers = {name: np.ones(shape, int) for name, shape in SHAPES.items()}
    endless = {**still, "b": np.full(SHAPES["b"], np.inf)}
    none = {**still, "b": np.full(SHAPES["b"], np.nan)}
    beyond = {**still, "b": np.full(SHAPES["b"], 1.5e308)}
    for name, given, limit in (
        ("clip_by_norm", still, -1.0),
        ("clip_by_value", still, -1.0),
        ("clip_by_norm", still, "1"),
        ("clip_by_value", still, np.nan),
        ("clip_by_norm", endless, 1.0),
        ("clip_by_value", endless, 1.0),
        ("clip_by_norm", none, 1.0),
        ("clip_by_value", none, 1.0),
        ("clip_by_norm", beyond, 1.0),
        ("clip_by_norm", whole_numbers, 1.0),
        ("clip_by_value", whole_numbers, 0.5),
        ("clip_by_norm", (still, still, still), 1.0),
        ("clip_by_value", (still, still, still), 1.0),
    ):
        wrong += accepted(module, name, given, limit)
    found = tuple(dict.fromkeys(wrong))
    return measured(
        CLIPPING, what, f"{len(shapes)} arrays, 6 sizes", len(found), 0, where=found, unit="wrong"
    )


def windows(subject: Any) -> Check:
    """Window i of a series holds its entries i, …, i + length − 1, and its target is ``ahead`` steps after."""
    what = "every entry of every window and target against the series; a series that is too short"
    module, rng = subject.code.module, numbers(subject)
    wrong: list[str] = []
    for count, length, ahead, *entry in SERIES:
        series = rng.standard_normal((count, *entry))
        steps, after = module.windows(series, length, ahead)
        places = count - length - ahead + 1
        law = np.array([[series[i + t] for i in range(places)] for t in range(length)])
        targets = np.array([series[i + length - 1 + ahead] for i in range(places)])
        wrong += ["windows"] * (not np.array_equal(steps, law))
        wrong += ["targets"] * (not np.array_equal(after, targets))
        for nonsense in ((count - ahead + 1, ahead), (float(length), ahead), (length, 0.5)):
            wrong += accepted(module, "windows", series, *nonsense)
    found = tuple(dict.fromkeys(wrong))
    return measured(
        WINDOWS, what, f"{len(SERIES)} series", len(found), 0, where=found, unit="wrong"
    )


def optimisers(subject: Any) -> Check:
    """SGD with momentum and Adam over many steps, two runs at once, against the sums over all gradients so far.

    A gradient that changes once a step is taken changes nothing that is remembered of it.
    """
    what = "sgd and adam over many steps against their sums over all gradients so far"
    module, rng = subject.code.module, numbers(subject)
    gradients = [_unequal(drawn(rng, 1.0)) for _ in range(STEPS)]
    start, given = drawn(rng, 1.0), copy.deepcopy(gradients)
    wrong = _apart_from_sums(module, start, gradients)
    for shapes, steps in ((LARGE, FEW), (SMALL, LATE)):
        far = {name: 10 + v for name, v in drawn(rng, 1.0, shapes).items()}  # no step leads to 0
        wrong += _apart_from_sums(module, far, [drawn(rng, 1.0, shapes) for _ in range(steps)])
    for kind in ("sgd", "adam"):
        wrong += [f"{kind}: precision"] * (not _holds_in_single(module, kind, (start, *given)))
        for nonsense in _no_gradients(given[0]):
            wrong += accepted(module, kind, start, nonsense, {}, 0.1)
        wrong += _nonsense_taken(module, kind, start, given[0])
    found = tuple(dict.fromkeys(wrong))
    sizes = f"{len(SHAPES)} arrays, {STEPS} steps, 2 runs; large arrays; {LATE} steps"
    return measured(OPTIMISERS, what, sizes, len(found), 0, where=found, unit="wrong")


def _apart_from_sums(module: Any, start: Arrays, gradients: list[Arrays]) -> list[str]:
    """What is wrong with two runs of each kind at once; every gradient is overwritten once its steps are taken."""
    before = copy.deepcopy((start, gradients))
    seen = {name: np.array([g[name] for g in before[1]]) for name in start}
    runs: dict[tuple[str, Rates], tuple[Arrays, Arrays, Arrays]] = {
        (kind, rates): (start, {}, start) for kind in ("sgd", "adam") for rates in RATES
    }
    wrong: list[str] = []
    for k, g in enumerate(gradients, 1):
        for (kind, rates), (found, memory, law) in runs.items():
            after = _step(module, kind, (found, g, memory), rates)
            law = _moved(kind, law, {name: v[:k] for name, v in seen.items()}, rates)
            wrong += [f"{kind}, step {k}"] * (not close(after, law, BOUND if k <= FEW else LONG))
            runs[kind, rates] = after, memory, law
        wrong += ["arguments"] * any(
            not np.array_equal(v, before[1][k - 1][n]) for n, v in g.items()
        )
        for value in g.values():
            value.fill(np.nan)
    return wrong + ["arguments"] * any(
        not np.array_equal(v, before[0][n]) for n, v in start.items()
    )


def _holds_in_single(module: Any, kind: str, given: tuple[Arrays, ...]) -> bool:
    """Whether a few steps in float32 give float32, and to its rounding what the sums give."""
    start, *gradients = ({n: v.astype(np.float32) for n, v in a.items()} for a in given[: FEW + 1])
    found, law, memory = start, start, Arrays()
    for k, g in enumerate(gradients, 1):
        found = _step(module, kind, (found, g, memory), RATES[0])
        past = {n: np.array([s[n] for s in gradients[:k]], float) for n in g}
        law = _moved(kind, law, past, RATES[0])
    near = all(np.allclose(found[n], v, rtol=1e-5, atol=1e-5) for n, v in law.items())
    return near and all(v.dtype == np.float32 for v in found.values())


def _unequal(gradient: Arrays) -> Arrays:
    """A gradient of which some arrays are as small as Adam's ε, and others far below it."""
    return {**gradient, "b": 1e-8 * gradient["b"], "b_1": 1e-12 * gradient["b_1"]}


def _no_gradients(right: Arrays) -> list[object]:
    """What is no gradient for every parameter: one left out or too many, another shape, not finite, no dict."""
    return [
        {name: g for name, g in right.items() if name != "b"},
        {**right, "x": right["b"]},
        {**right, "b": right["b"][:, None]},
        {**right, "b": np.ones(SHAPES["b"], int)},
        {**right, "b": np.full(SHAPES["b"], np.nan)},
        {**right, "b": np.full(SHAPES["b"], -np.inf)},
        (right, right, right),
    ]


def _nonsense_taken(module: Any, kind: str, start: Arrays, right: Arrays) -> list[str]:
    """What an optimiser should refuse beside gradients: rates, and a memory of parameters of other shapes."""
    names = ("rate", "momentum") if kind == "sgd" else ("rate", "b1", "b2", "eps")
    wrong: list[str] = []
    for name in names:
        for value in (-0.1, np.nan, np.inf, "0.1", *(1.0,) * name.startswith("b")):
            step = partial(getattr(module, kind), **{"rate": 0.1, name: value})
            wrong += accepted(SimpleNamespace(**{kind: step}), kind, start, right, {})
    memory: Arrays = {}
    _step(module, kind, (start, right, memory), RATES[0])
    others = {name: np.ones((2, *value.shape)) for name, value in memory.items()}
    if "step count" in memory:
        others["step count"] = memory["step count"]
    return wrong + accepted(module, kind, start, right, others, 0.1)


def _step(module: Any, kind: str, given: tuple[Arrays, Arrays, Arrays], rates: Rates) -> Arrays:
    """One step by the file: with Adam's own rates where they are the usual ones, which it need not be told."""
    if kind == "sgd":
        return module.sgd(*given, rates.rate, rates.momentum)
    told = {} if rates is RATES[0] else {"b1": rates.b1, "b2": rates.b2, "eps": rates.eps}
    return module.adam(*given, rates.rate, **told)


def _moved(kind: str, law: Arrays, past: Arrays, rates: Rates) -> Arrays:
    """The parameters after one more step, by the sums over all gradients so far."""
    k, moved = len(next(iter(past.values()))), Arrays()
    ages = np.arange(k)[::-1]
    for name, value in law.items():
        if kind == "sgd":
            move = _weighed(rates.momentum, ages, past[name])
        else:
            m = _weighed(rates.b1, ages, past[name]) * (1 - rates.b1) / (1 - rates.b1**k)
            s = _weighed(rates.b2, ages, past[name] ** 2) * (1 - rates.b2) / (1 - rates.b2**k)
            move = m / (np.sqrt(s) + rates.eps)
        moved[name] = np.asarray(value - rates.rate * move)
    return moved


def _weighed(rate: float, ages: Array, seen: Array) -> Any:
    """Σ rateᵃᵍᵉ · what was seen."""
    return np.tensordot(rate**ages, seen, axes=1)


def _apart(module: Any, name: str, given: Arrays, law: Arrays, limit: float) -> list[str]:
    """What is wrong with one way of clipping: values, precision, or arguments that it changed."""
    before = copy.deepcopy(given)
    widest = max(float(np.max(np.abs(v))) for v in given.values())
    narrow = {k: v.astype(np.float32) for k, v in given.items()} if widest < 1e30 else {}
    with np.errstate(over="ignore"):
        try:
            found, single = (getattr(module, name)(g, limit) for g in (given, narrow))
        except (ZeroDivisionError, ValueError) as error:
            return [f"{name}: {error}"]
    wrong = [f"{name}: values"] * (not close(found, law))
    wrong += [f"{name}: precision"] * any(
        v.dtype != np.float32 or not np.allclose(v, law[k], rtol=1e-5, atol=0)
        for k, v in single.items()
    )
    wrong += [f"{name}: arguments"] * any(
        not np.array_equal(v, given[k]) for k, v in before.items()
    )
    return wrong


OF_TRAINING = {
    "clip_by_norm": {CLIPPING: clipping},
    "windows": {WINDOWS: windows},
    "adam": {OPTIMISERS: optimisers},
    "train": {LOOP: loop},
}
"""The checks by the function of a file that asks for them."""
