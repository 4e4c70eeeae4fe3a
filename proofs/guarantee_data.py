"""Certificates as data, and their re-check: the arithmetic by exact rational numbers, the enclosures computed anew."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, cast

import numpy as np

from derive.derivation import derive
from derive.language import read_cell
from numeric.interpret import Array
from proofs.guarantee_box import Problem, enclose, is_invariant
from proofs.guarantee_checker import RefusedError, check
from proofs.guarantee_gain import SmallGain, small_gain, text, texts
from proofs.guarantee_intervals import Interval
from proofs.guarantee_rows import Jacobian, Perron, rows_of
from proofs.guarantee_step import Step
from proofs.guarantee_tube import Tube, along, around_fixed_point

FORMAT = "throughtime bound 1"
SPARE = 1e-9
"""By how much bounds are rounded up, relative to them, so that another machine's rounding finds them above its own."""


def certificate_of(
    problem: Problem, box: Mapping[str, Interval] | None, bound: Perron | SmallGain | Tube
) -> dict[str, Any]:
    """A bound as data: what it says, about which cell and weights, and what shows it.

    Args:
        problem: the cell.
        box: of the states; ``None`` for a tube.
        bound: the rows, norms or tube.
    """
    cell, places = problem.derivation.cell, dict[str, Any]()
    if isinstance(bound, Tube):
        method, proof = "tube", _tube_proof(bound)
        places["tube"] = {
            "kind": bound.kind, "radius": text(bound.radius), "spread": text(bound.spread),
            "centre": [_arrays(s) for s in bound.centre], "inputs": [_arrays(x) for x in bound.inputs],
        }  # fmt: skip
    elif isinstance(bound, Perron):
        method, proof = "elementwise", _rows_proof(bound)
        if bound.split is not None and bound.edges is not None:
            places["split"] = {
                "quantity": bound.split.name,
                "lag": bound.split.lag,
                "edges": texts(bound.edges),
            }
    else:
        method, proof = "small gain", _gain_proof(bound)
    return {
        "format": FORMAT, "method": method,
        "cell": {"name": cell.name, "text": cell.text, "options": dict(cell.options)},
        "sizes": {str(d): size for d, size in problem.sizes.items()},
        "parameters": _arrays(problem.fixed),
        "inputs": {k: _ends(v) for k, v in problem.inputs.items()},
        "states": {k: _ends(v) for k, v in (box or {}).items()},
        "steps": bound.steps if isinstance(bound, Tube) else 0,
        **places, "proof": proof,
    }  # fmt: skip


def _arrays(values: Mapping[str, Array]) -> dict[str, Any]:
    return {k: texts(v) for k, v in values.items()}


def _ends(value: Interval) -> list[Any]:
    """Both ends, unbounded ones as null."""
    return [
        [[None if np.isinf(x) else text(x) for x in row] for row in end]
        for end in (value.lo, value.hi)
    ]


