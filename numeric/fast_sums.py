"""The gradients of a fast file that are sums over time, a stretch of steps after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from sympy.matrices.expressions import MatrixExpr

from derive.cell import Quantity
from derive.expressions import Adjoint, Timed, add, has_time, is_scalar, terms
from derive.nodes import is_timed
from numeric.fast_together import InOneCall
from numeric.program import StackSum, Statement
from numeric.stacks import Stack

_PRODUCT = re.compile(r"outer_(sum|over_steps)\(\w+, \w+\)")


class Sums(InOneCall):
    """Writes sums over time, and the results."""

    add_sum = "add_sum"
    """The function that adds the vectors of a stretch to a total."""

    kept_gradients: list[str]
    """The gradients by the parameters as entries of a dict, if all of them are parts of the workspace."""

    def back_weight(self, stack: Stack, vector: Timed) -> str:
        """The stacked matrix by which a stack's adjoints are multiplied."""
        wish = f"{self.base(stack, vector)}_{stack.suffix}"
        name = self.names.named((stack.name, vector, "back"), wish)
        self.back_weights[name] = (stack, vector)
        shape = f"({self.stack_rows(stack)}, {self.dim(vector.shape[0])})"
        return self.field(name, self.new_array(shape))

    @property
    def back_weights(self) -> dict[str, tuple[Stack, Timed]]:
        """The stacked matrices that are used so far."""
        return self.__dict__.setdefault("_back", {})

    def backward_weights(self) -> None:
        """Writes the stacked matrices."""
        for name, (stack, vector) in self.back_weights.items():
            parts = ", ".join(self.static(p) for p in stack.matrices(vector))
            if len(stack.members) == 1:
                self.write(f"{name}[...] = {parts}")
            else:
                self.write(f"np.concatenate(({parts}), out={name})")

    def static(self, expr: MatrixExpr) -> str:
        """A parameter's expression as code."""
        return self.printer(whole=True)(expr)

    def stretch_sum(self, s: Statement) -> None:
        """What a stretch adds to the gradients of a stack, or its inputs' adjoints."""
        if not isinstance(s.value, StackSum):
            self.input_bars(s)
            return
        stack, vector = s.value.stack, s.value.vector
        total, bar = self.sum_name(s.value), f"{self.bars(stack)}[{self.span(stack)}]"
        note = "  # " + ", ".join(f"({self.number_of(lhs)})" for lhs in s.target)
        if vector is None:
            self.field(total, self.new_array(self.stack_rows(stack)))
            self.write(f"{self.add_sum}({total}, {bar}, stop == T){note}", indent=2)
            return
        right = f"{self.whole_code(vector)}[{self.kept_span(vector, 'start', 'stop')}]"
        shape = f"({self.stack_rows(stack)}, {self.dim(vector.shape[0])})"
        self.field(total, self.new_array(shape))
        function = "add_scattered" if vector.name in self.indices else "add_outer"
        self.write(f"{function}({total}, {bar}, {right}, stop == T){note}", indent=2)

    def sum_name(self, value: StackSum) -> str:
        """The array of a stack's gradient."""
        stack, vector = value.stack, value.vector
        wish = f"{self.base(stack, vector)}_{stack.suffix}_bar"
        return self.names.named((stack.name, vector, "sum"), wish)

    def input_bars(self, s: Statement) -> None:
        """The adjoints of an input over a stretch."""
        name = self.names.of(s.target)
        self.field(name, self.empty(s.target))
        note = f"  # ({s.number})" if s.number else ""
        for k, term in enumerate(s.value):
            product = f"as_rows({self.bars(term.stack)}[{self.span(term.stack)}])"
            weight = self.back_weight(term.stack, term.vector)
            if k == 0:
                out = f"as_rows({name}[start:stop])"
                self.write(f"{product}.dot({weight}, {out}){note}", indent=2)
            else:
                self.write(f"as_rows({name}[start:stop])[...] += {product} @ {weight}", indent=2)

    def span(self, stack: Stack) -> str:
        """The steps of a stretch within the array of a stack's adjoints."""
        return ": stop - start" if stack.name in self.chunked else "start:stop"

    def bulk(self, s: Statement) -> None:
        """A statement for all steps, a stretch after the other."""
        name, carried = self.names.of(s.target), s.target.name in self.memory
        if not carried and not self.has_stacked(self.program.stack_of(s.target.name)):
            self.field(name, self.empty(s.target))
        with self.of_a_stretch():
            value = self.value(s.value, whole=True)
        self.write_stretch(f"{name}[at] {'+=' if s.add else '='} {value}", s.number, alone=carried)

    def after(self, s: Statement) -> None:
        """Gradients of inputs for all steps, and of parameters as sums over time, stretch by stretch."""
        still = isinstance(s.value, MatrixExpr) and not is_timed(s.value)
        if still or isinstance(s.value, StackSum):
            super().after(s)
        elif self.is_held(s):
            self.bulk_sum(s, self.over_steps)
        elif has_time(s.target):
            self.bulk(s)
        else:
            self.time_sum(s)

    def time_sum(self, s: Statement) -> None:
        """A sum over time, and what is added to it once."""
        timed = [term for term in terms(s.value) if is_timed(term)]
        once = [term for term in terms(s.value) if not is_timed(term)]
        self.bulk_sum(replace(s, value=add(*timed)), self.over_time)
        if once:
            self.write(
                f"{self.names.of(s.target)} += {self.over_time(add(*once))}", number=s.number
            )

    def bulk_sum(self, s: Statement, summed: Callable[[MatrixExpr], str]) -> None:
        """A sum over time, stretch by stretch unless one product gives it without anything on the way."""
        if _PRODUCT.fullmatch(summed(s.value)):
            super().after(s)
            return
        name = self.names.of(s.target)
        self.write(f"{name} = 0")
        with self.of_a_stretch():
            value = summed(s.value)
        self.write_stretch(f"{name} += {value}", s.number, alone=True)

    def results(self) -> None:
        """The gradients, by name."""
        parts = {
            k: v for s in self.sums if isinstance(s.value, StackSum) for k, v in self.split_sum(s)
        }
        names = {q.name: self.names.of(Adjoint(q.symbol)) for q in self.cell.parameters}
        given = [q for q in self.cell.inputs if q.kind == "real"]
        params = [f'"{key}": {name}' for key, name in names.items()]
        self.kept_gradients = [
            f'"{key}": {parts[name]}' for key, name in names.items() if name in parts
        ]
        numbers = any(is_scalar(q.symbol) for q in self.cell.parameters)
        if numbers or len(self.kept_gradients) < len(params):
            self.kept_gradients = []
            for name, text in parts.items():
                self.write(f"{name} = {text}")
        inputs = [f'"{q.name}": {self.input_bar(q)}' for q in given]
        states = [f'"{q.name}": {self.state_bar(q)}' for q in self.memory.values()]
        if self.kept_gradients:
            self.write("params_bar = dict(ws.params_bar)")
        else:
            self.write_list("params_bar = {", params, "}")
        self.write_list("inputs_bar = {", inputs, "}")
        self.write_list("state_bar = {", states, "}")
        self.write("return ws.handed_out(params_bar, inputs_bar, state_bar)")

    def split_sum(self, s: Statement) -> Iterator[tuple[str, str]]:
        """The members' parts of a stack's gradient: their names and code."""
        total = self.sum_name(s.value)
        rows = [m.target.shape[0] for m in s.value.stack.members]
        for k, lhs in enumerate(s.target):
            span = f"{self.dim(sum(rows[:k]))}:{self.dim(sum(rows[: k + 1]))}"
            whole = f"{total}[{span}]" if len(s.target) > 1 else total
            yield self.names.of(lhs), f"{whole}[0]" if is_scalar(lhs) else whole

    def input_bar(self, q: Quantity) -> str:
        """The code of the gradient by an input."""
        bar = Adjoint(q.symbol)
        return (
            f"{self.names.storage(bar)}[{q.depth}:]"
            if q.name in self.memory
            else self.names.of(bar)
        )

    def state_bar(self, q: Quantity) -> str:
        """The code of the gradient by the values before the first step."""
        bar = Adjoint(q.symbol)
        if q.name in self.carried:
            return f"{self.memory_bar(bar)}.reshape{self.history(q)}.copy()"
        return f"{self.names.storage(bar)}[{'0' if q.depth == 1 else f':{q.depth}'}].copy()"
