"""Mistakes of content: the wrong quantity, a derivative of an activation that is wrong or missing, factors, terms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from proofs.claims.edit_kinds import Local, Scope, said
from proofs.claims.syntax import (
    Add,
    Call,
    Chain,
    Deriv,
    Mul,
    Node,
    Num,
    Open,
    Pow,
    Qty,
    Transposed,
)
from proofs.claims.written import NOW, ONE


def other_quantity(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """Another quantity of the same shape: the wrong gate, weight or bias."""
    if not isinstance(part, Qty):
        return
    shape = scope.shape(part.name)
    for q in scope.context.cell.quantities:
        timed = q.name in scope.timed
        alike = q.shape == shape or not timed
        if q.name != part.name and alike and timed == (part.index is not None):
            new = replace(part, name=q.name)
            kind = "wrong gate or state" if timed else "wrong weight or bias"
            yield kind, said("{}: {} should be {}", kind, part, new), new


def other_quantity_and_step(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """Another quantity of the same shape, at the step before or after."""
    if not isinstance(part, Qty) or part.index is None:
        return
    kind = "wrong gate or state, and step"
    for q in scope.context.cell.quantities:
        if q.name in scope.timed and q.name != part.name and q.shape == scope.shape(part.name):
            for steps in (-1, 1):
                new = Qty(name=q.name, index=part.index.shifted(steps))
                yield kind, said("{}: {} should be {}", kind, part, new), new


def slope_missing(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """A factor f′ that is not there."""
    for index in scope.steps or (NOW,):
        for of, factors in scope.activations(index):
            product = Mul(factors=tuple((1, f) for f in factors))
            message = said(
                "missing derivative of the activation: the factor {}, of {}", product, of
            )
            yield from (
                ("missing derivative of the activation", message, new)
                for new in _with_factors(part, parent, factors, scope)
            )


def _with_factors(
    part: Node, parent: Node | None, factors: tuple[Node, ...], scope: Scope
) -> Iterator[Node]:
    extra = tuple((1, f) for f in factors)
    if isinstance(part, Mul):
        missing = [f for f in extra if f not in part.factors]
        yield replace(
            part, factors=(*part.factors, *(missing if len(missing) < len(extra) else extra))
        )
        if 0 < len(missing) < len(extra):
            yield replace(part, factors=(*part.factors, *extra))
    elif isinstance(part, Deriv | Call | Qty | Chain) and not isinstance(
        parent, Mul | Deriv | Call | Pow
    ):
        yield Mul(factors=((1, part), *extra))
        if scope.jacobian and not isinstance(parent, Chain):
            whole = extra[0][1] if len(extra) == 1 else Mul(factors=extra)
            tail = part.factors if isinstance(part, Chain) else (part,)
            yield Chain(factors=(Call(name="diag", args=(whole,)), *tail))
    elif isinstance(part, Add) and parent is None:
        yield Mul(factors=((1, part), *extra))


def slope_form(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """1 − s² for s (1 − s) or 1 − s³, and the other way round; a function too few or too many inside."""
    kind = "wrong derivative of the activation"
    match part:
        case Add(
            terms=((1, Num(value=Fraction(numerator=1, denominator=1))), (-1, Pow(base=base)))
        ):
            inner, square = _minus(base), _minus_square(base)
            new: Node = Mul(factors=((1, base), (1, inner)))
            told = (
                "{}: {} is that of tanh; it should be {}"
                if part == square
                else "{}: {} should be {}"
            )
            yield kind, said(told, kind, part, new), new
            if part != square:
                yield kind, said("{}: {} should be {}", kind, part, square), square
            yield kind, said("{}: {} should be {}", kind, part, inner), inner
        case Add(terms=((1, Num(value=Fraction(numerator=1, denominator=1))), (-1, base))):
            new = _minus_square(base)
            yield kind, said("{}: {} should be {}", kind, part, new), new
        case Mul(factors=factors):
            yield from _to_tanh(part, factors)
        case Pow(base=Call(name="tanh" | "sigmoid", args=(inner,))):
            new = replace(part, base=inner)
            yield (
                "derivative at the wrong point",
                said("derivative at the wrong point: {} should be {}", part, new),
                new,
            )
        case Pow(base=Qty() as base):
            new = replace(part, base=Call(name="tanh", args=(base,)))
            yield (
                "derivative at the wrong point",
                said("derivative at the wrong point: {} should be {}", part, new),
                new,
            )
        case _:
            pass


def _to_tanh(part: Mul, factors: tuple[tuple[int, Node], ...]) -> Iterator[Local]:
    for _, base in factors:
        minus = _minus(base)
        if (1, minus) in factors:
            rest = [f for f in factors if f not in ((1, base), (1, minus))]
            square = _minus_square(base)
            new = Mul(factors=(*rest, (1, square))) if rest else square
            kind = "wrong derivative of the activation"
            yield kind, said("{}: {} * ({}) should be {}", kind, base, minus, square), new


def _minus(base: Node) -> Add:
    return Add(terms=((1, ONE), (-1, base)))


def _minus_square(base: Node) -> Add:
    return _minus(Pow(base=base, exponent=Num(value=Fraction(2))))


def complement_of(part: Node) -> Node:
    """1 − z, for a number worked out."""
    if isinstance(part, Num):
        return replace(part, value=1 - part.value)
    return _minus(part)


def complement(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """z for 1 − z, and the other way round; a number between 0 and 1 too."""
    kind = "gate for its complement"
    match part:
        case Add(
            terms=((1, Num(value=Fraction(numerator=1, denominator=1))), (-1, Qty() as inner))
        ):
            yield kind, said("{} should be {}", part, inner), inner
        case Qty() if isinstance(parent, Mul | Chain | Call):
            new = complement_of(part)
            yield kind, said("{} should be {}", part, new), new
        case Num(value=value) if 0 < value < 1 and isinstance(parent, Mul | Chain):
            new = complement_of(part)
            yield kind, said("{} should be {}", part, new), new
        case _:
            pass


def superfluous(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """A factor or a term too many."""
    if isinstance(part, Mul | Chain | Open) and len(part.factors) > 1:
        for i, factor in enumerate(part.factors):
            rest = (*part.factors[:i], *part.factors[i + 1 :])
            gone = factor[1] if isinstance(factor, tuple) else factor
            if len(rest) == 1 and isinstance(part, Mul) and rest[0][0] < 0:  # type: ignore[index]
                continue
            alone = rest[0][1] if isinstance(rest[0], tuple) else rest[0]
            new = alone if len(rest) == 1 else replace(part, factors=rest)
            yield "superfluous factor", said("superfluous factor {}", gone), new  # type: ignore[arg-type]
    if isinstance(part, Add) and len(part.terms) > 1:
        for i, (_, term) in enumerate(part.terms):
            rest_terms = (*part.terms[:i], *part.terms[i + 1 :])
            new = (
                rest_terms[0][1]
                if len(rest_terms) == 1 and rest_terms[0][0] > 0
                else replace(part, terms=rest_terms)
            )
            yield "superfluous term", said("superfluous term {}", term), new


def missing_factor(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """A factor too few."""
    eye = scope.jacobian and isinstance(part, Call) and part.name == "eye"
    alone = (
        isinstance(part, Qty) and part.index is not None and isinstance(parent, Chain | Transposed)
    )
    gradient = isinstance(part, Deriv) and not isinstance(parent, Mul | Deriv)
    if not (isinstance(part, Mul) or eye or alone or gradient):
        return
    for q in scope.context.cell.quantities:
        if q.role in ("parameter", "input"):
            continue
        for index in scope.steps if q.name in scope.timed else (None,):
            factor = Qty(name=q.name, index=index)
            if eye:
                yield (
                    "missing factor",
                    said("missing factor {}", factor),
                    Call(name="diag", args=(factor,)),
                )
                continue
            factors = part.factors if isinstance(part, Mul) else ((1, part),)
            for new_factor in (factor, Add(terms=((1, ONE), (-1, factor)))):
                new = Mul(factors=(*factors, (1, new_factor)))
                yield "missing factor", said("missing factor {}", new_factor), new


def activation(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """tanh of a state forgotten."""
    if isinstance(part, Qty) and part.index is not None and isinstance(parent, Mul):
        for name in ("tanh", "sigmoid"):
            new = Call(name=name, args=(part,))
            yield "missing activation", said("missing activation: {} should be {}", part, new), new


def outer(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """Softmax's derivative diag(p) − p pᵀ with one of its terms only; a batch not summed over."""
    kind = "missing outer product"
    match part:
        case (
            Call(name="diag", args=(Mul(factors=((1, p), (1, _))),))
            | Call(name="diag", args=(Qty() as p,))
        ):
            whole = Call(name="diag", args=(p,))
            new = Add(terms=((1, whole), (-1, Chain(factors=(p, Transposed(of=p))))))
            yield kind, said("missing outer product: {} should be {}", part, new), new
        case Mul(factors=((1, Qty() as p), (1, x))) | Mul(factors=((1, x), (1, Qty() as p))):
            inner = Add(terms=((1, x), (-1, Chain(factors=(Transposed(of=p), x)))))
            made = Mul(factors=((1, p), (1, inner)))
            yield kind, said("missing outer product: {} should be {}", part, made), made
        case _:
            pass
    for q in scope.context.cell.quantities:
        if (
            q.role == "parameter"
            and q.shape[0] == 1
            and q.shape[1] != 1
            and isinstance(part, Mul | Deriv)
        ):
            summed = Chain(factors=(part, Transposed(of=Qty(name=q.name))))
            message = said("missing sum over the batch: {} should be {}", part, summed)
            yield "missing sum over the batch", message, summed


def missing_term(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """A bias that is not there."""
    if isinstance(part, Add) and isinstance(parent, Call):
        for q in scope.context.cell.quantities:
            if q.role == "parameter" and 1 in q.shape:
                term = Qty(name=q.name)
                new = replace(part, terms=(*part.terms, (1, term)))
                yield "missing term", said("missing term {}", term), new
