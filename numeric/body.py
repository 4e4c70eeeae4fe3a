"""What the writers of both passes share: names, sizes, stacks and lines of code."""

from __future__ import annotations

import re
import textwrap
from collections import defaultdict

from sympy import Expr, Symbol
from sympy.matrices.expressions import MatrixExpr, MatrixSymbol

from derive.cell import Cell, Quantity
from derive.domains import domains_of
from derive.expressions import (
    Adjoint,
    LossGradient,
    Timed,
    has_time,
    is_column,
    is_scalar,
    leaves,
)
from derive.network import Network
from derive.notation import split_name
from numeric.arrays import ArrayPrinter
from numeric.long_lines import broken
from numeric.names import Names
from numeric.program import Program, StackSum, StackTerm, Statement
from numeric.spread import trailing
from numeric.stacks import Stack

WIDTH = 100


class Body:
    """What both passes share: how leaves, stacks and shapes are written.

    Args:
        program: the program.
        names: the identifiers.
    """

    at_once: str = ""
    """Which steps of whole sequences are written: all, or those of a stretch."""
    steps_at_once: str = "T"
    """How many steps that are."""

    def __init__(self, program: Program, names: Names) -> None:
        self.program, self.names = program, names
        self.cell = program.derivation.cell
        self.memory = {q.name: q for q in (*self.cell.states, *self.cell.inputs) if q.depth}
        self.lines: list[str] = []

    @property
    def sizes(self) -> dict[Expr, str]:
        """The free sizes and their identifiers."""
        return {d: self.size_name(d) for d in self.cell.dims}

    def size_name(self, dim: Expr) -> str:
        """The identifier of a free size."""
        return self.names.named(("dim", dim), str(dim))

    @property
    def inputs(self) -> dict[str, Quantity]:
        """The inputs by identifier."""
        return {self.names.of(q.symbol): q for q in self.cell.inputs}

    @property
    def constants(self) -> dict[str, Quantity]:
        """The constants by identifier."""
        return {self.names.of(q.symbol): q for q in self.cell.constants}

    @property
    def indices(self) -> frozenset[str]:
        """The names of the inputs that are given as whole numbers."""
        return frozenset(q.name for q in self.cell.inputs if q.kind == "index")

    def printer(self, *, whole: bool) -> ArrayPrinter:
        """Writes expressions over whole sequences, or over one step."""
        leaf = self.whole if whole else self.at_step
        return ArrayPrinter(
            leaf, self.dim, whole=whole, indices=self.indices, steps=self.steps_at_once
        )

    @property
    def untimed(self) -> ArrayPrinter:
        """Writes expressions of what has no time: parameters, and what no step changes."""
        return ArrayPrinter(self.names.of, self.dim)

    def once(self, expr: MatrixExpr) -> str:
        """Such an expression as it is computed, in the shape of a parameter: a number has no axis."""
        text = self.untimed.full(expr)
        made = is_scalar(expr) and not all(map(is_scalar, leaves(expr)))
        return f"np.reshape({text}, ())" if made else text

    def dim(self, size: object) -> str:
        """A dimension as code."""
        if isinstance(size, Expr):
            free = [d for d in self.cell.dims if d in size.free_symbols]
            size = size.xreplace({d: Symbol(self.size_name(d)) for d in free})
        return re.sub(r"(?<!\*)\*(?!\*)", " * ", str(size))

    def array_of(self, leaf: MatrixExpr) -> str:
        """The array that holds a whole sequence, with its history if it has one."""
        return self.names.storage(leaf) if leaf.name in self.memory else self.names.of(leaf)

    def write_list(self, head: str, items: list[str], tail: str, *, indent: int = 1) -> None:
        """``head item, item, … tail``, broken over lines where it is long."""
        self.lines += listed("    " * indent + head, items, tail)

    def write(self, line: str = "", *, indent: int = 1, number: int = 0) -> None:
        """One line; the number of the derivation's equation stands behind it."""
        note = f"  # ({number})" if number else ""
        self.lines += broken("    " * indent + line, note) if line else [""]

    def at_step(self, leaf: MatrixExpr) -> str:
        """A leaf inside the loop over time."""
        if not has_time(leaf):
            return self.names.of(leaf)
        sequence = self.is_sequence(leaf)
        return f"{self.whole(leaf)}[t]" if sequence else self.names.of(leaf)

    def whole(self, leaf: MatrixExpr) -> str:
        """A leaf as a whole sequence."""
        if not has_time(leaf):
            return self.names.of(leaf)
        return self.names.lagged(leaf, leaf.lag) + self.at_once

    def is_sequence(self, leaf: MatrixExpr) -> bool:
        """Whether a leaf is kept for all steps."""
        stack = self.program.stack_of(leaf.name)
        if isinstance(leaf, Adjoint):
            return (
                leaf.name in self.memory
                or leaf.at(0) in self.program.stored
                or self.has_stacked(stack)
            )
        if isinstance(leaf, LossGradient):
            return True
        return leaf.name in self.memory or leaf.at(0) in self.program.stored or stack is not None

    def has_stacked(self, stack: Stack | None) -> bool:
        """Whether the members' adjoints lie in one array."""
        return stack is not None and len(stack.members) > 1 and self.is_whole(stack)

    def is_whole(self, stack: Stack) -> bool:
        """Whether the adjoints of all members are computed."""
        kept = {e.lhs for e in self.program.derivation.backward.asked}
        return all(Adjoint(m.target) in kept for m in stack.members)

    def settle(self, computing: list[str]) -> list[str]:
        """The lines for what no step changes, as far as other lines read it; it is computed once."""
        found = list[list[str]]()
        words = set(re.findall(r"\w+", "\n".join(computing)))
        for s in reversed(self.program.still):
            if self.names.of(s.target) in words:
                kept, self.lines = self.lines, []
                text = self.once(s.value)
                if not any(isinstance(v, MatrixSymbol) for v in leaves(s.value)):
                    text = f"np.asarray({text}, dtype)"  # a number of Python's is float64 in NumPy's functions
                self.write(f"{self.names.of(s.target)} = {text}", number=s.number)
                found.append(self.lines)
                words |= set(re.findall(r"\w+", text))
                self.lines = kept
        return [line for lines in reversed(found) for line in lines]

    # ── stacks ──────────────────────────────────────────────────────────────────────────────────────

    def stack_rows(self, stack: Stack) -> str:
        """The number of rows of a stack."""
        return self.dim(sum(m.target.shape[0] for m in stack.members))

    def split(self, stack: Stack, array: str, axis: str) -> str:
        """The parts of a stack's array, as views."""
        rows = [m.target.shape[0] for m in stack.members]
        if len(rows) == 1:
            return array
        if len(set(rows)) == 1:
            return f"np.split({array}, {len(rows)}{axis})"
        cuts = ", ".join(self.dim(sum(rows[:i])) for i in range(1, len(rows)))
        return f"np.split({array}, [{cuts}]{axis})"

    def weight(self, stack: Stack, vector: Timed | None) -> str:
        """The stacked matrix in front of a vector, or the stacked bias."""
        own = self.program.derivation.around.own_name
        bases = {
            split_name(own(m.name))[0] for m in self.parts(stack, vector) if hasattr(m, "name")
        }
        base = bases.pop() if len(bases) == 1 else "b" if vector is None else "K"
        return self.names.named((stack.name, vector), f"{base}_{stack.suffix}")

    def parts(self, stack: Stack, vector: Timed | None) -> tuple[MatrixExpr, ...]:
        """The parameters that are stacked."""
        return tuple(m.bias for m in stack.members) if vector is None else stack.matrices(vector)

    def stack_weights(self, uses: list[tuple[Stack, Timed | None]]) -> None:
        """The stacked parameters, each once."""
        static = self.untimed
        for stack, vector in {(s.name, v): (s, v) for s, v in uses}.values():
            if len(stack.members) > 1:
                shown = [
                    f"{static.full(p)}[None]" if is_scalar(p) else static.full(p)
                    for p in self.parts(stack, vector)
                ]
                parts = ", ".join(shown)
                self.write(f"{self.weight(stack, vector)} = np.concatenate(({parts}))")

    def stack_terms(self, value: object) -> list[StackTerm]:
        """The stacked products in a statement's value."""
        return [v for v in value if isinstance(v, StackTerm)] if isinstance(value, tuple) else []

    def whole_shape(self, leaf: MatrixExpr, before: int = 0) -> str:
        """The shape of a whole sequence, with this many values before it."""
        return tuple_text([f"T + {before}" if before else "T", "B", *trailing(leaf, self.dim)])

    def empty(self, leaf: MatrixExpr) -> str:
        """A new array for a whole sequence."""
        return self.new_array(self.whole_shape(leaf))

    def new_array(self, shape: str) -> str:
        """A new array of this shape."""
        return f"np.empty({shape}, dtype)"

    def history(self, q: Quantity) -> str:
        """The shape of the values before a sequence."""
        front = ["B"] if q.depth == 1 else [str(q.depth), "B"]
        return tuple_text([*front, *trailing(q.symbol, self.dim)])

    def views(self, leaf: MatrixExpr, q: Quantity, lags: set[int]) -> None:
        """The views of an array with history that hold, at step t, the value at t − d."""
        storage = self.names.storage(leaf)
        for d in sorted(lags):
            stop = f":{-d}" if d else ":"
            start = str(q.depth - d) if q.depth > d else ""
            self.write(f"{self.names.lagged(leaf, d)} = {storage}[{start}{stop}]")


