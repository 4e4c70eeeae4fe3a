"""Teams in generated files: threads that share out the samples of a run, each over a workspace of its own.

    outputs and gradients by inputs and states: those of the samples' own thread
    gradients by parameters: Σ over threads, as a sum over samples may be cut anywhere

No sample sees another, so threads meet only at the end of the forward and of the backward pass, where the threads of
a product meet at every step; and what a step does besides products is shared out too. A compiled loop holds no lock of
Python's, so that threads run side by side.
Source: the gradient of a sum over samples is the sum of gradients; D. E. Rumelhart et al., Learning internal
representations by error propagation (1986).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from numeric.buffers import aligned
from numeric.checks import read_only

Array = np.ndarray
Arrays = dict[str, Array]

NAME = "Team"


def _of_the_file(*_: object) -> tuple:
    raise NotImplementedError("every file has its own")


backward = _of_the_file


def at_once(pool: Any, work: Callable[[int], Any], cuts: list[slice]) -> list:
    """What work gives for each of the cuts, each in a thread of its own; this one takes the first."""

    def told(i: int) -> Any:
        try:
            return work(i)
        except (ValueError, TypeError) as error:
            error.add_note(f"This is of samples {cuts[i].start} to {cuts[i].stop - 1} alone.")
            raise

    others = [pool.submit(told, i) for i in range(1, len(cuts))]
    try:
        first = told(0)
    finally:
        for other in others:
            other.exception()
    return [first, *(other.result() for other in others)]


def labelled(
    what: str, arrays: Arrays | None, axes: dict[str, int]
) -> dict[str, tuple[Array, int]]:
    """What arrays are called in messages, each with the axis on which its samples lie."""
    if not isinstance(arrays, dict):
        return {}
    known = {name: array for name, array in arrays.items() if name in axes and array is not None}
    return {what.format(name): (array, axes[name]) for name, array in known.items()}


def samples_in(given: dict[str, tuple[Array, int]], B: int | None = None) -> int:
    """How many samples arrays have, each on its axis.

    Raises:
        ValueError: they have not the same number, or not this one.
    """
    for name, (array, axis) in given.items():
        shape = np.shape(array)
        if len(shape) > axis:
            B = shape[axis] if B is None else B
            if shape[axis] != B:
                raise ValueError(f"{name} has shape {shape}: expected {B} samples on axis {axis}")
    return B or 1


def share(
    what: str, arrays: Arrays | None, axes: dict[str, int], samples: slice, kept: dict
) -> Arrays | None:
    """These samples of every array, one after another in memory that is kept; what has no samples is for all."""
    if not isinstance(arrays, dict):
        return arrays
    found = dict(arrays)
    for name, axis in axes.items():
        if np.ndim(found.get(name)) > axis:
            part = np.asarray(found[name])[(slice(None),) * axis + (samples,)]
            if not part.flags.c_contiguous:
                key = what, name, part.shape, part.dtype
                if key not in kept:
                    kept[key] = aligned(part.shape, part.dtype)
                np.copyto(kept[key], part)
                part = kept[key]
            found[name] = part
    return found


def put_share(whole: Arrays, parts: Arrays, axes: dict[str, int], samples: slice, B: int) -> None:
    """Puts a thread's samples where they belong in the arrays for all, which the first that asks makes."""
    for name, part in parts.items():
        axis = axes[name]
        if name not in whole:
            shape = (*part.shape[:axis], B, *part.shape[axis + 1 :])
            whole.setdefault(name, aligned(shape, part.dtype))
        whole[name][(slice(None),) * axis + (samples,)] = part


def joined(parts: list[Arrays], axes: dict[str, int]) -> Arrays:
    """The samples of all threads, in new arrays."""
    return {name: np.concatenate([p[name] for p in parts], axes[name]) for name in parts[0]}


def added(parts: list[Arrays], whole: Arrays) -> Arrays:
    """The sums of the threads' gradients, added in the order of the samples."""
    for name, first in parts[0].items():
        total = whole.setdefault(name, np.empty_like(first))
        np.copyto(total, first)
        for part in parts[1:]:
            total += part[name]
    return {name: whole[name] for name in parts[0]}


def forward_by(
    team: Any,
    run: Callable[[Arrays, Arrays | None, object], tuple[Arrays, Arrays, dict]],
    params: Arrays,
    given: Arrays,
    state: Arrays | None,
) -> tuple[Arrays, Arrays, dict]:
    """The forward pass of a team: each thread runs its samples, and their outputs are joined."""
    found = labelled("{}", given, team.inputs) | labelled("state['{}']", state, team.states)
    B = samples_in(found)
    count = min(B, team.threads)
    cuts = [slice(i * B // count, (i + 1) * B // count) for i in range(count)]
    of = [(n, np.shape(a), np.asarray(a).dtype) for n, a in [*dict(params).items(), *given.items()]]
    if team.sizes != (B, of):
        team.sizes, team.workspaces, team.whole = (B, of), {}, ({}, {}, {})
        team.parts = [{} for _ in cuts]

    def run_share(i: int) -> tuple[Arrays, Arrays, dict]:
        inputs = share("inputs", given, team.inputs, cuts[i], team.parts[i])
        before = share("state", state, team.states, cuts[i], team.parts[i])
        outputs, final, cache = run(inputs, before, team.workspaces.get(i))
        team.workspaces[i] = cache["workspace"]
        put_share(team.whole[0], outputs, dict.fromkeys(outputs, 1), cuts[i], B)
        return outputs, final, cache

    done = at_once(team.pool, run_share, cuts)
    outputs = read_only({name: team.whole[0][name] for name in done[0][0]})
    final = joined([final for _, final, _ in done], team.states)
    return outputs, final, {"samples": cuts, "threads": [cache for *_, cache in done]}


def backward_by(
    team: Any, params: Arrays, cache: dict, outputs_bar: Arrays, final_bar: Arrays | None
) -> tuple[Arrays, Arrays, Arrays]:
    """The backward pass of a team: each thread goes back over its samples, and the parameters' gradients are added."""
    if "threads" not in cache:
        raise ValueError("the cache is none of a team's: expected what its forward returned last")
    cuts, caches = cache["samples"], cache["threads"]
    B, axes = cuts[-1].stop, dict.fromkeys(outputs_bar or (), 1)
    found = labelled("outputs_bar['{}']", outputs_bar, axes)
    samples_in(found | labelled("final_bar['{}']", final_bar, team.states), B)

    def run_share(i: int) -> tuple[Arrays, Arrays, Arrays]:
        by_outputs = share("outputs_bar", outputs_bar, axes, cuts[i], team.parts[i])
        by_final = share("final_bar", final_bar, team.states, cuts[i], team.parts[i])
        gradients = backward(params, caches[i], by_outputs, by_final)
        put_share(team.whole[1], gradients[1], team.inputs, cuts[i], B)
        return gradients

    done = at_once(team.pool, run_share, cuts)
    params_bar = added([by_params for by_params, _, _ in done], team.whole[2])
    inputs_bar = {name: team.whole[1][name] for name in done[0][1]}
    return params_bar, inputs_bar, joined([by_state for *_, by_state in done], team.states)


NAMES = (
    "at_once", "labelled", "samples_in", "share", "put_share", "joined", "added", "forward_by", "backward_by",
)  # fmt: skip
