"""Is this gradient right? For anyone's code: a loss, a gradient of it, and a verdict that names what is wrong.

    verdict = check(loss, gradient, {"W": W, "U": U, "b": b}, x)
    print(verdict)

The loss decides. Where the trajectory is so sensitive that rounding alone changes the gradient, differences over the
whole sequence mean nothing; then stretches are judged that are short enough, and the verdict says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from derive.errors import ArgumentError
from proofs.arithmetic import Array
from proofs.check_mistakes import likely_mistakes
from proofs.check_problem import Problem

Status = Literal["right", "wrong", "inconclusive"]
TOO_SENSITIVE = 1e-5
"""Relative change of a gradient by rounding beyond which its comparison says little."""
ENTRIES = 600
"""Entries of a block up to which each is differentiated; beyond, random directions are."""
DIRECTIONS = 4
LOOKS = 32
"""Steps at which an input's gradient is looked at, where every look costs many runs of the loss."""


@dataclass(frozen=True, slots=True)
class BlockVerdict:
    """What was found about the gradient of one block.

    Args:
        name: the parameter's name, or ``input 0``, ``input 1``, …
        status: right, wrong, or inconclusive.
        error: relative error in norm; infinite for a wrong shape or a missing block.
        bound: what it may be.
        times: for an input, the steps (from 0) at which it is wrong.
        note: what else there is to say.
    """

    name: str
    status: Status
    error: float
    bound: float
    times: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class GradientVerdict:
    """Whether a gradient is right.

    Args:
        blocks: one verdict per block and stretch.
        method: how the truth was found.
        sensitivity: relative change of the claimed gradient when parameters change by one rounding.
        mistakes: what the likely mistake is, the likeliest first.
    """

    blocks: tuple[BlockVerdict, ...]
    method: str
    sensitivity: float
    mistakes: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """Wrong if any block is; right if every block is."""
        found = {b.status for b in self.blocks}
        return "wrong" if "wrong" in found else "right" if found == {"right"} else "inconclusive"

    @property
    def ok(self) -> bool:
        """Whether every block was compared and is right."""
        return self.status == "right"

    @property
    def wrong(self) -> tuple[str, ...]:
        """The names of the wrong blocks."""
        return tuple(dict.fromkeys(b.name for b in self.blocks if b.status == "wrong"))

    def __str__(self) -> str:
        lines = [f"{self.status}; {self.method}"]
        for b in self.blocks:
            at = f" at t = {_spans(b.times)}" if b.times else ""
            tail = f"; {b.note}" if b.note else ""
            lines.append(
                f"  {b.name:<12} {b.status}{at}: error {b.error:.1e}, bound {b.bound:.1e}{tail}"
            )
        return "\n".join([*lines, *(f"  likely: {m}" for m in self.mistakes)])


def check(
    f: Callable[..., Any],
    grad: Callable[..., Any],
    params: Mapping[str, Any],
    *inputs: Any,
    time_axis: int | None = 0,
    batch_axis: int | None = 1,
    states: Sequence[str] = (),
    tolerance: float = 1e-6,
    seed: int = 0,
) -> GradientVerdict:
    """Judges a gradient, block by block, against the loss that it claims to be the gradient of.

    Args:
        f: f(params, *inputs), the loss: one number. It should compute in double precision, and be smooth here.
        grad: grad(params, *inputs): a dict of gradients by the names in params, or a pair of that dict and the
            inputs' gradients (a list, or ``None`` for those not given).
        params: arrays by name; initial states may be among them.
        inputs: arrays, usually (T, B, features).
        time_axis: the inputs' axis of time, ``None`` if they have none.
        batch_axis: the inputs' axis of samples, ``None`` if they have none.
        states: names of the params that are initial states, with the samples along their first axis; it helps to say
            what the mistake is.
        tolerance: relative error in norm from which a block is wrong.
        seed: of the random directions.

    Returns:
        The verdict. It is never "wrong" where the truth is not known well enough: that is "inconclusive".

    Raises:
        ArgumentError: the loss is no finite number, or the gradient no dict.
    """
    rng = np.random.default_rng(seed)
    blocks = {str(n): np.array(v, dtype=float) for n, v in params.items()}
    arrays = tuple(np.array(x, dtype=float) for x in inputs)
    problem = Problem(f, grad, blocks, arrays, time_axis, batch_axis, tuple(states))
    if not np.isfinite(problem.at(problem.blocks)):
        raise ArgumentError(
            "The loss is not finite here.", "Give parameters and inputs at which it is."
        )
    problem = replace(problem, holomorphic=problem.admits_complex(rng))
    sensitivity = _sensitivity(problem, rng)
    judged, verdicts, note = _judged(problem, sensitivity, tolerance, rng)
    method = ("complex steps" if problem.holomorphic else "extrapolated differences") + note
    wrong = [b.name for b in verdicts if b.status == "wrong"]
    mistakes = likely_mistakes(judged, wrong, _is_right(tolerance, rng)) if wrong else ()
    return GradientVerdict(verdicts, method, sensitivity, mistakes)


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


def _spans(times: tuple[int, ...]) -> str:
    """0, 1, 2, 5 as 0–2, 5."""
    spans: list[list[int]] = []
    for t in times:
        if spans and t == spans[-1][-1] + 1:
            spans[-1] = [spans[-1][0], t]
        else:
            spans.append([t])
    return ", ".join("–".join(map(str, s)) for s in spans)
