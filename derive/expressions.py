"""What an equation is made of: matrix expressions of symbolic size over time-indexed quantities.

The nodes are SymPy's own (``MatAdd``, ``MatMul``, ``HadamardProduct``, ``HadamardPower``, ``Transpose``,
``OneMatrix``, ``Identity``) and a few that SymPy lacks:

    expr ::= Timed | MatrixSymbol | OneMatrix | Identity          leaves
           | Adjoint(leaf) | Tangent(leaf) | LossGradient(leaf)   leaves of a derivation
           | MatAdd(expr, …) | MatMul(number?, expr, …)
           | HadamardProduct(expr, …) | HadamardPower(expr, k) | Transpose(expr)
           | Elementwise(f, expr) | Softmax(expr)
           | Concat(expr, …) | Rows(expr, start, stop)            stacking and its adjoint
           | Broadcast(expr, r, c) | Total(expr)                  a scalar spread out, and its adjoint
           | Diag(expr)

Everything is a matrix: vectors are columns (n, 1), scalars are (1, 1). Build expressions with the
lower-case constructors; they keep the order in which an author wrote, and simplify only what no author
would write (0 + a, 1 ∘ a, −(−a), Aᵀᵀ).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from sympy import Basic, Expr, Integer, Rational, S
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

type_of_number = (int, Rational)


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


# ── interior nodes that SymPy lacks ─────────────────────────────────────────────────────────────────


class Elementwise(_Node):
    """f applied to every entry; f is a name of ``derive.functions.FUNCTIONS``."""

    @property
    def function(self) -> str:
        """Name of the function."""
        return self.args[1].name


class Softmax(_Node):
    """softmax(x) = exp(x) / Σ exp(x) over the rows of a column vector."""


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


LEAVES = (Timed, MatrixSymbol, OneMatrix, ZeroMatrix, Identity, Adjoint, Tangent, LossGradient, Block)


# ── one way to reach children ───────────────────────────────────────────────────────────────────────


def operands(expr: MatrixExpr) -> tuple[MatrixExpr, ...]:
    """The matrix operands of a node, in order; none for a leaf."""
    if isinstance(expr, LEAVES):
        return ()
    if isinstance(expr, _Node) and expr.operand_count is not None:
        return expr.args[: expr.operand_count]
    return tuple(a for a in expr.args if isinstance(a, MatrixExpr))


def with_operands(expr: MatrixExpr, new: Iterable[MatrixExpr]) -> MatrixExpr:
    """The same node over other operands."""
    new = tuple(new)
    if not new or new == operands(expr):
        return expr
    build = _REBUILD.get(type(expr))
    if build is not None:
        return build(expr, new)
    return type(expr)(*new, *expr.args[len(new) :])


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


def replace(expr: MatrixExpr, leaf: Callable[[MatrixExpr], MatrixExpr]) -> MatrixExpr:
    """The expression with every leaf ``v`` replaced by ``leaf(v)``."""
    if isinstance(expr, LEAVES):
        return leaf(expr)
    return with_operands(expr, [replace(child, leaf) for child in operands(expr)])


def shifted(expr: MatrixExpr, steps: int) -> MatrixExpr:
    """The expression with t replaced by t − steps (negative: into the future)."""

    def shift(v):
        return v.at(v.lag + steps) if _has_time(v) else v

    return replace(expr, shift) if steps else expr


def _has_time(leaf: MatrixExpr) -> bool:
    return isinstance(leaf, Timed) or (isinstance(leaf, _Derived) and isinstance(leaf.of, Timed))


def is_timed(expr: MatrixExpr) -> bool:
    """Whether any leaf depends on the time step."""
    return any(_has_time(v) for v in leaves(expr))


def is_scalar(expr: MatrixExpr) -> bool:
    """Whether the shape is (1, 1)."""
    return expr.shape == (S.One, S.One)


def is_column(expr: MatrixExpr) -> bool:
    """Whether the shape is (n, 1)."""
    return expr.shape[1] == 1


# ── constructors ────────────────────────────────────────────────────────────────────────────────────


def ones(rows, cols) -> MatrixExpr:
    """The matrix of ones."""
    return OneMatrix(rows, cols)


def ones_like(expr: MatrixExpr) -> MatrixExpr:
    """Ones of the expression's shape."""
    return OneMatrix(*expr.shape)


def zeros_like(expr: MatrixExpr) -> MatrixExpr:
    """Zeros of the expression's shape."""
    return ZeroMatrix(*expr.shape)


def split_coefficient(expr: MatrixExpr) -> tuple[Expr, MatrixExpr]:
    """c and X with expr = c X; c is a number, or a scalar in the dimensions such as 1/n."""
    if isinstance(expr, MatMul) and not isinstance(expr.args[0], MatrixExpr):
        rest = expr.args[1:]
        return expr.args[0], rest[0] if len(rest) == 1 else MatMul(*rest)
    return S.One, expr


def scale(c, expr: MatrixExpr) -> MatrixExpr:
    """c X for a number c, or a scalar c in the dimensions such as 1/n."""
    inner, core = split_coefficient(expr)
    c = c * inner
    if c == 0 or isinstance(core, ZeroMatrix):
        return zeros_like(core)
    if c == 1:
        return core
    factors = core.args if isinstance(core, MatMul) else (core,)
    return MatMul(c, *factors)


