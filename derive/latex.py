"""Expressions as LaTeX, in the notation of the field: v̄ for adjoints, δ for those of pre-activations, ∘ elementwise."""

from __future__ import annotations

import re

from sympy import Expr
from sympy.matrices.expressions import (
    HadamardPower,
    HadamardProduct,
    MatMul,
    MatrixExpr,
    OneMatrix,
    Transpose,
)

from derive.expressions import (
    Adjoint,
    Block,
    Broadcast,
    Concat,
    Diag,
    Elementwise,
    LossGradient,
    Rows,
    Softmax,
    Tangent,
    Timed,
    Total,
    factors,
    is_row_of_ones,
    is_scalar,
    operands,
    power,
)
from derive.functions import FUNCTIONS
from derive.nodes import ThroughTime
from derive.notation import ACCENTS, GREEK, split_name
from derive.printing import ATOM, POWER, PRODUCT, SUM, Printer, decimal, fraction

_NAME = re.compile(r"[A-Za-z]\w*")


def _word(word: str) -> str:
    if word in GREEK:
        return f"\\{word}"
    return word if len(word) == 1 or word.isdigit() else rf"\mathrm{{{word}}}"


def latex_size(size: Expr) -> str:
    """A size: names with underscores get subscripts, as quantities do."""
    return _sized(str(size))


def latex_shape(rows: Expr, cols: Expr) -> str:
    r"""Rows times columns, sums in brackets: ``n \times (m + n)``."""
    sizes = (latex_size(size) for size in (rows, cols))
    return r" \times ".join(f"({s})" if "+" in s or "-" in s else s for s in sizes)


def _sized(text: str) -> str:
    powers = re.sub(r"\*\*(\d+)", r"^{\1}", _NAME.sub(lambda m: latex_name(m[0]), text))
    return powers.replace("*", r" \, ")


def latex_name(name: str, *, accent: str = "", time: str = "", scan: str = "") -> str:
    r"""An identifier as LaTeX: ``W_in`` → ``W_{\mathrm{in}}``; letters, digits and underscores only.

    Args:
        name: the identifier.
        accent: what stands above it, e.g. ``bar``.
        time: its last subscript.
        scan: the scan whose name it begins with, in a network: ``enc_W_z`` → ``W_{\mathrm{enc},z}``.
    """
    base, subscripts = split_name(name.removeprefix(f"{scan}_") if scan else name)
    marks = [s for s in subscripts if s in ACCENTS]
    shown = _word(base)
    for mark in marks:
        shown = rf"\{mark}{{{shown}}}"
    if accent:
        long = accent == "bar" and shown.startswith(
            r"\mathrm"
        )  # a short bar over a long word stands for one letter
        shown = rf"\{'overline' if long else accent}{{{shown}}}"
    own = [s for s in subscripts if s not in ACCENTS]
    below = [*(_word(s) for s in (*scan.split("_"), *own) if s), *([time] if time else [])]
    return f"{shown}_{{{','.join(below)}}}" if below else shown


