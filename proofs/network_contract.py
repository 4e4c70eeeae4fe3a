"""The checks of what a network's file promises besides its gradients: purity, padding, safe values, refusals."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np

from derive.network import Network
from numeric.inside import kept_inside
from numeric.network_step import why_not_causal
from proofs import (
    beginnings,
    combined_runs,
    function_checks,
    large_values,
    many_steps,
    named_sizes,
    network_layout,
    thin_runs,
)
from proofs import network_checks as gradients
from proofs import network_special_checks as of_special
from proofs import special_checks as special
from proofs.behaviour_checks import by_name, prefixed
from proofs.compare import ROUNDING
from proofs.contract_checks import refused, run_twice, same_bits, wrong_group
from proofs.floats import Floats
from proofs.modules import text_of
from proofs.network_checks import NetworkSubject
from proofs.network_litter import littered, littered_beside, littered_gradients
from proofs.network_samples import NetworkSample, draw_extent, draw_network, reference, uneven
from proofs.samples import Arrays
from proofs.special_runs import GROUPS
from proofs.table import Check, failed, measured, not_applicable


def leaves_alone(subject: NetworkSubject) -> Check:
    """Arguments and results stay as they were, and whatever is done with results a cache gives the same gradients."""
    what = "arguments or results changed, or results that differ when asked for again"
    sample = subject.sample("repeated")
    other = other_run(subject, sample)
    module = subject.code.module
    given, named = subject.code.arguments(sample)
    bars = (
        network_layout.outputs_bar(sample, np.float64),
        network_layout.final_bar(sample, np.float64),
    )
    wrong = run_twice(
        lambda: module.forward(*given, **named),
        lambda cache, *bars: module.backward(given[0], cache, *bars),
        bars,
        {"arguments": given, "lengths": named, "gradients given": list(bars)},
        lambda: subject.code.gradient(other),
    )
    return measured(
        "left alone", what, sample.extent, len(wrong), 0, where=tuple(wrong), unit="wrong"
    )


def other_run(subject: NetworkSubject, sample: NetworkSample) -> NetworkSample:
    """Another run of the same sizes; near by, where it is not known what keeps a run in the network's domain."""
    if subject.domains.open:
        return sample.moved({p: sample.values[p] for p in sample.trained}, 2.0**-10)
    return draw_network(subject.network, sample.extent, subject.seed + 1)


def padding(subject: NetworkSubject) -> Check:
    """Garbage beyond the samples' ends changes no output, final value or gradient in any bit."""
    what = "results that garbage beyond the samples' ends changes in any bit"
    if not subject.network.masks:
        return not_applicable("padding", what, "no axis is ragged")
    runs = [subject.sample("padding", steps=6, samples=3), *_long_and_short(subject)]
    wrong = [told for sample in runs for told in _changed_by_litter(subject, sample)]
    return measured(
        "padding", what, runs[0].extent, len(wrong), 0, where=tuple(wrong), unit="wrong"
    )


def _long_and_short(subject: NetworkSubject) -> Iterator[NetworkSample]:
    """Long runs beside one of a single step: of many steps, and of more than each number of the text."""
    text = named_sizes.named(text_of(subject.code.module))
    rng = Random(f"{subject.seed}/padding")  # noqa: S311 - no secret
    for steps in (thin_runs.STEPS, *(n + 2 for n in text if n <= named_sizes.MOST)):
        extent = uneven(draw_extent(subject.network, rng, steps=steps))
        sample = draw_network(subject.network, extent, rng.randrange(2**31), gain=0.2)
        if thin_runs.gradient_within(subject, sample) is not None:
            yield sample


def _changed_by_litter(subject: NetworkSubject, sample: NetworkSample) -> Iterator[str]:
    """What garbage beyond the samples' ends changes."""
    module = subject.code.module
    given, named = subject.code.arguments(sample)
    bars = (
        network_layout.outputs_bar(sample, np.float64),
        network_layout.final_bar(sample, np.float64),
    )
    outputs, final, cache = module.forward(*given, **named)
    clean = (outputs, final, *module.backward(given[0], cache, *bars))
    clean = [{k: np.array(v) for k, v in group.items()} for group in clean]
    sums, ends = littered_gradients(sample, bars[0]), littered_beside(sample, bars[1])
    outputs, final, cache = module.forward(*littered(sample, given), **named)
    found = (outputs, final, *module.backward(given[0], cache, sums, ends))
    for g, a, b in zip(GROUPS, clean, found, strict=True):
        longest = max(sample.extent.steps.values())
        yield from (f"{g}[{k!r}] of {longest} steps" for k in a if not same_bits(a[k], b.get(k)))


