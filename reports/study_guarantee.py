"""The guarantee in a study: what is certain for every input in a box, and where nothing is, how far away it is."""

from __future__ import annotations

import math

from derive.latex import latex_name
from numeric.flow import Flow
from numeric.setting import is_square
from proofs.guarantee import LEAST_SCALE, MOST_SCALE, Attempt, Guarantee
from proofs.guarantee_setting import REACH, Certified
from reports.figures import Series, line_figure, to_picture
from reports.markdown import code_span, escape_markdown, table
from reports.notebook import Figure, Section, Text
from reports.report_links import heading
from reports.report_study import number, number_of_log
from reports.study_gain import exp

FILE = "certificate.json"
FAR = 20.0
"""A state that can become larger than this is told to be what stands in the way of a certificate."""
WAYS = {
    "elementwise": r"elementwise: $Mv \le \rho v$ for $M \ge \lvert J\rvert$",
    "small gain": r"small gain: $Mv \le \rho v$ for norms of $J$'s blocks",
    "tube": "tube around a trajectory",
}


def guarantee_section(certified: Certified, flow: Flow) -> Section:
    """What is certain, every way that was tried, and the bound beside the measurement.

    Args:
        certified: from ``proofs.guarantee_setting``.
        flow: the measurements.
    """
    found, head = certified.guarantee, heading("guarantee", "What is certain")
    if found is None:
        return Section(
            "guarantee", [Text(f"{head}**Not certified.** {escape_markdown(certified.reason)}")]
        )
    text = f"{head}{_claim(found, flow)}\n\n{_ways(found)}\n\n{_scale(found, flow)}\n\n{_box(certified, found)}"
    shown = [_figure(found.best, flow)] if found.certified and found.best is not None else []
    return Section("guarantee", [Text(text), *shown])


def told(certified: Certified) -> str:
    """The guarantee in one line."""
    found = certified.guarantee
    if found is None:
        return f"not certified: {certified.reason}"
    best = found.best
    if best is not None and found.certified:
        return f"certified: ‖∂s_T/∂s_0‖ ≤ {above(best.constant)} · {above(best.rho)}ᵀ for every T, {best.covers}"
    reached = (
        "the Jacobian is unbounded"
        if _least(found) == math.inf
        else f"the best ρ is {above(_least(found))}"
    )
    return f"not certified: {reached}; {_distance(found, f'{found.scale:.4g}')}"


def above(value: float) -> str:
    """A bound to six digits, rounded up: what is shown is a bound too."""
    if not math.isfinite(value) or value == 0:
        return "∞" if value else "0"
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 5)
    rounded = math.ceil(value / step) * step
    return f"{rounded:.6g}" if float(f"{rounded:.6g}") >= value else f"{rounded + step:.6g}"


def _tex(value: float) -> str:
    """``above`` in a formula, powers of ten written out."""
    digits, _, power = above(value).replace("∞", r"\infty").partition("e")
    return rf"{digits} \cdot 10^{{{int(power)}}}" if power else digits


def _power(base: str) -> str:
    return rf"\left({base}\right)" if " " in base else base


def _least(found: Guarantee) -> float:
    """The smallest ρ of the ways that hold for every T."""
    return min((a.rho for a in found.attempts if a.steps == 0), default=math.inf)


def _claim(found: Guarantee, flow: Flow) -> str:
    best = found.best
    if best is None or not found.certified:
        short = "" if best is None or best.steps == 0 or not best.vanishes else (
            f" Near one measured run something is certain: over its {best.steps} steps the norm is at most "
            f"{number_of_log(math.log(best.constant) + best.steps * math.log(best.rho))}, for every start in a thin "
            "tube around it."
        )  # fmt: skip
        reached = _least(found)
        far = "no entry of the Jacobian is bounded over the box" if reached == math.inf else (
            rf"the smallest bound for every $T$ has $\rho = {_tex(reached)}$, where $\rho < 1$ is needed"
        )  # fmt: skip
        return f"**Not certified**: {far}.{short}"
    constant = "" if best.constant == 1 else rf"{_tex(best.constant)} \cdot "
    halves = math.log(2) / -math.log(best.rho) if best.rho > 0 else 0.0
    return (
        f"**Certified**: for {best.covers}, and every $T$,\n\n"
        rf"$$\Bigl\lVert \frac{{\partial \mathbf{{s}}_T}}{{\partial \mathbf{{s}}_0}} \Bigr\rVert_2 \le "
        rf"{constant}{_power(_tex(best.rho))}^{{\,T}}$$"
        f"\n\nThe bound halves every {halves:.1f} steps; the measured gradient changes by the factor "
        f"$e^{{\\lambda_1}} = {exp(flow.growth.rate):.4g}$ per step."
    )


