"""Mutants of the adjoint rules: a wrong law, from which a whole derivation is made.

A wrong rule is put in force for one derivation and taken back at once; it never outlives ``with_rule``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from sympy import S
from sympy.matrices.expressions import HadamardPower, HadamardProduct, MatAdd, MatMul, Transpose

from derive import adjoints
from derive.adjoints import RULES, Rule
from derive.backward import backward
from derive.derivation import Derivation
from derive.expressions import (
    Broadcast,
    Concat,
    Elementwise,
    Softmax,
    Total,
    add,
    hadamard,
    matmul,
    negate,
    ones_like,
    operands,
    power,
    rows,
    scale,
    split_coefficient,
    transpose,
    walk,
    zeros_like,
)
from derive.functions import FUNCTIONS
from proofs.mutants import Mutant

Pull = Callable[[Any, Any, Any], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class WrongRule:
    """A wrong law for one node type.

    Args:
        node: the node type.
        kind: the sort of mistake.
        law: what it says, in words.
        pull: the law.
        function: for an elementwise function its name, empty for all nodes of the type.
    """

    node: type
    kind: str
    law: str
    pull: Pull
    function: str = ""


@contextmanager
def with_rule(wrong: WrongRule) -> Generator[None]:
    """The wrong rule in force; the right one is back when the block ends, whatever happens in it."""
    right = RULES[wrong.node]

    def pull(node: Any, y: Any, y_bar: Any) -> tuple[Any, ...]:
        meant = not wrong.function or node.function == wrong.function
        return (wrong.pull if meant else right.pull)(node, y, y_bar)

    adjoints.RULES[wrong.node] = replace(right, pull=pull)
    try:
        yield
    finally:
        adjoints.RULES[wrong.node] = right


def rule_mutants(derivation: Derivation) -> Iterator[Mutant]:
    """One mutant for each wrong rule that this cell's derivation would use."""
    nodes = [node for a in derivation.assignments for node in walk(a.expr)]
    types = {type(node) for node in nodes}
    functions = {node.function for node in nodes if isinstance(node, Elementwise)}
    for wrong in WRONG_RULES:
        if wrong.node in types and (not wrong.function or wrong.function in functions):
            yield _mutant(derivation, wrong)


def _mutant(derivation: Derivation, wrong: WrongRule) -> Mutant:
    name = f"{RULES[wrong.node].name}" + (f" {wrong.function}" if wrong.function else "")
    try:
        with with_rule(wrong):
            equations = backward(derivation.cell, derivation.assignments)
    except (RuntimeError, ValueError, TypeError) as error:
        return Mutant(
            "rule",
            wrong.kind,
            f"the rule of {name}",
            wrong.law,
            refused=str(error) or type(error).__name__,
        )
    changed = Derivation(derivation.cell, derivation.assignments, equations, derivation.jacobian)
    return Mutant("rule", wrong.kind, f"the rule of {name}", wrong.law, changed)


def _each(change: Callable[[Any], Any], which: int | None = None) -> Callable[[Rule], Pull]:
    """The right rule, with one contribution (or each) changed."""

    def make(right: Rule) -> Pull:
        def pull(node: Any, y: Any, y_bar: Any) -> tuple[Any, ...]:
            pulled = right.pull(node, y, y_bar)
            at = None if which is None else which % len(pulled)
            return tuple(change(p) if at in (None, i) else p for i, p in enumerate(pulled))

        return pull

    return make


def _with_factors(turn: Callable[[int, int, Any], Any], reverse: bool = True) -> Pull:
    """The product's rule with its factors turned otherwise: ``turn(i, j, factor j)`` in the contribution to i."""

    def pull(node: Any, y: Any, y_bar: Any) -> tuple[Any, ...]:
        c, parts = split_coefficient(node)[0], operands(node)
        pulled: list[Any] = []
        for i in range(len(parts)):
            left = [turn(i, j, parts[j]) for j in range(i)]
            right = [turn(i, j, parts[j]) for j in range(i + 1, len(parts))]
            if reverse:
                left, right = left[::-1], right[::-1]
            pulled.append(scale(c, _fitting([*left, y_bar, *right])))
        return tuple(pulled)

    return pull


