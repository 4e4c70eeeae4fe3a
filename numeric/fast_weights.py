"""Stacked weights of a fast file, and the products with all inputs of a stretch."""

from __future__ import annotations

from sympy.matrices.expressions import MatrixExpr

from derive.expressions import Timed, leaves, split_coefficient
from derive.notation import split_name
from numeric.loops import Loops
from numeric.names import Names
from numeric.operations import Gates
from numeric.program import Program, StackTerm, Statement
from numeric.stacks import Stack


class Weights(Loops):
    """Writes stacked weights and what is multiplied before the loop."""

    def __init__(self, program: Program, names: Names) -> None:
        super().__init__(program, names)
        self.filled: dict[str, None] = {}
        self.stacked: set[MatrixExpr] = set()

    def is_early(self, s: Statement) -> bool:
        """Whether a statement begins a stack that the loop goes on with."""
        return isinstance(s.target, Stack) and s.target in self.looped

    def base(self, stack: Stack, vector: Timed | None) -> str:
        """What the stacked parameters in front of a vector are called."""
        own = self.program.derivation.around.own_name
        parts = [m.bias if vector is None else m.products[vector] for m in stack.members]
        names = {split_name(own(v.name))[0] for p in parts for v in leaves(p)}
        return names.pop() if len(names) == 1 else "b" if vector is None else "K"

    def step_name(self, stack: Stack, vector: Timed) -> str:
        """The stacked matrix that multiplies a vector in the loop, transposed."""
        name = self.names.named(
            (stack.name, vector, "step"), f"{self.base(stack, vector)}_{stack.suffix}_T"
        )
        rows = self.dim(vector.shape[0])
        return self.field(name, self.new_array(f"({rows}, {self.stack_rows(stack)})"))

    def step_weight(self, term: StackTerm) -> None:
        """The stacked matrix of a product in the loop, and the stacked bias."""
        name = self.step_name(term.stack, term.vector)
        self.fill(name, term.stack, [m.products[term.vector] for m in term.stack.members])
        if term.bias:
            self.bias(term.stack)
            row = self.names.named((term.stack.name, "bias row"), "")
            self.fill(row, term.stack, [m.bias for m in term.stack.members], turned=False)

    def fill(
        self,
        array: str,
        stack: Stack,
        parts: list[MatrixExpr],
        rows: str = "",
        *,
        turned: bool = True,
    ) -> None:
        """Writes the members' parameters side by side."""
        static = self.untimed
        self.filled |= {array: None}
        for k, expr in enumerate(parts):
            self.stacked |= set(leaves(expr))
            c, core = split_coefficient(expr)
            text = f"{static.tight(core)}.T" if turned else static.tight(core)
            cut = self.part(array, Gates(stack, k, k + 1), gate_axis=False)
            cut = cut.replace("[..., ", f"[{rows}, ") if rows else cut
            cut = f"{array}[{rows}]" if rows and cut == array else cut
            whole = cut if cut != array else f"{array}[...]"
            self.fill_part(whole, cut, core, text, c)

    def fill_part(self, whole: str, cut: str, core: MatrixExpr, text: str, c: object) -> None:
        """Writes one member's parameter where it belongs."""
        if c == 1:
            self.write(f"{whole} = {text}")
        else:
            self.write(f"{self.ufunc('multiply')}({text}, {self.number(c)}, {cut})")

    def end_weights(self) -> None:
        """What follows once all weights are written."""

    def early_weights(self, early: list[Statement]) -> None:
        """The stacked matrices of the products before the loop, with the bias as their last row."""
        for s in early:
            for term in s.value:
                name, stack, m = self.early_weight(term), term.stack, self.dim(term.vector.shape[0])
                matrices = [a.products[term.vector] for a in stack.members]
                biases = [a.bias for a in stack.members]
                if not term.bias or self.is_index(term.vector):
                    self.fill(name, stack, matrices)
                    if term.bias:
                        self.write(f"{name} += {self.bias_row(stack)}")
                    continue
                self.fill(name, stack, matrices, f":{m}")
                self.fill(name, stack, biases, m, turned=False)

    def bias_row(self, stack: Stack) -> str:
        """The stacked bias as one expression."""
        static = self.untimed
        return f"np.concatenate(({', '.join(static(m.bias) for m in stack.members)},))"

    def is_index(self, vector: Timed) -> bool:
        """Whether a vector is given as whole numbers."""
        return vector.name in self.indices

    def early_weight(self, term: StackTerm) -> str:
        """The array of a stacked matrix of the products before the loop."""
        stack, vector = term.stack, term.vector
        wish = f"{self.base(stack, vector)}_{stack.suffix}_T"
        name = self.names.named((stack.name, vector, "early"), wish)
        m = self.dim(vector.shape[0])
        rows = f"{m} + 1" if term.bias and not self.is_index(vector) else m
        return self.field(name, self.new_array(f"({rows}, {self.stack_rows(stack)})"))

    def early_products(self, s: Statement) -> None:
        """The products of a stretch with its inputs, all steps at once."""
        out = f"{self.early_name(s.target)}[: (stop - start) * B]"
        for k, term in enumerate(s.value):
            whole, weight = self.whole_code(term.vector), self.early_weight(term)
            if self.is_index(term.vector):
                text = f"{weight}[{whole}[start:stop].ravel()]"
            else:
                text = f"{self.with_one(term, whole)} @ {weight}" if k else ""
                if not k:
                    self.write(f"{self.with_one(term, whole)}.dot({weight}, {out})", indent=2)
                    continue
            self.write(f"{out}{' +=' if k else '[...] ='} {text}".replace("][...]", "]"), indent=2)

    def with_one(self, term: StackTerm, whole: str) -> str:
        """The vectors of a stretch in rows, with a one behind each if the product adds the bias."""
        if not term.bias:
            return f"as_rows({whole}[start:stop])"
        m = self.dim(term.vector.shape[0])
        name = self.names.named((term.vector, "one"), f"{self.whole(term.vector)}_one")
        self.field(name, f"np.ones((steps, B, {m} + 1), dtype)")
        done = f"{name}[: stop - start, :, :{m}] = {whole}[start:stop]"
        if not any(line.strip() == done for line in self.lines):
            self.write(done, indent=2)
        return f"as_rows({name}[: stop - start])"
