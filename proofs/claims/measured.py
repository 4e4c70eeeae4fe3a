"""Formulas over floating-point numbers, where sizes are measured too: norms and singular values."""

from __future__ import annotations

from typing import Any

import numpy as np

from proofs.claims.bounds import MEASURES
from proofs.claims.meaning import Meaning
from proofs.claims.stated import gamma
from proofs.claims.syntax import Call, Formula, Pow, Steps, walk
from proofs.claims.values import MeaninglessError, Value
from proofs.claims.world import OutsideError


class Measured(Meaning):
    """Formulas over floating-point numbers, where sizes are measured too."""

    def _call(self, node: Call, places: Any) -> Value:
        """Norms and singular values besides all else."""
        if node.name == "gamma":
            largest = gamma(self.world.cell)
            if largest is None:
                problem = "a slope of the cell has no bound, so gamma is no number"
                raise MeaninglessError(problem, node.where)
            return Value(np.array([[float(largest)]]))
        if node.name not in MEASURES:
            return super()._call(node, places)
        value = self.visit(node.args[0], places)
        array = np.asarray(value.array, dtype=float)
        if node.name == "spectral_radius":
            if array.shape[0] != array.shape[1]:
                raise MeaninglessError("spectral_radius takes a square matrix", node.where)
            return Value(np.array([[max(abs(np.linalg.eigvals(array)))]]))
        sizes = np.linalg.svd(array, compute_uv=False)
        return Value(np.array([[sizes[-1] if node.name == "sigma_min" else sizes[0]]]))

    def _power(self, node: Pow, places: Any) -> Value:
        """Numbers to a number of steps, of which there are never fewer than none."""
        if not isinstance(node.exponent, Steps):
            return super()._power(node, places)
        steps = node.exponent.index.at(dict(places))
        if steps < 0:
            raise OutsideError(f"{steps} steps")
        return Value(self.visit(node.base, places).array ** steps)


def measures(formula: Formula) -> bool:
    """Whether a formula measures anything."""
    return any(
        isinstance(p, Call) and p.name in (*MEASURES, "gamma")
        for s in (formula.left, formula.right)
        for p in walk(s)
    )
