"""One derivation in other layouts: what is a column in the house's becomes a row, and transposes move to the leaves.

A layout says which quantities stand transposed: v′ = vᵀ for those, v′ = v for the rest. An expression over the v
is then one over the v′,

        (A B)ᵀ = Bᵀ Aᵀ,   (A ∘ B)ᵀ = Aᵀ ∘ Bᵀ,   [a; b]ᵀ = [aᵀ, bᵀ],   r ∘ cᵀ = r diag(c) for a row r and a column c,

and of the ways to write it the one with the fewest transposes is taken.
Source: Magnus and Neudecker, "Matrix differential calculus", 2019, section 9.2, on the layouts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as changed

from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    Identity,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    OneMatrix,
    Transpose,
    ZeroMatrix,
)

from derive.cell import Cell
from derive.errors import ArgumentError
from derive.expressions import (
    LEAVES,
    Adjoint,
    Block,
    Broadcast,
    Concat,
    Diag,
    Elementwise,
    LogSumExp,
    LossGradient,
    Rows,
    Softmax,
    Tangent,
    Timed,
    Total,
    add,
    broadcast,
    diag,
    hadamard,
    is_scalar,
    is_spread,
    leaves,
    matmul,
    operands,
    power,
    scale,
    split_coefficient,
    transpose,
    walk,
)
from derive.layout_nodes import Beside, BlockAcross, Columns, RowDiag
from derive.nodes import PRIMAL_NODES, ThroughTime
from derive.normal import Assignment
from derive.notation import Notation

GRADIENTS = (Adjoint, LossGradient)
JACOBIANS = (Block,)
QUANTITIES = (Timed, MatrixSymbol, Tangent)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which quantities stand transposed.

    Args:
        name: as it is asked for.
        words: what it means, in one sentence.
        turned: the kinds of leaves that stand transposed.
        seen: what is told of its shapes: ``gradients`` or ``quantities``; empty where they are the house's.
    """

    name: str
    words: str
    turned: tuple[type, ...] = ()
    seen: str = ""


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout(
            "house", "gradients have the shape of their quantity, Jacobians have outputs as rows"
        ),
        Layout(
            "denominator",
            "gradients have the shape of their quantity, Jacobians have outputs as columns",
            JACOBIANS,
        ),
        Layout(
            "numerator",
            "the gradient by a column is a row, the gradient by a matrix has the shape of its transpose, "
            "Jacobians have outputs as rows",
            GRADIENTS,
            "gradients",
        ),
        Layout(
            "row",
            "vectors are rows, and matrices stand on the right, transposed; Jacobians have outputs as columns",
            (*QUANTITIES, *GRADIENTS, *JACOBIANS),
            "quantities",
        ),
    )
}
"""Every layout by its name, the house's first."""


def layout_named(name: str) -> Layout:
    """The layout of this name.

    Raises:
        ArgumentError: there is none.
    """
    if name not in LAYOUTS:
        raise ArgumentError(f"There is no layout {name!r}.", f"Choose one of {', '.join(LAYOUTS)}.")
    return LAYOUTS[name]


