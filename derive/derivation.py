"""A derivation: the named steps from a cell's equations to its gradients through time.

What a step shows is what was computed: later stages generate code from the very expressions whose LaTeX is
printed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sympy.matrices.expressions import MatrixExpr

from derive.backward import AdjointEquation, Backward, backward
from derive.cell import Cell
from derive.expressions import Adjoint, Timed, add, leaves, shifted, terms
from derive.jacobian import JacobianBlock, jacobian
from derive.latex import LatexPrinter, latex_name
from derive.normal import Assignment, normal_form
from derive.notation import Notation
from derive.tangents import tangent_equations
from derive.text import TextPrinter

SECTIONS = {
    "equation": "The equations of one step",
    "abbreviation": "Names for intermediate values",
    "adjoint": "Adjoints at step t, for t = T, …, 1",
    "input": "Gradients of the inputs",
    "parameter": "Gradients of the parameters",
    "initial": "Gradients of the initial values",
    "jacobian": "The Jacobian of one step",
    "tangent": "The differential of one step",
    "product": "Through many steps",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a derivation.

    Args:
        number: its number, from 1.
        section: a key of ``SECTIONS``.
        title: what it is, in words.
        lhs: left-hand side; ``None`` for a schematic line that has only LaTeX.
        rhs: right-hand side; for a parameter the addend of step t.
        rules: the rules that produced it.
        owner: the cell's quantity to which it belongs.
        line: the line of the cell's text from which it comes, 0 if none.
        latex: the line as LaTeX.
        text: the line as text.
    """

    number: int
    section: str
    title: str
    lhs: MatrixExpr | None
    rhs: MatrixExpr | None
    rules: tuple[str, ...]
    owner: str
    line: int
    latex: str
    text: str