def _fitting(parts: list[Any]) -> Any:
    if any(a.shape[1] != b.shape[0] for a, b in pairwise(parts)):
        raise ValueError("the shapes of a product do not fit")
    return matmul(*parts)


def _swapped_sides(node: Any, y: Any, y_bar: Any) -> tuple[Any, ...]:
    """Ā = Bᵀ Ȳ and B̄ = Ȳ Aᵀ: the order confused."""
    a, b = operands(node)[0], matmul(*operands(node)[1:])
    return (_fitting([transpose(b), y_bar]), _fitting([y_bar, transpose(a)]))


def _without_coefficient(node: Any, y: Any, y_bar: Any) -> tuple[Any, ...]:
    c = split_coefficient(node)[0]
    return tuple(scale(1 / c, p) for p in RULES_AT_IMPORT[MatMul].pull(node, y, y_bar))


def _own_factor(node: Any, y: Any, y_bar: Any) -> tuple[Any, ...]:
    return tuple(hadamard(y_bar, a) for a in operands(node))


def _of_power(change: Callable[[Any, int, Any], Any]) -> Pull:
    return lambda node, y, y_bar: (change(operands(node)[0], int(node.args[1]), y_bar),)


def _not_reduced(a: Any, k: int, y_bar: Any) -> Any:
    return hadamard(y_bar, scale(S(k), power(a, k)))


def _law(change: Callable[[Any, Any], Any]) -> Pull:
    """ȳ times a wrong derivative, given argument and value."""
    return lambda node, y, y_bar: (hadamard(y_bar, change(operands(node)[0], y)),)


def _one_minus(a: Any) -> Any:
    return add(ones_like(a), negate(a))


def _parts_of(start_from: Callable[[Any, Any], Any]) -> Pull:
    def pull(node: Any, y: Any, y_bar: Any) -> tuple[Any, ...]:
        starts: list[Any] = []
        at = S.Zero
        for a in operands(node):
            starts.append(at)
            at = at + a.shape[0]
        return tuple(
            rows(y_bar, start_from(s, a.shape[0]), start_from(s, a.shape[0]) + a.shape[0])
            for s, a in zip(reversed(starts), operands(node), strict=True)
        )

    return pull


