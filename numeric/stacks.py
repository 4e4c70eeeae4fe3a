"""Fusing gates: affine intermediates that multiply the same vectors become one product.

A pre-activation is ``a_f = W_f @ h[t-1] + U_f @ x[t] + b_f`` plus whatever else. All those over the same
vectors are stacked, W = [W_f; W_i; …], so that a step needs one product with h and the whole sequence one
product with x.

Law: [W_f; W_i] v = [W_f v; W_i v], and W_fᵀ δ_f + W_iᵀ δ_i = [W_f; W_i]ᵀ [δ_f; δ_i].
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from sympy.matrices.expressions import MatMul, MatrixExpr, MatrixSymbol

from derive.expressions import (
    Timed,
    is_column,
    is_scalar,
    is_timed,
    operands,
    split_coefficient,
    terms,
)
from derive.normal import Assignment
from derive.notation import ALONE, Surroundings


@dataclass(frozen=True, slots=True)
class Affine:
    """``target = Σ matrix @ vector + bias + rest``.

    Args:
        target: the intermediate.
        products: matrix by vector.
        bias: the parameter that is added, if there is one.
        rest: all other terms.
        scan: the scan whose cell it belongs to, in a network.
    """

    target: Timed
    products: dict[Timed, MatrixExpr]
    bias: MatrixExpr | None
    rest: tuple[MatrixExpr, ...]
    scan: str = ""


@dataclass(frozen=True, slots=True)
class Stack:
    """Affine intermediates over the same vectors, on top of one another.

    Args:
        name: the name of the whole, e.g. ``a_fiog``.
        suffix: what distinguishes it, e.g. ``fiog``.
        members: the parts, in order; one part is no stack but is treated alike.
    """

    name: str
    suffix: str
    members: tuple[Affine, ...]

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def vectors(self) -> tuple[Timed, ...]:
        """The vectors that are multiplied."""
        return tuple(self.members[0].products)

    @property
    def has_bias(self) -> bool:
        """Whether every member adds a bias."""
        return self.members[0].bias is not None

    def matrices(self, vector: Timed) -> tuple[MatrixExpr, ...]:
        """The members' matrices in front of this vector."""
        return tuple(m.products[vector] for m in self.members)


def affine(a: Assignment) -> Affine | None:
    """The assignment read as an affine one, or ``None`` if it has no product of a parameter and a vector."""
    products: dict[Timed, MatrixExpr] = {}
    bias, rest = None, []
    for term in terms(a.expr):
        product = _product(term)
        if product is not None and product[1] not in products:
            products[product[1]] = product[0]
        elif isinstance(term, MatrixSymbol) and bias is None and term.shape == a.target.shape:
            bias = term
        else:
            rest.append(term)
    return (
        Affine(a.target, products, bias, tuple(rest)) if products and is_column(a.target) else None
    )


def _product(term: MatrixExpr) -> tuple[MatrixExpr, Timed] | None:
    """Matrix and vector, if the term is their product and the vector has more than one entry."""
    c, core = split_coefficient(term)
    parts = operands(core) if isinstance(core, MatMul) else ()
    if c != 1 or len(parts) != 2 or is_timed(parts[0]) or not isinstance(parts[1], Timed):
        return None
    vector = is_column(parts[1]) and not is_scalar(parts[1])
    return (parts[0], parts[1]) if vector else None


def stacks(
    assignments: tuple[Assignment, ...], states: frozenset[str], around: Surroundings = ALONE
) -> tuple[Stack, ...]:
    """All affine intermediates, those over the same vectors together.

    Args:
        assignments: the step in normal form.
        states: the names of the states, which are not stacked.
        around: what a network says of the names, where the cell runs in one.
    """
    groups: dict[object, list[Affine]] = defaultdict(list)
    for a in assignments:
        read = affine(a) if a.name not in states else None
        if read is not None:
            read = replace(read, scan=around.scan_of(a.owner))
            groups[(frozenset(read.products), read.bias is not None)].append(read)
    return tuple(stack_of(members) for members in groups.values())


def stack_of(members: list[Affine]) -> Stack:
    """Affine intermediates over the same vectors as one, in this order."""
    names = [m.target.name.removeprefix("a_") for m in members]
    if len(members) == 1:
        return Stack(members[0].target.name, names[0], tuple(members))
    scans = {m.scan for m in members}
    before = f"{members[0].scan}_" if len(scans) == 1 and members[0].scan else ""
    names = [name.removeprefix(before) for name in names]
    joined = "".join(names)
    suffix = before + (joined if len(joined) <= 8 else f"{names[0]}_to_{names[-1]}")
    return Stack(f"a_{suffix}", suffix, tuple(members))
