"""The page of a network's study: how much of the last step's loss reaches each layer's start, by the length."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from derive.latex import latex_name
from derive.network import Network
from proofs.network_norms import LayerNorm
from reports.figures import Series, line_figure, to_picture
from reports.markdown import code_span, table
from reports.network_flow import label
from reports.notebook import Figure, Section, Text, build
from reports.report_links import heading
from reports.report_study import number, number_of_log
from reports.study_gain import exp

if TYPE_CHECKING:
    from nbformat import NotebookNode


@dataclass(frozen=True, slots=True)
class NetworkStudy:
    """What the page tells.

    Args:
        network: the network.
        lengths: T.
        states: log ‖∂L_T/∂s_0‖ by name of the state, (lengths,).
        segments: ‖∂L/∂θ‖ and ‖θ‖ by segment, over sequences of the usual length.
    """

    network: Network
    lengths: Sequence[int]
    states: Mapping[str, np.ndarray]
    segments: Mapping[str, LayerNorm]

    @property
    def middle(self) -> int:
        """Where the second half of the lengths begins."""
        return min(len(self.lengths) // 2, len(self.lengths) - 2)

    def rate(self, name: str) -> float:
        """The factor per step over the second half of the lengths: its logarithm."""
        first, end = self.states[name][self.middle], self.states[name][-1]
        if -math.inf in (first, end):
            return -math.inf if end == -math.inf else math.inf
        return float(end - first) / (self.lengths[-1] - self.lengths[self.middle])


_PARAMETERS = heading("parameters", "Gradient by the parameters of each segment")
_HEAD = (
    r"$\lVert\partial L/\partial\theta\rVert$", r"$\lVert\theta\rVert$",
    r"$\lVert\partial L/\partial\theta\rVert/\lVert\theta\rVert$",
)  # fmt: skip


def build_network_study(study: NetworkStudy) -> NotebookNode:
    """The notebook of a network's study."""
    name = study.network.name
    middle, last = study.lengths[study.middle], study.lengths[-1]
    lead = (
        f"Network {code_span(name)}, as its generated code starts it, on random data. The loss counts at the last "
        r"step; $\lVert\partial L_T/\partial s_0\rVert$ is how much of it reaches the start of each layer's state, the "
        "root mean square of four sequences. A layer that runs in reverse starts at the last step. "
        f"Log per step is the slope of the norm's logarithm between $T = {middle}$ and the longest, $T = {last}$: "
        "negative where the gradient vanishes, near zero where the loss is close to the start."
        + _names(study.network)
    )
    figure = _figure(study)
    head = ["state", "log per step", *(f"$T = {t}$" for t in study.lengths)]
    rows = [
        [
            label(study.network, state),
            _rate(study.rate(state)),
            *(number_of_log(v) for v in values.tolist()),
        ]
        for state, values in study.states.items()
    ]
    norms = [
        [code_span(k), *map(number, (v.gradient, v.weights, v.relative))]
        for k, v in study.segments.items()
    ]
    sections = [
        Section("summary", [Text(lead)]),
        Section("layers", [Text(heading("layers", "Layer by layer")), figure, Text(table(head, rows))]),
        Section(
            "parameters",
            [Text(_PARAMETERS + table(["segment", *_HEAD], norms))],
        ),
    ]  # fmt: skip
    return build(f"Gradient flow: the network {name}", sections, metadata={"network": name})


def _figure(study: NetworkStudy) -> Figure | Text:
    """The norms against the length; what it means where all of them are 0."""
    series = [
        Series(label(study.network, state), list(study.lengths), [exp(v) for v in values.tolist()])
        for state, values in study.states.items()
        if np.isfinite(values).any()
    ]
    if not series:
        return Text(
            "With these weights nothing of the loss reaches the start of any state: all norms are exactly 0. "
            "A parameter that starts at 0 and multiplies all that the states give may be why, as the vector that an "
            "attention scores with; then declare in the file how it starts: `init v = normal`."
        )
    drawn = line_figure(
        series, xlabel="length $T$ in steps", ylabel=r"$\|\partial L_T/\partial s_0\|$", logy=True
    )
    return Figure(
        to_picture(drawn),
        "**Figure 1.** The gradient at the start of every layer's state, against the length.",
        f"Gradient norms of {len(series)} states against the length, logarithmic.",
        "fig-layers",
    )


def _names(network: Network) -> str:
    """How the states of scanned cells are called."""
    for s in network.segments:
        for q in s.cell.states:
            inner = q.name.removeprefix(f"{s.name}_")
            if inner != q.name:
                return f" {label(network, q.name)} is the state ${latex_name(inner)}$ of segment {code_span(s.name)}."
    return ""


def _rate(rate: float) -> str:
    return f"{rate:+.4f}".replace("-", "−") if math.isfinite(rate) else "–"
