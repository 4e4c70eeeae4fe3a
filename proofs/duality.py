"""The dot-product identity: tangents run forward in floating point, against generated code run backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.derivation import Derivation
from derive.nodes import Tangent, Timed
from proofs.arithmetic import Array
from proofs.evaluation import Evaluator
from proofs.floats import Floats
from proofs.samples import Sample, Values
from proofs.unrolled import Tape, run_forward, run_tangents
from proofs.untyped import MatrixSymbol


def tangent_run(derivation: Derivation, sample: Sample, directions: Values) -> Tape[Array]:
    """The tangent equations of a derivation, run forward along directions.

    Args:
        derivation: whose normal form and tangent equations are run; its adjoints take no part.
        sample: the point.
        directions: for every parameter, input and initial value.
    """
    evaluate = Evaluator(Floats(), sample.extent.sizes)
    tape: Tape[Array] = Tape(sample.extent.steps, {}, _absent)
    for place, value in sample.values.items():
        tape.put(MatrixSymbol if place[1] is None else Timed, place, value)
        tape.put(Tangent, place, directions.get(place, np.zeros_like(value)))
    run_forward(evaluate, derivation.assignments, tape)
    run_tangents(evaluate, derivation.tangents, tape)
    return tape


def tangent_answers(derivation: Derivation, sample: Sample, directions: Values) -> float:
    """L̇ along directions, by the tangent equations."""
    tape = tangent_run(derivation, sample, directions)
    answer = 0.0
    for weights in (sample.weights, sample.final_weights):
        for place, weight in weights.items():
            answer += float(np.sum(weight * tape.get(Tangent, place)))
    return answer


def _absent(leaf: Any, t: int | None) -> Array:
    raise KeyError(f"{leaf} at step {t} is not given")
