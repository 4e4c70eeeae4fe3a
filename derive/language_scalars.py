"""SymPy scalars to the text of the language: coefficients, and the bodies of entrywise functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy
from sympy import Expr, Symbol

from derive.errors import LanguageError
from derive.functions import BY_SYMBOL
from derive.language_numbers import spelled

SUM, PRODUCT, POWER, ATOM = 0, 1, 2, 3
MAX_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class Text:
    """A part of an expression as text.

    Args:
        text: the characters.
        level: how tightly it binds: a sum, a product, a power, an atom.
        spread: whether it stands for a matrix of one repeated number, whose size the text does not say.
    """

    text: str
    level: int
    spread: bool = False


def bracketed(part: Text, level: int) -> str:
    """The text, in brackets if it binds less tightly than the level."""
    if len(part.text) > MAX_CHARACTERS:
        raise LanguageError(
            f"The expression has more than {MAX_CHARACTERS:,} characters as text.",
            "Name inner parts and give each an equation of its own.",
        )
    return part.text if part.level >= level else f"({part.text})"


def joined_sum(parts: list[Text]) -> str:
    """``a + b - c``."""
    joined = parts[0].text
    for part in parts[1:]:
        joined += f" - {part.text[1:]}" if part.text.startswith("-") else f" + {part.text}"
    return joined


def scalar_text(expr: Expr, values: Mapping[Symbol, Text], depth: int = 0) -> Text:
    """A scalar expression as text.

    Args:
        expr: numbers, symbols, sums, products, whole powers and functions of the language.
        values: what each symbol stands for; a symbol is found by its name if it is not there itself.
        depth: how deep in the whole expression this part is.

    Raises:
        LanguageError: a part of it is not in the language.
    """
    if depth > 40:
        raise LanguageError(
            "The scalar expression is nested more than 40 deep.", "Name an inner part."
        )
    if expr.is_Number:
        return _number(expr)
    if isinstance(expr, Symbol):
        return _symbol(expr, values)
    if not expr.args:
        raise LanguageError(f"{expr} is no rational number.", "Use a decimal number.")
    ordered = sorted(expr.args, key=lambda a: not a.is_Number) if expr.is_Add else expr.args
    parts = [scalar_text(arg, values, depth + 1) for arg in ordered]
    if expr.is_Add:
        return Text(joined_sum(parts), SUM)
    if expr.is_Mul:
        sign = "-" if expr.args[0] == -1 else ""
        factors = [bracketed(p, POWER) for p in (parts[1:] if sign else parts)]
        return Text(sign + " * ".join(factors), SUM if sign else PRODUCT)
    if expr.is_Pow:
        return _power(expr, parts)
    if isinstance(expr, sympy.Max) and len(expr.args) == 2 and expr.args[0] == 0:
        return Text(f"relu({parts[1].text})", ATOM)
    function = BY_SYMBOL.get(expr.func)
    if function is None or function.internal:
        raise LanguageError(
            f"{expr.func} is not a function of the language.", "See derive.functions."
        )
    return Text(f"{function.name}({parts[0].text})", ATOM)


def _number(expr: Expr) -> Text:
    if expr.is_Float:
        expr = sympy.Rational(str(expr))
    if not expr.is_Rational:
        raise LanguageError(f"{expr} is no rational number.", "Use a decimal number.")
    value = Fraction(int(expr.p), int(expr.q))
    plain = value >= 0 and value.denominator == 1
    return Text(spelled(value), ATOM if plain else PRODUCT if value >= 0 else SUM)


def _symbol(expr: Symbol, values: Mapping[Symbol, Text]) -> Text:
    found = values.get(expr) or next((v for s, v in values.items() if s.name == expr.name), None)
    if found is None:
        raise LanguageError(
            f"The symbol {expr} is neither a quantity nor a constant.",
            f"Name it in constants, or use MatrixSymbol({expr.name!r}, 1, 1).",
        )
    return found


def _power(expr: Expr, parts: list[Text]) -> Text:
    base, exponent = expr.args
    if exponent == sympy.Rational(1, 2):
        return Text(f"sqrt({parts[0].text})", ATOM)
    if exponent == sympy.Rational(-1, 2):
        return Text(f"(1 / sqrt({parts[0].text}))", ATOM)
    if not exponent.is_Integer:
        raise LanguageError(f"The power {base}**{exponent} is not whole.", "Use exp and log.")
    return Text(f"{bracketed(parts[0], ATOM)}**{exponent}", POWER)
