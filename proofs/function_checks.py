"""The check of every function of a file that gives values or gradients: what it may change, return and assume.

Other checks ask whether its numbers are right; this one asks for what holds of each function alike, so that none keeps
a promise only where forward and backward do.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np

from numeric.names import argument_names
from proofs.arithmetic import Array
from proofs.compare import ROUNDING, compare_runs
from proofs.contract_checks import same_bits
from proofs.network_checks import NetworkSubject
from proofs.network_layout import at_step
from proofs.network_special_checks import arguments as network_arguments
from proofs.samples import Arrays
from proofs.special_checks import arguments
from proofs.special_runs import Arguments
from proofs.stretch_checks import growing_squares
from proofs.subject import Subject
from proofs.table import Check, measured

NAME = "every function"
Call = Callable[[Arguments], Any]
First = Callable[[list[Array]], list[Array]]


def functions_of_cell(subject: Subject) -> Check:
    """Each function leaves its arguments, keeps their precision, and takes for what is left out what it says."""
    sample = subject.sample(NAME, subject.extent(NAME, steps=4))
    called = argument_names(subject.cell)
    given = arguments(sample)
    names = (called[q.name] for q in subject.cell.constants if q.value is not None)
    declared = {name: given.named[name] for name in names}
    return _row(subject.code.module, given, declared, sample.extent, own_loss=False)


def functions_of_network(subject: NetworkSubject) -> Check:
    """The same of a network's functions."""
    sample, loss = subject.sample(NAME), subject.network.loss
    given, module, extent = network_arguments(subject, sample), subject.code.module, sample.extent
    told = set(subject.network.axes.values())
    whole = {
        f"lengths_{a}": np.full_like(given.named[f"lengths_{a}"], extent.steps[a])
        for a in extent.lengths
        if a in told
    }
    first = lambda inputs: at_step(subject.network, inputs, 0)  # noqa: E731
    return _row(module, given, whole, extent, own_loss=loss is not None, first=first)


def _row(
    module: Any,
    given: Arguments,
    declared: dict[str, Any],
    extent: Any,
    *,
    own_loss: bool,
    first: First = lambda inputs: [x[0] for x in inputs],
) -> Check:
    what = (
        "arguments changed, results in another precision, defaults that are not zero or as declared"
    )
    calls = _calls(module, own_loss=own_loss, first=first)
    stateless = bool(given.inputs) and _goes_without_state(calls["forward"], given)
    wrong = [
        f"{name}: {told}"
        for name, call in calls.items()
        for told in (*_wrong(call, given), *_wrong_defaults(call, given, declared, stateless))
    ]
    for name in ("truncated_gradients", "real_time_gradients"):
        if name in calls:
            wrong += [f"{name}: {told}" for told in _wrong_gradients_left_out(calls[name], given)]
    found = tuple(dict.fromkeys(wrong))
    return measured(NAME, what, extent, len(found), 0, where=found, unit="wrong")


def _calls(module: Any, *, own_loss: bool, first: First) -> dict[str, Call]:
    """How each function of a file is called, by name; only those that the file defines.

    Args:
        module: a loaded file.
        own_loss: whether it states a loss, and so takes none.
        first: what of the inputs belongs to the first step.
    """
    loss = () if own_loss else (growing_squares,)

    def of_a_step(g: Arguments) -> Any:
        named = {k: v for k, v in g.named.items() if not k.startswith(("steps", "lengths_"))}
        return module.step(g.params, *first(g.inputs), g.state, **named)

    def truncated(g: Arguments) -> Any:
        cache = module.forward(g.params, *g.inputs, g.state, **g.named)[2]
        return module.truncated_gradients(g.params, cache, g.bars, g.ends, k1=1, k2=2)

    def in_real_time(g: Arguments) -> Any:
        return module.real_time_gradients(
            g.params, *g.inputs, g.bars, g.state, final_bar=g.ends, **g.named
        )

    calls: dict[str, Call] = {
        "forward": lambda g: g.run(module),
        "step": of_a_step,
        "value_and_grad": lambda g: module.value_and_grad(
            *loss, g.params, *g.inputs, g.state, **g.named
        ),
        "checkpointed_value_and_grad": lambda g: module.checkpointed_value_and_grad(
            *loss, g.params, *g.inputs, g.state, stretches=2, **g.named
        ),
        "truncated_gradients": truncated,
        "real_time_gradients": in_real_time,
        "Team": lambda g: g.run(module.Team(2)),
    }
    return {name: call for name, call in calls.items() if hasattr(module, name)}


