"""Expressions as text: one walk for every notation, so that page, terminal and file show the same structure."""

from __future__ import annotations

from sympy import Expr, Rational
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
    operands,
    scale,
    split_coefficient,
)
from derive.notation import Notation

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4


class Printer:
    """Prints expressions; a notation is a subclass that says how each node looks.

    Args:
        notation: the names.
        now: the present step: ``None`` for t, or a number (0 prints h at lag −1 as h at 1).
    """

    times = " * "

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
        if isinstance(expr, MatMul):
            return self.product(expr)
        return self.node(expr)

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
            Diag: self.diag,
            OneMatrix: self.ones,
            ZeroMatrix: self.zeros,
            Identity: self.identity,
            Block: self.block,
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
        c, core = split_coefficient(expr)
        if c == 1:
            return self.joined(operands(core)), PRODUCT
        if c == -1:
            return "-" + self.tight(core, PRODUCT), SUM
        if isinstance(core, OneMatrix):
            return self.number(c), ATOM
        averaged = mean_of(c, core)
        if averaged is not None:
            k, x = averaged
            text, binding = self.mean(x), ATOM
            if k != 1:
                text, binding = f"{self.number(k)}{self.times}{text}", PRODUCT
            return text, SUM if k.could_extract_minus_sign() else binding
        text, binding = self.scaled(c, core)
        return text, SUM if c.could_extract_minus_sign() else binding

    def index(self, lag: int) -> str:
        """The time index of a quantity at this lag."""
        if self.now is not None:
            return str(self.now - lag)
        return "t" if lag == 0 else f"t-{lag}" if lag > 0 else f"t+{-lag}"

    def brackets(self, text: str) -> str:
        """(text)"""
        return f"({text})"


def _negated(c: Expr, core: MatrixExpr) -> MatrixExpr:
    return scale(-c, core)


def mean_of(c: Expr, core: MatrixExpr) -> tuple[Expr, MatrixExpr] | None:
    """k and x if c · core is k times the mean of x's entries, spread out or not."""
    scalar = operands(core)[0] if isinstance(core, Broadcast) else core
    if not isinstance(scalar, Total):
        return None
    x = operands(scalar)[0]
    k = c * x.shape[0] * x.shape[1]
    return (k, x) if k.is_Number else None


def fraction(c: Expr) -> tuple[str, str]:
    """Numerator and denominator of a coefficient, as text."""
    if isinstance(c, Rational):
        return str(c.p), str(c.q)
    top, bottom = c.as_numer_denom()
    return str(top), str(bottom)
