"""The checks of how a generated file computes: its values, precision, streaming, splitting."""

from __future__ import annotations

import numpy as np

from derive.nodes import Timed
from proofs import layout
from proofs.compare import ROUNDING, Comparison, compare
from proofs.floats import HighPrecision
from proofs.gradient_checks import labels
from proofs.interpreted import interpreted_gradient
from proofs.samples import Arrays, Sample, Values, reference
from proofs.single_precision import derived_error, single_precision_row
from proofs.subject import Subject
from proofs.table import Check, measured


def forward_values(subject: Subject) -> Check:
    """Outputs and final values against the cell's own equations in 30 digits, sample by sample."""
    extent = subject.extent("forward", smallest=2, largest=5, steps=6, samples=3)
    sample = subject.sample("forward", extent)
    outputs, final, _ = subject.code.forward(sample)
    found = layout.sequences(sample, outputs, final)
    exact = HighPrecision(30)
    tape = reference(sample, exact, {p: exact.exactly(v) for p, v in sample.values.items()})
    true = {
        (n, t): tape.get(Timed, (n.removeprefix("final "), t)).astype(np.float64) for n, t in found
    }
    comparison = compare(found, true)
    where = tuple(f"{n!r} at t = {t}" for n, t in comparison.wrong(ROUNDING))
    what = "outputs and final values against the equations in 30 digits"
    return measured("forward", what, sample.extent, comparison.worst, ROUNDING, where=where)


def single_precision(subject: Subject) -> Check:
    """A float32 run against the float64 run of the same numbers; all it returns must be float32."""
    extents = [
        subject.extent("float32", smallest=3, largest=6, steps=5),
        subject.extent("float32, one", smallest=3, largest=6, steps=1, samples=1),
        subject.extent("float32, more", smallest=9, largest=14, steps=9, samples=5),
    ]
    return single_precision_row(
        [
            subject.sample(f"float32{i or ''}", extent, margin=1e-4 if i else 1e-2)
            for i, extent in enumerate(extents)
        ],
        subject.code,
        layout.places,
        lambda sample, place: layout.label(sample.cell, place),
        "gradients and outputs in float32 against float64",
        lambda sample: derived_error(
            lambda run, dtype: interpreted_gradient(subject.derivation, run, dtype),
            sample,
            subject.seed,
        ),
    )


def streaming(subject: Subject) -> Check:
    """``step`` after ``step`` against ``forward``."""
    sample = subject.sample("streaming", subject.extent("streaming", steps=5, samples=17))
    outputs, final, _ = subject.code.forward(sample)
    params, state = layout.parameters(sample, np.float64), layout.state(sample, np.float64)
    found: list[Arrays] = []
    for t in range(sample.extent.steps):
        now = [x[t] for x in layout.inputs(sample, np.float64)]
        out, state = subject.code.module.step(params, *now, state, **layout.keywords(sample, 0))
        found.append(out)
    stacked = {k: np.stack([np.asarray(out[k]) for out in found]) for k in outputs}
    comparison = by_name({**stacked, **prefixed(state)}, {**outputs, **prefixed(final)})
    where = tuple(str(n) for n, _ in comparison.wrong(ROUNDING))
    what = "step after step against forward"
    return measured("streaming", what, sample.extent, comparison.worst, ROUNDING, where=where)


def prefixed(arrays: Arrays) -> Arrays:
    """Final values under names that outputs do not have."""
    return {f"final {k}": v for k, v in arrays.items()}


def by_name(found: Arrays, true: Arrays) -> Comparison:
    """Arrays by name against others; other names or shapes are infinitely wrong."""
    if found.keys() != true.keys() or any(
        np.shape(found[k]) != np.shape(v) for k, v in true.items()
    ):
        return Comparison({("names or shapes", None): float("inf")})
    return compare(
        {(k, None): v for k, v in found.items()}, {(k, None): v for k, v in true.items()}
    )


def split_sequence(subject: Subject) -> Check:
    """Two stretches, with the state carried on and its adjoint carried back, against the whole."""
    sample = subject.sample("split", subject.extent("split", steps=5, samples=3))
    whole = subject.code.gradient(sample)
    found = _split_gradient(subject, sample, max(1, sample.extent.steps // 2))
    comparison = compare(found, whole)
    what = "two stretches with state and adjoint handed over, against the whole"
    wrong = labels(sample, comparison.wrong(ROUNDING))
    return measured("split sequence", what, sample.extent, comparison.worst, ROUNDING, where=wrong)


def _split_gradient(subject: Subject, sample: Sample, cut: int) -> Values:
    module = subject.code.module
    params, state = layout.parameters(sample, np.float64), layout.state(sample, np.float64)
    xs, bars = layout.inputs(sample, np.float64), layout.outputs_bar(sample, np.float64)
    head, tail = layout.keywords(sample, cut), layout.keywords(sample, sample.extent.steps - cut)
    _, middle, early = module.forward(params, *[x[:cut] for x in xs], state, **head)
    _, _, late = module.forward(params, *[x[cut:] for x in xs], middle, **tail)
    after = module.backward(
        params, late, {k: v[cut:] for k, v in bars.items()}, layout.final_bar(sample, np.float64)
    )
    before = module.backward(params, early, {k: v[:cut] for k, v in bars.items()}, after[2])
    params_bar = {k: before[0][k] + after[0][k] for k in before[0]}
    inputs_bar = {k: np.concatenate([before[1][k], after[1][k]]) for k in before[1]}
    return layout.places(sample, params_bar, inputs_bar, before[2])


def whole_gradient(subject: Subject) -> Check:
    """``value_and_grad`` of ½ Σ ‖output‖², and what is left out counts as zero."""
    what = "value_and_grad, and arguments left out, against forward and backward"
    sample = subject.sample("value_and_grad", subject.extent("value_and_grad", steps=4))
    module, consts = subject.code.module, layout.keywords(sample)
    params, xs, state = layout.arguments(sample)

    asked: list[int] = []

    def loss(outputs: Arrays) -> tuple[float, Arrays]:
        asked.append(1)
        return float(sum(np.sum(v * v) for v in outputs.values())) / 2, {
            k: v.copy() for k, v in outputs.items()
        }

    value, found = module.value_and_grad(loss, params, *xs, state, **consts)
    times = len(asked)
    outputs, _, cache = module.forward(params, *xs, state, **consts)
    expected = loss(outputs)
    pairs = [(found, module.backward(params, cache, expected[1]))]
    some = dict(list(expected[1].items())[:1])
    zeros = {k: v if k in some else np.zeros_like(v) for k, v in expected[1].items()}
    still = {k: np.zeros_like(v) for k, v in state.items()}
    pairs.append(
        (module.backward(params, cache, some), module.backward(params, cache, zeros, still))
    )
    worst = abs(float(value) - expected[0]) / max(1.0, abs(expected[0]))
    wrong: tuple[str, ...] = () if worst <= ROUNDING else ("value",)
    if times != 1:  # a loss that draws random numbers gives another gradient then
        worst, wrong = float("inf"), (*wrong, f"loss, which is asked {times} times")
    for mine, theirs in pairs:
        comparison = compare(layout.places(sample, *mine), layout.places(sample, *theirs))
        worst, wrong = (
            max(worst, comparison.worst),
            (*wrong, *labels(sample, comparison.wrong(ROUNDING))),
        )
    return measured("value_and_grad", what, sample.extent, worst, ROUNDING, where=wrong)