def _goes_without_state(forward: Call, given: Arguments) -> bool:
    """Whether forward runs without a state; it may refuse to where the state alone tells the number of samples."""
    try:
        forward(replace(given, state=None))
    except (ValueError, TypeError) as error:
        return "state" not in str(error)
    return True


def _wrong(call: Call, given: Arguments) -> list[str]:
    """Arguments that one function changes, and results whose precision is not theirs."""
    before = copy.deepcopy(given)
    call(given)
    wrong = [
        f"changes {group}"
        for group in ("params", "inputs", "state", "named", "bars", "ends")
        if not same_bits(getattr(given, group), getattr(before, group))
    ]
    single = arrays_in(call(before.presented(_single)))
    return wrong + [f"{k} of a float32 run is {v.dtype}" for k, v in single.items() if _is_other(v)]


def _wrong_defaults(
    call: Call, given: Arguments, declared: dict[str, Any], stateless: bool
) -> list[str]:
    """What one function takes for a state or constants that are left out, if not zeros and what is declared."""
    wrong: list[str] = []
    if stateless and given.state:
        zeros = replace(given, state={k: 0 * v for k, v in given.state.items()})
        wrong += [f"{k} without a state" for k in _apart(call, replace(given, state=None), zeros)]
    if declared:
        rest = {k: v for k, v in given.named.items() if k not in declared}
        told, same = f"without {', '.join(declared)}", replace(given, named=given.named | declared)
        wrong += [f"{k} {told}" for k in _apart(call, replace(given, named=rest), same)]
    return wrong


def _wrong_gradients_left_out(call: Call, given: Arguments) -> list[str]:
    """What one function takes for gradients of outputs and final values that are left out, if not zeros."""
    first = dict(list(given.bars.items())[:1])
    none = {k: 0 * v for k, v in given.bars.items()}
    still = {k: 0 * v for k, v in (given.ends or {}).items()}
    some = _apart(call, replace(given, bars=first), replace(given, bars=none | first))
    ends = _apart(call, replace(given, ends=None), replace(given, ends=still))
    return [f"{k} of some outputs" for k in some] + [f"{k} without final_bar" for k in ends]


def _apart(call: Call, given: Arguments, same: Arguments) -> list[str]:
    """The results that differ though the arguments say the same."""
    found, true = (_results(call, arguments) for arguments in (given, same))
    if isinstance(found, str) or isinstance(true, str):
        return [] if found == true else [text for text in (found, true) if isinstance(text, str)]
    comparison = compare_runs(
        {(k, None): v for k, v in found.items()}, {(k, None): v for k, v in true.items()}
    )
    return [name for name, _ in comparison.wrong(ROUNDING)]


def _results(call: Call, given: Arguments) -> Arrays | str:
    """All that one function gives, or why it gives nothing."""
    try:
        return arrays_in(call(given))
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        return str(error)


def _single(array: Any) -> Any:
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _is_other(array: Any) -> bool:
    """Whether an array holds real numbers, and not in single precision; numbers of Python's have none."""
    return isinstance(array, np.ndarray | np.generic) and array.dtype != np.float32


def arrays_in(found: Any, path: str = "") -> Arrays:
    """All arrays of nested dicts and tuples, each by the way to it.

    Args:
        found: what a function returned.
        path: the way so far.
    """
    if isinstance(found, Mapping):
        parts = [(f"{path}[{k!r}]", v) for k, v in cast("Mapping[str, Any]", found).items()]
    elif isinstance(found, tuple | list):
        parts = [(f"{path}[{i}]", v) for i, v in enumerate(cast("list[Any]", found))]
    else:
        return {path: found}
    return {k: v for name, part in parts for k, v in arrays_in(part, name).items()}
