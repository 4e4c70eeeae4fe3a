"""Whether two generated files compute the same: both are run on random numbers modulo a prime, where nothing rounds.

An elementwise function is unknown here: its value is random, and the same for equal arguments. Results that agree are
then equal as rational functions of everything that went in, whatever the functions are, but for an error probability
that is counted along; a difference that rounding would hide is as visible as any other. Comparisons go by the
residues, so branches fall at random, for both files alike; but a number from which 10⁹ is taken, as from a logit that
must not count, lies below all others, and its exponential is 0 as in every precision. Where quotients make the
degrees, and with them that probability, too large, 1/x is one more function that is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache, wraps
from math import isfinite
from random import Random
from typing import Any, cast

import numpy as np

from derive.network_padding import FAR

PRIME = 2**521 - 1
FUNCTIONS = ("exp", "log", "log1p", "sqrt", "tanh", "sin", "cos", "arctan", "expm1")
EXTENTS = ((1, 1, 1, 1), (2, 3, 2, 3), (2, 4, 5, 2), (2, 3, 12, 2), (2, 3, 50, 1))
"""Smallest and largest size, T and B of the runs; the longest is longer than any path that a mutant cuts."""


def _of_numbers(operator: Callable[[Residue, Any], Residue]) -> Callable[[Residue, Any], Any]:
    """An operator that leaves whole arrays to NumPy, which asks it again for every entry."""

    @wraps(operator)
    def of(self: Residue, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else operator(self, other)

    return of


class Residue:
    """A number modulo the prime, with bounds on the degrees of its numerator and its denominator.

    Args:
        value: the number.
        up: the bound for the numerator.
        down: that for the denominator.
        far: how often ``FAR`` is in it as an addend, or what is larger; its exponential is 0 if that is negative.
    """

    __slots__ = ("down", "far", "up", "value")

    def __init__(self, value: int, up: int = 0, down: int = 0, far: int = 0) -> None:
        self.value, self.up, self.down, self.far = value, up, down, far

    @_of_numbers
    def __add__(self, other: Any) -> Residue:
        b = other if isinstance(other, Residue) else residue(other)
        up = max(self.up + b.down, b.up + self.down)
        return type(self)((self.value + b.value) % PRIME, up, self.down + b.down, self.far + b.far)

    @_of_numbers
    def __mul__(self, other: Any) -> Residue:
        b = other if isinstance(other, Residue) else residue(other)
        return type(self)(self.value * b.value % PRIME, self.up + b.up, self.down + b.down)

    def __pow__(self, k: int) -> Residue:
        n = abs(k)
        whole = type(self)(pow(self.value, n, PRIME), n * self.up, n * self.down)
        return whole if k >= 0 else whole.inverse()

    def __neg__(self) -> Residue:
        return type(self)(-self.value % PRIME, self.up, self.down, -self.far)

    @_of_numbers
    def __sub__(self, other: Any) -> Residue:
        return self + -residue(other)

    def __rsub__(self, other: Any) -> Residue:
        return -self + other

    @_of_numbers
    def __truediv__(self, other: Any) -> Residue:
        return self * residue(other).inverse()

    def __rtruediv__(self, other: Any) -> Residue:
        return self.inverse() * other

    __radd__, __rmul__ = __add__, __mul__

    def inverse(self) -> Residue:
        """1 / x"""
        return type(self)(pow(self.value, -1, PRIME), self.down, self.up)

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in the order of numbers."""
        return self.far, self.value

    def __lt__(self, other: Any) -> bool:
        return self.place < residue(other).place

    def __gt__(self, other: Any) -> bool:
        return self.place > residue(other).place

    def __le__(self, other: Any) -> bool:
        return self.place <= residue(other).place

    def __ge__(self, other: Any) -> bool:
        return self.place >= residue(other).place

    def __eq__(self, other: object) -> bool:
        return self.value == residue(other).value

    def __hash__(self) -> int:
        return hash(self.value)


def residue(x: Any) -> Residue:
    """Any number of the code as a residue; what is not a number has none.

    Raises:
        ArithmeticError: it is not finite, as memory that nobody wrote.
    """
    if isinstance(x, Residue):
        return x
    if not isfinite(x):
        raise ArithmeticError("a number that is not finite")
    return _known_number(int(cast("int", x)) if isinstance(x, int | np.integer) else float(x))


