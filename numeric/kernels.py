"""A loop over time as functions that numba compiles: the operations of a step, sample by sample, row by row.

part        the operations between two products, for all samples of a step
loop        all steps of a stretch, products included: for small cells, where calls cost more than numbers
"""

from __future__ import annotations

import re
from dataclasses import replace

from sympy.matrices.expressions import MatrixExpr, MatrixSymbol, Transpose

from derive.expressions import is_scalar
from numeric.arrays import ArrayPrinter
from numeric.body import listed
from numeric.kernel_entries import Words, entry_lines
from numeric.kernel_rows import Kernel, Rows
from numeric.operations import Bias, Gates, Made, Op, Value, shape_of
from numeric.placement import in_place, joined, overlap

SLOW = frozenset({"exp", "log", "sin", "cos", "softplus"})
"""Functions that a compiler has no vector instructions for."""


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

    def compiled(self, ops: list[Op]) -> list[str | Op]:
        """The operations of a step as calls of parts, and products between them.

        Args:
            ops: the operations in order.
        """
        parts: list[list[Op]] = [[]]
        for op in ops:
            whole = op.function in ("dot", "formula")
            parts += [[op], []] if whole else []
            if not whole:
                parts[-1].append(op)
        parts = [apart(part) for part in parts if part]
        every = [op for part in parts for op in part]
        out: list[str | Op] = []
        kernels = 0
        for part in parts:
            if part[0].function in ("dot", "formula"):
                out += part
                continue
            kernels += 1
            out.append(self.kernel_part(part, kernels, every))
        return out

    def kernel_part(self, part: list[Op], number: int, every: list[Op]) -> str:
        """Writes one part; the code that calls it."""
        wish = f"{self.kind}_part_{number}"
        self.kernel = Kernel(self.names.named((self.kind, "part", number), wish))
        for group in grouped(part):
            self.group(group, every)
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
        words = Words(
            self.row, self.scalar, self.constant, self.compiled_name, "0" if length == "1" else "j"
        )
        later = every[next(k for k, op in enumerate(every) if op is ops[-1]) + 1 :]
        lines = entry_lines(ops, lambda v: self.is_needed(v, later), words)
        if length != "1":
            lines = [f"for j in range({length}):", *(f"    {line}" for line in lines)]
        self.kernel.lines += lines

    def is_needed(self, value: Value, later: list[Op]) -> bool:
        """Whether anything reads a value before it is written again: one of the step's later operations, or none."""
        for op in later:
            if any(overlap(value, v) for v in op.args):
                return True
            if op.target == value:
                return False
        return not self.is_fleeting(value)

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
        self.outside_arrays.add(self.names.of(plain))
        part = text.removesuffix(".T")
        turned = part != text
        if turned:
            whole = whole.replace("[..., ", "[:, ").removesuffix("[...]")
        else:
            whole = whole.replace("[..., ", "[0, ").replace("[...]", "[0]")
            part += (
                ".reshape(1)" if is_scalar(plain) else ""
            )  # a number has no axis, a vector's part has one
        self.weight_lines.append(f"put{'_turned' * turned}({part}, {whole}, {self.number(c)}[()])")

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

    def both_ways(self, ops: list[Op], order: str) -> list[str]:
        """The steps of a stretch: all compiled if the workspace says that the cell is small, else in parts."""
        steps = self.compiled(ops)
        self.multiplied += [
            self.size_of_product(s) for s in steps if isinstance(s, Op) and s.function == "dot"
        ]
        parts = [self.python_line(s) for s in steps]
        loop = [*self.made_multipliers(), f"for t in {order}:", *(f"    {line}" for line in parts)]
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


def grouped(ops: list[Op]) -> list[list[Op]]:
    """Operations that one loop over entries does: those of one length that follow each other.

    What has no vector instruction has a loop to itself, so that all else has one.
    """
    out: list[list[Op]] = []
    for op in ops:
        open_ = out and not {op.function, out[-1][-1].function} & SLOW
        if open_ and shape_of(out[-1][0].target) == shape_of(op.target):
            out[-1].append(op)
        else:
            out.append([op])
    return out


def apart(ops: list[Op]) -> list[Op]:
    """The same operations, those on several gates as one for each, from the last ``tanh`` of several gates on.

    Law: f([a; b]) = f(a), f(b). A long loop is best for ``tanh``; the rest then is one loop over all gates' entries.
    """
    joint = [k for k, op in enumerate(ops) if op.function == "tanh" and _members(op) > 1]
    start = joint[-1] + 1 if joint else 0
    return [*ops[:start], *(one for op in ops[start:] for one in _each(op))]


def _members(op: Op) -> int:
    return op.target.stop - op.target.first if isinstance(op.target, Gates) else 1


def _each(op: Op) -> list[Op]:
    """An operation on several gates of one size as one for each gate."""
    wide = [v for v in (op.target, *op.args) if isinstance(v, Made | Bias) or shape_of(v)[0] != 1]
    if _members(op) == 1 or not all(isinstance(v, Gates) for v in wide):
        return [op]
    sizes = {m.target.shape[0] for m in op.target.stack.members}
    if len(sizes) > 1:
        return [op]

    def part(v: Value, k: int) -> Value:
        return Gates(v.stack, v.first + k, v.first + k + 1) if v in wide else v

    many = range(_members(op))
    return [
        replace(
            op,
            target=part(op.target, k),
            args=tuple(part(v, k) for v in op.args),
            numbers=op.numbers[k : k + 1] if len(op.numbers) == len(many) else op.numbers,
        )
        for k in many
    ]
