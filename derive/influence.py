"""Real-time recurrent learning, derived from the tangent rules alone: gradients forward in time.

    P_t = ∂s_t/∂θ        P_t = J_t P_{t−1} + ∂⁺s_t/∂θ,   P_0 = 0        ∂L/∂θ = Σ_t ∂ℓ_t/∂y_t · ∂y_t/∂θ

A column of P_t is the tangent of the joint state when one entry of θ moves: the tangent equations with θ̇ one basis
direction after the other. No adjoint takes part, so it is a second derivation of the same gradient.
Source: R. J. Williams and D. Zipser, Neural Computation 1 (1989).
"""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr, Integer, expand
from sympy.matrices.expressions import MatrixExpr, MatrixSymbol

from derive.cell import Cell
from derive.chapter import Chapter, ChapterLine
from derive.derivation import Derivation
from derive.expressions import Tangent, Timed, zeros_like
from derive.latex import LatexPrinter, latex_size
from derive.normal import Assignment
from derive.notation import Notation
from derive.tangents import tangent_equations
from derive.text import TextPrinter


def influence_equations(cell: Cell, assignments: tuple[Assignment, ...]) -> tuple[Assignment, ...]:
    """v̇ for every line of a step, when parameters and what depends on them move: inputs and constants stand still.

    Args:
        cell: the cell.
        assignments: its step in normal form.
    """
    still = {q.name for q in (*cell.inputs, *cell.constants)}

    def dot(leaf: MatrixExpr) -> MatrixExpr:
        moves = isinstance(leaf, Timed | MatrixSymbol) and leaf.name not in still
        return Tangent(leaf) if moves else zeros_like(leaf)

    return tangent_equations(assignments, dot)


def joint_size(cell: Cell) -> Expr:
    """S, the number of entries of the joint state."""
    return expand(sum((q.depth * q.shape[0] * q.shape[1] for q in cell.states), Integer(0)))


def parameter_count(cell: Cell) -> Expr:
    """|θ|, the number of trained entries."""
    return expand(sum((q.shape[0] * q.shape[1] for q in cell.parameters), Integer(0)))


def influence_chapter(derivation: Derivation) -> Chapter:
    """The derivation of real-time recurrent learning for a cell, and what it costs."""
    return Chapter(
        "real-time",
        "Real-time recurrent learning: the gradient forward in time",
        (
            *_recursion(derivation.notation),
            *_lines(derivation),
            *_gradient(derivation),
            *_costs(derivation.cell),
        ),
    )


def _recursion(notation: Notation) -> Iterator[ChapterLine]:
    yield ChapterLine(
        "the influence of every parameter on the joint state",
        r"P_t = \frac{\partial \mathbf{s}_t}{\partial \theta} = "
        r"\frac{\partial \mathbf{s}_t}{\partial \mathbf{s}_{t-1}} \, P_{t-1} "
        r"+ \frac{\partial^{+} \mathbf{s}_t}{\partial \theta}, \qquad P_0 = 0",
        notation.owned("P[t] = ds[t]/dtheta = J[t] @ P[t-1] + d+s[t]/dtheta, P[0] = 0"),
        ("chain rule",),
    )


def _lines(d: Derivation) -> Iterator[ChapterLine]:
    tex, plain = LatexPrinter(d.notation), TextPrinter(d.notation)
    for e in influence_equations(d.cell, d.assignments):
        yield ChapterLine(
            f"a column of the influence, for one entry of a parameter at a time ({e.owner})",
            f"{tex(e.target)} = {tex(e.expr)}",
            f"{plain(e.target)} = {plain(e.expr)}",
            ("tangents",),
        )


def _gradient(d: Derivation) -> Iterator[ChapterLine]:
    tex, plain = LatexPrinter(d.notation), TextPrinter(d.notation)
    outputs = [q.symbol for q in d.cell.outputs]
    latex = " + ".join(
        rf"\left\langle \frac{{\partial \ell_t}}{{\partial {tex(y)}}}, {tex(Tangent(y))} \right\rangle"
        for y in outputs
    )
    text = " + ".join(f"<dl_d{y.name}[t], {plain(Tangent(y))}>" for y in outputs)
    yield ChapterLine(
        "the gradient by that entry, known at every step without a step back",
        rf"\frac{{\partial L}}{{\partial \theta}} = \sum_{{t=1}}^{{T}} {latex}",
        f"dL/dtheta = sum over t of {text}",
        ("chain rule",),
    )


def _costs(cell: Cell) -> Iterator[ChapterLine]:
    S, size = joint_size(cell), parameter_count(cell)
    yield ChapterLine(
        "entries of the joint state, and of all parameters",
        rf"S = {latex_size(S)}, \qquad |\theta| = {latex_size(size)}",
        f"S = {S}, |theta| = {size}",
    )
    yield ChapterLine(
        "multiplications for J P at each step, for each sample",
        rf"O(S^2 |\theta|), \qquad S^2 |\theta| = {latex_size(expand(S**2 * size))}",
        f"O(S**2 * |theta|), S**2 * |theta| = {expand(S**2 * size)}",
    )
    yield ChapterLine(
        "numbers kept for each sample, however long the sequence; backpropagation keeps some for every step",
        rf"S |\theta| = {latex_size(expand(S * size))}",
        f"S * |theta| = {expand(S * size)}",
    )