RULES_AT_IMPORT = dict(RULES)
_GENERAL = (
    ("sign", "every contribution negated", _each(negate)),
    ("dropped term", "the first contribution lost", _each(zeros_like, 0)),
    ("factor", "every contribution doubled", _each(lambda p: scale(S(2), p))),
)
_OF_SEVERAL = (
    ("sign", "the last contribution negated", _each(negate, -1)),
    ("dropped term", "the last contribution lost", _each(zeros_like, -1)),
)
_SEVERAL = (MatAdd, MatMul, HadamardProduct, Concat)
_PARTICULAR = (
    WrongRule(MatMul, "transpose", "Ā = Ȳ B, B̄ = A Ȳ", _with_factors(lambda i, j, f: f)),
    WrongRule(MatMul, "transpose", "B̄ = A Ȳ", _with_factors(lambda i, j, f: f if j < i else transpose(f))),
    WrongRule(MatMul, "transpose", "Ā = Ȳ B", _with_factors(lambda i, j, f: f if j > i else transpose(f))),
    WrongRule(MatMul, "order", "Ā = Bᵀ Ȳ, B̄ = Ȳ Aᵀ", _swapped_sides),
    WrongRule(MatMul, "order", "factors not reversed", _with_factors(lambda i, j, f: transpose(f), reverse=False)),
    WrongRule(MatMul, "factor", "the number in front lost", _without_coefficient),
    WrongRule(HadamardProduct, "dropped factor", "ā = ȳ", lambda n, y, y_bar: (y_bar,) * len(operands(n))),
    WrongRule(HadamardProduct, "wrong gate", "ā = ȳ ∘ a, b̄ = ȳ ∘ b", _own_factor),
    WrongRule(HadamardPower, "wrong power", "ā = ȳ ∘ k aᵏ", _of_power(_not_reduced)),
    WrongRule(HadamardPower, "factor", "ā = ȳ ∘ aᵏ⁻¹", _of_power(lambda a, k, b: hadamard(b, power(a, k - 1)))),
    WrongRule(Transpose, "transpose", "Ā = Ȳ", lambda n, y, y_bar: (y_bar,)),
    WrongRule(Softmax, "dropped term", "ā = y ∘ ȳ", lambda n, y, y_bar: (hadamard(y, y_bar),)),
    WrongRule(Softmax, "dropped factor", "ā = ȳ", lambda n, y, y_bar: (y_bar,)),
    WrongRule(Concat, "swapped operands", "parts taken from the other end", _parts_of(lambda s, size: s)),
    WrongRule(Broadcast, "lost sum", "s̄ = Ȳ", lambda n, y, y_bar: (y_bar,)),
    WrongRule(Total, "factor", "X̄ = s̄ ones / size", lambda n, y, y_bar: (
        scale(1 / (operands(n)[0].shape[0] * operands(n)[0].shape[1]), RULES_AT_IMPORT[Total].pull(n, y, y_bar)[0]),
    )),
)  # fmt: skip
_FUNCTION_LAWS: tuple[tuple[str, str, str, Callable[[Any, Any], Any]], ...] = (
    ("tanh", "wrong power", "1 − tanh", lambda a, y: _one_minus(y)),
    ("tanh", "sign", "1 + tanh²", lambda a, y: add(ones_like(y), power(y, 2))),
    ("tanh", "sign", "tanh² − 1", lambda a, y: negate(_one_minus(power(y, 2)))),
    (
        "tanh",
        "wrong gate",
        "σ (1 − σ) in place of 1 − tanh²",
        lambda a, y: hadamard(y, _one_minus(y)),
    ),
    ("sigmoid", "dropped factor", "1 − σ", lambda a, y: _one_minus(y)),
    ("sigmoid", "dropped factor", "σ", lambda a, y: y),
    ("sigmoid", "sign", "σ (1 + σ)", lambda a, y: hadamard(y, add(ones_like(y), y))),
    ("sigmoid", "wrong gate", "1 − σ² in place of σ (1 − σ)", lambda a, y: _one_minus(power(y, 2))),
    ("softplus", "wrong gate", "softplus in place of σ", lambda a, y: y),
    ("relu", "dropped factor", "relu in place of its step", lambda a, y: y),
    ("exp", "wrong point", "the argument in place of the value", lambda a, y: a),
)


def _elementwise_rules() -> Iterator[WrongRule]:
    """Wrong laws for each function, and each function's law at the wrong point."""
    for function in FUNCTIONS.values():
        if function.internal:
            continue
        yield WrongRule(
            Elementwise, "dropped factor", "f′ = 1", _law(lambda a, y: ones_like(y)), function.name
        )
        at_argument = _law(lambda a, y, f=function: f.derivative(y, a))
        if function.name not in ("relu", "abs"):
            yield WrongRule(
                Elementwise,
                "wrong point",
                "argument and value confused in f′",
                at_argument,
                function.name,
            )
    for name, kind, text, law in _FUNCTION_LAWS:
        yield WrongRule(Elementwise, kind, f"f′ = {text}", _law(law), name)


WRONG_RULES: tuple[WrongRule, ...] = (
    *(
        WrongRule(node, kind, text, make(RULES[node]))
        for node in RULES
        for kind, text, make in _GENERAL
    ),
    *(
        WrongRule(node, kind, text, make(RULES[node]))
        for node in _SEVERAL
        for kind, text, make in _OF_SEVERAL
    ),
    *_PARTICULAR,
    *_elementwise_rules(),
)
