"""What a parameter does in a report: added, multiplied, stacked, or read through a function, in whose equation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sympy.matrices.expressions import HadamardPower, HadamardProduct, MatAdd, MatMul, MatrixExpr

from derive.cell import Cell, Quantity
from derive.expressions import (
    Broadcast,
    Concat,
    hadamard,
    is_scalar,
    is_timed,
    leaves,
    matmul,
    operands,
    power,
    scale,
    split_coefficient,
)
from derive.latex import LatexPrinter
from derive.notation import ALONE, Notation, Surroundings
from derive.still import still_of


@dataclass(frozen=True, slots=True)
class _Use:
    """One place where a parameter stands.

    Args:
        part: the largest part of the equation around it in which nothing changes with time, such as exp(−θ).
        around: the node that this part is an operand of; ``None`` where it is the whole right side.
        position: which operand it is.
        tex: how expressions are shown.
    """

    part: MatrixExpr
    around: MatrixExpr | None
    position: int
    tex: LatexPrinter

    def shown(self, expr: MatrixExpr) -> str:
        """An expression as Markdown."""
        return f"${self.tex(expr)}$"

    @property
    def before(self) -> tuple[MatrixExpr, ...]:
        """The operands that stand before it."""
        return operands(self.around)[: self.position] if self.around is not None else ()

    @property
    def after(self) -> tuple[MatrixExpr, ...]:
        """The operands that stand after it."""
        return operands(self.around)[self.position + 1 :] if self.around is not None else ()


def uses(cell: Cell, parameter: Quantity, around: Surroundings = ALONE) -> str:
    """What a parameter of a cell does, as Markdown; the same words about several equations are said once.

    Args:
        cell: the cell.
        parameter: the parameter.
        around: what a network says of its names, where the cell runs in one.
    """
    tex = LatexPrinter(Notation({}, around=around, still=still_of(cell)))
    found: dict[str, list[str]] = {}
    for eq in cell.equations:
        for use in _uses(_Use(eq.expr, None, 0, tex), parameter.symbol):
            targets = found.setdefault(_words(use, parameter.symbol), [])
            if (target := use.shown(eq.target)) not in targets:
                targets.append(target)
    return "; ".join(said.format(_listed(targets)) for said, targets in found.items()) or "not used"


def _uses(whole: _Use, leaf: MatrixExpr) -> Iterator[_Use]:
    stack = [whole]
    while stack:
        use = stack.pop()
        if leaf not in leaves(use.part):
            continue
        if not is_timed(use.part):
            yield use
            continue
        parts = operands(use.part)
        stack += [_Use(part, use.part, i, use.tex) for i, part in reversed(list(enumerate(parts)))]


def _words(use: _Use, leaf: MatrixExpr) -> str:
    """What is done, with ``{}`` where the equation is named."""
    verb, part = _VERBS[type(use.around)](use)
    read = "" if part == leaf else f", as {use.shown(part)}"
    return f"{verb.replace('{', '{{').replace('}', '}}')} in {{}}{read.replace('{', '{{').replace('}', '}}')}"


def _alone(use: _Use) -> tuple[str, MatrixExpr]:
    return "stands alone", use.part


def _added(use: _Use) -> tuple[str, MatrixExpr]:
    c, core = split_coefficient(_scalar(use.part))
    return ("added", _scalar(use.part)) if c != -1 else ("subtracted", _scalar(core))


def _multiplied(use: _Use) -> tuple[str, MatrixExpr]:
    rest, part = _scalar(hadamard(*use.before, *use.after)), _scalar(use.part)
    how = "" if is_scalar(part) or is_scalar(rest) else " entry by entry"
    exponent: Any = part.args[1] if isinstance(part, HadamardPower) else 1
    if exponent < 0:
        return f"divides {use.shown(rest)}{how}", power(operands(part)[0], -int(exponent))
    return f"multiplies {use.shown(rest)}{how}", part


def _in_product(use: _Use) -> tuple[str, MatrixExpr]:
    left, right = (use.shown(matmul(*side)) if side else "" for side in (use.before, use.after))
    if left and right:
        return f"stands between {left} and {right}", use.part
    return f"multiplies {right or f'{left} from the right'}", use.part


def _stacked(use: _Use) -> tuple[str, MatrixExpr]:
    return f"stacked with {_listed([use.shown(p) for p in (*use.before, *use.after)])}", use.part


_VERBS: dict[type, Callable[[_Use], tuple[str, MatrixExpr]]] = {
    type(None): _alone,
    MatAdd: _added,
    HadamardProduct: _multiplied,
    MatMul: _in_product,
    Concat: _stacked,
}
"""The nodes of several operands: below any other, a part without time would not end at its operand."""


def _scalar(expr: MatrixExpr) -> MatrixExpr:
    """The scalar of a matrix whose entries are all that scalar."""
    c, core = split_coefficient(expr)
    return expr if not isinstance(core, Broadcast) else scale(c, operands(core)[0])


def _listed(parts: list[str]) -> str:
    return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]
