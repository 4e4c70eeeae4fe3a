"""The law of scans, for all sizes: steps of a linear recurrence compose, and it does not matter which compose first.

    (A', b') ∘ (A, b) = (A' A, A' b + b')

Read entry by entry, for symbolic n, by the checker of general proofs: matrices, and entry by entry where the
recurrence acts so.
"""

from __future__ import annotations

from dataclasses import dataclass

from proofs.checker_matrices import Expr, Matrices

Step = tuple[Expr, Expr]
N, ONE = {"n": 1}, {"": 1}


@dataclass(frozen=True, slots=True)
class ScanLaw:
    """One law, and whether the checker accepts it.

    Args:
        name: what it says, in words.
        holds: the verdict.
    """

    name: str
    holds: bool


def _leaf(name: str) -> Expr:
    return ["value", name, None]


def composed(later: Step, earlier: Step, times: str) -> Step:
    """(A', b') ∘ (A, b), with the product of matrices or that of entries."""
    (a2, b2), (a1, b1) = later, earlier
    return [times, a2, a1], ["+", [times, a2, b1], b2]


def applied(step: Step, state: Expr, times: str) -> Expr:
    """A s + b"""
    return ["+", [times, step[0], state], step[1]]


def prove_scan_law() -> tuple[ScanLaw, ...]:
    """Decides associativity, and that a composed step is one step after the other, for all n."""
    found: list[ScanLaw] = []
    for times, how, width in (("@", "matrices", N), ("∘", "entry by entry", ONE)):
        shapes = {f"{x}{i}": [N, width if x == "A" else ONE] for x in "Ab" for i in (1, 2, 3)}
        matrices = Matrices({**shapes, "s": [N, ONE]}, set())
        one, two, three = ((_leaf(f"A{i}"), _leaf(f"b{i}")) for i in (1, 2, 3))
        left = composed(composed(three, two, times), one, times)
        right = composed(three, composed(two, one, times), times)
        same = all(matrices.equal(p, q) for p, q in zip(left, right, strict=True))
        found.append(ScanLaw(f"composition is associative ({how})", same))
        together = applied(composed(two, one, times), _leaf("s"), times)
        apart = applied(two, applied(one, _leaf("s"), times), times)
        both = f"a composed step is both, one after the other ({how})"
        found.append(ScanLaw(both, matrices.equal(together, apart)))
    return tuple(found)
