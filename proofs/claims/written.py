"""Expressions of a cell as formulas of the claim language."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from typing import Any

from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    MatAdd,
    MatMul,
    MatrixSymbol,
    OneMatrix,
    Transpose,
)

from derive.expressions import (
    Broadcast,
    Elementwise,
    Softmax,
    Timed,
    Total,
    operands,
    split_coefficient,
)
from proofs.claims.syntax import (
    Add,
    Call,
    Chain,
    Deriv,
    Index,
    Mul,
    Node,
    Num,
    Pow,
    Qty,
    Transposed,
    children,
    with_children,
)

ONE = Num(value=Fraction(1))
NOW = Index((("t", 1),))


class NoFormulaError(Exception):
    """The claim language has no word for a node."""


def written(expr: Any, now: Index) -> Node:
    """An expression of a cell as a formula at a step.

    Raises:
        NoFormulaError: the claim language has no word for a node.
    """
    c, core = split_coefficient(expr)
    if c != 1:
        return scaled(c, core, now)
    match core:
        case Timed():
            return Qty(name=core.name, index=now.shifted(-core.lag))
        case MatrixSymbol():
            return Qty(name=core.name)
        case OneMatrix():
            return ONE
        case MatAdd():
            split = [split_coefficient(term) for term in core.args]
            signs = [(-1 if k.is_number and k < 0 else 1) for k, _ in split]
            return Add(
                terms=tuple(
                    (s, written(s * term, now)) for s, term in zip(signs, core.args, strict=True)
                )
            )
        case HadamardProduct():
            return Mul(factors=tuple((1, written(part, now)) for part in core.args))
        case MatMul():
            return Chain(factors=tuple(written(part, now) for part in core.args))
        case _:
            pass
    return _written_function(core, now)


def _written_function(core: Any, now: Index) -> Node:
    match core:
        case HadamardPower():
            return Pow(
                base=written(core.args[0], now), exponent=Num(value=Fraction(int(core.args[1])))
            )
        case Transpose():
            return Transposed(of=written(core.arg, now))
        case Elementwise():
            return Call(name=core.function, args=(written(operands(core)[0], now),))
        case Softmax():
            return Call(name="softmax", args=(written(operands(core)[0], now),))
        case Broadcast():
            return written(operands(core)[0], now)
        case Total():
            return Call(name="total", args=(written(operands(core)[0], now),))
        case _:
            pass
    raise NoFormulaError(type(core).__name__)


def scaled(c: Any, core: Any, now: Index) -> Node:
    """A number times an expression; the number itself where the expression is ones.

    Raises:
        NoFormulaError: the claim language has no word for the number or for a node.
    """
    if not c.is_Rational:
        raise NoFormulaError(str(c))
    number = Fraction(int(c.p), int(c.q))
    if isinstance(core, OneMatrix):
        return Num(value=number)
    if number < 0:
        return Add(terms=((-1, written(-c * core, now)),))
    return Mul(factors=((1, Num(value=number)), (1, written(core, now))))


def without_steps(node: Node, names: Collection[str]) -> Node:
    """A formula in which quantities that no step changes have no index; a derivative by a value at a step stays.

    Args:
        node: the formula.
        names: of what no step changes.
    """
    if isinstance(node, Deriv):
        return node
    if isinstance(node, Qty):
        return Qty(name=node.name) if node.name in names else node
    return with_children(node, tuple(without_steps(part, names) for part in children(node)))
