"""What no step changes: values made of parameters and constants alone, such as r = exp(−exp(ν)).

They are the same at every step, so they have no time index; and what a parameter receives through them is received
once, after the sum over time: with r̄ = Σₜ r̄ₜ, the gradient by ν is −r̄ ∘ r ∘ exp(ν).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from sympy.matrices.expressions import HadamardProduct, MatrixExpr

from derive.cell import Cell, Equation
from derive.expressions import (
    Adjoint,
    LossGradient,
    Timed,
    hadamard,
    leaves,
    operands,
    replace,
    scale,
    split_coefficient,
    zeros_like,
)
from derive.normal import Assignment


def still_of(cell: Cell) -> frozenset[str]:
    """The names of a cell's quantities that no step changes."""
    return still_names(cell.equations, {q.name for q in cell.outputs})


def still_names(step: Iterable[Assignment | Equation], seen: Collection[str]) -> frozenset[str]:
    """The names of what no step changes.

    Args:
        step: its lines, in order of evaluation.
        seen: names of what a loss looks at, step by step; they count as values of a step.
    """
    lines = tuple(step)
    before = {v.name for a in lines for v in _timed(a) if v.lag}
    found: set[str] = set()
    for a in lines:
        name = a.target.name
        if name not in before and name not in seen and all(v.name in found for v in _timed(a)):
            found.add(name)
    return frozenset(found)


def _timed(a: Assignment | Equation) -> list[Timed]:
    return [v for v in leaves(a.expr) if isinstance(v, Timed)]


def is_total(leaf: MatrixExpr, still: Collection[str]) -> bool:
    """Whether a leaf is the adjoint of what no step changes."""
    return isinstance(leaf, Adjoint) and isinstance(leaf.of, Timed) and leaf.name in still


def parted(expr: MatrixExpr, still: Collection[str]) -> tuple[MatrixExpr, MatrixExpr]:
    """A gradient by what no step changes: what comes through other such values, and the rest, a sum over time.

    Law: it is linear in the adjoints, so it is its value where only those of such values are there, and its value
    where these are zero.
    """

    def once(leaf: MatrixExpr) -> bool:
        return is_total(leaf, still)

    def without(gone: Callable[[MatrixExpr], bool]) -> MatrixExpr:
        return replace(expr, lambda leaf: zeros_like(leaf) if gone(leaf) else leaf)

    if not any(map(once, leaves(expr))):
        return zeros_like(expr), expr
    others = without(lambda leaf: isinstance(leaf, Adjoint | LossGradient) and not once(leaf))
    return others, without(once)


def taken_out(
    term: MatrixExpr, changes: Callable[[MatrixExpr], bool]
) -> tuple[MatrixExpr, MatrixExpr | None]:
    """A term of a sum over time, and the factors that stand before the sum: Σₜ (vₜ ∘ c) = c ∘ Σₜ vₜ.

    Args:
        term: the term.
        changes: whether an expression changes from step to step.
    """
    c, core = split_coefficient(term)
    every = operands(core) if isinstance(core, HadamardProduct) else ()
    inside = [f for f in every if changes(f)]
    outside = [f for f in every if not changes(f)]
    if not inside or not outside:
        return term, None
    return hadamard(*inside), scale(c, hadamard(*outside))
