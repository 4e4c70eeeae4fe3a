"""The checks of how a generated file behaves: its values, precision, streaming, splitting, and what it leaves alone."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np

from derive.nodes import Timed
from proofs import layout
from proofs.compare import Comparison, compare
from proofs.floats import Floats
from proofs.gradient_checks import ROUNDING, labels
from proofs.samples import Arrays, Sample, Values, draw, reference
from proofs.subject import Subject
from proofs.table import Check, measured, not_applicable


def forward_values(subject: Subject) -> Check:
    """Outputs and final values against the cell's own equations, sample by sample."""
    sample = subject.sample("forward", subject.extent("forward", smallest=3, largest=8, steps=6, samples=3))
    outputs, final, _ = subject.code.forward(sample)
    found = layout.sequences(sample, outputs, final)
    tape = reference(sample, Floats())
    true = {(n, t): tape.get(Timed, (n.removeprefix("final "), t)) for n, t in found}
    comparison = compare(found, true)
    where = tuple(f"{n!r} at t = {t}" for n, t in comparison.wrong(ROUNDING))
    what = "outputs and final values against the equations"
    return measured("forward", what, sample.extent, comparison.worst, ROUNDING, where=where)


def single_precision(subject: Subject) -> Check:
    """A float32 run against the float64 run; all it returns must be float32."""
    what = "gradients and outputs in float32 against float64"
    sample = subject.sample("float32", subject.extent("float32", smallest=3, largest=6, steps=5), margin=1e-2)
    outputs, final, cache = subject.code.forward(sample, np.float32)
    bars = subject.code.backward(sample, cache, np.float32)
    named = {"outputs": outputs, "final": final, "params_bar": bars[0], "inputs_bar": bars[1], "state_bar": bars[2]}
    other = [f"{n}[{k!r}]: {v.dtype}" for n, d in named.items() for k, v in d.items() if v.dtype != np.float32]
    if other:
        return measured("float32", what, sample.extent, float("inf"), 1e-3, note="not float32", where=tuple(other))
    comparison = compare(layout.places(sample, *bars), subject.code.gradient(sample), floor=1e-2)
    wrong = labels(sample, comparison.wrong(1e-3))
    return measured("float32", what, sample.extent, comparison.worst, 1e-3, where=wrong)


def streaming(subject: Subject) -> Check:
    """``step`` after ``step`` against ``forward``."""
    sample = subject.sample("streaming", subject.extent("streaming", steps=5, samples=3))
    outputs, final, _ = subject.code.forward(sample)
    params, state = layout.parameters(sample, np.float64), layout.state(sample, np.float64)
    found: list[Arrays] = []
    for t in range(sample.extent.steps):
        now = [x[t] for x in layout.inputs(sample, np.float64)]
        out, state = subject.code.module.step(params, *now, state, **layout.constants(sample))
        found.append(out)
    stacked = {k: np.stack([np.asarray(out[k]) for out in found]) for k in outputs}
    comparison = _by_name({**stacked, **_prefixed(state)}, {**outputs, **_prefixed(final)})
    where = tuple(str(n) for n, _ in comparison.wrong(ROUNDING))
    what = "step after step against forward"
    return measured("streaming", what, sample.extent, comparison.worst, ROUNDING, where=where)


def _prefixed(arrays: Arrays) -> Arrays:
    return {f"final {k}": v for k, v in arrays.items()}


def _by_name(found: Arrays, true: Arrays) -> Comparison:
    if found.keys() != true.keys() or any(np.shape(found[k]) != np.shape(v) for k, v in true.items()):
        return Comparison({("names or shapes", None): float("inf")})
    return compare({(k, None): v for k, v in found.items()}, {(k, None): v for k, v in true.items()})


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
    module, consts = subject.code.module, layout.constants(sample)
    params, state = layout.parameters(sample, np.float64), layout.state(sample, np.float64)
    xs, bars = layout.inputs(sample, np.float64), layout.outputs_bar(sample, np.float64)
    _, middle, early = module.forward(params, *[x[:cut] for x in xs], state, **consts)
    _, _, late = module.forward(params, *[x[cut:] for x in xs], middle, **consts)
    after = module.backward(params, late, {k: v[cut:] for k, v in bars.items()}, layout.final_bar(sample, np.float64))
    before = module.backward(params, early, {k: v[:cut] for k, v in bars.items()}, after[2])
    params_bar = {k: before[0][k] + after[0][k] for k in before[0]}
    inputs_bar = {k: np.concatenate([before[1][k], after[1][k]]) for k in before[1]}
    return layout.places(sample, params_bar, inputs_bar, before[2])


def whole_gradient(subject: Subject) -> Check:
    """``value_and_grad`` of ½ Σ ‖output‖², and what is left out counts as zero."""
    what = "value_and_grad, and arguments left out, against forward and backward"
    sample = subject.sample("value_and_grad", subject.extent("value_and_grad", steps=4))
    module, consts = subject.code.module, layout.constants(sample)
    params, xs, state = (f(sample, np.float64) for f in (layout.parameters, layout.inputs, layout.state))

    def loss(outputs: Arrays) -> tuple[float, Arrays]:
        return float(sum(np.sum(v * v) for v in outputs.values())) / 2, {k: v.copy() for k, v in outputs.items()}

    value, found = module.value_and_grad(loss, params, *xs, state, **consts)
    outputs, _, cache = module.forward(params, *xs, state, **consts)
    expected = loss(outputs)
    pairs = [(found, module.backward(params, cache, expected[1]))]
    some = dict(list(expected[1].items())[:1])
    zeros = {k: v if k in some else np.zeros_like(v) for k, v in expected[1].items()}
    still = {k: np.zeros_like(v) for k, v in state.items()}
    pairs.append((module.backward(params, cache, some), module.backward(params, cache, zeros, still)))
    worst = abs(float(value) - expected[0]) / max(1.0, abs(expected[0]))
    wrong: tuple[str, ...] = () if worst <= ROUNDING else ("value",)
    for mine, theirs in pairs:
        comparison = compare(layout.places(sample, *mine), layout.places(sample, *theirs))
        worst, wrong = max(worst, comparison.worst), (*wrong, *labels(sample, comparison.wrong(ROUNDING)))
    return measured("value_and_grad", what, sample.extent, worst, ROUNDING, where=wrong)


