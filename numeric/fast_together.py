"""Where a fast file makes many adjoints of a step in one call: the arrays and the text of what ``together`` finds."""

from __future__ import annotations

from sympy.matrices.expressions import MatrixExpr

from derive.expressions import Adjoint, Timed
from numeric.fast_bars import Bars
from numeric.operations import Gates, InRows, Op, Value, shape_of
from numeric.program import Note
from numeric.together import Together, put_together

WHY = (
    "where steps are small, each takes as long as it has calls: a small product adds up and repeats the adjoints that "
    "are multiplied by factors, and one call multiplies all of them"
)


class InOneCall(Bars):
    """Decides where the adjoints lie that one call makes, and writes it.

    They lie one after the other in one array, those that they are made of behind them.
    """

    together: Together | None = None
    makes_together = True

    def find_together(self, ops: list[Op]) -> list[Op]:
        """The operations of a step, with as many of its multiplications as one as there are."""
        ways = [
            way
            for stack in self.looped
            if self.makes_together and stack.name in self.by_gate
            if (way := put_together(ops, stack, self.is_known, self.is_handed, self.is_passing))
        ]
        if not ways:
            return ops
        packed, self.together = max(ways, key=lambda way: way[1].spared)
        return packed

    def is_known(self, value: Value) -> bool:
        """Whether a value is there at every step before the loop, within the workspace."""
        if isinstance(value, Gates):
            return self.is_kept(value.stack)
        if not isinstance(value, Timed) or self.from_outside(value):
            return False
        return value in self.many or value.name in self.memory or value.at(0) in self.program.stored

    def is_handed(self, value: Value) -> bool:
        """Whether a value is an adjoint that is handed from step to step in one array."""
        return isinstance(value, Adjoint) and value.name in self.carried and value.lag == 0

    def is_passing(self, value: Value) -> bool:
        """Whether only the operations of one step see a value."""
        if not isinstance(value, Adjoint):
            return self.is_scratch(value)
        elsewhere = {s.target for s in self.program.backward["before"]} | self.program.stored
        own = self.has_stacked(self.program.stack_of(value.name))
        return value.name not in self.memory and value not in elsewhere and not own

    # ── arrays ──────────────────────────────────────────────────────────────────────────────────────

    def called_together(self, what: str) -> str:
        """The name of one of the arrays."""
        stack = self.together.stack
        return self.names.named(("together", what, stack.name), f"{what}_{stack.suffix}")

    def size_together(self) -> str:
        """How many entries each adjoint has, for one sample."""
        return self.dim(shape_of(self.together.rows[0])[0])

    def rows_together(self, count: int, front: str = "") -> str:
        """The code of an array of so many adjoints."""
        return self.new_array(f"({front}{count}, B, {self.size_together()})")

    def as_seen(self, code: str) -> str:
        """An array as the loop sees it: without the axis of one sample."""
        return f"flattened({code}, flat)" if self.flat else code

    def all_rows(self) -> str:
        """The array of all of them."""
        return self.field(self.called_together("bars"), self.rows_together(len(self.together.rows)))

    def all_factors(self) -> str:
        """The array of their factors, for one block of steps: those of a step side by side if one call takes them."""
        count, n = len(self.together.factors), self.size_together()
        beside = self.new_array(f"(block, {count}, B, {n})")
        apart = f"{self.new_array(f'({count}, block, B, {n})')}.swapaxes(0, 1)"
        name = self.called_together("factors")
        return self.field(name, f"{beside} if self.together else {apart}")

    def is_row(self, value: object) -> bool:
        """Whether a value lies among those that one call makes, or that they are made of."""
        return self.together is not None and value in self.together.rows

    def row(self, value: Value) -> str:
        """Where it lies there."""
        return self.as_seen(f"{self.all_rows()}[{self.together.rows.index(value)}]")

    def scratch(self, key: object, wish: str, shape: list[str]) -> str:
        """An array that every step writes anew."""
        if not self.is_row(key):
            return super().scratch(key, wish, shape)
        # The forward pass has intermediate results of the same keys, and arrays for them.
        mine = key if isinstance(key, Adjoint) else (key, "together")
        return self.field(self.names.named(mine, wish), self.row(key))

    def at_step(self, leaf: MatrixExpr) -> str:
        """A leaf inside the loop."""
        if not isinstance(leaf, Adjoint) or leaf.name in self.memory or not self.is_row(leaf):
            return super().at_step(leaf)
        name = self.names.named((leaf, "together"), f"{self.names.of(leaf)}_t")
        return self.field(name, self.row(leaf))

    def factor(self, leaf: Timed) -> str:
        """The array of a factor, for one block of steps."""
        if self.together is None or leaf not in self.together.factors:
            return super().factor(leaf)
        name = self.names.named(leaf, self.wish(leaf))
        return self.field(name, f"{self.all_factors()}[:, {self.together.factors.index(leaf)}]")

    def lies_beside(self, value: Value) -> bool:
        """Whether a factor's steps lie apart, others between them: NumPy takes longer for each operation on it."""
        return self.together is not None and value in self.together.factors

    # ── text ────────────────────────────────────────────────────────────────────────────────────────

    def line(self, op: Op) -> list[str]:
        """An operation as code."""
        if self.together and op.target == InRows(self.together.stack):
            return self.in_one_call() if op.function == "together" else self.put_in_rows(op)
        return super().line(op)

    def put_in_rows(self, op: Op) -> list[str]:
        """The copy that puts the adjoints of the stack into the rows that products take."""
        made = self.called_together("bars_of")
        count = len(self.together.stack.members)
        self.field(made, self.as_seen(f"{self.all_rows()}[:{count}]"))
        return [f"{self.in_rows(op.target)}[...] = {made}  # in rows"]

    def in_one_call(self) -> list[str]:
        """Both ways: in one call, or one after the other."""
        found, rows = self.together, self.all_rows()
        count, sources = found.results, len(found.rows) - found.sources
        terms = ", ".join(f"[{', '.join(map(str, row))}]" for row in found.terms)
        self.field(self.called_together("terms"), f"np.array([{terms}], dtype)")
        operands = self.field(
            self.called_together("operands"), self.as_seen(self.rows_together(count))
        )
        results = self.field(self.called_together("results"), self.as_seen(f"{rows}[:{count}]"))
        added = self.field(self.called_together("sums"), f"{operands}.reshape({count}, -1)")
        parts = self.field(
            self.called_together("parts"), f"{rows}[{found.sources}:].reshape({sources}, -1)"
        )
        add_up = self.called_together("add_up")
        self.multipliers[add_up] = f"{self.called_together('terms')}.dot"
        factors = self.view(self.all_factors(), f"{self.called_together('factors')}_t")
        numbers = sorted({k for op in found.ops for k in op.numbers})
        note = f"  # {', '.join(f'({k})' for k in numbers)}" if numbers else ""
        return [
            "if ws.together:",
            f"    {add_up}({parts}, {added})",
            f"    {self.ufunc('multiply')}({operands}, {factors}, {results}){note}",
            "else:",
            *(f"    {line}" for op in found.ops for line in super(InOneCall, self).line(op)),
        ]

    def copied_factors(self) -> list[str]:
        """The factors of a block that are there already, put beside the others."""
        if self.together is None:
            return []
        wholes = self.together.factors
        copied = [
            (k, v) for k, v in enumerate(wholes) if v not in self.many or wholes.index(v) != k
        ]
        if not copied:
            return []
        lines = [f"    {self.all_factors()}[:count, {k}] = {self.of_block(v)}" for k, v in copied]
        return ["if ws.together:", *lines]

    def together_notes(self) -> list[Note]:
        """What was done, if anything was."""
        if self.together is None:
            return []
        return [Note("together", (self.together.stack,), WHY)]