def streaming(subject: NetworkSubject) -> Check:
    """``step`` after ``step`` against ``forward``, with initial values that are not zero."""
    what = "step after step against forward"
    if reason := why_not_causal(subject.network):
        return not_applicable("streaming", what, reason)
    module = subject.code.module
    if not hasattr(module, "step"):
        return failed("streaming", what, "there is no step, though the network is causal")
    sample = subject.sample("streaming", steps=5, samples=17)
    (params, *inputs, state), named = subject.code.arguments(sample)
    whole = {name: value for name, value in named.items() if not name.startswith("lengths_")}
    outputs, final, _ = module.forward(params, *inputs, state, **whole)
    (steps,) = {len(value) for value in outputs.values()}
    found: list[dict[str, Any]] = []
    for t in range(steps):
        out, state = module.step(params, *network_layout.at_step(subject.network, inputs, t), state)
        found.append(out)
    stacked = {k: np.stack([np.asarray(out[k]) for out in found]) for k in outputs}
    comparison = by_name({**stacked, **prefixed(state)}, {**outputs, **prefixed(final)})
    where = tuple(str(n) for n, _ in comparison.wrong(ROUNDING))
    return measured("streaming", what, sample.extent, comparison.worst, ROUNDING, where=where)


def safe_values(subject: NetworkSubject) -> Check:
    """No warning and no NaN at weights and inputs of ±10⁴, or as far as the network itself stays finite."""
    what = "warnings and numbers that are not finite, at large weights and inputs"
    extent = draw_extent(subject.network, Random(f"{subject.seed}/safe"))  # noqa: S311
    size = 0.0
    sample = draw_network(subject.network, extent, subject.seed)
    for size in (1e4, 1e3, 1e2, 1e1):
        free = {p: size * np.sign(sample.values[p]) for p in sample.trained}
        free = kept_inside(subject.domains.of, free, sample.values)
        large = replace(sample, values={**sample.values, **free})
        with np.errstate(all="ignore"):
            values = [v for _, run in reference(large, Floats()) for v in run.sequences.values()]
        if all(np.all(np.isfinite(v)) and np.all(np.abs(v) < 1e100) for v in values):
            break
    else:
        return not_applicable(
            "safe values", what, "the equations themselves leave the range of numbers"
        )
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("always")
        gradient = subject.code.gradient(large)
        outputs, final, _ = subject.code.forward(large)
    wrong = [f"{w.category.__name__}: {w.message}" for w in caught]
    wrong += [
        network_layout.label(large, p) for p, v in gradient.items() if not np.all(np.isfinite(v))
    ]
    wrong += [
        f"outputs[{k!r}]" for k, v in {**outputs, **final}.items() if not np.all(np.isfinite(v))
    ]
    found = tuple(dict.fromkeys(wrong))
    return measured(
        "safe values", what, extent, len(found), 0, note=f"at ±{size:g}", where=found, unit="wrong"
    )


def refuses_nonsense(subject: NetworkSubject) -> Check:
    """Wrong names, shapes, dtypes and numbers that are not finite raise an error that names the argument."""
    what = "wrong arguments that raise no error naming them"
    sample = subject.sample("nonsense", steps=3)
    module = subject.code.module
    given, named = subject.code.arguments(sample)
    accepted = [
        name
        for name, case in _wrong_arguments(sample, given)
        if not _refused(subject, name, case, named)
    ]
    for name, wrong in _wrong_lengths(subject.network, named):
        if not refused(lambda w=wrong: module.forward(*given, **{**named, **w}), [name]):
            accepted.append(name)
    *_, cache = module.forward(*given, **named)
    bars = network_layout.outputs_bar(sample, np.float64)
    ends = network_layout.final_bar(sample, np.float64)
    for told, (some, last) in _wrong_gradients(bars, ends):
        if not refused(
            lambda b=some, e=last: module.backward(given[0], cache, b, e), [*bars, *ends]
        ):
            accepted.append(told)
    return measured(
        "refusals", what, sample.extent, len(accepted), 0, where=tuple(accepted), unit="accepted"
    )


