"""The names and parts of a certificate: what a step reads, its lines, and what arrives from later steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from derive.derivation import Derivation
from derive.expressions import Adjoint, LossGradient, Tangent, Timed
from derive.normal import FUNCTIONS_OF_NAMES
from proofs.certificate_errors import unsupported
from proofs.certificate_names import Names
from proofs.certificate_sizes import Sizes
from proofs.certificate_terms import Line, Tree, tree, value

Kind = Literal["parameter", "constant", "input", "past"]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a step reads.

    Args:
        rocq: its name in the certificate.
        name: the cell's quantity.
        lag: how many steps back; 0 except for past values.
        kind: parameter, constant, input or past.
        leaf: the leaf that stands for it.
    """

    rocq: str
    name: str
    lag: int
    kind: Kind
    leaf: Any


class Layout:
    """Everything that the parts of a certificate share.

    Args:
        derivation: of the cell.
    """

    def __init__(self, derivation: Derivation) -> None:
        self.derivation, self.cell = derivation, derivation.cell
        self.names, self.lines = Names(), derivation.assignments
        exprs = [a.expr for a in self.lines]
        self.rocq = {q.name: self.names.fresh(q.name) for q in self.cell.quantities}
        self.rocq |= {
            a.name: self.names.fresh(a.name) for a in self.lines if a.name not in self.rocq
        }
        self.sizes = Sizes.of(self.cell.dims, exprs, self.names)
        self.defined = {a.name for a in self.lines}
        self.outputs = [q.name for q in self.cell.outputs]
        self.fields = tuple(self._fields())
        self.field_of = {(f.name, f.lag): f.rocq for f in self.fields}
        self.incoming = [*self.outputs, *(q.name for q in self.cell.inputs if q.depth)]
        self.depth = self.cell.depth
        if not self.cell.states:
            raise unsupported("nothing is carried from step to step")
        self.conditions: list[tuple[str, str]] = []
        self.trees: dict[str, Line] = {a.name: self._line(a.name, a.expr) for a in self.lines}

    def _fields(self) -> Iterator[Field]:
        cell = self.cell
        memory = [*cell.states, *(q for q in cell.inputs if q.depth)]
        kinds: tuple[tuple[Kind, Any], ...] = (
            ("parameter", cell.parameters),
            ("constant", cell.constants),
            ("input", cell.inputs),
        )
        for kind, quantities in kinds:
            for q in quantities:
                yield Field(self.rocq[q.name], q.name, 0, kind, q.symbol)
        for q in memory:
            for lag in range(1, q.depth + 1):
                rocq = self.names.derived(f"{{}}_{lag}", self.rocq[q.name])
                symbol: Any = q.symbol
                yield Field(rocq, q.name, lag, "past", symbol.at(lag))

    def _line(self, name: str, expr: Any) -> Line:
        return Line(self.tree(expr), f"{self.rocq[name]} pt", self.leaf, self.moves)

    # ── names ──

    def of_kind(self, *kinds: Kind) -> list[Field]:
        """The fields of these kinds, in order."""
        return [f for f in self.fields if f.kind in kinds]

    def bar(self, name: str, lag: int = 0) -> str:
        """The definition of what a quantity at a lag receives from the step."""
        base = self.rocq[name] if lag == 0 else self.field_of[name, lag]
        return self.names.derived("{}_bar", base)

    def dot(self, name: str) -> str:
        """The definition of a line's tangent."""
        return self.names.derived("{}_dot", self.rocq[name])

    def inn(self, name: str) -> str:
        """The part of ``incoming`` that belongs to a quantity."""
        return self.names.derived("{}_in", self.rocq[name])

    def moves(self, leaf: Any) -> bool:
        """Whether a leaf has a tangent: constants have none."""
        constants = {q.name for q in self.cell.constants}
        return isinstance(leaf, Timed) or leaf.name not in constants

    def opened(self) -> str:
        """The lines that are functions of names, for unfolding: elsewhere they may stand written out."""
        lines = [a.name for a in reversed(self.lines) if isinstance(a.expr, FUNCTIONS_OF_NAMES)]
        return " ".join(f"/{self.rocq[name]}" for name in lines)

    def shape(self, name: str) -> str:
        """The type of a quantity or an intermediate."""
        known = {a.name: a.target.shape for a in self.lines}
        return self.sizes.matrix(known.get(name) or self.cell.quantity(name).shape)

    def later(self, name: str) -> list[int]:
        """How many steps ahead something may send back to a quantity."""
        return list(range(1, self.cell.quantity(name).depth + 1))

    # ── terms ──

    def tree(self, expr: Any) -> Tree:
        """The tree of an expression."""
        return tree(expr, self.sizes)

    def leaf(self, v: Any) -> str:
        """What a leaf of a step's equations is: of the point pt, the direction dir, or what arrives, inc."""
        lag = getattr(v, "lag", 0)
        if isinstance(v, Adjoint | LossGradient) and lag != 0:
            raise unsupported(f"an equation mentions the adjoint of {v.name} at another step")
        if isinstance(v, Adjoint):
            return f"{self.bar(v.name)} pt inc"
        if isinstance(v, LossGradient):
            if v.name not in self.incoming:
                raise unsupported(f"an equation mentions the loss's derivative by {v.name}")
            return f"{self.inn(v.name)} inc"
        if isinstance(v, Tangent):
            return self.tangent(v.of)
        return f"{self.place(v)} pt"

    def tangent(self, v: Any) -> str:
        """The tangent of a leaf."""
        if isinstance(v, Timed) and v.lag == 0 and v.name in self.defined:
            return f"{self.dot(v.name)} pt dir"
        return f"{self.place(v)} dir"

    def place(self, v: Any) -> str:
        """The function that reads a primal leaf from a point."""
        lag = getattr(v, "lag", 0)
        if lag == 0:
            return self.rocq[v.name]
        if (v.name, lag) not in self.field_of:
            raise unsupported(f"an equation mentions {v.name} at a step that it cannot know")
        return self.field_of[v.name, lag]

    def value(self, expr: Any, leaf: Callable[[Any], str] | None = None) -> str:
        """An expression as a term."""
        return value(self.tree(expr), leaf or self.leaf)

    def condition(self, kind: str, argument: str) -> str:
        """The proof, from the hypothesis ``reg``, that an argument avoids a function's kinks and poles."""
        if (kind, argument) not in self.conditions:
            self.conditions.append((kind, argument))
        return f"({self.regular(self.conditions.index((kind, argument)))} reg)"

    def regular(self, index: int) -> str:
        """The name of a condition."""
        return self.names.derived("regular_{}", str(index + 1))


def total(terms: list[str]) -> str:
    """a + b + …, or 0."""
    return " + ".join(terms) or "0"


def joined(lemma: str, proofs: list[str]) -> str:
    """Proofs of equations added up from the left."""
    whole = proofs[0]
    for proof in proofs[1:]:
        whole = f"({lemma} {whole} {proof})"
    return whole


def record(head: str, rows: list[str]) -> list[str]:
    """A record; one without rows gets braces all the same."""
    return [f"{head} {{", ";\n".join(f"  {row}" for row in rows) + " }."]
