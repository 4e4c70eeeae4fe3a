"""A run of a cell in which every derivative is known, by dual numbers alone.

Nothing here uses a derived gradient: a tangent is put on one quantity and the cell's own equations carry it, through
the whole run (total), within one step (local), or through one equation (immediate).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sympy import Rational
from sympy.matrices.expressions import MatrixSymbol

from derive.cell import Cell, Equation, Quantity
from derive.expressions import Elementwise, Timed, operands, walk, with_operands
from derive.functions import FUNCTIONS
from derive.still import still_of
from proofs.arithmetic import Array, ArrayArithmetic, law_value
from proofs.claims.conditions import adds_up
from proofs.claims.said import Loss
from proofs.dual import Dual, Pair
from proofs.evaluation import Evaluator
from proofs.unrolled import Place

Draw = Callable[[Place, tuple[int, int]], Array]


@dataclass(frozen=True, slots=True)
class Extent:
    """How large a run is: the size of every dimension, and T."""

    sizes: Mapping[Any, int]
    steps: int

    def __str__(self) -> str:
        return self.beside(())

    def beside(self, letters: Collection[str]) -> str:
        """In words, next to indices: a dimension that is called like one of them is told to be one."""
        told = (f"{'dim ' * (str(d) in letters)}{d} = {s}" for d, s in self.sizes.items())
        return ", ".join([*told, f"T = {self.steps}"])


class OutsideError(LookupError):
    """A quantity is asked for at a step that the run does not have.

    Args:
        what: the quantity and the step.
        late: whether that step comes after the last.
    """

    def __init__(self, what: str, *, late: bool = False) -> None:
        super().__init__(what)
        self.late = late


class BeyondError(OutsideError):
    """A sum or a product goes to the end of every run, and its terms go further."""


class World:
    """A run with all its derivatives.

    Args:
        cell: whose equations are run.
        loss: what is differentiated, ``None`` if nothing is.
        extent: sizes and T.
        arithmetic: the kind of numbers.
        draw: the value of everything given, and of the loss's gradient at each step, by place and shape; a constant
            with a declared value has that value, and is not drawn.
        conditions: restrictions; see ``proofs.claims.conditions``.
    """

    def __init__(
        self,
        cell: Cell,
        loss: Loss | None,
        extent: Extent,
        arithmetic: ArrayArithmetic,
        draw: Draw,
        conditions: Iterable[str] = (),
    ) -> None:
        self.conditions = frozenset(conditions)
        self.functions = functions_of(cell)
        self.still = still_of(cell)
        self.cell = linear(cell) if "linear" in self.conditions else cell
        self.loss, self.extent, self.steps, self.arithmetic = loss, extent, extent.steps, arithmetic
        self.plain = Evaluator(arithmetic, extent.sizes)
        self.dual = Evaluator(Dual(arithmetic), extent.sizes)
        self.by_name = {q.name: q for q in cell.quantities}
        self.equation_of = {e.target.name: e for e in self.cell.equations}
        self.values: dict[Place, Array] = {}
        self.given: dict[Place, Array] = {}
        self._slopes: dict[tuple[Place, str], dict[Place, Array]] = {}
        self._given_values(draw)
        self._run()
        self.weights = self._loss_weights(draw)

    # ── the run ──

    def shape(self, name: str) -> tuple[int, int]:
        """(rows, columns) of a quantity."""
        return self.plain.shape(self.by_name[name].symbol)

    def is_last(self, index: str) -> bool:
        """Whether a free index is the last step of the run, by the conditions."""
        return index == "t" and bool({"last step", "T=1"} & self.conditions)

    def _given_values(self, draw: Draw) -> None:
        for q in self.cell.quantities:
            shape = self.shape(q.name)
            if q.value is not None:
                number = self.arithmetic.number(Rational(q.value.numerator, q.value.denominator))
                self.given[q.name, None] = number
            elif q.role in ("parameter", "constant"):
                self.given[q.name, None] = self._restricted(q, draw((q.name, None), shape))
            elif q.role == "input":
                summing = q.kind == "index" or adds_up(q.name) in self.conditions
                for t in range(1 - q.depth, self.steps + 1):
                    value = draw((q.name, t), shape)
                    self.given[q.name, t] = self._adding_up(value) if summing else value
            elif q.role == "state":
                for t in range(1 - q.depth, 1):
                    zero = "initial" in self.conditions
                    self.given[q.name, t] = (
                        self.arithmetic.full(shape, 0) if zero else draw((q.name, t), shape)
                    )
        self.values.update(self.given)

    def _adding_up(self, value: Array) -> Array:
        """A column with its last entry replaced, so that all of them add up to 1: what every one-hot column does."""
        ar, rows = self.arithmetic, len(value)
        if rows == 1:
            return ar.full((1, 1), 1)
        first = ar.rows(value, 0, rows - 1)
        minus = ar.mul(ar.number(Rational(-1)), ar.matmul(ar.full((1, rows - 1), 1), first))
        return ar.concat([first, ar.add(ar.full((1, 1), 1), minus)])

    def _restricted(self, q: Quantity, value: Array) -> Array:
        """A parameter's value under the conditions."""
        rows, cols = value.shape
        if "bias" in self.conditions and is_bias(q):
            return self.arithmetic.full((rows, cols), 0)
        if q.shape[0] != q.shape[1] or q.role == "constant" or q.shape[0] == 1:
            return value
        if "identity" in self.conditions:
            return self.arithmetic.identity(rows)
        if "diagonal" in self.conditions:
            return self.arithmetic.mul(value, self.arithmetic.identity(rows))
        return np.tril(value) + np.tril(value, -1).T if "symmetric" in self.conditions else value

    def _run(self) -> None:
        for t in range(1, self.steps + 1):
            look = self._look(t)
            for e in self.cell.equations:
                self.values[e.target.name, t] = self.plain(e.expr, look)

    def _look(self, t: int) -> Callable[[Any], Array]:
        return lambda leaf: self.values[_place(leaf, t)]

    def _loss_weights(self, draw: Draw) -> dict[int, Array]:
        if self.loss is None:
            return {}
        shape = self.shape(self.loss.of)
        only_last = self.loss.last_only or "last loss" in self.conditions
        steps = [self.steps] if only_last else range(1, self.steps + 1)
        if self.loss.itself:
            return {t: self.arithmetic.full(shape, 1) for t in steps}
        return {t: draw((f"d{self.loss.name}/d{self.loss.of}", t), shape) for t in steps}

    def value(self, name: str, step: int | None) -> Array:
        """A quantity; what no step changes has its one value at every step, and without any.

        Raises:
            OutsideError: the run does not have it.
        """
        step = self._at_first(name, step)
        if (name, step) not in self.values:
            late = 0 if step is None else step - self.steps
            raise OutsideError(f"{name}[{f'T+{late}' if late > 0 else step}]", late=late > 0)
        return self.values[name, step]

    def _at_first(self, name: str, step: int | None) -> int | None:
        """The first step for what no step changes, if none is named."""
        return 1 if step is None and name in self.still else step

    def slope(self, name: str, step: int | None) -> Array | None:
        """f′ at the argument of the function that gives a quantity; ``None`` if no function does."""
        step = self._at_first(name, step)
        expr = self.equation_of[name].expr if name in self.equation_of else None
        if expr is None or step is None or not 1 <= step <= self.steps:
            late = step is not None and step > self.steps
            raise OutsideError(f"slope of {name} at step {step}", late=late)
        if not isinstance(expr, Elementwise):
            linear = "linear" in self.conditions
            return self.arithmetic.full(self.shape(name), 1) if linear else None
        argument = self.plain(operands(expr)[0], self._look(step))
        value = law_value(
            self.arithmetic, FUNCTIONS[expr.function].law, argument, self.value(name, step)
        )
        return np.broadcast_to(value, self.shape(name))

    # ── derivatives ──

    def derivative(self, kind: str, of: Place, by: Place) -> Array:
        """∂of/∂by as a matrix: rows are the entries of ``of``, columns those of ``by``, row by row each.

        By what no step changes, without a step, it is the sum of those by its value at each step.

        Args:
            kind: total, local or immediate.
            of: a quantity and its step.
            by: a quantity and its step.
        """
        of = of[0], self._at_first(*of)
        if by[1] is None and by[0] in self.still:
            return self._by_every_step(kind, of, by[0])
        self.value(*of)
        size = self.value(*by).size
        rows = self.value(*of).size
        if of == by:
            return self.arithmetic.identity(size)
        if of[1] is None or of[1] < 1 or of[0] not in self.equation_of:
            return self.arithmetic.full((rows, size), 0)
        moved = self._moved(by, kind if kind == "total" else f"{kind} {of[0]} {of[1]}", of)
        dot = moved.get(of)
        if dot is None:
            return self.arithmetic.full((rows, size), 0)
        return np.broadcast_to(dot, (size, *self.shape(of[0]))).reshape(size, rows).T

    def _by_every_step(self, kind: str, of: Place, by: str) -> Array:
        parts = [self.derivative(kind, of, (by, t)) for t in range(1, self.steps + 1)]
        total = parts[0]
        for part in parts[1:]:
            total = self.arithmetic.add(total, part)
        return total

    def _moved(self, by: Place, mode: str, of: Place) -> dict[Place, Array]:
        """What moves when one quantity does."""
        if (by, mode) not in self._slopes:
            if mode == "total":
                targets = [(e, t) for t in range(1, self.steps + 1) for e in self.cell.equations]
            elif mode.startswith("local"):
                targets = [(e, int(of[1] or 0)) for e in self.cell.equations]
            else:
                targets = [(self.equation_of[of[0]], int(of[1] or 0))]
            self._slopes[by, mode] = self._carried(by, targets)
        return self._slopes[by, mode]

    def _carried(self, by: Place, targets: list[tuple[Equation, int]]) -> dict[Place, Array]:
        size, shape = self.value(*by).size, self.shape(by[0])
        dots: dict[Place, Array] = {by: self.arithmetic.identity(size).reshape(size, *shape)}
        for equation, t in targets:
            place = (equation.target.name, t)
            if place == by or (by[1] is not None and t < by[1]):
                continue
            pair = self.dual(equation.expr, self._pairs(t, dots))
            if pair.dot is not None:
                dots[place] = pair.dot
        return dots

    def _pairs(self, t: int, dots: Mapping[Place, Array]) -> Callable[[Any], Pair]:
        def look(leaf: Any) -> Pair:
            place = _place(leaf, t)
            return Pair(self.values[place], dots.get(place))

        return look

    def loss_derivative(self, kind: str, term: int | None, by: Place) -> Array:
        """∂L/∂by, or of the term at one step, as a row over the entries of ``by``.

        An immediate derivative knows only what the loss itself looks at; a local one, the step of each term.
        """
        if self.loss is None:
            raise OutsideError("no loss")
        if term is not None and not 1 <= term <= self.steps:
            raise OutsideError(f"{self.loss.name} at step {term}", late=term > self.steps)
        row = self.arithmetic.full((1, self.value(*by).size), 0)
        for t, weight in self.weights.items():
            if term in (None, t):
                place = (self.loss.of, t)
                if kind == "immediate" and place != by:
                    continue
                part = self.arithmetic.matmul(
                    weight.reshape(1, -1), self.derivative(kind, place, by)
                )
                row = self.arithmetic.add(row, part)
        return row


def functions_of(cell: Cell) -> frozenset[str]:
    """The elementwise functions in a cell's equations."""
    nodes = (node for e in cell.equations for node in walk(e.expr))
    return frozenset(node.function for node in nodes if isinstance(node, Elementwise))


def is_bias(q: Quantity) -> bool:
    """Whether a parameter is a vector whose name begins with b."""
    return q.role == "parameter" and q.shape[1] == 1 and q.name.startswith("b")


def _place(leaf: Any, t: int) -> Place:
    if isinstance(leaf, MatrixSymbol):
        return (leaf.name, None)
    if not isinstance(leaf, Timed):
        raise TypeError(f"{leaf!r} is no leaf of an equation")
    return (leaf.name, t - leaf.lag)


def linear(cell: Cell) -> Cell:
    """The cell with every elementwise function replaced by the identity."""

    def straight(expr: Any) -> Any:
        new = with_operands(expr, [straight(part) for part in operands(expr)])
        return operands(new)[0] if isinstance(new, Elementwise) else new

    return replace(cell, equations=tuple(replace(e, expr=straight(e.expr)) for e in cell.equations))
