"""Multiplications of adjoints by factors, all those of a step in one call.

At small sizes a step takes as long as it has calls. What a step multiplies by factors, entry by entry,

    c̄ = c̄ + r;   δ_f = c̄ ∘ φ;   δ_o = h̄ ∘ ψ;   c̄′ = c̄ ∘ f

is [δ_f; δ_o; c̄′] = (E [c̄; r; h̄]) ∘ [φ; ψ; f] with whole numbers E: a small product, which takes less than any other
call, makes the sums and repeats them, and one multiplication does the rest.

Law: the same values, to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from derive.expressions import Adjoint
from numeric.operations import InRows, Op, Value, shape_of
from numeric.stacks import Stack

SPARED = 2
"""How many calls fewer a step must take at least, so that a file has both ways."""


@dataclass(frozen=True, slots=True)
class Together:
    """Multiplications that are one.

    Args:
        stack: whose adjoints they make.
        rows: what lies one after the other: the results, and what they are made of; some are both.
        results: how many of them are results: the first.
        sources: which row is the first of those that results are made of, up to the last row.
        terms: for every result how often it has each source.
        factors: what each result is multiplied by.
        ops: the operations that are replaced, in their order.
    """

    stack: Stack
    rows: tuple[Value, ...]
    results: int
    sources: int
    terms: tuple[tuple[int, ...], ...]
    factors: tuple[Value, ...]
    ops: tuple[Op, ...]

    @property
    def spared(self) -> int:
        """How many calls fewer a step takes."""
        return len(self.ops) - 2


def put_together(
    ops: list[Op],
    stack: Stack,
    is_factor: Callable[[Value], bool],
    is_handed: Callable[[Value], bool],
    is_passing: Callable[[Value], bool],
) -> tuple[list[Op], Together] | None:
    """The operations with the multiplications that make a stack's adjoints as one, and which these are.

    Args:
        ops: the operations of a backward step, in order.
        stack: whose adjoints are put into rows once all of them are there.
        is_factor: whether a value is known before the loop, at every step.
        is_handed: whether a value is an adjoint that is handed from step to step.
        is_passing: whether it is an intermediate result of the step, which nothing else reads.
    """
    places = [k for k, op in enumerate(ops) if op.target == InRows(stack)]
    if len(places) != 1:
        return None
    bars = [Adjoint(m.target) for m in stack.members]
    finder = _Finder(ops, places[0], bars, is_factor, is_handed, is_passing)
    if not finder.found():
        return None
    together = finder.together(stack)
    if together.spared < SPARED:
        return None
    kept = [(k, op) for k, op in enumerate(ops) if k not in finder.replaced]
    before = [op for k, op in kept if k < places[0]]
    behind = [op for k, op in kept if k >= places[0]]
    return [*before, Op("together", InRows(stack), ()), *behind], together


@dataclass(slots=True)
class _Finder:
    """Looks for what can be done just before the adjoints of a stack are put into rows.

    Args:
        ops: the operations of the step.
        place: which of them puts the adjoints into rows.
        bars: these adjoints.
        is_factor, is_handed, is_passing: see ``put_together``.
        chosen: by result the multiplication that makes it, its place and its adjoint.
        sums: the places of sums that the small product makes.
        forms: by adjoint that is multiplied what it is the sum of.
    """

    ops: list[Op]
    place: int
    bars: list[Adjoint]
    is_factor: Callable[[Value], bool]
    is_handed: Callable[[Value], bool]
    is_passing: Callable[[Value], bool]
    chosen: dict[Value, int] = field(default_factory=dict)
    sums: set[int] = field(default_factory=set)
    forms: dict[Value, dict[Value, int]] = field(default_factory=dict)

    @property
    def replaced(self) -> set[int]:
        """The places of all operations that are replaced."""
        return {*self.chosen.values(), *self.sums}

    def is_row(self, value: Value) -> bool:
        """Whether a value may lie beside others."""
        return self.is_handed(value) or self.is_passing(value)

    def found(self) -> bool:
        """Whether all adjoints of the stack are such products, of what may lie in rows."""
        for bar in self.bars:
            makers = [k for k, op in enumerate(self.ops) if op.target == bar]
            if len(makers) != 1 or makers[0] > self.place or self.operands(makers[0]) is None:
                return False
            self.chosen[bar] = makers[0]
        if not all(self.can_wait(k) for k in self.chosen.values()):
            return False
        for k in range(self.place + 1, len(self.ops)):
            if self.operands(k) and self.is_row(self.ops[k].target) and self.can_be_early(k):
                self.chosen.setdefault(self.ops[k].target, k)
        for k in self.chosen.values():
            value, _ = self.operands(k)
            if value not in self.forms:
                self.forms[value] = self.form(value, self.place)
        return all(self.is_row(v) for form in self.forms.values() for v in form)

    def operands(self, k: int) -> tuple[Value, Value] | None:
        """The adjoint and the factor that an operation multiplies, of the stack's size, if it is such."""
        op, shape = self.ops[k], shape_of(self.bars[0])
        if op.function != "multiply" or shape_of(op.target) != shape:
            return None
        for value, factor in (op.args, op.args[::-1]):
            alike = shape_of(value) == shape_of(factor) == shape
            if alike and self.is_factor(factor) and not self.is_factor(value):
                return value, factor
        return None

    def can_wait(self, k: int) -> bool:
        """Whether an operation may be done at the place instead, other chosen ones with it."""
        op = self.ops[k]
        between = [
            o for j, o in enumerate(self.ops) if k < j < self.place and j not in self.replaced
        ]
        return not any(o.target in (*op.args, op.target) or op.target in o.args for o in between)

    def can_be_early(self, k: int) -> bool:
        """Whether an operation may be done at the place already, the chosen ones with it."""
        op = self.ops[k]
        before = [(j, o) for j, o in enumerate(self.ops) if self.place <= j < k]
        if any(o.target in op.args for _, o in before):
            return False
        others = [o for j, o in before if j not in self.replaced]
        return not any(op.target in (*o.args, o.target) for o in others)

    def form(self, value: Value, limit: int) -> dict[Value, int]:
        """What a value is the sum of just before an operation, sums undone that nothing else reads."""
        makers = [k for k in range(limit) if self.ops[k].target == value]
        if not makers or not self.is_undone(makers[-1], value):
            return {value: 1}
        at = makers[-1]
        self.sums.add(at)
        total: dict[Value, int] = {}
        for part in self.ops[at].args:
            for v, count in self.form(part, at).items():
                total[v] = total.get(v, 0) + count
        return total

    def is_undone(self, k: int, value: Value) -> bool:
        """Whether an operation is a sum of rows that the chosen multiplications alone read."""
        op = self.ops[k]
        if op.function != "add" or not all(
            self.is_row(a) and shape_of(a) == shape_of(value) for a in op.args
        ):
            return False
        if value not in self.chosen and not self.is_passing(value):
            return False
        later = [(j, o) for j, o in enumerate(self.ops) if j > k and j not in self.replaced]
        if any(value in o.args for _, o in later):
            return False
        between = (o for j, o in later if j < self.place)
        return not any(o.target in op.args for o in between)

    def together(self, stack: Stack) -> Together:
        """What was found."""
        made = [value for value in self.chosen if value not in self.bars]
        used = list(dict.fromkeys(v for form in self.forms.values() for v in form))
        results = [*self.bars, *(v for v in made if v not in used), *(v for v in made if v in used)]
        rows = [*results, *(v for v in used if v not in results)]
        first = next(k for k, v in enumerate(rows) if v in used)
        pairs = [self.operands(self.chosen[v]) for v in results]
        forms = [self.forms[value] for value, _ in pairs]
        return Together(
            stack,
            tuple(rows),
            len(results),
            first,
            tuple(tuple(form.get(v, 0) for v in rows[first:]) for form in forms),
            tuple(factor for _, factor in pairs),
            tuple(self.ops[k] for k in sorted(self.replaced)),
        )
