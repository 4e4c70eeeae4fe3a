"""The degrees of a derivation's identities, by running them over bounds on degrees instead of numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from derive.derivation import Derivation
from derive.nodes import Adjoint, Block, MatrixExpr, Tangent, Timed
from proofs.arithmetic import Array
from proofs.degrees import Bounds, Degrees, degrees_of
from proofs.dual import Dual, Pair
from proofs.evaluation import Evaluator
from proofs.point import Extent
from proofs.unrolled import Tape, given, run_backward, run_forward, run_tangents
from proofs.untyped import MatrixSymbol

UNREADABLE = (ValueError, KeyError, TypeError, IndexError)


def degrees_at(derivation: Derivation, extent: Extent, also: Iterable[MatrixExpr] = ()) -> Degrees:
    """The degrees of the derivation's identities at a point of these sizes.

    Args:
        derivation: whose lines, tangents and adjoints are compared.
        extent: the sizes.
        also: other expressions in its quantities that are compared.
    """
    others = tuple(also)
    return degrees_of(lambda bounds: _largest(derivation, extent, bounds, others), extent.samples)


def _largest(
    derivation: Derivation, extent: Extent, bounds: Bounds, also: tuple[MatrixExpr, ...]
) -> int:
    """The largest degree among all that is compared."""
    true = _true_values(derivation, extent, bounds)
    evaluate = Evaluator(bounds, extent.sizes)
    largest = max(int(v.max(initial=0)) for v in true.values.values())
    runs = (
        lambda: _lines(derivation, evaluate, true, also),
        lambda: _sweeps(derivation, evaluate, true, bounds),
    )
    for run in runs:
        try:
            largest = max(largest, run())
        except UNREADABLE:
            continue  # a line that cannot be evaluated is refused where it is judged
    return largest + 1  # one more for the direction with which a gradient is multiplied


def _true_values(derivation: Derivation, extent: Extent, bounds: Bounds) -> Tape[Array]:
    """Bounds on the true values, tangents and adjoints: every quantity moves, and is pushed besides."""
    dual = Evaluator(Dual(bounds), extent.sizes)
    cell = derivation.cell
    run: Tape[Pair] = Tape(extent.steps, {}, lambda leaf, t: Pair(bounds.leaf(dual.shape(leaf))))
    for symbol, place in given(cell, extent.steps):
        leaf = bounds.leaf(dual.shape(symbol))
        run.put(MatrixSymbol if place[1] is None else Timed, place, Pair(leaf, leaf))

    def push(_: Any, value: Pair) -> Pair:
        dot = bounds.leaf(value.value.shape)
        return Pair(value.value, dot if value.dot is None else bounds.add(value.dot, dot))

    run_forward(dual, derivation.assignments, run, push)
    dots = [int(pair.dot.max(initial=0)) for pair in run.values.values() if pair.dot is not None]
    adjoint = max(dots) + (0 if bounds.levels else 1)

    def absent(leaf: Any, _: int | None) -> Array:
        of_adjoint = isinstance(leaf, Adjoint | Block)
        return np.full(
            dual.shape(leaf), adjoint if of_adjoint else int(not bounds.levels), dtype=object
        )

    tape: Tape[Array] = Tape(extent.steps, {}, absent)
    for (kind, name, t), pair in run.values.items():
        tape.values[kind, name, t] = pair.value
        if pair.dot is not None:
            tape.put(Tangent, (name, t), pair.dot)
    for e in derivation.backward.local:
        for t in range(1, extent.steps + 1):
            tape.put(Adjoint, (e.lhs.name, t), absent(e.lhs, t))
    return tape


def _lines(
    derivation: Derivation,
    evaluate: Evaluator[Array],
    tape: Tape[Array],
    also: tuple[MatrixExpr, ...],
) -> int:
    found = 0
    for expr in (*also, *(step.rhs for step in derivation.steps if step.rhs is not None)):
        for t in range(tape.steps + 1):
            found = max(found, int(evaluate(expr, tape.at(t)).max(initial=0)))
    return found


def _sweeps(
    derivation: Derivation, evaluate: Evaluator[Array], true: Tape[Array], bounds: Bounds
) -> int:
    """The tangent and the adjoint equations, each on its own results."""
    values = {k: v for k, v in true.values.items() if k[0] in (Timed, MatrixSymbol)}
    tape: Tape[Array] = Tape(true.steps, values, lambda leaf, t: bounds.leaf(evaluate.shape(leaf)))
    run_tangents(evaluate, derivation.tangents, tape)
    run_backward(evaluate, derivation.backward, derivation.cell, tape)
    return max(int(v.max(initial=0)) for v in tape.values.values())
