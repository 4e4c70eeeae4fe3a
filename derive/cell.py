"""A cell: its equations, and what they imply.

A cell is data. It is made by ``derive.language`` from text or from SymPy expressions, which checks it;
every later stage may rely on the invariants stated here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from sympy import Expr
from sympy.matrices.expressions import MatrixExpr, MatrixSymbol

from derive.expressions import Timed, leaves, parameter
from derive.initial import Start

Role = Literal["state", "input", "parameter", "constant", "intermediate"]
Kind = Literal["real", "index", "mask"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One named thing of a cell.

    Args:
        name: an identifier of ASCII letters, digits and underscores.
        role: a state is defined at t and used at an earlier step; an input is used and never defined;
            an intermediate is defined and used at the same step only; parameters and constants have no
            time index, and constants are numbers that are not trained.
        shape: (rows, columns), symbolic; vectors are (n, 1), scalars (1, 1).
        depth: the largest lag with which it is used; a state or input of depth d needs d initial values.
        value: a constant's default value, if one was declared.
        kind: of an input: real numbers; an index, given as a whole number, which stands for the column with a 1
            at this position; or a mask of zeros and ones. No gradient is taken by the last two.
    """

    name: str
    role: Role
    shape: tuple[Expr, Expr]
    depth: int = 0
    value: Fraction | None = None
    kind: Kind = "real"

    @property
    def symbol(self) -> MatrixExpr:
        """The leaf that stands for it: ``Timed`` at lag 0, or a ``MatrixSymbol``."""
        if self.role in ("parameter", "constant"):
            return parameter(self.name, *self.shape)
        return Timed(self.name, 0, *self.shape)


@dataclass(frozen=True, slots=True)
class Equation:
    """``target = expr`` at step t.

    Args:
        target: the defined quantity at lag 0.
        expr: its value, over quantities at lag ≥ 0.
        line: line number in the cell's text, from 1; 0 if there is none.
    """

    target: Timed
    expr: MatrixExpr
    line: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """The equations of one step of a recurrent network.

    Invariants: every shape is consistent; equations are in an order in which each uses at lag 0 only
    inputs and earlier targets; at least one state; names are unique.

    Args:
        name: short name, e.g. ``lstm``.
        equations: in order of evaluation.
        quantities: all names, in order of first appearance.
        dims: the free dimensions (positive integer symbols), in order of first appearance.
        text: the source text; of a cell built from SymPy, the text that says the same.
        title: a line of description (the text's first comment), possibly empty.
        reference: where the cell comes from, possibly empty.
        options: the options with which the text was read, e.g. ``{"g": "relu"}``.
        exports: intermediates that a network around the cell looks at, besides its own outputs.
        initial: how the author starts a parameter, by name; a parameter that is not in it has no stated convention.
    """

    name: str
    equations: tuple[Equation, ...]
    quantities: tuple[Quantity, ...]
    dims: tuple[Expr, ...]
    text: str = ""
    title: str = ""
    reference: str = ""
    options: dict[str, str] = field(default_factory=dict)
    initial: dict[str, Start] = field(default_factory=dict)
    exports: frozenset[str] = frozenset()

    def of_role(self, *roles: Role) -> tuple[Quantity, ...]:
        """The quantities of these roles, in order of first appearance."""
        return tuple(q for q in self.quantities if q.role in roles)

    @property
    def states(self) -> tuple[Quantity, ...]:
        """Quantities that carry memory from step to step, in the order of their equations."""
        order = {eq.target.name: i for i, eq in enumerate(self.equations)}
        return tuple(sorted(self.of_role("state"), key=lambda q: order[q.name]))

    @property
    def depth(self) -> int:
        """The largest lag of all."""
        return max((q.depth for q in self.quantities), default=0)

    @property
    def inputs(self) -> tuple[Quantity, ...]:
        """Quantities given from outside at every step."""
        return self.of_role("input")

    @property
    def parameters(self) -> tuple[Quantity, ...]:
        """Trained quantities."""
        return self.of_role("parameter")

    @property
    def constants(self) -> tuple[Quantity, ...]:
        """Numbers that are not trained."""
        return self.of_role("constant")

    @property
    def outputs(self) -> tuple[Quantity, ...]:
        """What a loss may look at: the states, every intermediate that no equation uses, and the exports."""
        used = {
            v.name
            for eq in self.equations
            for v in leaves(eq.expr)
            if isinstance(v, Timed | MatrixSymbol)
        }
        sinks = tuple(
            q for q in self.of_role("intermediate") if q.name not in used or q.name in self.exports
        )
        return self.states + sinks

    def quantity(self, name: str) -> Quantity:
        """The quantity of this name.

        Raises:
            KeyError: there is none.
        """
        for q in self.quantities:
            if q.name == name:
                return q
        raise KeyError(name)
