"""A loop over time as NumPy text: views of a step from a workspace, and a line for each operation."""

from __future__ import annotations

import re

from sympy.matrices.expressions import MatrixExpr

from derive.expressions import Timed
from numeric.arrays import ArrayPrinter
from numeric.body import listed
from numeric.long_lines import broken
from numeric.names import Names
from numeric.operations import UFUNCS, Bias, InRows, Made, Op, Value
from numeric.placement import in_place, joined, shared, uncopied
from numeric.program import Note, Program
from numeric.stacks import Stack
from numeric.store import Store

NUMPY_CALLS = frozenset({"add", "subtract", "multiply", "divide", "power", *UFUNCS})


class Loops(Store):
    """Writes loops over time."""

    def __init__(self, program: Program, names: Names) -> None:
        super().__init__(program, names)
        self.ufuncs: dict[str, str] = {}
        self.named_views: set[str] = set()
        self.multipliers: dict[str, str] = {}
        self.products: dict[str, Made] = {}

    def local_names(self, text: str) -> None:
        """Local names for what of the workspace the code uses."""
        used = [a for a in self.fields.arrays if re.search(rf"\b{a}\b", text)]
        if used:
            *front, last = listed("    [", used, "] = ws.take(")
            self.lines += [*front, *listed(last, [f'"{a}"' for a in used], ")")]
        called = {f: n for f, n in self.ufuncs.items() if re.search(rf"\b{n}\b", text)}
        if called:
            names = ", ".join(called.values())
            self.write(f"{names} = {', '.join('np.' + f for f in called)}")

    def whole_names(self, wanted: list[MatrixExpr]) -> None:
        """Names for whole sequences that the workspace holds."""
        for leaf in dict.fromkeys(v for v in wanted if isinstance(v, Timed)):
            if not self.from_outside(leaf):
                line = f"{self.whole(leaf)} = {self.whole_array(leaf)}"
                self.write_name(line)

    def write_name(self, line: str) -> None:
        """Names a view, if it is not named yet; ``without_unused`` takes out those that nothing reads."""
        if "    " + line not in self.lines:
            self.named_views.add("    " + line)
            self.write(line)

    def without_unused(self, lines: list[str], rest: list[str]) -> list[str]:
        """The lines without names of views that no other line reads."""
        text = "\n".join([*lines, *rest])

        def used(line: str) -> bool:
            name = line.split(" = ")[0].strip()
            return line not in self.named_views or len(re.findall(rf"\b{name}\b", text)) > 1

        return [line for line in lines if used(line)]

    def each(self, whole: str) -> str:
        """An array from outside, whose parts are what the loop sees of it."""
        return f"flattened({whole}, ws.flat)" if self.flat else whole

    def write_loop(self, depth: int, names: list[str], steps: str, columns: dict[str, str]) -> None:
        """``for (views of the workspace), (views of other arrays) in zip(…):``"""
        if not names and not columns:
            self.write("for _ in range(T):", indent=depth)
            return
        sources = [steps] * bool(names) + list(columns.values())
        others = "".join(f", {c}" for c in columns)
        items = names if len(names) > 1 else [f"{names[0]},"] if names else []
        head = (
            listed("    " * depth + "for (", items, f"){others} in")
            if names
            else [f"{'    ' * depth}for {others[2:]} in"]
        )
        if len(sources) == 1:
            self.lines += [*head[:-1], f"{head[-1]} {sources[0]}:"]
            return
        self.lines += [*head[:-1], *listed(f"{head[-1]} zip(", [*sources, "strict=True"], "):")]

    def placed(self, ops: list[Op]) -> list[Op]:
        """The operations with their results where they cost least."""
        return shared(joined(uncopied(in_place(ops, self.is_scratch))), self.is_scratch)

    def is_scratch(self, value: Value) -> bool:
        """Whether only the operations of one step see a value."""
        return isinstance(value, Timed) and value.name.startswith("·")

    def ref(self, value: Value) -> str:
        """An operand or target inside the loop."""
        if isinstance(value, Bias):
            return self.bias(value.stack)
        if isinstance(value, InRows):
            return self.in_rows(value)
        return super().ref(value)

    def bias(self, stack: Stack) -> str:
        """The stacked bias as it is added: one row, as products are, until the gates lie by themselves."""
        row = self.names.named((stack.name, "bias row"), f"b_{stack.suffix}")
        self.field(row, self.new_array(f"(1, {self.stack_rows(stack)})"))
        if not self.flat:
            return row
        name = self.names.named((row, "added"), f"{row}_row")
        return self.field(name, f"flattened({row}, flat)")

    def in_rows(self, value: InRows) -> str:
        """A part of a stack's sum, or the whole, a sample's gates in one row."""
        stack, part = value.stack, value.part
        if isinstance(part, Bias):
            return self.bias(stack)
        if part is not None and part.vector is not None:
            return self.product_name(part)
        if part is not None:
            return self.view(self.early_rows(stack), f"{self.early_name(stack)}_t")
        return self.sum_row(stack)

    def sum_row(self, stack: Stack) -> str:
        """A stack's sum: the gates of one sample as they lie, which are a row; of more, where a product was."""
        product = self.product_name(self.products[stack.name])
        if not self.flat:
            return product
        name = self.names.named((stack.name, "sum"), f"sum_{stack.suffix}")
        gates = f"{self.gates_name(stack)}.reshape(-1, 1, {self.stack_rows(stack)})"
        self.field(name, f"{gates} if flat else {product}[None]")
        return self.view(name, f"{name}_t")

    def line(self, op: Op) -> list[str]:
        """An operation as code."""
        note = f"  # {', '.join(f'({k})' for k in op.numbers)}" if op.numbers else ""
        if op.function == "formula":
            printer = ArrayPrinter(
                lambda v: self.ref(self.place(v)), self.dim, indices=self.indices
            )
            return broken(f"{self.ref(op.target)}[...] = {printer(op.args[0])}", note)
        target = (
            self.product_name(op.target) if isinstance(op.target, Made) else self.ref(op.target)
        )
        args = [self.ref(a) for a in op.args]
        if op.function == "dot":
            times = self.multiplier(self.step_name(op.target.stack, op.target.vector))
            return [f"{times}({args[0]}, {target}){note}"]
        if op.function == "copy":
            return [f"{target}[...] = {args[0]}{note}"]
        if op.function == "by_gate":
            stack = op.args[0].stack
            product = self.product_name(self.products[stack.name])
            rows = self.seen_by_gate(product, stack)
            return self.unless_flat(f"{target}[...] = {rows}  # by gate")
        if op.function in NUMPY_CALLS:
            return [f"{self.ufunc(op.function)}({', '.join([*args, target])}){note}"]
        return [f"{target}[...] = {op.function}({args[0]}){note}"]

    def unless_flat(self, line: str) -> list[str]:
        """A line for more samples than one: one sample's row of gates is its gates one after the other."""
        return ["if not ws.flat:", f"    {line}"] if self.flat else [line]

    def tag(self, *names: str) -> str:
        """The names of these passes, of those that did anything."""
        did = {note.name for note in self.program.notes}
        return ", ".join(name for name in names if name in did)

    def write_tag(self, depth: int, *names: str) -> None:
        """A comment that names the passes of which the result follows."""
        if self.tag(*names):
            self.write(f"# {self.tag(*names)}", indent=depth)

    def layout_notes(self) -> list[Note]:
        """What was done to lay out gates."""
        looped = [stack for stack in self.looped if stack.name in self.products]
        why = (
            "products are added in the rows in which they come, and one copy then puts each gate where it is whole: "
            "NumPy takes several times as long for gates within rows"
        )
        return [Note("by gate", tuple(looped), why)] if looped else []

    def multiplier(self, weight: str) -> str:
        """The function that multiplies the vectors of a step by a matrix, made before the loop."""
        name = self.names.named(("times", weight), f"times_{weight}")
        made = f"multiplier({weight}, B, PIECE_SIZE)"
        self.multipliers[name] = f"{weight}.T.dot if ws.flat else {made}" if self.flat else made
        return name

    def made_multipliers(self) -> list[str]:
        """The lines that make these functions."""
        lines = [f"{name} = {made}" for name, made in self.multipliers.items()]
        self.multipliers = {}
        return lines

    def ufunc(self, name: str) -> str:
        """A local name for a ufunc: looked up once, not at every step."""
        return self.ufuncs.setdefault(name, self.names.named(("ufunc", name), name))
