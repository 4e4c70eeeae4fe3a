"""How an exact number is written in the language, so that it reads back as it is."""

from __future__ import annotations

from fractions import Fraction

from derive.language_lines import MAX_DIGITS, MAX_EXPONENT

LARGEST = 310
"""The largest power of ten that is looked at: beyond every float."""
_BLOCK = 10**MAX_DIGITS
_REACH = MAX_DIGITS + MAX_EXPONENT


def parted(value: Fraction) -> tuple[int, int, int] | None:
    """``a, b, e`` with value = a/b · 10^e and digits as few as can be; ``None`` if they are more than are read."""
    if max(abs(value.numerator), value.denominator) < _BLOCK:
        return value.numerator, value.denominator, 0
    powers = range(-LARGEST - MAX_DIGITS, LARGEST + MAX_DIGITS + 1)
    found = ((value / Fraction(10) ** e, e) for e in powers)
    rest, e = min(found, key=lambda part: max(abs(part[0].numerator), part[0].denominator))
    short = max(abs(rest.numerator), rest.denominator) < _BLOCK
    return (rest.numerator, rest.denominator, e) if short else None


def spelled(value: Fraction) -> str:
    """A number as the language reads it, exactly.

    Law: what one number or a quotient of two says is written so, as declarations ask; only what a product made needs
    powers of ten as factors. A number of more digits than are read, as in squares, is written as it is.
    """
    parts = parted(value)
    if parts is None or parts[2] == 0:
        return str(value)
    sign, (top, bottom, e) = "-" if value < 0 else "", parts
    return sign + (_quotient(abs(top), bottom, e) or _product(abs(top), bottom, e))


def _quotient(top: int, bottom: int, e: int) -> str:
    """``a``, or ``a/b``, each with an exponent; empty if those that are read do not suffice."""
    for above in sorted(range(-_REACH, _REACH + 1), key=lambda k: (abs(k - e), abs(k))):
        a, b = _literal(top, above), _literal(bottom, above - e)
        if a and b:
            return a if b == "1" else f"{a}/{b}"
    return ""


def _literal(digits: int, exponent: int) -> str:
    """``digits · 10^exponent`` as one number; empty if the language has none."""
    text = str(digits)
    if exponent > MAX_EXPONENT:
        text, exponent = text + "0" * (exponent - MAX_EXPONENT), MAX_EXPONENT
    elif exponent < -MAX_EXPONENT:
        places = -MAX_EXPONENT - exponent
        text = text.rjust(places + 1, "0")
        text, exponent = f"{text[:-places]}.{text[-places:]}", -MAX_EXPONENT
    if len(text.lstrip("0").replace(".", "")) > MAX_DIGITS:
        return ""
    return f"{text}e{exponent}" if exponent else text


def _product(top: int, bottom: int, e: int) -> str:
    """``a/b * 1e40**k * 1er``"""
    times, rest = divmod(abs(e), MAX_EXPONENT)
    sign = "-" if e < 0 else ""
    factors = [str(Fraction(top, bottom)), f"1e{sign}{MAX_EXPONENT}**{times}"]
    return " * ".join([*factors, *([f"1e{sign}{rest}"] if rest else [])])