def lags_read(statements: dict[str, list[Statement]]) -> defaultdict[str, set[int]]:
    """For each quantity the lags at which it is read."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for s in (s for part in statements.values() for s in part):
        for v in all_leaves(s.value):
            if isinstance(v, Timed):
                found[v.name].add(v.lag)
    return found


def demands(model: Cell | Network) -> list[str]:
    """What must be given, or is enough, so that every log, sqrt and quotient has a value: lines of a file's head."""
    words = domains_of(model).words()
    return textwrap.wrap(f"So that all has a value, {words}.", WIDTH) if words else []


def listed(head: str, items: list[str], tail: str) -> list[str]:
    """``head item, item, … tail`` as lines of at most ``WIDTH`` characters."""
    line = f"{head}{', '.join(items)}{tail}"
    if len(line) <= WIDTH:
        return [line]
    indent = " " * (len(head) - len(head.lstrip()) + 4)
    lines = [""]
    for item in items:
        if lines[-1] and len(indent + lines[-1] + item) >= WIDTH:
            lines.append("")
        lines[-1] += f"{item}, "
    return [head.rstrip(), *(indent + line.rstrip() for line in lines), indent[4:] + tail]


def tuple_text(parts: list[str]) -> str:
    """A tuple of code."""
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def quoted(name: str) -> str:
    """A name as a string literal; names are identifiers."""
    return f'"{name}"'


def axes(q: Quantity, *, timed: bool) -> list[Expr]:
    """The sizes of a quantity's own axes, as its array has them."""
    if is_scalar(q.symbol):
        return [q.shape[0]] if timed else []
    return [q.shape[0]] if is_column(q.symbol) else [*q.shape]


def all_leaves(value: object):
    """The leaves of a statement's value."""
    if isinstance(value, MatrixExpr):
        yield from leaves(value)
    elif isinstance(value, tuple):
        for part in value:
            yield from all_leaves(part)
    elif isinstance(value, StackTerm | StackSum) and isinstance(value.vector, Timed):
        yield value.vector
