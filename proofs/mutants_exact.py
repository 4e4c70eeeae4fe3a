"""The exact route turned on mutants of a derivation: one point modulo a prime, and every mutant run backward there.

The point and the true answers at it are found once, from the cell's own step by dual numbers. A mutant is killed
when its equations, run backward, disagree with them:

        Σ ⟨θ̄, θ̇⟩ + Σ_t ⟨x̄_t, ẋ_t⟩ + Σ ⟨s̄₀, ṡ₀⟩ = L̇.

Whether a mutant says the same as the original is decided otherwise, equation by equation, with every name on the right
an indeterminate of its own: no run, no truth and no time takes part.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
from sympy.matrices.expressions import MatrixSymbol

from derive.backward import AdjointEquation, Backward
from derive.derivation import Derivation
from derive.expressions import shifted
from derive.nodes import Adjoint, LossGradient, Timed
from proofs.evaluation import Evaluator
from proofs.field import MERSENNE_PRIMES, PrimeField, SingularPointError, regular
from proofs.point import Extent, Point, draw_sizes, steps_for
from proofs.unrolled import ZERO_BEYOND, Place, Tape, run_backward

PRIME = MERSENNE_PRIMES[0]


class ExactJudge:
    """Judges derivations of one cell by their adjoint equations.

    Args:
        derivation: the right one; only its step in normal form is trusted, and names what it holds.
        seed: of sizes and points.
    """

    def __init__(self, derivation: Derivation, seed: int = 0) -> None:
        rng = Random(seed)  # noqa: S311 - no secret
        self.right = derivation
        cell = derivation.cell
        extent = Extent(draw_sizes(cell, rng, largest=3), steps_for(cell), 1)
        self.point = regular(lambda seed: Point(derivation, extent, PRIME, seed), rng)
        self.sizes = [draw_sizes(cell, rng) for _ in range(2)]
        self.seed = seed

    def refusal(self, backward: Backward) -> str:
        """Why these adjoint equations are wrong; empty if they pass."""
        point = self.point
        tape: Tape[Any] = Tape(point.extent.steps, self._given(), point.tape.absent)
        try:
            run_backward(point.evaluate, backward, self.right.cell, tape)
            wrong = [place for place in point.directions if not self._agrees(tape, place)]
        except (ValueError, KeyError, TypeError, IndexError, SingularPointError) as error:
            return f"the equations cannot be run: {error}"
        if wrong:
            return f"wrong gradient of {', '.join(map(_named, wrong[:3]))}"
        return self._wrong_on_the_way(backward, tape)

    def _wrong_on_the_way(self, backward: Backward, tape: Tape[Any]) -> str:
        """An adjoint of an intermediate that is wrong, though what comes of it is right."""
        for e in backward.local:
            for t in range(1, self.point.extent.steps + 1):
                true = self.point.tape.values.get((Adjoint, e.lhs.name, t))
                found = tape.values.get((Adjoint, e.lhs.name, t))
                if true is not None and not np.all(np.equal(found, true)):
                    return f"wrong adjoint of {_named((e.lhs.name, t))}"
        return ""

    def _given(self) -> dict[Any, Any]:
        kinds = (Timed, MatrixSymbol, LossGradient)
        return {k: v for k, v in self.point.tape.values.items() if k[0] in kinds}

    def _agrees(self, tape: Tape[Any], place: Place) -> bool:
        bar = tape.values.get((Adjoint, *place), self.point.field.full((1, 1), 0))
        product = self.point.field.mul(bar, self.point.directions[place])
        found = self.point.field.total(product)[..., 0, 0]
        return bool(np.all(np.equal(found, self.point.answers[place])))

    def sameness(self, backward: Backward) -> str:
        """The proof that these equations say what the right ones say, in words; empty if there is none."""
        pairs = list(_paired(self.right.backward, backward))
        if not all(_comparable(a, b) for a, b in pairs):
            return ""
        changed = [(a, b) for a, b in pairs if a.rhs != b.rhs or a.present != b.present]
        if not changed:
            return "the same equations, term by term"
        names = ", ".join(dict.fromkeys(a.lhs.name for a, _ in changed))
        points = f"at {len(self.sizes)} random points modulo 2^61 − 1"
        if self._equal(changed, {}):
            return f"the equation of {names} is the same polynomial: equal {points}"
        defined = {a.name: a.expr for a in self.right.assignments}
        if self._equal(changed, defined):
            return f"the equation of {names} says the same, given the step's own equations: equal {points}"
        ahead = range(self.right.cell.depth + 1)
        if all(self._equal(changed, defined, later) for later in ahead):
            return f"the equation of {names} says the same, given the equations of all steps: equal {points}"
        return ""

    def _equal(self, changed: list[Any], defined: dict[str, Any], later: int | None = None) -> bool:
        """Whether both sides agree at random points, where what is defined is as its equations say."""
        for sizes in self.sizes:
            look = _Free(Evaluator(PrimeField(PRIME, self.seed), sizes), defined, later)
            if not all(
                look.same(a.rhs, b.rhs) and look.same(a.present, b.present) for a, b in changed
            ):
                return False
        return True


def _named(place: Place) -> str:
    name, t = place
    return name if t is None else f"{name}[{t}]"


def _flat(b: Backward) -> dict[Any, AdjointEquation]:
    """Every equation, by where it stands."""
    found: dict[Any, AdjointEquation] = {}
    for where in ("local", "inputs", "parameters"):
        found |= {(where, e.lhs): e for e in getattr(b, where)}
    for name, by_lag in b.carried.items():
        found |= {("carried", name, lag): e for lag, e in by_lag.items()}
    return found


def _paired(
    right: Backward, wrong: Backward
) -> Iterator[tuple[AdjointEquation | None, AdjointEquation | None]]:
    a, b = _flat(right), _flat(wrong)
    yield from ((a.get(key), b.get(key)) for key in {**a, **b})


def _comparable(a: AdjointEquation | None, b: AdjointEquation | None) -> bool:
    return (
        a is not None
        and b is not None
        and a.rhs.shape == b.rhs.shape
        and a.present.shape == b.present.shape
    )


class _Free:
    """Every leaf an indeterminate of its own, but for those that the step, or a later one, defines.

    Args:
        evaluate: evaluates expressions.
        defined: what the step defines, by name.
        later: how many later steps there are, which define the same; beyond them gradients vanish. If not given, all
            that is later is an indeterminate.
    """

    def __init__(
        self, evaluate: Evaluator[Any], defined: dict[str, Any], later: int | None = None
    ) -> None:
        self.evaluate, self.defined, self.later = evaluate, defined, later
        self.known: dict[Any, Any] = {}

    def __call__(self, leaf: Any) -> Any:
        if leaf not in self.known:
            self.known[leaf] = self._value(leaf)
        return self.known[leaf]

    def _value(self, leaf: Any) -> Any:
        field: Any = self.evaluate.arithmetic
        shape = self.evaluate.shape(leaf)
        if self.later is not None and isinstance(leaf, ZERO_BEYOND) and leaf.lag < -self.later:
            return field.full(shape, 0)
        there = isinstance(leaf, Timed) and -(self.later or 0) <= leaf.lag <= 0
        if there and leaf.name in self.defined:
            return self.evaluate(shifted(self.defined[leaf.name], leaf.lag), self)
        return field.random(shape)

    def same(self, a: Any, b: Any) -> bool:
        try:
            return bool(np.all(np.equal(self.evaluate(a, self), self.evaluate(b, self))))
        except SingularPointError:
            return False
