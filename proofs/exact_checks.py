"""The rows of the table that need no numbers: laws, lines of the derivation, and SymPy's own derivative."""

from __future__ import annotations

from derive.derivation import Derivation
from proofs.checker import check as check_proof
from proofs.general import prove as prove_general
from proofs.laws import prove_laws
from proofs.modular import ExactVerdict, prove
from proofs.smallest import prove_smallest
from proofs.table import Check, measured


def laws() -> Check:
    """The derivative law of every function of the language."""
    verdicts = prove_laws()
    wrong = tuple(f"{v.name}: {v.reason}" for v in verdicts if not v.holds)
    what = "derivative laws of the functions against SymPy's derivative"
    sizes = f"{len(verdicts)} functions"
    return measured(
        "laws", what, sizes, len(wrong) if verdicts else 1, 0, where=wrong, unit="wrong"
    )


def exact(derivation: Derivation, seed: int) -> tuple[ExactVerdict, tuple[Check, ...]]:
    """Every line of the derivation, its tangent equations, and the identity between both."""
    verdict = prove(derivation, seed=seed)
    sizes = "; ".join(str(e) for e in verdict.extents)
    note = verdict.bound.note
    texts = {s.number: s.text for s in derivation.steps}
    wrong = tuple(f"({v.number}) {texts[v.number]}: {v.reason}" for v in verdict.wrong_lines)
    tangents = tuple(f"{name}: {reason}" for name, reason in verdict.tangents.items())
    identity = (verdict.identity,) if verdict.identity else ()
    undecided = verdict.bound.undecided
    wrong, tangents, identity = wrong + undecided, tangents + undecided, identity + undecided
    empty = int(not verdict.lines or not verdict.extents)
    return verdict, (
        measured(
            "exact, line by line",
            f"each of {len(verdict.lines)} lines as an identity modulo a prime",
            sizes,
            len(wrong) + empty,
            0,
            note=note,
            where=wrong,
            unit="wrong",
        ),
        measured(
            "exact, tangents",
            f"each of {len(derivation.tangents)} tangent equations against dual numbers modulo a prime",
            sizes,
            len(tangents) + empty,
            0,
            where=tangents,
            unit="wrong",
        ),
        measured(
            "exact, through time",
            "L̇ of the tangents run forward = Σ ⟨adjoint, direction⟩ of the adjoints run backward, modulo a prime",
            sizes,
            len(identity) + empty,
            0,
            where=identity,
            unit="wrong",
        ),
    )


def general(derivation: Derivation) -> Check:
    """The proof for all sizes and every length, read by the independent checker."""
    proof = prove_general(derivation)
    verdict = check_proof(proof.to_json())
    return measured(
        "general proof",
        f"a proof of {len(proof.steps)} steps for all sizes, every T and all directions, "
        "read by an independent checker",
        "all",
        int(not verdict.accepted),
        0,
        where=() if verdict.accepted else (f"step {verdict.step}: {verdict.reason}",),
        unit="refused",
    )


def smallest(derivation: Derivation, seed: int) -> Check:
    """SymPy's derivative of the unrolled loss."""
    verdict = prove_smallest(derivation, seed=seed)
    wrong = tuple(name if t is None else f"{name} at t = {t}" for name, t in verdict.wrong)
    reason = (verdict.reason,) if verdict.reason else ()
    return measured(
        "SymPy's derivative",
        f"sympy.diff of the unrolled loss by {verdict.compared} entries against the adjoint equations",
        str(verdict.extent),
        len(wrong) + len(reason) if verdict.compared else 1,
        0,
        where=(*reason, *wrong),
        unit="wrong",
    )
