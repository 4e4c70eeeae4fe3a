"""Expressions as text in the equation language: what a primal expression prints as, the language reads back."""

from __future__ import annotations

from fractions import Fraction

from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    MatMul,
    MatrixExpr,
    OneMatrix,
    Transpose,
)

from derive.expressions import (
    Adjoint,
    Block,
    Broadcast,
    Concat,
    Elementwise,
    Rows,
    Tangent,
    is_row_of_ones,
    is_spread,
    matmul,
    operands,
    power,
)
from derive.language_numbers import spelled
from derive.nodes import ThroughTime
from derive.printing import ATOM, POWER, PRODUCT, Printer, decimal, fraction


class TextPrinter(Printer):
    """Prints expressions as in ``h_bar[t] = W.T @ delta_f[t+1] + h_bar[t+1] * f[t+1]``."""

    def leaf(self, expr: MatrixExpr) -> tuple[str, int]:
        """A name, with its time index if it has one, or the sequence that is taken as a matrix."""
        if (whole := self.notation.around.wholes.get(expr.name)) is not None:
            mark = {Adjoint: "_bar", Tangent: "_dot"}.get(type(expr), "")
            return f"columns({whole.name}{mark}[{whole.index}])", ATOM
        name = self.notation.identifier(expr)
        return f"{name}[{self.time(expr)}]" if self.notation.has_index(expr) else name, ATOM

    def constant(self, expr: MatrixExpr) -> tuple[str, int]:
        """A parameter."""
        return expr.name, ATOM

    def joined(self, parts: tuple[MatrixExpr, ...]) -> str:
        """A @ B, and repeat(a) for a column beside itself."""
        *before, last = parts
        if is_row_of_ones(last):
            return f"repeat({self(matmul(*before))})"
        return " @ ".join(self.matrix_factor(p) for p in parts)

    def matrix_factor(self, expr: MatrixExpr) -> str:
        """A factor of a matrix product; an elementwise product inside one needs brackets."""
        if is_spread(expr):
            text = self.whole(expr)
            return text if isinstance(expr, OneMatrix) else self.brackets(text)
        if isinstance(self.notation.written_out(expr) or expr, HadamardProduct | HadamardPower):
            return self.brackets(self(expr))
        return self.tight(expr, PRODUCT)

    def whole(self, expr: MatrixExpr) -> str:
        """The text where a shape matters: a scalar that is spread out says to which."""
        if not is_spread(expr):
            return self(expr)
        rows, cols = expr.shape
        ones = f"ones({rows})" if cols == 1 else f"ones({rows}, {cols})"
        scalar = self.tight(expr, PRODUCT)
        return ones if scalar == "1" else f"{scalar} * {ones}"

    def other_kind(self, expr: MatrixExpr, kind) -> str:
        """A factor, in brackets if it is a product of the other kind."""
        shown = self.form(expr)
        return self.brackets(self(expr)) if isinstance(shown, kind) else self.tight(expr, PRODUCT)

    def hadamard(self, expr: HadamardProduct) -> tuple[str, int]:
        """a * b, and a / b**k for a power −k."""
        text = ""
        for i, f in enumerate(self.in_order(operands(expr))):
            if i and _divides(f):
                text += self.over(f)
            else:
                text += (" * " if i else "") + self.elementwise_factor(f)
        return text, PRODUCT

    def in_order(self, parts: tuple[MatrixExpr, ...]) -> list[MatrixExpr]:
        """The factors of an elementwise product as they are written: divisors last."""
        return sorted(parts, key=_divides)

    def over(self, divisor: HadamardPower) -> str:
        """`` / a**k`` for a power −k."""
        return f" / {self.tight(power(operands(divisor)[0], -divisor.args[1]), POWER)}"

    def elementwise_factor(self, expr: MatrixExpr) -> str:
        """A factor of an elementwise product; a scalar that meets a vector is written without being spread."""
        return self.other_kind(operands(expr)[0] if isinstance(expr, Broadcast) else expr, MatMul)

    def power(self, expr: HadamardPower) -> tuple[str, int]:
        """a ** k, and 1 / a ** k for a power −k."""
        if _divides(expr):
            return f"1{self.over(expr)}", PRODUCT
        return f"{self.tight(operands(expr)[0])}**{expr.args[1]}", POWER

    def transpose(self, expr: Transpose) -> tuple[str, int]:
        """A.T"""
        arg = self.brackets(self.whole(expr.arg)) if is_spread(expr.arg) else self.tight(expr.arg)
        return f"{arg}.T", ATOM

    def call(self, function: str, expr: MatrixExpr) -> tuple[str, int]:
        """f(a)"""
        return f"{function}({', '.join(self.whole(a) for a in operands(expr))})", ATOM

    def elementwise(self, expr: Elementwise) -> tuple[str, int]:
        """f(a), entry by entry."""
        return f"{expr.function}({self(operands(expr)[0])})", ATOM

    def softmax(self, expr: MatrixExpr) -> tuple[str, int]:
        """softmax(a)"""
        return self.call("softmax", expr)

    def logsumexp(self, expr: MatrixExpr) -> tuple[str, int]:
        """logsumexp(a)"""
        return self.call("logsumexp", expr)

    def concat(self, expr: Concat) -> tuple[str, int]:
        """concat(a, b)"""
        return self.call("concat", expr)

    def rows(self, expr: Rows) -> tuple[str, int]:
        """a[start:stop], rows counted from 0."""
        return f"{self.tight(operands(expr)[0])}[{expr.start}:{expr.stop}]", ATOM

    def beside(self, expr: MatrixExpr) -> tuple[str, int]:
        """hstack(a, b)"""
        return self.call("hstack", expr)

    def columns(self, expr: Rows) -> tuple[str, int]:
        """a[:, start:stop], columns counted from 0."""
        return f"{self.tight(operands(expr)[0])}[:, {expr.start}:{expr.stop}]", ATOM

    def through_time(self, expr: ThroughTime) -> tuple[str, int]:
        """Its own words."""
        return self.notation.owned(expr.text), PRODUCT if "/" in expr.text else ATOM

    def broadcast(self, expr: Broadcast) -> tuple[str, int]:
        """A scalar alone: the language spreads it by itself."""
        return self.show(operands(expr)[0])

    def mean(self, x: MatrixExpr) -> str:
        """mean(a)"""
        return f"mean({self.whole(x)})"

    def total(self, expr: MatrixExpr) -> tuple[str, int]:
        """sum(a)"""
        return self.call("sum", expr)

    def diag(self, expr: MatrixExpr) -> tuple[str, int]:
        """diag(a)"""
        return self.call("diag", expr)

    def ones(self, expr: MatrixExpr) -> tuple[str, int]:
        """1"""
        return "1", ATOM

    def zeros(self, expr: MatrixExpr) -> tuple[str, int]:
        """0"""
        return "0", ATOM

    def identity(self, expr: MatrixExpr) -> tuple[str, int]:
        """I"""
        return "I", ATOM

    def block(self, expr: Block) -> tuple[str, int]:
        """du[t]/dv[t-1]"""
        return f"d{self(expr.of)}/d{self(expr.by)}", ATOM

    def number(self, c) -> str:
        """A number, exactly."""
        if shown := decimal(c):
            return f"{shown[0]}e{shown[1]}" if shown[1] else shown[0]
        if c.is_Rational:
            return spelled(Fraction(int(c.p), int(c.q)))
        top, bottom = fraction(c)
        if bottom == "1":
            return top
        return f"{top}/{bottom if bottom.replace('_', '').isalnum() else self.brackets(bottom)}"

    def scaled(self, c, core: MatrixExpr) -> tuple[str, int]:
        """c * A"""
        number = self.number(c)
        shown = self.brackets(number) if "/" in number or "*" in number else number
        if _divides(core):
            return f"{shown}{self.over(core)}", PRODUCT
        return f"{shown} * {self.tight(core, PRODUCT)}", PRODUCT


def _divides(expr: MatrixExpr) -> bool:
    """Whether the expression is a power −k."""
    return isinstance(expr, HadamardPower) and bool(expr.args[1] < 0)
