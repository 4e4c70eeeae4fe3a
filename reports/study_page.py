"""The page of a study: does the gradient vanish or explode here, how fast, on which way, and what theory says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from derive.derivation import Derivation
from derive.latex import LatexPrinter, latex_name
from numeric.flow import Flow, Setting
from numeric.ledger import Route
from numeric.mean_field import forget_path, vanilla
from proofs.theorems import Finding
from reports.figures import Series, line_figure, to_picture
from reports.markdown import code_span, equation, escape_markdown, table
from reports.notebook import Figure, Section, Text, build
from reports.report_links import heading
from reports.report_study import number_of_log, percent

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
    """

    derivation: Derivation
    flow: Flow
    findings: tuple[Finding, ...]


def build_study(study: Study) -> NotebookNode:
    """The notebook of a study; the same measurements give the same bytes."""
    sections = [
        Section("summary", [Text(_summary(study))]),
        Section("gain", [Text(_GAIN), _gain_figure(study), Text(_gain_table(study))]),
        Section("routes", [Text(_routes(study)), _routes_figure(study)]),
        *([_spectrum(study)] if study.flow.spectrum is not None else []),
        Section("theory", [Text(_theory(study))]),
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
        return "The gradient becomes exactly zero."
    told = f"λ₁ = {rate:.5f} ± {error:.5f} per step".replace("-", "−")
    if abs(rate) < max(FLAT, 2 * error):
        return f"The gradient keeps its size: {told}."
    way = "vanishes" if rate < 0 else "explodes"
    verb = "halves" if rate < 0 else "doubles"
    return f"The gradient {way}: {told}; it {verb} every {abs(flow.half_life):.1f} steps."


def how_started(setting: Setting) -> str:
    """How the parameters start, in words."""
    own = "as the generated code starts them" if setting.init == "own" else setting.init
    single = (code_span(f"{name} = {how}") for name, how in (setting.starts or {}).items())
    return ", ".join([f"square matrices: {own}", *single])


def _summary(study: Study) -> str:
    s, cell = study.flow.setting, study.derivation.cell
    fixed = "".join(f", {code_span(f'{k} = {v:g}')}" for k, v in (s.values or {}).items())
    sizes = ", ".join(
        f"${latex_name(str(d))} = {s.n if i == 0 else s.m}$" for i, d in enumerate(cell.dims)
    )
    return (
        f"**{verdict(study.flow)}**\n\n"
        f"Cell {code_span(cell.name)}; {sizes}; {how_started(s)}, gain {s.gain:g}{fixed}; inputs normal with "
        f"standard deviation {s.inputs:g}; $T = {s.steps}$; seed {s.seed}. λ₁ is the growth rate of one "
        f"direction of the joint state ($N = {study.flow.gains.size}$ entries: "
        + ", ".join(f"${latex_name(q.name)}$" for q in cell.states)
        + ") under the product of the step Jacobians; the error is that of twenty pieces of the run."
    )


_GAIN = (
    heading("gain", "Gradient norm against lag")
    + r"The gain is $\lVert\partial \mathbf{s}_T/\partial \mathbf{s}_{T-k}\rVert_F/\sqrt N$. It and the largest "
    "singular value are computed in logarithms, the latter by Lanczos' method on products with vectors."
)


def _gain_figure(study: Study) -> Figure:
    joint = study.flow.gains.joint[:, 0]
    lags = list(range(len(joint)))
    rate = study.flow.growth.rate
    series = [Series("gain", lags, [_exp(v) for v in joint])]
    if math.isfinite(rate):
        series.append(Series("$e^{\\lambda_1 k}$", lags, [_exp(rate * k) for k in lags]))
    drawn = line_figure(series, xlabel="lag $k$ in steps", ylabel="gain", logy=True)
    return Figure(
        to_picture(drawn),
        "**Figure 1.** The gain against the lag, and the growth rate of the long run.",
        f"Gain of the gradient against the lag from 0 to {len(lags) - 1}, logarithmic.",
        "fig-gain",
    )


def _exp(log: float) -> float:
    return math.exp(log) if -700 < log < 700 else 0.0 if log < 0 else math.inf


def _gain_table(study: Study) -> str:
    flow = study.flow
    rows = [
        [
            f"{k}",
            number_of_log(float(flow.gains.joint[k, 0])),
            number_of_log(float(flow.largest[i])),
        ]
        for i, k in enumerate(flow.lags)
    ]
    return table(["lag $k$", "gain", "largest singular value"], rows)


def name_of(route: Route, *, plain: bool = False) -> str:
    """What a route is called."""
    if route.direct:
        through = " through " + _joined(route.through, plain) if route.through else ""
        return f"the direct path{through}"
    return f"through {_joined(route.through, plain)}" if route.through else "without a matrix"


def _joined(names: tuple[str, ...], plain: bool) -> str:
    return ", ".join(n if plain else f"${latex_name(n)}$" for n in dict.fromkeys(names))


def _routes(study: Study) -> str:
    tex = LatexPrinter(study.derivation.notation)
    book = study.flow.ledger
    shown = [k for k in (1, 10, 50, 200) if k < len(book.total)]
    rows = [
        [name_of(route), number_of_log(float(book.gains[i, shown[-1]])),
         *(percent(float(book.shares[i, k])) for k in shown)]
        for i, route in enumerate(book.routes)
        if route.addends
    ]  # fmt: skip
    head = ["route", f"gain at lag {shown[-1]}", *(f"share at lag {k}" for k in shown)]
    lines: list[str] = []
    for route in book.routes:
        for block, exprs in route.addends.items():
            terms = " + ".join(tex(e) for e in exprs).replace("+ -", "-")
            lines.append(f"in ${tex(block)}$, {name_of(route)}:\n\n{equation(terms)}")
    check = "✓" if book.difference < 1e-8 else "✗"
    return (
        heading("routes", "On which way")
        + "Every addend of the step's Jacobian is a route. A part of the product is what, on its way back from the "
        "last step, leaves the direct path first by this route; the parts add up to the product, and a share is "
        r"$\langle P_r, P\rangle/\langle P, P\rangle$." + f"\n\n{table(head, rows)}\n\n"
        f"{check} Sum of the parts against the product by the backward equations: relative difference at most "
        f"${_scientific(book.difference)}$.\n\n### The routes\n\n" + "\n\n".join(lines)
    )


def _scientific(value: float) -> str:
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(value))
    return rf"{value / 10.0**exponent:.1f} \cdot 10^{{{exponent}}}"


