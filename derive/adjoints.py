"""The adjoint rules, one per node: how the adjoint of a value becomes the adjoints of its operands.

Contract: for a node y = f(a, b, …) a rule takes the node, its value y and its adjoint ȳ, and returns one
contribution per operand, so that for all directions ȧ, ḃ, …

        ⟨ȳ, f′(ȧ, ḃ, …)⟩ = ⟨ā, ȧ⟩ + ⟨b̄, ḃ⟩ + …        with ⟨A, B⟩ = Σᵢⱼ Aᵢⱼ Bᵢⱼ.

Source: Giles, "An extended collection of matrix derivative results", 2008, section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sympy import S
from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    MatAdd,
    MatMul,
    MatrixExpr,
    Transpose,
)

from derive.expressions import (
    LEAVES,
    Broadcast,
    Concat,
    Elementwise,
    LogSumExp,
    Softmax,
    Total,
    add,
    broadcast,
    hadamard,
    matmul,
    negate,
    operands,
    power,
    rows,
    scale,
    split_coefficient,
    total,
    transpose,
    transpose_of_product,
)
from derive.functions import FUNCTIONS
from derive.nodes import PRIMAL_NODES


@dataclass(frozen=True, slots=True)
class Rule:
    """One adjoint rule.

    Args:
        name: its name in a derivation.
        law: the law as a line of LaTeX.
        pull: (node, y, ȳ) → contributions, one per operand.
    """

    name: str
    law: str
    pull: Callable[[MatrixExpr, MatrixExpr, MatrixExpr], tuple[MatrixExpr, ...]]


def _product(node, y, y_bar):
    c, (*parts,) = split_coefficient(node)[0], operands(node)
    pulled = []
    for i in range(len(parts)):
        left = [transpose(a) for a in reversed(parts[:i])]
        right = [transpose(b) for b in reversed(parts[i + 1 :])]
        pulled.append(scale(c, matmul(*left, y_bar, *right)))
    return tuple(pulled)


def _hadamard(node, y, y_bar):
    parts = operands(node)
    return tuple(hadamard(y_bar, *parts[:i], *parts[i + 1 :]) for i in range(len(parts)))


def _power(node, y, y_bar):
    (a,), k = operands(node), int(node.args[1])
    return (hadamard(y_bar, scale(S(k), power(a, k - 1))),)


def _elementwise(node, y, y_bar):
    (a,) = operands(node)
    return (hadamard(y_bar, FUNCTIONS[node.function].derivative(a, y)),)


def _softmax(node, y, y_bar):
    return (hadamard(y, add(y_bar, negate(broadcast(matmul(transpose(y), y_bar), *y.shape)))),)


def _concat(node, y, y_bar):
    pulled, start = [], S.Zero
    for a in operands(node):
        pulled.append(rows(y_bar, start, start + a.shape[0]))
        start = start + a.shape[0]
    return tuple(pulled)


RULES: dict[type, Rule] = {
    MatAdd: Rule(
        "sum", r"\bar a = \bar y,\ \bar b = \bar y", lambda n, y, y_bar: (y_bar,) * len(operands(n))
    ),
    MatMul: Rule(
        "matrix product", r"\bar A = \bar Y B^{\top},\ \bar B = A^{\top} \bar Y", _product
    ),
    HadamardProduct: Rule(
        "elementwise product", r"\bar a = \bar y \circ b,\ \bar b = \bar y \circ a", _hadamard
    ),
    HadamardPower: Rule("power", r"\bar a = \bar y \circ k a^{k-1}", _power),
    Transpose: Rule(
        "transpose", r"\bar A = \bar Y^{\top}", lambda n, y, y_bar: (transpose_of_product(y_bar),)
    ),
    Elementwise: Rule("function", r"\bar a = \bar y \circ f'(a)", _elementwise),
    Softmax: Rule("softmax", r"\bar a = y \circ (\bar y - \mathbf{1}\, y^{\top} \bar y)", _softmax),
    LogSumExp: Rule(
        "log-sum-exp",
        r"\bar a = \bar s \operatorname{softmax}(a)",
        lambda n, y, y_bar: (
            hadamard(broadcast(y_bar, *operands(n)[0].shape), Softmax(*operands(n))),
        ),
    ),
    Concat: Rule("stacking", r"[\bar a; \bar b] = \bar y", _concat),
    Broadcast: Rule(
        "broadcast",
        r"\bar s = \textstyle\sum_{ij} \bar Y_{ij}",
        lambda n, y, y_bar: (total(y_bar),),
    ),
    Total: Rule(
        "total",
        r"\bar X_{ij} = \bar s",
        lambda n, y, y_bar: (broadcast(y_bar, *operands(n)[0].shape),),
    ),
}

if RULES.keys() != PRIMAL_NODES:
    raise RuntimeError(f"adjoint rules missing or superfluous: {PRIMAL_NODES ^ RULES.keys()}")


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one occurrence of a leaf receives.

    Args:
        leaf: the leaf, at its lag.
        value: the contribution to its adjoint.
        rules: the rules that made it, outermost first.
    """

    leaf: MatrixExpr
    value: MatrixExpr
    rules: tuple[str, ...]


def pull_back(expr: MatrixExpr, y: MatrixExpr, y_bar: MatrixExpr) -> Iterator[Contribution]:
    """All contributions of ``y = expr`` to the adjoints of its leaves, given ȳ.

    In normal form only the outermost node can need its value y; inner nodes are their own values.
    """
    stack = [(expr, y, y_bar, ())]
    while stack:
        node, value, value_bar, rules = stack.pop()
        if isinstance(node, LEAVES):
            yield Contribution(node, value_bar, rules)
            continue
        rule = RULES[type(node)]
        pulled = rule.pull(node, value, value_bar)
        children = operands(node)
        if len(pulled) != len(children) or any(
            p.shape != a.shape for p, a in zip(pulled, children, strict=True)
        ):
            raise RuntimeError(f"the adjoint rule of {rule.name} breaks its contract on {node}")
        named = (*rules, _rule_name(node, rule))
        stack.extend(
            (a, a, p, named) for a, p in reversed(list(zip(children, pulled, strict=True)))
        )


def _rule_name(node: MatrixExpr, rule: Rule) -> str:
    return FUNCTIONS[node.function].law_text if isinstance(node, Elementwise) else rule.name
