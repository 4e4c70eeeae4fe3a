"""What an equation is made of: matrix expressions of symbolic size over time-indexed quantities.

The nodes are SymPy's own (``MatAdd``, ``MatMul``, ``HadamardProduct``, ``HadamardPower``, ``Transpose``,
``OneMatrix``, ``Identity``) and a few that SymPy lacks:

    expr ::= Timed | MatrixSymbol | OneMatrix | Identity          leaves
           | Adjoint(leaf) | Tangent(leaf) | LossGradient(leaf)   leaves of a derivation
           | MatAdd(expr, …) | MatMul(number?, expr, …)
           | HadamardProduct(expr, …) | HadamardPower(expr, k) | Transpose(expr)
           | Elementwise(f, expr) | Softmax(expr) | LogSumExp(expr)
           | Concat(expr, …) | Rows(expr, start, stop)            stacking and its adjoint
           | Broadcast(expr, r, c) | Total(expr)                  a scalar spread out, and its adjoint
           | Diag(expr)

Everything is a matrix: vectors are columns (n, 1), scalars are (1, 1). Build them with
the constructors of ``derive.expressions``.
"""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Basic, Expr, Integer, S
from sympy.core.symbol import Str
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


class _Node(MatrixExpr):
    """A matrix node whose operands come first among its arguments."""

    operand_count: int | None = 1

    def __new__(cls, *args):
        return Expr.__new__(cls, *(a if isinstance(a, Basic) else _basic(a) for a in args))

    @property
    def shape(self):
        """(rows, columns), symbolic."""
        return self.args[0].shape


def _basic(value) -> Basic:
    return Str(value) if isinstance(value, str) else Integer(value)


# ── leaves ──────────────────────────────────────────────────────────────────────────────────────────


class Timed(_Node):
    """A quantity at a time step: ``Timed("h", 1, n, 1)`` is h at t−1; a negative lag lies in the future."""

    operand_count = 0

    @property
    def name(self) -> str:
        """The quantity's name."""
        return self.args[0].name

    @property
    def lag(self) -> int:
        """How many steps back: 0 is the present."""
        return int(self.args[1])

    @property
    def shape(self):
        """(rows, columns)."""
        return (self.args[2], self.args[3])

    def at(self, lag: int) -> Timed:
        """The same quantity at another step."""
        return Timed(self.name, lag, *self.shape)


class _Derived(_Node):
    """A quantity derived from a primal leaf (``Timed`` or ``MatrixSymbol``), of the same shape."""

    operand_count = 0

    @property
    def of(self):
        """The primal quantity."""
        return self.args[0]

    @property
    def name(self) -> str:
        """The primal quantity's name."""
        return self.of.name

    @property
    def lag(self) -> int:
        """The primal quantity's lag; 0 for a parameter."""
        return self.of.lag if isinstance(self.of, Timed) else 0

    def at(self, lag: int):
        """The same derived quantity at another step."""
        return type(self)(self.of.at(lag))


class Adjoint(_Derived):
    """v̄ = ∂L/∂v, the total derivative of the loss; it has the shape of v."""


class Tangent(_Derived):
    """v̇, the derivative of v along a direction; it has the shape of v."""


class LossGradient(_Derived):
    """∂ℓ_t/∂v_t, the immediate derivative of the loss at step t, given from outside."""


class Block(_Node):
    """∂u/∂v for columns u and v: a block of a Jacobian, (rows of u, rows of v)."""

    operand_count = 0

    @property
    def of(self) -> Timed:
        """u, the quantity that is differentiated."""
        return self.args[0]

    @property
    def by(self) -> Timed:
        """v, the quantity by which it is differentiated."""
        return self.args[1]

    @property
    def shape(self):
        """(rows of u, rows of v)."""
        return (self.of.shape[0], self.by.shape[0])


class ThroughTime(_Node):
    """A derivative across many steps, such as ∂s_T/∂s_k, that has a name and no expression of its own."""

    operand_count = 0

    @property
    def text(self) -> str:
        """How it is written in text."""
        return self.args[0].name

    @property
    def latex(self) -> str:
        """How it is written in LaTeX."""
        return self.args[1].name

    @property
    def shape(self):
        """(rows, columns)."""
        return (self.args[2], self.args[3])


