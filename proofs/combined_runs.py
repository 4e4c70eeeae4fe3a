"""The check of runs in which several things are unusual at once: every three of what other checks vary one by one.

Code that is wrong only for float32 after 200 steps, or only for one sample in an array with gaps, is right in every
run in which one thing alone is unusual. In a covering design of some hundred short runs any two such things meet, and
any three of steps, samples, precision and arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from random import Random
from typing import Any, NamedTuple

import numpy as np

from proofs import network_samples as networks
from proofs import network_special_checks as of_networks
from proofs import network_window_checks as in_windows
from proofs import samples
from proofs import special_checks as of_cells
from proofs.arithmetic import Array
from proofs.combined_calls import CUT, LENGTHS, LOSS, STEPWISE, WINDOW, Call, calls_of, without
from proofs.compare import FLOOR, Comparison, compare, compare_runs
from proofs.covering import covering
from proofs.differences import random_directions
from proofs.evaluation import at_sizes
from proofs.many_steps import apart_in_windows, apart_in_windows_of_network
from proofs.network_checks import NetworkSubject
from proofs.samples import Values
from proofs.single_precision import FLOOR as SINGLE
from proofs.single_precision import rounded
from proofs.special_checks import LONG_WAY
from proofs.special_runs import GROUPS, PRESENTED, Arguments, Sizes
from proofs.subject import Subject
from proofs.table import Check, measured, not_applicable
from proofs.thin_runs import GAINS, TAME, along_everything, tame
from proofs.unrolled import Place

NAME = "combined runs"
WHAT = "any three of steps, samples, precision, arrays together, and any two of these, sizes, defaults, calls, losses"
STEPS, SAMPLES = (1, 5, 210), (1, 3, 40)
EQUAL, WIDE = "equal sizes", "sizes of 34"
DIMS = {"sizes of 1": 1, EQUAL: 3, "different sizes": None, WIDE: 34}
NARROW, MANY = 12, 700
"""What sizes of 34 are in runs of more steps times samples than the second."""
WHOLE, BESIDE = 210 * 40, 210 * 10
"""How many steps times samples a run of a network may have; the second, where matrices have a column for every step."""
BY_THREES = (0, 1, 3, 4)
"""Any three of steps, samples, precision and arrays meet."""
COMPILED = ("arrays", "arrays with gaps", "arrays in Fortran's order")
"""Arrays for compiled files: every other kind, in every precision, would be compiled by itself."""
FEW = 30
"""Truncated gradients of networks in runs of so many steps times samples are compared with the derived equations."""
ALONE = 250
"""Runs of so many steps times samples are compared with the equations themselves, larger ones with their pieces."""
NUMBERS = 2_000_000
"""How many numbers a run of a cell may have; where vectors are very wide, those of many steps have fewer samples."""
PIECE = (16, 9)
"""How many steps and samples a piece has: no more than runs in which every entry is compared with the equations."""
PRECISIONS = {"float64": (np.float64, LONG_WAY), "float32": (np.float32, 1e-3)}
"""How far rounding goes in float32 is another check's question: what is wrong there is wrong by more than this."""
ARRAYS: dict[str, Callable[[Array], Array]] = {"arrays": lambda a: a, **PRESENTED}
LEFT_OUT = ("nothing", "state", "outputs_bar", "final_bar")
LOSSES = (1.0, 0.0, -3.0, 1e9)
"""What a loss may be: gradients do not depend on it."""


@dataclass(frozen=True, slots=True)
class Room:
    """How runs of a cell, or of a network, are made.

    Args:
        subject: what is verified.
        extent_of: sizes to an extent; ``None`` where there is none such.
        draw: a run of an extent, by seed and gain.
        arguments: what a run is given.
        true: how far its gradient by the file is from the true one.
        cut: how far its truncated gradient by the file is from the true one.
        most: how many steps times samples a run may have.
        stated: the name of the loss that is stated, if any.
        whole: of a network, the lengths of samples that all have every step, where they may be left out.
        ragged: whether there are such lengths.
    """

    subject: Any
    extent_of: Callable[[str, Sizes], Any]
    draw: Callable[[Any, int, float], Any]
    arguments: Callable[[Any], Arguments]
    true: Callable[[Any, Values], Comparison]
    cut: Callable[[Any], Comparison]
    most: int
    stated: str = ""
    whole: Callable[[Any], dict[str, Any]] | None = None
    ragged: bool = False


