"""The backward step of one sample as products with matrices: what is handed from step to step is one row.

Every operation of a backward step is linear in the adjoints: a product with known factors, entry by entry, a sum, or
a product with weights. So the row s̄ of all that is handed on, with a one behind, goes to the step before by

    s̄[t-1] = [s̄[t], 1] J[t],        J[t] = [ ∂s[t]/∂s[t-1] ; what the loss adds at t-1 ],

and row j of J[t] is Σ_k (a product of factors)_k [t, j] · (row j of a matrix that is the same at every step)_k: for
all steps and one j a product of two matrices. Where adjoints that were multiplied by weights are multiplied by factors
again, their row is a product of its own before.

Law: the row times the matrices is what the operations make of the adjoints, to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sympy import S

from derive.expressions import Adjoint, Timed
from numeric.operations import UFUNCS, Made, Op, Value, shape_of
from numeric.placement import in_place, shared
from numeric.stacks import Stack

PART, KNOWN, NODE = "·part", "·known", "·product"
"""How values that only a chain has are called."""
MOST_WORDS = 100
"""Of how many words an adjoint may be the sum: as many ways as lead to it through a step without weights."""


@dataclass(frozen=True, slots=True)
class Weight:
    """The rows of a stacked matrix that belong to one member; a product with δ of that member."""

    stack: Stack
    vector: Timed
    member: int


@dataclass(frozen=True, slots=True)
class Word:
    """``Wᵀ (factors ∘ source)``.

    Args:
        source: the adjoint that is multiplied.
        factors: known values; ``True`` beside one by which is divided.
        weight: the matrix W; none for the factors alone.
    """

    source: Value
    factors: tuple[tuple[Value, bool], ...] = ()
    weight: Weight | None = None

    def times(self, factor: Value, divided: bool) -> Word:
        """The word with one more factor."""
        return replace(self, factors=(*self.factors, (factor, divided)))


Form = tuple[Word, ...]
"""A sum of words."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A backward step as products.

    Args:
        nodes: the products within a step, in order: by name of their result its words.
        meant: the values that these results are.
        known: the operations that make factors of what does not depend on adjoints.
        handed: for every adjoint that is handed on the words of what the step before gets.
        replay: the operations that give what else the step computes, from adjoints and nodes.
    """

    nodes: dict[Timed, Form]
    meant: dict[Timed, Value]
    known: tuple[Op, ...]
    handed: dict[Value, Form]
    replay: tuple[Op, ...]


def chain_of(
    ops: list[Op], bars: dict[Value, Value], is_kept: Callable[[Value], bool]
) -> Chain | None:
    """The operations of a backward step as products, or ``None`` if they cannot be.

    Args:
        ops: the operations of the step, in order.
        bars: for every adjoint that is handed on where the step before finds it: itself, or the same a step back.
        is_kept: whether something outside the step reads a value.
    """
    reader = _Reader(bars, is_kept)
    if not all(reader.reads(op) for op in ops):
        return None
    handed = {bar: reader.forms[goal] for bar, goal in bars.items()}
    words = [w for form in (*handed.values(), *reader.nodes.values()) for w in form]
    if not any(w.weight for w in words):
        return None
    replay = reader.alive()
    if replay is None or any(is_kept(v) for v in reader.plain):
        return None
    placed = tuple(shared(in_place(replay, is_part), is_part))
    return Chain(reader.nodes, reader.meant, tuple(reader.known), handed, placed)


def is_part(value: Value) -> bool:
    """Whether a value is an intermediate result of the replay."""
    return isinstance(value, Timed) and value.name.startswith(PART)


def is_known(value: Value) -> bool:
    """Whether a value is made in the step, and does not depend on adjoints."""
    return isinstance(value, Timed) and value.name.startswith(KNOWN)


@dataclass(slots=True)
class _Reader:
    """Follows the operations, with the words of every value that depends on adjoints."""

    bars: dict[Value, Value]
    is_kept: Callable[[Value], bool]
    forms: dict[Value, Form] = field(default_factory=dict)
    now: dict[Value, Value] = field(default_factory=dict)
    nodes: dict[Timed, Form] = field(default_factory=dict)
    meant: dict[Timed, Value] = field(default_factory=dict)
    known: list[Op] = field(default_factory=list)
    plain: set[Value] = field(default_factory=set)
    replay: list[Op] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        for bar, goal in self.bars.items():
            self.forms[goal] = ()
            self.forms[bar] = (Word(bar),)

    def reads(self, op: Op) -> bool:
        """Takes in an operation; false if it is none that this can follow."""
        if op.function == "in_rows":
            return True
        if self.is_plain(op):
            return self.makes(op)
        known = {"dot": self.dot, "copy": self.copy, "add": self.sum, "subtract": self.sum}
        known |= {"multiply": self.product, "divide": self.product}
        take = known.get(op.function)
        form = take(op) if take else None
        if form is None or len(form) > MOST_WORDS or self.is_stray(op.target):
            return False
        self.assign(op, form)
        return True

    def is_plain(self, op: Op) -> bool:
        """Whether an operation makes a new value of such as do not depend on adjoints."""
        entrywise = op.function in {"add", "subtract", "multiply", "divide", "power", *UFUNCS}
        return entrywise and not any(a in self.forms for a in op.args)

    def makes(self, op: Op) -> bool:
        """Takes in an operation on known values; false if its result is to be an adjoint that is handed on."""
        if op.target in {*self.bars, *self.bars.values()}:
            return False
        made = Timed(f"{KNOWN} {len(self.known) + 1}", 0, *shape_of(op.target))
        args = tuple(self.now.get(a, a) for a in op.args)
        self.known.append(replace(op, target=made, args=args))
        self.now[op.target] = made
        self.forms.pop(op.target, None)
        self.plain.add(op.target)
        return True

    def is_stray(self, target: Value) -> bool:
        """Whether a step may not write to a value: what it was given for this step is kept as it was given."""
        return target in self.bars and self.bars[target] != target

    def assign(self, op: Op, form: Form) -> None:
        """The value of an operation's target from now on."""
        target, kept = op.target, self.is_kept(op.target)
        self.forms[target] = form
        self.plain.discard(target)
        if kept and any(w.weight for w in form):
            self.node(target)
            op = Op("copy", target, (self.now[target],), op.numbers)
        made = target if kept else self.part(target)
        if op.function != "dot":
            args = tuple(self.now.get(a, a) for a in op.args)
            self.replay.append(replace(op, target=made, args=args))
        self.now[target] = made

    def part(self, value: Value) -> Timed:
        """A new name for a value."""
        self.count += 1
        return Timed(f"{PART} {self.count}", 0, *shape_of(value))

    def node(self, value: Value) -> None:
        """Makes a value a product of its own."""
        name = Timed(f"{NODE} {len(self.nodes) + 1}", 0, *shape_of(value))
        self.nodes[name], self.meant[name] = self.forms[value], value
        self.forms[value], self.now[value] = (Word(name),), name

    def bare(self, value: Value) -> Form:
        """The words of a value that factors or weights shall multiply: no weights among them."""
        if any(w.weight for w in self.forms[value]):
            self.node(value)
        return self.forms[value]

    def dot(self, op: Op) -> Form | None:
        """Σ over the members of a stack Wᵀ δ."""
        (made,) = op.args
        if not isinstance(made, Made) or made.vector is None:
            return None
        words: list[Word] = []
        for k, m in enumerate(made.stack.members):
            if Adjoint(m.target) not in self.forms:
                return None
            weight = Weight(made.stack, made.vector, k)
            words += [replace(w, weight=weight) for w in self.bare(Adjoint(m.target))]
        return tuple(words)

    def copy(self, op: Op) -> Form | None:
        """The same value, or nothing."""
        (a,) = op.args
        if a == 0:
            return ()
        return self.forms.get(a) if shape_of(a) == shape_of(op.target) else None

    def sum(self, op: Op) -> Form | None:
        """a + b or a − b of two values that depend on adjoints."""
        if not all(a in self.forms and shape_of(a) == shape_of(op.target) for a in op.args):
            return None
        a, b = (self.forms[v] for v in op.args)
        if op.function == "subtract":
            if any(w.weight for w in b):
                b = self.bare(op.args[1])
            b = tuple(w.times(S.NegativeOne, False) for w in b)
        return (*a, *b)

    def product(self, op: Op) -> Form | None:
        """A value that depends on adjoints, times or divided by one that does not."""
        a, b = op.args
        if a not in self.forms and op.function == "multiply":
            a, b = b, a
        if a not in self.forms or b in self.forms or shape_of(a) != shape_of(op.target):
            return None
        factor = self.now.get(b, b)
        return tuple(w.times(factor, op.function == "divide") for w in self.bare(a))

    def alive(self) -> list[Op] | None:
        """The operations of which what is kept depends; ``None`` if one reads what no operation makes."""
        wanted: set[Value] = set()
        out: list[Op] = []
        for op in reversed(self.replay):
            if self.is_kept(op.target) or op.target in wanted:
                wanted |= {a for a in op.args if is_part(a)}
                out.append(op)
        made = {op.target for op in out}
        return out[::-1] if wanted <= made else None