def leaves_alone(subject: Subject) -> Check:
    """Arguments stay as they were, and a cache gives the same gradients again after other runs."""
    what = "arguments changed, or gradients that differ when asked for again"
    extent = subject.extent("repeated", steps=4)
    sample, other = subject.sample("repeated", extent), subject.sample("repeated, other", extent)
    module, consts = subject.code.module, layout.constants(sample)
    readers = (layout.parameters, layout.inputs, layout.state, layout.outputs_bar, layout.final_bar)
    params, xs, state, bars, ends = arguments = [f(sample, np.float64) for f in readers]
    before = copy.deepcopy(arguments)
    outputs, final, cache = module.forward(params, *xs, state, **consts)
    seen = copy.deepcopy((outputs, final))
    first = copy.deepcopy(module.backward(params, cache, bars, ends))
    subject.code.gradient(other)
    again = module.backward(params, cache, bars, ends)
    repeated = module.forward(params, *xs, state, **consts)[:2]
    wrong = [n for n, a, b in zip(_NAMES, arguments, before, strict=True) if not _same(a, b)]
    wrong += ["gradients of the second call"] * (not _same(first, again))
    wrong += ["outputs after backward"] * (not _same(seen, (outputs, final)))
    wrong += ["outputs of the second call"] * (not _same(seen, repeated))
    return measured("left alone", what, extent, len(wrong), 0, where=tuple(wrong), unit="wrong")


_NAMES = ("params", "inputs", "state", "outputs_bar", "final_bar")


def _same(a: Any, b: Any) -> bool:
    """Equal bit by bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return bool(np.array_equal(a, b))


def safe_values(subject: Subject) -> Check:
    """No warning and no NaN at weights and inputs of ±10⁴, or as far as the cell itself stays finite."""
    what = "warnings and numbers that are not finite, at large weights and inputs"
    extent = subject.extent("safe values", steps=4)
    for size in (1e4, 1e3, 1e2, 1e1):
        sample = _large(subject, extent, size)
        with np.errstate(all="ignore"):
            values = [*reference(sample, Floats()).values.values()]
        if all(np.all(np.isfinite(v)) and np.all(np.abs(v) < 1e100) for v in values):
            break
    else:
        return not_applicable("safe values", what, "the equations themselves leave the range of numbers")
    note = f"at ±{size:g}" + ("" if size == 1e4 else ": beyond, the equations themselves leave the range of numbers")
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("always")
        gradient = subject.code.gradient(sample)
        outputs, final, _ = subject.code.forward(sample)
    wrong = [f"{w.category.__name__}: {w.message}" for w in caught]
    wrong += [layout.label(sample.cell, p) for p, v in gradient.items() if not np.all(np.isfinite(v))]
    wrong += [f"outputs[{k!r}]" for k, v in {**outputs, **final}.items() if not np.all(np.isfinite(v))]
    found = tuple(dict.fromkeys(wrong))
    return measured("safe values", what, extent, len(found), 0, note=note, where=found, unit="wrong")


def _large(subject: Subject, extent: Any, size: float) -> Sample:
    sample = draw(subject.cell, extent, subject.seed)
    steps = {p: size * np.sign(v) for p, v in sample.values.items() if _is_free(subject, p[0])}
    return sample.with_values(steps)


def _is_free(subject: Subject, name: str) -> bool:
    return name not in {q.name for q in subject.cell.constants}


def refuses_nonsense(subject: Subject) -> Check:
    """Wrong shapes, dtypes and weights that are not finite raise an error that names the argument."""
    what = "wrong arguments that raise no error naming them"
    extent = subject.extent("nonsense", steps=3)
    sample = subject.sample("nonsense", extent)
    params, xs, state = (f(sample, np.float64) for f in (layout.parameters, layout.inputs, layout.state))
    cases: list[tuple[str, Any]] = []
    if params:
        name = next(iter(params))
        cases.append((name, ({**params, name: np.full_like(params[name], np.nan)}, xs, state)))
        cases.append((name, ({k: v for k, v in params.items() if k != name}, xs, state)))
        cases.append((name, ({**params, name: np.ones((*np.shape(params[name]), 2))}, xs, state)))
    if xs:
        name = subject.cell.inputs[0].name
        cases.append((name, (params, [xs[0][:, :, None], *xs[1:]], state)))
        cases.append((name, (params, [xs[0].astype(np.int64), *xs[1:]], state)))
    name = next(iter(state))
    cases.append((name, (params, xs, {**state, name: state[name][..., None]})))
    accepted = [f"{name} ({i})" for i, (name, case) in enumerate(cases) if not _refused(subject, sample, name, case)]
    return measured("refusals", what, extent, len(accepted), 0, where=tuple(accepted), unit="accepted")


def _refused(subject: Subject, sample: Sample, name: str, case: tuple[Arrays, list[Any], Arrays]) -> bool:
    params, xs, state = case
    try:
        subject.code.module.forward(params, *xs, state, **layout.constants(sample))
    except (ValueError, TypeError) as error:
        return name in str(error)
    return False
