"""The page of a study: does the gradient vanish or explode here, how fast, by which route, and what theory says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from derive.cell import Cell
from derive.derivation import Derivation
from derive.domains import domains_of
from derive.latex import latex_name
from numeric.flow import Flow
from numeric.mean_field import log_forget_path
from numeric.setting import Setting, sizes_of
from proofs.guarantee_setting import Certified
from proofs.prediction import Predicted
from proofs.theorems import Finding
from reports.figures import Series, line_figure, to_picture
from reports.markdown import code_span, equation, escape_markdown, table
from reports.notebook import Figure, Section, Text, build, numbered
from reports.report_links import heading
from reports.report_study import number_of_log
from reports.study_gain import gain_section, shares_section
from reports.study_guarantee import guarantee_section
from reports.study_routes import routes_section, scientific
from reports.verdict import DIGITS, besides, typeset, typeset_verdict, with_error

if TYPE_CHECKING:
    from nbformat import NotebookNode

STATUS = {
    "proved": "✓ proved: every step by a machine",
    "partly": "✓ argued; some steps checked by a machine",
    "argued": "argued in words",
    "asymptotic": "asymptotic: a limit, not proved here",
    "refuted": "✗ refuted",
}


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
        f"Gradient flow: {cell.title or cell.name}",
        numbered(sections),
        metadata={"cell": cell.name},
    )


def how_started(setting: Setting) -> str:
    """How the parameters start, in words."""
    own = (
        "as the generated code starts them, orthogonal unless the cell says otherwise"
        if setting.init == "own"
        else setting.init
    )
    if setting.weights:
        own = f"from {code_span(setting.weights)}"
    single = (code_span(f"{name} = {how}") for name, how in (setting.starts or {}).items())
    factor = f", multiplied by {setting.gain:g}" if setting.gain != 1 else ""
    return ", ".join([f"square matrices {own}{factor}", *single])


def how_drawn(setting: Setting, *cells: Cell) -> str:
    """How inputs were drawn, in words."""
    domains = {name: d for cell in cells for name, d in domains_of(cell).of.items()}
    given = {q.name for cell in cells for q in cell.inputs}
    taken = [d.text(name) for name, d in domains.items() if name in given]
    told = f", taken to where {' and '.join(map(code_span, taken))}" if taken else ""
    kinds = {q.kind for cell in cells for q in cell.inputs}
    chosen = "indices any of their numbers, each as often" if "index" in kinds else ""
    if kinds == {"index"}:
        return chosen
    normal = f"inputs normal with standard deviation {setting.inputs:g}{told}"
    return f"{normal}; {chosen}" if chosen else normal


def _summary(study: Study) -> str:
    s, cell = study.flow.setting, study.derivation.cell
    fixed = "".join(f", {code_span(f'{k} = {v:g}')}" for k, v in (s.values or {}).items())
    sizes = ", ".join(f"${latex_name(str(d))} = {k}$" for d, k in sizes_of(cell, s).items())
    also = "".join(f"{typeset(told)}\n\n" for told in besides(study.flow))
    return (
        f"**{typeset_verdict(study.flow)}**\n\n{also}"
        f"Cell {code_span(cell.name)}; {sizes}; {how_started(s)}{fixed}; "
        f"{how_drawn(s, cell)}; $T = {s.steps}$; seed {s.seed}. Multiplied by "
        f"one step's Jacobian after another, a direction of the joint state ($N = {study.flow.gains.size}$ entries: "
        + ", ".join(f"${latex_name(q.name)}$" for q in cell.states)
        + r") changes its norm by the factor $e^{\lambda_1}$ per step, on average over the run; $\pm$ is the standard "
        r"error of $\lambda_1$, from the rates of twenty pieces of the run, of ten and of five: the largest. Where the "
        "cell remembers for longer than a fifth of the run it is too small, and a longer run tells. The gradient is "
        "said to keep its size where the rate is within twice that error of 0, or changes it by less than "
        "a factor 2 over the run. It grows or vanishes polynomially where the logarithm of its norm follows "
        r"$d \log k$, a straight line against the logarithm of the lag, and not $\lambda_1 k$, one against the lag: "
        "then no rate per step is its rate, and the longer the run, the smaller the rate that one would measure."
    )


def _spectrum(study: Study) -> Section:
    found = study.flow.spectrum
    if found is None:
        return Section("spectrum")
    finite = [round(float(v), DIGITS) for v in found.exponents if v > -math.inf]
    text = (
        heading("spectrum", "All Lyapunov exponents")
        + f"The growth rates of all {found.exponents.size} directions, orthonormalised every "
        f"{'step' if found.interval == 1 else f'{found.interval} steps'}, over {found.steps} steps. "
        f"$\\lambda_1 = {_exponent(found.exponents[0])}$, $\\sum_i\\lambda_i = {_exponent(found.exponents.sum())}$"
    )
    if found.determinant == -math.inf:
        which = (
            "the last exponents above are"
            if study.flow.growth.rate > -math.inf
            else "every exponent that is not is"
        )
        text += rf". $\det J = 0$ at some step, so $\sum_i\lambda_i = -\infty$: {which} rounding."
    elif found.difference == math.inf:
        text += (
            rf". The mean of $\log\lvert\det J\rvert$ is ${found.determinant:.5f}$, so an exponent of $-\infty$ is "
            "that of a direction whose gradient left the range of floats between two orthonormalisations."
        )
    elif found.difference is not None:
        mark = "✓" if found.difference < 1e-3 else "✗"
        text += (
            rf". {mark} The mean of $\log\lvert\det J\rvert$ must be the same sum; measured by itself it is "
            f"${found.determinant:.5f}$: the difference is ${scientific(found.difference)}$."
        )
    if not finite:
        return Section(
            "spectrum", [Text(text + " There is none to draw: every gradient vanishes at once.")]
        )
    series = [Series("λ", list(range(1, len(finite) + 1)), finite, points=True)]
    drawn = line_figure(series, xlabel="index $i$", ylabel=r"$\lambda_i$ per step")
    figure = Figure(
        to_picture(drawn), "**Figure.** The Lyapunov exponents, largest first.",
        f"Lyapunov exponents, {len(finite)} of them, decreasing.", "fig-spectrum",
    )  # fmt: skip
    return Section("spectrum", [Text(text), figure])


def _exponent(value: float) -> str:
    return rf"{value:z.5f}" if math.isfinite(value) else r"-\infty"


def _theory(study: Study) -> str:
    flow, rows = study.flow, list[list[str]]()
    names = {f.theorem.name for f in study.findings}
    s, told = flow.setting, study.predicted
    if told is not None:
        quantity = rf"$\lambda_1$, mean field, asymptotic in $n$: ${told.law}${told.note}"
        by_theory = f"{told.rate:.5f}".replace("-", "−")
        if told.error:
            by_theory = with_error(told.rate, told.error)
        rows.append([quantity, by_theory, with_error(flow.growth.rate, flow.growth.error)])
    bias = (s.values or {}).get("b_f")
    if "forget-bias" in names and bias is not None and flow.ledger is not None:
        k = len(flow.ledger.total) - 1
        log_kept = log_forget_path(bias, k)
        kept = number_of_log(log_kept)
        path = rf"$\sigma(b_f)^{{{k}}}\sqrt{{n/N}}$, where $\sigma(b_f)^{{{k}}}$ = {kept}"
        rows.append([f"the direct path's gain at lag {k}, gates at their bias: {path}",
                     number_of_log(log_kept + 0.5 * math.log(s.n / flow.gains.size)),
                     number_of_log(float(flow.ledger.gains[0, k]))])  # fmt: skip
    lead = heading("theory", "Prediction and measurement")
    if not rows:
        forget = ", the forget path for a bias that is set (`--set b_f=1`)"
        why = "is for normal weights (`--init normal`)"
        if s.init == "normal":
            why = "has no equations here for these weights of this cell, or none that settle"
        return lead + (
            f"Nothing is predicted for this setting: mean-field theory {why}"
            f"{forget if 'forget-bias' in names else ''}."
        )
    notes = [_LIMIT] if told is not None else []
    if len(rows) > len(notes):
        notes.append(_MOVED)
    if told is not None and told.error:
        notes.append(_SAMPLED)
    return lead + "\n\n".join([table(["quantity", "predicted", "measured"], rows), *notes])


_LIMIT = (
    r"Mean-field theory is a limit of many units; with fixed weights of $n$ units its $\chi^{k/2}$ holds for "
    r"$k \ll \sqrt n$ only."
)
_SAMPLED = (
    "Both ± say how well a rate is known along its own run. What another draw of the weights changes, and that there "
    r"are $n$ units and not infinitely many, is in neither of them, and is often more; both shrink as $n$ grows."
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
