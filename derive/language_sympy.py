"""SymPy expressions to the text of the language, so that a cell built in Python passes the same door."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import sympy
from sympy import Expr, Lambda, Symbol
from sympy.matrices.expressions import (
    BlockMatrix,
    HadamardPower,
    HadamardProduct,
    Identity,
    MatAdd,
    MatMul,
    MatrixExpr,
    MatrixSymbol,
    OneMatrix,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

from derive import expressions as ex
from derive.errors import ArgumentError, LanguageError, ShapeError
from derive.functions import BY_SYMBOL
from derive.language_lines import MAX_DIGITS, MAX_EXPONENT
from derive.language_means import Mean, with_means
from derive.language_numbers import parted, spelled
from derive.language_scalars import (
    ATOM,
    POWER,
    PRODUCT,
    SUM,
    Text,
    bracketed,
    joined_sum,
    scalar_text,
)
from derive.syntax import MAX_DEPTH


def equations_as_text(
    equations: Iterable[tuple[object, object]],
    constants: Iterable[str],
    sizes: Mapping[Symbol, int],
) -> tuple[list[str], dict[str, tuple[str, str]]]:
    """Equations as lines of text, and the shape of every name in them.

    Args:
        equations: targets with their values.
        constants: the names that are constants.
        sizes: numbers to put in place of sizes.

    Raises:
        LanguageError: a part of an expression is not in the language.
        ShapeError: a name has two shapes.
    """
    writer = _Writer(frozenset(constants), sizes)
    lines = [writer.equation(target, expr) for target, expr in equations]
    if writer.units and "I" in writer.shapes:
        raise LanguageError(
            "A quantity is called I, and so is the identity matrix.", "Rename the quantity."
        )
    return lines, writer.shapes


@dataclass(slots=True)
class _Writer:
    """Writes expressions as text, and notes the shape of every name it meets.

    Args:
        constants: the names that are constants.
        sizes: sizes to put in place of symbols.
    """

    constants: frozenset[str]
    sizes: Mapping[Symbol, int] = field(default_factory=dict)
    shapes: dict[str, tuple[str, str]] = field(default_factory=dict)
    units: list[Identity] = field(default_factory=list)

    def equation(self, target: object, expr: object) -> str:
        """``name[t] = expression``.

        Raises:
            LanguageError: a part of it is not in the language.
            ShapeError: a name has two shapes, or the two sides differ.
        """
        if not isinstance(target, ex.Timed) or target.lag:
            raise LanguageError(
                f"{target} is no target of an equation.", "Define the present step, e.g. h[0]."
            )
        if not isinstance(expr, MatrixExpr):
            raise LanguageError(
                f"The value of {target.name} is no matrix expression: {type(expr).__name__}.",
                "Use MatrixSymbol, timed quantities and SymPy's matrix operations.",
            )
        left, right = self.text(target, 0), self.text(expr, 0)
        if right.spread:
            raise LanguageError(
                f"The value of {target.name} repeats one number in a matrix of given size.",
                "Add a parameter or an input of that size.",
            )
        return f"{left.text} = {right.text}"

    def text(self, expr: MatrixExpr, depth: int) -> Text:
        """One expression as text."""
        if depth > MAX_DEPTH:
            raise LanguageError(
                f"The expression is nested more than {MAX_DEPTH} deep.",
                "Name an inner part and give it an equation of its own.",
            )
        write = next((_WRITERS[kind] for kind in type(expr).__mro__ if kind in _WRITERS), None)
        if write is None:
            raise LanguageError(
                f"{type(expr).__name__} is not part of the language.",
                "Use sums, products, entrywise products and powers, transposes, stacks and functions.",
            )
        return write(self, expr, depth + 1)

    def solid(self, expr: MatrixExpr, depth: int) -> Text:
        """An operand whose size matters: no number may stand for a whole matrix."""
        found = self.text(expr, depth)
        if found.spread:
            raise LanguageError(
                f"A matrix of one repeated number stands where its size matters: {expr}.",
                "It may stand in sums and entrywise products; elsewhere use a sum(…) or a parameter.",
            )
        return found

    def note(self, name: str, shape: tuple[Expr, Expr]) -> None:
        """Remember the shape of a name, which must be the same everywhere."""
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
            raise LanguageError(
                f"{name!r} is no name of the language.", "Use ASCII letters, digits and _."
            )
        found = (self.size(shape[0]), self.size(shape[1]))
        first = self.shapes.setdefault(name, found)
        if first != found:
            raise ShapeError(
                f"{name} is ({', '.join(first)}) in one place and ({', '.join(found)}) in another.",
                "Give it one shape, or two names.",
            )

    def size(self, size: Expr) -> str:
        """A size as text: sums of positive whole numbers and symbols."""
        parts = []
        known = sympy.Integer(size) if isinstance(size, int) else size
        for symbol, factor in known.subs(self.sizes).expand().as_coefficients_dict().items():
            whole = factor.is_Integer and factor > 0
            if not whole or not (symbol == 1 or isinstance(symbol, Symbol)):
                raise ShapeError(
                    f"The size {size} is no sum of symbols and whole numbers.",
                    "Use e.g. n, 3 or n + m.",
                )
            parts.append(
                str(factor) if symbol == 1 else f"{factor}*{symbol}" if factor != 1 else str(symbol)
            )
        return " + ".join(sorted(parts, reverse=True))

    # ── leaves ──

    def timed(self, expr: ex.Timed, depth: int) -> Text:
        self.note(expr.name, expr.shape)
        if expr.lag < 0:
            raise LanguageError(
                f"{expr.name} is used {-expr.lag} steps in the future.",
                "Use the present or the past.",
            )
        return Text(f"{expr.name}[t-{expr.lag}]" if expr.lag else f"{expr.name}[t]", ATOM)

    def symbol(self, expr: MatrixSymbol, depth: int) -> Text:
        self.note(expr.name, expr.shape)
        return Text(expr.name, ATOM)

    def ones(self, expr: OneMatrix, depth: int) -> Text:
        return Text("1", ATOM, not ex.is_scalar(expr))

    def unit(self, expr: Identity, depth: int) -> Text:
        self.units.append(expr)
        return Text("I", ATOM)

    # ── sums and products ──

    def sum(self, expr: MatAdd, depth: int) -> Text:
        parts = [self.text(term, depth) for term in expr.args if not isinstance(term, ZeroMatrix)]
        if not parts:
            raise LanguageError("A sum of zeros is not part of the language.", "Leave it out.")
        return Text(joined_sum(parts), SUM, all(part.spread for part in parts))

    def product(self, expr: MatMul, depth: int) -> Text:
        c = sympy.Mul(*(f for f in expr.args if not isinstance(f, MatrixExpr)))
        factors = [f for f in expr.args if isinstance(f, MatrixExpr)]
        kept = [f for f in factors if not isinstance(f, Identity)] or factors[:1]
        if c.free_symbols - {Symbol(name) for name in self.constants}:
            c, core = with_means(c, kept[0] if len(kept) == 1 else MatMul(*kept))
            kept = list(core.args) if isinstance(core, MatMul) else [core]
        if len(kept) == 1:
            return self.scaled(c, self.text(kept[0], depth))
        if isinstance(kept[-1], OneMatrix) and kept[-1].shape[0] == 1 != kept[-1].shape[1]:
            column = kept[0] if len(kept) == 2 else MatMul(*kept[:-1])
            return self.scaled(c, Text(f"repeat({self.solid(column, depth).text})", ATOM))
        if isinstance(kept[0], OneMatrix) and kept[0].shape[1] == 1 != kept[0].shape[0]:
            turned = self.text(MatMul(*(sympy.transpose(f) for f in kept[::-1])), depth)
            return self.scaled(c, Text(f"{turned.text}.T", ATOM))
        return self.scaled(
            c, Text(" @ ".join(bracketed(self.solid(f, depth), POWER) for f in kept), PRODUCT)
        )

    def scaled(self, c: Expr, inner: Text) -> Text:
        """A number times a text."""
        if c == 1:
            return inner
        if c == -1:
            return Text(f"-{bracketed(inner, PRODUCT)}", SUM, inner.spread)
        if c.is_Number and c < 0:
            return Text(f"-{self.scaled(-c, inner).text}", SUM, inner.spread)
        scalar = scalar_text(c, {Symbol(name): Text(name, ATOM) for name in self.constants})
        return Text(
            f"{bracketed(scalar, PRODUCT)} * {bracketed(inner, POWER)}", PRODUCT, inner.spread
        )

    def hadamard(self, expr: HadamardProduct, depth: int) -> Text:
        parts = [self.text(factor, depth) for factor in expr.args]
        return Text(
            " * ".join(bracketed(part, POWER) for part in parts),
            PRODUCT,
            all(part.spread for part in parts),
        )

    def power(self, expr: HadamardPower, depth: int) -> Text:
        base, exponent = expr.args
        if not exponent.is_Integer:
            raise LanguageError(f"The exponent {exponent} is no whole number.", "Use exp and log.")
        inner = self.text(base, depth)
        return Text(f"{bracketed(inner, ATOM)}**{exponent}", POWER, inner.spread)

    # ── functions and rearrangements ──

    def transposed(self, expr: Transpose, depth: int) -> Text:
        return Text(f"{bracketed(self.solid(expr.arg, depth), ATOM)}.T", ATOM)

    def elementwise(self, expr: ex.Elementwise, depth: int) -> Text:
        inner = self.text(expr.args[0], depth)
        return Text(f"{expr.function}({inner.text})", ATOM, inner.spread)

    def applied(self, expr: ElementwiseApplyFunction, depth: int) -> Text:
        inner = self.text(expr.expr, depth)
        function = expr.function
        if isinstance(function, Lambda) and len(function.variables) == 1:
            values = {Symbol(name): Text(name, ATOM) for name in self.constants}
            found = scalar_text(function.expr, {**values, function.variables[0]: inner})
            return Text(found.text, found.level, inner.spread)
        if function not in BY_SYMBOL or BY_SYMBOL[function].internal:
            raise LanguageError(
                f"{function} is not a function of the language.", "See derive.functions."
            )
        return Text(f"{BY_SYMBOL[function].name}({inner.text})", ATOM, inner.spread)

    def stack(self, expr: ex.Concat, depth: int) -> Text:
        return Text(
            f"concat({', '.join(self.solid(a, depth).text for a in ex.operands(expr))})", ATOM
        )

    def block(self, expr: BlockMatrix, depth: int) -> Text:
        if expr.blockshape[1] != 1:
            raise LanguageError(
                "A BlockMatrix of several columns is not part of the language.", "Stack rows only."
            )
        return Text(f"concat({', '.join(self.solid(a, depth).text for a in expr.blocks)})", ATOM)

    def softmax(self, expr: ex.Softmax, depth: int) -> Text:
        return Text(f"softmax({self.solid(expr.args[0], depth).text})", ATOM)

    def logsumexp(self, expr: ex.LogSumExp, depth: int) -> Text:
        return Text(f"logsumexp({self.solid(expr.args[0], depth).text})", ATOM)

    def total(self, expr: ex.Total, depth: int) -> Text:
        name = "mean" if isinstance(expr, Mean) else "sum"
        return Text(f"{name}({self.solid(expr.args[0], depth).text})", ATOM)

    def broadcast(self, expr: ex.Broadcast, depth: int) -> Text:
        inner = self.text(expr.args[0], depth)
        return Text(inner.text, inner.level, not ex.is_scalar(expr))


_WRITERS: dict[type, Callable[[_Writer, Any, int], Text]] = {
    ex.Timed: _Writer.timed,
    MatrixSymbol: _Writer.symbol,
    OneMatrix: _Writer.ones,
    Identity: _Writer.unit,
    MatAdd: _Writer.sum,
    MatMul: _Writer.product,
    HadamardProduct: _Writer.hadamard,
    HadamardPower: _Writer.power,
    Transpose: _Writer.transposed,
    ex.Elementwise: _Writer.elementwise,
    ElementwiseApplyFunction: _Writer.applied,
    ex.Concat: _Writer.stack,
    BlockMatrix: _Writer.block,
    ex.Softmax: _Writer.softmax,
    ex.LogSumExp: _Writer.logsumexp,
    ex.Total: _Writer.total,
    ex.Broadcast: _Writer.broadcast,
}


def constant_text(name: str, value: object) -> str:
    """The declaration of a constant."""
    if value is None:
        return f"const {name}"
    exact = value if isinstance(value, Fraction) else Fraction(str(value))
    text = spelled(exact)
    if parted(exact) is None or "*" in text:
        raise ArgumentError(
            f"The constant {name} has more than {MAX_DIGITS} digits, "
            f"or is not within e-{MAX_EXPONENT} to e{MAX_EXPONENT}.",
            "Round it, or give None here and its value when the code is run.",
        )
    return f"const {name} = {text}"
