"""The functions of a network's file that run its segments one after another, forward and backward."""

from __future__ import annotations

from derive.network import END, Segment, Source
from numeric.body import listed, quoted
from numeric.network_lengths import Lengths
from numeric.network_texts import BACKWARD_HEAD, forward_documentation


class Passes(Lengths):
    """Writes ``forward``, ``backward`` and ``value_and_grad`` of a network."""

    backward_head = BACKWARD_HEAD

    def text(self) -> list[str]:
        """The functions."""
        return [self.forward(), self.backward(), self.value_and_grad()]

    # ── forward ─────────────────────────────────────────────────────────────────────────────────────

    def forward(self) -> str:
        """The segments one after another."""
        lines = [
            *listed("def forward(", self.arguments(), ") -> tuple[Arrays, Arrays, Arrays]:"),
            *forward_documentation(self.input_docs(), list(self.keywords())),
            *self.checked_arguments(),
        ]
        for s in self.network.segments:
            lines += self.run(s)
        for axis in self.ragged:
            lines += self.cut("outputs", axis, self.idioms.values)
        lines += self.cut_beside("outputs", self.outputs(), self.idioms.values)
        lines += self.cut_beside("final", self.memory(), self.idioms.values)
        return "\n".join([*lines, *self.own_results(), "    return outputs, final, cache"])

    def checked_arguments(self) -> list[str]:
        """What stands before all segments: what is given is refused where no segment knows it, or made ready."""
        states = {q.name for s in self.network.segments for q in self.memory_of(s)}
        return [
            '    state = dict(by_name("state", state))',
            *self.begun(),
            *self.refusal("state", sorted(states - self.started())),
            *self.refusal("params", [q.name for q in self.network.parameters]),
            *self.left_out(),
            *self.lengths(),
            *self.beside_inputs(),
        ]

    def begun(self) -> list[str]:
        """What the forward pass does before anything else."""
        return ["    outputs, final, cache = {}, {}, {}"]

    def own_results(self) -> list[str]:
        """Copies of what later segments keep as their inputs and starts, where a caller could write to it."""
        read = [
            (
                "outputs" if kind == "final" and self.network.is_computed(source) else kind,
                source.name,
            )
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

    def started(self) -> set[str]:
        """The states that start from another segment's."""
        return {name for s in self.network.segments for name in s.starts}

    def value_of(self, name: str, source: Source, segment: Segment) -> str:
        """A segment's input, in the direction in which it runs."""
        if segment.cell.quantity(name).kind == "mask":
            text = (
                f"columns_of({source.name})[:, :, 0, :]"
                if source.whole
                else self.over_run(self.mask(segment.axis))
            )
        elif not source.segment:
            given = self.identifier(name)
            alone = segment.axis == END or source.held
            text = self.idioms.alone.format(given) if alone else self.over_run(given)
        elif source.last:
            text = self.last_of(source)
        else:
            text = self.made_by(source, segment)
            text = f"columns_of({text})" if source.whole else text
        if source.held:
            return f"at_every_step({text}, {self.count(segment)})"
        return self.idioms.turned.format(text) if segment.reverse else text

    def over_run(self, sequence: str) -> str:
        """A sequence over the steps of a run: all of them."""
        return sequence

    def count(self, segment: Segment) -> str:
        """How many steps a run of a segment has."""
        return self.steps_of(segment.axis)

    def made_by(self, source: Source, segment: Segment) -> str:
        """What another segment made, as this one reads it."""
        return f'outputs["{source.name}"]'

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
        start = [f'"{name}": {self.start_of(source)}' for name, source in s.starts.items()]
        taken = ", ".join(quoted(name) for name in own if name not in s.starts)
        initial = f"only(state, [{taken}])"
        if start:
            initial = f"{{**{initial}, {', '.join(start)}}}"
        names = ", ".join(quoted(q.name) for q in s.cell.parameters)
        inputs = [self.value_of(name, source, s) for name, source in s.inputs.items()]
        steps = [] if s.cell.inputs else [f"steps={self.count(s)}"]
        call = listed(
            f"    out, end, {self.cache_of(s.name)} = forward_{s.name}(",
            [f"only(params, [{names}])", *inputs, initial, *steps, *self.reused(s)],
            ")",
        )
        turned = self.all_turned("out") if s.reverse else "out"
        done = [f"    outputs |= {turned}", "    final |= end", *self.counted(s)]
        return [*call, *self.kept(s), *done]

    def counted(self, s: Segment) -> list[str]:
        """How many steps a segment went, noted if another one reads its end."""
        seen = any(
            x.last and x.segment == s.name for o in self.network.segments for x in o.inputs.values()
        )
        steps = self.idioms.steps.format(f'out["{s.cell.outputs[0].name}"]')
        return [f'    {self.cache_of(s.name)}["steps"] = {steps}'] if seen else []

    def start_of(self, source: Source) -> str:
        """The value before a scan's first step that another segment gives."""
        if self.network.is_computed(source):
            return self.idioms.step.format(f'outputs["{source.name}"]')
        return f'final["{source.name}"]'

    def cache_of(self, name: str) -> str:
        """What a segment's backward pass needs."""
        return f'cache["{name}"]'

    def steps_made(self, name: str) -> str:
        """How many steps a segment went."""
        return f'{self.cache_of(name)}["steps"]'

    def reused(self, segment: Segment) -> list[str]:
        """What a segment's forward is given besides its arguments."""
        return []

    def kept(self, segment: Segment) -> list[str]:
        """What is done with a segment's cache."""
        return []

    def all_turned(self, arrays: str) -> str:
        """The steps of all arrays in reverse order."""
        return f"{{name: {self.idioms.turned.format('value')} for name, value in {arrays}.items()}}"

    # ── backward ────────────────────────────────────────────────────────────────────────────────────

    def backward(self) -> str:
        """The segments in reverse order, adjoints added up where values came from."""
        outputs = [q.name for s in self.network.segments for q in s.cell.outputs]
        ends = [q.name for s in self.network.segments for q in self.memory_of(s)]
        lines = [
            self.backward_head,
            *self.refusal("outputs_bar", outputs),
            *self.refusal("final_bar", ends),
        ]
        lines += self.begun_back()
        for axis in self.ragged:
            lines.append(f'    lengths_{axis}, T_{axis} = cache["lengths of {axis}"]')
            lines += self.cut("outputs_bar", axis, self.idioms.sums)
        for axis in self.padded.values():
            lines.append(f"    inside_{axis} = inside_of(lengths_{axis}, T_{axis})")
        lines += self.cut_beside("outputs_bar", self.outputs(), self.idioms.sums)
        lines += self.cut_beside("final_bar", self.memory(), self.idioms.ends)
        for s in self.network.segments[::-1]:
            lines += self.run_back(s)
        return "\n".join([*lines, self.handed_out()])

    def begun_back(self) -> list[str]:
        """What the backward pass does before anything else."""
        return []

    def handed_out(self) -> str:
        """The last line of the backward pass."""
        return "    return params_bar, inputs_bar, state_bar"

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
            [
                f"only(params, [{names}])",
                self.cache_of(s.name),
                given,
                f"only(final_bar, [{ends}])",
            ],
            ")",
        )
        lines += self.trained()
        for name, source in s.inputs.items():
            if s.cell.quantity(name).kind == "real":
                lines += self.pass_back(name, source, s)
        for name, source in s.starts.items():
            value = f'by_state.pop("{name}")'
            if self.network.is_computed(source):
                lines.append(self.added("outputs_bar", source.name, self.idioms.now.format(value)))
                continue
            lines.append(f'    add_to(final_bar, "{source.name}", {value}{self.idioms.ends})')
        lines.append("    state_bar |= by_state")
        return lines

    def trained(self) -> list[str]:
        """The gradients by a segment's parameters are added to those of the others."""
        return [f"    add_all(params_bar, by_params{self.idioms.sums})"]

    def pass_back(self, name: str, source: Source, s: Segment) -> list[str]:
        """The adjoint of an input goes to where the input came from."""
        value = f'by_inputs["{name}"]'
        if source.whole:
            value = f"by_column({value})"
        if source.held:
            value = f"over_steps({value})"
        elif s.reverse:
            value = self.idioms.turned.format(value)
        if not source.segment:
            once = s.axis == END or source.held
            value = self.idioms.step.format(value) if once else value
            return [self.added_to_input(name, value, once=once)]
        if not source.last:
            return [self.added_where_made(source, s, value)]
        return [self.added_at_end(source, value)]

    def added_to_input(self, name: str, value: str, *, once: bool) -> str:
        """The line that adds the adjoint of what is given from outside, once or at every step."""
        return self.added("inputs_bar", name, value)

    def added_where_made(self, source: Source, s: Segment, value: str) -> str:
        """The line that adds the adjoint of what a segment reads to that of what another one made."""
        return self.added("outputs_bar", source.name, value)

    def added(self, total: str, name: str, value: str) -> str:
        """The line that adds to the sum of a name."""
        return f'    add_to({total}, "{name}", {value}{self.idioms.sums})'

    def added_at_end(self, source: Source, value: str) -> str:
        """The line that adds the adjoint of the value after a whole scan to that of the scan's sequence."""
        made, steps = self.network.segment(source.segment), self.steps_made(source.segment)
        if made.axis in self.ragged and not made.reverse:
            whole = f"from_end({value}, lengths_{made.axis}, {steps})"
        else:
            whole = f"at_step({value}, {'0' if made.reverse else '-1'}, {steps})"
        return self.added("outputs_bar", source.name, whole)

    def value_and_grad(self, owner: str = "") -> str:
        """The loss and all gradients; of an owner's forward and backward, if they are methods."""
        loss, of, first = self.network.loss, f"{owner}." if owner else "", [owner] if owner else []
        returns = ") -> tuple[float, tuple[Arrays, Arrays, Arrays]]:"
        if loss is None:
            head = listed("def value_and_grad(", [*first, "loss", *self.arguments()], returns)
            body = [
                '    """The loss and its gradients; loss(outputs) gives its value and gradients by the outputs."""',
                f"    outputs, _, cache = {of}forward({self.passed_on()})",
                "    value, outputs_bar = loss(outputs)",
                f"    return value, {of}backward(params, cache, outputs_bar)",
            ]
            return "\n".join([*head, *body])
        head = listed("def value_and_grad(", [*first, *self.arguments()], returns)
        summed, ones = self.idioms.summed.format("losses"), self.idioms.ones.format("losses")
        body = [
            '    """The loss, summed over steps and samples, and its gradients."""',
            f"    outputs, _, cache = {of}forward({self.passed_on()})",
            f'    losses = outputs["{loss.name}"]',
            f"    return {summed}, {of}backward(params, cache, {{{quoted(loss.name)}: {ones}}})",
        ]
        return "\n".join([*head, *body])
