"""The functions of the claim language that compute with values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from proofs.claims.syntax import Call
from proofs.claims.values import ROWS, MeaninglessError, Value

if TYPE_CHECKING:
    from proofs.claims.meaning import Meaning


def _diag(m: Meaning, node: Call, args: list[Value]) -> Value:
    vector = m.algebra.transpose(args[0]) if args[0].shape[0] == 1 else args[0]
    if vector.shape[1] != 1:
        raise MeaninglessError("diag takes a vector", node.where)
    return Value(m.world.arithmetic.diag(vector.array))


def _softmax(m: Meaning, node: Call, args: list[Value]) -> Value:
    if 1 not in args[0].shape:
        raise MeaninglessError("softmax takes a vector", node.where)
    return Value(m.world.arithmetic.softmax(args[0].array))


def _total(m: Meaning, node: Call, args: list[Value]) -> Value:
    return Value(m.world.arithmetic.total(args[0].array))


def _square(m: Meaning, node: Call, args: list[Value]) -> int:
    rows, cols = args[0].shape
    if rows != cols:
        raise MeaninglessError(
            f"{node.name} takes a square matrix; found ({rows}, {cols})", node.where
        )
    return rows


def _trace(m: Meaning, node: Call, args: list[Value]) -> Value:
    n = _square(m, node, args)
    return Value(
        m.world.arithmetic.total(
            m.world.arithmetic.mul(args[0].array, m.world.arithmetic.identity(n))
        )
    )


def _eye(m: Meaning, node: Call, args: list[Value]) -> Value:
    return Value(m.world.arithmetic.identity(args[0].shape[1 if m.reading.layout in ROWS else 0]))


def _filled(c: int) -> Callable[[Meaning, Call, list[Value]], Value]:
    return lambda m, node, args: Value(
        m.world.arithmetic.full(args[0].shape, c), args[0].rows, args[0].cols
    )


def _outer(m: Meaning, node: Call, args: list[Value]) -> Value:
    if m.reading.layout in ROWS:
        return m.algebra.matmul(m.algebra.transpose(args[0]), args[1], node.where)
    return m.algebra.matmul(args[0], m.algebra.transpose(args[1]), node.where)


def _sandwich(m: Meaning, node: Call, args: list[Value]) -> Value:
    """The map V ↦ A V b as a matrix over the entries of V."""
    a, b = args
    if b.shape[1] != 1:
        raise MeaninglessError("sandwich(A, b) takes a vector b", node.where)
    (rows, k), n = a.shape, b.shape[0]
    arithmetic = m.world.arithmetic
    array = arithmetic.mul(a.array.reshape(rows, k, 1), b.array.reshape(1, 1, n)).reshape(
        rows, k * n
    )
    return Value(array, cols=(k, n))


def _concat(m: Meaning, node: Call, args: list[Value]) -> Value:
    beside = m.reading.layout == "row" or (
        m.reading.layout == "stored" and all(a.shape[0] == 1 for a in args)
    )
    axis, side = (-1, 0) if beside else (-2, 1)
    if len({a.shape[side] for a in args}) != 1:
        raise MeaninglessError("what is stacked must have one number of columns", node.where)
    return Value(np.concatenate([a.array for a in args], axis=axis))


CALLS: dict[str, Callable[[Meaning, Call, list[Value]], Value]] = {
    "identity": lambda m, node, args: args[0],
    "diag": _diag,
    "softmax": _softmax,
    "total": _total,
    "trace": _trace,
    "eye": _eye,
    "ones": _filled(1),
    "zeros": _filled(0),
    "outer": _outer,
    "sandwich": _sandwich,
    "concat": _concat,
}
"""By name."""
