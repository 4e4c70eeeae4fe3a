"""Matrix expressions as NumPy text over batched arrays.

How a quantity lies in memory: a column (n, 1) that depends on time is an array whose last axis is n, with the
samples (and, for whole sequences, the steps) in front: (…, n); a scalar (…, 1); a row (…, 1, q); a matrix
(…, p, q). Parameters have no axes in front: (n,), (), (1, q), (p, q). So the product W h of the mathematics
reads ``h @ W.T`` in the code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
    Adjoint,
    Broadcast,
    Concat,
    Elementwise,
    LogSumExp,
    LossGradient,
    Rows,
    Softmax,
    Timed,
    Total,
    hadamard,
    is_column,
    is_row_of_ones,
    is_scalar,
    is_timed,
    leaves,
    operands,
    split_coefficient,
)
from derive.printing import decimal
from numeric.spread import lacks_axes, trailing

SUM, PRODUCT, UNARY, ATOM = 1, 2, 3, 4

ELEMENTWISE = {
    "tanh": "np.tanh", "exp": "np.exp", "log": "np.log", "sin": "np.sin", "cos": "np.cos", "sqrt": "np.sqrt",
    "sigmoid": "sigmoid", "softplus": "softplus", "relu": "relu", "abs": "absolute", "step": "positive", "sign": "sign",
}  # fmt: skip


def is_row(expr: MatrixExpr) -> bool:
    """Whether the shape is (1, q) with q other than 1."""
    return expr.shape[0] == 1 and not is_column(expr)


class ArrayPrinter:
    """Prints expressions as NumPy.

    Args:
        leaf: how to write a leaf at this place.
        dim: how to write a dimension.
        whole: whether leaves are whole sequences (steps, samples, …) rather than one step (samples, …).
        indices: the names of inputs that are given as whole numbers.
        steps: how many steps a whole sequence has.
    """

    def __init__(
        self,
        leaf: Callable[[MatrixExpr], str],
        dim: Callable[[object], str],
        *,
        whole: bool = False,
        indices: frozenset[str] = frozenset(),
        steps: str = "T",
    ) -> None:
        self.leaf, self.dim, self.whole, self.indices = leaf, dim, whole, indices
        self.front = [steps, "B"] if whole else ["B"]

    def __call__(self, expr: MatrixExpr) -> str:
        """The expression as text."""
        return self.show(expr)[0]

    def full(self, expr: MatrixExpr) -> str:
        """The expression as text, spread out to its whole shape even if its parts broadcast."""
        return self.spread(expr, self.shape_of(expr)) if lacks_axes(expr) else self(expr)

    def spread(self, expr: MatrixExpr, shape: str) -> str:
        """The expression as text, spread out to this shape."""
        if all(isinstance(leaf, OneMatrix | ZeroMatrix) for leaf in leaves(expr)):
            return f"np.full({shape}, {self(expr)}, dtype)"
        return f"np.broadcast_to({self(expr)}, {shape})"

    def factor(self, expr: MatrixExpr) -> Piece:
        """A factor of a matrix product, which has to be spread out to its whole shape."""
        return (
            Piece(self.full(expr), ATOM, expr)
            if lacks_axes(expr)
            else Piece(*self.show(expr), expr)
        )

    def over(self, expr: MatrixExpr, target: MatrixExpr) -> str:
        """The expression as the value of a target that depends on time, spread out to its shape if need be."""
        if is_timed(expr) and not lacks_axes(expr):
            return self(expr)
        return self.spread(expr, self.shape_of(target))

    def fresh(self, expr: MatrixExpr, target: MatrixExpr) -> str:
        """As ``over``, but always a new array that may be written to, and no view of another result."""
        text = self.over(expr, target)
        shared = text.startswith("np.broadcast_to(") or _is_view(expr)
        return f"{text}.copy()" if shared else text

    def shape_of(self, expr: MatrixExpr) -> str:
        """The shape of the array, as text."""
        front = self.front if is_timed(expr) else []
        parts = [*front, *trailing(expr, self.dim)]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"

    def tight(self, expr: MatrixExpr, level: int = ATOM) -> str:
        """The text, in brackets if it binds less tightly than ``level``."""
        text, binding = self.show(expr)
        return text if binding >= level else f"({text})"

    def show(self, expr: MatrixExpr) -> tuple[str, int]:
        """The text and how tightly it binds."""
        table = {
            MatAdd: self.sum,
            MatMul: self.matmul,
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
            OneMatrix: lambda e: ("1.0", ATOM),
            ZeroMatrix: lambda e: ("0.0", ATOM),
        }
        show = table.get(type(expr))
        if show is None and self.is_index(expr):
            return f"one_hot({self.leaf(expr)}, {self.dim(expr.shape[0])}, dtype)", ATOM
        return show(expr) if show else (self.leaf(expr), ATOM)

    def is_index(self, expr: MatrixExpr) -> bool:
        """Whether this is an input that is given as whole numbers."""
        return isinstance(expr, Timed) and expr.name in self.indices

    def sum(self, expr: MatAdd) -> tuple[str, int]:
        """a + b − c"""
        text = ""
        for i, term in enumerate(expr.args):
            c, core = split_coefficient(term)
            negative = c.could_extract_minus_sign()
            body = self.scaled(-c if negative else c, core)
            text += (
                f" {'-' if negative else '+'} {body}" if i else (f"-{body}" if negative else body)
            )
        return text, SUM

    def scaled(self, c, core: MatrixExpr) -> str:
        """c X for a positive number c, ready to stand in a sum."""
        if isinstance(core, OneMatrix):
            return self.number(c)
        return (
            self.tight(core, PRODUCT) if c == 1 else f"{self.number(c)} * {self.tight(core, UNARY)}"
        )

    def number(self, c) -> str:
        """A number; one in the dimensions is computed from them."""
        if c.is_Integer:
            return f"{int(c)}.0" if abs(int(c)) < 10**15 else repr(float(c))
        if c.is_Rational:
            return repr(float(c)) if c.q in (2, 4, 8) or decimal(c) else f"({c.p} / {c.q})"
        return f"({self.dim(c)})"

    def matmul(self, expr: MatMul) -> tuple[str, int]:
        """c A B …, from the right, so that vectors stay vectors."""
        c, core = split_coefficient(expr)
        if c != 1:
            if isinstance(core, OneMatrix):
                return (self.number(c), ATOM) if c.is_positive else (f"({self.number(c)})", ATOM)
            if c == -1:
                return f"-{self.tight(core, UNARY)}", PRODUCT
            return f"{self.number(c)} * {self.tight(core, UNARY)}", PRODUCT
        value = self.product_of(operands(core))
        return value.text, value.binding

    def product_of(self, factors: Sequence[MatrixExpr]) -> Piece:
        """A B …, from the right; what comes down to a column before a row is a column first."""
        *front, last = factors
        value = self.factor(last)
        for i in range(len(front) - 1, -1, -1):
            if i and is_column(front[i]) and not is_column(value.expr):
                return self.times(self.product_of(front[: i + 1]), value)
            value = self.times(self.factor(front[i]), value)
        return value

    def times(self, a: Piece, b: Piece) -> Piece:
        """The product of two matrices, by what they are."""
        expr = MatMul(a.expr, b.expr)
        timed_a, timed_b = is_timed(a.expr), is_timed(b.expr)
        if is_scalar(a.expr) or is_scalar(b.expr):
            parts = (self.beside(a, expr), self.beside(b, expr))
            return Piece(f"{parts[0]} * {parts[1]}", PRODUCT, expr)
        if is_scalar(expr):
            add = "total" if timed_a or timed_b else "np.sum"
            return Piece(f"{add}({self.column(a.expr)} * {b.at(UNARY)})", ATOM, expr)
        if is_column(a.expr) and is_row_of_ones(b.expr):
            return Piece(f"{a.at(ATOM)}[..., None]", ATOM, expr)
        if is_column(a.expr):
            left = f"{a.at(ATOM)}[..., :, None]"
            right = self.column(b.expr)
            return Piece(f"{left} * {_atomic(right)}[..., None, :]", PRODUCT, expr)
        if isinstance(b.expr, OneMatrix) and is_column(b.expr):
            return Piece(f"np.sum({a.text}, axis=-1)", ATOM, expr)
        if is_column(b.expr):
            if not timed_a and timed_b:
                return self.static_times_vector(a, b, expr)
            if not timed_a:
                return Piece(f"{a.at(ATOM)} @ {b.at(ATOM)}", PRODUCT, expr)
            return Piece(f"matvec({a.text}, {b.text})", ATOM, expr)
        return Piece(f"{a.at(PRODUCT)} @ {b.at(ATOM)}", PRODUCT, expr)

    def beside(self, piece: Piece, expr: MatrixExpr) -> str:
        """A factor of a product with a scalar, with the axes that it needs to broadcast."""
        lacks = is_scalar(piece.expr) and is_timed(piece.expr) and not is_column(expr)
        return f"{piece.at(ATOM)}[..., None]" if lacks else piece.at(UNARY)

    def static_times_vector(self, a: Piece, b: Piece, expr: MatrixExpr) -> Piece:
        """W v is v Wᵀ when vectors lie in rows."""
        if self.is_index(b.expr):
            return Piece(f"columns({a.text}, {self.leaf(b.expr)})", ATOM, expr)
        if self.whole:
            return Piece(f"product({b.text}, {a.text})", ATOM, expr)
        flipped = self.tight(a.expr.arg) if isinstance(a.expr, Transpose) else f"{a.at(ATOM)}.T"
        return Piece(f"{b.at(PRODUCT)} @ {flipped}", PRODUCT, expr)

    def column(self, row: MatrixExpr) -> str:
        """A row (1, q) written as the column that it is the transpose of."""
        if isinstance(row, Transpose) and is_column(row.arg):
            return self.tight(row.arg, UNARY)
        if isinstance(row, OneMatrix):
            return self.full(OneMatrix(row.shape[1], 1))
        shown = self.tight(row) if is_timed(row) else self.factor(row).at(ATOM)
        return f"{shown}[..., 0, :]"

    def hadamard(self, expr: HadamardProduct) -> tuple[str, int]:
        """a * b / c"""
        text = ""
        for i, f in enumerate(operands(expr)):
            inverse = isinstance(f, HadamardPower) and f.args[1] == -1
            if i and inverse:
                text += f" / {self.tight(operands(f)[0])}"
            else:
                text += (" * " if i else "") + self.tight(f, UNARY)
        return text, PRODUCT

    def power(self, expr: HadamardPower) -> tuple[str, int]:
        """a ** k"""
        base, k = operands(expr)[0], int(expr.args[1])
        if k == -1:
            return f"1.0 / {self.tight(base)}", PRODUCT
        return f"{self.tight(base)} ** {k}", UNARY

    def transpose(self, expr: Transpose) -> tuple[str, int]:
        """Aᵀ"""
        inner = self.tight(expr.arg)
        if is_column(expr.arg):
            return f"{inner}[..., None, :]", ATOM
        if is_row(expr.arg):
            return f"{inner}[..., 0, :]", ATOM
        return (f"{inner}.swapaxes(-1, -2)" if is_timed(expr.arg) else f"{inner}.T"), ATOM

    def elementwise(self, expr: Elementwise) -> tuple[str, int]:
        """f(a)"""
        return f"{ELEMENTWISE[expr.function]}({self(operands(expr)[0])})", ATOM

    def softmax(self, expr: Softmax) -> tuple[str, int]:
        """softmax(a)"""
        return f"softmax({self.full(operands(expr)[0])})", ATOM

    def logsumexp(self, expr: LogSumExp) -> tuple[str, int]:
        """logsumexp(a)"""
        return f"logsumexp({self.full(operands(expr)[0])})", ATOM

    def concat(self, expr: Concat) -> tuple[str, int]:
        """[a; b]"""
        axis = -1 if is_column(expr) else -2
        timed = is_timed(expr)
        parts = ", ".join(self.stretched(p) if timed else self.still(p) for p in operands(expr))
        return f"np.concatenate(({parts}), axis={axis})", ATOM

    def stretched(self, part: MatrixExpr) -> str:
        """A part of a stack that depends on time, with the axes of steps and samples."""
        if is_timed(part) and not lacks_axes(part):
            return self(part)
        axes = trailing(part, self.dim) or ["1"]
        return self.spread(part, f"({', '.join([*self.front, *axes])})")

    def still(self, part: MatrixExpr) -> str:
        """A part of a stack that does not depend on time: a number is a column of one."""
        return self.spread(part, "(1,)") if is_scalar(part) else self.full(part)

    def rows(self, expr: Rows) -> tuple[str, int]:
        """a[start:stop]"""
        x = operands(expr)[0]
        span = f"{self.dim(expr.start)}:{self.dim(expr.stop)}"
        front = "" if not is_timed(x) else "..., "
        whole = self.full(x) if lacks_axes(x) else self.tight(x)
        return f"{whole}[{front}{span}{'' if is_column(x) or not front else ', :'}]", ATOM

    def broadcast(self, expr: Broadcast) -> tuple[str, int]:
        """A scalar, with the axes that let it broadcast."""
        scalar = operands(expr)[0]
        if is_timed(scalar) and not is_column(expr):
            return f"{self.tight(scalar)}[..., None]", ATOM
        return self.show(scalar)

    def total(self, expr: Total) -> tuple[str, int]:
        """The sum of the entries."""
        x = operands(expr)[0]
        index = next((f for f in operands(x) if self.is_index(f)), None)
        if isinstance(x, HadamardProduct) and index is not None and is_column(x):
            rest = hadamard(*(f for f in operands(x) if f is not index))
            if not is_timed(rest):
                return f"columns({self.full(rest)}[None], {self.leaf(index)})", ATOM
            return f"picked({self.full(rest)}, {self.leaf(index)})", ATOM
        if is_column(x):
            return (f"total({self.full(x)})" if is_timed(x) else f"np.sum({self.full(x)})"), ATOM
        if not is_timed(x):
            return f"np.sum({self.full(x)})", ATOM
        return f"np.sum({self.full(x)}, axis=(-2, -1))[..., None]", ATOM


class Piece:
    """A piece of text with the expression that it computes."""

    def __init__(self, text: str, binding: int, expr: MatrixExpr) -> None:
        self.text, self.binding, self.expr = text, binding, expr

    def at(self, level: int) -> str:
        """The text, in brackets if it binds less tightly than ``level``."""
        return self.text if self.binding >= level else f"({self.text})"


def _atomic(text: str) -> str:
    return text if text.replace("_", "").replace("[t]", "").isalnum() else f"({text})"


def _is_view(expr: MatrixExpr) -> bool:
    """Whether the text names an array that was given from outside, or that may be another result too."""
    turned = operands(expr)[0] if isinstance(expr, Transpose) else expr
    cut = operands(turned)[0] if isinstance(turned, Rows) else turned
    return isinstance(turned, Adjoint) or isinstance(cut, LossGradient)
