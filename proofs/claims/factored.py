"""Inequalities whose large side is made of norms: ‖X‖ ≤ ‖A‖ ‖B‖, because X = A B is an identity.

The identity is proved like every equality, at random points modulo a prime; what remains is that the norm of a product
is at most the product of the norms and that of a sum their sum, that ‖V ↦ A V b‖ = ‖A‖ ‖b‖, that a transpose has the
same norm, and that no singular value and no eigenvalue is larger than the norm. From below, where all factors are
square: σ_min(A B) ≥ σ_min(A) σ_min(B), and σ_min is at most the norm and the size of every eigenvalue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, permutations, product
from random import Random

from proofs.claims.meaning import Meaning, Reading
from proofs.claims.points import (
    Context,
    compared,
    error_bound,
    field_worlds,
    other_worlds,
)
from proofs.claims.printing import show
from proofs.claims.readings import fails_in, status
from proofs.claims.shapes import is_square
from proofs.claims.spoken import covers
from proofs.claims.syntax import (
    Big,
    Call,
    Chain,
    Deriv,
    Formula,
    Mul,
    Node,
    Num,
    Qty,
    Transposed,
    walk,
)
from proofs.claims.world import World
from proofs.degrees import ErrorBound

NORMS = ("norm", "sigma_max")
BELOW = (*NORMS, "sigma_min", "spectral_radius")
"""Sizes that are at most the norm."""
LAWS = {
    "product": "the norm of a product is at most the product of the norms",
    "sum": "the norm of a sum is at most the sum of the norms",
    "sandwich": "the norm of V ↦ A V b is that of A times that of b",
}
ALONE = "no singular value and no eigenvalue is larger than the norm"
LEAST = (
    "the least singular value of a product of square matrices is at least the product of theirs, and no size of a"
    " square matrix is smaller than it"
)
UNIT = "every singular value and every eigenvalue of the identity is 1"
MOST = 200
"""How many products are tried."""
FACTORS = 4
POINTS = 2
SEED = 3


@dataclass(frozen=True, slots=True)
class ByIdentity:
    """Why sizes compare: a matrix is equal to a product, or to a power, of which a law tells.

    Args:
        identity: what was proved: the matrix is that.
        law: what then follows, in words.
        bound: the probability that it was accepted wrongly.
    """

    identity: Formula
    law: str
    bound: ErrorBound

    def __str__(self) -> str:
        return f"{show(self.identity)}, and {self.law}"


def factored(formula: Formula, context: Context) -> ByIdentity | None:
    """The product by which an inequality follows, or ``None``.

    Args:
        formula: one size below a product of norms or a sum of them, or above it the other way round.
        context: what it is about.
    """
    small, large = formula.ordered
    if not (isinstance(small, Call) and small.name in BELOW):
        return None
    for candidate in islice(_products(large), MOST):
        identity = Formula(small.args[0], "==", candidate)
        bound = proved_identity(identity, context)
        if bound is not None:
            return ByIdentity(identity, _law(large, candidate), bound)
    return None


def factored_below(formula: Formula, context: Context) -> ByIdentity | None:
    """The product of square matrices by which a size is at least the product of least singular values, or ``None``.

    Args:
        formula: one size above a product of least singular values, or below it the other way round.
        context: what it is about.
    """
    small, large = formula.ordered
    least = [p.args[0] for p in walk(small) if isinstance(p, Call) and p.name == "sigma_min"]
    by_name = {q.name: q for q in context.cell.quantities}
    if not (
        isinstance(large, Call)
        and large.name in BELOW
        and all(is_square(p, by_name) for p in least)
    ):
        return None
    candidates = [*islice(_products(small, ("sigma_min",)), MOST)]
    match small, large.args[0]:
        case Num(value=value), Deriv(of=Qty() as of) if value <= 1:
            candidates.append(Call(name="eye", args=(of,)))
        case _:
            pass
    for candidate in candidates:
        identity = Formula(large.args[0], "==", candidate)
        bound = proved_identity(identity, context)
        if bound is not None and covers(identity, formula, context):
            return ByIdentity(identity, LEAST if least else UNIT, bound)
    return None


def _products(large: Node, names: tuple[str, ...] = NORMS) -> Iterator[Node]:
    """The products, in every order, of what one side measures: matrices whose norm is at most that side."""
    match large:
        case Call(name=name, args=(matrix,)) if name in names:
            yield matrix
            if not (isinstance(matrix, Call) and matrix.name in ("diag", "eye")):
                yield matrix.of if isinstance(matrix, Transposed) else Transposed(of=matrix)
        case Mul(factors=factors) if len(factors) <= FACTORS and all(e > 0 for e, _ in factors):
            parts = [tuple(_products(factor, names)) for _, factor in factors]
            for order in permutations(parts):
                for chosen in product(*order):
                    yield Chain(factors=chosen)
                    if len(chosen) == 2 and names == NORMS:
                        yield Call(name="sandwich", args=chosen)
        case Big(kind="sum", body=body) if names == NORMS:
            for inner in _products(body, names):
                yield replace(large, body=inner)
        case Big(kind="product", body=body):
            for inner in _products(body, names):
                for descending in (True, False):
                    yield replace(large, body=inner, descending=descending)
        case _:
            pass


def _law(large: Node, candidate: Node) -> str:
    """The laws by which the candidate's norm is at most the large side."""
    outside, kinds = large, list[str]()
    while isinstance(outside, Big):
        kinds.append(outside.kind)
        outside, candidate = (
            outside.body,
            candidate.body if isinstance(candidate, Big) else candidate,
        )
    kinds += ["product"] * isinstance(outside, Mul)
    if isinstance(outside, Mul) and isinstance(candidate, Call):
        kinds[-1] = "sandwich"
    return " and ".join(LAWS[kind] for kind in dict.fromkeys(kinds)) or ALONE


def proved_identity(
    identity: Formula, context: Context, *, laid_out: bool = False
) -> ErrorBound | None:
    """How likely it is that an identity of matrices was accepted wrongly; ``None`` if it was not accepted.

    Args:
        identity: it holds at fresh points and in runs of other lengths and sizes, between matrices of one shape.
        context: what it is about.
        laid_out: whether a gradient by a matrix may be laid out on one of its sides.
    """
    worlds = field_worlds(identity, context, Random(SEED), POINTS)  # noqa: S311 - no secret
    if len(worlds) < POINTS or status(identity, worlds, Reading()).outcome != "holds":
        return None
    others = other_worlds(identity, context)
    if fails_in(identity, others, Reading()):
        return None
    if not laid_out and not all(_of_one_shape(identity, world) for world in (*worlds, *others)):
        return None
    bound = error_bound(identity, context, Reading(), worlds)
    return bound if bound.decides else None


def _of_one_shape(identity: Formula, world: World) -> bool:
    """Whether both sides are matrices of one shape as they are measured: a gradient may be laid out as a row."""
    meaning = Meaning(world, Reading())
    for pair in compared(identity, meaning):
        places = {**pair.places, "T": world.steps}
        sides = [meaning.visit(side, places).shape for side in (identity.left, identity.right)]
        if sides[0] != sides[1]:
            return False
    return True