def _wrong_lengths(network: Network, named: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Lengths of which one is 0, or more than the steps that are given."""
    for name, lengths in named.items():
        if name.startswith("lengths_"):
            given = name.removeprefix("lengths_") in network.axes.values()
            for wrong in (0, 10**6) if given else (0,):
                yield name, {name: np.array([wrong, *lengths[1:]])}


def _wrong_gradients(bars: Arrays, ends: Arrays) -> Iterator[tuple[str, tuple[Arrays, Arrays]]]:
    """Gradients of outputs and final values of which one is not as it must be, or belongs to no name."""
    for told, wrong in wrong_group("outputs_bar", bars):
        yield told, (wrong, ends)
    for told, wrong in wrong_group("final_bar", ends):
        yield told, (bars, wrong)


def _wrong_arguments(sample: NetworkSample, given: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    network, params, state = sample.network, given[0], given[-1]
    for name, array in params.items():
        yield name, [{**params, name: np.full_like(array, np.nan)}, *given[1:]]
    for name, array in list(params.items())[:3]:
        yield name, [{k: v for k, v in params.items() if k != name}, *given[1:]]
        yield name, [{**params, name: np.ones((*array.shape, 2))}, *given[1:]]
    yield "nobody", [{**params, "nobody": np.ones(2)}, *given[1:]]
    for i, q in enumerate(network.inputs, 1):
        other = np.float64 if q.kind == "index" else np.int64
        yield q.name, [*given[:i], given[i].astype(other), *given[i + 1 :]]
        yield q.name, [*given[:i], given[i][..., None], *given[i + 1 :]]
        if q.kind == "index":
            rows = sample.values[q.name, 1].shape[-2]
            steps = sample.extent.lengths.get(network.lengths.get(q.shape[0]), (rows,))  # type: ignore[arg-type]
            for wrong in (-1, min(steps)):
                yield q.name, [*given[:i], np.full_like(given[i], wrong), *given[i + 1 :]]
    for name, array in list(state.items())[:1]:
        yield name, [*given[:-1], {**state, name: array[..., None]}]
    yield "nobody", [*given[:-1], {**state, "nobody": np.ones(2)}]


def _refused(subject: NetworkSubject, name: str, case: list[Any], named: dict[str, Any]) -> bool:
    try:
        subject.code.module.forward(*case, **named)
    except (ValueError, TypeError) as error:
        return name in str(error)
    except (ArithmeticError, LookupError, AttributeError):
        return False
    return False


Examine = Callable[[NetworkSubject], Check]
NUMERIC: dict[str, Examine] = {
    "forward": gradients.forward_values,
    "complex step": gradients.complex_step,
    "complex step, larger": gradients.complex_step_larger,
    "one step, one sample": gradients.one_step,
    "Richardson differences": gradients.richardson,
    "float32": gradients.single_precision,
    "value_and_grad": gradients.whole_gradient,
    "left alone": leaves_alone,
    "streaming": streaming,
    "padding": padding,
    "safe values": safe_values,
    special.RUNS: of_special.special_runs,
    large_values.NAME: large_values.large_values_of_network,
    special.WIDTH: of_special.wide_run,
    special.GIVEN: of_special.as_given,
    special.LARGE: of_special.large_run,
    thin_runs.NAME: thin_runs.thin_runs_of_network,
    combined_runs.NAME: combined_runs.combined_runs_of_network,
    named_sizes.NAME: named_sizes.named_sizes_of_network,
    beginnings.NAME: beginnings.network_beginnings,
    function_checks.NAME: function_checks.functions_of_network,
    "refusals": refuses_nonsense,
}
OPTIONAL = frozenset(
    {
        *("streaming", "padding", "safe values"),
        *(large_values.NAME, special.WIDTH, special.LARGE, thin_runs.NAME, named_sizes.NAME),
        *(combined_runs.NAME, *many_steps.NAMES),
    }
)