def _routes_figure(study: Study) -> Figure:
    book = study.flow.ledger
    lags = list(range(len(book.total)))
    series = [Series("whole", lags, [_exp(v) for v in book.total])]
    series += [
        Series(name_of(r), lags, [_exp(v) for v in book.gains[i]])
        for i, r in enumerate(book.routes)
        if any(v > -700 for v in book.gains[i][1:])
    ]
    drawn = line_figure(series, xlabel="lag $k$ in steps", ylabel="gain", logy=True)
    return Figure(
        to_picture(drawn),
        "**Figure 2.** The gain of each part of the product.",
        f"Gain of the product's parts by route against the lag, {len(series)} lines, logarithmic.",
        "fig-routes",
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
    if found.difference is not None:
        mark = "✓" if found.difference < 1e-3 else "✗"
        text += (
            rf". {mark} $\langle\log\lvert\det J\rvert\rangle = {found.determinant:.5f}$, measured by itself: the "
            f"difference is ${_scientific(found.difference)}$."
        )
    figure = Figure(
        to_picture(drawn), "**Figure 3.** The Lyapunov exponents, largest first.",
        f"Lyapunov exponents, {len(finite)} of them, decreasing.", "fig-spectrum",
    )  # fmt: skip
    return Section("spectrum", [Text(text), figure])


def _theory(study: Study) -> str:
    flow, rows = study.flow, list[list[str]]()
    names = {f.theorem.name for f in study.findings}
    s = flow.setting
    if "mean-field" in names and s.init == "normal" and s.inputs == 0 and not s.starts:
        rows.append(
            [
                "λ₁, mean field (asymptotic in $n$)",
                f"{vanilla(s.gain).rate:.5f}",
                f"{flow.growth.rate:.5f}",
            ]
        )
    bias = (s.values or {}).get("b_f")
    if "forget-bias" in names and bias is not None:
        k = len(flow.ledger.total) - 1
        rows.append([rf"the direct path's gain at lag {k}: $\sigma(b_f)^{{{k}}}\sqrt{{n/N}}$, gates at their bias",
                     number_of_log(math.log(forget_path(bias, k)) + 0.5 * math.log(s.n / flow.gains.size)),
                     number_of_log(float(flow.ledger.gains[0, k]))])  # fmt: skip
    lead = heading("theory", "Prediction and measurement")
    if not rows:
        return lead + (
            "Nothing is predicted for this setting: mean-field theory is for normal weights without inputs "
            "(--init normal --inputs 0), the forget path for a bias that is set (--set b_f=1)."
        )
    note = (
        "\n\nMean-field theory is a limit of many units; with fixed weights of $n$ units its $\\chi^k$ holds for "
        "$k \\ll \\sqrt n$ only."
    )
    return lead + table(["quantity", "predicted", "measured"], rows) + note


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
