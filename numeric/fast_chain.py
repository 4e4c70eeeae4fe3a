"""The backward steps of one sample in a fast file, each as one product: the text of what ``chains`` finds."""

from __future__ import annotations

import re
from functools import cached_property

from sympy import S
from sympy.matrices.expressions import MatrixExpr

from derive.expressions import Adjoint, LossGradient, has_time, is_scalar
from numeric.chain_rows import ChainRows, sources
from numeric.chains import Form, Word, is_known, is_part
from numeric.long_lines import broken
from numeric.operations import Gates, Op, Value, shape_of
from numeric.program import Note

WHY = (
    "the adjoints that one sample hands from step to step are one row, and a step is its product with the step's "
    "Jacobian, which is made for a block of steps at once if it is small; everything else follows for all of them"
)


class Chained(ChainRows):
    """Writes the backward steps of one sample as products."""

    def chain_lines(self) -> list[str]:
        """The steps of a block, from the last to the first."""
        kept, self.lines = self.lines, []
        self.chain_arrays()
        self.write_operations(self.chain.known)
        for k, (_, forms) in enumerate(self.chain_products()):
            self.write_matrix(k, forms)
        self.write_given()
        self.write_chain()
        self.write_operations(self.chain.replay)
        lines, self.lines = self.lines, kept
        return lines

    def write_matrix(self, k: int, forms: dict[Value, Form]) -> None:
        """The matrices of a product for a block of steps: for each part of the row factors by weights."""
        for source in sources(forms):
            mine = {goal: [w for w in form if w.source == source] for goal, form in forms.items()}
            self.write_part(k, source, mine)

    def write_part(self, k: int, source: Value, forms: dict[Value, list[Word]]) -> None:
        """The rows of one part."""
        entries = columns_of(forms)
        n = self.dim(shape_of(source)[0])
        factors, table = (self.called_with(source, k, what) for what in ("factors", "weights"))
        self.field(factors, f"aligned(({n}, {len(entries)}, chain), dtype)")
        inner = k < len(self.chain.nodes)
        width = self.dim(sum(shape_of(goal)[0] for goal in forms))
        ones = []
        for e, (words, goals) in enumerate(entries):
            self.write_factors(words, f"{factors}[:, {e}, :count]")
            for goal, weight in goals:
                low, high = ("0", "") if inner else self.columns[goal]
                if weight is None:
                    ones.append(f"({e}, {low})")
                else:
                    part = f"{table}[:, {e}]" if inner else f"{table}[:, {e}, {low}:{high}]"
                    self.weights_of_chain[part] = self.rows_of(weight)
        rows, units = f"{n} * self.chained", ", ".join(ones)
        self.field(table, f"unit_rows({rows}, {len(entries)}, {width}, [{units}], dtype)")
        here = ":".join(self.columns[source])
        self.write(
            f"weighted({factors}[:, :, :count], {table}, {self.matrices(k)}[:count, {here}])"
        )

    @cached_property
    def weights_of_chain(self) -> dict[str, str]:
        """What the tables of weights are filled with in every run."""
        return {}

    def chain_weights(self) -> None:
        """Fills the tables of weights."""
        if self.chain:
            self.write("if ws.chained:")
            for part, rows in self.weights_of_chain.items():
                self.write(f"{part} = {rows}", indent=2)

    def rows_of(self, weight) -> str:
        """The rows of a stacked matrix that belong to a member."""
        whole = self.back_weight(weight.stack, weight.vector)
        sizes = [m.target.shape[0] for m in weight.stack.members]
        low, high = sum(sizes[: weight.member]), sum(sizes[: weight.member + 1])
        return (
            whole if len(sizes) == 1 else f"{whole}[{self.dim(low) if low else 0}:{self.dim(high)}]"
        )

    def write_factors(self, words: tuple[tuple[Value, bool], ...], out: str) -> None:
        """The product of factors, turned: for every entry of a row its values at all steps."""
        if not words:
            self.write(f"{out} = 1")
            return
        ordered = sorted(words, key=lambda f: (f[1], not isinstance(f[0], MatrixExpr | Gates)))
        (first, inverse), *rest = ordered
        if inverse:
            rest, first = ordered, S.One
        if not rest:
            self.write(f"{out} = {self.turned(first)}")
            return
        now = self.turned(first)
        for factor, divided in rest:
            call = self.ufunc("divide" if divided else "multiply")
            self.write(f"{call}({now}, {self.turned(factor)}, {out})")
            now = out

    def turned(self, value: Value) -> str:
        """A known factor of a block, entries in front of steps."""
        code = self.block_ref(value)
        timed = isinstance(value, Gates) or (isinstance(value, MatrixExpr) and has_time(value))
        if timed:
            return f"{code[:-1]}, 0].T"
        is_vector = isinstance(value, MatrixExpr) and not is_scalar(value)
        return f"{code}[:, None]" if is_vector else code

    def write_given(self) -> None:
        """What the loss adds, as the last row of every matrix, and the row after the last step."""
        jacobians, one = self.matrices(len(self.chain.nodes)), self.width()
        for bar in self.chain.handed:
            cut, text = self.cut(bar), self.memory_bar(bar)
            if bar.name not in self.carried:
                store = self.names.storage(bar)
                self.write(f"{jacobians}[:count, {one}, {cut}] = {store}[first:last, 0]")
                self.write(f"{self.rows_bar}[count, 0, {cut}] = {store}[last, 0]")
                continue
            self.write(f"{self.rows_bar}[count, 0, {cut}] = {text}")
            if bar.name not in {q.name for q in self.cell.outputs}:
                continue
            whole = self.names.of(LossGradient(bar.of))
            self.write(f"{jacobians}[:count, {one}, {cut}] = 0")
            self.write(f"if {whole} is not None:")
            self.write(f"{self.rows_bar}[count, 0, {cut}] += {whole}[last - 1, 0]", indent=2)
            self.write(f"{jacobians}[1:count, {one}, {cut}] = {whole}[first:last - 1, 0]", indent=2)

    def write_chain(self) -> None:
        """The loop, and what it hands on."""
        calls, names = [], []
        for k in range(len(self.chain.nodes) + 1):
            last = k == len(self.chain.nodes)
            number = "" if last else f"_{k + 1}"
            row, times, before = (
                self.names.named(("chain", wish, k), f"{wish}{number}")
                for wish in ("row", "times", "row_before")
            )
            goal = before if last else self.called([*self.chain.nodes][k])
            names += [row, times, goal]
            calls.append(f"{times}({row}, {goal})")
        self.write(f"for {', '.join(names)} in ws.chain[:count][::-1]:")
        for call in calls:
            self.write(call, indent=2)
        for bar in self.chain.handed:
            rows = f"{self.rows_bar}[{{}}, {self.cut(bar)}]"
            if bar.name in self.carried:
                self.write(f"{self.memory_bar(bar)}[...] = {rows.format('0, 0')}")
            else:
                store = self.names.storage(bar)
                self.write(f"{store}[first:last] = {rows.format(':count, :')}")

    def write_operations(self, ops: tuple[Op, ...]) -> None:
        """What the steps compute besides, for all of them at once."""
        kept, self.ref = self.ref, self.block_ref
        for line in (line for op in ops for line in self.line(op)):
            self.lines += broken("    " + line)
        self.ref = kept

    def block_ref(self, value: Value) -> str:
        """An operand or target for a block of steps."""
        if value in self.columns:
            return f"{self.rows_bar}[1 : count + 1, :, {self.cut(value)}]"
        if is_part(value) or is_known(value):
            name = self.names.named((value, "chain"), re.sub(r"\W+", "_", value.name[1:]))
            self.field(name, f"aligned((chain, 1, {self.dim(value.shape[0])}), dtype)")
            return f"{name}[:count]"
        if isinstance(value, Adjoint) and has_time(value):
            return self.bar_of_block(value)
        return self.of_block(value)

    def bar_of_block(self, value: Adjoint) -> str:
        """The adjoints of an intermediate, where the sums after the loop read them."""
        stack = self.program.stack_of(value.name)
        if not self.has_stacked(stack):
            self.field(self.names.of(value), self.empty(value))
            return f"{self.names.of(value)}[first:last]"
        span = "first - start : last - start" if stack.name in self.chunked else "first:last"
        if stack.name in self.by_gate:
            return self.gate_bar(value, stack).replace("[:, ", f"[{span}, ")
        code, whole = self.member_bar(value, stack), self.bars(stack)
        return f"{whole}[{span}{code.removeprefix(whole).replace('[..., ', ', :, ') or ']'}"

    def chain_notes(self) -> list[Note]:
        """What was done, if anything was."""
        return (
            [Note("chained", tuple(bar.of for bar in self.chain.handed), WHY)] if self.chain else []
        )


def columns_of(
    forms: dict[Value, list[Word]],
) -> list[tuple[tuple, list[tuple[Value, object]]]]:
    """The products of factors that a part of a row is multiplied by, each with the columns and weights it is for."""
    entries: list[tuple[tuple, list[tuple[Value, object]]]] = []
    for goal, words in forms.items():
        for w in words:
            free = (
                goals
                for factors, goals in entries
                if factors == w.factors and all(g != goal for g, _ in goals)
            )
            goals = next(free, None)
            if goals is None:
                goals = []
                entries.append((w.factors, goals))
            goals.append((goal, w.weight))
    return entries
