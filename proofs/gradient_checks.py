"""The checks of a generated file's gradients: each returns one row of the table."""

from __future__ import annotations

import numpy as np

from proofs import differences, dynamics, layout
from proofs.compare import ROUNDING, Comparison, along, compare
from proofs.complex_steps import looked_at, told
from proofs.duality import tangent_answers
from proofs.samples import Sample
from proofs.subject import Subject
from proofs.table import Check, measured, not_applicable
from proofs.unrolled import Place

STEP = 1e-8
"""The bound on one step's relative error along a run that grows."""


def labels(sample: Sample, wrong: list[Place]) -> tuple[str, ...]:
    """Wrong places by the names that the file gives them."""
    return tuple(layout.label(sample.cell, place) for place in wrong)


def _row(
    name: str, what: str, sample: Sample, comparison: Comparison, bound: float, note: str = ""
) -> Check:
    return measured(
        name,
        what,
        sample.extent,
        comparison.worst,
        bound,
        note=note,
        where=labels(sample, comparison.wrong(bound)),
    )


def complex_step(subject: Subject) -> Check:
    """Every entry of every gradient against a complex step on the cell's own equations."""
    sample = subject.sample("complex step", subject.extent("complex step", steps=4))
    comparison = compare(
        looked_at(subject.code.gradient(sample)), differences.probed_gradient(sample)
    )
    note = (
        "on the branch of each kinked function where the point lies"
        if differences.has_kinks(sample)
        else ""
    )
    note = "; ".join(filter(None, (note, told(sample.values))))
    what = "every entry of every gradient against a complex step on the equations"
    return _row("complex step", what, sample, comparison, ROUNDING, note)


def complex_step_larger(subject: Subject) -> Check:
    """The gradients along random directions against complex steps, at larger sizes."""
    extent = subject.extent("larger", smallest=6, largest=14, steps=9, samples=3)
    sample = subject.sample("larger", extent, margin=1e-5)
    directions = differences.random_directions(sample, subject.seed)
    slopes = differences.complex_step_slopes(sample, directions)
    gradient = subject.code.gradient(sample)
    comparison = along(gradient, directions, slopes)
    what = "each gradient along a random direction against a complex step on the equations"
    return _row("complex step, larger", what, sample, comparison, ROUNDING)


def last_step_loss(subject: Subject) -> Check:
    """With a loss at the last step alone, the first step's gradients against a complex step, by their own size."""
    sample = subject.sample("last step", subject.extent("last step", steps=7))
    last = sample.extent.steps
    only = {p: w if p[1] == last else 0 * w for p, w in sample.weights.items()}
    late = type(sample)(
        sample.cell,
        sample.extent,
        sample.values,
        only,
        {p: 0 * w for p, w in sample.final_weights.items()},
    )
    comparison = compare(
        looked_at(subject.code.gradient(late)),
        differences.probed_gradient(late),
        floor=1e-7,
    )
    what = "what the last step's loss gives to the first step, each step relative to itself"
    return _row("long way back", what, late, comparison, 1e-8)


def one_step(subject: Subject) -> Check:
    """T = 1 and B = 1, where axes of length 1 hide among the others."""
    sample = subject.sample("one step", subject.extent("one step", steps=1, samples=1))
    comparison = compare(
        looked_at(subject.code.gradient(sample)), differences.probed_gradient(sample)
    )
    return _row(
        "one step, one sample", "every gradient at T = 1 and B = 1", sample, comparison, ROUNDING
    )


def richardson(subject: Subject) -> Check:
    """Each gradient along a random direction against extrapolated differences of the generated forward pass."""
    sample = subject.sample("richardson", subject.extent("richardson", steps=4), margin=1e-2)
    kinked = differences.has_kinks(sample)
    directions = differences.random_directions(sample, subject.seed)
    gradient = subject.code.gradient(sample)
    slopes: dict[Place, float] = {}
    estimate = 0.0
    for place, direction in directions.items():
        unit = direction / np.linalg.norm(direction)
        found = differences.richardson(
            lambda h, p=place, d=unit: float(
                subject.code.loss(differences.moved(sample, {p: d}, h)).real
            ),
            1e-4 if kinked else 2e-2,
            3 if kinked else 5,
        )
        slopes[place] = found.slope
        estimate = max(estimate, found.error / max(1e-3, abs(found.slope)))
        directions[place] = unit
    comparison = along(gradient, directions, slopes)
    note = f"estimated error of the differences {estimate:.0e}"
    if kinked:
        note += "; steps of 1e-04, short of the kinks"
    what = "each gradient along a random direction against extrapolated differences of forward"
    return _row("Richardson differences", what, sample, comparison, 1e-6, note)


