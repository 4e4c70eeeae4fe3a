"""A loop over time as functions that numba compiles: the operations of a step, sample by sample, row by row.

part        the operations between two products, for all samples of a step
loop        all steps of a stretch, products included: for small cells, where calls cost more than numbers
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sympy.matrices.expressions import MatrixExpr, MatrixSymbol, Transpose

from numeric.arrays import ArrayPrinter
from numeric.body import listed
from numeric.kernel_rows import Kernel, Rows
from numeric.operations import Bias, Gates, Made, Op, Value, shape_of
from numeric.placement import in_place, joined

SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}
SLOW = frozenset({"tanh", "exp", "log", "sin", "cos", "sqrt", "softplus"})

"""Functions that get a loop of their own, which a compiler turns into vector instructions."""


class Kernels(Rows):
    """Writes loops over time as compiled functions."""

    def placed(self, ops: list[Op]) -> list[Op]:
        """The operations, gates in place; other intermediate results stay numbers within a loop."""
        return joined(
            in_place(
                ops,
                self.is_scratch,
                lambda op: op.function == "copy" or isinstance(op.target, Gates),
            )
        )

    def compiled(self, ops: list[Op], first: list[str]) -> list[str | Op]:
        """The operations of a step as calls of parts, and products between them.

        Args:
            ops: the operations in order.
            first: loops that the first part begins with.
        """
        out: list[str | Op] = []
        run: list[Op] = []
        kernels = 0
        for op in [*ops, None]:
            if op is not None and op.function not in ("dot", "formula"):
                run.append(op)
                continue
            if run or (first and kernels == 0):
                kernels += 1
                out.append(self.kernel_part(run, kernels, first if kernels == 1 else [], ops))
                run = []
            if op is not None:
                out.append(op)
        return out

    def kernel_part(self, run: list[Op], number: int, first: list[str], ops: list[Op]) -> str:
        """Writes one part; the code that calls it."""
        wish = f"{self.kind}_part_{number}"
        self.kernel = Kernel(self.names.named((self.kind, "part", number), wish))
        self.kernel.lines += [line for text in first for line in text.splitlines()]
        for group in grouped(run, self.is_scratch):
            self.group(group, ops)
        k = self.kernel
        body = "\n".join([*k.rows.values(), *k.numbers.values(), *k.lines])
        arrays = self.arrays_in(body)
        sizes = [s for s in ("start", *self.sizes.values()) if re.search(rf"\b{s}\b", body)]
        arguments = ["t", "B", *sizes, *arrays]
        text = [
            "@compiled",
            *listed(f"def {k.name}(", arguments, ") -> None:"),
            f'    """The operations of step t {"between products" if number > 1 else "up to a product"}."""',
            *(f"    {name} = {value}" for name, value in k.numbers.items()),
            "    for b in range(B):",
            *(f"        {name} = {value}" for name, value in k.rows.items()),
            *(f"        {line}" for line in k.lines),
        ]
        self.kernels.append("\n".join(text))
        return f"{k.name}({', '.join(arguments)})"

    def group(self, ops: list[Op], every: list[Op]) -> None:
        """One loop over the entries of a row."""
        length = self.dim(shape_of(ops[0].target)[0])
        inside = {
            op.target
            for op in ops
            if self.is_scratch(op.target) and not _seen_elsewhere(op.target, ops, every)
        }
        if length == "1":
            lines = [self.entry(op, inside, "0") for op in ops]
        else:
            lines = [
                f"for j in range({length}):",
                *(f"    {self.entry(op, inside, 'j')}" for op in ops),
            ]
        self.kernel.lines += lines

    def entry(self, op: Op, inside: set[Value], j: str) -> str:
        """An operation on one entry."""
        target = self.scalar(op.target) if op.target in inside else f"{self.row(op.target)}[{j}]"
        args = []
        for a in op.args:
            if a in inside:
                args.append(self.scalar(a))
            elif isinstance(a, MatrixExpr | Gates | Made | Bias):
                args.append(
                    f"{self.row(a)}[{'0' if shape_of(a)[0] == 1 and not isinstance(a, Made | Bias) else j}]"
                )
            else:
                args.append(self.constant(a, op.function == "power"))
        sign = SIGNS.get(op.function)
        text = (
            f" {sign} ".join(args)
            if sign
            else args[0]
            if op.function == "copy"
            else f"{self.compiled_name(op.function)}({args[0]})"
        )
        note = f"  # {', '.join(f'({k})' for k in op.numbers)}" if op.numbers else ""
        return f"{target} = {text}{note}"

    def compiled_name(self, function: str) -> str:
        """The function for one number."""
        self.functions.add(function)
        return f"{function}_of"

    def fill_part(self, whole: str, cut: str, core: MatrixExpr, text: str, c: object) -> None:
        """Writes one member's parameter where it belongs: plain ones all in one compiled function."""
        plain = core.arg if isinstance(core, Transpose) else core
        if not isinstance(plain, MatrixSymbol):
            super().fill_part(whole, cut, core, text, c)
            return
        factor = "" if c == 1 else f" * {self.number(c)}[()]"
        self.outside_arrays.add(self.names.of(plain))
        self.weight_lines.append(f"{whole} = {text}{factor}")

    def end_weights(self) -> None:
        """Writes the function that puts plain parameters side by side."""
        if not self.weight_lines:
            return
        name = self.names.named((self.kind, "weights"), f"{self.kind}_weights")
        body = "\n".join(self.weight_lines)
        sizes = [s for s in self.sizes.values() if re.search(rf"\b{s}\b", body)]
        arguments = [*sizes, *self.arrays_in(body)]
        self.kernels.append(
            "\n".join(
                [
                    "@compiled",
                    *listed(f"def {name}(", arguments, ") -> None:"),
                    '    """Puts the parameters side by side."""',
                    *(f"    {line}" for line in self.weight_lines),
                ]
            )
        )
        self.lines += listed(f"    {name}(", arguments, ")")

    def both_ways(self, ops: list[Op], first: list[str], order: str) -> list[str]:
        """The steps of a stretch: all compiled if the workspace says that the cell is small, else in parts."""
        steps = self.compiled(ops, first)
        self.multiplied += [
            self.size_of_product(s) for s in steps if isinstance(s, Op) and s.function == "dot"
        ]
        parts = [self.python_line(s) for s in steps]
        loop = [f"for t in {order}:", *(f"    {line}" for line in parts)]
        prepared = [f"{name} = np.atleast_1d({of})" for name, of in self.statics.items()]
        formula = any(isinstance(s, Op) and s.function == "formula" for s in steps)
        if formula or not steps:
            return [*prepared, *loop] if steps else []
        whole = self.whole_loop(
            steps, order, self.names.named((self.kind, "loop"), f"{self.kind}_loop")
        )
        if all(isinstance(s, str) for s in steps):
            return [*prepared, whole]
        return [
            *prepared,
            "if ws.small:",
            f"    {whole}",
            "else:",
            *(f"    {line}" for line in loop),
        ]

    def size_of_product(self, op: Op) -> str:
        """How many weights a product has."""
        made = op.target if isinstance(op.target, Made) else op.args[0]
        return f"{self.stack_rows(made.stack)} * {self.dim(made.vector.shape[0])}".replace(
            " + ", "+"
        )

    def python_line(self, step: str | Op) -> str:
        """A part, a product or a formula as a line of the loop that Python runs."""
        if isinstance(step, str):
            return step
        if step.function == "dot":
            return self.numpy_product(step)
        printer = ArrayPrinter(
            lambda v: self.view_at(self.place(v)), self.dim, indices=self.indices
        )
        return f"{self.view_at(step.target)}[...] = {printer(step.args[0])}"

    def numpy_product(self, op: Op) -> str:
        """A product by NumPy's BLAS."""
        raise NotImplementedError

    def whole_loop(self, steps: list[str | Op], order: str, name: str) -> str:
        """Writes the function of all steps of a stretch, if it can be compiled; the code that calls it."""
        lines = [line if isinstance(line, str) else self.compiled_product(line) for line in steps]
        body = "\n".join(lines)
        arrays = self.arrays_in(body)
        arguments = ["start", "stop", "B", *self.sizes.values(), *arrays]
        self.kernels.append(
            "\n".join(
                [
                    "@compiled",
                    *listed(f"def {name}(", arguments, ") -> None:"),
                    '    """All steps start ≤ t < stop, products included."""',
                    f"    for t in {order}:",
                    *(f"        {line}" for line in lines),
                ]
            )
        )
        return f"{name}({', '.join(arguments)})"

    def compiled_product(self, op: Op) -> str:
        """A product within a compiled function."""
        raise NotImplementedError


def grouped(ops: list[Op], scratch: Callable[[Value], bool]) -> list[list[Op]]:
    """Operations that one loop over entries does: of one length, up to a result that is kept.

    A loop that writes few arrays is one that a compiler can turn into vector instructions.
    """
    out: list[list[Op]] = []
    for op in ops:
        open_ = (
            out and scratch(out[-1][-1].target) and not {op.function, out[-1][-1].function} & SLOW
        )
        if open_ and shape_of(out[-1][0].target) == shape_of(op.target):
            out[-1].append(op)
        else:
            out.append([op])
    return out


def _seen_elsewhere(value: Value, ops: list[Op], every: list[Op]) -> bool:
    inside = {id(op) for op in ops}
    return any(value == v for op in every if id(op) not in inside for v in (*op.args, op.target))
