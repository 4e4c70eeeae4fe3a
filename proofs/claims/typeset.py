"""Formulas as LaTeX, in the notation of the field."""

from __future__ import annotations

from derive.latex import latex_name
from proofs.claims.printing import show_index, show_number
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

_SUM, _PRODUCT, _ATOM = range(3)
_RELATION = {"==": "=", "~=": r"\approx", "<=": r"\le", ">=": r"\ge"}
_SIGN = {"immediate": r"\partial^{+}", "local": r"\partial^{\mathrm{loc}}"}
_FUNCTION = {
    "sigmoid": r"\sigma", "tanh": r"\tanh", "exp": r"\exp", "log": r"\log", "sin": r"\sin", "cos": r"\cos",
    "norm": r"\left\Vert {} \right\Vert", "sigma_max": r"\sigma_{\max}", "sigma_min": r"\sigma_{\min}",
    "gamma": r"\gamma", "slope": r"\operatorname{slope}", "spectral_radius": r"\rho",
}  # fmt: skip
_NUMBERS = {"norm", "sigma_max", "sigma_min", "spectral_radius", "gamma", "trace", "total"}
"""Functions whose value is a number."""


def typeset(node: Node | Formula) -> str:
    """The LaTeX of a formula."""
    if isinstance(node, Formula):
        return f"{typeset(node.left)} {_RELATION[node.relation]} {typeset(node.right)}"
    return _show(node, _SUM)


def _show(node: Node, context: int) -> str:
    text, level = _text(node)
    return rf"\left({text}\right)" if level < context else text


def _name(name: str, index: Index | None) -> str:
    return latex_name(name, time=show_index(index)) if index is not None else latex_name(name)


def _text(node: Node) -> tuple[str, int]:
    match node:
        case Num(value=value):
            return show_number(value), _ATOM if value >= 0 else _SUM
        case Qty(name=name, index=index):
            return _name(name, index), _ATOM
        case Deriv(kind=kind, of=of, by=by):
            sign = _SIGN.get(kind, r"\partial")
            return (
                rf"\frac{{{sign} {_show(of, _PRODUCT)}}}{{\partial {_show(by, _PRODUCT)}}}",
                _ATOM,
            )
        case Add(terms=terms):
            return _sum(terms), _SUM
        case Mul(factors=factors):
            return _product(factors), _PRODUCT
        case Chain(factors=factors):
            return r" \, ".join(_show(f, _ATOM) for f in factors), _PRODUCT
        case Open(factors=factors):
            return r" \cdot ".join(_show(f, _ATOM) for f in factors), _PRODUCT
        case Pow(base=base, exponent=exponent):
            return f"{{{_show(base, _ATOM)}}}^{{{_show(exponent, _SUM)}}}", _ATOM
        case Steps(index=index):
            return show_index(index), _ATOM
        case Transposed(of=of):
            inner = _show(of, _ATOM)
            inner = rf"\left({inner}\right)" if isinstance(of, Deriv) else inner
            return rf"{{{inner}}}^{{\top}}", _ATOM
        case _:
            pass
    return _compound(node)


def _compound(node: Node) -> tuple[str, int]:
    match node:
        case Literal(rows=rows):
            body = r" \\ ".join(" & ".join(_show(v, _SUM) for v in row) for row in rows)
            return rf"\begin{{bmatrix}} {body} \end{{bmatrix}}", _ATOM
        case Call(name=name, args=args):
            return _call(name, args), _ATOM
        case Big(kind=kind, var=var, lo=lo, hi=hi, body=body, descending=descending):
            sign = r"\sum" if kind == "sum" else r"\prod"
            first, last = (hi, lo) if descending else (lo, hi)
            return (
                rf"{sign}_{{{var}={show_index(first)}}}^{{{show_index(last)}}} {_show(body, _PRODUCT)}",
                _PRODUCT,
            )
        case _:
            pass
    raise TypeError(f"{node!r} is no part of a formula")


def _call(name: str, args: tuple[Node, ...]) -> str:
    symbol = _FUNCTION.get(name, rf"\operatorname{{{name.replace('_', ' ')}}}")
    inner = ", ".join(_show(a, _SUM) for a in args)
    if "{}" in symbol:
        return symbol.replace("{}", inner)
    return rf"{symbol}\left({inner}\right)" if args else symbol


def _sum(terms: tuple[tuple[int, Node], ...]) -> str:
    text = ""
    for i, (sign, term) in enumerate(terms):
        text += ("-" if sign < 0 else "" if i == 0 else "+") + " " + _show(term, _PRODUCT) + " "
    return text.strip()


def _product(factors: tuple[tuple[int, Node], ...]) -> str:
    above = [f for e, f in factors if e > 0]
    below = [_show(f, _ATOM) for e, f in factors if e < 0]
    top = "".join(_beside(*pair) for pair in zip([None, *above], above, strict=False)) or "1"
    return rf"\frac{{{top}}}{{{r' '.join(below)}}}" if below else top


def _beside(before: Node | None, factor: Node) -> str:
    """A factor behind another one, with the sign between them: none is needed beside a number."""
    numbers = _is_number(factor) or _is_number(before)
    sign = r" \cdot " if isinstance(factor, Num) else r" \, " if numbers else r" \circ "
    return f"{sign if before is not None else ''}{_show(factor, _ATOM)}"


def _is_number(node: Node | None) -> bool:
    """Whether a factor is seen to be a number: one that is written, a size, or a power of these."""
    match node:
        case Num():
            return True
        case Call(name=name):
            return name in _NUMBERS
        case Pow(base=base):
            return _is_number(base)
        case Mul(factors=factors):
            return all(_is_number(f) for _, f in factors)
        case _:
            return False
