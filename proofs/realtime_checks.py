"""The checks of real-time recurrent learning in a generated file: against backpropagation, exactly and in numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from proofs import differences, layout
from proofs.compare import ROUNDING, compare
from proofs.gradient_checks import labels
from proofs.realtime_exact import prove_real_time
from proofs.samples import Arrays, Sample, Values
from proofs.subject import Subject
from proofs.table import Check, measured
from proofs.training_arrays import accepted

EXACT, GRADIENT, STEPS = "exact, real time", "real time", "real time, step by step"


def exact_real_time(subject: Subject) -> Check:
    """The tangent equations run forward and the adjoint equations run backward give one gradient, modulo a prime."""
    what = "every entry of every parameter's gradient, forward in time against backward, modulo a prime"
    found = prove_real_time(subject.derivation, seed=subject.seed)
    wrong = found.wrong + found.bound.undecided if found.compared else ("nothing was compared",)
    return measured(
        EXACT, what, found.extent, len(wrong), 0, note=found.bound.note, where=wrong, unit="wrong"
    )


def real_time(subject: Subject) -> Check:
    """The file's gradient forward in time against its backward pass and against complex steps."""
    what = "real_time_gradients against complex steps on the equations, and against backward"
    sample = subject.sample("real time", subject.extent("real time", steps=5))
    found = in_real_time(subject, sample)
    worst, wrong = 0.0, list[Any]()
    for true in (differences.complex_step_gradient(sample), subject.code.gradient(sample)):
        comparison = compare(found, by_parameters(true))
        worst = max(worst, comparison.worst)
        wrong += comparison.wrong(ROUNDING)
    where = labels(sample, list(dict.fromkeys(wrong)))
    return measured(GRADIENT, what, sample.extent, worst, ROUNDING, where=where)


def in_real_time(subject: Subject, sample: Sample) -> Values:
    """The file's gradients by place, as matrices; one of a wrong shape is not among them."""
    params, xs, state = layout.arguments(sample)
    found = subject.code.module.real_time_gradients(
        params,
        *xs,
        layout.outputs_bar(sample, np.float64),
        state,
        final_bar=layout.final_bar(sample, np.float64),
        **layout.keywords(sample),
    )
    like = {name: value for (name, t), value in sample.values.items() if t is None}
    return {
        (name, None): np.asarray(found[name]).reshape(like[name].shape)
        for name, value in params.items()
        if np.shape(found.get(name)) == value.shape
    }


def by_parameters(gradient: Values) -> Values:
    """Those parts of a gradient that are asked for forward in time."""
    return {p: v for p, v in gradient.items() if p[1] is None}


def step_by_step(subject: Subject) -> Check:
    """The outputs that real_time_step gives on its way against forward; and it refuses what is not for it."""
    what = "the outputs of real_time_step, one after the other, against forward; wrong arguments that it takes"
    sample = subject.sample("real time steps", subject.extent("real time steps", steps=5))
    module = subject.code.module
    outputs, _, _ = subject.code.forward(sample)
    params, xs, state = layout.arguments(sample)
    depths = {q.name: q.depth for q in sample.memory}
    memory = module.real_time_start(params, state, depths)
    found: list[Any] = []
    step = partial(module.real_time_step, **layout.keywords(sample, 0))
    nonsense = _taken(step, params, [x[0] for x in xs], memory)
    for t in range(sample.extent.steps):
        out, _, memory = step(params, *[x[t] for x in xs], memory)
        found.append(out)
    stacked = {(k, None): np.stack([out[k] for out in found]) for k in outputs}
    true = {(k, None): v for k, v in outputs.items()}
    same = all(np.shape(stacked[k]) == v.shape for k, v in true.items())
    comparison = compare(stacked if same else {}, true)
    where = (*(str(name) for name, _ in comparison.wrong(ROUNDING)), *nonsense)
    worst = math.inf if nonsense else comparison.worst
    return measured(STEPS, what, sample.extent, worst, ROUNDING, where=where)


def _taken(step: Callable[..., Any], params: Arrays, xs: list[Any], memory: Any) -> list[str]:
    """Wrong arguments that a step does not refuse with a word: parameters, inputs, and what is handed on."""
    first, value = next(iter(params.items()))
    state, past = next(iter(memory["values"].items()))
    others: list[Any] = [
        ({k: v for k, v in params.items() if k != first}, *xs, memory),
        ({**params, first: np.asarray(value)[..., None]}, *xs, memory),
        ({**params, first: np.full_like(value, np.nan)}, *xs, memory),
        (list(params.values()), *xs, memory),
        (params, *xs, {}),
        (params, *xs, ()),
        (params, *xs, {**memory, "influence": {}}),
        (
            params,
            *xs,
            {**memory, "values": {**memory["values"], state: [p[..., None] for p in past]}},
        ),
    ]
    others += [(params, *xs[:i], x[None], *xs[i + 1 :], memory) for i, x in enumerate(xs)]
    module = SimpleNamespace(real_time_step=step)
    return [told for given in others for told in accepted(module, "real_time_step", *given)]
