"""The check of a team in a generated file: threads that share out the samples give what one run of all gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from proofs.arithmetic import Array
from proofs.compare import ROUNDING, Comparison, compare
from proofs.network_checks import NetworkSubject
from proofs.network_special_checks import arguments as network_arguments
from proofs.samples import Values
from proofs.special_checks import arguments
from proofs.special_runs import Arguments
from proofs.stretch_checks import growing_squares
from proofs.subject import Subject
from proofs.table import Check, measured

TEAM = "team"
SAMPLES = (5, 5, 1, 4)
"""How many samples the runs of one team have, one after another."""
THREADS = (1, 2, 3, 7)


def team(subject: Subject) -> Check:
    """Teams of few and of many threads against the file's own functions, run after run."""
    extents = [subject.extent(f"{TEAM} {i}", steps=4, samples=B) for i, B in enumerate(SAMPLES)]
    given = [arguments(subject.sample(f"{TEAM} {i}", e)) for i, e in enumerate(extents)]
    return shared_out(given, str(extents[0]), subject.code.module, stated_loss=False)


def team_of_network(subject: NetworkSubject) -> Check:
    """The same of a network."""
    samples = [subject.sample(f"{TEAM} {i}", steps=4, samples=B) for i, B in enumerate(SAMPLES)]
    given = [network_arguments(subject, sample) for sample in samples]
    stated = subject.network.loss is not None
    return shared_out(given, str(samples[0].extent), subject.code.module, stated_loss=stated)


def shared_out(given: list[Arguments], sizes: str, module: Any, *, stated_loss: bool) -> Check:
    """The check of a file, whatever it is of.

    Args:
        given: what forward and backward are given in every run.
        sizes: of the first run.
        module: the file.
        stated_loss: whether ``value_and_grad`` knows the loss.
    """
    what = "results of teams of one to seven threads, run after run, and what a team must refuse"
    whole = [_all_of(module, run, stated_loss=stated_loss) for run in given]
    errors: dict[tuple[str, None], float] = {}
    for threads in THREADS:
        crew = module.Team(threads)
        for i, (run, true) in enumerate(zip(given, whole, strict=True), 1):
            found = _all_of(crew, run, stated_loss=stated_loss)
            for (name, _), error in compare(found, true).errors.items():
                errors[f"{name}: run {i} of {threads} threads", None] = error
    errors |= {(wrong, None): float("inf") for wrong in _accepted(given[0], module)}
    comparison = Comparison(errors)
    where = tuple(name for name, _ in comparison.wrong(ROUNDING))
    note = f"runs of {', '.join(map(str, SAMPLES))} samples"
    return measured(TEAM, what, sizes, comparison.worst, ROUNDING, note=note, where=where)


def _all_of(functions: Any, run: Arguments, *, stated_loss: bool) -> Values:
    """Outputs, final values, gradients, and those that come with a loss, of the file or of a team."""
    arrays = run.run(functions)
    loss = () if stated_loss else (growing_squares,)
    value, parts = functions.value_and_grad(*loss, run.params, *run.inputs, run.state, **run.named)
    arrays["loss"] = np.array(value)
    for group, found in zip(("params_bar", "inputs_bar", "state_bar"), parts, strict=True):
        arrays |= {f"{group}[{k!r}] of the loss": np.array(v) for k, v in found.items()}
    return {(name, None): value for name, value in arrays.items()}


def _accepted(run: Arguments, module: Any) -> Iterator[str]:
    """What a team accepts and must not."""
    for told, work, word in _unfit(run, module):
        try:
            work()
        except (ValueError, TypeError) as error:
            if word in str(error):
                continue
            told = f"{told}: the message does not say {word!r}"
        except (AttributeError, LookupError) as error:
            told = f"{told}: {type(error).__name__}"
        else:
            told = f"{told} is accepted"
        yield told


def _unfit(run: Arguments, module: Any) -> Iterator[tuple[str, Callable[[], object], str]]:
    """What is wrong, a run, and a word of its message."""
    crew = module.Team(2)

    def forward(inputs: list[Array], state: dict[str, Array] | None) -> Any:
        return crew.forward(run.params, *inputs, state, **run.named)

    yield "a team of no thread", lambda: module.Team(0), "threads"
    old = forward(run.inputs, run.state)[2]
    forward(run.inputs, run.state)
    yield (
        "the cache of an earlier run",
        lambda: crew.backward(run.params, old, run.bars, run.ends),
        "earlier run",
    )
    plain = module.forward(run.params, *run.inputs, run.state, **run.named)[2]
    yield (
        "a cache that is none of a team's",
        lambda: crew.backward(run.params, plain, run.bars, run.ends),
        "team",
    )
    for what, group in (("state", run.state), ("outputs_bar", run.bars), ("final_bar", run.ends)):
        for name, array in (group or {}).items() if run.inputs or what != "state" else ():
            axis = 1 if what == "outputs_bar" else crew.states[name]
            more = {**(group or {}), name: array.repeat(2, axis)}
            given = {"state": run.state, "outputs_bar": run.bars, "final_bar": run.ends, what: more}

            def work(given: Any = given) -> None:
                cache = forward(run.inputs, given["state"])[2]
                crew.backward(run.params, cache, given["outputs_bar"], given["final_bar"])

            yield f"{what}[{name!r}] of twice as many samples", work, "samples"
