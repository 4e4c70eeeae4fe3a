"""Diagnosis and repair: the nearest formula that holds, found by search over edits and proved."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

from derive.still import still_of
from proofs.claims.derivative_kinds import other_derivatives
from proofs.claims.dropped import all_dropped, is_gradient, paths_of, with_path
from proofs.claims.edit_kinds import Edit, Scope, said, scope_of
from proofs.claims.edit_sums import sums
from proofs.claims.edits import edits
from proofs.claims.layouts import translated
from proofs.claims.meaning import Meaning, Reading
from proofs.claims.paths import gradient
from proofs.claims.points import (
    Compared,
    Context,
    compared,
    error_bound,
    field_world,
    field_worlds,
    other_worlds,
    steps_of,
)
from proofs.claims.readings import fails_in, settled_formula, status
from proofs.claims.syntax import (
    Add,
    Deriv,
    Formula,
    Node,
    Num,
    Qty,
    map_nodes,
    size_of,
    walk,
)
from proofs.claims.values import LAYOUTS, MeaninglessError
from proofs.claims.verdict import Repair
from proofs.claims.world import Extent
from proofs.claims.written import NOW, NoFormulaError, without_steps, written
from proofs.field import MERSENNE_PRIMES
from proofs.point import DISTINCT, draw_sizes

FIRST = 700
"""How many single edits are tried."""
SECOND = 1500
"""How many pairs of edits are tried."""
LEADING = 60
"""How many first edits are combined with a second one of any common kind."""
SEED = 5
PRIME = MERSENNE_PRIMES[0]


def nearest(
    formula: Formula, context: Context, tried: Sequence[Reading]
) -> tuple[Reading, Repair | None]:
    """The nearest formula that holds, over all readings, and the reading that it repairs.

    Args:
        formula: what does not hold.
        context: the cell, the loss, what is presumed.
        tried: the ways to read it, at least one; all in house layout.
    """
    if isinstance(formula.right, Deriv | Qty) and not isinstance(formula.left, Deriv | Qty):
        reading, mended = _nearest(formula, context, tried, turned)
        return reading, mended and replace(mended, formula=turned(mended.formula))
    return _nearest(formula, context, tried, lambda settled: settled)


def turned(formula: Formula) -> Formula:
    """An equality with its sides exchanged."""
    return replace(formula, left=formula.right, right=formula.left)


def _nearest(
    formula: Formula,
    context: Context,
    tried: Sequence[Reading],
    seen: Callable[[Formula], Formula],
) -> tuple[Reading, Repair | None]:
    """The nearest formula that holds, where the right side of what is seen may be wrong.

    Two mistakes are nearer than one in a formula whose left side is read as another derivative than the total one. Each
    reading is searched for what is nearer than what was found in those before it, and for nothing else.
    """
    loss = context.loss.name if context.loss else ""
    settled = [seen(settled_formula(formula, loss, reading)) for reading in tried]
    searches = [_Search(one, context) for one in settled]
    first, left = searches[0], tried[0].left
    pairs = list(zip(tried, searches, strict=True))
    if alike := _cheapest((r, s) for r, s in pairs if r.left == left):
        return alike
    twice = first.pair()
    if twice is not None:
        return tried[0], twice
    if other := _cheapest((r, s) for r, s in pairs if r.left != left):
        return other
    for search, reading in zip(searches, tried, strict=True):
        mended = search.some_paths()
        if mended is not None:
            return reading, mended
    for layout in [name for name in LAYOUTS if name != "house"]:
        house = translated(first.formula, layout, loss, context.cell)
        mended = _Search(house, context).single() if house != first.formula else None
        if mended is not None:
            told = (
                f"in {LAYOUTS[layout].partition(':')[0]}, {mended.errors[0]}",
                *mended.errors[1:],
            )
            return tried[0], replace(mended, errors=told)
    return tried[0], first.afresh()


def _cheapest(searches: Iterable[tuple[Reading, _Search]]) -> tuple[Reading, Repair] | None:
    """The cheapest single edit of all readings, the first of several."""
    best: tuple[Reading, Repair] | None = None
    for reading, search in searches:
        mended = search.single(best[1].cost if best else math.inf)
        best = best if mended is None else (reading, mended)
    return best


@dataclass(frozen=True, slots=True)
class _Candidate:
    edits: tuple[Edit, ...]
    right: Node

    @property
    def cost(self) -> tuple[int, int]:
        return sum(e.cost for e in self.edits), size_of(self.right)


class _Search:
    def __init__(self, formula: Formula, context: Context) -> None:
        self.formula, self.context = formula, context
        rng = Random(SEED)  # noqa: S311 - no secret
        sizes = draw_sizes(context.cell, rng, 2, 3 + min(len(context.cell.dims), DISTINCT))
        if "n=1" in context.conditions:
            sizes = dict.fromkeys(sizes, 1)
        extent = Extent(sizes, steps_of(formula, context))
        self.meaning = Meaning(field_world(context, extent, rng.randrange(2**62), PRIME))
        self.tried: set[Node] = {formula.right}
        self.parts = set(walk(formula.right))

    def scope(self, right: Node) -> Scope:
        """What edits of a right side may bring in."""
        left = self.formula.left
        loss = self.context.loss.name if self.context.loss else ""
        jacobian = isinstance(left, Deriv) and not (
            isinstance(left.of, Qty) and left.of.name == loss
        )
        return scope_of((left, right), self.context, jacobian=jacobian)

    def single(self, below: float = math.inf) -> Repair | None:
        """The cheapest single edit, if it costs less than ``below``."""
        edited = [e for e in self.around(self.formula.right) if e.cost < below]
        found = [_Candidate((e,), e.node) for e in edited]
        found.sort(key=lambda c: c.cost)
        return self.first_that_holds(found[:FIRST])

    def pair(self) -> Repair | None:
        """The cheapest pair of edits of which one adds a path or a sum, else of two that often come together."""
        firsts = sorted(self.around(self.formula.right), key=lambda e: (e.cost, size_of(e.node)))
        plain = [e for e in firsts if e.kind not in _MANY][:FIRST]
        adding = [
            _Candidate((e, s), s.node)
            for e in plain
            for s in (*self.dropped_paths(e.node), *sums(e.node, self.formula.left))
        ]
        leading = [e for e in firsts if e.kind in _LEADING][:LEADING]
        twice = [
            _Candidate((e, s), s.node)
            for e in leading
            for s in edits(e.node, self.scope(e.node), few=True)
        ]
        for found, most in ((adding, SECOND), (twice, SECOND)):
            found.sort(key=lambda c: c.cost)
            mended = self.first_that_holds(found[:most])
            if mended is not None:
                return mended
        return None

    def afresh(self) -> Repair | None:
        """What no edit of the right side leads to: another kind of derivative on the left, or the whole gradient."""
        left, loss = self.formula.left, self.context.loss
        if isinstance(left, Qty):
            return self.equation(left)
        if not isinstance(left, Deriv):
            return None
        if loss is None or not is_gradient(left, loss.name):
            return self.other_left(left)
        whole = gradient(self.context.cell, loss.name, loss.of, left.by)
        if whole is None:
            return None
        edit = Edit("dropped path", said("several errors; this is the whole gradient"), whole)
        return self.first_that_holds([_Candidate((edit,), whole)])

    def equation(self, left: Qty) -> Repair | None:
        """The cell's own equation of what stands on the left."""
        known = [e for e in self.context.cell.equations if e.target.name == left.name]
        if not known:
            return None
        still = still_of(self.context.cell)
        try:
            whole = without_steps(written(known[0].expr, left.index or NOW), still)
        except NoFormulaError:
            return None
        edit = Edit("another equation", said("the cell has another equation"), whole)
        return self.first_that_holds([_Candidate((edit,), whole)])

    def other_left(self, left: Deriv) -> Repair | None:
        """The right side as another kind of derivative than the one on the left, of one step or of all between.

        A vector on the right may stand for the diagonal matrix of its entries.
        """
        whole = _Candidate((), self.formula.right)
        matrices = [
            _Candidate((e,), e.node)
            for e in edits(self.formula.right, self.scope(self.formula.right))
            if e.kind == "vector for a diagonal matrix"
        ]
        for candidate in (whole, *matrices):
            for kind, new, told in other_derivatives(left):
                message = said("{}: the right side is {}, {}", kind, new, told)
                edit = Edit(kind, message, candidate.right)
                formula = replace(self.formula, left=new, right=candidate.right)
                found = self.shown(formula, (*candidate.edits, edit))
                if found is not None:
                    return found
        return None

    def around(self, right: Node) -> Iterator[Edit]:
        """All edits of a right side."""
        yield from edits(right, self.scope(right))
        yield from sums(right, self.formula.left)
        yield from self.dropped_paths(right)

    def dropped_paths(self, right: Node) -> Iterator[Edit]:
        """Terms of the left side that are not there."""
        for path in paths_of(self.formula, self.context):
            yield from with_path(right, path, self.formula, self.context)

    def some_paths(self) -> Repair | None:
        """All the terms that are not there, where the right side is the sum of the others."""
        found = all_dropped(self.formula, self.context, self.meaning, PRIME)
        return self.first_that_holds([_Candidate(found, found[-1].node)]) if found else None

    def first_that_holds(self, candidates: list[_Candidate]) -> Repair | None:
        """The first candidate that is proved."""
        for candidate in candidates:
            if candidate.right in self.tried:
                continue
            self.tried.add(candidate.right)
            if _backwards(candidate.right) or self.says_itself(candidate.right):
                continue
            if not self.plausible(candidate.right):
                continue
            proved = self.proved(candidate)
            if proved is not None:
                return proved
        return None

    def says_itself(self, right: Node) -> bool:
        """Whether a candidate is the left side again, or has it on the right where the claim had not."""
        left = self.formula.left
        return right == left or (left not in self.parts and left in walk(right))

    def plausible(self, right: Node) -> bool:
        """Whether a candidate holds at one point, and says something there."""
        said = False
        try:
            for pair in compared(replace(self.formula, right=right), self.meaning):
                if not pair.equal:
                    return False
                said = said or _says(pair)
        except (MeaninglessError, KeyError, ArithmeticError):
            return False
        return said

    def proved(self, candidate: _Candidate) -> Repair | None:
        """The repair, if it holds at fresh points too."""
        formula = replace(self.formula, right=map_nodes(candidate.right, without_zeros))
        return self.shown(formula, together(candidate.edits))

    def shown(self, formula: Formula, made: tuple[Edit, ...]) -> Repair | None:
        """A formula that edits led to, if it holds at fresh points, and in runs of other lengths and sizes."""
        worlds = field_worlds(formula, self.context, Random(SEED + 1), 2)  # noqa: S311 - no secret
        if status(formula, worlds, Reading()).outcome != "holds":
            return None
        if fails_in(formula, other_worlds(formula, self.context), Reading()):
            return None
        bound = error_bound(formula, self.context, Reading(), worlds)
        if not bound.decides:
            return None
        return Repair(
            formula,
            tuple(e.message for e in made),
            tuple(e.kind for e in made),
            tuple(sorted(self.context.conditions)),
            str(bound),
            sum(e.cost for e in made),
        )


