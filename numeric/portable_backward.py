"""The backward pass of a portable file, line by line."""

from __future__ import annotations

from derive.backward import AdjointEquation
from derive.cell import Quantity
from derive.expressions import Adjoint, LossGradient, terms
from numeric.forward_pass import Forward
from numeric.portable_steps import Steps
from numeric.sizes import parameter_size

_SIGNATURE = '''def backward(
    params: Arrays, cache: dict[str, Any], outputs_bar: Arrays, final_bar: Arrays | None = None
) -> tuple[Arrays, Arrays, Arrays]:
    """The gradients by the parameters, the inputs and the values before the first step."""'''


class PortableBackward(Steps):
    """Writes the backward pass."""

    def function(self) -> str:
        """The whole function."""
        self.steps_back()
        loop, self.lines = self.lines, []
        sums = self.sums()
        self.given()
        given, self.lines = self.lines, []
        for name, text in self.stacked.items():
            self.write(f"{name} = {text}")
        computing = [*loop, *self.lines, *sums]
        body = [*given, *self.settle(computing), *computing, *self.ends()]
        return "\n".join([_SIGNATURE, *self.portable(body)])

    def given(self) -> None:
        """What forward left, parameters, and the loss's gradients, zero where they are left out."""
        self.stored_values()
        forward = Forward(self.program, self.names)
        for d, name in self.sizes.items():
            self.write(f"{name} = {forward.readings[d].text(self.length)}")
        params = [self.names.of(q.symbol) for q in self.cell.parameters]
        if params:
            shapes = f"parameter_shapes({', '.join(self.sizes.values())})"
            self.write_list("[", params, f"] = unpacked(params, {shapes}, dtype)")
        self.given_gradients()
        for q in self.memory.values():
            self.begin_bars(q)

    def length(self, q: Quantity, axis: int) -> str:
        """The code of the length of an axis, of a parameter or of what forward left."""
        if q.role == "parameter":
            return parameter_size(q, axis)
        if q.name in self.memory:
            return f"{self.names.storage(q.symbol)}[0].shape[{axis + 1}]"
        return f"{self.names.of(q.symbol)}.shape[{axis + 2}]"

    def stored_values(self) -> None:
        """The lists, and what follows from their shapes."""
        for a in self.assignments:
            if a.name not in self.memory:
                self.write(f'{self.names.storage(a.target)} = cache["{a.name}"]')
        for q in self.memory.values():
            self.write(f'{self.names.storage(q.symbol)} = cache["{q.name}"]')
        for x, q in self.inputs.items():
            if q.name not in self.memory:
                self.write(f'{x} = cache["{q.name}"]')
        for c, q in self.constants.items():
            self.write(f'{c} = cache["{q.name}"]')
        state = next(iter(self.memory.values()), None)
        first = self.assignments[0].target
        held = self.names.storage(first if state is None else state.symbol)
        back = f" - {state.depth}" if state is not None else ""
        self.write(f"T, B, like = len({held}){back}, {held}[0].shape[0], {held}[0]")
        self.write('xp, dtype, device = placed({"the cache": like})')

    def write_gradients(self, what: str, names: list[str], shapes: dict[str, str]) -> None:
        """``[names] = gradients(what, what, shapes, like)``"""
        if names:
            head = f'[{", ".join(names)}] = gradients("{what}", {what}, {{'
            self.write_list(head, [f'"{k}": {shape}' for k, shape in shapes.items()], "}, like)")

    def begin_bars(self, q: Quantity) -> None:
        """The adjoints of a remembered quantity: at first the loss's gradients by outputs and final state."""
        bar, final = self.names.storage(Adjoint(q.symbol)), self.final_of(q)
        zero = self.names.named((q.name, "zero"), f"{q.name}_zero")
        self.write(f"{zero} = np.zeros({self.value_shape(q)}, dtype)")
        begun = f"[{zero}] * {q.depth} + "
        if q in self.cell.outputs:
            begun += f"[{self.names.of(LossGradient(q.symbol))}[t, ...] for t in range(T)]"
        else:
            begun += f"[{zero}] * T"
        self.write(f"{bar} = {begun}")
        if q.depth == 1:
            self.write(f"{bar}[-1] = {bar}[-1] + {final}")
            return
        self.write(f"for k in range({q.depth}):")
        at = f"{bar}[k - {q.depth}]"
        self.write(f"{at} = {at} + {final}[k, ...]", indent=2)

    def value_shape(self, q: Quantity) -> str:
        """The shape of one step's values."""
        return "(B, " + self.whole_shape(q.symbol).removeprefix("(T, B, ")

    def steps_back(self) -> None:
        """The loop from the last step to the first."""
        b = self.equations
        for e in self.listed_bars():
            self.write(f"{self.names.storage(e.lhs)} = []")
        head = len(self.lines)
        self.write("for t in reversed(range(T)):")
        for e in self.every_bar():
            self.equation_back(e)
        show = self.printer(whole=False)
        for name, by_lag in b.carried.items():
            q = self.cell.quantity(name)
            bar = self.names.storage(Adjoint(q.symbol))
            for lag, e in by_lag.items():
                at = f"{bar}[t{f' + {q.depth - lag}' if q.depth > lag else ''}]"
                self.write(f"{at} = {at} + {show.over(e.rhs, e.lhs)}", indent=2)
        if len(self.lines) == head + 1:
            self.lines.pop()
        for e in self.listed_bars():
            stored = self.names.storage(e.lhs)
            self.write(f"{stored}.reverse()")

    def every_bar(self) -> list[AdjointEquation]:
        """The adjoints of a step: of what it computes, and of its inputs."""
        b, is_still = self.equations, self.program.settled.is_still
        real = {q.name for q in self.cell.inputs if q.kind == "real"}
        every = (*b.local, *(e for e in b.inputs if e.owner in real))
        return [e for e in every if not is_still(e.lhs)]

    def listed_bars(self) -> list[AdjointEquation]:
        """The adjoints that a list keeps: of intermediates, and of inputs without memory."""
        return [e for e in self.every_bar() if e.lhs.name not in self.memory]

    def equation_back(self, e: AdjointEquation) -> None:
        """One equation of the step; to a remembered quantity's adjoint it adds what this very step gives."""
        number = self.number_of(e.lhs)
        show = self.printer(whole=False)
        if e.lhs.name not in self.memory:
            name = self.names.of(e.lhs)
            self.write(f"{name} = {show.over(e.rhs, e.lhs)}", indent=2, number=number)
            self.write(f"{self.names.storage(e.lhs)}.append({name})", indent=2)
        elif terms(e.present):
            at = self.at_step(e.lhs)
            self.write(f"{at} = {at} + {show.over(e.present, e.lhs)}", indent=2, number=number)

    def sums(self) -> list[str]:
        """The gradients of what no step changes and of the parameters, as sums over all steps."""
        kept, self.lines = self.lines, []
        b, is_still = self.equations, self.program.settled.is_still
        for e in (*(e for e in b.local if is_still(e.lhs)), *b.parameters):
            text = self.over_time(e.rhs)
            self.write(f"{self.names.of(e.lhs)} = {text}", number=self.number_of(e.lhs))
        sums, self.lines = self.lines, kept
        return sums

    def ends(self) -> list[str]:
        """The gradients, by name."""
        self.lines = []
        params = [f'"{q.name}": {self.names.of(Adjoint(q.symbol))}' for q in self.cell.parameters]
        inputs = []
        for q in (q for q in self.cell.inputs if q.kind == "real"):
            span = f"[{q.depth}:]" if q.name in self.memory else ""
            inputs.append(f'"{q.name}": xp.stack({self.names.storage(Adjoint(q.symbol))}{span})')
        states = []
        for q in self.memory.values():
            stored = self.names.storage(Adjoint(q.symbol))
            first = f"copied({stored}[0])" if q.depth == 1 else f"xp.stack({stored}[:{q.depth}])"
            states.append(f'"{q.name}": {first}')
        self.write_list("params_bar = {", params, "}")
        self.write_list("inputs_bar = {", inputs, "}")
        self.write_list("state_bar = {", states, "}")
        self.write("return params_bar, inputs_bar, state_bar")
        return self.lines