def combined_runs(subject: Subject) -> Check:
    """Every three of what is unusual in a run, together in one run, against what is known there."""

    def true(sample: Any, whole: Values) -> Comparison:
        if sample.extent.steps * sample.extent.samples > ALONE:
            return compare(of_cells.in_pieces(subject, sample, *PIECE), whole)
        return along_everything(samples, sample, whole, random_directions(sample, subject.seed))

    return _row(
        Room(
            subject,
            lambda row, sizes: of_cells.extent_of(subject, row, sizes),
            lambda extent, seed, gain: samples.draw(subject.cell, extent, seed, gain=gain),
            of_cells.arguments,
            true,
            lambda sample: apart_in_windows(subject, sample, *WINDOW),
            max(max(STEPS), NUMBERS // _width(subject)),
        )
    )


def _width(subject: Subject) -> int:
    """How many numbers one step of one sample has, at sizes of 3."""
    sizes = dict.fromkeys(subject.cell.dims, 3)
    timed = (q for q in subject.cell.quantities if q.role not in ("parameter", "constant"))
    return sum(at_sizes(q.shape[0], sizes) * at_sizes(q.shape[1], sizes) for q in timed)


def combined_runs_of_network(subject: NetworkSubject) -> Check:
    """The same of a network."""
    network = subject.network

    def extent_of(row: str, sizes: Sizes) -> Any:
        extent = of_networks.extent_of(subject, row, sizes)
        if extent is None or sizes.dims != DIMS[EQUAL]:
            return extent  # of equal sizes all samples have every step
        return replace(
            extent, lengths={a: (extent.steps[a],) * extent.samples for a in extent.lengths}
        )

    def true(sample: Any, whole: Values) -> Comparison:
        if max(sample.extent.steps.values()) * sample.extent.samples > ALONE:
            return compare(of_networks.few_at_a_time(subject, sample, PIECE[1]), whole)
        directions = networks.random_directions(sample, subject.seed)
        return along_everything(networks, sample, whole, directions)

    def cut(sample: Any) -> Comparison:
        B = sample.extent.samples
        if max(sample.extent.steps.values()) * B <= FEW:
            return apart_in_windows_of_network(subject, sample, *WINDOW)
        found = partial(in_windows.truncated_gradient, subject, k1=WINDOW[0], k2=WINDOW[1])
        pieces = of_networks.few_at_a_time(subject, sample, min(PIECE[1], (B + 1) // 2), found)
        return compare(pieces, found(sample))

    return _row(
        Room(
            subject,
            extent_of,
            lambda extent, seed, gain: networks.draw_network(network, extent, seed, gain=gain),
            lambda sample: of_networks.arguments(subject, sample),
            true,
            cut,
            BESIDE if network.lengths else WHOLE,
            "" if network.loss is None else network.loss.name,
            lambda sample: {
                f"lengths_{a}": np.full(sample.extent.samples, sample.extent.steps[a])
                for a in sample.extent.lengths
                if a in network.axes.values()
            },
            any(a in network.axes.values() for a in network.masks),
        )
    )


class _Unusual(NamedTuple):
    """What is unusual in one run."""

    steps: int
    lanes: int
    dims: str
    precision: str
    arrays: str
    left: str
    call: str
    loss: float

    def __str__(self) -> str:
        told = f"T = {self.steps}, B = {self.lanes}, {self.dims}, {self.precision} {self.arrays}"
        left = f", without {self.left}" if self.left != "nothing" else ""
        return f"{told}{left}, {self.call}, a loss of {self.loss:g}"


def _all_runs(
    calls: Iterable[str], kinds: Iterable[str], left: Iterable[str], most: int
) -> Iterator[_Unusual]:
    """The runs of the design, none with more steps times samples than ``most``."""
    axes = (STEPS, SAMPLES, [*DIMS], [*PRECISIONS], [*kinds], [*left], [*calls], LOSSES)
    levels = tuple(map(len, axes))
    for row in covering(levels, BY_THREES, covering(levels[:3])):
        run = _Unusual(*(axis[i] for axis, i in zip(axes, row, strict=True)))  # type: ignore[arg-type]
        yield run._replace(lanes=max(1, min(run.lanes, most // run.steps)))


def _row(room: Room) -> Check:
    module = room.subject.code.module
    calls = calls_of(module, room.stated, of_cell=room.whole is None)
    kinds = COMPILED if hasattr(module, "njit") else ARRAYS
    grounds: dict[tuple[int, int, str], _Ground | None] = {}
    errors: dict[Place, float] = {}
    left = (*LEFT_OUT, LENGTHS) if room.ragged else LEFT_OUT
    streamed, asked = list[_Unusual](), calls.keys() - {STEPWISE}
    for run in _all_runs(sorted(asked), kinds, left, room.most):
        sizes = run[:3]
        if sizes not in grounds:
            grounds[sizes] = ground = _ground(room, *sizes)
            if ground is not None:
                _add(errors, f"T = {run.steps}, B = {run.lanes}, {run.dims}", ground.error)
                if CUT in calls:
                    told = f"T = {run.steps}, B = {run.lanes}, {run.dims}, {CUT}"
                    _add(errors, told, room.cut(ground.sample))
                streamed += (run._replace(precision=p, call=STEPWISE) for p in PRECISIONS)
        _judge(errors, grounds[sizes], calls, run)
    for run in streamed if STEPWISE in calls else ():
        _judge(errors, grounds[run[:3]], calls, run._replace(left="nothing"))
    if not errors:
        return not_applicable(NAME, WHAT, "no such run was found in which gradients stay small")
    worst = Comparison(errors)
    where = tuple(told for told, _ in worst.wrong(LONG_WAY))
    return measured(NAME, WHAT, f"{len(errors)} runs", worst.worst, LONG_WAY, where=where)


def _judge(
    errors: dict[Place, float], ground: _Ground | None, calls: dict[str, Call], run: _Unusual
) -> None:
    """One run against the ordinary one of its sizes."""
    found = None if ground is None else ground.compared(calls[run.call], run)
    if found is not None:
        _add(errors, str(run), _relative(found, PRECISIONS[run.precision][1]))


def _add(errors: dict[Place, float], told: str, found: Comparison) -> None:
    """The worst error of one run."""
    place = max(found.errors, key=lambda p: found.errors[p], default=("", None))
    errors[f"{place[0]}: {told}", None] = found.worst


def _relative(comparison: Comparison, bound: float) -> Comparison:
    """Errors as parts of their bound, told as parts of the one of float64."""
    return Comparison({p: e * LONG_WAY / bound for p, e in comparison.errors.items()})


@dataclass(slots=True)
class _Ground:
    """Runs of the same sizes and numbers.

    Args:
        module: the file.
        sample: the run.
        given: all that forward and backward are given.
        whole: the lengths of samples that have every step.
        error: how far the ordinary run is from what is true.
        known: what is true of them, by what is left out and whether a loss is asked.
        used: workspaces that earlier runs have used, by precision.
    """

    module: Any
    sample: Any
    given: Arguments
    whole: dict[str, Any]
    error: Comparison
    known: dict[tuple[str, str | bool], dict[str, Array]] = field(
        default_factory=dict[tuple[str, str | bool], dict[str, Array]]
    )
    used: dict[str, Any] = field(default_factory=dict[str, Any])

    def compared(self, call: Call, run: _Unusual) -> Comparison | None:
        """One run against the ordinary one; ``None`` where it may be refused, or is not tame.

        Args:
            call: how the file is asked.
            run: what is unusual about it.
        """
        dtype, how = PRECISIONS[run.precision][0], ARRAYS[run.arrays]
        if run.left == "state" and not self.given.inputs:
            return None  # where a state alone tells the number of samples, it is not left out
        full, some = without(self.given, run.left, self.whole)
        trained = max((v.size for v in self.given.params.values()), default=0)
        if trained * run.steps * run.lanes > call.most:
            return None
        kind = run.left, run.call if call.by_itself or call.gives != GROUPS else call.of_loss
        if kind not in self.known:
            self.known[kind] = call.true(self.module, full, run.loss)
        true = self.known[kind]
        if call.of_loss and not call.stated:
            true = {**true, LOSS: np.array(run.loss)}
        if not all(np.all(np.abs(v) < TAME) for k, v in true.items() if k != LOSS):
            return None
        given = some.presented(lambda a: how(a.astype(dtype) if a.dtype.kind == "f" else a))
        given = replace(given, state=given.state or None, ends=given.ends or None)
        try:
            result = call.found(self.module, given, run.loss, self.used)
        except (ValueError, TypeError) as error:
            if run.left == "state" and "state" in str(error):
                return None
            raise
        found, expected = _places(result), _places(true)
        return compare_runs(found, expected, SINGLE if dtype == np.float32 else FLOOR)


def _places(arrays: dict[str, Array]) -> Values:
    return {(name, None): value for name, value in arrays.items()}


def _ground(room: Room, steps: int, count: int, dims: str) -> _Ground | None:
    """The ordinary run of some sizes, compared with what is true there; ``None`` where there is no tame one."""
    wide = DIMS[dims] if steps * count <= MANY or dims != WIDE else NARROW
    extent = room.extent_of(f"{NAME}/{dims}", Sizes(wide, steps, count))
    if extent is None:
        return None
    seed = Random(f"{room.subject.seed}/{NAME}/{steps}/{count}/{dims}").randrange(2**31)  # noqa: S311
    drawn = (rounded(room.draw(extent, seed, gain)) for gain in GAINS)
    for sample, whole in islice(tame(room.subject, drawn), 1):
        module, error = room.subject.code.module, room.true(sample, whole)
        whole = room.whole(sample) if room.whole else {}
        return _Ground(module, sample, room.arguments(sample), whole, error)
    return None
