"""The checks of what a generated file promises besides its gradients: beginnings, purity, safe values, refusals."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from proofs import layout
from proofs.dual import Dual, Pair
from proofs.floats import Floats
from proofs.samples import Arrays, Sample, draw, reference
from proofs.subject import Subject
from proofs.table import Check, measured, not_applicable


def beginnings(subject: Subject) -> Check:
    """``init_params`` and ``init_state`` have the promised names, shapes and dtypes; no state means zeros."""
    what = "init_params, init_state and a state left out"
    extent = subject.extent("beginnings", steps=3)
    sample = subject.sample("beginnings", extent)
    module, sizes = subject.code.module, list(extent.sizes.values())
    wrong: list[str] = []
    for dtype in (np.float64, np.float32):
        params = module.init_params(*sizes, seed=1, dtype=dtype)
        zeros = module.init_state(extent.samples, *sizes, dtype=dtype)
        wrong += _unlike("init_params", params, layout.parameters(sample, dtype))
        wrong += _unlike("init_state", zeros, layout.state(sample, dtype))
        wrong += [
            f"init_params[{k!r}] is not finite"
            for k, v in params.items()
            if not np.all(np.isfinite(v))
        ]
        wrong += [f"init_state[{k!r}] is not zero" for k, v in zeros.items() if np.any(v)]
        wrong += ["init_params with the same seed"] * (
            not _same(params, module.init_params(*sizes, seed=1, dtype=dtype))
        )
    wrong += ["init_params without a dtype"] * (
        not _same(
            module.init_params(*sizes, seed=2), module.init_params(*sizes, seed=2, dtype=np.float64)
        )
    )
    params, xs, consts = (
        layout.parameters(sample, np.float64),
        layout.inputs(sample, np.float64),
        layout.keywords(sample),
    )
    zeros = module.init_state(extent.samples if xs else 1, *sizes)
    with np.errstate(all="ignore"):
        wrong += _without_state(subject, (params, *xs), zeros, consts)
    found = tuple(dict.fromkeys(wrong))
    return measured("beginnings", what, extent, len(found), 0, where=found, unit="wrong")


def _without_state(
    subject: Subject, arguments: tuple[Any, ...], zeros: Arrays, consts: dict[str, float]
) -> list[str]:
    """No state means zeros; where nothing else tells the number of samples, it must be asked for."""
    given = subject.code.module.forward(*arguments, zeros, **consts)[:2]
    try:
        left_out = subject.code.module.forward(*arguments, None, **consts)[:2]
    except (ValueError, TypeError) as error:
        return [] if "state" in str(error) else ["forward without a state"]
    return [] if _same(left_out, given, nan=True) else ["forward without a state"]


def _unlike(what: str, found: Arrays, like: Arrays) -> list[str]:
    if set(found) != set(like):
        return [f"{what} has {sorted(found)}, expected {sorted(like)}"]
    wrong = [
        k
        for k, v in like.items()
        if np.shape(found[k]) != v.shape or np.asarray(found[k]).dtype != v.dtype
    ]
    return [
        f"{what}[{k!r}]: shape {np.shape(found[k])}, dtype {np.asarray(found[k]).dtype}"
        for k in wrong
    ]


def leaves_alone(subject: Subject) -> Check:
    """Arguments stay as they were, and a cache gives the same gradients again after other runs."""
    what = "arguments changed, or gradients that differ when asked for again"
    extent = subject.extent("repeated", steps=4)
    sample, other = subject.sample("repeated", extent), subject.sample("repeated, other", extent)
    module, consts = subject.code.module, layout.keywords(sample)
    readers = (layout.parameters, layout.inputs, layout.state, layout.outputs_bar, layout.final_bar)
    params, xs, state, bars, ends = arguments = [f(sample, np.float64) for f in readers]
    before = copy.deepcopy(arguments)
    outputs, final, cache = module.forward(params, *xs, state, **consts)
    seen = copy.deepcopy((outputs, final))
    first = copy.deepcopy(module.backward(params, cache, bars, ends))
    subject.code.gradient(other)
    for array in final.values():
        array += 1.0  # what the caller does with it is the caller's affair
    again = module.backward(params, cache, bars, ends)
    repeated = module.forward(params, *xs, state, **consts)[:2]
    wrong = [n for n, a, b in zip(_NAMES, arguments, before, strict=True) if not _same(a, b)]
    wrong += ["gradients of the second call, after other runs and a change to final"] * (
        not _same(first, again)
    )
    wrong += ["outputs after backward"] * (not _same(seen[0], outputs))
    wrong += ["outputs of the second call"] * (not _same(seen, repeated))
    return measured("left alone", what, extent, len(wrong), 0, where=tuple(wrong), unit="wrong")


_NAMES = ("params", "inputs", "state", "outputs_bar", "final_bar")


def _same(a: Any, b: Any, *, nan: bool = False) -> bool:
    """Equal bit by bit; with ``nan``, no number equals no number."""
    if isinstance(a, dict):
        left, right = cast("dict[str, Any]", a), cast("dict[str, Any]", b)
        return left.keys() == right.keys() and all(_same(left[k], right[k], nan=nan) for k in left)
    if isinstance(a, list | tuple):
        pairs = list(zip(cast("list[Any]", a), cast("list[Any]", b), strict=True))
        return all(_same(x, y, nan=nan) for x, y in pairs)
    return bool(np.array_equal(a, b, equal_nan=nan))


def safe_values(subject: Subject) -> Check:
    """No warning and no NaN at weights and inputs of ±10⁴, or as far as the cell itself stays finite."""
    what = "warnings and numbers that are not finite, at large weights and inputs"
    extent = subject.extent("safe values", steps=4)
    for size in (1e4, 1e3, 1e2, 1e1, 3.0):
        sample = _large(subject, extent, size)
        if _is_tame(sample):
            break
    else:
        return not_applicable(
            "safe values", what, "the equations themselves leave the range of numbers"
        )
    note = f"at ±{size:g}" + (
        "" if size == 1e4 else ": beyond, the equations themselves leave the range of numbers"
    )
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("always")
        gradient = subject.code.gradient(sample)
        outputs, final, _ = subject.code.forward(sample)
    wrong = [f"{w.category.__name__}: {w.message}" for w in caught]
    wrong += [
        layout.label(sample.cell, p) for p, v in gradient.items() if not np.all(np.isfinite(v))
    ]
    wrong += [
        f"outputs[{k!r}]" for k, v in {**outputs, **final}.items() if not np.all(np.isfinite(v))
    ]
    found = tuple(dict.fromkeys(wrong))
    return measured(
        "safe values", what, extent, len(found), 0, note=note, where=found, unit="wrong"
    )


def _large(subject: Subject, extent: Any, size: float) -> Sample:
    sample = draw(subject.cell, extent, subject.seed)
    steps = {p: size * np.sign(v) for p, v in sample.values.items() if _is_free(subject, p[0])}
    return sample.with_values(steps)


def _is_tame(sample: Sample) -> bool:
    """Whether the equations and their tangents stay in the range of numbers, evaluated as they stand."""
    rng = np.random.default_rng(0)
    moving = {p: Pair(v, rng.standard_normal(v.shape)) for p, v in sample.values.items()}
    with np.errstate(all="ignore"):
        pairs: list[Pair] = list(reference(sample, Dual(Floats()), moving).values.values())
    parts = [part for pair in pairs for part in pair if part is not None]
    return all(bool(np.all(np.isfinite(v)) and np.all(np.abs(v) < 1e100)) for v in parts)


def _is_free(subject: Subject, name: str) -> bool:
    indices = {q.name for q in subject.cell.inputs if q.kind == "index"}
    return name not in {q.name for q in subject.cell.constants} | indices


def refuses_nonsense(subject: Subject) -> Check:
    """Wrong shapes, dtypes and numbers that are not finite raise an error that names an argument."""
    what = "wrong arguments that raise no error naming an argument"
    extent = subject.extent("nonsense", steps=3)
    sample = subject.sample("nonsense", extent)
    params, xs, state = layout.arguments(sample)
    cases = [*_wrong_parameters(params, xs, state), *_wrong_inputs(subject, params, xs, state)]
    for name, value in state.items():
        cases.append(
            (f"state[{name!r}] of a wrong shape", (params, xs, {**state, name: value[..., None]}))
        )
        infinite = np.full_like(value, np.inf)
        cases.append((f"state[{name!r}] not finite", (params, xs, {**state, name: infinite})))
    accepted = tuple(name for name, case in cases if not _refused(subject, sample, case))
    return measured("refusals", what, extent, len(accepted), 0, where=accepted, unit="accepted")


Case = tuple[str, tuple[Arrays, list[Any], Arrays]]


def _wrong_parameters(params: Arrays, xs: list[Any], state: Arrays) -> Iterator[Case]:
    for name, value in params.items():
        told = f"params[{name!r}]"
        yield f"{told} not finite", ({**params, name: np.full_like(value, np.nan)}, xs, state)
        yield (
            f"{told} of a wrong shape",
            ({**params, name: np.ones((*np.shape(value), 2))}, xs, state),
        )
        if len(params) > 1:
            yield f"{told} missing", ({k: v for k, v in params.items() if k != name}, xs, state)
            yield (
                f"{told} of another dtype",
                ({**params, name: value.astype(np.float32)}, xs, state),
            )


def _wrong_inputs(subject: Subject, params: Arrays, xs: list[Any], state: Arrays) -> Iterator[Case]:
    for i, q in enumerate(subject.cell.inputs):
        wrong = {
            "of a wrong shape": xs[i][..., None],
            "of whole numbers": xs[i].astype(np.int64),
            "not finite": np.full_like(xs[i], np.nan),
        }
        if q.kind == "index":
            wrong = {
                "of a wrong shape": xs[i][..., None],
                "of real numbers": xs[i] + 0.5,
                "negative": xs[i] - 10**9,
            }
        for how, x in wrong.items():
            yield f"{q.name} {how}", (params, [*xs[:i], x, *xs[i + 1 :]], state)


def _refused(subject: Subject, sample: Sample, case: tuple[Arrays, list[Any], Arrays]) -> bool:
    params, xs, state = case
    names = [q.name for q in subject.cell.quantities]
    try:
        subject.code.module.forward(params, *xs, state, **layout.keywords(sample))
    except (ValueError, TypeError) as error:
        return any(name in str(error) for name in names)
    return False
