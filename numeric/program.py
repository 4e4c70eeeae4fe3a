"""A cell's forward and backward pass as an explicit program: what is computed where.

    before   once, or for all steps as one operation: what depends on inputs and parameters only
    loop     for every step in order (forward) or in reverse (backward)
    after    for all steps as one operation: what no step depends on; sums over time

Law: a program computes what the derivation's equations say; only the order and the grouping differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from sympy.matrices.expressions import MatrixExpr

from derive.derivation import Derivation
from derive.expressions import Adjoint, Timed, leaves
from numeric.stacks import Stack
from numeric.still import Settled


@dataclass(frozen=True, slots=True)
class Statement:
    """``target = value`` or ``target += value``.

    Args:
        target: what is assigned: a quantity, an adjoint, or a whole stack of either.
        value: the expression.
        add: whether it is added to what the target holds.
        number: the number of the derivation's line, 0 if none.
        lag: for a contribution to an earlier step, how many steps back.
    """

    target: object
    value: object
    add: bool = False
    number: int = 0
    lag: int = 0


@dataclass(frozen=True, slots=True)
class StackTerm:
    """``[A; B; …] @ vector`` (+ the stacked bias), or its transpose applied to the stack's adjoint."""

    stack: Stack
    vector: Timed | None
    bias: bool = False
    transposed: bool = False


@dataclass(frozen=True, slots=True)
class StackSum:
    """The gradient of a whole stack's matrices (by vector) or biases (``None``): a sum over time."""

    stack: Stack
    vector: Timed | None


@dataclass(frozen=True, slots=True)
class Note:
    """What a pass did, for those who read the code.

    Args:
        name: of the pass; comments in the code use it as a tag.
        what: the quantities or stacks that it did it to.
        why: the law, and what is gained.
    """

    name: str
    what: tuple[MatrixExpr | Stack, ...]
    why: str


@dataclass(frozen=True)
class Program:
    """The forward and the backward pass of one cell.

    Args:
        derivation: what it computes.
        stacks: the fused products.
        forward: statements by place (``before``, ``loop``, ``after``).
        backward: likewise.
        stored: quantities and adjoints that are kept for all steps.
        notes: what was done to the order of the textbook.
        held: inputs that are the same at every step, by whose one value the gradient is: a sum over steps.
        still: what no step changes, computed once before all steps, in either pass.
    """

    derivation: Derivation
    stacks: tuple[Stack, ...]
    forward: dict[str, list[Statement]] = field(default_factory=dict)
    backward: dict[str, list[Statement]] = field(default_factory=dict)
    stored: frozenset[MatrixExpr] = frozenset()
    notes: tuple[Note, ...] = ()
    held: frozenset[str] = frozenset()
    still: tuple[Statement, ...] = ()

    def noted(self, name: str, what: Iterable[MatrixExpr | Stack], why: str) -> Program:
        """The program with a note, if there is anything that something was done to."""
        note = Note(name, tuple(what), why)
        return replace(self, notes=(*self.notes, note)) if note.what else self

    @cached_property
    def settled(self) -> Settled:
        """Writes lines of the derivation with leaves without a time for what no step changes."""
        return Settled({s.target.name: s.target for s in self.still})

    @cached_property
    def numbers(self) -> dict[MatrixExpr, int]:
        """The number of the derivation's line for each left-hand side, as the program has it."""
        return self.settled.numbers(self.derivation)

    def stack_of(self, name: str) -> Stack | None:
        """The stack in which an intermediate lies."""
        return next((s for s in self.stacks for m in s.members if m.target.name == name), None)


def leaves_of(value: object) -> Iterator[MatrixExpr]:
    """The leaves of a statement's value, those of whole stacks included."""
    if isinstance(value, MatrixExpr):
        yield from leaves(value)
    elif isinstance(value, tuple):
        for part in value:
            yield from leaves_of(part)
    elif isinstance(value, StackTerm | StackSum):
        for m in value.stack.members:
            if isinstance(value, StackSum) or value.transposed:
                yield Adjoint(m.target)
        if value.vector is not None and not (isinstance(value, StackTerm) and value.transposed):
            yield value.vector
