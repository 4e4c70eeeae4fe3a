"""The exact route: every line of a derivation as an identity, decided at random points modulo a prime.

Each line of the derivation is read with the true values on its right, and must give the true value on its left; so
a wrong line is found by its number, and the lines after it are not blamed. Then the tangent equations are run
forward and the adjoint equations backward, each on its own results, and must agree:

        L̇ = Σ ⟨θ̄, θ̇⟩ + Σ_t ⟨x̄_t, ẋ_t⟩ + Σ ⟨s̄₀, ṡ₀⟩.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from random import Random
from typing import Any

import numpy as np

from derive.derivation import Derivation, Step
from derive.nodes import Adjoint, LossGradient, Tangent, Timed
from derive.still import is_total, parted
from proofs.arithmetic import Array
from proofs.bound import degrees_at
from proofs.degrees import ErrorBound, bound_for
from proofs.field import SingularPointError, regular
from proofs.point import Extent, Point, draw_sizes, steps_for
from proofs.unrolled import Tape, run_backward, run_tangents
from proofs.untyped import MatrixSymbol

JUDGED = (
    "equation",
    "abbreviation",
    "adjoint",
    "input",
    "still",
    "parameter",
    "initial",
    "jacobian",
    "tangent",
)


@dataclass(frozen=True, slots=True)
class LineVerdict:
    """Whether one line of a derivation is an identity.

    Args:
        number: the line's number.
        holds: the verdict.
        compared: number of entries compared.
        reason: what is wrong, empty if nothing is.
    """

    number: int
    holds: bool
    compared: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ExactVerdict:
    """What the exact route found.

    Args:
        lines: the verdict on every line that states an equation, by its number.
        tangents: wrong tangent equations, by name of the quantity; right if there is none.
        identity: why tangents run forward and adjoints run backward disagree; empty if they agree.
        extents: the sizes of each point.
        bound: the probability that a wrong equation was accepted.
    """

    lines: dict[int, LineVerdict]
    tangents: dict[str, str]
    identity: str
    extents: tuple[Extent, ...]
    bound: ErrorBound

    @property
    def wrong_lines(self) -> tuple[LineVerdict, ...]:
        """The lines that are no identities, by number."""
        return tuple(v for _, v in sorted(self.lines.items()) if not v.holds)

    @property
    def ok(self) -> bool:
        """Whether every line, every tangent equation and the identity between the two runs hold, and surely so."""
        ran = (
            bool(self.lines) and bool(self.extents) and all(v.compared for v in self.lines.values())
        )
        right = not self.wrong_lines and not self.tangents and not self.identity
        return ran and right and self.bound.decides


def prove(
    derivation: Derivation, *, seed: int = 0, repeats: int = 2, samples: int = 2
) -> ExactVerdict:
    """Decides every line of a derivation at random points.

    Law: an equation that is no identity in parameters, inputs, initial values, loss weights and generators holds at
    all points with a probability of at most ``bound.total``.

    Args:
        derivation: what is judged.
        seed: of sizes and points.
        repeats: number of points, each with sizes of its own.
        samples: B.
    """
    cell = derivation.cell
    rng = Random(seed)  # noqa: S311 - no secret
    steps = steps_for(cell)
    extents = tuple(Extent(draw_sizes(cell, rng), steps + i, samples) for i in range(repeats))
    bound = bound_for(degrees_at(derivation, extent) for extent in extents)
    results = [
        _judge(regular(lambda seed, e=e: Point(derivation, e, bound.prime, seed), rng))
        for e in extents
    ]
    lines: dict[int, LineVerdict] = {}
    for found, _, _ in results:
        for verdict in found:
            seen = lines.get(verdict.number)
            lines[verdict.number] = verdict if seen is None or seen.holds else seen
    tangents = {name: reason for _, wrong, _ in results for name, reason in wrong.items()}
    identity = next((reason for _, _, reason in results if reason), "")
    return ExactVerdict(lines, tangents, identity, extents, bound)


def _judge(point: Point) -> tuple[list[LineVerdict], dict[str, str], str]:
    lines = list(_lines(point))
    return lines, dict(_wrong_tangents(point)), _identity(point)


def _lines(point: Point) -> Iterator[LineVerdict]:
    """Every line, with true values on its right."""
    block_step = max(2, point.extent.steps - 1)
    point.put_blocks(block_step)
    point.put_tangents(point.tape)
    backs: dict[str, int] = defaultdict(int)
    for step in point.derivation.steps:
        if step.section not in JUDGED:
            continue
        back = backs[step.owner]
        backs[step.owner] += step.section == "initial"
        try:
            pairs = list(_sides(point, step, back, block_step))
        except (ValueError, KeyError, TypeError, IndexError, SingularPointError) as error:
            yield LineVerdict(step.number, False, 1, f"cannot be evaluated: {error}")
            continue
        yield _verdict(step.number, pairs)


def _sides(
    point: Point, step: Step, back: int, block_step: int
) -> Iterator[tuple[str, Array, Array]]:
    """Where a line is read, and both of its sides there."""
    lhs: Any = step.lhs
    rhs, name, at = step.rhs, "" if step.section == "jacobian" else lhs.name, point.tape.at
    times = range(1, point.extent.steps + 1)
    if step.section in ("equation", "abbreviation"):
        yield from (
            (f"t = {t}", point.evaluate(rhs, at(t)), point.tape.get(Timed, (name, t)))
            for t in times
        )
    elif step.section == "adjoint":
        yield from (
            (f"t = {t}", point.evaluate(rhs, at(t)), point.tape.get(Adjoint, (name, t)))
            for t in times
        )
    elif step.section == "tangent":
        yield from (
            (f"t = {t}", point.evaluate(rhs, at(t)), point.tape.get(Tangent, (name, t)))
            for t in times
        )
    elif step.section == "jacobian":
        yield (f"t = {block_step}", point.evaluate(rhs, at(block_step)), at(block_step)(step.lhs))
    elif step.section == "input":
        yield from (_along(point, point.evaluate(rhs, at(t)), (name, t)) for t in times)
    elif step.section == "initial":
        yield _along(point, point.evaluate(rhs, at(-back)), (name, -back))
    elif step.section == "still":
        yield "", _over_time(point, rhs), _total(point, name)
    elif step.section == "parameter":
        yield _along(point, _over_time(point, rhs), (name, None))


def _over_time(point: Point, rhs: Any) -> Array:
    """A sum over time as it is written: the gradient by what no step changes is a sum already, wherever it stands."""
    still = point.derivation.still
    once, each = parted(rhs, still)

    def at(t: int) -> Callable[[Any], Array]:
        present = point.tape.at(t)

        def look(leaf: Any) -> Array:
            return _total(point, leaf.name) if is_total(leaf, still) else present(leaf)

        return look

    parts = [point.evaluate(each, at(t)) for t in range(1, point.extent.steps + 1)]
    return reduce(point.field.add, [*parts, point.evaluate(once, at(1))])


def _total(point: Point, name: str) -> Array:
    """The gradient by what no step changes: the sum of those by its values at each step."""
    times = range(1, point.extent.steps + 1)
    return reduce(point.field.add, (point.tape.get(Adjoint, (name, t)) for t in times))


def _along(
    point: Point, gradient: Array, place: tuple[str, int | None]
) -> tuple[str, Array, Array]:
    """⟨gradient, direction⟩ and L̇ for a quantity that alone moves."""
    direction = point.directions[place]
    if gradient.shape[-2:] != direction.shape[-2:]:
        raise ValueError(
            f"it has shape {gradient.shape[-2:]}, and {place[0]} has {direction.shape[-2:]}"
        )
    product = point.field.total(point.field.mul(gradient, direction))[..., 0, 0]
    where = "" if place[1] is None else f"t = {place[1]}"
    return where, np.broadcast_to(product, (point.extent.samples,)), point.answers[place]


def _verdict(number: int, pairs: list[tuple[str, Array, Array]]) -> LineVerdict:
    compared, wrong = 0, list[str]()
    for where, found, true in pairs:
        if found.shape[-2:] != true.shape[-2:] and min(found.ndim, true.ndim) > 1:
            return LineVerdict(
                number, False, 1, f"has shape {found.shape[-2:]}, expected {true.shape[-2:]}"
            )
        different = np.not_equal(*np.broadcast_arrays(found, true))
        compared += different.size
        if different.any():
            wrong.append(where)
    places = ", ".join(dict.fromkeys(w for w in wrong if w))
    reason = "" if not wrong else "no identity" + (f" at {places}" if places else "")
    return LineVerdict(number, not wrong, compared, reason)


def _wrong_tangents(point: Point) -> Iterator[tuple[str, str]]:
    """Tangent equations that dual numbers contradict, each read with true values on its right."""
    for q in point.derivation.cell.constants:
        point.tape.put(Tangent, (q.name, None), point.field.full(point.evaluate.shape(q.symbol), 0))
    for line in point.derivation.tangents:
        name = line.target.name
        for t in range(1, point.extent.steps + 1):
            try:
                found = point.evaluate(line.expr, point.tape.at(t))
            except (ValueError, KeyError, TypeError, IndexError, SingularPointError) as error:
                yield name, f"cannot be evaluated: {error}"
                break
            if not np.all(np.equal(found, point.tape.get(Tangent, (name, t)))):
                yield name, f"no identity at t = {t}"
                break


def _identity(point: Point) -> str:
    """Why a forward run of tangents and a backward run of adjoints disagree; empty if they agree."""
    start = {
        k: v for k, v in point.tape.values.items() if k[0] in (Timed, MatrixSymbol, LossGradient)
    }
    tape: Tape[Array] = Tape(point.extent.steps, start, point.tape.absent)
    for place, direction in point.directions.items():
        tape.put(Tangent, place, direction)
    cell = point.derivation.cell
    for q in cell.constants:
        tape.put(Tangent, (q.name, None), point.field.full(point.evaluate.shape(q.symbol), 0))
    try:
        run_tangents(point.evaluate, point.derivation.tangents, tape)
        run_backward(point.evaluate, point.derivation.backward, cell, tape)
        dots = {
            (q.name, t): tape.get(Tangent, (q.name, t))
            for q in cell.outputs
            for t in range(1, tape.steps + 1)
        }
        forward = point.loss_tangent(dots)
        backward: Any = 0
        for place, direction in point.directions.items():
            bar = tape.values.get((Adjoint, *place))
            if bar is not None:
                term = point.field.total(point.field.mul(bar, direction))[..., 0, 0]
                backward = point.field.add(term, backward)
    except (ValueError, KeyError, TypeError, IndexError, SingularPointError) as error:
        return f"cannot be run: {error}"
    wrong = int(np.sum(np.not_equal(*np.broadcast_arrays(forward, backward))))
    return f"{wrong} of {point.extent.samples} samples disagree" if wrong else ""
