"""A step as single array operations: what a loop over time does, one ufunc or product at a time.

    f ∘ c + i ∘ g        becomes        p = f ∘ c;  q = i ∘ g;  p + q

Law: carried out in order, the operations of a statement give its target the value of its expression. What is
no sum, product, quotient, power or function of entries stays whole, as one operation ``formula``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sympy import Expr, Integer, S
from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    OneMatrix,
)

from derive.expressions import (
    Adjoint,
    Broadcast,
    Elementwise,
    LossGradient,
    Timed,
    is_column,
    leaves,
    operands,
    split_coefficient,
    terms,
)
from numeric.stacks import Stack

UFUNCS = frozenset({"tanh", "exp", "log", "sin", "cos", "sqrt"})
"""Functions that are one ufunc each."""
CALLS = {
    "relu": "relu", "softplus": "softplus", "abs": "absolute", "step": "positive", "sign": "sign",
}  # fmt: skip
"""Functions that generated files bring along, by their name in the language."""
COMMUTATIVE = frozenset({"add", "multiply"})


@dataclass(frozen=True, slots=True)
class Gates:
    """The members ``first`` ≤ k < ``stop`` of a stack at this step: its pre-activations, or what replaced them."""

    stack: Stack
    first: int
    stop: int


@dataclass(frozen=True, slots=True)
class Made:
    """A stack's product with a vector at this step, for all members; ``None`` for what was made before the loop."""

    stack: Stack
    vector: Timed | None


@dataclass(frozen=True, slots=True)
class Bias:
    """The stacked bias of a stack that has no product before the loop."""

    stack: Stack


@dataclass(frozen=True, slots=True)
class InRows:
    """What there is of all members of a stack at this step, those of a sample in one row.

    So products give and take them; where the gates lie each by itself, one copy changes one into the other.

    Args:
        stack: whose members.
        part: of the sum that they are; left out: all of it.
    """

    stack: Stack
    part: Made | Bias | None = None


Value = MatrixExpr | Gates | Made | Bias | InRows | Expr


@dataclass(frozen=True, slots=True)
class Op:
    """``target = function(args)``.

    Args:
        function: a ufunc, a function of ``CALLS``, ``copy``, ``dot``, ``formula``, or a change between a stack's
            members by themselves and in rows, ``by_gate`` and ``in_rows``.
        target: what is assigned.
        args: leaves, parts of stacks and numbers; the expression itself for a formula.
        numbers: those of the derivation's lines that it completes.
    """

    function: str
    target: Value
    args: tuple[Value, ...]
    numbers: tuple[int, ...] = ()


