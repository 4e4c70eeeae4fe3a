"""The general route: a proof, for symbolic n, m and T, that the backward equations give the gradient.

Theorem. Let L = Σ_{t=1}^T ℓ_t. For all sizes, all T ≥ 1 and every direction of parameters, inputs and initial
values, with the adjoints that the backward equations define (those after step T are zero),

        L̇ = Σ_θ ⟨θ̄, θ̇⟩ + Σ_t Σ_x ⟨x̄_t, ẋ_t⟩ + Σ_v Σ_j ⟨v̄_{−j}, v̇_{−j}⟩.

Proof: each adjoint rule from index notation; each line of the step from the rules; each backward equation from
the lines; the sum over time by induction from k = T down to 0, for any lags. The proof is plain data, which
``proofs.checker`` verifies without using anything of this file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sympy import Symbol
from sympy.matrices.expressions import MatrixSymbol

from derive.derivation import Derivation
from derive.expressions import Adjoint, Elementwise, MatrixExpr, Tangent, power, terms
from derive.functions import FUNCTIONS
from derive.latex import LatexPrinter
from derive.text import TextPrinter
from proofs.general_encode import encode
from proofs.general_latex import lines, pair, rule_latex
from proofs.general_lines import Line, dualities, functions_in, rule_names
from proofs.general_rules import RULE_PROOFS
from proofs.general_statement import Claimed, claimed_equations, statement
from proofs.general_time import Draft, Induction

FORMAT = "throughtime general proof 1"
SECTIONS = {
    "theorem": "What is proved",
    "law": "Derivatives of the functions",
    "rule": "The adjoint rules, from index notation",
    "naming": "The step, one operation a line",
    "line": "The lines of a step, by the rules",
    "equation": "The backward equations, from the lines",
    "claim": "The sum over time",
    "base": "",
    "step": "",
    "conclusion": "",
}


@dataclass(frozen=True, slots=True)
class ProofStep:
    """One step of a general proof.

    Args:
        number: its number, from 1.
        name: its name, unique in the proof.
        kind: a key of ``SECTIONS``.
        title: what it is, in words.
        latex: the step as LaTeX mathematics.
        text: the step as a line of text.
        data: what the checker reads.
    """

    number: int
    name: str
    kind: str
    title: str
    latex: str
    text: str
    data: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The step as plain data."""
        shown = {"title": self.title, "latex": self.latex, "text": self.text}
        return {"name": self.name, "kind": self.kind, **self.data, **shown}


@dataclass(frozen=True, slots=True)
class GeneralProof:
    """A proof for all sizes and every T.

    Args:
        statement: what is proved, as plain data.
        steps: the steps, in order.
    """

    statement: dict[str, Any]
    steps: tuple[ProofStep, ...]

    def to_json(self) -> dict[str, Any]:
        """The proof as plain data, which is what the checker reads."""
        steps = [step.to_json() for step in self.steps]
        return {"format": FORMAT, "statement": self.statement, "steps": steps}

    def dumps(self) -> str:
        """The proof as the text of a JSON file."""
        return json.dumps(self.to_json(), ensure_ascii=False, indent=1) + "\n"

    def section(self, kind: str) -> tuple[ProofStep, ...]:
        """The steps of one kind."""
        return tuple(s for s in self.steps if s.kind == kind)

    def latex(self) -> str:
        """All steps as numbered display equations under headings."""
        parts: list[str] = []
        for kind, heading in SECTIONS.items():
            if heading and self.section(kind):
                parts.append(f"\\paragraph{{{heading}}}")
            for s in self.section(kind):
                parts.append(
                    f"{_words(s.title)}.\n\\begin{{equation*}}\n{s.latex} \\tag{{P{s.number}}}\n\\end{{equation*}}"
                )
        return "\n\n".join(parts) + "\n"

    def text(self) -> str:
        """All steps as text under headings."""
        parts: list[str] = []
        for kind, heading in SECTIONS.items():
            if heading and self.section(kind):
                parts.append(heading)
            parts += [f"  (P{s.number}) {s.text}" for s in self.section(kind)]
        return "\n".join(parts) + "\n"


def prove(derivation: Derivation) -> GeneralProof:
    """The proof that a derivation's backward equations give the gradient, for symbolic sizes and T.

    It proves only what is true: what was derived wrongly is written down as it is, and the checker refuses it.

    Raises:
        TypeError: an expression of the derivation has no place in a proof.
    """
    claimed = claimed_equations(derivation)
    drafts = _Drafts(derivation, claimed).all()
    steps = tuple(ProofStep(i, *draft) for i, draft in enumerate(drafts, 1))
    return GeneralProof(statement(derivation, claimed), steps)


