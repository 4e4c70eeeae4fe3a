"""Primes and seeds that follow what is judged, so that no formula can be written for the ones that judge it.

Modulo a prime that is known beforehand 2¹²⁷ may be 1, and at a point that is known a difference can be made to vanish.
The prime is one of about 2¹¹³ just below 2¹²⁷, and both it and the seeds are read off a digest of formula and cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from proofs.claims.printing import show
from proofs.claims.syntax import Formula
from proofs.untyped import sympy

TOP = 2**127


@dataclass(frozen=True, slots=True)
class Draws:
    """What a formula is judged with.

    Args:
        prime: of the field.
        salt: 62 bits that every seed is mixed with.
    """

    prime: int
    salt: int


def draws_for(formula: Formula, text: str) -> Draws:
    """The prime and the salt of a formula.

    Args:
        formula: what is judged.
        text: what it is about.
    """
    return _draws(f"{show(formula)}\n{text}")


@lru_cache(maxsize=256)
def _draws(text: str) -> Draws:
    digest = int.from_bytes(sha256(text.encode()).digest())
    below, salt = digest % 2**120, digest >> 194
    return Draws(int(sympy.prevprime(TOP - below)), salt)
