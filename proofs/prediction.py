"""What theory predicts for a cell in a setting: the line that is drawn over the measurement."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from derive.cell import Quantity
from derive.derivation import Derivation
from derive.expressions import (
    Elementwise,
    Timed,
    is_column,
    is_scalar,
    operands,
    split_coefficient,
    terms,
)
from numeric.interpret import Array
from numeric.mean_field import UnsettledError, leaky_rate, vanilla
from numeric.mean_field_gated import UnsuitedError, population_rate
from numeric.setting import Setting, is_square
from proofs.theorems_vanilla import is_vanilla, same_jacobian
from proofs.untyped import MatMul, MatrixSymbol

WINDOWS = (64, 256)
"""Lags within which the covariance of leaky units must settle; a population remembers less, and can be off by more."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """A rate that mean-field theory predicts: asymptotic in n, not proved here.

    Args:
        rate: λ₁ = ½ log χ per step.
        law: what was solved, as LaTeX.
        reach: √n: with fixed weights the gain follows χ^k only for lags k far below it.
        error: standard error of the rate, where it is found by sampling.
        note: what a reader must know of the law's numbers, in words.
    """

    rate: float
    law: str
    reach: float
    error: float = 0.0
    note: str = ""


def predicted(
    derivation: Derivation, fixed: Mapping[str, Array], setting: Setting
) -> Predicted | None:
    """The prediction for normal recurrent weights of variance gain²/n; ``None`` where there is none, or they are not.

    Args:
        derivation: of the cell.
        fixed: its parameters and constants; inputs and biases drive the units by what they are.
        setting: where it is measured.
    """
    square = {q.name: fixed[q.name] for q in derivation.cell.parameters if is_square(q)}
    if setting.init != "normal" or setting.starts or setting.weights or not square:
        return None
    if any(q.name in (setting.values or {}) for q in derivation.cell.parameters if _is_matrix(q)):
        return None  # entries all alike are no draw: what they multiply moves all units as one
    n = min(len(value) for value in square.values())
    drive = _drive(derivation, fixed, setting.inputs)
    if drive is not None:
        return _vanilla(setting.gain, drive, math.sqrt(n))
    if same_jacobian(derivation, "leaky") and _undriven(derivation, fixed, setting.inputs):
        delta = 1.0 - float(fixed["alpha"].ravel()[0])
        if 0 < delta <= 1:
            law = rf"h_t = (1-\delta)h_{{t-1}} + \delta\tanh(Wh_{{t-1}}), \quad \delta = {delta:g}"
            for lags in WINDOWS:
                with suppress(UnsettledError):
                    rate = delta * leaky_rate(setting.gain, delta, lags=lags)
                    return Predicted(rate, law, math.sqrt(n))
            return None
    try:
        found = population_rate(derivation, fixed, setting.inputs)
    except UnsuitedError:
        return None
    law = r"\mathbb{E}(Wa_t)(Wa_s) = g^2\,\mathbb{E}\,a_ta_s \text{ for states and tangents } a"
    return (
        Predicted(found.rate, law, math.sqrt(n), found.error) if math.isfinite(found.rate) else None
    )


def _is_matrix(q: Quantity) -> bool:
    return not (is_column(q.symbol) or is_scalar(q.symbol))


def _vanilla(gain: float, drive: tuple[float, float], reach: float) -> Predicted:
    """The prediction for tanh units, by the mean and the variance of what drives them."""
    bias, spread = drive
    moved = f"{bias:+.3g}" if bias else ""
    law = rf"q = g^2\,\mathbb{{E}}\tanh^2(\sqrt q z{moved}) + {spread:.3g}"
    told = [f"{bias:.3g} is the mean of the biases"] if bias else []
    told += [f"{spread:.3g} is the variance that inputs and biases add"] if spread else []
    note = f", where {' and '.join(told)}" if told else ""
    return Predicted(vanilla(gain, drive=spread, bias=bias).rate, law, reach, note=note)


def _undriven(derivation: Derivation, fixed: Mapping[str, Array], inputs: float) -> bool:
    """Whether nothing but the states themselves drives the units."""
    biases = (q for q in derivation.cell.parameters if is_column(q.symbol))
    return (inputs == 0 or not derivation.cell.inputs) and not any(
        fixed[q.name].any() for q in biases
    )


def _drive(
    derivation: Derivation, fixed: Mapping[str, Array], inputs: float
) -> tuple[float, float] | None:
    """Mean and variance, over time and units, of ξ in h_t = tanh(W h_{t−1} + ξ_t); ``None`` for cells of another form.

    ξ is a sum of multiples of biases and of matrices times inputs, each input once.
    """
    lines = {a.target: a.expr for a in derivation.assignments}
    state: Any = derivation.cell.states[0].symbol
    value, given = lines[state], {q.symbol: q for q in derivation.cell.inputs}
    if not (is_vanilla(derivation) and isinstance(value, Elementwise) and value.function == "tanh"):
        return None
    bias, total, seen = 0.0, 0.0, set[Any]()
    for term in _addends(operands(value)[0], lines):
        c, core = split_coefficient(term)
        parts: Any = operands(core) if isinstance(core, MatMul) else (core,)
        of = parts[-1]
        if of == state.at(1):
            continue
        q = given.get(of.at(0)) if isinstance(of, Timed) and of not in seen else None
        if not isinstance(parts[0], MatrixSymbol) or len(parts) != (1 if q is None else 2):
            return None
        seen.add(of)
        entries = float(c) * fixed[str(cast("Any", parts[0]).name)]
        if q is None:
            bias += float(entries.mean())
            total += float(entries.var()) if np.ptp(entries) else 0.0
            continue
        each = inputs**2 if q.kind == "real" else 1 / entries.shape[1]
        total += each * float((entries**2).sum(axis=1).mean())
    return bias, total


def _addends(expr: Any, lines: Mapping[Any, Any]) -> Iterator[Any]:
    """The addends of a sum, those of quantities that it is made of written out."""
    for term in terms(expr):
        if term in lines:
            yield from _addends(lines[term], lines)
        else:
            yield term
