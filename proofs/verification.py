"""Everything that must hold before a generated file may be called verified."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from derive.cell import Cell
from derive.derivation import Derivation, derive
from derive.errors import ArgumentError, ThroughtimeError
from derive.language import read_cell
from numeric.library import own_functions
from proofs import (
    beginnings,
    combined_runs,
    differences,
    exact_checks,
    function_checks,
    large_values,
    many_steps,
    means,
    named_sizes,
    thin_runs,
)
from proofs import behaviour_checks as behaviour
from proofs import contract_checks as contract
from proofs import gradient_checks as gradients
from proofs import special_checks as special
from proofs.addition_checks import OF_CELLS, examined
from proofs.attestation import read_source, standing
from proofs.branches import Watch
from proofs.compare import compare
from proofs.diagnosis import diagnose
from proofs.modules import Code, HangError, constant_of, line_of, load_source, time_limit
from proofs.subject import Examine, Subject
from proofs.table import Check, Verification, failed, measured
from proofs.workload import SIZE, excess

Say = Callable[[str], None]
Regenerate = Callable[[Derivation], str]

R = TypeVar("R")
D = TypeVar("D")

LOADED, BRANCHES = "file", "every branch"
EXACT = (
    "laws",
    "exact, line by line",
    "exact, tangents",
    "exact, through time",
    "general proof",
    "SymPy's derivative",
)
NUMERIC: dict[str, Examine] = {
    "forward": behaviour.forward_values,
    "complex step": gradients.complex_step,
    "complex step, larger": gradients.complex_step_larger,
    "long way back": gradients.last_step_loss,
    "one step, one sample": gradients.one_step,
    "Richardson differences": gradients.richardson,
    "Taylor remainder": gradients.taylor,
    "dot product": gradients.dot_product,
    "long run": gradients.long_run,
    "long run, strong weights": gradients.long_run_strong,
    "float32": behaviour.single_precision,
    "streaming": behaviour.streaming,
    "split sequence": behaviour.split_sequence,
    "value_and_grad": behaviour.whole_gradient,
    "left alone": contract.leaves_alone,
    "safe values": contract.safe_values,
    special.RUNS: special.special_runs,
    large_values.NAME: large_values.large_values,
    special.WIDTH: special.wide_run,
    special.GIVEN: special.as_given,
    special.LARGE: special.large_run,
    thin_runs.NAME: thin_runs.thin_runs,
    combined_runs.NAME: combined_runs.combined_runs,
    named_sizes.NAME: named_sizes.named_sizes,
    beginnings.NAME: beginnings.beginnings,
    function_checks.NAME: function_checks.functions_of_cell,
    "refusals": contract.refuses_nonsense,
}
REQUIRED = frozenset({means.NAME, LOADED, BRANCHES, *EXACT, *NUMERIC})
OPTIONAL = frozenset(
    {
        *("safe values", "long run", "long run, strong weights"),
        *(large_values.NAME, special.WIDTH, special.LARGE, thin_runs.NAME, named_sizes.NAME),
        *(combined_runs.NAME, *many_steps.NAMES),
    }
)
"""Checks that a cell may leave without a question to answer; the table says why."""
SECONDS, EXACT_SECONDS = 60.0, 300.0
"""Time that one check of a file may take, and one of its derivation."""
MOST_HANGS = 3
"""Checks of a file that may run out of time; those after them are not run."""


def verify(
    cell: Cell,
    source: str,
    *,
    derivation: Derivation | None = None,
    seed: int = 0,
    on_progress: Say | None = None,
    regenerate: Regenerate | None = None,
    subject: str = "",
) -> Verification:
    """Runs every check on the derivation of a cell and on generated code for it.

    Args:
        cell: the cell that the code claims to implement.
        source: the code.
        derivation: the cell's derivation if it is at hand; derived if not.
        seed: of every random number; the same seed gives the same table.
        on_progress: told what is being checked.
        regenerate: the generator, to say where the code differs from what it writes today.
        subject: what the table is about; the cell's name if not given.
    """
    say = on_progress or _silent
    derivation = derivation or derive(cell)
    refusal = excess(derivation)
    if refusal is not None:
        return Verification(subject or cell.name, (refusal,), frozenset({SIZE}), seed=seed)
    checks, lines = _exact(derivation, seed, say)
    checks.append(means.own_means(source))
    loaded, code, watch = _load(source, cell.name)
    checks.append(loaded)
    hints: tuple[str, ...] = ()
    brought = examined(source, OF_CELLS)
    if code is not None:
        at_work = Subject(derivation, code, seed)
        checks += _numeric(at_work, NUMERIC | brought, say)
        branches = guarded(lambda: every_branch(watch, at_work))
        checks.append(
            failed(BRANCHES, every_branch.__doc__ or "", branches)
            if isinstance(branches, str)
            else branches
        )
        if any(not c.ok for c in checks if c.name in NUMERIC and c.verdict == "fails"):
            hints = _hints(at_work)
    return Verification(
        subject or cell.name,
        tuple(checks),
        REQUIRED | brought.keys(),
        OPTIONAL,
        seed,
        differences_from(derivation, source, regenerate),
        hints,
        lines,
    )


def verify_file(
    path: str | Path,
    *,
    source: str | None = None,
    seed: int = 0,
    on_progress: Say | None = None,
    regenerate: Regenerate | None = None,
) -> Verification:
    """Runs every check on a generated file as it is now, against the equations that it states.

    Args:
        path: of the file; its ``EQUATIONS`` are read without running it.
        source: its text, if it has been read.
        seed: of every random number.
        on_progress: told what is being checked.
        regenerate: the generator, to say where the file differs from what it writes today.

    Raises:
        ArgumentError: there is no such file, or it is no generated file.
        CellError: its equations are no cell.
    """
    path = Path(path)
    source = read_source(path) if source is None else source
    equations = constant_of(source, "EQUATIONS")
    if equations is None:
        raise ArgumentError(
            f"{path} states no equations: it has no string EQUATIONS at its top level.",
            "Give a file that throughtime generated.",
        )
    cell = read_cell(equations, constant_of(source, "NAME") or path.stem)
    found = standing(source)
    outcome = verify(
        cell,
        found.code,
        seed=seed,
        on_progress=on_progress,
        regenerate=regenerate,
        subject=str(path),
    )
    return replace(outcome, certificate=found.sentence)


def _exact(derivation: Derivation, seed: int, say: Say) -> tuple[list[Check], dict[str, bool]]:
    """The checks of the derivation; one that raises fails, and says with what."""
    rows: list[Check] = []
    lines: dict[str, bool] = {}
    say("derivative laws")
    rows.append(exact_checks.laws())
    say("every line of the derivation, modulo a prime")
    exact = guarded(lambda: exact_checks.exact(derivation, seed), EXACT_SECONDS)
    if isinstance(exact, str):
        rows += [failed(name, "", exact) for name in EXACT[1:4]]
    else:
        rows += exact[1]
        lines = {str(number): v.holds for number, v in sorted(exact[0].lines.items())}
    say("the proof for all sizes and lengths")
    rows.append(_held(EXACT[4], lambda: exact_checks.general(derivation)))
    say("SymPy's derivative of the unrolled loss")
    rows.append(_held(EXACT[5], lambda: exact_checks.smallest(derivation, seed)))
    return rows, lines


def _held(name: str, examine: Callable[[], Check]) -> Check:
    """The row of a check; one that raises or does not end fails, and says with what."""
    row = guarded(examine, EXACT_SECONDS)
    return failed(name, "", row) if isinstance(row, str) else row


def _load(source: str, name: str) -> tuple[Check, Code | None, Watch]:
    what = "the file loads and defines what it promises"
    watch = Watch(source)
    result = guarded(lambda: load_source(source, name, watch=watch))
    if isinstance(result, str):
        return failed(LOADED, what, result), None, watch
    return (
        Check(LOADED, what, f"{len(source.splitlines())} lines", 0, 0, "holds", unit="wrong"),
        Code(result),
        watch,
    )


def every_branch(watch: Watch, subject: Subject) -> Check:
    """Every branch of the file went each of its ways in some check: what never ran was never checked."""
    unseen = watch.unseen(own_functions())
    if watch.leaves_out:
        unseen += _of_compiled(watch, subject)
    return branches_row(watch, unseen)


def branches_row(watch: Watch, unseen: tuple[str, ...]) -> Check:
    """The row of the table on branches.

    Args:
        watch: of the file.
        unseen: what never happened.
    """
    what = "branches that never went one of their ways in any check"
    sizes = f"{len(watch.branches)} branches"
    return measured(BRANCHES, what, sizes, len(unseen), 0, where=unseen, unit="unseen")


def _of_compiled(watch: Watch, subject: Subject) -> tuple[str, ...]:
    """What never happened in functions that are compiled, seen as they run without being compiled."""
    plainly = Watch(watch.source, plainly=True)
    code = Code(load_source(watch.source, subject.cell.name, watch=plainly))
    at_work = Subject(subject.derivation, code, subject.seed)
    for examine in (special.special_runs, special.wide_run, special.as_given):
        examine(at_work)
    return plainly.unseen(own_functions() | watch.meanings)


def _numeric(subject: Subject, examines: dict[str, Examine], say: Say) -> Iterator[Check]:
    hung = 0
    for name, examine in examines.items():
        if hung >= MOST_HANGS:
            why = f"not run: {MOST_HANGS} checks before it ran for more than {SECONDS:g} s"
            yield failed(name, examine.__doc__ or "", why)
            continue
        say(name)
        result = guarded(lambda examine=examine: examine(subject))
        hung += isinstance(result, str) and result.startswith(HangError.__name__)
        yield failed(name, examine.__doc__ or "", result) if isinstance(result, str) else result


def guarded(work: Callable[[], R], seconds: float | None = None) -> R | str:
    """The result, or what went wrong: foreign code may raise anything, leave the interpreter, or never end."""
    try:
        with time_limit(seconds or SECONDS), np.errstate(all="ignore"):
            return work()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a file raises is a finding about the file
        return _told(error)


def _hints(subject: Subject) -> tuple[str, ...]:
    """Likely mistakes, at a small size."""

    def work() -> tuple[str, ...]:
        sample = subject.sample("diagnosis", subject.extent("diagnosis", steps=5))
        quiet = type(sample)(
            sample.cell,
            sample.extent,
            sample.values,
            sample.weights,
            {p: 0 * w for p, w in sample.final_weights.items()},
        )
        found, true = subject.code.gradient(quiet), differences.complex_step_gradient(quiet)
        wrong = compare(found, true).wrong(gradients.ROUNDING)
        return diagnose(subject.derivation, quiet, found, true, wrong)

    result = guarded(work)
    return () if isinstance(result, str) else result


def differences_from(
    derivation: D, source: str, regenerate: Callable[[D], str] | None
) -> tuple[str, ...]:
    """Where a file differs from what the generator writes today, as a unified diff."""
    if regenerate is None:
        return ()
    try:
        today = regenerate(derivation)
    except ThroughtimeError as error:
        return (f"the generator refuses this cell: {error}",)
    return tuple(
        difflib.unified_diff(
            today.splitlines(), source.splitlines(), "as generated", "as it is", n=0, lineterm=""
        )
    )


def _silent(_: str) -> None:
    """Progress that nobody asked for."""


def _told(error: BaseException) -> str:
    line = line_of(error)
    return f"{type(error).__name__}: {error}" + (f" (line {line} of the file)" if line else "")