@lru_cache(4096)
def _known_number(x: float) -> Residue:
    exact = Fraction(x)
    far = 0 if abs(exact) < FAR else 1 if exact > 0 else -1
    return Residue(exact.numerator * pow(exact.denominator, -1, PRIME) % PRIME, far=far)


class FormalNumPy:
    """NumPy for generated files whose numbers are residues: what makes arrays, and what looks into their entries.

    Args:
        seed: of everything that is drawn.
        divides: whether 1/x is what it is, or a function that is unknown, which keeps degrees small.
    """

    def __init__(self, seed: int, *, divides: bool = True) -> None:
        self._draw = Random(seed)  # noqa: S311 - no secret
        unknown = {"__slots__": (), "inverse": _odd(self._function("1/x"))}
        self._kind: type[Residue] = Residue if divides else type("Unknown", (Residue,), unknown)
        self._known: dict[tuple[str, int], int] = {}
        self._degree = 0
        for name in FUNCTIONS:
            setattr(self, name, np.frompyfunc(self._function(name), 1, 1))
        self.sign = np.frompyfunc(lambda x: 1 if x > 0 else 0, 1, 1)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def random_like(self, x: Any) -> Any:
        """Random residues where there were floating-point numbers; whole numbers as they are."""
        if isinstance(x, Mapping):
            named = cast("Mapping[str, Any]", x)
            return {name: self.random_like(v) for name, v in named.items()}
        if getattr(x, "dtype", np.dtype(int)).kind != "f":
            return x
        drawn: Any = np.empty(x.size, dtype=object)
        drawn[:] = [self._kind(self._draw.randrange(PRIME), 1) for _ in range(x.size)]
        return drawn.reshape(x.shape)

    def error(self, results: list[Any]) -> float:
        """The probability that results agree which are different (Schwartz 1980, Zippel 1979).

        Law: (N² d + R r) / p for N arguments of functions of degree d, and R results of degree r.
        """
        last = [residue(v) for a in results for v in np.asarray(a, object).ravel()]
        among = Fraction(len(self._known) ** 2 * self._degree, PRIME)
        found = Fraction(len(last) * max(2 * (r.up + r.down) for r in last), PRIME)
        return float(min(among + found, 1))

    def known(self) -> tuple[Any, ...]:
        """What has been drawn so far, and what comes next."""
        return dict(self._known), self._degree, self._draw.getstate()

    def know(self, known: tuple[Any, ...]) -> None:
        """Goes back to what was known once.

        Args:
            known: what ``known`` returned then.
        """
        values, self._degree, drawing = known
        self._known = dict(values)
        self._draw.setstate(drawing)

    def empty(self, shape: Any, dtype: Any = np.float64) -> Any:
        """Memory that nobody wrote: not a number."""
        return self.full(shape, np.nan, dtype)

    def zeros(self, shape: Any, dtype: Any = np.float64) -> Any:
        """Zeros."""
        return self.full(shape, 0, dtype)

    def ones(self, shape: Any, dtype: Any = np.float64) -> Any:
        """Ones."""
        return self.full(shape, 1, dtype)

    def full(self, shape: Any, value: Any, dtype: Any = None) -> Any:
        """One value in every entry; whole numbers and truth values stay what they are in NumPy."""
        whole = np.full(shape, value, dtype)
        return whole if whole.dtype.kind in "iub" else whole.astype(object)

    def isfinite(self, x: Any) -> Any:
        """Residues are finite."""
        return np.ones(np.shape(x), bool)

    def _function(self, name: str) -> Callable[[Any], Residue]:
        def value(x: Any) -> Residue:
            r = residue(x)
            if name == "exp" and r.far < 0:
                return self._kind(0)
            if (name, r.value) not in self._known:
                self._known[name, r.value] = self._draw.randrange(PRIME)
                self._degree = max(self._degree, 2 * (r.up + r.down))
            return self._kind(self._known[name, r.value], 1)

        return value


def _odd(function: Callable[[Any], Residue]) -> Callable[[Residue], Residue]:
    """A function f of which f(−x) = −f(x) is known."""
    return lambda x: function(x) if x.value <= PRIME // 2 else -function(-x)
