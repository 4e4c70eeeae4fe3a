"""The small generated file: what a stretch of steps computes besides its states is not kept, but computed again.

    forward    a stretch after the other, all over the same arrays; only states and outputs are kept for all steps
    backward   before a stretch its steps are run again from the kept state before it, unless they were the last

Law: the same steps from the same state give the same values. Beyond states, outputs and the gradients that are asked
for, memory does not grow with the length; forward is run once more but for the last stretch.
"""

from __future__ import annotations

import re
import textwrap

from sympy.matrices.expressions import MatrixExpr

from derive.derivation import Derivation
from derive.expressions import Timed
from derive.network_derivation import NetworkDerivation
from numeric.body import all_leaves, listed
from numeric.fast_backward import FastBackward
from numeric.fast_forward import FastForward
from numeric.fast_source import FastFile
from numeric.loops import Loops
from numeric.network_workspace import NetworkFileOver
from numeric.operations import Gates, Op, Value
from numeric.passes import fast
from numeric.program import StackSum
from numeric.stacks import Stack

AGAIN = "run_stretch"
"""The function of a small file that runs a stretch."""


def generate_small(derivation: Derivation) -> str:
    """The NumPy source of a cell, made to need little memory.

    It has the functions of the fast file with the same arguments and results. The same derivation gives the same text.
    """
    return SmallFile(fast(derivation)).text()


def generate_small_network(derivation: NetworkDerivation) -> str:
    """The NumPy source of a network, its segments made to need little memory."""
    return NetworkFileOver(derivation, lambda d: SmallFile(fast(d))).text()


class Again(Loops):
    """Decides what lies in arrays for one stretch."""

    @property
    def again(self) -> frozenset[MatrixExpr]:
        """The values of the loop that only blocks, steps and sums of their own stretch read back."""
        b, f = self.program.backward, self.program.forward
        sums = (s for s in b["after"] if not self._of_a_stretch(s.value))
        whole = {v.at(0) for s in (*f["after"], *b["before"], *sums) for v in _timed(s.value)}
        whole |= {q.symbol for q in (*self.cell.outputs, *self.memory.values())}
        made = {s.target for s in f["loop"] if isinstance(s.target, Timed)}
        return frozenset((made | {*self.slots}) - whole)

    def _of_a_stretch(self, value: object) -> bool:
        looped = {stack.name for stack in self.looped}
        return isinstance(value, StackSum) and value.stack.name in looped

    def gates_name(self, stack: Stack) -> str:
        """The array of the members of a stack, for a stretch if nothing needs more."""
        name, kept = super().gates_name(stack), self.program.stored
        mine = [v for v, place in self.slots.items() if place.stack.name == stack.name]
        if all(v in self.again or v not in kept for v in mine):
            self._shorten(name)
        return name

    def whole_array(self, leaf: MatrixExpr) -> str:
        """The code of a kept sequence, for a stretch if nothing needs more."""
        code = super().whole_array(leaf)
        if leaf in self.again and leaf not in self.slots:
            self._shorten(code)
        return code

    def _shorten(self, name: str) -> None:
        if name in self.fields.arrays:
            self.fields.arrays[name] = self.fields.arrays[name].replace("((T,", "((steps,", 1)

    def kept_span(self, value: Value, first: str, last: str) -> str:
        """The steps first ≤ t < last within the array of a kept value."""
        place = self.slots.get(value, value) if isinstance(value, MatrixExpr) else value
        if isinstance(place, Gates):
            short = "(steps," in self.text_of(self.gates_name(place.stack))
        else:
            short = value in self.again
        if not short:
            return f"{first}:{last}"
        return ": stop - start" if first == "start" else f"{first} - start:{last} - start"

    def text_of(self, name: str) -> str:
        """The code that makes an array."""
        return self.fields.arrays[name]


