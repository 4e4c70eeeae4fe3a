"""Inequalities along a chain: ‖∂L/∂h_k‖ ≤ ‖∂L/∂h_t‖ ‖W‖^(t−k), because ∂L/∂h_k = ∂L/∂h_t · ∂h_t/∂h_k is an identity.

The other side says of which derivatives the chain is made; what it does not measure is bounded by ``bounds``. Laws: the
norm of a composition is at most the product of the norms, that of a sum the sum; the spectral norm of a matrix is at
most the length of all its entries, so a gradient by a matrix may be measured as either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from derive.cell import Cell
from proofs.claims.factored import LAWS, NORMS, ByIdentity, proved_identity
from proofs.claims.laws import Laws, Since
from proofs.claims.points import Context
from proofs.claims.powers import NoBoundError
from proofs.claims.ranges import first
from proofs.claims.spoken import covers
from proofs.claims.syntax import Add, Big, Call, Deriv, Formula, Index, Node, Open, Qty, walk


def carried(formula: Formula, context: Context) -> ByIdentity | None:
    """The chain of derivatives by which an inequality follows, or ``None``.

    Args:
        formula: the norm of a total derivative below what is made of norms, or above it the other way round.
        context: what it is about.
    """
    small, large = formula.ordered
    match small:
        case Call(name=name, args=(Deriv(kind="total", of=Qty(), by=Qty()) as whole,)) if (
            name in NORMS
        ):
            pass
        case _:
            return None
    for candidate in _Chains(whole, context.cell).candidates(large):
        if not _below(candidate, large, context):
            continue
        identity = Formula(whole, "==", candidate)
        bound = proved_identity(identity, context, laid_out=True)
        if bound is not None and covers(identity, formula, context):
            return ByIdentity(identity, _law(large), bound)
    return None


def _law(large: Node) -> str:
    kinds = ["product", *(["sum"] if any(isinstance(p, Add | Big) for p in walk(large)) else [])]
    return " and ".join(LAWS[kind] for kind in kinds)


def _below(candidate: Node, large: Node, context: Context) -> bool:
    """Whether the norm of a chain, or of a sum of chains, has a bound no larger than the other side."""
    laws = Laws(context, {d for d in walk(large) if isinstance(d, Deriv)})
    since: dict[str, float] = {}
    while isinstance(candidate, Big) and isinstance(large, Big):
        since[candidate.var] = first(candidate.lo, since)
        candidate, large = candidate.body, large.body
    try:
        return _compared(candidate, large, laws, since)
    except NoBoundError:
        return False


def _compared(candidate: Node, large: Node, laws: Laws, since: Since) -> bool:
    theirs = laws.stated.bound(large)
    if not isinstance(candidate, Add):
        return laws.upper(candidate, since).at_most(theirs)
    ours = [laws.upper(term, since) for _, term in candidate.terms]
    return replace(ours[0], factor=sum(b.plain() for b in ours)).at_most(theirs)


@dataclass(frozen=True, slots=True)
class _Chains:
    """Chains of derivatives that make up a whole one.

    Args:
        whole: from its quantity to that by which one differentiates.
        cell: the cell.
    """

    whole: Deriv
    cell: Cell

    def candidates(self, large: Node) -> Iterator[Node]:
        """Chains of what the other side measures, summed as it sums."""
        if isinstance(large, Big) and large.kind == "sum":
            for inner in self.candidates(large.body):
                yield replace(large, body=inner)
            for inner in self.chains(large.body, large):
                yield replace(large, body=inner)
        elif isinstance(large, Add) and all(sign > 0 for sign, _ in large.terms):
            links = [next(self.chains(term, None), None) for _, term in large.terms]
            if None not in links:
                yield Add(terms=tuple((1, link) for link in links if link is not None))
        elif not isinstance(large, Big):
            yield from self.chains(large, None)

    def chains(self, term: Node, around: Big | None) -> Iterator[Node]:
        """The chain through what a term measures, and through the cell's state where it measures nothing."""
        parts, at = list[Deriv](), self.whole.of
        while (link := next((d for d in _measured(term) if d.of == at), None)) is not None:
            if link in parts:
                return
            parts.append(link)
            at = link.by
        for via in self.stations(at, around):
            made, here = list(parts), at
            for station in (*via, self.whole.by):
                if station != here:
                    made.append(self.link(here, station))
                    here = station
            if all(self.is_column(d.by) for d in made[:-1]):
                yield made[0] if len(made) == 1 else Open(factors=tuple(made))

    def stations(self, at: Node, around: Big | None) -> Iterator[tuple[Qty, ...]]:
        """Where a chain may call: the only state of the cell, at the same step and at that of the sum."""
        yield ()
        if len(self.cell.states) != 1 or not isinstance(at, Qty):
            return
        state = self.cell.states[0].name
        here = [Qty(name=state, index=at.index)] if at.index is not None else []
        summed = [Qty(name=state, index=Index(((around.var, 1),)))] if around else []
        yield from dict.fromkeys((tuple(summed), tuple(here), (*here, *summed)))

    def link(self, of: Node, by: Qty) -> Deriv:
        """One derivative: by a parameter, through the use at that step alone."""
        return Deriv(kind="total" if by.index is not None else "immediate", of=of, by=by)

    def is_column(self, by: Qty) -> bool:
        """Whether the norm of a gradient by it is its length."""
        shapes = {q.name: q.shape for q in self.cell.quantities}
        return by.name in shapes and bool(shapes[by.name][1] == 1)


def _measured(term: Node) -> list[Deriv]:
    """The derivatives whose norms a term states."""
    calls = (p for p in walk(term) if isinstance(p, Call) and p.name in NORMS)
    return [c.args[0] for c in calls if isinstance(c.args[0], Deriv)]
