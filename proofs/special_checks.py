"""The checks of a cell's file in special runs: sizes that meet, values that vanish, other arrays, large runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import numpy as np

from derive.cell import Cell
from numeric.inside import kept_inside
from proofs import differences, dynamics, layout
from proofs.arithmetic import Array
from proofs.compare import ROUNDING, Comparison, along, compare, compare_runs
from proofs.complex_steps import looked_at
from proofs.evaluation import at_sizes
from proofs.floats import Floats
from proofs.point import Extent, draw_sizes, steps_for
from proofs.samples import Sample, Values, draw_smooth, loss_of, reference
from proofs.settings_runs import STEPS as MANY
from proofs.settings_runs import at_other_settings
from proofs.special_runs import (
    LOUD,
    PRESENTED,
    SIZES,
    WIDE,
    Arguments,
    Sizes,
    changed_in_place,
    louder,
    partly_given,
    special_values,
    summary,
    unwritten,
)
from proofs.subject import Subject
from proofs.table import Check, measured, not_applicable

RUNS, WIDTH, GIVEN, LARGE = "special runs", "wide run", "as given", "large run"
MARGIN = 1e-5
FEW = (3, 1)
"""How many samples runs have that are given in every way: for one alone a file may go ways of its own."""
ENTRIES = 1_000_000
"""How many entries the largest sequence of the large run may have."""
STEPS, SAMPLES = 150, 15
"""Several stretches of several blocks of a file made for speed, the last ones shorter, and samples beyond fours."""
LONG_WAY = 1e-7
"""Bound where roundings of many steps add up."""


def special_runs(subject: Subject) -> Check:
    """Loss and gradients in every special run against complex steps on the cell's own equations."""
    what = "loss and every entry of every gradient against a complex step, in runs of which something is special"
    found = {row: compare(*both(subject, sample)) for row, sample in _runs(subject)}

    def draw(samples: int) -> Sample:
        return subject.sample(RUNS, subject.extent(RUNS, steps=MANY, samples=samples))

    module = subject.code.module
    found |= at_other_settings(module, draw, true_of, lambda sample: found_in(subject, sample))
    return summary(RUNS, what, found, lambda place: layout.label(subject.cell, place))


def both(subject: Subject, sample: Sample) -> tuple[Values, Values]:
    """What the file finds, and what is true; the loss under no name."""
    return found_in(subject, sample), true_of(sample)


def found_in(subject: Subject, sample: Sample) -> Values:
    """What the file finds; the loss under no name."""
    return {**looked_at(subject.code.gradient(sample)), ("", None): subject.code.loss(sample)}


def true_of(sample: Sample) -> Values:
    """What is true; the loss under no name."""
    loss = np.sum(loss_of(sample, reference(sample, Floats())))
    return {**differences.probed_gradient(sample), ("", None): loss}


def _runs(subject: Subject) -> Iterator[tuple[str, Sample]]:
    for row, sizes in SIZES.items():
        extent = extent_of(subject, row, sizes)
        if extent is not None:
            sample = draw_smooth(subject.cell, extent, _seed(subject, row), margin=MARGIN)
            if sample is not None:
                yield row, sample
    plain, domains = _plain(subject), subject.domains.of
    for row, values in special_values(plain.values, fixed_names(subject.cell)):
        special = if_smooth(plain.with_values(kept_inside(domains, values, plain.values)))
        if special is not None:
            yield row, special


def _plain(subject: Subject) -> Sample:
    return subject.sample(RUNS, subject.extent(RUNS, steps=4, samples=3))


def extent_of(subject: Subject, row: str, sizes: Sizes) -> Extent | None:
    """The sizes of a special run; ``None`` if the cell has none such."""
    cell = subject.cell
    if sizes.steps is None and cell.depth < 2:
        return None
    exact = {1: 1, None: cell.depth}
    steps = exact[sizes.steps] if sizes.steps in exact else steps_for(cell, sizes.steps)
    if sizes.dims is None:
        rng = Random(f"{subject.seed}/{row}")  # noqa: S311 - no secret
        return Extent(draw_sizes(cell, rng), steps, sizes.samples)
    dims = dict.fromkeys(cell.dims, sizes.dims)
    sides = [at_sizes(side, dims) for q in cell.quantities for side in q.shape]
    return Extent(dims, steps, sizes.samples) if all(side >= 1 for side in sides) else None


def _seed(subject: Subject, row: str) -> int:
    return Random(f"{subject.seed}/{row}/values").randrange(2**31)  # noqa: S311