# ── interior nodes that SymPy lacks ─────────────────────────────────────────────────────────────────


class Elementwise(_Node):
    """f applied to every entry; f is a name of ``derive.functions.FUNCTIONS``."""

    @property
    def function(self) -> str:
        """Name of the function."""
        return self.args[1].name


class Softmax(_Node):
    """softmax(x) = exp(x) / Σ exp(x) over the rows of a column vector."""


class LogSumExp(_Node):
    """log Σ exp(x) over the rows of a column vector, a scalar (1, 1)."""

    @property
    def shape(self):
        """(1, 1)."""
        return (S.One, S.One)


class Concat(_Node):
    """Operands stacked on top of one another: [a; b]."""

    operand_count = None

    @property
    def shape(self):
        """(sum of the operands' rows, their common columns)."""
        return (sum((a.shape[0] for a in self.args), S.Zero), self.args[0].shape[1])


class Rows(_Node):
    """Rows start ≤ i < stop of the operand."""

    @property
    def start(self):
        """First row."""
        return self.args[1]

    @property
    def stop(self):
        """Row after the last."""
        return self.args[2]

    @property
    def shape(self):
        """(stop − start, columns)."""
        return (self.stop - self.start, self.args[0].shape[1])


class Broadcast(_Node):
    """A scalar (1, 1) in every entry of an r × c matrix."""

    @property
    def shape(self):
        """(r, c)."""
        return (self.args[1], self.args[2])


class Total(_Node):
    """The sum of all entries, a scalar (1, 1)."""

    @property
    def shape(self):
        """(1, 1)."""
        return (S.One, S.One)


class Diag(_Node):
    """The diagonal matrix of a column vector."""

    @property
    def shape(self):
        """(n, n) for an operand (n, 1)."""
        return (self.args[0].shape[0], self.args[0].shape[0])


LEAVES = (
    Timed,
    MatrixSymbol,
    OneMatrix,
    ZeroMatrix,
    Identity,
    Adjoint,
    Tangent,
    LossGradient,
    Block,
    ThroughTime,
)

PRIMAL_NODES = frozenset(
    {
        MatAdd,
        MatMul,
        HadamardProduct,
        HadamardPower,
        Transpose,
        Elementwise,
        Softmax,
        LogSumExp,
        Concat,
        Broadcast,
        Total,
    }
)
"""The interior nodes that a cell's equations may hold: those that need a rule of each kind."""


# ── one way to reach children ───────────────────────────────────────────────────────────────────────


def operands(expr: MatrixExpr) -> tuple[MatrixExpr, ...]:
    """The matrix operands of a node, in order; none for a leaf."""
    if isinstance(expr, LEAVES):
        return ()
    if isinstance(expr, _Node) and expr.operand_count is not None:
        return expr.args[: expr.operand_count]
    return tuple(a for a in expr.args if isinstance(a, MatrixExpr))


def walk(expr: MatrixExpr) -> Iterator[MatrixExpr]:
    """Every node, parents before children, left to right."""
    stack = [expr]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(operands(node)))


def leaves(expr: MatrixExpr) -> Iterator[MatrixExpr]:
    """Every leaf with its repetitions, left to right."""
    return (node for node in walk(expr) if isinstance(node, LEAVES))


def has_time(leaf: MatrixExpr) -> bool:
    """Whether a leaf depends on the time step."""
    return isinstance(leaf, Timed) or (isinstance(leaf, _Derived) and isinstance(leaf.of, Timed))


def is_timed(expr: MatrixExpr) -> bool:
    """Whether any leaf depends on the time step."""
    return any(has_time(v) for v in leaves(expr))


def is_scalar(expr: MatrixExpr) -> bool:
    """Whether the shape is (1, 1)."""
    return expr.shape == (S.One, S.One)


def is_column(expr: MatrixExpr) -> bool:
    """Whether the shape is (n, 1)."""
    return expr.shape[1] == 1
