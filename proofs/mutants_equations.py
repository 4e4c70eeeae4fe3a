"""Mutants of a derivation: one backward equation, or one path through time, is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from derive.backward import AdjointEquation, Backward, collect, factored
from derive.derivation import Derivation
from derive.expressions import LossGradient, leaves, shifted, terms
from derive.text import TextPrinter
from proofs.mutants import Mutant
from proofs.mutants_expressions import Change, Mistakes

PLACES = ("local", "inputs", "parameters")


def equation_mutants(derivation: Derivation) -> Iterator[Mutant]:
    """Every derivation that differs from this one by one mistake in one backward equation."""
    maker = _Maker(derivation)
    for where in PLACES:
        for i, equation in enumerate(getattr(derivation.backward, where)):
            yield from maker.of_equation(where, i, equation)
    for name, by_lag in derivation.backward.carried.items():
        for lag, equation in by_lag.items():
            yield from maker.of_carried(name, lag, equation)


class _Maker:
    def __init__(self, derivation: Derivation) -> None:
        self.d, self.b = derivation, derivation.backward
        self.mistakes = Mistakes(derivation.cell, tuple(a.target for a in derivation.assignments))
        self.text = TextPrinter(derivation.notation)
        self.number = {
            s.lhs: s.number
            for s in derivation.steps
            if s.lhs is not None and s.section != "initial"
        }

    def of_equation(self, where: str, i: int, equation: AdjointEquation) -> Iterator[Mutant]:
        """Mistakes in one equation; where a quantity has memory, in the part that step t itself gives."""
        carries = equation.lhs.name in self.b.carried and where != "parameters"
        for change in self.mistakes.of(equation.present if carries else equation.rhs):
            wrong = (
                self.with_present(equation, change.expr)
                if carries
                else replace(equation, rhs=change.expr, present=change.expr)
            )
            yield self.mutant(change, equation, self.replaced(where, i, wrong))
        if carries and self.is_output(equation):
            wrong = replace(equation, rhs=_without_loss(equation))
            change = Change("lost path", wrong.rhs, equation.rhs, wrong.rhs)
            yield self.mutant(change, equation, self.replaced(where, i, wrong))

    def of_carried(self, name: str, lag: int, equation: AdjointEquation) -> Iterator[Mutant]:
        """Mistakes in what step t gives to an earlier step; the path lost, or led to another step."""
        for change in self.mistakes.of(equation.rhs):
            wrong = replace(equation, rhs=change.expr, present=change.expr)
            yield self.mutant(change, equation, self.with_carried(name, {lag: wrong}), lag)
        for kind, other in (("lost path", None), ("time index", lag + 1), ("time index", lag - 1)):
            if (
                other in (0, *self.b.carried[name])
                or (other or 0) > self.d.cell.quantity(name).depth
            ):
                continue
            moved = {} if other is None else {other: equation}
            text = f"what step t gives to {name}[t-{lag}] " + (
                "is lost" if other is None else f"goes to {name}[t-{other}]"
            )
            change = Change(kind, None, None, None)
            yield self.mutant(
                change, equation, self.with_carried(name, {lag: None, **moved}), lag, text
            )
        if lag == 1:
            torn = replace(self.b, carried={**self.b.carried, name: {}})
            yield self.mutant(
                Change("initial value", None, None, None),
                equation,
                torn,
                lag,
                f"{name} before the first step gets nothing",
            )

    def is_output(self, equation: AdjointEquation) -> bool:
        return any(isinstance(v, LossGradient) for v in leaves(equation.rhs))

    def with_present(self, equation: AdjointEquation, present: Any) -> AdjointEquation:
        carried = self.b.carried[equation.lhs.name]
        return replace(equation, rhs=self.whole(equation, present, carried), present=present)

    def whole(
        self, equation: AdjointEquation, present: Any, carried: dict[int, AdjointEquation]
    ) -> Any:
        """The loss, later lines of this step, and later steps."""
        given = [LossGradient(equation.lhs.of)] if self.is_output(equation) else []
        later = [shifted(e.rhs, -d) for d, e in carried.items()]
        return factored(collect([*given, present, *later], equation.lhs))

    def with_carried(self, name: str, changes: dict[int, AdjointEquation | None]) -> Backward:
        """Other carried terms, in the recurrence and in the initial values' gradients alike."""
        merged = {**self.b.carried[name], **changes}
        carried = {d: e for d, e in merged.items() if e is not None}

        def changed(e: AdjointEquation) -> AdjointEquation:
            return replace(e, rhs=self.whole(e, e.present, carried)) if e.lhs.name == name else e

        return replace(
            self.b,
            local=tuple(map(changed, self.b.local)),
            inputs=tuple(map(changed, self.b.inputs)),
            carried={**self.b.carried, name: carried},
        )

    def replaced(self, where: str, i: int, wrong: AdjointEquation) -> Backward:
        equations = list(getattr(self.b, where))
        equations[i] = wrong
        return replace(self.b, **{where: tuple(equations)})

    def mutant(
        self,
        change: Change,
        equation: AdjointEquation,
        wrong: Backward,
        lag: int = 0,
        text: str = "",
    ) -> Mutant:
        number = self.number.get(equation.lhs, 0)
        place = f"equation ({number})" if number else f"the adjoint of {equation.owner}"
        place += f", what step t gives to step t-{lag}" if lag else ""
        text = text or f"{self.text(change.before)}  became  {self.text(change.after)}"
        derivation = Derivation(self.d.cell, self.d.assignments, wrong, self.d.jacobian)
        return Mutant("equation", change.kind, place, text, derivation)


def _without_loss(equation: AdjointEquation) -> Any:
    kept = [term for term in terms(equation.rhs) if not isinstance(term, LossGradient)]
    return collect(kept, equation.lhs)
