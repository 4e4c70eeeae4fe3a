"""The report on one network: its text, its drawing, the derivation segment by segment, norms, code and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from derive.derivation import Derivation
from derive.domains import domains_of
from derive.network import END, Network, Segment
from derive.network_derivation import NetworkDerivation, heading
from proofs.network_norms import LayerNorm
from proofs.table import Verification
from reports.drawing import draw_flow
from reports.figures import to_picture
from reports.flow import flow
from reports.markdown import code_span, equation, escape_markdown, table
from reports.network_flow import label, network_flow
from reports.network_links import code_of_segments, segment_links
from reports.notebook import Cell, Code, Figure, Section, Text, build, numbered
from reports.report_checks import checks_section
from reports.report_checks import summary as verdict
from reports.report_equations import HEADINGS, rules, step_text
from reports.report_links import Links
from reports.report_links import heading as title_of
from reports.unrolled import draw_unrolled

if TYPE_CHECKING:
    from nbformat import NotebookNode


@dataclass(frozen=True, slots=True)
class NetworkFindings:
    """What a network's report tells.

    Args:
        derivation: of the network.
        source: the generated code.
        verification: of derivation and code.
        norms: at the start of training, those of each segment's gradient and parameters, by segment; empty if
            it was not measured.
    """

    derivation: NetworkDerivation
    source: str
    verification: Verification
    norms: Mapping[str, LayerNorm]


def build_network_report(findings: NetworkFindings) -> NotebookNode:
    """The notebook of the report; the same findings give the same bytes.

    Args:
        findings: what is told. Names and titles in it may come from a user; they are escaped.
    """
    derivation, verification = findings.derivation, findings.verification
    network = derivation.network
    pairs = zip(network.segments, derivation.segments, strict=True)
    code = code_of_segments(derivation, findings.source)
    links = segment_links(derivation, code, verification)
    sections = [
        Section("summary", [Text(_summary(findings))]),
        _text(findings),
        _drawing(findings),
        _composed(findings),
        *(_segment(findings, s, d, links[s.name]) for s, d in list(pairs)[::-1]),
        Section(
            "rules", [Text(title_of("rules", "The rules") + rules(*derivation.segments[::-1]))]
        ),
        *([_norms(findings)] if findings.norms else []),
        _code(findings, code),
        checks_section(verification, list(links.values())),
    ]
    title = network.title.rstrip(".") or f"The network {network.name}"
    return build(title, numbered(sections), metadata={"network": network.name})


def _summary(findings: NetworkFindings) -> str:
    network = findings.derivation.network
    source = f" Source: {escape_markdown(network.reference)}." if network.reference else ""
    last = escape_markdown(network.segments[-1].name)
    return (
        f"Network {code_span(network.name)}.{source}\n\n"
        f"{verdict(findings.verification)} [See the checks](#checks).\n\n"
        "A network is a list of segments, each a cell run along one axis in one direction. Its gradients are those of "
        "its segments, taken in reverse order, and every adjoint of a segment's input is added to the adjoint of what "
        f"made it. The number ({last}-1) is equation 1 of segment {last}: below it stand links to the [rules](#rules) "
        "that made it, to its lines of code and to its check, and the # (1) in the code of that segment links back."
    )


def _text(findings: NetworkFindings) -> Section:
    network = findings.derivation.network
    used = ", ".join(code_span(name) for name in sorted(network.cells)) or "none"
    lead = f"{title_of('network', 'The network')}Cells that it scans: {used}."
    lines = [line for line in network.text.split("\n") if not line.startswith("#")]
    asked = domains_of(network).words(code_span)
    if asked:
        lead += f" So that all has a value, {asked}."
    return Section("network", [Text(lead), Code("\n".join(lines).strip("\n"), language="text")])


def _drawing(findings: NetworkFindings) -> Section:
    network = findings.derivation.network
    picture = to_picture(draw_flow(*network_flow(network)))
    names = ", ".join(s.name for s in network.segments)
    caption = "**Figure.** The network, rolled up. Gradients take the same ways backwards."
    figure = Figure(picture, caption, f"Data flow between the segments {names}.", "fig-network")
    unrolled = Figure(
        to_picture(draw_unrolled(network)),
        "**Figure.** The network, unrolled: a column for each step, … for the steps between.",
        f"The segments {names} at the first two steps and the last, with all arrows between them.",
        "fig-unrolled",
    )
    return Section("flow", [Text(title_of("flow", "Data flow")), figure, unrolled])


def _composed(findings: NetworkFindings) -> Section:
    """The backward pass of the whole network: which segment gets adjoints from where, and hands on which."""
    network, passages = findings.derivation.network, findings.derivation.passages
    rows = []
    for i, s in enumerate(network.segments[::-1], 1):
        givers = dict.fromkeys(p.segment for p in passages if p.to == s.name)
        loss = network.loss is not None and network.loss.segment == s.name
        got = [*(["the loss"] if loss else []), *map(code_span, givers)] or ["the outputs"]
        names = [label(network, q.name, accent="bar") for q in s.cell.parameters]
        made = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        handed = ", ".join(f"${p.latex}$" for p in passages if p.segment == s.name)
        anchor = _anchor(network, s)
        rows.append(
            [str(i), f"[{s.name}](#{anchor})", ", ".join(got), made or "none", handed or "none"]
        )
    lead = (
        "The segments in the order in which the gradient passes through them. Each takes the adjoints of its outputs, "
        "runs its own backward equations, and adds what it finds to the adjoints of those before it."
    )
    turned = [s.name for s in network.segments if s.reverse]
    if turned:
        lead += (
            f" Steps of {', '.join(map(code_span, turned))} are counted in the direction in which each runs: its step "
            "$T$ is the first of the sequence."
        )
    heads = ["", "segment", "adjoints from", "gradients", "handed on"]
    text = title_of("composed", "The gradient, layer by layer") + f"{lead}\n\n" + table(heads, rows)
    return Section("composed", [Text(text)])


def _anchor(network: Network, segment: Segment) -> str:
    """What a segment's section is called: in lower case, and no two alike."""
    called = [f"segment-{s.name.lower().replace('_', '-')}" for s in network.segments]
    at = network.segments.index(segment)
    return called[at] if called.count(called[at]) == 1 else f"{called[at]}-{at + 1}"


