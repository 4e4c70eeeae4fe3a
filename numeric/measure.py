"""How much of a gradient arrives: the norm of ∂s_T/∂s_{T−k} against the lag k, in log scale.

Cotangents are pulled back through the derivation's equations and brought back to length one after every step,
their lengths kept as logarithms; so nothing underflows or overflows, whatever T is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from derive.cell import Cell
from derive.domains import domains_of
from derive.errors import ThroughtimeError
from derive.expressions import Block, Diag, leaves, operands
from numeric.forward_run import Run
from numeric.growth_law import Course, edges
from numeric.interpret import Array, compiled, shape_of
from numeric.namespace import Namespace
from numeric.slopes import Slopes
from numeric.tape import Joint, Pull

EXACT_UP_TO = 64
"""Joint states of at most this many entries are measured exactly, larger ones by random probes."""
PROBES = 32


class MeasureError(ThroughtimeError, ArithmeticError):
    """The cell's values left the floating-point numbers, so nothing can be measured."""


@dataclass(frozen=True, slots=True)
class Gains:
    """By what factor gradients change on their way back. All values are natural logarithms.

    The gain of a matrix P with N rows is ‖P‖_F / √N: the root mean square of what P does to a cotangent of length
    one with a random direction. It is 1 at lag 0.

    Args:
        size: N, the number of entries of the joint state.
        exact: whether every direction was pulled back; if not, random ones stand for them.
        joint: gain of ∂s_T/∂s_{T−k} by lag and sample.
        largest: its largest singular value by lag and sample; ``None`` unless exact.
        blocks: gain of ∂u_T/∂v_{T−k} for the states u and v, by (u, v); empty unless exact.
        paths: gain of ∏ ∂v_t/∂v_{t−1} along one state alone, where that block is diagonal, by state.
    """

    size: int
    exact: bool
    joint: Array
    largest: Array | None
    blocks: Mapping[tuple[str, str], Array]
    paths: Mapping[str, Array]

    @property
    def rates(self) -> Array:
        """The factor per step over the second half of the lags: its logarithm, by sample."""
        last = self.joint.shape[0] - 1
        middle = last // 2
        with np.errstate(invalid="ignore"):
            slope = (self.joint[last] - self.joint[middle]) / (last - middle)
        return np.where(np.isnan(slope), -np.inf, slope)

    @property
    def rate(self) -> float:
        """The same, median over the samples."""
        return float(np.median(self.rates))

    @property
    def course(self) -> Course:
        """The gain along the last nine tenths of the lags, median over the samples, wherever it is not zero."""
        last = self.joint.shape[0] - 1
        lags = edges(max(1, last // 10), last)
        logs = np.median(self.joint[lags], axis=1)
        alive = np.isfinite(logs)
        return Course(lags[alive].astype(float), logs[alive])


def gains(run: Run, *, lags: int | None = None, seed: int = 0) -> Gains:
    """Measure ∂s_T/∂s_{T−k} for k = 0 … lags.

    Args:
        run: the forward pass.
        lags: the largest lag; T if left out.
        seed: of the probes, where the joint state is too large to be measured exactly.

    Raises:
        MeasureError: a value of the run is not finite.
    """
    check_finite(run)
    shapes = {q.name: shape_of(q.symbol, run.sizes) for q in run.cell.states}
    depths = {q.name: q.depth for q in run.cell.states}
    size = sum(depths[name] * rows * cols for name, (rows, cols) in shapes.items())
    exact = size <= EXACT_UP_TO
    start = np.eye(size) if exact else np.random.default_rng(seed).standard_normal((PROBES, size))
    history = _History(run, start)
    pull, after = Pull(run), _split(start[None], shapes, depths)
    for lag in range((run.steps if lags is None else lags) + 1):
        after = history.record(after)
        if lag < run.steps:
            after, _ = pull.step(run.steps - lag, after)
    owner = np.repeat(list(depths), [depths[q] * np.prod(shapes[q]) for q in depths])
    return history.gains(size, owner if exact else None)


def check_finite(run: Run) -> None:
    """Refuse a run whose values left the floating-point numbers.

    Raises:
        MeasureError: some value is infinite or not a number.
    """
    timed = [*(q.name for q in run.cell.inputs), *(a.name for a in run.derivation.assignments)]
    given = [v for (_, t), v in run.values.items() if t is None or t < 1]
    if all(_finite(run.space, v) for v in (*given, *map(run.over_time, timed))):
        return
    name, step = next(place for place, v in run.values.items() if not _finite(run.space, v))
    when = f" at step {step} of the run" if step and step > 0 else " before the run's first step"
    raise not_finite(run.cell, f"{name} is not finite{when if step is not None else ''}")


def not_finite(cell: Cell, what: str) -> MeasureError:
    """The error of a run that left the floating-point numbers."""
    words = domains_of(cell).words()
    cause = (
        f"So that all has a value, {words}: `init NAME = 0.1` starts a parameter there."
        if words
        else "It divides by 0 or grows out of range."
    )
    return MeasureError(
        f"{cell.name} cannot be measured: {what}.",
        f"{cause} Vectors start at 0 unless the cell says otherwise, `init NAME = ones`, or the setting, "
        "`--set NAME=1`; `--inputs 0.3` and `--gain 0.5` make inputs and weights smaller.",
    )


def _finite(space: Namespace, value: Array) -> bool:
    return bool(space.xp.all(space.xp.isfinite(value)))


def _split(rows: Array, shapes: Mapping[str, tuple[int, int]], depths: Mapping[str, int]) -> Joint:
    """Vectors of the joint state, (…, N), as its parts."""
    found: Joint = {}
    start = 0
    for name, shape in shapes.items():
        found[name] = []
        for _ in range(depths[name]):
            stop = start + shape[0] * shape[1]
            found[name].append(rows[..., start:stop].reshape(*rows.shape[:-1], *shape))
            start = stop
    return found


class _History:
    """What was measured, lag by lag; keeps the cotangents at length one and their lengths as logarithms."""

    def __init__(self, run: Run, start: Array) -> None:
        self.run = run
        self.start = start
        self.samples = max(v.shape[0] for v in run.values.values())
        self.scale = np.zeros((self.samples, start.shape[0]))
        self.rows: list[dict[str, Array]] = []
        self.lengths: list[Array] = []
        self.largest: list[Array] = []

    def record(self, joint: Joint) -> Joint:
        """Note the lengths at one lag and return the cotangents at length one."""
        square = {name: _squares(parts[0]) for name, parts in joint.items()}
        whole = sum(_squares(part) for parts in joint.values() for part in parts)
        length = np.broadcast_to(np.sqrt(whole), self.scale.shape)
        with np.errstate(divide="ignore"):
            self.rows.append({name: 0.5 * np.log(s) + self.scale for name, s in square.items()})
            scale = self.scale + np.log(length)
        self.lengths.append(scale)
        safe = np.where(length > 0, length, 1.0)[..., None, None]
        joint = {name: [part / safe for part in parts] for name, parts in joint.items()}
        self.scale = np.where(length > 0, scale, 0.0)
        if self.start.shape[0] == self.start.shape[1]:
            self.largest.append(self._largest(joint, scale))
        return joint

    def _largest(self, joint: Joint, scale: Array) -> Array:
        """log ‖P‖₂ from the rows of P, whose common scale is taken out first."""
        flat = [part.reshape(*self.scale.shape, -1) for parts in joint.values() for part in parts]
        top = scale.max(axis=1, keepdims=True)
        top = np.where(np.isfinite(top), top, 0.0)
        matrix = np.concatenate(flat, axis=-1) * np.exp(scale - top)[..., None]
        with np.errstate(divide="ignore"):
            return np.log(np.linalg.norm(matrix, ord=2, axis=(-2, -1))) + top[:, 0]

    def gains(self, size: int, owner: Array | None) -> Gains:
        """The result; ``owner`` names the state to which each row belongs, if the rows are the unit vectors."""
        count = self.start.shape[0]
        spread = 0.0 if owner is not None else np.log(size) / 2  # a probe has length √N
        joint = _rms(np.stack(self.lengths), count) - spread
        blocks: dict[tuple[str, str], Array] = {}
        names = () if owner is None else tuple(self.rows[0])
        for u in names:
            mine = np.flatnonzero(owner == u)[
                : int(np.prod(shape_of(self.run.cell.quantity(u).symbol, self.run.sizes)))
            ]
            for v in names:
                blocks[u, v] = _rms(np.stack([row[v][:, mine] for row in self.rows]), len(mine))
        largest = np.stack(self.largest) if owner is not None else None
        paths = diagonal_paths(self.run, joint.shape[0] - 1)
        return Gains(size, owner is not None, joint, largest, blocks, paths)


def _squares(part: Array) -> Array:
    return (part * part).sum(axis=(-1, -2))


def _rms(logs: Array, count: int) -> Array:
    """log √(Σ exp(2 l) / count) over the last axis."""
    top = logs.max(axis=-1, keepdims=True)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return safe[..., 0] + 0.5 * np.log(np.exp(2 * (logs - safe)).sum(axis=-1) / count)


def diagonal_paths(run: Run, lags: int) -> dict[str, Array]:
    """The gain along one state alone, for states whose own block is diagonal, as an LSTM's c: ∏ diag(f)."""
    found: dict[str, Array] = {}
    slopes = Slopes(run.derivation)
    for block in run.derivation.jacobian:
        own = block.owner == block.block.by.name and block.block.by.lag == 1
        value = block.value
        if own and isinstance(value, Diag) and not any(isinstance(v, Block) for v in leaves(value)):
            program = compiled(slopes(operands(value)[0]), run.sizes)
            total, logs = np.zeros(1), list[Array]()
            for t in range(run.steps, run.steps - lags, -1):
                logs.append(total)
                with np.errstate(divide="ignore"):
                    total = total + np.log(np.abs(program(run.look(t))[:, 0, :, 0]))
            logs[0] = np.zeros_like(total)
            found[block.owner] = np.stack([_rms(log, log.shape[-1]) for log in [*logs, total]])
    return found
