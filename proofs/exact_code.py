"""Generated code against the backward equations modulo a prime: a file run on residues, where nothing rounds.

The equations are evaluated step by step on the same random residues, with the same unknown values of the elementwise
functions. Gradients that agree are equal as rational functions of everything that went in, but for a probability that
is counted along. Code that computes with other fractions than the equations say, as 0.1 in binary, does not agree; so
disagreement says nothing, and the tests in floating point decide. Comparisons find every residue positive: of relu and
abs one side of the kink is seen.
"""

from __future__ import annotations

from math import ceil, log10
from random import Random
from types import ModuleType
from typing import Any

import numpy as np

from derive.derivation import Derivation
from derive.nodes import Adjoint, LossGradient, Timed
from proofs import layout
from proofs.arithmetic import Array, ArrayArithmetic
from proofs.evaluation import Evaluator
from proofs.modules import load_source
from proofs.mutants_answers import Call
from proofs.mutants_same import FormalNumPy, residue
from proofs.point import Extent, draw_sizes, steps_for
from proofs.samples import Sample, Values, draw
from proofs.unrolled import ZERO_BEYOND, Tape, run_backward, run_forward
from proofs.untyped import MatrixSymbol

_EXACT: Any = np.frompyfunc(residue, 1, 1)


class Residues(ArrayArithmetic):
    """Arrays of residues, whose functions are those of a generated file.

    Args:
        module: the file, already on residues.
        numpy: what it computes with.
    """

    def __init__(self, module: ModuleType, numpy: FormalNumPy) -> None:
        self._functions: tuple[Any, ...] = (module, numpy)

    def number(self, c: Any) -> Array:
        """A rational number."""
        return self._of([[residue(int(c.p)) / int(c.q)]])

    def full(self, shape: tuple[int, int], c: int) -> Array:
        """0 or 1 in every entry."""
        return self._of(np.full(shape, c))

    def identity(self, n: int) -> Array:
        """The identity matrix."""
        return self._of(np.eye(n, dtype=int))

    def add(self, a: Array, b: Array) -> Array:
        """a + b"""
        return a + b

    def mul(self, a: Array, b: Array) -> Array:
        """a ∘ b"""
        return a * b

    def matmul(self, a: Array, b: Array) -> Array:
        """A B"""
        return a @ b

    def power(self, a: Array, k: int) -> Array:
        """Every entry raised to an integer."""
        return self._of(a**k)

    def total(self, a: Array) -> Array:
        """The sum of all entries."""
        return self._of(a.sum(axis=(-1, -2), keepdims=True))

    def function(self, name: str, a: Array) -> Array:
        """The file's own function of this name, or NumPy's."""
        if name in ("step", "sign"):
            return self._of(a > 0)
        if name == "abs":
            return a
        return self._of(self._named(name)(a))

    def softmax(self, a: Array) -> Array:
        """The file's own."""
        return self._of(self._named("softmax")(a[..., 0])[..., None])

    def logsumexp(self, a: Array) -> Array:
        """The file's own."""
        return self._of(self._named("logsumexp")(a[..., 0])[..., None])

    def _named(self, name: str) -> Any:
        return next(getattr(m, name) for m in self._functions if hasattr(m, name))

    @staticmethod
    def _of(a: Any) -> Array:
        return _EXACT(np.asarray(a, dtype=object))


def agreement(derivation: Derivation, source: str, *, seed: int = 0) -> str:
    """The sizes at which a file's gradients are those of the backward equations, and the chance of error.

    Args:
        derivation: whose backward equations.
        source: the file.
        seed: of sizes and residues.

    Returns:
        A sentence's end; empty if the gradients do not agree, or the file cannot be run on residues.
    """
    rng = Random(seed)  # noqa: S311 - no secret
    steps = steps_for(derivation.cell)
    sizes, errors = list[str](), list[float]()
    for i in range(2):
        extent = Extent(draw_sizes(derivation.cell, rng), steps + i, 2)
        try:
            error = _compared(derivation, load_source(source), extent, seed + i)
        except Exception:  # noqa: BLE001 - what cannot be run on residues is not shown to agree
            return ""
        if error is None:
            return ""
        sizes.append(str(extent))
        errors.append(error)
    return f"at {'; '.join(sizes)}: by luck with a probability below 10^{ceil(log10(sum(errors)))}"


def _compared(
    derivation: Derivation, module: ModuleType, extent: Extent, seed: int
) -> float | None:
    """The probability of agreement by luck; ``None`` if an entry of a gradient differs."""
    numpy, sample = FormalNumPy(seed), draw(derivation.cell, extent, seed)
    call = Call(sample).lifted(numpy.random_like)
    call.final_bar = {n: v * 0 for n, v in call.final_bar.items()}
    module.__dict__.update({"np": numpy, "common_dtype": _object})
    *_, params_bar, inputs_bar, state_bar = call.run(module)
    found = layout.places(sample, params_bar, inputs_bar, state_bar)
    wanted = _equations(derivation, sample, call, Residues(module, numpy))
    results = list[Any]()
    for place, value in found.items():
        true = wanted[place]
        if place[1] is None:
            true = np.broadcast_to(true, (extent.samples, *true.shape[-2:])).sum(axis=0)
        if not np.all(np.vectorize(_same, otypes=[bool])(value, true)):
            return None
        results += [value, true]
    return numpy.error(results)


def _object(_: Any) -> Any:
    """The dtype of residues."""
    return np.dtype(object)


def _same(a: Any, b: Any) -> bool:
    return residue(a).value == residue(b).value


def _equations(derivation: Derivation, sample: Sample, call: Call, arithmetic: Residues) -> Values:
    """Every gradient by the backward equations as derived."""
    cell, extent = derivation.cell, sample.extent
    evaluate = Evaluator(arithmetic, extent.sizes)
    real = [q.name for q in cell.inputs if q.kind == "real"]
    inputs = dict(zip((q.name for q in cell.inputs), call.inputs, strict=True))
    given = sample.values | layout.places(
        sample, call.params, {n: inputs[n] for n in real}, call.state
    )
    weights = layout.sequences(sample, call.outputs_bar, call.final_bar)

    def absent(leaf: Any, _: int | None) -> Array:
        beyond = isinstance(leaf, ZERO_BEYOND)
        return arithmetic.full(evaluate.shape(leaf), 0 if beyond else 7)

    tape: Tape[Array] = Tape(extent.steps, {}, absent)
    for place, value in given.items():
        kind = MatrixSymbol if place[1] is None else Timed
        tape.put(kind, place, _EXACT(value.astype(object)))
    for (name, t), weight in weights.items():
        if not name.startswith("final "):
            tape.put(LossGradient, (name, t), weight)
    run_forward(evaluate, derivation.assignments, tape)
    run_backward(evaluate, derivation.backward, cell, tape)
    return {
        place: tape.values.get((Adjoint, *place), arithmetic.full((1, 1), 0)) for place in given
    }
