"""A certificate of bounded gradients, re-checked in exact rational numbers: Python's own library and nothing else.

    python -m proofs.guarantee_checker certificate.json

The law it checks: rows M ≥ 0 and v > 0 with Mv ≤ ρv give ‖∂s_T/∂s_0‖₂ ≤ C ρᵀ with C² ≥ K (max v / min v)² for K rows.
A row may hold norms: ‖A‖₂ ≤ w because w² I − AᵀA = LLᵀ + E with E diagonally dominant, plus a radius around A.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from fractions import Fraction
from math import lcm, prod
from operator import mul
from typing import Any


class RefusedError(ValueError):
    """The certificate does not show what it says."""


def check(data: Mapping[str, Any]) -> tuple[Fraction, Fraction]:
    """C and ρ of a certificate that holds.

    Args:
        data: the certificate's proof: ``rho``, ``C``, ``norms``, and what its ``kind`` needs; see ``_LAWS``.

    Raises:
        RefusedError: it does not.
    """
    try:
        return _check(data)
    except (KeyError, TypeError, IndexError, ZeroDivisionError, AttributeError) as error:
        raise RefusedError(f"not a certificate: {error!r}") from None


def _check(data: Mapping[str, Any]) -> tuple[Fraction, Fraction]:
    rho, c, w = _q(data["rho"]), _q(data["C"]), [_norm(n) for n in data["norms"]]
    _ask(rho >= 0 and c >= 1, "ρ or C − 1 is negative")
    _LAWS[data["kind"]](data, w, rho, c)
    return c, rho


def _rows(data: Mapping[str, Any], w: list[Fraction], rho: Fraction, c: Fraction) -> None:
    """|J| ≤ M row by row, for one of the rows given: Mv ≤ ρv for all of them bounds every product."""
    v = [_q(x) for x in data["v"]]
    _ask(0 < len(v) == len(data["rows"]), "there is not one row for every entry of v")
    _ask(min(v) > 0, "an entry of v is not positive")
    for i, pieces in enumerate(data["rows"]):
        for row in pieces:
            m = [_entry(e, w) for e in row]
            _ask(len(m) == len(v) and min(m) >= 0, "a row is too short or negative")
            _ask(sum(map(mul, m, v)) <= rho * v[i], f"(Mv)_{i} > ρ v_{i}")
        _ask(len(pieces) > 0, "a row is missing")
    _ask(c * c >= len(v) * (max(v) / min(v)) ** 2, "C is too small")


def _powers(data: Mapping[str, Any], w: list[Fraction], rho: Fraction, c: Fraction) -> None:
    """w[i] bounds every product of 2ⁱ Jacobians: a product of j has one factor for each binary digit 1 of j."""
    _ask(len(w) > 0, "there is no norm")
    longest = 1 << (len(w) - 1)
    _ask(rho**longest >= w[-1], "ρ is too small")
    for j in range(longest):
        _ask(c * rho**j >= prod(x for i, x in enumerate(w) if j >> i & 1), "C is too small")


def _chain(data: Mapping[str, Any], w: list[Fraction], rho: Fraction, c: Fraction) -> None:
    """w[i] bounds the product of the i-th stretch of Jacobians, and all of them make the whole."""
    steps = int(data["steps"])
    _ask(steps > 0 and c * rho**steps >= prod(w), "Cρᵀ is too small")


_LAWS = {"rows": _rows, "powers": _powers, "chain": _chain}


def _norm(n: Mapping[str, Any]) -> Fraction:
    (a, scale), (low, fine), bound = _whole(n["matrix"]), _whole(n["factor"]), _q(n["bound"])
    radius, size = _q(n["radius"]), len(a[0])
    _ask(0 <= radius <= bound, "a radius is negative, or larger than its bound")
    _ask(all(len(row) == size for row in a), "a matrix is ragged")
    columns = list(zip(*a, strict=True))
    for i in range(size):
        e = [-Fraction(sum(map(mul, columns[i], columns[j])), scale**2)
             - Fraction(sum(map(mul, low[i], low[j])), fine**2) for j in range(size)]  # fmt: skip
        e[i] += (bound - radius) ** 2
        _ask(e[i] >= sum(abs(x) for j, x in enumerate(e) if j != i), "‖A‖ ≤ w is not shown")
    return bound


def _whole(rows: Any) -> tuple[list[list[int]], int]:
    """A matrix of rationals as whole numbers over one denominator."""
    exact = [[_q(x) for x in row] for row in rows]
    over = lcm(*(x.denominator for row in exact for x in row))
    return [[int(x * over) for x in row] for row in exact], over


def _entry(e: Any, w: list[Fraction]) -> Fraction:
    """A number, or a sum of products of a number with norms."""
    total = Fraction(0)
    terms: Any = [[e]] if isinstance(e, str) else e
    for term in terms:
        _ask(all(i >= 0 for i in term[1:]), "a norm's place is no index")
        factors: list[Fraction] = [w[i] for i in term[1:]]
        total += _q(term[0]) * prod(factors, start=Fraction(1))
    return total


def _q(text: Any) -> Fraction:
    _ask(isinstance(text, str), f"{text!r} is no rational number as text")
    return Fraction(text)


def _ask(holds: bool, problem: str) -> bool:
    if not holds:
        raise RefusedError(problem)
    return True


def main(arguments: list[str]) -> int:
    """Check the certificate in a file: 0 it holds, 2 there is none to read, 3 it is refused."""
    try:
        with open(arguments[0], encoding="utf-8") as file:
            found = json.load(file)
        c, rho = check(found["proof"])
    except RefusedError as error:
        sys.stderr.write(f"refused: {error}\n")
        return 3
    except (IndexError, OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(
            f"no certificate was read ({error!r})\n  Give the path of a certificate.json.\n"
        )
        return 2
    sys.stdout.write(f"holds: C = {c} = {float(c):.9g}, rho = {rho} = {float(rho):.9g}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
