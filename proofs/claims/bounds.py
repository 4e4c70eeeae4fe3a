"""Inequalities: sizes of Jacobians and of their products, by laws.

Laws: ‖A B‖ ≤ ‖A‖ ‖B‖, ‖A + B‖ ≤ ‖A‖ + ‖B‖, σ_min(A) ≤ ‖A‖ and ρ(A) ≤ ‖A‖, ‖diag(u)‖ = max |u|; σ_min(A B) ≥
σ_min(A) σ_min(B) and ≤ ‖A‖ σ_min(B) for square matrices; no size is negative; the laws of ``step_norms`` and
``least_norms`` for the derivatives of a step, of ``value_norms`` for its values.
A condition only restricts the runs, so what is shown for all of them holds under it.
"""

from __future__ import annotations

from contextlib import suppress

from proofs.claims.laws import Laws
from proofs.claims.points import Context
from proofs.claims.powers import NoBoundError, at_most
from proofs.claims.syntax import (
    Big,
    Call,
    Deriv,
    Formula,
    Node,
    Num,
    walk,
)

MEASURES = ("norm", "sigma_max", "sigma_min", "spectral_radius")
NORMAL = ", which is the spectral radius, as the matrix is normal"


def is_inequality(formula: Formula) -> bool:
    """Whether a formula compares sizes."""
    return formula.relation in ("<=", ">=")


def proof(formula: Formula, context: Context) -> str:
    """The laws by which an inequality follows, in words; empty if they do not show it."""
    small, large = formula.ordered
    if isinstance(large, Call) and large.name in MEASURES:
        if isinstance(small, Num) and small.value <= 0:
            return "no size is negative"
        if large.name == "sigma_min" and _factorwise(large.args[0], small, ("sigma_min",)):
            return "the least singular value of a product of square matrices is at least the product of theirs"
    norms = ("norm", "sigma_max")
    if isinstance(small, Call) and small.name in norms and _factorwise(small.args[0], large, norms):
        return "the norm of a product is at most the product of the norms"
    return _by_laws(small, large, Laws(context))


def _by_laws(small: Node, large: Node, laws: Laws) -> str:
    for shown in (_above, _least, _value, _below, _stated, _factor_by_factor, _entries):
        with suppress(NoBoundError):
            if why := shown(small, large, laws):
                return why
    return ""


def _above(small: Node, large: Node, laws: Laws) -> str:
    """What is measured on the small side has a bound no larger than the large one."""
    if not (isinstance(small, Call) and small.name in MEASURES):
        return ""
    ours = laws.upper(small.args[0], {})
    if not ours.at_most(laws.stated.bound(large)):
        return ""
    normal = any(isinstance(p, Call) and p.name == "spectral_radius" for p in walk(large))
    why = "by the submultiplicative norm, ‖W‖ = σ_max(W) and sup |f′|: each factor is at most"
    return f"{why} {ours}{NORMAL * normal}"


def _least(small: Node, large: Node, laws: Laws) -> str:
    """The least singular value on the small side has a bound no larger than the large one."""
    if not (isinstance(small, Call) and small.name == "sigma_min"):
        return ""
    theirs = laws.stated.bound(large).plain()
    ours = next((b for b in laws.least(small.args[0]) if at_most(b, theirs)), None)
    why = "for square matrices, the least singular value of A B is at most ‖A‖ times that of B: here it is at most"
    return f"{why} {ours}" if ours is not None else ""


def _value(small: Node, large: Node, laws: Laws) -> str:
    """The norm of a step's value has a bound no larger than the large one."""
    if not (isinstance(small, Call) and small.name in ("norm", "sigma_max")):
        return ""
    theirs = laws.stated.bound(large).plain()
    ours = laws.value(small.args[0], large)
    why = (
        "the norm of a sum is at most the sum of the norms, that of A b at most ‖A‖ ‖b‖, and |f(a)| ≤ sup |f′| |a|"
        " where f(0) = 0: it is at most"
    )
    return f"{why} {ours}" if at_most(ours, theirs) else ""


def _below(small: Node, large: Node, laws: Laws) -> str:
    """What is measured on the large side has a bound from below no smaller than the small one."""
    if not (isinstance(large, Call) and large.name in ("norm", "sigma_max", "sigma_min")):
        return ""
    theirs = laws.lower(large.args[0])
    if not at_most(laws.stated.bound(small).plain(), theirs):
        return ""
    if theirs.is_number:
        return (
            f"the matrix is diagonal, and no entry there is smaller than {theirs} in absolute value"
        )
    why = "a sum has no singular value below the least one of a term less the norms of all others: here none is below"
    return f"{why} {theirs}"


def _stated(small: Node, large: Node, laws: Laws) -> str:
    """Both sides state what they are."""
    ours, theirs = laws.stated.bound(small).plain(), laws.stated.bound(large).plain()
    return "no term of the difference of the sides is negative" if at_most(ours, theirs) else ""


def _factor_by_factor(small: Node, large: Node, laws: Laws) -> str:
    """Every size on the small side has a bound, and with all of them it is no larger than the large one."""
    ours = laws.side(small, {})
    if not ours.at_most(laws.stated.bound(large)):
        return ""
    return f"by the submultiplicative norm and sup |f′|, one side is at most {ours}"


def _entries(small: Node, large: Node, laws: Laws) -> str:
    """No entry of the one side, by its range, is above any of the other's."""
    (low, top), (bottom, high) = (laws.ranges.of(side, {}) for side in (small, large))
    if not (top.is_finite and bottom.is_finite and top <= bottom):
        return ""
    wide = f"left between {low} and {top}" if low != top else f"right between {bottom} and {high}"
    return f"by the ranges of the functions, every entry lies there: {wide}"


def _factorwise(product: Node, other: Node, names: tuple[str, ...]) -> bool:
    """Whether the other side is the product of the measures of this one's factors."""
    if not (
        isinstance(product, Big)
        and isinstance(other, Big)
        and product.kind == other.kind == "product"
    ):
        return False
    same = (product.var, product.lo, product.hi) == (other.var, other.lo, other.hi)
    matrix = names != ("sigma_min",) or isinstance(product.body, Deriv)
    return (
        same
        and matrix
        and isinstance(other.body, Call)
        and other.body.name in names
        and other.body.args == (product.body,)
    )