class Lowering:
    """Turns expressions into operations.

    Args:
        place: where the value of a leaf lies, if it is not the leaf itself.
        prefix: of the names of intermediate results.
    """

    def __init__(
        self, place: Callable[[MatrixExpr], Value] = lambda leaf: leaf, prefix: str = "·"
    ) -> None:
        self.place, self.prefix = place, prefix
        self.ops: list[Op] = []
        self.known: dict[tuple[str, tuple[Value, ...]], Value] = {}
        self.count = 0

    def assign(self, target: Value, expr: MatrixExpr, number: int = 0) -> None:
        """``target = expr``."""
        value = self.any(expr, target)
        if value != target:
            self.emit("copy", (value,), target)
        if number:
            self.ops[-1] = replace(self.ops[-1], numbers=(number,))

    def emit(
        self, function: str, args: tuple[Value, ...], target: Value | None, number: int = 0
    ) -> Value:
        """One operation; a value that is there already is not computed again.

        What lies spread over a whole target is not known as the number that it is.
        """
        key = (function, args)
        if target is None and key in self.known:
            return self.known[key]
        if target is None:
            self.count += 1
            shape = next((shape_of(a) for a in args if shape_of(a)[0] != 1), (S.One, S.One))
            target = Timed(f"{self.prefix}{self.count}", 0, *shape)
        self.ops.append(Op(function, target, args, (number,) if number else ()))
        self.known = {k: v for k, v in self.known.items() if v != target and target not in k[1]}
        spread = shape_of(target)[0] != 1 and all(shape_of(a)[0] == 1 for a in args)
        if target not in args and not spread:
            self.known[key] = target
        return target

    def any(self, expr: MatrixExpr, target: Value | None = None) -> Value:
        """Where the value of an expression lies once the operations are done."""
        if is_elementwise(expr):
            return self.value(expr, target)
        if target is None:
            self.count += 1
            target = Timed(f"{self.prefix}{self.count}", 0, *expr.shape)
        return self.emit("formula", (expr, *map(self.place, leaves(expr))), target)

    def value(self, expr: MatrixExpr, target: Value | None = None) -> Value:
        """Where the value of an elementwise expression lies once the operations are done."""
        c, core = split_coefficient(expr)
        if isinstance(core, OneMatrix):
            return c
        if c != 1:
            return self.emit("multiply", (self.value(core), c), target)
        if isinstance(core, Broadcast):
            return self.value(operands(core)[0], target)
        make = _LOWER.get(type(core))
        return make(self, core, target) if make else self.place(core)

    def sum(self, expr: MatAdd, target: Value | None) -> Value:
        """a + b − c, the terms with a plus sign first."""
        parts = sorted(
            (split_coefficient(term) for term in terms(expr)),
            key=lambda part: (part[0].could_extract_minus_sign(), isinstance(part[1], OneMatrix)),
        )
        (c, core), *rest = parts
        total = self.value(_scaled(c, core))
        for k, (c, core) in enumerate(rest):
            minus = c.could_extract_minus_sign()
            item = self.value(_scaled(-c if minus else c, core))
            last = target if k == len(rest) - 1 else None
            total = self.emit("subtract" if minus else "add", (total, item), last)
        return total

    def hadamard(self, expr: HadamardProduct, target: Value | None) -> Value:
        """a b / c"""
        value, parts = None, operands(expr)
        for k, f in enumerate(parts):
            last = target if k == len(parts) - 1 else None
            inverse = isinstance(f, HadamardPower) and f.args[1] == -1
            if value is None:
                value = self.value(f)
            elif inverse:
                value = self.emit("divide", (value, self.value(operands(f)[0])), last)
            else:
                value = self.emit("multiply", (value, self.value(f)), last)
        return value

    def power(self, expr: HadamardPower, target: Value | None) -> Value:
        """aᵏ, by squaring for k = 2."""
        base, k = self.value(operands(expr)[0]), int(expr.args[1])
        if k == -1:
            return self.emit("divide", (S.One, base), target)
        if k == 2:
            return self.emit("multiply", (base, base), target)
        return self.emit("power", (base, Integer(k)), target)

    def function(self, expr: Elementwise, target: Value | None) -> Value:
        """f(a); the logistic function by the hyperbolic tangent."""
        inner = self.value(operands(expr)[0])
        if expr.function in UFUNCS:
            return self.emit(expr.function, (inner,), target)
        if expr.function in CALLS:
            return self.emit(CALLS[expr.function], (inner,), target)
        bent = self.emit("tanh", (self.emit("multiply", (inner, S.Half), None),), None)
        return self.emit("add", (self.emit("multiply", (bent, S.Half), None), S.Half), target)


_LOWER = {
    MatAdd: Lowering.sum,
    HadamardProduct: Lowering.hadamard,
    HadamardPower: Lowering.power,
    Elementwise: Lowering.function,
}


def _scaled(c: Expr, core: MatrixExpr) -> MatrixExpr:
    return core if c == 1 else MatMul(c, *(core.args if isinstance(core, MatMul) else (core,)))


def shape_of(value: Value) -> tuple[Expr, Expr]:
    """(rows, columns) of an operand; (1, 1) for a number."""
    if isinstance(value, Gates):
        rows = sum(
            (m.target.shape[0] for m in value.stack.members[value.first : value.stop]), S.Zero
        )
        return rows, S.One
    return value.shape if isinstance(value, MatrixExpr) else (S.One, S.One)


def is_elementwise(expr: MatrixExpr) -> bool:
    """Whether every entry of the value depends on the same entry of columns, and on scalars, only."""
    c, core = split_coefficient(expr)
    if not is_column(core) or not isinstance(c, Expr):
        return False
    if isinstance(core, OneMatrix | Timed | Adjoint | LossGradient | MatrixSymbol):
        return True
    if isinstance(core, Broadcast):
        return is_elementwise(operands(core)[0])
    if isinstance(core, MatAdd | HadamardProduct | HadamardPower | Elementwise):
        return all(is_elementwise(part) for part in operands(core))
    return False