def _short(value: Fraction, digits: int = 40) -> Fraction:
    """The next number above with a short denominator."""
    scale = 2**digits
    return Fraction(-((-value * scale) // 1), scale)


def _rows_proof(bound: Perron) -> dict[str, Any]:
    v = [Fraction(float(x)) for x in bound.v]
    pieces = [
        [[Fraction(float(x)) * (1 + Fraction(SPARE)) for x in row] for row in m] for m in bound.rows
    ]
    pieces = [[[_short(x) if x else x for x in row] for row in m] for m in pieces]
    rows = [_different([m[i] for m in pieces]) for i in range(len(v))]
    rho = max(
        sum(a * x for a, x in zip(r, v, strict=True)) / v[i]
        for i, group in enumerate(rows)
        for r in group
    )
    return {
        "kind": "rows", "rho": str(_short(rho)), "C": _constant(v), "v": [str(x) for x in v], "norms": [],
        "rows": [[[str(x) for x in row] for row in group] for group in rows],
    }  # fmt: skip


def _different(rows: list[list[Fraction]]) -> list[list[Fraction]]:
    return [list(row) for row in dict.fromkeys(tuple(row) for row in rows)]


def _constant(v: list[Fraction]) -> str:
    """C with C² ≥ K (max v / min v)²."""
    root = math.isqrt(len(v) * 10**12)
    return str(_short(Fraction(root + (root**2 < len(v) * 10**12), 10**6) * max(v) / min(v)))


def _gain_proof(bound: SmallGain) -> dict[str, Any]:
    norms, v = [n.data() for n in bound.norms], [Fraction(float(x)) for x in bound.v]
    rows: list[Any] = []
    rates: list[Fraction] = []
    for i, line in enumerate(bound.terms):
        entries = [[[str(_raised(c)), *places] for c, places in cell] for cell in line]
        values = [
            sum(
                (
                    _raised(c) * math.prod(Fraction(bound.norms[p].bound) for p in places)
                    for c, places in cell
                ),
                Fraction(0),
            )
            for cell in line
        ]
        rows.append([entries])
        rates.append(sum((a * x for a, x in zip(values, v, strict=True)), Fraction(0)) / v[i])
    return {
        "kind": "rows", "rho": str(_short(max(rates))), "C": _constant(v), "v": [str(x) for x in v],
        "norms": norms, "rows": rows,
    }  # fmt: skip


def _raised(c: float) -> Fraction:
    """A coefficient rounded up a little, zero and one as they are."""
    exact = Fraction(float(c))
    return exact if c in (0.0, 1.0) else _short(exact * (1 + Fraction(SPARE)))


def _tube_proof(bound: Tube) -> dict[str, Any]:
    rho, c = _short(Fraction(bound.rho)), _short(Fraction(bound.constant))
    return {
        "kind": bound.kind, "rho": str(rho), "C": str(c), "v": ["1"],
        "norms": [n.data() for n in bound.norms], "steps": bound.steps,
    }  # fmt: skip


def recheck(data: Mapping[str, Any], problem: Problem | None = None) -> tuple[float, float]:
    """C and ρ of a certificate that holds; everything is computed again from what it says it is about.

    Args:
        data: the certificate, as read from JSON.
        problem: what it has to be about, if that is known: the cell, its weights and its inputs' box.

    Raises:
        RefusedError: it does not hold, or it is about something else.
        MissingFlintError: python-flint is not installed.
    """
    proof: Any = data.get("proof")
    if data.get("format") != FORMAT or not isinstance(proof, Mapping):
        raise RefusedError(f"not a certificate of the form {FORMAT!r}")
    c, rho = check(cast("Mapping[str, Any]", proof))
    try:
        stated, box = _problem(data)
        if problem is not None:
            _same(stated, problem)
        _RECHECKS[data["method"]](data, stated, box)
    except (KeyError, TypeError, IndexError, AttributeError, ZeroDivisionError) as error:
        raise RefusedError(f"not a certificate: {error!r}") from None
    return float(c), float(rho)


def _problem(data: Mapping[str, Any]) -> tuple[Problem, dict[str, Interval]]:
    cell = read_cell(data["cell"]["text"], data["cell"]["name"], data["cell"]["options"])
    d = derive(cell)
    sizes = {dim: int(data["sizes"][str(dim)]) for dim in cell.dims}
    fixed = {k: _array(v) for k, v in data["parameters"].items()}
    inputs = {k: _interval(v) for k, v in data["inputs"].items()}
    return Problem(Step(d, sizes), fixed, inputs), {
        k: _interval(v) for k, v in data["states"].items()
    }


def _array(rows: Any) -> Array:
    found = np.array([[float(Fraction(x)) for x in row] for row in rows])
    if [[Fraction(float(x)) for x in row] for row in found] != [
        [Fraction(x) for x in row] for row in rows
    ]:
        raise RefusedError("a weight is no floating-point number")
    return found


def _interval(ends: Any) -> Interval:
    far = (-np.inf, np.inf)
    lo, hi = (
        np.array([[infinite if x is None else float(Fraction(x)) for x in row] for row in end])
        for end, infinite in zip(ends, far, strict=True)
    )
    if not (lo <= hi).all():
        raise RefusedError("a box is empty")
    return Interval(lo, hi)


def _same(stated: Problem, problem: Problem) -> None:
    same = stated.derivation.cell.text == problem.derivation.cell.text
    same &= stated.fixed.keys() == problem.fixed.keys()
    same = same and all(np.array_equal(v, problem.fixed[k]) for k, v in stated.fixed.items())
    if not same or not all(v.holds(problem.inputs[k]).all() for k, v in stated.inputs.items()):
        raise RefusedError("the certificate is about another cell, other weights or other inputs")


def _recheck_rows(data: Mapping[str, Any], problem: Problem, box: Mapping[str, Interval]) -> None:
    jacobian, edges = _jacobian(problem, box), None
    leaf: Any = None
    if "split" in data:
        cut = data["split"]
        named = [
            v for v in jacobian.candidates() if (v.name, v.lag) == (cut["quantity"], cut["lag"])
        ]
        if not named:
            raise RefusedError(f"the range of {cut['quantity']} cannot be cut row by row")
        leaf = named[0]
        edges = np.array([_array(e) for e in cut["edges"]])
        value = jacobian.values[leaf]
        if (
            (edges[0] > value.lo).any()
            or (edges[-1] < value.hi).any()
            or (np.diff(edges, axis=0) < 0).any()
        ):
            raise RefusedError(f"the pieces do not cover the range of {leaf}")
    found = rows_of(jacobian, leaf, edges)
    for i, group in enumerate(data["proof"]["rows"]):
        given = np.array([[float(Fraction(x)) for x in row] for row in group])
        if not all((given >= m[i]).all(axis=1).any() for m in found):
            raise RefusedError(f"row {i} is below |J|")


def _recheck_gain(data: Mapping[str, Any], problem: Problem, box: Mapping[str, Interval]) -> None:
    found, proof = small_gain(_jacobian(problem, box)), data["proof"]
    if len(found.norms) != len(proof["norms"]):
        raise RefusedError("the norms are not those of this Jacobian")
    for mine, given in zip(found.norms, proof["norms"], strict=True):
        apart = np.linalg.norm(mine.matrix - _array(given["matrix"]))
        if float(apart) + mine.radius > float(Fraction(given["radius"])) * (1 + SPARE):
            raise RefusedError("a norm is that of another matrix")
    for line, [entries] in zip(found.terms, proof["rows"], strict=True):
        for terms, given in zip(line, entries, strict=True):
            if len(terms) != len(given) or any(
                Fraction(float(c)) > Fraction(t[0]) or list(places) != t[1:]
                for (c, places), t in zip(terms, given, strict=True)
            ):
                raise RefusedError("a block of the Jacobian is bounded by too little")


def _jacobian(problem: Problem, box: Mapping[str, Interval]) -> Jacobian:
    states = {q.name for q in problem.derivation.cell.states}
    if set(box) != states or not is_invariant(problem, box):
        raise RefusedError("a step leaves the box of the states")
    return Jacobian(problem, enclose(problem, box))


def _recheck_tube(data: Mapping[str, Any], problem: Problem, box: Mapping[str, Interval]) -> None:
    tube, proof = data["tube"], data["proof"]
    centre, inputs = (
        [{k: _array(v) for k, v in s.items()} for s in tube[key]] for key in ("centre", "inputs")
    )
    radius, spread = float(Fraction(tube["radius"])), float(Fraction(tube["spread"]))
    found: Tube | None
    if tube["kind"] == "powers" and data["steps"] == 0:
        found = around_fixed_point(problem, centre[0], inputs[0], spread=spread, radii=[radius])
    elif data["steps"] == len(inputs) == proof["steps"]:
        found = along(problem, centre, inputs, spread=spread, radii=[radius])
    else:
        raise RefusedError("the tube is not as long as its claim")
    stated = [Fraction(proof[key]) * (1 + Fraction(SPARE)) for key in ("rho", "C")]
    if (
        found is None
        or proof["kind"] != found.kind
        or found.rho > stated[0]
        or found.constant > stated[1]
    ):
        raise RefusedError("no such tube is found around this trajectory")


_RECHECKS = {"elementwise": _recheck_rows, "small gain": _recheck_gain, "tube": _recheck_tube}
