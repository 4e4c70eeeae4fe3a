"""One step of the cell, line by line: ⟨v̄, v̇⟩ taken apart by the adjoint rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sympy.matrices.expressions import MatrixExpr, MatrixSymbol

from derive.adjoints import Contribution, pull_back
from derive.derivation import Derivation
from derive.expressions import Adjoint, Tangent, Timed, zeros_like
from derive.normal import Assignment
from derive.tangents import push_forward
from proofs.general_encode import encode
from proofs.general_rules import RULE_PROOFS

NARY = ("+", "∘", "@", "concat")


@dataclass(frozen=True, slots=True)
class Line:
    """⟨v̄, v̇⟩ = Σ ⟨contribution, direction of a leaf⟩ for one line v = … of the step.

    Args:
        assignment: the line.
        tangent: the direction of its right-hand side; constants do not move.
        contributions: what each moving leaf receives, from left to right.
    """

    assignment: Assignment
    tangent: MatrixExpr
    contributions: tuple[Contribution, ...]

    @property
    def name(self) -> str:
        """The name that the line defines."""
        return self.assignment.name

    @property
    def data(self) -> dict[str, Any]:
        """The step of the proof as plain data."""
        return {
            "of": self.name,
            "rules": list(rule_names(encode(self.assignment.expr))),
            "parts": [[encode(c.value), encode(c.leaf)] for c in self.contributions],
        }


def dualities(d: Derivation) -> tuple[Line, ...]:
    """One for every line of the cell's step in normal form."""
    fixed = {q.name for q in d.cell.constants}

    def moves(leaf: MatrixExpr) -> bool:
        return isinstance(leaf, Timed | MatrixSymbol) and leaf.name not in fixed

    def dot(leaf: MatrixExpr) -> MatrixExpr:
        return Tangent(leaf) if moves(leaf) else zeros_like(leaf)

    return tuple(
        Line(
            a,
            push_forward(a.expr, a.target, dot),
            tuple(c for c in pull_back(a.expr, a.target, Adjoint(a.target)) if moves(c.leaf)),
        )
        for a in d.assignments
    )


def rule_names(node: list[Any]) -> Iterator[str]:
    """The rules that take a line apart, outermost first, two operands at a time."""
    return (RULE_PROOFS[part[0]].name for part in _parts(node))


def functions_in(node: list[Any]) -> Iterator[str]:
    """The functions and powers of a line; each needs its law."""
    return (part[1] for part in _parts(node) if part[0] == "f")


def _parts(node: list[Any]) -> Iterator[list[Any]]:
    """Every node above the leaves, parents first; a node of many operands as one of two, again and again."""
    stack = [node]
    while stack:
        node = stack.pop()
        if node[0] in ("value", "ones", "zeros"):
            continue
        yield node
        own: list[Any] = node[2:] if node[0] == "*" else [a for a in node[1:] if type(a) is list]
        nested = node[0] in NARY and len(own) > 2
        stack += reversed([own[0], [node[0], *own[1:]]] if nested else own)
