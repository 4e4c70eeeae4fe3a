"""What a cell costs: parameters, operations and memory as formulas in its dimensions, in T and in B."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sympy import (  # pyright: ignore[reportMissingTypeStubs] - it ships none
    Integer,
    Symbol,
    expand,  # pyright: ignore[reportUnknownVariableType] - as above
)
from sympy.matrices.expressions import (  # pyright: ignore[reportMissingTypeStubs] - as above
    MatMul,
    OneMatrix,
    Transpose,
)

from derive.cell import Cell
from derive.derivation import Derivation
from derive.errors import ArgumentError
from derive.expressions import (
    LEAVES,
    Broadcast,
    Concat,
    Rows,
    Timed,
    operands,
    split_coefficient,
    walk,
)
from numeric.limits import MOST_PARAMETERS, MOST_STATE, MOST_WORK

T = Symbol("T", integer=True, positive=True)
B = Symbol("B", integer=True, positive=True)
_MOVES = (*LEAVES, Broadcast, Transpose, Concat, Rows)
"""What computes nothing."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Formulas, as SymPy expressions in the cell's dimensions, T and B.

    Args:
        parameters: the number of trained entries.
        operations: floating-point operations of a forward pass: 2 r c for a product of an r × c matrix with a vector,
            beginning at the vector where there are several matrices; one for each entry of every other operation, be it
            by a number; spreading, turning, stacking, gathering by an index and a change of sign are none.
        memory: numbers kept for the backward pass: every value of every step that the adjoint equations name.
    """

    parameters: Any
    operations: Any
    memory: Any

    def at(self, sizes: Mapping[Any, int], steps: int, samples: int) -> tuple[int, int, int]:
        """The three numbers."""
        values = {**sizes, T: steps, B: samples}
        found = (self.parameters, self.operations, self.memory)
        return (int(found[0].subs(values)), int(found[1].subs(values)), int(found[2].subs(values)))


def costs(derivation: Derivation) -> Costs:
    """The costs of a cell."""
    parameters: Any = Integer(0)
    for q in derivation.cell.parameters:
        parameters += q.shape[0] * q.shape[1]
    named = _named_backward(derivation)
    gathered = frozenset(q.name for q in derivation.cell.inputs if q.kind == "index")
    step: Any = Integer(0)
    once: Any = Integer(0)
    kept: Any = Integer(0)
    for a in derivation.assignments:
        target: Any = a.target
        operations = sum((_operations(node, gathered) for node in walk(a.expr)), Integer(0))
        if target.name in derivation.still:
            once += operations
            continue
        if target.name in named:
            kept += target.shape[0] * target.shape[1]
        step += operations
    return Costs(expand(parameters), expand(T * B * step + once), expand(T * B * kept))


def held_by_a_step(
    derivations: Sequence[Derivation], lengths: Mapping[Any, str] | None = None
) -> str:
    """How many times as many values a step holds as the state has, where all sizes are equal; at least 1.

    Args:
        derivations: of what goes side by side.
        lengths: sizes that are how many steps an axis has, which are no size like others, each with its name in code.
    """
    steps: Any = Integer(0)
    states: Any = Integer(0)
    for d in derivations:
        ones: dict[Any, Any] = dict.fromkeys(d.cell.dims, 1) | {T: 1, B: 1}
        ones |= {size: Symbol(name) for size, name in (lengths or {}).items()}
        steps += costs(d).memory.subs(ones)
        for q in (*d.cell.states, *d.cell.inputs):
            states += q.depth * (q.shape[0] * q.shape[1]).subs(ones)
    if not states:
        return "1.0"
    if states == 1 and steps.free_symbols:
        return str(steps).replace("*", " * ")
    if (steps / states).free_symbols:
        return f"max(1.0, ({steps}) / ({states}))".replace("*", " * ")
    return str(max(1.0, round(float(steps / states), 1)))


def _named_backward(derivation: Derivation) -> set[str]:
    """The quantities whose values at some step the adjoint equations and the parameters' gradients name."""
    back = derivation.backward
    equations = (*back.local, *back.inputs, *back.parameters, *back.inlined.values())
    return {node.name for e in equations for node in walk(e.rhs) if type(node) is Timed}


