"""Derivations broken on purpose: one wrong line at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from sympy.matrices.expressions import MatrixSymbol, Transpose

from derive.backward import AdjointEquation
from derive.derivation import Derivation
from derive.expressions import (
    LEAVES,
    Adjoint,
    LossGradient,
    Timed,
    add,
    factors,
    hadamard,
    negate,
    operands,
    scale,
    split_coefficient,
    terms,
    with_operands,
)
from derive.expressions import replace as replace_leaves

Change = Callable[[Any], Any]


def sign_flipped(expr: Any) -> Any:
    """The last term with the other sign."""
    first, last = terms(expr)[:-1], terms(expr)[-1]
    return add(*first, negate(last))


def term_dropped(expr: Any) -> Any:
    """Without its last term; zero if it has no other."""
    return add(*terms(expr)[:-1]) if len(terms(expr)) > 1 else scale(0, expr)


def doubled(expr: Any) -> Any:
    """Twice its last term."""
    return add(*terms(expr)[:-1], scale(2, terms(expr)[-1]))


def transposes_dropped(expr: Any) -> Any:
    """Every transposed square parameter without its transpose."""
    if isinstance(expr, LEAVES):
        return expr
    if (
        isinstance(expr, Transpose)
        and isinstance(expr.arg, MatrixSymbol)
        and expr.shape[0] == expr.shape[1]
    ):
        return expr.arg
    return with_operands(expr, [transposes_dropped(a) for a in operands(expr)])


def factor_dropped(expr: Any) -> Any:
    """The last elementwise factor of the last term gone."""
    c, core = split_coefficient(terms(expr)[-1])
    if len(factors(core)) < 2:
        return expr
    return add(*terms(expr)[:-1], scale(c, hadamard(*factors(core)[:-1])))


def past_shifted(expr: Any) -> Any:
    """Values of the step before read at this step: h[t-1] as h[t]."""

    def shift(leaf: Any) -> Any:
        return leaf.at(leaf.lag - 1) if isinstance(leaf, Timed) and leaf.lag > 0 else leaf

    return replace_leaves(expr, shift)


def future_shifted(expr: Any) -> Any:
    """Adjoints of the step after read at this step, and all that stands with them."""

    def shift(leaf: Any) -> Any:
        late = isinstance(leaf, Timed | Adjoint) and not isinstance(
            getattr(leaf, "of", None), MatrixSymbol
        )
        return leaf.at(leaf.lag + 1) if late and leaf.lag < 0 else leaf

    return replace_leaves(expr, shift)


def loss_forgotten(expr: Any) -> Any:
    """Without the loss's own gradient."""
    return replace_leaves(expr, lambda v: scale(0, v) if isinstance(v, LossGradient) else v)


CHANGES: dict[str, Change] = {
    f.__name__: f
    for f in (
        sign_flipped,
        term_dropped,
        doubled,
        transposes_dropped,
        factor_dropped,
        past_shifted,
        future_shifted,
        loss_forgotten,
    )
}


def wrong_derivations(derivation: Derivation, change: Change) -> Iterator[tuple[Any, Derivation]]:
    """The derivation with one line changed, and that line's left-hand side; lines that stay the same are left out."""
    back = derivation.backward
    for field in ("local", "inputs", "parameters"):
        lines: tuple[AdjointEquation, ...] = getattr(back, field)
        for i, line in enumerate(lines):
            wrong = replace(line, rhs=change(line.rhs)) if terms(line.rhs) else line
            if wrong.rhs != line.rhs:
                changed = replace(back, **{field: (*lines[:i], wrong, *lines[i + 1 :])})
                yield line.lhs, with_parts(derivation, backward=changed)


def with_parts(derivation: Derivation, **parts: Any) -> Derivation:
    """The derivation with other parts, and nothing remembered."""
    fields = ("cell", "assignments", "backward", "jacobian")
    return Derivation(**{f: parts.get(f, getattr(derivation, f)) for f in fields})
