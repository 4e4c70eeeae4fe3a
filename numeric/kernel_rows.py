"""What a compiled loop sees of the workspace: the row of a sample of every operand, and numbers in its precision."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sympy.matrices.expressions import MatrixExpr

from derive.expressions import Timed, has_time
from numeric.loops import Loops
from numeric.operations import Bias, Gates, Made, Value
from numeric.spread import trailing


@dataclass(slots=True)
class Kernel:
    """One compiled function.

    Args:
        name: what it is called.
        rows: the rows of a sample that it reads or writes: their code by name.
        numbers: the constants it uses: their code by name.
        lines: its loops.
    """

    name: str
    rows: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


class Rows(Loops):
    """Decides how a compiled loop sees a sample's row of each value."""

    kind = "forward"

    def __init__(self, *args) -> None:
        self.kernels: list[str] = []
        self.functions: set[str] = set()
        self.outside_arrays: set[str] = set()
        self.statics: dict[str, str] = {}
        self.multiplied: list[str] = []
        self.weight_lines: list[str] = []
        super().__init__(*args)

    def _flat(self) -> bool:
        """Every array keeps its axis of samples."""
        return False

    def is_uniform(self, stack) -> bool:
        """Every sample's gates lie in one row."""
        return False

    def every_array(self) -> list[str]:
        """The arrays of the workspace."""
        return list(self.fields.arrays)

    def arrays_in(self, body: str) -> list[str]:
        """The arrays that a part of the code reads, in order."""
        words = dict.fromkeys(re.findall(r"[^\W\d]\w*", body))
        known = {*self.every_array(), *self.outside_arrays}
        return [w for w in words if w in known]

    def row(self, value: Value) -> str:
        """The name of a sample's row of an operand."""
        code = self.row_code(value)
        if re.fullmatch(r"\w+", code):
            return code
        name = self.names.named((self.kind, "row", code), self.row_wish(value))
        self.kernel.rows[name] = code
        return name

    def row_wish(self, value: Value) -> str:
        """How a row is called."""
        if isinstance(value, Gates):
            leaf = next((v for v in reversed(self.slots) if self.slots[v] == value), None)
            return f"{self.names.of(leaf) if leaf else self.wish_of(value)}_row"
        if isinstance(value, Made | Bias):
            return f"{value.stack.suffix}_row"
        return f"{self.wish(value)}_row"

    def row_code(self, value: Value) -> str:
        """A sample's row of an operand at step t."""
        if isinstance(value, Gates):
            t = "t" if self.is_kept(value.stack) else "0"
            return f"{self.gates_name(value.stack)}[{t}, b]{self.cut(value)}"
        if isinstance(value, Bias):
            return f"{self.bias(value.stack)}[0]"
        if isinstance(value, Made):
            if value.vector is None:
                return f"{self.early_name(value.stack)}[(t - start) * B + b]"
            return f"{self.product_name(value)}[b]"
        return self.leaf_row(value)

    def leaf_row(self, leaf: MatrixExpr) -> str:
        """A sample's row of a leaf at step t."""
        if not has_time(leaf):
            return self.static_row(leaf)
        if isinstance(leaf, Timed) and self.from_outside(leaf):
            self.outside_arrays.add(self.whole(leaf))
            return f"{self.whole(leaf)}[t, b]"
        if leaf.name in self.memory:
            self.whole_array(leaf)
            shift = self.memory[leaf.name].depth - leaf.lag
            return f"{self.names.storage(leaf)}[t{f' + {shift}' if shift else ''}, b]"
        if isinstance(leaf, Timed) and leaf in self.slots:
            return self.row_code(self.slots[leaf])
        if leaf.at(0) in self.program.stored:
            return f"{self.whole_array(leaf)}[t, b]"
        return f"{self.scratch(leaf, self.wish(leaf), self.axes_of(leaf))}[b]"

    def axes_of(self, leaf: MatrixExpr) -> list[str]:
        """The axes of a value of one step."""
        return ["B", *trailing(leaf, self.dim)]

    def static_row(self, leaf: MatrixExpr) -> str:
        """A parameter or constant that is a column, as an array of its own."""
        name = self.names.named((leaf, "row"), f"{self.names.of(leaf)}_row")
        self.statics[name] = self.names.of(leaf)
        self.outside_arrays.add(name)
        return name

    def cut(self, place: Gates) -> str:
        """The members of a stack within its row."""
        rows = [m.target.shape[0] for m in place.stack.members]
        if (place.first, place.stop) == (0, len(rows)):
            return ""
        return f"[{self.dim(sum(rows[: place.first]))}:{self.dim(sum(rows[: place.stop]))}]"

    def view_at(self, value: Value) -> str:
        """An operand at step t, all samples."""
        if isinstance(value, MatrixExpr) and not has_time(value):
            return self.names.of(value)
        code = self.row_code(value)
        head, _, cut = code.partition(", b]")
        if cut or code.endswith(", b]"):
            return f"{head}]" + (f"[..., {cut[1:]}" if cut else "")
        return code.removesuffix("[b]")

    def constant(self, c: object, exponent: bool) -> str:
        """A number in the precision of the arrays."""
        if exponent:
            return str(int(c))
        text = self.plain_number(c)
        name = self.names.named(("compiled number", text), self.number_wish(text))
        self.kernel.numbers[name] = f"{self.like()}.dtype.type({text})"
        return name

    def like(self) -> str:
        """An array whose precision numbers take."""
        q = next(iter(self.memory.values()))
        self.whole_array(q.symbol)
        return self.names.storage(q.symbol)

    def scalar(self, value: Value, k: int = 0) -> str:
        """The name of the k-th number that an entry of a value is within a loop."""
        wish = self.row_wish(value).removesuffix("_row")
        return self.names.named((value, "scalar", k), f"{wish}_j")

    def is_fleeting(self, value: Value) -> bool:
        """Whether only the operations of one step see a value, whatever it is called."""
        if self.is_scratch(value):
            return True
        if not isinstance(value, Timed) or value.name in self.memory or value in self.slots:
            return False
        return not self.from_outside(value) and value.at(0) not in self.program.stored
