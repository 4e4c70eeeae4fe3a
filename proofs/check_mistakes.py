"""The likely mistake: what a wrong gradient would be right for, and in which special case it becomes right.

Every blind spot of a gradient check is a diagnosis when it is visited on purpose: a gradient that is right for a
symmetric W lacks a transpose; one that is right for a diagonal W has its products in the wrong order; one that is right
for a single sample lacks a sum over samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np

from proofs.arithmetic import Array
from proofs.check_problem import Problem

Right = Callable[[Problem, str], bool]
CLOSE = 1e-6
SHORT = 6
"""Steps that are enough to see a mistake in."""
LARGEST = 400
"""Entries up to which the true gradient of a block is found entry by entry."""


def likely_mistakes(problem: Problem, wrong: list[str], right: Right) -> tuple[str, ...]:
    """In words, the likeliest first.

    Args:
        problem: where the gradient is wrong.
        wrong: the wrong blocks.
        right: whether a block is right in another problem.
    """
    names = list(dict.fromkeys(wrong))
    small = _shortened(problem, names, right)
    found = [text for name in names for text in _of_block(small, name)]
    found += _own_sum(small, names)
    found += _special_cases(small, names, right)
    return tuple(dict.fromkeys(found))


def _shortened(problem: Problem, wrong: list[str], right: Right) -> Problem:
    """The first steps alone, if they are as wrong as all of them."""
    if problem.steps <= SHORT:
        return problem
    short = problem.window(0, SHORT)
    try:
        return problem if any(right(short, name) for name in wrong) else short
    except Exception:  # noqa: BLE001 - code that takes no other length is looked at as it is
        return problem


def _own_sum(problem: Problem, wrong: list[str]) -> Iterator[str]:
    """A parameter's own sum is wrong where everything that goes back through time is right."""
    flows = [
        n
        for n in (*problem.states, *problem.blocks)
        if n in problem.states or n not in problem.params
    ]
    if not set(flows) & set(problem.claimed()) or set(flows) & set(wrong):
        return
    at_rest = problem.states and problem.time is not None
    first = problem.window(0, 1).at_rest if at_rest else None
    for name in wrong:
        if (
            first is not None
            and np.any(first.claimed().get(name))
            and not np.any(_true(first, name))
        ):
            yield f"{name}: not zero at the first step from a state of zero: a time index is off by one"
        yield f"{name}: what goes back through time is right; the terms of its own sum over time and samples are not"


def _of_block(problem: Problem, name: str) -> Iterator[str]:
    """What the claimed gradient of one block is instead of the true one."""
    claimed = problem.claimed().get(name)
    value = problem.blocks[name]
    if claimed is None:
        yield f"{name}: its path is dropped: there is no gradient of it at all"
        return
    if value.size > LARGEST:
        return
    true = {name: _true(problem, name)}
    if claimed.shape != value.shape:
        if claimed.shape == value.shape[::-1] and _close(claimed, true[name].T):
            yield f"{name}: it is transposed"
        return
    first = next(_readings(problem, name, claimed, true[name]), None)
    if first is not None:
        yield f"{name}: {first}"
        return
    for other, values in problem.blocks.items():
        if other != name and values.shape == value.shape and _close(claimed, _true(problem, other)):
            yield f"{name}: it is the gradient of {other}: two blocks are swapped"


def _readings(problem: Problem, name: str, claimed: Array, true: Array) -> Iterator[str]:
    """Simple transforms of the truth that give what is claimed."""
    if not np.any(claimed):
        yield "it is zero: its path is dropped"
    if _close(claimed, -true):
        yield "its sign is wrong"
    if true.ndim == 2 and true.shape[0] == true.shape[1] and _close(claimed, true.T):
        yield "it is transposed"
    yield from _factor(problem, claimed, true)
    if name not in problem.params and problem.time is not None:
        yield from _in_time(
            np.moveaxis(claimed, problem.time, 0), np.moveaxis(true, problem.time, 0)
        )
    elif true.ndim:
        yield from _chunks(claimed, true)


