"""Where a gradient comes from: one term per path, written as formulas of the claim language.

The law of each node is applied backwards to the cell's own equations, with no intermediate named:
from u = f(v) follows a term for ∂L/∂v. These formulas are proposals; what is shown of them is proved first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    MatAdd,
    MatMul,
    MatrixSymbol,
    OneMatrix,
    Transpose,
)

from derive.cell import Cell, Equation
from derive.expressions import (
    Broadcast,
    Elementwise,
    Softmax,
    Timed,
    Total,
    leaves,
    operands,
    split_coefficient,
)
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

ONE = Num(value=Fraction(1))
NOW = Index((("t", 1),))


class NoFormulaError(Exception):
    """The claim language has no word for a node."""


@dataclass(frozen=True, slots=True)
class Path:
    """One term of a gradient.

    Args:
        through: the quantity through which the path leads; the loss's name if it leads straight there.
        term: the formula.
    """

    through: str
    term: Node


def written(expr: Any, now: Index) -> Node:
    """An expression of a cell as a formula at a step.

    Raises:
        NoFormulaError: the claim language has no word for a node.
    """
    c, core = split_coefficient(expr)
    if c != 1:
        return _scaled(c, core, now)
    match core:
        case Timed():
            return Qty(name=core.name, index=now.shifted(-core.lag))
        case MatrixSymbol():
            return Qty(name=core.name)
        case OneMatrix():
            return ONE
        case MatAdd():
            split = [split_coefficient(term) for term in core.args]
            signs = [(-1 if k.is_number and k < 0 else 1) for k, _ in split]
            return Add(
                terms=tuple(
                    (s, written(s * term, now)) for s, term in zip(signs, core.args, strict=True)
                )
            )
        case HadamardProduct():
            return Mul(factors=tuple((1, written(part, now)) for part in core.args))
        case MatMul():
            return Chain(factors=tuple(written(part, now) for part in core.args))
        case _:
            pass
    return _written_function(core, now)


def _written_function(core: Any, now: Index) -> Node:
    match core:
        case HadamardPower():
            return Pow(
                base=written(core.args[0], now), exponent=Num(value=Fraction(int(core.args[1])))
            )
        case Transpose():
            return Transposed(of=written(core.arg, now))
        case Elementwise():
            return Call(name=core.function, args=(written(operands(core)[0], now),))
        case Softmax():
            return Call(name="softmax", args=(written(operands(core)[0], now),))
        case Broadcast():
            return written(operands(core)[0], now)
        case Total():
            return Call(name="total", args=(written(operands(core)[0], now),))
        case _:
            pass
    raise NoFormulaError(type(core).__name__)


def _scaled(c: Any, core: Any, now: Index) -> Node:
    if not c.is_Rational:
        raise NoFormulaError(str(c))
    number = Fraction(int(c.p), int(c.q))
    if isinstance(core, OneMatrix):
        return Num(value=number)
    return Mul(factors=((1, Num(value=number)), (1, written(core, now))))


def paths(cell: Cell, loss: str, looks_at: str, of: Qty) -> list[Path]:
    """The terms of ∂L/∂of: the loss's own, then one per use in the cell's equations.

    Args:
        cell: the cell.
        loss: the loss's name.
        looks_at: the quantity at which the loss looks.
        of: a quantity at a step; or a parameter, whose terms are those of step t.
    """
    found: list[Path] = []
    if of.name == looks_at:
        found.append(Path(loss, Deriv(kind="immediate", of=Qty(name=loss), by=of)))
    for equation in cell.equations:
        for leaf in _uses(equation, of):
            now = NOW if of.index is None else of.index.shifted(leaf.lag)
            bar = Deriv(
                kind="total", of=Qty(name=loss), by=Qty(name=equation.target.name, index=now)
            )
            try:
                found += [
                    Path(equation.target.name, term) for term in _pulled(equation, leaf, bar, now)
                ]
            except NoFormulaError:
                found.append(Path(equation.target.name, _by_jacobian(equation, of, now, bar)))
    return found


def _uses(equation: Equation, of: Qty) -> list[Any]:
    return list(
        dict.fromkeys(v for v in leaves(equation.expr) if getattr(v, "name", "") == of.name)
    )


def _by_jacobian(equation: Equation, of: Qty, now: Index, bar: Node) -> Node:
    jacobian = Deriv(kind="immediate", of=Qty(name=equation.target.name, index=now), by=of)
    if of.index is None:
        return Chain(factors=(Transposed(of=bar), jacobian))
    return Chain(factors=(Transposed(of=jacobian), bar))


def _pulled(equation: Equation, leaf: Any, bar: Node, now: Index) -> Iterator[Node]:
    """The adjoint of every appearance of a leaf in an equation."""
    stack: list[tuple[Any, Node]] = [(equation.expr, bar)]
    while stack:
        expr, above = stack.pop()
        if expr == leaf:
            yield above
        elif leaf in set(leaves(expr)):
            stack += reversed(list(_below(expr, above, leaf, now, equation)))


def _below(
    expr: Any, bar: Node, leaf: Any, now: Index, equation: Equation
) -> Iterator[tuple[Any, Node]]:
    """The operands that hold the leaf, each with its adjoint."""
    c, core = split_coefficient(expr)
    if c != 1:
        yield core, _times(_scaled(c, OneMatrix(1, 1), now), bar)
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
    return node.of if isinstance(node, Transposed) else Transposed(of=node)


def gradient(cell: Cell, loss: str, looks_at: str, of: Qty) -> Node | None:
    """The whole of ∂L/∂of as one formula, ``None`` if nothing depends on it."""
    terms = [path.term for path in paths(cell, loss, looks_at, of)]
    if not terms:
        return None
    whole = terms[0] if len(terms) == 1 else Add(terms=tuple((1, term) for term in terms))
    if of.index is None:
        return Big(
            kind="sum",
            var="t",
            lo=Index((), 1),
            hi=Index((("T", 1),)),
            descending=False,
            body=whole,
        )
    return whole


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
                found.append((equation.target.name, tuple(slope(expr.function, value))))
            except NoFormulaError:
                continue
    return found
