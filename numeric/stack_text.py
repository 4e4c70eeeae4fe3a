"""Matrix expressions as NumPy text over stacks of matrices: arrays (…, rows, columns), as the mathematics has them.

Axes in front broadcast, so that the same line serves one value and many directions at once. Generated passes use
``numeric.arrays`` instead, which keeps vectors as rows for speed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    MatAdd,
    MatMul,
    MatrixExpr,
    OneMatrix,
    Transpose,
    ZeroMatrix,
)

from derive.expressions import (
    Broadcast,
    Concat,
    Elementwise,
    LogSumExp,
    Rows,
    Softmax,
    Total,
    operands,
    split_coefficient,
)
from numeric.arrays import ELEMENTWISE


class StackText:
    """Prints expressions.

    Args:
        leaf: how to write a leaf.
        dim: how to write a dimension.
    """

    def __init__(self, leaf: Callable[[MatrixExpr], str], dim: Callable[[object], str]) -> None:
        self.leaf, self.dim = leaf, dim

    def __call__(self, expr: MatrixExpr) -> str:
        """The expression as text; every part that is no name or call stands in brackets."""
        show = _TABLE.get(type(expr))
        return show(self, expr) if show else self.leaf(expr)

    def line(self, expr: MatrixExpr) -> str:
        """The expression as text that stands alone, without brackets around the whole."""
        text, depth = self(expr), 0
        for i, character in enumerate(text):
            depth += (character == "(") - (character == ")")
            if depth == 0 and i < len(text) - 1:
                return text
        return text[1:-1] if text.startswith("(") else text

    def shape(self, expr: MatrixExpr) -> str:
        """``r, c``"""
        return ", ".join(self.dim(side) for side in expr.shape)

    def joined(self, sign: str, expr: MatrixExpr) -> str:
        """(a sign b …)"""
        return "(" + f" {sign} ".join(self(part) for part in operands(expr)) + ")"

    def matmul(self, expr: MatMul) -> str:
        """c · A B …, from the right, so that vectors stay vectors."""
        c, _ = split_coefficient(expr)
        *front, last = operands(expr)
        text = self(last)
        for factor in reversed(front):
            text = f"({self(factor)} @ {text})"
        return text if c == 1 else f"({self.number(c)} * {text})"

    def number(self, c: Any) -> str:
        """A number, or one in the dimensions."""
        return repr(float(c)) if c.is_Rational else f"({self.dim(c)})"

    def power(self, expr: HadamardPower) -> str:
        """a ** k; a negative whole power by a quotient, which keeps the precision."""
        k = int(expr.args[1])
        base = self(operands(expr)[0])
        return f"({base} ** {k})" if k > 0 else f"(1.0 / {base} ** {-k})"

    def transpose(self, expr: MatrixExpr) -> str:
        """Aᵀ"""
        return f"{self(operands(expr)[0])}.swapaxes(-1, -2)"

    def along_columns(self, function: str, expr: MatrixExpr) -> str:
        """A function of whole columns."""
        return f"{function}({self(operands(expr)[0])}.swapaxes(-1, -2)).swapaxes(-1, -2)"

    def rows(self, expr: Rows) -> str:
        """a[start:stop]"""
        return f"{self(operands(expr)[0])}[..., {self.dim(expr.start)}:{self.dim(expr.stop)}, :]"


_TABLE: dict[type, Callable[[StackText, Any], str]] = {
    MatAdd: lambda text, e: text.joined("+", e),
    MatMul: StackText.matmul,
    HadamardProduct: lambda text, e: text.joined("*", e),
    HadamardPower: StackText.power,
    Transpose: StackText.transpose,
    Elementwise: lambda text, e: f"{ELEMENTWISE[e.function]}({text(operands(e)[0])})",
    Softmax: lambda text, e: text.along_columns("softmax", e),
    LogSumExp: lambda text, e: text.along_columns("logsumexp", e),
    Concat: lambda text, e: f"one_above_another({', '.join(text(p) for p in operands(e))})",
    Rows: StackText.rows,
    Broadcast: lambda text, e: f"spread({text(operands(e)[0])}, {text.shape(e)})",
    Total: lambda text, e: f"{text(operands(e)[0])}.sum(axis=(-2, -1), keepdims=True)",
    OneMatrix: lambda text, e: f"np.ones(({text.shape(e)}), dtype)",
    ZeroMatrix: lambda text, e: f"np.zeros(({text.shape(e)}), dtype)",
}
