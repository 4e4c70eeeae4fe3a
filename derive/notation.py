"""How things are called: one place for the names that pages, terminals and code give to every leaf."""

from __future__ import annotations

from dataclasses import dataclass

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
class Notation:
    """The names in one derivation.

    Args:
        assignments: the step in normal form; intermediates that we named are written as their expression
            where that is short.
    """

    assignments: dict[str, Assignment]

    @classmethod
    def of(cls, assignments: tuple[Assignment, ...]) -> Notation:
        """The notation of a step in normal form."""
        return cls({a.name: a for a in assignments})

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
        if not isinstance(leaf, Adjoint) or not isinstance(leaf.of, Timed):
            return False
        a = self.assignments.get(leaf.name)
        return a is not None and a.kind == "preactivation"

    def delta_of(self, leaf: Adjoint) -> str:
        """The subscript of δ: the name of the pre-activation without its ``a_``."""
        return leaf.name.removeprefix("a_")

    def identifier(self, leaf: MatrixExpr) -> str:
        """The leaf's name in text and code, without its time: ``h``, ``h_bar``, ``delta_f``, ``h_dot``."""
        if self.is_delta(leaf):
            return f"delta_{self.delta_of(leaf)}"
        if isinstance(leaf, Adjoint):
            return f"{leaf.name}_bar"
        if isinstance(leaf, Tangent):
            return f"{leaf.name}_dot"
        if isinstance(leaf, LossGradient):
            return f"dl_d{leaf.name}"
        return leaf.name


def split_name(name: str) -> tuple[str, tuple[str, ...]]:
    """An identifier as base and subscripts: ``W_in2`` → ``W``, (``in``, ``2``)."""
    head, *rest = [part for part in name.split("_") if part] or [name]
    base = head.rstrip("0123456789") or head
    digits = head[len(base) :]
    return base, (*((digits,) if digits else ()), *rest)
