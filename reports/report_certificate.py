"""The certificate in a report: the theorem in Rocq's words, its assumptions, the verdict, and how far it reaches."""

from __future__ import annotations

import re
from dataclasses import dataclass

from derive.derivation import Derivation
from proofs.certificate import certificate
from proofs.certificate_errors import CertificateError
from proofs.rocq_check import RocqError, Verdict, check_certificate
from reports.markdown import code_span, escape_markdown, table
from reports.notebook import Section, Text
from reports.report_links import heading


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate and what Rocq says of it.

    Args:
        source: the file; empty if none could be written.
        verdict: Rocq's; ``None`` if it was not asked.
        missing: why there is no file or no verdict, empty if both are there.
    """

    source: str
    verdict: Verdict | None
    missing: str = ""


def certified(derivation: Derivation) -> Certified:
    """The certificate of a derivation, checked where Rocq is installed and answers in time."""
    found = unasked(derivation)
    if not found.source:
        return found
    try:
        return Certified(found.source, check_certificate(found.source))
    except RocqError as error:  # it is missing, or gave no answer in time
        return Certified(found.source, None, f"{error.problem} {error.remedy}")


def unasked(derivation: Derivation) -> Certified:
    """The certificate of a derivation, of which Rocq was not asked."""
    try:
        source = certificate(derivation)
    except CertificateError as error:
        return Certified("", None, error.problem)
    return Certified(source, None, "Rocq was not asked; throughtime report with --certify asks it.")


def certificate_section(found: Certified, agreement: str = "") -> Section:
    """What Rocq's kernel was asked, what it said, and on what the rest of the way to the code rests.

    Args:
        found: the certificate and the verdict.
        agreement: where the code agrees with the backward equations modulo a prime, from ``proofs.exact_code``.
    """
    parts = [heading("certificate", "The certificate") + _LEAD, _verdict(found)]
    if found.source:
        parts.append(
            f"The theorem, as the file states it, with its hypotheses:\n\n```coq\n{statement(found.source)}\n```"
            f"\n\n{_READ}"
        )
    parts.append(f"### What rests on what\n\n{_reach(found, agreement)}")
    return Section("certificate", [Text(part) for part in parts])


_LEAD = (
    "A certificate is a file for the proof assistant Rocq (formerly Coq). Its theorems say that the backward equations "
    "above, exactly as derived, are the derivative of the loss: over the real numbers, for all sizes, all lengths $T$, "
    "all weights and inputs, and along every differentiable curve of them. Rocq's kernel, a small program that many "
    "people have looked at, checks every step of the proof; nothing of this program has to be trusted for it."
)

_READ = (
    "Read aloud: take a run of T steps (`run`: the same parameters at every step, each step reads what earlier "
    "ones made) in which parameters, inputs and initial states move along a differentiable curve (`moves`), "
    "losses that have gradients (`loss_gradient`), and adjoints that satisfy the backward equations (`adjoints`). "
    "Then the loss of all steps is differentiable along the curve, and its derivative is the sum of ⟨gradient, "
    "direction⟩ over everything that moves, with the gradients that the backward equations accumulate. `before T "
    "t A` is A if there is a step t, and 0 otherwise."
)


def accepted(found: Certified | None) -> bool:
    """Whether Rocq accepted it."""
    return found is not None and found.verdict is not None and found.verdict.accepted


def _verdict(found: Certified) -> str:
    verdict = found.verdict
    if verdict is None:
        return f"**Not checked.** {escape_markdown(found.missing)}"
    if not verdict.accepted:
        place = f" at {code_span(verdict.lemma)}" if verdict.lemma else ""
        return f"✗ **Rocq refuses the certificate**{place}: {escape_markdown(verdict.message)}"
    names = ", ".join(code_span(name) for name in verdict.assumptions) or "nothing"
    return (
        "✓ **Rocq's kernel accepts the certificate.** Asked what the theorems rest on (`Print Assumptions`), it names "
        f"{names}: the axioms of classical mathematics on which its library of real analysis is built."
    )


def statement(source: str) -> str:
    """The theorem on the gradient with its hypotheses, without its proof."""
    given = source.partition("Section Sequence.\n")[2].partition("\n\n")[0]
    after = source.partition("Theorem gradient :")[2].partition("Proof.")[0]
    return f"{given}\n\nTheorem gradient :{after}".strip()


def _reach(found: Certified, agreement: str) -> str:
    """The links from the equations to the code, and what each rests on."""
    kernel = "*proved*, by Rocq's kernel" if accepted(found) else "*not proved here*"
    rows = [
        ["the equations → their derivatives, for all sizes, lengths and values", kernel],
        [
            "the cell's text → the equations in the certificate",
            "*read*: both are printed; compare them with the equations above",
        ],
        [
            "the backward equations → the program of the generated code",
            _program(agreement),
        ],
        [
            "the program → the file as NumPy runs it, with rounding",
            "*tested* in floating point at some sizes and lengths: [the checks](#checks)",
        ],
    ]
    return table(["from → to", "rests on"], rows)


def _program(agreement: str) -> str:
    if not agreement:
        return "*tested* only, in floating point: [the checks](#checks)"
    chance = re.sub(r"10\^(-\d+)", r"$10^{\1}$", agreement)
    return (
        "*exact* modulo the prime $2^{521} - 1$, where nothing rounds: the file was run on random residues and gave "
        f"every gradient that the equations give, {chance}"
    )
