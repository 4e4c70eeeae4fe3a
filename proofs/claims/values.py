"""The values of formulas: matrices that remember whether they are gradients, and what their sides count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from sympy import Integer

from proofs.arithmetic import Array, ArrayArithmetic
from proofs.claims.syntax import Where

Shape = tuple[int, int]
LAYOUTS = {
    "house": "gradients have the shape of their quantity, Jacobians have outputs as rows",
    "numerator": "numerator layout: the derivative of a scalar by a column is a row",
    "denominator": "denominator layout: Jacobians have outputs as columns",
    "row": "row layout: vectors are rows, and weights stand transposed on the right",
    "stored": "row layout with weights as they are stored: vectors are rows, and weights have the cell's shapes",
}
FROM_ROWS = "column layout: vectors are columns, and weights stand transposed on the left"
"""What the layout of rows is called of a cell whose own vectors are rows."""
ROWS = ("row", "stored")
"""Layouts in which vectors are rows."""


class MeaninglessError(Exception):
    """A part of a formula has no value: shapes that cannot agree, or an operation without a meaning there.

    Args:
        problem: what is wrong, in one sentence.
        where: the part.
    """

    def __init__(self, problem: str, where: Where) -> None:
        super().__init__(problem)
        self.problem, self.where = problem, where


class TooManyError(Exception):
    """Sums and products of a formula have more terms than are computed."""


@dataclass(frozen=True, slots=True)
class Value:
    """A matrix.

    Args:
        array: rows × columns.
        rows: the shape of the matrix whose entries the rows count, if they do.
        cols: the same for the columns.
        gradient: whether it is the derivative of a scalar, in the shape of its quantity.
    """

    array: Array
    rows: Shape | None = None
    cols: Shape | None = None
    gradient: bool = False

    @property
    def shape(self) -> Shape:
        """(rows, columns)."""
        return self.array.shape[-2], self.array.shape[-1]

    @property
    def is_scalar(self) -> bool:
        """Whether it is 1 × 1."""
        return self.shape == (1, 1)


def named_sizes(sizes: Mapping[Any, int]) -> dict[int, str]:
    """The dimension that a number of rows or columns tells of, where no other has it and no two add up to it."""
    counts = [*sizes.values()]
    sums = {a + b for a, b in combinations(counts, 2)}
    return {n: str(d) for d, n in sizes.items() if n > 1 and counts.count(n) == 1 and n not in sums}


class Algebra:
    """The operations on values, over one arithmetic.

    Args:
        arithmetic: of the entries.
        names: what sizes are called in messages.
    """

    def __init__(self, arithmetic: ArrayArithmetic, names: Mapping[int, str] | None = None) -> None:
        self.arithmetic = arithmetic
        self.names = names or {}

    def words(self, value: Value) -> str:
        """A value's shape in words."""
        sides = [
            "·".join(self.names.get(n, str(n)) for n in shape or (count,))
            for shape, count in zip((value.rows, value.cols), value.shape, strict=True)
        ]
        return f"({sides[0]}, {sides[1]})"

    def number(self, c: Any) -> Value:
        """A rational number."""
        return Value(self.arithmetic.number(c))

    def negate(self, a: Value) -> Value:
        """−A"""
        return replace(a, array=self.arithmetic.mul(a.array, self.arithmetic.number(Integer(-1))))

    def _demand_fit(self, a: Value, b: Value, where: Where, verb: str) -> None:
        """Of the operands of an entrywise operation scalars spread, and all else agrees."""
        if not (a.is_scalar or b.is_scalar or a.shape == b.shape):
            raise MeaninglessError(
                f"shapes {self.words(a)} and {self.words(b)} cannot be {verb}", where
            )

    def _tags(self, a: Value, b: Value) -> dict[str, Any]:
        big = b if a.is_scalar else a
        return {"rows": big.rows, "cols": big.cols, "gradient": a.gradient or b.gradient}

    def add(self, a: Value, b: Value, where: Where) -> Value:
        """A + B"""
        self._demand_fit(a, b, where, "added")
        return Value(self.arithmetic.add(a.array, b.array), **self._tags(a, b))

    def mul(self, a: Value, b: Value, where: Where) -> Value:
        """A ∘ B; a column meets a derivative by a matrix row by row."""
        if (a.shape[1] == 1 and b.cols and a.shape[0] == b.shape[0]) or (
            b.shape[1] == 1 and a.cols and a.shape[0] == b.shape[0]
        ):
            tagged = a if a.cols else b
            return Value(self.arithmetic.mul(a.array, b.array), tagged.rows, tagged.cols)
        self._demand_fit(a, b, where, "multiplied entry by entry")
        return Value(self.arithmetic.mul(a.array, b.array), **self._tags(a, b))

    def matmul(self, a: Value, b: Value, where: Where) -> Value:
        """A B"""
        if a.shape[1] != b.shape[0] or (a.cols and b.rows and a.cols != b.rows):
            raise MeaninglessError(
                f"shapes {self.words(a)} and {self.words(b)} do not fit a matrix product", where
            )
        return Value(self.arithmetic.matmul(a.array, b.array), a.rows, b.cols)

    def compose(self, a: Value, b: Value, where: Where) -> Value:
        """A after B as linear maps; a scalar scales."""
        if (a.is_scalar and b.shape[0] != 1) or (b.is_scalar and a.shape[1] != 1):
            return self.mul(a, b, where)
        return self.matmul(a, b, where)

    def as_map(self, a: Value) -> Value:
        """A gradient as a row, a vector as the diagonal matrix that multiplies by it, a matrix as itself."""
        if a.gradient:
            shape = None if a.shape[1] == 1 else a.shape
            return Value(a.array.reshape(1, -1), cols=shape)
        if a.shape[1] == 1 and not a.is_scalar and a.rows is None:
            return Value(self.arithmetic.diag(a.array))
        return a

    def transpose(self, a: Value) -> Value:
        """Aᵀ"""
        return replace(
            a, array=self.arithmetic.transpose(a.array), rows=a.cols, cols=a.rows, gradient=False
        )

    def from_row(self, row: Array, shape: Shape) -> Value:
        """The derivative of a scalar, given as a row, in the shape of its quantity."""
        return Value(row.reshape(shape), gradient=True)


def settled(algebra: Algebra, a: Value) -> Value:
    """A row over the entries of a matrix is the gradient by that matrix."""
    if a.shape[0] == 1 and a.cols is not None and a.rows is None:
        return algebra.from_row(a.array, a.cols)
    return a


def different(a: Value, b: Value, algebra: Algebra) -> tuple[Array, Array]:
    """Both values over one shape, to be compared.

    Raises:
        MeaninglessError: they cannot be compared.
    """
    a, b = settled(algebra, a), settled(algebra, b)
    if a.shape != b.shape and not _zero_or_spread(a, b):
        raise MeaninglessError(
            f"the left side has shape {algebra.words(a)}, the right side {algebra.words(b)}", (0, 0)
        )
    return np.broadcast_arrays(a.array, b.array)  # type: ignore[return-value]


def _zero_or_spread(a: Value, b: Value) -> bool:
    """A single number stands for a constant matrix only on the right, and only if nothing else is there."""
    return b.is_scalar and b.cols is None and not b.gradient and a.shape[0] == a.shape[1] == 1
