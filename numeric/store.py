"""Where the values of a fast program lie: arrays of a workspace, and what the loop sees of them at a step."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sympy.matrices.expressions import MatrixExpr

from derive.expressions import Adjoint, LossGradient, Timed, has_time, is_column
from numeric.arrays import ArrayPrinter
from numeric.body import Body, all_leaves, tuple_text
from numeric.names import Names
from numeric.operations import Gates, Made, Value, is_elementwise
from numeric.passes import FACTOR, MANY
from numeric.program import Program, Statement
from numeric.spread import trailing
from numeric.stacks import Stack


@dataclass(slots=True)
class Fields:
    """What a workspace holds for one pass.

    Args:
        arrays: the code that makes each array, by its name, in order.
        views: what the loop sees at a step: the local name by the code of the whole array.
        outside: likewise, of arrays that come from outside the workspace.
    """

    arrays: dict[str, str] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    outside: dict[str, str] = field(default_factory=dict)


class Store(Body):
    """Decides where the values of a program lie.

    Args:
        program: the program after its passes.
        names: the identifiers.
    """

    def __init__(self, program: Program, names: Names) -> None:
        super().__init__(program, names)
        self.fields = Fields()
        self.looped = tuple(
            s.target for s in program.forward["loop"] if isinstance(s.target, Stack)
        )
        self.slots = self._slots()
        self.flat = self._flat()

    # ── what lies where ─────────────────────────────────────────────────────────────────────────────

    def _slots(self) -> dict[MatrixExpr, Gates]:
        """The members of the loop's stacks, and the values that replace them once nothing else reads them."""
        found: dict[MatrixExpr, Gates] = {}
        for stack in self.looped:
            for k, m in enumerate(stack.members):
                found[m.target] = Gates(stack, k, k + 1)
                f = self._replacement(m.target)
                if f is not None:
                    found[f] = found[m.target]
        return found

    def _replacement(self, a: Timed) -> Timed | None:
        """The value that may overwrite a pre-activation: that of the one statement which reads it."""
        readers = [s for s in self.every_statement() if a in all_leaves(s.value)]
        if len(readers) != 1 or a in self.program.stored:
            return None
        s = readers[0]
        inside = s in self.program.forward["loop"] and isinstance(s.target, Timed)
        kept = inside and not s.add and s.target.name not in self.memory
        return s.target if kept and is_elementwise(s.value) and _one(s.value, a) else None

    def every_statement(self) -> list[Statement]:
        """The statements of both passes."""
        both = (self.program.forward, self.program.backward)
        return [s for part in both for statements in part.values() for s in statements]

    def _flat(self) -> bool:
        """Whether every value in the loops is a column computed entry by entry, so that one sample is a vector."""
        loops = (
            self.program.forward["loop"],
            self.program.backward["loop"],
            self.program.backward.get(MANY, []),
        )
        for s in (s for loop in loops for s in loop):
            parts = s.value if isinstance(s.value, tuple) else (s.value,)
            if not all(is_elementwise(p) for p in parts if isinstance(p, MatrixExpr)):
                return False
            if isinstance(s.target, MatrixExpr) and not is_column(s.target):
                return False
        return all(is_column(q.symbol) for q in self.memory.values())

    def is_uniform(self, stack: Stack) -> bool:
        """Whether all members have the same size, so that each gate can lie by itself."""
        return len({m.target.shape[0] for m in stack.members}) == 1

    def lies_by_gate(self, stack: Stack) -> bool:
        """Whether each of several gates lies by itself, so that those of a sample are no row."""
        return len(stack.members) > 1 and self.is_uniform(stack)

    def is_kept(self, stack: Stack) -> bool:
        """Whether any value of a stack is needed after its step."""
        return any(
            leaf in self.program.stored
            for leaf, place in self.slots.items()
            if place.stack.name == stack.name
        )

    # ── fields ──────────────────────────────────────────────────────────────────────────────────────

    def field(self, name: str, text: str) -> str:
        """An array of the workspace; its name."""
        self.fields.arrays.setdefault(name, text)
        return name

    def new_array(self, shape: str) -> str:
        """A new array of the workspace."""
        return f"aligned({shape}, dtype)"

    def view(self, whole: str, wish: str, *, outside: bool = False) -> str:
        """The local name of an array's part at a step."""
        table = self.fields.outside if outside else self.fields.views
        if whole not in table:
            table[whole] = self.names.named(("view", whole), wish)
        return table[whole]

    def number(self, c: object) -> str:
        """The name of a number, which the workspace holds in the right precision."""
        text = self.plain_number(c)
        name = self.names.named(("number", text), self.number_wish(text))
        return self.field(name, f"np.asarray({text}, dtype)")

    def plain_number(self, c: object) -> str:
        """A number as code."""
        return ArrayPrinter(self.names.of, self.dim).number(c)

    def number_wish(self, text: str) -> str:
        """What a number is called."""
        known = {"0.5": "half", "1.0": "one", "2.0": "two", "-1.0": "minus_one"}
        return known.get(
            text, "number_" + re.sub(r"\W+", "_", text.replace("-", "minus_")).strip("_")
        )

    def scratch(self, key: object, wish: str, shape: list[str]) -> str:
        """An array that every step writes anew."""
        name = self.names.named(key, wish)
        whole = self.new_array(tuple_text(shape))
        return self.field(name, f"flattened({whole}, flat)" if self.flat else whole)

    def gates_name(self, stack: Stack) -> str:
        """The array of the members of a stack: (T, gates, B, n), or (T, B, rows) where sizes differ."""
        name = self.names.named((stack.name, "gates"), f"gates_{stack.suffix}")
        steps = "T" if self.is_kept(stack) else "1"
        if self.is_uniform(stack):
            n = self.dim(stack.members[0].target.shape[0])
            return self.field(name, self.new_array(f"({steps}, {len(stack.members)}, B, {n})"))
        return self.field(name, self.new_array(f"({steps}, B, {self.stack_rows(stack)})"))

    def gates_of(self, place: Gates) -> str:
        """The code of some members of a stack, for all steps."""
        return self.part(self.gates_name(place.stack), place, gate_axis=True)

    def kept_span(self, value: Value, first: str, last: str) -> str:
        """The steps first ≤ t < last within the array of a kept value."""
        return f"{first}:{last}"

    def part(self, array: str, place: Gates, *, gate_axis: bool) -> str:
        """The part of an array that holds these members, which lie by gate or in one row."""
        stack, first, stop = place.stack, place.first, place.stop
        if gate_axis and self.is_uniform(stack):
            if (first, stop) == (0, len(stack.members)) and stop > 1:
                return array
            return f"{array}[:, {first}]" if stop == first + 1 else f"{array}[:, {first}:{stop}]"
        rows = [m.target.shape[0] for m in stack.members]
        if (first, stop) == (0, len(rows)):
            return array
        return f"{array}[..., {self.dim(sum(rows[:first]))}:{self.dim(sum(rows[:stop]))}]"

    def whole_array(self, leaf: MatrixExpr) -> str:
        """The code of a sequence that the workspace holds, for all steps."""
        if leaf.name in self.memory:
            q = self.memory[leaf.name]
            store = self.field(
                self.names.storage(leaf), self.new_array(self.whole_shape(leaf, q.depth))
            )
            stop = f":{-leaf.lag}" if leaf.lag else ":"
            return f"{store}[{q.depth - leaf.lag or ''}{stop}]"
        if leaf in self.slots:
            return self.gates_of(self.slots[leaf])
        return self.field(self.names.of(leaf), self.empty(leaf))

    def whole_code(self, leaf: Timed) -> str:
        """The code of a stored sequence."""
        return self.whole(leaf) if self.from_outside(leaf) else self.whole_array(leaf)

    def at_step(self, leaf: MatrixExpr) -> str:
        """A leaf inside a loop over time."""
        if not has_time(leaf):
            return self.names.of(leaf)
        if isinstance(leaf, Timed) and self.from_outside(leaf):
            return self.view(self.whole(leaf), f"{self.whole(leaf)}_t", outside=True)
        if leaf in self.slots or leaf.name in self.memory or leaf.at(0) in self.program.stored:
            return self.view(self.whole_array(leaf), f"{self.wish(leaf)}_t")
        return self.scratch(leaf, self.wish(leaf), ["B", *trailing(leaf, self.dim)])

    def from_outside(self, leaf: Timed) -> bool:
        """Whether a sequence is an argument, or computed before the loop."""
        if leaf.name in self.memory:
            return False
        return leaf.name in self.loose or any(q.name == leaf.name for q in self.cell.inputs)

    @property
    def loose(self) -> frozenset[str]:
        """The names of what is computed before or after the loop, outside the workspace."""
        found: set[str] = set()
        for s in (*self.program.forward["before"], *self.program.forward["after"]):
            if isinstance(s.target, Stack):
                found |= (
                    set() if s.target in self.looped else {m.target.name for m in s.target.members}
                )
            else:
                found.add(s.target.name)
        return frozenset(found)

    def wish(self, leaf: MatrixExpr) -> str:
        """How a value is called in the loop."""
        if leaf.name.startswith("·"):
            return "r" + re.sub(r"\W+", "_", leaf.name[1:])
        if leaf.name.startswith(FACTOR):
            return re.sub(r"\W+", "_", leaf.name[1:])
        return self.names.lagged(leaf, leaf.lag) if isinstance(leaf, Timed) else self.names.of(leaf)

    def place(self, leaf: MatrixExpr) -> Value:
        """Where the value of a leaf lies."""
        return self.slots.get(leaf, leaf)

    # ── values in the loop ──────────────────────────────────────────────────────────────────────────

    def ref(self, value: Value) -> str:
        """An operand or target inside the loop."""
        if isinstance(value, Gates):
            leaf = next((v for v in reversed(self.slots) if self.slots[v] == value), None)
            wish = self.names.of(leaf) if leaf else self.wish_of(value)
            return self.view(self.gates_of(value), f"{wish}_t")
        if isinstance(value, Made):
            return self.made(value)
        if isinstance(value, MatrixExpr):
            return self.at_step(value)
        return self.number(value)

    def wish_of(self, place: Gates) -> str:
        """A name for several members: from what replaces them."""
        members = range(place.first, place.stop)
        leaf = {p.first: v for v, p in self.slots.items() if p.stack == place.stack}
        return "".join(self.names.of(leaf[k]).removeprefix("a_") for k in members)[:12]

    def made(self, value: Made) -> str:
        """A stack's product, seen gate by gate."""
        stack = value.stack
        wide = self.lies_by_gate(stack)
        if value.vector is None:
            whole = self.early_rows(stack)
            whole = f"by_gate({whole}, {len(stack.members)})" if wide else whole
            return self.view(whole, f"{self.early_name(stack)}_t")
        product = self.product_name(value)
        return self.seen_by_gate(product, stack) if wide else product

    def seen_by_gate(self, row: str, stack: Stack) -> str:
        """The array of a step in which every sample's gates are a row, seen gate by gate."""
        name = self.names.named((row, "by gate"), f"{row}_gates")
        whole = f"np.atleast_2d({row})" if self.flat else row
        text = f"by_gate({whole}, {len(stack.members)})"
        return self.field(name, f"flattened({text}, flat)" if self.flat else text)

    def product_name(self, value: Made) -> str:
        """The array of a stack's product, samples in rows."""
        key = (value.stack.name, value.vector, "product")
        return self.scratch(
            key, f"product_{value.stack.suffix}", ["B", self.stack_rows(value.stack)]
        )

    def early_rows(self, stack: Stack) -> str:
        """The same by step and sample, a sample's gates in one row."""
        return f"{self.early_name(stack)}.reshape(steps, B, {self.stack_rows(stack)})"

    def early_name(self, stack: Stack) -> str:
        """The products that were made before the loop, for one stretch of steps."""
        name = self.names.named((stack.name, "early"), f"early_{stack.suffix}")
        return self.field(name, self.new_array(f"(steps * B, {self.stack_rows(stack)})"))


def _one(expr: MatrixExpr, a: Timed) -> bool:
    """Whether this is a function of the one value, so that it may overwrite it."""
    return sum(v == a for v in all_leaves(expr)) == 1 and not any(
        isinstance(v, Adjoint | LossGradient) or (has_time(v) and v != a) for v in all_leaves(expr)
    )
