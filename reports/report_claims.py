"""What every claim of a report rests on: a proof, an exact check, or a test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from numeric.study import Study
from proofs.table import Check, Verification
from proofs.verification import EXACT, NUMERIC
from reports.markdown import table
from reports.notebook import Section, Text
from reports.report_checks import links_to, typeset
from reports.report_links import heading
from reports.report_proof import Proof

LAWS, DIRECT = EXACT[0], EXACT[-1]
MODULAR = EXACT[1:-1]


@dataclass(frozen=True, slots=True)
class Claim:
    """What the page says, and what that rests on.

    Args:
        says: the claim.
        rests: on what, with links; Markdown.
        kind: how sure that makes it.
    """

    says: str
    rests: str
    kind: str


_LEAD = (
    "Not everything is sure in the same way. A *proof* holds for all sizes, lengths and values. An *exact* check "
    "computes without rounding at random points; it is wrong with at most the probability stated. A *test* compares "
    "floating-point numbers at some sizes; it can miss what happens elsewhere."
)


def claims_section(verification: Verification, proof: Proof | None, study: Study | str) -> Section:
    """What every claim on the page rests on."""
    rows = [[c.says, c.rests, c.kind] for c in claims(verification, proof, study)]
    text = f"{_LEAD}\n\n{table(['claim', 'rests on', 'which is'], rows)}"
    return Section("claims", [Text(heading("claims", "What this rests on") + text)])


def claims(verification: Verification, proof: Proof | None, study: Study | str) -> list[Claim]:
    """The claims, from the equations to the figures; only those that hold."""
    held = [check for check in verification.checks if check.ok]
    return [*_mathematics(held, proof), *_code(held), *_flow(study)]


def _mathematics(held: list[Check], proof: Proof | None) -> Iterator[Claim]:
    if proof is not None and proof.verdict.accepted:
        yield Claim(
            "The backward equations are the gradient, for all sizes, lengths and values.",
            "[the general proof](#proof), accepted by a checker that shares no code with what made it",
            "a proof",
        )
    exact = [c for c in held if c.name in MODULAR]
    if exact:
        yield Claim(
            "Every numbered equation is an identity; tangents forward and adjoints backward agree.",
            links_to(exact) + ", modulo a prime, with activations as indeterminates",
            "exact; " + typeset(next((c.note for c in exact if c.note), "")),
        )
    direct = [c for c in held if c.name == DIRECT]
    if direct:
        yield Claim(
            "The gradients are those of the unrolled network.",
            links_to(direct) + " at the smallest sizes",
            "exact there; other sizes are not looked at",
        )
    laws = [c for c in held if c.name == LAWS]
    if laws:
        yield Claim(
            "A function\u2019s derivative is what its rule says.",
            links_to(laws)
            + "; where there is no derivative [the rule](#rules) states a convention, relu′(0) = 0",
            "exact, by SymPy\u2019s derivative",
        )


def _code(held: list[Check]) -> Iterator[Claim]:
    tests = [c for c in held if c.name not in EXACT]
    on_gradients = {
        name for name, examine in NUMERIC.items() if examine.__module__.endswith("gradient_checks")
    }
    gradients = [c for c in tests if c.name in on_gradients]
    others = [c for c in tests if c.name not in on_gradients]
    if gradients:
        yield Claim(
            "The code computes these gradients.", links_to(gradients), "tests in floating point"
        )
    if others:
        yield Claim("The code behaves as its docstrings say.", links_to(others), "tests")


def _flow(study: Study | str) -> Iterator[Claim]:
    if isinstance(study, Study):
        yield Claim(
            "The gradient flows as the figures show.",
            "[measurements](#study) at one choice of sizes, initialisation and inputs",
            "measured; trained weights can behave otherwise",
        )