def _segment(
    findings: NetworkFindings, segment: Segment, derivation: Derivation, links: Links
) -> Section:
    """One segment's derivation, and where its adjoints go."""
    network = findings.derivation.network
    name = _anchor(network, segment)
    cells: list[Cell] = [
        Text(title_of(name, escape_markdown(heading(segment))) + _names(network, segment))
    ]
    if segment.cell.states:
        picture = to_picture(draw_flow(*flow(segment.cell, derivation.around)))
        caption = f"**Figure.** One step of segment {code_span(segment.name)}."
        cells.append(
            Figure(picture, caption, f"One step of segment {segment.name}.", f"fig-{name}")
        )
    headings = derivation.page().headings | ({} if derivation.around.once else HEADINGS)
    for key, words in headings.items():
        lines = [step_text(step, links, derivation) for step in derivation.section(key)]
        if lines:
            cells.append(Text(f"**{escape_markdown(words)}**\n\n" + "\n\n".join(lines)))
    passing = [p.latex for p in findings.derivation.passages if p.segment == segment.name]
    if passing:
        told = "\n\n".join(equation(latex) for latex in passing)
        cells.append(Text(f"**Adjoints handed to earlier segments**\n\n{told}"))
    return Section(name, cells)


def _names(network: Network, segment: Segment) -> str:
    """How names are to be read in a scan, and its steps where it runs backwards."""
    name, found = segment.name, ""
    scanned = [q.name for q in (*segment.cell.states, *segment.cell.parameters)]
    inner = [n for n in scanned if n.startswith(f"{name}_")]
    if segment.cell.states and inner:
        examples = ", ".join(
            f"its {code_span(n.removeprefix(f'{name}_'))} is {label(network, n)}"
            for n in dict.fromkeys((inner[0], inner[-1]))
        )
        found = f"Names of the scanned cell carry the scan's: {examples}. "
    if segment.axis not in ("t", END):
        found += f"The index $t$ of its equations counts the steps along ${segment.axis}$. "
    if segment.reverse:
        found += (
            f"Steps are counted in the direction in which {code_span(name)} runs: its step ${segment.axis}$ is step "
            f"$T + 1 - {segment.axis}$ of the sequence, each sample's own $T$ where lengths differ."
        )
    return found


def _norms(findings: NetworkFindings) -> Section:
    rows = [
        [
            code_span(name),
            f"{n.entries:,}",
            *(f"{v:.3g}" for v in (n.gradient, n.weights, n.relative)),
        ]
        for name, n in findings.norms.items()
    ]
    lead = (
        "At the start of training, on random data: the norm of the loss's gradient by the parameters $\\theta$ that "
        "each segment uses, beside that of the parameters themselves. A layer whose ratio is far below the others' "
        "learns slower than they do.\n\n"
    )
    heads = ["segment", "entries", r"$\lVert\bar\theta\rVert$", r"$\lVert\theta\rVert$",
             r"$\lVert\bar\theta\rVert / \lVert\theta\rVert$"]  # fmt: skip
    text = title_of("norms", "Gradient norms, layer by layer") + lead + table(heads, rows)
    return Section("norms", [Text(text)])


def _code(findings: NetworkFindings, code: Mapping[str, Code]) -> Section:
    held = findings.verification.ok
    fate = "It passed every check below." if held else "**It did not pass every check below.**"
    lead = f"{title_of('code', 'The code')}One file that needs NumPy only. {fate}"
    return Section("code", [Text(lead), *code.values()])
