"""The rows and matrices of a chain in a fast file: what a row holds, and what their arrays are called."""

from __future__ import annotations

from functools import cached_property

from sympy import S

from derive.expressions import Adjoint, is_scalar
from numeric.chains import Chain, Form, Word, chain_of
from numeric.fast_sums import Sums
from numeric.operations import Op, Value, shape_of


class ChainRows(Sums):
    """Decides where the rows and matrices of a chain lie.

    The rows of a block lie one after the other in ``rows_bar``: all adjoints that are handed on, the products within
    the step, and a one.
    """

    chain: Chain | None = None
    spared = 0
    """How many calls fewer a step takes as products."""

    def find_chain(self, ops: list[Op]) -> None:
        """Whether the steps are products, and which."""
        bars: dict[Value, Value] = {}
        for q in self.memory.values():
            bar = Adjoint(q.symbol)
            if q.role != "state" or q.depth != 1 or not self.flat or is_scalar(q.symbol):
                return
            bars[bar] = bar if q.name in self.carried else bar.at(1)
        self.chain = chain_of(ops, bars, self.is_kept_bar)
        if self.chain:
            calls = sum(op.function != "in_rows" for op in ops) + bool(self.carried)
            self.spared = max(0, calls - len(self.chain.nodes) - 1)

    def is_kept_bar(self, value: Value) -> bool:
        """Whether the sums after the loop read a value that the loop makes."""
        if not isinstance(value, Adjoint) or value.name in self.memory:
            return False
        return self.has_stacked(self.program.stack_of(value.name)) or value in self.program.stored

    @cached_property
    def columns(self) -> dict[Value, tuple[str, str]]:
        """The first column and the one behind the last, of every part of a row."""
        found, at = {}, S.Zero
        for value in (*self.chain.handed, *self.chain.nodes):
            rows = shape_of(value)[0]
            found[value] = (self.dim(at) if at else "0", self.dim(at + rows))
            at += rows
        return found

    def width(self, *, nodes: bool = True) -> str:
        """How many entries a row has before its one; without the products within the step."""
        values = (*self.chain.handed, *(self.chain.nodes if nodes else ()))
        return self.dim(sum(shape_of(v)[0] for v in values))

    def cut(self, value: Value) -> str:
        """The columns of a part of a row."""
        return ":".join(self.columns[value])

    @cached_property
    def rows_bar(self) -> str:
        """The array of the rows."""
        return self.names.named(("chain", "rows"), "rows_bar")

    def matrices(self, k: int) -> str:
        """The matrices of a product: those of the last one hand on."""
        if k == len(self.chain.nodes):
            return self.names.named(("chain", "matrix", k), "jacobians")
        made = self.wish_of_part([*self.chain.nodes][k])
        return self.names.named(("chain", "matrix", k), f"to_{made}")

    def chain_products(self) -> list[tuple[Value | None, dict[Value, Form]]]:
        """Every product: what it makes, and the words of each part of that."""
        inner = [(node, {node: form}) for node, form in self.chain.nodes.items()]
        return [*inner, (None, dict(self.chain.handed))]

    def size_of_matrices(self) -> str:
        """How many entries the matrices of a step have."""
        total, at = S.Zero, sum(shape_of(bar)[0] for bar in self.chain.handed)
        handed = at
        for node in self.chain.nodes:
            total += at * node.shape[0]
            at += node.shape[0]
        return self.dim(total + (at + 1) * handed)

    def chain_arrays(self) -> None:
        """The arrays of rows and matrices."""
        self.field(self.rows_bar, f"np.ones((chain + 1, 1, {self.width()} + 1), dtype)")
        for k, (node, _) in enumerate(self.chain_products()):
            shape = (
                f"({self.width()} + 1, {self.width(nodes=False)})"
                if node is None
                else f"({self.columns[node][0]}, {self.dim(node.shape[0])})"
            )
            self.field(self.matrices(k), f"np.zeros((chain, {shape[1:]}, dtype)")

    def chain_steps(self) -> list[str]:
        """What a step of the chain sees: rows, and what multiplies by a matrix."""
        rows, nodes = self.rows_bar, list(self.chain.nodes)
        columns = []
        for k, node in enumerate(nodes):
            start = self.columns[node][0]
            columns += [
                f"{rows}[1:, 0, :{start}]",
                f"multipliers({self.matrices(k)})",
                f"{rows}[1:, 0, {self.cut(node)}]",
            ]
        columns += [
            f"{rows}[1:, 0]",
            f"multipliers({self.matrices(len(nodes))})",
            f"{rows}[:-1, 0, :{self.width(nodes=False)}]",
        ]
        return columns

    def wish_of_part(self, part: Value) -> str:
        """What a part of a row is: an adjoint, or a product within the step."""
        value = self.chain.meant.get(part, part)
        return self.names.of(value) if isinstance(value, Adjoint) else "product"

    def called(self, part: Value) -> str:
        """What a part of a row is called in the loop."""
        return self.names.named(("chain", part), f"{self.wish_of_part(part)}_part")

    def called_with(self, part: Value, k: int, what: str) -> str:
        """What an array is called that belongs to a part of a row and a product."""
        every = [n for n, (_, forms) in enumerate(self.chain_products()) if part in sources(forms)]
        again = f"_{every.index(k) + 1}" if len(every) > 1 else ""
        return self.names.named(
            ("chain", what, k, part), f"{self.wish_of_part(part)}_{what}{again}"
        )


def sources(forms: dict[Value, Form] | dict[Value, list[Word]]) -> tuple[Value, ...]:
    """The parts of a row that a product reads."""
    return tuple(dict.fromkeys(w.source for form in forms.values() for w in form))
