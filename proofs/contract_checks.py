"""The checks of what a generated file promises besides its gradients: purity, safe values, refusals."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import numpy as np

from numeric.inside import kept_inside
from proofs import layout
from proofs.dual import Dual, Pair
from proofs.floats import Floats
from proofs.samples import Arrays, Sample, draw, reference
from proofs.subject import Subject
from proofs.table import Check, measured, not_applicable


def leaves_alone(subject: Subject) -> Check:
    """Arguments and results stay as they were, and whatever is done with results a cache gives the same gradients."""
    what = "arguments or results changed, or gradients that differ when asked for again"
    extent = subject.extent("repeated", steps=4)
    sample, other = subject.sample("repeated", extent), subject.sample("repeated, other", extent)
    module, consts = subject.code.module, layout.keywords(sample)
    readers = (layout.parameters, layout.inputs, layout.state, layout.outputs_bar, layout.final_bar)
    params, xs, state, bars, ends = arguments = [f(sample, np.float64) for f in readers]
    wrong = run_twice(
        lambda: module.forward(params, *xs, state, **consts),
        lambda cache, bars, ends: module.backward(params, cache, bars, ends),
        (bars, ends),
        dict(zip(_NAMES, arguments, strict=True)),
        lambda: subject.code.gradient(other),
    )
    return measured("left alone", what, extent, len(wrong), 0, where=tuple(wrong), unit="wrong")


def run_twice(
    forward: Callable[[], Any],
    backward: Callable[[Any, Arrays, Arrays], Any],
    bars: tuple[Arrays, Arrays],
    arguments: dict[str, Any],
    meanwhile: Callable[[], object],
) -> list[str]:
    """What changes that nobody may change, in words.

    Args:
        forward: runs the file forward on the arguments.
        backward: runs it backward, from a cache, the outputs' gradients and the final values'.
        bars: these gradients.
        arguments: all that is given to both, by the names in messages.
        meanwhile: another run of the same sizes.
    """
    before = copy.deepcopy(arguments)
    outputs, final, cache = forward()
    seen, held = copy.deepcopy((outputs, final)), _held(cache)
    gradients = backward(cache, *bars)
    first = copy.deepcopy(gradients)
    meanwhile()
    backward(cache, *({k: 2.0 * v for k, v in part.items()} for part in bars))
    wrong = ["gradients handed out, by later runs"] * (not same_bits(first, gradients))
    wrong += ["outputs handed out, by later runs"] * (not same_bits(seen, (outputs, final)))
    wrong += ["the cache, by backward"] * (not same_bits(held, _held(cache)))
    _overwrite(final)
    wrong += ["outputs, by a change to final"] * (not same_bits(seen[0], outputs))
    for part in (outputs, *gradients):
        _overwrite(part)  # what the caller does with results is the caller's affair
    wrong += ["gradients, two of which share memory"] * any(
        not same_bits(a, first[i][k] + 1.0)
        for i, part in enumerate(gradients)
        for k, a in part.items()
        if isinstance(a, np.ndarray) and a.flags.writeable
    )
    again, repeated = backward(cache, *bars), forward()[:2]
    wrong += [name for name, a in arguments.items() if not same_bits(a, before[name])]
    wrong += ["gradients of the second call, after other runs and a change to all results"] * (
        not same_bits(first, again)
    )
    wrong += ["outputs of the second call"] * (not same_bits(seen, repeated))
    return wrong


def _held(cache: Any) -> dict[str, Any]:
    """What a cache holds by name: arrays and numbers as they are now, of all else only that it is there."""
    items = cast("dict[str, Any]", cache).items() if isinstance(cache, dict) else ()
    plain = (int, float, np.ndarray)
    return {k: copy.deepcopy(v) if isinstance(v, plain) else None for k, v in items}


def _overwrite(arrays: Arrays) -> None:
    """Changes every array that lets itself be changed; views of what a file needs again must be read-only."""
    for array in arrays.values():
        if isinstance(array, np.ndarray) and array.flags.writeable:
            array += 1.0


_NAMES = ("params", "inputs", "state", "outputs_bar", "final_bar")


def same_bits(a: Any, b: Any) -> bool:
    """Equal bit by bit."""
    if isinstance(a, dict):
        left, right = cast("dict[str, Any]", a), cast("dict[str, Any]", b)
        return left.keys() == right.keys() and all(same_bits(left[k], right[k]) for k in left)
    if isinstance(a, list | tuple):
        left, right = cast("list[Any]", a), cast("list[Any]", b)
        return len(left) == len(right) and all(map(same_bits, left, right))
    return bool(np.array_equal(a, b))


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
    return sample.with_values(kept_inside(subject.domains.of, steps, sample.values))


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
    """Wrong names, shapes, dtypes and numbers that are not finite raise an error that names an argument."""
    what = "wrong arguments that raise no error naming an argument"
    extent = subject.extent("nonsense", steps=3)
    sample = subject.sample("nonsense", extent)
    module, named = subject.code.module, layout.keywords(sample)
    params, xs, state = layout.arguments(sample)
    cases = [*_wrong_parameters(params, xs, state), *_wrong_inputs(sample, params, xs, state)]
    alone = not params and not xs and len(state) == 1  # then it is the state that tells the dtype
    cases += [
        (told, (params, xs, wrong))
        for told, wrong in wrong_group("state", state)
        if not (alone and told.endswith("another dtype"))
    ]
    bars, ends = layout.outputs_bar(sample, np.float64), layout.final_bar(sample, np.float64)
    runs: list[tuple[str, Callable[[], object]]] = [
        (told, lambda p=p, x=x, s=s: module.forward(p, *x, s, **named)) for told, (p, x, s) in cases
    ]
    *_, cache = module.forward(params, *xs, state, **named)
    for told, wrong in wrong_group("outputs_bar", bars):
        runs.append((told, lambda w=wrong: module.backward(params, cache, w, ends)))
    for told, wrong in wrong_group("final_bar", ends):
        runs.append((told, lambda w=wrong: module.backward(params, cache, bars, w)))
    runs += _of_additions(module, (params, xs, state, bars, ends), named, cases)
    names = [q.name for q in subject.cell.quantities]
    accepted = tuple(name for name, run in runs if not refused(run, names))
    return measured("refusals", what, extent, len(accepted), 0, where=accepted, unit="accepted")


Case = tuple[str, tuple[Arrays, list[Any], Arrays]]


def _of_additions(
    module: Any,
    right: tuple[Arrays, list[Any], Arrays, Arrays, Arrays],
    named: dict[str, Any],
    cases: list[Case],
) -> Iterator[tuple[str, Callable[[], object]]]:
    """The same nonsense given to truncated and real-time gradients, if the file has them."""
    params, xs, state, bars, ends = right
    *_, cache = module.forward(params, *xs, state, **named)
    in_time = getattr(module, "real_time_gradients", None)
    in_windows = getattr(module, "truncated_gradients", None)
    wrong = [(told, w, ends) for told, w in wrong_group("outputs_bar", bars)]
    wrong += [(told, bars, w) for told, w in wrong_group("final_bar", ends)]
    if in_time:
        for told, (p, x, s) in cases:
            yield (
                f"{told}, in real time",
                partial(in_time, p, *x, bars, s, final_bar=ends, **named),
            )
        for told, b, e in wrong:
            yield (
                f"{told}, in real time",
                partial(in_time, params, *xs, b, state, final_bar=e, **named),
            )
    for told, b, e in wrong if in_windows else ():
        yield f"{told}, in windows", partial(in_windows, params, cache, b, e, k1=1, k2=2)


def wrong_group(what: str, group: Arrays) -> Iterator[tuple[str, Arrays]]:
    """Arrays by name, one of them wrong.

    Args:
        what: they are called in messages.
        group: the right ones.
    """
    for name, value in group.items():
        told = f"{what}[{name!r}]"
        yield f"{told} of a wrong shape", {**group, name: value[..., None]}
        yield f"{told} without its first axis", {**group, name: value[0]}
        yield f"{told} not finite", {**group, name: np.full_like(value, np.inf)}
        yield f"{told} of another dtype", {**group, name: value.astype(np.float32)}
    if group:
        yield f"{what} of nobody", {**group, "nobody": next(iter(group.values()))}


def refused(run: Callable[[], object], names: list[str]) -> bool:
    """Whether a run raises an error that names an argument.

    Args:
        run: a call with wrong arguments.
        names: one of which the message must hold.
    """
    try:
        run()
    except (ValueError, TypeError) as error:
        return any(name in str(error) for name in names)
    except (LookupError, ArithmeticError, AttributeError):
        return False
    return False


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
    if params:
        yield "params of nobody", ({**params, "nobody": next(iter(params.values()))}, xs, state)


def _wrong_inputs(sample: Sample, params: Arrays, xs: list[Any], state: Arrays) -> Iterator[Case]:
    for i, q in enumerate(sample.cell.inputs):
        wrong = {"of a wrong shape": xs[i][..., None]}
        if q.kind == "index":
            rows = layout.shape_of(sample.extent, q)[0]
            wrong |= {"of real numbers": xs[i] + 0.5}
            wrong |= {f"of {k}": np.full_like(xs[i], k) for k in (-(10**9), -1, rows)}
        else:
            wrong["of whole numbers"] = xs[i].astype(np.int64)
            wrong["not finite"] = np.full_like(xs[i], np.nan)
        for how, x in wrong.items():
            yield f"{q.name} {how}", (params, [*xs[:i], x, *xs[i + 1 :]], state)