def refuse_beyond(cell: Cell, sizes: Mapping[Any, int]) -> None:
    """Refuses a cell with more trained entries than the limit, before any of them is drawn.

    Raises:
        ArgumentError: says how many there would be, at which sizes, and the limit.
    """
    count = sum(int((q.shape[0] * q.shape[1]).subs(sizes)) for q in cell.parameters)
    if count > MOST_PARAMETERS:
        at = ", ".join(f"{d} = {size:,}" for d, size in sizes.items())
        raise ArgumentError(
            f"{cell.name} has {count:,} trained numbers at {at}; at most {MOST_PARAMETERS:,} are measured.",
            "Choose smaller sizes.",
        )


def refuse_long(cell: Cell, sizes: Mapping[Any, int], steps: int) -> None:
    """Refuses a run whose length and sizes are each within their limits, and together would take days.

    Raises:
        ArgumentError: says how much work it would be, at which sizes and length, and the limit.
    """
    count = sum(int((q.shape[0] * q.shape[1]).subs(sizes)) for q in cell.parameters)
    if count * steps > MOST_WORK:
        at = ", ".join(f"{d} = {size:,}" for d, size in sizes.items())
        raise ArgumentError(
            f"{cell.name} has {count:,} trained numbers at {at}; over T = {steps:,} steps these are "
            f"{count * steps:.1e} products, at most {MOST_WORK:.0e} are measured.",
            "Choose fewer steps or smaller sizes.",
        )


def refuse_wide(cell: Cell, sizes: Mapping[Any, int]) -> None:
    """Refuses a cell whose state is too wide for its gradients to be followed lag by lag.

    Raises:
        ArgumentError: says how many entries the state has, at which sizes, and the limit.
    """
    count = sum(int((q.depth * q.shape[0] * q.shape[1]).subs(sizes)) for q in cell.states)
    if count > MOST_STATE:
        at = ", ".join(f"{d} = {size:,}" for d, size in sizes.items())
        raise ArgumentError(
            f"The state of {cell.name} has {count:,} entries at {at}; a study follows at most {MOST_STATE:,}.",
            "Choose smaller sizes, or measure the growth rate alone: study --sweep GRID.toml.",
        )


def _operations(node: Any, gathered: frozenset[str]) -> Any:
    """Of one node by itself."""
    if isinstance(node, _MOVES):
        return Integer(0)
    parts = operands(node)
    if isinstance(node, MatMul):
        return _scaling(node) + _product(parts, gathered)
    return max(1, len(parts) - 1) * node.shape[0] * node.shape[1]


def _scaling(node: Any) -> Any:
    """Of the number before a product; what is spread is scaled before, and ones are a constant."""
    coefficient, core = split_coefficient(node)
    while isinstance(core, Broadcast):
        (core,) = operands(core)
    if abs(coefficient) == 1 or isinstance(core, OneMatrix):
        return Integer(0)
    return core.shape[0] * core.shape[1]


def _product(factors: Sequence[Any], gathered: frozenset[str]) -> Any:
    """Of a matrix product, which begins at the vector: at the last factor if it is a column, else at the first."""
    total: Any = Integer(0)
    if factors[-1].shape[1] == 1:
        factors = [f.T for f in reversed(factors)]
    rows = factors[0].shape[0]
    for left, right in pairwise(factors):
        named = {node.name for node in (*walk(left), *walk(right)) if type(node) is Timed}
        if isinstance(left, OneMatrix) or isinstance(right, OneMatrix) or named & gathered:
            continue
        inner = left.shape[1]
        total += (inner if inner == 1 else 2 * inner) * rows * right.shape[1]
    return total
