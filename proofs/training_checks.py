"""The checks of what training needs: clipping, windows, optimisers and the loop, each against its law."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from proofs.arithmetic import Array
from proofs.table import Check, measured

CLIPPING, WINDOWS, OPTIMISERS, LOOP = "clipping", "windows", "optimisers", "training loop"
BOUND = 1e-12
SHAPES = {"W": (3, 2), "b": (4,), "s": ()}
Arrays = dict[str, Array]


def clipping(subject: Any) -> Check:
    """g ← g u/‖g‖ exactly where ‖g‖ > u, over all arrays together; single entries into [−u, u]."""
    what = "clip_by_norm and clip_by_value against g u/‖g‖ if ‖g‖ > u, and min(max(g, −u), u)"
    module, rng = subject.code.module, _rng(subject)
    wrong: list[str] = []
    for scale in (1e-3, 1.0, 1e3):
        g = _arrays(rng, scale)
        whole = np.concatenate([v.ravel() for v in g.values()])
        norm = float(np.sqrt(whole @ whole))
        for limit in (0.3 * norm, norm * (1 + 1e-9), 4.0 * norm):
            factor = limit / norm if norm > limit else 1.0
            wrong += _apart(module, "clip_by_norm", g, {k: factor * v for k, v in g.items()}, limit)
        for limit in (0.5 * scale, 10 * scale):
            law = {k: np.minimum(np.maximum(v, -limit), limit) for k, v in g.items()}
            wrong += _apart(module, "clip_by_value", g, law, limit)
    found = tuple(dict.fromkeys(wrong))
    return measured(CLIPPING, what, "3 arrays, 3 sizes", len(found), 0, where=found, unit="wrong")


def windows(subject: Any) -> Check:
    """Window i of a series holds its entries i, …, i + length − 1, and its target is ``ahead`` steps after."""
    what = "every entry of every window and target against the series; a series that is too short"
    module, rng = subject.code.module, _rng(subject)
    wrong: list[str] = []
    for count, length, ahead in ((9, 4, 1), (12, 3, 5), (6, 5, 1)):
        series = rng.standard_normal((count, 2))
        steps, after = module.windows(series, length, ahead)
        places = count - length - ahead + 1
        law = np.array([[series[i + t] for i in range(places)] for t in range(length)])
        targets = np.array([series[i + length - 1 + ahead] for i in range(places)])
        wrong += ["windows"] * (not np.array_equal(steps, law))
        wrong += ["targets"] * (not np.array_equal(after, targets))
        try:
            module.windows(series, count - ahead + 1, ahead)
            wrong.append("a series that is too short")
        except ValueError:
            pass
    found = tuple(dict.fromkeys(wrong))
    return measured(WINDOWS, what, "3 series", len(found), 0, where=found, unit="wrong")


def optimisers(subject: Any) -> Check:
    """Four steps of SGD with momentum and of Adam against the sums over all gradients so far that they stand for."""
    what = "sgd and adam over four steps against their sums over all gradients so far"
    module, rng = subject.code.module, _rng(subject)
    start, rate, momentum, b1, b2 = _arrays(rng, 1.0), 0.05, 0.7, 0.9, 0.999
    gradients = [_arrays(rng, 1.0) for _ in range(4)]
    laws = {"sgd": start, "adam": start}
    found, memories = dict(laws), {"sgd": Arrays(), "adam": Arrays()}
    wrong: list[str] = []
    for k, g in enumerate(gradients, 1):
        past = gradients[:k]
        found["sgd"] = module.sgd(found["sgd"], g, memories["sgd"], rate, momentum)
        found["adam"] = module.adam(found["adam"], g, memories["adam"], rate)
        for name in SHAPES:
            seen = [p[name] for p in past]
            v = sum(momentum ** (k - 1 - i) * p for i, p in enumerate(seen))
            m = sum((1 - b1) * b1 ** (k - 1 - i) * p for i, p in enumerate(seen)) / (1 - b1**k)
            s = sum((1 - b2) * b2 ** (k - 1 - i) * p**2 for i, p in enumerate(seen)) / (1 - b2**k)
            moves = {"sgd": v, "adam": m / (np.sqrt(s) + 1e-8)}
            laws = {
                kind: {**laws[kind], name: laws[kind][name] - rate * moves[kind]} for kind in laws
            }
        wrong += [f"{kind}, step {k}" for kind in laws if not _close(found[kind], laws[kind])]
    return measured(
        OPTIMISERS, what, "3 arrays, 4 steps", len(wrong), 0, where=tuple(wrong), unit="wrong"
    )


def loop(subject: Any) -> Check:
    """One step on every batch, with the gradient clipped and told of unclipped, against the steps written out."""
    what = "train against its steps written out: gradient, told, clipped, moved"
    module, rng = subject.code.module, _rng(subject)
    start, batches = _arrays(rng, 1.0), [_arrays(rng, 2.0) for _ in range(3)]

    def gradient(params: Arrays, batch: Arrays) -> tuple[float, Arrays]:
        apart = {k: params[k] - batch[k] for k in params}
        return 0.5 * sum(float(np.sum(v**2)) for v in apart.values()), apart

    told: list[tuple[int, float]] = []

    def tell(step: int, value: float, *_: object) -> None:
        told.append((step, value))

    found = module.train(
        copy.deepcopy(start), gradient, batches, rate=0.2, clip=1.0, update=module.sgd,
        each=tell,
    )  # fmt: skip
    law, losses = start, list[tuple[int, float]]()
    for step, batch in enumerate(batches):
        value, g = gradient(law, batch)
        norm = float(np.sqrt(sum(float(np.sum(v**2)) for v in g.values())))
        law = {k: law[k] - 0.2 * min(1.0, 1.0 / norm) * v for k, v in g.items()}
        losses.append((step, value))
    wrong = ["parameters"] * (not _close(found, law)) + ["what is told"] * (
        not np.allclose(told, losses, rtol=BOUND, atol=0)
    )
    return measured(LOOP, what, "3 batches", len(wrong), 0, where=tuple(wrong), unit="wrong")


def _rng(subject: Any) -> np.random.Generator:
    return np.random.default_rng(subject.seed)


def _arrays(rng: np.random.Generator, scale: float) -> Arrays:
    return {name: np.asarray(scale * rng.standard_normal(shape)) for name, shape in SHAPES.items()}


def _apart(module: Any, name: str, given: Arrays, law: Arrays, limit: float) -> list[str]:
    """What is wrong with one way of clipping: values, precision, or arguments that it changed."""
    before = copy.deepcopy(given)
    found = getattr(module, name)(given, limit)
    single = getattr(module, name)({k: v.astype(np.float32) for k, v in given.items()}, limit)
    wrong = [f"{name}: values"] * (not _close(found, law))
    wrong += [f"{name}: precision"] * any(v.dtype != np.float32 for v in single.values())
    wrong += [f"{name}: arguments"] * any(
        not np.array_equal(v, given[k]) for k, v in before.items()
    )
    return wrong


def _close(found: Arrays, law: Arrays) -> bool:
    """Equal names, shapes and, to rounding, values."""
    return found.keys() == law.keys() and all(
        np.shape(found[k]) == np.shape(v) and np.allclose(found[k], v, rtol=BOUND, atol=0)
        for k, v in law.items()
    )


OF_TRAINING = {
    "clip_by_norm": {CLIPPING: clipping},
    "windows": {WINDOWS: windows},
    "adam": {OPTIMISERS: optimisers},
    "train": {LOOP: loop},
}
"""The checks by the function of a file that asks for them."""