def _factor(problem: Problem, claimed: Array, true: Array) -> Iterator[str]:
    square = float(np.sum(true * true))
    ratio = float(np.sum(claimed * true)) / square if square else 0.0
    T, B = problem.steps, problem.samples
    names = (
        ("2", 2),
        ("1/2", 0.5),
        ("B", B),
        ("1/B", 1 / B),
        ("T", T),
        ("1/T", 1 / T),
        ("1/(T B)", 1 / (T * B)),
    )
    if ratio > 0 and abs(ratio - 1) > CLOSE and _close(claimed, ratio * true):
        known = " = ".join(text for text, value in names if abs(ratio / value - 1) < CLOSE)
        mean = "; a mean stands for a sum, or the other way round" if {*known} & {*"BT"} else ""
        yield f"it is {known or f'{ratio:.6g}'} times what it should be{mean}"


def _in_time(claimed: Array, true: Array) -> Iterator[str]:
    """Steps shifted, reversed or missing."""
    T = len(true)
    if T > 1 and _close(claimed[1:], true[:-1]):
        yield "each step has the gradient of the step before: a time index is off by one"
    if T > 1 and _close(claimed[:-1], true[1:]):
        yield "each step has the gradient of the step after: a time index is off by one"
    if T > 1 and _close(claimed, true[::-1]):
        yield "it is reversed in time"
    if T > 1 and not _close(claimed[-1], true[-1]) and _close(claimed[-1], -true[-1]):
        yield "at the last step its sign is wrong"
    empty = next((t for t in range(T) if np.any(claimed[t])), T)
    if 0 < empty < T and np.any(true[:empty]) and _close(claimed[empty:], true[empty:]):
        yield f"steps before t = {empty} get nothing: the sum over time is truncated"


def _chunks(claimed: Array, true: Array) -> Iterator[str]:
    """Rows of stacked gates in another order."""
    for parts in (2, 3, 4):
        if len(true) % parts or len(true) < parts:
            continue
        a, b = np.split(claimed, parts), np.split(true, parts)
        for order in permutations(range(parts)):
            if list(order) != list(range(parts)) and all(
                _close(a[i], b[j]) for i, j in enumerate(order)
            ):
                yield f"its {parts} gates are in the order {', '.join(map(str, order))}"
                return


def _special_cases(problem: Problem, wrong: list[str], right: Right) -> Iterator[str]:
    """Special cases in which a wrong gradient becomes right, and what that says; of a chain the least special."""
    for chain in _cases(problem):
        for text, other in chain:
            try:
                mended = [name for name in wrong if name in other.blocks and right(other, name)]
            except Exception:  # noqa: BLE001, S112 - a case that the code does not take says nothing
                continue
            if mended:
                yield f"{', '.join(mended)}: {text}"
                break


def _cases(problem: Problem) -> Iterator[list[tuple[str, Problem]]]:
    if problem.samples > 1:
        yield [
            (
                "right for a single sample: the sum over samples is missing or mixed up",
                problem.sample(0),
            )
        ]
    if problem.steps > 1:
        text = "right for a single step: wrong is what a step passes on to the one before, or the sum over time"
        yield [(text, problem.window(0, 1))]
    for name, w in problem.params.items():
        if w.ndim == 2 and w.shape[0] == w.shape[1] > 1 and name not in problem.states:
            yield [
                (
                    f"right if {name} is symmetric: {name} stands where its transpose belongs",
                    _with(problem, name, (w + w.T) / 2),
                ),
                (
                    f"right if {name} is diagonal: products with {name} are in the wrong order",
                    _with(problem, name, np.diag(np.diag(w))),
                ),
                (
                    f"right if {name} is zero: the path through {name} is wrong or dropped",
                    _with(problem, name, 0 * w),
                ),
            ]


def _with(problem: Problem, name: str, value: Array) -> Problem:
    return problem.changed({name: value})


def _true(problem: Problem, name: str) -> Array:
    shape = problem.blocks[name].shape
    gradient = np.zeros(shape)
    for place in np.ndindex(*shape):
        direction = np.zeros(shape)
        direction[place] = 1.0
        gradient[place] = problem.slope({name: direction}).value
    return gradient


def _close(a: Array, b: Array) -> bool:
    if np.shape(a) != np.shape(b):
        return False
    size = max(float(np.linalg.norm(a)), float(np.linalg.norm(b)))
    return float(np.linalg.norm(a - b)) <= CLOSE * size
