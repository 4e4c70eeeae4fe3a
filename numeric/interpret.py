"""Expressions of ``derive`` evaluated over arrays: stacks of matrices of shape (…, rows, columns).

Generated code is what users run; this is how the measurements evaluate any equation of a derivation without
generating a file for it. Leading axes (samples, directions) broadcast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, reduce
from operator import add, mul
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Integer  # pyright: ignore[reportMissingTypeStubs] - it ships none
from sympy.matrices.expressions import (  # pyright: ignore[reportMissingTypeStubs] - as above
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
from numeric.namespace import NUMPY, Namespace

Array = NDArray[Any]
Look = Callable[[Any], Array]
Program = Callable[[Look], Array]
Sizes = Mapping[Any, int]
Known = Callable[[Any], Program | None]
"""The program of an expression that needs no computing; ``None``: it does."""


def size_of(expr: Any, sizes: Sizes) -> int:
    """A number of rows or columns."""
    return int(number(expr, sizes))


def number(expr: Any, sizes: Sizes) -> Any:
    """A scalar expression in the sizes, as SymPy's exact number; its substitution is slow, and seldom needed."""
    if expr.is_number:
        return expr
    known = sizes.get(expr)
    return expr.subs(dict(sizes)) if known is None else Integer(known)


def shape_of(expr: Any, sizes: Sizes) -> tuple[int, int]:
    """(rows, columns) of a matrix expression."""
    rows, cols = expr.shape
    return size_of(rows, sizes), size_of(cols, sizes)


def compiled(
    expr: Any, sizes: Sizes, space: Namespace = NUMPY, known: Known | None = None
) -> Program:
    """A function from the leaves' values to the expression's value.

    Args:
        expr: an expression of a derivation; its depth is bounded by the language's limits.
        sizes: the size of every dimension of the cell.
        space: the namespace of the values.
        known: the programs of what has been computed already.

    Returns:
        ``program(look)``, where ``look(leaf)`` is the value of a leaf as an array (…, rows, columns).
    """
    if known is not None and (found := known(expr)) is not None:
        return found
    kind: Any = type(expr)  # pyright: ignore[reportUnknownVariableType] - of what has no stubs
    make = _MAKERS.get(kind)
    if make is None:
        leaf = shared(expr)
        return lambda look: look(leaf)
    return make(expr, [compiled(a, sizes, space, known) for a in operands(expr)], sizes, space)


@cache
def shared(leaf: Any) -> Any:
    """The one object that stands for all equal leaves: found by identity, where SymPy compares trees."""
    return leaf


Make = Callable[[Any, list[Program], Sizes, Namespace], Program]


def _folded(join: Callable[[Array, Array], Array]) -> Make:
    def make(expr: Any, parts: list[Program], sizes: Sizes, space: Namespace) -> Program:
        if len(parts) == 2:  # by far the most common, and asked at every step
            first, second = parts
            return lambda look: join(first(look), second(look))
        return lambda look: reduce(join, [part(look) for part in parts])

    return make


def _product(expr: Any, parts: list[Program], sizes: Sizes, space: Namespace) -> Program:
    """A product with the chain multiplied from its thinner end, so that vectors stay vectors."""
    factor = float(number(split_coefficient(expr)[0], sizes))
    last: Any = operands(expr)[-1]
    from_right = bool(last.shape[1] == 1)

    if len(parts) == 1:
        [single] = parts
        return lambda look: factor * single(look)
    if len(parts) == 2 and factor == 1.0:
        first, second = parts
        return lambda look: first(look) @ second(look)

    def run(look: Look) -> Array:
        values = [part(look) for part in parts]
        if from_right:
            value = reduce(lambda right, left: left @ right, reversed(values))
        else:
            value = reduce(lambda left, right: left @ right, values)
        return value if factor == 1.0 else factor * value

    return run


def _power(expr: Any, parts: list[Program], sizes: Sizes, space: Namespace) -> Program:
    exponent = int(expr.args[1])
    return lambda look: (
        parts[0](look) ** float(exponent) if exponent < 0 else parts[0](look) ** exponent
    )


def _unary(function: Callable[[Namespace, Array], Array]) -> Make:
    def make(expr: Any, parts: list[Program], sizes: Sizes, space: Namespace) -> Program:
        return lambda look: function(space, parts[0](look))

    return make


def _function(expr: Any, parts: list[Program], sizes: Sizes, space: Namespace) -> Program:
    function = space.function(expr.function)
    return lambda look: function(parts[0](look))


def _softmax(space: Namespace, a: Array) -> Array:
    raised = space.xp.exp(a - _top(space, a))
    return raised / _total(space, raised)


def _logsumexp(space: Namespace, a: Array) -> Array:
    top = _top(space, a)
    return top + space.xp.log(_total(space, space.xp.exp(a - top)))


def _top(space: Namespace, a: Array) -> Array:
    return space.xp.max(a, axis=(-1, -2), keepdims=True)


def _transpose(space: Namespace, a: Array) -> Array:
    return space.turned(a)


def _total(space: Namespace, a: Array) -> Array:
    return space.xp.sum(a, axis=(-1, -2), keepdims=True)


def _diagonal(space: Namespace, a: Array) -> Array:
    return a * space.eye(a.shape[-2])


def joined(space: Namespace, values: Sequence[Array], axis: int) -> Array:
    """Matrices under or beside one another; their leading axes broadcast."""
    lead = np.broadcast_shapes(*(tuple(v.shape[:-2]) for v in values))
    spread = [space.xp.broadcast_to(v, lead + tuple(v.shape[-2:])) for v in values]
    return space.concat(spread, axis=axis)


def _concat(expr: Any, parts: list[Program], sizes: Sizes, space: Namespace) -> Program:
    return lambda look: joined(space, [part(look) for part in parts], axis=-2)


def _rows(expr: Any, parts: list[Program], sizes: Sizes, space: Namespace) -> Program:
    start, stop = size_of(expr.start, sizes), size_of(expr.stop, sizes)
    return lambda look: parts[0](look)[..., start:stop, :]


def _broadcast(expr: Any, parts: list[Program], sizes: Sizes, space: Namespace) -> Program:
    shape = shape_of(expr, sizes)

    def run(look: Look) -> Array:
        value = parts[0](look)
        return space.xp.broadcast_to(value, tuple(value.shape[:-2]) + shape)

    return run


def _constant(value: Callable[[Namespace, tuple[int, int]], Array]) -> Make:
    def make(expr: Any, parts: list[Program], sizes: Sizes, space: Namespace) -> Program:
        fixed = value(space, shape_of(expr, sizes))
        return lambda look: fixed

    return make


_MAKERS: dict[type, Make] = {
    MatAdd: _folded(add),
    MatMul: _product,
    HadamardProduct: _folded(mul),
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
    OneMatrix: _constant(Namespace.ones),
    ZeroMatrix: _constant(Namespace.zeros),
    Identity: _constant(lambda space, shape: space.eye(shape[0])),
}
