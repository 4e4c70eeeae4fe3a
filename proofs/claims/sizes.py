"""Why sizes compare as a claim says: by the laws of norms, a product, a power, a chain; an equality by both ways."""

from __future__ import annotations

from dataclasses import dataclass, replace

from proofs.claims.bounds import proof
from proofs.claims.carried import carried
from proofs.claims.factored import factored, factored_below
from proofs.claims.points import Context
from proofs.claims.repeated import repeated
from proofs.claims.syntax import Formula


@dataclass(frozen=True, slots=True)
class Argument:
    """Why a comparison of sizes holds.

    Args:
        reason: in words.
        bound: the probability that an identity on which it rests was accepted wrongly; empty if it rests on none.
    """

    reason: str
    bound: str = ""


def argument(formula: Formula, context: Context) -> Argument | None:
    """The argument by which a comparison of sizes follows, or ``None``.

    Law: a = b if and only if a ≤ b and a ≥ b.

    Args:
        formula: sizes compared by ==, <= or >=.
        context: what it is about.
    """
    if formula.relation != "==":
        return _one_way(formula, context)
    ways = [_one_way(replace(formula, relation=r), context) for r in ("<=", ">=")]
    if None in ways:
        return None
    below, above = (way for way in ways if way is not None)
    if below.reason == above.reason:
        return below
    bounds = dict.fromkeys(way.bound for way in (below, above) if way.bound)
    return Argument(f"not above: {below.reason}; not below: {above.reason}", "; ".join(bounds))


def _one_way(formula: Formula, context: Context) -> Argument | None:
    why = proof(formula, context)
    if why:
        return Argument(why)
    for route in (factored, factored_below, repeated, carried):
        found = route(formula, context)
        if found is not None:
            return Argument(str(found), str(found.bound))
    return None
