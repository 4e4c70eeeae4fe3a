"""Theorems as data: a statement with its assumptions and source, a proof in steps, and a search for a counterexample.

A step is an identity that SymPy reduces to 0 = 0, a polynomial inequality whose negation z3 finds unsatisfiable, or an
argument in words, which no machine checked and which says so. Where z3 is not installed its steps are skipped, visibly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from derive.derivation import Derivation
from proofs.untyped import sympy

ALGEBRA, INEQUALITY, ARGUMENT = "SymPy", "z3", "argument"
TRIALS = 200
ROUNDING = 1e-9
"""By how much a bound may seem to be broken, relative to it, before a trial counts against it."""

Inequality = tuple[Sequence[Any], Any]
"""Premises, and what they imply, as z3's expressions."""
Build = Callable[[Any], Inequality]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a proof.

    Args:
        latex: what is shown, as LaTeX in a sentence.
        method: how it was checked: ``SymPy``, ``z3`` or ``argument``.
        holds: whether it holds; ``None`` if it was not checked by a machine.
        note: why it was not.
    """

    latex: str
    method: str
    holds: bool | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Theorem:
    """A theorem.

    Args:
        name: its key.
        title: in words.
        statement: as LaTeX.
        assumptions: as sentences with LaTeX.
        source: author, year, place.
        prove: makes the steps, checking each.
        trial: one random instance: the margin by which the statement holds, relative; negative if it does not.
        applies: whether it speaks about a cell.
        asymptotic: holds in a limit only, and is not proved here.
    """

    name: str
    title: str
    statement: str
    assumptions: tuple[str, ...]
    source: str
    prove: Callable[[], tuple[Step, ...]]
    trial: Callable[[np.random.Generator], float] | None
    applies: Callable[[Derivation], bool]
    asymptotic: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A theorem, examined.

    Args:
        theorem: which.
        steps: its proof.
        trials: random instances tried.
        margin: the smallest margin among them; ``None`` if none was tried.
    """

    theorem: Theorem
    steps: tuple[Step, ...]
    trials: int
    margin: float | None

    @property
    def status(self) -> str:
        """``refuted``, ``asymptotic``, ``proved`` (each step by a machine), ``partly`` or ``argued``."""
        broken = any(step.holds is False for step in self.steps)
        if broken or (self.margin is not None and self.margin < -ROUNDING):
            return "refuted"
        if self.theorem.asymptotic:
            return "asymptotic"
        checked = [step.holds is True for step in self.steps]
        if checked and all(checked):
            return "proved"
        return "partly" if any(checked) else "argued"


def examine(theorem: Theorem, *, trials: int = TRIALS, seed: int = 0) -> Finding:
    """Check a theorem's proof and look for a counterexample.

    Args:
        theorem: which.
        trials: random instances.
        seed: of the instances.
    """
    rng = np.random.default_rng(seed)
    margins = [] if theorem.trial is None else [theorem.trial(rng) for _ in range(trials)]
    return Finding(theorem, theorem.prove(), len(margins), min(margins, default=None))


def identity(latex: str, left: Any, right: Any = 0) -> Step:
    """A step that SymPy checks: left = right, for scalars or matrices."""
    gap = left - right
    gap = gap.expand() if hasattr(gap, "expand") else sympy.Integer(gap)
    gap = sympy.simplify(gap)
    return Step(latex, ALGEBRA, bool(gap == gap * 0))


def inequality(latex: str, build: Build) -> Step:
    """A step that z3 proves over the reals: the premises imply the conclusion.

    Args:
        latex: what is shown.
        build: from the module z3 to the premises and the conclusion.
    """
    if find_spec("z3") is None:
        return Step(
            latex, INEQUALITY, None, "z3 is not installed: pip install throughtime[theorems]"
        )
    import z3  # pyright: ignore[reportMissingTypeStubs] - it ships none

    module: Any = z3
    premises, conclusion = build(module)
    solver = module.Solver()
    solver.set("timeout", 10_000)
    solver.add(*premises, module.Not(conclusion))
    answer = solver.check()
    if answer == module.unknown:
        return Step(latex, INEQUALITY, None, "z3 did not decide it in ten seconds")
    return Step(latex, INEQUALITY, bool(answer == module.unsat))


def argument(latex: str) -> Step:
    """A step in words, which no machine checked."""
    return Step(latex, ARGUMENT, None)


def below(value: float, bound: float) -> float:
    """The margin of value ≤ bound, relative to the bound."""
    return (bound - value) / max(abs(bound), abs(value), 1.0)
