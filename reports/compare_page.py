"""The page of a comparison: several cells, one figure of the gain against the lag, and what each of them costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from derive.derivation import Derivation
from numeric.costs import Costs
from numeric.flow import Flow
from numeric.setting import told_unheard, unheard
from proofs.untyped import sympy
from reports.figures import Series, line_figure, to_picture
from reports.markdown import code_span, table
from reports.notebook import Figure, Section, Text, build
from reports.report_links import heading
from reports.report_study import number_of_log
from reports.study_guarantee import scale_text
from reports.study_page import how_drawn, how_started
from reports.verdict import typeset_verdict, with_error

if TYPE_CHECKING:
    from nbformat import NotebookNode

SAMPLES = 32


@dataclass(frozen=True, slots=True)
class Entry:
    """One cell of a comparison.

    Args:
        label: what the user asked for.
        derivation: of the cell.
        flow: what was measured.
        costs: as formulas.
        sizes: by dimension.
        certified: the largest weight scale for which vanishing is certified; the column appears where it is known.
    """

    label: str
    derivation: Derivation
    flow: Flow
    costs: Costs
    sizes: dict[Any, int]
    certified: float | None = None

    @property
    def numbers(self) -> tuple[int, int, int]:
        """Parameters, operations and memory in this setting."""
        return self.costs.at(self.sizes, self.flow.setting.steps, SAMPLES)

    @property
    def unheard(self) -> tuple[str, ...]:
        """What the setting asks of square matrices that the cell does not have."""
        return unheard(self.derivation.cell, self.flow.setting)


def build_comparison(entries: Sequence[Entry], lengths: Sequence[int] = ()) -> NotebookNode:
    """The notebook of a comparison.

    Args:
        entries: the cells in the order of the figure.
        lengths: where the gradient's norm is told; the largest of the figure if left out.
    """
    s = entries[0].flow.setting
    lead = (
        "\n".join(f"- {code_span(e.label)}: {typeset_verdict(e.flow)}" for e in entries)
        + f"\n\nEvery cell with $n = {s.n}$, other dimensions {s.m}; {how_started(s)}; "
        f"{how_drawn(s, *(e.derivation.cell for e in entries))}; $T = {s.steps}$; seed {s.seed}."
    )
    if deaf := told_unheard({code_span(e.label): e.unheard for e in entries}):
        lead += f" Here {deaf}"
    sections = [
        Section("summary", [Text(lead)]),
        Section("gain", [Text(heading("gain", "Gradient norm against length") + _GAIN), _figure(entries)]),
        Section("rates", [Text(heading("rates", "Rates") + _rates(entries, lengths))]),
        Section("costs", [Text(heading("costs", "Costs") + _COSTS + _costs(entries, s.steps))]),
    ]  # fmt: skip
    names = ", ".join(e.label for e in entries)
    return build(f"Gradient flow compared: {names}", sections)


_GAIN = (
    r"The gain is $\lVert\partial \mathbf{s}_T/\partial \mathbf{s}_{T-k}\rVert_F/\sqrt N$ of the joint state, for an "
    "LSTM $h$ and $c$ together."
)
_COSTS = (
    "Operations of a forward pass: $2rc$ for the product of an $r \\times c$ matrix with a vector, at which products "
    "of several matrices begin, and one for each entry of every other operation. Memory: the numbers kept for the "
    "backward pass, every value of every step that the adjoint equations name.\n\n"
)


def _figure(entries: Sequence[Entry]) -> Figure:
    series = [
        Series(e.label, list(range(len(gain))), [math.exp(max(v, -700)) if v > -700 else 0.0 for v in gain])
        for e in entries
        for gain in [e.flow.gains.joint[:, 0]]
    ]  # fmt: skip
    drawn = line_figure(series, xlabel="length $k$ in steps", ylabel="gain", logy=True)
    return Figure(
        to_picture(drawn),
        "**Figure 1.** The gain against the length, all cells.",
        f"Gain of the gradient against the length for {', '.join(e.label for e in entries)}, logarithmic.",
        "fig-compared",
    )


def _rates(entries: Sequence[Entry], lengths: Sequence[int]) -> str:
    """Two tables: what holds for the cell, and the norms at the lengths."""
    at = tuple(lengths) or (len(entries[0].flow.gains.joint) - 1,)
    known = any(e.certified is not None for e in entries)
    rates: list[list[str]] = []
    norms: list[list[str]] = []
    for e in entries:
        flow, half = e.flow, e.flow.half_life
        life = f"{half:.{1 if half >= 0.1 else 3}f}" if 0 < half < math.inf else "–"
        rates.append(
            [code_span(e.label), _rate(flow), life, *([_scale(e.certified)] if known else [])]
        )
        ends = zip(flow.extremes.lags, flow.extremes.largest, strict=True)
        largest = [number_of_log(float(value)) for lag, value in ends if lag in at]
        gained = [number_of_log(float(flow.gains.joint[k, 0])) for k in at]
        norms.append([code_span(e.label), *gained, *largest])
    bound = ["largest certified weight scale"] if known else []
    there = [k for k in entries[0].flow.extremes.lags if k in at]
    head = ["cell", *(f"gain at {k}" for k in at), *(f"σ₁ at {k}" for k in there)]
    first = table(["cell", "λ₁ per step", "half-life in steps", *bound], rates)
    return f"{first}\n\n{table(head, norms)}"


def _scale(certified: float | None) -> str:
    if certified is None:
        return "–"
    return "every" if certified == math.inf else scale_text(certified) if certified else "none"


def _rate(flow: Flow) -> str:
    if flow.growth.rate == -math.inf:
        return "−∞"
    if flow.law is not None and flow.law.degree:
        beside = f"{flow.law.degree:.2f}".replace("-", "−")
        return (
            f"{with_error(flow.law.rate, flow.law.rate_error)}, beside a power {beside} of the lag"
        )
    return f"{flow.growth.rate:.5f} ± {flow.growth.error:.5f}".replace("-", "−")


def _costs(entries: Sequence[Entry], steps: int) -> str:
    parts: list[str] = []
    titles = ("parameters", "operations", "numbers kept")
    for i, title in enumerate(titles):
        rows = []
        for e in entries:
            formula = (e.costs.parameters, e.costs.operations, e.costs.memory)[i]
            rows.append(
                [code_span(e.label), f"${sympy.latex(sympy.factor(formula))}$", f"{e.numbers[i]:,}"]
            )
        head = ["cell", title, "value" if i == 0 else f"at $T = {steps}$, $B = {SAMPLES}$"]
        parts.append(table(head, rows))
    return "\n\n".join(parts)
