"""The compiled generated file: the fast file with its loops over time compiled by Numba."""

from __future__ import annotations

import re

from sympy.matrices.expressions import MatrixExpr

from derive.derivation import Derivation
from derive.expressions import Adjoint, LossGradient, Timed
from derive.network_derivation import NetworkDerivation
from numeric.compiled_products import FUNCTIONS
from numeric.compiled_text import HEAD, function_text
from numeric.fast_backward import FastBackward
from numeric.fast_forward import FastForward
from numeric.fast_source import FastFile
from numeric.kernels import Kernels
from numeric.network_workspace import NetworkFileOver
from numeric.operations import Gates, Made, Op
from numeric.passes import fast
from numeric.stacks import Stack

_IMPORTS = (
    "import numpy as np",
    "from numba import njit, types",
    "from numba.extending import overload",
)


def generate_compiled(derivation: Derivation) -> str:
    """The source of a cell whose loops over time Numba compiles.

    It has the functions, arguments and results of the fast NumPy file, equal to it to rounding, and needs Numba.
    For small cells all steps run in one compiled function; for others the products are left to NumPy's BLAS.
    """
    return CompiledFile(fast(derivation, hoist=False)).text()


def generate_compiled_network(derivation: NetworkDerivation) -> str:
    """The source of a network, the loops over time of each of its segments compiled by Numba."""
    return CompiledNetworkFile(derivation, lambda d: CompiledFile(fast(d, hoist=False))).text()


class CompiledForward(Kernels, FastForward):
    """Writes the forward pass of a compiled file."""

    kind = "forward"

    def step_lines(self, ops: list[Op], *, early: bool) -> list[str]:
        """The steps of a stretch: one compiled function, or compiled parts with NumPy's products between them."""
        head = [] if early else ["start, stop = 0, T"]
        return [*head, *self.both_ways(ops, "range(start, stop)")]

    def compiled_product(self, op: Op) -> str:
        """A product within a compiled function."""
        stack, vector = op.target.stack, op.target.vector
        out = self.product_name(op.target)
        return (
            f"products({self.view_at(self.place(vector))}, {self.step_name(stack, vector)}, {out})"
        )

    def numpy_product(self, op: Op) -> str:
        """A product by NumPy's BLAS."""
        stack, vector = op.target.stack, op.target.vector
        times = self.multiplier(self.step_name(stack, vector))
        return f"{times}({self.view_at(self.place(vector))}, {self.product_name(op.target)})"