def taylor(subject: Subject) -> Check:
    """L(θ + h d) − L(θ) − h ⟨∇L, d⟩ = O(h²): a wrong gradient leaves O(h)."""
    what = "order at which the first-order Taylor remainder vanishes, |order − 2|"
    sample = subject.sample("taylor", subject.extent("taylor", steps=4), margin=1e-2)
    directions = differences.random_directions(sample, subject.seed + 1)
    whole = np.sqrt(sum(float(np.sum(d**2)) for d in directions.values()))
    directions = {p: d / whole for p, d in directions.items()}
    gradient = subject.code.gradient(sample)
    slope = sum(float(np.sum(gradient[p] * d)) for p, d in directions.items())
    start = 1e-3 if differences.has_kinks(sample) else 2e-2
    steps = [start / 2**i for i in range(7)]

    def evaluate(h: float) -> float:
        return float(subject.code.loss(differences.moved(sample, directions, h)))

    remainders, orders = differences.taylor_slopes(evaluate, slope, steps)
    noise = 1e-14 * max(1.0, abs(evaluate(0.0)))
    if max(remainders) < 100 * noise:
        note = f"the remainder vanishes altogether: {max(remainders):.0e}"
        return measured("Taylor remainder", what, sample.extent, 0.0, 0.2, note=note)
    clear = [o for o, r in zip(orders, remainders[1:], strict=True) if r > 100 * noise]
    order = float(np.median(clear[-3:])) if clear else float("nan")
    note = f"order {order:.3f} over steps from {steps[0]:.0e} on"
    return measured("Taylor remainder", what, sample.extent, abs(order - 2), 0.2, note=note)


def dot_product(subject: Subject) -> Check:
    """L̇ of the tangent equations against ⟨gradients, directions⟩ of the file, for several directions."""
    extent = subject.extent("dot product", smallest=4, largest=9, steps=6, samples=3)
    sample = subject.sample("dot product", extent, margin=1e-5)
    gradient = subject.code.gradient(sample)
    worst = 0.0
    for k in range(4):
        directions = differences.random_directions(sample, subject.seed + 17 * k)
        answer = tangent_answers(subject.derivation, sample, directions)
        terms = [float(np.sum(gradient[p] * d)) for p, d in directions.items()]
        scale = float(np.linalg.norm(terms)) + abs(answer)
        error = abs(sum(terms) - answer) / scale if scale else 0.0
        worst = max(worst, error if np.isfinite(error) else float("inf"))
    what = "tangents run forward against the file's backward: L̇ = Σ ⟨gradient, direction⟩"
    return measured(
        "dot product", what, sample.extent, worst, 1e-11, note="4 directions in everything at once"
    )


def long_run(subject: Subject) -> Check:
    """A long run with weights of gain 1."""
    return _long(subject, "long run", 1.0, 60)


def long_run_strong(subject: Subject) -> Check:
    """A long run with weights of gain 3, at which many a cell is chaotic."""
    return _long(subject, "long run, strong weights", 3.0, 100)


def _long(subject: Subject, name: str, gain: float, steps: int) -> Check:
    extent = subject.extent(name, smallest=6, largest=12, steps=steps)
    what = "a long run's gradients, by the means that its growth allows"
    lost = 0
    for sample in dynamics.long_runs(subject.cell, extent, subject.seed, gain):
        row = _judged(subject, name, what, sample)
        if row.ok or dynamics.keeps_digits(subject.derivation, sample, STEP, subject.seed):
            return row
        lost += 1
    none = f"no run of {extent.steps} steps was found in which the cell stays finite"
    return not_applicable(
        name, what, f"{none} and a step's gradient keeps its digits" if lost else none
    )


def _judged(subject: Subject, name: str, what: str, sample: Sample) -> Check:
    """One long run, end to end where digits are left, step by step where they are not."""
    growth = dynamics.growth(sample)
    seen = f"tangents grow by {growth.largest:.0e} (exponent {growth.exponent:+.2f} per step)"
    if growth.leaves_digits:
        return _end_to_end(subject, name, what, sample, seen)
    found = dynamics.stepwise(subject.code, sample, STEP, subject.seed)
    where = [place for c in (found.steps, found.joined) for place in c.wrong(STEP)]
    note = f"{seen}: compared step by step along the file's own trajectory"
    if found.wrong_steps:
        note += f"; wrong at {len(found.wrong_steps)} steps, the last of them t = {found.wrong_steps[-1]}"
    labelled = labels(sample, where)
    return measured(name, what, sample.extent, found.worst, STEP, note=note, where=labelled)


def _end_to_end(subject: Subject, name: str, what: str, sample: Sample, seen: str) -> Check:
    steps = sample.extent.steps
    every = differences.random_directions(sample, subject.seed)
    chosen = {
        p: d for p, d in every.items() if p[1] is None or p[1] <= 1 or p[1] in (steps // 2, steps)
    }
    slopes = differences.complex_step_slopes(sample, chosen)
    comparison = along(subject.code.gradient(sample), chosen, slopes)
    return _row(
        name, what, sample, comparison, 1e-6, f"{seen}: compared end to end with complex steps"
    )
