"""Runs the mutants of a cell: every one is killed, proved equivalent, or named as a survivor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from derive.cell import Cell
from derive.derivation import Derivation, derive
from derive.errors import ArgumentError
from derive.language import read_cell
from numeric.source import generate
from proofs.modules import constant_of
from proofs.mutants import FAMILIES, Family, Judgement, Mutant, MutantReport
from proofs.mutants_equations import equation_mutants
from proofs.mutants_exact import ExactJudge
from proofs.mutants_numeric import NumericJudge, learned_names
from proofs.mutants_rules import rule_mutants
from proofs.mutants_source import source_mutants


@dataclass
class Trial:
    """A cell, its right derivation and source, and the judges of its mutants.

    Args:
        cell: the cell.
        seed: of every random size and number.
        derivation: the right derivation; derived if not given.
        source: the right source; generated if not given.
    """

    cell: Cell
    seed: int = 0
    derivation: Derivation = field(default=None)  # type: ignore[assignment]
    source: str = ""

    def __post_init__(self) -> None:
        self.derivation = self.derivation or derive(self.cell)
        self.source = self.source or generate(self.derivation)

    @cached_property
    def exact(self) -> ExactJudge:
        """Judges derivations."""
        return ExactJudge(self.derivation, self.seed)

    @cached_property
    def numeric(self) -> NumericJudge:
        """Judges source."""
        return NumericJudge(self.cell, self.seed)

    def mutants(self, families: Iterable[Family] = FAMILIES) -> Iterator[Mutant]:
        """Every mutant, always in the same order."""
        chosen = set(families)
        if "rule" in chosen:
            yield from rule_mutants(self.derivation)
        if "equation" in chosen:
            yield from equation_mutants(self.derivation)
        if "source" in chosen:
            yield from source_mutants(self.source, learned_names(self.cell, self.source))

    def judged(self, mutant: Mutant) -> Judgement:
        """What becomes of a mutant."""
        if mutant.refused:
            return Judgement(mutant, "killed", "deriving", mutant.refused)
        return self._of_source(mutant) if mutant.source is not None else self._of_derivation(mutant)

    def _of_derivation(self, mutant: Mutant) -> Judgement:
        assert mutant.derivation is not None  # noqa: S101 - a mutant has a derivation, a source or a refusal
        backward = mutant.derivation.backward
        if reason := self.exact.refusal(backward):
            return Judgement(mutant, "killed", "exact", reason)
        if proof := self.exact.sameness(backward):
            return Judgement(mutant, "equivalent", "exact comparison", proof)
        try:
            source = generate(mutant.derivation)
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            return Judgement(mutant, "killed", "generating", str(error))
        check, reason = self.numeric.refusal(source)
        if check:
            return Judgement(mutant, "killed", check, reason)
        return Judgement(
            mutant, "survived", "", "no check refused it, and nothing shows it equivalent"
        )

    def _of_source(self, mutant: Mutant) -> Judgement:
        source = mutant.source or ""
        check, reason = self.numeric.refusal(source)
        if check:
            return Judgement(mutant, "killed", check, reason)
        if proof := self.numeric.sameness(self.source, source):
            return Judgement(mutant, "equivalent", "comparison of results", proof)
        return Judgement(
            mutant, "survived", "", "no check refused it, and its results differ somewhere"
        )

    def refusal(self, source: str) -> tuple[str, str]:
        """The first check that refuses a source, and why; two empty texts if none does."""
        return self.numeric.refusal(source)

    def sound(self) -> None:
        """Demands that nothing refuses the right thing: a check that refuses everything kills every mutant.

        Raises:
            RuntimeError: a check refuses what is right, or cannot see that it is the same as itself.
        """
        backward = self.derivation.backward
        reason = self.exact.refusal(backward) or " ".join(self.numeric.refusal(self.source)).strip()
        if (
            reason
            or not self.exact.sameness(backward)
            or not self.numeric.sameness(self.source, self.source, 1)
        ):
            raise RuntimeError(
                f"the checks refuse {self.cell.name} as it is: {reason or 'it is not equal to itself'}"
            )


def run_mutants(
    cell: Cell,
    families: Iterable[Family] = FAMILIES,
    *,
    every: int = 1,
    seed: int = 0,
    source: str = "",
    on_progress: Callable[[str], None] | None = None,
) -> MutantReport:
    """Breaks a cell's rules, equations and source in every known way, and judges each broken thing.

    Args:
        cell: the cell.
        families: what to break.
        every: judge each n-th mutant only, for a quick look.
        seed: of every random size and number.
        source: the source to break, as a user's edited file; generated if not given.
        on_progress: told what is being done.

    Returns:
        The fate of every mutant; ``ok`` only if none survived.

    Raises:
        RuntimeError: the checks refuse the unbroken thing.
    """
    trial = Trial(cell, seed, source=source)
    trial.sound()
    mutants = list(trial.mutants(families))[::every]
    judgements: list[Judgement] = []
    for i, mutant in enumerate(mutants):
        if on_progress is not None and i % 50 == 0:
            on_progress(f"mutants of {cell.name}: {i} of {len(mutants)}")
        judgements.append(trial.judged(mutant))
    return MutantReport(cell.name, tuple(judgements))


def run_mutants_of_file(
    path: str | Path,
    source: str,
    *,
    seed: int = 0,
    on_progress: Callable[[str], None] | None = None,
) -> MutantReport:
    """Breaks a generated file as it is now, and judges each broken thing by the equations that the file states.

    Args:
        path: of the file.
        source: its text.
        seed: of every random size and number.
        on_progress: told what is being done.

    Raises:
        ArgumentError: the file states no equations.
        CellError: its equations are no cell.
        RuntimeError: the checks refuse the file unbroken.
    """
    equations = constant_of(source, "EQUATIONS")
    if equations is None:
        raise ArgumentError(
            f"{path} states no equations.", "Give a file that throughtime generated."
        )
    cell = read_cell(equations, constant_of(source, "NAME") or Path(path).stem)
    return run_mutants(cell, seed=seed, source=source, on_progress=on_progress)
