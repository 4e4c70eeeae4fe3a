"""Formulas as text: what is printed reads back as the same formula."""

from __future__ import annotations

from fractions import Fraction

from proofs.claims.syntax import (
    Add,
    Big,
    Call,
    Chain,
    Deriv,
    Formula,
    Index,
    Literal,
    Mul,
    Node,
    Num,
    Open,
    Pow,
    Qty,
    Steps,
    Transposed,
)

_SUM, _PRODUCT, _UNARY, _POWER, _ATOM = range(5)
_SIGN = {"total": "d", "immediate": "d+", "open": "∂"}


def show(node: Node | Formula) -> str:
    """The text of a formula."""
    if isinstance(node, Formula):
        tail = "" if node.within is None else f" within {show_number(node.within)}"
        return f"{show(node.left)} {node.relation} {show(node.right)}{tail}"
    return _show(node, _SUM)


def show_index(index: Index) -> str:
    """An index, such as ``t-1``."""
    parts = [_signed(factor, name) for name, factor in index.terms]
    if index.constant or not parts:
        parts.append(f"{index.constant:+d}")
    return "".join(parts).removeprefix("+")


def show_number(value: Fraction) -> str:
    """A number as a decimal where that is exact, else as a fraction."""
    if value.denominator == 1:
        return str(value.numerator)
    places = next((d for d in range(1, 31) if (value * 10**d).denominator == 1), None)
    if places is None:
        return f"({value.numerator}/{value.denominator})"
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' * (value < 0)}{digits[:-places]}.{digits[-places:]}"


def _signed(factor: int, name: str) -> str:
    sign = "-" if factor < 0 else "+"
    return sign + (name if abs(factor) == 1 else f"{abs(factor)}*{name}")


def _show(node: Node, context: int) -> str:
    text, level = _text(node)
    return f"({text})" if level < context else text


def _text(node: Node) -> tuple[str, int]:
    match node:
        case Num(value=value):
            return show_number(value), _SUM if value < 0 else _ATOM
        case Steps(index=index):
            text = show_index(index)
            return (text, _ATOM) if text.isidentifier() else (f"({text})", _ATOM)
        case Call(name="gamma"):
            return "gamma", _ATOM
        case Literal(rows=rows):
            return _literal(rows), _ATOM
        case Qty(name=name, index=index):
            return name if index is None else f"{name}[{show_index(index)}]", _ATOM
        case Deriv():
            return _derivative(node)
        case _:
            pass
    return _compound(node)


def _compound(node: Node) -> tuple[str, int]:
    match node:
        case Add(terms=terms):
            return _sum(terms), _SUM
        case Mul(factors=factors):
            return _product(factors), _PRODUCT
        case Chain(factors=factors):
            return " @ ".join(_factors(factors)), _PRODUCT
        case Open(factors=factors):
            return " · ".join(_factors(factors)), _PRODUCT
        case Pow(base=base, exponent=exponent):
            return f"{_show(base, _ATOM)}**{_show(exponent, _ATOM)}", _POWER
        case Transposed(of=of):
            inner = _show(of, _ATOM)
            return (f"({inner}).T" if isinstance(of, Deriv) else f"{inner}.T"), _ATOM
        case Call(name=name, args=args):
            return f"{name}({', '.join(show(a) for a in args)})", _ATOM
        case Big():
            return _big(node), _ATOM
        case _:
            pass
    raise TypeError(f"{node!r} is no part of a formula")


def _factors(factors: tuple[Node, ...]) -> list[str]:
    """The first factor may be a product itself; a later one needs brackets then."""
    return [
        _show(f, _UNARY if i or isinstance(f, Mul | Chain | Open) else _PRODUCT)
        for i, f in enumerate(factors)
    ]


def _derivative(node: Deriv) -> tuple[str, int]:
    if node.kind == "local" or not isinstance(node.of, Qty):
        name = "partial" if node.kind == "open" else node.kind
        return f"{name}({show(node.of)}, {show(node.by)})", _ATOM
    sign = _SIGN[node.kind]
    return f"{sign}{show(node.of)}/{sign[0]}{show(node.by)}", _ATOM


def _sum(terms: tuple[tuple[int, Node], ...]) -> str:
    parts: list[str] = []
    for i, (sign, term) in enumerate(terms):
        text = _show(term, _PRODUCT)
        parts.append(
            ("-" if sign < 0 else "") + text if i == 0 else f" {'-' if sign < 0 else '+'} {text}"
        )
    return "".join(parts)


def _product(factors: tuple[tuple[int, Node], ...]) -> str:
    first, *rest = factors
    head = _show(first[1], _UNARY)
    parts = [head if first[0] > 0 else f"1 / {head}"]
    parts += [
        f" {'*' if exponent > 0 else '/'} {_show(factor, _UNARY)}" for exponent, factor in rest
    ]
    return "".join(parts)


def _literal(rows: tuple[tuple[Node, ...], ...]) -> str:
    if all(len(row) == 1 for row in rows):
        return f"[{', '.join(show(row[0]) for row in rows)}]"
    return f"[{', '.join('[' + ', '.join(show(v) for v in row) + ']' for row in rows)}]"


def _big(node: Big) -> str:
    whole = node.kind == "sum" and node.lo == Index((), 1) and node.hi == Index((("T", 1),), 0)
    middle = "" if whole else f" {show_index(node.lo)}..{show_index(node.hi)},"
    order = " descending," if node.descending else ""
    return f"{node.kind}({node.var},{middle}{order} {show(node.body)})"
