"""The study in a report: the gradient's norm against the lag, in figures, numbers and sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from derive.latex import latex_name
from numeric.growth_law import FACTOR, law
from numeric.interpret import Array
from numeric.study import TRUNCATIONS, Study
from reports.figures import Series, line_figure, to_picture
from reports.markdown import table
from reports.notebook import Figure, Section, Text
from reports.report_checks import typeset
from reports.report_links import heading
from reports.verdict import OPEN, UNKNOWN, of_both, of_power
from reports.verdict import typeset as typeset_sentence

LAGS = (1, 2, 5, 10, 20, 50, 100)
AGREE = 1e-10
NO_PARAMETERS = "The cell has no parameters: there is no gradient by them to be shared out."


def study_section(study: Study) -> Section:
    """Figures and tables of the gradient flow."""
    text = (
        heading("study", "Gradient norm against lag")
        + f"{_setting(study)}\n\n{_what(study)}\n\n{_finding(study)}"
    )
    gain = [Text(text), _gain_figure(study), Text(_gain_table(study))]
    return Section("study", [*gain, *_by_lag(study)])


def _by_lag(study: Study) -> list[Text | Figure]:
    """What each lag gives to the gradient by the parameters, and what truncation leaves out of it."""
    title = heading("lags", "Each lag’s share of the gradient", 3)
    if not study.shares.parts:
        return [Text(title + NO_PARAMETERS)]
    return [
        Text(f"{title}{_shares_text(study)}\n\n{_shares_table(study)}"),
        _share_figure(study),
        Text(_truncation(study)),
        _bias_figure(study),
    ]


def no_study(reason: str) -> Section:
    """What stands in the study's place where nothing could be measured; ``reason`` is Markdown."""
    return Section(
        "study", [Text(heading("study", "Gradient norm against lag") + f"Not measured. {reason}")]
    )


# --- text -------------------------------------------------------------------------------------------------------------


def _setting(study: Study) -> str:
    sizes = ", ".join(f"${latex_name(name)} = {size}$" for name, size in study.sizes.items())
    given = "".join(
        f" The constant ${latex_name(name)}$ is {value:g}{' (assumed)' if name in study.assumed else ''}."
        for name, value in study.constants.items()
    )
    return (
        f"Measured at the start of training: weights from the code's own `init_params`, {study.samples} times with the "
        f"seeds {study.seed} to {study.seed + study.samples - 1}; inputs {study.inputs}; initial values zero; {sizes}; "
        f"$T = {study.steps}$.{given}"
    )


def _what(study: Study) -> str:
    how = "every direction is" if study.gains.exact else "random directions are"
    text = (
        r"The gain at lag $k$ is $\lVert \partial \mathbf{s}_T / \partial \mathbf{s}_{T-k} \rVert_F / \sqrt{N}$ with "
        f"$N = {study.gains.size}$ entries in the state: the factor by which a gradient of random direction changes on "
        f"its way back over $k$ steps. It is computed in logarithms, so it cannot underflow; {how} pulled back "
        "through the equations above."
    )
    alone = [rf"along ${latex_name(name)}$" for name, _ in _paths(study)]
    if alone:
        text += (
            f" The line {' and '.join(alone)} follows that state alone, whose own block of the Jacobian is diagonal; "
            "ways that lead through other states are left out."
        )
    return text


def _finding(study: Study) -> str:
    """Whether the gradient vanishes, explodes or stays.

    It stays where the rate is within twice its standard error over the samples of 0, or changes the gradient by less
    than a factor 2 over the run; where the gain follows a power of the lag, that is told; see ``numeric.growth_law``.
    """
    rate, last = study.gains.rate, study.steps
    half = last // 2
    if rate == -math.inf:
        return (
            f"**Between lag {half} and lag {last} the gradient becomes zero** in at least half of the runs, as far as "
            "floating-point numbers tell."
        )
    found = law(study.gains.course)
    if found.kind in ("polynomial", "both"):
        told = of_both(found) if found.kind == "both" else of_power(found, f"{last} steps")
        first, _, rest = typeset_sentence(told).partition(": ")
        return f"**{first}**: {rest}"
    factor = f"Between lag {half} and lag {last} the gain changes by the factor {math.exp(rate):.3f} per step (median)"
    error = float(np.std(study.gains.rates, ddof=1)) / math.sqrt(study.samples)
    if found.kind == "unsettled":
        return f"**The gain follows no one law over {last} steps.** {factor}."
    if 2 * error * half > UNKNOWN and abs(rate) < 2 * error:
        return (
            f"**Over {last} steps the gradient neither grows nor vanishes for certain.** {factor}."
        )
    if abs(rate) < max(FACTOR / last, 2 * error):
        return f"**The gradient keeps its size.** {factor}."
    if found.kind == "open":
        return f"**The gradient {'shrinks' if rate < 0 else 'grows'}.** {factor}; {OPEN}."
    way, verb = ("vanishes", "halves") if rate < 0 else ("explodes", "doubles")
    return f"**The gradient {way}.** {factor}: it {verb} every {math.log(2) / abs(rate):.1f} steps."


