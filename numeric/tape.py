"""A cell run forward over arrays, and the derivation's backward equations applied to it one step at a time.

The joint state s_t stacks every state with the earlier values that the cell still uses. ``Pull`` computes
v ↦ Jᵀ v for its step Jacobian J = ∂s_t/∂s_{t−1} from the derivation's own equations; no Jacobian is formed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sympy.matrices.expressions import (  # pyright: ignore[reportMissingTypeStubs] - it ships none
    MatMul,
)

from derive.cell import Cell
from derive.derivation import Derivation
from derive.expressions import Adjoint, LossGradient, Tangent, Timed, leaves
from numeric.interpret import Array, Look, Program, Sizes, compiled, shape_of
from numeric.namespace import NUMPY, Namespace

Joint = dict[str, list[Array]]
"""By state, then by how many steps back: a vector of the joint state's shape."""


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


class Series:
    """Programs at the steps of a run, each computed for all steps at once when it is first asked for.

    Args:
        run: the forward pass.
        first: the first step that is asked for.
    """

    def __init__(self, run: Run, first: int = 1) -> None:
        self.run, self.first = run, first
        self._leaves: dict[tuple[str, int], Array] = {}
        self._found: dict[Program, list[Array]] = {}

    def at(self, program: Program, t: int) -> Array:
        """The program's value at a step.

        Args:
            program: of primal values.
            t: the step, from ``first`` to T.
        """
        found = self._found.get(program)
        return (self.all(program) if found is None else found)[t - self.first]

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
            steps = range(self.first - lag, run.steps + 1 - lag)
            self._leaves[name, lag] = run.space.xp.stack([values[name, t] for t in steps])
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
    ahead = _Ahead(found)
    lines = [(a.name, compiled(a.expr, sizes, space, ahead)) for a in derivation.assignments]
    for t in range(1, steps + 1):
        look = found.look(t)
        for name, program in lines:
            values[name, t] = program(look)
    return found


class _Ahead:
    """Products of parameters and inputs, U x_t above all: computed for all steps at once.

    Asked for an expression's program, it gives one that hands out the value of one step after the other: each is to
    be run exactly once a step, from the first one on.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.series = run, Series(run)
        self.inputs = {q.name for q in run.cell.inputs}

    def __call__(self, expr: Any) -> Program | None:
        """The program of a product that inputs have a part in, and no state."""
        used = list(leaves(expr)) if isinstance(expr, MatMul) else []
        timed = [leaf for leaf in used if isinstance(leaf, Timed)]
        # an earlier input may be set before the first step, in another shape: it stays where it is
        if not timed or any(leaf.lag or leaf.name not in self.inputs for leaf in timed):
            return None
        rows = iter(self.series.all(compiled(expr, self.run.sizes, self.run.space)))
        return lambda look: next(rows)


class Pull:
    """Cotangents of the joint state, pulled back through one step after the other.

    Args:
        run: the forward pass.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.equations = Adjoints(run.derivation, run.sizes, run.space)

    @property
    def sums(self) -> Mapping[str, Program]:
        """What a step adds to every parameter's gradient, by parameter."""
        return self.equations.sums

    def step(
        self, t: int, after: Joint, loss: Mapping[str, Array] | None = None
    ) -> tuple[Joint, Look]:
        """One step: the cotangent of s_{t−1} from that of s_t.

        Args:
            t: the step.
            after: the cotangent of s_t, what later steps give; leading axes are free.
            loss: ∂ℓ_t/∂y by output y, added to it.

        Returns:
            The cotangent of s_{t−1}, and the values of all leaves at step t, adjoints included.
        """
        return self.equations.pull(self.run.look(t), after, loss)


