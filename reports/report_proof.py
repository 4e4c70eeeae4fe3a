"""The general proof in a report: its steps for symbolic sizes and length, and the checker's verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from derive.derivation import Derivation
from proofs.checker import Verdict, check
from proofs.general import SECTIONS, GeneralProof, ProofStep, prove
from reports.markdown import anchor, equation, escape_markdown
from reports.notebook import Section, Text
from reports.report_lines import broken
from reports.report_links import heading


@dataclass(frozen=True, slots=True)
class Proof:
    """A general proof, and what the checker says of it.

    Args:
        general: the proof.
        verdict: the checker's.
    """

    general: GeneralProof
    verdict: Verdict


def proof_of(derivation: Derivation) -> Proof | None:
    """The general proof of a derivation, checked; ``None`` where the cell holds what no proof can hold yet."""
    try:
        general = prove(derivation)
    except TypeError:
        return None
    return Proof(general, check(general.to_json()))


def proof_section(proof: Proof, derivation: Derivation) -> Section:
    """The theorem, its proof step by step, and the checker's verdict."""
    numbers = {step.latex: step.number for step in derivation.steps}
    blocks = [Text(heading("proof", "The general proof") + _lead(proof))]
    for kind, name in SECTIONS.items():
        steps = proof.general.section(kind)
        if not steps:
            continue
        if name:
            blocks.append(Text(f"### {escape_markdown(name)}{_intro(kind)}"))
        blocks += [Text(text) for text in _steps(kind, steps, numbers)]
    return Section("proof", blocks)


def _lead(proof: Proof) -> str:
    count, verdict = len(proof.general.steps), proof.verdict
    text = (
        "The theorem holds for all sizes, all lengths $T$ and all values at once. It is proved by induction over $T$; "
        r"$\langle A, B \rangle = \sum_{ij} A_{ij} B_{ij}$, and $\dot v$ is a direction in $v$. "
    )
    if verdict.accepted:
        return text + (
            f"\n\n✓ **The checker accepts all {count} steps.** It is a program of its own: it knows none of the "
            "rules above and computes every step again."
        )
    return text + (
        f"\n\n✗ **The checker does not accept this proof.** It stops at {escape_markdown(verdict.step)}: "
        f"{escape_markdown(verdict.reason)}."
    )


_INTROS = {
    "law": "Taken from calculus.",
    "rule": r"For a node with adjoint $\bar Y$: what its operands receive.",
    "line": "Each line of the step, moved in the direction of everything that it uses.",
    "equation": "Each equation of the derivation collects what the lines give to one quantity.",
    "claim": r"$\Phi_k$ is what the steps up to $k$ are still to receive.",
}


def _intro(kind: str) -> str:
    return f"\n\n{_INTROS[kind]}" if kind in _INTROS else ""


def _steps(kind: str, steps: tuple[ProofStep, ...], numbers: Mapping[str, int]) -> Iterator[str]:
    """The steps of one kind; equations that stand in the derivation are named, not repeated."""
    if kind == "equation":
        yield "\n".join(f"- {_named(step, numbers)}" for step in steps)
        return
    for step in steps:
        yield f"{escape_markdown(step.title)}:\n\n{equation(broken(step.latex), f'P{step.number}')}"


def _named(step: ProofStep, numbers: Mapping[str, int]) -> str:
    """One backward equation: its number in the proof, and in the derivation or, if it is not there, itself."""
    number = numbers.get(step.latex)
    where = f"[({number})](#eq-{number})" if number else f"${step.latex}$"
    return f"{anchor(f'eq-P{step.number}')}(P{step.number}) {escape_markdown(step.title)}: {where}"
