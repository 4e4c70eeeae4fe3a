"""Building expressions: constructors that keep the order in which an author wrote.

They simplify only what no author would write (0 + a, 1 ∘ a, −(−a), Aᵀᵀ). The nodes themselves are in
``derive.nodes`` and can be imported from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from sympy import Expr, Integer, S
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

from derive.nodes import (
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
    has_time,
    is_column,
    is_scalar,
    is_timed,
    leaves,
    operands,
    walk,
)

__all__ = [
    "LEAVES",
    "Adjoint",
    "Block",
    "Broadcast",
    "Concat",
    "Diag",
    "Elementwise",
    "LogSumExp",
    "LossGradient",
    "MatrixExpr",
    "Rows",
    "Softmax",
    "Tangent",
    "Timed",
    "Total",
    "add",
    "broadcast",
    "broadcast_factors",
    "diag",
    "factors",
    "hadamard",
    "has_time",
    "is_column",
    "is_row_of_ones",
    "is_scalar",
    "is_spread",
    "is_timed",
    "leaves",
    "matmul",
    "negate",
    "ones",
    "ones_like",
    "operands",
    "parameter",
    "power",
    "replace",
    "rows",
    "scale",
    "shifted",
    "split_coefficient",
    "terms",
    "total",
    "transpose",
    "transpose_of_product",
    "walk",
    "with_operands",
    "zeros_like",
]


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
    """a ∘ b ∘ …, in the order given; ones drop out, numbers move to the front, and a ∘ a⁻² is a⁻¹."""
    c, flat = S.One, []
    for part in parts:
        inner, core = split_coefficient(part)
        c = c * inner
        flat += [f for f in factors(core) if not isinstance(f, OneMatrix)]
        if isinstance(core, ZeroMatrix):
            return zeros_like(core)
    flat = _cancelled(flat)
    if not flat:
        return scale(c, ones_like(parts[0]))
    return scale(c, flat[0] if len(flat) == 1 else HadamardProduct(*flat))


def _cancelled(parts: list[MatrixExpr]) -> list[MatrixExpr]:
    """The factors, each divisor with what it divides: aʲ ∘ a⁻ᵏ = aʲ⁻ᵏ, wherever a⁻ᵏ has a value."""
    below = {f.args[0] for f in parts if isinstance(f, HadamardPower) and f.args[1] < 0}
    above = {f.args[0] if isinstance(f, HadamardPower) and f.args[1] > 0 else f for f in parts}
    divisors = below & above
    if not divisors:
        return parts
    exponents: dict[MatrixExpr, int] = {}
    for f in parts:
        base, k = (f.args[0], f.args[1]) if isinstance(f, HadamardPower) else (f, 1)
        key = base if base in divisors else f
        exponents[key] = exponents.get(key, 0) + (k if base in divisors else 1)
    found = []
    for base, k in exponents.items():
        found += [power(base, int(k))] if base in divisors else [base] * int(k)
    return [f for f in found if not isinstance(f, OneMatrix)]


def power(base: MatrixExpr, exponent: int) -> MatrixExpr:
    """Every entry raised to an integer power; (aᵏ)ʲ = aᵏʲ for k > 0."""
    if exponent == 0:
        return ones_like(base)
    if (
        isinstance(base, OneMatrix)
        or exponent == 1
        or (isinstance(base, ZeroMatrix) and exponent > 0)
    ):
        return base
    if isinstance(base, HadamardPower) and base.args[1] > 0:
        return HadamardPower(base.args[0], base.args[1] * exponent)
    return HadamardPower(base, Integer(exponent))


def matmul(*parts: MatrixExpr) -> MatrixExpr:
    """The matrix product A B …; numbers move to the front, identities drop out, and so does 1 as a 1 × 1 matrix."""
    c, flat = S.One, []
    for part in parts:
        inner, core = split_coefficient(part)
        c = c * inner
        flat += core.args if isinstance(core, MatMul) else [core]
    if any(isinstance(f, ZeroMatrix) for f in flat):
        return ZeroMatrix(flat[0].shape[0], flat[-1].shape[1])
    kept = [f for f in flat if not (isinstance(f, Identity) or f == ones(1, 1))] or flat[:1]
    return scale(c, kept[0] if len(kept) == 1 else MatMul(*kept))


def transpose(expr: MatrixExpr) -> MatrixExpr:
    """Xᵀ; a scalar is its own transpose, and one that multiplies X stays before Xᵀ."""
    c, core = split_coefficient(expr)
    if isinstance(core, Transpose):
        return scale(c, core.arg)
    if isinstance(core, OneMatrix | ZeroMatrix):
        return scale(c, type(core)(core.shape[1], core.shape[0]))
    if isinstance(core, Broadcast):
        return scale(c, Broadcast(*operands(core), core.shape[1], core.shape[0]))
    if isinstance(core, HadamardProduct) and not is_scalar(core):
        spread = [f for f in operands(core) if isinstance(f, Broadcast)]
        if len(spread) == len(operands(core)) - 1:
            return scale(c, hadamard(*map(transpose_of_product, operands(core))))
    symmetric = is_scalar(core) or isinstance(core, Diag | Identity)
    return scale(c, core if symmetric else Transpose(core))


def transpose_of_product(expr: MatrixExpr) -> MatrixExpr:
    """(c A B)ᵀ written out as c Bᵀ Aᵀ; the plain transpose of anything else."""
    c, core = split_coefficient(expr)
    if not isinstance(core, MatMul):
        return transpose(expr)
    return scale(c, matmul(*(transpose(a) for a in reversed(operands(core)))))


def broadcast(scalar: MatrixExpr, rows, cols) -> MatrixExpr:
    """A scalar in every entry of a rows × cols matrix."""
    c, core = split_coefficient(scalar)
    if (rows, cols) == (1, 1):
        return scalar
    if isinstance(core, OneMatrix | ZeroMatrix):
        return scale(c, type(core)(rows, cols))
    return scale(c, Broadcast(core, rows, cols))


def broadcast_factors(scalar: MatrixExpr, rows, cols) -> MatrixExpr:
    """A scalar in every entry of a rows × cols matrix; of a product each factor, of a quotient what it divides by."""
    c, core = split_coefficient(scalar)
    spread = []
    for f in factors(core):
        inverse = isinstance(f, HadamardPower) and f.args[1] < 0
        inner = broadcast(power(f.args[0], -f.args[1]) if inverse else f, rows, cols)
        spread.append(power(inner, -1) if inverse else inner)
    return scale(c, hadamard(*spread))


def total(expr: MatrixExpr) -> MatrixExpr:
    """The sum of all entries."""
    c, core = split_coefficient(expr)
    if isinstance(core, ZeroMatrix):
        return ZeroMatrix(1, 1)
    return expr if is_scalar(expr) else scale(c, Total(core))


def rows(expr: MatrixExpr, start, stop) -> MatrixExpr:
    """Rows start ≤ i < stop; of zero they are zero."""
    if isinstance(expr, ZeroMatrix):
        return ZeroMatrix(stop - start, expr.shape[1])
    return expr if start == 0 and stop == expr.shape[0] else Rows(expr, start, stop)


def is_spread(expr: MatrixExpr, *, columns: bool = False) -> bool:
    """Whether a scalar says all that is in a matrix: every addend and every factor has equal entries.

    Args:
        expr: the matrix.
        columns: whether it is enough that a column says it, as in a 1ᵀ.
    """
    if is_scalar(expr):
        return False
    _, core = split_coefficient(expr)
    if isinstance(core, MatAdd | HadamardProduct):
        return all(is_spread(part, columns=columns) for part in operands(core))
    if isinstance(core, Elementwise | HadamardPower):
        return is_spread(operands(core)[0], columns=columns)
    if columns and isinstance(core, MatMul) and is_row_of_ones(operands(core)[-1]):
        return True
    return isinstance(core, OneMatrix | ZeroMatrix | Broadcast)


def is_row_of_ones(expr: MatrixExpr) -> bool:
    """Whether this is 1ᵀ, which puts a column beside itself."""
    return isinstance(expr, OneMatrix) and expr.shape[0] == 1 != expr.shape[1]


def diag(vector: MatrixExpr) -> MatrixExpr:
    """The diagonal matrix of a column vector."""
    if isinstance(vector, OneMatrix):
        return Identity(vector.shape[0])
    c, core = split_coefficient(vector)
    return scale(c, Diag(core)) if not isinstance(core, OneMatrix) else scale(c, diag(core))


@cache
def parameter(name: str, row_count, col_count) -> MatrixSymbol:
    """A quantity without a time index."""
    return MatrixSymbol(name, row_count, col_count)


_REBUILD: dict[type, Callable] = {
    MatAdd: lambda e, new: add(*new),
    MatMul: lambda e, new: scale(split_coefficient(e)[0], matmul(*new)),
    HadamardProduct: lambda e, new: hadamard(*new),
    HadamardPower: lambda e, new: power(new[0], int(e.args[1])),
    Transpose: lambda e, new: transpose(new[0]),
    Broadcast: lambda e, new: broadcast(new[0], *e.shape),
    Total: lambda e, new: total(new[0]),
    Rows: lambda e, new: rows(new[0], e.start, e.stop),
    Diag: lambda e, new: diag(new[0]),
}


def with_operands(expr: MatrixExpr, new: Iterable[MatrixExpr]) -> MatrixExpr:
    """The same node over other operands."""
    new = tuple(new)
    if not new or new == operands(expr):
        return expr
    build = _REBUILD.get(type(expr))
    if build is not None:
        return build(expr, new)
    return type(expr)(*new, *expr.args[len(new) :])


def replace(expr: MatrixExpr, leaf: Callable[[MatrixExpr], MatrixExpr]) -> MatrixExpr:
    """The expression with every leaf ``v`` replaced by ``leaf(v)``."""
    if isinstance(expr, LEAVES):
        return leaf(expr)
    return with_operands(expr, [replace(child, leaf) for child in operands(expr)])


def shifted(expr: MatrixExpr, steps: int) -> MatrixExpr:
    """The expression with t replaced by t − steps (negative: into the future)."""

    def shift(v):
        return v.at(v.lag + steps) if has_time(v) else v

    return replace(expr, shift) if steps else expr