def _ways(found: Guarantee) -> str:
    rows = [
        [
            WAYS[a.method],
            f"${{{_tex(a.rho)}}}$",
            f"${{{_tex(a.constant)}}}$",
            "every" if a.steps == 0 else f"{a.steps}",
            a.covers,
        ]
        for a in found.attempts
    ]
    return table(["way", r"$\rho$", "$C$", "$T$", "for"], rows)


def _scale(found: Guarantee, flow: Flow) -> str:
    told = _distance(found, scale_text(found.scale)).replace("ρ < 1", r"$\rho < 1$")
    return f"Largest certified weight scale: {told}.{_reason(found, flow)}"


def scale_text(scale: float) -> str:
    """A factor on the weights as it stands on a page: to four digits, or as a power of ten."""
    return f"{scale:.4g}" if scale >= 1e-3 else number(scale)


def _reason(found: Guarantee, flow: Flow) -> str:
    """Why nothing is certified, where it is for a state that can grow far beyond what a run shows."""
    widest = found.attempts[0].widest if found.attempts else {}
    wide = [rf"${latex_name(k)}$ up to ${_side(v)}$" for k, v in widest.items() if v > FAR]
    if found.certified or not wide:
        return ""
    smaller = (
        " Narrower inputs (`--inputs`) leave larger weights certain." if flow.setting.inputs else ""
    )
    return (
        f" What stands in the way: the bound must hold even for inputs that stay at the worst edge of their box for "
        f"ever. These could hold a gate open and drive {' and '.join(wide)}, and a slope that this state multiplies "
        f"is as large; the measured run is nowhere near that.{smaller}"
    )


def _distance(found: Guarantee, scale: str) -> str:
    if not any(is_square(q) for q in found.problem.derivation.cell.parameters):
        return "the cell has no square matrices, whose factor would be looked for"
    if found.scale == math.inf:
        return f"a bound with ρ < 1 was found for every factor on the square matrices, up to {MOST_SCALE:,.0f}"
    if found.scale == 0:
        return f"no bound with ρ < 1 was found for any factor on the square matrices, down to 1/{1 / LEAST_SCALE:,.0f}"
    return f"a bound with ρ < 1 exists with all square matrices multiplied by {scale}; at 3 % more none was found"


def _box(certified: Certified, found: Guarantee) -> str:
    kinds = {q.kind for q in found.problem.derivation.cell.inputs}
    chosen = "Every entry of an index's column lies between 0 and 1. " if "index" in kinds else ""
    box = (
        rf"The box of the inputs: every entry between $\pm {certified.reach:g}$, {REACH:g} standard deviations. "
        if certified.reach
        else "The inputs are zero. "
    )
    box = chosen if kinds == {"index"} else f"{box}{chosen}" if kinds else ""
    kept = found.best is not None and found.best.certificate is not None
    file = f"The best bound is kept in {code_span(FILE)}; " if kept else ""
    check = (
        f"{file}{code_span(f'python -m proofs.guarantee_checker {FILE}')} re-checks its arithmetic in exact rational "
        "numbers with Python's own library alone."
    )
    widest = found.attempts[0].widest if found.attempts else {}
    sides = ", ".join(rf"$\lvert {latex_name(k)}\rvert \le {_side(v)}$" for k, v in widest.items())
    return (
        f"{box}The box of the states, which no step leaves, was found by interval iteration: {sides}. "
        "$J$ is enclosed over both with outward rounding, "
        rf"$\tanh$ and $\sigma$ by ball arithmetic. {check if kept else ''}"
    ).rstrip()


def _side(value: float) -> str:
    return _tex(value) if value < math.inf else r"\infty"


def _figure(best: Attempt, flow: Flow) -> Figure:
    lags = [int(k) for k in flow.extremes.lags]
    bound = [
        exp(math.log(best.constant) + k * math.log(best.rho)) if best.rho else 0.0 for k in lags
    ]
    series = [
        Series("certified bound", lags, bound),
        Series("measured", lags, [exp(float(v)) for v in flow.extremes.largest]),
    ]  # fmt: skip
    drawn = line_figure(series, xlabel="lag $k$ in steps", ylabel="norm", logy=True)
    return Figure(
        to_picture(drawn),
        r"**Figure.** The certified bound $C\rho^k$ above the measured largest singular value, "
        r"$\lVert\partial \mathbf{s}_T/\partial \mathbf{s}_{T-k}\rVert_2$.",
        f"Certified bound and measured norm against the lag from {lags[0]} to {lags[-1]}, logarithmic.",
        "fig-guarantee",
    )


def numbers(certified: Certified) -> dict[str, object]:
    """The guarantee as plain data."""
    found = certified.guarantee
    if found is None:
        return {"certified": False, "reason": certified.reason}
    every = [
        {"way": a.method, "rho": a.rho, "C": a.constant, "steps": a.steps or None, "for": a.covers}
        for a in found.attempts
    ]
    return {
        "certified": found.certified,
        "reach": certified.reach,
        "largest_certified_scale": found.scale,
        "ways": every,
    }
