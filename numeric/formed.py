"""The Jacobian of a step as a matrix: cheaper than to apply it factor by factor, where a block of cotangents is wide.

diag(a) W scales rows and W diag(a) columns, diagonals stay vectors, and only two full matrices cost a product:

    J = diag(1 − z) + diag(a) W_z + diag(b) W_g (diag(r) + diag(e) W_r)       one product of n³, whatever is pulled back
    Jᵀ Y = (1 − z) ∘ Y + W_zᵀ (a ∘ Y) + …                                     three products of n² for every column of Y
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial, reduce
from operator import add
from typing import Any

from sympy.matrices.expressions import (  # pyright: ignore[reportMissingTypeStubs] - it ships none
    Identity,
    MatAdd,
    MatMul,
    MatrixSymbol,
)

from derive.derivation import Derivation
from derive.expressions import Block, Concat, Diag, operands, split_coefficient
from numeric.interpret import Array, Sizes, compiled, joined, number, shape_of
from numeric.namespace import Namespace
from numeric.scene import Place, Scene, places
from numeric.slopes import Slopes

Shape = tuple[int, int]
Value = Callable[[Scene], Array]


@dataclass(frozen=True, slots=True)
class Formed:
    """A matrix that is formed at every step.

    Args:
        shape: (rows, columns).
        value: all entries, or those of the diagonal as a column.
        full: whether it has all entries.
        work: multiplications of whole matrices that forming it takes.
        column: multiplications that it takes to apply it, factor by factor, to one column.
    """

    shape: Shape
    value: Value
    full: bool
    work: int = 0
    column: int = 0


class Former:
    """Forms expressions.

    Args:
        sizes: the size of every dimension.
        space: the namespace of the values.
    """

    def __init__(self, sizes: Sizes, space: Namespace) -> None:
        self.sizes, self.space = sizes, space
        self.blocks: dict[Block, Formed] = {}

    def formed(self, expr: Any) -> Formed:
        """The matrix of an expression; a ``Block`` in it must have been formed."""
        return _MAKERS.get(type(expr), Former._leaf)(self, expr, shape_of(expr, self.sizes))

    def _product(self, expr: Any, shape: Shape) -> Formed:
        factor = float(number(split_coefficient(expr)[0], self.sizes))
        product = reduce(self._times, [self.formed(part) for part in operands(expr)])
        if factor == 1.0:
            return product
        return replace(product, value=lambda scene: factor * product.value(scene))

    def _block(self, expr: Any, shape: Shape) -> Formed:
        return Formed(shape, lambda scene: scene.done[expr], self.blocks[expr].full)

    def _identity(self, expr: Any, shape: Shape) -> Formed:
        ones = self.space.ones((shape[0], 1))
        return Formed(shape, lambda scene: ones, full=False)

    def _diagonal(self, expr: Any, shape: Shape) -> Formed:
        entries = compiled(operands(expr)[0], self.sizes, self.space)
        return Formed(shape, lambda scene: scene.value(entries), full=False)

    def _parameter(self, expr: Any, shape: Shape) -> Formed:
        value = compiled(expr, self.sizes, self.space)
        return Formed(shape, lambda scene: scene.value(value), True, column=shape[0] * shape[1])

    def _leaf(self, expr: Any, shape: Shape) -> Formed:
        """Anything else as the matrix that it is."""
        value = compiled(expr, self.sizes, self.space)
        return Formed(shape, lambda scene: value(scene.look), True, column=shape[0] * shape[1])

    def _times(self, a: Formed, b: Formed) -> Formed:
        shape, turned = (a.shape[0], b.shape[1]), self.space.turned
        work, column = a.work + b.work, a.column + b.column
        if a.full and b.full:
            work += a.shape[0] * a.shape[1] * b.shape[1]
            return Formed(shape, lambda scene: a.value(scene) @ b.value(scene), True, work, column)
        if a.full:
            value: Value = lambda scene: a.value(scene) * turned(b.value(scene))  # noqa: E731
            return Formed(shape, value, True, work, column)
        return Formed(shape, lambda scene: a.value(scene) * b.value(scene), b.full, work, column)

    def _sum(self, expr: Any, shape: Shape) -> Formed:
        parts = [self.formed(part) for part in expr.args]
        full = any(part.full for part in parts)
        values = [self.whole(part) if full else part.value for part in parts]
        value: Value = lambda scene: reduce(add, [v(scene) for v in values])  # noqa: E731
        return Formed(shape, value, full, *_cost(parts))

    def _stack(self, expr: Any, shape: Shape) -> Formed:
        parts = [self.formed(part) for part in operands(expr)]
        values, space = [self.whole(part) for part in parts], self.space
        value: Value = lambda scene: joined(space, [v(scene) for v in values], axis=-2)  # noqa: E731
        return Formed(shape, value, True, *_cost(parts))

    def whole(self, part: Formed) -> Value:
        """All entries."""
        if part.full:
            return part.value
        eye = cache(partial(self.space.eye, part.shape[0]))
        return lambda scene: part.value(scene) * eye()


def _cost(parts: list[Formed]) -> tuple[int, int]:
    return sum(part.work for part in parts), sum(part.column for part in parts)


_MAKERS: dict[type, Callable[[Former, Any, Shape], Formed]] = {
    MatMul: Former._product,
    MatAdd: Former._sum,
    Concat: Former._stack,
    Block: Former._block,
    Identity: Former._identity,
    Diag: Former._diagonal,
    MatrixSymbol: Former._parameter,
}


class FormedJacobian:
    """∂s_t/∂s_{t−1} of the joint state as a matrix.

    Args:
        derivation: of the cell.
        sizes: the size of every dimension.
        slots: where each state stands in the joint state.
        space: the namespace of the values.
    """

    def __init__(
        self,
        derivation: Derivation,
        sizes: Sizes,
        slots: Mapping[Place, slice],
        space: Namespace,
    ) -> None:
        self.slots, self.space, former = slots, space, Former(sizes, space)
        self.size = max(part.stop for part in slots.values())
        self.parts: list[tuple[Block, Formed, Value, Place | None, Place]] = []
        slopes = Slopes(derivation)
        for found in derivation.jacobian:
            made = former.blocks[found.block] = former.formed(slopes(found.value))
            done: Value = lambda scene, block=found.block: scene.done[block]  # noqa: E731
            whole = former.whole(replace(made, value=done))
            of, by = places(found.block)
            self.parts.append((found.block, made, whole, None if found.between else of, by))

    @property
    def pays_from(self) -> float:
        """From how many columns on it takes fewer multiplications to form it than to apply it factor by factor."""
        work, column = _cost([made for _, made, *_ in self.parts])
        saved = column - self.size**2
        return work / saved if saved > 0 else math.inf

    def matrix(self, scene: Scene) -> Array:
        """All its entries, (…, N, N)."""
        rows: dict[tuple[Place, Place], Array] = {}
        for block, made, whole, of, by in self.parts:
            scene.done[block] = made.value(scene)
            if of is not None:
                rows[of, by] = whole(scene)
        if len(self.slots) == 1 and rows:
            return next(iter(rows.values()))
        return joined(self.space, [self._row(of, rows) for of in self.slots], axis=-2)

    def _row(self, of: Place, rows: Mapping[tuple[Place, Place], Array]) -> Array:
        """All entries of one state's rows; an earlier value is what its successor was."""
        height, parts = self.slots[of].stop - self.slots[of].start, list[Array]()
        for by, part in self.slots.items():
            value = rows.get((of, by))
            if value is None:
                handed = by == (of[0], of[1] - 1)
                shape = (height, part.stop - part.start)
                value = self.space.eye(height) if handed else self.space.zeros(shape)
            parts.append(value)
        return joined(self.space, parts, axis=-1)