def fixed_names(cell: Cell) -> frozenset[str]:
    """What no special run may change: constants, and indices."""
    indices = (q for q in cell.inputs if q.kind == "index")
    return frozenset(q.name for q in (*cell.constants, *indices))


def if_smooth(sample: Sample) -> Sample | None:
    """The run, if all of it is finite and keeps its distance from kinks and poles."""
    arithmetic = Floats()
    with np.errstate(all="ignore"):
        values = reference(sample, arithmetic).values.values()
    tame = all(np.all(np.isfinite(v)) and np.all(np.abs(v) < 1e6) for v in values)
    return sample if tame and arithmetic.margin > MARGIN else None


def wide_run(subject: Subject) -> Check:
    """Gradients along random directions against complex steps, at sizes beyond those of every other check."""
    what = (
        "each gradient along a random direction against a complex step, at sizes beyond all others"
    )
    cell = subject.cell
    rng = Random(f"{subject.seed}/{WIDTH}")  # noqa: S311 - no secret
    least = WIDE.dims or 1
    extent = Extent(
        draw_sizes(cell, rng, least, least + 7), steps_for(cell, WIDE.steps), WIDE.samples
    )
    sample = draw_smooth(cell, extent, _seed(subject, WIDTH), margin=1e-7)
    if sample is None:
        return not_applicable(WIDTH, what, "no run of these sizes was found off all kinks")
    directions = differences.random_directions(sample, subject.seed)
    slopes = differences.complex_step_slopes(sample, directions)
    comparison = along(subject.code.gradient(sample), directions, slopes)
    where = tuple(layout.label(cell, p) for p in comparison.wrong(ROUNDING))
    return measured(WIDTH, what, extent, comparison.worst, ROUNDING, where=where)


def arguments(sample: Sample) -> Arguments:
    """What a sample's run is given."""
    params, xs, state = layout.arguments(sample)
    bars, ends = (f(sample, np.float64) for f in (layout.outputs_bar, layout.final_bar))
    return Arguments(params, xs, state, layout.keywords(sample), bars, ends)


def as_given(subject: Subject) -> Check:
    """The same numbers in other arrays, with zeros left out, and for a louder loss: nothing else may change."""
    runs = [
        subject.sample(GIVEN, subject.extent(GIVEN, steps=4, samples=samples)) for samples in FEW
    ]
    given = {str(sample.extent): arguments(sample) for sample in runs}
    return given_in_every_way(given, subject.code.module)


def given_in_every_way(runs: dict[str, Arguments], module: object) -> Check:
    """The check of a file whatever it is of.

    Args:
        runs: all that forward and backward are given, by the sizes of the run.
        module: the file.
    """
    what = "results for arrays of other kinds, with zeros left out, and for a louder loss, against the ordinary"
    errors = Comparison({})
    for sizes, whole in runs.items():
        found = _in_every_way(whole, module).errors
        errors.errors.update({(f"{sizes}: {told}", t): e for (told, t), e in found.items()})
    where = tuple(name for name, _ in errors.wrong(ROUNDING))
    return measured(GIVEN, what, "; ".join(runs), errors.worst, ROUNDING, where=where)


def _in_every_way(whole: Arguments, module: object) -> Comparison:
    """How far results are apart where nothing may change."""
    plain = whole.run(module)
    errors = Comparison({})
    rows: dict[str, Callable[[], tuple[dict[str, Array], dict[str, Array]]]] = {
        how: lambda make=make: (whole.presented(make).run(module), plain)
        for how, make in PRESENTED.items()
    }
    rows |= {
        how: lambda some=some, full=full: (some.run(module), full.run(module))
        for how, some, full in partly_given(whole)
    }
    scales = [(f, 1 / f if how == "quiet" else f, how) for f in LOUD for how in ("loud", "quiet")]
    for size, factor, how in scales:
        rows[f"a loss {size:.0e} times as {how}"] = lambda factor=factor: (
            louder(whole, factor).run(module),
            {k: v if k.startswith(("outputs", "final[")) else factor * v for k, v in plain.items()},
        )
    rows["arrays that held other numbers before"] = lambda: changed_in_place(whole, module)
    rows["memory that holds anything at first"] = lambda: (_in_new_memory(whole, module), plain)
    for how, both in rows.items():
        try:
            found, true = both()
        except (ValueError, TypeError):
            if how.startswith("state "):
                continue  # where a state alone tells the number of samples, leaving it out may be refused
            raise
        comparison = compare_runs(
            {(k, None): v for k, v in found.items()}, {(k, None): v for k, v in true.items()}, 0.0
        )
        errors.errors.update({(f"{k}: {how}", None): e for (k, _), e in comparison.errors.items()})
    return errors


