"""The Jacobian in a report: its blocks, the matrix of the joint state, the product over time and the sum over lags."""

from __future__ import annotations

from typing import Any

from derive.cell import Quantity
from derive.derivation import Derivation
from derive.expressions import Block
from derive.latex import LatexPrinter
from reports.markdown import equation
from reports.notebook import Section, Text
from reports.report_equations import step_text
from reports.report_links import Links, heading


def jacobian(derivation: Derivation, links: Links) -> Section:
    """The blocks of the step's Jacobian, the whole matrix, its product and the sum over lags."""
    shared = _BETWEEN if any(b.between for b in derivation.jacobian) else ""
    blocks = [Text(heading("jacobian", "The Jacobian of one step") + _JACOBIAN + shared)]
    blocks += [Text(step_text(s, links, derivation)) for s in derivation.section("jacobian")]
    tangents = derivation.section("tangent")
    if tangents:
        blocks.append(Text("### The differential of one step\n\n" + _TANGENTS))
        blocks += [Text(step_text(s, links, derivation)) for s in tangents]
    elif sum(q.depth for q in derivation.cell.states) > 1:
        blocks.append(Text(f"Put together:\n\n{equation(matrix(derivation))}"))
    blocks.append(Text(heading("product", "Through many steps") + _PRODUCT))
    blocks += [Text(step_text(s, links, derivation)) for s in derivation.section("product")]
    return Section("jacobian", blocks)


_JACOBIAN = (
    "How the state depends on the state before, with parameters and inputs held fixed. These blocks come from the "
    "differentials of the equations, a way that uses none of the adjoint rules."
)
_BETWEEN = " What several of them need has a block of its own."
_TANGENTS = "A state is a matrix here, so its differential stands for the Jacobian: $\\dot v$ is a direction in $v$."
_PRODUCT = (
    "Over many steps the gradient is a product of these Jacobians. Whether it vanishes or explodes is decided by the "
    "product, and the last line splits a parameter's gradient by how far back its use lies."
)


def matrix(derivation: Derivation) -> str:
    """The joint state's Jacobian as LaTeX: the blocks, and ones that only hand older values on."""
    places = [(q, back) for q in derivation.cell.states for back in range(q.depth)]
    known = {b.block for b in derivation.jacobian}
    tex = LatexPrinter(derivation.notation)
    rows = [" & ".join(_entry(row, col, known, tex) for col in places) for row in places]
    left = r"J_t = \frac{\partial \mathbf{s}_t}{\partial \mathbf{s}_{t-1}} = "
    return left + r"\begin{pmatrix} " + r" \\[10pt] ".join(rows) + r" \end{pmatrix}"


def _entry(
    row: tuple[Quantity, int], col: tuple[Quantity, int], known: set[Block], tex: LatexPrinter
) -> str:
    (u, back), (v, lag) = row, col
    if back:
        return "I" if (u.name, back - 1) == (v.name, lag) else "0"
    source: Any = v.symbol
    block = Block(u.symbol, source.at(lag + 1))
    return tex(block).replace(r"\frac", r"\dfrac") if block in known else "0"