def _shares_text(study: Study) -> str:
    shares = study.shares.shares
    reach = int(np.argmax(np.cumsum(shares) >= 0.9))
    outputs = ", ".join(f"${latex_name(name, time='t')}$" for name in study.loss)
    verdict = "✓" if study.difference <= AGREE else "✗"
    bound = typeset(f"{AGREE:.0e}" if study.difference <= AGREE else f"{study.difference:.1e}")
    relation = "below" if study.difference <= AGREE else "as large as"
    return (
        r"$\partial L / \partial \theta = \sum_d G_d$, where $G_d$ is what the losses contribute through the "
        f"parameters' use $d$ steps earlier, all parameters together. The loss looks at {outputs} at every step, with "
        r"random weights; first seed. A share is $\langle G_d, G \rangle / \langle G, G \rangle$; the shares add up to "
        "one. "
        f"The first {reach + 1} {'lag gives' if reach == 0 else f'lags (0 to {reach}) give'} 90 % of the gradient.\n\n"
        f"{verdict} The sum over the lags is the gradient that the generated code returns: the relative difference is "
        f"{relation} {bound}."
    )


def _truncation(study: Study) -> str:
    found = study.shares
    left = found.left_out
    rows = [
        [f"{k}", number(float(left[k])), number(found.bias((k, k)))]
        for k in TRUNCATIONS
        if k < len(left) - 1
    ]
    head = ["$k_2$", "bias at $k_1 = 1$", "bias at $k_1 = k_2$"]
    return (
        heading("truncation", "What truncation leaves out", 3)
        + "Truncated backpropagation runs the adjoints back every $k_1$ steps, $k_2$ steps far. A loss at step $t$ "
        r"then reaches the parameters' use at step $k$ only if $e(t) - k < k_2$, where "
        r"$e(t) = \min(k_1 \lceil t / k_1 \rceil, T)$ ends the window that sees it. Its bias is the sum of the lags "
        r"that are left out, for $k_1 = 1$ $\lVert \sum_{d \ge k_2} G_d \rVert / \lVert G \rVert$. In this run:"
        + f"\n\n{table(head, rows)}"
    )


def number(value: float) -> str:
    """A number that is not negative, to three digits, however small or large."""
    return number_of_log(math.log(value) if value > 0 else -math.inf)


# --- numbers ----------------------------------------------------------------------------------------------------------


def _gain_table(study: Study) -> str:
    columns = list(_columns(study))
    lags = [lag for lag in LAGS if lag < len(study.gains.joint)]
    rows = [
        [f"{lag}", *(number_of_log(_median(values, lag)) for _, values in columns)] for lag in lags
    ]
    head = ["lag $k$", *(name for name, _ in columns)]
    return f"Medians over the {study.samples} runs:\n\n{table(head, rows)}"


def _columns(study: Study) -> Iterator[tuple[str, Array]]:
    yield "gain of the whole state", study.gains.joint
    if study.gains.largest is not None:
        yield "largest singular value", study.gains.largest
    yield from _parts(study)


def _parts(study: Study) -> Iterator[tuple[str, Array]]:
    """The gain from a state to itself, where there are several, and along one state alone."""
    names = list(dict.fromkeys(u for u, _ in study.gains.blocks))
    for name in names if len(names) > 1 else ():
        yield f"${_derivative(name)}$", study.gains.blocks[name, name]
    for name, values in _paths(study):
        yield rf"along ${latex_name(name)}$", values


def _paths(study: Study) -> list[tuple[str, Array]]:
    """The ways along one state, where they are not the whole."""
    several = len({u for u, _ in study.gains.blocks}) > 1
    return list(study.gains.paths.items()) if several else []


