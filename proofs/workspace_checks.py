"""The checks of a file over a workspace: used again, it gives what a new one gives, and it refuses what it must."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np

from proofs.arithmetic import Array
from proofs.compare import ROUNDING, Comparison, compare
from proofs.modules import text_of
from proofs.named_sizes import MOST, named
from proofs.network_checks import NetworkSubject
from proofs.network_samples import NetworkSample, draw_smooth_network
from proofs.network_special_checks import arguments as network_arguments
from proofs.samples import Values
from proofs.special_checks import arguments
from proofs.special_runs import GROUPS, Arguments
from proofs.subject import Subject
from proofs.table import Check, measured

WORKSPACE = "workspace"
SAMPLES = (3, 1)
"""How many samples runs have: for one alone a file may go ways of its own."""
RUNS = 20
"""How many runs follow one another in one workspace, at least."""
SINGLE = np.dtype(np.float32)

Unfit = Iterator[tuple[str, Callable[[], object]]]
"""What must be refused: what is wrong about it, and a run."""


@dataclass(frozen=True, slots=True)
class Reuse:
    """A workspace, and what is run in it.

    Args:
        sizes: of the runs.
        given: what forward and backward are given in three runs of these sizes.
        make: makes a workspace for them.
    """

    sizes: str
    given: list[Arguments]
    make: Callable[[], object]


def workspace(subject: Subject) -> Check:
    """A workspace that is used again gives what a new one gives, and refuses what it does not hold any more."""
    module: Any = subject.code.module
    extents = [subject.extent(WORKSPACE, steps=5, samples=samples) for samples in SAMPLES]
    keys = [[e.steps, e.samples, *e.sizes.values(), np.dtype(np.float64)] for e in extents]
    runs = [
        [arguments(subject.sample(f"{WORKSPACE} {i}", extent)) for i in range(3)]
        for extent in extents
    ]

    def unfit() -> Unfit:
        key, given = keys[0], runs[0]
        for i, part in enumerate(key):
            other = SINGLE if isinstance(part, np.dtype) else part + 1
            wrong = module.Workspace(*key[:i], other, *key[i + 1 :])
            told = f"a workspace made for {other} instead of {part} is accepted"
            yield told, lambda wrong=wrong: _cache(module, given[0], wrong)

    sizes = map(str, extents)
    makes = [lambda key=key: module.Workspace(*key) for key in keys]
    return used_again(list(map(Reuse, sizes, runs, makes)), module, unfit())


def workspace_of_network(subject: NetworkSubject) -> Check:
    """The same of a network: runs whose samples have other lengths than before, and runs of other sizes."""
    module: Any = subject.code.module
    firsts = [subject.sample(WORKSPACE, steps=5, samples=samples) for samples in SAMPLES]
    runs = [
        [network_arguments(subject, s) for s in _of_the_same_sizes(subject, first)]
        for first in firsts
    ]

    def unfit() -> Unfit:
        first, given = firsts[0], runs[0]
        used = module.Workspace()
        _cache(module, given[0], used)
        for told, sizes in (("more steps", (6, 3)), ("more samples", (5, 4))):
            other = subject.sample(WORKSPACE, steps=sizes[0], samples=sizes[1])
            if other.extent != first.extent:
                run = network_arguments(subject, other)
                told = f"a workspace used for fewer is accepted for {told}"
                yield told, lambda run=run: _cache(module, run, used)
        single = given[0].presented(lambda a: a.astype(SINGLE) if a.dtype.kind == "f" else a)
        yield "a workspace for float64 is accepted", lambda: _cache(module, single, used)

    sizes = (str(first.extent) for first in firsts)
    return used_again(
        [Reuse(s, r, module.Workspace) for s, r in zip(sizes, runs, strict=True)], module, unfit()
    )


def _of_the_same_sizes(subject: NetworkSubject, first: NetworkSample) -> Iterator[NetworkSample]:
    """The sample, and two more with the lengths of its samples in another order."""
    yield first
    turned = {axis: lengths[::-1] for axis, lengths in first.extent.lengths.items()}
    for lengths in (turned, first.extent.lengths):
        extent = replace(first.extent, lengths=lengths)
        seed = Random(f"{subject.seed}/{WORKSPACE}/{lengths is turned}").randrange(2**31)  # noqa: S311
        yield subject.search.found(
            lambda extent=extent, seed=seed: draw_smooth_network(
                subject.network, extent, seed, margin=1e-3
            )
        )


def used_again(reuses: list[Reuse], module: object, unfit: Unfit) -> Check:
    """The check of a file, whatever it is of.

    Args:
        reuses: the workspaces, and what is run in them; in one like the first, what must be refused is tried too.
        module: the file.
        unfit: what must be refused.
    """
    what = "results in a workspace that earlier runs have used, and what it must refuse"
    errors: dict[tuple[str, None], float] = {}
    for reuse in reuses:
        used = reuse.make()
        for i, (ordinary, true) in enumerate(_one_after_another(reuse.given, module), 1):
            found = compare(_named(_over(ordinary, used).run(module)), true)
            for (name, _), error in found.errors.items():
                errors[f"{name}: run {i} in one workspace, {reuse.sizes}", None] = error
    first = reuses[0]
    for wrong in (
        *_after_refusals(first.given, module, first.make()),
        *_accepted(first.given, module, first.make(), unfit),
    ):
        errors[wrong, None] = float("inf")
    comparison = Comparison(errors)
    where = tuple(name for name, _ in comparison.wrong(ROUNDING))
    sizes = "; ".join(reuse.sizes for reuse in reuses)
    return measured(WORKSPACE, what, sizes, comparison.worst, ROUNDING, where=where)


def _over(given: Arguments, workspace: object) -> Arguments:
    return replace(given, named={**given.named, "workspace": workspace})


def _one_after_another(given: list[Arguments], module: Any) -> Iterator[tuple[Arguments, Values]]:
    """What every run is given, and what it gives without the workspace.

    After one run of each the parameters' numbers are changed in place; then all follow twice in turn, and between them
    runs of which a part of what they were given is left out, more often than any number of the text, below a thousand,
    could count.
    """
    for ordinary in given:
        yield ordinary, _named(ordinary.run(module))
    for name, array in given[-1].params.items():
        array[...] = given[0].params[name]
    runs = [run for whole in given for run in (whole, *_left_out(whole))]
    truths = [_named(ordinary.run(module)) for ordinary in runs]
    texts = [n + 3 for n in named(text_of(module)) if n <= MOST]
    for i in range(len(given), max([RUNS, len(given) + 2 * len(runs), *texts])):
        which = (i + 1) // 2 % len(runs)
        yield runs[which], truths[which]


def _left_out(whole: Arguments) -> Iterator[Arguments]:
    """The run without each gradient by an output, and without those by final values."""
    for name in whole.bars:
        yield replace(whole, bars={k: v for k, v in whole.bars.items() if k != name})
    if whole.ends:
        yield replace(whole, ends=None)


def _named(arrays: dict[str, Array]) -> Values:
    return {(name, None): value for name, value in arrays.items()}


def _cache(module: Any, given: Arguments, workspace: object) -> object:
    """What forward leaves for backward."""
    over = _over(given, workspace)
    return module.forward(over.params, *over.inputs, over.state, **over.named)[2]


def _accepted(given: list[Arguments], module: Any, used: object, unfit: Unfit) -> Iterator[str]:
    """What is accepted though the workspace does not hold it."""
    first, second, third = given
    old = _cache(module, first, used)
    _cache(module, second, used)
    if not _refuses(
        lambda: module.backward(first.params, old, first.bars, first.ends), "workspace"
    ):
        yield "a cache whose workspace was used again is accepted"
    for foreign in ({}, type("Workspace", (), {})()):
        if not _refuses(lambda foreign=foreign: _cache(module, first, foreign), "workspace"):
            yield f"a {type(foreign).__name__} that is none of the file's is accepted"
    for told, run in unfit:
        if not _refuses(run, "workspace"):
            yield told
    for name, array in third.params.items():
        _cache(module, third, used)
        kept = array.copy()
        array.flat[-1] = np.inf
        if not _refuses(lambda: _cache(module, third, used), f"params[{name!r}]"):
            yield f"an infinite number put into {name} between two runs is accepted"
        array[...] = kept


def _after_refusals(runs: list[Arguments], module: Any, used: object) -> Iterator[str]:
    """What a cache gives wrongly after a run in its workspace was refused; it may be refused itself."""
    given, other = runs[:2]
    true = _named({k: v for k, v in given.run(module).items() if k.startswith(GROUPS[2:])})
    for group in ("params", "state", "inputs"):
        part = getattr(other, group)
        names = [*part] if isinstance(part, dict) else [*range(len(part))]
        real = [k for k in names if part[k].dtype.kind == "f"]
        if not real:
            continue
        wrong = copy.copy(part)
        wrong[real[-1]] = np.full_like(part[real[-1]], np.inf)
        cache = _cache(module, given, used)
        with suppress(ValueError, TypeError), np.errstate(all="ignore"):
            _cache(module, replace(other, **{group: wrong}), used)
        try:
            with np.errstate(all="ignore"):
                parts = module.backward(given.params, cache, given.bars, given.ends)
        except (ValueError, TypeError):
            continue
        found = {
            f"{g}[{k!r}]": v for g, p in zip(GROUPS[2:], parts, strict=True) for k, v in p.items()
        }
        for name, _ in compare(_named(found), true).wrong(ROUNDING):
            yield f"{name}: from a cache, after a run in its workspace was refused for its {group}"


def _refuses(work: Callable[[], object], word: str) -> bool:
    try:
        work()
    except (ValueError, TypeError) as error:
        return word in str(error)
    except (AttributeError, LookupError):
        return False
    return False
