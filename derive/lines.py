"""The lines of a derivation: what was derived, put into words, text and LaTeX, in any layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy.matrices.expressions import MatrixExpr, ZeroMatrix

from derive.across_steps import ACROSS_STEPS
from derive.backward import AdjointEquation
from derive.expressions import Adjoint, Timed, add, leaves, shifted, terms
from derive.latex import LatexPrinter, latex_shape
from derive.layouts import Turning
from derive.notation import Notation
from derive.still import parted, taken_out
from derive.text import TextPrinter

SECTIONS = {
    "equation": "The equations of one step",
    "abbreviation": "Names for intermediate values",
    "adjoint": "Adjoints at step t, for t = T, …, 1",
    "input": "Gradients of the inputs",
    "still": "Gradients of what no step changes",
    "parameter": "Gradients of the parameters",
    "initial": "Gradients of the initial values",
    "jacobian": "The Jacobian of one step",
    "tangent": "The differential of one step",
    "product": "Through many steps",
}

ONCE = {"equation": "The equations", "adjoint": "Adjoints", "tangent": "The differential"}
"""Headings where everything is computed once, after the scans."""


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


@dataclass(frozen=True, slots=True)
class Page:
    """All lines of a derivation in one layout.

    Args:
        cell: the cell's name.
        layout: the layout's name.
        words: what the layout means; empty for the house's.
        shapes: what stands transposed here, with its shape, as text and as LaTeX.
        steps: the lines.
        notation: the names, with what is written out for some of them.
        across_steps: both sides of the lines on derivatives across many steps, which have no numbers for T.
    """

    cell: str
    layout: str
    words: str
    shapes: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    notation: Notation
    across_steps: tuple[tuple[MatrixExpr, MatrixExpr], ...]

    @property
    def headings(self) -> dict[str, str]:
        """The heading of every section."""
        return SECTIONS | (ONCE if self.notation.around.once else {})

    def section(self, name: str) -> tuple[Step, ...]:
        """The lines of one section."""
        return tuple(s for s in self.steps if s.section == name)

    def latex(self) -> str:
        """All lines as numbered display equations under headings."""
        shapes = f" Here {', '.join(f'${tex}$' for _, tex in self.shapes)}." if self.shapes else ""
        parts = [f"\\noindent {self.words}{shapes}"] if self.words else []
        for key, heading in self.headings.items():
            lines = self.section(key)
            if lines:
                body = " \\\\\n".join(rf"{s.latex} \tag{{{s.number}}}" for s in lines)
                parts.append(
                    f"\\paragraph{{{_plain(heading)}}}\n\\begin{{align*}}\n{body}\n\\end{{align*}}"
                )
        return "\n\n".join(parts) + "\n"

    def text(self) -> str:
        """All lines as text under headings, for a terminal."""
        shapes = f"\nHere {', '.join(plain for plain, _ in self.shapes)}." if self.shapes else ""
        parts = [self.words + shapes] if self.words else []
        for key, heading in self.headings.items():
            lines = self.section(key)
            if lines:
                parts.append("\n".join([heading, *(f"  ({s.number:>2}) {s.text}" for s in lines)]))
        return "\n\n".join(parts) + "\n"

    def to_dict(self) -> dict[str, object]:
        """The lines as plain data."""
        return {
            "cell": self.cell,
            "layout": self.layout,
            "shapes": [plain for plain, _ in self.shapes],
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


def _plain(heading: str) -> str:
    return heading.replace("…", r"\ldots")


Line = tuple[str, str, MatrixExpr | None, MatrixExpr | None, tuple[str, ...], str, int, str, str]


def page_of(derivation, turning: Turning) -> Page:
    """All lines of a derivation.

    Args:
        derivation: the derivation.
        turning: writes its expressions in a layout.
    """
    return _Writer(derivation, turning).page()


class _Writer:
    """Puts the results of a derivation into words and lines."""

    def __init__(self, derivation, turning: Turning) -> None:
        self.d = derivation
        self.turning = turning
        self.notation = turning.notation(derivation.notation)
        self.across = tuple(turning.line(line.lhs, line.rhs) for line in ACROSS_STEPS)
        self.tex = LatexPrinter(self.notation)
        self.plain = TextPrinter(self.notation)
        self.lines_of = {eq.target.name: eq.line for eq in derivation.cell.equations}

    def page(self) -> Page:
        """All lines, numbered."""
        steps = tuple(Step(i, *line) for i, line in enumerate(self.lines(), 1))
        layout = self.turning.layout
        words = (
            "" if layout.name == "house" else f"{layout.name.capitalize()} layout: {layout.words}."
        )
        shapes = tuple(self.shape_of(v) for v in self.transposed(steps))
        return Page(self.d.cell.name, layout.name, words, shapes, steps, self.notation, self.across)

    def lines(self) -> Iterator[Line]:
        yield from self.equations()
        yield from self.abbreviations()
        yield from self.adjoints()
        yield from self.initial_values()
        yield from self.jacobian()
        yield from self.products()

    def equal(self, section, title, lhs, rhs, rules, owner) -> Line:
        lhs, rhs = self.turning.line(lhs, rhs)
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
        shown = [e.rhs for e in (*self.d.backward.asked, *self.d.backward.parameters)]
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
        still = [e for e in self.d.backward.asked if e.lhs.name in self.d.still]
        for e in self.d.backward.asked:
            if e not in still:
                title = self.title_of(e, states)
                yield self.equal("adjoint", title, e.lhs, e.rhs, e.rules, e.owner)
        around = self.d.around
        for e in self.d.backward.inputs:
            if self.d.cell.quantity(e.owner).kind == "real":
                over_time = self.over_time if e.owner in around.held else self.equal
                title = f"gradient of the input {e.owner}"
                yield over_time("input", title, e.lhs, e.rhs, e.rules, e.owner)
        for e in still:
            yield self.over_time("still", self.title_of(e, states), e.lhs, e.rhs, e.rules, e.owner)
        for e in self.d.backward.parameters:
            over_time = self.equal if around.once else self.over_time
            yield over_time("parameter", f"gradient of {e.owner}", e.lhs, e.rhs, e.rules, e.owner)

    def over_time(self, section, title, lhs, rhs, rules, owner) -> Line:
        """The gradient by what is the same at every step: the sum of those by its values at each.

        What comes through something that no step changes is there once: of that, the gradient is summed up already.
        """
        once, each = parted(rhs, self.d.still)
        if terms(once) and not terms(each):
            return self.equal(section, title, lhs, rhs, rules, owner)
        (_, once), (_, each) = (self.turning.line(lhs, part) for part in (once, each))
        lhs, rhs = self.turning.line(lhs, rhs)
        tex, plain = (
            self.summed(printer, once, each, sign)
            for printer, sign in ((self.tex, r"\sum_{t=1}^{T}"), (self.plain, "sum over t of"))
        )
        return (
            section, f"{title}, summed over time", lhs, rhs, (*rules, "sum over time"), owner, 0,
            f"{self.tex(lhs)} = {tex}", f"{self.plain(lhs)} = {plain}",
        )  # fmt: skip

    def summed(self, printer, once: MatrixExpr, each: MatrixExpr, sign: str) -> str:
        """Σ of what every step gives, behind what is there once."""
        inner, factor = each, None
        if len(terms(each)) == 1:
            inner, factor = taken_out(each, self.notation.has_indices)
        body = printer.brackets(printer(inner)) if len(terms(inner)) > 1 else printer(inner)
        front = printer.before_sum(factor) if factor is not None else ""
        before = f"{printer(once)} + " if terms(once) else ""
        return f"{before}{front}{sign} {body}"

    def title_of(self, e: AdjointEquation, states: set[str]) -> str:
        name = e.lhs.name
        if name in states:
            return f"adjoint of the state {name}: the loss, this step, and later steps"
        if self.d.notation.is_delta(e.lhs):
            return (
                f"adjoint of the argument of the {self.d.notation.function_of(name)} in {e.owner}"
            )
        return f"adjoint of {self.plain(e.lhs.of)}"

    def initial_values(self) -> Iterator[Line]:
        for name, by_lag in self.d.backward.carried.items():
            q = self.d.cell.quantity(name)
            for back in range(q.depth):
                parts = [shifted(e.rhs, -d) for d, e in by_lag.items() if d > back]
                if parts:
                    yield self.initial_line(q, back, add(*parts), by_lag)

    def initial_line(self, q, back, rhs, by_lag) -> Line:
        tex = LatexPrinter(self.notation, now=-back)
        plain = TextPrinter(self.notation, now=-back)
        lhs, rhs = self.turning.line(Adjoint(q.symbol), rhs)
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
        moving = (t for t in self.d.tangents if not isinstance(t.expr, ZeroMatrix))
        for t in moving if missing else ():
            yield self.equal(
                "tangent", f"differential of {t.owner}", t.target, t.expr, ("tangents",), t.owner
            )

    def products(self) -> Iterator[Line]:
        if not self.d.cell.states:
            return
        yield (
            "product",
            "the joint state",
            None,
            None,
            ("chain rule",),
            "",
            0,
            *self.joint_state(),
        )
        for line, (lhs, rhs) in zip(ACROSS_STEPS, self.across, strict=True):
            yield (
                "product", line.title, None, None, ("chain rule",), "", 0,
                f"{self.tex(lhs)} = {line.tex_sum}{self.tex(rhs)}{line.tex_where}",
                f"{self.plain(lhs)} = {line.plain_sum}{self.plain(rhs)}",
            )  # fmt: skip

    def joint_state(self) -> tuple[str, str]:
        """The states stacked, with as many past values as are used, as LaTeX and as text."""
        values = [q.symbol.at(back) for q in self.d.cell.states for back in range(q.depth)]
        mark = "," if self.turning.rows else ";"
        tex = rf"{mark}\, ".join(self.tex.name(v.name, time=self.tex.index(v.lag)) for v in values)
        plain = f"{mark} ".join(f"{v.name}[{self.plain.index(v.lag)}]" for v in values)
        return rf"\mathbf{{s}}_t = \left[{tex}\right]", f"{self.d.notation.own('s')}[t] = [{plain}]"

    def transposed(self, steps: tuple[Step, ...]) -> list[MatrixExpr]:
        """Quantities, or the gradients on the page, whose shape is not the house's."""
        if self.turning.rows:
            symbols = [q.symbol for q in self.d.cell.quantities]
            return [self.turning.leaf(v) for v in symbols if self.turning.turned(v)]
        shown = [s.lhs for s in steps if s.section in ("adjoint", "input", "parameter")]
        return shown if self.turning.layout.seen else []

    def shape_of(self, leaf: MatrixExpr) -> tuple[str, str]:
        """A leaf and its shape, as text and as LaTeX."""
        rows, cols = leaf.shape
        space = rf"\mathbb{{R}}^{{{latex_shape(rows, cols)}}}"
        return f"{self.plain(leaf)} ({rows}, {cols})", rf"{self.tex(leaf)} \in {space}"
