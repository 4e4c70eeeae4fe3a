"""The derivation's backward and tangent equations applied to a run, one step at a time.

The joint state s_t stacks every state with the earlier values that the cell still uses. ``Pull`` computes
v ↦ Jᵀ v for its step Jacobian J = ∂s_t/∂s_{t−1} from the derivation's own equations; no Jacobian is formed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derive.derivation import Derivation
from derive.expressions import Adjoint, LossGradient, Tangent
from numeric.forward_run import Run
from numeric.interpret import Array, Look, Program, Sizes, compiled, shape_of
from numeric.namespace import NUMPY, Namespace
from numeric.slopes import Slopes

Joint = dict[str, list[Array]]
"""By state, then by how many steps back: a vector of the joint state's shape."""


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
        backward, slopes = derivation.backward, Slopes(derivation)
        self.states, self.sizes, self.space = derivation.cell.states, sizes, space
        self.local = [
            (e.lhs.name, compiled(slopes(e.present), sizes, space)) for e in backward.local
        ]
        self.carried: dict[tuple[str, int], Program] = {
            (q.name, lag): compiled(slopes(e.rhs), sizes, space)
            for q in self.states
            for lag, e in backward.carried[q.name].items()
        }
        self.sums = {e.lhs.name: compiled(slopes(e.rhs), sizes, space) for e in backward.parameters}

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
        slopes = Slopes(derivation)
        self.lines: list[tuple[str, Program]] = [
            (a.target.name, compiled(slopes(a.expr), sizes, space)) for a in derivation.tangents
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
