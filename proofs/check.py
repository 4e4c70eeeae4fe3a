"""Is this gradient right? For anyone's code: a loss, a gradient of it, and a verdict that names what is wrong.

    verdict = check(loss, gradient, {"W": W, "U": U, "b": b}, x)
    print(verdict)

The loss decides. Where the trajectory is so sensitive that rounding alone changes the gradient, differences over the
whole sequence mean nothing; then stretches are judged that are short enough, and the verdict says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from derive.errors import ArgumentError
from proofs.arithmetic import Array
from proofs.check_mistakes import likely_mistakes
from proofs.check_problem import Problem, as_input
from proofs.check_verdict import ELSEWHERE, BlockVerdict, GradientVerdict, Status

TOO_SENSITIVE = 1e-5
"""Relative change of a gradient by rounding beyond which its comparison says little."""
ENTRIES = 600
"""Entries of a block up to which each is differentiated; beyond, random directions are."""
DIRECTIONS = 4
LOOKS = 32
"""Steps at which an input's gradient is looked at, where every look costs many runs of the loss."""


def check(
    f: Callable[..., Any],
    grad: Callable[..., Any],
    params: Mapping[str, Any],
    *inputs: Any,
    time_axis: int | None = 0,
    batch_axis: int | None = 1,
    states: Sequence[str] = (),
    elsewhere: bool = True,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> GradientVerdict:
    """Judges a gradient, block by block, against the loss that it claims to be the gradient of.

    A gradient that is right here is looked at once more where every parameter and input has changed: a missing
    transpose is right where W is symmetric, a wrong order where it is diagonal, a truncated sum nearly so where weights
    are small. (It is right where n = 1, too, and there it stays: give sizes that differ.)

    Args:
        f: ``f(params, *inputs)``, the loss: one number. It should compute in double precision, and be smooth here.
        grad: ``grad(params, *inputs)``: a dict of gradients by the names in params, or a pair of that dict and the
            inputs' gradients (a list, or ``None`` for those not given).
        params: arrays by name; initial states may be among them.
        inputs: arrays, usually (T, B, features). By whole numbers and truth values, as indices and masks are, nothing
            is differentiated.
        time_axis: the inputs' axis of time, ``None`` if they have none.
        batch_axis: the inputs' axis of samples, ``None`` if they have none.
        states: names of the params that are initial states, with the samples along their first axis; it helps to say
            what the mistake is.
        elsewhere: whether to look at other values too, each moved by half of what its block's entries or usual weights
            measure. Turn it off where the loss has a meaning at the given values only.
        tolerance: relative error in norm from which a block is wrong.
        seed: of the random directions.

    Returns:
        The verdict, true if the gradient is right. It is never "wrong" where the truth is not known well enough: that
        is "inconclusive".

    Raises:
        ArgumentError: the loss is no finite number, or the gradient no dict.
    """
    rng = np.random.default_rng(seed)
    blocks = {str(n): np.array(v, dtype=float) for n, v in params.items()}
    problem = Problem(
        f, grad, blocks, tuple(map(as_input, inputs)), time_axis, batch_axis, tuple(states)
    )
    if not np.isfinite(problem.at(problem.blocks)):
        raise ArgumentError(
            "The loss is not finite here.", "Give parameters and inputs at which it is."
        )
    problem = replace(problem, holomorphic=problem.admits_complex(rng))
    sensitivity = _sensitivity(problem, rng)
    judged, verdicts, note = _judged(problem, sensitivity, tolerance, rng)
    if elsewhere and {b.status for b in verdicts} == {"right"}:
        judged, verdicts, more = _elsewhere(problem, verdicts, tolerance, rng) or (
            judged,
            verdicts,
            "",
        )
        note += more
    method = ("complex steps" if problem.holomorphic else "extrapolated differences") + note
    wrong = [b.name for b in verdicts if b.status == "wrong"]
    mistakes = likely_mistakes(judged, wrong, _is_right(tolerance, rng)) if wrong else ()
    return GradientVerdict(verdicts, method, sensitivity, mistakes)


def _elsewhere(
    here: Problem, verdicts: tuple[BlockVerdict, ...], tolerance: float, rng: np.random.Generator
) -> tuple[Problem, tuple[BlockVerdict, ...], str] | None:
    """The same question at other values; nothing is found where the loss or the gradient cannot be computed."""
    try:
        problem = here.elsewhere(rng)
        problem = replace(problem, holomorphic=problem.admits_complex(rng))
        if not np.isfinite(problem.at(problem.blocks)):
            return None
        judged, found, _ = _judged(problem, _sensitivity(problem, rng), tolerance, rng)
    except Exception:  # noqa: BLE001 - the loss need have no meaning but where it was given
        return None
    wrong = tuple(replace(b, note=ELSEWHERE) for b in found if b.status == "wrong")
    if wrong:
        return judged, (*verdicts, *wrong), f"; right here, wrong {ELSEWHERE}"
    right = {b.status for b in found} == {"right"}
    return (here, verdicts, f"; {ELSEWHERE} too") if right else None


def _sensitivity(problem: Problem, rng: np.random.Generator) -> float:
    """By how much gradients, claimed and true, change in norm when every parameter changes by a few roundings."""
    direction = {n: rng.standard_normal(v.shape) for n, v in problem.blocks.items()}
    here, slope = problem.claimed(), _slope(problem, direction)
    worst = 0.0
    for _ in range(2):
        nudge = {
            n: v * (1 + 4e-16 * rng.choice((-1.0, 1.0), v.shape)) for n, v in problem.params.items()
        }
        nudged = problem.changed(nudge)
        there = nudged.claimed()
        pairs = [(there.get(n, v), v) for n, v in here.items()]
        for a, b in (*pairs, (_slope(nudged, direction), slope)):
            size = float(np.linalg.norm(b))
            if size and np.shape(a) == np.shape(b):
                worst = max(worst, float(np.linalg.norm(a - b)) / size)
    return worst if np.isfinite(worst) else np.inf


def _slope(problem: Problem, direction: Mapping[str, Array]) -> Array:
    """A true slope where a complex step finds it; differences estimate their own error."""
    return np.array(problem.slope(direction).value if problem.holomorphic else 0.0)


def _judged(
    problem: Problem, sensitivity: float, tolerance: float, rng: np.random.Generator
) -> tuple[Problem, tuple[BlockVerdict, ...], str]:
    """Verdicts over all steps; or over stretches, ever shorter ones until rounding does not decide."""
    whole = length = problem.steps
    verdicts: tuple[BlockVerdict, ...] = ()
    if sensitivity < TOO_SENSITIVE:
        verdicts = tuple(_blocks(problem, tolerance, rng))
        if all(b.status != "inconclusive" for b in verdicts):
            return problem, verdicts, ""
    while problem.time is not None and length >= 4:
        length //= 2
        starts = dict.fromkeys((0, (whole - length) // 2, whole - length))
        parts = [problem.window(s, s + length) for s in starts]
        try:
            if any(_sensitivity(p, rng) >= TOO_SENSITIVE for p in parts):
                continue
            found = [tuple(_blocks(p, tolerance, rng)) for p in parts]
        except Exception:  # noqa: BLE001 - code that takes no other length is judged as it is
            break
        if all(b.status != "inconclusive" for verdict in found for b in verdict):
            wrong = [
                p for p, v in zip(parts, found, strict=True) if any(b.status == "wrong" for b in v)
            ]
            note = f", over {len(parts)} stretches of {length} of {whole} steps: over all, rounding decides"
            return (wrong or parts)[0], tuple(b for v in found for b in v), note
    last = verdicts or tuple(_blocks(problem, tolerance, rng))
    return problem, last, ", over all steps, where rounding decides"


def _blocks(
    problem: Problem, tolerance: float, rng: np.random.Generator, only: str = ""
) -> Iterator[BlockVerdict]:
    """One verdict per block that has a claimed gradient, or ought to have one."""
    claimed = problem.claimed()
    noise = 30 * _sensitivity(problem, rng)
    for name, value in problem.blocks.items():
        if only not in ("", name):
            continue
        if name not in claimed:
            if name in problem.params:
                yield BlockVerdict(
                    name, "wrong", np.inf, tolerance, note="there is no gradient of this name"
                )
            continue
        if claimed[name].shape != value.shape:
            note = f"its shape is {claimed[name].shape}; {name} has {value.shape}"
            yield BlockVerdict(name, "wrong", np.inf, tolerance, note=note)
            continue
        yield _block(problem, name, claimed[name], tolerance + noise, rng)


def _block(
    problem: Problem, name: str, claimed: Array, bound: float, rng: np.random.Generator
) -> BlockVerdict:
    """One block: an input step by step, anything else as a whole."""
    axis = problem.time
    if name in problem.params or axis is None or claimed.ndim <= axis:
        error, doubt = _error(problem, name, claimed, np.ones(claimed.shape, bool), rng)
        return BlockVerdict(name, _status(error, doubt, bound), error, bound + doubt)
    times: list[int] = []
    worst, doubts = 0.0, 0.0
    for t in _looked_at(problem, claimed.shape[axis]):
        here = np.zeros(claimed.shape, bool)
        here[(slice(None),) * axis + (t,)] = True
        error, doubt = _error(problem, name, claimed, here, rng)
        worst, doubts = max(worst, error), max(doubts, doubt)
        if _status(error, doubt, bound) == "wrong":
            times.append(t)
    status = "wrong" if times else _status(worst, doubts, bound)
    return BlockVerdict(name, status, worst, bound + doubts, tuple(times))


def _looked_at(problem: Problem, steps: int) -> list[int]:
    if problem.holomorphic or steps <= LOOKS:
        return list(range(steps))
    return sorted({int(t) for t in np.linspace(0, steps - 1, LOOKS)})


def _status(error: float, doubt: float, bound: float) -> Status:
    if doubt > max(0.1, bound) or not np.isfinite(doubt) or bound > 0.1:
        return "inconclusive"
    return "wrong" if not error <= bound + doubt else "right"


def _error(
    problem: Problem, name: str, claimed: Array, here: Array, rng: np.random.Generator
) -> tuple[float, float]:
    """Relative error of a part of a block, and how far the truth itself may be off."""
    places = np.argwhere(here)
    exactly = here.size <= ENTRIES and problem.holomorphic
    directions = [_entry(here.shape, tuple(p)) for p in places] if exactly else _random(here, rng)
    slopes = [problem.slope({name: d}) for d in directions]
    found = np.array([float(np.sum(claimed * d)) for d in directions])
    true, doubt = np.array([s.value for s in slopes]), np.array([s.error for s in slopes])
    size = max(float(np.linalg.norm(true)), float(np.linalg.norm(found)))
    if size == 0.0:
        return 0.0, 0.0
    return float(np.linalg.norm(found - true)) / size, float(np.linalg.norm(doubt)) / size


def _entry(shape: tuple[int, ...], place: tuple[int, ...]) -> Array:
    direction = np.zeros(shape)
    direction[place] = 1.0
    return direction


def _random(here: Array, rng: np.random.Generator) -> list[Array]:
    """Random unit directions within a part of a block."""
    drawn = [rng.standard_normal(here.shape) * here for _ in range(DIRECTIONS)]
    return [d / np.linalg.norm(d) for d in drawn]


def _is_right(tolerance: float, rng: np.random.Generator) -> Callable[[Problem, str], bool]:
    """Whether a block's gradient is right in a problem, for those who vary the problem."""

    def right(problem: Problem, name: str) -> bool:
        return all(b.status == "right" for b in _blocks(problem, tolerance, rng, name))

    return right