class Turning:
    """Writes a cell's expressions in a layout.

    Args:
        layout: the layout.
        cell: whose expressions they are; one on row vectors is in row layout as it stands.

    Attributes:
        rows: whether vectors are rows here.
    """

    def __init__(self, layout: Layout, cell: Cell) -> None:
        self.layout = layout
        timed = [q.shape for q in cell.quantities if q.role not in ("parameter", "constant")]
        self.on_rows = all(shape[0] == 1 for shape in timed) and any(s[1] != 1 for s in timed)
        self.rows = layout.seen == "quantities"
        self._known: dict[tuple[MatrixExpr, bool], MatrixExpr] = {}

    def turned(self, leaf: MatrixExpr) -> bool:
        """Whether the layout has the leaf transposed."""
        if is_scalar(leaf):
            return False
        if isinstance(leaf, ThroughTime):
            return (LossGradient if leaf.shape[1] == 1 else Block) in self.layout.turned
        if self.rows:
            of = leaf.of if isinstance(leaf, Adjoint | LossGradient | Tangent) else leaf
            if self.on_rows or (isinstance(of, Timed) and of.shape[0] == 1):
                return False
        return isinstance(leaf, self.layout.turned)

    def leaf(self, leaf: MatrixExpr) -> MatrixExpr:
        """v′, which prints as v does."""
        return _across(leaf) if self.turned(leaf) else leaf

    def side(self, expr: MatrixExpr) -> MatrixExpr:
        """The expression in the layout, itself not transposed."""
        return self(expr, across=False)

    def line(self, lhs: MatrixExpr, rhs: MatrixExpr) -> tuple[MatrixExpr, MatrixExpr]:
        """Both sides of ``lhs = rhs`` in the layout: transposed where the left-hand side is."""
        return self.leaf(lhs), self(rhs, across=self.turned(lhs))

    def notation(self, house: Notation) -> Notation:
        """The names, for intermediates that are written out as expressions."""
        laid = {
            name: Assignment(*self.line(a.target, a.expr), a.line, a.owner, a.kind)
            for name, a in house.assignments.items()
        }
        return changed(house, assignments=laid)

    def __call__(self, expr: MatrixExpr, *, across: bool) -> MatrixExpr:
        """The expression, or its transpose, over the layout's leaves; as it is where nothing stands transposed."""
        if not across and not any(map(self.turned, leaves(expr))):
            return expr
        key = (expr, across)
        if key not in self._known:
            written = self._written(expr, across)
            if is_scalar(expr):
                written = _fewest(written, self._written(expr, not across))
            self._known[key] = written
        return self._known[key]

    def _written(self, expr: MatrixExpr, across: bool) -> MatrixExpr:
        if isinstance(expr, OneMatrix | ZeroMatrix):
            return transpose(expr) if across else expr
        if isinstance(expr, Identity):
            return expr
        if isinstance(expr, LEAVES):
            leaf = self.leaf(expr)
            return leaf if self.turned(expr) == across else transpose(leaf)
        if isinstance(expr, Transpose):
            return self(expr.arg, across=not across)
        return _WRITERS[type(expr)](self, expr, across)


def transposes(expr: MatrixExpr) -> int:
    """How many transposes an expression holds."""
    return sum(isinstance(node, Transpose) for node in walk(expr))


def _across(leaf: MatrixExpr) -> MatrixExpr:
    """The leaf of the same name whose value is the transpose."""
    rows, cols = leaf.shape
    if isinstance(leaf, Timed):
        return Timed(leaf.name, leaf.lag, cols, rows)
    if isinstance(leaf, MatrixSymbol):
        return MatrixSymbol(leaf.name, cols, rows)
    if isinstance(leaf, Block):
        return BlockAcross(leaf.of, leaf.by)
    if isinstance(leaf, ThroughTime):
        return ThroughTime(leaf.text, leaf.latex, cols, rows)
    return type(leaf)(_across(leaf.of))


def _fewest(*forms: MatrixExpr) -> MatrixExpr:
    """The form with the fewest transposes; of equals the first."""
    return min(forms, key=transposes)


def _pushed(here: MatrixExpr, there: MatrixExpr) -> MatrixExpr:
    """The form whose transposes are at its leaves, or its twin's transpose if that has none but this one."""
    return transpose(there) if transposes(here) > 1 and not transposes(there) else here


def _sum(w: Turning, expr: MatrixExpr, across: bool) -> MatrixExpr:
    """(A + B)ᵀ = Aᵀ + Bᵀ"""
    return add(*(w(part, across=across) for part in operands(expr)))


def _product(w: Turning, expr: MatrixExpr, across: bool) -> MatrixExpr:
    """(A B)ᵀ = Bᵀ Aᵀ"""
    parts = operands(expr)[::-1] if across else operands(expr)
    return scale(split_coefficient(expr)[0], matmul(*(w(part, across=across) for part in parts)))


def _split(w: Turning, expr: MatrixExpr, across: bool) -> tuple[list[MatrixExpr], list[MatrixExpr]]:
    """Factors as they are wanted, and the transposes of those that stand better so."""
    straight, crossed = list[MatrixExpr](), list[MatrixExpr]()
    for part in operands(expr):
        here, there = w(part, across=across), w(part, across=not across)
        across_is_better = transposes(here) > transposes(there)
        (crossed if across_is_better else straight).append(there if across_is_better else here)
    if crossed and all(is_spread(part) for part in straight):
        return [], [*(transpose(part) for part in straight), *crossed]
    return straight, crossed


