"""The backward pass of a program, line by line, as NumPy."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sympy import Expr
from sympy.matrices.expressions import MatMul, MatrixExpr, MatrixSymbol, Transpose

from derive.cell import Quantity
from derive.expressions import (
    Adjoint,
    LossGradient,
    add,
    has_time,
    is_column,
    is_scalar,
    is_timed,
    matmul,
    operands,
    scale,
    split_coefficient,
    terms,
    zeros_like,
)
from derive.still import taken_out
from numeric.arrays import ArrayPrinter
from numeric.body import Body, all_leaves, lags_read, tuple_text
from numeric.forward_pass import Forward
from numeric.program import StackSum, StackTerm, Statement
from numeric.spread import trailing
from numeric.stacks import Stack

_SIGNATURE = '''def backward(
    params: Arrays, cache: Arrays, outputs_bar: Arrays, final_bar: Arrays | None = None
) -> tuple[Arrays, Arrays, Arrays]:
    """Gradients of everything, given those of the outputs.

    Args:
        params: as given to forward.
        cache: as returned by forward.
        outputs_bar: the loss's gradients by the outputs, (T, B, …); zero for what is left out.
        final_bar: the loss's gradients by the final state, as they come from a later stretch of the same
            sequence; zero for what is left out.

    Returns:
        The gradients by the parameters, by the inputs, and by the values before the first step.
    """'''


class Backward(Body):
    """Writes the backward pass."""

    def text(self, forward: Forward) -> str:
        """The whole function."""
        self.statements()
        computing, self.lines = [*self.settle(self.lines), *self.lines], []
        self.arguments(forward, "\n".join(computing))
        arguments, self.lines = self.lines, []
        self.results()
        return "\n".join([_SIGNATURE, *arguments, "", *computing, "", *self.lines])

    def arguments(self, forward: Forward, computing: str) -> None:
        """Stored values, sizes, parameters and given gradients, checked."""
        cached = forward.cached()
        for key, name in cached.items():
            self.write(f'{name} = cache["{key}"]')
        skipped = {q.name for q in self.constants.values()} | self.indices
        key, name = next((k, v) for k, v in cached.items() if k not in skipped)
        depth = self.memory[key].depth if key in self.memory else 0
        self.write(
            f"T, B, dtype = {name}.shape[0]{f' - {depth}' if depth else ''}, {name}.shape[1], {name}.dtype"
        )
        lags = lags_read(self.program.backward)
        for q in self.memory.values():
            if q.name in cached:
                self.views(q.symbol, q, lags[q.name])
        for d, size in self.sizes.items():
            self.write(f"{size} = {self.size_of(d, forward, cached)}")
        self.parameters(computing)
        self.given_gradients()

    def size_of(self, d: Expr, forward: Forward, cached: dict[str, str]) -> str:
        """A size, from parameters or from stored sequences."""

        def length(q: Quantity, axis: int) -> str:
            if q.role == "parameter":
                return forward.length(q, axis)
            return f"{cached[q.name]}.shape[{axis + 2}]"

        return forward.readings[d].text(length)

    def parameters(self, computing: str) -> None:
        """The parameters, checked; those that the gradients depend on get their names."""
        names = [self.names.of(q.symbol) for q in self.cell.parameters]
        words = set(re.findall(r"\w+", computing))
        used = [name if name in words else "_" for name in names]
        if names:
            shapes = f"parameter_shapes({', '.join(self.sizes.values())})"
            self.write_list("[", used, f"] = {self.taken(shapes)}")

    def taken(self, shapes: str) -> str:
        """The code that takes the parameters, checked."""
        return f"unpacked(params, {shapes}, dtype)"

    def given_gradients(self) -> None:
        """The loss's gradients by the outputs and by the final state."""
        outputs = {q.name: self.whole_shape(q.symbol) for q in self.cell.outputs}
        loss = [self.names.of(LossGradient(q.symbol)) for q in self.cell.outputs]
        self.write_gradients("outputs_bar", loss, outputs)
        states = {q.name: self.history(q) for q in self.memory.values()}
        self.write_gradients("final_bar", [self.final_of(q) for q in self.memory.values()], states)

    def write_gradients(self, what: str, names: list[str], shapes: dict[str, str]) -> None:
        """``[names] = gradients(what, what, shapes, dtype)``"""
        head = f'[{", ".join(names)}] = gradients("{what}", {what}, {{'
        self.write_list(head, [f'"{key}": {shape}' for key, shape in shapes.items()], "}, dtype)")

    def final_of(self, q: Quantity) -> str:
        """The name of the gradient by a final state."""
        return self.names.named((q.name, "final"), f"{q.name}_final_bar")

    def results(self) -> None:
        """The gradients, by name."""
        params = [f'"{q.name}": {self.names.of(Adjoint(q.symbol))}' for q in self.cell.parameters]
        given = [q for q in self.cell.inputs if q.kind == "real"]
        inputs = [f'"{q.name}": {self.names.of(Adjoint(q.symbol))}' for q in given]
        states = [
            f'"{q.name}": {self.names.storage(Adjoint(q.symbol))}[{"0" if q.depth == 1 else f":{q.depth}"}].copy()'
            for q in self.memory.values()
        ]
        self.write_list("params_bar = {", params, "}")
        self.write_list("inputs_bar = {", inputs, "}")
        self.write_list("state_bar = {", states, "}")
        self.write("return params_bar, inputs_bar, state_bar")

    def all_steps(self) -> None:
        """What a program computes for all steps at once in the loop's place; nothing here."""

    def statements(self) -> None:
        """The lines that compute."""
        b = self.program.backward
        every = [s for part in b.values() for s in part]
        self.stack_weights(
            [
                (t.stack, t.vector)
                for s in every
                for t in self.stack_terms(s.value)
                if len(t.stack.members) > 1
            ]
        )
        self.storage()
        for s in b["before"]:
            self.bulk(s)
        self.all_steps()
        if b["loop"]:
            self.write("for t in reversed(range(T)):")
            for s in b["loop"]:
                self.in_loop(s)
        for s in b["after"]:
            self.after(s)

    def storage(self) -> None:
        """The arrays that the loop fills; those of quantities with memory begin with the loss's gradients."""
        outputs = {q.name for q in self.cell.outputs}
        statements = [s for part in self.program.backward.values() for s in part]
        written: defaultdict[Any, set[int]] = defaultdict(set)
        for s in statements:
            written[s.target].add(s.lag)
        read = {v for s in statements for v in all_leaves(s.value)}
        for q in self.memory.values():
            bar = Adjoint(q.symbol)
            store = self.names.storage(bar)
            self.write(f"{store} = np.zeros({self.whole_shape(bar, q.depth)}, dtype)")
            lags = written[bar] | ({0} if bar in read or q.role == "input" else set())
            if q.name in outputs:
                given = self.names.of(LossGradient(q.symbol))
                self.write(f"{store}[{q.depth}:] = {given}")
            last = "-1" if q.depth == 1 else f"-{q.depth}:"
            self.write(f"{store}[{last}] += {self.final_of(q)}")
            self.views(bar, q, lags)
        for stack in self.program.stacks:
            if self.has_stacked(stack):
                self.write(
                    f"{self.bar_name(stack)} = np.empty((T, B, {self.stack_rows(stack)}), dtype)"
                )
                members = ", ".join(self.names.of(Adjoint(m.target)) for m in stack.members)
                self.write(f"{members} = {self.split(stack, self.bar_name(stack), ', axis=-1')}")
        for s in self.program.backward["loop"]:
            if (
                not s.add
                and self.is_sequence(s.target)
                and not self.has_stacked(self.program.stack_of(s.target.name))
            ):
                self.write(f"{self.names.of(s.target)} = {self.empty(s.target)}")

    def bar_name(self, stack: Stack) -> str:
        """The array of the adjoints of a stack."""
        return self.names.named((stack.name, "bar"), f"delta_{stack.suffix}")

    def value(self, value: object, *, whole: bool) -> str:
        """The text of a value, with whole stacks as one product each."""
        show = self.printer(whole=whole)
        if isinstance(value, MatrixExpr):
            return show(value)
        parts = []
        for part in value:
            if not isinstance(part, StackTerm):
                parts.append(show(part))
                continue
            weight, bar = self.weight(part.stack, part.vector), self.bar_name(part.stack)
            parts.append(
                f"product({bar}{self.at_once}, {weight}.T)" if whole else f"{bar}[t] @ {weight}"
            )
        return " + ".join(parts)

    def bulk(self, s: Statement) -> None:
        """A statement for all steps at once."""
        stacked = isinstance(s.target, Adjoint) and self.has_stacked(
            self.program.stack_of(s.target.name)
        )
        sign, where = ("+=", "") if s.add else ("=", "[...]" if stacked else "")
        text = self.whole_value(s, fresh=sign == "=" and not stacked)
        self.write(f"{self.names.of(s.target)}{where} {sign} {text}", number=s.number)

    def whole_value(self, s: Statement, *, fresh: bool) -> str:
        """The text of a statement's value for all steps."""
        if not isinstance(s.value, MatrixExpr):
            return self.value(s.value, whole=True)
        show = self.printer(whole=True)
        return show.fresh(s.value, s.target) if fresh else show.over(s.value, s.target)

    def in_loop(self, s: Statement) -> None:
        """A statement of one step; a contribution to an earlier step goes to its view."""
        target = f"{self.names.lagged(s.target, s.lag)}[t]" if s.lag else self.at_step(s.target)
        stored = s.lag or self.is_sequence(s.target)
        show = self.printer(whole=False)
        plain = stored or isinstance(s.value, tuple)
        text = self.value(s.value, whole=False) if plain else show.over(s.value, s.target)
        self.write(f"{target} {'+=' if s.add else '='} {text}", indent=2, number=s.number)

    def after(self, s: Statement) -> None:
        """Gradients of inputs for all steps, and of parameters as sums over time."""
        if isinstance(s.value, StackSum):
            self.stack_sum(s)
        elif self.is_held(s):
            self.write(f"{self.names.of(s.target)} = {self.over_steps(s.value)}", number=s.number)
        elif has_time(s.target):
            self.write(
                f"{self.names.of(s.target)} = {self.whole_value(s, fresh=True)}", number=s.number
            )
        else:
            self.write(f"{self.names.of(s.target)} = {self.over_time(s.value)}", number=s.number)

    def stack_sum(self, s: Statement) -> None:
        """The gradients of stacked parameters, as one sum."""
        stack, vector, bar = s.value.stack, s.value.vector, self.bar_name(s.value.stack)
        total = f"np.sum({bar}, axis=(0, 1))" if vector is None else self.outer(bar, vector)
        whole = self.names.named((stack.name, vector, "bar"), f"{self.weight(stack, vector)}_bar")
        numbers = ", ".join(f"({self.number_of(lhs)})" for lhs in s.target)
        self.write(f"{whole} = {total}  # {numbers}")
        parts = [self.names.of(lhs) for lhs in s.target]
        self.write(f"{', '.join(parts)} = {self.split(stack, whole, '')}")
        for lhs in s.target:
            if is_scalar(lhs):
                self.write(f"{self.names.of(lhs)} = {self.names.of(lhs)}[0]")

    def outer(self, bar: str, vector: MatrixExpr) -> str:
        """Σ of an adjoint times the transpose of a vector."""
        show = self.printer(whole=True)
        if show.is_index(vector):
            return f"scatter_sum({bar}, {self.whole(vector)}, {self.dim(vector.shape[0])})"
        return f"outer_sum({bar}, {show.full(vector)})"

    def number_of(self, lhs: MatrixExpr) -> int:
        """The number of the derivation's line that defines this."""
        return self.program.numbers.get(lhs, 0)

    def is_held(self, s: Statement) -> bool:
        """Whether this is the gradient by a value that is the same at every step, written out term by term."""
        adjoint = isinstance(s.target, Adjoint) and s.target.of.name in self.program.held
        whole = isinstance(s.value, MatrixExpr) and is_timed(s.value) and not s.add
        return adjoint and whole and s.target.of.name not in self.memory

    def over_steps(self, expr: MatrixExpr) -> str:
        """Σ over steps, for each sample."""
        return " + ".join(self.summed(term, each=True) for term in terms(expr))

    def over_time(self, expr: MatrixExpr) -> str:
        """Σ over steps and samples."""
        if not terms(expr):
            shape = trailing(expr, self.dim)
            return f"np.zeros({tuple_text(shape)}, dtype)"
        once = add(zeros_like(expr), *(term for term in terms(expr) if not is_timed(term)))
        parts = [self.summed(term) for term in terms(expr) if is_timed(term)]
        return " + ".join([*parts, *([self.once(once)] if terms(once) else [])])

    def summed(self, term: MatrixExpr, *, each: bool = False) -> str:
        """Σ of one term over all steps and samples, or for each of these: a column times a row is one product."""
        show = self.printer(whole=True)
        c, core = split_coefficient(term)
        factors = operands(core) if isinstance(core, MatMul) else ()
        for first, last in _stretches(len(factors)):
            a, b = matmul(*factors[first:last]), factors[last]
            before, behind = factors[:first], factors[last + 1 :]
            if _is_outer(a, b) and not any(is_timed(f) for f in (*before, *behind)):
                if each and show.is_index(b.arg):
                    break
                row = f"outer_over_steps({show.full(a)}, {show.full(b.arg)})"
                text = row if each else self.outer(show.full(a), b.arg)
                done = MatrixSymbol(text, a.shape[0], b.shape[1])
                static = ArrayPrinter(
                    lambda v, done=done: v.name if v == done else self.names.of(v), self.dim
                )
                return static(scale(c, matmul(*before, done, *behind)))
        over = ", axis=0, keepdims=True" if each else ", axis=(0, 1)"
        axis = "" if is_scalar(core) and not each else over
        inside, outside = taken_out(term, is_timed) if not each else (term, None)
        total = f"np.sum({show.full(inside)}{axis})"
        return total if outside is None else f"{total} * {self.untimed.tight(outside)}"


def _stretches(count: int) -> Iterator[tuple[int, int]]:
    """Neighbouring factors first ≤ i < last, before one that follows them; the shortest first."""
    return ((last - k, last) for k in range(1, count) for last in range(k, count))


def _is_outer(a: MatrixExpr, b: MatrixExpr) -> bool:
    """Whether a b is a column by a row, both of which depend on time."""
    column_by_row = is_column(a) and isinstance(b, Transpose) and is_column(b.arg)
    return column_by_row and is_timed(a) and is_timed(b)
