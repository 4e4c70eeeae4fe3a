"""A cell run forward over arrays, one step after the other, every value kept.

What parameters and inputs alone make is computed for all steps at once: the recurrence has to wait only for the states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, reduce
from operator import add
from typing import Any

from sympy.matrices.expressions import (  # pyright: ignore[reportMissingTypeStubs] - it ships none
    MatAdd,
    MatMul,
)

from derive.cell import Cell
from derive.derivation import Derivation
from derive.expressions import Timed, leaves
from numeric.interpret import Array, Look, Program, Sizes, compiled, shape_of
from numeric.namespace import NUMPY, Namespace


@dataclass(frozen=True, slots=True)
class Run:
    """A forward pass.

    Args:
        derivation: of the cell that ran.
        sizes: the size of every dimension.
        steps: T.
        values: parameters and constants by (name, None); everything else by (name, step), also at the steps before
            the first; arrays of shape (samples, 1, rows, columns).
        space: the namespace of the values.
    """

    derivation: Derivation
    sizes: Sizes
    steps: int
    values: dict[tuple[str, int | None], Array]
    space: Namespace = NUMPY
    _over_time: dict[str, Array] = field(
        default_factory=dict[str, Array], init=False, repr=False, compare=False
    )

    @property
    def cell(self) -> Cell:
        """The cell."""
        return self.derivation.cell

    def look(self, t: int) -> Look:
        """The primal values at step t."""
        values = self.values

        def look(leaf: Any) -> Array:
            name, lag = _place(leaf)
            return values[name, None if lag is None else t - lag]

        return look

    def over_time(self, name: str) -> Array:
        """What has a time at all steps from 1 to T, (T, samples, 1, rows, columns)."""
        if name not in self._over_time:
            every = [self.values[name, t] for t in range(1, self.steps + 1)]
            shape, xp = every[-1].shape, self.space.xp
            if every[0].shape != shape:  # before samples differ, one stands for all
                every = [xp.broadcast_to(value, shape) for value in every]
            joined = self.space.concat(every, axis=0)
            self._over_time[name] = xp.reshape(joined, (self.steps, *shape))
        return self._over_time[name]


class Series:
    """Programs at the steps of a run, each computed for all steps at once when it is first asked for.

    Args:
        run: the forward pass.
        first: the first step that is asked for.
    """

    def __init__(self, run: Run, first: int = 1) -> None:
        self.run, self.first, self.now = run, first, first
        self._leaves: dict[tuple[str, int], Array] = {}
        self._found: dict[Program, list[Array]] = {}

    def value(self, program: Program) -> Array:
        """The value of a program of primal values at the step ``now``, from ``first`` to T."""
        return (self._found.get(program) or self.all(program))[self.now - self.first]

    def all(self, program: Program) -> list[Array]:
        """The program's values at all steps from ``first`` to T."""
        if program not in self._found:
            value, steps = program(self._look), self.run.steps + 1 - self.first
            timed = len(value.shape) == 5  # what hangs on no step has no axis of time
            self._found[program] = [value[i, ...] if timed else value for i in range(steps)]
        return self._found[program]

    def _look(self, leaf: Any) -> Array:
        """A leaf at all steps, (steps, samples, 1, rows, columns); a parameter as it is."""
        name, lag = _place(leaf)
        values, run = self.run.values, self.run
        if lag is None:
            return values[name, None]
        if (name, lag) not in self._leaves:
            whole, start = run.over_time(name), self.first - lag
            stop = run.steps - lag  # where a lag is longer than the run, before its first step
            now = whole[max(start, 1) - 1 : max(stop, 0), ...]
            before = [
                run.space.xp.broadcast_to(values[name, t], whole.shape[1:])[None, ...]
                for t in range(start, min(stop, 0) + 1)
            ]
            self._leaves[name, lag] = run.space.concat([*before, now], axis=0) if before else now
        return self._leaves[name, lag]


