"""Where a gradient comes from: one term per path, written as formulas of the claim language.

The law of each node is applied backwards to the cell's own equations, with no intermediate named:
from u = f(v) follows a term for ∂L/∂v. These formulas are proposals; what is shown of them is proved first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy.matrices.expressions import (
    HadamardProduct,
    MatAdd,
    MatMul,
    OneMatrix,
    Transpose,
)

from derive.cell import Cell, Equation
from derive.expressions import (
    Elementwise,
    leaves,
    operands,
    split_coefficient,
)
from derive.still import still_of
from proofs.claims.syntax import (
    Add,
    Big,
    Call,
    Chain,
    Deriv,
    Index,
    Mul,
    Node,
    Num,
    Pow,
    Qty,
    Transposed,
)
from proofs.claims.written import NOW, ONE, NoFormulaError, scaled, without_steps, written


@dataclass(frozen=True, slots=True)
class Path:
    """One term of a gradient.

    Args:
        through: the quantity through which the path leads; the loss's name if it leads straight there.
        term: the formula.
        once: whether it is no term of a sum over time: it leads through what no step changes.
    """

    through: str
    term: Node
    once: bool = False


def paths(cell: Cell, loss: str, looks_at: str, of: Qty) -> list[Path]:
    """The terms of ∂L/∂of: the loss's own, then one per use in the cell's equations.

    Args:
        cell: the cell.
        loss: the loss's name.
        looks_at: the quantity at which the loss looks.
        of: a quantity at a step; or a parameter, whose terms are those of step t.
    """
    found: list[Path] = []
    still = still_of(cell)
    if of.name == looks_at:
        found.append(Path(loss, Deriv(kind="immediate", of=Qty(name=loss), by=of)))
    for equation in cell.equations:
        for leaf in _uses(equation, of):
            now = NOW if of.index is None else of.index.shifted(leaf.lag)
            name = equation.target.name
            once = of.index is None and name in still
            through = Qty(name=name, index=None if once else now)
            bar = Deriv(kind="total", of=Qty(name=loss), by=through)
            try:
                terms = list(_pulled(equation, leaf, bar, now))
            except NoFormulaError:
                terms = [_by_jacobian(through, of, bar)]
            found += [Path(name, without_steps(term, still), once) for term in terms]
    return found


def _uses(equation: Equation, of: Qty) -> list[Any]:
    return list(
        dict.fromkeys(v for v in leaves(equation.expr) if getattr(v, "name", "") == of.name)
    )


def _by_jacobian(through: Qty, of: Qty, bar: Node) -> Node:
    jacobian = Deriv(kind="immediate", of=through, by=of)
    if of.index is None:
        return Chain(factors=(Transposed(of=bar), jacobian))
    return Chain(factors=(Transposed(of=jacobian), bar))


def _pulled(equation: Equation, leaf: Any, bar: Node, now: Index) -> Iterator[Node]:
    """The adjoint of every appearance of a leaf in an equation."""
    stack: list[tuple[Any, Node, int]] = [(equation.expr, bar, 1)]
    while stack:
        expr, above, sign = stack.pop()
        c, core = split_coefficient(expr)
        negative = bool(c.is_number and c < 0)
        expr, sign = (-c * core, -sign) if negative else (expr, sign)
        if expr == leaf:
            yield above if sign > 0 else Add(terms=((-1, above),))
        elif leaf in set(leaves(expr)):
            parts = list(_below(expr, above, leaf, now, equation))
            stack += ((part, inner, sign) for part, inner in reversed(parts))


def _below(
    expr: Any, bar: Node, leaf: Any, now: Index, equation: Equation
) -> Iterator[tuple[Any, Node]]:
    """The operands that hold the leaf, each with its adjoint."""
    c, core = split_coefficient(expr)
    if c != 1:
        yield core, _times(scaled(c, OneMatrix(1, 1), now), bar)
        return
    for i, part in enumerate(operands(core)):
        if leaf not in set(leaves(part)):
            continue
        match core:
            case MatAdd():
                yield part, bar
            case HadamardProduct():
                others = [written(p, now) for j, p in enumerate(core.args) if j != i]
                yield part, _times(bar, *others)
            case MatMul():
                before = [_transposed(written(p, now)) for p in reversed(core.args[:i])]
                after = [_transposed(written(p, now)) for p in reversed(core.args[i + 1 :])]
                yield part, _chain(*before, bar, *after)
            case Transpose():
                yield part, _transposed(bar)
            case Elementwise():
                value = written(core, now)
                if core == equation.expr:
                    value = Qty(name=equation.target.name, index=now)
                yield part, _times(bar, *slope(core.function, value))
            case _:
                raise NoFormulaError(type(core).__name__)


def slope(function: str, value: Node) -> list[Node]:
    """f′ as factors, from the value of f.

    Raises:
        NoFormulaError: it needs more than the value.
    """
    minus = Add(terms=((1, ONE), (-1, value)))
    match function:
        case "tanh":
            return [Add(terms=((1, ONE), (-1, Pow(base=value, exponent=Num(value=Fraction(2))))))]
        case "sigmoid":
            return [value, minus]
        case "relu":
            return [Call(name="step", args=(value,))]
        case "exp":
            return [value]
        case _:
            pass
    raise NoFormulaError(function)


def _times(*parts: Node) -> Node:
    factors: list[tuple[int, Node]] = []
    for part in parts:
        factors += part.factors if isinstance(part, Mul) else ((1, part),)
    return Mul(factors=tuple(factors))


def _chain(*parts: Node) -> Node:
    factors: list[Node] = []
    for part in parts:
        factors += part.factors if isinstance(part, Chain) else (part,)
    return Chain(factors=tuple(factors))


def _transposed(node: Node) -> Node:
    """Aᵀ; of a product, that of its factors, the last one first."""
    if isinstance(node, Chain):
        return Chain(factors=tuple(_transposed(f) for f in reversed(node.factors)))
    return node.of if isinstance(node, Transposed) else Transposed(of=node)


def gradient(cell: Cell, loss: str, looks_at: str, of: Qty) -> Node | None:
    """The whole of ∂L/∂of as one formula, ``None`` if nothing depends on it."""
    found = paths(cell, loss, looks_at, of)
    at_steps = [path.term for path in found if not path.once]
    once = [path.term for path in found if path.once]
    if of.index is None and at_steps:
        return sum_of([sum_over_time(sum_of(at_steps)), *once])
    return sum_of([*at_steps, *once]) if found else None


def sum_of(terms: Sequence[Node]) -> Node:
    """Terms added, each negative one with its sign; one alone is itself."""
    signed = [signed_term(term) for term in terms]
    return terms[0] if len(terms) == 1 else Add(terms=tuple(signed))


def signed_term(term: Node) -> tuple[int, Node]:
    """A term of a sum, with its sign."""
    match term:
        case Add(terms=((sign, inner),)):
            return sign, inner
        case _:
            return 1, term


def sum_over_time(term: Node) -> Node:
    """The sum of a term over all steps t."""
    first, last = Index((), 1), Index((("T", 1),))
    return Big(kind="sum", var="t", lo=first, hi=last, descending=False, body=term)


def jacobian_paths(cell: Cell, of: Deriv) -> list[Path]:
    """The terms of ∂u[t]/∂v[t−d]: the direct one, then one per quantity of the same step that uses v."""
    if not isinstance(of.of, Qty) or of.of.index is None or of.by.index is None:
        return []
    found: list[Path] = []
    for equation in cell.equations:
        name = equation.target.name
        if not _uses(equation, of.by):
            continue
        inner = Qty(name=name, index=of.of.index)
        last = Deriv(kind="immediate", of=inner, by=of.by)
        first = Deriv(kind="local", of=of.of, by=inner)
        found.append(Path(name, last if name == of.of.name else Chain(factors=(first, last))))
    return found


def activations(cell: Cell, now: Index) -> list[tuple[str, tuple[Node, ...]]]:
    """The derivative of every elementwise function of the cell at a step, as factors, with its quantity's name."""
    found: list[tuple[str, tuple[Node, ...]]] = []
    still = still_of(cell)
    for equation in cell.equations:
        stack = [equation.expr]
        while stack:
            expr = stack.pop()
            stack += operands(expr)
            if not isinstance(expr, Elementwise):
                continue
            whole = expr == equation.expr
            try:
                value = Qty(name=equation.target.name, index=now) if whole else written(expr, now)
                value = without_steps(value, still)
                found.append((equation.target.name, tuple(slope(expr.function, value))))
            except NoFormulaError:
                continue
    return found
