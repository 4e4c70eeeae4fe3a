"""The side of an inequality that states a size: numbers, sizes of parameters, norms of values and of derivatives."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from derive.cell import Cell
from derive.intervals import ONE, ZERO
from derive.still import still_of
from proofs.claims.points import Context
from proofs.claims.powers import Bound, NoBoundError, to_steps
from proofs.claims.printing import show, show_index
from proofs.claims.ranges import SUPREMUM, Ranges
from proofs.claims.syntax import Add, Call, Deriv, Index, Mul, Node, Num, Pow, Qty, Steps
from proofs.claims.world import functions_of, is_bias, linear
from proofs.untyped import sympy


def gamma(cell: Cell) -> Fraction | None:
    """The largest sup |f′| among the cell's functions; ``None`` if one of them has no bound."""
    names = functions_of(cell)
    if not names <= SUPREMUM.keys():
        return None
    if not names:
        return Fraction(1)
    return max(Fraction(int(SUPREMUM[n].p), int(SUPREMUM[n].q)) for n in names)


class Stated:
    """What the sizes in a claim about a cell are, exactly, in symbols for those of parameters and values.

    Args:
        context: the cell and what is presumed.
    """

    def __init__(self, context: Context) -> None:
        self.conditions = context.conditions
        straight = "linear" in context.conditions
        self.cell = linear(context.cell) if straight else context.cell
        self.ranges = Ranges(self.cell, linear=straight)
        self.still = still_of(self.cell)
        self._values: set[Any] = set()

    def sigma(self, name: str) -> Any:
        """σ_max of a quantity without steps: the symbol for a parameter, and for what no step changes."""
        if self.ranges.by_name[name].value is not None:
            return abs(self.ranges.constant(name)[0])
        if "bias" in self.conditions and is_bias(self.ranges.by_name[name]):
            return ZERO
        if self._is_square(name) and "identity" in self.conditions:
            return ONE
        return sympy.Symbol(f"sigma_max({name})", nonnegative=True)

    def sigma_min(self, name: str) -> Any:
        """σ_min of a square parameter, a symbol.

        Raises:
            NoBoundError: it is no square parameter.
        """
        q = self.ranges.by_name.get(name)
        if q is None or q.role != "parameter" or q.value is not None or not self._is_square(name):
            raise NoBoundError
        if "identity" in self.conditions:
            return ONE
        return sympy.Symbol(f"sigma_min({name})", nonnegative=True)

    def size_at(self, name: str, index: Index) -> Any:
        """The norm of a quantity at a step: a symbol, which stands for that step alone, unless no step changes it."""
        if name in self.still:
            return self.sigma(name)
        found = sympy.Symbol(f"norm({name}[{show_index(index)}])", nonnegative=True)
        self._values.add(found)
        return found

    def size_of(self, derivative: Deriv) -> Any:
        """The norm of a derivative that is stated: a symbol, which stands for these steps alone."""
        found = sympy.Symbol(f"norm({show(derivative)})", nonnegative=True)
        self._values.add(found)
        return found

    def of_every_step(self, bound: Any) -> Any:
        """A bound that names no value of one step, and so is the same at every other.

        Raises:
            NoBoundError: it names one.
        """
        if bound.free_symbols & self._values:
            raise NoBoundError
        return bound

    def is_scalar(self, name: str) -> bool:
        """Whether a name is that of a number."""
        return name in self.ranges.by_name and self.ranges.by_name[name].shape == (1, 1)

    def bound(self, node: Node) -> Bound:
        """A side that is made of numbers and of such sizes.

        Raises:
            NoBoundError: it is of another form.
        """
        match node:
            case Mul(factors=factors) if all(e > 0 for e, _ in factors):
                total = Bound(ONE)
                for _, factor in factors:
                    total = total.times(self.bound(factor))
                return total
            case Mul(factors=factors):
                return Bound(sympy.Mul(*(self._to_power(f, e) for e, f in factors)))
            case Add(terms=terms):
                return Bound(sympy.Add(*(s * self.bound(t).plain() for s, t in terms)))
            case Pow(base=base, exponent=Steps(index=index)):
                return to_steps(self.of_every_step(self.bound(base).plain()), index)
            case Pow(base=base, exponent=Num(value=value)) if value.denominator == 1:
                return Bound(self._to_power(base, int(value)))
            case _:
                return Bound(self._size(node))

    def _size(self, node: Node) -> Any:
        match node:
            case Num(value=value):
                return sympy.Rational(value.numerator, value.denominator)
            case Call(name="gamma") if (largest := gamma(self.cell)) is not None:
                return sympy.Rational(largest.numerator, largest.denominator)
            case Call(name="sigma_max" | "norm", args=(Qty(name=name, index=None),)):
                return self.sigma(name)
            case Call(name="sigma_max" | "norm", args=(Qty(name=name, index=Index() as index),)):
                return self.size_at(name, index)
            case Call(name="sigma_max" | "norm", args=(Deriv() as derivative,)):
                return self.size_of(derivative)
            case Call(name="sigma_min", args=(Qty(name=name, index=None),)):
                return self.sigma_min(name)
            case Call(name="spectral_radius", args=(Qty(name=name, index=None),)) if (
                self._is_normal(name)
            ):
                return self.sigma(name)
            case Call(name="abs", args=(Qty(name=name, index=None),)) if self.is_scalar(name):
                return self.sigma(name)
            case Qty(name=name, index=None) if self.ranges.constant(name)[0].is_finite:
                return self.ranges.constant(name)[0]
            case _:
                raise NoBoundError

    def _is_normal(self, name: str) -> bool:
        """Whether a condition makes a square parameter normal, so that its spectral radius is its norm."""
        presumed = {"symmetric", "diagonal", "identity"} & self.conditions
        return bool(presumed) and self._is_square(name)

    def _is_square(self, name: str) -> bool:
        """Whether a name is that of a square parameter with more entries than one."""
        q = self.ranges.by_name[name]
        rows, cols = q.shape
        return q.role == "parameter" and bool(rows == cols) and bool(rows != 1)

    def _to_power(self, node: Node, exponent: int) -> Any:
        base = self.bound(node).plain()
        if exponent < 0 and base == 0:
            raise NoBoundError
        return base**exponent
