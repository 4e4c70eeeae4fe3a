"""The forward pass of a program, line by line, as NumPy."""

from __future__ import annotations

from functools import cached_property

from sympy import Expr
from sympy.matrices.expressions import MatMul

from derive.cell import Quantity
from derive.expressions import Timed
from numeric.arrays import ArrayPrinter
from numeric.body import Body, all_leaves, lags_read
from numeric.program import StackTerm, Statement
from numeric.sizes import Reading, own_axes, parameter_size, readings
from numeric.stacks import Stack


class Forward(Body):
    """Writes the forward pass."""

    checked, common_dtype = "checked", "common_dtype"
    """The functions that check an argument, and that find the dtype."""

    def text(self, signature: str) -> str:
        """The whole function."""
        self.arguments()
        self.write()
        arguments, self.lines = self.lines, []
        self.statements()
        self.lines = [*arguments, *self.settle(self.lines), *self.lines]
        self.write()
        self.results()
        return "\n".join([signature, *self.documentation(), *self.lines])

    def documentation(self) -> list[str]:
        """What goes in and what comes out."""
        inputs = [f"    {x}: {self.shape_in_words(q)}." for x, q in self.inputs.items()]
        steps = [] if self.inputs else ["    steps: T, how many steps to go."]
        consts = [f"    {c}: a number that is not trained." for c in self.constants]
        lines = [
            '"""The whole sequence.',
            "",
            "Args:",
            "    params: the parameters, with the shapes of parameter_shapes.",
            *inputs,
            "    state: the values before the first step, with the shapes of init_state; zeros if left out.",
            *steps,
            *consts,
            "",
            "Returns:",
            "    The outputs (T, B, …), the state after the last step, and what backward needs.",
            "",
            "Raises:",
            "    ValueError, TypeError: an argument has a wrong name, shape or dtype, or is not finite.",
            '"""',
        ]
        return ["    " + line if line else "" for line in lines]

    def shape_in_words(self, q: Quantity) -> str:
        """The shape of an input, and what else is asked of it."""
        if q.kind == "index":
            return f"(T, B), whole numbers below {self.dim(q.shape[0])}"
        return self.whole_shape(q.symbol)

    def arguments(self) -> None:
        """Sizes and arrays, checked."""
        sizes = list(self.sizes.values())
        first = next(iter(self.inputs), None)
        if first:
            rank = ", 2" if self.cell.inputs[0].kind == "index" else ""
            self.write(f'T, B = leading("{self.cell.inputs[0].name}", {first}{rank})')
        else:
            self.write("T, B = steps, samples(state, STATE_AXES)")
        self.take_parameters()
        for x, q in self.inputs.items():
            if q.kind == "index":
                below = self.dim(q.shape[0])
                self.write(f'{x} = checked_index("{q.name}", {x}, (T, B), {below})')
                continue
            self.write(
                f'{x} = {self.checked}("{q.name}", {x}, {self.whole_shape(q.symbol)}, dtype)'
            )
        self.initial_values(sizes)
        for c, q in self.constants.items():
            self.write(f'{c} = {self.checked}("{q.name}", np.asarray({c}, dtype), (), dtype)')

    def take_parameters(self) -> None:
        """Sizes, the dtype, and the parameters, checked."""
        self.sizes_and_dtype()
        if self.cell.parameters:
            self.write_list(
                "[", self.parameter_names, f"] = unpacked(params, {self.shapes}, dtype)"
            )

    def sizes_and_dtype(self, *, indent: int = 1) -> None:
        """The sizes and the dtype, from the first arguments that show them."""
        for d, name in self.sizes.items():
            self.write(f"{name} = {self.size(d)}", indent=indent)
        real = next((q for q in self.cell.inputs if q.kind != "index"), None)
        given = f'{{"{real.name}": {self.names.of(real.symbol)}}}' if real else "state"
        source = "params" if self.cell.parameters else given
        self.write(f"dtype = {self.common_dtype}({source})", indent=indent)

    @property
    def parameter_names(self) -> list[str]:
        """The parameters in code."""
        return [self.names.of(q.symbol) for q in self.cell.parameters]

    @property
    def shapes(self) -> str:
        """The code of the parameters' shapes."""
        return f"parameter_shapes({', '.join(self.sizes.values())})"

    def initial_values(self, sizes: list[str]) -> None:
        """The values before the first step, checked."""
        self.write(f"zeros = init_state({', '.join(['B', *sizes])}, dtype=dtype)")
        names = [self.first_of(q) for q in self.memory.values()]
        self.write_list("[", names, "] = unpacked_state(state, zeros, dtype)")

    def first_of(self, q: Quantity) -> str:
        """The name of the values before the first step."""
        return self.names.named((q.name, "initial"), f"{self.names.of(q.symbol)}_0")

    @cached_property
    def readings(self) -> dict[Expr, Reading]:
        """For each size, how it is found in the shapes of arguments."""
        return readings(self.cell)

    def size(self, d: Expr) -> str:
        """The code that finds a size in the arguments."""
        return self.readings[d].text(self.length)

    def length(self, q: Quantity, axis: int) -> str:
        """The code that finds the length of an argument's axis."""
        if q.role == "parameter":
            return parameter_size(q, axis)
        rank = len(own_axes(q))
        if q.role == "input":
            x = self.names.of(q.symbol)
            return f'size("{q.name}", {x}, {axis + 2}, {rank + 2})'
        front = 1 if q.depth == 1 else 2
        return f'size_of("state", state, "{q.name}", {axis + front}, {rank + front})'

    def cached(self) -> dict[str, str]:
        """What the backward pass reads: the quantity's name and its array, in order of the name."""
        read: dict[str, str] = {}
        for part in self.program.backward.values():
            for v in (v for s in part for v in all_leaves(s.value) if isinstance(v, Timed)):
                read[v.name] = self.array_of(v)
        for q in (q for d in self.sizes for q in self.readings[d].arguments):
            if q.role != "parameter":
                read[q.name] = self.array_of(q.symbol)
        if not read.keys() - self.indices:
            first = self.cell.outputs[0]
            read[first.name] = self.array_of(first.symbol)
        read |= {q.name: c for c, q in self.constants.items()}
        return dict(sorted(read.items()))

    def results(self) -> None:
        """Outputs, the final state, and what the backward pass needs."""
        outputs = [f'"{q.name}": {self.names.of(q.symbol)}' for q in self.cell.outputs]
        final = [
            f'"{q.name}": {self.names.storage(q.symbol)}[{"-1" if q.depth == 1 else f"-{q.depth}:"}].copy()'
            for q in self.memory.values()
        ]
        self.write_list("outputs = read_only({", outputs, "})")
        self.write_list("final = {", final, "}")
        self.write_list(
            "cache = {", [f'"{key}": {value}' for key, value in self.cached().items()], "}"
        )
        self.write("return outputs, final, cache")

    def all_steps(self) -> None:
        """What a program computes for all steps at once in the loop's place; nothing here."""

    def statements(self) -> None:
        """The lines that compute."""
        f = self.program.forward
        every = [s for part in f.values() for s in part]
        self.stack_weights(
            [
                u
                for s in every
                for t in self.stack_terms(s.value)
                for u in _uses(t)
                if len(t.stack.members) > 1
            ]
        )
        self.storage()
        for s in f["before"]:
            self.bulk(s)
        self.all_steps()
        if f["loop"]:
            self.write("for t in range(T):")
            for s in f["loop"]:
                self.in_loop(s)
        for s in f["after"]:
            self.bulk(s)

    def storage(self) -> None:
        """The arrays that the loop fills."""
        lags = lags_read(self.program.forward)
        for q in self.memory.values():
            store = self.names.storage(q.symbol)
            self.write(f"{store} = np.empty({self.whole_shape(q.symbol, q.depth)}, dtype)")
            self.write(f"{store}[:{q.depth}] = {self.first_of(q)}")
            if q.role == "input":
                self.write(f"{store}[{q.depth}:] = {self.names.of(q.symbol)}")
            self.views(q.symbol, q, lags[q.name] | {0})
        begun = {
            s.target.name for s in self.program.forward["before"] if isinstance(s.target, Stack)
        }
        for s in self.program.forward["loop"]:
            if isinstance(s.target, Stack) and s.target.name not in begun:
                begun.add(s.target.name)
                whole = f"np.empty((T, B, {self.stack_rows(s.target)}), dtype)"
                self.write(f"{self.stack_name(s.target)} = {whole}")
                self.name_members(s.target)
            elif isinstance(s.target, Timed) and not s.add and self.kept(s.target):
                self.write(f"{self.names.of(s.target)} = {self.empty(s.target)}")

    def kept(self, target: Timed) -> bool:
        """Whether the loop fills an array of its own for this target."""
        in_memory = target.name in self.memory
        return (
            self.is_sequence(target)
            and not in_memory
            and self.program.stack_of(target.name) is None
        )

    def stack_name(self, stack: Stack) -> str:
        """The array of a stack."""
        if len(stack.members) == 1:
            return self.names.of(stack.members[0].target)
        return self.names.named(stack.name, stack.name)

    def name_members(self, stack: Stack) -> None:
        """Names for the parts of a stack's array."""
        if len(stack.members) > 1:
            members = ", ".join(self.names.of(m.target) for m in stack.members)
            self.write(f"{members} = {self.split(stack, self.stack_name(stack), ', axis=-1')}")

    def bulk(self, s: Statement) -> None:
        """A statement for all steps at once."""
        if isinstance(s.target, Stack):
            self.write(
                f"{self.stack_name(s.target)} = {self.stack_value(s, whole=True)}", number=s.number
            )
            self.name_members(s.target)
            return
        show = self.printer(whole=True)
        text = show(s.value) if s.add else show.over(s.value, s.target)
        self.write(f"{self.names.of(s.target)} {'+=' if s.add else '='} {text}", number=s.number)

    def in_loop(self, s: Statement) -> None:
        """A statement of one step."""
        show = self.printer(whole=False)
        if isinstance(s.target, Stack):
            sign = "+=" if s.add else "="
            self.write(
                f"{self.stack_name(s.target)}[t] {sign} {self.stack_value(s, whole=False)}",
                indent=2,
            )
            return
        stored = self.is_sequence(s.target)
        text = show(s.value) if stored else show.over(s.value, s.target)
        self.write(
            f"{self.at_step(s.target)} {'+=' if s.add else '='} {text}", indent=2, number=s.number
        )

    def stack_value(self, s: Statement, *, whole: bool) -> str:
        """Σ W v + b of a stack."""
        parts = []
        for term in s.value:
            stack, vector = term.stack, term.vector
            show = self.printer(whole=whole)
            if len(stack.members) == 1:
                parts.append(show(MatMul(stack.matrices(vector)[0], vector)))
                bias = self.names.of(stack.members[0].bias) if term.bias else ""
            else:
                weight = self.weight(stack, vector)
                parts.append(self.stack_product(weight, vector, show, whole=whole))
                bias = self.weight(stack, None) if term.bias else ""
            if bias:
                parts.append(bias)
        return " + ".join(parts)

    def stack_product(self, weight: str, vector: Timed, show: ArrayPrinter, *, whole: bool) -> str:
        """One stacked matrix times a vector."""
        if show.is_index(vector):
            return f"columns({weight}, {show.leaf(vector)})"
        return f"product({show(vector)}, {weight})" if whole else f"{show(vector)} @ {weight}.T"


def _uses(term: StackTerm):
    yield (term.stack, term.vector)
    if term.bias:
        yield (term.stack, None)
