"""The tangent rules, one per node: how a direction in the operands becomes a direction in the value.

These know nothing of the adjoint rules: that the two agree, ⟨ȳ, ẏ⟩ = Σ ⟨ā, ȧ⟩, is what proofs check.
"""

from __future__ import annotations

from collections.abc import Callable

from sympy import S
from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    Transpose,
    ZeroMatrix,
)

from derive.expressions import (
    LEAVES,
    Broadcast,
    Concat,
    Elementwise,
    LogSumExp,
    Softmax,
    Tangent,
    Timed,
    Total,
    add,
    broadcast,
    hadamard,
    matmul,
    negate,
    operands,
    power,
    scale,
    split_coefficient,
    total,
    transpose,
    zeros_like,
)
from derive.functions import FUNCTIONS
from derive.nodes import PRIMAL_NODES
from derive.normal import Assignment


def _leibniz(join, node, dots):
    """(a b …)˙ = ȧ b … + a ḃ … + …"""
    c, parts = split_coefficient(node)[0], operands(node)
    return add(*(scale(c, join(*parts[:i], dot, *parts[i + 1 :])) for i, dot in enumerate(dots)))


def _power(node, y, dots):
    (a,), k = operands(node), int(node.args[1])
    return hadamard(scale(S(k), power(a, k - 1)), dots[0])


def _elementwise(node, y, dots):
    (a,) = operands(node)
    return hadamard(FUNCTIONS[node.function].derivative(a, y), dots[0])


def _softmax(node, y, dots):
    flow = hadamard(y, dots[0])
    return add(flow, negate(hadamard(y, broadcast(total(flow), *y.shape))))


def _concat(node, y, dots):
    return zeros_like(node) if all(isinstance(d, ZeroMatrix) for d in dots) else Concat(*dots)


TANGENTS: dict[type, Callable[[MatrixExpr, MatrixExpr, tuple[MatrixExpr, ...]], MatrixExpr]] = {
    MatAdd: lambda node, y, dots: add(*dots),
    MatMul: lambda node, y, dots: _leibniz(matmul, node, dots),
    HadamardProduct: lambda node, y, dots: _leibniz(hadamard, node, dots),
    HadamardPower: _power,
    Transpose: lambda node, y, dots: transpose(dots[0]),
    Elementwise: _elementwise,
    Softmax: _softmax,
    LogSumExp: lambda node, y, dots: total(hadamard(Softmax(*operands(node)), dots[0])),
    Concat: _concat,
    Broadcast: lambda node, y, dots: broadcast(dots[0], *node.shape),
    Total: lambda node, y, dots: total(dots[0]),
}
if TANGENTS.keys() != PRIMAL_NODES:
    raise RuntimeError(f"tangent rules missing or superfluous: {PRIMAL_NODES ^ TANGENTS.keys()}")


def push_forward(
    expr: MatrixExpr, y: MatrixExpr, dot: Callable[[MatrixExpr], MatrixExpr]
) -> MatrixExpr:
    """The tangent of ``y = expr`` when leaf ``v`` moves along ``dot(v)``."""
    if isinstance(expr, LEAVES):
        return dot(expr)
    dots = tuple(push_forward(child, child, dot) for child in operands(expr))
    return TANGENTS[type(expr)](expr, y, dots)


def every_direction(leaf: MatrixExpr) -> MatrixExpr:
    """v̇ for every quantity; constants such as 1 do not move."""
    return Tangent(leaf) if isinstance(leaf, Timed | MatrixSymbol) else zeros_like(leaf)


def tangent_equations(
    assignments: tuple[Assignment, ...], dot: Callable[[MatrixExpr], MatrixExpr] = every_direction
) -> tuple[Assignment, ...]:
    """v̇ = … for every assignment v = …, in the same order."""
    return tuple(
        Assignment(Tangent(a.target), push_forward(a.expr, a.target, dot), a.line, a.owner, a.kind)
        for a in assignments
    )