def without_zeros(node: Node) -> Node:
    """A sum without the zeros that others stand beside."""
    if not isinstance(node, Add):
        return node
    kept = tuple((sign, t) for sign, t in node.terms if not (isinstance(t, Num) and t.value == 0))
    if not kept:
        return Num(value=Fraction(0))
    return kept[0][1] if len(kept) == 1 and kept[0][0] > 0 else replace(node, terms=kept)


def together(made: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """Edits of which none changes what another one made: two that follow on one part are one, from first to last."""
    if len(made) < 2:
        return made
    first, second, *rest = made
    before, after = first.changed, second.changed
    follows = before is not None and after is not None and before[1] == after[0]
    if not follows or sum(part == after[0] for part in walk(first.node)) != 1:
        return (first, *together((second, *rest)))
    kind = max(first, second, key=lambda e: e.cost).kind
    whole = Edit(kind, said("{}: {} should be {}", kind, before[0], after[1]), second.node)
    return together((whole, *rest))


_MANY = frozenset({"missing derivative of the activation", "missing factor", "wrong gate or state"})
_LEADING = frozenset({
    "missing transpose", "wrong order of factors", "index off by one", "missing sum over t", "wrong kind of product",
    "wrong sign",
})  # fmt: skip


def _backwards(node: Node) -> bool:
    """Whether something is differentiated by what comes after it."""
    for part in walk(node):
        if isinstance(part, Deriv) and isinstance(part.of, Qty) and part.of.index and part.by.index:
            same = part.of.index.terms == part.by.index.terms
            if same and part.of.index.constant < part.by.index.constant:
                return True
    return False


def _says(pair: Compared) -> bool:
    return bool((pair.left != 0).any())
