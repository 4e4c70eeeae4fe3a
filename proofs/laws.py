"""The derivative laws of the elementwise functions, against SymPy's derivative of what each function is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from derive.functions import BY_SYMBOL, FUNCTIONS, Function, x, y
from proofs.untyped import sympy

_positive = sympy.Symbol("x", positive=True)
_negative = sympy.Symbol("x", negative=True)

# Every function written out, piece by piece: (argument, value) on each interval where it is smooth.
_PIECES: dict[str, Callable[[Any], Any]] = {
    "tanh": lambda u: (sympy.exp(u) - sympy.exp(-u)) / (sympy.exp(u) + sympy.exp(-u)),
    "sigmoid": lambda u: 1 / (1 + sympy.exp(-u)),
    "relu": lambda u: u if u.is_positive else sympy.S.Zero,
    "softplus": lambda u: sympy.log(1 + sympy.exp(u)),
    "exp": sympy.exp,
    "log": sympy.log,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "sqrt": sympy.sqrt,
    "abs": lambda u: u if u.is_positive else -u,
    "step": lambda u: sympy.S.One if u.is_positive else sympy.S.Zero,
    "sign": lambda u: sympy.S.One if u.is_positive else -sympy.S.One,
}


@dataclass(frozen=True, slots=True)
class LawVerdict:
    """Whether a function's derivative law is right.

    Args:
        name: the function.
        holds: whether f′ − law is 0 as SymPy simplifies it, on every piece.
        reason: what is left of the difference, empty if nothing is.
    """

    name: str
    holds: bool
    reason: str = ""


def prove_laws(functions: Mapping[str, Function] = FUNCTIONS) -> tuple[LawVerdict, ...]:
    """f′(x) = law(x, f(x)) for every function, symbolically.

    Args:
        functions: by name; a function that is not written out here is not proved, and so does not hold.
    """
    return tuple(_prove(f) for f in functions.values())


def _prove(f: Function) -> LawVerdict:
    written = _PIECES.get(f.name)
    if written is None:
        return LawVerdict(
            f.name, False, "it is not written out in proofs.laws, so nothing was proved"
        )
    arguments = (_positive,) if f.positive else (x,) if f.kink is None else (_positive, _negative)
    for u in arguments:
        value = written(u)
        left = sympy.diff(value, u) - _law(f, u, value)
        if sympy.simplify(left) != 0:
            return LawVerdict(f.name, False, f"f′ − law = {sympy.simplify(left)}")
    return LawVerdict(f.name, True)


def _law(f: Function, u: Any, value: Any) -> Any:
    """The law with x = u and y = f(u), every function in it written out."""
    law: Any = f.law
    return law.subs({x: u, y: value}, simultaneous=True).replace(
        _is_written_out, partial(_piece_at, u=u)
    )


def _is_written_out(node: Any) -> bool:
    return node.func in BY_SYMBOL


def _piece_at(node: Any, u: Any) -> Any:
    """step(relu(u)) on a piece: relu(u) is u or 0, and step(0) = 0 by convention."""
    (argument,) = node.args
    name = BY_SYMBOL[node.func].name
    if argument == 0 and name in ("step", "sign"):
        return sympy.S.Zero
    return _PIECES[name](argument)
