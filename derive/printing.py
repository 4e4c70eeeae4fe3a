"""Expressions as text: one walk for every notation, so that page, terminal and file show the same structure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from sympy import Expr, Mul, Rational, multiplicity
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

from derive.diagonals import as_scaling
from derive.expressions import (
    Block,
    Broadcast,
    Concat,
    Diag,
    Elementwise,
    LogSumExp,
    Rows,
    Softmax,
    Total,
    broadcast,
    factors,
    is_scalar,
    is_spread,
    ones,
    operands,
    power,
    scale,
    split_coefficient,
    with_operands,
)
from derive.layout_nodes import Beside, BlockAcross, Columns, RowDiag
from derive.nodes import ThroughTime
from derive.notation import Notation

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4


class Printer:
    """Prints expressions; a notation is a subclass that says how each node looks.

    Args:
        notation: the names.
        now: the present step: ``None`` for t, or a number (0 prints h at lag −1 as h at 1).
    """

    times = " * "
    entrywise = " * "
    once = "end"
    last = "end"

    def __init__(self, notation: Notation, now: int | None = None) -> None:
        self.notation = notation
        self.now = now

    def __call__(self, expr: MatrixExpr) -> str:
        """The expression as text."""
        return self.show(expr)[0]

    def show(self, expr: MatrixExpr) -> tuple[str, int]:
        """The text and how tightly it binds."""
        written = self.notation.written_out(expr)
        if written is not None:
            return self.show(written)
        if isinstance(expr, MatAdd):
            return self.sum(expr), SUM
        shown = self.form(expr)
        return self.product(shown) if isinstance(shown, MatMul) else self.node(shown)

    def form(self, expr: MatrixExpr) -> MatrixExpr:
        """What is shown of an expression: written out if it is, scalings of rows and columns as products.

        A diagonal of one number is this number, times the identity where nothing else stands beside it. Of functions
        without a name, √a⁻² is a⁻¹, and 1[relu(a) > 0] is 1[a > 0].
        """

        def written(part: MatrixExpr) -> MatrixExpr:
            return self.notation.written_out(part) or part

        shown = self.simpler(written(expr))
        if isinstance(shown, HadamardProduct):
            shown = HadamardProduct(*map(self.simpler, shown.args))
        return _with_numbers(as_scaling(shown, written))

    def simpler(self, expr: MatrixExpr) -> MatrixExpr:
        """An even power of a root, or the step of a rectified value, over what is within."""
        inner = operands(expr)[0] if isinstance(expr, HadamardPower | Elementwise) else None
        named = operands(inner)[0] if isinstance(inner, Broadcast) else inner
        written = None if named is None else self.notation.written_out(named)
        if not isinstance(written, Elementwise):
            return expr
        (within,) = operands(written)
        if isinstance(expr, Elementwise):
            simple = (expr.function, written.function) == ("step", "relu")
            return Elementwise(within, "step") if simple else expr
        k = int(expr.args[1])
        simple = written.function == "sqrt" and k % 2 == 0
        return power(broadcast(within, *expr.shape), k // 2) if simple else expr

    def node(self, expr: MatrixExpr) -> tuple[str, int]:
        """Any node but a sum or a product."""
        table = {
            HadamardProduct: self.hadamard,
            HadamardPower: self.power,
            Transpose: self.transpose,
            Elementwise: self.elementwise,
            Softmax: self.softmax,
            LogSumExp: self.logsumexp,
            Concat: self.concat,
            Rows: self.rows,
            Broadcast: self.broadcast,
            Total: self.total,
            Mean: lambda e: (self.mean(operands(e)[0]), ATOM),
            Diag: self.diag,
            OneMatrix: self.ones,
            ZeroMatrix: self.zeros,
            Identity: self.identity,
            Beside: self.beside,
            Columns: self.columns,
            RowDiag: self.diag,
            Block: self.block,
            BlockAcross: self.block,
            ThroughTime: self.through_time,
            MatrixSymbol: self.constant,
        }
        return table.get(type(expr), self.leaf)(expr)

    def tight(self, expr: MatrixExpr, level: int = ATOM) -> str:
        """The text, in brackets if it binds less tightly than ``level``."""
        text, binding = self.show(expr)
        return text if binding >= level else self.brackets(text)

    def sum(self, expr: MatAdd) -> str:
        """a + b − c"""
        text = ""
        for i, term in enumerate(expr.args):
            c, core = split_coefficient(term)
            negative = c.could_extract_minus_sign()
            body = self.tight(term if not negative else _negated(c, core), PRODUCT)
            if isinstance(core, OneMatrix):
                body = self.number(-c if negative else c)
            sign = "-" if negative else "+"
            text += f" {sign} {body}" if i else (f"-{body}" if negative else body)
        return text

    def product(self, expr: MatMul) -> tuple[str, int]:
        """c A B"""
        c, core = averaged(*split_coefficient(expr))
        if c == 1:
            if isinstance(core, MatMul):
                return self.joined(operands(core)), PRODUCT
            return self.show(core)
        if c == -1:
            return "-" + self.tight(core, PRODUCT), SUM
        if isinstance(core, OneMatrix):
            return self.number(c), ATOM
        text, binding = self.scaled(c, core)
        return text, SUM if c.could_extract_minus_sign() else binding

    def before_sum(self, factor: MatrixExpr) -> str:
        """What a sum is multiplied with, entry by entry, and the sign between them."""
        c, core = split_coefficient(factor)
        sign = "-" if c.could_extract_minus_sign() else ""
        body = self.tight(scale(-c if sign else c, core), PRODUCT)
        return f"{sign}{body}{self.times if is_spread(core) or is_scalar(core) else self.entrywise}"

    def index(self, lag: int) -> str:
        """The time index of a quantity at this lag."""
        if self.now is not None:
            return str(self.now - lag)
        return "t" if lag == 0 else f"t-{lag}" if lag > 0 else f"t+{-lag}"

    def time(self, leaf: MatrixExpr) -> str:
        """The time index of a leaf: its step, or what stands there for what has none."""
        around = self.notation.around
        if around.has_steps(leaf.name):
            return self.index(leaf.lag)
        return self.last if leaf.name in around.last else self.once

    def brackets(self, text: str) -> str:
        """(text)"""
        return f"({text})"


def _with_numbers(expr: MatrixExpr) -> MatrixExpr:
    """diag(s, …, s) A B  =  s (A B)"""
    c, core = split_coefficient(expr)
    parts = operands(core) if isinstance(core, MatMul) else (core,)
    numbers = [p for p in parts if isinstance(p, Diag) and is_spread(operands(p)[0])]
    if c != 1 or not numbers:
        return expr
    rest = [p for p in parts if p not in numbers] or [Identity(core.shape[0])]
    product = rest[0] if len(rest) == 1 else MatMul(*rest)
    spread = [_spread(f, *product.shape) for p in numbers for f in factors(operands(p)[0])]
    return HadamardProduct(*spread, product)


def _spread(expr: MatrixExpr, rows: Expr, cols: Expr) -> MatrixExpr:
    """What says the same of every entry, over a matrix of this shape."""
    c, core = split_coefficient(expr)
    if isinstance(core, OneMatrix):
        return scale(c, ones(rows, cols))
    if isinstance(core, Broadcast):
        return scale(c, broadcast(operands(core)[0], rows, cols))
    return scale(c, with_operands(core, [_spread(part, rows, cols) for part in operands(core)]))


def _negated(c: Expr, core: MatrixExpr) -> MatrixExpr:
    return scale(-c, core)


class Mean(Total):
    """The mean of all entries: 1/(r c) times their sum. It stands on pages only."""


def averaged(c: Expr, core: MatrixExpr) -> tuple[Expr, MatrixExpr]:
    """The product c · core with sums written as means, if that leaves no size in the coefficient."""
    if not c.free_symbols:
        return c, core
    counts = [t.shape[0] * t.shape[1] for t in _summed(core)]
    for chosen in product((False, True), repeat=len(counts)):
        k = c * Mul(*(count for count, mean in zip(counts, chosen, strict=True) if mean))
        if k.is_Number:
            return k, _with_means(core, iter(chosen))
    return c, core


_LINEAR = (MatMul, HadamardProduct, Transpose, Broadcast, Total, Diag)
"""Nodes from whose operands the constructors take numbers out."""


def _summed(expr: MatrixExpr) -> Iterator[MatrixExpr]:
    """What is summed up in the expression, where a coefficient in front of all of it may belong to the sum."""
    if isinstance(expr, Total):
        yield operands(expr)[0]
    if isinstance(expr, _LINEAR):
        for part in operands(expr):
            yield from _summed(part)


def _with_means(expr: MatrixExpr, chosen: Iterator[bool]) -> MatrixExpr:
    """The expression with some of its sums, in the order of ``_summed``, made means."""
    if not isinstance(expr, _LINEAR):
        return expr
    mean = isinstance(expr, Total) and next(chosen)
    parts = [_with_means(part, chosen) for part in operands(expr)]
    return Mean(*parts) if mean else with_operands(expr, parts)


DIGITS, SMALLEST = 15, Rational(1, 10**20)
"""A decimal number of more digits, or a smaller one, is written as a quotient."""


def decimal(c: Expr) -> tuple[str, int] | None:
    """``m, e`` with c = m · 10^e where a number is written so, as 0.1 and 2.5 · 10⁻⁴; ``None`` for ½ or ⅓."""
    if not isinstance(c, Rational) or c.q % 5 or abs(c) < SMALLEST:
        return None
    places = max(multiplicity(2, c.q), multiplicity(5, c.q))
    digits = str(abs(c.p) * 10**places // c.q) if 10**places % c.q == 0 else ""
    if not 0 < len(digits) <= DIGITS:
        return None
    sign, exponent = "-" if c.p < 0 else "", 0
    if abs(c) < Rational(1, 1000):
        places, exponent = len(digits) - 1, len(digits) - 1 - places
    digits = digits.rjust(places + 1, "0")
    whole, rest = digits[: len(digits) - places], digits[len(digits) - places :]
    return f"{sign}{whole}.{rest}" if rest else f"{sign}{whole}", exponent


def fraction(c: Expr) -> tuple[str, str]:
    """Numerator and denominator of a coefficient, as text."""
    if isinstance(c, Rational):
        return str(c.p), str(c.q)
    top, bottom = c.as_numer_denom()
    return str(top), str(bottom)
