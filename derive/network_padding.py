"""Matrices of sequences whose samples have different lengths: no entry that stands for padding may count.

What is computed for the steps of such an axis, T_s, has entries beyond a sample's own length. They are left out where
entries meet, with m = 1 for the steps that a sample has and 0 beyond:

    softmax(a)  →  softmax(a + 10⁹ (m − 1))         A @ B     →  A @ diag(m) @ B
    sum(a)      →  sum(m.T @ a)                      mean(a)   →  mean(m.T @ a) / sum(m)
    log(a)      →  log(m * a + (1 - m))              and so sqrt(a), b / a and a ** -k, which have no value at 0

A softmax is 0 where a sample has no step, so that K @ softmax(a) stays as it is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from derive.dimensions import ONE, Size
from derive.errors import LanguageError
from derive.language_declarations import Declaration
from derive.language_roles import Named
from derive.losses import remapped
from derive.network import END
from derive.network_columns import WORD
from derive.network_groups import Group
from derive.shapes import Shapes
from derive.syntax import (
    Applied,
    Chain,
    Literal,
    Node,
    Power,
    Product,
    Ref,
    Span,
    Stack,
    Sum,
    Transposed,
)

FAR = Fraction(10**9)
"""What is taken off a logit that must not count: its exponential is 0 in every precision."""


@dataclass(frozen=True, slots=True)
class Padded:
    """Groups in which no padding counts.

    Args:
        groups: them.
        masks: the masks that they use, as columns, each with the name of the mask of every step.
        declarations: what is declared of these.
    """

    groups: list[Group]
    masks: dict[str, str]
    declarations: list[Declaration]


def without_padding(
    groups: Sequence[Group],
    named: Mapping[str, Named],
    shapes: Shapes,
    lengths: Mapping[str, str],
    masks: Mapping[str, str],
) -> Padded:
    """The groups with masks wherever entries of different steps meet.

    Args:
        groups: checked.
        named: the role of every name.
        shapes: of all of them.
        lengths: the name of the size that is how many steps an axis has, by axis.
        masks: the name of the mask of every ragged axis.

    Raises:
        LanguageError: steps stand above something else in one column.
    """
    columns = {lengths[a]: _free(f"{masks[a]}_{WORD}", named) for a in lengths if a in masks}
    values = {e.target: e.value for g in groups for e in g.equations}
    states = {name for name, found in named.items() if found.role == "state"}
    done: list[Group] = []
    declared: dict[str, Declaration] = {}
    for g in groups:
        masking = _Masking(shapes, columns, values, states)
        equations = tuple(replace(e, value=remapped(e.value, masking.change)) for e in g.equations)
        used = frozenset(masking.used)
        declared |= {m: Declaration("mask", m, span, None) for m, span in masking.used.items()}
        held = g.held if g.axis == END else g.held | used
        done.append(replace(g, equations=equations, held=held))
    size = {m: length for length, m in columns.items()}
    sizes = [Declaration("dim", m, d.span, ((0, ((size[m], 1),)),)) for m, d in declared.items()]
    steps = {columns[lengths[a]]: masks[a] for a in lengths if a in masks}
    return Padded(done, {m: steps[m] for m in declared}, [*declared.values(), *sizes])


def _free(wish: str, named: Mapping[str, Named]) -> str:
    while wish in named:
        wish += "_"
    return wish


@dataclass(slots=True)
class _Masking:
    """The rewriting of one group's equations.

    Args:
        shapes: of every part.
        columns: the mask of every size that is how many steps a ragged axis has.
        values: what every name is equal to.
        states: the names that are remembered.
        used: the masks that were needed, with the place of the first need.
    """

    shapes: Shapes
    columns: Mapping[str, str]
    values: Mapping[str, Node]
    states: set[str]
    used: dict[str, Span] = field(default_factory=dict)

    def change(self, old: Node, new: Node) -> Node:
        """A part whose operands are changed already; ``old`` is what it was, whose shape is known."""
        match old, new:
            case Applied(span, "softmax" | "logsumexp", of), Applied():
                mask = self.mask(old, of, 0)
                return replace(new, of=_far_below(span, new.of, mask)) if mask else new
            case Applied(span, "sum" | "mean", of), Applied():
                return self.counted(old, new, [self.mask(old, of, axis) for axis in (0, 1)])
            case Applied(_, "log" | "sqrt", of), Applied():
                return replace(new, of=self.one_beyond(of, new.of))
            case Power(_, base, k), Power() if k < 0:
                return replace(new, base=self.one_beyond(base, new.base))
            case Product(_, factors), Product(_, changed):
                pairs = zip(factors, changed, strict=True)
                beyond = [(k, self.one_beyond(of, x) if k < 0 else x) for (k, of), (_, x) in pairs]
                return replace(new, factors=tuple(beyond))
            case Chain(), Chain():
                return self.product(old, new)
            case Stack(_, parts), _:
                for part in parts:
                    self.refuse(old, self.shapes.of_node[part][0])
        return new

    def mask(self, node: Node, of: Node, axis: int) -> Ref | None:
        """The mask of an operand's rows or columns, if they are the steps of a ragged axis."""
        size = self.shapes.of_node[of][axis]
        name = self.shapes.names.get(size.single) if size.single else None
        if name not in self.columns:
            self.refuse(node, size)
            return None
        mask = self.columns[name]
        self.used.setdefault(mask, node.span)
        return Ref(node.span, mask, 0)

    def refuse(self, node: Node, size: Size) -> None:
        """Refuse a column in which the steps of a ragged axis stand above something else.

        Raises:
            LanguageError: it is one.
        """
        for v in size.unknowns:
            if self.shapes.names.get(v) in self.columns:
                raise LanguageError(
                    f"{node.span.text}: the steps of an axis along which samples have different lengths stand above "
                    "something else here, and it cannot be told which of them count.",
                    "Treat the two in expressions of their own.",
                    place=node.span.place,
                )

    def counted(self, old: Node, new: Applied, masks: list[Ref | None]) -> Node:
        """A sum, or a mean, over the entries that count."""
        span, (rows, cols) = old.span, masks
        if not rows and not cols:
            return new
        factors = [
            *([Transposed(span, rows)] if rows else []),
            new.of,
            *([cols] if cols else []),
        ]
        total: Node = replace(new, of=Chain(span, tuple(factors)))
        if new.function == "mean":
            counts = [(-1, Applied(span, "sum", m)) for m in masks if m]
            total = Product(span, ((1, total), *counts))
        return total

    def one_beyond(self, old: Node, new: Node) -> Node:
        """What stands for padding is 1, for a function that has no value, or no slope, where it would be 0."""
        span, shape = old.span, self.shapes.of_node[old]
        for axis in (0, 1):
            if not (mask := self.mask(old, old, axis)):
                continue
            ones: Node = Sum(span, ((1, Literal(span, Fraction(1))), (-1, mask)))
            if shape[1 - axis] != ONE:
                ones = Applied(span, "repeat", ones)
            kept = (
                (Applied(span, "diag", mask), new)
                if axis == 0
                else (new, Applied(span, "diag", mask))
            )
            ones = ones if axis == 0 else Transposed(span, ones)
            new = Sum(span, ((1, Chain(span, kept)), (1, ones)))
        return new

    def product(self, old: Chain, new: Chain) -> Node:
        """A matrix product in which steps beyond a sample's length do not meet."""
        factors = [new.factors[0]]
        for i, right in enumerate(old.factors[1:], 1):
            left = old.factors[i - 1]
            if not (self.vanishes(left, 1) or self.vanishes(right, 0)):
                mask = self.mask(old, right, 0)
                factors += [Applied(old.span, "diag", mask)] if mask else []
            factors.append(new.factors[i])
        return replace(new, factors=tuple(factors))

    def vanishes(self, node: Node, axis: int) -> bool:
        """Whether rows (0) or columns (1) that stand for padding are zero, as a softmax's are."""
        match node:
            case Ref(_, name, 0):
                known = name in self.values and name not in self.states
                return known and self.vanishes(self.values[name], axis)
            case Applied(_, "softmax", _):
                return axis == 0
            case Applied(_, "identity", of):
                return self.vanishes(of, axis)
            case Power(_, of, k):
                return k > 0 and self.vanishes(of, axis)
            case Transposed(_, of):
                return self.vanishes(of, 1 - axis)
            case Sum(_, terms):
                return all(self.vanishes(term, axis) for _, term in terms)
            case Product(_, factors):
                return any(k == 1 and self.vanishes(part, axis) for k, part in factors)
            case Chain(_, factors):
                return self.vanishes(factors[-axis], axis)
        return False


def _far_below(span: Span, logits: Node, mask: Ref) -> Node:
    """a + 10⁹ (m − 1)"""
    beyond = Sum(span, ((1, mask), (-1, Literal(span, Fraction(1)))))
    return Sum(span, ((1, logits), (1, Product(span, ((1, Literal(span, FAR)), (1, beyond))))))
