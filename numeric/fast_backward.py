"""The backward pass of a fast file: factors for a block of steps, a short loop, then the sums over a stretch."""

from __future__ import annotations

from dataclasses import replace

from sympy import S
from sympy.matrices.expressions import MatrixExpr

from derive.expressions import Adjoint, LossGradient, Timed, has_time
from numeric.body import all_leaves
from numeric.fast_bars import adjoints_of
from numeric.fast_chain import Chained
from numeric.fast_forward import FastForward
from numeric.operations import Gates, Lowering, Made, Op, Value, shape_of
from numeric.passes import MANY
from numeric.placement import in_place, shared
from numeric.program import StackTerm, Statement
from numeric.store import Fields

_SIGNATURE = '''def backward(
    params: Arrays, cache: Arrays, outputs_bar: Arrays, final_bar: Arrays | None = None
) -> tuple[Arrays, Arrays, Arrays]:
    """Gradients of everything, given those of the outputs.

    Args:
        params: as given to forward.
        cache: as returned by forward, which must be the last call that used its workspace.
        outputs_bar: the loss's gradients by the outputs, (T, B, …); zero for what is left out.
        final_bar: the loss's gradients by the final state, as they come from a later stretch of the same
            sequence; zero for what is left out.

    Returns:
        The gradients by the parameters, by the inputs, and by the values before the first step. If the
        workspace was given to forward, it holds them, and the next call overwrites them.
    """'''


