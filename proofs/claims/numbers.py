"""Worked numbers: formulas over numbers alone, to fifty digits, and by how much they are false.

What rounding leaves of a difference that is zero shrinks with the digits; a difference that is there stays. So
everything is computed with fifty digits and with a hundred, and no size is too small to be told from zero.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np

from proofs.arithmetic import Array
from proofs.claims.printing import show
from proofs.claims.syntax import (
    Add,
    Call,
    Chain,
    Formula,
    Literal,
    Mul,
    Node,
    Num,
    Open,
    Pow,
    Transposed,
    walk,
)
from proofs.claims.values import MeaninglessError
from proofs.floats import HighPrecision

DIGITS = 50
SHRUNK = mpmath.mpf(10) ** -20
"""By how much at least a residue of rounding shrinks when the digits are doubled."""
MAX_EXPONENT = 64
MAX_BITS = 100_000
"""Size of a number: beyond 2 to this power, a function of it takes forever."""
LOOSEST = Fraction(1, 20)
"""The tolerance of ~= where whole numbers are written."""


def is_numeric(formula: Formula) -> bool:
    """Whether a formula speaks of numbers only; gamma is one that a cell has."""
    parts = [*walk(formula.left), *walk(formula.right)]
    return all(
        isinstance(p, Num | Literal | Add | Mul | Chain | Open | Pow | Transposed | Call)
        and not (isinstance(p, Call) and p.name == "gamma")
        for p in parts
    )


def tolerance(formula: Formula) -> Fraction:
    """By how much the sides of ~= may differ: as stated, else half a unit in the last digit on the right, or 0.05."""
    if formula.relation == "==":
        return Fraction(0)
    if formula.within is not None:
        return formula.within
    units = [p.unit for p in walk(formula.right) if isinstance(p, Num)]
    return min(min(units, default=Fraction(0)) / 2, LOOSEST)


def difference(formula: Formula, digits: int = DIGITS) -> tuple[Array, Array, Any]:
    """Both sides, and the largest difference of their entries.

    Args:
        formula: over numbers alone.
        digits: with which it is computed.

    Raises:
        MeaninglessError: shapes cannot agree, or an operation has no value.
    """
    numbers = Numbers(digits)
    left, right = numbers(formula.left), numbers(formula.right)
    if left.shape != right.shape and right.shape != (1, 1):
        if left.size == right.size and 1 in left.shape and 1 in right.shape:
            left = left.reshape(right.shape)
        else:
            raise MeaninglessError(
                f"the left side has shape {left.shape}, the right side {right.shape}", (0, 0)
            )
    return left, right, max(abs(v) for v in (left - right).ravel())


def holds(formula: Formula) -> bool:
    """Whether a relation between numbers holds, residues of rounding granted."""
    first, second = _excess(formula, DIGITS), _excess(formula, 2 * DIGITS)
    return all(b <= 0 or b <= abs(a) * SHRUNK for a, b in zip(first, second, strict=True))


def _excess(formula: Formula, digits: int) -> list[Any]:
    """By how much each entry goes beyond what the relation allows."""
    left, right, _ = difference(formula, digits)
    match formula.relation:
        case "<=":
            return [*(left - right).ravel()]
        case ">=":
            return [*(right - left).ravel()]
        case _:
            limit = tolerance(formula)
            with mpmath.workdps(digits):
                allowed = mpmath.mpf(limit.numerator) / limit.denominator
                return [abs(v) - allowed for v in (left - right).ravel()]


class Numbers:
    """Evaluates formulas over numbers."""

    def __init__(self, digits: int = DIGITS) -> None:
        self.high = HighPrecision(digits)

    def __call__(self, node: Node) -> Array:
        """The value, as a matrix of real numbers."""
        try:
            value = getattr(self, _RULES[type(node)])(node)
        except (ZeroDivisionError, ValueError, OverflowError) as error:
            raise MeaninglessError(f"this has no value ({error})", node.where) from None
        if not all(mpmath.isfinite(v) and mpmath.im(v) == 0 for v in value.ravel()):
            raise MeaninglessError("this is no real number", node.where)
        if any(v != 0 and abs(mpmath.mag(v)) > MAX_BITS for v in value.ravel()):
            problem = f"this has no value here (its size is beyond 2^±{MAX_BITS:,}, the limit)"
            raise MeaninglessError(problem, node.where)
        return value

    def _number(self, node: Num) -> Array:
        return np.array(
            [[self.high.mp.mpf(node.value.numerator) / node.value.denominator]], dtype=object
        )

    def _literal(self, node: Literal) -> Array:
        rows = [[self(v) for v in row] for row in node.rows]
        if any(v.shape != (1, 1) for row in rows for v in row):
            raise MeaninglessError("the entries of a list are numbers", node.where)
        return np.array([[v[0, 0] for v in row] for row in rows], dtype=object)

    def _together(self, a: Array, b: Array, node: Node) -> None:
        if a.shape != b.shape and (1, 1) not in (a.shape, b.shape):
            raise MeaninglessError(f"shapes {a.shape} and {b.shape} do not agree", node.where)

    def _sum(self, node: Add) -> Array:
        total: Array | None = None
        for sign, term in node.terms:
            value = sign * self(term)
            if total is not None:
                self._together(total, value, node)
            total = value if total is None else total + value
        assert total is not None  # noqa: S101 - no sum is empty
        return total

    def _product(self, node: Mul) -> Array:
        total = self._number(Num(value=Fraction(1)))
        for exponent, factor in node.factors:
            value = self(factor)
            self._together(total, value, node)
            total = total * value if exponent > 0 else total / value
        return total

    def _chain(self, node: Chain | Open) -> Array:
        values = [self(f) for f in node.factors]
        total = values[0]
        for value in values[1:]:
            if (1, 1) in (total.shape, value.shape) and total.shape[1] != value.shape[0]:
                total = total * value
            elif total.shape[1] == value.shape[0]:
                total = total @ value
            elif total.shape[1] == 1 and value.shape == total.shape:
                total = total.T @ value
            else:
                raise MeaninglessError(
                    f"shapes {total.shape} and {value.shape} do not fit a matrix product",
                    node.where,
                )
        return total

    def _power(self, node: Pow) -> Array:
        exponent = self(node.exponent)
        if exponent.shape != (1, 1) or abs(exponent[0, 0]) > MAX_EXPONENT:
            raise MeaninglessError(
                f"an exponent is a number of size at most {MAX_EXPONENT}", node.exponent.where
            )
        return self._each(lambda v: v ** exponent[0, 0], self(node.base))

    def _transposed(self, node: Transposed) -> Array:
        return self(node.of).T

    def _each(self, f: Callable[[Any], Any], a: Array) -> Array:
        return np.array([f(v) for v in a.ravel()], dtype=object).reshape(a.shape)

    def _call(self, node: Call) -> Array:
        args = [self(a) for a in node.args]
        match node.name:
            case "norm" | "sigma_max":
                return np.array([[_sigma(self.high.mp, args[0])[0]]], dtype=object)
            case "sigma_min":
                return np.array([[_sigma(self.high.mp, args[0])[-1]]], dtype=object)
            case "spectral_radius":
                values = self.high.mp.eig(
                    self.high.mp.matrix(args[0].tolist()), left=False, right=False
                )
                return np.array([[max(abs(v) for v in values)]], dtype=object)
            case "softmax":
                if args[0].shape[1] != 1:
                    raise MeaninglessError("softmax takes a column", node.where)
                return self.high.softmax(args[0])
            case "diag":
                return self.high.diag(args[0])
            case "total":
                return self.high.total(args[0])
            case "outer":
                return args[0] @ args[1].T
            case "concat":
                return np.concatenate(args, axis=0)
            case "identity":
                return args[0]
            case "trace" | "eye" | "ones" | "zeros" | "sandwich" | "slope" | "gamma":
                raise MeaninglessError(
                    f"{node.name} is not evaluated in worked numbers", node.where
                )
            case _:
                pass
        return self.high.function(node.name, args[0])


def _sigma(mp: Any, a: Array) -> list[Any]:
    """Singular values, the largest first."""
    return sorted(mp.svd(mp.matrix(a.tolist()), compute_uv=False), reverse=True)


def shown(a: Array) -> str:
    """A matrix of numbers in six digits."""
    entries = [[str(mpmath.nstr(v, 6)).removesuffix(".0") for v in row] for row in a]
    if a.shape == (1, 1):
        return entries[0][0]
    if a.shape[1] == 1:
        return f"[{', '.join(row[0] for row in entries)}]"
    return f"[{'; '.join(' '.join(row) for row in entries)}]"


def gap_text(formula: Formula) -> str:
    """Both sides and by how much they differ."""
    left, right, gap = difference(formula)
    by = str(mpmath.nstr(gap, 4)).removesuffix(".0")
    return f"{show(formula.left)} = {shown(left)}, not {shown(right)}: off by {by}"


_RULES: dict[type[Node], str] = {
    Num: "_number",
    Literal: "_literal",
    Add: "_sum",
    Mul: "_product",
    Chain: "_chain",
    Open: "_chain",
    Pow: "_power",
    Transposed: "_transposed",
    Call: "_call",
}
