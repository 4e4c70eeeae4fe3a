"""Totals that a coefficient in the sizes turns into means: 1/n · (… total(x) …) = … mean(x) …."""

from __future__ import annotations

from itertools import combinations

from sympy import Expr, Mul
from sympy.matrices.expressions import HadamardProduct, MatMul, MatrixExpr, Transpose

from derive.expressions import Broadcast, Total, operands, with_operands

MAX_TOTALS = 10

# What is linear in each operand: a factor may move through it.
_MULTILINEAR = (Broadcast, HadamardProduct, MatMul, Total, Transpose)


class Mean(Total):
    """The mean of all entries; it exists only on the way from SymPy to text."""


def with_means(c: Expr, core: MatrixExpr) -> tuple[Expr, MatrixExpr]:
    """The same product c · core with as many totals made means as free c from sizes.

    Args:
        c: a scalar.
        core: what it multiplies.

    Returns:
        the remaining scalar and expression; the given ones if no choice of totals frees the scalar.
    """
    found = [node for node in _reached(core) if isinstance(node, Total)][:MAX_TOTALS]
    sizes = {symbol for node in found for symbol in _entries(node).free_symbols}
    for count in range(1, len(found) + 1):
        for chosen in combinations(range(len(found)), count):
            rest = c * Mul(*(_entries(found[i]) for i in chosen))
            if not rest.free_symbols & sizes:
                return rest, _replaced(core, iter(range(len(found))), frozenset(chosen))
    return c, core


def _entries(total: MatrixExpr) -> Expr:
    rows, cols = total.args[0].shape
    return rows * cols


def _reached(core: MatrixExpr) -> list[MatrixExpr]:
    """The nodes through which a factor may move, parents first."""
    stack, found = [core], []
    while stack:
        node = stack.pop()
        if isinstance(node, _MULTILINEAR):
            found.append(node)
            stack.extend(reversed(operands(node)))
    return found


def _replaced(node: MatrixExpr, numbers, chosen: frozenset[int]) -> MatrixExpr:
    """The node with the chosen totals, counted parents first, made means."""
    if not isinstance(node, _MULTILINEAR):
        return node
    mean = isinstance(node, Total) and next(numbers, None) in chosen
    parts = [_replaced(part, numbers, chosen) for part in operands(node)]
    return Mean(*parts) if mean else with_operands(node, parts)