class FastBackward(Chained):
    """Writes the backward pass of a fast file."""

    def text(self, forward: FastForward) -> str:
        """The whole function."""
        self.statements()
        computing, self.lines = self.lines, []
        self.results()
        results, self.lines = self.lines, []
        computing = self.without_unused(computing, results)
        computing = [*self.settle([*computing, *results]), *computing]
        self.arguments(forward, "\n".join(computing))
        arguments, self.lines = self.lines, []
        self.local_names("\n".join([*computing, *results]))
        return "\n".join([_SIGNATURE, *arguments, *self.lines, "", *computing, "", *results])

    def local_names(self, text: str) -> None:
        """Local names for what of the workspace the code uses."""
        mine = self.fields
        self.fields = Fields({**self.before.arrays, **mine.arrays}, mine.views, mine.outside)
        super().local_names(text)
        self.fields = mine

    def arguments(self, forward: FastForward, computing: str) -> None:
        """The workspace, sizes, parameters and given gradients, checked."""
        key = ", ".join(["T", "B", *self.sizes.values(), "dtype"])
        self.write("ws = checked_run(cache)")
        self.write(f"{key} = ws.key")
        for name, text in forward.given().items():
            self.write(f'{text} = cache["given"]["{name}"]')
        self.parameters(computing)
        self.given_gradients()
        self.write("ws.for_backward()")

    def taken(self, shapes: str) -> str:
        """The parameters of the forward pass, or others of the right names, shapes and dtype."""
        return f"(as_before(params, ws) or taken(params, {shapes}, dtype)).values()"

    def write_gradients(self, what: str, names: list[str], shapes: dict[str, str]) -> None:
        """The given gradients; those of carried adjoints stay None where they are left out."""
        head = f'[{", ".join(names)}] = given_gradients("{what}", {what}, {{'
        self.write_list(head, [f'"{key}": {shape}' for key, shape in shapes.items()], "}, dtype)")
        for (key, shape), name in zip(shapes.items(), names, strict=True):
            if key not in self.carried:
                self.write(f"if {name} is None:")
                make = "np.zeros" if name in self.in_loop_from_outside() else "no_gradient"
                self.write(f"{name} = {make}({shape}, dtype)", indent=2)

    def in_loop_from_outside(self) -> set[str]:
        """What the loop sees step by step though it lies outside the workspace."""
        return {self.final_of(q) for q in self.memory.values()} | {*self.fields.outside}

    def statements(self) -> None:
        """The lines that compute."""
        b = self.program.backward
        ops = self.operations(b["loop"])
        packed = self.find_together(ops)
        bulk = [s for s in (*b["before"], *b["after"]) if s not in self.sums]
        uses = [(t.stack, t.vector) for s in bulk for t in self.stack_terms(s.value)]
        self.stack_weights(uses)
        for stack, vector in uses:
            if len(stack.members) == 1:
                self.write(
                    f"{self.weight(stack, vector)} = {self.static(stack.matrices(vector)[0])}"
                )
        self.begin()
        self.whole_names([v for s in bulk for v in (s.target, *stored_by(s))])
        for s in b["before"]:
            self.bulk(s)
        if b["loop"]:
            self.stretches(ops, packed)
        for s in b["after"]:
            if s not in self.sums or not b["loop"]:
                self.after(s)

    def begin(self) -> None:
        """The adjoints after the last step."""
        outputs = {q.name for q in self.cell.outputs}
        for q in self.memory.values():
            bar, final = Adjoint(q.symbol), self.final_of(q)
            if q.name in self.carried:
                text = self.memory_bar(bar)
                self.write(f"{text}[...] = 0 if {final} is None else {self.each(final)}")
                continue
            self.memory_bar(bar)
            store = self.names.storage(bar)
            self.write(f"{store}[...] = 0")
            if q.name in outputs:
                self.write(f"{store}[{q.depth}:] = {self.names.of(LossGradient(q.symbol))}")
            last = "-1" if q.depth == 1 else f"-{q.depth}:"
            self.write(f"{store}[{last}] += {final}")

    def whole_names(self, wanted: list[MatrixExpr]) -> None:
        """Names for whole sequences that the workspace holds."""
        super().whole_names(wanted)
        for leaf in dict.fromkeys(v for v in wanted if isinstance(v, Adjoint) and has_time(v)):
            stack = self.program.stack_of(leaf.name)
            if leaf.name in self.memory:
                self.memory_bar(leaf)
                q = self.memory[leaf.name]
                self.write_name(f"{self.names.of(leaf)} = {self.names.storage(leaf)}[{q.depth}:]")
            elif self.has_stacked(stack):
                self.write_name(f"{self.names.of(leaf)} = {self.member_bar(leaf, stack)}")

    def stretches(self, ops: list[Op], packed: list[Op]) -> None:
        """The steps in reverse: a stretch after the other, in blocks; at its end the sums over it."""
        self.find_chain(ops)
        steps = self.step_lines(packed, early=True)
        weights, self.lines = self.lines, []
        self.write("for start, stop in ws.stretches[::-1]:")
        self.lines += self.before_stretch()
        self.lines += ["        " + line for line in steps]
        if self.sums:
            self.write_tag(2, "deferred")
        for s in self.sums:
            self.stretch_sum(s)
        prepared, self.lines = self.lines, weights
        self.backward_weights()
        self.chain_weights()
        self.lines += prepared

    def before_stretch(self) -> list[str]:
        """What a stretch begins with."""
        return []

    def step_lines(self, ops: list[Op], *, early: bool) -> list[str]:
        """The factors of a block of steps, and the loop over them from the last to the first."""
        many, body = (
            [*self.factors(), *self.copied_factors()],
            [line for op in ops for line in self.line(op)],
        )
        given = self.given_in_loop()
        columns = {t: f"at_steps({g}, first, last, ws.flat)" for t, g in given.values()}
        columns |= {
            name: f"at_steps({whole}, first, last, ws.flat)"
            for whole, name in self.fields.outside.items()
        }
        kept, self.lines = self.lines, []
        self.write("for first, last in spans(start, stop, ws.block)[::-1]:", indent=0)
        if many or self.chain:
            self.write("count = last - first", indent=1)
        if many:
            self.write_tag(1, "hoisted", "recomputed")
        self.lines += ["    " + line for line in many]
        if self.chain:
            chained = self.chain_lines()
            self.write("if ws.chained:")
            self.write("# chained", indent=2)
            self.lines += ["    " + line for line in chained]
            self.write("continue", indent=2)
        names = list(self.fields.views.values())
        self.write_loop(1, names, "ws.backward_steps[first:last][::-1]", columns)
        for bar, (t, _) in given.items():
            self.write(f"if {t} is not None:", indent=2)
            self.write(f"{self.ufunc('add')}({bar}, {t}, {bar})", indent=3)
        self.lines += ["        " + line for line in body]
        lines, self.lines = self.lines, kept
        return [*self.made_multipliers(), *lines]

    def given_in_loop(self) -> dict[str, tuple[str, str]]:
        """What the loss adds to carried adjoints at each step: by adjoint its local name and the array."""
        found: dict[str, tuple[str, str]] = {}
        for q in self.cell.outputs:
            if q.name in self.carried:
                whole = self.names.of(LossGradient(q.symbol))
                local = self.names.named((whole, "step"), f"{whole}_t")
                found[self.memory_bar(Adjoint(q.symbol))] = (local, whole)
        return found

    def operations(self, statements: list[Statement]) -> list[Op]:
        """The loop's statements as single operations; what is handed to the step before comes last."""
        low = Lowering(self.place)
        later: list[Statement] = []
        for s in statements:
            if s.lag and s.target.name in self.carried:
                later.append(s)
                continue
            target = s.target.at(s.lag) if s.lag else s.target
            if s.add:
                low.emit("add", (target, self.total(low, s.value)), target, s.number)
            else:
                self.total(low, s.value, target, s.number)
        handed = [(s, self.total(low, s.value)) for s in later]
        reached = {s.target for s in later}
        for s, value in handed:
            low.emit("copy", (value,), s.target, s.number)
        for name in sorted(self.carried):
            bar = Adjoint(self.memory[name].symbol)
            if bar not in reached:
                low.emit("copy", (S.Zero,), bar)
        return self.whole_products(self.gathered(self.placed(low.ops)), low)

    def whole_products(self, ops: list[Op], low: Lowering) -> list[Op]:
        """The operations, no product put into columns of an array: BLAS writes whole arrays only.

        Law: δ[:, i:j] = a @ W  is  r = a @ W; δ[:, i:j] = r.
        """
        out: list[Op] = []
        for op in ops:
            if op.function != "dot" or not self.is_within_rows(op.target):
                out.append(op)
                continue
            low.count += 1
            whole = Timed(f"{low.prefix}{low.count}", 0, *shape_of(op.target))
            out += [replace(op, target=whole), Op("copy", op.target, (whole,))]
        return out

    def total(
        self, low: Lowering, value: object, target: Value | None = None, number: int = 0
    ) -> Value:
        """The value of an expression, or of products of whole stacks and a rest."""
        if isinstance(value, MatrixExpr):
            if target is None:
                return low.any(value)
            low.assign(target, value, number)
            return target
        total: Value | None = None
        for k, part in enumerate(value):
            goal = target if k == len(value) - 1 else None
            if isinstance(part, StackTerm):
                item = self.product(low, part, goal if total is None else None)
            else:
                item = low.any(part)
            total = item if total is None else low.emit("add", (total, item), goal)
        if target is not None and total != target:
            low.emit("copy", (total,), target, number)
        return total

    def product(self, low: Lowering, term: StackTerm, target: Value | None) -> Value:
        """Wᵀ δ of a whole stack."""
        if target is None:
            low.count += 1
            target = Timed(f"{low.prefix}{low.count}", 0, *term.vector.shape)
        low.ops.append(Op("dot", target, (Made(term.stack, term.vector),)))
        return target

    def line(self, op: Op) -> list[str]:
        """An operation as code."""
        if op.function != "dot":
            return super().line(op)
        made = op.args[0]
        times = self.multiplier(self.back_weight(made.stack, made.vector))
        return [f"{times}({self.ref(made)}, {self.ref(op.target)})"]

    def placed_factors(self, made: list[Op]) -> list[Op]:
        """The operations on a block, in place; not so factors whose steps lie apart, if that takes no more arrays."""
        ways = [
            shared(in_place(made, self.is_scratch, wanted), self.is_scratch)
            for wanted in (lambda op: not self.lies_beside(op.target), lambda _: True)
        ]
        apart, ordinary = ({op.target for op in ops if self.is_scratch(op.target)} for ops in ways)
        return ways[len(apart) > len(ordinary)]

    def factors(self) -> list[str]:
        """The factors of a block of steps, as code."""
        low = Lowering(self.place, prefix="·m")
        for s in self.program.backward.get(MANY, []):
            low.assign(s.target, s.value)
        ops = self.placed_factors(low.ops)
        self.touched = {
            v: self.dim(v.shape[0])
            for op in ops
            for v in (op.target, *op.args)
            if isinstance(v, Timed)
        }
        self.touched |= {
            v: self.dim(shape_of(v)[0]) for op in ops for v in op.args if isinstance(v, Gates)
        }
        self.ref, kept = self.of_block, self.ref
        lines = [line for op in ops for line in self.line(op)]
        self.ref = kept
        return lines


def stored_by(s: Statement):
    """The leaves that a statement reads, those of whole stacks included."""
    yield from all_leaves(s.value)
    yield from adjoints_of(s)
