"""How a parameter starts: a kind of random or fixed value, a number, or minus another parameter."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from derive.language_numbers import spelled


@dataclass(frozen=True, slots=True)
class Kind:
    """A way in which parameters start.

    Args:
        law: what it is, in mathematics.
        argument: what the number in brackets is; empty if there is none.
        default: the number where none is written; ``None`` if one must be.
        above: the number must be above this.
    """

    law: str
    argument: str = ""
    default: int | None = 1
    above: int | None = None


KINDS = {
    "zeros": Kind("0"),
    "ones": Kind("1"),
    "identity": Kind("the identity matrix", "a factor"),
    "orthogonal": Kind("W.T W = 1 or W W.T = 1, uniform (Saxe, McClelland and Ganguli, 2014)", "a factor"),
    "glorot": Kind("uniform of variance 2 / (n + m) (Glorot and Bengio, 2010)", "a factor"),
    "glorot_normal": Kind("normal of variance 2 / (n + m) (Glorot and Bengio, 2010)", "a factor"),
    "he": Kind("normal of variance 2 / m (He et al., 2015)", "a factor"),
    "he_uniform": Kind("uniform of variance 2 / m (He et al., 2015)", "a factor"),
    "normal": Kind("normal of variance 1 / m (LeCun et al., 1998)", "a factor"),
    "chrono": Kind(
        "log u, u uniform in [1, T - 1] (Tallec and Ollivier, 2018)", "T, the longest lag", None, 2
    ),
}  # fmt: skip
"""By name; of a matrix that takes m numbers to n."""


@dataclass(frozen=True, slots=True)
class Start:
    """How one parameter starts.

    Args:
        kind: a name of ``KINDS``, ``number``, or ``parameter``.
        number: the number itself, or what stands in the kind's brackets; ``None`` if nothing does.
        parameter: the other parameter, for ``parameter``.
        negative: whether there is a minus in front.
    """

    kind: str
    number: Fraction | None = None
    parameter: str = ""
    negative: bool = False

    def __str__(self) -> str:
        sign = "-" if self.negative else ""
        if self.kind in ("number", "parameter"):
            return f"{sign}{self.parameter or self._number}"
        return f"{sign}{self.kind}" + (f"({self._number})" if self.number is not None else "")

    @property
    def _number(self) -> str:
        return "" if self.number is None else spelled(self.number)

    @property
    def argument(self) -> Fraction:
        """What stands in the kind's brackets, or would."""
        return Fraction(KINDS[self.kind].default or 0) if self.number is None else self.number