class Adjoints:
    """The adjoint equations of a cell, ready to be evaluated: v ↦ Jᵀ v at any step.

    Args:
        derivation: of the cell.
        sizes: the size of every dimension.
        space: the namespace of the values.
    """

    def __init__(self, derivation: Derivation, sizes: Sizes, space: Namespace = NUMPY) -> None:
        backward = derivation.backward
        self.states, self.sizes, self.space = derivation.cell.states, sizes, space
        self.local = [(e.lhs.name, compiled(e.present, sizes, space)) for e in backward.local]
        self.carried: dict[tuple[str, int], Program] = {
            (q.name, lag): compiled(e.rhs, sizes, space)
            for q in self.states
            for lag, e in backward.carried[q.name].items()
        }
        self.sums = {e.lhs.name: compiled(e.rhs, sizes, space) for e in backward.parameters}

    def pull(
        self, primal: Look, after: Joint, loss: Mapping[str, Array] | None = None
    ) -> tuple[Joint, Look]:
        """The cotangent of s_{t−1} from that of s_t; see ``Pull.step``.

        Args:
            primal: the values of step t.
            after: the cotangent of s_t.
            loss: ∂ℓ_t/∂y by output y.
        """
        look = _Values(primal, loss or {}, self.sizes, self.space)
        adjoints: dict[str, Array] = look.adjoints
        for name, program in self.local:
            value = program(look)
            if name in after:
                value = value + after[name][0]
            if loss and name in loss:
                value = value + loss[name]
            adjoints[name] = value
        before = {
            q.name: [self._before(q.name, back, q.depth, after, look) for back in range(q.depth)]
            for q in self.states
        }
        return before, look

    def _before(self, name: str, back: int, depth: int, after: Joint, look: Look) -> Array:
        """What q at t − 1 − back receives: from this step, and from later ones past it."""
        program = self.carried.get((name, back + 1))
        kept = after[name][back + 1] if back + 1 < depth else None
        if program is None:
            return kept if kept is not None else self.space.xp.zeros_like(after[name][0])
        return program(look) if kept is None else kept + program(look)


class _Values:
    """Leaves at one step: primal values, adjoints as they are found, and the loss's gradients."""

    def __init__(
        self, primal: Look, loss: Mapping[str, Array], sizes: Sizes, space: Namespace
    ) -> None:
        self.primal, self.loss, self.sizes, self.space = primal, loss, sizes, space
        self.adjoints: dict[str, Array] = {}

    def __call__(self, leaf: Any) -> Array:
        if isinstance(leaf, Adjoint):
            return self.adjoints[leaf.name]
        if isinstance(leaf, LossGradient):
            given = self.loss.get(leaf.name)
            return self.space.zeros(shape_of(leaf, self.sizes)) if given is None else given
        return self.primal(leaf)


class Tangents:
    """The tangent equations of a cell, ready to be evaluated: v ↦ J v at any step.

    Args:
        derivation: of the cell.
        sizes: the size of every dimension.
        space: the namespace of the values.
    """

    def __init__(self, derivation: Derivation, sizes: Sizes, space: Namespace = NUMPY) -> None:
        self.states, self.sizes, self.space = derivation.cell.states, sizes, space
        self.lines: list[tuple[str, Program]] = [
            (a.target.name, compiled(a.expr, sizes, space)) for a in derivation.tangents
        ]

    def push(self, primal: Look, before: Joint) -> Joint:
        """The direction of s_t from that of s_{t−1}; parameters and inputs stand still.

        Args:
            primal: the values of step t.
            before: a direction of s_{t−1}; leading axes are free.
        """
        known = dict[str, Array]()

        def look(leaf: Any) -> Array:
            if not isinstance(leaf, Tangent):
                return primal(leaf)
            if leaf.lag == 0 and leaf.name in known:
                return known[leaf.name]
            if leaf.name in before and leaf.lag > 0:
                return before[leaf.name][leaf.lag - 1]
            return self.space.zeros(shape_of(leaf, self.sizes))

        for name, program in self.lines:
            known[name] = program(look)
        return {q.name: [known[q.name], *before[q.name][: q.depth - 1]] for q in self.states}
