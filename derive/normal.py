"""Normal form: one named intermediate per line, as an author prepares equations before differentiating.

An equation such as ``f = sigmoid(W @ h[t-1] + b)`` becomes two assignments, the pre-activation
``a_f = W @ h[t-1] + b`` and ``f = sigmoid(a_f)``. After this, every function stands alone on its line and is
applied to a name, every operand of a matrix product is a name, and whatever an adjoint rule mentions is
either a name or as short as ``1 − z``. Equal expressions get one name.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    Transpose,
)

from derive.cell import Cell
from derive.expressions import (
    LEAVES,
    Broadcast,
    Concat,
    Elementwise,
    LogSumExp,
    Softmax,
    Timed,
    is_timed,
    leaves,
    operands,
    split_coefficient,
    walk,
    with_operands,
)

FUNCTIONS_OF_NAMES = Elementwise | Softmax | LogSumExp


@dataclass(frozen=True, slots=True)
class Assignment:
    """``target = expr`` within a step.

    Args:
        target: the named quantity at lag 0.
        expr: its value in normal form.
        line: line of the cell's equation that it belongs to.
        owner: name of the cell's quantity whose equation it belongs to.
        kind: ``equation`` if the author named it; ``preactivation``, ``value`` or ``operand`` if we did, and
            ``number`` if we named what is made of numbers and constants alone.
    """

    target: Timed
    expr: MatrixExpr
    line: int
    owner: str
    kind: str = "equation"

    @property
    def name(self) -> str:
        """The target's name."""
        return self.target.name


def normal_form(cell: Cell) -> tuple[Assignment, ...]:
    """The cell's step as assignments in order of evaluation.

    Law: evaluating the assignments in order gives every quantity of the cell the value that its equation
    gives it.
    """
    builder = _Builder(
        {q.name for q in cell.quantities}, frozenset(q.symbol for q in cell.constants)
    )
    for equation in cell.equations:
        builder.equation(equation.target, equation.expr, equation.line)
    return tuple(builder.done)


class _Builder:
    def __init__(self, taken: set[str], constants: frozenset[MatrixExpr]) -> None:
        self.taken, self.numbers = taken, set(constants)
        self.known: dict[MatrixExpr, Timed] = {}
        self.arguments: set[Timed] = set()
        self.done: list[Assignment] = []
        self.owner, self.line = "", 0

    def equation(self, target: Timed, expr: MatrixExpr, line: int) -> None:
        self.owner, self.line = target.name, line
        self.done.append(Assignment(target, self.top(expr), line, target.name))

    def top(self, expr: MatrixExpr) -> MatrixExpr:
        """The right-hand side: its outermost node needs no name."""
        if isinstance(expr, FUNCTIONS_OF_NAMES):
            return with_operands(expr, [self.argument(operands(expr)[0])])
        return self.inner(expr)

    def inner(self, expr: MatrixExpr) -> MatrixExpr:
        """An expression in which functions and operands of products have names."""
        if isinstance(expr, LEAVES):
            return expr
        if isinstance(expr, FUNCTIONS_OF_NAMES):
            return self.value(self.top(expr))
        if isinstance(expr, MatMul) and len(operands(expr)) > 1:
            return with_operands(expr, [self.operand(child) for child in operands(expr)])
        children = [self.inner(child) for child in operands(expr)]
        if isinstance(expr, HadamardProduct | HadamardPower):
            children = [self.short(child) for child in children]
        return with_operands(expr, children)

    def argument(self, expr: MatrixExpr) -> MatrixExpr:
        """The argument of a function: a name."""
        expr = self.inner(expr)
        if _is_name(expr):
            return expr
        letter = "k" if self.is_number(expr) else "a"
        named = self.name(expr, f"{letter}_{self.owner}", "preactivation")
        self.arguments.add(named)
        return named

    def is_number(self, expr: MatrixExpr) -> bool:
        """Whether the expression is made of numbers and constants alone."""
        return all(v in self.numbers for v in leaves(expr) if _is_name(v))

    def value(self, expr: MatrixExpr) -> Timed:
        """A function's value in the midst of an equation."""
        argument = operands(expr)[0]
        ours = argument in self.arguments or not _is_name(argument)
        label = self.owner if ours else argument.name
        function = expr.function if isinstance(expr, Elementwise) else type(expr).__name__.lower()
        return self.name(expr, f"{function}_{label}", "value")

    def operand(self, expr: MatrixExpr) -> MatrixExpr:
        """A factor of a matrix product: a name or its transpose, or numbers times one."""
        if isinstance(expr, Transpose):
            return with_operands(expr, [self.operand(expr.arg)])
        expr = self.inner(expr)
        if isinstance(expr, LEAVES) or not is_timed(expr):
            return expr
        joined = "_".join(dict.fromkeys(v.name for v in leaves(expr) if hasattr(v, "name")))
        label = joined if isinstance(expr, Concat) else f"u_{self.owner}"
        return self.name(expr, label, "operand")

    def short(self, expr: MatrixExpr) -> MatrixExpr:
        """A factor of an elementwise product: a name, or as short as 1 − z."""
        nodes = list(walk(expr))
        products = any(isinstance(v, MatMul) and len(operands(v)) > 1 for v in nodes)
        few = sum(isinstance(v, LEAVES) for v in nodes) <= 2
        if isinstance(expr, Broadcast):
            return with_operands(expr, [self.short(operands(expr)[0])])
        if not is_timed(expr) or (few and not products):
            return expr
        _, core = split_coefficient(expr)
        if isinstance(core, HadamardProduct | HadamardPower) and not products:
            return expr
        return self.name(expr, f"u_{self.owner}", "operand")

    def name(self, expr: MatrixExpr, label: str, kind: str) -> Timed:
        """The name of this expression, a new one if it has none."""
        if expr not in self.known:
            fresh, count = label, 2
            while fresh in self.taken:
                fresh, count = f"{label}_{count}", count + 1
            self.taken.add(fresh)
            target = self.known[expr] = Timed(fresh, 0, *expr.shape)
            if self.is_number(expr):
                self.numbers.add(target)
                kind = "number"
            self.done.append(Assignment(target, expr, self.line, self.owner, kind))
        return self.known[expr]


def _is_name(expr: MatrixExpr) -> bool:
    return isinstance(expr, Timed | MatrixSymbol)