def negate(expr: MatrixExpr) -> MatrixExpr:
    """−X."""
    return scale(S.NegativeOne, expr)


def terms(expr: MatrixExpr) -> tuple[MatrixExpr, ...]:
    """The addends of a sum; an expression that is no sum is its own one addend; zero has none."""
    if isinstance(expr, ZeroMatrix):
        return ()
    return expr.args if isinstance(expr, MatAdd) else (expr,)


def add(*parts: MatrixExpr) -> MatrixExpr:
    """a + b + …, in the order given; zeros drop out."""
    flat = [term for part in parts for term in terms(part)]
    if not flat:
        return zeros_like(parts[0])
    return flat[0] if len(flat) == 1 else MatAdd(*flat)


def factors(expr: MatrixExpr) -> tuple[MatrixExpr, ...]:
    """The factors of an elementwise product; an expression that is none is its own one factor."""
    return expr.args if isinstance(expr, HadamardProduct) else (expr,)


def hadamard(*parts: MatrixExpr) -> MatrixExpr:
    """a ∘ b ∘ …, in the order given; ones drop out, numbers move to the front."""
    c, flat = S.One, []
    for part in parts:
        inner, core = split_coefficient(part)
        c = c * inner
        flat += [f for f in factors(core) if not isinstance(f, OneMatrix)]
        if isinstance(core, ZeroMatrix):
            return zeros_like(core)
    if not flat:
        return scale(c, ones_like(parts[0]))
    return scale(c, flat[0] if len(flat) == 1 else HadamardProduct(*flat))


def power(base: MatrixExpr, exponent: int) -> MatrixExpr:
    """Every entry raised to an integer power."""
    if exponent == 0:
        return ones_like(base)
    if isinstance(base, OneMatrix) or exponent == 1 or (isinstance(base, ZeroMatrix) and exponent > 0):
        return base
    return HadamardPower(base, Integer(exponent))


def matmul(*parts: MatrixExpr) -> MatrixExpr:
    """The matrix product A B …; numbers move to the front, identities drop out."""
    c, flat = S.One, []
    for part in parts:
        inner, core = split_coefficient(part)
        c = c * inner
        flat += core.args if isinstance(core, MatMul) else [core]
    if any(isinstance(f, ZeroMatrix) for f in flat):
        return ZeroMatrix(flat[0].shape[0], flat[-1].shape[1])
    kept = [f for f in flat if not isinstance(f, Identity)] or flat[:1]
    return scale(c, kept[0] if len(kept) == 1 else MatMul(*kept))


def transpose(expr: MatrixExpr) -> MatrixExpr:
    """Xᵀ; a scalar is its own transpose."""
    c, core = split_coefficient(expr)
    if isinstance(core, Transpose):
        return scale(c, core.arg)
    if isinstance(core, OneMatrix | ZeroMatrix):
        return scale(c, type(core)(core.shape[1], core.shape[0]))
    return scale(c, core if is_scalar(core) or isinstance(core, Diag | Identity) else Transpose(core))


def broadcast(scalar: MatrixExpr, rows, cols) -> MatrixExpr:
    """A scalar in every entry of a rows × cols matrix."""
    c, core = split_coefficient(scalar)
    if (rows, cols) == (1, 1):
        return scalar
    if isinstance(core, OneMatrix | ZeroMatrix):
        return scale(c, type(core)(rows, cols))
    return scale(c, Broadcast(core, rows, cols))


def total(expr: MatrixExpr) -> MatrixExpr:
    """The sum of all entries."""
    c, core = split_coefficient(expr)
    if isinstance(core, ZeroMatrix):
        return ZeroMatrix(1, 1)
    return expr if is_scalar(expr) else scale(c, Total(core))


def rows(expr: MatrixExpr, start, stop) -> MatrixExpr:
    """Rows start ≤ i < stop."""
    return expr if start == 0 and stop == expr.shape[0] else Rows(expr, start, stop)


def diag(vector: MatrixExpr) -> MatrixExpr:
    """The diagonal matrix of a column vector."""
    if isinstance(vector, OneMatrix):
        return Identity(vector.shape[0])
    c, core = split_coefficient(vector)
    return scale(c, Diag(core)) if not isinstance(core, OneMatrix) else scale(c, diag(core))


_REBUILD: dict[type, Callable] = {
    MatAdd: lambda e, new: add(*new),
    MatMul: lambda e, new: scale(split_coefficient(e)[0], matmul(*new)),
    HadamardProduct: lambda e, new: hadamard(*new),
    HadamardPower: lambda e, new: power(new[0], int(e.args[1])),
    Transpose: lambda e, new: transpose(new[0]),
    Broadcast: lambda e, new: broadcast(new[0], *e.shape),
    Total: lambda e, new: total(new[0]),
    Diag: lambda e, new: diag(new[0]),
}


@cache
def parameter(name: str, row_count, col_count) -> MatrixSymbol:
    """A quantity without a time index."""
    return MatrixSymbol(name, row_count, col_count)
