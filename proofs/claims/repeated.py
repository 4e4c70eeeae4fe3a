"""Inequalities against a power: ‖X‖ ≥ ρ(A)ᵐ, because X = Aᵐ is an identity.

So is the gradient of a cell whose step is linear: ∂h_t/∂h_k = W^(t−k). Laws for a square A: σ_min(A) ≤ ρ(A) ≤ ‖A‖;
σ_min(Aᵐ) ≥ σ_min(A)ᵐ, ρ(Aᵐ) = ρ(A)ᵐ, ‖Aᵐ‖ ≤ ‖A‖ᵐ. The spectral radius bounds the norm from below only: ‖Aᵐ‖ ≤ ρ(A)ᵐ
fails wherever A is not normal, and no law here says it.

Source: Horn and Johnson, Matrix Analysis, second edition (2013), theorem 5.6.9; Topics in Matrix Analysis (1991), 3.3.
"""

from __future__ import annotations

from collections.abc import Iterator

from proofs.claims.factored import ByIdentity, proved_identity
from proofs.claims.measured import Measured
from proofs.claims.points import Context
from proofs.claims.spoken import covers
from proofs.claims.syntax import (
    Big,
    Call,
    Formula,
    Index,
    Node,
    Num,
    Pow,
    Steps,
    Transposed,
    indices,
    walk,
)

ORDER = {"sigma_min": 0, "spectral_radius": 1, "norm": 2, "sigma_max": 2}
"""Sizes of a square matrix, the smaller first."""
LAWS = {
    "sigma_min": "the least singular value of a power is at least that of its base to as many steps",
    "spectral_radius": "the spectral radius of a power is that of its base to as many steps",
    "norm": "the norm of a power is at most that of its base to as many steps",
}
BETWEEN = "no eigenvalue is smaller than the least singular value or larger than the norm"
ONE = Index((), 1)
LETTERS = "jilmqrsuvwpz"
"""Of the index over which a power is a product, the first that is free."""


def repeated(formula: Formula, context: Context) -> ByIdentity | None:
    """The power by which an inequality follows, or ``None``.

    Args:
        formula: the size of a matrix against that of another to a number of steps, either way round.
        context: what it is about.
    """
    small, large = formula.ordered
    for measured, power in ((large, small), (small, large)):
        law = _law(measured, power, below=power is small)
        if not law or not isinstance(measured, Call):
            continue
        for base, candidate in _powers(power):
            identity = Formula(measured.args[0], "==", candidate)
            bound = proved_identity(identity, context)
            if bound is not None and _covers(identity, base, formula, context):
                return ByIdentity(identity, law, bound)
    return None


def _base(power: Node) -> tuple[Node, Index] | None:
    """A size and to how many steps it is taken."""
    match power:
        case Pow(base=base, exponent=Steps(index=index)):
            return base, index
        case Pow(base=base, exponent=Num(value=value)) if value.denominator == 1 and value >= 0:
            return base, Index((), int(value))
        case Call():
            return power, ONE
        case _:
            return None


def _law(measured: Node, power: Node, *, below: bool) -> str:
    """What follows for the size of Aᵐ from that of A; empty if nothing does."""
    found = _base(power)
    if found is None or not isinstance(measured, Call) or not isinstance(found[0], Call):
        return ""
    ours, theirs = measured.name, found[0].name
    if ours not in ORDER or theirs not in ORDER:
        return ""
    apart = ORDER[ours] - ORDER[theirs]
    follows = apart >= 0 and ORDER[theirs] < 2 if below else apart <= 0 and ORDER[theirs] > 0
    law = LAWS["norm" if theirs == "sigma_max" else theirs]
    return (law if apart == 0 else f"{law}; {BETWEEN}") if follows else ""


def _powers(power: Node) -> Iterator[tuple[Node, Node]]:
    """A and Aᵐ as a product; and Aᵀ and (Aᵀ)ᵐ, whose sizes are the same."""
    found = _base(power)
    if found is None or not isinstance(found[0], Call):
        return
    (matrix,), steps = found[0].args, found[1]
    taken = {name for part in walk(matrix) for index in indices(part) for name, _ in index.terms}
    var = next(letter for letter in LETTERS if letter not in {*taken, *dict(steps.terms)})
    for base in (matrix, matrix.of if isinstance(matrix, Transposed) else Transposed(of=matrix)):
        whole = Big(kind="product", var=var, lo=ONE, hi=steps, descending=False, body=base)
        yield base, base if steps == ONE else whole


# ── where the identity speaks ──


def _covers(identity: Formula, base: Node, formula: Formula, context: Context) -> bool:
    """Whether the identity says something wherever the inequality does, and of square matrices."""

    def square(meaning: Measured, places: dict[str, int]) -> bool:
        shapes = {meaning.visit(part, places).shape for part in (identity.left, base)}
        return len(shapes) == 1 and all(rows == cols for rows, cols in shapes)

    return covers(identity, formula, context, square)