class SmallForward(Again, FastForward):
    """Writes the forward pass of a small file, and the function that runs a stretch."""

    call, function = "", ""

    def step_lines(self, ops: list[Op], *, early: bool) -> list[str]:
        """The loop over the steps of a stretch."""
        return with_views(super().step_lines(ops, early=True))

    def over_stretches(self, body: list[str], *, early: bool) -> list[str]:
        """The calls that run the steps."""
        text = textwrap.dedent("\n".join(body))
        used = set(re.findall(r"[^\W\d]\w*", text))
        values = [*self.given_to_loop(), *self.constants]
        values += [self.names.of(q.symbol) for q in self.cell.parameters]
        values += [self.names.of(s.target) for s in self.program.still]
        values = [name for name in dict.fromkeys(values) if name in used]
        arguments = ", ".join(["ws", *values, "start", "stop"])
        self.call = f"{AGAIN}({arguments})"
        kept, self.lines = self.lines, []
        self.local_names(text)
        taken, self.lines = self.lines, kept
        key = ["T", "B", *self.sizes.values(), "dtype"]
        sizes = [name if name in used else "_" for name in key]
        self.function = "\n".join(
            [
                *listed(
                    f"def {AGAIN}(",
                    ["ws: Workspace", *(f"{v}: Array" for v in values), "start: int", "stop: int"],
                    ") -> None:",
                ),
                '    """The steps start ≤ t < stop; what they compute besides the states lasts until the next call."""',
                "    ws.held = start",
                *([f"    {', '.join(sizes)} = ws.key"] if set(sizes) != {"_"} else []),
                *taken,
                *textwrap.indent(text, "    ").splitlines(),
            ]
        )
        return ["    for start, stop in ws.stretches:", f"        {self.call}"]

    def given_to_loop(self) -> list[str]:
        """What the steps read from outside the workspace."""
        f = self.program.forward
        read = (v for s in (*f["before"], *f["loop"]) for v in _timed(s.value))
        return sorted({self.names.of(v) for v in read if self.from_outside(v)})

    def given(self) -> dict[str, str]:
        """What the backward pass reads from outside the workspace, and the steps that it runs again."""
        used = set(re.findall(r"\w+", self.call))
        mine = {name: name for name in self.given_to_loop() if name in used}
        known = super().given()
        return known | {k: v for k, v in mine.items() if v not in known.values()}


class SmallBackward(Again, FastBackward):
    """Writes the backward pass of a small file."""

    def before_stretch(self) -> list[str]:
        """The steps are run again, unless it was they that ran last."""
        return ["        if ws.held != start:", f"            {self.forward.call}"]

    def step_lines(self, ops: list[Op], *, early: bool) -> list[str]:
        """The factors of a block of steps, and the loop over them."""
        return with_views(super().step_lines(ops, early=early))

    def text_of(self, name: str) -> str:
        """The code that makes an array."""
        return self.before.arrays.get(name) or super().text_of(name)


class SmallFile(FastFile):
    """Writes the functions of one cell."""

    forward_kind = SmallForward
    backward_kind = SmallBackward

    def header(self) -> str:
        """What the file is, the equations, and the sizes of stretches and blocks."""
        return (
            super().header().replace("below, for speed; needs", "below, for little memory; needs")
        )

    def choices(self, forward: SmallForward, backward: SmallBackward) -> list[str]:
        """Which stretch the arrays hold."""
        return ["        self.held = 0"]

    def views(self, name: str, writer: FastForward, unless: str = "") -> list[str]:
        """The arrays of which the loop sees parts; prepared for all steps, the parts alone would grow with them."""
        return listed(f"        self.{name} = [", list(writer.fields.views), "]")

    def functions(self, forward: SmallForward, backward: SmallBackward, passes: str) -> list[str]:
        """The function that runs a stretch, if the cell has steps."""
        return [forward.function] if forward.function else []


def with_views(lines: list[str]) -> list[str]:
    """Lines in which the parts that a loop sees are taken as it begins."""
    turned = r"step_views(\2, \3, ws.flat, *ws.\1)"
    return [re.sub(r"ws\.(\w+_steps)\[(\w+):(\w+)\]", turned, line) for line in lines]


def _timed(value: object):
    yield from (v for v in all_leaves(value) if isinstance(v, Timed))
