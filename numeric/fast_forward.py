"""The forward pass of a fast file: one product for all inputs of a stretch, then a loop of ufuncs into a workspace."""

from __future__ import annotations

from sympy import Expr
from sympy.matrices.expressions import MatrixExpr

from derive.expressions import Timed
from derive.nodes import is_timed
from numeric.body import all_leaves
from numeric.fast_bulk import Bulk
from numeric.fast_weights import Weights
from numeric.forward_pass import Forward
from numeric.operations import Bias, Gates, InRows, Lowering, Made, Op, Value
from numeric.program import StackTerm, Statement
from numeric.stacks import Stack


class FastForward(Bulk, Weights, Forward):
    """Writes the forward pass of a fast file."""

    checked, common_dtype = "sound", "shared_dtype"

    def text(self, signature: str) -> str:
        """The whole function."""
        self.statements()
        computing, self.lines = self.lines, []
        self.results()
        results, self.lines = self.lines, []
        computing = self.without_unused(computing, results)
        computing = [*self.settle([*computing, *results]), *computing]
        self.arguments()
        self.workspace()
        arguments, self.lines = self.lines, []
        self.local_names("\n".join([*computing, *results]))
        body = [*arguments, *self.lines, "", *computing, "", *results]
        return "\n".join([signature, *self.documentation(), *body])

    def take_parameters(self) -> None:
        """Sizes, the dtype and the parameters: those of the workspace's last run, if they are the same, or checked."""
        if not self.cell.parameters:
            self.sizes_and_dtype()
            return
        self.write("known = as_before(params, own(workspace, Workspace))")
        self.write("if known is None:")
        self.sizes_and_dtype(indent=2)
        self.write(f"known = taken(params, {self.shapes}, dtype)", indent=2)
        self.write("else:")
        elsewhere = {
            d: name for d, name in self.sizes.items() if self.shown_by(d, "input", "state")
        }
        kept = ["_" if d in elsewhere else name for d, name in self.sizes.items()]
        self.write(", ".join(["_", "_", *kept, "dtype"]) + " = workspace.key", indent=2)
        for d, name in elsewhere.items():
            self.write(f"{name} = {self.size(d)}", indent=2)
        self.write_list("[", self.parameter_names, "] = known.values()")
        stacked = {v.name for v in self.stacked}
        self.check_finite(
            [self.names.of(q.symbol) for q in self.cell.parameters if q.name not in stacked]
        )

    def shown_by(self, d: Expr, *roles: str) -> bool:
        """Whether a size is read from an argument of one of these roles."""
        return any(q.role in roles for q in self.readings[d].arguments)

    def initial_values(self, sizes: list[str]) -> None:
        """The values before the first step, checked; where none are given, zero stands for all if no size is theirs."""
        names = [self.first_of(q) for q in self.memory.values()]
        zeros = f"init_state({', '.join(['B', *sizes])}, dtype=dtype)"
        if any(self.shown_by(d, "state") for d in self.sizes):
            self.write_list("[", names, f"] = unpacked_state(state, {zeros}, dtype)")
            return
        self.write("if state is None:")
        self.write_list("[", names, f"] = [{', '.join(['0'] * len(names))}]", indent=2)
        self.write("else:")
        self.write_list("[", names, f"] = given_state(state, {zeros}, dtype)", indent=2)

    def check_finite(self, arrays: list[str]) -> None:
        """Looks whether parameters, or the weights that they were stacked into, are finite; if not, names which."""
        if arrays:
            self.write_list("if not finite(", arrays, "):")
            self.write("raise not_finite(params)", indent=2)

    def documentation(self) -> list[str]:
        """What goes in and what comes out."""
        lines = super().documentation()
        at = next(i for i, line in enumerate(lines) if line == "    Returns:") - 1
        return [*lines[:at], *_WORKSPACE_DOC, *lines[at:]]

    def workspace(self) -> None:
        """The workspace: the one that was given, or a new one."""
        key = ", ".join(["T", "B", *self.sizes.values(), "dtype"])
        given = "workspace" if self.cell.parameters else "own(workspace, Workspace)"
        self.write_list(
            "ws = Workspace(", [key], f") if {given} is None else workspace.taken({key})"
        )
        if self.cell.parameters:
            self.write("ws.known = known")

    def statements(self) -> None:
        """Initial values, weights, what all steps have in common, and the loop."""
        f = self.program.forward
        for q in self.memory.values():
            store = self.whole_array(q.symbol) and self.names.storage(q.symbol)
            self.write(f"{store}[:{q.depth}] = {self.first_of(q)}")
            if q.role == "input":
                self.write(f"{store}[{q.depth}:] = {self.names.of(q.symbol)}")
        bulk = [s for s in (*f["before"], *f["after"]) if not self.is_early(s)]
        uses = [(t.stack, v) for s in bulk for t in self.stack_terms(s.value) for v in _vectors(t)]
        self.stack_weights([u for u in uses if len(u[0].members) > 1])
        before = [s for s in f["before"] if not self.is_early(s)]
        self.whole_names([v for s in before for v in all_leaves(s.value)])
        for s in before:
            self.bulk(s)
        if f["loop"]:
            self.loop()
        self.whole_names([v for s in f["after"] for v in all_leaves(s.value)])
        for s in f["after"]:
            self.bulk(s)

    def bulk(self, s: Statement) -> None:
        """A statement for all steps, a stretch after the other."""
        stack = s.target if isinstance(s.target, Stack) else None
        if stack is None and not (self.is_loose(s.target) and is_timed(s.value)):
            super().bulk(s)
            return
        name = self.names.of(s.target) if stack is None else self.stack_name(stack)
        shape = f"(T, B, {self.stack_rows(stack)})" if stack else self.whole_shape(s.target)
        if not s.add:  # what is added to is there, maybe as a part of a stack
            self.field(name, self.new_array(shape))
        with self.of_a_stretch():
            value = self.stack_value(s, whole=True) if stack else self.printer(whole=True)(s.value)
        self.write_stretch(f"{name}[at] {'+=' if s.add else '='} {value}", s.number)
        if stack is not None:
            self.name_members(stack)

    def is_loose(self, leaf: MatrixExpr) -> bool:
        """Whether a value is computed for all steps, and has neither a history nor a place in the loop."""
        return is_timed(leaf) and leaf.name not in self.memory and leaf not in self.slots

    def loop(self) -> None:
        """The products with the inputs of a stretch, and its steps."""
        early = [s for s in self.program.forward["before"] if self.is_early(s)]
        ops = self.operations(self.program.forward["loop"])
        weights, self.lines = self.lines, []
        steps = self.step_lines(ops, early=bool(early))
        self.early_weights(early)
        for s in self.program.forward["loop"]:
            for term in self.stack_terms(s.value):
                self.step_weight(term)
        self.end_weights()
        self.check_finite(list(self.filled))
        prepared, self.lines = self.lines, []
        if self.filled:
            self.write_tag(1, "fused", "halved")
            prepared, self.lines = [*self.lines, *prepared], []
        if early:
            self.write_tag(2, "early")
        for s in early:
            self.early_products(s)
        body = [*self.lines, *("        " + line for line in steps)]
        self.lines = [*weights, *prepared, *self.over_stretches(body, early=bool(early))]

    def over_stretches(self, body: list[str], *, early: bool) -> list[str]:
        """The steps, a stretch after the other if each begins with products."""
        if early:
            return ["    for start, stop in ws.stretches:", *body]
        return [line.removeprefix("    ") for line in body]

    def step_lines(self, ops: list[Op], *, early: bool) -> list[str]:
        """The loop over the steps of a stretch."""
        body = [line for op in ops for line in self.line(op)]
        kept, self.lines = self.lines, []
        self.loop_head(0, "ws.forward_steps" + ("[start:stop]" if early else ""), early=early)
        head, self.lines = self.lines, kept
        return [*self.made_multipliers(), *head, *("    " + line for line in body)]

    def loop_head(self, depth: int, steps: str, *, early: bool) -> None:
        """The line that begins the loop over the steps of a stretch."""
        names = list(self.fields.views.values())
        span = "[start:stop]" if early else ""
        columns = {name: self.each(whole) + span for whole, name in self.fields.outside.items()}
        self.write_loop(depth, names, steps, columns)

    def operations(self, statements: list[Statement]) -> list[Op]:
        """The loop's statements as single operations."""
        low = Lowering(self.place)
        for s in statements:
            if isinstance(s.target, Stack):
                self.stack_operations(s, low)
            elif s.add:
                value = low.any(s.value)
                low.emit("add", (self.place(s.target), value), self.place(s.target), s.number)
            else:
                low.assign(self.place(s.target), s.value, s.number)
        return self.placed(low.ops)

    def stack_operations(self, s: Statement, low: Lowering) -> None:
        """Σ W v + what was made before the loop + the bias, unless that was added then."""
        stack = s.target
        whole = Gates(stack, 0, len(stack.members))
        parts: list[Value] = []
        for term in s.value:
            made = Made(stack, term.vector)
            low.emit("dot", (self.place(term.vector),), made)
            parts.append(made)
        if s.add:
            parts.append(Made(stack, None))
        if any(term.bias for term in s.value):
            parts.append(Bias(stack))
        if len(parts) == 1:
            low.emit("copy", (parts[0],), whole)
        elif self.lies_by_gate(stack):
            self.row_operations(stack, parts, low)
        else:
            self.added(parts, whole, low)

    def row_operations(self, stack: Stack, parts: list[Value], low: Lowering) -> None:
        """The parts added as products have them, and the sum then laid out gate by gate.

        Law: the same additions. NumPy takes up to five times as long for an operation on gates that it sees within
        rows than for one on rows and a copy.
        """
        self.products[stack.name] = parts[0]
        total = InRows(stack)
        self.added([InRows(stack, part) for part in parts], total, low)
        low.emit("by_gate", (total,), Gates(stack, 0, len(stack.members)))

    def added(self, parts: list[Value], target: Value, low: Lowering) -> None:
        """The sum of at least two parts."""
        total = parts[0]
        for part in parts[1:]:
            low.emit("add", (total, part), target)
            total = target

    def given(self) -> dict[str, str]:
        """What the backward pass reads from outside the workspace: by name its array."""
        read: dict[str, str] = {}
        for part in self.program.backward.values():
            for v in (v for s in part for v in all_leaves(s.value) if isinstance(v, Timed)):
                if self.from_outside(v) and self.names.of(v) not in self.fields.arrays:
                    read[v.name] = self.names.of(v)
        return dict(sorted((read | {q.name: c for c, q in self.constants.items()}).items()))

    def results(self) -> None:
        """Outputs, the final state, and what the backward pass needs."""
        outputs = [f'"{q.name}": {self.output(q.symbol)}' for q in self.cell.outputs]
        final = [
            f'"{q.name}": {self.names.storage(q.symbol)}[{"-1" if q.depth == 1 else f"-{q.depth}:"}].copy()'
            for q in self.memory.values()
        ]
        given = [f'"{key}": {value}' for key, value in self.given().items()]
        if self.kept_outputs:
            self.write("outputs = dict(ws.outputs)")
        else:
            self.write_list("outputs = read_only({", outputs, "})")
        self.write_list("final = {", final, "}")
        self.write_list('cache = {"workspace": ws, "run": ws.run, "given": {', given, "}}")
        self.write("return outputs, final, cache")

    @property
    def kept_outputs(self) -> list[str]:
        """The outputs as entries of a dict, if all of them are parts of the workspace."""
        kept = [self.output(q.symbol) for q in self.cell.outputs]
        if any(
            name not in self.fields.arrays
            for q, name in zip(self.cell.outputs, kept, strict=True)
            if q.name in self.loose
        ):
            return []
        return [f'"{q.name}": {code}' for q, code in zip(self.cell.outputs, kept, strict=True)]

    def output(self, leaf: Timed) -> str:
        """The code of an output, for all steps."""
        return self.names.of(leaf) if leaf.name in self.loose else self.whole_array(leaf)


def _vectors(term: StackTerm):
    yield term.vector
    if term.bias:
        yield None


_WORKSPACE_DOC = [
    "        workspace: arrays of earlier calls with the same sizes, which this one overwrites, its outputs",
    "            included; new arrays if left out.",
]
