"""A generated file judged as it stands now: it is run, in a process of its own, with limits on time and memory.

Nothing here imports SymPy or NumPy: the other process does, and does the work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from derive.errors import ArgumentError
from proofs.attestation import certified, read_source, standing
from proofs.mutants import Judgement, Mutant, MutantReport
from proofs.sandbox import GIB, SECONDS, EndedError, Limits, apart
from proofs.table import Check, Verification, failed

Progress = Callable[[str], None]
WORKER = "throughtime.verifying_worker"
RAN = "process"


def verify_file(
    path: str | Path,
    *,
    seed: int = 0,
    seconds: float = SECONDS,
    gib: float = GIB,
    on_progress: Progress | None = None,
) -> Verification:
    """Run every check on a generated file as it stands now.

    The file is run, in a process of its own. The limits stop code that hangs, crashes or fills the memory, and it is
    not verified then; they are no jail for code that means harm.

    Args:
        path: the file.
        seed: of the random sizes, weights and sequences.
        seconds: the time that all of it may take.
        gib: the memory that it may take, in units of 2³⁰ bytes, where the system can limit it.
        on_progress: called with the name of each stage as it begins.

    Raises:
        ArgumentError: the file cannot be read, or it is no generated file.
        CellError: its equations are no cell.
    """
    return Examination(path, seed, Limits(seconds, gib), on_progress or _silent).verification


def examine(
    path: str,
    seed: int,
    limits: Limits,
    say: Progress,
    *,
    mutants: bool = False,
    renew: bool = False,
) -> Examination:
    """What a file's checks find; a new certificate is written into it only if they all held.

    Args:
        path: the file.
        seed: of everything random.
        limits: of the process in which it is run.
        say: told what is being done.
        mutants: whether to break the file in every known way, if it is verified.
        renew: whether to write a certificate into it, if it is verified.
    """
    found = Examination(path, seed, limits, say, mutants=mutants)
    if renew and found.verification.ok:
        found.renew()
    return found


class Examination:
    """A file, what its checks found, and what became of its mutants.

    Args:
        path: the file.
        seed: of everything random.
        limits: of the process in which it is run.
        say: told what is being done.
        mutants: whether to break the file, if it is verified.
    """

    def __init__(
        self, path: str | Path, seed: int, limits: Limits, say: Progress, *, mutants: bool = False
    ) -> None:
        self.path = Path(path)
        self.source = read_source(self.path)
        request = {
            "path": str(path),
            "source": self.source,
            "seed": seed,
            "mutants": mutants,
        }
        say(f"running {path} in a process of its own, {limits}")
        self.verification, self.mutants = self._found(request, limits, say)

    def _found(
        self, request: Mapping[str, Any], limits: Limits, say: Progress
    ) -> tuple[Verification, MutantReport | None]:
        try:
            found = apart(WORKER, request, limits, say)
        except EndedError as error:
            return self._ended(str(error), request["seed"], limits), None
        try:
            verification, broken = _verification(found["verification"]), found["mutants"]
            report = None if broken is None else _report(broken)
        except (KeyError, TypeError, ValueError, AttributeError):
            return self._ended("what it answered is no verdict", request["seed"], limits), None
        sentence = standing(self.source).sentence
        return replace(verification, subject=str(self.path), certificate=sentence), report

    def _ended(self, how: str, seed: int, limits: Limits) -> Verification:
        what = f"the file runs to the end of its checks with {limits}"
        row = failed(RAN, what, f"{how} ({limits})")
        sentence = standing(self.source).sentence
        required = frozenset({RAN})
        return Verification(str(self.path), (row,), required, seed=seed, certificate=sentence)

    def renew(self) -> None:
        """Write a new certificate into the file, for the code that was checked.

        Raises:
            ArgumentError: the file is not the one that was checked any more.
            OutputError: it cannot be written.
        """
        from reports.files import write_files

        if read_source(self.path) != self.source:
            raise ArgumentError(
                f"{self.path} was changed while it was checked.", "Run it once more."
            )
        text = certified(standing(self.source).code, self.verification)
        write_files(self.path.parent, {self.path.name: text.encode()}, force=True)
        sentence = "certificate: renewed for the code as it is now"
        self.verification = replace(self.verification, certificate=sentence)


def _verification(data: Mapping[str, Any]) -> Verification:
    """A verification from the other process; what does not fit raises."""
    rows = tuple(Check(**{**row, "where": tuple(row["where"])}) for row in data["checks"])
    return Verification(
        str(data["subject"]),
        rows,
        frozenset(data["required"]),
        frozenset(data["optional"]),
        int(data["seed"]),
        tuple(data["differences"]),
        tuple(data["hints"]),
        {label: bool(holds) for label, holds in data["lines"].items()},
    )


def _report(data: Mapping[str, Any]) -> MutantReport:
    judged = tuple(
        Judgement(Mutant(**row["mutant"]), row["fate"], row["check"], row["reason"])
        for row in data["judgements"]
    )
    return MutantReport(data["cell"], judged)


def _silent(_: str) -> None:
    """Progress that nobody asked for."""
