"""What theory predicts for a cell in a setting: the line that is drawn over the measurement."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from derive.derivation import Derivation
from numeric.interpret import Array
from numeric.mean_field import leaky_rate, vanilla
from numeric.setting import Setting
from proofs.theorems_vanilla import functions_of, is_vanilla, same_jacobian


@dataclass(frozen=True, slots=True)
class Predicted:
    """A rate that mean-field theory predicts: asymptotic in n, not proved here.

    Args:
        rate: λ₁ = ½ log χ per step.
        law: what was solved, as LaTeX.
        reach: √n: with fixed weights the gain follows χ^k only for lags k far below it.
    """

    rate: float
    law: str
    reach: float


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
        return Predicted(vanilla(setting.gain, drive=drive).rate, law, math.sqrt(n))
    if same_jacobian(derivation, "leaky") and drive == 0.0:
        delta = 1.0 - float(fixed["alpha"].ravel()[0])
        if 0 < delta <= 1:
            law = rf"h_t = (1-\delta)h_{{t-1}} + \delta\tanh(Wh_{{t-1}}), \quad \delta = {delta:g}"
            return Predicted(delta * leaky_rate(setting.gain, delta), law, math.sqrt(n))
    return None


def _drive(derivation: Derivation, fixed: Mapping[str, Array], inputs: float) -> float:
    """The variance, over time and units, of what inputs and biases add to the pre-activation."""
    total = 0.0
    for q in derivation.cell.parameters:
        value: Array = fixed[q.name]
        rows, cols = q.shape
        if cols == 1:
            total += float(np.mean(value**2))
        elif rows != cols:
            total += inputs**2 * float(np.mean(np.sum(value**2, axis=1)))
    return total
