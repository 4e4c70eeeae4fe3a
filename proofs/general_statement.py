"""What a general proof proves: the cell's equations, and the backward equations claimed for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy.matrices.expressions import MatrixExpr

from derive.derivation import Derivation
from derive.expressions import Adjoint, Tangent, add, shifted, zeros_like
from proofs.general_encode import encode, encode_shape


@dataclass(frozen=True, slots=True)
class Claimed:
    """One backward equation.

    Args:
        group: ``adjoints`` at step t in order of evaluation, ``inlined`` (adjoints that are written out
            wherever they occur), ``inputs``, ``parameters`` (the addend of step t), or ``initial``.
        name: the quantity.
        back: for an initial value, j of step −j; the equation is written relative to that step.
        lhs: the adjoint.
        rhs: its value.
    """

    group: str
    name: str
    back: int
    lhs: Adjoint
    rhs: MatrixExpr

    @property
    def data(self) -> list[Any]:
        """The equation as plain data."""
        key = [self.name, self.back] if self.group == "initial" else [self.name]
        return [*key, encode(self.rhs)]


def claimed_equations(d: Derivation) -> tuple[Claimed, ...]:
    """Every backward equation of a derivation."""
    b = d.backward
    groups = {
        "adjoints": b.local,
        "inlined": tuple(b.inlined.values()),
        "inputs": b.inputs,
        "parameters": b.parameters,
    }
    found = [
        Claimed(group, e.lhs.name, 0, e.lhs, e.rhs) for group, es in groups.items() for e in es
    ]
    for q in d.cell.of_role("state", "input"):
        by_lag = b.carried.get(q.name, {})
        for back in range(q.depth):
            parts = [shifted(e.rhs, -lag) for lag, e in by_lag.items() if lag > back]
            value = add(zeros_like(q.symbol), *parts)
            found.append(Claimed("initial", q.name, back, Adjoint(q.symbol), value))
    return tuple(found)


def carried_pairs(d: Derivation) -> tuple[tuple[MatrixExpr, MatrixExpr], ...]:
    """What is carried over from step k to later ones, as pairs at k.

    For a use at lag i: ⟨what step k − j + i gives to v at k − j, v̇ at k − j⟩ for j = 0, …, i − 1.
    """
    return tuple(
        (shifted(e.rhs, j - lag), Tangent(d.cell.quantity(name).symbol.at(j)))
        for name, by_lag in d.backward.carried.items()
        for lag, e in by_lag.items()
        for j in range(lag)
    )


def statement(d: Derivation, equations: tuple[Claimed, ...]) -> dict[str, Any]:
    """The statement as plain data."""
    cell = d.cell
    ours = [a for a in d.assignments if a.kind != "equation"]
    result: dict[str, Any] = {
        "cell": cell.name,
        "time": ["1", "T"],
        "quantities": {
            q.name: {"role": q.role, "shape": encode_shape(q.shape), "depth": q.depth}
            for q in cell.quantities
        },
        "names": {a.name: encode_shape(a.target.shape) for a in ours},
        "equations": [[e.target.name, encode(e.expr)] for e in cell.equations],
        "lines": [[a.name, encode(a.expr)] for a in d.assignments],
        "outputs": [q.name for q in cell.outputs],
    }
    for group in ("adjoints", "inlined", "inputs", "parameters", "initial"):
        result[group] = [e.data for e in equations if e.group == group]
    return result
