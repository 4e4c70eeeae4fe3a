"""What theory predicts for a cell in a setting: the line that is drawn over the measurement."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from derive.derivation import Derivation
from numeric.interpret import Array
from numeric.mean_field import leaky_rate, vanilla
from numeric.mean_field_gated import UnsuitedError, population_rate
from numeric.setting import Setting
from proofs.theorems_vanilla import functions_of, is_vanilla, same_jacobian


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
    """The prediction for normal recurrent weights of variance gain²/n; ``None`` where there is none.

    Args:
        derivation: of the cell.
        fixed: its parameters and constants; inputs and biases drive the units by what they are.
        setting: where it is measured.
    """
    if setting.init != "normal" or setting.starts or setting.weights:
        return None
    n = max(value.shape[0] for value in fixed.values())
    drive = _drive(derivation, fixed, setting.inputs)
    if is_vanilla(derivation) and "tanh" in functions_of(derivation):
        law = r"q = g^2\,\mathbb{E}\tanh^2(\sqrt q z) + " + f"{drive:.3g}"
        note = f", where {drive:.3g} is the variance that inputs and biases add" if drive else ""
        return Predicted(vanilla(setting.gain, drive=drive).rate, law, math.sqrt(n), note=note)
    if same_jacobian(derivation, "leaky") and drive == 0.0:
        delta = 1.0 - float(fixed["alpha"].ravel()[0])
        if 0 < delta <= 1:
            law = rf"h_t = (1-\delta)h_{{t-1}} + \delta\tanh(Wh_{{t-1}}), \quad \delta = {delta:g}"
            return Predicted(delta * leaky_rate(setting.gain, delta), law, math.sqrt(n))
    try:
        found = population_rate(derivation, fixed, setting.inputs)
    except UnsuitedError:
        return None
    law = r"\mathbb{E}(Wa_t)(Wa_s) = g^2\,\mathbb{E}\,a_ta_s \text{ for states and tangents } a"
    return (
        Predicted(found.rate, law, math.sqrt(n), found.error) if math.isfinite(found.rate) else None
    )


def _drive(derivation: Derivation, fixed: Mapping[str, Array], inputs: float) -> float:
    """The variance, over time and units, of what inputs and biases add to the pre-activation."""
    total = 0.0
    for q in derivation.cell.parameters:
        value: Array = fixed[q.name]
        rows, cols = q.shape
        if cols == 1:
            total += float((value**2).mean())
        elif rows != cols:
            total += inputs**2 * float((value**2).sum(axis=1).mean())
    return total