class CompiledBackward(Kernels, FastBackward):
    """Writes the backward pass of a compiled file."""

    kind = "backward"
    makes_together = False
    add_sum = "add_vectors"

    def every_array(self) -> list[str]:
        """The arrays of the workspace."""
        return [*self.before.arrays, *self.fields.arrays]

    def in_loop_from_outside(self) -> set[str]:
        """What compiled functions are given from outside the workspace."""
        return super().in_loop_from_outside() | self.outside_arrays

    def step_lines(self, ops: list[Op], *, early: bool) -> list[str]:
        """The steps of a stretch from the last to the first, likewise."""
        head, given = [], []
        for q in self.cell.outputs:
            if q.name in self.carried:
                bar, by_loss = Adjoint(q.symbol), LossGradient(q.symbol)
                name, n = self.names.of(by_loss), self.dim(q.shape[0])
                nothing = self.names.named(("nothing", n), "nothing")
                self.field(nothing, f"np.zeros((1, B, {n}), dtype)")
                head += [f"if {name} is None:", f"    {name} = {nothing}"]
                given.append(Op("add", bar, (bar, by_loss)))
        return [*head, *self.both_ways([*given, *ops], "range(stop - 1, start - 1, -1)")]

    def leaf_row(self, leaf: MatrixExpr) -> str:
        """A sample's row of a leaf at step t."""
        if isinstance(leaf, LossGradient):
            name = self.names.of(leaf)
            self.outside_arrays.add(name)
            return f"{name}[min(t, {name}.shape[0] - 1), b]"
        if not isinstance(leaf, Adjoint):
            return super().leaf_row(leaf)
        name, stack = self.names.of(leaf), self.program.stack_of(leaf.name)
        if leaf.name in self.memory:
            bar = self.memory_bar(leaf)
            shift = self.memory[leaf.name].depth - leaf.lag
            whole = f"{self.names.storage(leaf)}[t{f' + {shift}' if shift else ''}, b]"
            return f"{bar}[b]" if leaf.name in self.carried else whole
        if self.has_stacked(stack):
            k = next(k for k, m in enumerate(stack.members) if m.target == leaf.of)
            return f"{self.bars(stack)}[{self.step_of(stack)}, b]{self.cut(Gates(stack, k, k + 1))}"
        if leaf in {s.target for s in self.program.backward["before"]}:
            self.outside_arrays.add(name)
            return f"{name}[t, b]"
        if leaf in self.program.stored:
            return f"{self.field(name, self.empty(leaf))}[t, b]"
        return f"{self.scratch(leaf, self.wish(leaf), self.axes_of(leaf))}[b]"

    def step_of(self, stack) -> str:
        """The index of step t in the array of a stack's adjoints."""
        return "t - start" if stack.name in self.chunked else "t"

    def delta(self, made: Made) -> str:
        """The adjoints of a whole stack at step t."""
        return f"{self.bars(made.stack)}[{self.step_of(made.stack)}]"

    def loop_weight(self, stack: Stack, vector: Timed) -> str:
        """The stacked matrix of a product in the loop; column by column where it is multiplied so."""
        name = self.back_weight(stack, vector)
        rows, columns = self.stack_rows(stack), self.dim(vector.shape[0])
        turned = self.new_array(f"({columns}, {rows})")
        plain = self.new_array(f"({rows}, {columns})")
        self.fields.arrays[name] = f"{turned}.T if self.small else {plain}"
        return name

    def compiled_product(self, op: Op) -> str:
        """A product within a compiled function."""
        (made,) = op.args
        weight = self.loop_weight(made.stack, made.vector)
        return f"dots({self.delta(made)}, {weight}.T, {self.view_at(op.target)})"

    def numpy_product(self, op: Op) -> str:
        """A product by NumPy's BLAS."""
        (made,) = op.args
        times = self.multiplier(self.loop_weight(made.stack, made.vector))
        return f"{times}({self.delta(made)}, {self.view_at(op.target)})"


class CompiledFile(FastFile):
    """Writes the functions of one cell."""

    @property
    def settings(self) -> tuple[str, ...]:
        """The sizes that decide what is done at once, and what is compiled."""
        blocks = (text for text in super().settings if not text.startswith("BLOCK_BYTES"))
        return (*blocks, _SMALL_STEP)

    forward_kind = CompiledForward
    backward_kind = CompiledBackward

    def header(self) -> str:
        """What the file is, the equations, and the sizes that decide what is compiled."""
        text = super().header()
        text = text.replace(
            "needs nothing but NumPy. The products", "needs NumPy and Numba. Large products"
        )
        return text.replace("import numpy as np\n", "\n".join(_IMPORTS) + "\n")

    def choices(self, forward: CompiledForward, backward: CompiledBackward) -> list[str]:
        """Whether whole stretches are compiled, products included, if there are any."""
        multiplied = forward.multiplied or backward.multiplied
        if not multiplied:
            return []
        return [f"        self.small = B * ({' + '.join(multiplied)}) <= SMALL_STEP"]

    def block_lines(self, backward: FastBackward) -> list[str]:
        """A compiled loop needs no blocks."""
        return []

    def views(self, name: str, writer: FastForward, unless: str = "") -> list[str]:
        """Compiled loops need no views of steps."""
        return []

    def functions(
        self, forward: CompiledForward, backward: CompiledBackward, passes: str
    ) -> list[str]:
        """The compiled functions."""
        kernels = [*forward.kernels, *backward.kernels]
        text = "\n".join([*kernels, passes])
        used = sorted(
            set(re.findall(r"(?<!\w)(\w+)_of\(", text)) & (forward.functions | backward.functions)
        )
        on_matrices = [make() for name, make in FUNCTIONS.items() if f" {name}(" in text]
        self.shared = (HEAD, *on_matrices, *map(function_text, used))
        return [*self.shared, *kernels]


class CompiledNetworkFile(NetworkFileOver):
    """Writes the functions of a network; those that all segments' loops call stand once before them."""

    told = NetworkFileOver.told.replace("nothing but NumPy", "NumPy and Numba")
    imports = (*_IMPORTS, *NetworkFileOver.imports[1:])


_SMALL_STEP = '''\
SMALL_STEP = 300_000
"""Up to how many multiplications a step (samples times weights) the products are compiled too."""'''