class LatexPrinter(Printer):
    """Prints expressions as LaTeX mathematics."""

    times = r" \, "
    entrywise = r" \circ "
    once = ""
    last = "T"

    def leaf(self, expr: MatrixExpr) -> tuple[str, int]:
        """A quantity, its adjoint, its tangent, or the loss's immediate derivative by it."""
        if (whole := self.notation.around.wholes.get(expr.name)) is not None:
            accent = {Adjoint: "bar", Tangent: "dot"}.get(type(expr), "")
            first, last = (self.name(whole.name, accent=accent, time=end) for end in whole.ends)
            return rf"\left[{first},\, \ldots,\, {last}\right]", ATOM
        if isinstance(expr, Timed):
            time = self.time(expr) if self.notation.has_index(expr) else ""
            return self.name(expr.name, time=time), ATOM
        if isinstance(expr, LossGradient):
            now = self.time(expr)
            loss = rf"\ell_{{{now}}}" if now else r"\ell"
            return rf"\frac{{\partial {loss}}}{{\partial {self(expr.of)}}}", ATOM
        if isinstance(expr, Adjoint | Tangent):
            return self.accented(expr), ATOM
        raise TypeError(f"no LaTeX for {type(expr).__name__}")

    def name(self, name: str, *, accent: str = "", time: str = "") -> str:
        """An identifier: what is a scan's in a network has the scan's name below."""
        scan = self.notation.around.scan_of(name)
        return latex_name(name, accent=accent, time=time, scan=scan)

    def accented(self, expr: Adjoint | Tangent) -> str:
        """v̄ or v̇."""
        time = self.time(expr) if self.notation.has_index(expr) else ""
        if self.notation.is_delta(expr):
            shown = latex_name(f"delta_{self.notation.delta_of(expr.name)}", time=time)
            return (
                shown.replace(r"\delta", r"\delta'", 1) if self.notation.is_evasive(expr) else shown
            )
        bar = isinstance(expr, Adjoint)
        if self.notation.written_out(expr.of) is not None:
            wide = r"\overline" if bar else r"\dot"
            return rf"{wide}{{{self(expr.of)}}}"
        return self.name(expr.name, accent="bar" if bar else "dot", time=time)

    def constant(self, expr: MatrixExpr) -> tuple[str, int]:
        """A parameter."""
        return self.name(expr.name), ATOM

    def joined(self, parts: tuple[MatrixExpr, ...]) -> str:
        """A B"""
        return r" \, ".join(self.factor(p) for p in parts)

    def factor(self, expr: MatrixExpr) -> str:
        """A factor of a matrix product; an elementwise product inside one needs brackets."""
        hadamard = isinstance(self.form(expr), HadamardProduct | Broadcast)
        return self.brackets(self(expr)) if hadamard else self.tight(expr, PRODUCT)

    def hadamard(self, expr: HadamardProduct) -> tuple[str, int]:
        """Scalars first, then a ∘ b, all of it over the scalars by which it is divided."""
        below = [f for f in factors(expr) if _divisor(f) is not None]
        above = [f for f in factors(expr) if f not in below]
        scalars = [self.tight(operands(f)[0]) for f in above if isinstance(f, Broadcast)]
        vectors = [f for f in above if not isinstance(f, Broadcast)]
        body = r" \circ ".join(self.hadamard_factor(f, len(vectors) > 1) for f in vectors)
        whole = r" \, ".join([*scalars, *([body] if body else [r"\mathbf{1}"])])
        if not below:
            return whole, PRODUCT
        return rf"\frac{{{whole}}}{{{self.divisors(below)}}}", ATOM

    def divisors(self, inverses: list[MatrixExpr]) -> str:
        """s t, of which 1/s and 1/t are given."""
        level = PRODUCT if len(inverses) > 1 else SUM
        return r" \, ".join(self.tight(_divisor(f), level) for f in inverses)

    def hadamard_factor(self, expr: MatrixExpr, several: bool) -> str:
        """A factor of an elementwise product; a matrix product inside one needs brackets."""
        product = isinstance(self.form(expr), MatMul) and several
        return self.brackets(self(expr)) if product else self.tight(expr, PRODUCT)

    def power(self, expr: HadamardPower) -> tuple[str, int]:
        """aᵏ, entry by entry; of a number, 1/s."""
        base = operands(expr)[0]
        if _divisor(expr) is not None:
            inverse = rf"\frac{{1}}{{{self.divisors([expr])}}}"
            return (inverse, ATOM) if is_scalar(expr) else (rf"{inverse} \, \mathbf{{1}}", PRODUCT)
        k = str(expr.args[1])
        written = self.notation.written_out(base) or base
        if isinstance(written, Elementwise) and int(expr.args[1]) > 1:
            return self.call(FUNCTIONS[written.function].latex + f"^{{{k}}}", written), POWER
        return f"{self.tight(base)}^{{{k}}}", POWER

    def transpose(self, expr: Transpose) -> tuple[str, int]:
        """Aᵀ"""
        return rf"{self.tight(expr.arg)}^{{\top}}", POWER

    def call(self, function: str, expr: MatrixExpr) -> str:
        """f(a)"""
        return rf"{function}{self.brackets(self(operands(expr)[0]))}"

    def elementwise(self, expr: Elementwise) -> tuple[str, int]:
        """f(a); steps as indicators, roots with their sign."""
        inner = self(operands(expr)[0])
        if expr.function == "step":
            return rf"\mathbb{{1}}\left[{inner} > 0\right]", ATOM
        if expr.function == "sqrt":
            return rf"\sqrt{{{inner}}}", ATOM
        if expr.function == "abs":
            return rf"\left|{inner}\right|", ATOM
        return self.call(FUNCTIONS[expr.function].latex, expr), ATOM

    def softmax(self, expr: Softmax) -> tuple[str, int]:
        """softmax(a)"""
        return self.call(r"\operatorname{softmax}", expr), ATOM

    def logsumexp(self, expr: MatrixExpr) -> tuple[str, int]:
        """logsumexp(a)"""
        return self.call(r"\operatorname{logsumexp}", expr), ATOM

    def concat(self, expr: Concat) -> tuple[str, int]:
        """[a; b]"""
        stacked = r";\, ".join(self(p) for p in operands(expr))
        return rf"\left[{stacked}\right]", ATOM

    def rows(self, expr: Rows) -> tuple[str, int]:
        """(a)₁:ₙ, rows counted from 1."""
        return (
            rf"{self.brackets(self(operands(expr)[0]))}_{{{latex_size(expr.start + 1)}:{latex_size(expr.stop)}}}",
            ATOM,
        )

    def beside(self, expr: Concat) -> tuple[str, int]:
        """[a, b]"""
        stacked = r",\, ".join(self(p) for p in operands(expr))
        return rf"\left[{stacked}\right]", ATOM

    def columns(self, expr: Rows) -> tuple[str, int]:
        """(a) with columns 1 to n, counted from 1."""
        inner = self.brackets(self(operands(expr)[0]))
        return rf"{inner}_{{:,\,{latex_size(expr.start + 1)}:{latex_size(expr.stop)}}}", ATOM

    def through_time(self, expr: ThroughTime) -> tuple[str, int]:
        """Its own words."""
        return expr.latex, PRODUCT if r"\frac" in expr.latex else ATOM

    def broadcast(self, expr: Broadcast) -> tuple[str, int]:
        """s 𝟏"""
        return rf"{self.tight(operands(expr)[0])} \, \mathbf{{1}}", PRODUCT

    def mean(self, x: MatrixExpr) -> str:
        """The mean of the entries."""
        return rf"\operatorname{{mean}}{self.brackets(self(x))}"

    def total(self, expr: Total) -> tuple[str, int]:
        """The sum of the entries."""
        return self.call(r"\operatorname{sum}", expr), ATOM

    def diag(self, expr: Diag) -> tuple[str, int]:
        """diag(a)"""
        return self.call(r"\operatorname{diag}", expr), ATOM

    def ones(self, expr: OneMatrix) -> tuple[str, int]:
        """𝟏, a row where columns meet it"""
        if is_row_of_ones(expr):
            return r"\mathbf{1}^{\top}", POWER
        return r"\mathbf{1}", ATOM

    def zeros(self, expr: MatrixExpr) -> tuple[str, int]:
        """0"""
        return "0", ATOM

    def identity(self, expr: MatrixExpr) -> tuple[str, int]:
        """I"""
        return "I", ATOM

    def block(self, expr: Block) -> tuple[str, int]:
        """∂u/∂v"""
        return rf"\frac{{\partial {self(expr.of)}}}{{\partial {self(expr.by)}}}", ATOM

    def number(self, c) -> str:
        """A number."""
        if shown := decimal(c):
            digits, ten = shown[0], f"10^{{{shown[1]}}}"
            if not shown[1]:
                return digits
            return ten if digits == "1" else rf"{digits} \cdot {ten}"
        top, bottom = (_sized(text) for text in fraction(c))
        sign = "-" if top.startswith("-") and top[1:].isdigit() else ""
        return top if bottom == "1" else rf"{sign}\tfrac{{{top.removeprefix(sign)}}}{{{bottom}}}"

    def scaled(self, c, core: MatrixExpr) -> tuple[str, int]:
        """c A"""
        return rf"{self.number(c)} \, {self.tight(core, PRODUCT)}", PRODUCT

    def brackets(self, text: str) -> str:
        """(text), growing with what it holds where that is tall."""
        tall = any(mark in text for mark in (r"\frac", r"\overline", r"\left", r"\sqrt"))
        return rf"\left({text}\right)" if tall else f"({text})"


def _divisor(expr: MatrixExpr) -> MatrixExpr | None:
    """The number s, or its power, of which the expression is 1/s in every entry."""
    if not isinstance(expr, HadamardPower) or expr.args[1] >= 0:
        return None
    base = operands(expr)[0]
    number = operands(base)[0] if isinstance(base, Broadcast) else base
    return power(number, -expr.args[1]) if is_scalar(number) else None
