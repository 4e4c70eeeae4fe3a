"""The library of theorems on vanishing and exploding gradients, and which of them speak about a cell."""

from __future__ import annotations

from derive.derivation import Derivation
from proofs import theorems_gated, theorems_remedies, theorems_stability, theorems_vanilla
from proofs.theorems import Theorem

LIBRARY: tuple[Theorem, ...] = (
    *theorems_vanilla.THEOREMS,
    *theorems_remedies.THEOREMS,
    *theorems_gated.THEOREMS,
    *theorems_stability.THEOREMS,
)


def applicable(derivation: Derivation) -> tuple[Theorem, ...]:
    """The theorems that speak about a cell, in the library's order."""
    return tuple(theorem for theorem in LIBRARY if theorem.applies(derivation))
