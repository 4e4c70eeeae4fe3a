"""The derived equations of a cell, forward and backward, in floating point as they stand, without generated code."""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.derivation import Derivation
from derive.nodes import Adjoint, LossGradient, Timed
from proofs.arithmetic import Array
from proofs.evaluation import Evaluator
from proofs.floats import Floats
from proofs.samples import Sample, Values
from proofs.unrolled import ZERO_BEYOND, Tape, run_backward, run_forward
from proofs.untyped import MatrixSymbol


def interpreted(derivation: Derivation, sample: Sample, dtype: Any = np.float64) -> Tape[Array]:
    """All values and adjoints of a run, the loss's gradients being the sample's weights of the outputs.

    Args:
        derivation: of the cell.
        sample: the run; what it weighs of a last value that is no output is left out.
        dtype: in which all is computed.
    """
    evaluate = Evaluator(Floats(dtype), sample.extent.sizes)

    def absent(leaf: Any, t: int | None) -> Array:
        zero = isinstance(leaf, ZERO_BEYOND)
        front = (sample.extent.samples,) if zero else ()
        return np.full((*front, *evaluate.shape(leaf)), 0 if zero else 1, dtype)

    tape: Tape[Array] = Tape(sample.extent.steps, {}, absent)
    for place, value in sample.values.items():
        tape.put(MatrixSymbol if place[1] is None else Timed, place, value.astype(dtype))
    for place, weight in sample.weights.items():
        whole = weight + sample.final_weights.get(place, 0.0)
        tape.put(LossGradient, place, whole.astype(dtype))
    run_forward(evaluate, derivation.assignments, tape)
    run_backward(evaluate, derivation.backward, derivation.cell, tape)
    return tape


def interpreted_gradient(derivation: Derivation, sample: Sample, dtype: Any = np.float64) -> Values:
    """The gradients of ``interpreted`` by place: by parameters summed over samples, as double numbers.

    What the sample weighs of a last value that was given, as of h_0 where T = 1 and h reaches two steps back, is added.
    """
    tape = interpreted(derivation, sample, dtype)
    found = {p: tape.values.get((Adjoint, *p)) for p in sample.values}
    for p in sample.final_weights.keys() & found.keys():
        found[p] = sample.final_weights[p] + (0 if found[p] is None else found[p])
    return {
        p: (v.sum(axis=0) if p[1] is None and v.ndim > 2 else v).astype(float)
        for p, v in found.items()
        if v is not None
    }