def _elementwise_product(w: Turning, expr: MatrixExpr, across: bool) -> MatrixExpr:
    """(A ∘ B)ᵀ = Aᵀ ∘ Bᵀ; what is a column where a row is wanted goes into a diagonal matrix, and the other way."""
    straight, crossed = _split(w, expr, across)
    if not crossed:
        return hadamard(*straight)
    if not straight:
        return transpose(hadamard(*crossed))
    rows, cols = hadamard(*straight).shape
    if rows == 1:
        return matmul(hadamard(*straight), diag(hadamard(*crossed)))
    if cols == 1:
        return matmul(row_diag(hadamard(*crossed)), hadamard(*straight))
    return hadamard(*straight, transpose(hadamard(*crossed)))


def row_diag(vector: MatrixExpr) -> MatrixExpr:
    """The diagonal matrix of a row vector."""
    c, core = split_coefficient(vector)
    return scale(c, Identity(core.shape[1]) if isinstance(core, OneMatrix) else RowDiag(core))


def _diagonal(w: Turning, expr: MatrixExpr, across: bool) -> MatrixExpr:
    """diag(a) is symmetric, and the same of a row as of a column."""
    (a,) = operands(expr)
    return _fewest(diag(w(a, across=False)), row_diag(w(a, across=True)))


def _entries(w: Turning, expr: MatrixExpr, across: bool) -> MatrixExpr:
    """f(A)ᵀ = f(Aᵀ), entry by entry."""
    (a,) = operands(expr)
    here, there = (type(expr)(w(a, across=s), *expr.args[1:]) for s in (across, not across))
    return _pushed(here, there)


def _entrywise_power(w: Turning, expr: MatrixExpr, across: bool) -> MatrixExpr:
    """(Aᵏ)ᵀ = (Aᵀ)ᵏ, entry by entry."""
    (a,), k = operands(expr), int(expr.args[1])
    return _pushed(power(w(a, across=across), k), power(w(a, across=not across), k))


def _of_all(w: Turning, expr: MatrixExpr, across: bool) -> MatrixExpr:
    """What is a number, and the same of a row as of a column; the sum of r ∘ cᵀ is r c."""
    (a,) = operands(expr)
    if isinstance(expr, Total) and isinstance(a, HadamardProduct) and 1 in a.shape:
        straight, crossed = _split(w, a, across=a.shape[0] != 1)
        if straight and crossed:
            return matmul(hadamard(*straight), hadamard(*crossed))
        return Total(hadamard(*straight, *crossed))
    return type(expr)(_fewest(w(a, across=False), w(a, across=True)))


def _stack(w: Turning, expr: MatrixExpr, across: bool) -> MatrixExpr:
    """[a; b]ᵀ = [aᵀ, bᵀ]"""
    above = Concat(*(w(part, across=False) for part in operands(expr)))
    beside = Beside(*(w(part, across=True) for part in operands(expr)))
    here, there = (beside, above) if across else (above, beside)
    return _pushed(here, there)


def _slice(w: Turning, expr: MatrixExpr, across: bool) -> MatrixExpr:
    """Rows of A are columns of Aᵀ."""
    (a,) = operands(expr)
    above = Rows(w(a, across=False), expr.start, expr.stop)
    beside = Columns(w(a, across=True), expr.start, expr.stop)
    here, there = (beside, above) if across else (above, beside)
    return _pushed(here, there)


def _spread(w: Turning, expr: MatrixExpr, across: bool) -> MatrixExpr:
    """A number in every entry."""
    rows, cols = expr.shape
    inner = w(*operands(expr), across=False)
    return broadcast(inner, cols, rows) if across else broadcast(inner, rows, cols)


_WRITERS: dict[type, Callable[[Turning, MatrixExpr, bool], MatrixExpr]] = {
    MatAdd: _sum,
    MatMul: _product,
    HadamardProduct: _elementwise_product,
    HadamardPower: _entrywise_power,
    Elementwise: _entries,
    Softmax: _entries,
    LogSumExp: _of_all,
    Total: _of_all,
    Concat: _stack,
    Rows: _slice,
    Broadcast: _spread,
    Diag: _diagonal,
}
if not _WRITERS.keys() >= PRIMAL_NODES - {Transpose}:
    raise RuntimeError(f"layouts miss {PRIMAL_NODES - {Transpose} - _WRITERS.keys()}")
