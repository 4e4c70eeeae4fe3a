"""The report on one cell: equations, derivation, proof, code, checks and gradient flow on one page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from derive.derivation import Derivation
from numeric.study import Study
from proofs.exact_code import agreement
from proofs.table import Verification
from reports.drawing import draw_flow
from reports.figures import to_picture
from reports.flow import flow
from reports.markdown import code_span, escape_markdown
from reports.notebook import Code, Figure, Section, Text, build
from reports.report_certificate import Certified, accepted, certificate_section, unasked
from reports.report_chapters import chapter_sections
from reports.report_checks import checks_section, linked
from reports.report_checks import summary as verdict
from reports.report_claims import claims_section
from reports.report_equations import derivation_section, equations
from reports.report_jacobian import jacobian
from reports.report_links import CODE, code_lines, heading
from reports.report_proof import Proof, proof_section
from reports.report_shapes import shapes
from reports.report_study import no_study, study_section

if TYPE_CHECKING:
    from nbformat import NotebookNode


@dataclass(frozen=True, slots=True)
class Findings:
    """What a report tells.

    Args:
        derivation: of the cell.
        source: the generated code.
        verification: of derivation and code.
        proof: the general proof; ``None`` if there is none for this cell.
        study: the gradient flow, or why it could not be measured, as plain text.
        certificate: the certificate and Rocq's verdict; ``None`` if Rocq was not asked.
    """

    derivation: Derivation
    source: str
    verification: Verification
    proof: Proof | None
    study: Study | str
    certificate: Certified | None = None


def build_report(findings: Findings) -> NotebookNode:
    """The notebook of the report; the same findings give the same bytes.

    Args:
        findings: what is told. Names and titles in it may come from a user; they are escaped.
    """
    derivation, cell = findings.derivation, findings.derivation.cell
    study, verification = findings.study, findings.verification
    links = linked(verification, derivation, code_lines(findings.source))
    sections = [
        Section("summary", [Text(summary(findings))]),
        equations(derivation, links),
        _flow(derivation),
        shapes(cell),
        derivation_section(derivation, links),
        jacobian(derivation, links),
        *chapter_sections(derivation.chapters),
        *([proof_section(findings.proof, derivation)] if findings.proof else []),
        _certificate(findings),
        no_study(escape_markdown(study)) if isinstance(study, str) else study_section(study),
        _code(findings),
        checks_section(verification, [links]),
        claims_section(verification, findings.proof, study),
    ]
    return build(title(findings), sections, metadata={"cell": cell.name})


def _certificate(findings: Findings) -> Section:
    """The certificate; code that failed a check is not compared with it."""
    derivation = findings.derivation
    agreed = agreement(derivation, findings.source) if findings.verification.ok else ""
    return certificate_section(findings.certificate or unasked(derivation), agreed)


def title(findings: Findings) -> str:
    """The cell's title, or its name."""
    cell = findings.derivation.cell
    return cell.title.rstrip(".") or f"The cell {cell.name}"


def summary(findings: Findings) -> str:
    """Where the cell comes from, whether its code is verified, and what is found below."""
    cell = findings.derivation.cell
    chosen = ", ".join(f"{name} = {value}" for name, value in sorted(cell.options.items()))
    lines = [
        f"Cell {code_span(cell.name)}{' with ' + escape_markdown(chosen) if chosen else ''}."
        + (f" Source: {escape_markdown(cell.reference)}." if cell.reference else ""),
        f"{verdict(findings.verification)} [See the checks](#checks)."
        + (_KERNEL if accepted(findings.certificate) else ""),
        _READING,
    ]
    return "\n\n".join(re.sub(r"\.\.$", ".", line) for line in lines if line)


_KERNEL = " Rocq's kernel accepts the proof of the equations. [See the certificate](#certificate)."
_READING = (
    "The gradients through time follow from the equations, step by step, and so does NumPy code that computes them. "
    "A number such as (7) means the same everywhere: below an equation stand links to its lines of code and to its "
    "check, and the number in a line of code links back."
)


def _flow(derivation: Derivation) -> Section:
    cell = derivation.cell
    picture = to_picture(draw_flow(*flow(cell)))
    used = ", ".join(q.name for q in cell.inputs) or "no input"
    made = ", ".join(eq.target.name for eq in cell.equations)
    states = ", ".join(q.name for q in cell.states)
    alt = f"Data flow of one step: from earlier values of {states} and from {used} to {made}."
    caption = (
        "**Figure 1.** One step. An arrow means that the equation at its end uses what stands at its beginning; "
        "gradients take the same ways backwards."
    )
    return Section(
        "flow", [Text(heading("flow", "Data flow")), Figure(picture, caption, alt, "fig-flow")]
    )


def _code(findings: Findings) -> Section:
    fate = (
        "It passed every check below."
        if findings.verification.ok
        else "**It did not pass every check below.**"
    )
    lead = (
        "One file that needs NumPy only. Arrays have the axes time, batch, features, so a column of the mathematics "
        "is a row here and $W h$ reads `h @ W.T`. What does not need the step before stands outside the loop. "
    )
    return Section(
        "code",
        [
            Text(heading("code", "The code") + lead + fate),
            Code(findings.source.rstrip("\n"), anchor=CODE),
        ],
    )
