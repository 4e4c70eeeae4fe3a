"""The page of a study: does the gradient vanish or explode here, how fast, by which route, and what theory says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from derive.derivation import Derivation
from derive.latex import latex_name
from numeric.flow import Flow
from numeric.mean_field import forget_path
from numeric.setting import Setting, sizes_of
from proofs.guarantee_setting import Certified
from proofs.prediction import Predicted
from proofs.theorems import Finding
from reports.figures import Series, line_figure, to_picture
from reports.markdown import code_span, equation, escape_markdown, table
from reports.notebook import Figure, Section, Text, build
from reports.report_links import heading
from reports.report_study import number_of_log
from reports.study_gain import gain_section, shares_section
from reports.study_guarantee import guarantee_section
from reports.study_routes import routes_section, scientific

if TYPE_CHECKING:
    from nbformat import NotebookNode

STATUS = {
    "proved": "✓ proved: every step by a machine",
    "partly": "✓ argued; some steps checked by a machine",
    "argued": "argued in words",
    "asymptotic": "asymptotic: a limit, not proved here",
    "refuted": "✗ refuted",
}
FLAT = 0.005


@dataclass(frozen=True, slots=True)
class Study:
    """What the page tells.

    Args:
        derivation: of the cell.
        flow: the measurements.
        findings: the theorems that speak about the cell, examined.
        predicted: what mean-field theory predicts for the setting, if anything.
        certified: the certified bounds, if they were asked for.
    """

    derivation: Derivation
    flow: Flow
    findings: tuple[Finding, ...]
    predicted: Predicted | None = None
    certified: Certified | None = None


def build_study(study: Study) -> NotebookNode:
    """The notebook of a study; the same measurements give the same bytes."""
    sections = [
        Section("summary", [Text(_summary(study))]),
        gain_section(study.flow, study.predicted),
        shares_section(study.flow),
        routes_section(study.derivation, study.flow.ledger),
        *([_spectrum(study)] if study.flow.spectrum is not None else []),
        Section("theory", [Text(_theory(study))]),
        *([] if study.certified is None else [guarantee_section(study.certified, study.flow)]),
        Section("theorems", [Text(_THEOREMS), *(Text(_theorem(f)) for f in study.findings)]),
    ]  # fmt: skip
    cell = study.derivation.cell
    return build(
        f"Gradient flow: {cell.title or cell.name}", sections, metadata={"cell": cell.name}
    )


def verdict(flow: Flow) -> str:
    """Whether the gradient vanishes, explodes or stays, and how fast."""
    rate, error = flow.growth.rate, flow.growth.error
    if rate == -math.inf:
        return f"Over {flow.setting.steps:,} steps the gradient becomes exactly zero."
    told = f"λ₁ = {rate:.5f} ± {error:.5f} per step".replace("-", "−")
    if abs(rate) < max(FLAT, 2 * error):
        return f"The gradient keeps its size: {told}."
    way = "vanishes" if rate < 0 else "explodes"
    verb = "halves" if rate < 0 else "doubles"
    return f"The gradient {way}: {told}; it {verb} every {abs(flow.half_life):.1f} steps."


def how_started(setting: Setting) -> str:
    """How the parameters start, in words."""
    own = "as the generated code starts them" if setting.init == "own" else setting.init
    if setting.weights:
        own = f"from {code_span(setting.weights)}"
    single = (code_span(f"{name} = {how}") for name, how in (setting.starts or {}).items())
    return ", ".join([f"square matrices: {own}", *single])


def _summary(study: Study) -> str:
    s, cell = study.flow.setting, study.derivation.cell
    fixed = "".join(f", {code_span(f'{k} = {v:g}')}" for k, v in (s.values or {}).items())
    sizes = ", ".join(f"${latex_name(str(d))} = {k}$" for d, k in sizes_of(cell, s).items())
    return (
        f"**{verdict(study.flow)}**\n\n"
        f"Cell {code_span(cell.name)}; {sizes}; {how_started(s)}, gain {s.gain:g}{fixed}; inputs normal with "
        f"standard deviation {s.inputs:g}; $T = {s.steps}$; seed {s.seed}. λ₁ is the growth rate of one "
        f"direction of the joint state ($N = {study.flow.gains.size}$ entries: "
        + ", ".join(f"${latex_name(q.name)}$" for q in cell.states)
        + ") under the product of the step Jacobians; ± is its standard error, from the rates of twenty "
        "pieces of the run."
    )


def _spectrum(study: Study) -> Section:
    found = study.flow.spectrum
    if found is None:
        return Section("spectrum")
    finite = [float(v) for v in found.exponents if v > -math.inf]
    series = [Series("λ", list(range(1, len(finite) + 1)), finite)]
    drawn = line_figure(series, xlabel="index $i$", ylabel=r"$\lambda_i$ per step")
    text = (
        heading("spectrum", "All Lyapunov exponents")
        + f"Orthonormalised every {found.interval} {'step' if found.interval == 1 else 'steps'}, over {found.steps} "
        f"steps. $\\lambda_1 = {found.exponents[0]:.5f}$, $\\sum_i\\lambda_i = {found.exponents.sum():.5f}$"
    )
    if found.determinant == -math.inf:
        text += r". $\det J = 0$ at some step, so $\sum_i\lambda_i = -\infty$: the last exponents above are rounding."
    elif found.difference is not None:
        mark = "✓" if found.difference < 1e-3 else "✗"
        text += (
            rf". {mark} $\langle\log\lvert\det J\rvert\rangle = {found.determinant:.5f}$, measured by itself: the "
            f"difference is ${scientific(found.difference)}$."
        )
    figure = Figure(
        to_picture(drawn), "**Figure 4.** The Lyapunov exponents, largest first.",
        f"Lyapunov exponents, {len(finite)} of them, decreasing.", "fig-spectrum",
    )  # fmt: skip
    return Section("spectrum", [Text(text), figure])


def _theory(study: Study) -> str:
    flow, rows = study.flow, list[list[str]]()
    names = {f.theorem.name for f in study.findings}
    s, told = flow.setting, study.predicted
    if told is not None:
        quantity = f"λ₁, mean field, asymptotic in $n$: ${told.law}${told.note}"
        sampled = f" ± {told.error:.5f}" if told.error else ""
        measured = f"{flow.growth.rate:.5f} ± {flow.growth.error:.5f}"
        rows.append(
            [quantity, *(v.replace("-", "−") for v in (f"{told.rate:.5f}{sampled}", measured))]
        )
    bias = (s.values or {}).get("b_f")
    if "forget-bias" in names and bias is not None and flow.ledger is not None:
        k = len(flow.ledger.total) - 1
        kept = number_of_log(math.log(forget_path(bias, k)))
        path = rf"$\sigma(b_f)^{{{k}}}\sqrt{{n/N}}$, where $\sigma(b_f)^{{{k}}}$ = {kept}"
        rows.append([f"the direct path's gain at lag {k}, gates at their bias: {path}",
                     number_of_log(math.log(forget_path(bias, k)) + 0.5 * math.log(s.n / flow.gains.size)),
                     number_of_log(float(flow.ledger.gains[0, k]))])  # fmt: skip
    lead = heading("theory", "Prediction and measurement")
    if not rows:
        forget = ", the forget path for a bias that is set (`--set b_f=1`)"
        return lead + (
            "Nothing is predicted for this setting: mean-field theory is for normal weights (`--init normal`)"
            f"{forget if 'forget-bias' in names else ''}."
        )
    notes = [_LIMIT] if told is not None else []
    if len(rows) > len(notes):
        notes.append(_MOVED)
    return lead + "\n\n".join([table(["quantity", "predicted", "measured"], rows), *notes])


_LIMIT = (
    r"Mean-field theory is a limit of many units; with fixed weights of $n$ units its $\chi^{k/2}$ holds for "
    r"$k \ll \sqrt n$ only."
)
_MOVED = (
    r"Inputs and states move the gates away from their bias, which costs more where a gate closes than it gains where "
    r"it opens ($\log \sigma$ is concave): the measured gain is mostly the smaller."
)


_THEOREMS = (
    heading("theorems", "What is proved")
    + "The theorems that speak about this cell. Each was also put to random instances in search of a counterexample."
)


def _theorem(found: Finding) -> str:
    t = found.theorem
    lines = [f"### {escape_markdown(t.title)}\n\n{equation(t.statement)}"]
    if t.assumptions:
        lines.append("Assumed: " + "; ".join(t.assumptions) + ".")
    tried = (
        f" {found.trials} random instances, none against it." if found.status != "refuted" else ""
    )
    lines.append(f"{STATUS[found.status]}.{tried} Source: {escape_markdown(t.source)}.")
    marks = {True: "✓", False: "✗", None: "–"}
    steps = [
        f"- {marks[s.holds]} {s.latex} *({s.method}{': ' + escape_markdown(s.note) if s.note else ''})*"
        for s in found.steps
    ]
    return "\n\n".join([*lines, "\n".join(steps)])
