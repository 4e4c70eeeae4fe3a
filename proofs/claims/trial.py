"""The trial of an equality over a cell: its readings, layouts, conditions, counterexample and repair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from random import Random

from derive.cell import Quantity
from derive.errors import Place
from proofs.claims.conditions import CONDITIONS, adds_up, whose_total, words
from proofs.claims.counterexample import Counterexample, find
from proofs.claims.layouts import in_rows, translated
from proofs.claims.meaning import Reading
from proofs.claims.orders import is_order, orders_of
from proofs.claims.points import Context, error_bound, field_worlds, other_worlds, steps_of
from proofs.claims.printing import show
from proofs.claims.readings import (
    Status,
    describe,
    fails_in,
    is_about_nothing,
    readings,
    settled_formula,
    status,
)
from proofs.claims.repair import nearest
from proofs.claims.said import Claim
from proofs.claims.spoken import real_world
from proofs.claims.syntax import Formula
from proofs.claims.values import LAYOUTS, ROWS
from proofs.claims.verdict import (
    CONDITIONAL,
    LAYOUT,
    MEANINGLESS,
    PROVED,
    REFUTED,
    UNDECIDED,
    Repair,
    Verdict,
    values_text,
)
from proofs.claims.weaker import accepted_by
from proofs.claims.world import World
from proofs.degrees import ErrorBound

POINTS = 2
SEED = 1
TURNED = "it holds of {}; of {}, as the cell's equations have them, it does not"
_OUTCOMES = {
    "holds": "holds",
    "fails": "does not hold",
    "meaningless": "shapes cannot agree",
    "empty": "says 0 = 0",
    "outside": "speaks of a step that no run has",
    "narrow": "can be judged at one step only",
}


@dataclass
class Trial:
    """One equality over a cell.

    Args:
        claim: where it comes from.
        formula: what it says.
        context: what it is about.
    """

    claim: Claim
    formula: Formula
    context: Context

    @property
    def loss(self) -> str:
        """The loss's name, empty if there is none."""
        return self.context.loss.name if self.context.loss else ""

    @cached_property
    def worlds(self) -> list[World]:
        """The points at which it is judged."""
        return self.worlds_under(self.context)

    @cached_property
    def elsewhere(self) -> list[World]:
        """Runs of other lengths and sizes."""
        return other_worlds(self.formula, self.context)

    def worlds_under(self, context: Context) -> list[World]:
        """Points under more conditions."""
        return field_worlds(self.formula, context, Random(SEED), POINTS)  # noqa: S311 - no secret

    def verdict(self) -> Verdict:
        """What it comes to."""
        if len(self.worlds) < POINTS:
            reason = "the cell divides by zero in every run"
            return Verdict(self.claim, MEANINGLESS, reason=reason, place=self.claim.place)
        found = self.in_layout("house")
        held = next((s for s in found if s.outcome == "holds"), None)
        if held is not None:
            return self.proved(held, found)
        for layout in [name for name in LAYOUTS if name != "house"]:
            other = next((s for s in self.in_layout(layout) if s.outcome == "holds"), None)
            if other is not None:
                return self.in_other_layout(other)
        return self.not_in_general(found)

    def outlook(self) -> str:
        """What is known of it before anything is looked for: it ``stands``, it has ``shapes``, or nothing."""
        every = [s for layout in LAYOUTS for s in self.in_layout(layout)]
        if any(s.outcome == "holds" for s in every):
            return "stands"
        spoken = any(s.outcome != "meaningless" for s in self.in_layout("house"))
        return "shapes" if spoken else ""

    def in_layout(self, layout: str) -> list[Status]:
        """What every reading comes to; readings of the left side other than total only if those fail."""
        found: list[Status] = []
        for reading in readings(self.formula, self.loss, layout):
            another = reading.left != "total" or reading.products != "maps"
            if another and any(s.outcome == "holds" for s in found):
                break
            found.append(self.status(reading))
        return found

    def status(self, reading: Reading) -> Status:
        """What a reading comes to; one that holds is looked at in runs of other lengths and sizes too."""
        found = status(self.formula, self.worlds, reading)
        if found.outcome == "holds" and fails_in(self.formula, self.elsewhere, reading):
            return Status(reading, "fails")
        return found

    def others(self, chosen: Status, found: Sequence[Status]) -> tuple[tuple[str, str], ...]:
        """The other readings, in one line where they all come to the same."""
        rows = [
            (describe(self.formula, self.loss, s.reading), _OUTCOMES[s.outcome])
            for s in found
            if s is not chosen
        ]
        rows = [(reading, outcome) for reading, outcome in rows if reading]
        outcomes = {outcome for _, outcome in rows}
        return (
            (("in every other way", outcomes.pop()),)
            if len(rows) > 2 and len(outcomes) == 1
            else tuple(rows)
        )

    def proved(self, held: Status, found: Sequence[Status]) -> Verdict:
        """It holds in some reading."""
        bound = error_bound(self.formula, self.context, held.reading, self.worlds)
        if not bound.decides:
            return self.undecided(bound)
        return Verdict(
            self.claim,
            PROVED,
            reading=describe(self.formula, self.loss, held.reading),
            values=self.values(self.formula, held.reading),
            other_readings=self.others(held, found),
            bound=str(bound),
        )

    def values(self, formula: Formula, reading: Reading, *conditions: str) -> str:
        """The declared values without which a formula would not hold."""

        def free(*names: str) -> bool:
            context = self.context.under(*conditions).freed(*names)
            worlds = field_worlds(formula, context, Random(SEED), POINTS)  # noqa: S311 - no secret
            return status(formula, worlds, reading).outcome == "holds"

        declared = self.context.declared
        if not declared or free(*declared):
            return ""
        return values_text({n: v for n, v in declared.items() if not free(n)} or declared)

    def undecided(self, bound: ErrorBound) -> Verdict:
        """Both sides agree at every point, and that says too little."""
        reason = (
            f"both sides agree at random points, but {bound.over} is too large for that to prove anything: a wrong "
            f"formula passes with a probability of up to {bound.total:.0e}; write it with smaller powers"
        )
        return Verdict(self.claim, UNDECIDED, reason=reason)

    def in_other_layout(self, held: Status) -> Verdict:
        """It holds in another layout."""
        bound = error_bound(self.formula, self.context, held.reading, self.worlds)
        if not bound.decides:
            return self.undecided(bound)
        plain = settled_formula(self.formula, self.loss, held.reading)
        formula = translated(plain, held.reading.layout, self.loss, self.context.cell)
        same = status(formula, self.worlds, Reading()).outcome == "holds"
        return Verdict(
            self.claim,
            LAYOUT,
            reason=self.turned() if held.reading.layout in ROWS else "",
            reading=describe(
                self.formula, self.loss, held.reading, in_rows=in_rows(self.context.cell)
            ),
            values=self.values(self.formula, held.reading),
            translation=show(formula) if same else "",
            bound=str(bound),
        )

    def turned(self) -> str:
        """That the vectors of a formula stand the other way than the cell's."""
        ways = "rows", "columns"
        return TURNED.format(*(reversed(ways) if in_rows(self.context.cell) else ways))

    def not_in_general(self, found: Sequence[Status]) -> Verdict:
        """It fails in every reading: find the condition, the counterexample and the repair."""
        spoken = [s for s in found if s.outcome in ("fails", "empty", "narrow")]
        tried = list(dict.fromkeys(s.reading for s in spoken or found))
        mended, mending = self.nearest(tried)
        if mending is not None:
            values = self.values(mending.formula, Reading(), *mending.conditions)
            mending = replace(mending, values=values)
        held, conditions = self.condition([mended, *(r for r in tried if r != mended)])
        reading = held or mended
        if conditions and all(whose_total(c) or is_order(c) for c in conditions):
            mending = (
                None  # no mistake but that it does not say of which targets or steps it speaks
            )
        bound = ""
        if held is not None:
            under = self.context.under(*conditions)
            reached = error_bound(self.formula, under, held, self.worlds_under(under))
            if not reached.decides:
                return self.undecided(reached)
            bound = str(reached)
        example = self.example(reading) if spoken else None
        first = next(s for s in found if s.reading == reading)
        kind = self.kind(bool(held), spoken, example is not None)
        if kind == UNDECIDED and any(s.outcome == "fails" for s in spoken):
            return Verdict(self.claim, UNDECIDED, reason=_neither(conditions), bound=bound)
        return Verdict(
            self.claim,
            kind,
            reason=self.reason(first, spoken),
            reading=describe(self.formula, self.loss, reading) if spoken else "",
            conditions=conditions,
            values=self.values(self.formula, held, *conditions) if held else "",
            other_readings=self.others(first, found) if spoken else (),
            counterexample=example,
            repair=mending,
            weaker=accepted_by(self.formula, self.context, reading),
            bound=bound,
            place=self.place(first) if not spoken else None,
        )

    def nearest(self, tried: Sequence[Reading]) -> tuple[Reading, Repair | None]:
        """The nearest formula that holds, if there is one for some order of two free letters only."""
        found = nearest(self.formula, self.context, tried)
        for key in orders_of(self.formula, self.context.conditions):
            if found[1] is None:
                found = nearest(self.formula, self.context.under(key), tried)
        return found

    def example(self, reading: Reading) -> Counterexample | None:
        """Numbers for which it fails: in short runs, else in one as long as those in which it was seen to fail."""
        found = find(self.formula, self.context, reading, least=self.least_length())
        failing = (w.steps for w in self.elsewhere if fails_in(self.formula, [w], reading))
        while found is None and (length := next(failing, 0)):
            found = find(self.formula, self.context, reading, least=length)
        return found

    def kind(self, held: bool, spoken: Sequence[Status], refuted: bool) -> str:
        """The verdict's kind; that it fails in general is said only where numbers show it."""
        fails = any(s.outcome == "fails" for s in spoken)
        if held and (refuted or not fails):
            return CONDITIONAL
        if not spoken:
            return MEANINGLESS
        return REFUTED if refuted else UNDECIDED

    def reason(self, first: Status, spoken: Sequence[Status]) -> str:
        """Why it is meaningless or says nothing."""
        if not spoken:
            return first.problem
        if all(s.outcome == "empty" for s in spoken):
            return "it speaks of no step at which anything but 0 = 0 is said"
        if all(s.outcome in ("empty", "narrow") for s in spoken):
            return next(s.problem for s in spoken if s.outcome == "narrow")
        return ""

    def place(self, found: Status) -> Place | None:
        """Where shapes disagree."""
        start, stop = found.where or (0, 0)
        return self.claim.statement.place(start, stop) if stop > start else self.claim.place

    def least_length(self) -> int:
        """The shortest run in which all fixed steps exist."""
        longest = steps_of(self.formula, self.context)
        return 1 if longest <= 3 else longest - 1

    def condition(self, tried: Sequence[Reading]) -> tuple[Reading | None, tuple[str, ...]]:
        """The weakest condition under which some reading holds, else two together, and that reading."""
        names = [c.name for c in CONDITIONS if c.name not in self.context.conditions]
        totals = [adds_up(q.name) for q in self.context.cell.inputs if _is_target(q)]
        alone = [*totals, *orders_of(self.formula, self.context.conditions), *names]
        for chosen in [*((name,) for name in alone), *combinations(names, 2)]:
            worlds = self.worlds_under(self.context.under(*chosen))
            for reading in tried if len(chosen) == 1 else tried[:1]:
                if status(self.formula, worlds, reading).outcome == "holds":
                    under = self.context.under(*chosen)
                    others = other_worlds(self.formula, under)
                    if not fails_in(self.formula, others, reading) and self.speaks(under, reading):
                        return reading, chosen
        return None, ()

    def speaks(self, context: Context, reading: Reading) -> bool:
        """Whether it says more than 0 = 0 of numbers too, of which tanh 0 = 0 is known."""
        world = real_world(self.formula, context, 1)
        return (
            is_about_nothing(self.formula, [world])
            or status(self.formula, [world], reading).outcome != "empty"
        )


def _neither(conditions: Sequence[str]) -> str:
    """What is said of a formula that numbers bear out and no identity shows."""
    found = "no proof was found, and both sides agree in every run of numbers that was tried"
    held = " and ".join(words(c) for c in conditions)
    return f"{found}; it is proved if {held}" if held else found


def _is_target(q: Quantity) -> bool:
    """Whether an input is a column of real numbers, which may be a distribution."""
    return q.kind == "real" and bool(q.shape[1] == 1) and bool(q.shape[0] != 1)
