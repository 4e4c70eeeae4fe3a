"""What both passes of a portable file share: a quantity is a list over steps, and no array is written into."""

from __future__ import annotations

import re

from sympy.matrices.expressions import MatrixExpr

from derive.expressions import Adjoint, LossGradient, Rows, has_time, is_column, operands
from numeric.arrays import ATOM, ArrayPrinter
from numeric.backward_pass import Backward
from numeric.names import Names
from numeric.program import Program
from numeric.spread import lacks_axes

_STANDARD = (
    (re.compile(r"\bnp\.concatenate\("), "xp.concat("),
    (re.compile(r"\bnp\."), "xp."),
    (re.compile(r"\.swapaxes\(-1, -2\)"), ".mT"),
    (re.compile(r"((?:full|zeros|asarray)\(.*?), dtype\)"), r"\1, dtype=dtype, device=device)"),
)


class PortablePrinter(ArrayPrinter):
    """Expressions over the array API: slices name every axis, and nothing is copied."""

    def rows(self, expr: Rows) -> tuple[str, int]:
        """a[start:stop]"""
        x = operands(expr)[0]
        span = f"{self.dim(expr.start)}:{self.dim(expr.stop)}"
        whole = self.full(x) if lacks_axes(x) else self.tight(x)
        return f"{whole}[..., {span}{'' if is_column(x) else ', :'}]", ATOM


class Steps(Backward):
    """What both passes share: a quantity is a list over steps, with the values before the first step in front."""

    def __init__(self, prog: Program, names: Names) -> None:
        super().__init__(prog, names)
        self.stacked: dict[str, str] = {}
        self.assignments = prog.settled.assignments(prog.derivation.assignments)
        self.equations = prog.settled.backward(prog.derivation.backward)

    @property
    def indices(self) -> frozenset[str]:
        """None: inputs that are whole numbers are written as one-hot columns."""
        return frozenset()

    def printer(self, *, whole: bool) -> ArrayPrinter:
        """Writes expressions over whole sequences, or over one step."""
        return PortablePrinter(self.whole if whole else self.at_step, self.dim, whole=whole)

    @property
    def untimed(self) -> ArrayPrinter:
        """Writes expressions of what has no time."""
        return PortablePrinter(self.names.of, self.dim)

    def depth_of(self, leaf: MatrixExpr) -> int:
        """How many values stand before the first step's."""
        return self.memory[leaf.name].depth if leaf.name in self.memory else 0

    def is_array(self, leaf: MatrixExpr) -> bool:
        """Whether this is an argument that holds all steps, rather than a list."""
        if isinstance(leaf, LossGradient):
            return True
        given = {q.name for q in self.cell.inputs} - self.memory.keys()
        return not isinstance(leaf, Adjoint) and leaf.name in given

    def list_of(self, leaf: MatrixExpr) -> str:
        """The list, or the array, that holds a quantity."""
        return self.names.of(leaf) if self.is_array(leaf) else self.names.storage(leaf)

    def at_step(self, leaf: MatrixExpr) -> str:
        """A leaf at step t."""
        if not has_time(leaf):
            return self.names.of(leaf)
        if self.is_array(leaf):
            return f"{self.names.of(leaf)}[t, ...]"
        if isinstance(leaf, Adjoint) and leaf.name not in self.memory:
            return self.names.of(leaf)
        back = self.depth_of(leaf) - leaf.lag
        return f"{self.list_of(leaf)}[t{f' + {back}' if back else ''}]"

    def whole(self, leaf: MatrixExpr) -> str:
        """A leaf for all steps; lists are stacked before the line that needs them."""
        if not has_time(leaf) or self.is_array(leaf):
            return self.names.of(leaf)
        name = self.names.lagged(leaf, leaf.lag)
        start = self.depth_of(leaf) - leaf.lag
        span = "" if not self.depth_of(leaf) else f"[{start} : T + {start}]"
        self.stacked[name] = f"xp.stack({self.list_of(leaf)}{span})"
        return name

    def portable(self, lines: list[str]) -> list[str]:
        """The lines in the words of the standard."""
        for found, word in _STANDARD:
            lines = [found.sub(word, line) for line in lines]
        return lines