@dataclass(frozen=True)
class Derivation:
    """The gradients through time of one cell.

    Args:
        cell: the cell.
        assignments: its step in normal form.
        backward: its backward equations.
        jacobian: the blocks of the joint state's Jacobian.
    """

    cell: Cell
    assignments: tuple[Assignment, ...]
    backward: Backward
    jacobian: tuple[JacobianBlock, ...]

    @cached_property
    def notation(self) -> Notation:
        """The names used on the page."""
        return Notation.of(self.assignments, (q.name for q in self.cell.quantities))

    @cached_property
    def tangents(self) -> tuple[Assignment, ...]:
        """The differential of every assignment, derived independently of the adjoints."""
        return tangent_equations(self.assignments)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every line, numbered."""
        writer = _Writer(self)
        return tuple(Step(i, *line) for i, line in enumerate(writer.lines(), 1))

    def section(self, name: str) -> tuple[Step, ...]:
        """The lines of one section."""
        return tuple(s for s in self.steps if s.section == name)

    def step_of(self, lhs: MatrixExpr) -> Step | None:
        """The line that defines this left-hand side, if one does."""
        return next((s for s in self.steps if s.lhs == lhs), None)

    def latex(self) -> str:
        """All lines as numbered display equations under headings."""
        parts: list[str] = []
        for key, heading in SECTIONS.items():
            lines = self.section(key)
            if lines:
                body = " \\\\\n".join(rf"{s.latex} \tag{{{s.number}}}" for s in lines)
                parts.append(
                    f"\\paragraph{{{_plain(heading)}}}\n\\begin{{align*}}\n{body}\n\\end{{align*}}"
                )
        return "\n\n".join(parts) + "\n"

    def text(self) -> str:
        """All lines as text under headings, for a terminal."""
        parts: list[str] = []
        for key, heading in SECTIONS.items():
            lines = self.section(key)
            if lines:
                parts.append("\n".join([heading, *(f"  ({s.number:>2}) {s.text}" for s in lines)]))
        return "\n\n".join(parts) + "\n"

    def to_dict(self) -> dict[str, object]:
        """The derivation as plain data."""
        return {
            "cell": self.cell.name,
            "steps": [
                {
                    "number": s.number,
                    "section": s.section,
                    "title": s.title,
                    "rules": list(s.rules),
                    "line": s.line,
                    "text": s.text,
                    "latex": s.latex,
                }
                for s in self.steps
            ],
        }

    def _repr_latex_(self) -> str:
        body = r" \\ ".join(s.latex.replace("=", "&=", 1) for s in self.steps)
        return rf"$$\begin{{aligned}} {body} \end{{aligned}}$$"


def _plain(heading: str) -> str:
    return heading.replace("…", r"\ldots")


def derive(cell: Cell) -> Derivation:
    """Derives the gradients through time of a cell, for symbolic n, m and T."""
    assignments = normal_form(cell)
    return Derivation(cell, assignments, backward(cell, assignments), jacobian(cell, assignments))


Line = tuple[str, str, MatrixExpr | None, MatrixExpr | None, tuple[str, ...], str, int, str, str]


class _Writer:
    """Puts the results of the derivation into words and lines."""

    def __init__(self, derivation: Derivation) -> None:
        self.d = derivation
        self.tex = LatexPrinter(derivation.notation)
        self.plain = TextPrinter(derivation.notation)
        self.lines_of = {eq.target.name: eq.line for eq in derivation.cell.equations}

    def lines(self) -> Iterator[Line]:
        yield from self.equations()
        yield from self.abbreviations()
        yield from self.adjoints()
        yield from self.initial_values()
        yield from self.jacobian()
        yield from self.products()

    def equal(self, section, title, lhs, rhs, rules, owner) -> Line:
        return (
            section, title, lhs, rhs, rules, owner, self.lines_of.get(owner, 0),
            f"{self.tex(lhs)} = {self.tex(rhs)}", f"{self.plain(lhs)} = {self.plain(rhs)}",
        )  # fmt: skip

    def equations(self) -> Iterator[Line]:
        for eq in self.d.cell.equations:
            role = self.d.cell.quantity(eq.target.name).role
            yield self.equal(
                "equation", f"{role} {eq.target.name}", eq.target, eq.expr, (), eq.target.name
            )

    def abbreviations(self) -> Iterator[Line]:
        """Intermediates that we named, where a later line mentions them by name."""
        shown = [e.rhs for e in (*self.d.backward.local, *self.d.backward.parameters)]
        written = [self.d.notation.written_out(v) for rhs in shown for v in leaves(rhs)]
        mentioned = [*shown, *(w for w in written if w is not None)]
        used = {v.name for rhs in mentioned for v in leaves(rhs) if isinstance(v, Timed)}
        for a in self.d.assignments:
            named = a.kind != "equation" and self.d.notation.written_out(a.target) is None
            if named and (a.name in used or a.kind == "operand"):
                yield self.equal(
                    "abbreviation", f"intermediate of {a.owner}", a.target, a.expr, (), a.owner
                )

    def adjoints(self) -> Iterator[Line]:
        states = {q.name for q in self.d.cell.states}
        for e in self.d.backward.local:
            yield self.equal("adjoint", self.title_of(e, states), e.lhs, e.rhs, e.rules, e.owner)
        for e in self.d.backward.inputs:
            if self.d.cell.quantity(e.owner).kind != "real":
                continue
            yield self.equal(
                "input", f"gradient of the input {e.owner}", e.lhs, e.rhs, e.rules, e.owner
            )
        for e in self.d.backward.parameters:
            title = f"gradient of {e.owner}, summed over time"
            yield (
                "parameter", title, e.lhs, e.rhs, (*e.rules, "sum over time"), e.owner, 0,
                rf"{self.tex(e.lhs)} = \sum_{{t=1}}^{{T}} {self.summand(self.tex, e.rhs)}",
                f"{self.plain(e.lhs)} = sum over t of {self.plain(e.rhs)}",
            )  # fmt: skip

    @staticmethod
    def summand(printer, rhs: MatrixExpr) -> str:
        return printer.brackets(printer(rhs)) if len(terms(rhs)) > 1 else printer(rhs)

    def title_of(self, e: AdjointEquation, states: set[str]) -> str:
        name = e.lhs.name
        if name in states:
            return f"adjoint of the state {name}: the loss, this step, and later steps"
        if self.d.notation.is_delta(e.lhs):
            return f"adjoint of the argument of {e.owner}'s function"
        return f"adjoint of {self.plain(e.lhs.of)}"

    def initial_values(self) -> Iterator[Line]:
        for name, by_lag in self.d.backward.carried.items():
            q = self.d.cell.quantity(name)
            for back in range(q.depth):
                parts = [shifted(e.rhs, -d) for d, e in by_lag.items() if d > back]
                if parts:
                    yield self.initial_line(q, back, add(*parts), by_lag)

    def initial_line(self, q, back, rhs, by_lag) -> Line:
        tex = LatexPrinter(self.d.notation, now=-back)
        plain = TextPrinter(self.d.notation, now=-back)
        lhs = Adjoint(q.symbol)
        rules = tuple(dict.fromkeys(r for e in by_lag.values() for r in e.rules))
        return (
            "initial", f"gradient of {q.name} at step {-back}", lhs, rhs, rules, q.name, 0,
            f"{tex(lhs)} = {tex(rhs)}", f"{plain(lhs)} = {plain(rhs)}",
        )  # fmt: skip

    def jacobian(self) -> Iterator[Line]:
        missing = {b.owner for b in self.d.jacobian if b.value is None}
        for b in self.d.jacobian:
            if b.value is not None:
                title = f"how {b.owner} depends on {b.block.by.name}, {b.block.by.lag} back"
                yield self.equal("jacobian", title, b.block, b.value, ("tangents",), b.owner)
        for t in self.d.tangents if missing else ():
            yield self.equal(
                "tangent", f"differential of {t.owner}", t.target, t.expr, ("tangents",), t.owner
            )

    def products(self) -> Iterator[Line]:
        if self.d.cell.states:
            yield from schematic_lines(self.d)


def schematic_lines(d: Derivation) -> Iterator[Line]:
    """The product of Jacobians and the sum over lags, for the joint state s."""
    names = r";\, ".join(
        latex_name(q.name, time="t" if back == 0 else f"t-{back}")
        for q in d.cell.states
        for back in range(q.depth)
    )
    text_names = "; ".join(
        f"{q.name}[t]" if back == 0 else f"{q.name}[t-{back}]"
        for q in d.cell.states
        for back in range(q.depth)
    )
    product = (
        r"\frac{\partial \mathbf{s}_T}{\partial \mathbf{s}_k} = J_T \, J_{T-1} \cdots J_{k+1},"
        r"\qquad J_j = \frac{\partial \mathbf{s}_j}{\partial \mathbf{s}_{j-1}}"
    )
    lags = (
        r"\frac{\partial L}{\partial \theta} = \sum_{t=1}^{T} \sum_{k=1}^{t} "
        r"\frac{\partial \ell_t}{\partial \mathbf{s}_t} "
        r"\left(\prod_{j=t}^{k+1} \frac{\partial \mathbf{s}_j}{\partial \mathbf{s}_{j-1}}\right)"
        r" \frac{\partial^{+} \mathbf{s}_k}{\partial \theta}"
    )
    rows = (
        ("the joint state", rf"\mathbf{{s}}_t = \left[{names}\right]", f"s[t] = [{text_names}]"),
        (
            "product of Jacobians, latest first",
            product,
            "ds[T]/ds[k] = J[T] @ J[T-1] @ ... @ J[k+1]",
        ),
        (
            "each lag's share of a parameter's gradient",
            lags,
            "dL/dtheta = sum over t, k <= t of dl[t]/ds[t] @ (J[t] @ ... @ J[k+1]) @ d+s[k]/dtheta",
        ),
    )
    for title, latex, text in rows:
        yield "product", title, None, None, ("chain rule",), "", 0, latex, text
