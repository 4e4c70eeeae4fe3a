"""Conditions under which a formula may hold though it does not hold in general, the weakest first."""

from __future__ import annotations

import re
from dataclasses import dataclass

from proofs.claims.orders import order, order_words


@dataclass(frozen=True, slots=True)
class Condition:
    """A restriction of the runs over which a formula is judged.

    Args:
        name: its key.
        spelling: how a claim's ``given`` writes it.
        words: how a verdict says it.
    """

    name: str
    spelling: str
    words: str


CONDITIONS = (
    Condition("initial", "initial state = 0", "the initial state is zero"),
    Condition("bias", "bias = 0", "the biases are zero"),
    Condition("last loss", "loss last", "the loss looks at the last step only"),
    Condition("last step", "t = T", "t = T, at the last step only"),
    Condition("symmetric", "symmetric", "the square weight matrices are symmetric"),
    Condition("diagonal", "diagonal", "the square weight matrices are diagonal"),
    Condition("linear", "linear", "the activations are linear"),
    Condition("T=1", "T = 1", "T = 1: the sequence has one step"),
    Condition("n=1", "n = 1", "n = 1: every vector has one entry"),
)
PRESUMED = (Condition("identity", "W = identity", "the square weight matrices are the identity"),)
"""Conditions that a claim can presume, and that no verdict offers."""

BY_NAME = {c.name: c for c in (*CONDITIONS, *PRESUMED)}
_TOTAL = "total "
_SPELT = re.compile(r"(?:total|sum)\((\w+)\)={1,2}1")


def adds_up(name: str) -> str:
    """The key of the condition that the entries of an input add up to 1: a target that is a distribution."""
    return _TOTAL + name


def whose_total(key: str) -> str:
    """The input whose entries a condition says add up to 1; empty if it says something else."""
    return key.removeprefix(_TOTAL) if key.startswith(_TOTAL) else ""


def words(key: str) -> str:
    """How a verdict says a condition."""
    if name := whose_total(key):
        return f"the entries of {name} add up to 1 at every step"
    return order_words(key) or BY_NAME[key].words


def named_condition(text: str) -> str | None:
    """The key of a condition as a claim spells it, blanks apart."""
    flat = "".join(text.split())
    if total := _SPELT.fullmatch(flat):
        return adds_up(total[1])
    spelt = (
        c.name for c in BY_NAME.values() if "".join(c.spelling.split()).lower() == flat.lower()
    )
    return next(spelt, None) or order(flat) or None
