"""The Jacobian of the joint state as an operator: J X and Jᵀ Y for blocks of directions, without forming J.

A closed form such as diag(f) + diag(a) W is applied factor by factor: a diagonal scales rows, a sum adds up, and only
a parameter costs a matrix product. The joint state stacks every state with the earlier values that the cell uses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial, reduce
from typing import Any

from sympy.matrices.expressions import (  # pyright: ignore[reportMissingTypeStubs] - it ships none
    Identity,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Transpose,
    ZeroMatrix,
)

from derive.derivation import Derivation
from derive.expressions import (
    Block,
    Concat,
    Diag,
    MatrixExpr,
    operands,
    split_coefficient,
    terms,
)
from numeric.formed import FormedJacobian
from numeric.forward_run import Run, Series
from numeric.interpret import Array, Look, Sizes, compiled, joined, number, shape_of, size_of
from numeric.measure import MeasureError
from numeric.namespace import NUMPY, Namespace
from numeric.scene import Place, Scene, places, slots
from numeric.slopes import Slopes

Act = Callable[[Scene, Any], Any]


@dataclass(frozen=True, slots=True)
class Operator:
    """M as ``apply``: X ↦ M X and ``pull``: Y ↦ Mᵀ Y, for X and Y of shape (…, rows, directions)."""

    apply: Act
    pull: Act


def plus(a: Any, b: Any) -> Any:
    """a + b, where the float 0.0 stands for nothing and costs nothing."""
    if isinstance(a, float):
        return b
    return a if isinstance(b, float) else a + b


def operator(expr: MatrixExpr, sizes: Sizes, space: Namespace = NUMPY) -> Operator:
    """The operator of a matrix expression; a ``Block`` in it must stand last in its product."""
    make = _MAKERS.get(type(expr), _formed)
    return make(expr, sizes, space)


def _identity(expr: Any, sizes: Sizes, space: Namespace) -> Operator:
    return Operator(lambda scene, x: x, lambda scene, y: y)


def _zero(expr: Any, sizes: Sizes, space: Namespace) -> Operator:
    rows, cols = shape_of(expr, sizes)
    return Operator(
        lambda scene, x: space.zeros((*x.shape[:-2], rows, x.shape[-1])),
        lambda scene, y: space.zeros((*y.shape[:-2], cols, y.shape[-1])),
    )


def _diagonal(expr: Any, sizes: Sizes, space: Namespace) -> Operator:
    entries = compiled(operands(expr)[0], sizes, space)
    return Operator(
        lambda scene, x: scene.value(entries) * x, lambda scene, y: scene.value(entries) * y
    )


def _block(expr: Any, sizes: Sizes, space: Namespace) -> Operator:
    """A block of an earlier state, whose product is known already; backwards it is pulled later."""

    def pull(scene: Scene, y: Any) -> Any:
        scene.owed[expr] = scene.owed[expr] + y if expr in scene.owed else y
        return 0.0

    return Operator(lambda scene, x: scene.done[expr], pull)


def _sum(expr: Any, sizes: Sizes, space: Namespace) -> Operator:
    parts = [operator(term, sizes, space) for term in expr.args]
    return Operator(
        lambda scene, x: reduce(plus, [part.apply(scene, x) for part in parts]),
        lambda scene, y: reduce(plus, [part.pull(scene, y) for part in parts]),
    )


def _product(expr: Any, sizes: Sizes, space: Namespace) -> Operator:
    factor = float(number(split_coefficient(expr)[0], sizes))
    parts = [operator(part, sizes, space) for part in operands(expr)]

    def apply(scene: Scene, x: Any) -> Any:
        for part in reversed(parts):
            x = part.apply(scene, x)
        return x if factor == 1.0 else factor * x

    def pull(scene: Scene, y: Any) -> Any:
        y = y if factor == 1.0 else factor * y
        for part in parts:
            y = part.pull(scene, y)
        return y

    return Operator(apply, pull)


def _stack(expr: Any, sizes: Sizes, space: Namespace) -> Operator:
    parts = [
        (operator(part, sizes, space), size_of(part.shape[0], sizes)) for part in operands(expr)
    ]

    def pull(scene: Scene, y: Any) -> Any:
        total, start = 0.0, 0
        for part, rows in parts:
            total = plus(total, part.pull(scene, y[..., start : start + rows, :]))
            start += rows
        return total

    return Operator(
        lambda scene, x: joined(space, [part.apply(scene, x) for part, _ in parts], axis=-2), pull
    )


def _formed(expr: Any, sizes: Sizes, space: Namespace) -> Operator:
    """Anything else as the matrix that it is."""
    value = compiled(expr, sizes, space)
    return Operator(
        lambda scene, x: value(scene.look) @ x,
        lambda scene, y: space.turned(space.turned(y) @ value(scene.look)),
    )


def _parameter(expr: Any, sizes: Sizes, space: Namespace) -> Operator:
    value = compiled(expr, sizes, space)
    return Operator(
        lambda scene, x: scene.value(value) @ x,
        lambda scene, y: space.turned(space.turned(y) @ scene.value(value)),
    )


_MAKERS: dict[type, Callable[[Any, Sizes, Namespace], Operator]] = {
    Identity: _identity,
    ZeroMatrix: _zero,
    Diag: _diagonal,
    MatrixSymbol: _parameter,
    Block: _block,
    MatAdd: _sum,
    MatMul: _product,
    Concat: _stack,
    Transpose: _formed,
}


@dataclass(frozen=True, slots=True)
class _Part:
    """A block at its place in the joint Jacobian: what was read from SymPy's trees once is not read at every step.

    A value in between has no rows there.
    """

    block: Block
    acts: list[Operator]
    of: Place
    by: Place
    rows: slice | None
    columns: slice


class JointJacobian:
    """∂s_t/∂s_{t−1} of the joint state.

    Args:
        derivation: of the cell.
        sizes: the size of every dimension.
        addends: instead of the blocks' own values: a part of the Jacobian, by block.
        hands_over: whether the rows that only hand older values on belong to it.
        space: the namespace of the values.

    Raises:
        MeasureError: a state is a matrix, so its Jacobian has no closed form of blocks.
    """

    def __init__(
        self,
        derivation: Derivation,
        sizes: Sizes,
        addends: Mapping[Block, Sequence[MatrixExpr]] | None = None,
        *,
        hands_over: bool = True,
        space: Namespace = NUMPY,
    ) -> None:
        self.hands_over, self.space = hands_over, space
        self.slots = slots(derivation, sizes)
        self.size = max(part.stop for part in self.slots.values())
        self._older = [(place, (place[0], place[1] - 1)) for place in self.slots if place[1]]
        self._blocks: list[_Part] = []
        form = partial(FormedJacobian, derivation, sizes, self.slots, space)
        self._formed = cache(form) if addends is None and hands_over else None
        slopes = Slopes(derivation)
        for found in derivation.jacobian:
            if found.value is None:
                raise MeasureError(
                    f"The state {found.owner} is a matrix: its Jacobian has no blocks.",
                    "Study a cell whose states are vectors.",
                )
            kept = terms(found.value) if addends is None else addends.get(found.block, ())
            of, by = places(found.block)
            acts = [operator(slopes(e), sizes, space) for e in kept]
            rows = None if found.between else self.slots[of]
            self._blocks.append(_Part(found.block, acts, of, by, rows, self.slots[by]))

    def apply(self, look: Look, x: Array) -> Array:
        """J X for directions X of s_{t−1}, (…, N, directions)."""
        scene, slots = Scene(look, lambda program: program(look)), self.slots
        rows: dict[Place, Any] = {}
        for part in self._blocks:
            source = x[..., part.columns, :]
            value: Any = 0.0
            for act in part.acts:
                value = plus(value, act.apply(scene, source))
            scene.done[part.block] = value
            if part.rows is not None:
                rows[part.of] = plus(rows.get(part.of, 0.0), value)
        if self.hands_over:
            rows |= {place: x[..., slots[newer], :] for place, newer in self._older}
        return self._joined(rows, x)

    def pull(self, look: Look, y: Array) -> Array:
        """Jᵀ Y for cotangents Y of s_t, (…, N, directions)."""
        return self._pulled(Scene(look, lambda program: program(look)), y)

    def along(self, run: Run, first: int = 1) -> Callable[[int, Array], Array]:
        """(t, Y) ↦ Jᵀ Y at the steps of a run, whose diagonals are computed for all steps at once.

        J itself is formed where Y has so many columns that this saves more than it costs.

        Args:
            run: a forward pass.
            first: the first step that is asked for.
        """
        series, turned = Series(run, first), self.space.turned
        formed = self._formed() if self._formed else None
        scene = Scene(lambda leaf: run.look(series.now)(leaf), series.value)
        wide = formed.pays_from if formed else math.inf

        def pull(t: int, y: Array) -> Array:
            series.now = t
            if formed and y.shape[-1] >= wide:
                return turned(turned(y) @ formed.matrix(scene))
            return self._pulled(scene, y)

        return pull

    def _pulled(self, scene: Scene, y: Array) -> Array:
        slots = self.slots
        rows: dict[Place, Any] = {}
        if self.hands_over:
            rows |= {newer: y[..., slots[place], :] for place, newer in self._older}
        for part in reversed(self._blocks):
            given: Any = 0.0 if part.rows is None else y[..., part.rows, :]
            if scene.owed:
                given = plus(given, scene.owed.pop(part.block, 0.0))
            for act in part.acts:
                rows[part.by] = plus(rows.get(part.by, 0.0), act.pull(scene, given))
        return self._joined(rows, y)

    def formed(self, look: Look) -> Array:
        """J itself, (N, N)."""
        return self.apply(look, self.space.eye(self.size))

    def _joined(self, rows: Mapping[Place, Any], like: Array) -> Array:
        """The parts of a joint vector by slot, one under the other; what is missing is zero."""
        if len(self.slots) == 1 and (whole := rows.get(next(iter(self.slots)))) is not None:
            return self._shaped(whole, like)
        xp, parts = self.space.xp, list[Array]()
        for place, part in self.slots.items():
            shape = (*like.shape[:-2], part.stop - part.start, like.shape[-1])
            value = rows.get(place)
            if value is None or isinstance(value, float):
                parts.append(self.space.zeros(shape))
            elif tuple(value.shape) == shape:
                parts.append(value)
            else:
                parts.append(xp.reshape(xp.broadcast_to(value, _lead(value, shape)), shape))
        return self.space.concat(parts, axis=-2)

    def _shaped(self, value: Array, like: Array) -> Array:
        if isinstance(value, float):
            return self.space.zeros(tuple(like.shape))
        return value if value.shape == like.shape else self.space.xp.reshape(value, like.shape)


def _lead(value: Array, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with the leading axes of length one that the value has more."""
    return (1,) * (len(value.shape) - len(shape)) + shape
