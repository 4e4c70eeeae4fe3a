r"""Over what a sum or a product in LaTeX runs: ``\sum_{t=1}^{T}``, ``\prod_{k < j \le t}``, ``\prod_{t \ge j > k}``."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FROM = re.compile(r"([a-z])(?:=(.+))?")
_UP = re.compile(r"(.+?)([<≤])([a-z])([<≤])(.+)")
_SIDE = re.compile(r"([a-z])([<≤>≥])(.+)")
_DOWN = re.compile(r"(.+?)([>≥])([a-z])([>≥])(.+)")


@dataclass(frozen=True, slots=True)
class Running:
    """An index and where it runs.

    Args:
        var: the index.
        lo: the least step, in the claim language; empty if none is said, and then it runs over all.
        hi: the last step.
        descending: whether the last step comes first.
    """

    var: str
    lo: str = ""
    hi: str = "T"
    descending: bool = False

    def written(self, kind: str, body: str) -> str:
        """The sum or product of the claim language.

        Args:
            kind: sum or product.
            body: what is added or multiplied.
        """
        steps = f"{self.lo}..{self.hi}, " if self.lo else ""
        order = "descending, " if self.descending and kind == "product" else ""
        return f"{kind}({self.var}, {steps}{order}{body})"


def running(kind: str, lower: str, upper: str) -> Running | None:
    r"""What the limits below and above say; ``None`` if they are of another form.

    Limits that go down, as in ``\prod_{j=t}^{k+1}``, put the last step first.

    Args:
        kind: sum or product.
        lower: what stands below, without blanks.
        upper: what stands above; empty if nothing does.
    """
    if found := _FROM.fullmatch(lower):
        var, first = found[1], found[2] or ""
        if _goes_down(first, upper):
            return Running(var, upper, first, descending=True)
        return Running(var, first, upper or "T")
    if upper:
        return None
    if up := _UP.fullmatch(lower):
        lo, below, var, above, hi = up.groups()
        return Running(var, lo + "+1" * (below == "<"), hi + "-1" * (above == "<"))
    if down := _DOWN.fullmatch(lower):
        hi, above, var, below, lo = down.groups()
        return Running(var, lo + "+1" * (below == ">"), hi + "-1" * (above == ">"), descending=True)
    if (side := _SIDE.fullmatch(lower)) and kind == "sum":
        var, sign, end = side.groups()
        if sign in "<≤":
            return Running(var, "1", end + "-1" * (sign == "<"))
        return Running(var, end + "+1" * (sign == ">"))
    return None


def _goes_down(first: str, last: str) -> bool:
    """Whether limits as they stand name the later step first: from t or T to 1, or to k + 1."""
    to = re.fullmatch(r"1|([a-s])\+1", last)
    return first in ("t", "t-1", "T", "T-1") and to is not None
