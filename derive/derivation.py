"""A derivation: the named steps from a cell's equations to its gradients through time.

What a step shows is what was computed: later stages generate code from the very expressions whose LaTeX is
printed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sympy.matrices.expressions import MatrixExpr, ZeroMatrix

from derive.backward import Backward, backward
from derive.cell import Cell
from derive.chapter import Chapter
from derive.expressions import zeros_like
from derive.jacobian import JacobianBlock, jacobian
from derive.layouts import Turning, layout_named
from derive.linear import Linearity, linearity
from derive.linear_chapter import linear_chapter
from derive.lines import SECTIONS, Page, Step, page_of
from derive.normal import Assignment, normal_form
from derive.notation import ALONE, Notation, Surroundings
from derive.quantities import quantities_text
from derive.still import still_names
from derive.tangents import every_direction, tangent_equations

__all__ = ["SECTIONS", "Derivation", "Page", "Step", "derive"]


@dataclass(frozen=True)
class Derivation:
    """The gradients through time of one cell.

    Args:
        cell: the cell.
        assignments: its step in normal form.
        backward: its backward equations.
        jacobian: the blocks of the joint state's Jacobian.
        around: what a network says of its names, where the cell runs in one.
    """

    cell: Cell
    assignments: tuple[Assignment, ...]
    backward: Backward
    jacobian: tuple[JacobianBlock, ...]
    around: Surroundings = ALONE

    @cached_property
    def notation(self) -> Notation:
        """The names used on the page."""
        names = (q.name for q in self.cell.quantities)
        return Notation.of(self.assignments, names, self.around, self.still)

    @cached_property
    def still(self) -> frozenset[str]:
        """The names of what no step changes."""
        if self.around.once:
            return frozenset()
        return still_names(self.assignments, {q.name for q in self.cell.outputs})

    @cached_property
    def tangents(self) -> tuple[Assignment, ...]:
        """The differential of every assignment, derived independently of the adjoints; constants do not move."""
        still = {q.name for q in self.cell.constants}
        found: list[Assignment] = []

        def dot(leaf: MatrixExpr) -> MatrixExpr:
            lag = getattr(leaf, "lag", 0)  # a start moves, whatever follows it
            moves = lag or getattr(leaf, "name", "") not in still
            return every_direction(leaf) if moves else zeros_like(leaf)

        for a in self.assignments:
            found += tangent_equations((a,), dot)
            if isinstance(found[-1].expr, ZeroMatrix):
                still.add(a.name)
        return tuple(found)

    @cached_property
    def linearity(self) -> Linearity:
        """Whether the recurrence is linear in its state, decided from its Jacobian."""
        return linearity(self.cell, self.assignments)

    @cached_property
    def chapters(self) -> tuple[Chapter, ...]:
        """What there is to say beyond the backward equations."""
        linear = linear_chapter(self.linearity, self.notation)
        return (linear,) if linear else ()

    @cached_property
    def _pages(self) -> dict[str, Page]:
        return {}

    def page(self, layout: str = "house") -> Page:
        """Every line, in a layout.

        Args:
            layout: ``house`` (gradients have the shape of their quantity, Jacobians have outputs as rows),
                ``denominator`` (Jacobians have outputs as columns), ``numerator`` (the gradient by a column is
                a row) or ``row`` (vectors are rows, matrices stand on the right).

        Raises:
            ArgumentError: there is no such layout.
        """
        if layout not in self._pages:
            turning = Turning(layout_named(layout), self.cell)
            self._pages[layout] = page_of(self, turning)
        return self._pages[layout]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every line, numbered."""
        return self.page().steps

    def section(self, name: str) -> tuple[Step, ...]:
        """The lines of one section."""
        return self.page().section(name)

    def step_of(self, lhs: MatrixExpr) -> Step | None:
        """The line that defines this left-hand side, if one does."""
        return next((s for s in self.steps if s.lhs == lhs), None)

    def latex(self, layout: str = "house") -> str:
        """All lines as numbered display equations under headings, in a layout of ``page``."""
        return "\n".join([self.page(layout).latex(), *(c.latex() for c in self._shown(layout))])

    def text(self, layout: str = "house") -> str:
        """All lines as text under headings, for a terminal, in a layout of ``page``."""
        return "\n".join([self.page(layout).text(), *(c.text() for c in self._shown(layout))])

    def quantities_text(self) -> str:
        """What every name is, and of which shape, for a terminal."""
        return quantities_text(self.cell)

    def to_dict(self, layout: str = "house") -> dict[str, object]:
        """The derivation as plain data, in a layout of ``page``."""
        chapters = [c.to_dict() for c in self._shown(layout)]
        return {**self.page(layout).to_dict(), **({"chapters": chapters} if chapters else {})}

    def _shown(self, layout: str) -> tuple[Chapter, ...]:
        """The chapters; they are written in the house's layout."""
        return self.chapters if layout == "house" else ()

    def _repr_latex_(self) -> str:
        body = r" \\ ".join(s.latex.replace("=", "&=", 1) for s in self.steps)
        return rf"$$\begin{{aligned}} {body} \end{{aligned}}$$"


def derive(cell: Cell, around: Surroundings = ALONE) -> Derivation:
    """Derives the gradients through time of a cell, for symbolic n, m and T.

    Args:
        cell: the cell.
        around: what a network says of its names, where the cell runs in one.
    """
    assignments = normal_form(cell)
    blocks = jacobian(cell, assignments)
    return Derivation(cell, assignments, backward(cell, assignments), blocks, around)
