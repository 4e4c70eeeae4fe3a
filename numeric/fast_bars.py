"""Where the adjoints of a fast file lie: handed from step to step, for a stretch of steps, or for all."""

from __future__ import annotations

from sympy.matrices.expressions import MatrixExpr

from derive.expressions import Adjoint, LossGradient, Timed, has_time
from numeric.backward_pass import Backward
from numeric.body import all_leaves
from numeric.fast_forward import FastForward
from numeric.operations import Gates, InRows, Made, Op, Value
from numeric.passes import MANY
from numeric.program import Note, StackSum, StackTerm, Statement
from numeric.stacks import Stack


class Bars(FastForward, Backward):
    """Decides where adjoints lie."""

    def __init__(self, forward: FastForward) -> None:
        super().__init__(forward.program, forward.names)
        self.forward = forward
        self.before = forward.fields
        self.touched: dict[Value, str] = {}
        self.many = [s.target for s in self.program.backward.get(MANY, [])]
        self.sums = self._sums()
        self.chunked = self._chunked()
        self.carried = self._carried()
        self.by_gate: frozenset[str] = frozenset()

    def _sums(self) -> list[Statement]:
        """What is summed stretch by stretch: the gradients of stacks, and of inputs made of whole stacks."""
        return [s for s in self.program.backward["after"] if self._is_sum(s)]

    def _is_sum(self, s: Statement) -> bool:
        if isinstance(s.value, StackSum):
            return s.value.stack.name in {stack.name for stack in self.looped}
        whole = isinstance(s.value, tuple) and all(isinstance(t, StackTerm) for t in s.value)
        return whole and all(t.stack.name in {k.name for k in self.looped} for t in s.value)

    def _chunked(self) -> frozenset[str]:
        """The stacks whose adjoints are needed within their stretch only."""
        later = [
            v
            for s in (*self.program.backward["before"], *self.program.backward["after"])
            if s not in self.sums
            for v in adjoints_of(s)
        ]
        return frozenset(
            stack.name
            for stack in self.looped
            if self.has_stacked(stack)
            and not any(Adjoint(m.target) in later for m in stack.members)
        )

    def has_stacked(self, stack: Stack | None) -> bool:
        """Whether the members' adjoints lie in one array; one member is enough."""
        return stack is not None and self.is_whole(stack)

    def _carried(self) -> frozenset[str]:
        """The states whose adjoint is handed from step to step in one array, without a sequence of its own."""
        statements = [s for part in self.program.backward.values() for s in part]
        found: set[str] = set()
        for q in self.memory.values():
            bar = Adjoint(q.symbol)
            written = [s for s in statements if s.target == bar]
            plain = q.role == "state" and q.depth == 1 and bar not in self.program.stored
            early = any(s.target == bar for s in self.program.backward["before"])
            if plain and not early and all(s.lag <= 1 for s in written):
                found.add(q.name)
        return frozenset(found)

    def field(self, name: str, text: str) -> str:
        """An array of the workspace: one that the forward pass has already, or a new one."""
        return name if name in self.before.arrays else super().field(name, text)

    def place(self, leaf: MatrixExpr) -> Value:
        """Where the value of a leaf lies."""
        return leaf if isinstance(leaf, Adjoint | LossGradient) else super().place(leaf)

    def at_step(self, leaf: MatrixExpr) -> str:
        """A leaf inside the loop."""
        if isinstance(leaf, LossGradient):
            return self.view(self.names.of(leaf), f"{self.names.of(leaf)}_t", outside=True)
        if isinstance(leaf, Timed):
            if leaf in self.many:
                return self.view(self.factor(leaf), f"{self.wish(leaf)}_t")
            return super().at_step(leaf)
        if not isinstance(leaf, Adjoint) or not has_time(leaf):
            return self.names.of(leaf)
        if leaf.name in self.memory:
            return self.memory_bar(leaf)
        stack = self.program.stack_of(leaf.name)
        early = {s.target for s in self.program.backward["before"]}
        if leaf in early and not self.has_stacked(stack):
            return self.view(self.names.of(leaf), f"{self.names.of(leaf)}_t", outside=True)
        if self.has_stacked(stack):
            gates = stack.name in self.by_gate
            bar = self.gate_bar(leaf, stack) if gates else self.member_bar(leaf, stack)
            return self.view(bar, f"{self.names.of(leaf)}_t")
        if leaf in self.program.stored:
            return self.view(
                self.field(self.names.of(leaf), self.empty(leaf)), f"{self.names.of(leaf)}_t"
            )
        return super().at_step(leaf)

    def memory_bar(self, leaf: Adjoint) -> str:
        """The adjoint of a quantity with memory at this step."""
        if leaf.name in self.carried:
            return self.scratch(leaf, self.names.of(leaf), self.history_list(leaf.name))
        lag = leaf.lag
        q = self.memory[leaf.name]
        store = self.field(
            self.names.storage(leaf), self.new_array(self.whole_shape(leaf, q.depth))
        )
        stop = f":{-lag}" if lag else ":"
        return self.view(
            f"{store}[{q.depth - lag or ''}{stop}]", f"{self.names.lagged(leaf, lag)}_t"
        )

    def history_list(self, name: str) -> list[str]:
        """The axes of a state."""
        return [self.history(self.memory[name])[1:-1].rstrip(",")]

    def factor(self, leaf: Timed) -> str:
        """The array of a factor, for one block of steps."""
        name = self.names.named(leaf, self.wish(leaf))
        return self.field(name, self.new_array(f"(block, B, {self.dim(leaf.shape[0])})"))

    def member_bar(self, leaf: Adjoint, stack: Stack) -> str:
        """The adjoint of a member of a stack, within the array of the whole."""
        k = next(k for k, m in enumerate(stack.members) if m.target == leaf.of)
        return self.part(self.bars(stack), Gates(stack, k, k + 1), gate_axis=False)

    def is_within_rows(self, value: Value) -> bool:
        """Whether a value is the adjoint of one of several members of a stack, within the rows of the whole."""
        stack = self.program.stack_of(value.name) if isinstance(value, Adjoint) else None
        several = stack is not None and len(stack.members) > 1 and self.has_stacked(stack)
        return several and stack.name not in self.by_gate

    def gate_bar(self, leaf: Adjoint, stack: Stack) -> str:
        """The adjoint of a member of a stack, by itself until the step has all of them."""
        k = next(k for k, m in enumerate(stack.members) if m.target == leaf.of)
        return f"{self.gate_bars(stack)}[:, {k}]"

    def gate_bars(self, stack: Stack) -> str:
        """The adjoints of a stack gate by gate: those of one sample as they lie in their row; of more, of one step."""
        name = self.names.named((stack.name, "bars by gate"), f"{self.bar_name(stack)}_gates")
        count, n = len(stack.members), self.dim(stack.members[0].target.shape[0])
        one_step = self.new_array(f"(1, {count}, B, {n})")
        rows = f"by_gate({self.bars(stack)}, {count})"
        return self.field(name, f"{rows} if flat else {one_step}" if self.flat else one_step)

    def bars(self, stack: Stack) -> str:
        """The array of the adjoints of a stack, for a stretch or for all steps.

        Those of a stretch lie where the products before the loop were, which nothing needs any more.
        """
        name, rows = self.bar_name(stack), self.stack_rows(stack)
        begun = {
            s.target.name: s.target for s in self.program.forward["before"] if self.is_early(s)
        }
        if stack.name not in self.chunked:
            return self.field(name, self.new_array(f"(T, B, {rows})"))
        if stack.name in begun:
            return self.field(name, self.early_rows(begun[stack.name]))
        return self.field(name, self.new_array(f"(steps, B, {rows})"))

    def ref(self, value: Value) -> str:
        """An operand or target inside the loop."""
        if isinstance(value, Made) and value.vector is not None:
            return self.view(self.bars(value.stack), f"{self.bar_name(value.stack)}_t")
        return super().ref(value)

    def of_block(self, value: Value) -> str:
        """An operand or target of a block: the steps first ≤ t < last of a sequence, or an array for one block."""
        if isinstance(value, Gates):
            gates, span = self.gates_of(value), self.kept_span(value, "first", "last")
            if "[:, " in gates:
                return gates.replace("[:, ", f"[{span}, ")
            return f"{gates}[{span}]"
        if isinstance(value, Timed):
            if value in self.many:
                return f"{self.factor(value)}[:count]"
            if self.is_scratch(value):
                name = self.names.named((value, "many"), f"many_{value.name.removeprefix('·m')}")
                self.field(name, self.new_array(f"(block, B, {self.dim(value.shape[0])})"))
                return f"{name}[:count]"
            return f"{self.whole_code(value)}[{self.kept_span(value, 'first', 'last')}]"
        if isinstance(value, MatrixExpr):
            return self.names.of(value)
        return self.number(value)

    def in_rows(self, value: InRows) -> str:
        """The adjoints of a stack at this step, in rows, seen gate by gate."""
        stack = value.stack
        rows = f"by_gate({self.bars(stack)}, {len(stack.members)})"
        return self.view(rows, f"{self.bar_name(stack)}_rows_t")

    def line(self, op: Op) -> list[str]:
        """An operation as code."""
        if op.function != "in_rows":
            return super().line(op)
        gates = self.gate_bars(op.target.stack)
        made = self.names.named((gates, "step"), f"{gates}_t")
        self.field(made, f"{gates}[0]")
        return self.unless_flat(f"{self.in_rows(op.target)}[...] = {made}  # in rows")

    def layout_notes(self) -> list[Note]:
        """What was done to lay out adjoints."""
        looped = [stack for stack in self.looped if stack.name in self.by_gate]
        why = "adjoints are made gate by gate, and one copy then puts them into the rows that products take"
        return [Note("in rows", tuple(looped), why)] if looped else []

    def gathered(self, ops: list[Op]) -> list[Op]:
        """The operations, adjoints computed gate by gate and put into rows once all of a step's are there.

        Law: the same values. NumPy takes four times as long for a gate that it sees within rows.
        """
        out = list(ops)
        for stack in self.looped:
            if self.lies_by_gate(stack) and self.has_stacked(stack):
                last = self._complete(stack, out)
                if last is not None:
                    out.insert(last + 1, Op("in_rows", InRows(stack), ()))
                    self.by_gate |= {stack.name}
        return out

    def _complete(self, stack: Stack, ops: list[Op]) -> int | None:
        """The operation after which a stack's adjoints are there; none if the loop does not make all of them anew."""
        bars = {Adjoint(m.target) for m in stack.members}
        known: set[Value] = set()
        last = None
        for k, op in enumerate(ops):
            if any(isinstance(a, Made) and a.stack == stack for a in op.args):
                return last if known == bars and not bars & {o.target for o in ops[k:]} else None
            if any(a in bars - known for a in op.args):
                return None
            if op.target in bars:
                known.add(op.target)
                last = k
        return last if known == bars else None


def adjoints_of(s: Statement):
    """The adjoints that a statement reads, those of whole stacks included."""
    yield from (v for v in all_leaves(s.value) if isinstance(v, Adjoint))
    parts = s.value if isinstance(s.value, tuple) else (s.value,)
    for part in parts:
        if isinstance(part, StackSum | StackTerm):
            yield from (Adjoint(m.target) for m in part.stack.members)
