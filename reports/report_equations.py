"""The equations of a report, forward and backward: each with its rules, its lines of code and its verdict."""

from __future__ import annotations

import re
from typing import Any

from sympy.matrices.expressions import MatrixSymbol

from derive.adjoints import RULES
from derive.cell import Cell
from derive.derivation import Derivation, Step
from derive.expressions import Elementwise, hadamard
from derive.functions import FUNCTIONS
from derive.latex import LatexPrinter, latex_name
from derive.notation import Notation
from reports.markdown import anchor, equation, escape_markdown, table
from reports.notebook import Code, Section, Text
from reports.report_lines import broken
from reports.report_links import Links, heading

BACKWARD = ("abbreviation", "adjoint", "input", "still", "parameter", "initial")
HEADINGS = {
    "abbreviation": "Names for intermediate values",
    "adjoint": "One step backwards",
    "input": "Gradients of the inputs",
    "still": "Gradients of what no step changes",
    "parameter": "Gradients of the parameters",
    "initial": "Gradients of the values before the first step",
}


def equations(derivation: Derivation, links: Links) -> Section:
    """The cell's equations, typeset and as the text that was read."""
    cell = derivation.cell
    blocks = [Text(heading("equations", "The equations") + _lead(cell))]
    blocks += [
        Text("\n\n".join(step_text(s, links, derivation) for s in derivation.section("equation")))
    ]
    text = _definition(cell)
    if text:
        blocks += [Text("They were read from this text:"), Code(text, language="text")]
    return Section("equations", blocks)


def _definition(cell: Cell) -> str:
    """The cell's text without the title and the source, which stand above it on the page."""
    lines = cell.text.strip("\n").split("\n")
    said = ("# " + cell.title, "# source:")
    return "\n".join(line for line in lines if not (cell.title and line.startswith(said))).strip(
        "\n"
    )


def _lead(cell: Cell) -> str:
    states = " and ".join(f"${latex_name(q.name, time='t')}$" for q in cell.states)
    kinds = "The state is" if len(cell.states) == 1 else "The states are"
    return (
        f"One step of the cell, for $t = 1, \\ldots, T$. {kinds} {states}. "
        r"$\circ$ multiplies entry by entry."
    )


def step_text(step: Step, links: Links, derivation: Derivation) -> str:
    """One numbered line: its title, the equation, and below it rules, lines of code and verdict."""
    title = _title(step, derivation)
    facts = [
        ", ".join(_rule(rule) for rule in step.rules),
        links.code(step.number),
        _verdict(step.number, links),
    ]
    below = " · ".join(fact for fact in facts if fact)
    parts = [
        f"{title}:" if title else "",
        equation(broken(step.latex), links.label(step.number)),
        f"> {below}" if below else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _title(step: Step, derivation: Derivation) -> str:
    """What a line is, in words, with the names as mathematics."""
    lhs: Any = step.lhs
    tex = LatexPrinter(derivation.notation)
    owner = f"${tex.name(step.owner)}$" if step.owner else ""
    if step.section == "jacobian":
        return f"How ${tex(lhs.of)}$ depends on ${tex(lhs.by)}$"
    if step.section == "adjoint" and step.title.startswith("adjoint of the state"):
        return f"Adjoint of the state {owner}: the loss, this step, and later steps"
    if step.section in ("adjoint", "still"):
        notation = derivation.notation
        if notation.is_delta(lhs):
            return f"Adjoint of the argument of the {notation.function_of(lhs.name)} in {owner}"
        return f"Adjoint of ${tex(lhs.of)}$"
    names = {
        "abbreviation": f"Part of {owner}",
        "initial": f"Gradient of {owner} at step {step.title.rpartition(' ')[2].replace('-', '−')}",
        "tangent": f"Differential of {owner}",
        "product": escape_markdown(step.title[:1].upper() + step.title[1:]),
    }
    return names.get(step.section, "")


def _rule(name: str) -> str:
    return f"[{escape_markdown(name)}](#{rule_target(name)})"


def rule_target(name: str) -> str:
    """The link target of a rule."""
    return "rule-" + (
        re.sub(r"[^a-z0-9]+", "-", _ASCII.get(name, name).lower()).strip("-") or "law"
    )


_ASCII = {f.law_text: f.name for f in FUNCTIONS.values()}


def _verdict(number: int, links: Links) -> str:
    if number not in links.checks:
        return ""
    target, name = links.checks[number]
    return f"[{name}](#{target})"


def derivation_section(derivation: Derivation, links: Links) -> Section:
    """The backward equations, step by step, and the rules that made them."""
    blocks = [Text(heading("derivation", "The derivation") + _READING)]
    for key in BACKWARD:
        steps = derivation.section(key)
        if steps:
            blocks.append(Text(f"### {HEADINGS[key]}\n\n{_INTRO[key]}"))
            blocks += [Text(step_text(s, links, derivation)) for s in steps]
    blocks.append(Text(heading("rules", "The rules", 3) + rules(derivation)))
    return Section("derivation", blocks)


_READING = (
    r"$L = \sum_t \ell_t$ is the loss. $\bar{v}$ stands for $\partial L / \partial v$, the total derivative, and "
    r"$\delta$ for the adjoint of a function's argument. Below each equation stand the rules that made it; "
    "[the rules](#rules) themselves close this section."
)
_INTRO = {
    "abbreviation": "Parts of the equations that a later line mentions by name.",
    "adjoint": "For $t = T, \\ldots, 1$, in this order. Terms with an index beyond $T$ are zero.",
    "input": "For every $t$, from the adjoints of the same step.",
    "still": "What is made of parameters alone is the same at every step, so its gradient is a sum over time.",
    "parameter": "A parameter is used at every step, so its gradient is a sum over time; what comes through something "
    "that no step changes is summed up already.",
    "initial": "What arrives before the first step: it continues the gradient into an earlier stretch of the sequence.",
}


def rules(*derivations: Derivation) -> str:
    """A table of the rules that the derivations used."""
    used = dict.fromkeys(rule for d in derivations for step in d.steps for rule in step.rules)
    laws = {rule.name: f"${rule.law}$" for rule in RULES.values()}
    rows = [
        [
            f"{anchor(rule_target(name))}{escape_markdown(name)}",
            laws.get(name) or _OTHER.get(name, _law(name)),
        ]
        for name in used
    ]
    return table(["rule", "law"], rows)


_OTHER = {
    "sum over time": r"$\bar\theta = \sum_t \bar\theta_t$, where $\bar\theta_t$ comes from the use at step $t$",
    "tangents": r"the matrix in front of $\dot v$ in the differential of the equation",
    "chain rule": r"$\partial \mathbf{s}_T / \partial \mathbf{s}_k = "
    r"\prod_{j=k+1}^{T} \partial \mathbf{s}_j / \partial \mathbf{s}_{j-1}$, the latest factor first",
}


def _law(name: str) -> str:
    """A function's rule: ā = ȳ ∘ f′, with f′ written out."""
    if name not in _ASCII:
        return ""
    function = FUNCTIONS[_ASCII[name]]
    a, y = MatrixSymbol("a", 2, 1), MatrixSymbol("y", 2, 1)
    tex = LatexPrinter(Notation({}))
    slope = tex(hadamard(MatrixSymbol("w", 2, 1), function.derivative(a, y))).replace(
        "w", r"\bar y", 1
    )
    return rf"$y = {tex(Elementwise(a, function.name))}$: $\bar a = {slope}$"
