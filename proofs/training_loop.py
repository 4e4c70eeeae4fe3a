"""The check of the training loop: what it hands on, tells and remembers, against the steps written out."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from proofs.table import Check, measured
from proofs.training_arrays import BOUND, LATE, LONG, SMALL, Arrays, accepted, close, drawn, numbers

LOOP = "training loop"
STEPS = 40
Update = Callable[..., Arrays]
Told = list[tuple[int, float, Arrays, Arrays]]


def loop(subject: Any) -> Check:
    """One step on every batch, with the gradient clipped and told of unclipped, against the steps written out.

    A run that is handed what another remembered goes on where that one ended.
    """
    what = "train against its steps written out: gradient, told, clipped, moved"
    module, rng = subject.code.module, numbers(subject)
    start, batches = drawn(rng, 1.0), [drawn(rng, 2.0) for _ in range(STEPS)]
    many = [drawn(rng, 2.0, SMALL) for _ in range(LATE)]

    def pushed(*given: Any) -> Arrays:
        return module.sgd(*given, 0.6)

    wrong: list[str] = []
    for told, update, options in (
        ("by sgd", module.sgd, {"rate": 0.2, "clip": 1.0}),
        ("by sgd with momentum", pushed, {"rate": 0.05}),
        ("by sgd, clipped to nothing", module.sgd, {"rate": 0.2, "clip": 0.0}),
        ("by adam, clipped", module.adam, {"rate": 0.03, "clip": 0.5}),
    ):
        wrong += _apart(module, (start, batches), update, options, told)
    late = drawn(rng, 1.0, SMALL), many
    wrong += _apart(module, late, module.adam, {"rate": 0.01, "clip": 2.0}, "of many steps", LONG)
    wrong += _by_itself(module, start, batches)
    found = tuple(dict.fromkeys(wrong))
    sizes = f"{STEPS} batches, {LATE} small ones"
    return measured(LOOP, what, sizes, len(found), 0, where=found, unit="wrong")


def _gradient(params: Arrays, batch: Arrays) -> tuple[float, Arrays]:
    """½ ‖θ − batch‖² and its gradient."""
    apart = {k: params[k] - batch[k] for k in params}
    return 0.5 * sum(float(np.sum(v**2)) for v in apart.values()), apart


def _apart(
    module: Any,
    given: tuple[Arrays, list[Arrays]],
    update: Update,
    options: dict[str, float],
    told: str,
    bound: float = BOUND,
) -> list[str]:
    """What is wrong with one run: the parameters, or what is told on the way.

    Args:
        module: the file.
        given: what it starts from, and its batches, which it may go through once alone.
        update: what moves the parameters.
        options: the rate, and the bound on the gradients' norm.
        told: how the run is called.
        bound: on relative errors.
    """
    start, batches = given
    seen, expected = Told(), Told()

    def tell(step: int, value: float, params: Arrays, gradients: Arrays) -> None:
        seen.append((step, value, copy.deepcopy(params), copy.deepcopy(gradients)))

    found = module.train(
        copy.deepcopy(start), _gradient, iter(batches), update=update, each=tell, **options
    )
    law, memory = start, Arrays()
    for step, batch in enumerate(batches):
        value, g = _gradient(law, batch)
        expected.append((step, value, law, g))
        norm = float(np.sqrt(sum(float(np.sum(v**2)) for v in g.values())))
        factor = min(1.0, options.get("clip", norm) / norm)
        law = update(law, {k: factor * v for k, v in g.items()}, memory, options["rate"])
    wrong = [f"parameters, {told}"] * (not close(found, law, bound))
    return wrong + [f"what is told, {told}"] * (not _same(seen, expected, bound))


def _same(seen: Told, expected: Told, bound: float) -> bool:
    """Whether what was told is what happened: step, loss, parameters before it, gradients before they are clipped."""
    return len(seen) == len(expected) and all(
        i == k
        and np.isclose(u, v, rtol=bound, atol=0)
        and close(p, q, bound)
        and close(g, h, bound)
        for (i, u, p, g), (k, v, q, h) in zip(seen, expected, strict=True)
    )


def _by_itself(module: Any, start: Arrays, batches: list[Arrays]) -> list[str]:
    """What is wrong where nothing is said: adam, without clipping, from a memory of its own or from what is handed."""

    def all_three(_: Arrays, batch: Arrays) -> tuple[float, tuple[Arrays, ...]]:
        return 0.0, (batch, batch, batch)

    law, memory = start, Arrays()
    for batch in batches:
        law = module.adam(law, _gradient(law, batch)[1], memory, 1e-2)
    for _ in range(2):  # no run goes on where another has ended
        ordinary = module.train(copy.deepcopy(start), _gradient, batches)
    wrong = ["parameters, by adam without clipping"] * (not close(ordinary, law))
    halves, memory = copy.deepcopy(start), Arrays()
    for half in (batches[:1], batches[1:]):
        halves = module.train(halves, _gradient, half, memory=memory)
    wrong += ["parameters, of a run that goes on"] * (not close(halves, law))
    return wrong + accepted(module, "train", start, all_three, batches)