def _in_new_memory(whole: Arguments, module: object) -> dict[str, Array]:
    """A run whose new arrays hold NaN until they are written to."""
    with unwritten():
        return whole.run(module)


def large_run(subject: Subject) -> Check:
    """Many steps of many samples against the same run in pieces of few steps of few samples."""
    what = "gradients of a run against the same in pieces of few steps of few samples, state and adjoint handed over"
    cell = subject.cell
    sample = None
    extent = Extent(_roomy(subject), steps_for(cell, STEPS), SAMPLES)
    for gain in (0.5, 0.25, 0.1):
        drawn = dynamics.draw_long(cell, extent, subject.seed, gain)
        if drawn is not None and dynamics.growth(drawn).leaves_digits:
            sample = drawn
            break
    if sample is None:
        return not_applicable(LARGE, what, "no long run was found in which the cell is tame")
    whole = subject.code.gradient(sample)
    errors = compare(in_pieces(subject, sample), whole)
    where = tuple(layout.label(cell, p) for p in errors.wrong(LONG_WAY))
    return measured(LARGE, what, extent, errors.worst, LONG_WAY, where=where)


def _roomy(subject: Subject) -> dict[object, int]:
    """Sizes as large as the memory at hand allows."""
    cell = subject.cell
    largest = 48
    while True:
        rng = Random(f"{subject.seed}/{LARGE}")  # noqa: S311 - no secret
        sizes = draw_sizes(cell, rng, max(2, largest - 8), largest)
        areas = [at_sizes(q.shape[0], sizes) * at_sizes(q.shape[1], sizes) for q in cell.states]
        if max(areas, default=1) * STEPS * SAMPLES <= ENTRIES or largest <= 4:
            return sizes
        largest //= 2


def in_pieces(subject: Subject, sample: Sample, steps: int = 50, samples: int = 6) -> Values:
    """The gradient, found in pieces.

    Args:
        subject: what is verified.
        sample: the run.
        steps: of each piece, at most.
        samples: of each piece, at most.
    """
    total: dict[tuple[str, str], Array] = {}
    order = [q.name for q in sample.cell.inputs]
    real = [q.name for q in sample.cell.inputs if q.kind == "real"]
    depth = {q.name: q.depth for q in sample.memory}
    whole = arguments(sample)
    module, B, T = subject.code.module, sample.extent.samples, sample.extent.steps
    parts: dict[tuple[str, str], list[Array]] = {}
    for at in (slice(b, min(b + samples, B)) for b in range(0, B, samples)):
        lanes = {k: v[:, at] if depth[k] > 1 else v[at] for k, v in (whole.state or {}).items()}
        ends = {k: v[:, at] if depth[k] > 1 else v[at] for k, v in (whole.ends or {}).items()}
        caches: list[tuple[slice, object]] = []
        for t in range(0, T, steps):
            when = slice(t, min(t + steps, T))
            named = dict(whole.named)
            if "steps" in named and not order:
                named["steps"] = when.stop - when.start
            xs = [x[when, at] for x in whole.inputs]
            _, lanes, cache = module.forward(whole.params, *xs, lanes, **named)
            caches.append((when, cache))
        inputs: dict[str, list[Array]] = {k: [] for k in real}
        for when, cache in reversed(caches):
            bars = {k: v[when, at] for k, v in whole.bars.items()}
            by_params, by_inputs, ends = module.backward(whole.params, cache, bars, ends)
            for k, v in by_params.items():
                total["params", k] = total.get(("params", k), 0) + np.array(v)
            for k in real:
                inputs[k].insert(0, np.array(by_inputs[k]))
        for k in real:
            parts.setdefault(("inputs", k), []).append(np.concatenate(inputs[k]))
        for k, v in ends.items():
            parts.setdefault(("state", k), []).append(np.array(v))
    joined = {
        (g, k): np.concatenate(v, axis=1 if g == "inputs" or depth[k] > 1 else 0)
        for (g, k), v in parts.items()
    }
    return layout.places(
        sample,
        {k: v for (_, k), v in total.items()},
        {k: joined["inputs", k] for k in real},
        {k: joined["state", k] for k in depth},
    )