class _Drafts:
    """Writes the steps one after the other."""

    def __init__(self, d: Derivation, claimed: tuple[Claimed, ...]) -> None:
        self.d, self.claimed = d, claimed
        self.tex, self.plain = LatexPrinter(d.notation), TextPrinter(d.notation)
        self.lines = dualities(d)
        self.nodes = [encode(a.expr) for a in d.assignments]

    def all(self) -> Iterator[Draft]:
        induction = Induction(self.d, self.claimed)
        yield induction.theorem()
        for f in dict.fromkeys(f for node in self.nodes for f in functions_in(node)):
            yield self.law(f)
        used = {name for node in self.nodes for name in rule_names(node)}
        for rule in RULE_PROOFS.values():
            if rule.name in used:
                text = f"{rule.name}: {', then '.join(rule.reasons)}"
                title = f"The adjoint rule: {rule.name}"
                yield f"rule {rule.name}", "rule", title, rule_latex(rule), text, rule.data()
        yield self.naming()
        yield from (self.line(line) for line in self.lines)
        yield from (self.equation(e) for e in self.claimed)
        yield from induction.steps()

    def law(self, f: str) -> Draft:
        """f′ in x and y = f(x)."""
        p, q = Symbol("p", positive=True, integer=True), Symbol("q", positive=True, integer=True)
        x, y = MatrixSymbol("x", p, q), MatrixSymbol("y", p, q)
        if f.startswith("^"):
            k = int(f[1:])
            value, derivative = power(x, k), k * power(x, k - 1)
        else:
            value, derivative = Elementwise(x, f), FUNCTIONS[f].derivative(x, y)
        latex = rf"y = {self.tex(value)} \ \Rightarrow\ y' = {self.tex(derivative)}"
        text = f"y = {self.plain(value)} has y' = {self.plain(derivative)}"
        data = {"function": f, "law": encode(derivative)}
        return f"law {f}", "law", f"The derivative of {self.plain(value)}", latex, text, data

    def naming(self) -> Draft:
        """The lines of the step."""
        shown = [a for a in self.d.assignments if self.d.notation.written_out(a.target) is None]
        rows = [f"{self.tex(a.target)} &= {self.tex(a.expr)}" for a in shown]
        text = "; ".join(f"{self.plain(a.target)} = {self.plain(a.expr)}" for a in shown)
        return (
            "naming",
            "naming",
            "The step's lines are the cell's equations",
            lines(rows),
            text,
            {},
        )

    def line(self, line: Line) -> Draft:
        """One line's duality."""
        v = line.assignment.target
        bar, dot = self.tex(Adjoint(v)), self.tex(Tangent(v))
        parts = [pair(self.tex(c.value), self.tex(Tangent(c.leaf))) for c in line.contributions]
        rows = [f"{pair(bar, dot)} &= {pair(bar, self.tex(line.tangent))}"]
        rows.append(f"&= {' + '.join(parts[:3]) or '0'}")
        rows += [rf"&\quad + {' + '.join(parts[i : i + 3])}" for i in range(3, len(parts), 3)]
        shown = [
            f"<{self.plain(c.value)}, {self.plain(Tangent(c.leaf))}>" for c in line.contributions
        ]
        text = f"<{self.plain(Adjoint(v))}, {self.plain(Tangent(v))}> = {' + '.join(shown) or '0'}"
        return f"line {line.name}", "line", f"The line of {line.name}", lines(rows), text, line.data

    def equation(self, e: Claimed) -> Draft:
        """One backward equation, with the lines from which it is collected."""
        now = -e.back if e.group == "initial" else None
        tex, plain = LatexPrinter(self.d.notation, now), TextPrinter(self.d.notation, now)
        found = [
            [line.name, encode(c.leaf)[2]]
            for line in self.lines
            for c in line.contributions
            if c.leaf.name == e.name and (e.group != "initial" or c.leaf.lag > e.back)
        ]
        data = {"group": e.group, "of": e.name, "back": e.back, "from": found}
        step = f" at step {-e.back}" if e.group == "initial" else ""
        source = ", ".join(dict.fromkeys(name for name, _ in found)) or "none"
        through = e.group == "parameters"
        latex, text = _summand(tex, e.rhs, through), _summand(plain, e.rhs, through)
        if through:
            latex, text = rf"\sum_{{t=1}}^{{T}} {latex}", f"sum over t of {text}"
        return (
            f"equation {e.name}{step}", "equation", f"The adjoint of {e.name}{step}, from the lines of {source}",
            f"{tex(e.lhs)} = {latex}", f"{plain(e.lhs)} = {text}", data,
        )  # fmt: skip


def _words(title: str) -> str:
    """A title in the text of a LaTeX document."""
    for char, latex in {"_": r"\_", "…": r"\ldots{}", "−": "$-$", "^": r"\^{}"}.items():
        title = title.replace(char, latex)
    return title


def _summand(printer: LatexPrinter | TextPrinter, rhs: MatrixExpr, bracketed: bool) -> str:
    """The expression, in brackets if it is a sum under a sum."""
    text = printer(rhs)
    return printer.brackets(text) if bracketed and len(terms(rhs)) > 1 else text
