"""The gain in a study: against the lag, beside the growth of the long run and what mean-field theory predicts."""

from __future__ import annotations

import math

import numpy as np

from derive.latex import latex_name
from numeric.flow import Flow
from proofs.prediction import Predicted
from reports.figures import LARGEST, Picture, Series, line_figure, to_picture
from reports.markdown import table
from reports.notebook import Figure, Section, Text
from reports.report_links import heading
from reports.report_study import NO_PARAMETERS, number, number_of_log, percent

TEXT = (
    heading("gain", "Gradient norm against lag")
    + r"The gain is $\lVert\partial \mathbf{s}_T/\partial \mathbf{s}_{T-k}\rVert_F/\sqrt N$: the factor, in root mean "
    "square, by which a gradient of random direction changes on its way back over $k$ steps. It and the largest and "
    "smallest singular value are computed in logarithms, so none of them leaves the range of floats."
)


_LINES = {
    "exponential": r"e^{\lambda_1 k}",
    "open": r"e^{\lambda_1 k}",
    "unsettled": r"e^{\lambda_1 k}",
    "polynomial": "k^d",
    "both": r"k^d e^{\lambda_1 k}",
}
"""The long run's growth, by the kind of its law."""
LEFT = "over {} steps the gradient by the parameters leaves the range of floating-point numbers."
DRAWN = 4
"""Parameters with lines of their own in the figure of the shares."""


def gain_section(flow: Flow, predicted: Predicted | None) -> Section:
    """Figure and table of the gain.

    Args:
        flow: the measurements.
        predicted: what theory predicts, if anything.
    """
    return Section("gain", [Text(TEXT), _figure(flow, predicted), Text(_table(flow))])


def exp(log: float) -> float:
    """eˡ, zero or infinite where it is no longer a number."""
    return math.exp(log) if -700 < log < 700 else 0.0 if log < 0 else math.inf


def gain_picture(flow: Flow) -> Picture:
    """The gain against the lag, drawn without a caption."""
    return _figure(flow, None).picture


def _figure(flow: Flow, predicted: Predicted | None) -> Figure:
    joint = flow.gains.joint[:, 0]
    lags = list(range(len(joint)))
    law = flow.law
    series = [Series("gain", lags, [exp(v) for v in joint])]
    marks: list[tuple[float, str]] = []
    told = ""
    if law is not None:
        name, rate = _LINES[law.kind], flow.growth.rate
        logs = [law.log(k) if law.degree else rate * k for k in lags]
        series.append(Series(f"${name}$", lags, [exp(v) for v in logs], beside=0))
        told = f" ${name}$, dotted, is the growth of the long run."
    if predicted is not None:
        series.append(Series("$\\chi^{k/2}$", lags, [exp(predicted.rate * k) for k in lags]))
        marks = [(predicted.reach, f"$\\sqrt{{n}}$ = {predicted.reach:.1f}")]
        told += (
            r" $\chi^{k/2}$ is the mean-field prediction (asymptotic in $n$, not proved); with fixed weights it holds "
            r"for $k \ll \sqrt n$ only, which the upright line marks."
        )
    if np.abs(joint[np.isfinite(joint)]).max(initial=0.0) > math.log(LARGEST):
        told += f" Nothing is drawn beyond 10 to the ±{math.log10(LARGEST):.0f}; the table goes on."
    drawn = line_figure(series, xlabel="lag $k$ in steps", ylabel="gain", logy=True, marks=marks)
    return Figure(
        to_picture(drawn),
        f"**Figure.** The gain against the lag.{told}",
        f"Gain of the gradient against the lag from 0 to {len(lags) - 1}, logarithmic.",
        "fig-gain",
    )


def _table(flow: Flow) -> str:
    ends = flow.extremes
    rows = [
        [
            f"{k}",
            number_of_log(float(flow.gains.joint[k, 0])),
            number_of_log(float(ends.largest[i])),
            "–" if math.isnan(ends.smallest[i]) else number_of_log(float(ends.smallest[i])),
        ]
        for i, k in enumerate(ends.lags)
    ]
    return table(["lag $k$", "gain", "largest singular value", "smallest singular value"], rows)


def shares_section(flow: Flow) -> Section:
    """Each lag's share of the gradient, parameter by parameter."""
    title = heading("shares", "Each lag’s share of the gradient")
    if not flow.shares.parts:
        return Section("shares", [Text(title + NO_PARAMETERS)])
    if not math.isfinite(flow.shares.size):
        return Section("shares", [Text(f"{title}Not told: {LEFT.format(flow.shares.lags)}")])
    found, check = flow.shares, "✓" if flow.difference < 1e-10 else "✗"
    last = len(found.shares) - 1
    shown = sorted({d for d in (0, 1, 2, 5, 10, 20, 50) if d < last} | {last})
    every = {"all together": found.shares}
    every |= {f"${latex_name(name)}$": share for name, share in found.by_parameter.items()}
    rows = [
        [name, *(percent(float(share[: d + 1].sum())) for d in shown)]
        for name, share in every.items()
    ]
    text = (
        title
        + r"$\partial L/\partial\theta = \sum_d G_d$ where $G_d$ is what every loss contributes through the "
        f"parameter's use $d$ steps before it. Measured over a run of {last + 1} steps, with random gradients of the "
        "losses by the cell's output at every step. A share is "
        r"$\langle G_d, G\rangle/\langle G, G\rangle$; the table adds up the shares of the lags $0$ to $d$. "
        r"A lag that pulls against the whole has a negative share, so a sum can be above 100 %."
        + f"\n\n{table(['parameter', *(f'$d = {d}$' for d in shown)], rows)}\n\n"
        f"{check} The parts add up to the gradient by one backward pass: relative difference "
        f"{number(flow.difference)}."
    )
    return Section("shares", [Text(text), _shares_figure(flow)])


def _shares_figure(flow: Flow) -> Figure:
    """‖G_d‖ of all parameters together, and of those with the largest gradients."""
    found = flow.shares
    sizes = {name: float(np.abs(value).max(initial=0.0)) for name, value in found.total.items()}
    most = sorted(sizes, key=lambda name: -sizes[name])[:DRAWN]
    lines = {"all": found.norms} | {
        f"${latex_name(k)}$": v for k, v in found.norms_by_parameter.items() if k in most
    }
    whole = found.size or 1.0
    lags = list(range(len(found.norms)))
    series = [Series(name, lags, (v / whole).tolist()) for name, v in lines.items() if v.any()]
    series = series or [Series("all", lags, found.norms.tolist())]
    drawn = line_figure(
        series, xlabel="lag $d$ in steps", ylabel=r"$\|G_d\| \,/\, \|G\|$", logy=True
    )
    return Figure(
        to_picture(drawn),
        "**Figure.** The norm of each lag's part of the gradient: all parameters together, and those with the "
        "largest gradients.",
        f"Norms of the lags' parts, {len(series)} lines, logarithmic.",
        "fig-shares",
    )
