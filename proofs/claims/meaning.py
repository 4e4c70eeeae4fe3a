"""What a formula means in a world: its value at a choice of time steps, in one reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sympy import Rational

from derive.functions import FUNCTIONS
from proofs.claims.meaning_calls import CALLS
from proofs.claims.meaning_steps import over_steps
from proofs.claims.syntax import (
    Add,
    Big,
    Call,
    Chain,
    Deriv,
    Index,
    Literal,
    Mul,
    Node,
    Num,
    Open,
    Pow,
    Qty,
    Transposed,
    children,
    indices,
    walk,
)
from proofs.claims.values import Algebra, MeaninglessError, Value, named_sizes, settled
from proofs.claims.world import OutsideError, World

MAX_POWER = 32
Places = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a formula is read where its author leaves that open.

    Args:
        by_parameter: what an open derivative by a parameter is on the right side: total, local or immediate.
        by_other: what any other open derivative is there.
        left: what an open derivative is on the left side.
        layout: a key of ``values.LAYOUTS``.
        products: what a product without a sign is where derivatives stand in it: maps, one after the other, or
            arrays as they are.
    """

    by_parameter: str = "total"
    by_other: str = "total"
    left: str = "total"
    layout: str = "house"
    products: str = "maps"


class Meaning:
    """Evaluates formulas in one world and one reading; what has been computed is kept.

    Args:
        world: the run.
        reading: how what is open is read.
    """

    def __init__(self, world: World, reading: Reading | None = None) -> None:
        self.world = world
        self.reading = reading or Reading()
        self.algebra = Algebra(world.arithmetic, named_sizes(world.extent.sizes))
        self._known: dict[Any, Value | MeaninglessError | OutsideError] = {}
        self._variables: dict[Node, tuple[str, ...]] = {}
        self.side = "right"
        self.terms = 0

    def __call__(self, node: Node, places: Places, side: str = "right") -> Value:
        """The value of a formula.

        Args:
            node: the formula.
            places: the steps of its free indices.
            side: left or right of the relation.

        Raises:
            MeaninglessError: shapes cannot agree.
            OutsideError: it speaks of a step that the run does not have.
        """
        self.side = side
        return settled(self.algebra, self.visit(node, {**places, "T": self.world.steps}))

    def visit(self, node: Node, places: Places) -> Value:
        """The value of a part."""
        key = (self.side, node, tuple(places.get(v) for v in self._letters(node)))
        if key not in self._known:
            try:
                self._known[key] = getattr(self, _RULES[type(node)])(node, places)
            except (MeaninglessError, OutsideError) as error:
                self._known[key] = error
        found = self._known[key]
        if isinstance(found, Exception):
            raise found
        return found

    def _letters(self, node: Node) -> tuple[str, ...]:
        """The letters of the indices in a part, sorted."""
        if node not in self._variables:
            own = {name for index in indices(node) for name, _ in index.terms}
            below = (self._letters(part) for part in children(node))
            self._variables[node] = tuple(sorted(own.union(*below)))
        return self._variables[node]

    # ── leaves ──

    def _number(self, node: Num, places: Places) -> Value:
        return self.algebra.number(Rational(node.value.numerator, node.value.denominator))

    def _literal(self, node: Literal, places: Places) -> Value:
        rows = [[self.visit(part, places) for part in row] for row in node.rows]
        if any(not part.is_scalar for row in rows for part in row):
            raise MeaninglessError("the entries of a list are numbers", node.where)
        return Value(
            np.concatenate(
                [np.concatenate([p.array for p in row], axis=-1) for row in rows], axis=-2
            )
        )

    def step_of(self, index: Index | None, places: Places) -> int | None:
        """The step that an index is."""
        return None if index is None else index.at(dict(places))

    def _quantity(self, node: Qty, places: Places) -> Value:
        world = self.world
        if (
            world.loss is not None
            and node.name == world.loss.name
            and node.name not in world.by_name
        ):
            raise MeaninglessError(
                f"{node.name} is any function of {world.loss.of}: only its derivatives are known",
                node.where,
            )
        return Value(self._laid(world.value(node.name, self.step_of(node.index, places))))

    def _laid(self, array: Any) -> Any:
        """A quantity's value in the layout: a column is a row in some."""
        turned = self.reading.layout == "row" or self._is_laid(array.shape[-2:])
        return self.world.arithmetic.transpose(array) if turned else array

    def _is_laid(self, shape: tuple[int, int]) -> bool:
        """Whether a quantity of this shape is a row while matrices stay as they are."""
        return self.reading.layout == "stored" and shape[1] == 1

    def _derivative(self, node: Deriv, places: Places) -> Value:
        if not isinstance(node.of, Qty):
            return self._of_expression(node, places)
        by = (node.by.name, self.step_of(node.by.index, places))
        kind = self._kind(node)
        world = self.world
        if world.loss is not None and node.of.name == world.loss.name:
            row = world.loss_derivative(kind, self.step_of(node.of.index, places), by)
            return self._gradient(row, world.shape(by[0]))
        of = (node.of.name, self.step_of(node.of.index, places))
        return self._jacobian(
            world.derivative(kind, of, by), world.shape(of[0]), world.shape(by[0])
        )

    def _of_expression(self, node: Deriv, places: Places) -> Value:
        """∂(u ∘ v ∘ …)/∂w by the product rule."""
        match node.of:
            case Mul(factors=factors) if all(e > 0 and isinstance(f, Qty) for e, f in factors):
                total: Value | None = None
                for i, (_, factor) in enumerate(factors):
                    inner = self.visit(Deriv(kind=node.kind, of=factor, by=node.by), places)
                    others = [f for j, (_, f) in enumerate(factors) if j != i]
                    for other in others:
                        value = self.visit(other, places)
                        if inner.shape[0] == 1 and not value.is_scalar:
                            inner = self.algebra.matmul(value, inner, node.where)
                        else:
                            factor = self.algebra.as_map(value)
                            inner = self.algebra.compose(factor, inner, node.where)
                    total = inner if total is None else self.algebra.add(total, inner, node.where)
                if total is not None:
                    return total
            case _:
                pass
        raise MeaninglessError(
            "only quantities and their entrywise products are differentiated", node.where
        )

    def _kind(self, node: Deriv) -> str:
        loss = self.world.loss
        if node.kind != "open":
            return node.kind
        if loss is not None and isinstance(node.of, Qty) and node.of.name == loss.name:
            return "total"
        if self.side == "left":
            return self.reading.left
        return self.reading.by_parameter if node.by.index is None else self.reading.by_other

    def _gradient(self, row: Any, shape: tuple[int, int]) -> Value:
        value = self.algebra.from_row(row, shape)
        turned = self.reading.layout in ("numerator", "row") or self._is_laid(shape)
        return self.algebra.transpose(value) if turned else value

    def _jacobian(self, matrix: Any, of: tuple[int, int], by: tuple[int, int]) -> Value:
        value = Value(matrix, None if of[1] == 1 else of, None if by[1] == 1 else by)
        return (
            self.algebra.transpose(value)
            if self.reading.layout in ("denominator", "row")
            else value
        )

    # ── operations ──

    def _sum(self, node: Add, places: Places) -> Value:
        values = [(sign, self.visit(term, places)) for sign, term in node.terms]
        parts = [v if sign > 0 else self.algebra.negate(v) for sign, v in values]
        total = parts[0]
        for part in parts[1:]:
            total = self.algebra.add(total, part, node.where)
        return total

    def _product(self, node: Mul, places: Places) -> Value:
        total: Value | None = None
        for exponent, factor in node.factors:
            value = self.visit(factor, places)
            if exponent < 0:
                value = Value(self.world.arithmetic.power(value.array, -1))
            total = value if total is None else self.algebra.mul(total, value, node.where)
        assert total is not None  # noqa: S101 - the reader makes no product without factors
        return total

    def _chain(self, node: Chain, places: Places) -> Value:
        values = [self.visit(factor, places) for factor in node.factors]
        total = values[0]
        for value in values[1:]:
            scales = total.is_scalar or value.is_scalar
            multiplied = self.algebra.mul if scales else self.algebra.matmul
            total = multiplied(total, value, node.where)
        return total

    def _open(self, node: Open, places: Places) -> Value:
        """Linear maps composed, a vector between them as a diagonal matrix."""
        plain = [self.visit(factor, places) for factor in node.factors]
        if not all(v.gradient for v in plain) and (
            self.reading.products == "arrays" or not has_derivative(node)
        ):
            return self._product_of_values(plain, node)
        values = [self.algebra.as_map(v) for v in plain]
        total = values[0]
        for value in values[1:]:
            total = self.algebra.compose(total, value, node.where)
        if total.shape[0] == 1 and plain[0].gradient:
            return self.algebra.from_row(total.array, total.cols or (total.shape[1], 1))
        return total

    def _product_of_values(self, plain: list[Value], node: Open) -> Value:
        """Of arrays: the matrix product where it exists, else entry by entry, as row times column."""
        total = plain[0]
        for value in plain[1:]:
            if total.shape[1] == value.shape[0]:
                total = self.algebra.matmul(total, value, node.where)
            elif total.shape[1] == 1 and total.shape[0] == value.shape[0]:
                column = replace(total, gradient=False)
                total = self.algebra.matmul(self.algebra.as_map(column), value, node.where)
            else:
                total = self.algebra.mul(total, value, node.where)
        return total

    def _power(self, node: Pow, places: Places) -> Value:
        if (
            not isinstance(node.exponent, Num)
            or node.exponent.value.denominator != 1
            or abs(node.exponent.value) > MAX_POWER
        ):
            raise MeaninglessError("an exponent here is a small whole number", node.exponent.where)
        base = self.visit(node.base, places)
        array = self.world.arithmetic.power(base.array, int(node.exponent.value))
        return Value(array, base.rows, base.cols, base.gradient)

    def _transposed(self, node: Transposed, places: Places) -> Value:
        return self.algebra.transpose(self.visit(node.of, places))

    def _big(self, node: Big, places: Places) -> Value:
        return over_steps(self, node, places)

    def _call(self, node: Call, places: Places) -> Value:
        if node.name == "slope":
            return self._slope(node, places)
        args = [self.visit(arg, places) for arg in node.args]
        arithmetic = self.world.arithmetic
        if node.name in FUNCTIONS:
            if "linear" in self.world.conditions and node.name in self.world.functions:
                return args[0]
            return Value(arithmetic.function(node.name, args[0].array), gradient=False)
        rule = CALLS.get(node.name)
        if rule is None:
            raise MeaninglessError(
                f"{node.name} is judged in inequalities and worked numbers only", node.where
            )
        return rule(self, node, args)

    def _slope(self, node: Call, places: Places) -> Value:
        of = node.args[0]
        if not isinstance(of, Qty) or (of.index is None and of.name not in self.world.still):
            raise MeaninglessError(
                "slope(u[t]) is f′ at the argument of the function that gives u[t]", node.where
            )
        array = self.world.slope(of.name, self.step_of(of.index, places))
        if array is None:
            raise MeaninglessError(
                f"{of.name} is not the value of an elementwise function", of.where
            )
        return Value(self._laid(array))


def has_derivative(node: Open) -> bool:
    """Whether a product without a sign has derivatives in it."""
    return any(isinstance(part, Deriv) for part in walk(node))


_RULES: dict[type[Node], str] = {
    Num: "_number",
    Literal: "_literal",
    Qty: "_quantity",
    Deriv: "_derivative",
    Add: "_sum",
    Mul: "_product",
    Chain: "_chain",
    Open: "_open",
    Pow: "_power",
    Transposed: "_transposed",
    Big: "_big",
    Call: "_call",
}
