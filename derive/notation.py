"""How things are called: one place for the names that pages, terminals and code give to every leaf."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sympy.matrices.expressions import MatrixExpr

from derive.expressions import (
    Adjoint,
    Concat,
    LossGradient,
    Tangent,
    Timed,
    leaves,
    shifted,
)
from derive.normal import Assignment

GREEK = frozenset(
    """
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau
    upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
    """.split()  # noqa: SIM905 - a paragraph of words reads better than a column of literals
)
ACCENTS = frozenset({"hat", "tilde"})


@dataclass(frozen=True, slots=True)
class Timing:
    """What has no step of its own in a derivation.

    Args:
        held: names of what is the same at every step.
        last: names of what is there after all steps of a scan.
        once: whether everything is computed once, after the scans.
    """

    held: frozenset[str] = frozenset()
    last: frozenset[str] = frozenset()
    once: bool = False

    def has_steps(self, name: str) -> bool:
        """Whether the quantity of this name has a value at every step."""
        return not (self.once or name in self.held or name in self.last)


STEPWISE = Timing()
"""Everything has a value at every step, as in a cell by itself."""


@dataclass(frozen=True, slots=True)
class Notation:
    """The names in one derivation.

    Args:
        assignments: the step in normal form; intermediates that we named are written as their expression
            where that is short.
        identifiers: how adjoints, tangents and the loss's derivatives are called, by their kind and the
            quantity's name: no two alike, and none like a quantity.
        timing: what has no step of its own.
    """

    assignments: dict[str, Assignment]
    identifiers: dict[tuple[type, str], str] = field(default_factory=dict[tuple[type, str], str])
    timing: Timing = STEPWISE

    @classmethod
    def of(
        cls,
        assignments: tuple[Assignment, ...],
        names: Iterable[str] = (),
        timing: Timing = STEPWISE,
    ) -> Notation:
        """The notation of a step in normal form, in a cell whose quantities have these names."""
        notation = cls({a.name: a for a in assignments}, timing=timing)
        every = list(dict.fromkeys((*names, *notation.assignments)))
        taken = set(every)
        for name in every:
            for kind in (Adjoint, Tangent, LossGradient):
                wish = notation.wish(kind, name)
                while wish in taken:
                    wish += "_"
                taken.add(wish)
                notation.identifiers[kind, name] = wish
        return notation

    def written_out(self, leaf: MatrixExpr) -> MatrixExpr | None:
        """The expression that stands on the page for an intermediate that we named, if it is short."""
        if not isinstance(leaf, Timed) or leaf.name not in self.assignments:
            return None
        a = self.assignments[leaf.name]
        if a.kind not in ("value", "operand"):
            return None
        short = isinstance(a.expr, Concat) or len(list(leaves(a.expr))) <= 2
        return shifted(a.expr, leaf.lag) if short else None

    def is_delta(self, leaf: MatrixExpr) -> bool:
        """Whether the leaf is the adjoint of a pre-activation, which the field writes as δ."""
        return isinstance(leaf, Adjoint) and self.is_preactivation(leaf.name)

    def is_preactivation(self, name: str) -> bool:
        """Whether the name is that of the argument of a function."""
        return name in self.assignments and self.assignments[name].kind == "preactivation"

    def delta_of(self, name: str) -> str:
        """The subscript of a pre-activation's δ: its owner, and a number from the owner's second on."""
        owner = self.assignments[name].owner
        own = [a.name for a in self.assignments.values() if a.owner == owner]
        before = [other for other in own if self.is_preactivation(other)].index(name)
        return f"{owner}_{before + 1}" if before else owner

    def wish(self, kind: type, name: str) -> str:
        """What a derived quantity is called if nothing else is called so."""
        if kind is LossGradient:
            return f"dl_d{name}"
        if kind is Adjoint and self.is_preactivation(name):
            return f"delta_{self.delta_of(name)}"
        return f"{name}_bar" if kind is Adjoint else f"{name}_dot"

    def identifier(self, leaf: MatrixExpr) -> str:
        """The leaf's name in text and code, without its time: ``h``, ``h_bar``, ``delta_f``, ``h_dot``."""
        kind = type(leaf)
        if kind not in (Adjoint, Tangent, LossGradient):
            return leaf.name
        return self.identifiers.get((kind, leaf.name)) or self.wish(kind, leaf.name)

    def is_evasive(self, leaf: MatrixExpr) -> bool:
        """Whether the leaf could not be called as usual, because a quantity is."""
        return self.identifier(leaf) != self.wish(type(leaf), leaf.name)


def split_name(name: str) -> tuple[str, tuple[str, ...]]:
    """An identifier as base and subscripts: ``W_in2`` → ``W``, (``in``, ``2``)."""
    head, *rest = [part for part in name.split("_") if part] or [name]
    base = head.rstrip("0123456789") or head
    digits = head[len(base) :]
    return base, (*((digits,) if digits else ()), *rest)
