"""What bounds need of a cell's step: its evaluator over intervals, and the addends of its Jacobian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from derive.derivation import Derivation
from derive.expressions import (
    ones,  # pyright: ignore[reportUnknownVariableType] - SymPy's numbers are untyped
    split_coefficient,
)
from derive.nodes import Block, Diag, Timed, leaves, operands
from numeric.ledger import routes
from numeric.scene import slots
from proofs.guarantee_ranges import Enclosing, is_entrywise
from proofs.untyped import HadamardPower, HadamardProduct, MatAdd, MatMul, OneMatrix, sympy

HIGHEST = 16
"""The degree up to which definitions are written out: 2ⁿ after n squarings, each of the one before."""


@dataclass(frozen=True)
class Step:
    """A cell at given sizes, whatever its weights.

    Args:
        derivation: of the cell.
        sizes: the size of every dimension.
    """

    derivation: Derivation
    sizes: Mapping[Any, int]

    @cached_property
    def evaluate(self) -> Enclosing:
        """The interval evaluator, with short definitions such as f = 1 − i written out."""
        return Enclosing(self.sizes, _short(self.derivation))

    @cached_property
    def addends(self) -> tuple[Addend, ...]:
        """Every addend of the joint Jacobian.

        Raises:
            MeasureError: a state is a matrix.
        """
        return tuple(_addends(self.derivation))

    @cached_property
    def slots(self) -> dict[tuple[str, int], slice]:
        """Where each state, and each of its earlier values, stands in the joint state."""
        return slots(self.derivation, self.sizes)

    @property
    def size(self) -> int:
        """Entries of the joint state."""
        return max(s.stop for s in self.slots.values())


@dataclass(frozen=True, slots=True)
class Addend:
    """diag(front) · rest, an addend of a block.

    Args:
        block: of the Jacobian.
        front: what stands in front of row i, an entrywise expression.
        rest: the other factors; none for the identity.
    """

    block: Block
    front: Any
    rest: tuple[Any, ...]


def _addends(derivation: Derivation) -> list[Addend]:
    found: list[Addend] = []
    for route in routes(derivation):
        for block, exprs in route.addends.items():
            for expr in exprs:
                c, core = split_coefficient(expr)
                parts = operands(core) if isinstance(core, MatMul) else (core,)
                lead = isinstance(parts[0], Diag)
                one: Any = ones(block.shape[0], sympy.S.One)
                front: Any = operands(parts[0])[0] if lead else one
                rest = parts[1:] if lead else parts
                found.append(Addend(block, _scaled(c, front), tuple(rest)))
    return found


def _scaled(c: Any, expr: Any) -> Any:
    return expr if c == 1 else MatMul(c, expr)


def _short(derivation: Derivation) -> dict[Any, Any]:
    """Definitions that are sums and products of one quantity of the same step, and of a degree that is worth it."""
    found: dict[Any, Any] = {}
    degrees: dict[Any, int] = {}
    for a in derivation.assignments:
        names = {v for v in leaves(a.expr) if not isinstance(v, OneMatrix)}
        one = len(names) == 1 and all(isinstance(v, Timed) and v.lag == 0 for v in names)
        plain = isinstance(a.expr, MatAdd | HadamardProduct)
        degree = _degree(a.expr, degrees)
        if one and plain and degree <= HIGHEST:
            found[a.target], degrees[a.target] = a.expr, degree
    return found


def _degree(expr: Any, degrees: Mapping[Any, int]) -> int:
    """The degree of sums and entrywise products in what they are made of, written out as far as is known."""
    if isinstance(expr, OneMatrix):
        return 0
    if not is_entrywise(expr):
        return degrees.get(expr, 1)
    if isinstance(expr, HadamardPower):
        base, power = cast("tuple[Any, Any]", expr.args)
        return int(power) * _degree(base, degrees)
    if isinstance(expr, HadamardProduct):
        return sum(_degree(part, degrees) for part in operands(expr))
    return max(_degree(part, degrees) for part in operands(expr))