def _derivative(name: str) -> str:
    return rf"\partial {latex_name(name, time='T')} / \partial {latex_name(name, time='T-k')}"


def _shares_table(study: Study) -> str:
    shares, norms = study.shares.shares, study.shares.norms
    whole = study.shares.size or 1.0
    lags = [lag for lag in (0, *LAGS) if lag < len(shares)]
    rows = [
        [
            f"{d}",
            number_of_log(math.log(norms[d] / whole) if norms[d] > 0 else -math.inf),
            percent(shares[d]),
            percent(shares[: d + 1].sum()),
        ]
        for d in lags
    ]
    head = [
        "lag $d$",
        r"$\lVert G_d \rVert / \lVert G \rVert$",
        "share",
        "share of lags $0$ to $d$",
    ]
    return table(head, rows)


def _median(values: Array, lag: int) -> float:
    return float(np.median(values[lag]))


def number_of_log(log: float) -> str:
    """A number given by its natural logarithm, to three digits, however small or large."""
    if log == -math.inf:
        return "0"
    power = log / math.log(10)
    if -3 < power < 4:
        return f"{math.exp(log):#.3g}".rstrip(".")
    exponent = math.floor(power)
    mantissa = f"{10 ** (power - exponent):.2f}"
    if mantissa == "10.00":
        mantissa, exponent = "1.00", exponent + 1
    return rf"${{{mantissa} \cdot 10^{{{exponent}}}}}$"


def percent(share: float) -> str:
    """A share in per cent, to one digit."""
    shown = f"{100 * share:.1f}"
    return f"{'0.0' if shown == '-0.0' else shown} %".replace("-", "−")


# --- figures ----------------------------------------------------------------------------------------------------------


def _gain_figure(study: Study) -> Figure:
    lags = range(len(study.gains.joint))
    series = [_series("whole state", lags, study.gains.joint, banded=True)]
    series += [_series(name, lags, values) for name, values in _parts(study)]
    drawn = line_figure(series, xlabel="lag $k$ in steps", ylabel="gain", logy=True)
    alt = f"Gain of the gradient against the lag from 0 to {len(lags) - 1}, logarithmic: {len(series)} lines."
    return Figure(
        to_picture(drawn),
        f"**Figure 2.** The gain against the lag: median of {study.samples} runs; the band reaches from the smallest "
        "to the largest.",
        alt,
        "fig-gain",
    )


def _series(label: str, lags: Sequence[int], values: Array, *, banded: bool = False) -> Series:
    middle = np.exp(np.median(values, axis=1))
    if not banded:
        return Series(label, list(lags), middle.tolist())
    low, high = np.exp(values.min(axis=1)), np.exp(values.max(axis=1))
    return Series(label, list(lags), middle.tolist(), low.tolist(), high.tolist())


def _share_figure(study: Study) -> Figure:
    norms = study.shares.norms
    whole = study.shares.size or 1.0
    series = [Series("all parameters", list(range(len(norms))), (norms / whole).tolist())]
    drawn = line_figure(
        series, xlabel="lag $d$ in steps", ylabel=r"$\|G_d\| \,/\, \|G\|$", logy=True
    )
    alt = f"Norm of each lag's part of the parameters' gradient, lags 0 to {len(norms) - 1}, logarithmic."
    return Figure(
        to_picture(drawn),
        "**Figure 3.** The norm of each lag's part of the gradient by all parameters.",
        alt,
        "fig-shares",
    )


def _bias_figure(study: Study) -> Figure:
    left = study.shares.left_out[:-1]
    ends = [(k, study.shares.bias((k, k))) for k in TRUNCATIONS if k < len(left)]
    series = [
        Series("$k_1 = 1$", list(range(1, len(left))), left[1:].tolist()),
        Series("$k_1 = k_2$", [k for k, _ in ends], [bias for _, bias in ends]),
    ]
    drawn = line_figure(series, xlabel="$k_2$ in steps", ylabel="relative bias", logy=True)
    alt = f"Relative bias of the truncated gradient against k2, from 1 to {len(left) - 1}, logarithmic: two lines."
    return Figure(
        to_picture(drawn),
        "**Figure 4.** How far the truncated gradient is from the whole one, in norm, all parameters together.",
        alt,
        "fig-bias",
    )
