"""Expressions of ``derive`` evaluated over NumPy arrays: stacks of matrices of shape (…, rows, columns).

Generated code is what users run; this is how the measurements evaluate any equation of a derivation without
generating a file for it. Leading axes (samples, directions) broadcast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Rational
from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    Identity,
    MatAdd,
    MatMul,
    OneMatrix,
    Transpose,
    ZeroMatrix,
)

from derive.expressions import (
    Broadcast,
    Concat,
    Diag,
    Elementwise,
    LogSumExp,
    Rows,
    Softmax,
    Total,
    operands,
    split_coefficient,
)
from numeric import primitives

Array = NDArray[Any]
Look = Callable[[Any], Array]
Program = Callable[[Look], Array]
Sizes = Mapping[Any, int]

FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "sigmoid": primitives.sigmoid,
    "relu": primitives.relu,
    "softplus": primitives.softplus,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "sqrt": np.sqrt,
    "abs": primitives.absolute,
    "step": primitives.positive,
    "sign": primitives.sign,
}


def size_of(expr: Any, sizes: Sizes) -> int:
    """A number of rows or columns."""
    return int(expr.subs(dict(sizes)))


def shape_of(expr: Any, sizes: Sizes) -> tuple[int, int]:
    """(rows, columns) of a matrix expression."""
    rows, cols = expr.shape
    return size_of(rows, sizes), size_of(cols, sizes)


def compiled(expr: Any, sizes: Sizes) -> Program:
    """A function from the leaves' values to the expression's value.

    Args:
        expr: an expression of a derivation; its depth is bounded by the language's limits.
        sizes: the size of every dimension of the cell.

    Returns:
        ``program(look)``, where ``look(leaf)`` is the value of a leaf as an array (…, rows, columns).
    """
    make = _MAKERS.get(type(expr))
    if make is None:
        return lambda look: look(expr)
    return make(expr, [compiled(a, sizes) for a in operands(expr)], sizes)


Make = Callable[[Any, list[Program], Sizes], Program]


def _folded(join: Callable[[Array, Array], Array]) -> Make:
    def make(expr: Any, parts: list[Program], sizes: Sizes) -> Program:
        return lambda look: reduce(join, [part(look) for part in parts])

    return make


def _product(expr: Any, parts: list[Program], sizes: Sizes) -> Program:
    """A product with the chain multiplied from its thinner end, so that vectors stay vectors."""
    factor = float(Rational(split_coefficient(expr)[0].subs(dict(sizes))))
    last: Any = operands(expr)[-1]
    from_right = bool(last.shape[1] == 1)

    def run(look: Look) -> Array:
        values = [part(look) for part in parts]
        if from_right:
            value = reduce(lambda right, left: left @ right, reversed(values))
        else:
            value = reduce(lambda left, right: left @ right, values)
        return value if factor == 1.0 else factor * value

    return run


def _power(expr: Any, parts: list[Program], sizes: Sizes) -> Program:
    exponent = int(expr.args[1])
    return lambda look: (
        parts[0](look) ** float(exponent) if exponent < 0 else parts[0](look) ** exponent
    )


def _unary(function: Callable[[Array], Array]) -> Make:
    def make(expr: Any, parts: list[Program], sizes: Sizes) -> Program:
        return lambda look: function(parts[0](look))

    return make


def _function(expr: Any, parts: list[Program], sizes: Sizes) -> Program:
    function = FUNCTIONS[expr.function]
    return lambda look: function(parts[0](look))


def _softmax(a: Array) -> Array:
    raised = np.exp(a - a.max(axis=(-1, -2), keepdims=True))
    return raised / raised.sum(axis=(-1, -2), keepdims=True)


def _logsumexp(a: Array) -> Array:
    top = a.max(axis=(-1, -2), keepdims=True)
    return top + np.log(np.exp(a - top).sum(axis=(-1, -2), keepdims=True))


def _transpose(a: Array) -> Array:
    return np.swapaxes(a, -1, -2)


def _total(a: Array) -> Array:
    return a.sum(axis=(-1, -2), keepdims=True)


def _diagonal(a: Array) -> Array:
    return a * np.eye(a.shape[-2])


def _identity(shape: tuple[int, int]) -> Array:
    return np.eye(shape[0])


def _concat(expr: Any, parts: list[Program], sizes: Sizes) -> Program:
    def run(look: Look) -> Array:
        values = [part(look) for part in parts]
        lead = np.broadcast_shapes(*(v.shape[:-2] for v in values))
        return np.concatenate([np.broadcast_to(v, lead + v.shape[-2:]) for v in values], axis=-2)

    return run


def _rows(expr: Any, parts: list[Program], sizes: Sizes) -> Program:
    start, stop = size_of(expr.start, sizes), size_of(expr.stop, sizes)
    return lambda look: parts[0](look)[..., start:stop, :]


def _broadcast(expr: Any, parts: list[Program], sizes: Sizes) -> Program:
    shape = shape_of(expr, sizes)

    def run(look: Look) -> Array:
        value = parts[0](look)
        return np.broadcast_to(value, value.shape[:-2] + shape)

    return run


def _constant(value: Callable[[tuple[int, int]], Array]) -> Make:
    def make(expr: Any, parts: list[Program], sizes: Sizes) -> Program:
        fixed = value(shape_of(expr, sizes))
        return lambda look: fixed

    return make


_MAKERS: dict[type, Make] = {
    MatAdd: _folded(np.add),
    MatMul: _product,
    HadamardProduct: _folded(np.multiply),
    HadamardPower: _power,
    Transpose: _unary(_transpose),
    Elementwise: _function,
    Softmax: _unary(_softmax),
    LogSumExp: _unary(_logsumexp),
    Concat: _concat,
    Rows: _rows,
    Broadcast: _broadcast,
    Total: _unary(_total),
    Diag: _unary(_diagonal),
    OneMatrix: _constant(np.ones),
    ZeroMatrix: _constant(np.zeros),
    Identity: _constant(_identity),
}