@cache
def _place(leaf: Any) -> tuple[str, int | None]:
    """A leaf's name and lag; asked at every step, and slow to read from a tree of SymPy's."""
    return leaf.name, leaf.lag if isinstance(leaf, Timed) else None


def run(
    derivation: Derivation,
    sizes: Sizes,
    fixed: Mapping[str, Array],
    inputs: Mapping[str, Array],
    *,
    steps: int,
    initial: Mapping[tuple[str, int], Array] | None = None,
    space: Namespace = NUMPY,
) -> Run:
    """Run the cell.

    Args:
        derivation: of the cell.
        sizes: the size of every dimension.
        fixed: every parameter and constant, (samples or 1, rows, columns).
        inputs: every input, (T, samples, rows, columns).
        steps: T.
        initial: values before the first step by (name, step ≤ 0), (samples or 1, rows, columns); zero where left out.
        space: the namespace in which the cell runs; what is given may be NumPy's all the same.
    """
    cell = derivation.cell
    values: dict[tuple[str, int | None], Array] = {
        (name, None): space.asarray(value[:, None, ...]) for name, value in fixed.items()
    }
    for name, series in inputs.items():
        brought = space.asarray(series)
        values |= {(name, t + 1): brought[t, :, None, ...] for t in range(steps)}
    for q in (*cell.states, *cell.inputs):
        zero = space.zeros((1, 1, *shape_of(q.symbol, sizes)))
        values |= {(q.name, t): zero for t in range(1 - q.depth, 1)}
    values |= {
        place: space.asarray(value[:, None, ...]) for place, value in (initial or {}).items()
    }
    found = Run(derivation, sizes, steps, values, space)
    known = _Leaves(found)
    lines = [(a.name, compiled(a.expr, sizes, space, known)) for a in derivation.assignments]
    fixed_at = found.look(0)  # asked for what hangs on no step; all else is known
    for t in range(1, steps + 1):
        known.t = t
        for name, program in lines:
            values[name, t] = program(fixed_at)
    return found


class _Leaves:
    """What a forward pass knows before it runs: where its leaves are, and what inputs and parameters alone make.

    Asked for an expression's program, it gives one that reads the value at the step ``t``. What only hangs on inputs
    and parameters, U x_t + b above all, is computed for all steps at once.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.series, self.t = run, Series(run), 0
        self.inputs = {q.name for q in run.cell.inputs}

    def __call__(self, expr: Any) -> Program | None:
        """The program of a leaf at its time, of a product without states, or of a sum that has such terms."""
        if isinstance(expr, Timed):
            values, (name, lag) = self.run.values, _place(expr)
            return lambda look: values[name, self.t - lag]
        if isinstance(expr, MatMul):
            return self._early(expr) if self._moves(expr) and self._free(expr) else None
        return self._sum(expr) if isinstance(expr, MatAdd) else None

    def _sum(self, expr: Any) -> Program | None:
        """The terms without states as one; not worth it where no product is among them."""
        early = [term for term in expr.args if self._free(term)]
        if not any(isinstance(term, MatMul) and self._moves(term) for term in early):
            return None
        first = self._early(MatAdd(*early))
        late = [self._compiled(term) for term in expr.args if term not in early]
        if len(late) == 1:  # by far the most common
            (rest,) = late
            return lambda look: rest(look) + first(look)
        return lambda look: reduce(add, [part(look) for part in late], first(look))

    def _free(self, expr: Any) -> bool:
        """Whether no state has a part in it, nor an earlier input, which may be set in another shape."""
        timed = [leaf for leaf in leaves(expr) if isinstance(leaf, Timed)]
        return not any(leaf.lag or leaf.name not in self.inputs for leaf in timed)

    def _moves(self, expr: Any) -> bool:
        return any(isinstance(leaf, Timed) for leaf in leaves(expr))

    def _early(self, expr: Any) -> Program:
        rows = self.series.all(compiled(expr, self.run.sizes, self.run.space))
        return lambda look: rows[self.t - 1]

    def _compiled(self, expr: Any) -> Program:
        return compiled(expr, self.run.sizes, self.run.space, self)
