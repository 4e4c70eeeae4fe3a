"""Mistakes of structure: transposes, orders, indices, signs, kinds of derivatives and of products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from proofs.claims.derivative_kinds import kind_taken
from proofs.claims.edit_kinds import Local, Scope, said
from proofs.claims.printing import show_index
from proofs.claims.syntax import (
    Add,
    Big,
    Call,
    Chain,
    Deriv,
    Index,
    Mul,
    Node,
    Open,
    Pow,
    Qty,
    Transposed,
)

# ── rules: what could have been meant instead of this part ──


def index(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """A step too early or too late."""
    if isinstance(part, Qty) and part.index is not None:
        for steps in (-1, 1):
            new = replace(part, index=part.index.shifted(steps))
            yield "index off by one", said("index off by one: {} should be {}", part, new), new
        for other in scope.steps:
            new = replace(part, index=other)
            if (
                len(other.terms) == 1
                and other.terms != part.index.terms
                and part.name != scope.loss
            ):
                yield "wrong index", said("wrong index: {} should be {}", part, new), new
    if isinstance(part, Big):
        for steps in (-1, 1):
            later = "late" if steps < 0 else "early"
            lo, hi = part.lo.shifted(steps), part.hi.shifted(steps)
            begins = f"begins one step too {later}, its lower limit"
            yield _limit(part, begins, part.lo, lo, replace(part, lo=lo))
            ends = f"ends one step too {later}, its upper limit"
            yield _limit(part, ends, part.hi, hi, replace(part, hi=hi))


def _limit(part: Big, told: str, before: Index, after: Index, new: Big) -> Local:
    """Another limit of a sum or a product."""
    text = "index off by one: the {} {} {} should be {}"
    message = said(text, part.kind, told, show_index(before), show_index(after))
    return "index off by one", message, new


def transpose(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """A transpose too few or too many."""
    if isinstance(part, Transposed):
        yield (
            "superfluous transpose",
            said("superfluous transpose: {} should be {}", part, part.of),
            part.of,
        )
    elif (
        not isinstance(parent, Transposed | Deriv)
        and isinstance(part, Qty | Deriv | Mul | Add)
        and isinstance(parent, Chain | Open | Big | None)
    ):
        new = Transposed(of=part)
        yield "missing transpose", said("missing transpose: {} should be {}", part, new), new


def order(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """Factors in the wrong order."""
    if isinstance(part, Chain | Open):
        for i in range(len(part.factors) - 1):
            f = part.factors
            new = replace(part, factors=(*f[:i], f[i + 1], f[i], *f[i + 2 :]))
            yield (
                "wrong order of factors",
                said("wrong order of factors: {} should be {}", part, new),
                new,
            )
        if isinstance(part, Chain):
            new = replace(part, factors=tuple(_flip(f) for f in reversed(part.factors)))
            yield (
                "wrong order of factors",
                said("wrong order of factors: {} should be its transpose {}", part, new),
                new,
            )
        if len(part.factors) > 2:
            new = replace(part, factors=part.factors[::-1])
            yield (
                "wrong order of factors",
                said("wrong order of factors: {} should be {}", part, new),
                new,
            )
    if isinstance(part, Big) and part.kind == "product":
        new = replace(part, descending=not part.descending)
        word = "descending, the last one first" if new.descending else "ascending"
        yield (
            "wrong order of factors",
            said("wrong order of factors: the product must be {}", word),
            new,
        )


def sign(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """A wrong sign."""
    if isinstance(part, Add):
        for i, (sign, term) in enumerate(part.terms):
            new = replace(part, terms=(*part.terms[:i], (-sign, term), *part.terms[i + 1 :]))
            if len(part.terms) == 1:
                new = term
            yield "wrong sign", said("wrong sign of {}", term), new
        if len(part.terms) > 1 and isinstance(parent, Big | None):
            turned = [(-sign, term) for sign, term in part.terms]
            new = replace(part, terms=tuple(sorted(turned, key=lambda term: -term[0])))
            yield "wrong sign", said("wrong sign: {} should be {}", part, new), new
    if (parent is None or isinstance(parent, Big)) and not isinstance(part, Add | Big):
        yield "wrong sign", said("wrong sign of the whole"), Add(terms=((-1, part),))


def kind(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """One kind of derivative taken for another."""
    if not isinstance(part, Deriv):
        return
    gradient = isinstance(part.of, Qty) and part.of.name == scope.loss
    if isinstance(part.of, Qty) and gradient and part.of.index is not None:
        new = replace(part, of=replace(part.of, index=None))
        name = "loss of one step taken for the whole"
        yield name, said("{}: {} should be {}", name, part, new), new
    for kind in ("total",) if gradient else ("total", "local", "immediate"):
        if kind != part.kind:
            new = replace(part, kind=kind)
            name = kind_taken(part.kind, kind)
            yield name, said("{}: {} should be {}, the {} derivative", name, part, new, kind), new


def _regrouped(part: Node) -> Iterator[Local]:
    """A vector in a matrix product too early: (A b) ∘ c should be A (b ∘ c), and (a bᵀ) ∘ c should be (a ∘ c) bᵀ."""
    match part:
        case Mul(factors=((1, Chain(factors=(*before, last) as chain)), *rest)) if rest:
            inner = Mul(factors=((1, chain[0]), *rest))
            for new in (
                Chain(factors=(*before, Mul(factors=((1, last), *rest)))),
                Chain(factors=(inner, *chain[1:])),
            ):
                message = said("wrong order of products: {} should be {}", part, new)
                yield "wrong order of factors", message, new
        case _:
            pass


def product(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """An entrywise, an outer and a matrix product taken for one another, or made in the wrong order."""
    yield from _regrouped(part)
    found: list[tuple[str, Node]] = []
    if isinstance(part, Mul) and all(e > 0 for e, _ in part.factors):
        factors = tuple(f for _, f in part.factors)
        rest = Mul(factors=part.factors[:-1]) if len(factors) > 2 else factors[0]
        tail = Mul(factors=part.factors[1:]) if len(factors) > 2 else factors[1]
        found += [
            ("outer", Chain(factors=(rest, Transposed(of=factors[-1])))),
            ("matrix", Chain(factors=(factors[0], tail))),
        ]
        found += [
            ("matrix", Chain(factors=(_flip(factors[0]), tail))),
            ("outer", Chain(factors=(tail, Transposed(of=factors[0])))),
        ]
        found += [
            ("matrix", Chain(factors=(rest, factors[-1]))),
            ("diagonal matrix", Chain(factors=(Call(name="diag", args=(rest,)), factors[-1]))),
        ]
    if isinstance(part, Chain) and len(part.factors) == 2:
        a, b = part.factors
        bare = b.of if isinstance(b, Transposed) else b
        found += [("entrywise", Mul(factors=(*_as_factors(a), *_as_factors(b))))]
        found += [
            ("entrywise", Mul(factors=(*_as_factors(a), *_as_factors(bare)))),
            ("outer", Chain(factors=(a, _flip(b)))),
        ]
        found.append(("entrywise", Mul(factors=(*_as_factors(_bare(a)), *_as_factors(bare)))))
    if isinstance(part, Open) and len(part.factors) == 2:
        a, b = part.factors
        found += [("map", Call(name="sandwich", args=(Call(name="diag", args=(a,)), b)))]
        found += [("matrix", Chain(factors=(a, b))), ("entrywise", Mul(factors=((1, a), (1, b))))]
    for what, new in found:
        if not isinstance(part, Open) and _is_outer(new) and what == "matrix":
            what = "outer"
        yield "wrong kind of product", said("{} should be the {} product {}", part, what, new), new


def diagonal(part: Node, parent: Node | None, scope: Scope) -> Iterator[Local]:
    """A vector where a matrix is meant: that with its entries on the diagonal."""
    within = isinstance(parent, Chain) or (
        scope.jacobian
        and (parent is None or (isinstance(parent, Big) and parent.kind == "product"))
    )
    if (
        within
        and isinstance(part, Qty | Mul | Add | Pow | Call)
        and getattr(part, "name", "") != "diag"
    ):
        new = Call(name="diag", args=(part,))
        kind = "vector for a diagonal matrix"
        yield kind, said("{}: {} should be {}", kind, part, new), new


def _is_outer(node: Node) -> bool:
    return isinstance(node, Chain) and isinstance(node.factors[-1], Transposed)


def _bare(node: Node) -> Node:
    return node.of if isinstance(node, Transposed) else node


def _flip(node: Node) -> Node:
    return node.of if isinstance(node, Transposed) else Transposed(of=node)


def _as_factors(node: Node) -> tuple[tuple[int, Node], ...]:
    return node.factors if isinstance(node, Mul) else ((1, node),)
