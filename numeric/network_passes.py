"""The functions of a network's file that run its segments one after another, forward and backward."""

from __future__ import annotations

from derive.cell import Quantity
from derive.network import END, Network, Segment, Source
from numeric.arrays import trailing
from numeric.body import listed, quoted
from numeric.names import HELPERS, RESERVED
from numeric.network_texts import BACKWARD_HEAD, NUMPY, Idioms, forward_documentation
from numeric.source import File

_LOCAL = frozenset(["out", "end", "losses", *HELPERS])


class Passes:
    """Writes ``forward``, ``backward`` and ``value_and_grad`` of a network.

    Args:
        network: the network.
        files: the writers of its segments' functions, by name.
        sizes: identifiers of the network's sizes.
        idioms: of the array library.
        taken: names that the file needs besides those of all files.
    """

    def __init__(
        self,
        network: Network,
        files: dict[str, File],
        sizes: list[str],
        idioms: Idioms = NUMPY,
        taken: frozenset[str] = frozenset(),
    ) -> None:
        self.network, self.files, self.sizes, self.idioms = network, files, sizes, idioms
        self.reserved = {*RESERVED, *_LOCAL, *taken}
        self.used = {s.axis for s in network.segments}
        self.ragged = [axis for axis in network.masks if axis in self.used]

    def text(self) -> list[str]:
        """The functions."""
        return [self.forward(), self.backward(), self.value_and_grad()]

    # ── arguments ───────────────────────────────────────────────────────────────────────────────────

    def identifier(self, name: str) -> str:
        """An input's name as an argument."""
        lengths = {
            w for axis in self.ragged for w in (f"lengths_{axis}", f"T_{axis}", self.mask(axis))
        }
        steps = (f"steps_{axis}" for axis in self.used)
        taken = {*self.reserved, *self.sizes, *lengths, *steps}
        while name in taken:
            name += "_"
        return name

    def mask(self, axis: str) -> str:
        """The mask of a ragged axis; no quantity has its name."""
        return self.network.masks[axis]

    def along(self, axis: str) -> list[Quantity]:
        """The inputs along an axis."""
        return [q for q in self.network.inputs if self.network.axes[q.name] == axis]

    def steps_of(self, axis: str) -> str:
        """The length of an axis: that of an input along it, or an argument of its own."""
        if axis in self.ragged:
            return f"T_{axis}"
        given = self.along(axis)
        return (
            self.idioms.steps.format(self.identifier(given[0].name)) if given else f"steps_{axis}"
        )

    def keywords(self) -> dict[str, str]:
        """The arguments by keyword, with their types: lengths, and how far to run where nothing is given."""
        wanted = dict.fromkeys(s.axis for s in self.network.segments if not real_inputs(s))
        free = [axis for axis in wanted if self.steps_of(axis) == f"steps_{axis}"]
        found = {f"steps_{axis}": "int" for axis in free}
        for axis in self.ragged:
            optional = bool(self.along(axis))
            found[f"lengths_{axis}"] = "Array | None = None" if optional else "Array"
        return found

    def arguments(self) -> list[str]:
        """The network's inputs as arguments."""
        given = [f"{self.identifier(q.name)}: Array" for q in self.network.inputs]
        keywords = [f"{name}: {kind}" for name, kind in self.keywords().items()]
        starred = ["*", *keywords] if keywords else []
        return ["params: Arrays", *given, "state: Arrays | None = None", *starred]

    def passed_on(self) -> str:
        """The same arguments as they are passed on."""
        given = [self.identifier(q.name) for q in self.network.inputs]
        return ", ".join(["params", *given, "state", *(f"{k}={k}" for k in self.keywords())])

    def input_docs(self) -> list[str]:
        """The inputs and their axes."""
        docs = []
        for q in self.network.inputs:
            file = next(self.files[s.name] for s in self.network.segments if q.name in s.inputs)
            axis = self.network.axes[q.name]
            steps = [] if axis == END else ["T" if axis == "t" else f"T_{axis}"]
            index = q.kind == "index"
            shape = ", ".join([*steps, "B", *([] if index else trailing(q.symbol, file.dim))])
            of = file.cell.quantity(q.name).shape[0]
            below = f", whole numbers below {file.dim(of)}" if index else ""
            docs.append(f"{self.identifier(q.name)}: ({shape}{',' * (shape == 'B')}){below}.")
        return docs

    # ── forward ─────────────────────────────────────────────────────────────────────────────────────

    def forward(self) -> str:
        """The segments one after another."""
        states = {q.name for s in self.network.segments for q in self.memory_of(s)}
        lines = [
            *listed("def forward(", self.arguments(), ") -> tuple[Arrays, Arrays, Arrays]:"),
            *forward_documentation(self.input_docs(), list(self.keywords())),
            "    state = dict(state or {})",
            "    outputs, final, cache = {}, {}, {}",
            *self.refusal("state", sorted(states - self.started())),
            *self.refusal("params", [q.name for q in self.network.parameters]),
            *self.left_out(),
            *self.lengths(),
        ]
        for s in self.network.segments:
            lines += self.run(s)
        for axis in self.ragged:
            lines += self.cut("outputs", axis)
        return "\n".join([*lines, *self.own_results(), "    return outputs, final, cache"])

    def own_results(self) -> list[str]:
        """Copies of what later segments keep as their inputs and starts, where a caller could write to it."""
        read = [
            (kind, source.name)
            for s in self.network.segments
            for kind, sources in (("outputs", s.inputs), ("final", s.starts))
            for source in sources.values()
            if source.segment
        ]
        own = self.idioms.own
        return [
            f'    {kind} |= {{"{name}": {own.format(f"{kind}[{quoted(name)}]")}}}'
            for kind, name in dict.fromkeys(read)
            if own
        ]

    @staticmethod
    def refusal(what: str, names: list[str]) -> list[str]:
        """The call that refuses names that no segment knows."""
        return listed(f'    refuse_unknown("{what}", {what}, [', [quoted(n) for n in names], "])")

    def left_out(self) -> list[str]:
        """The calls that refuse to take one sample for several: a segment without inputs counts its state's."""
        lines: list[str] = []
        for s in self.network.segments if self.network.inputs else ():
            names = [quoted(q.name) for q in self.memory_of(s)]
            if names and not s.cell.inputs and not s.starts:
                given = self.network.inputs[0]
                axis = int(self.network.axes[given.name] != END)
                tail = f'], state, "{given.name}", {self.identifier(given.name)}, {axis})'
                lines += listed("    refuse_left_out([", names, tail)
        return lines

    def lengths(self) -> list[str]:
        """Lengths and masks of ragged axes; what is given beyond a sample's length is replaced."""
        if not self.ragged:
            return []
        real = [q.name for q in self.network.inputs if q.kind == "real"]
        source = (
            "params" if self.network.parameters else f'{{"{real[0]}": {self.identifier(real[0])}}}'
        )
        lines = [f"    {self.idioms.placed.format(source)}"]
        for axis in self.ragged:
            name, steps, given = f"lengths_{axis}", f"T_{axis}", self.along(axis)
            if given:
                first = given[0]
                rank = ", 2" if first.kind == "index" else ""
                found = f'leading("{first.name}", {self.identifier(first.name)}{rank})'
            else:
                found = f'longest("{name}", {name}{self.idioms.lengths})'
            lines.append(f"    {steps}, B = {found}")
            lines.append(
                f'    {name} = checked_lengths("{name}", {name}, {steps}, B{self.idioms.lengths})'
            )
            lines.append(f"    {self.mask(axis)} = mask_of({name}, {steps}, dtype)")
            lines.append(f'    cache["lengths of {axis}"] = {name}, {steps}')
            for q in given:
                x = self.identifier(q.name)
                lines.append(f'    {x} = held("{q.name}", {x}, {name}, {steps})')
        return lines

    def cut(self, arrays: str, axis: str) -> list[str]:
        """Zero beyond each sample's length, for all outputs along an axis."""
        segments = [s for s in self.network.segments if s.axis == axis]
        names = [quoted(q.name) for s in segments for q in s.cell.outputs]
        return listed(f"    cut({arrays}, [", names, f"], lengths_{axis}, T_{axis})")

    def memory_of(self, segment: Segment) -> list[Quantity]:
        """The quantities of a segment that need values before the first step."""
        return list(self.files[segment.name].memory.values())

    def started(self) -> set[str]:
        """The states that start from another segment's."""
        return {name for s in self.network.segments for name in s.starts}

    def value_of(self, name: str, source: Source, segment: Segment) -> str:
        """A segment's input, in the direction in which it runs."""
        if segment.cell.quantity(name).kind == "mask":
            text = self.mask(segment.axis)
        elif not source.segment:
            given = self.identifier(name)
            text = self.idioms.alone.format(given) if segment.axis == END else given
        elif source.last:
            text = self.last_of(source)
        else:
            text = f'outputs["{source.name}"]'
        return self.idioms.turned.format(text) if segment.reverse else text

    def last_of(self, source: Source) -> str:
        """The value after the whole scan."""
        made, value = self.network.segment(source.segment), f'outputs["{source.name}"]'
        if made.reverse:
            return self.idioms.first.format(value)
        if made.axis in self.ragged:
            return f"at_end({value}, lengths_{made.axis})"
        return self.idioms.last.format(value)

    def run(self, s: Segment) -> list[str]:
        """One segment forward."""
        own = [q.name for q in self.memory_of(s)]
        start = [f'"{name}": final["{source.name}"]' for name, source in s.starts.items()]
        taken = ", ".join(quoted(name) for name in own if name not in s.starts)
        initial = f"only(state, [{taken}])"
        if start:
            initial = f"{{**{initial}, {', '.join(start)}}}"
        names = ", ".join(quoted(q.name) for q in s.cell.parameters)
        inputs = [self.value_of(name, source, s) for name, source in s.inputs.items()]
        steps = [] if s.cell.inputs else [f"steps={self.steps_of(s.axis)}"]
        call = listed(
            f'    out, end, cache["{s.name}"] = forward_{s.name}(',
            [f"only(params, [{names}])", *inputs, initial, *steps],
            ")",
        )
        turned = self.all_turned("out") if s.reverse else "out"
        steps_made = self.idioms.steps.format(f'out["{s.cell.outputs[0].name}"]')
        count = f'    cache["{s.name}"]["steps"] = {steps_made}'
        seen = any(
            x.last and x.segment == s.name for o in self.network.segments for x in o.inputs.values()
        )
        return [*call, f"    outputs |= {turned}", "    final |= end", *([count] if seen else [])]

    def all_turned(self, arrays: str) -> str:
        """The steps of all arrays in reverse order."""
        return f"{{name: {self.idioms.turned.format('value')} for name, value in {arrays}.items()}}"

    # ── backward ────────────────────────────────────────────────────────────────────────────────────

    def backward(self) -> str:
        """The segments in reverse order, adjoints added up where values came from."""
        lines = [BACKWARD_HEAD]
        for axis in self.ragged:
            lines.append(f'    lengths_{axis}, T_{axis} = cache["lengths of {axis}"]')
            lines += self.cut("outputs_bar", axis)
        for s in self.network.segments[::-1]:
            lines += self.run_back(s)
        lines.append("    return params_bar, inputs_bar, state_bar")
        return "\n".join(lines)

    def run_back(self, s: Segment) -> list[str]:
        """One segment backward."""
        names = ", ".join(quoted(q.name) for q in s.cell.parameters)
        outs = ", ".join(quoted(q.name) for q in s.cell.outputs)
        given = f"only(outputs_bar, [{outs}])"
        if s.reverse:
            given = self.all_turned(given)
        ends = ", ".join(quoted(q.name) for q in self.memory_of(s))
        lines = listed(
            f"    by_params, by_inputs, by_state = backward_{s.name}(",
            [f"only(params, [{names}])", f'cache["{s.name}"]', given, f"only(final_bar, [{ends}])"],
            ")",
        )
        lines.append("    add_all(params_bar, by_params)")
        for name, source in s.inputs.items():
            if s.cell.quantity(name).kind == "real":
                lines += self.pass_back(name, source, s)
        for name, source in s.starts.items():
            lines.append(f'    add_to(final_bar, "{source.name}", by_state.pop("{name}"))')
        lines.append("    state_bar |= by_state")
        return lines

    def pass_back(self, name: str, source: Source, s: Segment) -> list[str]:
        """The adjoint of an input goes to where the input came from."""
        value = f'by_inputs["{name}"]'
        if s.reverse:
            value = self.idioms.turned.format(value)
        if not source.segment:
            value = self.idioms.step.format(value) if s.axis == END else value
            return [f'    add_to(inputs_bar, "{name}", {value})']
        if not source.last:
            return [f'    add_to(outputs_bar, "{source.name}", {value})']
        made = self.network.segment(source.segment)
        steps = f'cache["{source.segment}"]["steps"]'
        if made.axis in self.ragged and not made.reverse:
            whole = f"from_end({value}, lengths_{made.axis}, {steps})"
        else:
            whole = f"at_step({value}, {'0' if made.reverse else '-1'}, {steps})"
        return [f'    add_to(outputs_bar, "{source.name}", {whole})']

    def value_and_grad(self) -> str:
        """The loss and all gradients."""
        loss = self.network.loss
        returns = ") -> tuple[float, tuple[Arrays, Arrays, Arrays]]:"
        if loss is None:
            head = listed("def value_and_grad(", ["loss", *self.arguments()], returns)
            body = [
                '    """The loss and its gradients; loss(outputs) gives its value and gradients by the outputs."""',
                f"    outputs, _, cache = forward({self.passed_on()})",
                "    value, outputs_bar = loss(outputs)",
                "    return value, backward(params, cache, outputs_bar)",
            ]
            return "\n".join([*head, *body])
        head = listed("def value_and_grad(", self.arguments(), returns)
        summed, ones = self.idioms.summed.format("losses"), self.idioms.ones.format("losses")
        body = [
            '    """The loss, summed over steps and samples, and its gradients."""',
            f"    outputs, _, cache = forward({self.passed_on()})",
            f'    losses = outputs["{loss.name}"]',
            f"    return {summed}, backward(params, cache, {{{quoted(loss.name)}: {ones}}})",
        ]
        return "\n".join([*head, *body])


def real_inputs(segment: Segment) -> list[Quantity]:
    """The inputs of a segment but for its mask."""
    return [q for q in segment.cell.inputs if q.kind != "mask"]
